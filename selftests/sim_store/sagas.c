// SPDX-License-Identifier: GPL-2.0
/*
 * sagas.c - sagas among it
 *
 * A step leaves a letter in one string when it is done and in another when it is undone, so the
 * two say what happened in which order. And it moves something between two keys that transactions
 * over groups use, too.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"
#include "store/db_saga.h"

#define STEPS_MAX	4u
#define WORDS		80u

enum { FAILS_NOT, FAILS_CHECK, FAILS_COMMAND, FAILS_LATE };

static struct saga {
	u32 group, steps, amount;
	u32 fails, at;		/* how, and at which step */
	u64 number;		/* as it was answered; 0: not yet */
} saga[SS_OPS];

struct words {
	const char *at[WORDS];
	u32 n;
	char text[WORDS][24];
	u32 ntext;
};

static void put(struct words *w, const char *word)
{
	w->at[w->n++] = word;
}

__attribute__((format(printf, 2, 3)))
static void say(struct words *w, const char *fmt, ...)
{
	char *to = w->text[w->ntext++];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to, sizeof(w->text[0]), fmt, ap);
	va_end(ap);
	put(w, to);
}

/* KIND 3 COMMAND KEY VALUE, for a key of the saga's own: @mark and its id. */
static void say_letter(struct words *w, const struct saga *s, const char *kind, char mark, u32 step)
{
	put(w, kind);
	put(w, "3");
	put(w, "APPEND");
	say(w, "%s%c%u", sim.saga_key[s->group], mark, (u32)(s - saga));
	say(w, "%c", 'a' + (int)step);
}

static void say_amount(struct words *w, const struct saga *s, const char *kind, int amount)
{
	put(w, kind);
	put(w, "3");
	put(w, "INCRBY");
	put(w, sim.saga_key[s->group]);
	say(w, "%d", amount);
}

static void say_step(struct words *w, const struct saga *s, u32 i)
{
	/* What the first one takes the last one brings back. */
	int amount = i ? i + 1 == s->steps ? (int)s->amount : 0 : -(int)s->amount;
	bool fails = s->at == i;

	put(w, "STEP");
	say(w, "s%u", i);
	if (fails && s->fails == FAILS_LATE)
		put(w, "WAIT");
	if (fails && s->fails == FAILS_CHECK) {
		put(w, "CHECK");
		put(w, "EXISTS");
		say(w, "%snever", sim.saga_key[s->group]);
	}
	say_letter(w, s, "DO", 'd', i);
	if (amount)
		say_amount(w, s, "DO", amount);
	if (fails && s->fails == FAILS_COMMAND) {	/* letters are no number */
		put(w, "DO");
		put(w, "2");
		put(w, "INCR");
		say(w, "%sd%u", sim.saga_key[s->group], (u32)(s - saga));
	}
	say_letter(w, s, "UNDO", 'u', i);
	if (amount)
		say_amount(w, s, "UNDO", -amount);
}

static void make(struct saga *s)
{
	s->group = (u32)ss_random(SS_GROUPS);
	s->steps = 2 + (u32)ss_random(STEPS_MAX - 1);
	s->amount = 1 + (u32)ss_random(50);
	s->fails = ss_chance(500) ? FAILS_NOT : 1 + (u32)ss_random(3);
	s->at = (u32)ss_random(s->steps);
	s->number = 0;
}

void ss_saga_begin(struct ss_client *c)
{
	struct saga *s = &saga[c->op - sim.op];
	struct words w = { .n = 0 };
	u32 i;

	if (!c->op->exec)
		make(s);
	c->op->exec = true;
	put(&w, "PAXSTEER");
	put(&w, "SAGA");
	put(&w, "BEGIN");
	say(&w, "%s%u", sim.saga_key[s->group], (u32)(s - saga));
	if (s->fails == FAILS_LATE) {
		put(&w, "TIMEOUT");
		put(&w, "300");
	}
	for (i = 0; i < s->steps; i++)
		say_step(&w, s, i);
	ss_client_say(c, w.n, w.at);
}

/* The same once more, until there is an answer; then sometimes again, and it must be the same. */
bool ss_saga_answered(struct ss_client *c, u64 number)
{
	struct saga *s = &saga[c->op - sim.op];

	if (s->number && s->number != number)
		ss_fail("saga %u is number %llu, and then number %llu", (u32)(s - saga),
			U(s->number), U(number));
	if (s->number)
		return true;
	s->number = number;
	return !ss_chance(300);
}

/* --- how they end ------------------------------------------------------------------------ */

static bool is_begun(const struct saga *s)
{
	return sim.op[s - saga].kind == SS_SAGA && sim.op[s - saga].exec;
}

/* Return: there is one. @n's. */
static bool find(struct ss_node *n, const struct saga *s, struct pxs_saga *g)
{
	struct pxs_store *store = ss_store(n, s->group);
	char id[24];
	bool there;

	snprintf(id, sizeof(id), "%s%u", sim.saga_key[s->group], (u32)(s - saga));
	if (pxs_db_begin(&store->db, false)) {
		ss_fail("node %u cannot be read", n->i);
		return false;
	}
	there = pxs_db_saga_find(&store->db, pxs_str(id), g);
	pxs_db_abort(&store->db);
	return there;
}

bool ss_sagas_over(struct ss_node *n)
{
	struct pxs_saga g;
	u32 i;

	for (i = 0; i < sim.nops; i++)
		if (is_begun(&saga[i]) && find(n, &saga[i], &g) && !pxs_saga_over(&g))
			return false;
	return true;
}

/* What stands in the two strings, in letters; to free(). */
static char *letters(struct ss_node *n, const struct saga *s, char mark)
{
	char key[40], *text;

	snprintf(key, sizeof(key), "%s%c%u", sim.saga_key[s->group], mark, (u32)(s - saga));
	text = ss_state_value(n, key);
	return text ? text : calloc(1, 1);
}

static bool is_row(const char *text, u32 len, bool down)
{
	u32 i;

	if (strlen(text) != len)
		return false;
	for (i = 0; i < len; i++)
		if (text[i] != 'a' + (int)(down ? len - 1 - i : i))
			return false;
	return true;
}

/*
 * All is done, or what was done is undone, in the order in which it must be, each once. Where
 * memory is short any step may fail.
 */
static void check(struct ss_node *n, const struct saga *s)
{
	char *did = letters(n, s, 'd'), *undid = letters(n, s, 'u');
	struct pxs_saga g = { 0 };
	bool there = find(n, s, &g), good, whole;
	u32 len = (u32)strlen(did);

	if (!there)
		good = !s->number && !len && !*undid;
	else if (g.state == PXS_SAGA_DONE)
		good = is_row(did, s->steps, false) && !*undid && s->fails == FAILS_NOT;
	else
		good = g.state == PXS_SAGA_UNDONE && is_row(did, len, false) &&
		       is_row(undid, len, true) && s->fails != FAILS_NOT &&
		       (s->fails == FAILS_LATE ? len <= s->at + 1 : len == s->at);
	if (!good && !sim.full)
		ss_fail("saga %u of %u steps, at %u fails %u, is %s, did '%s' and undid '%s'",
			(u32)(s - saga), s->steps, s->at, s->fails,
			there ? pxs_saga_state_word(g.state) : "not there", did, undid);
	whole = is_row(did, len, false) &&
		(g.state == PXS_SAGA_DONE ? !*undid : is_row(undid, len, true));
	if (there && !whole)
		ss_fail("saga %u is %s, did '%s' and undid '%s'", (u32)(s - saga),
			pxs_saga_state_word(g.state), did, undid);
	sim.stat.sagas += there && g.state == PXS_SAGA_DONE;
	sim.stat.undone += there && g.state == PXS_SAGA_UNDONE;
	free(did);
	free(undid);
}

void ss_sagas_check(struct ss_node *n)
{
	s64 sum = 0;
	char *text;
	u32 i;

	for (i = 0; i < sim.nops && !sim.failed; i++)
		if (is_begun(&saga[i]))
			check(n, &saga[i]);
	for (i = 0; i < SS_GROUPS && !sim.failed; i++) {
		text = ss_state_value(n, sim.saga_key[i]);
		sum += text ? atoll(text) : 0;
		free(text);
	}
	if (sum && !sim.failed)
		ss_fail("all sagas are over, and their keys hold %lld more than before",
			(long long)sum);
}
