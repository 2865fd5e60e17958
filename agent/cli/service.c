// SPDX-License-Identifier: GPL-2.0
/*
 * service.c - the object "service": what clients address
 */
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/paxsteer.h>
#include <sys/random.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "show.h"

static const char usage[] =
	"Usage: paxsteer service add NAME { udp | tcp } ADDR:PORT [mode MODE] [group N] [OPTIONS]\n"
	"       paxsteer service set NAME OPTIONS\n"
	"       paxsteer service del NAME\n"
	"       paxsteer service [show [NAME]]\n"
	"OPTIONS := [fill FILL] [key KEY] [seed HEX32] [rows N] [cap CAP]\n"
	"           [slow-start SECONDS] [bound BOUND] [passive FAILS/SECONDS]\n"
	"group N: a group agrees on it, through its daemon; see agreed\n"
	"FILL := { rendezvous | maglev | redis-slots | jump | ketama | ipvs-mh |\n"
	"          maglev-envoy | maglev-katran | maglev-cilium | sticky }\n"
	"MODE := { nat | local | dsr | tunnel ipip | tunnel gue [tunnel-port PORT] | request }\n"
	"KEY := { source[/PREFIX] | tuple | memcached | dns | redis | http-host | http-path |\n"
	"         quic LEN | payload OFFSET:LEN }\n"
	"ADDR:PORT := 192.0.2.1:53 | [2001:db8::1]:53\n"
	"CAP := thousandths above the fair share (20) or percent (2%)\n"
	"BOUND := 1.01..10, times the fair share of the load, or 0: off\n"
	"FAILS/SECONDS := 3/10: so many failures in so long take a backend out for as long; 0: off\n";

/* "source/PREFIX" */
static int put_prefix(struct args *a, struct nl_msg *msg, const char *prefix)
{
	uint64_t bits;

	if (parse_u64(prefix, 1, 128, &bits))
		return cli_usage_error(a->cli, "key source: \"%s\" is not a prefix of 1..128",
				       prefix);
	nlq_put_u8(msg, PXS_A_SERVICE_KEY, PXS_KEY_SOURCE);
	nlq_put_u8(msg, PXS_A_SERVICE_KEY_PREFIX, (uint8_t)bits);
	return CLI_OK;
}

static int take_span(struct args *a, struct nl_msg *msg)
{
	const char *word = args_next(a, "key payload: OFFSET:LEN");
	uint16_t offset, len;

	if (!word)
		return CLI_USAGE;
	if (parse_span(word, &offset, &len))
		return cli_usage_error(a->cli, "key payload: \"%s\" is not OFFSET:LEN", word);
	nlq_put_u16(msg, PXS_A_SERVICE_KEY_OFFSET, offset);
	nlq_put_u16(msg, PXS_A_SERVICE_KEY_LEN, len);
	return CLI_OK;
}

static int take_id_len(struct args *a, struct nl_msg *msg)
{
	uint64_t len;

	if (args_u64(a, "key quic: LEN", 1, 20, &len))
		return CLI_USAGE;
	nlq_put_u16(msg, PXS_A_SERVICE_KEY_LEN, (uint16_t)len);
	return CLI_OK;
}

static int take_key(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const struct arg rule = { .name = arg->name, .attr = arg->attr, .names = &names_key };
	const char *word = a->argc ? a->argv[0] : "";
	int ret;

	if (!strncmp(word, "source/", 7)) {
		args_next(a, arg->name);
		return put_prefix(a, msg, word + 7);
	}
	ret = args_name(a, msg, &rule);
	if (!ret && !strcmp(word, "payload"))
		ret = take_span(a, msg);
	if (!ret && !strcmp(word, "quic"))
		ret = take_id_len(a, msg);
	return ret;
}

static int take_seed(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const char *word = args_next(a, arg->name);
	uint8_t seed[PXS_SEED_LEN];

	if (!word)
		return CLI_USAGE;
	if (parse_hex(word, seed, sizeof(seed)))
		return cli_usage_error(a->cli, "seed: \"%s\" is not 32 hex digits", word);
	nlq_put(msg, arg->attr, seed, sizeof(seed));
	return CLI_OK;
}

static int take_cap(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const char *word = args_next(a, arg->name);
	uint64_t cap;

	if (!word)
		return CLI_USAGE;
	if (parse_permille(word, &cap))
		return cli_usage_error(a->cli, "cap: \"%s\" is not 0..1000 (thousandths) or %s",
				       word, "0%..100%");
	nlq_put_u16(msg, arg->attr, (uint16_t)cap);
	return CLI_OK;
}

/* "1.25": up to three decimals, as thousandths. */
static int take_bound(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const char *word = args_next(a, arg->name);
	unsigned int milli = 0, digits = 0;
	bool point = false, bad = false;
	const char *c;

	if (!word)
		return CLI_USAGE;
	for (c = word; *c && !bad; c++) {
		if (*c == '.' && !point && c != word) {
			point = true;
			continue;
		}
		bad = *c < '0' || *c > '9' || (point && ++digits > 3) || milli > PXS_BOUND_MAX;
		milli = 10 * milli + (unsigned int)(*c - '0');
	}
	for (; digits < 3; digits++)
		milli *= 10;
	if (bad || c == word || c[-1] == '.' ||
	    (milli && (milli < PXS_BOUND_MIN || milli > PXS_BOUND_MAX)))
		return cli_usage_error(a->cli, "bound: \"%s\" is not 1.01..10 or 0", word);
	nlq_put_u16(msg, arg->attr, (uint16_t)milli);
	return CLI_OK;
}

/* "FAILS/SECONDS", or 0 alone. */
static int take_passive(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	char *word = args_next(a, arg->name), *slash;
	uint64_t fails, seconds = 0;
	bool bad;

	if (!word)
		return CLI_USAGE;
	slash = strchr(word, '/');
	if (slash)
		*slash = '\0';
	bad = parse_u64(word, !!slash, slash ? PXS_PASSIVE_FAILS_MAX : 0, &fails) ||
	      (slash && parse_u64(slash + 1, 1, PXS_PASSIVE_SECONDS_MAX, &seconds));
	if (slash)
		*slash = '/';
	if (bad)
		return cli_usage_error(a->cli, "passive: \"%s\" is not FAILS/SECONDS (1..%d/1..%d) or 0",
				       word, PXS_PASSIVE_FAILS_MAX, PXS_PASSIVE_SECONDS_MAX);
	nlq_put_u16(msg, arg->attr, (uint16_t)fails);
	if (slash)
		nlq_put_u16(msg, PXS_A_SERVICE_PASSIVE_SECONDS, (uint16_t)seconds);
	return CLI_OK;
}

/* Two words, where the first one is "tunnel". */
static int take_mode(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const struct arg tunnel = { .name = "mode tunnel", .attr = arg->attr,
				    .names = &names_tunnel };
	const struct arg mode = { .name = arg->name, .attr = arg->attr, .names = &names_mode };

	if (!a->argc || strcmp(a->argv[0], "tunnel"))
		return args_name(a, msg, &mode);
	args_next(a, arg->name);
	return args_name(a, msg, &tunnel);
}

static int take_tunnel_port(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	uint64_t port;

	if (args_u64(a, arg->name, 1, 65535, &port))
		return CLI_USAGE;
	nlq_put_u16(msg, arg->attr, htons((uint16_t)port));
	return CLI_OK;
}

#define SET_KEYWORDS \
	{ "fill", PXS_A_SERVICE_FILL, .names = &names_fill }, \
	{ "key", PXS_A_SERVICE_KEY, .take = take_key }, \
	{ "seed", PXS_A_SERVICE_SEED, .take = take_seed }, \
	{ "rows", PXS_A_SERVICE_ROWS, .bytes = 4 }, \
	{ "cap", PXS_A_SERVICE_CAP, .take = take_cap }, \
	{ "slow-start", PXS_A_SERVICE_SLOW_START, .bytes = 2, .max = PXS_SLOW_START_MAX }, \
	{ "bound", PXS_A_SERVICE_BOUND, .take = take_bound }, \
	{ "passive", PXS_A_SERVICE_PASSIVE_FAILS, .take = take_passive }

static const struct arg add_keywords[] = {
	{ "mode", PXS_A_SERVICE_MODE, .take = take_mode },
	{ "tunnel-port", PXS_A_SERVICE_TUNNEL_PORT, .take = take_tunnel_port },
	{ "group", PXS_A_SERVICE_GROUP, .bytes = 4, .min = 1, .max = INT32_MAX },
	SET_KEYWORDS,
	{ NULL },
};

static const struct arg set_keywords[] = {
	SET_KEYWORDS,
	{ NULL },
};

/* The kernel draws a seed that is not given, but each director's would draw its own. */
static int seed_for_group(struct cli *cli, struct nl_msg *msg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	uint8_t seed[PXS_SEED_LEN];

	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	if (!tb[PXS_A_SERVICE_GROUP] || tb[PXS_A_SERVICE_SEED])
		return CLI_OK;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		cli_error(cli, "no random numbers for a seed");
		return CLI_NO_KERNEL;
	}
	nlq_put(msg, PXS_A_SERVICE_SEED, seed, sizeof(seed));
	return CLI_OK;
}

static int add(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_ADD);
	struct args a = { cli, argc, argv };
	uint64_t proto;
	char *word;
	int ret;

	ret = args_service(&a, msg, PXS_A_SERVICE_NAME);
	if (ret)
		return args_send(cli, msg, ret);
	word = args_next(&a, "udp or tcp");
	if (!word)
		return args_send(cli, msg, CLI_USAGE);
	if (parse_name(word, names_proto.name, names_proto.n, &proto))
		return args_send(cli, msg, cli_usage_error(cli, "\"%s\" is not udp or tcp", word));
	nlq_put_u8(msg, PXS_A_SERVICE_PROTO, (uint8_t)proto);
	ret = args_endpoint(&a, msg, "ADDR:PORT", PXS_A_SERVICE_ADDR, PXS_A_SERVICE_PORT);
	if (!ret)
		ret = args_keywords(&a, add_keywords, msg);
	if (!ret)
		ret = seed_for_group(cli, msg);
	return args_send(cli, msg, ret);
}

static int set(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_SET);
	struct args a = { cli, argc, argv };
	int ret;

	ret = args_service(&a, msg, PXS_A_SERVICE_NAME);
	if (!ret && !a.argc)
		ret = cli_usage_error(cli, "nothing to set, expected fill, key, seed, rows, cap, %s",
				      "slow-start, bound or passive");
	if (!ret)
		ret = args_keywords(&a, set_keywords, msg);
	return args_send(cli, msg, ret);
}

static int del(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_DEL);
	struct args a = { cli, argc, argv };
	int ret;

	ret = args_service(&a, msg, PXS_A_SERVICE_NAME);
	if (!ret)
		ret = args_end(&a);
	return args_send(cli, msg, ret);
}

void service_key_text(struct nlattr **tb, char *text, size_t len)
{
	unsigned int rule = (unsigned int)nlq_uint(tb[PXS_A_SERVICE_KEY]);
	unsigned int prefix = (unsigned int)nlq_uint(tb[PXS_A_SERVICE_KEY_PREFIX]);
	unsigned int offset = (unsigned int)nlq_uint(tb[PXS_A_SERVICE_KEY_OFFSET]);
	unsigned int bytes = (unsigned int)nlq_uint(tb[PXS_A_SERVICE_KEY_LEN]);
	const char *name = name_of(&names_key, rule);

	if (rule == PXS_KEY_PAYLOAD)
		snprintf(text, len, "%s %u:%u", name, offset, bytes);
	else if (rule == PXS_KEY_QUIC)
		snprintf(text, len, "%s %u", name, bytes);
	else if (prefix)
		snprintf(text, len, "%s/%u", name, prefix);
	else
		snprintf(text, len, "%s", name);
}

/* As `service add` takes it; in JSON each part by itself. */
static void put_key(struct out *o, struct nlattr **tb)
{
	unsigned int rule = (unsigned int)nlq_uint(tb[PXS_A_SERVICE_KEY]);
	char text[64];

	service_key_text(tb, text, sizeof(text));
	out_str(o, "key", NULL, name_of(&names_key, rule));
	out_str(o, NULL, "key", text);
	if (rule == PXS_KEY_PAYLOAD)
		out_num(o, "key_offset", NULL, nlq_uint(tb[PXS_A_SERVICE_KEY_OFFSET]));
	if (tb[PXS_A_SERVICE_KEY_LEN])
		out_num(o, "key_len", NULL, nlq_uint(tb[PXS_A_SERVICE_KEY_LEN]));
	if (nlq_uint(tb[PXS_A_SERVICE_KEY_PREFIX]))
		out_num(o, "key_prefix", NULL, nlq_uint(tb[PXS_A_SERVICE_KEY_PREFIX]));
}

/* The group that agrees on it, and whether it waits until this host has caught up. */
static void put_group(struct out *o, struct nlattr **tb, bool text)
{
	uint64_t group = nlq_uint(tb[PXS_A_SERVICE_GROUP]);

	if (group)
		out_num(o, "group", text ? "group" : NULL, group);
	else
		out_str(o, "group", text ? "group" : NULL, NULL);
	out_num(o, "held", text ? "held" : NULL, nlq_uint(tb[PXS_A_SERVICE_HELD]));
}

static void put_tunnel_port(struct out *o, struct nlattr *port, bool text)
{
	if (port)
		out_num(o, "tunnel_port", text ? "tunnel-port" : NULL,
			ntohs((uint16_t)nlq_uint(port)));
	else
		out_str(o, "tunnel_port", text ? "tunnel-port" : NULL, NULL);
}

void service_put(struct cli *cli, struct nl_msg *msg, enum out_style stats)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct out *o = cli->out;
	struct endpoint ep;
	char seed[2 * PXS_SEED_LEN + 1] = "";
	char passive[32] = "";

	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	if (tb[PXS_A_SERVICE_SEED] && nla_len(tb[PXS_A_SERVICE_SEED]) == PXS_SEED_LEN)
		format_hex(seed, nla_data(tb[PXS_A_SERVICE_SEED]), PXS_SEED_LEN);
	out_str(o, "name", "name", nlq_str(tb[PXS_A_SERVICE_NAME]));
	out_str(o, "proto", "proto",
		name_of(&names_proto, (unsigned int)nlq_uint(tb[PXS_A_SERVICE_PROTO])));
	if (nlq_endpoint(tb[PXS_A_SERVICE_ADDR], tb[PXS_A_SERVICE_PORT], &ep))
		out_endpoint(o, "address", &ep);
	out_str(o, "mode", "mode",
		name_of(&names_mode, (unsigned int)nlq_uint(tb[PXS_A_SERVICE_MODE])));
	put_tunnel_port(o, tb[PXS_A_SERVICE_TUNNEL_PORT], cli->stats);
	put_key(o, tb);
	out_str(o, "fill", "fill",
		name_of(&names_fill, (unsigned int)nlq_uint(tb[PXS_A_SERVICE_FILL])));
	/* As configured: 0 is sized by rule; `table show` has the rows that came of it. */
	out_num(o, "rows", "rows", nlq_uint(tb[PXS_A_SERVICE_ROWS]));
	if (tb[PXS_A_SERVICE_CAP])
		out_num(o, "cap", "cap", nlq_uint(tb[PXS_A_SERVICE_CAP]));
	else
		out_str(o, "cap", "cap", NULL);
	out_num(o, "backends", "backends", nlq_uint(tb[PXS_A_SERVICE_NBACKENDS]));
	out_num(o, "generation", "gen", nlq_uint(tb[PXS_A_SERVICE_GENERATION]));
	if (tb[PXS_A_SERVICE_DIGEST])
		out_hex(o, "digest", "digest", nlq_uint(tb[PXS_A_SERVICE_DIGEST]));
	else
		out_str(o, "digest", "digest", NULL);
	out_str(o, "seed", cli->stats ? "seed" : NULL, seed);
	out_num(o, "slow_start", cli->stats ? "slow-start" : NULL,
		nlq_uint(tb[PXS_A_SERVICE_SLOW_START]));
	if (nlq_uint(tb[PXS_A_SERVICE_BOUND]))
		out_milli(o, "bound", cli->stats ? "bound" : NULL,
			  nlq_uint(tb[PXS_A_SERVICE_BOUND]));
	else
		out_str(o, "bound", cli->stats ? "bound" : NULL, NULL);
	if (nlq_uint(tb[PXS_A_SERVICE_PASSIVE_FAILS]))
		snprintf(passive, sizeof(passive), "%u/%u",
			 (unsigned int)nlq_uint(tb[PXS_A_SERVICE_PASSIVE_FAILS]),
			 (unsigned int)nlq_uint(tb[PXS_A_SERVICE_PASSIVE_SECONDS]));
	out_str(o, "passive", cli->stats ? "passive" : NULL, *passive ? passive : NULL);
	put_group(o, tb, cli->stats);
	if (tb[PXS_A_SERVICE_STATS])
		out_stats(o, "stats", NULL, stats, tb[PXS_A_SERVICE_STATS], &names_steer_stat);
}

static int show_one(struct cli *cli, struct nl_msg *msg, void *arg)
{
	(void)arg;
	out_object(cli->out, NULL, NULL, OUT_ROW);
	service_put(cli, msg, cli->stats ? OUT_DETAIL : OUT_NONE);
	out_close(cli->out);
	return CLI_OK;
}

static int take_service(struct args *a, struct nl_msg *msg)
{
	return args_service(a, msg, PXS_A_SERVICE_NAME);
}

static int show(struct cli *cli, int argc, char **argv)
{
	static const struct show_kind kind = {
		.cmd = PXS_CMD_SERVICE_GET,
		.one = true,
		.style = OUT_TABLE,
		.take_name = take_service,
		.put = show_one,
	};

	return show_run(cli, argc, argv, &kind);
}

int service_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "add", .run = add },
		{ .name = "set", .run = set },
		{ .name = "del", .run = del, .named = true },
		{ .name = "show", .run = show, .named = true },
		{ }
	};

	return cli_dispatch(cli, commands, usage, argc, argv);
}
