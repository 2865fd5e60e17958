// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_paxsteer.c - PAXSTEER: what Redis has no words for
 */
#include "store.h"

#include <stdio.h>

/* The arguments from @i on, as one text. Return: false: too long for one, or it is none. */
static bool join(const struct pxs_request *r, u32 i, char *text, size_t size)
{
	size_t at = 0;

	for (; i < r->argc; i++) {
		if (r->argv[i].len + 2 > size - at)
			return false;
		if (at)
			text[at++] = ' ';
		if (memchr(r->argv[i].data, 0, r->argv[i].len))
			return false;
		memcpy(text + at, r->argv[i].data, r->argv[i].len);
		at += r->argv[i].len;
	}
	text[at] = 0;
	return true;
}

static void consistency(struct pxs_request *r)
{
	struct pxs_read_level eventual = { .kind = PXS_EVENTUAL };
	char text[PXS_LEVEL_TEXT_MAX];
	const char *wrong;

	if (r->argc == 2) {
		pxs_level_format(r->conn->readonly ? &eventual : &r->conn->level, text,
				 sizeof(text));
		pxs_reply_text(&r->out, text);
		return;
	}
	wrong = join(r, 2, text, sizeof(text)) ? pxs_level_parse(text, &r->conn->level) :
						 "is not strong, bounded, session or eventual";
	if (wrong) {
		pxs_reply_error(&r->out, "ERR consistency: %s", wrong);
		return;
	}
	r->conn->readonly = false;
	pxs_reply_status(&r->out, "OK");
}

static void token(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	s64 slot;

	if (r->argc == 2) {
		pxs_reply_int(&r->out, (s64)c->token);
		return;
	}
	if (!pxs_str_int(r->argv[2], &slot) || slot < 0) {
		pxs_reply_not_int(&r->out);
		return;
	}
	c->token = max(c->token, (u64)slot);
	/* A bounded read keeps to a session anyway. */
	if (c->level.kind != PXS_BOUNDED)
		c->level = (struct pxs_read_level){ .kind = PXS_SESSION };
	c->readonly = false;
	pxs_reply_status(&r->out, "OK");
}

static void version(struct pxs_request *r)
{
	const struct pxs_conn *c = r->conn;

	pxs_reply_array(&r->out, 2);
	if (c->version.slot)
		pxs_reply_int(&r->out, (s64)c->version.slot);
	else
		pxs_reply_null(&r->out);
	if (c->version.slot && c->version.age != ~0ull)
		pxs_reply_int(&r->out, (s64)((c->version.age + 999999) / 1000000));
	else
		pxs_reply_null(&r->out);
}

/* Return: false: it is under way, or refused and done. */
static bool session(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;

	if (r->argc > 2 && pxs_str_is(r->argv[2], "run")) {
		pxs_reply_error(&r->out,
				"ERR PAXSTEER SESSION RUN ID NUMBER COMMAND...: ID and NUMBER are from 1 on");
	} else if (r->argc != 3 || !pxs_str_is(r->argv[2], "new")) {
		pxs_reply_error(&r->out, "ERR PAXSTEER SESSION NEW, or RUN ID NUMBER COMMAND...");
	} else if (!s->config->sessions) {
		pxs_reply_error(&r->out, "ERR there are no sessions here: sessions = 0");
	} else if (pxs_session_may_write(r)) {
		pxs_submit(s, r, PXS_STORE_SESSION, NULL, 0);
		return false;
	}
	return true;
}

static void digest(struct pxs_request *r)
{
	struct pxs_db *db = &r->conn->store->db;
	u8 sum[16];
	char text[2 * sizeof(sum) + 1];
	u32 i;

	if (pxs_db_begin(db, false)) {
		pxs_reply_error(&r->out, "ERR the store cannot be read");
		return;
	}
	pxs_db_digest(db, sum);
	for (i = 0; i < sizeof(sum); i++)
		sprintf(text + 2 * i, "%02x", sum[i]);
	pxs_reply_array(&r->out, 2);
	pxs_reply_int(&r->out, (s64)db->state.applied);
	pxs_reply_text(&r->out, text);
	pxs_db_abort(db);
}

bool pxs_server_paxsteer(struct pxs_request *r)
{
	bool over = false;

	if (pxs_server_sub(r, "consistency", -2, &over) && r->argc <= 5) {
		consistency(r);
	} else if (pxs_server_sub(r, "token", -2, &over) && r->argc <= 3) {
		token(r);
	} else if (pxs_server_sub(r, "version", 2, &over)) {
		version(r);
	} else if (pxs_server_sub(r, "digest", 2, &over)) {
		digest(r);
	} else if (pxs_server_sub(r, "checkpoint", 2, &over)) {
		pxs_checkpoint_ask(r->conn->store, r);
		return false;
	} else if (pxs_server_sub(r, "barrier", 2, &over)) {
		if (!pxs_session_may_write(r))
			return true;
		pxs_submit_read(r->conn->store, r);
		return false;
	} else if (pxs_server_sub(r, "session", -2, &over)) {
		return session(r);
	} else if (pxs_server_sub(r, "saga", -2, &over)) {
		pxs_reply_error(&r->out,
				"ERR PAXSTEER SAGA BEGIN, ABORT, DONE, FAIL, RETRY, SKIP, STATUS, HISTORY or LIST");
	} else if (!over) {
		pxs_server_unknown_sub(r);
	} else if (!r->out.errors) {
		pxs_reply_syntax(&r->out);
	}
	return true;
}
