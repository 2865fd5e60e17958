// SPDX-License-Identifier: GPL-2.0
/*
 * settle.c - commands over several groups of which each group must know what is in another
 *
 * Each group is seen at a moment of its own, and as far as it is known here: whether all of it was
 * so at one moment, the conditions say. A group that has one of the keys has a share in any
 * case, as the coordinator must be among those that take part.
 */
#include "settle.h"

#include "condition.h"
#include "store.h"

#define SPARE_WORDS	16u	/* beside the value: two conditions, DEL twice, PEXPIREAT */
#define SPARE_BYTES	64u	/* two versions and a time */

/* What is at a key. */
struct seen {
	bool there;
	u64 version;
};

/* One that is being settled. */
struct settling {
	struct pxs_request *r;
	const struct pxs_request *q;
	struct pxs_settled *t;
	u8 *at;		/* free bytes */
	u64 left;	/* bytes that the whole may have yet */
	int err;
};

/* --- what is in a group ---------------------------------------------------------------- */

static bool begin_look(struct settling *g, struct pxs_store *s)
{
	pxs_store_settle(s);
	g->err = pxs_db_begin(&s->db, false);
	return !g->err;
}

static void end_look(struct settling *g, struct pxs_store *s)
{
	if (!g->err)
		g->err = s->db.err;
	pxs_db_abort(&s->db);
}

static struct pxs_store *store_of(const struct settling *g, struct pxs_str key)
{
	return pxs_set_of_key(g->r->store, key);
}

static struct seen look_at(struct settling *g, struct pxs_str key)
{
	struct pxs_store *s = store_of(g, key);
	struct seen seen = { 0 };
	struct pxs_rec rec;

	if (!begin_look(g, s))
		return seen;
	if (pxs_db_find(&s->db, key, &rec))
		seen = (struct seen){ true, rec.version };
	end_look(g, s);
	return seen;
}

static bool watched_changed(struct settling *g)
{
	const struct pxs_cross *cross = g->r->cross;
	struct pxs_store *s;
	bool any = false;
	u32 i;

	for (i = 0; i < cross->watches && !any; i++) {
		s = store_of(g, cross->watch[i].key);
		if (!begin_look(g, s))
			return false;
		any = pxs_watch_changed(&s->db, &cross->watch[i]);
		end_look(g, s);
	}
	return any;
}

/* --- its parts -------------------------------------------------------------------------- */

/* Room for so many parts, words and bytes. Return: there is memory. */
static bool make(struct settling *g, u32 parts, u64 words, u64 bytes)
{
	struct pxs_settled *t = calloc(1, sizeof(*t) + parts * sizeof(t->part[0]));

	if (t)
		t->words = malloc(words * sizeof(*t->words) + bytes);
	if (!t || !t->words) {
		free(t);
		g->err = -ENOMEM;
		return false;
	}
	t->of = g->q;
	g->at = (u8 *)(t->words + words);
	g->t = t;
	return true;
}

/* The words of a part follow, with add(). */
static void begin_part(struct settling *g, struct pxs_str key, bool condition)
{
	struct pxs_settled *t = g->t;

	t->part[t->nparts++] = (struct pxs_settled_part){
		.group = pxs_set_index(store_of(g, key)), .condition = condition,
		.args = { 0, t->words + t->nwords },
	};
}

static void add(struct settling *g, struct pxs_str word)
{
	struct pxs_settled *t = g->t;

	t->words[t->nwords++] = word;
	t->part[t->nparts - 1].args.argc++;
}

static void add_bytes(struct settling *g, struct pxs_str word)
{
	if (word.len)
		memcpy(g->at, word.data, word.len);
	add(g, (struct pxs_str){ g->at, word.len });
	g->at += word.len;
}

static void add_command(struct settling *g, const char *name, struct pxs_str key)
{
	begin_part(g, key, false);
	add(g, pxs_str(name));
	add(g, key);
}

static void add_absent(struct settling *g, struct pxs_str key)
{
	begin_part(g, key, true);
	add(g, pxs_condition_absent());
	add(g, key);
}

/* It is as it was seen. */
static void add_seen(struct settling *g, struct pxs_str key, u64 version)
{
	struct pxs_watch watch = { version, key };
	struct pxs_str argv[PXS_CONDITION_WORDS];
	__le64 le;

	pxs_condition_watch(&watch, &le, argv);
	begin_part(g, key, true);
	add(g, argv[0]);
	add_bytes(g, argv[1]);
	add(g, key);
}

static bool has_part(const struct pxs_settled *t, u32 group)
{
	u32 i = 0;

	while (i < t->nparts && t->part[i].group != group)
		i++;
	return i < t->nparts;
}

/* Groups with a key in which there is nothing to be done take part all the same. */
static void add_others(struct settling *g)
{
	const struct pxs_request *q = g->q;
	u32 i = 0;

	while ((i = pxs_cmd_next_key(q->cmd, q->argc, i)))
		if (!has_part(g->t, pxs_set_index(store_of(g, q->argv[i]))))
			add_command(g, "EXISTS", q->argv[i]);
}

/* --- RENAME ----------------------------------------------------------------------------- */

/* The fields of a hash: how many bytes they are, as far as these may be. */
static bool measure(void *ctx, struct pxs_str field, struct pxs_str value)
{
	struct settling *g = ctx;
	u64 bytes = 8 + (u64)field.len + value.len;

	if (bytes > g->left)
		g->err = -EFBIG;
	else
		g->left -= bytes;
	return !g->err;
}

static bool add_field(void *ctx, struct pxs_str field, struct pxs_str value)
{
	add_bytes(ctx, field);
	add_bytes(ctx, value);
	return true;
}

/* Room for what moves @rec. */
static bool make_move(struct settling *g, struct pxs_db *db, const struct pxs_rec *rec)
{
	u64 before = g->left;
	bool hash = rec->type == PXS_TYPE_HASH;

	if (hash)
		pxs_db_items(db, rec, 0, measure, g);
	else
		measure(g, rec->value, (struct pxs_str){ NULL, 0 });
	return !g->err && make(g, 6, SPARE_WORDS + 2 * (hash ? rec->count : 1),
			       SPARE_BYTES + before - g->left);
}

static void add_expire(struct settling *g, struct pxs_str key, u64 when)
{
	int len = sprintf((char *)g->at, "%llu", (unsigned long long)when);

	add_command(g, "PEXPIREAT", key);
	add(g, (struct pxs_str){ g->at, (u32)len });
	g->at += len;
}

/* @rec, which is at @from, comes to @to, whatever is there. */
static void move(struct settling *g, struct pxs_db *db, const struct pxs_rec *rec,
		 struct pxs_str from, struct pxs_str to)
{
	add_seen(g, from, rec->version);
	add_command(g, "DEL", from);
	add_command(g, "DEL", to);
	add_command(g, rec->type == PXS_TYPE_HASH ? "HSET" : "SET", to);
	if (rec->type == PXS_TYPE_HASH)
		pxs_db_items(db, rec, 0, add_field, g);
	else
		add_bytes(g, rec->value);
	if (rec->expire)
		add_expire(g, to, rec->expire);
}

static void settle_rename(struct settling *g)
{
	struct pxs_str from = g->q->argv[1], to = g->q->argv[2];
	bool only_new = g->q->cmd->run == pxs_cmd_renamenx;
	struct pxs_store *s = store_of(g, from);
	struct pxs_rec rec;
	struct seen seen = { 0 };

	if (only_new)
		seen = look_at(g, to);
	if (g->err || !begin_look(g, s))
		return;
	if (!pxs_db_find(&s->db, from, &rec)) {
		if (make(g, 2, SPARE_WORDS, SPARE_BYTES)) {
			g->t->answer = PXS_SETTLED_NO_KEY;
			add_absent(g, from);
		}
	} else if (seen.there) {
		if (make(g, 2, SPARE_WORDS, SPARE_BYTES)) {
			g->t->answer = PXS_SETTLED_ZERO;
			add_seen(g, from, rec.version);
			add_seen(g, to, seen.version);
		}
	} else if (make_move(g, &s->db, &rec)) {
		g->t->answer = only_new ? PXS_SETTLED_ONE : PXS_SETTLED_OK;
		if (only_new)
			add_absent(g, to);
		move(g, &s->db, &rec, from, to);
	}
	end_look(g, s);
}

/* --- MSETNX ----------------------------------------------------------------------------- */

/* All keys of this group, with their values: none of them is there. */
static void add_new(struct settling *g, u32 group)
{
	const struct pxs_shards *m = &g->r->store->set->map;
	const struct pxs_request *q = g->q;
	struct pxs_settled *t = g->t;
	struct pxs_settled_part *p = &t->part[t->nparts];
	u32 i, argc;

	argc = pxs_tx_part(m, q->cmd, q->argc, q->argv, group, 0, t->words + t->nwords);
	if (!argc)
		return;
	p[0] = (struct pxs_settled_part){ group, false, { argc, t->words + t->nwords } };
	t->nwords += argc;
	p[1] = (struct pxs_settled_part){ group, true, { 0, t->words + t->nwords } };
	t->nparts += 2;
	add(g, pxs_condition_absent());
	for (i = 1; i < argc; i += 2)
		add(g, p[0].args.argv[i]);
}

static void settle_msetnx(struct settling *g)
{
	u32 groups = pxs_set_count(g->r->store), i = 0;
	const struct pxs_request *q = g->q;
	struct seen seen = { 0 };
	struct pxs_str key = { NULL, 0 };

	while (!seen.there && !g->err && (i = pxs_cmd_next_key(q->cmd, q->argc, i))) {
		key = q->argv[i];
		seen = look_at(g, key);
	}
	if (g->err || !make(g, 2 * groups, 2 * ((u64)q->argc + 2 * groups), SPARE_BYTES))
		return;
	g->t->answer = seen.there ? PXS_SETTLED_ZERO : PXS_SETTLED_ONE;
	if (seen.there)
		add_seen(g, key, seen.version);
	for (i = 0; i < groups && !seen.there; i++)
		add_new(g, i);
}

/* --- all of them ------------------------------------------------------------------------ */

void pxs_settled_free(struct pxs_settled *list)
{
	struct pxs_settled *t;

	while ((t = list)) {
		list = t->next;
		free(t->words);
		free(t);
	}
}

void pxs_settled_drop_words(struct pxs_settled *list)
{
	for (; list; list = list->next) {
		free(list->words);
		list->words = NULL;
	}
}

static void say_error(struct pxs_request *r, int err)
{
	if (err == -EFBIG)
		pxs_reply_error(&r->out, "ERR command too large for the log: what it moves to another group has more than %u bytes",
				PXS_STORE_ENTRY_MAX);
	else if (err == -ENOMEM)
		pxs_reply_error(&r->out, "ERR out of memory");
	else
		pxs_reply_error(&r->out, "ERR the store cannot be read: %s", strerror(-err));
}

static void settle_one(struct settling *g)
{
	g->t = NULL;
	if (pxs_tx_wants_none(g->q->cmd))
		settle_msetnx(g);
	else
		settle_rename(g);
	if (g->t)
		add_others(g);
}

bool pxs_settle(struct pxs_request *r)
{
	struct settling g = { .r = r, .left = PXS_STORE_ENTRY_MAX };
	struct pxs_settled **last = &r->cross->settled;
	bool exec = r->cross->exec;

	pxs_settled_free(*last);
	*last = NULL;
	for (g.q = exec ? r->cross->queued : r; g.q && !g.err; g.q = exec ? g.q->next : NULL) {
		if (!pxs_tx_depends(&r->store->set->map, g.q->cmd, g.q->argc, g.q->argv, exec))
			continue;
		settle_one(&g);
		*last = g.t;
		if (g.t)
			last = &g.t->next;
	}
	if (g.err) {
		say_error(r, g.err);
	} else if (r->cross->settled && watched_changed(&g)) {
		pxs_reply_null_array(&r->out);
		return false;
	}
	return !g.err;
}

u32 pxs_settled_answers(const struct pxs_settled *t, u32 group)
{
	u32 i, n = 0;

	for (i = 0; i < t->nparts; i++)
		n += t->part[i].group == group && !t->part[i].condition;
	return n;
}

void pxs_settled_answer(const struct pxs_settled *t, struct pxs_reply *out)
{
	switch (t->answer) {
	case PXS_SETTLED_OK:
		pxs_reply_status(out, "OK");
		break;
	case PXS_SETTLED_ZERO:
	case PXS_SETTLED_ONE:
		pxs_reply_int(out, t->answer == PXS_SETTLED_ONE);
		break;
	case PXS_SETTLED_NO_KEY:
		pxs_reply_error(out, "ERR no such key");
		break;
	}
}
