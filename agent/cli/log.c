// SPDX-License-Identifier: GPL-2.0
/*
 * log.c - `paxsteer log`: append values to a replicated log, read it, ask how it is
 *
 * Talks to paxsteerd, not to the kernel: no privilege but that of the socket's mode.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "group.h"
#include "logload.h"
#include "logindex.h"
#include "logtransfer.h"
#include "logtrim.h"
#include "paxsteer.h"
#include "value.h"
#include "where.h"
#include "words.h"

#define DEFAULT_SIZE	64u
#define SECONDS_MAX	(366u * 86400)
#define TIMEOUT_MAX_MS	3600000u

static const char usage[] =
	"Usage: paxsteer log [-S SOCKET[,SOCKET...]] [group N] COMMAND\n"
	"  append VALUE | append - | append count N [size BYTES] [prefix TEXT]\n"
	"         [outstanding N] [seconds N] [timeout MS] [keep-going] [quiet] [acked-file FILE]\n"
	"         [history FILE] [once]\n"
	"  tail [from SLOT] [count N] [follow] [hash] [noops] [history FILE] [once]\n"
	"  status\n"
	"  read-index [timeout MS]\n"
	"  transfer to MEMBER [timeout MS]\n"
	"  trim to SLOT [force] [timeout MS]\n";

struct args {
	char *paths[PXS_LOG_SOCKETS_MAX + 1];
	char *list;		/* what they point into */
	char *sockets;		/* and all of them, with commas */
	uint64_t group, count, size, outstanding, seconds, timeout, from, to;
	bool sized, keep_going, quiet, follow, hash, noops, once, force;
	const char *value, *prefix, *acked_file, *history_file;
};

static int set_sockets(struct cli *cli, struct args *a, const char *list)
{
	struct sockaddr_un sun;
	char *save = NULL, *path;
	int n = 0;

	a->list = strdup(list);
	a->sockets = calloc(1, strlen(list) + 1);
	if (!a->list || !a->sockets) {
		cli_error(cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	for (path = strtok_r(a->list, ",", &save); path; path = strtok_r(NULL, ",", &save)) {
		if (n == PXS_LOG_SOCKETS_MAX)
			return cli_usage_error(cli, "-S: more than %u sockets", PXS_LOG_SOCKETS_MAX);
		if (strlen(path) >= sizeof(sun.sun_path))
			return cli_usage_error(cli, "-S: \"%s\" is too long for a socket", path);
		a->paths[n++] = path;
		strcat(strcat(a->sockets, n > 1 ? "," : ""), path);
	}
	return n ? CLI_OK : cli_usage_error(cli, "-S: no socket");
}

static int exit_of(int err)
{
	return err == -ENOENT || err == -EAGAIN ? CLI_NO_KERNEL : CLI_REFUSED;
}

static int open_history(struct cli *cli, const struct args *a, struct loghist *h)
{
	int err = 0;

	if (a->history_file)
		err = loghist_open(h, a->history_file, (u32)a->group);
	if (err)
		cli_error(cli, "history %s: %s", a->history_file, strerror(-err));
	return err ? CLI_USAGE : CLI_OK;
}

/* --- append ---------------------------------------------------------------- */

static int check_append(struct cli *cli, const struct args *a)
{
	bool made = a->count || a->seconds;

	if (!a->value == !made)
		return cli_usage_error(cli, "give either VALUE, -, count N or seconds N");
	if (a->value && !*a->value)
		return cli_usage_error(cli, "VALUE: a value has at least one byte");
	if (a->value && a->sized)
		return cli_usage_error(cli, "size: is for made values: give count or seconds");
	if (a->value && a->prefix)
		return cli_usage_error(cli, "prefix: is for made values: give count or seconds");
	if (a->prefix && strlen(a->prefix) > LOGLOAD_PREFIX_MAX)
		return cli_usage_error(cli, "prefix: has more than %d bytes", LOGLOAD_PREFIX_MAX);
	if (a->once && (a->acked_file || a->history_file))
		return cli_usage_error(cli, "once: goes without acked-file and history");
	return CLI_OK;
}

/* From the first request to the last acknowledgement; 0 when nothing was acknowledged. */
static double seconds(const struct logload *l)
{
	return l->last_us > l->first_us ? (double)(l->last_us - l->first_us) / 1e6 : 0;
}

static double rate(const struct logload *l)
{
	double s = seconds(l);

	return s > 0 ? (double)l->acked / s : 0;
}

static void show_json(struct cli *cli, struct logload *l)
{
	json_t *o = json_object();

	json_object_set_new(o, "sent", json_integer((json_int_t)l->sent));
	json_object_set_new(o, "appended", json_integer((json_int_t)l->acked));
	json_object_set_new(o, "unknown", json_integer((json_int_t)l->unknown));
	json_object_set_new(o, "refused", json_integer((json_int_t)l->refused));
	json_object_set_new(o, "seconds", json_real(seconds(l)));
	json_object_set_new(o, "per_second", json_real(rate(l)));
	json_object_set_new(o, "p50_us", json_integer(logload_quantile(l, 0.50)));
	json_object_set_new(o, "p90_us", json_integer(logload_quantile(l, 0.90)));
	json_object_set_new(o, "p99_us", json_integer(logload_quantile(l, 0.99)));
	json_object_set_new(o, "max_us", json_integer(logload_quantile(l, 1.0)));
	json_object_set_new(o, "longest_gap_us", json_integer((json_int_t)l->longest_gap_us));
	if (l->value && l->acked) {
		json_object_set_new(o, "slot", json_integer((json_int_t)l->slot));
		json_object_set_new(o, "repeated", json_boolean(l->repeated));
	}
	out_whole(cli->out, o);
	json_decref(o);
}

static void show_load(struct cli *cli, struct logload *l, const struct args *a)
{
	if (cli->json) {
		show_json(cli, l);
		return;
	}
	if (a->quiet || !(a->count || a->seconds))
		return;
	printf("appended %" PRIu64 " of %" PRIu64 " (%" PRIu64 " unknown, %" PRIu64 " refused) in %.3f s: %.0f/s\n",
	       l->acked, l->sent, l->unknown, l->refused,
	       seconds(l), rate(l));
	printf("latency us: p50 %u p90 %u p99 %u max %u; longest gap %" PRIu64 " us\n",
	       logload_quantile(l, 0.50), logload_quantile(l, 0.90), logload_quantile(l, 0.99),
	       logload_quantile(l, 1.0), l->longest_gap_us);
}

static int log_append(struct cli *cli, struct args *a, int argc, char **argv)
{
	const struct word words[] = {
		{ .name = "count", .number = &a->count, .min = 1 },
		{ .name = "size", .number = &a->size, .max = PXS_LOG_VALUE_MAX },
		{ .name = "prefix", .text = &a->prefix },
		{ .name = "outstanding", .number = &a->outstanding, .min = 1,
		  .max = LOGLOAD_OUTSTANDING_MAX },
		{ .name = "seconds", .number = &a->seconds, .min = 1, .max = SECONDS_MAX },
		{ .name = "timeout", .number = &a->timeout, .min = 1, .max = TIMEOUT_MAX_MS },
		{ .name = "keep-going", .flag = &a->keep_going },
		{ .name = "quiet", .flag = &a->quiet },
		{ .name = "acked-file", .text = &a->acked_file },
		{ .name = "history", .text = &a->history_file },
		{ .name = "once", .flag = &a->once },
		{ }
	};
	struct logload l = { .acked_fd = -1, .history = LOGHIST_NONE };
	int ret, err;

	a->size = UINT64_MAX;
	ret = words_take(cli, words, argc, argv, &a->value);
	a->sized = a->size != UINT64_MAX;
	if (!a->sized)
		a->size = DEFAULT_SIZE;
	if (!ret)
		ret = check_append(cli, a);
	if (ret)
		return ret;
	l.sockets = a->sockets;
	l.group = (uint32_t)a->group;
	l.timeout_ms = (uint32_t)a->timeout;
	l.outstanding = (uint32_t)a->outstanding;
	l.size = (uint32_t)a->size;
	l.count = a->count || !a->seconds ? a->count : UINT64_MAX;
	l.seconds = a->seconds;
	l.prefix = a->prefix;
	l.keep_going = a->keep_going;
	l.once = a->once;
	l.input = stdin;
	if (a->value && strcmp(a->value, "-")) {
		l.value = a->value;
		l.value_len = strlen(a->value);
	}
	l.slots = cli->json || a->quiet || l.count ? NULL : stdout;
	if (a->acked_file) {
		l.acked_fd = open(a->acked_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (l.acked_fd < 0) {
			cli_error(cli, "acked-file %s: %s", a->acked_file, strerror(errno));
			return CLI_USAGE;
		}
	}
	ret = open_history(cli, a, &l.history);
	if (ret) {
		if (l.acked_fd >= 0)
			close(l.acked_fd);
		return ret;
	}
	err = logload_run(&l);
	show_load(cli, &l, a);
	fflush(stdout);
	if (err)
		cli_error(cli, "%s", l.error);
	if (l.acked_fd >= 0)
		close(l.acked_fd);
	loghist_close(&l.history);
	logload_free(&l);
	return err ? exit_of(err) : CLI_OK;
}

/* --- tail ------------------------------------------------------------------ */

struct tail {
	struct cli *cli;
	const struct args *a;
	struct loghist history;
	u64 call_us;
	bool over;
	int ret;
	int error;		/* enum pxs_log_error */
};

static void put_text(const struct pxs_log_value *v)
{
	char *text = value_text(v->data, v->len);

	fputs(text ? text : "?", stdout);
	free(text);
}

static void put_json(struct cli *cli, const struct pxs_log_value *v)
{
	json_t *text = json_stringn(v->len ? v->data : "", v->len);
	json_t *o = json_object();
	char hash[20];

	snprintf(hash, sizeof(hash), "0x%016" PRIx64, value_hash(v->data, v->len));
	json_object_set_new(o, "slot", json_integer((json_int_t)v->slot));
	if (v->flags & PXS_LOG_NOOP)
		json_object_set_new(o, "noop", json_true());
	else if (v->flags & PXS_LOG_LOST)
		json_object_set_new(o, "damaged", json_true());
	else if (v->flags & PXS_LOG_PART)
		json_object_set_new(o, "part", json_true());
	else if (v->flags & PXS_LOG_REPEATED)
		json_object_set_new(o, "repeated", json_true());
	else if (text)
		json_object_set(o, "value", text);
	json_object_set_new(o, "hash", json_string(hash));
	json_object_set_new(o, "length", json_integer((json_int_t)v->len));
	out_whole(cli->out, o);
	json_decref(text);
	json_decref(o);
}

static void put_line(const struct args *a, const struct pxs_log_value *v)
{
	printf("%" PRIu64 " ", v->slot);
	if (v->flags & PXS_LOG_REPEATED)
		printf("=");
	else if (v->flags & PXS_LOG_NOOP)
		printf("-");
	else if (v->flags & PXS_LOG_PART)
		printf("+");
	else if (a->hash)
		printf("%016" PRIx64 " %zu", value_hash(v->data, v->len), v->len);
	else
		put_text(v);
	putchar('\n');
}

static void tail_value(void *ctx, const struct pxs_log_value *v)
{
	struct tail *t = ctx;

	if (!v->flags)
		loghist_fetch(&t->history, t->call_us, v->slot, value_hash(v->data, v->len),
			      (u32)v->len);
	if (v->flags & (PXS_LOG_NOOP | PXS_LOG_REPEATED | PXS_LOG_PART) && !t->a->noops)
		return;
	if (v->flags & PXS_LOG_LOST) {
		cli_error(t->cli, "slot %" PRIu64 ": damaged here; ask another member", v->slot);
		t->ret = CLI_REFUSED;
	}
	if (t->cli->json)
		put_json(t->cli, v);
	else if (!(v->flags & PXS_LOG_LOST))
		put_line(t->a, v);
}

static void tail_end(void *ctx, int error, uint64_t applied)
{
	struct tail *t = ctx;

	(void)applied;
	t->over = true;
	t->error = error;
}

/* Return: an exit status. */
static int run_tail(struct tail *t)
{
	const struct args *a = t->a;
	struct pxs_log *log = pxs_log_open(a->sockets, (u32)a->group);
	unsigned int flags = (a->follow ? PXS_LOG_FOLLOW : 0) | (a->once ? PXS_LOG_ONCE : 0);

	if (!log) {
		cli_error(t->cli, "%s", strerror(errno));
		return CLI_NO_KERNEL;
	}
	t->error = pxs_log_subscribe(log, a->from, a->count, flags, tail_value, tail_end, t);
	while (!t->error && !t->over && !ferror(stdout)) {
		pxs_log_wait(log, -1);
		if (a->follow)
			fflush(stdout);
	}
	if (t->error == PXS_LOG_UNREACHABLE) {
		cli_error(t->cli, "%s", pxs_log_detail(log));
		t->ret = CLI_NO_KERNEL;
	} else if (t->error) {
		cli_error(t->cli, "%s", t->error == PXS_LOG_TRIMMED ? pxs_log_detail(log) :
								      pxs_log_strerror(t->error));
		t->ret = CLI_REFUSED;
	}
	pxs_log_close(log);
	return t->ret;
}

static int log_tail(struct cli *cli, struct args *a, int argc, char **argv)
{
	const struct word words[] = {
		{ .name = "from", .number = &a->from, .min = 1, .max = PXS_SLOT_MAX },
		{ .name = "count", .number = &a->count, .min = 1 },
		{ .name = "follow", .flag = &a->follow },
		{ .name = "hash", .flag = &a->hash },
		{ .name = "noops", .flag = &a->noops },
		{ .name = "history", .text = &a->history_file },
		{ .name = "once", .flag = &a->once },
		{ }
	};
	struct tail t = {
		.cli = cli, .a = a, .history = LOGHIST_NONE, .call_us = loghist_now_us(),
	};
	int ret;

	a->from = 1;
	ret = words_take(cli, words, argc, argv, NULL);
	if (!ret && a->once && a->history_file)
		ret = cli_usage_error(cli, "once: goes without history");
	if (!ret)
		ret = open_history(cli, a, &t.history);
	if (ret)
		return ret;
	ret = run_tail(&t);
	if (t.history.err) {
		cli_error(cli, "history %s: %s", a->history_file, strerror(-t.history.err));
		ret = CLI_REFUSED;
	}
	fflush(stdout);
	loghist_close(&t.history);
	return ret;
}

/* --- status ---------------------------------------------------------------- */

static void show_fields(const char *title, json_t *o)
{
	const char *key;
	json_t *v;

	printf("%s", title);
	json_object_foreach(o, key, v) {
		if (json_is_string(v))
			printf(" %s %s", key, json_string_value(v));
		else if (json_is_integer(v))
			printf(" %s %" JSON_INTEGER_FORMAT, key, json_integer_value(v));
		else if (json_is_real(v))
			printf(" %s %.1f", key, json_real_value(v));
		else if (json_is_boolean(v))
			printf(" %s %s", key, json_is_true(v) ? "yes" : "no");
	}
	putchar('\n');
}

/* Return: the parsed JSON; or NULL, said why. */
static json_t *ask_status(struct cli *cli, const char *path)
{
	struct pxs_log *log = pxs_log_open(path, 1);
	json_t *status = NULL;
	char *text = NULL;

	if (log && !pxs_log_status(log, 0, &text)) {
		status = json_loads(text, 0, NULL);
		if (!status)
			cli_error(cli, "%s: an answer that makes no sense", path);
		free(text);
	} else {
		cli_error(cli, "%s", log ? pxs_log_detail(log) : strerror(errno));
	}
	pxs_log_close(log);
	return status;
}

static int show_status(struct cli *cli, const char *path)
{
	json_t *status = ask_status(cli, path), *g;
	size_t i;

	if (!status)
		return CLI_NO_KERNEL;
	if (cli->json) {
		json_object_set_new(status, "socket", json_string(path));
		out_whole(cli->out, status);
	} else {
		const char *datapath = json_string_value(json_object_get(status, "datapath"));

		printf("%s datapath %s\n", path, datapath ? datapath : "-");
		if (json_is_object(json_object_get(status, "journal")))
			show_fields("  journal", json_object_get(status, "journal"));
		json_array_foreach(json_object_get(status, "groups"), i, g)
			show_fields("  group", g);
		json_array_foreach(json_object_get(status, "health"), i, g)
			show_fields("  health", g);
	}
	json_decref(status);
	return CLI_OK;
}

static int log_status(struct cli *cli, struct args *a, int argc, char **argv)
{
	const struct word words[] = { { } };
	int ret = words_take(cli, words, argc, argv, NULL);
	int i, one;

	for (i = 0; a->paths[i] && ret != CLI_USAGE; i++) {
		one = show_status(cli, a->paths[i]);
		if (one)
			ret = one;
	}
	return ret;
}

static int log_transfer(struct cli *cli, struct args *a, int argc, char **argv)
{
	const struct word words[] = {
		{ .name = "to", .number = &a->to, .min = 1, .max = PXS_MEMBER_ID_MAX },
		{ .name = "timeout", .number = &a->timeout, .min = 1, .max = TIMEOUT_MAX_MS },
		{ }
	};
	int ret = words_take(cli, words, argc, argv, NULL);

	if (!ret && !a->to)
		ret = cli_usage_error(cli, "to: MEMBER is missing");
	if (ret)
		return ret;
	return logtransfer_run(cli, a->sockets, (uint32_t)a->group, (uint8_t)a->to,
			       (uint32_t)a->timeout);
}

static int log_read_index(struct cli *cli, struct args *a, int argc, char **argv)
{
	const struct word words[] = {
		{ .name = "timeout", .number = &a->timeout, .min = 1, .max = TIMEOUT_MAX_MS },
		{ }
	};
	int ret = words_take(cli, words, argc, argv, NULL);

	if (ret)
		return ret;
	return logindex_run(cli, a->sockets, (uint32_t)a->group, (uint32_t)a->timeout);
}

static int log_trim(struct cli *cli, struct args *a, int argc, char **argv)
{
	const struct word words[] = {
		{ .name = "to", .number = &a->to, .min = 1, .max = PXS_SLOT_MAX },
		{ .name = "force", .flag = &a->force },
		{ .name = "timeout", .number = &a->timeout, .min = 1, .max = TIMEOUT_MAX_MS },
		{ }
	};
	int ret = words_take(cli, words, argc, argv, NULL);

	if (!ret && !a->to)
		ret = cli_usage_error(cli, "to: SLOT is missing");
	if (ret)
		return ret;
	return logtrim_run(cli, a->paths, (uint32_t)a->group, a->to, a->force,
			   (uint32_t)a->timeout);
}

struct log_command {
	const char *name;
	int (*run)(struct cli *cli, struct args *a, int argc, char **argv);
};

static const char *command_name(const void *table, size_t i)
{
	return ((const struct log_command *)table)[i].name;
}

static int dispatch(struct cli *cli, struct args *a, int argc, char **argv)
{
	static const struct log_command commands[] = {
		{ "append", log_append },
		{ "tail", log_tail },
		{ "status", log_status },
		{ "transfer", log_transfer },
		{ "read-index", log_read_index },
		{ "trim", log_trim },
		{ }
	};
	int i;

	if (!argc) {
		fputs(usage, stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[0], "help")) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	i = cli_find(cli, "command", argv[0], commands, command_name);
	if (i < 0)
		return CLI_USAGE;
	cli->command = commands[i].name;
	return commands[i].run(cli, a, argc - 1, argv + 1);
}

int log_run(struct cli *cli, int argc, char **argv)
{
	struct args a = { .outstanding = 1, .timeout = 10000 };
	struct where where;
	int ret = where_take(cli, &argc, &argv, &where);

	a.group = where.group;
	if (!ret)
		ret = set_sockets(cli, &a, where.sockets);
	if (!ret)
		ret = dispatch(cli, &a, argc, argv);
	free(a.list);
	free(a.sockets);
	return ret;
}
