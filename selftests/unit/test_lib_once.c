// SPDX-License-Identifier: GPL-2.0
/*
 * test_lib_once.c - of all copies of a request, which one counts
 *
 * Logs of several spans, made by seed, are judged by the filter and by the rule as once.h has it,
 * from the first slot and from slots in the middle.
 */
#include "once.h"
#include "unit.h"

#define SPAN	PXS_LOG_SPAN
#define SLOTS	(4 * SPAN + 1234)
#define IDS	3000

static const u8 key[16] = "0123456789abcdef";

/* A log: which id stands at a slot (-1: none), and its base there. */
static int id_at[SLOTS + 1];
static u64 base_at[SLOTS + 1];
static bool counts[SLOTS + 1];

static struct pxs_log_id make_id(int n, u64 base)
{
	struct pxs_log_id id = { .number = (u64)n / 3, .base = base };

	memset(id.client, 'a' + n % 3, sizeof(id.client));
	return id;
}

/* The rule, word by word. */
static void judge_by_rule(void)
{
	static u64 last[IDS];
	u64 s;

	memset(last, 0, sizeof(last));
	for (s = 1; s <= SLOTS; s++) {
		counts[s] = true;
		if (id_at[s] < 0)
			continue;
		counts[s] = base_at[s] < s && s <= base_at[s] + SPAN &&
			    (!last[id_at[s]] || s - last[id_at[s]] > SPAN - 1);
		last[id_at[s]] = s;
	}
}

/* Slots where the filter, started for reading from @from on, judges otherwise. */
static u64 differences(u64 from)
{
	u64 s = pxs_once_first(from), wrong = 0;
	struct pxs_once *o = pxs_once_new(s, key);
	struct pxs_log_id id;
	bool is;

	for (; s <= SLOTS; s++) {
		id = make_id(max(id_at[s], 0), base_at[s]);
		is = pxs_once_judge(o, s, id_at[s] < 0 ? NULL : &id);
		wrong += s >= from && is != counts[s];
	}
	free(o);
	return wrong;
}

static void check_all_starts(uint64_t *seed)
{
	int i;

	judge_by_rule();
	CHECK_EQ(differences(1), 0);
	CHECK_EQ(differences(2), 0);
	CHECK_EQ(differences(SPAN), 0);
	CHECK_EQ(differences(SPAN + 1), 0);
	for (i = 0; i < 8; i++)
		CHECK_EQ(differences(1 + unit_random(seed) % SLOTS), 0);
}

/* Clients that keep no rule: any id anywhere with any base. */
static void any_log_is_judged_by_the_rule(void)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	u64 s;

	for (s = 1; s <= SLOTS; s++) {
		id_at[s] = unit_random(&seed) % 4 ? (int)(unit_random(&seed) % IDS) : -1;
		base_at[s] = s - min(s, unit_random(&seed) % (SPAN + SPAN / 8));
	}
	check_all_starts(&seed);
}

/* Few ids, so that gaps near SPAN decide. */
static void copies_a_span_apart(void)
{
	uint64_t seed = 42;
	u64 s;
	int i;

	for (s = 1; s <= SLOTS; s++)
		id_at[s] = -1;
	for (i = 0; i < 600; i++) {
		s = 1 + unit_random(&seed) % SPAN;
		for (; s <= SLOTS; s += SPAN - 2 + unit_random(&seed) % 5) {
			id_at[s] = i;
			base_at[s] = s - 1;
		}
	}
	check_all_starts(&seed);
}

/* Clients that keep the rule (one base for all copies): once if ever in time, and never twice. */
static void a_request_counts_once(void)
{
	static unsigned int times[IDS], in_time[IDS];
	static u64 base[IDS];
	struct pxs_once *o = pxs_once_new(1, key);
	uint64_t seed = 7;
	struct pxs_log_id id;
	u64 s;
	int i;

	memset(times, 0, sizeof(times));
	memset(in_time, 0, sizeof(in_time));
	for (i = 0; i < IDS; i++)
		base[i] = unit_random(&seed) % (3 * SPAN);
	for (s = 1; s <= SLOTS; s++) {
		i = (int)(unit_random(&seed) % IDS);
		if (base[i] >= s) {
			pxs_once_judge(o, s, NULL);
			continue;
		}
		id = make_id(i, base[i]);
		times[i] += pxs_once_judge(o, s, &id);
		in_time[i] += s <= base[i] + SPAN;
	}
	for (i = 0; i < IDS; i++)
		CHECK_EQ(times[i], in_time[i] ? 1 : 0);
	free(o);
}

static bool judge_alone(u64 slot, u64 base)
{
	struct pxs_log_id id = make_id(1, base);
	struct pxs_once *o = pxs_once_new(slot, key);
	bool ret = pxs_once_judge(o, slot, &id);

	free(o);
	return ret;
}

static void in_time_is_so_many_slots(void)
{
	CHECK(!judge_alone(5, 5));
	CHECK(!judge_alone(5, 6));
	CHECK(!judge_alone(5, UINT64_MAX));
	CHECK(judge_alone(5, 4));
	CHECK(judge_alone(5 + SPAN, 5));
	CHECK(!judge_alone(6 + SPAN, 5));
	CHECK(judge_alone(1, 0));
	CHECK_EQ(pxs_once_first(1), 1);
	CHECK_EQ(pxs_once_first(SPAN), 1);
	CHECK_EQ(pxs_once_first(SPAN + 1), 2);
}

static void an_id_comes_back_as_it_was_put(void)
{
	struct pxs_log_id id = make_id(25, 0x123456789abcdef), got;
	u8 value[PXS_LOG_ID_SIZE + 1] = { 0 };
	u32 bit;

	pxs_once_put((struct pxs_once_hdr *)value, &id);
	CHECK(pxs_once_get(value, sizeof(value), &got));
	CHECK(!memcmp(&id, &got, sizeof(id)));
	CHECK(pxs_once_get(value, PXS_LOG_ID_SIZE, &got));
	CHECK(!pxs_once_get(value, PXS_LOG_ID_SIZE - 1, &got));
	CHECK(!pxs_once_get(value, 0, &got));
	for (bit = 0; bit < 8 * PXS_LOG_ID_SIZE; bit++) {
		value[bit / 8] ^= 1 << bit % 8;
		CHECK(!pxs_once_get(value, sizeof(value), &got));
		value[bit / 8] ^= 1 << bit % 8;
	}
}

/* Formats are for ever: these bytes stand in logs. */
static void an_id_has_these_bytes(void)
{
	static const u8 want[PXS_LOG_ID_SIZE] = {
		0x89, 'p', 'x', 's', 'o', 'n', 'c', 1,
		'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b', 'b',
		2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0,
	};
	struct pxs_log_id id = make_id(7, 9);
	struct pxs_once_hdr h;

	pxs_once_put(&h, &id);
	CHECK(!memcmp(&h, want, offsetof(struct pxs_once_hdr, crc)));
}

int main(void)
{
	RUN(an_id_comes_back_as_it_was_put);
	RUN(an_id_has_these_bytes);
	RUN(in_time_is_so_many_slots);
	RUN(a_request_counts_once);
	RUN(copies_a_span_apart);
	RUN(any_log_is_judged_by_the_rule);
	return unit_done();
}
