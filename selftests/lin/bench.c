// SPDX-License-Identifier: GPL-2.0
/*
 * bench.c - how fast is the checker, and does it end?
 *
 * Histories of many clients over many keys, made by really doing the operations; some with
 * operations of unknown outcome, some with a violation near the end. Ends with bars: the
 * search against the figure a first toy reached, and the slot checker's growth, which
 * must be that of n log n. Processor time, for other things run on the same machine.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lin.h"

#define CLIENTS	32u
#define PAST	20u	/* writes of a key that are remembered */

static uint64_t seed = 88172645463325252ull;
static int tests, failed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

struct shape {
	uint32_t ops, keys, unknown;	/* unknown: of 10000 */
	uint32_t values;		/* so many different ones; 0: no value twice */
	bool slots, stale;		/* stale: at the end, reads of what was long ago */
};

/* Each client in turn does something that takes about as long as all do together. */
static void make(struct lin_history *h, const struct shape *p)
{
	uint64_t (*reg)[PAST] = calloc(p->keys, sizeof(*reg));
	uint64_t slot = 0;
	uint32_t i;

	if (!reg)
		abort();
	lin_init(h);
	for (i = 0; i < p->ops; i++) {
		uint64_t at = 100 + 10ull * i;
		struct lin_op op = {
			.client = i % CLIENTS, .key = below(p->keys), .line = i + 1,
			.kind = below(2) ? LIN_WRITE : LIN_READ, .outcome = LIN_DONE,
			.call = at - below(100), .ret = at + 1 + below(200),
		};

		if (op.kind == LIN_WRITE)
			op.arg = p->values ? 1 + below(p->values) : i + 1;
		else
			op.value = reg[op.key][0];
		if (below(10000) < p->unknown) {
			op.outcome = LIN_UNKNOWN;
			op.ret = LIN_NEVER;
			if (op.kind == LIN_READ || below(2))
				continue;
		}
		if (op.kind == LIN_WRITE) {
			memmove(&reg[op.key][1], &reg[op.key][0], sizeof(*reg) - sizeof(**reg));
			reg[op.key][0] = op.arg;
			slot++;
		}
		op.slot = op.outcome == LIN_DONE && p->slots ? slot : 0;
		op.empty = !op.slot && p->slots;
		if (p->stale && i > p->ops - p->ops / 50 && op.kind == LIN_READ)
			op.value = reg[op.key][PAST - 1];
		lin_add(h, &op);
	}
	free(reg);
}

static void result(bool good, const char *what)
{
	tests++;
	failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", tests, what);
}

static double slot_check(uint32_t ops)
{
	struct shape p = { .ops = ops, .keys = 100, .slots = true };
	struct lin_history h;
	struct lin_verdict v;
	double start, took;

	make(&h, &p);
	start = seconds();
	lin_slotcheck(&h, &v);
	took = seconds() - start;
	printf("# %u operations by slots: %.2f s, %.0f/s\n", h.ops, took, h.ops / took);
	result(v.result == LIN_OK, "a large history by slots");
	lin_verdict_free(&v);
	lin_free(&h);
	return took;
}

/* Return: operations a second. @wanted: or, where that is said, undecided. */
static double search(const struct shape *p, enum lin_result wanted, bool or_undecided)
{
	static const char *const words[] = { "ok", "bad", "undecided" };
	struct lin_limits limits = LIN_LIMITS;
	struct lin_history h;
	struct lin_verdict v;
	double start, rate;

	limits.steps = 20000000;
	make(&h, p);
	start = seconds();
	lin_wgl(&h, &limits, &v);
	rate = h.ops / (seconds() - start);
	printf("# %u operations, %u keys, %.2f%% unknown%s%s, by search: %.2f s, %.0f/s: %s\n",
	       h.ops, p->keys, p->unknown / 100.0, p->values ? ", few values" : "",
	       p->stale ? ", stale reads" : "", h.ops / rate, rate, words[v.result]);
	result(v.result == wanted || (or_undecided && v.result == LIN_UNDECIDED),
	       or_undecided ? "a hard search ends, and not well" : "a large search");
	lin_verdict_free(&v);
	lin_free(&h);
	return rate;
}

static void bar(const char *name, double value, const char *op, double bound, bool met)
{
	printf("bar: %s %.3g wanted %s%.3g %s\n", name, value, op, bound, met ? "met" : "missed");
}

int main(void)
{
	const struct shape good = { .ops = 1000000, .keys = 100, .unknown = 10 };
	const struct shape unknown = { .ops = 100000, .keys = 10, .unknown = 200 };
	const struct shape bad = { .ops = 100000, .keys = 10, .unknown = 100, .stale = true };
	const struct shape hard = { .ops = 30000, .keys = 3, .unknown = 100, .values = 5,
				    .stale = true };
	double small = slot_check(100000), large = slot_check(1000000), rate, took;

	rate = search(&good, LIN_OK, false);
	search(&unknown, LIN_OK, false);
	search(&bad, LIN_BAD, false);
	took = seconds();
	search(&hard, LIN_BAD, true);
	took = seconds() - took;
	bar("lin-slots-per-second", 1000000 / large, ">=", 236000, 1000000 / large >= 236000);
	bar("lin-slots-growth-by-10", large / small, "<=", 25, large / small <= 25);
	bar("lin-search-per-second", rate, ">=", 236000, rate >= 236000);
	bar("lin-search-hard-seconds", took, "<=", 100, took <= 100);
	printf("1..%d\n", tests);
	return failed != 0;
}
