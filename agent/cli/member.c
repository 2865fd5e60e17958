// SPDX-License-Identifier: GPL-2.0
/*
 * member.c - `paxsteer member`: who the members of a group are, by its daemons
 *
 * A change is asked for once: whoever wants to try again sees the outcome first.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "cli.h"
#include "out.h"
#include "parse.h"
#include "paxsteer.h"
#include "where.h"
#include "words.h"

#define TIMEOUT_MAX_MS	3600000u

static const char usage[] =
	"Usage: paxsteer member [-S SOCKET[,SOCKET...]] [group N] COMMAND\n"
	"  [show]\n"
	"  add ID ADDR:PORT incarnation HEX [store PORT] [timeout MS]   as a learner: it does not vote\n"
	"  promote ID [force] [timeout MS]                   a learner votes from now on\n"
	"  demote ID [timeout MS]                            a voter becomes a learner\n"
	"  set ID ADDR:PORT incarnation HEX [store PORT] [timeout MS]   another address, or, of a learner, journal\n"
	"  remove ID [timeout MS]\n"
	"  quorum { phase1 N phase2 N | majority } [timeout MS]   how many voters are one\n"
	"ID := 1..63\n"
	"incarnation HEX: of its journal, as `paxsteer journal show` says\n"
	"store PORT: its store listens there, at ADDR\n"
	"phase1 N, phase2 N: to lead, and to accept a value or confirm a read; N + N > voters\n";

struct change_args {
	struct where where;
	uint64_t id, incarnation, timeout, store, phase1, phase2;
	const char *address;
	bool force;
};

static int refused(struct cli *cli, struct pxs_log *log, const struct pxs_log_result *r)
{
	if (r->error == PXS_LOG_UNREACHABLE) {
		cli_error(cli, "%s", pxs_log_detail(log));
		return CLI_NO_KERNEL;
	}
	if (r->error == PXS_LOG_NOT_LEADER && r->leader)
		cli_error(cli, "who was asked does not lead; leader: member %u", r->leader);
	else
		cli_error(cli, "%s", r->words);
	return r->error == PXS_LOG_UNKNOWN ? CLI_NO_KERNEL : CLI_REFUSED;
}

static int change(struct cli *cli, const struct change_args *a, unsigned int what)
{
	const struct pxs_log_member m = {
		.change = what, .id = (unsigned int)a->id, .address = a->address,
		.incarnation = a->incarnation, .store_port = (unsigned int)a->store,
		.phase1 = (unsigned int)a->phase1, .phase2 = (unsigned int)a->phase2,
	};
	struct pxs_log *log = pxs_log_open(a->where.sockets, (unsigned int)a->where.group);
	struct pxs_log_result r;
	int ret = CLI_OK;

	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return CLI_NO_KERNEL;
	}
	pxs_log_set_timeout(log, (unsigned int)a->timeout);
	if (pxs_log_member(log, &m, a->force ? PXS_LOG_FORCE : 0, &r))
		ret = refused(cli, log, &r);
	else if (cli->json)
		printf("{\"group\":%" PRIu64 ",\"epoch\":%" PRIu64 "}\n", a->where.group, r.slot);
	else
		printf("epoch %" PRIu64 "\n", r.slot);
	pxs_log_close(log);
	return ret;
}

/* --- show ----------------------------------------------------------------------- */

static void print_group(json_t *group)
{
	const char *listens = json_string_value(json_object_get(group, "listens"));
	json_t *member;
	size_t i;

	printf("group %" JSON_INTEGER_FORMAT " epoch %" JSON_INTEGER_FORMAT,
	       json_integer_value(json_object_get(group, "group")),
	       json_integer_value(json_object_get(group, "epoch")));
	if (json_is_false(json_object_get(group, "majorities")))
		printf(" phase1 %" JSON_INTEGER_FORMAT " phase2 %" JSON_INTEGER_FORMAT,
		       json_integer_value(json_object_get(group, "phase1")),
		       json_integer_value(json_object_get(group, "phase2")));
	printf("%s\n",
	       json_is_true(json_object_get(group, "removed")) ? " removed" :
	       json_is_true(json_object_get(group, "left_behind")) ? " left behind" :
	       json_is_true(json_object_get(group, "changing")) ? " changing" : "");
	json_array_foreach(json_object_get(group, "members"), i, member) {
		const char *store = json_string_value(json_object_get(member, "store"));

		printf("  member %" JSON_INTEGER_FORMAT " %s %s incarnation %s commit %" JSON_INTEGER_FORMAT "%s%s\n",
		       json_integer_value(json_object_get(member, "id")),
		       json_string_value(json_object_get(member, "role")),
		       json_string_value(json_object_get(member, "address")),
		       json_string_value(json_object_get(member, "incarnation")),
		       json_integer_value(json_object_get(member, "commit")),
		       store ? " store " : "", store ? store : "");
	}
	if (listens)
		printf("  this one listens at %s: its address is not this host's\n", listens);
}

static void print_json(struct cli *cli, json_t *group)
{
	json_t *o = json_pack("{s:O,s:O,s:O*,s:O*,s:O*,s:O,s:O,s:O*,s:O*,s:O}",
			      "group", json_object_get(group, "group"),
			      "epoch", json_object_get(group, "epoch"),
			      "phase1", json_object_get(group, "phase1"),
			      "phase2", json_object_get(group, "phase2"),
			      "majorities", json_object_get(group, "majorities"),
			      "changing", json_object_get(group, "changing"),
			      "removed", json_object_get(group, "removed"),
			      "left_behind", json_object_get(group, "left_behind"),
			      "listens", json_object_get(group, "listens"),
			      "members", json_object_get(group, "members"));

	out_whole(cli->out, o);
	json_decref(o);
}

static int show(struct cli *cli, const struct change_args *a)
{
	struct pxs_log *log = pxs_log_open(a->where.sockets, (unsigned int)a->where.group);
	json_t *status = NULL, *group;
	char *text = NULL;
	int ret = CLI_NO_KERNEL;

	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return CLI_NO_KERNEL;
	}
	if (!pxs_log_status(log, 0, &text))
		status = json_loads(text, 0, NULL);
	group = where_group(&a->where, status);
	if (!status) {
		cli_error(cli, "%s", pxs_log_detail(log));
	} else if (!group || !json_object_get(group, "members")) {
		cli_error(cli, "no such group on this node");
		ret = CLI_REFUSED;
	} else {
		if (cli->json)
			print_json(cli, group);
		else
			print_group(group);
		ret = CLI_OK;
	}
	json_decref(status);
	free(text);
	pxs_log_close(log);
	return ret;
}

/* --- arguments ------------------------------------------------------------------ */

static int take_id(struct cli *cli, struct change_args *a, int *argc, char ***argv)
{
	if (!*argc)
		return cli_usage_error(cli, "ID is missing");
	if (parse_u64((*argv)[0], 1, PXS_MEMBER_ID_MAX, &a->id))
		return cli_usage_error(cli, "ID: \"%s\" is not 1..63", (*argv)[0]);
	--*argc;
	++*argv;
	return CLI_OK;
}

static int take_address(struct cli *cli, struct change_args *a, int *argc, char ***argv)
{
	struct endpoint ep;

	if (!*argc)
		return cli_usage_error(cli, "ADDR:PORT is missing");
	if (parse_endpoint((*argv)[0], true, &ep))
		return cli_usage_error(cli, "\"%s\" is not ADDR:PORT", (*argv)[0]);
	a->address = (*argv)[0];
	--*argc;
	++*argv;
	return CLI_OK;
}

static int run_change(struct cli *cli, struct change_args *a, unsigned int what, int argc,
		      char **argv)
{
	bool there = what == PXS_LOG_MEMBER_ADD || what == PXS_LOG_MEMBER_SET;
	const char *incarnation = NULL;
	const struct word words[] = {
		{ .name = "timeout", .number = &a->timeout, .min = 1, .max = TIMEOUT_MAX_MS },
		/* the others, as far as the command has them */
		{ .name = there ? "incarnation" : what == PXS_LOG_MEMBER_PROMOTE ? "force" : NULL,
		  .text = there ? &incarnation : NULL, .flag = there ? NULL : &a->force },
		{ .name = there ? "store" : NULL, .number = &a->store, .min = 1, .max = 65535 },
		{ }
	};
	int ret = take_id(cli, a, &argc, &argv);

	if (!ret && there)
		ret = take_address(cli, a, &argc, &argv);
	if (!ret)
		ret = words_take(cli, words, argc, argv, NULL);
	if (ret)
		return ret;
	if (there && !incarnation)
		return cli_usage_error(cli, "incarnation is missing");
	if (there && parse_u64(incarnation, 1, UINT64_MAX, &a->incarnation))
		return cli_usage_error(cli, "incarnation: \"%s\" is no number above 0", incarnation);
	return change(cli, a, what);
}

static int run_quorum(struct cli *cli, struct change_args *a, int argc, char **argv)
{
	bool majority = false;
	const struct word words[] = {
		{ .name = "timeout", .number = &a->timeout, .min = 1, .max = TIMEOUT_MAX_MS },
		{ .name = "phase1", .number = &a->phase1, .min = 1, .max = PXS_MEMBERS_MAX },
		{ .name = "phase2", .number = &a->phase2, .min = 1, .max = PXS_MEMBERS_MAX },
		{ .name = "majority", .flag = &majority },
		{ }
	};
	int ret = words_take(cli, words, argc, argv, NULL);

	if (ret)
		return ret;
	if (majority ? a->phase1 || a->phase2 : !a->phase1 || !a->phase2)
		return cli_usage_error(cli, "either phase1 N and phase2 N, or majority");
	return change(cli, a, PXS_LOG_MEMBER_QUORUM);
}

struct member_command {
	const char *name;
	unsigned int what;	/* PXS_LOG_MEMBER_...; 0: nothing is changed */
};

static const char *command_name(const void *table, size_t i)
{
	return ((const struct member_command *)table)[i].name;
}

static int dispatch(struct cli *cli, struct change_args *a, int argc, char **argv)
{
	static const struct member_command commands[] = {
		{ "show", 0 },
		{ "add", PXS_LOG_MEMBER_ADD },
		{ "promote", PXS_LOG_MEMBER_PROMOTE },
		{ "demote", PXS_LOG_MEMBER_DEMOTE },
		{ "set", PXS_LOG_MEMBER_SET },
		{ "remove", PXS_LOG_MEMBER_REMOVE },
		{ "quorum", PXS_LOG_MEMBER_QUORUM },
		{ }
	};
	const char *word = argc ? argv[0] : "show";
	int i;

	if (!strcmp(word, "help")) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	i = cli_find(cli, "command", word, commands, command_name);
	if (i < 0)
		return CLI_USAGE;
	cli->command = commands[i].name;
	argc -= argc > 0;
	argv++;
	if (commands[i].what == PXS_LOG_MEMBER_QUORUM)
		return run_quorum(cli, a, argc, argv);
	if (commands[i].what)
		return run_change(cli, a, commands[i].what, argc, argv);
	return argc ? cli_usage_error(cli, "unexpected \"%s\"", argv[0]) : show(cli, a);
}

int member_run(struct cli *cli, int argc, char **argv)
{
	struct change_args a = { .timeout = 30000 };
	int ret = where_take(cli, &argc, &argv, &a.where);

	return ret ? ret : dispatch(cli, &a, argc, argv);
}
