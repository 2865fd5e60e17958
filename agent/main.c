// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - paxsteerd: arguments, signals, start and end
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "accept.h"
#include "director.h"
#include "health_run.h"
#include "node.h"
#include "reload.h"
#include "report.h"
#include "server.h"
#include "store/store.h"

#define DEFAULT_CONFIG	"/etc/paxsteer/paxsteerd.conf"

/* Longest wait for what is in flight at the end: less than systemd waits (TimeoutStopSec). */
#define DRAIN_MS	30000

struct signals {
	struct pxs_op op;
	struct pxs_node *node;
	struct signalfd_siginfo info;
	int fd;
};

static void usage(FILE *to)
{
	fprintf(to,
		"Usage: paxsteerd [OPTIONS]\n"
		"\n"
		"  -c, --config FILE     configuration (" DEFAULT_CONFIG ")\n"
		"      --datapath KIND   kernel or user, instead of what the configuration says\n"
		"      --no-wait         end at once when the journal is owned by another process\n"
		"      --check           read the configuration and end\n"
		"  -v, --verbose         say more\n"
		"  -h, --help            this\n"
		"\n"
		"`paxsteer journal init` makes the journal. See paxsteerd(8), paxsteerd.conf(5).\n");
}

/* sd_notify(3), without the library: one datagram to the socket that systemd names. */
static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (!path || !*path || strlen(path) >= sizeof(sun.sun_path))
		return;
	len = strlen(path);
	memcpy(sun.sun_path, path, len);
	if (sun.sun_path[0] == '@')
		sun.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sun,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		pxs_debug("notify: %s", strerror(errno));
	close(fd);
}

static void signals_read(struct signals *s)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);

	io_uring_prep_read(sqe, s->fd, &s->info, sizeof(s->info), 0);
	pxs_loop_own(sqe, &s->op);
}

static void signals_got(struct pxs_op *op, int res)
{
	struct signals *s = (struct signals *)((char *)op - offsetof(struct signals, op));

	if (res == (int)sizeof(s->info) &&
	    (s->info.ssi_signo == SIGTERM || s->info.ssi_signo == SIGINT)) {
		pxs_info("signal %u: ending", s->info.ssi_signo);
		s->node->loop.stop = true;
		return;
	}
	if (res == (int)sizeof(s->info) && s->info.ssi_signo == SIGHUP)
		pxs_reload(s->node);
	signals_read(s);
}

/* Before any thread is made, so that all of them leave these signals to the loop. */
static int signals_block(struct signals *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC);
	return s->fd < 0 ? -errno : 0;
}

static bool ended(void *ctx)
{
	return pxs_node_ended(ctx);
}

static int drain(struct pxs_node *n)
{
	int err;

	err = pxs_loop_until(&n->loop, ended, n, DRAIN_MS);
	if (err == -ETIME)
		pxs_err("what arrived is not durable after %u seconds: ending without; a group with durability memory may be fenced at the next start",
			DRAIN_MS / 1000);
	return err;
}

static int run(struct pxs_node *n, bool wait)
{
	struct signals sig = { .op.done = signals_got, .node = n };
	int err;

	err = signals_block(&sig);
	if (!err)
		err = pxs_loop_init(&n->loop);
	if (err) {
		pxs_err("io_uring: %s%s", strerror(-err),
			err == -EPERM || err == -ENOSYS ? " (see kernel.io_uring_disabled)" : "");
		return 1;
	}
	pxs_accept_limit(&n->config);
	/* Without a group there is neither journal nor datapath: checks are all there is to do. */
	err = n->config.ngroups ? pxs_node_open(n, wait) : 0;
	if (!err)
		err = pxs_directors_start(n);
	if (!err)
		err = pxs_checker_start(&n->checker, &n->config, false);
	if (!err)
		err = pxs_server_start(n, n->config.socket);
	if (!err)
		err = pxs_stores_start(n);
	if (err) {
		n->exit_code = 1;
		goto out;
	}
	signals_read(&sig);
	notify("READY=1");
	err = pxs_loop_run(&n->loop);
	notify("STOPPING=1");
	pxs_node_end(n);
	err = err ? err : drain(n);
	if (err)
		n->exit_code = 1;
out:
	pxs_checker_stop(n->checker);
	n->checker = NULL;
	pxs_node_close(n);
	pxs_server_stop(n);
	return n->exit_code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "datapath", required_argument, NULL, 'd' },
		{ "no-wait", no_argument, NULL, 'n' },
		{ "check", no_argument, NULL, 'k' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	static struct pxs_node node;
	const char *config = DEFAULT_CONFIG;
	const char *datapath = NULL;
	bool wait = true, check = false;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			config = optarg;
			break;
		case 'd':
			datapath = optarg;
			break;
		case 'n':
			wait = false;
			break;
		case 'k':
			check = true;
			break;
		case 'v':
			pxs_report_level(PXS_DEBUG);
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc || (datapath && strcmp(datapath, "user") && strcmp(datapath, "kernel"))) {
		fprintf(stderr, "paxsteerd: \"%s\" is not understood\n",
			optind < argc ? argv[optind] : datapath);
		usage(stderr);
		return 2;
	}
	if (pxs_config_load(&node.config, config))
		return 1;
	if (datapath)
		node.config.datapath = strcmp(datapath, "user") ? PXS_DATAPATH_KERNEL :
								  PXS_DATAPATH_USER;
	ret = check ? 0 : run(&node, wait);
	pxs_config_free(&node.config);
	return ret;
}
