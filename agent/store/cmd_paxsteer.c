// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_paxsteer.c - PAXSTEER: what Redis has no words for
 */
#include "store.h"

#include <stdio.h>

#include "mandate.h"

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

/* Of several groups: "GROUP:SLOT,GROUP:SLOT", those of which nothing was seen left out. */
static void show_token(struct pxs_request *r)
{
	const struct pxs_conn *c = r->conn;
	const struct pxs_set *set = c->store->set;
	char text[PXS_SHARDS_MAX * 32] = "";
	u32 i, len = 0;

	if (!set) {
		pxs_reply_int(&r->out, (s64)c->token[0]);
		return;
	}
	for (i = 0; i < set->map.n; i++)
		if (c->token[i])
			len += (u32)sprintf(text + len, "%s%u:%llu", len ? "," : "",
					    set->map.group[i], (unsigned long long)c->token[i]);
	pxs_reply_text(&r->out, text);
}

/* One GROUP:SLOT of them, in front of *@text, which goes behind it. */
static bool take_slot(const struct pxs_set *set, const char **text, u64 *token)
{
	unsigned long long group, slot;
	int i, used = 0;

	if (**text < '0' || **text > '9' ||
	    sscanf(*text, "%10llu:%19llu%n", &group, &slot, &used) != 2 || !used ||
	    slot > INT64_MAX || group > INT32_MAX)
		return false;
	i = pxs_shards_index(&set->map, (u32)group);
	if (i < 0)
		return false;
	token[i] = max(token[i], (u64)slot);
	*text += used;
	return !**text || (*(*text)++ == ',' && **text);
}

static bool take_token(struct pxs_request *r)
{
	const struct pxs_set *set = r->conn->store->set;
	u64 token[PXS_SHARDS_MAX];
	char text[PXS_SHARDS_MAX * 32];
	const char *at = text;
	bool good;
	s64 slot;

	memcpy(token, r->conn->token, sizeof(token));
	if (!set) {
		if (!pxs_str_int(r->argv[2], &slot) || slot < 0) {
			pxs_reply_not_int(&r->out);
			return false;
		}
		token[0] = max(token[0], (u64)slot);
	} else {
		if (!join(r, 2, text, sizeof(text)))
			*text = 'x';
		do
			good = take_slot(set, &at, token);
		while (good && *at);
		if (!good) {
			pxs_reply_error(&r->out, "ERR a token of this store is GROUP:SLOT,GROUP:SLOT...");
			return false;
		}
	}
	memcpy(r->conn->token, token, sizeof(token));
	return true;
}

static void token(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;

	if (r->argc == 2) {
		show_token(r);
		return;
	}
	if (!take_token(r))
		return;
	/* A bounded read keeps to a session anyway. */
	if (c->level.kind != PXS_BOUNDED)
		c->level = (struct pxs_read_level){ .kind = PXS_SESSION };
	c->readonly = false;
	pxs_reply_status(&r->out, "OK");
}

static void version(struct pxs_request *r)
{
	const struct pxs_conn *c = r->conn;
	char text[PXS_STAMP_TEXT];

	pxs_reply_array(&r->out, c->store->set ? 3 : 2);
	pxs_stamp_format(&c->version.stamp, text);
	if (c->version.slot)
		pxs_reply_int(&r->out, (s64)c->version.slot);
	else if (c->version.stamp.time)
		pxs_reply_text(&r->out, text);
	else
		pxs_reply_null(&r->out);
	if (c->version.slot && c->version.age != ~0ull)
		pxs_reply_int(&r->out, (s64)((c->version.age + 999999) / 1000000));
	else
		pxs_reply_null(&r->out);
	if (c->store->set && c->version.slot)
		pxs_reply_int(&r->out, c->version.group);
	else if (c->store->set)
		pxs_reply_null(&r->out);
}

/* Return: false: it is under way, or refused and done. */
static bool session(struct pxs_request *r)
{
	struct pxs_store *s = r->store;
	u32 most = s->set ? 4 : 3;	/* with a key, whose group it is for */

	if (r->argc > 2 && pxs_str_is(r->argv[2], "run")) {
		pxs_reply_error(&r->out,
				"ERR PAXSTEER SESSION RUN ID NUMBER COMMAND...: ID and NUMBER are from 1 on");
	} else if (r->argc < 3 || r->argc > most || !pxs_str_is(r->argv[2], "new")) {
		pxs_reply_error(&r->out, "ERR PAXSTEER SESSION NEW%s, or RUN ID NUMBER COMMAND...",
				s->set ? " [KEY]" : "");
	} else if (!s->config->sessions) {
		pxs_reply_error(&r->out, "ERR there are no sessions here: sessions = 0");
	} else if (pxs_session_may_write(r)) {
		pxs_submit(s, r, PXS_STORE_SESSION, NULL, 0);
		return false;
	}
	return true;
}

/* Of one group: its slot and the digest; where there are several, its id in front. */
static void group_digest(struct pxs_request *r, struct pxs_store *s)
{
	struct pxs_db *db = &s->db;
	u8 sum[16];
	char text[2 * sizeof(sum) + 1];
	u32 i;

	pxs_store_settle(s);
	if (pxs_db_begin(db, false)) {
		pxs_reply_error(&r->out, "ERR the store cannot be read");
		return;
	}
	pxs_db_digest(db, sum);
	for (i = 0; i < sizeof(sum); i++)
		sprintf(text + 2 * i, "%02x", sum[i]);
	pxs_reply_array(&r->out, s->set ? 3 : 2);
	if (s->set)
		pxs_reply_int(&r->out, s->replica->id);
	pxs_reply_int(&r->out, (s64)db->state.applied);
	pxs_reply_text(&r->out, text);
	pxs_db_abort(db);
}

static void digest(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;
	u32 i;

	if (s->set)
		pxs_reply_array(&r->out, pxs_set_count(s));
	for (i = 0; i < pxs_set_count(s); i++)
		group_digest(r, pxs_set_at(s, i));
}

/* --- who leads, and who the members are ------------------------------------------ */

/* Who has asked looks what has become of it: the outcome may come after an election. */
static void lead_over(void *ctx, u32 error)
{
	(void)ctx;
	(void)error;
}

static void change_over(void *ctx, u32 error, u64 epoch)
{
	(void)ctx;
	(void)error;
	(void)epoch;
}

static struct pxs_store *find_group(struct pxs_request *r, u64 group)
{
	struct pxs_store *s = pxs_set_find(r->conn->store, group);

	if (!s)
		pxs_reply_error(&r->out, "ERR there is no such group in this store");
	return s;
}

/* LEADER ID [GROUP]: that member shall lead. Answered when it is told to, or why it is not. */
static void leader(struct pxs_request *r)
{
	s64 member, group = r->store->replica->id;
	struct pxs_store *s;
	u32 error;

	if (!pxs_str_int(r->argv[2], &member) || member < 1 || member > PXS_MEMBER_ID_MAX) {
		pxs_reply_error(&r->out, "ERR a member's id is 1..%u", PXS_MEMBER_ID_MAX);
		return;
	}
	if (r->argc > 3 && (!pxs_str_int(r->argv[3], &group) || group < 1))
		group = 0;
	s = find_group(r, (u64)group);
	if (!s)
		return;
	error = pxs_transfer(s->replica, (u8)member, lead_over, NULL);
	if (error)
		pxs_reply_error(&r->out, "ERR %s",
				pxs_transfer_words(s->replica, (u8)member, error));
	else
		pxs_reply_status(&r->out, "OK");
}

/* Return: the group's store, or NULL, said why. */
static struct pxs_store *take_mandate(struct pxs_request *r, struct pxs_mandate *m)
{
	char words[PXS_MANDATE_WORDS + PXS_MANDATE_TAG], *tag = NULL;
	struct pxs_store *s;

	if (join(r, 2, words, sizeof(words)))
		tag = strrchr(words, ' ');
	if (tag)
		*tag++ = 0;
	if (!tag || pxs_mandate_parse(words, m)) {
		pxs_reply_error(&r->out, "ERR PAXSTEER MEMBER GROUP EPOCH CHANGE ID... TAG, as `paxsteer cluster` says it");
		return NULL;
	}
	s = find_group(r, m->group);
	if (!s || pxs_mandate_holds(&s->replica->config->keys, s->db.owner.cluster, words, tag))
		return s;
	pxs_reply_error(&r->out, "NOPERM members are changed by who holds the cluster's key");
	return NULL;
}

/* MEMBER ...: answered when the change is begun, or why it is not. */
static void member(struct pxs_request *r)
{
	char words[PXS_MEMBER_WORDS] = "";
	struct pxs_mandate m;
	struct pxs_store *s = take_mandate(r, &m);
	u32 error;

	if (!s)
		return;
	if (m.epoch != s->replica->config->conf.epoch) {
		pxs_reply_error(&r->out, "ERR the members have changed meanwhile");
		return;
	}
	error = pxs_member_change(s->replica, m.op, m.id, &m.to, false, words, change_over, NULL);
	if (error)
		pxs_reply_error(&r->out, "ERR %s", words);
	else
		pxs_reply_status(&r->out, "OK");
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
		pxs_checkpoint_ask(r->store, r);
		return false;
	} else if (pxs_server_sub(r, "barrier", r->store->set ? -2 : 2, &over) && r->argc <= 3) {
		if (!pxs_session_may_write(r))
			return true;
		pxs_submit_read(r->store, r);
		return false;
	} else if (pxs_server_sub(r, "leader", -3, &over) && r->argc <= 4) {
		leader(r);
	} else if (pxs_server_sub(r, "member", -7, &over)) {
		member(r);
	} else if (pxs_server_sub(r, "image", 6, &over)) {
		return pxs_lend(r);
	} else if (pxs_server_sub(r, "feed", 3, &over)) {
		return pxs_eventual_serve(r);
	} else if (pxs_server_sub(r, "eventual", -2, &over)) {
		pxs_eventual_command(r);
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
