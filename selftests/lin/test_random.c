// SPDX-License-Identifier: GPL-2.0
/*
 * test_random.c - the checker against brute force, on thousands of small random histories
 *
 * A history is made by really doing operations, one after the other, each at a moment
 * between its call and its return; then, mostly, a few things in it are changed. Both
 * verdicts must occur often, or nothing was compared.
 */
#include <stdarg.h>

#include "unit.h"
#include "brute.h"

#define TIMES	24u

static uint64_t seed = 20061993;
static uint32_t rounds = 20000;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(unit_random(&seed) >> 33) % n;
}

/* Verdicts of one kind of histories. */
struct tally {
	uint32_t good, bad, undecided, wrong;
};

static void complain(const struct lin_history *h, const char *what)
{
	char line[200];
	uint32_t i;

	printf("# %s\n", what);
	for (i = 0; i < h->ops; i++) {
		lin_print(h, i, line, sizeof(line));
		printf("#   %s\n", line);
	}
}

static void count(struct tally *t, const struct lin_history *h, enum lin_result got, bool wanted)
{
	if (got == LIN_UNDECIDED)
		t->undecided++;
	else if (wanted)
		t->good++;
	else
		t->bad++;
	if (got == LIN_UNDECIDED || got == (wanted ? LIN_OK : LIN_BAD))
		return;
	if (!t->wrong++)
		complain(h, wanted ? "wrongly bad:" : "wrongly good:");
}

static void check_tally(const struct tally *t, uint32_t undecided)
{
	NOTE("%u histories: %u good, %u bad, %u undecided, %u wrong", rounds, t->good, t->bad,
	     t->undecided, t->wrong);
	CHECK_EQ(t->wrong, 0);
	CHECK(t->good > rounds / 5);
	CHECK(t->bad > rounds / 5);
	CHECK(t->undecided <= undecided);
}

/* --- making histories ------------------------------------------------------------ */

struct maker {
	struct lin_op op[BRUTE_OPS];
	uint32_t order[BRUTE_OPS], n;	/* in which they take effect */
	uint64_t reg[BRUTE_KEYS], log[BRUTE_SLOTS + 1], slot;
	uint32_t last_of[BRUTE_SLOTS + 1];	/* which one stands there */
};

/* Intervals around moments that follow each other. */
static void make_times(struct maker *m)
{
	uint32_t i, at = 4;

	for (i = 0; i < m->n; i++) {
		m->op[i].call = at > 3 ? at - below(4) : 0;
		m->op[i].ret = at + below(6);
		at += below(4);
	}
}

static void do_register(struct maker *m, struct lin_op *op)
{
	uint64_t *reg = &m->reg[op->key];
	bool hit = *reg == op->old;

	switch (op->kind) {
	case LIN_WRITE:
		*reg = op->arg;
		break;
	case LIN_READ:
		op->value = *reg;
		op->slot = m->slot;
		op->empty = !op->slot;
		return;
	case LIN_CAS:
		if (hit)
			*reg = op->arg;
		if (op->outcome == LIN_DONE && !hit)
			op->outcome = LIN_DIFFERS;
		break;
	}
	op->slot = ++m->slot;
	m->last_of[op->slot] = (uint32_t)(op - m->op);
}

static void do_log(struct maker *m, struct lin_op *op)
{
	if (op->kind == LIN_APPEND) {
		op->slot = ++m->slot;
		m->log[op->slot] = op->arg;
		m->last_of[op->slot] = (uint32_t)(op - m->op);
		return;
	}
	op->arg = 1 + below((uint32_t)m->slot + 1);
	op->value = m->log[op->arg];
}

/* Some never return, and of those some do nothing. Return: it takes effect. */
static bool outcome(struct lin_op *op, uint32_t unknown)
{
	op->outcome = LIN_DONE;
	if (below(100) >= unknown)
		return true;
	op->outcome = LIN_UNKNOWN;
	op->ret = LIN_NEVER;
	return below(2);
}

static void make_register(struct maker *m, uint32_t n, uint32_t keys, uint32_t unknown)
{
	static const uint8_t kinds[] = { LIN_WRITE, LIN_WRITE, LIN_READ, LIN_READ, LIN_READ,
					 LIN_CAS };
	bool cas = below(2);
	uint32_t i;

	memset(m, 0, sizeof(*m));
	m->n = n;
	make_times(m);
	for (i = 0; i < n; i++) {
		struct lin_op *op = &m->op[i];

		op->client = below(3);
		op->key = below(keys);
		op->kind = kinds[below(cas ? 6 : 5)];
		op->cas = op->kind == LIN_CAS;
		op->arg = op->kind == LIN_READ ? 0 : 1 + below(3);
		op->old = op->cas ? below(3) : 0;
		if (outcome(op, unknown))
			do_register(m, op);
	}
}

static void make_log(struct maker *m, uint32_t n, uint32_t unknown)
{
	uint32_t i;

	memset(m, 0, sizeof(*m));
	m->n = n;
	make_times(m);
	for (i = 0; i < n; i++) {
		struct lin_op *op = &m->op[i];

		op->client = below(3);
		op->kind = below(3) ? LIN_APPEND : LIN_FETCH;
		op->arg = 1 + below(4);
		if (outcome(op, unknown))
			do_log(m, op);
	}
}

/* What members hold in the end. */
static void make_entries(struct maker *m, uint32_t members)
{
	uint64_t slot;
	uint32_t i;

	for (i = 0; i < members; i++)
		for (slot = 1; slot <= m->slot && m->n < BRUTE_OPS; slot++) {
			struct lin_op *op = &m->op[m->n++];
			const struct lin_op *of = &m->op[m->last_of[slot]];

			*op = (struct lin_op){
				.kind = LIN_ENTRY, .client = i, .slot = slot, .arg = of->arg,
				.old = of->old, .cas = of->cas, .key = of->key,
			};
		}
}

/* One thing is not as it was. */
static void spoil(struct maker *m)
{
	struct lin_op *op = &m->op[below(m->n)], *other = &m->op[below(m->n)];
	uint64_t x;

	switch (below(6)) {
	case 0:
		if (op->kind == LIN_READ || op->kind == LIN_FETCH)
			op->value = below(4);
		break;
	case 1:
		if (op->kind == LIN_ENTRY || (op->kind == LIN_APPEND && op->outcome))
			op->arg = op->kind == LIN_ENTRY ? below(4) : 1 + below(4);
		break;
	case 2:
		if (op->slot && other->slot && op->kind != LIN_ENTRY && other->kind != LIN_ENTRY) {
			x = op->slot;
			op->slot = other->slot;
			other->slot = x;
		}
		break;
	case 3:
		if (op->kind == LIN_ENTRY || op->outcome == LIN_UNKNOWN)
			break;
		x = below(TIMES);
		op->ret = x + (op->ret - op->call);
		op->call = x;
		break;
	case 4:
		if (op->kind == LIN_CAS && op->outcome)
			op->outcome = op->outcome == LIN_DONE ? LIN_DIFFERS : LIN_DONE;
		if (op->kind == LIN_FETCH)
			op->arg = 1 + below((uint32_t)m->slot + 1);
		break;
	default:
		if ((op->kind == LIN_WRITE || op->kind == LIN_APPEND) &&
		    op->outcome == LIN_UNKNOWN) {
			op->outcome = LIN_REFUSED;
			op->ret = op->call + below(6);
		}
		break;
	}
}

static void spoil_some(struct maker *m)
{
	uint32_t n = below(5) ? 2 + below(8) : 0;

	while (n--)
		spoil(m);
}

/* Nobody was told the slot of what never returned. */
static void finish(struct maker *m, struct lin_history *h, bool slots)
{
	uint32_t i;

	lin_init(h);
	for (i = 0; i < m->n; i++) {
		struct lin_op *op = &m->op[i];

		if (op->kind != LIN_ENTRY && (op->outcome != LIN_DONE || !slots) &&
		    op->outcome != LIN_DIFFERS)
			op->slot = 0;
		if (!slots)
			op->slot = 0;
		if (slots && op->kind == LIN_READ && !op->slot)
			op->empty = true;
		lin_add(h, op);
	}
}

/* --- the comparisons ---------------------------------------------------------------- */

static void search_is_brute_force(void)
{
	struct lin_limits limits = LIN_LIMITS;
	struct tally t = { 0 };
	struct lin_history h;
	struct lin_verdict v;
	struct maker m;
	uint32_t i;

	for (i = 0; i < rounds; i++) {
		make_register(&m, 3 + below(6), 1 + below(2), 25);
		spoil_some(&m);
		finish(&m, &h, false);
		lin_wgl(&h, &limits, &v);
		count(&t, &h, v.result, brute_search(&h));
		lin_verdict_free(&v);
		lin_free(&h);
	}
	check_tally(&t, 0);
}

/* What is shown of a bad history is bad by itself, and no more than the history. */
static void explanations_are_bad(void)
{
	struct lin_limits limits = LIN_LIMITS;
	uint32_t i, k, shown = 0, all = 0, wrong = 0, seen = 0;
	struct lin_history h, part;
	struct lin_verdict v;
	struct maker m;

	for (i = 0; i < rounds / 4; i++) {
		make_register(&m, 8, 1, 10);
		spoil_some(&m);
		finish(&m, &h, false);
		lin_wgl(&h, &limits, &v);
		lin_init(&part);
		for (k = 0; k < v.ops; k++)
			lin_add(&part, &h.op[v.op[k]]);
		if (v.result == LIN_BAD) {
			seen++;
			shown += v.ops;
			all += h.ops;
			wrong += brute_search(&part);
		}
		lin_free(&part);
		lin_verdict_free(&v);
		lin_free(&h);
	}
	NOTE("%u bad ones: %u of %u operations shown", seen, shown, all);
	CHECK_EQ(wrong, 0);
	CHECK(seen > rounds / 40);
	CHECK(shown < all / 2);
}

static void slots_are_brute_force(bool log, uint32_t members, uint32_t undecided)
{
	struct tally t = { 0 };
	struct lin_history h;
	struct lin_verdict v;
	struct maker m;
	uint32_t i;

	for (i = 0; i < rounds; i++) {
		if (log)
			make_log(&m, 3 + below(5), 25);
		else
			make_register(&m, 3 + below(5), 2, 25);
		make_entries(&m, members);
		spoil_some(&m);
		finish(&m, &h, true);
		lin_slotcheck(&h, &v);
		count(&t, &h, v.result, brute_slots(&h));
		lin_verdict_free(&v);
		lin_free(&h);
	}
	check_tally(&t, undecided);
}

static void log_slots(void)
{
	slots_are_brute_force(true, 0, 0);
}

static void log_slots_with_entries(void)
{
	slots_are_brute_force(true, 1, 0);
}

static void log_slots_of_two_members(void)
{
	slots_are_brute_force(true, 2, 0);
}

/* Without entries an unknown write may be what a read saw. */
static void register_slots(void)
{
	slots_are_brute_force(false, 0, rounds / 2);
}

static void register_slots_with_entries(void)
{
	slots_are_brute_force(false, 1, rounds / 50);	/* nothing was written */
}

/* What is good by its slots is good as a black box. */
static void good_slots_are_good(void)
{
	struct lin_limits limits = LIN_LIMITS;
	uint32_t i, good = 0, wrong = 0;
	struct lin_history h;
	struct lin_verdict v;
	struct maker m;

	for (i = 0; i < rounds; i++) {
		make_register(&m, 8, 2, 20);
		make_entries(&m, 1);
		spoil_some(&m);
		finish(&m, &h, true);
		lin_slotcheck(&h, &v);
		if (v.result == LIN_OK) {
			good++;
			lin_verdict_free(&v);
			lin_wgl(&h, &limits, &v);
			wrong += v.result != LIN_OK;
		}
		lin_verdict_free(&v);
		lin_free(&h);
	}
	NOTE("%u of %u good by slots", good, rounds);
	CHECK_EQ(wrong, 0);
	CHECK(good > rounds / 5);
}

/* A read at an earlier slot shows what stood there. */
static void lag(struct maker *m)
{
	uint32_t i, k;

	for (i = 0; i < m->n; i++) {
		struct lin_op *r = &m->op[i];
		uint64_t best = 0;

		if (r->kind != LIN_READ)
			continue;
		r->level = (uint8_t)below(5);
		r->bound = below(3) * (r->level == LIN_RECENT ? 3 : 1);
		if (below(2) && r->slot)
			r->slot -= 1 + below((uint32_t)r->slot);
		r->value = 0;
		for (k = 0; k < m->n; k++) {
			const struct lin_op *w = &m->op[k];

			if (w->kind != LIN_WRITE || w->key != r->key || w->slot > r->slot ||
			    w->slot < best)
				continue;
			best = w->slot;
			r->value = w->arg;
		}
	}
}

static void levels_are_pairs(void)
{
	struct tally t = { 0 };
	struct lin_history h;
	struct lin_verdict v;
	struct maker m;
	uint32_t i, k;

	for (i = 0; i < rounds; i++) {
		make_register(&m, 3 + below(7), 2, 0);
		for (k = 0; k < m.n; k++)
			if (m.op[k].kind == LIN_CAS) {
				m.op[k].kind = LIN_WRITE;
				m.op[k].cas = false;
				m.op[k].old = 0;
				m.op[k].outcome = LIN_DONE;
			}
		lag(&m);
		if (below(3) == 0)
			spoil_some(&m);
		finish(&m, &h, true);
		lin_slotcheck(&h, &v);
		count(&t, &h, v.result, brute_pairs(&h));
		lin_verdict_free(&v);
		lin_free(&h);
	}
	check_tally(&t, 0);
}

/* One operation lasts from the first call to the last: all others need bits of the memo. */
static void make_large(struct lin_history *h)
{
	uint64_t reg = 0;
	uint32_t k;

	lin_init(h);
	for (k = 0; k < 400; k++) {
		struct lin_op op = {
			.client = k, .outcome = LIN_DONE, .kind = below(2) ? LIN_WRITE : LIN_READ,
			.call = 1000 + 10 * k - below(40), .ret = 1001 + 10 * k + below(40),
		};

		if (!k)
			op = (struct lin_op){ .kind = LIN_WRITE, .ret = 6000 };
		if (op.kind == LIN_WRITE) {
			op.arg = 1 + below(4);
			reg = op.arg;
		} else {
			op.value = reg;
		}
		if (k && op.kind == LIN_WRITE && below(30) == 0) {
			op.outcome = LIN_UNKNOWN;
			op.ret = LIN_NEVER;
		}
		lin_add(h, &op);
	}
}

static void large_good_ones_are_not_bad(void)
{
	struct lin_limits limits = { .steps = 300000, .bytes = 1ull << 28 };
	uint32_t good = 0, bad = 0, n = 300, i;
	struct lin_history h;
	struct lin_verdict v;

	for (i = 0; i < n; i++) {
		make_large(&h);
		lin_wgl(&h, &limits, &v);
		good += v.result == LIN_OK;
		bad += v.result == LIN_BAD;
		lin_verdict_free(&v);
		lin_free(&h);
	}
	NOTE("%u: %u good, %u bad", n, good, bad);
	CHECK_EQ(bad, 0);
	CHECK(good > n / 4);
}

/* A limit ends a search undecided, whatever the history is. */
static void limits_never_decide(void)
{
	struct lin_limits none = { .steps = 1, .bytes = 1ull << 20 };
	struct lin_limits small = { .steps = 1ull << 30, .bytes = 2048 };
	uint32_t i, undecided = 0, wrong = 0;
	struct lin_history h;
	struct maker m;

	for (i = 0; i < rounds / 4; i++) {
		uint32_t idx[BRUTE_OPS], k;
		enum lin_result r;
		uint64_t steps;

		make_register(&m, 8, 1, 20);
		spoil_some(&m);
		finish(&m, &h, false);
		for (k = 0; k < h.ops; k++)
			idx[k] = k;
		for (k = 0; k < 2; k++) {
			r = lin_wgl_key(&h, idx, h.ops, k ? &small : &none, &steps);
			undecided += r == LIN_UNDECIDED;
			wrong += r != LIN_UNDECIDED && (r == LIN_OK) != brute_search(&h);
		}
		lin_free(&h);
	}
	NOTE("%u of %u undecided", undecided, rounds / 2);
	CHECK_EQ(wrong, 0);
	CHECK(undecided > rounds / 10);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = (uint32_t)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10) | 1;
	RUN(search_is_brute_force);
	RUN(explanations_are_bad);
	RUN(log_slots);
	RUN(log_slots_with_entries);
	RUN(log_slots_of_two_members);
	RUN(register_slots);
	RUN(register_slots_with_entries);
	RUN(good_slots_are_good);
	RUN(levels_are_pairs);
	RUN(large_good_ones_are_not_bad);
	RUN(limits_never_decide);
	return unit_done();
}
