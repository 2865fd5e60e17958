// SPDX-License-Identifier: GPL-2.0
/*
 * test_show.c - what the kernel answers, as text and JSON
 *
 * Messages are built here as the kernel would, so that the shape of the output is held without
 * a module. JSON keys are an interface: a change here breaks somebody's script.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>

#include <linux/paxsteer.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/nlq.h"
#include "cli/parse.h"
#include "cli/value.h"
#include "unit.h"

/* Of main.c, which has main(): messages are not part of what is tested here. */
void cli_error(struct cli *cli, const char *fmt, ...)
{
	(void)cli;
	(void)fmt;
}

int cli_usage_error(struct cli *cli, const char *fmt, ...)
{
	(void)cli;
	(void)fmt;
	return CLI_USAGE;
}

int cli_dispatch(struct cli *cli, const struct cli_command *commands, const char *usage, int argc,
		 char **argv)
{
	(void)cli;
	(void)commands;
	(void)usage;
	(void)argc;
	(void)argv;
	return CLI_USAGE;
}

static void put_stats(struct nl_msg *msg, int type)
{
	struct nlattr *nest = nlq_nest(msg, type);

	nlq_put_u64(msg, PXS_STEER_STAT_PACKETS, 12);
	nlq_put_u64(msg, PXS_STEER_STAT_BYTES, 1ULL << 40);
	nla_nest_end(msg, nest);
}

static struct nl_msg *service_msg(void)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_GET);
	uint8_t addr[4] = { 192, 0, 2, 1 }, seed[16] = { 1, 2, 3 };

	nlq_put_str(msg, PXS_A_SERVICE_NAME, "web");
	nlq_put_u8(msg, PXS_A_SERVICE_PROTO, IPPROTO_UDP);
	nlq_put(msg, PXS_A_SERVICE_ADDR, addr, 4);
	nlq_put_u16(msg, PXS_A_SERVICE_PORT, htons(11211));
	nlq_put_u8(msg, PXS_A_SERVICE_MODE, PXS_MODE_NAT);
	nlq_put_u8(msg, PXS_A_SERVICE_FILL, PXS_FILL_RENDEZVOUS);
	nlq_put_u8(msg, PXS_A_SERVICE_KEY, PXS_KEY_PAYLOAD);
	nlq_put_u16(msg, PXS_A_SERVICE_KEY_OFFSET, 4);
	nlq_put_u16(msg, PXS_A_SERVICE_KEY_LEN, 8);
	nlq_put(msg, PXS_A_SERVICE_SEED, seed, sizeof(seed));
	nlq_put_u32(msg, PXS_A_SERVICE_ROWS, 4096);
	nlq_put_u16(msg, PXS_A_SERVICE_CAP, 20);
	nlq_put_u64(msg, PXS_A_SERVICE_GENERATION, 3);
	nlq_put_u64(msg, PXS_A_SERVICE_DIGEST, 0x8000000000000001ULL);
	nlq_put_u32(msg, PXS_A_SERVICE_NBACKENDS, 2);
	nlq_put_u16(msg, PXS_A_SERVICE_SLOW_START, 30);
	nlq_put_u16(msg, PXS_A_SERVICE_BOUND, 1250);
	put_stats(msg, PXS_A_SERVICE_STATS);
	return msg;
}

static struct nl_msg *backend_msg(uint8_t health, const char *reason)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_GET);
	uint8_t addr[4] = { 10, 0, 0, 1 };

	nlq_put_str(msg, PXS_A_BACKEND_SERVICE, "web");
	nlq_put(msg, PXS_A_BACKEND_ADDR, addr, 4);
	nlq_put_u16(msg, PXS_A_BACKEND_PORT, htons(80));
	nlq_put_u64(msg, PXS_A_BACKEND_ID, 5);
	nlq_put_u32(msg, PXS_A_BACKEND_WEIGHT, 2);
	nlq_put_u8(msg, PXS_A_BACKEND_STATE, reason ? PXS_BACKEND_DRAIN : PXS_BACKEND_UP);
	nlq_put_u16(msg, PXS_A_BACKEND_INDEX, 3);
	nlq_put_u32(msg, PXS_A_BACKEND_ROWS, 9);
	nlq_put_u32(msg, PXS_A_BACKEND_EFFECTIVE, 1016);
	nlq_put_u32(msg, PXS_A_BACKEND_LOAD, 70);
	nlq_put_u8(msg, PXS_A_BACKEND_FULL, 1);
	put_stats(msg, PXS_A_BACKEND_STATS);
	nlq_put_u8(msg, PXS_A_BACKEND_HEALTH, health);
	if (!reason)
		return msg;
	nlq_put_str(msg, PXS_A_BACKEND_REASON, reason);
	nlq_put_u32(msg, PXS_A_BACKEND_DEADLINE, 30);
	nlq_put_u32(msg, PXS_A_BACKEND_LEFT, 12500);
	return msg;
}

static struct nl_msg *group_msg(void)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_GROUP_GET);
	uint8_t cluster[16] = { 0xab }, addr[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct nlattr *nest;

	nlq_put_u32(msg, PXS_A_GROUP_ID, 7);
	nlq_put(msg, PXS_A_GROUP_CLUSTER, cluster, sizeof(cluster));
	nlq_put_u8(msg, PXS_A_GROUP_KEY_ID, 1);
	nlq_put_u64(msg, PXS_A_GROUP_EPOCH, 1);
	nlq_put_u8(msg, PXS_A_GROUP_SELF, 1);
	nlq_put_u8(msg, PXS_A_GROUP_STATE, PXS_GROUP_FENCED);
	nlq_put_str(msg, PXS_A_GROUP_REASON, "no space left");
	nlq_put_u8(msg, PXS_A_GROUP_ROLE, PXS_ROLE_FOLLOWER);
	nlq_put_u8(msg, PXS_A_GROUP_LEADER, 0);
	nlq_put_u64(msg, PXS_A_GROUP_PROMISED, 5 << 8 | 2);
	nlq_put_u64(msg, PXS_A_GROUP_COMMIT, 41);
	nlq_put_u8(msg, PXS_A_GROUP_DURABILITY, PXS_DURABILITY_DISK);
	nlq_put_u32(msg, PXS_A_GROUP_LEASE_DRIFT, 100);
	nlq_put_u8(msg, PXS_A_GROUP_PHASE1, 3);
	nlq_put_u8(msg, PXS_A_GROUP_PHASE2, 1);
	nest = nlq_nest(msg, PXS_A_GROUP_MEMBER);
	nlq_put_u8(msg, PXS_A_MEMBER_ID, 1);
	nlq_put_u64(msg, PXS_A_MEMBER_INCARNATION, 0x1234);
	nlq_put(msg, PXS_A_MEMBER_ADDR, addr, 16);
	nlq_put_u16(msg, PXS_A_MEMBER_PORT, htons(7000));
	nla_nest_end(msg, nest);
	return msg;
}

struct capture {
	struct cli cli;
	FILE *f;
	char *text;
	size_t len;
};

static void begin(struct capture *c, bool json, bool stats)
{
	memset(c, 0, sizeof(*c));
	c->f = open_memstream(&c->text, &c->len);
	c->cli.out = out_new(c->f, json, false);
	c->cli.stats = stats;
}

static void end(struct capture *c, const char *want)
{
	out_free(c->cli.out);
	fclose(c->f);
	CHECK_STR(c->text, want);
	free(c->text);
}

static void put_service(struct capture *c, enum out_style stats)
{
	struct nl_msg *msg = service_msg();

	out_list(c->cli.out, NULL, OUT_TABLE);
	out_object(c->cli.out, NULL, NULL, OUT_ROW);
	service_put(&c->cli, msg, stats);
	out_close(c->cli.out);
	out_close(c->cli.out);
	nlmsg_free(msg);
}

static void service_text(void)
{
	struct capture c;

	begin(&c, false, false);
	put_service(&c, OUT_NONE);
	end(&c, "NAME  PROTO  ADDRESS          MODE  KEY          FILL        ROWS  CAP  BACKENDS  GEN  DIGEST\n"
		"web   udp    192.0.2.1:11211  nat   payload 4:8  rendezvous  4096   20         2    3  0x8000000000000001\n");
}

static void service_json(void)
{
	struct capture c;

	begin(&c, true, false);
	put_service(&c, OUT_NONE);
	end(&c, "[{\"name\":\"web\",\"proto\":\"udp\",\"addr\":\"192.0.2.1\",\"port\":11211,\"mode\":\"nat\","
		"\"tunnel_port\":null,"
		"\"key\":\"payload\",\"key_offset\":4,\"key_len\":8,\"fill\":\"rendezvous\",\"rows\":4096,"
		"\"cap\":20,\"backends\":2,\"generation\":3,\"digest\":\"0x8000000000000001\","
		"\"seed\":\"01020300000000000000000000000000\",\"slow_start\":30,\"bound\":1.25,"
		"\"passive\":null,"
		"\"group\":null,\"held\":0,\"stats\":{\"packets\":12,"
		"\"bytes\":1099511627776,\"requests\":0,\"replies\":0,\"fallbacks\":0,\"second\":0,"
		"\"no_backend\":0,\"no_socket\":0,\"errors\":0,"
		"\"icmp_requests\":0,\"icmp_replies\":0,\"spilled\":0,\"kept\":0,\"not_kept\":0,"
		"\"too_big\":0,\"no_route\":0,\"clients\":0,\"clients_refused\":0,"
		"\"refused\":0,\"crossed\":0,\"bad_requests\":0,\"connect_failed\":0,\"lost\":0,\"unreachable\":0,\"failed\":0}}]\n");
}

static void service_stats_text(void)
{
	struct capture c;

	begin(&c, false, true);
	put_service(&c, OUT_DETAIL);
	out_free(c.cli.out);
	fclose(c.f);
	CHECK(strstr(c.text, "\n    packets 12 bytes 1099511627776 requests 0 "));
	CHECK(strstr(c.text, "SEED"));
	free(c.text);
}

static void group_text(void)
{
	struct nl_msg *msg = group_msg();
	struct capture c;

	begin(&c, false, false);
	out_list(c.cli.out, NULL, OUT_BLOCKS);
	out_object(c.cli.out, NULL, NULL, OUT_PAIRS);
	group_put(&c.cli, msg, OUT_TABLE, OUT_NONE);
	out_close(c.cli.out);
	out_close(c.cli.out);
	end(&c, "group        7\nstate        fenced\nreason       no space left\n"
		"role         follower\nself         1\n"
		"leader       -\npromised     5.2\ncommit       41\nknown        0\nnext-slot    0\n"
		"trim         0\ntrimmed      0\nheld         0\n"
		"durability   disk\nepoch        1\ncluster      ab000000-0000-0000-0000-000000000000\n"
		"key-id       1\nwindow       0\nheartbeat    0\nelection     0\n"
		"lease-drift  100\nphase1       3\nphase2       1\n"
		"  MEMBER  ADDRESS             INCARNATION         ROLE   COMMIT\n"
		"       1  [2001:db8::1]:7000  0x0000000000001234  voter       0\n");
	nlmsg_free(msg);
}

static void group_json(void)
{
	struct nl_msg *msg = group_msg();
	struct capture c;

	begin(&c, true, false);
	out_object(c.cli.out, NULL, NULL, OUT_LINE);
	group_put(&c.cli, msg, OUT_NONE, OUT_NONE);
	out_close(c.cli.out);
	end(&c, "{\"id\":7,\"state\":\"fenced\",\"reason\":\"no space left\","
		"\"role\":\"follower\",\"self\":1,\"leader\":null,"
		"\"promised\":{\"round\":5,\"member\":2},\"commit\":41,\"known\":0,\"next_slot\":0,"
		"\"trim\":0,\"trimmed\":0,\"held\":0,"
		"\"durability\":\"disk\",\"epoch\":1,"
		"\"cluster\":\"ab000000-0000-0000-0000-000000000000\",\"key_id\":1,"
		"\"also_key_id\":null,\"window\":0,"
		"\"heartbeat_ms\":0,\"election_ms\":0,\"lease_drift\":100,\"phase1\":3,\"phase2\":1,\"members\":[{\"id\":1,"
		"\"addr\":\"2001:db8::1\",\"port\":7000,\"incarnation\":\"0x0000000000001234\","
		"\"role\":\"voter\",\"commit\":0}]}\n");
	nlmsg_free(msg);
}

/* The line of a change: an object inside an object, still one line. */
static void line_text(void)
{
	struct capture c;
	struct out *o;

	begin(&c, false, false);
	o = c.cli.out;
	out_object(o, NULL, NULL, OUT_LINE);
	out_str(o, "event", "", "service-add");
	out_object(o, "service", NULL, OUT_LINE);
	out_str(o, "name", "name", "web");
	out_num(o, "rows", "rows", 2);
	out_close(o);
	out_str(o, "more", "more", "x");
	out_close(o);
	end(&c, "service-add name web rows 2 more x\n");
}

static void numbers_json(void)
{
	struct capture c;
	struct out *o;

	begin(&c, true, false);
	o = c.cli.out;
	out_object(o, NULL, NULL, OUT_PAIRS);
	out_num(o, "max", "max", INT64_MAX);
	out_num(o, "over", "over", UINT64_MAX);
	out_str(o, "bad", "bad", "a\xff" "b");
	out_share(o, "none", "none", 1, 0);
	out_share(o, "half", "half", 1, 2);
	out_close(o);
	end(&c, "{\"max\":9223372036854775807,\"over\":\"18446744073709551615\",\"bad\":\"a?b\","
		"\"none\":0.0,\"half\":0.5}\n");
}

static void put_backends(struct capture *c)
{
	struct nl_msg *good = backend_msg(PXS_HEALTH_GOOD, NULL);
	struct nl_msg *bad = backend_msg(PXS_HEALTH_BAD, "tcp connect: Connection refused");

	out_list(c->cli.out, NULL, OUT_TABLE);
	out_object(c->cli.out, NULL, NULL, OUT_ROW);
	backend_put(&c->cli, good, OUT_NONE);
	out_close(c->cli.out);
	out_object(c->cli.out, NULL, NULL, OUT_ROW);
	backend_put(&c->cli, bad, OUT_NONE);
	out_close(c->cli.out);
	out_close(c->cli.out);
	nlmsg_free(good);
	nlmsg_free(bad);
}

/* A socket has its cookie beside its address; what failed says so. */
static void backend_socket(void)
{
	struct nl_msg *msg = backend_msg(PXS_HEALTH_GOOD, NULL);
	struct capture c;

	nlq_put_u64(msg, PXS_A_BACKEND_SOCKET, UINT64_MAX);
	nlq_put_u8(msg, PXS_A_BACKEND_FAILED, 1);
	begin(&c, false, false);
	out_object(c.cli.out, NULL, NULL, OUT_LINE);
	backend_put(&c.cli, msg, OUT_NONE);
	out_close(c.cli.out);
	end(&c, "service web address 10.0.0.1:80 socket 18446744073709551615 state up health good"
		" weight 2 effective 1.016 load 70 full 1 failed 1 index 3 rows 9"
		" id 0x0000000000000005 left - reason -\n");
	nlmsg_free(msg);
}

/* An operator's state and what checks say stand beside each other. */
static void backend_health(void)
{
	struct capture c;

	begin(&c, false, false);
	put_backends(&c);
	end(&c, "SERVICE  ADDRESS      STATE  HEALTH  WEIGHT  EFFECTIVE  LOAD  FULL  INDEX  ROWS  ID                  LEFT    REASON\n"
		"web      10.0.0.1:80  up     good         2      1.016    70     1      3     9  0x0000000000000005  -       -\n"
		"web      10.0.0.1:80  drain  bad          2      1.016    70     1      3     9  0x0000000000000005"
		"  12.500  tcp connect: Connection refused\n");
	begin(&c, true, false);
	put_backends(&c);
	end(&c, "[{\"service\":\"web\",\"addr\":\"10.0.0.1\",\"port\":80,\"state\":\"up\",\"health\":\"good\","
		"\"weight\":2,\"effective_weight\":1.016,\"load\":70,\"full\":1,\"index\":3,\"rows\":9,"
		"\"id\":\"0x0000000000000005\",\"deadline\":null,\"left\":null,\"reason\":null,"
		"\"stats\":{\"packets\":12,\"bytes\":1099511627776,\"requests\":0,\"replies\":0,"
		"\"fallbacks\":0,\"second\":0,\"no_backend\":0,\"no_socket\":0,\"errors\":0,"
		"\"icmp_requests\":0,\"icmp_replies\":0,\"spilled\":0,\"kept\":0,\"not_kept\":0,"
		"\"too_big\":0,\"no_route\":0,\"clients\":0,\"clients_refused\":0,"
		"\"refused\":0,\"crossed\":0,\"bad_requests\":0,\"connect_failed\":0,\"lost\":0,\"unreachable\":0,\"failed\":0}},"
		"{\"service\":\"web\",\"addr\":\"10.0.0.1\",\"port\":80,\"state\":\"drain\",\"health\":\"bad\","
		"\"weight\":2,\"effective_weight\":1.016,\"load\":70,\"full\":1,\"index\":3,\"rows\":9,\"id\":\"0x0000000000000005\","
		"\"deadline\":30,\"left\":12.5,\"reason\":\"tcp connect: Connection refused\","
		"\"stats\":{\"packets\":12,\"bytes\":1099511627776,\"requests\":0,\"replies\":0,"
		"\"fallbacks\":0,\"second\":0,\"no_backend\":0,\"no_socket\":0,\"errors\":0,"
		"\"icmp_requests\":0,\"icmp_replies\":0,\"spilled\":0,\"kept\":0,\"not_kept\":0,"
		"\"too_big\":0,\"no_route\":0,\"clients\":0,\"clients_refused\":0,"
		"\"refused\":0,\"crossed\":0,\"bad_requests\":0,\"connect_failed\":0,\"lost\":0,\"unreachable\":0,\"failed\":0}}]\n");
}

/* Attributes that are absent, short, or unknown must not be read beyond. */
static void odd_answers(void)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_GET);
	struct capture c;

	nlq_put(msg, PXS_A_SERVICE_NAME, "abc", 3);	/* no NUL */
	nlq_put(msg, PXS_A_SERVICE_ADDR, "abcde", 5);
	nlq_put(msg, PXS_A_SERVICE_PORT, "", 0);
	nlq_put(msg, PXS_A_SERVICE_GENERATION, "abc", 3);
	nlq_put(msg, PXS_A_SERVICE_SEED, "abc", 3);
	nlq_put(msg, PXS_A_SERVICE_STATS, "abc", 3);
	nlq_put_u8(msg, PXS_A_SERVICE_MODE, 250);
	nlq_put_u8(msg, PXS_A_SERVICE_MAX + 5, 1);
	begin(&c, false, false);
	out_list(c.cli.out, NULL, OUT_TABLE);
	out_object(c.cli.out, NULL, NULL, OUT_ROW);
	service_put(&c.cli, msg, OUT_NONE);
	out_close(c.cli.out);
	out_close(c.cli.out);
	end(&c, "NAME  PROTO  MODE  KEY  FILL  ROWS  CAP  BACKENDS  GEN  DIGEST\n"
		"      ?      ?     ?    ?        0  -           0    0  -\n");
	nlmsg_free(msg);
}

/* Values are anybody's bytes: UTF-8 stays, what could move a terminal does not. */
static void values(void)
{
	static const struct {
		const char *bytes, *text;
	} of[] = {
		{ "a b~", "a b~" },
		{ "\n\x1b[2J\x7f\\", "\\x0a\\x1b[2J\\x7f\\x5c" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7" },
		{ "\xc2\xa0", "\xc2\xa0" },
		/* C1 controls, alone and as UTF-8 */
		{ "\x9b" "2J", "\\x9b2J" },
		{ "\xc2\x9b" "2J", "\\xc2\\x9b2J" },
		/* cut short, too long, a surrogate, beyond Unicode, no beginning */
		{ "\xc3", "\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xe2\x82x", "\\xe2\\x82x" },
		{ "\xc1\x9b", "\\xc1\\x9b" },
		{ "\xe0\x82\x9b", "\\xe0\\x82\\x9b" },
		{ "\xf0\x80\x82\x9b", "\\xf0\\x80\\x82\\x9b" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xff\x80", "\\xff\\x80" },
	};
	char *text;
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		text = value_text(of[i].bytes, strlen(of[i].bytes));
		CHECK_FATAL(text);
		CHECK_STR(text, of[i].text);
		free(text);
	}
}

static void half_done(void)
{
	struct capture c;

	begin(&c, false, false);
	out_list(c.cli.out, NULL, OUT_TABLE);
	out_object(c.cli.out, NULL, NULL, OUT_ROW);
	out_str(c.cli.out, "name", "NAME", "web");
	end(&c, "");	/* nothing is shown of a command that failed, and nothing leaks */
}

static void names_are_complete(void)
{
	const struct names *all[] = { &names_mode, &names_fill, &names_key, &names_backend_state,
		&names_health, &names_group_state, &names_role, &names_durability, &names_command };
	uint8_t cmds[] = { PXS_CMD_SERVICE_ADD, PXS_CMD_BACKEND_ADD, PXS_CMD_TABLE_GET,
		PXS_CMD_LOOKUP, PXS_CMD_GROUP_ADD };
	unsigned int last[] = { PXS_A_SERVICE_PAD, PXS_A_BACKEND_PAD, PXS_A_TABLE_PAD,
		PXS_A_LOOKUP_PAD, PXS_A_GROUP_PAD };
	size_t i, v;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (v = 1; v < all[i]->n; v++)
			CHECK(all[i]->name[v]);
	for (i = 0; i < sizeof(cmds); i++)
		for (v = 1; v < last[i]; v++)
			CHECK(name_of_attr(cmds[i], (unsigned int)v, false));
	for (v = 1; v < PXS_STEER_STAT_PAD; v++)
		CHECK(names_steer_stat.name[v]);
	for (v = 1; v < PXS_GROUP_STAT_PAD; v++)
		CHECK(names_group_stat.name[v]);
	for (v = 1; v < PXS_NET_STAT_PAD; v++)
		CHECK(names_net_stat.name[v]);
	CHECK(!name_of_attr(PXS_CMD_SERVICE_ADD, 200, false));
	CHECK_STR(name_of(&names_mode, 200), "?");
}

int main(void)
{
	RUN(service_text);
	RUN(service_json);
	RUN(service_stats_text);
	RUN(group_text);
	RUN(group_json);
	RUN(line_text);
	RUN(numbers_json);
	RUN(backend_health);
	RUN(backend_socket);
	RUN(odd_answers);
	RUN(values);
	RUN(half_done);
	RUN(names_are_complete);
	return unit_done();
}
