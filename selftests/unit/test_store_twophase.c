// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_twophase.c - transactions over several groups: the rules, and schedules of them
 *
 * The schedules: three logs, members that see a part of each, all of whom propose what the rules
 * say of what they see, as if each of them led every group. What they propose is written late, in
 * any order, twice, or never. Whatever comes of it: no transaction is done in one group and not in
 * another, none twice, and in the end none is left and no key is locked.
 */
#include "unit.h"

#include "../../agent/random.h"
#include "../../agent/store/twophase.h"

/* --- the rules ------------------------------------------------------------------- */

static void it_is_done_when_all_are_ready(void)
{
	enum pxs_tx_state v[2] = { PXS_TX_READY, PXS_TX_GONE };
	enum pxs_tx_reason why = 0;

	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, false, &why), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, true, &why), PXS_TX_ABORT);
	CHECK_EQ(why, PXS_TX_WAS_LATE);
	v[1] = PXS_TX_READY;
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, false, &why), PXS_TX_COMMIT);
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, true, &why), PXS_TX_COMMIT);
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_DONE, v, 2, true, &why), PXS_TX_WAIT);
	v[0] = PXS_TX_DONE;
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_DONE, v, 2, true, &why), PXS_TX_WAIT);
	v[1] = PXS_TX_DONE;
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_DONE, v, 2, true, &why), PXS_TX_END);
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_GONE, v, 2, true, &why), PXS_TX_WAIT);
}

static void one_that_is_full_is_enough(void)
{
	enum pxs_tx_state v[2] = { PXS_TX_FULL, PXS_TX_GONE };
	enum pxs_tx_reason why = 0;

	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, false, &why), PXS_TX_ABORT);
	CHECK_EQ(why, PXS_TX_WAS_FULL);
	v[1] = PXS_TX_READY;
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, true, &why), PXS_TX_ABORT);
	CHECK_EQ(why, PXS_TX_WAS_FULL);
}

/* What has changed need not be waited for, and is what is said. */
static void one_that_has_changed_is_enough(void)
{
	enum pxs_tx_state v[2] = { PXS_TX_CHANGED, PXS_TX_GONE };
	enum pxs_tx_reason why = 0;

	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, false, &why), PXS_TX_ABORT);
	CHECK_EQ(why, PXS_TX_WAS_CHANGED);
	v[1] = PXS_TX_FULL;
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, true, &why), PXS_TX_ABORT);
	CHECK_EQ(why, PXS_TX_WAS_CHANGED);
	v[1] = PXS_TX_READY;
	CHECK_EQ(pxs_tx_coordinate(PXS_TX_READY, v, 2, true, &why), PXS_TX_ABORT);
	CHECK_EQ(why, PXS_TX_WAS_CHANGED);
	CHECK_EQ(pxs_tx_participate(PXS_TX_READY, true, PXS_TX_CHANGED), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_GONE, true, PXS_TX_CHANGED), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_decide(PXS_TX_CHANGED, true), PXS_TX_CHANGED);
	CHECK(!pxs_tx_may_prepare(PXS_TX_CHANGED, 5, 5));
	CHECK_EQ(pxs_tx_forgotten(PXS_TX_CHANGED), PXS_TX_GONE);
}

static void a_decision_is_not_changed(void)
{
	CHECK_EQ(pxs_tx_decide(PXS_TX_READY, true), PXS_TX_DONE);
	CHECK_EQ(pxs_tx_decide(PXS_TX_READY, false), PXS_TX_GONE);
	CHECK_EQ(pxs_tx_decide(PXS_TX_DONE, false), PXS_TX_DONE);
	CHECK_EQ(pxs_tx_decide(PXS_TX_DONE, true), PXS_TX_DONE);
	CHECK_EQ(pxs_tx_decide(PXS_TX_GONE, true), PXS_TX_GONE);
	CHECK_EQ(pxs_tx_decide(PXS_TX_FULL, true), PXS_TX_FULL);
	CHECK_EQ(pxs_tx_ended(PXS_TX_READY), PXS_TX_READY);
	CHECK_EQ(pxs_tx_ended(PXS_TX_DONE), PXS_TX_GONE);
}

/* A part that was promised is done if it was decided, and only then. */
static void a_participant_follows_the_decision(void)
{
	CHECK_EQ(pxs_tx_participate(PXS_TX_READY, true, PXS_TX_GONE), PXS_TX_PREPARE);
	CHECK_EQ(pxs_tx_participate(PXS_TX_READY, false, PXS_TX_GONE), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_READY, true, PXS_TX_READY), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_READY, true, PXS_TX_FULL), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_DONE, false, PXS_TX_READY), PXS_TX_COMMIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_DONE, true, PXS_TX_GONE), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_DONE, true, PXS_TX_DONE), PXS_TX_WAIT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_GONE, false, PXS_TX_READY), PXS_TX_ABORT);
}

/* What comes when all is over: it must not lock a key for ever, nor be done once more. */
static void what_comes_too_late_is_nothing(void)
{
	CHECK_EQ(pxs_tx_participate(PXS_TX_GONE, true, PXS_TX_READY), PXS_TX_ABORT);
	CHECK_EQ(pxs_tx_participate(PXS_TX_GONE, true, PXS_TX_GONE), PXS_TX_WAIT);
	CHECK(pxs_tx_may_prepare(PXS_TX_GONE, 5, 5));
	CHECK(!pxs_tx_may_prepare(PXS_TX_GONE, 4, 5));
	CHECK(!pxs_tx_may_prepare(PXS_TX_DONE, 5, 5));
	CHECK(!pxs_tx_may_prepare(PXS_TX_FULL, 5, 5));
	CHECK_EQ(pxs_tx_forgotten(PXS_TX_DONE), PXS_TX_GONE);
	CHECK_EQ(pxs_tx_forgotten(PXS_TX_READY), PXS_TX_READY);
}

/* --- schedules ------------------------------------------------------------------- */

#define GROUPS	3u
#define TXS	6u
#define LOG	200u
#define MEMBERS	3u
#define FLYING	24u
#define STEPS	700u
#define RUNS	20000u

enum word { BEGIN, PREPARE, DECIDE, END, FORGET, WRITE };

struct entry {
	enum word word;
	u32 group;		/* in whose log */
	u32 tx;
	u64 floor;
	bool commit;
	u32 watch[GROUPS];	/* BEGIN: versions of the keys that were seen before */
};

/*
 * What a log says. Each transaction has one key in each group of its own, the same as all others:
 * two in three have all groups, the others the last two. Every other one is to be done only if
 * none of its keys has changed since somebody looked at them.
 */
struct data {
	enum pxs_tx_state state[TXS];
	u64 floor[GROUPS];
	u32 holder;		/* of the key: a transaction + 1 */
	u32 version;		/* ... how often it was written */
	u32 done[TXS];
	u32 applied;
};

static struct entry log[GROUPS][LOG];
static u32 len[GROUPS];
static u64 slot[TXS];		/* of BEGIN; 0: not yet */
static u32 watch[TXS][GROUPS];
static u32 changes, kept;
static struct data seen[MEMBERS][GROUPS];
static struct entry flying[FLYING];
static u32 nflying;
static u64 chance;

static u32 draw(u32 n)
{
	return (u32)(pxs_random_next(&chance) >> 33) % n;
}

/* The first group that takes part. */
static u32 home(u32 tx)
{
	return tx % 3 == 2;
}

static bool watches(u32 tx)
{
	return tx & 1;
}

/* What the application does: see cross_run.c. */
static void lock(struct data *d, u32 group, u32 tx)
{
	if (d->holder)
		return;
	if (watches(tx) && d->version != watch[tx][group]) {
		if (group != home(tx))
			d->state[tx] = PXS_TX_CHANGED;
		changes++;
		return;
	}
	d->state[tx] = PXS_TX_READY;
	d->holder = tx + 1;
}

static void decide(struct data *d, u32 group, u32 tx, bool commit)
{
	enum pxs_tx_state was = d->state[tx];

	d->state[tx] = pxs_tx_decide(was, commit);
	if (d->state[tx] == was)
		return;
	CHECK_EQ(d->holder, tx + 1);
	d->holder = 0;
	if (d->state[tx] != PXS_TX_DONE)
		return;
	if (watches(tx))
		kept += CHECK(d->version == watch[tx][group]);
	d->done[tx]++;
	d->version++;
}

static void forget(struct data *d, u32 of, u64 floor)
{
	u32 i;

	d->floor[of] = max(d->floor[of], floor);
	for (i = 0; i < TXS; i++)
		if (home(i) == of && slot[i] && slot[i] < d->floor[of])
			d->state[i] = pxs_tx_forgotten(d->state[i]);
}

static void apply(struct data *d, const struct entry *e)
{
	switch (e->word) {
	case BEGIN:
		lock(d, e->group, e->tx);
		break;
	case WRITE:
		d->version += !d->holder;
		break;
	case PREPARE:
		if (pxs_tx_may_prepare(d->state[e->tx], slot[e->tx], d->floor[home(e->tx)]))
			lock(d, e->group, e->tx);
		break;
	case DECIDE:
		decide(d, e->group, e->tx, e->commit);
		break;
	case END:
		d->state[e->tx] = pxs_tx_ended(d->state[e->tx]);
		break;
	case FORGET:
		forget(d, home(e->tx), e->floor);
		break;
	}
	d->applied++;
}

static void fly(struct entry e)
{
	if (nflying < FLYING)
		flying[nflying++] = e;
}

static u64 floor_of(const struct data *c, u32 of)
{
	u64 floor = c->applied + 1;
	u32 i;

	for (i = 0; i < TXS; i++)
		if (home(i) == of && c->state[i] != PXS_TX_GONE)
			floor = min(floor, slot[i]);
	return floor;
}

/* Member @m, as if it led @group, proposes what is due for @tx. Return: something was. */
static bool drive(u32 m, u32 group, u32 tx, bool late)
{
	struct data *c = &seen[m][home(tx)], *d = &seen[m][group];
	enum pxs_tx_state other[GROUPS];
	struct entry e = { .group = group, .tx = tx, .word = DECIDE };
	enum pxs_tx_reason why;
	enum pxs_tx_act act;
	bool turn = true;
	u32 i, n = 0;

	if (!slot[tx] || c->applied < slot[tx] || group < home(tx))
		return false;
	for (i = home(tx) + 1; i < GROUPS; i++) {
		other[n++] = seen[m][i].state[tx];
		turn &= i >= group || seen[m][i].state[tx] == PXS_TX_READY;
	}
	if (group == home(tx))
		act = pxs_tx_coordinate(c->state[tx], other, n, late, &why);
	else
		act = pxs_tx_participate(c->state[tx], turn, d->state[tx]);
	e.floor = floor_of(c, home(tx));
	e.commit = act == PXS_TX_COMMIT;
	if (act == PXS_TX_PREPARE)
		e.word = PREPARE;
	else if (act == PXS_TX_END)
		e.word = END;
	else if (act == PXS_TX_WAIT && group != home(tx) && c->state[tx] == PXS_TX_GONE &&
		 d->state[tx] != PXS_TX_GONE && slot[tx] < e.floor)
		e.word = FORGET;
	else if (act == PXS_TX_WAIT)
		return false;
	fly(e);
	return true;
}

static void write_down(u32 i)
{
	struct entry e = flying[i];

	flying[i] = flying[--nflying];
	if (len[e.group] == LOG)
		return;
	if (e.word == BEGIN && slot[e.tx])
		return;
	log[e.group][len[e.group]++] = e;
	if (e.word == BEGIN) {
		slot[e.tx] = len[e.group];
		memcpy(watch[e.tx], e.watch, sizeof(e.watch));
	}
}

/* As one sees it who has seen as much of the logs as member @m. */
static void begin(u32 m, u32 tx)
{
	struct entry e = { .word = BEGIN, .group = home(tx), .tx = tx };
	u32 g;

	for (g = 0; g < GROUPS; g++)
		e.watch[g] = seen[m][g].version;
	fly(e);
}

static bool look(u32 m, u32 group)
{
	struct data *d = &seen[m][group];

	if (d->applied == len[group])
		return false;
	apply(d, &log[group][d->applied]);
	return true;
}

/* None is done twice; one that is done in a group was committed by its coordinator's log. */
static void check_whole(void)
{
	u32 m, g, tx, done, committed;

	for (tx = 0; tx < TXS; tx++) {
		done = 0;
		committed = 0;
		for (g = 0; g < GROUPS; g++)
			for (m = 0; m < MEMBERS; m++) {
				CHECK(seen[m][g].done[tx] <= 1);
				done += seen[m][g].done[tx];
				committed += g == home(tx) && seen[m][g].done[tx];
			}
		CHECK(!done || committed);
	}
}

static void step(void)
{
	u32 what = draw(32), tx = draw(TXS);

	if (what < 12)
		look(draw(MEMBERS), draw(GROUPS));
	else if (what < 24)
		drive(draw(MEMBERS), draw(GROUPS), tx, !draw(100));
	else if (what < 30 && nflying)
		write_down(draw(nflying));
	else if (what == 30 && nflying)
		flying[draw(nflying)] = flying[draw(nflying)];	/* one twice, one never */
	else if (what == 31 && draw(4))
		begin(draw(MEMBERS), tx);
	else if (what == 31)
		fly((struct entry){ .word = WRITE, .group = draw(GROUPS) });
}

/* Everything arrives, and nothing new begins. Return: something happened. */
static bool settle(bool late)
{
	bool did = false;
	u32 g, m, tx;

	while (nflying)
		write_down(draw(nflying));
	for (m = 0; m < MEMBERS; m++)
		for (g = 0; g < GROUPS; g++)
			while (look(m, g))
				did = true;
	for (g = 0; g < GROUPS; g++)
		for (tx = 0; tx < TXS; tx++)
			did |= drive(0, g, tx, late);
	return did;
}

static u32 committed;

static void run(u64 seed)
{
	u32 i, g, tx;

	memset(len, 0, sizeof(len));
	memset(slot, 0, sizeof(slot));
	memset(seen, 0, sizeof(seen));
	nflying = 0;
	chance = seed;
	for (i = 0; i < STEPS; i++) {
		step();
		check_whole();
	}
	/* Nobody waits for himself: it ends without anything being late. */
	for (i = 0; i < 100 && settle(false); i++)
		;
	CHECK(i < 100);
	check_whole();
	for (g = 0; g < GROUPS; g++) {
		CHECK_EQ(seen[0][g].holder, 0);
		for (tx = 0; tx < TXS; tx++) {
			CHECK_EQ(seen[0][g].state[tx], PXS_TX_GONE);
			if (g < home(tx))
				continue;
			CHECK_EQ(seen[0][g].done[tx], seen[0][home(tx)].done[tx]);
			committed += seen[0][g].done[tx];
		}
	}
}

static void whatever_happens_it_is_whole(void)
{
	u64 seed;

	for (seed = 1; seed <= RUNS; seed++)
		run(seed * 0x9e3779b97f4a7c15ull);
	/* Not for want of trying. */
	CHECK(committed > RUNS);
	CHECK(changes > RUNS);
	CHECK(kept > RUNS);
}

/* --- parts and answers ------------------------------------------------------------- */

static struct pxs_shards map;
static char key[3][16];

static void find_keys(void)
{
	static const u32 group[] = { 1, 2, 3 };
	static const struct pxs_seed seed = { { 1, 2 } };
	char text[16];
	u32 i;

	CHECK_EQ(pxs_shards_fill(&map, group, 3, &seed), 0);
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "k%u", i);
		memcpy(key[pxs_shards_of_key(&map, pxs_str(text))], text, sizeof(text));
	}
}

static u32 part_of(const struct pxs_str *argv, u32 argc, u32 index, struct pxs_str *to)
{
	return pxs_tx_part(&map, pxs_cmd_find(argv[0]), argc, argv, index, 2, to);
}

static void each_group_gets_its_keys(void)
{
	struct pxs_str to[8], mset[] = {
		pxs_str("MSET"), pxs_str(key[0]), pxs_str("a"), pxs_str(key[1]), pxs_str("b"),
		pxs_str(key[0]), pxs_str("c"),
	};
	struct pxs_str ping[] = { pxs_str("PING") };
	struct pxs_str get[] = { pxs_str("GET"), pxs_str(key[1]) };

	CHECK_EQ(part_of(mset, 7, 0, to), 5);
	CHECK(pxs_str_equal(to[4], mset[6]));
	CHECK_EQ(part_of(mset, 7, 1, to), 3);
	CHECK(pxs_str_equal(to[1], mset[3]));
	CHECK_EQ(part_of(mset, 7, 2, to), 0);
	CHECK_EQ(part_of(ping, 1, 2, to), 1);
	CHECK_EQ(part_of(ping, 1, 0, to), 0);
	CHECK_EQ(part_of(get, 2, 1, to), 2);
	CHECK_EQ(part_of(get, 2, 2, to), 0);
}

/* Return: what the parts' answers make, NULL: nothing. */
static const char *join(const struct pxs_str *argv, u32 argc, const char *a, const char *b,
			const char *c)
{
	struct pxs_str answer[] = { pxs_str(a), pxs_str(b), pxs_str(c) };
	static char text[256];
	struct pxs_reply out;
	bool good;

	pxs_reply_init(&out, 3, 200);
	good = pxs_tx_join(&map, pxs_cmd_find(argv[0]), argc, argv, answer, &out);
	memcpy(text, out.buf ? out.buf : (u8 *)"", out.len);
	text[out.len] = 0;
	pxs_reply_free(&out);
	return good ? text : "none";
}

static void answers_are_put_together(void)
{
	struct pxs_str mget[] = {
		pxs_str("MGET"), pxs_str(key[2]), pxs_str(key[0]), pxs_str(key[2]),
	};
	struct pxs_str del[] = { pxs_str("DEL"), pxs_str(key[1]), pxs_str(key[0]) };
	struct pxs_str mset[] = { pxs_str("MSET"), pxs_str(key[1]), pxs_str("1") };
	struct pxs_str msetnx[] = {
		pxs_str("MSETNX"), pxs_str(key[1]), pxs_str("1"), pxs_str(key[2]), pxs_str("1"),
	};

	CHECK_STR(join(mget, 4, "*1\r\n$1\r\na\r\n", "", "*2\r\n_\r\n$2\r\nbc\r\n"),
		  "*3\r\n_\r\n$1\r\na\r\n$2\r\nbc\r\n");
	CHECK_STR(join(mget, 4, "*1\r\n$9\r\na\r\n", "", "*2\r\n_\r\n_\r\n"), "none");
	CHECK_STR(join(mget, 4, "*1\r\n_\r\n", "", "*1\r\n_\r\n"), "none");
	CHECK_STR(join(del, 3, ":1\r\n", ":2\r\n", ""), ":3\r\n");
	CHECK_STR(join(del, 3, ":1\r\n", "-OOM\r\n", ""), "-OOM\r\n");
	CHECK_STR(join(mset, 3, "", "+OK\r\n", ""), "+OK\r\n");
	CHECK_STR(join(msetnx, 5, "", ":1\r\n", ":1\r\n"), ":1\r\n");
	CHECK_STR(join(msetnx, 3, "", ":0\r\n", ""), ":0\r\n");
}

static void values_end_where_they_end(void)
{
	static const char nested[] = "%1\r\n$1\r\na\r\n*2\r\n:1\r\n~1\r\n_\r\n:7\r\n";
	u32 i, whole = sizeof(nested) - 1 - 4;

	CHECK_EQ(pxs_tx_value(pxs_str(nested)), whole);
	for (i = 0; i < whole; i++)
		CHECK_EQ(pxs_tx_value((struct pxs_str){ (const u8 *)nested, i }), 0);
	CHECK_EQ(pxs_tx_value(pxs_str("$-1\r\n:1\r\n")), 5);
	CHECK_EQ(pxs_tx_value(pxs_str("$x\r\n")), 0);
	CHECK_EQ(pxs_tx_value(pxs_str("")), 0);
}

int main(void)
{
	find_keys();
	RUN(it_is_done_when_all_are_ready);
	RUN(one_that_is_full_is_enough);
	RUN(one_that_has_changed_is_enough);
	RUN(a_decision_is_not_changed);
	RUN(a_participant_follows_the_decision);
	RUN(what_comes_too_late_is_nothing);
	RUN(whatever_happens_it_is_whole);
	RUN(each_group_gets_its_keys);
	RUN(answers_are_put_together);
	RUN(values_end_where_they_end);
	return unit_done();
}
