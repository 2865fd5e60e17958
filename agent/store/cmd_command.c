// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_command.c - COMMAND: what is in the table of commands
 */
#include "store.h"

#include <stdio.h>

static void describe(struct pxs_reply *o, const struct pxs_command *cmd)
{
	static const struct {
		u32 flag;
		const char *word;
	} flags[] = {
		{ PXS_CF_WRITE, "write" }, { PXS_CF_READ, "readonly" }, { PXS_CF_GROWS, "denyoom" },
		{ PXS_CF_FAST, "fast" }, { PXS_CF_NOAUTH, "no_auth" }, { PXS_CF_STALE, "stale" },
	};
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		n += !!(cmd->flags & flags[i].flag);
	pxs_reply_array(o, 6);
	pxs_reply_text(o, cmd->name);
	pxs_reply_int(o, cmd->arity);
	pxs_reply_set(o, n);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (cmd->flags & flags[i].flag)
			pxs_reply_status(o, flags[i].word);
	pxs_reply_int(o, cmd->first);
	pxs_reply_int(o, cmd->last);
	pxs_reply_int(o, cmd->step);
}

static void describe_these(struct pxs_request *r)
{
	const struct pxs_command *cmd;
	u32 i;

	pxs_reply_array(&r->out, r->argc - 2);
	for (i = 2; i < r->argc; i++) {
		cmd = pxs_cmd_find(r->argv[i]);
		if (cmd)
			describe(&r->out, cmd);
		else
			pxs_reply_null(&r->out);
	}
}

static void describe_all(struct pxs_request *r)
{
	const struct pxs_command *cmd;
	u32 i;

	pxs_reply_array(&r->out, pxs_cmd_count());
	for (i = 0; (cmd = pxs_cmd_at(i)); i++)
		describe(&r->out, cmd);
}

/* Is it of this category of Redis's access lists? Those that follow from its flags are known. */
static bool is_of(const struct pxs_command *cmd, struct pxs_str category)
{
	bool fast = cmd->flags & PXS_CF_FAST;

	return (cmd->flags & PXS_CF_READ && pxs_str_is(category, "read")) ||
	       (cmd->flags & PXS_CF_WRITE && pxs_str_is(category, "write")) ||
	       pxs_str_is(category, fast ? "fast" : "slow");
}

/* COMMAND LIST [FILTERBY ACLCAT category | MODULE name | PATTERN pattern]; there are no modules. */
struct listing {
	const struct pxs_request *r;
	const struct pxs_command *cmd;
	struct pxs_reply *out;		/* NULL: they are only counted */
	u32 n;
};

static bool is_listed(const struct pxs_request *r, const struct pxs_command *cmd, const char *name)
{
	if (r->argc == 2)
		return true;
	if (pxs_str_is(r->argv[3], "ACLCAT"))
		return is_of(cmd, r->argv[4]);
	return pxs_str_is(r->argv[3], "PATTERN") &&
	       pxs_str_match(r->argv[4], pxs_str(name), true);
}

static void list_one(void *ctx, const char *name)
{
	struct listing *l = ctx;

	if (!is_listed(l->r, l->cmd, name))
		return;
	l->n++;
	if (l->out)
		pxs_reply_text(l->out, name);
}

static u32 list_into(const struct pxs_request *r, struct pxs_reply *out)
{
	struct listing l = { .r = r, .out = out };
	u32 i;

	for (i = 0; (l.cmd = pxs_cmd_at(i)); i++) {
		list_one(&l, l.cmd->name);
		pxs_cmd_subs(l.cmd, list_one, &l);
	}
	return l.n;
}

static void list_commands(struct pxs_request *r)
{
	if (r->argc > 2 && !(r->argc == 5 && pxs_str_is(r->argv[2], "FILTERBY") &&
			     (pxs_str_is(r->argv[3], "ACLCAT") || pxs_str_is(r->argv[3], "MODULE") ||
			      pxs_str_is(r->argv[3], "PATTERN")))) {
		pxs_reply_syntax(&r->out);
		return;
	}
	pxs_reply_array(&r->out, list_into(r, NULL));
	list_into(r, &r->out);
}

/* --- keys of a command ------------------------------------------------------------ */

/* What a command does to its keys, in Redis's words: one line a kind, names between blanks. */
static const struct {
	const char *flags;
	const char *names;
} uses[] = {
	{ "RO", " exists hexists hlen hstrlen memory object strlen touch type watch " },
	{ "RO access", " expiretime get getrange hget hgetall hkeys hmget hrandfield hscan hvals mget pexpiretime pttl substr ttl " },
	{ "RW insert", " append hsetnx " },
	{ "RW access update", " decr decrby getex getset hincrby hincrbyfloat incr incrby incrbyfloat " },
	{ "RW update", " expire expireat hmset hset persist pexpire pexpireat setrange " },
	{ "RW access delete", " getdel rename renamenx " },
	{ "RW delete", " hdel " },
	{ "RM delete", " del unlink " },
	{ "OW update", " mset psetex set setex " },
	{ "OW insert", " msetnx setnx " },
};

/* Of the key at argument @i. */
static const char *use_of(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv,
			  u32 i)
{
	char name[32];
	u32 k;

	if (i == 2 && cmd->run == pxs_cmd_rename)
		return "OW update";
	if (i == 2 && cmd->run == pxs_cmd_renamenx)
		return "OW insert";
	for (k = 3; cmd->run == pxs_cmd_set && k < argc; k++)
		if (pxs_str_is(argv[k], "GET"))
			return "RW access update";
	snprintf(name, sizeof(name), " %s ", cmd->name);
	for (k = 0; k < ARRAY_SIZE(uses) && !strstr(uses[k].names, name); k++)
		;
	pxs_assert(k < ARRAY_SIZE(uses));
	return uses[k].flags;
}

static void answer_use(struct pxs_reply *o, const char *flags)
{
	char text[32], *rest = text, *word;
	u32 i, n = 1;

	for (i = 0; flags[i]; i++)
		n += flags[i] == ' ';
	pxs_reply_set(o, n);
	strcpy(text, flags);
	while ((word = strsep(&rest, " ")))
		pxs_reply_status(o, word);
}

/* MEMORY USAGE does, and MEMORY HELP does not. */
static bool takes_key(const struct pxs_command *cmd, struct pxs_str word)
{
	return cmd->first != 2 || !pxs_str_is(word, "HELP");
}

/* COMMAND GETKEYS, or with @flags GETKEYSANDFLAGS. */
static void get_keys(struct pxs_request *r, bool flags)
{
	const struct pxs_command *cmd = pxs_cmd_find(r->argv[2]);
	const struct pxs_str *argv = r->argv + 2;
	u32 argc = r->argc - 2;
	u32 i = 0, n = 0;

	if (!cmd || !pxs_cmd_has_sub(cmd, argv[1])) {
		pxs_reply_error(&r->out, "ERR Invalid command specified");
	} else if (!cmd->first || !takes_key(cmd, argv[1])) {
		pxs_reply_error(&r->out, "ERR The command has no key arguments");
	} else if (!pxs_cmd_arity_ok(cmd, argc) || !pxs_cmd_next_key(cmd, argc, 0)) {
		pxs_reply_error(&r->out, "ERR Invalid number of arguments specified for command");
	} else {
		while ((i = pxs_cmd_next_key(cmd, argc, i)))
			n++;
		pxs_reply_array(&r->out, n);
		while ((i = pxs_cmd_next_key(cmd, argc, i))) {
			if (flags)
				pxs_reply_array(&r->out, 2);
			pxs_reply_str(&r->out, argv[i]);
			if (flags)
				answer_use(&r->out, use_of(cmd, argc, argv, i));
		}
	}
}

void pxs_server_command(struct pxs_request *r)
{
	bool over = false;

	if (r->argc == 1)
		describe_all(r);
	else if (pxs_server_sub(r, "count", 2, &over))
		pxs_reply_int(&r->out, pxs_cmd_count());
	else if (pxs_server_sub(r, "info", -2, &over) && r->argc > 2)
		describe_these(r);
	else if (over && pxs_str_is(r->argv[1], "info"))
		describe_all(r);
	else if (pxs_server_sub(r, "list", -2, &over))
		list_commands(r);
	else if (pxs_server_sub(r, "getkeys", -4, &over))
		get_keys(r, false);
	else if (pxs_server_sub(r, "getkeysandflags", -4, &over))
		get_keys(r, true);
	else if (pxs_server_sub(r, "docs", -2, &over))
		pxs_reply_map(&r->out, 0);	/* clients do without */
	else if (!over)
		pxs_server_unknown_sub(r);
}
