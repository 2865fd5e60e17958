// SPDX-License-Identifier: GPL-2.0
/*
 * moves.c - RENAME and RENAMENX over groups, and MSETNX among other commands
 *
 * Pools of keys, one of each group. Some clients put their token there, some move what is at one
 * key to another, some read all of them. What they were answered, and what is there in the end,
 * must be what one after the other would have been told, in an order in which no one comes before
 * one that ended before it began: all orders of a pool are tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define PER_POOL	8u	/* operations */
#define KEY_MAX		32u
#define NOBODY		(~0u)
#define LARGE		17000u	/* bytes of a value that comes in parts */

enum { PUT, RENAME, RENAME_NEW, READ, PUT_NEW, MIX, VERBS };

enum { NO = 0, YES = 1, NO_KEY = 2 };	/* op->took */

struct content {
	u32 of[SS_GROUPS];	/* whose token; NOBODY: it is not there */
};

static const char *key_of(char text[KEY_MAX], u32 pool, u32 group)
{
	snprintf(text, KEY_MAX, "%sr%u", sim.saga_key[group], pool);
	return text;
}

static u32 third(const struct ss_op *op)
{
	return SS_GROUPS - op->from - op->to;
}

/* --- what is asked -------------------------------------------------------------------- */

void ss_move_begin(struct ss_client *c)
{
	static const u8 often[] = { PUT, PUT, RENAME, RENAME, RENAME, RENAME_NEW, RENAME_NEW,
				    READ, READ, PUT_NEW, MIX };
	struct ss_op *op = c->op;

	op->pool = sim.moves / PER_POOL;
	op->verb = sim.moves++ % PER_POOL ? often[ss_random(ARRAY_SIZE(often))] : PUT;
	op->from = (u32)ss_random(SS_GROUPS);
	op->to = (op->from + 1 + (u32)ss_random(SS_GROUPS - 1)) % SS_GROUPS;
	op->exec = op->verb >= PUT_NEW;
}

static void say(struct ss_client *c, const char *word, u32 a, u32 b, const char *more)
{
	char keys[2][KEY_MAX];
	const char *words[5] = { word, key_of(keys[0], c->op->pool, a) };
	u32 n = 2;

	if (more)
		words[n++] = more;
	if (b != NOBODY)
		words[n++] = key_of(keys[1], c->op->pool, b);
	if (more && b != NOBODY)
		words[n++] = more;
	ss_client_say(c, n, words);
}

static void say_read(struct ss_client *c)
{
	char key[SS_GROUPS][KEY_MAX];
	const char *words[1 + SS_GROUPS] = { "MGET" };
	u32 i;

	for (i = 0; i < SS_GROUPS; i++)
		words[1 + i] = key_of(key[i], c->op->pool, i);
	ss_client_say(c, 1 + SS_GROUPS, words);
}

static void say_put(struct ss_client *c, u32 group)
{
	static char value[LARGE + 1];
	u32 len = (u32)sprintf(value, "%s", ss_token(c->op));

	if (ss_chance(100)) {
		memset(value + len, 'x', LARGE - len);
		value[LARGE] = 0;
	}
	say(c, "SET", group, NOBODY, value);
}

/* By itself, or behind MULTI. */
void ss_move_say(struct ss_client *c)
{
	const struct ss_op *op = c->op;

	switch (op->verb) {
	case PUT:
		say_put(c, op->to);
		break;
	case READ:
		say_read(c);
		break;
	case PUT_NEW:
		say(c, "MSETNX", op->from, op->to, ss_token(op));
		break;
	case MIX:
		say(c, "RENAME", op->from, op->to, NULL);
		say_put(c, third(op));
		break;
	default:
		say(c, op->verb == RENAME ? "RENAME" : "RENAMENX", op->from, op->to, NULL);
	}
}

/* --- what is answered ------------------------------------------------------------------- */

static u32 id_of(const char *text, u32 pool)
{
	unsigned int id;

	if (!text)
		return NOBODY;
	if (sscanf(text, "%4x.", &id) != 1 || id >= sim.nops || sim.op[id].kind != SS_MOVES ||
	    sim.op[id].pool != pool) {
		ss_fail("in pool %u is %.8s, which nobody has put there", pool, text);
		return NOBODY;
	}
	return id;
}

void ss_move_answered(struct ss_client *c, u32 at)
{
	struct ss_op *op = c->op;
	s64 number;
	char *text;
	u32 i;

	if (op->exec && c->in.buf[at + 1] == '-')
		ss_fail("client %u: EXEC is answered nil, and nothing was watched", c->i);
	if (op->exec || op->verb == READ)
		at = ss_first_of_array(c, at);
	for (i = 0; op->verb == READ && i < SS_GROUPS; i++) {
		text = ss_take(c, &at, &number);
		op->saw[i] = id_of(text, op->pool);
		free(text);
	}
	if (op->verb == READ)
		return;
	if (c->in.buf[at] == '-')
		op->took = NO_KEY;
	else
		op->took = c->in.buf[at] != ':' || c->in.buf[at + 1] == '1' ? YES : NO;
	sim.stat.moved += op->took == YES && op->verb != PUT;
	sim.stat.unmoved += op->took != YES;
}

/* --- whether it fits ---------------------------------------------------------------------- */

struct search {
	const struct ss_op *op[PER_POOL];
	u32 n;
	struct content end;
};

/* What it would be told. */
static u32 rename_in(struct content *c, const struct ss_op *op, bool only_new)
{
	if (c->of[op->from] == NOBODY)
		return NO_KEY;
	if (only_new && c->of[op->to] != NOBODY)
		return NO;
	c->of[op->to] = c->of[op->from];
	c->of[op->from] = NOBODY;
	return YES;
}

/* @op is the next one in @c. Return: it was answered so, if it was. */
static bool next_is(struct content *c, const struct ss_op *op)
{
	u32 id = (u32)(op - sim.op), told = YES;

	switch (op->verb) {
	case PUT:
		c->of[op->to] = id;
		break;
	case READ:
		return !memcmp(c->of, op->saw, sizeof(c->of));
	case PUT_NEW:
		told = c->of[op->from] == NOBODY && c->of[op->to] == NOBODY ? YES : NO;
		if (told == NO)
			break;
		c->of[op->from] = id;
		c->of[op->to] = id;
		break;
	default:
		told = rename_in(c, op, op->verb == RENAME_NEW);
		if (op->verb == MIX)
			c->of[third(op)] = id;
	}
	return op->outcome == SS_UNKNOWN || op->took == told;
}

/* Has one that is not done yet, of @left, ended before @op began? */
static bool comes_too_early(const struct search *s, u32 left, const struct ss_op *op)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if (left >> i & 1 && s->op[i]->outcome == SS_DONE && s->op[i]->ended < op->begun)
			return true;
	return false;
}

/* Those of @left in some order, from @c on; of what is not known each may have been or not. */
static bool fits(const struct search *s, u32 left, const struct content *c)
{
	struct content then;
	bool known = false;
	u32 i;

	for (i = 0; i < s->n; i++)
		known |= left >> i & 1 && s->op[i]->outcome == SS_DONE;
	if (!known && !memcmp(c, &s->end, sizeof(*c)))
		return true;
	for (i = 0; i < s->n; i++) {
		if (!(left >> i & 1) || comes_too_early(s, left, s->op[i]))
			continue;
		then = *c;
		if (next_is(&then, s->op[i]) && fits(s, left & ~(1u << i), &then))
			return true;
	}
	return false;
}

static void check_pool(u32 pool)
{
	struct content none;
	struct search s = { .n = 0 };
	char key[KEY_MAX], *text;
	u32 i;

	for (i = 0; i < sim.nops; i++)
		if (sim.op[i].kind == SS_MOVES && sim.op[i].pool == pool &&
		    (sim.op[i].outcome == SS_DONE ||
		     (sim.op[i].outcome == SS_UNKNOWN && sim.op[i].verb != READ)))
			s.op[s.n++] = &sim.op[i];
	for (i = 0; i < SS_GROUPS; i++) {
		text = ss_state_value(&sim.node[0], key_of(key, pool, i));
		s.end.of[i] = id_of(text, pool);
		none.of[i] = NOBODY;
		free(text);
	}
	if (!sim.failed && !fits(&s, (1u << s.n) - 1, &none))
		ss_fail("what was answered about the keys %s and its like fits into no order",
			key_of(key, pool, 0));
}

void ss_moves_check(void)
{
	u32 pool;

	for (pool = 0; pool * PER_POOL < sim.moves && !sim.failed; pool++)
		check_pool(pool);
}
