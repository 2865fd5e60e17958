// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_evdb.c - the table of eventual keys
 */
#define _GNU_SOURCE
#include "unit_evdb.h"

static void what_is_written_is_there(void)
{
	begin();
	put(0, "k", "", "v");
	CHECK_STR(read_at(0, "k", ""), "v");
	put(0, "k", "", "w");
	CHECK_STR(read_at(0, "k", ""), "w");
	CHECK_EQ(node[0].db.state.items, 1);
	put(0, "k", "", NULL);
	CHECK_STR(read_at(0, "k", ""), "dead");
	CHECK_EQ(node[0].db.state.dead, 1);
	put(0, "h", "f", "1");
	put(0, "h", "g", "2");
	CHECK_STR(read_at(0, "h", "f"), "1");
	put(0, "h", "", "string");
	CHECK_STR(read_at(0, "h", "f"), "");
	CHECK_STR(read_at(0, "h", ""), "string");
	put(0, "h", "f", "3");
	CHECK_STR(read_at(0, "h", ""), "dead");
	CHECK_STR(read_at(0, "h", "f"), "3");
	end();
}

static void it_outlives_its_process(void)
{
	struct pxs_evdb_owner owner = owner_of(0);
	struct pxs_evdb_state was;
	struct pxs_element e;

	begin();
	put(0, "k", "", "v");
	was = node[0].db.state;
	close_node(0);
	now = 10;		/* the machine's clock was set */
	make(0);
	CHECK(!memcmp(&was, &node[0].db.state, sizeof(was)));
	e = put(0, "k", "", "w");
	CHECK(e.stamp.time > was.clock && e.stamp.table == was.table);
	CHECK_STR(read_at(0, "k", ""), "w");
	close_node(0);
	owner.incarnation++;
	CHECK_EQ(-open_node(0, &owner), EKEYREJECTED);
	owner = owner_of(1);
	CHECK_EQ(-open_node(0, &owner), EKEYREJECTED);
	lose(0);
	make(0);
	CHECK(node[0].db.state.table != was.table);
	end();
}

static void an_older_write_is_late(void)
{
	struct pxs_element old, dead;

	begin();
	old = put(0, "k", "", "v");
	now++;
	dead = put(1, "k", "", NULL);
	change(1, do_merge, &old);
	CHECK_STR(read_at(1, "k", ""), "dead");
	change(0, do_merge, &dead);
	CHECK_STR(read_at(0, "k", ""), "dead");
	old = put(0, "h", "f", "v");
	now++;
	put(1, "h", "", NULL);
	change(1, do_merge, &old);
	CHECK_STR(read_at(1, "h", "f"), "");
	/* Its clock has gone on by what it merged, though it is slow. */
	now += 50;
	dead = put(1, "k", "", NULL);
	change(0, do_merge, &dead);
	now -= 50;
	CHECK(put(0, "k", "", "w").stamp.time > dead.stamp.time);
	end();
}

static void do_reap(struct pxs_evtx *tx, void *ctx)
{
	*(u32 *)ctx = pxs_evdb_reap(tx, now, 100);
}

static void deadlines_are_kept(void)
{
	struct pxs_element e = element("k", "", "v");
	struct pxs_evtx tx;
	u32 n;

	begin();
	e.deadline = now + 10;
	change(0, do_write, &e);
	CHECK_EQ(-pxs_evdb_begin(&node[0].db, &tx, false), 0);
	CHECK_EQ(pxs_evdb_first_due(&tx), now + 10);
	pxs_evdb_abort(&tx);
	now += 10;
	change(0, do_reap, &n);
	CHECK_EQ(n, 0);
	change(1, do_merge, &e);
	now++;
	CHECK(same(0, 1));
	change(0, do_reap, &n);
	CHECK_EQ(n, 1);
	CHECK(same(0, 1));	/* it is as dead where nobody has looked yet */
	CHECK_STR(read_at(0, "k", ""), "dead");
	change(0, do_merge, &e);
	CHECK_STR(read_at(0, "k", ""), "dead");
	put(0, "k", "", "w");
	CHECK_STR(read_at(0, "k", ""), "w");
	end();
}

#define DRIFT	100u

static void do_told(struct pxs_evtx *tx, void *ctx)
{
	pxs_evdb_merge_told(tx, ctx, now + DRIFT);
}

/* A member's clock is ten hours ahead: what is to live for five ends there, and nowhere else. */
static void a_fast_clock_ends_nothing_elsewhere(void)
{
	struct pxs_element e = element("k", "", "v"), dead, field;
	u32 n;

	begin();
	e.deadline = now + 5 * 3600000;
	change(0, do_write, &e);
	change(1, do_told, &e);
	now += 10 * 3600000;
	change(1, do_reap, &n);
	CHECK_EQ(n, 1);
	now -= 10 * 3600000;
	dead = e;
	pxs_lww_kill(&dead);
	change(0, do_told, &dead);
	CHECK_STR(read_at(0, "k", ""), "v");
	/* Where it is not known there is nothing to keep. */
	change(2, do_told, &dead);
	CHECK_STR(read_at(2, "k", ""), "dead");
	/* A field ends it everywhere, and a later write. */
	field = put(1, "k", "f", "w");
	change(0, do_told, &field);
	CHECK_STR(read_at(0, "k", ""), "dead");
	e = element("l", "", "v");
	e.deadline = now + 5 * 3600000;
	change(0, do_write, &e);
	change(1, do_told, &e);
	dead = put(1, "l", "", NULL);
	change(0, do_told, &dead);
	CHECK_STR(read_at(0, "l", ""), "dead");
	/* Clocks may differ by so much. */
	e = element("m", "", "v");
	e.deadline = now + DRIFT;
	change(0, do_write, &e);
	pxs_lww_kill(&e);
	change(0, do_told, &e);
	CHECK_STR(read_at(0, "m", ""), "dead");
	end();
}

static bool count(void *ctx, const struct pxs_element *e)
{
	(void)e;
	++*(u32 *)ctx;
	return *(u32 *)ctx % 10;
}

static void a_walk_sees_each_key(void)
{
	struct pxs_evtx tx;
	char key[16];
	u32 i, n = 0;
	u64 cursor = 0;

	begin();
	for (i = 0; i < 95; i++) {
		sprintf(key, "key%u", i);
		put(0, key, i % 3 ? "" : "f", "v");
		put(0, key, i % 3 ? "" : "g", "v");
	}
	put(0, "gone", "", NULL);
	CHECK_EQ(-pxs_evdb_begin(&node[0].db, &tx, false), 0);
	do
		cursor = pxs_evdb_scan(&tx, cursor, now, count, &n);
	while (cursor);
	pxs_evdb_abort(&tx);
	CHECK_EQ(n, 95);
	end();
}

/* --- orders --- */

/* Stamps as they are, in any order, some twice: all tables that had all of them are equal. */
static void order_does_not_matter(void)
{
	static const char *const words[] = { "", "a", "b" };
	struct pxs_element all[24], e;
	u32 round, i, n, at;

	for (round = 0; round < 30 * scale; round++) {
		begin();
		for (n = 0; n < ARRAY_SIZE(all); n++) {
			e = element(unit_random(&seed) % 2 ? "k" : "l", words[unit_random(&seed) % 3],
				    unit_random(&seed) % 3 ? "v" : NULL);
			e.stamp = (struct pxs_stamp){
				((now - 20 + unit_random(&seed) % 20) << 16) + n, 5, 1,
			};
			all[n] = e;
			change(0, do_merge, &all[n]);
		}
		for (i = 1; i < NODES; i++) {
			for (n = ARRAY_SIZE(all); n; n--) {
				at = (u32)(unit_random(&seed) % n);
				e = all[at];
				all[at] = all[n - 1];
				all[n - 1] = e;
				change(i, do_merge, &e);
				if (unit_random(&seed) % 2)
					change(i, do_merge, &all[unit_random(&seed) %
								 ARRAY_SIZE(all)]);
			}
			CHECK_FATAL(same(0, i));
		}
		end();
	}
}

static void the_map_grows(void)
{
	static char big[20001];
	struct pxs_element e;
	char key[16];
	u32 i;

	begin();
	memset(big, 'x', sizeof(big) - 1);
	for (i = 0; i < 100; i++) {
		sprintf(key, "key%u", i);
		e = put(0, key, "", big);
		change(1, do_merge, &e);
	}
	CHECK(node[0].db.map > 1 << 20);
	CHECK_EQ(node[0].db.state.items, 100);
	CHECK(node[0].db.state.used > 100 * 20000);
	CHECK(same(0, 1));
	end();
}

int main(void)
{
	evdb_setup();
	RUN(what_is_written_is_there);
	RUN(it_outlives_its_process);
	RUN(an_older_write_is_late);
	RUN(deadlines_are_kept);
	RUN(a_fast_clock_ends_nothing_elsewhere);
	RUN(a_walk_sees_each_key);
	RUN(order_does_not_matter);
	RUN(the_map_grows);
	rmdir(base);
	return unit_done();
}
