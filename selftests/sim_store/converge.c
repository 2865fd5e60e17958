// SPDX-License-Identifier: GPL-2.0
/*
 * converge.c - what must be so of the tables of eventual keys
 *
 * Each table is looked through when a commit may have changed it, and when its member starts: the
 * version of an element never goes back, whatever happens to the member, and what is gone was dead
 * or covered before. The highest version that a table with a future has ever had is what all of
 * them come to. A table that is lost takes with it what no other one had.
 */
#include <stdio.h>
#include <string.h>

#include "sim_store.h"

static struct ss_kept kept[SS_NODES][SS_EV_ELEMENTS];
static struct ss_kept must[SS_EV_ELEMENTS];
static u64 marks[SS_NODES];
static bool deadlines[SS_NODES];
static struct ss_kept now[SS_EV_ELEMENTS];	/* of the table at hand */

static int order(const struct ss_kept *a, const struct ss_kept *b)
{
	return pxs_stamp_compare(&a->stamp, &b->stamp);
}

static u32 whole_of(u32 i)
{
	return i - i % SS_EV_OF_KEY;
}

const struct ss_kept *ss_converge_kept(const struct ss_node *n)
{
	return kept[n->i];
}

/* --- reading a table ------------------------------------------------------------------------ */

static u32 number_in(struct pxs_str value)
{
	u32 n = 0, i;

	for (i = 0; i < value.len && value.data[i] >= '0' && value.data[i] <= '9'; i++)
		n = 10 * n + value.data[i] - '0';
	return n;
}

static bool see(void *ctx, const struct pxs_element *e)
{
	u32 i = ss_eventual_element(e->key, e->field, e->kind == PXS_LWW_WHOLE);

	(void)ctx;
	if (i == SS_EV_ELEMENTS || now[i].here) {
		ss_fail("a table of eventual keys has %s", now[i].here ? "an element twice" :
			"what nobody wrote");
		return false;
	}
	now[i] = (struct ss_kept){
		.stamp = e->stamp, .deadline = e->deadline, .dead = e->dead, .here = true,
		.op = number_in(e->value),
	};
	return true;
}

static bool read_table(struct pxs_eventual *ev)
{
	struct pxs_evtx tx;

	memset(now, 0, sizeof(now));
	if (pxs_evdb_begin(&ev->db, &tx, false))
		return false;
	pxs_evdb_changes(&tx, 0, see, NULL);
	pxs_evdb_abort(&tx);
	return !tx.err;
}

/* --- one element --------------------------------------------------------------------------- */

/* A string is dead by its deadline, or by a field that is newer. */
static bool may_die(const struct ss_kept *all, u32 i, u64 clock)
{
	u32 f;

	if (all[i].deadline && all[i].deadline < max(clock, SS_EPOCH_MS + sim.now + sim.skew))
		return true;
	for (f = i + 1; i == whole_of(i) && f < i + SS_EV_OF_KEY; f++)
		if (max(order(&now[f], &all[i]), order(&all[f], &all[i])) > 0)
			return true;
	return false;
}

/* Of an element that is not here any more. */
static bool may_go(const struct ss_kept *all, u32 i)
{
	return !all[i].stamp.time || all[i].dead ||
	       (i != whole_of(i) && order(&all[i], &all[whole_of(i)]) <= 0);
}

static void compare(const struct ss_node *n, u32 i, u64 clock)
{
	struct ss_kept *k = &kept[n->i][i];
	int o = order(&now[i], k);

	if (!now[i].here) {
		if (!may_go(kept[n->i], i))
			ss_fail("node %u: element %u is gone, and was alive", n->i, i);
		k->here = false;
		return;
	}
	if (o < 0)
		ss_fail("node %u: element %u goes back by %lld", n->i, i,
			(long long)(k->stamp.time - now[i].stamp.time));
	else if (i != whole_of(i) && order(&now[i], &kept[n->i][whole_of(i)]) <= 0)
		ss_fail("node %u: field %u is there, and older than the key's last write", n->i, i);
	else if (!o && k->dead && !now[i].dead)
		ss_fail("node %u: element %u is alive again", n->i, i);
	else if (!o && !k->dead && now[i].dead && !may_die(kept[n->i], i, clock))
		ss_fail("node %u: element %u is dead, and nobody said so", n->i, i);
	*k = now[i];
}

static void check_whole(const struct ss_node *n, u32 i)
{
	u32 f;

	for (f = i + 1; !now[i].dead && f < i + SS_EV_OF_KEY; f++)
		if (now[f].here && order(&now[f], &now[i]) > 0)
			ss_fail("node %u: element %u is a string, and has a field that is newer",
				n->i, i);
}

/* The same write is the same everywhere, but for having died. */
static void note(const struct ss_node *n, u32 i)
{
	const struct ss_kept *k = &kept[n->i][i];
	int o = order(k, &must[i]);

	if (!o && !k->dead && !must[i].dead &&
	    (k->op != must[i].op || k->deadline != must[i].deadline))
		ss_fail("node %u: element %u has another value or deadline than elsewhere", n->i, i);
	if (o > 0 || (!o && k->dead))
		must[i] = *k;
}

void ss_converge_look(struct ss_node *n)
{
	struct pxs_eventual *ev;
	u32 i;

	if (!sim.eventual || sim.failed)
		return;
	ev = ss_store(n, 0)->eventual;
	marks[n->i] = ev->db.state.dead;
	if (!n->looks)
		return;
	n->looks = false;
	if (!read_table(ev)) {
		ss_fail("node %u: its eventual keys cannot be read", n->i);
		return;
	}
	deadlines[n->i] = false;
	for (i = 0; i < SS_EV_ELEMENTS; i++) {
		compare(n, i, pxs_stamp_ms(ev->db.state.clock));
		if (now[i].here && i == whole_of(i))
			check_whole(n, i);
		deadlines[n->i] |= now[i].deadline;
		if (!ss_members_gone(n))
			note(n, i);
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

void ss_converge_init(void)
{
	memset(kept, 0, sizeof(kept));
	memset(must, 0, sizeof(must));
	memset(marks, 0, sizeof(marks));
	memset(deadlines, 0, sizeof(deadlines));
}

/* What no other table has is lost, unless it is told yet by who has not heard of that. */
void ss_converge_gone(void)
{
	u32 i, k;

	memset(must, 0, sizeof(must));
	for (k = 0; k < SS_NODES; k++)
		for (i = 0; i < SS_EV_ELEMENTS && !ss_members_gone(&sim.node[k]); i++)
			note(&sim.node[k], i);
}

void ss_converge_told(const struct ss_node *n, const struct ss_node *by)
{
	const struct ss_kept *here = kept[n->i], *there = kept[by->i];
	u32 i;

	for (i = 0; i < SS_EV_ELEMENTS; i++)
		if (there[i].here && order(&here[i], &there[i]) < 0 &&
		    (i == whole_of(i) || order(&here[whole_of(i)], &there[i]) < 0))
			ss_fail("node %u was removed, has told node %u all that it had, and element %u is not there",
				by->i, n->i, i);
}

void ss_converge_lost(const struct ss_node *n)
{
	memset(kept[n->i], 0, sizeof(kept[n->i]));
	ss_converge_gone();
}

/* What must be there is, or a mark, or nothing in place of a mark. */
static bool has_all(const struct ss_node *n)
{
	const struct ss_kept *k = kept[n->i];
	bool over;
	u32 i;

	for (i = 0; i < SS_EV_ELEMENTS; i++) {
		over = must[i].dead || (i != whole_of(i) &&
					order(&must[i], &must[whole_of(i)]) <= 0);
		if (k[i].here ? order(&k[i], &must[i]) : must[i].stamp.time && !over)
			return false;
	}
	return true;
}

bool ss_converge_same(void)
{
	u32 i;

	for (i = 0; i < SS_NODES; i++)
		if (!sim.node[i].up || !has_all(&sim.node[i]))
			return false;
	return true;
}

bool ss_converge_clean(void)
{
	u32 i;

	for (i = 0; i < SS_NODES; i++)
		if (marks[i] || deadlines[i])
			return false;
	return ss_converge_same();
}

/* Who has a mark no more has no place for it in the sums either; and all was told. */
void ss_converge_end(void)
{
	const struct pxs_eventual *ev;
	u32 i, k;

	for (i = 0; i < SS_NODES && !sim.failed; i++) {
		ev = ss_store(&sim.node[i], 0)->eventual;
		sim.stat.swept += ev->swept;
		for (k = 0; k < ev->peers; k++)
			sim.stat.pulled += ev->pull[k].merged;
		if (ev->fenced)
			ss_fail("node %u: eventual keys stand still", i);
	}
}
