// SPDX-License-Identifier: GPL-2.0
/*
 * cross_run.c - transactions over several groups, applied
 *
 * What an entry does depends on what the record says, so an entry that comes twice, or too late, is
 * nothing. The keys are locked and the record is written in one transaction with the entry's slot.
 * Conditions are looked at when their keys can be locked, and their keys are locked with the rest.
 */
#include "cross_run.h"

#include <stdlib.h>

#include "apply.h"
#include "condition.h"
#include "saga_run.h"

/* --- commands as they stand in an entry ---------------------------------------------- */

/* Walks over commands; the words of the one at hand are in argv. */
struct walk {
	struct pxs_entry_walk w;
	u32 argc;
	struct pxs_str *argv;
	const struct pxs_command *cmd;	/* NULL: not known */
	bool condition;			/* it is none: it says what must be so */
};

/* A word is 4 bytes at least. Return: there is memory. */
static bool begin_walk(struct walk *k, struct pxs_db *db, struct pxs_str commands)
{
	*k = (struct walk){ .w = { commands.data, commands.len, 0 } };
	k->argv = malloc((commands.len / 4 + 1) * sizeof(*k->argv));
	if (!k->argv && !db->err)
		db->err = -ENOMEM;
	return k->argv;
}

static bool next(struct walk *k)
{
	u32 i;

	if (k->w.pos == k->w.len)
		return false;
	k->argc = pxs_store_entry_command(&k->w);
	for (i = 0; i < k->argc; i++)
		k->argv[i] = pxs_store_entry_arg(&k->w);
	k->cmd = pxs_condition_find(k->argv[0]);
	k->condition = k->cmd;
	if (!k->condition)
		k->cmd = pxs_cmd_find(k->argv[0]);
	return true;
}

bool pxs_cross_locks_any(struct pxs_db *db, struct pxs_str commands)
{
	bool any = false;
	struct walk k;

	if (!db->state.locks || !begin_walk(&k, db, commands))
		return false;
	while (!any && next(&k))
		any = pxs_cross_locked(db, k.cmd, k.argc, k.argv);
	free(k.argv);
	return any;
}

static bool is_wanted(struct pxs_db *db, struct walk k, const struct pxs_wanted *wanted)
{
	bool any = false;

	while (!any && next(&k))
		any = k.cmd && pxs_wanted_has(wanted, db, k.cmd, k.argc, k.argv);
	return any;
}

bool pxs_cross_waits(struct pxs_db *db, struct pxs_str commands, struct pxs_wanted *wanted)
{
	struct walk k;
	bool waits;

	if ((!db->state.locks && !wanted->n) || !begin_walk(&k, db, commands))
		return false;
	waits = pxs_cross_locks_any(db, commands) || is_wanted(db, k, wanted);
	while (waits && next(&k))
		if (k.cmd)
			pxs_wanted_add(wanted, db, k.cmd, k.argc, k.argv);
	free(k.argv);
	return waits;
}

bool pxs_cross_in_the_way(struct pxs_db *db, const struct pxs_store_entry *e,
			  struct pxs_entry_walk w)
{
	struct pxs_watch watch;
	u32 i;

	if (!db->state.locks || (e->kind != PXS_STORE_COMMAND && e->kind != PXS_STORE_EXEC))
		return false;
	for (i = 0; i < e->nwatches; i++) {
		pxs_store_entry_watch(&w, &watch);
		if (pxs_cross_locked_key(db, watch.key))
			return true;
	}
	return pxs_cross_locks_any(db, (struct pxs_str){ w.data + w.pos, w.len - w.pos });
}

/* The number of a group or of commands. */
static bool small(struct pxs_str s, u32 *n)
{
	s64 value;

	if (!pxs_str_int(s, &value) || value <= 0 || value > INT32_MAX)
		return false;
	*n = (u32)value;
	return true;
}

/* "ID COUNT", at *@w. */
static bool take_head(struct pxs_entry_walk *w, struct pxs_cross_part *p)
{
	struct pxs_str id, count;

	if (w->pos == w->len || pxs_store_entry_command(w) != 2)
		return false;
	id = pxs_store_entry_arg(w);
	count = pxs_store_entry_arg(w);
	return small(id, &p->group) && small(count, &p->ncommands);
}

static bool skip_commands(struct pxs_entry_walk *w, u32 n)
{
	u32 i, argc;

	for (i = 0; i < n; i++) {
		if (w->pos == w->len)
			return false;
		argc = pxs_store_entry_command(w);
		while (argc--)
			pxs_store_entry_arg(w);
	}
	return true;
}

u32 pxs_cross_parts(struct pxs_str commands, struct pxs_cross_part *part)
{
	struct pxs_entry_walk w = { commands.data, commands.len, 0 };
	u32 n, before = 0;

	for (n = 0; w.pos < w.len; n++, part++) {
		if (n == PXS_SHARDS_MAX || !take_head(&w, part) || part->group <= before)
			return 0;
		before = part->group;
		part->commands.data = w.data + w.pos;
		if (!skip_commands(&w, part->ncommands))
			return 0;
		part->commands.len = (u32)(w.data + w.pos - part->commands.data);
	}
	return n > 1 ? n : 0;
}

/* --- what they do to the record and the keys ----------------------------------------- */

void pxs_cross_say_locked(struct pxs_reply *out)
{
	pxs_reply_error(out, "TRYAGAIN a key is in a transaction over several groups: nothing was executed");
	out->again = true;
}

static bool grows(struct walk k)
{
	bool any = false;

	while (!any && next(&k))
		any = k.cmd && k.cmd->flags & PXS_CF_GROWS;
	return any;
}

/* All or nothing: an entry that fails in the middle is taken back with its transaction. */
static void lock_all(struct pxs_db *db, const struct pxs_cross_rec *rec, struct walk k)
{
	while (next(&k))
		if (k.cmd)
			pxs_cross_lock(db, rec, k.cmd, k.argc, k.argv);
}

static void unlock_all(struct pxs_db *db, struct walk k)
{
	while (next(&k))
		if (k.cmd)
			pxs_cross_unlock(db, k.cmd, k.argc, k.argv);
}

/* Do all conditions hold? The keys are locked by nobody. */
static bool holds(struct pxs_db *db, struct walk k)
{
	bool all = true;

	while (all && next(&k))
		all = !k.condition || pxs_condition_holds(db, k.argc, k.argv);
	return all;
}

/* What is but watched in this group has an answer too: that it is over. */
static void run_all(struct pxs_db *db, struct walk k, struct pxs_reply *out)
{
	bool any = false;

	while (!db->err && next(&k)) {
		if (k.condition)
			continue;
		pxs_apply_command(db, k.argc, k.argv, out);
		any = true;
	}
	if (!any)
		pxs_reply_status(out, "OK");
}

/* What EXEC answers when a watched key has changed, and MSETNX when one of its keys is there. */
static void say_changed(struct pxs_db *db, struct pxs_str commands, struct pxs_reply *out)
{
	bool absent = false;
	struct walk k;

	out->changed = true;
	if (!begin_walk(&k, db, commands))
		return;
	while (!absent && next(&k))
		absent = pxs_str_equal(k.argv[0], pxs_condition_absent());
	free(k.argv);
	if (absent)
		pxs_reply_int(out, 0);
	else
		pxs_reply_null_array(out);
}

static void begin(struct pxs_db *db, const struct pxs_store_entry *e, struct pxs_str body,
		  struct pxs_reply *out)
{
	struct pxs_cross_part part[PXS_SHARDS_MAX];
	struct pxs_cross_rec rec = {
		.group = db->owner.group, .slot = db->slot, .state = PXS_TX_READY,
		.begun = db->now, .conditional = pxs_store_entry_conditional(body),
		.body = body,
	};
	struct walk k;
	u32 i;

	rec.ngroups = pxs_cross_parts(body, part);
	if (!rec.ngroups || part[0].group != db->owner.group) {
		db->state.foreign++;
		pxs_reply_error(out, "ERR not an entry");
		return;
	}
	if (pxs_cross_locks_any(db, part[0].commands)) {
		pxs_cross_say_locked(out);
		return;
	}
	if (!begin_walk(&k, db, part[0].commands))
		return;
	if (!holds(db, k)) {
		say_changed(db, body, out);
	} else if (pxs_store_full(db, e) && grows(k)) {
		pxs_reply_error(out, "OOM command not allowed when used memory > 'maxmemory'.");
	} else {
		for (i = 0; i < rec.ngroups; i++)
			rec.groups[i] = part[i].group;
		pxs_cross_put(db, &rec);
		lock_all(db, &rec, k);
	}
	free(k.argv);
}

/* A key that is locked is nothing to be said: it is tried again until it is free, or too late. */
static void prepare(struct pxs_db *db, const struct pxs_store_entry *e, struct pxs_str body)
{
	struct pxs_cross_rec rec;
	struct walk k;

	pxs_cross_get(db, e->client, e->seq, &rec);
	if (!pxs_tx_may_prepare(rec.state, e->seq, pxs_cross_floor(db, e->client)) ||
	    pxs_cross_locks_any(db, body) || !begin_walk(&k, db, body))
		return;
	if (!holds(db, k))
		rec.state = PXS_TX_CHANGED;
	else
		rec.state = pxs_store_full(db, e) && grows(k) ? PXS_TX_FULL : PXS_TX_READY;
	if (rec.state == PXS_TX_READY) {
		rec.body = body;
		rec.conditional = pxs_store_entry_conditional(body);
		rec.begun = rec.conditional ? db->now : 0;
	}
	pxs_cross_put(db, &rec);
	if (rec.state == PXS_TX_READY)
		lock_all(db, &rec, k);
	free(k.argv);
}

/* This group's share of what the record says. */
static struct pxs_str share(const struct pxs_db *db, const struct pxs_cross_rec *rec,
			    struct pxs_str body)
{
	struct pxs_cross_part part[PXS_SHARDS_MAX];

	if (rec->group != db->owner.group)
		return body;
	return pxs_cross_parts(body, part) ? part[0].commands : (struct pxs_str){ NULL, 0 };
}

static void say_why(struct pxs_db *db, u64 reason, struct pxs_str body, struct pxs_reply *out)
{
	if (reason == PXS_TX_WAS_CHANGED)
		say_changed(db, body, out);
	else if (reason == PXS_TX_WAS_FULL)
		pxs_reply_error(out, "OOM command not allowed when used memory > 'maxmemory'.");
	else
		pxs_reply_error(out, "TRYAGAIN the transaction was aborted, for not all of its groups were ready in time: nothing was executed");
}

/* What held when its keys were locked is so while it is done: no key has expired since. */
static void finish(struct pxs_db *db, struct pxs_cross_rec *rec, struct pxs_str body, bool commit,
		   struct pxs_reply *out)
{
	u64 now = db->now;
	struct walk k;

	if (!begin_walk(&k, db, share(db, rec, body)))
		return;
	if (rec->conditional)
		db->now = rec->begun;
	if (commit)
		run_all(db, k, out);
	db->now = now;
	unlock_all(db, k);
	free(k.argv);
	rec->body.len = 0;
	rec->conditional = false;
	pxs_cross_put(db, rec);
}

static void decide(struct pxs_db *db, const struct pxs_store_entry *e, struct pxs_reply *out)
{
	bool commit = e->kind == PXS_STORE_TX_COMMIT, own = e->client == db->owner.group;
	struct pxs_cross_rec rec;
	enum pxs_tx_state was;
	struct pxs_str body;
	u8 *copy;

	if (!pxs_cross_get(db, e->client, e->seq, &rec))
		return;
	was = rec.state;
	rec.state = pxs_tx_decide(was, commit);
	if (rec.state == was)
		return;
	/* It stands in the database, which is going to change. */
	copy = malloc(rec.body.len + 1);
	if (!copy) {
		db->err = -ENOMEM;
		return;
	}
	memcpy(copy, rec.body.data, rec.body.len);
	body = (struct pxs_str){ copy, rec.body.len };
	finish(db, &rec, body, commit, out);
	if (own) {
		db->state.committed += commit;
		db->state.aborted += !commit;
		if (!commit)
			say_why(db, e->memory, body, out);
	}
	free(copy);
}

static void end(struct pxs_db *db, const struct pxs_store_entry *e)
{
	struct pxs_cross_rec rec;

	if (e->client != db->owner.group || !pxs_cross_get(db, e->client, e->seq, &rec) ||
	    pxs_tx_ended(rec.state) != PXS_TX_GONE)
		return;
	rec.state = PXS_TX_GONE;
	pxs_cross_put(db, &rec);
}

/* Those that are still ready keep their keys until they are aborted. */
static void forget(struct pxs_db *db, const struct pxs_store_entry *e)
{
	struct pxs_cross_rec rec;
	u64 floor = e->seq;
	u32 i;

	if (e->client == db->owner.group || floor <= pxs_cross_floor(db, e->client))
		return;
	for (i = 0; pxs_cross_ended(db, e->client, &rec) && rec.slot < floor; i++) {
		if (i == PXS_CROSS_FORGET) {
			floor = rec.slot;
			break;
		}
		rec.state = pxs_tx_forgotten(rec.state);
		pxs_cross_put(db, &rec);
	}
	pxs_cross_set_floor(db, e->client, floor);
}

void pxs_cross_apply(struct pxs_db *db, const struct pxs_store_entry *e,
		     const struct pxs_entry_walk *w, struct pxs_reply *out)
{
	struct pxs_str commands = { w->data + w->pos, w->len - w->pos };

	if (e->kind != PXS_STORE_TX && (!e->client || e->client > INT32_MAX)) {
		db->state.foreign++;	/* no group has that id */
		return;
	}
	switch (e->kind) {
	case PXS_STORE_TX:
		begin(db, e, commands, out);
		break;
	case PXS_STORE_TX_PREPARE:
		if (e->client != db->owner.group)
			prepare(db, e, commands);
		break;
	case PXS_STORE_TX_COMMIT:
	case PXS_STORE_TX_ABORT:
		decide(db, e, out);
		break;
	case PXS_STORE_TX_END:
		end(db, e);
		break;
	case PXS_STORE_TX_FORGET:
		forget(db, e);
		break;
	}
}
