// SPDX-License-Identifier: GPL-2.0
/*
 * watch.c - counters as rates, again and again: `stats -w SECONDS`
 *
 * Two samples make a rate; the time between them is measured, not assumed. On a terminal each
 * interval takes the place of the one before, cut to the window; elsewhere they follow each other.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "watch.h"

#define NSEC		1000000000ULL
#define HOME_AND_CLEAR	"\033[H\033[J"

enum rate { REQUESTS, PACKETS, BYTES, DROPS, RATES };

static const struct {
	const char *key, *title;
} rates[RATES] = {
	[REQUESTS] = { "requests_per_second", "requests/s" },
	[PACKETS] = { "packets_per_second", "packets/s" },
	[BYTES] = { "bytes_per_second", "bytes/s" },
	[DROPS] = { "drops_per_second", "drops/s" },
};

/* A service, or a backend of one. */
struct counted {
	char service[PXS_NAME_MAX + 1];
	struct endpoint backend;	/* len 0: none */
	uint64_t value[RATES];
};

struct sample {
	struct counted *object;
	size_t n, room;
	uint64_t ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + (uint64_t)now.tv_nsec;
}

uint64_t watch_next(uint64_t deadline, uint64_t interval, uint64_t now)
{
	deadline += interval;
	if (deadline > now)
		return deadline;
	return deadline + ((now - deadline) / interval + 1) * interval;
}

static struct counted *add(struct cli *cli, struct sample *s)
{
	struct counted *grown;

	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		grown = realloc(s->object, s->room * sizeof(*grown));
		if (!grown) {
			cli_error(cli, "out of memory");
			return NULL;
		}
		s->object = grown;
	}
	s->object[s->n] = (struct counted){ .backend.len = 0 };
	return &s->object[s->n++];
}

static void count(struct counted *c, const char *service, const struct nlattr *nest)
{
	struct nlattr *tb[PXS_STEER_STAT_MAX + 1];

	nlq_parse_nest(nest, tb, PXS_STEER_STAT_MAX);
	snprintf(c->service, sizeof(c->service), "%s", service);
	c->value[REQUESTS] = nlq_uint(tb[PXS_STEER_STAT_REQUESTS]);
	c->value[PACKETS] = nlq_uint(tb[PXS_STEER_STAT_PACKETS]);
	c->value[BYTES] = nlq_uint(tb[PXS_STEER_STAT_BYTES]);
	c->value[DROPS] = nlq_uint(tb[PXS_STEER_STAT_NO_BACKEND]) +
			  nlq_uint(tb[PXS_STEER_STAT_NO_SOCKET]) +
			  nlq_uint(tb[PXS_STEER_STAT_ERRORS]) +
			  nlq_uint(tb[PXS_STEER_STAT_TOO_BIG]) +
			  nlq_uint(tb[PXS_STEER_STAT_NO_ROUTE]) +
			  nlq_uint(tb[PXS_STEER_STAT_CLIENTS_REFUSED]) +
			  nlq_uint(tb[PXS_STEER_STAT_LOST]);
}

static int on_service(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct counted *c = add(cli, arg);

	if (!c)
		return CLI_NO_KERNEL;
	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	count(c, nlq_str(tb[PXS_A_SERVICE_NAME]), tb[PXS_A_SERVICE_STATS]);
	return CLI_OK;
}

static int on_backend(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	struct counted *c = add(cli, arg);

	if (!c)
		return CLI_NO_KERNEL;
	nlq_parse(msg, tb, PXS_A_BACKEND_MAX);
	nlq_backend(tb, &c->backend);
	count(c, nlq_str(tb[PXS_A_BACKEND_SERVICE]), tb[PXS_A_BACKEND_STATS]);
	return CLI_OK;
}

static int take(struct cli *cli, struct sample *s)
{
	int ret;

	s->n = 0;
	s->ns = now_ns();
	ret = nlq_dump(cli, nlq_msg(PXS_CMD_SERVICE_GET), on_service, s);
	return ret ? ret : nlq_dump(cli, nlq_msg(PXS_CMD_BACKEND_GET), on_backend, s);
}

static bool same(const struct counted *a, const struct counted *b)
{
	return !strcmp(a->service, b->service) && a->backend.len == b->backend.len &&
	       a->backend.port == b->backend.port && a->backend.socket == b->backend.socket &&
	       !memcmp(a->backend.addr, b->backend.addr, sizeof(a->backend.addr));
}

/* Where it was in the former sample, searched from *at on: the order seldom changes. */
static const struct counted *find(const struct sample *s, const struct counted *c, size_t *at)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct counted *old = &s->object[(*at + i) % s->n];

		if (!same(old, c))
			continue;
		*at = (*at + i + 1) % s->n;
		return old;
	}
	return NULL;
}

static void put_rates(struct out *o, const struct counted *was, const struct counted *is,
		      uint64_t ns)
{
	unsigned int i;

	for (i = 0; i < RATES; i++) {
		uint64_t old = was ? was->value[i] : 0;

		/* Less than before: deleted, and added again meanwhile. */
		if (old > is->value[i])
			old = 0;
		out_rate(o, rates[i].key, rates[i].title, is->value[i] - old, ns);
	}
}

static void put_list(struct out *o, const struct sample *was, const struct sample *is,
		     bool services)
{
	size_t i, at = 0;

	out_list(o, services ? "services" : "backends", OUT_TABLE);
	for (i = 0; i < is->n; i++) {
		const struct counted *c = &is->object[i];

		if (services != !c->backend.len)
			continue;
		out_object(o, NULL, NULL, OUT_ROW);
		out_str(o, services ? "name" : "service", "service", c->service);
		if (!services)
			out_endpoint(o, "backend", &c->backend);
		put_rates(o, find(was, c, &at), c, is->ns - was->ns);
		out_close(o);
	}
	out_close(o);
}

/* As many lines as the window has, and how many were left out. */
static void put_screen(char *text)
{
	struct winsize size = { .ws_row = 0 };
	unsigned int left = 0, lines = 0;
	char *line, *rest = text;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > 2)
		left = size.ws_row - 2U;
	fputs(HOME_AND_CLEAR, stdout);
	while ((line = strsep(&rest, "\n")) && rest) {
		if (!left || lines < left)
			puts(line);
		lines++;
	}
	if (left && lines > left)
		printf("... %u lines more\n", lines - left);
}

static int show(struct cli *cli, const struct sample *was, const struct sample *is)
{
	bool screen = !cli->json && isatty(fileno(stdout));
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct out *o;

	if (!f) {
		cli_error(cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	o = out_new(f, cli->json, cli->pretty);
	out_object(o, NULL, NULL, OUT_PAIRS);
	out_now(o, "time", "time");
	out_seconds(o, "interval", "interval", is->ns - was->ns);
	put_list(o, was, is, true);
	put_list(o, was, is, false);
	out_close(o);
	out_free(o);
	fclose(f);
	if (screen)
		put_screen(text);
	else
		printf("%s%s", text, cli->json ? "" : "\n");
	free(text);
	/* Nobody reads any more. */
	return fflush(stdout) || ferror(stdout) ? CLI_USAGE : CLI_OK;
}

/* Return: true when the deadline came, false when a signal of the set did. */
static bool wait_until(uint64_t deadline, const sigset_t *stop)
{
	struct timespec left;
	uint64_t now;

	for (now = now_ns(); now < deadline; now = now_ns()) {
		left.tv_sec = (time_t)((deadline - now) / NSEC);
		left.tv_nsec = (long)((deadline - now) % NSEC);
		if (sigtimedwait(stop, NULL, &left) > 0)
			return false;
	}
	return true;
}

static int watch(struct cli *cli, uint64_t interval, uint64_t times, const sigset_t *stop)
{
	struct sample a = { .n = 0 }, b = { .n = 0 }, *was = &a, *is = &b, *other;
	uint64_t deadline = now_ns(), done = 0;
	int ret = take(cli, was);

	while (!ret && (!times || done < times)) {
		deadline = watch_next(deadline, interval, now_ns());
		if (!wait_until(deadline, stop))
			break;
		ret = take(cli, is);
		if (!ret)
			ret = show(cli, was, is);
		other = was;
		was = is;
		is = other;
		done++;
	}
	free(a.object);
	free(b.object);
	return ret;
}

int watch_run(struct cli *cli, uint64_t interval_ms, uint64_t times)
{
	sigset_t stop, before;
	int ret;

	/* Held back, so that one that comes while the kernel is asked ends the next wait. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before);
	ret = watch(cli, interval_ms * (NSEC / 1000), times, &stop);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}
