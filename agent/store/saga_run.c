// SPDX-License-Identifier: GPL-2.0
/*
 * saga_run.c - sagas go on: checks and commands of a step
 *
 * What a step does is a part of the transaction that is taken back by itself if it fails.
 */
#include "saga_run.h"

#include <stdarg.h>
#include <stdio.h>

#include "db_cross.h"

static void set_reason(struct pxs_saga_reason *r, struct pxs_str s)
{
	r->len = min(s.len, PXS_SAGA_REASON_MAX);
	if (r->len)
		memcpy(r->text, s.data, r->len);
}

__attribute__((format(printf, 2, 3)))
static void say(struct pxs_saga_reason *r, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	r->len = min((u32)len, (u32)sizeof(r->text) - 1);
}

/* --- checks ------------------------------------------------------------------------ */

/* The string at the key, or the field. Return: 1; 0: not there; -1: of another type. */
static int fetch(struct pxs_db *db, const struct pxs_saga_part *p, struct pxs_str *value)
{
	u8 type = p->check->field ? PXS_TYPE_HASH : PXS_TYPE_STRING;
	struct pxs_rec rec;

	if (!pxs_db_find(db, p->argv[0], &rec))
		return 0;
	if (p->check->test == PXS_TEST_EXISTS || p->check->test == PXS_TEST_MISSING)
		return 1;
	if (rec.type != type)
		return -1;
	*value = rec.value;
	return p->check->field ? pxs_db_field(db, &rec, p->argv[1], value) : 1;
}

/* What is not there is 0, as it is to INCR. */
static bool compare(int found, struct pxs_str value, struct pxs_str with, bool least)
{
	s64 n = 0, limit = 0;

	if (found < 0 || !pxs_str_int(with, &limit) || (found && !pxs_str_int(value, &n)))
		return false;
	return least ? n >= limit : n <= limit;
}

static bool is_of_type(struct pxs_db *db, struct pxs_str key, struct pxs_str type)
{
	static const char *const words[] = { "none", "string", "hash" };
	struct pxs_rec rec;

	return pxs_str_is(type, words[pxs_db_find(db, key, &rec) ? rec.type : PXS_TYPE_NONE]);
}

static bool holds(struct pxs_db *db, const struct pxs_saga_part *p)
{
	struct pxs_str value = { NULL, 0 }, last = p->argv[p->argc - 1];
	int found;

	if (p->check->test == PXS_TEST_TYPE)
		return is_of_type(db, p->argv[0], last);
	found = fetch(db, p, &value);
	switch (p->check->test) {
	case PXS_TEST_EXISTS:
	case PXS_TEST_HEXISTS:
		return found > 0;
	case PXS_TEST_MISSING:
	case PXS_TEST_HMISSING:
		return !found;
	case PXS_TEST_EQUALS:
	case PXS_TEST_HEQUALS:
		return found > 0 && pxs_str_equal(value, last);
	case PXS_TEST_MIN:
	case PXS_TEST_HMIN:
		return compare(found, value, last, true);
	default:
		return compare(found, value, last, false);
	}
}

static bool check(struct pxs_db *db, const struct pxs_saga_part *p, struct pxs_saga_reason *why)
{
	char words[160];
	int len = 0;
	u32 i;

	if (holds(db, p))
		return true;
	for (i = 0; i < p->argc; i++)
		len += snprintf(words + len, sizeof(words) - (size_t)len, " %.*s",
				(int)min(p->argv[i].len, 48u), (const char *)p->argv[i].data);
	say(why, "CHECK %s%s does not hold", p->check->word, words);
	return false;
}

/* --- commands of a step ---------------------------------------------------------------- */

/*
 * What they answer is of no interest, but for the words of an error. They have their room, so that
 * memory decides nothing that is state.
 */
static bool run(struct pxs_db *db, const struct pxs_saga_part *p, struct pxs_saga_reason *why)
{
	static u8 text[2048];
	struct pxs_reply out = {
		.buf = text, .room = sizeof(text), .limit = sizeof(text), .proto = 2,
	};
	struct pxs_run x = {
		.db = db, .out = &out, .cmd = p->cmd, .argc = p->argc, .argv = p->argv,
		.now = db->now,
	};
	const u8 *end;

	p->cmd->run(&x);
	if (!out.errors)
		return true;
	end = memchr(text, '\r', out.len);
	say(why, "%s: %.*s", p->cmd->name, end && text[0] == '-' ? (int)(end - text) - 1 : 0,
	    (const char *)text + 1);
	return false;
}

/* The parts of @kind of a step, in order, until one does not do. Return: all did. */
static bool run_parts(struct pxs_db *db, const struct pxs_saga_step *s, const struct pxs_str *argv,
		      enum pxs_saga_part_kind kind, bool full, struct pxs_saga_reason *why)
{
	struct pxs_saga_part p;
	u32 at = s->from;

	while (at < s->to && !db->err) {
		pxs_assert(!pxs_saga_part(s->to, argv, &at, &p));
		if (p.kind != kind)
			continue;
		if (kind == PXS_PART_CHECK && !check(db, &p, why))
			return false;
		if (kind == PXS_PART_CHECK)
			continue;
		if (full && p.cmd->flags & PXS_CF_GROWS) {
			say(why, "%s: OOM command not allowed when used memory > 'maxmemory'.",
			    p.cmd->name);
			return false;
		}
		if (!run(db, &p, why))
			return false;
	}
	return true;
}

bool pxs_saga_load(struct pxs_db *db, const struct pxs_saga *g, struct pxs_saga_def *def,
		   const struct pxs_str **argv)
{
	u32 at, argc = pxs_db_saga_words(db, g, argv);

	if (db->err)
		return false;
	if (argc && !pxs_saga_parse(argc, *argv, def, &at) && g->step < def->nsteps)
		return true;
	db->err = -EUCLEAN;
	return false;
}

void pxs_saga_turn_around(struct pxs_db *db, struct pxs_saga *g, enum pxs_saga_event event,
			  struct pxs_str why)
{
	u32 step = g->step;

	set_reason(&g->reason, why);
	pxs_saga_turn(g, db->now);
	pxs_db_saga_put(db, g, event, step, why);
}

/* Is a transaction over several groups in the way? Then the step is tried again later. */
static bool locked(struct pxs_db *db, const struct pxs_saga_step *s, const struct pxs_str *argv)
{
	struct pxs_saga_part p;
	u32 at = s->from;

	while (db->state.locks && at < s->to && !pxs_saga_part(s->to, argv, &at, &p)) {
		if (p.kind == PXS_PART_CHECK && pxs_cross_locked_key(db, p.argv[0]))
			return true;
		if ((p.kind == PXS_PART_DO || p.kind == PXS_PART_UNDO) &&
		    pxs_cross_locked(db, p.cmd, p.argc, p.argv))
			return true;
	}
	return false;
}

static void do_step(struct pxs_db *db, struct pxs_saga *g, bool full)
{
	static const struct pxs_str nothing;
	struct pxs_saga_reason why = { 0 };
	static struct pxs_saga_def def;
	const struct pxs_saga_step *s;
	const struct pxs_str *argv;
	struct pxs_db_part part;
	u32 step = g->step;
	bool did;

	if (!pxs_saga_load(db, g, &def, &argv))
		return;
	s = &def.step[step];
	if (locked(db, s, argv) || !pxs_db_part_begin(db, &part))
		return;
	did = run_parts(db, s, argv, PXS_PART_CHECK, full, &why) &&
	      run_parts(db, s, argv, PXS_PART_DO, full, &why);
	pxs_db_part_end(db, &part, did);
	if (db->err || !pxs_db_saga_get(db, g->number, g))
		return;
	if (!did) {
		pxs_saga_turn_around(db, g, PXS_EVENT_FAILED, pxs_saga_words(&why));
		return;
	}
	pxs_saga_did(g, s->wait, db->now);
	pxs_db_saga_put(db, g, s->wait ? PXS_EVENT_WAITS : PXS_EVENT_DID, step, nothing);
}

/* Never refused for want of memory: a saga must be able to end. */
static void undo_step(struct pxs_db *db, struct pxs_saga *g)
{
	static const struct pxs_str nothing;
	struct pxs_saga_reason why = { 0 };
	static struct pxs_saga_def def;
	const struct pxs_str *argv;
	struct pxs_db_part part;
	u32 step = g->step;
	bool did;

	if (!pxs_saga_load(db, g, &def, &argv) || locked(db, &def.step[step], argv) ||
	    !pxs_db_part_begin(db, &part))
		return;
	did = run_parts(db, &def.step[step], argv, PXS_PART_UNDO, false, &why);
	pxs_db_part_end(db, &part, did);
	if (db->err || !pxs_db_saga_get(db, g->number, g))
		return;
	if (did) {
		pxs_saga_undid(g, db->now);
		pxs_db_saga_put(db, g, PXS_EVENT_UNDID, step, nothing);
		return;
	}
	set_reason(&g->trouble, pxs_saga_words(&why));
	pxs_saga_undo_failed(g, db->now);
	pxs_db_saga_put(db, g, PXS_EVENT_NOT_UNDONE, step, pxs_saga_words(&why));
}

void pxs_saga_step(struct pxs_db *db, const struct pxs_store_entry *e)
{
	struct pxs_saga g;

	if (!pxs_db_saga_get(db, e->client, &g))
		return;
	switch (pxs_saga_next(&g, e->seq, db->now)) {
	case PXS_ACT_DO:
		do_step(db, &g, pxs_store_full(db, e));
		break;
	case PXS_ACT_UNDO:
		undo_step(db, &g);
		break;
	case PXS_ACT_EXPIRE:
		pxs_saga_turn_around(db, &g, PXS_EVENT_EXPIRED, pxs_str("the deadline has passed"));
		break;
	case PXS_ACT_NOTHING:
		break;
	}
}
