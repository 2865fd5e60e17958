// SPDX-License-Identifier: GPL-2.0
/*
 * shrink.c - a schedule that fails made smaller
 *
 * Greedy: leave something out, run again, and keep what still fails in the same way. A smaller
 * schedule is another schedule, in which the same thing may happen at another moment: so a few
 * salts are tried for each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define SALTS	6

struct shrink {
	struct sim *s;
	u64 seed;
	const char *kind;
	struct sim_less best;
	u64 events;		/* of the best */
	u32 strikes;
	u32 runs;		/* that are left */
};

static bool fails(struct shrink *sh, const struct sim_less *less)
{
	if (!sh->runs)
		return false;
	sh->runs--;
	sim_run(sh->s, sh->seed, less, false);
	return sh->s->failed && sh->s->kind == sh->kind;
}

static bool attempt(struct shrink *sh, struct sim_less less)
{
	u64 salt;

	for (salt = 0; salt <= SALTS; salt++) {
		if (salt)
			less.salt = salt;	/* first with the one it has */
		if (!fails(sh, &less))
			continue;
		sh->best = less;
		sh->events = sh->s->stat.events;
		sh->strikes = sh->s->strikes;
		return true;
	}
	return false;
}

static void fewer_faults(struct shrink *sh)
{
	struct sim_less less;
	u32 f;

	for (f = 0; f < F_MAX; f++) {
		if (sh->best.faults >> f & 1)
			continue;
		less = sh->best;
		less.faults |= 1ull << f;
		attempt(sh, less);
	}
}

static void fewer_members(struct shrink *sh)
{
	struct sim_less less;
	u32 k;

	for (k = 1; k < SIM_GROUPS; k++) {
		less = sh->best;
		less.groups = k;
		if (attempt(sh, less))
			break;
	}
	for (k = 3; k < SIM_NODES; k++) {
		less = sh->best;
		less.nodes = k;
		if (attempt(sh, less))
			break;
	}
}

/* Halves of the time, then quarters... */
static void shorter(struct shrink *sh)
{
	u64 ms = sh->best.heal ? sh->best.heal : 3500;
	struct sim_less less;
	u64 cut;

	for (cut = ms / 2; cut > 20; cut /= 2) {
		less = sh->best;
		less.heal = ms - cut;
		if (attempt(sh, less))
			ms -= cut;
	}
}

static void fewer_strikes(struct shrink *sh)
{
	u32 total = min(sh->strikes, SIM_STRIKES);
	struct sim_less less;
	u32 k, i, width;

	for (width = max(total / 2, 1u); width; width /= 2) {
		for (k = 0; k < total; k += width) {
			less = sh->best;
			for (i = k; i < k + width && i < total; i++)
				less.skip[i / 64] |= 1ull << i % 64;
			if (memcmp(&less, &sh->best, sizeof(less)))
				attempt(sh, less);
		}
	}
}

void sim_shrink(struct sim *s, u64 seed, struct sim_less *less, u32 runs)
{
	struct shrink sh = { .s = s, .seed = seed, .kind = s->kind, .best = *less,
			     .events = s->stat.events, .strikes = s->strikes, .runs = runs };
	u64 before;

	do {
		before = sh.events;
		fewer_faults(&sh);
		fewer_members(&sh);
		shorter(&sh);
		fewer_strikes(&sh);
	} while (sh.events < before - before / 8 && sh.runs);
	*less = sh.best;
}

/* The words of a schedule made smaller: what is not named is as the seed says. */
void sim_less_print(const struct sim_less *less, char *text, size_t room)
{
	size_t n = (size_t)snprintf(text, room, "faults=%llx,nodes=%u,groups=%u,strikes=%u,heal=%llu,salt=%llu,skip=",
				    U(less->faults), less->nodes, less->groups, less->strikes,
				    U(less->heal), U(less->salt));
	u32 k;

	for (k = 0; k < ARRAY_SIZE(less->skip) && n < room; k++)
		n += (size_t)snprintf(text + n, room - n, "%s%llx", k ? "." : "", U(less->skip[k]));
}

bool sim_less_parse(const char *text, struct sim_less *less)
{
	unsigned long long faults, heal, salt, skip[SIM_STRIKES / 64];
	u32 k;

	memset(less, 0, sizeof(*less));
	if (sscanf(text, "faults=%llx,nodes=%u,groups=%u,strikes=%u,heal=%llu,salt=%llu,skip=%llx.%llx.%llx.%llx",
		   &faults, &less->nodes, &less->groups, &less->strikes, &heal, &salt,
		   &skip[0], &skip[1], &skip[2], &skip[3]) != 10)
		return false;
	less->faults = faults;
	less->heal = heal;
	less->salt = salt;
	for (k = 0; k < ARRAY_SIZE(less->skip); k++)
		less->skip[k] = skip[k];
	return less->nodes != 1 && less->nodes != 2;
}
