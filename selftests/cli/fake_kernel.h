/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fake_kernel.h - what answers the command in a test: services and backends, and no packets
 *
 * Takes the place of nlq_do(), nlq_try(), nlq_get() and nlq_dump() by the linker's --wrap, so that
 * whole commands run, by cli_run(), with nothing asked of this machine's kernel. What it keeps are
 * the requests; what it shows are their attributes, and counters where a test sets some.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <linux/paxsteer.h>

#include "cli/cli.h"
#include "cli/nlq.h"

#define FAKE_MAX	64

struct fake_object {
	struct nl_msg *msg;		/* that added it */
	char name[PXS_NAME_MAX + 1];	/* of the service */
	uint64_t packets;
};

static struct {
	struct fake_object service[FAKE_MAX], backend[FAKE_MAX];
	unsigned int services, backends;
	unsigned int changes;		/* requests that would change something */
	unsigned int refuse_at;		/* the so many-th of them, from 1; 0: none */
	bool pipe;			/* nobody reads what is said of it: SIGPIPE */
	unsigned int dumps;
	uint64_t step;			/* packets that each object gets before each dump */
	unsigned int interrupt_at;	/* the so many-th dump brings SIGINT, from 1; 0: none */
	unsigned int changes_under;	/* so often a table is replaced while backends are shown */
	uint64_t generation;
	unsigned int took;		/* milliseconds since deadlines were given */
	struct nl_msg *page;		/* answer to TABLE_GET */
} fake;

int __wrap_nlq_do(struct cli *cli, struct nl_msg *msg);
int __wrap_nlq_try(struct cli *cli, struct nl_msg *msg);
int __wrap_nlq_get(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg);
int __wrap_nlq_dump(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg);

static const char *fake_str(struct nl_msg *msg, int attr)
{
	struct nlattr *tb[64];

	nlq_parse(msg, tb, 63);
	return nlq_str(tb[attr]);
}

static void fake_keep(struct fake_object *o, struct nl_msg *msg, int name)
{
	*o = (struct fake_object){ .msg = msg };
	snprintf(o->name, sizeof(o->name), "%s", fake_str(msg, name));
}

static unsigned int fake_drop(struct fake_object *list, unsigned int n, const char *name)
{
	unsigned int i, kept = 0;

	for (i = 0; i < n; i++) {
		if (strcmp(list[i].name, name))
			list[kept++] = list[i];
		else
			nlmsg_free(list[i].msg);
	}
	return kept;
}

static bool fake_has(const char *name)
{
	unsigned int i;

	for (i = 0; i < fake.services; i++)
		if (!strcmp(fake.service[i].name, name))
			return true;
	return false;
}

static int fake_refuse(struct cli *cli, struct nl_msg *msg)
{
	cli_error(cli, "the fake kernel refused");
	if (fake.pipe)
		raise(SIGPIPE);
	nlmsg_free(msg);
	return CLI_REFUSED;
}

int __wrap_nlq_do(struct cli *cli, struct nl_msg *msg)
{
	uint8_t cmd = nlq_cmd(msg);
	bool adds = cmd == PXS_CMD_SERVICE_ADD;
	const char *name = fake_str(msg, PXS_A_SERVICE_NAME);	/* also PXS_A_BACKEND_SERVICE */

	if (++fake.changes == fake.refuse_at)
		return fake_refuse(cli, msg);
	if (fake_has(name) == adds)
		return fake_refuse(cli, msg);
	if (adds) {
		fake_keep(&fake.service[fake.services++], msg, PXS_A_SERVICE_NAME);
	} else if (cmd == PXS_CMD_BACKEND_ADD) {
		fake_keep(&fake.backend[fake.backends++], msg, PXS_A_BACKEND_SERVICE);
	} else {
		fake.backends = fake_drop(fake.backend, fake.backends, name);
		fake.services = fake_drop(fake.service, fake.services, name);
		nlmsg_free(msg);
	}
	if (fake.services > FAKE_MAX - 2 || fake.backends > FAKE_MAX - 2)
		abort();
	return CLI_OK;
}

/* What a backend is, of its own request, from the attributes @from of one that adds several. */
static struct nl_msg *fake_backend(const char *service, const struct nlattr *from, int len)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_ADD);
	const struct nlattr *a;
	int rem;

	nlq_put_str(msg, PXS_A_BACKEND_SERVICE, service);
	nla_for_each_attr(a, from, len, rem)
		if (nla_type(a) != PXS_A_BACKEND_SERVICE && nla_type(a) != PXS_A_BACKEND_ALSO)
			nlq_put(msg, nla_type(a), nla_data(a), (size_t)nla_len(a));
	return msg;
}

/* Backends of one service, taken together or not at all: each counts as a change. */
int __wrap_nlq_try(struct cli *cli, struct nl_msg *msg)
{
	const char *name = fake_str(msg, PXS_A_BACKEND_SERVICE);
	struct genlmsghdr *g = genlmsg_hdr(nlmsg_hdr(msg));
	const struct nlattr *a, *attrs = genlmsg_attrdata(g, 0);
	int rem, len = genlmsg_attrlen(g, 0), ret = CLI_OK;
	unsigned int n = 1;

	nla_for_each_attr(a, attrs, len, rem)
		n += nla_type(a) == PXS_A_BACKEND_ALSO;
	if (!fake_has(name) ||
	    (fake.refuse_at > fake.changes && fake.refuse_at <= fake.changes + n)) {
		nlmsg_free(msg);
		return CLI_REFUSED;
	}
	ret = __wrap_nlq_do(cli, fake_backend(name, attrs, len));
	nla_for_each_attr(a, attrs, len, rem)
		if (nla_type(a) == PXS_A_BACKEND_ALSO && !ret)
			ret = __wrap_nlq_do(cli, fake_backend(name, nla_data(a), nla_len(a)));
	nlmsg_free(msg);
	return ret;
}

static void fake_put_stats(struct nl_msg *msg, int type, uint64_t packets)
{
	struct nlattr *nest = nlq_nest(msg, type);

	nlq_put_u64(msg, PXS_STEER_STAT_PACKETS, packets);
	nlq_put_u64(msg, PXS_STEER_STAT_BYTES, 100 * packets);
	nlq_put_u64(msg, PXS_STEER_STAT_REQUESTS, packets / 2);
	nla_nest_end(msg, nest);
}

/* A deadline that was given fake.took milliseconds ago. */
static void fake_put_left(struct nl_msg *msg)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	uint64_t left;

	nlq_parse(msg, tb, PXS_A_BACKEND_MAX);
	left = 1000 * nlq_uint(tb[PXS_A_BACKEND_DEADLINE]);
	if (left)
		nlq_put_u32(msg, PXS_A_BACKEND_LEFT,
			    left > fake.took ? (uint32_t)(left - fake.took) : 0);
}

/* The request that made an object, with what GET adds. */
static int fake_show(struct cli *cli, const struct fake_object *o, bool service, unsigned int index,
		     nlq_fn *fn, void *arg)
{
	struct nl_msg *msg = nlq_msg(service ? PXS_CMD_SERVICE_GET : PXS_CMD_BACKEND_GET);
	struct genlmsghdr *g = genlmsg_hdr(nlmsg_hdr(o->msg));
	unsigned int i, n = 0;
	int ret;

	if (nlmsg_append(msg, genlmsg_attrdata(g, 0), (size_t)genlmsg_attrlen(g, 0), NLMSG_ALIGNTO))
		abort();
	for (i = 0; i < fake.backends; i++)
		n += !strcmp(fake.backend[i].name, o->name);
	if (service) {
		nlq_put_u32(msg, PXS_A_SERVICE_NBACKENDS, n);
		nlq_put_u64(msg, PXS_A_SERVICE_GENERATION, fake.generation);
	} else {
		nlq_put_u16(msg, PXS_A_BACKEND_INDEX, (uint16_t)index);
		fake_put_left(msg);
	}
	fake_put_stats(msg, service ? PXS_A_SERVICE_STATS : PXS_A_BACKEND_STATS, o->packets);
	ret = fn(cli, msg, arg);
	nlmsg_free(msg);
	return ret;
}

/* Backends come in the order of their services. */
static int fake_walk(struct cli *cli, bool services, const char *name, nlq_fn *fn, void *arg)
{
	unsigned int s, b, index;
	int ret = CLI_OK;

	for (s = 0; s < fake.services && !ret; s++) {
		if (*name && strcmp(fake.service[s].name, name))
			continue;
		if (services)
			ret = fake_show(cli, &fake.service[s], true, 0, fn, arg);
		for (b = 0, index = 0; !services && b < fake.backends && !ret; b++)
			if (!strcmp(fake.backend[b].name, fake.service[s].name))
				ret = fake_show(cli, &fake.backend[b], false, index++, fn, arg);
	}
	return ret;
}

int __wrap_nlq_dump(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg)
{
	bool services = nlq_cmd(msg) == PXS_CMD_SERVICE_GET;
	const char *name = fake_str(msg, PXS_A_SERVICE_NAME);
	unsigned int i;
	int ret;

	if (!services && nlq_cmd(msg) != PXS_CMD_BACKEND_GET) {
		nlmsg_free(msg);	/* of the namespace, of groups: nothing is here */
		return CLI_OK;
	}
	for (i = 0; i < fake.services; i++)
		fake.service[i].packets += services ? fake.step : 0;
	for (i = 0; i < fake.backends; i++)
		fake.backend[i].packets += services ? 0 : fake.step;
	if (++fake.dumps == fake.interrupt_at)
		raise(SIGINT);
	if (!services && fake.changes_under) {
		fake.changes_under--;
		fake.generation++;
	}
	ret = fake_walk(cli, services, name, fn, arg);
	nlmsg_free(msg);
	return ret;
}

int __wrap_nlq_get(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg)
{
	const char *name = fake_str(msg, PXS_A_SERVICE_NAME);	/* also PXS_A_TABLE_SERVICE */
	int ret;

	if (!fake_has(name))
		return fake_refuse(cli, msg);
	if (nlq_cmd(msg) == PXS_CMD_TABLE_GET)
		ret = fn(cli, fake.page, arg);
	else
		ret = fake_walk(cli, true, name, fn, arg);
	nlmsg_free(msg);
	return ret;
}

static void fake_forget(void)
{
	while (fake.services)
		nlmsg_free(fake.service[--fake.services].msg);
	while (fake.backends)
		nlmsg_free(fake.backend[--fake.backends].msg);
	memset(&fake, 0, sizeof(fake));
}

/* A file in a directory of its own, for commands that read or write one. */
static char fake_dir[32], fake_file[64];

static void fake_write(const char *text)
{
	FILE *f;

	if (!*fake_file) {
		strcpy(fake_dir, "/tmp/pxs-cli.XXXXXX");
		if (!mkdtemp(fake_dir))
			abort();
		snprintf(fake_file, sizeof(fake_file), "%s/file", fake_dir);
	}
	f = fopen(fake_file, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

/* A command with what it said. */
struct said {
	char *out, *err;
	size_t out_len, err_len;
	int ret;
};

static struct said said;

static int run_words(struct cli *cli, int argc, char **argv)
{
	FILE *out = stdout, *err = stderr;

	free(said.out);
	free(said.err);
	memset(&said, 0, sizeof(said));
	stdout = open_memstream(&said.out, &said.out_len);
	stderr = open_memstream(&said.err, &said.err_len);
	if (!stdout || !stderr)
		abort();
	said.ret = cli_run(cli, argc, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	return said.ret;
}

/* Words end with NULL. Return: the exit status. */
static int run(const char *word, ...)
{
	struct cli cli = { .json = false };
	char *words[32];
	va_list ap;
	int n = 0;

	va_start(ap, word);
	for (; word && n < 32; word = va_arg(ap, const char *)) {
		if (!strcmp(word, "-j"))
			cli.json = true;
		else
			words[n++] = (char *)word;
	}
	va_end(ap);
	return run_words(&cli, n, words);
}

/* A test begins with an empty kernel. */
#define RUN_FRESH(test)		\
	do {			\
		fake_forget();	\
		RUN(test);	\
	} while (0)

static void fake_end(void)
{
	fake_forget();
	free(said.out);
	free(said.err);
	if (!*fake_file)
		return;
	unlink(fake_file);
	rmdir(fake_dir);
}

#endif /* FAKE_KERNEL_H */
