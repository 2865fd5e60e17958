// SPDX-License-Identifier: GPL-2.0
/*
 * absent.c - MSETNX
 *
 * Pools of keys, one of each group, that nobody deletes: some clients want some of them, each with
 * its token. In the end a key has the token of one of them. Who was told 1 has all that it wanted,
 * who was told 0 has none, for there was one of another, who came before; of what is not known it
 * is all or none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define PER_POOL	5u	/* operations */
#define KEY_MAX		32u
#define NOBODY		(~0u)

static const char *key_of(char text[KEY_MAX], u32 pool, u32 group)
{
	snprintf(text, KEY_MAX, "%sm%u", sim.saga_key[group], pool);
	return text;
}

/* Often those of one group are wanted alone. */
void ss_absent_begin(struct ss_client *c)
{
	c->op->pool = sim.absent++ / PER_POOL;
	c->op->wants = 1 + (u32)ss_random((1u << SS_GROUPS) - 1);
}

void ss_absent_say(struct ss_client *c)
{
	const char *words[1 + 2 * SS_GROUPS] = { "MSETNX" };
	char key[SS_GROUPS][KEY_MAX];
	u32 i, n = 1;

	for (i = 0; i < SS_GROUPS; i++) {
		if (!(c->op->wants >> i & 1))
			continue;
		words[n++] = key_of(key[i], c->op->pool, i);
		words[n++] = ss_token(c->op);
	}
	ss_client_say(c, n, words);
}

void ss_absent_answered(struct ss_client *c, s64 number)
{
	if (number != 0 && number != 1)
		ss_fail("client %u: MSETNX is answered %lld", c->i, (long long)number);
	c->op->took = number;
	sim.stat.taken += number == 1;
	sim.stat.there += !number;
}

/* Who has the key of a pool in the end; NOBODY: it is not there. */
static u32 owner(u32 pool, u32 group)
{
	char key[KEY_MAX], *text = ss_state_value(&sim.node[0], key_of(key, pool, group));
	unsigned int id = NOBODY;

	if (text && (sscanf(text, "%4x.", &id) != 1 || id >= sim.nops ||
		     sim.op[id].kind != SS_ABSENT || sim.op[id].pool != pool ||
		     !(sim.op[id].wants >> group & 1)))
		ss_fail("%s holds %.8s, which nobody has put there", key, text);
	free(text);
	return id;
}

bool ss_absent_look(u32 id)
{
	const struct ss_op *op = &sim.op[id];
	u32 i, has = 0, others = 0, wants = 0, who;

	for (i = 0; i < SS_GROUPS && !sim.failed; i++) {
		if (!(op->wants >> i & 1))
			continue;
		who = owner(op->pool, i);
		wants++;
		has += who == id;
		others += who != id && who != NOBODY && sim.op[who].begun < op->ended;
	}
	if (sim.failed)
		return false;
	if (has && has < wants)
		ss_fail("operation %u has %u of %u keys that it wanted", id, has, wants);
	else if (op->outcome == SS_DONE && op->took != (has > 0))
		ss_fail("operation %u was told %u, and has %u of its keys", id, op->took, has);
	else if (op->outcome == SS_DONE && !op->took && !others)
		ss_fail("operation %u was told that a key is there, and none was", id);
	else if (op->outcome == SS_NOT_DONE && has)
		ss_fail("operation %u was refused, and took effect", id);
	return has || op->outcome == SS_DONE;
}

/* Where just one other can have been in its way, that one came before. */
static u32 in_the_way(u32 id)
{
	const struct ss_op *op = &sim.op[id];
	u32 i, who, found = NOBODY;

	for (i = 0; i < SS_GROUPS; i++) {
		if (!(op->wants >> i & 1))
			continue;
		who = owner(op->pool, i);
		if (who == NOBODY)
			continue;
		if (found != NOBODY && found != who)
			return NOBODY;
		found = who;
	}
	return found;
}

void ss_absent_orders(void (*before)(u32 a, u32 b))
{
	u32 id, who;

	for (id = 0; id < sim.nops; id++) {
		if (sim.op[id].kind != SS_ABSENT || sim.op[id].outcome != SS_DONE ||
		    sim.op[id].took)
			continue;
		who = in_the_way(id);
		if (who != NOBODY)
			before(who, id);
	}
}
