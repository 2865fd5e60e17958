// SPDX-License-Identifier: GPL-2.0
/*
 * world.c - a schedule: steps of time, what goes wrong, the end
 *
 * Twice: a while in which things go wrong, then all is well and clients ask nothing new. Then no
 * key may stay locked, and everybody gets his answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define PHASES		2u
#define START_MS	600u	/* until the groups have their maps: nothing goes wrong */

struct ss sim;

/* xorshift64* */
u64 ss_random(u64 below)
{
	sim.rng ^= sim.rng >> 12;
	sim.rng ^= sim.rng << 25;
	sim.rng ^= sim.rng >> 27;
	return (sim.rng * 0x2545f4914f6cdd1dull >> 32) % below;
}

/* --- what goes wrong ------------------------------------------------------------------ */

static void set_clock(struct ss_node *n)
{
	n->skew = (s64)ss_random(2 * sim.skew + 1) - (s64)sim.skew;
}

/* One log comes late to one node: often, for others wait for what stands there. */
static void fall_behind(void)
{
	struct ss_node *n = &sim.node[ss_random(SS_NODES)];

	n->deaf[ss_random(SS_GROUPS)] = sim.now + ss_random(300);
	sim.stat.deaf++;
}

/* A disk of its own. What nobody had asked for is gone with it. */
static void lose_table(struct ss_node *n)
{
	char path[300];

	ss_trace("node %u has lost its eventual keys", n->i);
	snprintf(path, sizeof(path), "%s/%u-1/eventual", ss_dir, n->i);
	ss_remove(path);
	ss_eventual_lost(n);
	ss_converge_lost(n);
	sim.stat.tables++;
}

static void go_wrong(void)
{
	struct ss_node *n = &sim.node[ss_random(SS_NODES)];
	u64 until = sim.now + (ss_chance(200) ? 200 + ss_random(3000) : 10 + ss_random(150));
	bool power;

	if (sim.changes && ss_chance(300)) {
		ss_members_change();
		return;
	}
	if (!n->up)
		return;
	switch (ss_random(7)) {
	case 0:
	case 1:
		power = ss_chance(250);
		ss_trace("node %u dies%s", n->i, power ? ", its machine too" : "");
		ss_node_crash(n, power);
		n->up_at = until;
		if (ss_eventual_loses())
			lose_table(n);
		sim.stat.crashes++;
		break;
	case 2:
	case 3:
		ss_trace("node %u is cut off until %llu", n->i, U(until));
		n->cut = until;
		sim.stat.cuts++;
		break;
	case 4:
		set_clock(n);
		ss_trace("the clock of node %u is %lld ms ahead now", n->i, (long long)n->skew);
		sim.stat.jumps++;
		break;
	default:
		ss_trace("node %u sleeps until %llu", n->i, U(until));
		n->asleep = until;
		sim.stat.sleeps++;
	}
}

static void step(void)
{
	struct ss_node *n;
	u32 i, first = (u32)ss_random(SS_NODES);

	sim.now += 1 + ss_random(2 * SS_STEP_MS);
	sim.stat.steps++;
	if (!sim.calm && ss_chance(sim.wild))
		go_wrong();
	if (!sim.calm && ss_chance(sim.wild))
		fall_behind();
	ss_log_step();
	ss_clients_step();
	ss_eventual_step();
	for (i = 0; i < SS_NODES && !sim.failed; i++) {
		n = &sim.node[(first + i) % SS_NODES];
		if (!n->up && sim.now >= n->up_at)
			ss_node_start(n);
		if (n->up)
			ss_members_hear(n);
		if (n->up && sim.now >= n->asleep && ss_chance(800))
			ss_node_round(n);
	}
}

static void run_until(u64 end)
{
	while (sim.now < end && !sim.failed)
		step();
}

/* --- all is well ---------------------------------------------------------------------- */

static void heal(void)
{
	u32 i;

	for (i = 0; i < SS_NODES; i++) {
		sim.node[i].up_at = min(sim.node[i].up_at, sim.now);
		sim.node[i].cut = 0;
		sim.node[i].asleep = 0;
		memset(sim.node[i].deaf, 0, sizeof(sim.node[i].deaf));
	}
	ss_members_heal();
	ss_wires_heal();
	sim.calm = true;
	sim.last = true;
	ss_trace("all is well from now on");
}

static bool all_up(void)
{
	u32 i, up = 0;

	for (i = 0; i < SS_NODES; i++)
		up += sim.node[i].up;
	return up == SS_NODES;
}

static void tell_locked(u64 ms)
{
	const struct pxs_store *s;
	u32 i;

	for (i = 0; i < SS_NODES; i++)
		for (s = sim.node[i].node.stores; s; s = s->next)
			if (s->db.state.locks) {
				ss_fail("a key of group %u is locked, %llu ms after all is well",
					s->replica->id, U(ms));
				return;
			}
}

static void settle(void)
{
	u64 start = sim.now, ms = 0, skew = sim.skew;
	bool free = false;

	while (!sim.failed && !(all_up() && ss_state_quiet(true) && ss_clients_idle() &&
				ss_eventual_idle())) {
		step();
		ms = sim.now - start;
		if (!free && all_up() && ss_state_quiet(false)) {
			free = true;
			sim.stat.orphan_ms = max(sim.stat.orphan_ms,
						 ms > 2 * skew ? ms - 2 * skew : 0);
		}
		if (!free && ms > SS_ORPHAN_MS + 2 * skew)
			tell_locked(ms);
		if (ms > SS_ANSWER_MS + 2 * skew && !sim.failed)
			ss_fail(ss_clients_idle() ? "%llu ms after all is well something goes on" :
				"%llu ms after all is well a client has no answer", U(ms));
	}
}

/* Nothing else goes on: time may go faster. Return: it did so within @limit ms. */
static bool wait_for(bool (*holds)(void), u64 limit)
{
	u64 start = sim.now;

	while (!sim.failed && !holds()) {
		if (sim.now - start > limit)
			return false;
		sim.now += ss_random(8 * SS_STEP_MS);
		step();
	}
	return true;
}

/* Virtual ms since @start, but for what they may be more by. */
static u64 beyond(u64 start, u64 more)
{
	u64 ms = sim.now - start;

	return ms > more ? ms - more : 0;
}

static void settle_eventual(bool end)
{
	u64 parting = sim.changes ? SS_PARTING_MS : 0;
	u64 start = sim.now;

	if (!wait_for(ss_converge_same, SS_CONVERGE_MS + parting))
		ss_fail("%llu ms after all is well eventual keys differ", U(sim.now - start));
	sim.stat.converge_ms = max(sim.stat.converge_ms, beyond(start, parting));
	if (!end)
		return;
	if (!wait_for(ss_converge_clean, SS_MARKS_MS + parting + 2 * sim.skew))
		ss_fail("%llu ms after all is well there are marks of what was deleted",
			U(sim.now - start));
	sim.stat.marks_ms = max(sim.stat.marks_ms, beyond(start, parting + 2 * sim.skew));
	ss_eventual_end();
	if (!wait_for(ss_eventual_idle, SS_CONVERGE_MS))
		ss_fail("a digest of eventual keys is not answered");
	ss_converge_end();
}

/* --- a schedule ----------------------------------------------------------------------- */

/* Names of keys, so that each group has its share of each kind. */
static void name_keys(void)
{
	u32 i, n;

	for (i = 0; i < SS_KEYS; i++) {
		n = 0;
		do
			snprintf(sim.key[i], SS_KEY_MAX, "%c%u.%u",
				 i < SS_LISTS ? 'l' : i < SS_LISTS + SS_ACCOUNTS ? 'a' : 't', i,
				 n++);
		while (ss_key_group(sim.key[i]) != i % SS_GROUPS);
	}
	for (i = 0; i < SS_GROUPS; i++) {
		n = 0;
		do
			snprintf(sim.saga_key[i], SS_KEY_MAX, "{g%u}", n++);
		while (ss_key_group(sim.saga_key[i]) != i);
	}
}

static void begin(u64 seed, bool tracing)
{
	static const u64 skews[] = { 0, 100, 4000 };
	u32 i;

	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	sim.rng = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
	for (i = 0; i < 8; i++)
		ss_random(2);
	sim.tracing = tracing;
	sim.now = 1000;
	sim.digest = 0xcbf29ce484222325ull;
	sim.wild = ss_chance(150) ? 0 : 1 + (u32)ss_random(25);
	sim.pieces = ss_chance(500) ? 400 : (u32)ss_random(50);
	sim.full = ss_chance(200) ? 1500 + (u32)ss_random(6000) : 0;
	sim.lists = ss_chance(500) ? SS_GROUPS : SS_LISTS;
	sim.skew = skews[ss_random(ARRAY_SIZE(skews))];
	sim.eventual = ss_chance(650);
	sim.changes = sim.eventual && ss_chance(400);
	sim.epoch = 1;
	ss_eventual_init();
	ss_converge_init();
	ss_log_init();
	for (i = 0; i < SS_NODES; i++) {
		sim.node[i].i = i;
		sim.node[i].epoch = 1;
		set_clock(&sim.node[i]);
		ss_node_start(&sim.node[i]);
	}
	name_keys();
	ss_clients_init();
	sim.calm = true;
	sim.last = true;
	run_until(sim.now + START_MS);
}

static void end(void)
{
	u32 i;

	for (i = 0; i < SS_NODES; i++)
		if (sim.node[i].up)
			ss_node_crash(&sim.node[i], false);
	ss_clients_free();
	ss_eventual_free();
	ss_wires_free();
	ss_log_free();
	ss_remove(ss_dir);
}

void ss_run(u64 seed, bool tracing)
{
	u32 i;

	begin(seed, tracing);

	for (i = 0; i < PHASES && !sim.failed; i++) {
		sim.calm = false;
		sim.last = false;
		run_until(sim.now + 800 + ss_random(2500));
		heal();
		settle();
		if (sim.eventual && !sim.failed)
			settle_eventual(i + 1 == PHASES);
	}
	if (!sim.failed)
		ss_state_end();
	if (!sim.failed)
		ss_history_check();
	end();
}
