// SPDX-License-Identifier: GPL-2.0
/*
 * group.c - the object "group": replicated logs that this host is a member of
 *
 * The cluster's key is read from a file and never from the command line, where every user of the
 * host could see it; it is wiped from memory once the request holds it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "show.h"

static const char usage[] =
	"Usage: paxsteer group add ID cluster UUID key-file FILE self MEMBER\n"
	"                { member MEMBER ADDR:PORT incarnation HEX [learner] }...\n"
	"                [key-id N] [also-key-file FILE also-key-id N] [epoch N] [window N]\n"
	"                [heartbeat MS] [election MS] [durability { disk | memory }]\n"
	"                [lease-drift PER-MILLE] [phase1 N phase2 N]\n"
	"       paxsteer group set ID key-file FILE key-id N\n"
	"                [also-key-file FILE also-key-id N]\n"
	"       paxsteer group del ID\n"
	"       paxsteer group [show [ID]]\n"
	"ID := 1..2147483647\n"
	"MEMBER := 1..63\n"
	"FILE := the cluster's key: 64 hex digits or 32 bytes\n"
	"key-file signs and is accepted, also-key-file is accepted\n";

static int take_cluster(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const char *word = args_next(a, arg->name);
	uint8_t uuid[PXS_CLUSTER_LEN];

	if (!word)
		return CLI_USAGE;
	if (parse_uuid(word, uuid))
		return cli_usage_error(a->cli, "cluster: \"%s\" is not a UUID", word);
	nlq_put(msg, arg->attr, uuid, sizeof(uuid));
	return CLI_OK;
}

/* Up to len bytes of a file. Return: how many, or -errno. */
static ssize_t read_some(const char *path, uint8_t *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0, n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + got, len - (size_t)got);
		if (n > 0)
			got += n;
	} while ((n > 0 && (size_t)got < len) || (n < 0 && errno == EINTR));
	if (n < 0)
		got = -errno;
	close(fd);
	return got;
}

static int take_key(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const char *path = args_next(a, arg->name);
	uint8_t buf[80], key[PXS_KEY_LEN];
	int ret = CLI_OK;
	ssize_t len;

	if (!path)
		return CLI_USAGE;
	len = read_some(path, buf, sizeof(buf));
	if (len < 0)
		return cli_usage_error(a->cli, "%s: \"%s\": %s", arg->name, path,
				       strerror((int)-len));
	if (parse_key(buf, (size_t)len, key))
		ret = cli_usage_error(a->cli, "%s: \"%s\" is not 64 hex digits or 32 bytes",
				      arg->name, path);
	else
		nlq_put(msg, arg->attr, key, sizeof(key));
	explicit_bzero(buf, sizeof(buf));
	explicit_bzero(key, sizeof(key));
	return ret;
}

/* Attributes of a kind that a request has. */
static unsigned int count(struct nl_msg *msg, int attr)
{
	struct genlmsghdr *g = genlmsg_hdr(nlmsg_hdr(msg));
	struct nlattr *nla;
	unsigned int n = 0;
	int left;

	nla_for_each_attr(nla, genlmsg_attrdata(g, 0), genlmsg_attrlen(g, 0), left)
		n += nla_type(nla) == attr;
	return n;
}

static int take_member(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	struct nlattr *nest;
	const char *word;
	uint64_t val;
	int ret;

	if (count(msg, arg->attr) == PXS_MEMBERS_MAX)
		return cli_usage_error(a->cli, "member: a group has at most %d", PXS_MEMBERS_MAX);
	nest = nlq_nest(msg, arg->attr);
	ret = args_u64(a, "member", 1, PXS_MEMBER_ID_MAX, &val);
	if (ret)
		return ret;
	nlq_put_u8(msg, PXS_A_MEMBER_ID, (uint8_t)val);
	ret = args_endpoint(a, msg, "member: ADDR:PORT", PXS_A_MEMBER_ADDR, PXS_A_MEMBER_PORT);
	if (ret)
		return ret;
	word = args_next(a, "member: incarnation");
	if (!word)
		return CLI_USAGE;
	if (strcmp(word, "incarnation"))
		return cli_usage_error(a->cli, "member: expected incarnation, not \"%s\"", word);
	ret = args_u64(a, "incarnation", 1, UINT64_MAX, &val);
	if (ret)
		return ret;
	nlq_put_u64(msg, PXS_A_MEMBER_INCARNATION, val);
	if (a->argc && !strcmp(a->argv[0], "learner")) {
		args_next(a, "learner");
		nlq_put(msg, PXS_A_MEMBER_LEARNER, NULL, 0);
	}
	nla_nest_end(msg, nest);
	return CLI_OK;
}

static const struct arg add_keywords[] = {
	{ "cluster", PXS_A_GROUP_CLUSTER, .take = take_cluster, .required = true },
	{ "key-file", PXS_A_GROUP_KEY, .take = take_key, .required = true },
	{ "self", PXS_A_GROUP_SELF, .bytes = 1, .min = 1, .max = PXS_MEMBER_ID_MAX,
	  .required = true },
	{ "member", PXS_A_GROUP_MEMBER, .take = take_member, .required = true, .repeat = true },
	{ "key-id", PXS_A_GROUP_KEY_ID, .bytes = 1 },
	{ "also-key-file", PXS_A_GROUP_ALSO_KEY, .take = take_key },
	{ "also-key-id", PXS_A_GROUP_ALSO_KEY_ID, .bytes = 1 },
	{ "epoch", PXS_A_GROUP_EPOCH, .bytes = 8 },
	{ "window", PXS_A_GROUP_WINDOW, .bytes = 4 },
	{ "heartbeat", PXS_A_GROUP_HEARTBEAT_MS, .bytes = 4 },
	{ "election", PXS_A_GROUP_ELECTION_MS, .bytes = 4 },
	{ "durability", PXS_A_GROUP_DURABILITY, .names = &names_durability },
	{ "lease-drift", PXS_A_GROUP_LEASE_DRIFT, .bytes = 4 },
	{ "phase1", PXS_A_GROUP_PHASE1, .bytes = 1 },
	{ "phase2", PXS_A_GROUP_PHASE2, .bytes = 1 },
	{ NULL },
};

static const struct arg set_keywords[] = {
	{ "key-file", PXS_A_GROUP_KEY, .take = take_key, .required = true },
	{ "key-id", PXS_A_GROUP_KEY_ID, .bytes = 1, .required = true },
	{ "also-key-file", PXS_A_GROUP_ALSO_KEY, .take = take_key },
	{ "also-key-id", PXS_A_GROUP_ALSO_KEY_ID, .bytes = 1 },
	{ NULL },
};

static int take_id(struct args *a, struct nl_msg *msg)
{
	uint64_t id;
	int ret = args_u64(a, "ID", 1, INT32_MAX, &id);

	if (!ret)
		nlq_put_u32(msg, PXS_A_GROUP_ID, (uint32_t)id);
	return ret;
}

static int add(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_GROUP_ADD);
	struct args a = { cli, argc, argv };
	int ret = take_id(&a, msg);

	if (!ret)
		ret = args_keywords(&a, add_keywords, msg);
	return args_send(cli, msg, ret);
}

static int set(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_GROUP_SET);
	struct args a = { cli, argc, argv };
	int ret = take_id(&a, msg);

	if (!ret)
		ret = args_keywords(&a, set_keywords, msg);
	return args_send(cli, msg, ret);
}

static int del(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_GROUP_DEL);
	struct args a = { cli, argc, argv };
	int ret = take_id(&a, msg);

	if (!ret)
		ret = args_end(&a);
	return args_send(cli, msg, ret);
}

static void put_members(struct out *o, struct nl_msg *msg, enum out_style style)
{
	struct nlattr *tb[PXS_A_MEMBER_MAX + 1], *a;
	struct endpoint ep;
	int left;

	out_list(o, "members", style);
	nla_for_each_attr(a, genlmsg_attrdata(genlmsg_hdr(nlmsg_hdr(msg)), 0),
			  genlmsg_attrlen(genlmsg_hdr(nlmsg_hdr(msg)), 0), left) {
		if (nla_type(a) != PXS_A_GROUP_MEMBER)
			continue;
		nlq_parse_nest(a, tb, PXS_A_MEMBER_MAX);
		out_object(o, NULL, NULL, OUT_ROW);
		out_num(o, "id", "member", nlq_uint(tb[PXS_A_MEMBER_ID]));
		if (nlq_endpoint(tb[PXS_A_MEMBER_ADDR], tb[PXS_A_MEMBER_PORT], &ep))
			out_endpoint(o, "address", &ep);
		out_hex(o, "incarnation", "incarnation", nlq_uint(tb[PXS_A_MEMBER_INCARNATION]));
		out_str(o, "role", "role", tb[PXS_A_MEMBER_LEARNER] ? "learner" : "voter");
		out_num(o, "commit", "commit", nlq_uint(tb[PXS_A_MEMBER_COMMIT]));
		out_close(o);
	}
	out_close(o);
}

void group_put(struct cli *cli, struct nl_msg *msg, enum out_style members, enum out_style stats)
{
	struct nlattr *tb[PXS_A_GROUP_MAX + 1];
	struct out *o = cli->out;
	char cluster[37] = "";
	uint64_t leader;

	nlq_parse(msg, tb, PXS_A_GROUP_MAX);
	if (tb[PXS_A_GROUP_CLUSTER] && nla_len(tb[PXS_A_GROUP_CLUSTER]) == PXS_CLUSTER_LEN)
		format_uuid(cluster, nla_data(tb[PXS_A_GROUP_CLUSTER]));
	out_num(o, "id", "group", nlq_uint(tb[PXS_A_GROUP_ID]));
	out_str(o, "state", "state",
		name_of(&names_group_state, (unsigned int)nlq_uint(tb[PXS_A_GROUP_STATE])));
	/* Only a group that is fenced or moved has one. */
	if (tb[PXS_A_GROUP_REASON])
		out_str(o, "reason", "reason", nlq_str(tb[PXS_A_GROUP_REASON]));
	else
		out_str(o, "reason", NULL, NULL);
	out_str(o, "role", "role",
		name_of(&names_role, (unsigned int)nlq_uint(tb[PXS_A_GROUP_ROLE])));
	out_num(o, "self", "self", nlq_uint(tb[PXS_A_GROUP_SELF]));
	leader = nlq_uint(tb[PXS_A_GROUP_LEADER]);
	if (leader)
		out_num(o, "leader", "leader", leader);
	else
		out_str(o, "leader", "leader", NULL);
	out_ballot(o, "promised", "promised", nlq_uint(tb[PXS_A_GROUP_PROMISED]));
	out_num(o, "commit", "commit", nlq_uint(tb[PXS_A_GROUP_COMMIT]));
	out_num(o, "known", "known", nlq_uint(tb[PXS_A_GROUP_KNOWN]));
	out_num(o, "next_slot", "next-slot", nlq_uint(tb[PXS_A_GROUP_NEXT_SLOT]));
	out_num(o, "trim", "trim", nlq_uint(tb[PXS_A_GROUP_TRIM]));
	out_num(o, "trimmed", "trimmed", nlq_uint(tb[PXS_A_GROUP_TRIMMED]));
	out_num(o, "held", "held", nlq_uint(tb[PXS_A_GROUP_HELD]));
	out_str(o, "durability", "durability",
		name_of(&names_durability, (unsigned int)nlq_uint(tb[PXS_A_GROUP_DURABILITY])));
	out_num(o, "epoch", "epoch", nlq_uint(tb[PXS_A_GROUP_EPOCH]));
	out_str(o, "cluster", "cluster", cluster);
	out_num(o, "key_id", "key-id", nlq_uint(tb[PXS_A_GROUP_KEY_ID]));
	if (tb[PXS_A_GROUP_ALSO_KEY_ID])
		out_num(o, "also_key_id", "also-key-id", nlq_uint(tb[PXS_A_GROUP_ALSO_KEY_ID]));
	else
		out_str(o, "also_key_id", NULL, NULL);
	out_num(o, "window", "window", nlq_uint(tb[PXS_A_GROUP_WINDOW]));
	out_num(o, "heartbeat_ms", "heartbeat", nlq_uint(tb[PXS_A_GROUP_HEARTBEAT_MS]));
	out_num(o, "election_ms", "election", nlq_uint(tb[PXS_A_GROUP_ELECTION_MS]));
	out_num(o, "lease_drift", "lease-drift", nlq_uint(tb[PXS_A_GROUP_LEASE_DRIFT]));
	out_num(o, "phase1", "phase1", nlq_uint(tb[PXS_A_GROUP_PHASE1]));
	out_num(o, "phase2", "phase2", nlq_uint(tb[PXS_A_GROUP_PHASE2]));
	put_members(o, msg, members);
	if (tb[PXS_A_GROUP_STATS])
		out_stats(o, "stats", "counters", stats, tb[PXS_A_GROUP_STATS], &names_group_stat);
}

static int show_one(struct cli *cli, struct nl_msg *msg, void *arg)
{
	(void)arg;
	out_object(cli->out, NULL, NULL, OUT_PAIRS);
	group_put(cli, msg, OUT_TABLE, cli->stats ? OUT_PAIRS : OUT_NONE);
	out_close(cli->out);
	return CLI_OK;
}

static int show(struct cli *cli, int argc, char **argv)
{
	static const struct show_kind kind = {
		.cmd = PXS_CMD_GROUP_GET,
		.one = true,
		.style = OUT_BLOCKS,
		.take_name = take_id,
		.put = show_one,
	};

	return show_run(cli, argc, argv, &kind);
}

int group_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "add", .run = add },
		{ .name = "set", .run = set },
		{ .name = "del", .run = del },
		{ .name = "show", .run = show },
		{ }
	};

	return cli_dispatch(cli, commands, usage, argc, argv);
}
