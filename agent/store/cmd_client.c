// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_client.c - CLIENT: who is connected, under which name, and who shall be no longer
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#define LINE_ROOM	1024u	/* of one client in CLIENT LIST */

/* --- names --------------------------------------------------------------------- */

bool pxs_client_name_holds(struct pxs_request *r, struct pxs_str name)
{
	u32 i;

	for (i = 0; i < name.len && name.data[i] >= '!' && name.data[i] <= '~'; i++)
		;
	if (i == name.len && name.len <= PXS_CONN_NAME_MAX)
		return true;
	pxs_reply_error(&r->out,
			"ERR Client names cannot contain spaces, newlines or special characters.");
	return false;
}

void pxs_client_set_name(struct pxs_conn *c, struct pxs_str name)
{
	free(c->name);
	c->name = name.len ? strndup((const char *)name.data, name.len) : NULL;
}

static void get_name(struct pxs_request *r)
{
	if (r->conn->name)
		pxs_reply_text(&r->out, r->conn->name);
	else
		pxs_reply_null(&r->out);
}

static void set_name(struct pxs_request *r)
{
	if (!pxs_client_name_holds(r, r->argv[2]))
		return;
	pxs_client_set_name(r->conn, r->argv[2]);
	pxs_reply_status(&r->out, "OK");
}

/* --- CLIENT LIST, CLIENT INFO ----------------------------------------------------- */

static void local_address(const struct pxs_conn *c, char *text, size_t size)
{
	struct pxs_address at = { .len = sizeof(at.storage) };

	if (getsockname(c->fd, &at.sa, &at.len))
		snprintf(text, size, "?:0");
	else
		pxs_address_format(&at, text, size);
}

/* In the words of Redis 7.0; what this server has no like of is 0. */
static u32 describe(const struct pxs_conn *c, char *to)
{
	u64 now = c->store->node->loop.now;
	char laddr[64], multi[16] = "-1", flags[4];
	u32 n = 0;

	local_address(c, laddr, sizeof(laddr));
	if (c->multi) {
		sprintf(multi, "%u", c->queued_count);
		flags[n++] = 'x';
	}
	if (c->closing)
		flags[n++] = 'c';
	if (c->readonly)
		flags[n++] = 'r';
	if (!n)
		flags[n++] = 'N';
	flags[n] = 0;
	n = (u32)snprintf(to, LINE_ROOM,
			  "id=%" PRIu64 " addr=%s laddr=%s fd=%d name=%s age=%" PRIu64 " idle=%" PRIu64,
			  c->id, c->peer, laddr, c->fd, c->name ? c->name : "",
			  (now - c->since) / 1000, (now - c->active) / 1000);
	n += (u32)snprintf(to + n, LINE_ROOM - n,
			   " flags=%s db=0 sub=0 psub=0 ssub=0 multi=%s qbuf=%u qbuf-free=%u argv-mem=0",
			   flags, multi, c->reader.len, c->reader.room - c->reader.len);
	n += (u32)snprintf(to + n, LINE_ROOM - n,
			   " multi-mem=%" PRIu64 " rbs=0 rbp=0 obl=%u oll=0 omem=%" PRIu64,
			   c->queued_bytes, c->out.len, c->held);
	n += (u32)snprintf(to + n, LINE_ROOM - n,
			   " tot-mem=%" PRIu64 " events=r cmd=%s%s%s user=default redir=-1 resp=%u\n",
			   c->memory, c->last_command, c->last_word[0] ? "|" : "", c->last_word,
			   c->proto);
	return n;
}

/* CLIENT LIST [TYPE normal] [ID id...]: @r's words from the third on choose. */
static bool chosen(const struct pxs_request *r, const struct pxs_conn *c)
{
	s64 id;
	u32 i;

	if (c->dead)
		return false;
	if (r->argc == 2 || pxs_str_is(r->argv[2], "TYPE"))
		return r->argc == 2 || pxs_str_is(r->argv[3], "normal");
	for (i = 3; i < r->argc; i++)
		if (pxs_str_int(r->argv[i], &id) && (u64)id == c->id)
			return true;
	return false;
}

static bool is_type(struct pxs_str s)
{
	return pxs_str_is(s, "normal") || pxs_str_is(s, "master") || pxs_str_is(s, "slave") ||
	       pxs_str_is(s, "replica") || pxs_str_is(s, "pubsub");
}

static bool list_holds(struct pxs_request *r)
{
	s64 id;
	u32 i;

	if (r->argc == 2)
		return true;
	if (r->argc == 4 && pxs_str_is(r->argv[2], "TYPE")) {
		if (is_type(r->argv[3]))
			return true;
		pxs_reply_error(&r->out, "ERR Unknown client type '%.*s'",
				(int)min(r->argv[3].len, 64u), (const char *)r->argv[3].data);
		return false;
	}
	if (r->argc == 3 || !pxs_str_is(r->argv[2], "ID")) {
		pxs_reply_syntax(&r->out);
		return false;
	}
	for (i = 3; i < r->argc; i++) {
		if (pxs_str_int(r->argv[i], &id))
			continue;
		pxs_reply_error(&r->out, "ERR Invalid client ID");
		return false;
	}
	return true;
}

/* The newest stands first in the list, and last in what Redis shows: filled from the end on. */
static void list(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;
	size_t room = (size_t)s->nconns * LINE_ROOM, at = room;
	const struct pxs_conn *c;
	char line[LINE_ROOM];
	char *text;
	u32 len;

	if (!list_holds(r))
		return;
	text = malloc(room);
	if (!text) {
		pxs_reply_error(&r->out, "ERR no memory");
		return;
	}
	for (c = s->conns; c; c = c->next) {
		if (!chosen(r, c))
			continue;
		len = describe(c, line);
		at -= len;
		memcpy(text + at, line, len);
	}
	pxs_reply_verbatim(&r->out, text + at, (u32)(room - at));
	free(text);
}

static void info(struct pxs_request *r)
{
	char text[LINE_ROOM];

	pxs_reply_verbatim(&r->out, text, describe(r->conn, text));
}

/* --- CLIENT KILL ------------------------------------------------------------------ */

/* Whom to kill; what was not given is NULL or 0. */
struct filter {
	s64 id;
	struct pxs_str addr;
	struct pxs_str laddr;
	bool other_type;	/* TYPE of which there are none here */
	bool skip_me;
};

static bool parse_type(struct pxs_request *r, struct pxs_str value, struct filter *f)
{
	f->other_type = !pxs_str_is(value, "normal");
	if (is_type(value))
		return true;
	pxs_reply_error(&r->out, "ERR Unknown client type '%.*s'",
			(int)min(value.len, 64u), (const char *)value.data);
	return false;
}

static bool parse_pair(struct pxs_request *r, struct pxs_str word, struct pxs_str value,
		       struct filter *f)
{
	bool holds = true;

	if (pxs_str_is(word, "TYPE"))
		return parse_type(r, value, f);
	if (pxs_str_is(word, "ADDR"))
		f->addr = value;
	else if (pxs_str_is(word, "LADDR"))
		f->laddr = value;
	else if (pxs_str_is(word, "SKIPME") && pxs_str_is(value, "yes"))
		f->skip_me = true;
	else if (pxs_str_is(word, "SKIPME") && pxs_str_is(value, "no"))
		f->skip_me = false;
	else if (pxs_str_is(word, "ID"))
		holds = pxs_str_int(value, &f->id) && f->id > 0;
	else if (pxs_str_is(word, "USER"))
		holds = pxs_str_equal(value, pxs_str("default"));
	else
		holds = false;
	if (holds)
		return true;
	if (pxs_str_is(word, "ID"))
		pxs_reply_error(&r->out, "ERR client-id should be greater than 0");
	else if (pxs_str_is(word, "USER"))
		pxs_reply_error(&r->out, "ERR No such user '%.*s'",
				(int)min(value.len, 64u), (const char *)value.data);
	else
		pxs_reply_syntax(&r->out);
	return false;
}

static bool matches(const struct filter *f, const struct pxs_conn *c)
{
	char laddr[64];

	if (c->dead || f->other_type || (f->id && (u64)f->id != c->id))
		return false;
	if (f->addr.data && !pxs_str_equal(f->addr, pxs_str(c->peer)))
		return false;
	local_address(c, laddr, sizeof(laddr));
	return !f->laddr.data || pxs_str_equal(f->laddr, pxs_str(laddr));
}

static s64 kill_these(struct pxs_conn *me, const struct filter *f)
{
	struct pxs_conn *c;
	s64 n = 0;

	for (c = me->store->conns; c; c = c->next) {
		if (!matches(f, c) || (c == me && f->skip_me))
			continue;
		n++;
		if (c == me)
			c->closing = true;	/* after the answer */
		else
			pxs_conn_kill(c);
	}
	return n;
}

/* CLIENT KILL address:port, or pairs of words. */
static void kill_clients(struct pxs_request *r)
{
	struct filter f = { .skip_me = r->argc > 3 };
	u32 i;

	if (r->argc == 3) {
		f.addr = r->argv[2];
		if (kill_these(r->conn, &f))
			pxs_reply_status(&r->out, "OK");
		else
			pxs_reply_error(&r->out, "ERR No such client");
		return;
	}
	for (i = 2; i + 1 < r->argc; i += 2)
		if (!parse_pair(r, r->argv[i], r->argv[i + 1], &f))
			return;
	if (i < r->argc) {
		pxs_reply_syntax(&r->out);
		return;
	}
	pxs_reply_int(&r->out, kill_these(r->conn, &f));
}

/* --- CLIENT REPLY ----------------------------------------------------------------- */

/* What it says holds from the next request on, and for its own answer. */
static void reply(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;

	if (r->queued) {
		/* An array would lack an answer. */
		pxs_reply_error(&r->out, "ERR Command not allowed inside a transaction");
	} else if (pxs_str_is(r->argv[2], "ON")) {
		c->mute = false;
		r->loud = true;
		pxs_reply_status(&r->out, "OK");
	} else if (pxs_str_is(r->argv[2], "OFF")) {
		c->mute = true;
	} else if (pxs_str_is(r->argv[2], "SKIP")) {
		c->skip = true;
		r->mute = true;
	} else {
		pxs_reply_syntax(&r->out);
	}
}

void pxs_server_client(struct pxs_request *r)
{
	bool over = false;

	if (pxs_server_sub(r, "id", 2, &over))
		pxs_reply_int(&r->out, (s64)r->conn->id);
	else if (pxs_server_sub(r, "getname", 2, &over))
		get_name(r);
	else if (pxs_server_sub(r, "setname", 3, &over))
		set_name(r);
	else if (pxs_server_sub(r, "setinfo", 4, &over))
		pxs_reply_status(&r->out, "OK");	/* of 7.2; clients send it unasked */
	else if (pxs_server_sub(r, "list", -2, &over))
		list(r);
	else if (pxs_server_sub(r, "info", 2, &over))
		info(r);
	else if (pxs_server_sub(r, "kill", -3, &over))
		kill_clients(r);
	else if (pxs_server_sub(r, "reply", 3, &over))
		reply(r);
	else if (pxs_server_sub(r, "getredir", 2, &over))
		pxs_reply_int(&r->out, -1);	/* nobody tracks keys */
	else if (!over)
		pxs_server_unknown_sub(r);
}
