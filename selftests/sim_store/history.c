// SPDX-License-Identifier: GPL-2.0
/*
 * history.c - what must be so of all that was answered
 *
 * Each APPEND leaves its own token, so what a key holds in the end says in which order all that
 * appended to it came, and what a GET has seen says between which two of them it was. These orders
 * of all keys, and the order of question and answer, must fit into one: then the transactions are
 * strictly serializable. What was refused left no token, what was done left all, just one each; of
 * what is not known all or none are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define NOWHERE		(~0u)

static struct {
	char *text;
	u32 op[SS_OPS];		/* in their order */
	u32 n;
} list[SS_LISTS];

static u8 before[SS_OPS][SS_OPS];	/* the first comes before the second */
static bool here[SS_OPS];		/* it took effect */

static bool appends(const struct ss_op *op, u32 key)
{
	u32 i;

	for (i = 0; i < op->n; i++)
		if (op->access[i].append && op->access[i].key == key)
			return true;
	return false;
}

static bool read_list(u32 key)
{
	static bool seen[SS_OPS];
	const char *text = list[key].text;
	unsigned int id;
	size_t at, len = strlen(text);

	memset(seen, 0, sizeof(seen));
	list[key].n = 0;
	for (at = 0; at < len; at += SS_TOKEN) {
		if (sscanf(text + at, "%4x.", &id) != 1 || id >= sim.nops ||
		    !appends(&sim.op[id], key))
			ss_fail("list %s holds %.5s, which nobody has appended", sim.key[key],
				text + at);
		else if (seen[id])
			ss_fail("operation %u has happened twice: list %s", id, sim.key[key]);
		if (sim.failed)
			return false;
		seen[id] = true;
		list[key].op[list[key].n++] = id;
	}
	return true;
}

static u32 place_of(u32 key, u32 id)
{
	u32 i;

	for (i = 0; i < list[key].n; i++)
		if (list[key].op[i] == id)
			return i;
	return NOWHERE;
}

/* All of its tokens or none, as it was answered. */
static void check_whole(u32 id)
{
	const struct ss_op *op = &sim.op[id];
	u32 i, place, found = 0, lost = 0;

	for (i = 0; i < op->n; i++) {
		if (!op->access[i].append)
			continue;
		place = place_of(op->access[i].key, id);
		found += place != NOWHERE;
		lost += place == NOWHERE;
		if (op->outcome == SS_DONE && place + 1 != op->access[i].at)
			ss_fail("operation %u was told that it is number %u of list %s, and is %d",
				id, op->access[i].at, sim.key[op->access[i].key], (int)place + 1);
	}
	if (found && lost)
		ss_fail("operation %u is done in part: %u of %u tokens", id, found, found + lost);
	else if (found && op->outcome == SS_NOT_DONE)
		ss_fail("operation %u was refused, and took effect", id);
	here[id] = found || op->outcome == SS_DONE;
}

static void add(u32 a, u32 b)
{
	if (a != b)
		before[a][b] = 1;
}

static void add_read(u32 id, const struct ss_access *a)
{
	u32 len = (u32)strlen(a->text), n = len / SS_TOKEN;

	if (strncmp(a->text, list[a->key].text, len) || len % SS_TOKEN) {
		ss_fail("operation %u has read in %s what was never there: ...%s", id,
			sim.key[a->key], a->text + (len > 40 ? len - 40 : 0));
		return;
	}
	if (n)
		add(list[a->key].op[n - 1], id);
	if (n < list[a->key].n)
		add(id, list[a->key].op[n]);
}

static void add_orders(void)
{
	u32 i, k;

	for (k = 0; k < SS_LISTS; k++)
		for (i = 1; i < list[k].n; i++)
			add(list[k].op[i - 1], list[k].op[i]);
	for (i = 0; i < sim.nops; i++)
		for (k = 0; here[i] && k < sim.op[i].n; k++)
			if (sim.op[i].access[k].text)
				add_read(i, &sim.op[i].access[k]);
	ss_absent_orders(add);
	for (i = 1; i < sim.nops; i++)
		if (sim.op[i].follows && here[i] && here[i - 1])
			add(i - 1, i);
	for (i = 0; i < sim.nops; i++)
		for (k = 0; k < sim.nops; k++)
			if (here[i] && here[k] && sim.op[i].outcome == SS_DONE &&
			    sim.op[i].ended < sim.op[k].begun)
				add(i, k);
}

/* Every one that is left has one before it: going back from any of them ends in a circle. */
static void tell_circle(const bool *left)
{
	u32 at = 0, i, k, n = 0;
	char text[200] = "";

	while (!left[at])
		at++;
	for (k = 0; k < sim.nops + 8; k++) {
		for (i = 0; !(left[i] && before[i][at]); i++)
			;
		at = i;
		if (k >= sim.nops && n < sizeof(text) - 16)
			n += (u32)sprintf(text + n, " %u", at);
	}
	ss_fail("not serializable: a circle of operations, each before the one that stands left of it:%s",
		text);
}

static void check_order(void)
{
	static u32 waits[SS_OPS], ready[SS_OPS];
	static bool left[SS_OPS];
	u32 i, k, n = 0, ended = 0, all = 0;

	memset(waits, 0, sizeof(waits));
	for (i = 0; i < sim.nops; i++)
		for (k = 0; k < sim.nops; k++)
			waits[k] += before[i][k];
	for (i = 0; i < sim.nops; i++) {
		left[i] = here[i];
		all += here[i];
		if (here[i] && !waits[i])
			ready[n++] = i;
	}
	while (ended < n) {
		i = ready[ended++];
		left[i] = false;
		for (k = 0; k < sim.nops; k++)
			if (before[i][k] && !--waits[k])
				ready[n++] = k;
	}
	if (ended < all)
		tell_circle(left);
}

/* An operation with two reads is one that took effect even if it has no token. */
static bool is_of_lists(const struct ss_op *op)
{
	return op->kind == SS_APPENDS || op->kind == SS_ONCE || op->kind == SS_READS ||
	       op->kind == SS_WATCH;
}

void ss_history_check(void)
{
	u32 i;

	memset(before, 0, sizeof(before));
	memset(here, 0, sizeof(here));
	for (i = 0; i < SS_LISTS; i++) {
		list[i].text = ss_state_value(&sim.node[0], sim.key[i]);
		if (!list[i].text)
			list[i].text = calloc(1, 1);
	}
	for (i = 0; i < SS_LISTS && !sim.failed; i++)
		read_list(i);
	for (i = 0; i < sim.nops && !sim.failed; i++)
		if (is_of_lists(&sim.op[i]))
			check_whole(i);
		else if (sim.op[i].kind == SS_ABSENT)
			here[i] = ss_absent_look(i);
	if (!sim.failed)
		add_orders();
	if (!sim.failed)
		check_order();
	if (!sim.failed)
		ss_moves_check();
	for (i = 0; i < SS_LISTS; i++)
		free(list[i].text);
}
