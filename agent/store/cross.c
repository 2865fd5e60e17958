// SPDX-License-Identifier: GPL-2.0
/*
 * cross.c - a client's transaction over several groups
 *
 * The leader of the coordinator proposes a TX with all commands, each in the share of its group.
 * The rest goes on by itself (cross_drive.c): here the answers are gathered as the shares are
 * applied, and put together. They are nobody else's, so they are not kept: if this member dies, or
 * does not learn the end in time, the client is told that it is not known.
 *
 * A read that need not be strong is no transaction: each group answers for itself.
 */
#include "store.h"

#include <stdio.h>

#include "condition.h"
#include "cross_run.h"
#include "settle.h"

/* --- its commands --------------------------------------------------------------------- */

static const struct pxs_request *commands(const struct pxs_request *r)
{
	return r->cross->exec ? r->cross->queued : r;
}

static const struct pxs_request *after(const struct pxs_request *r, const struct pxs_request *q)
{
	return r->cross->exec ? q->next : NULL;
}

static const struct pxs_shards *map_of(const struct pxs_request *r)
{
	return &r->store->set->map;
}

/* This group's part of @q; @to holds q->argc words. */
static u32 part_of(const struct pxs_request *r, const struct pxs_request *q, u32 group,
		   struct pxs_str *to)
{
	return pxs_tx_part(map_of(r), q->cmd, q->argc, q->argv, group, pxs_set_index(r->store), to);
}

/* --- its shares ----------------------------------------------------------------------- */

static struct pxs_request *add_share(struct pxs_request *r, struct pxs_store *s, u32 argc,
				     const struct pxs_str *argv)
{
	u32 bytes = (u32)(sizeof(*r) + argc * sizeof(*argv));
	struct pxs_request *p = calloc(1, bytes);

	if (!p)
		return NULL;
	p->conn = r->conn;
	p->store = s;
	p->parent = r;
	p->cmd = r->cmd;
	p->bytes = bytes;
	p->argc = argc;
	if (argc)
		memcpy(p->argv, argv, argc * sizeof(*argv));
	pxs_reply_init(&p->out, r->out.proto, PXS_CONN_OUT_MAX);
	p->next = r->parts;
	r->parts = p;
	r->waiting++;
	return p;
}

/* Those that still wait for their entries do so no longer. */
static void drop_shares(struct pxs_request *r)
{
	struct pxs_request *p;

	for (p = r->parts; p; p = p->next)
		pxs_requests_remove(&p->store->shares, p);
	pxs_spread_free(r);
	r->waiting = 0;
}

void pxs_cross_free(struct pxs_request *r)
{
	if (!r->cross)
		return;
	/* At the end of the daemon the groups are no longer tied together. */
	if (r->conn->store->set)
		drop_shares(r);
	pxs_tx_drop(r->cross->queued);
	pxs_tx_free_watches(r->cross->watch, r->cross->watches);
	pxs_settled_free(r->cross->settled);
	r->conn->taken_bytes -= r->cross->bytes;
	free(r->cross);
	r->cross = NULL;
}

static void finish(struct pxs_request *r)
{
	drop_shares(r);
	pxs_requests_remove(&r->store->crossed, r);
	r->conn->version.slot = 0;	/* there is no such thing of several */
	r->conn->version.stamp.time = 0;
	pxs_request_hold(r, r->out.len - (s64)r->held);
	pxs_request_done(r);
}

/* --- one answer --------------------------------------------------------------------------- */

/* What is left of the answers of each group's share. */
struct rest {
	struct pxs_str of[PXS_SHARDS_MAX];
};

static struct pxs_str take_value(struct rest *rest, u32 group)
{
	struct pxs_str *s = &rest->of[group], value = { s->data, pxs_tx_value(*s) };

	s->data += value.len;
	s->len -= value.len;
	return value;
}

/* @words holds q->argc of them. Return: the answer to @q was put together. */
static bool join_one(struct pxs_request *r, const struct pxs_request *q, struct rest *rest,
		     struct pxs_str *words)
{
	struct pxs_str answer[PXS_SHARDS_MAX] = { { NULL, 0 } };
	u32 i, last = 0;

	for (i = 0; i < map_of(r)->n; i++) {
		if (!part_of(r, q, i, words))
			continue;
		answer[i] = take_value(rest, i);
		if (!answer[i].len)
			return false;
		last = i;
	}
	if (pxs_tx_splits(q->cmd, q->argc))
		return pxs_tx_join(map_of(r), q->cmd, q->argc, q->argv, answer, &r->out);
	pxs_reply_raw(&r->out, answer[last].data, answer[last].len);
	return answer[last].len;
}

/* What each group did was settled, and so was the answer. */
static bool join_settled(struct pxs_request *r, const struct pxs_settled *t, struct rest *rest)
{
	struct pxs_str answer, error = { NULL, 0 };
	u32 i, k;

	for (i = 0; i < map_of(r)->n; i++)
		for (k = pxs_settled_answers(t, i); k; k--) {
			answer = take_value(rest, i);
			if (!answer.len)
				return false;
			if (answer.data[0] == '-')
				error = answer;
		}
	if (error.len)
		pxs_reply_raw(&r->out, error.data, error.len);
	else
		pxs_settled_answer(t, &r->out);
	return true;
}

static bool join_all(struct pxs_request *r)
{
	const struct pxs_settled *t = r->cross->settled;
	const struct pxs_request *q;
	struct pxs_request *p;
	struct rest rest = { 0 };
	struct pxs_str *words;
	u32 n = 0, most = 1;
	bool good;

	/* What they hold becomes this answer: it takes no room from it. */
	for (p = r->parts; p; p = p->next) {
		rest.of[pxs_set_index(p->store)] = (struct pxs_str){ p->out.buf, p->out.len };
		pxs_request_hold(p, -(s64)p->held);
	}
	for (q = commands(r); q; q = after(r, q), n++)
		most = max(most, q->argc);
	words = malloc(most * sizeof(*words));
	if (!words)
		return false;
	pxs_request_room(r);
	if (r->cross->exec)
		pxs_reply_array(&r->out, n);
	good = true;
	for (q = commands(r); q && good; q = after(r, q)) {
		if (!t || t->of != q) {
			good = join_one(r, q, &rest, words);
			continue;
		}
		good = join_settled(r, t, &rest);
		t = t->next;
	}
	free(words);
	return good;
}

/* Another answer in its place; that of a read which is too large is known where it goes out. */
static void say_lost(struct pxs_request *r)
{
	bool large = r->out.failed;

	if (large && r->cmd->flags & PXS_CF_READ)
		return;
	pxs_reply_free(&r->out);
	pxs_reply_init(&r->out, r->out.proto, PXS_CONN_OUT_MAX);
	pxs_reply_error(&r->out, "UNCERTAIN the transaction was executed, and its answer is lost%s",
			large ? ": it is too large, or there was no memory for it" : "");
}

static void one_less(struct pxs_request *r)
{
	const struct pxs_request *p;

	if (--r->waiting)
		return;
	for (p = r->parts; p; p = p->next)
		r->out.failed |= p->out.failed;
	if (!r->conn->dead && (r->out.failed || !join_all(r) || r->out.failed))
		say_lost(r);
	finish(r);
}

/*
 * Nothing was done. If it is because what was settled is not so any more it is settled anew, as
 * soon as it is its turn, and up to read-wait; what was watched is looked at then.
 */
static void refused(struct pxs_request *r)
{
	drop_shares(r);
	if (r->cross->settled && r->out.changed) {
		r->out.len = 0;
		r->out.errors = 0;
		pxs_reply_error(&r->out, "TRYAGAIN what the command depends on in another group has changed again and again: nothing was executed");
		r->out.again = true;
		r->store->cross.due = true;
	}
	pxs_requests_remove(&r->store->crossed, r);
	pxs_request_hold(r, r->out.len - (s64)r->held);
	if (!pxs_lock_again(r))
		finish(r);
}

void pxs_cross_part_done(struct pxs_request *part)
{
	struct pxs_request *r = part->parent;

	if (part->instead) {
		pxs_reply_raw(&r->out, part->out.buf, part->out.len);
		r->out.errors += part->out.errors;
		r->out.changed = part->out.changed;
		refused(r);
	} else if (!part->out.len && !part->out.failed && !part->conn->dead) {
		/* It was nothing, for it came a second time: the first is not seen here yet. */
		part->state = PXS_REQUEST_PROPOSED;
		pxs_requests_push(&part->store->shares, part);
	} else {
		one_less(r);
	}
}

/* --- what becomes of it in the log ------------------------------------------------------- */

void pxs_cross_decided(struct pxs_request *r)
{
	struct pxs_request *p;

	r->cross->slot = r->slot;
	for (p = r->parts; p; p = p->next) {
		p->state = PXS_REQUEST_PROPOSED;
		pxs_requests_push(&p->store->shares, p);
	}
}

void pxs_cross_applied(struct pxs_request *r)
{
	pxs_store_version(r->store, r, r->slot);
	if (r->out.len) {
		refused(r);
		return;
	}
	r->state = PXS_REQUEST_PARTS;
	r->cross->deadline = r->store->node->loop.now + PXS_CROSS_ANSWER_MS;
	pxs_requests_push(&r->store->crossed, r);
	one_less(r);
}

void pxs_cross_unknown(struct pxs_request *r)
{
	r->state = PXS_REQUEST_PARTS;
	r->cross->deadline = r->store->node->loop.now;
	pxs_requests_push(&r->store->crossed, r);
}

struct pxs_request *pxs_cross_waiter(struct pxs_store *s, const struct pxs_fetched *v)
{
	struct pxs_store_entry e;
	struct pxs_entry_walk w;
	struct pxs_request *p;
	bool abort;

	if (v->faulty || pxs_store_entry_get(v->data, v->len, &e, &w))
		return NULL;
	abort = e.kind == PXS_STORE_TX_ABORT && e.client == s->replica->id;
	if (e.kind != PXS_STORE_TX_COMMIT && !abort)
		return NULL;
	for (p = s->shares.first; p; p = p->link)
		if (p->parent->cross->slot == e.seq && p->parent->store->replica->id == e.client)
			break;
	if (!p)
		return NULL;
	pxs_requests_remove(&s->shares, p);
	p->state = PXS_REQUEST_DECIDED;
	p->slot = v->slot;
	p->instead = abort;
	return p;
}

/* A part that an entry at hand is about cannot be let go; it will be known at once. */
static bool may_end(const struct pxs_request *r)
{
	const struct pxs_request *p = r->parts;

	while (p && p->state != PXS_REQUEST_DECIDED)
		p = p->next;
	return !p;
}

void pxs_cross_tick(struct pxs_store *s)
{
	struct pxs_request *r = s->crossed.first, *next;

	for (; r; r = next) {
		next = r->link;
		if (r->cross->deadline > s->node->loop.now || !may_end(r))
			continue;
		pxs_reply_error(&r->out, "UNCERTAIN the transaction is in the log, and will be executed whole or not at all: its end is not known here");
		finish(r);
	}
}

/* --- into the log --------------------------------------------------------------------- */

/* What a TX is made of, while it is. */
struct making {
	struct pxs_args *args;
	u32 nargs;
	struct pxs_str *words;
	u32 nwords;
	__le64 *versions;	/* of what is watched */
	u32 nversions;
	char text[PXS_SHARDS_MAX][2][12];
	struct pxs_str head[PXS_SHARDS_MAX][2];
};

static void free_making(struct making *m)
{
	free(m->args);
	free(m->words);
	free(m->versions);
}

static bool alloc_making(struct making *m, const struct pxs_request *r)
{
	u32 groups = map_of(r)->n, watches = r->cross->watches, n = 0;
	const struct pxs_request *q;
	u64 words = (u64)PXS_CONDITION_WORDS * watches + 1;
	const struct pxs_settled *t;
	u32 settled = 0;

	/* Each word twice: of one that wants none of its keys, these are a condition as well. */
	for (q = commands(r); q; q = after(r, q)) {
		words += 2 * ((u64)q->argc + groups);
		n++;
	}
	for (t = r->cross->settled; t; t = t->next)
		settled += t->nparts;
	/* Of each group its head, one condition that is not a watch, its part of each command. */
	m->args = malloc(((u64)(n + 2) * groups + watches + settled) * sizeof(*m->args));
	m->words = malloc(words * sizeof(*m->words));
	m->versions = malloc((watches + 1) * sizeof(*m->versions));
	if (m->args && m->words && m->versions)
		return true;
	free_making(m);
	return false;
}

static void add_words(struct making *m, u32 argc)
{
	m->args[m->nargs++] = (struct pxs_args){ argc, m->words + m->nwords };
	m->nwords += argc;
}

static void make_watches(struct making *m, const struct pxs_request *r, u32 group)
{
	const struct pxs_cross *cross = r->cross;
	u32 i;

	for (i = 0; i < cross->watches; i++) {
		if (pxs_shards_of_key(map_of(r), cross->watch[i].key) != group)
			continue;
		pxs_condition_watch(&cross->watch[i], &m->versions[m->nversions++],
				    m->words + m->nwords);
		add_words(m, PXS_CONDITION_WORDS);
	}
}

static void make_absent(struct making *m, const struct pxs_request *r, u32 group)
{
	struct pxs_str *words = m->words + m->nwords;
	u32 i, n = 1;

	if (r->cross->exec || !pxs_tx_wants_none(r->cmd))
		return;
	for (i = 0; (i = pxs_cmd_next_key(r->cmd, r->argc, i));)
		if (pxs_shards_of_key(map_of(r), r->argv[i]) == group)
			words[n++] = r->argv[i];
	words[0] = pxs_condition_absent();
	if (n > 1)
		add_words(m, n);
}

static void make_settled(struct making *m, const struct pxs_settled *t, u32 group)
{
	u32 i;

	for (i = 0; i < t->nparts; i++)
		if (t->part[i].group == group)
			m->args[m->nargs++] = t->part[i].args;
}

static void make_commands(struct making *m, const struct pxs_request *r, u32 group)
{
	const struct pxs_settled *t = r->cross->settled;
	const struct pxs_request *q;
	u32 argc;

	for (q = commands(r); q; q = after(r, q)) {
		if (t && t->of == q) {
			make_settled(m, t, group);
			t = t->next;
			continue;
		}
		argc = part_of(r, q, group, m->words + m->nwords);
		if (argc)
			add_words(m, argc);
	}
}

/* Return: false: no memory. A group without a part has none. */
static bool make_share(struct making *m, struct pxs_request *r, u32 group)
{
	struct pxs_store *s = pxs_set_at(r->store, group);
	u32 head = m->nargs++, n;

	make_watches(m, r, group);
	make_absent(m, r, group);
	make_commands(m, r, group);
	n = m->nargs - head - 1;
	if (!n) {
		m->nargs = head;
		return true;
	}
	snprintf(m->text[group][0], sizeof(m->text[group][0]), "%u", s->replica->id);
	snprintf(m->text[group][1], sizeof(m->text[group][1]), "%u", n);
	m->head[group][0] = pxs_str(m->text[group][0]);
	m->head[group][1] = pxs_str(m->text[group][1]);
	m->args[head] = (struct pxs_args){ 2, m->head[group] };
	return add_share(r, s, 0, NULL);
}

static void submit(struct pxs_request *r)
{
	struct making m = { 0 };
	bool good;
	u32 i;

	if (!pxs_settle(r)) {
		pxs_request_done(r);
		return;
	}
	good = alloc_making(&m, r);
	for (i = 0; good && i < map_of(r)->n; i++)
		good = make_share(&m, r, i);
	r->waiting++;		/* for the TX itself */
	if (good) {
		pxs_submit(r->store, r, PXS_STORE_TX, m.args, m.nargs);
	} else {
		pxs_reply_error(&r->out, "ERR out of memory");
		pxs_request_done(r);
	}
	pxs_settled_drop_words(r->cross->settled);
	free_making(&m);
}

void pxs_cross_go(struct pxs_request *r)
{
	if (!pxs_session_may_write(r))
		pxs_request_done(r);
	else if (!pxs_lock_wait(r))
		submit(r);
}

/* --- each for itself -------------------------------------------------------------------- */

static void read_here(struct pxs_request *r)
{
	struct pxs_str *words = malloc(r->argc * sizeof(*words));
	struct pxs_request *p, *next;
	bool good = words;
	u32 i, argc;

	for (i = 0; good && i < map_of(r)->n; i++) {
		argc = part_of(r, r, i, words);
		good = !argc || add_share(r, pxs_set_at(r->store, i), argc, words);
	}
	free(words);
	if (!good) {
		pxs_reply_error(&r->out, "ERR out of memory");
		finish(r);
		return;
	}
	r->state = PXS_REQUEST_PARTS;
	/* The last of them to be done ends @r; until each was begun, that is none. */
	r->waiting++;
	for (p = r->parts; p; p = next) {
		next = p->next;
		pxs_session_begin_part(p);
	}
	one_less(r);
}

void pxs_cross_begin(struct pxs_request *r)
{
	bool exec = r->cmd->local == PXS_LOCAL_EXEC;

	if (exec && pxs_tx_too_large(r)) {
		pxs_tx_end(r->conn);
		pxs_request_done(r);
		return;
	}
	r->cross = calloc(1, sizeof(*r->cross));
	if (!r->cross) {
		pxs_reply_error(&r->out, "ERR out of memory");
		if (exec)
			pxs_tx_end(r->conn);
		pxs_request_done(r);
		return;
	}
	if (exec)
		pxs_tx_take(r->conn, r->cross);
	if (r->cmd->flags & PXS_CF_READ && pxs_session_reads_here(r->conn))
		read_here(r);
	else
		pxs_cross_go(r);
}
