// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_command.c - COMMAND: what is in the table of commands
 */
#include "store.h"

#include "cmd_describe.h"

/* Of those that are named, or all, where none is. */
static void describe_these(struct pxs_request *r)
{
	struct pxs_told t;
	u32 i;

	pxs_reply_array(&r->out, r->argc - 2);
	for (i = 2; i < r->argc; i++)
		if (pxs_told_find(&t, r->argv[i]))
			pxs_told_info(&t, &r->out);
		else
			pxs_reply_null(&r->out);
}

static void describe_all(struct pxs_request *r, void (*tell)(const struct pxs_told *t,
							     struct pxs_reply *o))
{
	const struct pxs_command *cmd;
	struct pxs_told t;
	u32 i;

	for (i = 0; (cmd = pxs_cmd_at(i)); i++) {
		pxs_assert(pxs_told_find(&t, pxs_str(cmd->name)));
		tell(&t, &r->out);
	}
}

/* What is not there is left out. */
static void document_these(struct pxs_request *r)
{
	struct pxs_told t;
	u32 i, n = 0;

	for (i = 2; i < r->argc; i++)
		n += pxs_told_find(&t, r->argv[i]);
	pxs_reply_map(&r->out, r->argc > 2 ? n : pxs_cmd_count());
	if (r->argc == 2)
		describe_all(r, pxs_told_docs);
	for (i = 2; i < r->argc; i++)
		if (pxs_told_find(&t, r->argv[i]))
			pxs_told_docs(&t, &r->out);
}

/* COMMAND LIST [FILTERBY ACLCAT category | MODULE name | PATTERN pattern]; there are no modules. */
struct listing {
	const struct pxs_request *r;
	struct pxs_reply *out;		/* NULL: they are only counted */
	u32 n;
};

static bool is_listed(const struct pxs_request *r, const char *name)
{
	struct pxs_told t;

	if (r->argc == 2)
		return true;
	if (pxs_str_is(r->argv[3], "ACLCAT"))
		return pxs_told_find(&t, pxs_str(name)) && pxs_told_is_of(&t, r->argv[4]);
	return pxs_str_is(r->argv[3], "PATTERN") &&
	       pxs_str_match(r->argv[4], pxs_str(name), true);
}

static void list_one(void *ctx, const char *name)
{
	struct listing *l = ctx;

	if (!is_listed(l->r, name))
		return;
	l->n++;
	if (l->out)
		pxs_reply_text(l->out, name);
}

static u32 list_into(const struct pxs_request *r, struct pxs_reply *out)
{
	struct listing l = { .r = r, .out = out };
	const struct pxs_command *cmd;
	u32 i;

	for (i = 0; (cmd = pxs_cmd_at(i)); i++) {
		list_one(&l, cmd->name);
		pxs_cmd_subs(cmd, list_one, &l);
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
				pxs_reply_words(&r->out,
						pxs_command_use(cmd, argc, argv, i));
		}
	}
}

void pxs_server_command(struct pxs_request *r)
{
	bool over = false;

	if (r->argc == 1 || (r->argc == 2 && pxs_str_is(r->argv[1], "info"))) {
		pxs_reply_array(&r->out, pxs_cmd_count());
		describe_all(r, pxs_told_info);
		return;
	}
	if (pxs_server_sub(r, "count", 2, &over))
		pxs_reply_int(&r->out, pxs_cmd_count());
	else if (pxs_server_sub(r, "info", -2, &over))
		describe_these(r);
	else if (pxs_server_sub(r, "list", -2, &over))
		list_commands(r);
	else if (pxs_server_sub(r, "getkeys", -4, &over))
		get_keys(r, false);
	else if (pxs_server_sub(r, "getkeysandflags", -4, &over))
		get_keys(r, true);
	else if (pxs_server_sub(r, "docs", -2, &over))
		document_these(r);
	else if (!over)
		pxs_server_unknown_sub(r);
}
