// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_command.c - COMMAND: what is in the table of commands
 */
#include "store.h"

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
			pxs_reply_null_array(&r->out);
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

/* COMMAND LIST [FILTERBY PATTERN pattern | MODULE name]; there are no modules. */
static void list_commands(struct pxs_request *r)
{
	bool module = r->argc == 5 && pxs_str_is(r->argv[3], "MODULE");
	bool pattern = r->argc == 5 && pxs_str_is(r->argv[3], "PATTERN");
	const struct pxs_command *cmd;
	u32 i, n = 0;

	if (r->argc > 2 && !(pxs_str_is(r->argv[2], "FILTERBY") && (module || pattern))) {
		pxs_reply_syntax(&r->out);
		return;
	}
	for (i = 0; (cmd = pxs_cmd_at(i)) && !module; i++)
		n += !pattern || pxs_str_match(r->argv[4], pxs_str(cmd->name), true);
	pxs_reply_array(&r->out, n);
	for (i = 0; (cmd = pxs_cmd_at(i)) && !module; i++)
		if (!pattern || pxs_str_match(r->argv[4], pxs_str(cmd->name), true))
			pxs_reply_text(&r->out, cmd->name);
}

static void get_keys(struct pxs_request *r)
{
	const struct pxs_command *cmd = pxs_cmd_find(r->argv[2]);
	int argc = (int)r->argc - 2;
	int last, i;

	if (!cmd) {
		pxs_reply_error(&r->out, "ERR Invalid command specified");
	} else if (!cmd->first) {
		pxs_reply_error(&r->out, "ERR The command has no key arguments");
	} else if (!pxs_cmd_arity_ok(cmd, (u32)argc)) {
		pxs_reply_error(&r->out, "ERR Invalid number of arguments specified for command");
	} else {
		last = cmd->last < 0 ? argc + cmd->last : cmd->last;
		pxs_reply_array(&r->out, (u32)((last - cmd->first) / cmd->step + 1));
		for (i = cmd->first; i <= last; i += cmd->step)
			pxs_reply_str(&r->out, r->argv[2 + i]);
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
	else if (pxs_server_sub(r, "getkeys", -3, &over))
		get_keys(r);
	else if (pxs_server_sub(r, "docs", -2, &over))
		pxs_reply_map(&r->out, 0);	/* clients do without */
	else if (!over)
		pxs_server_unknown_sub(r);
}
