// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_evdb_tell.c - tables of eventual keys that tell each other
 *
 * Drawn is what happens: writes, questions, answers that come late or never, marks that go,
 * restarts, a table that is lost. In the end all have the same, which is what the writes say: of
 * each key and field the one with the highest stamp.
 */
#define _GNU_SOURCE
#include "unit_evdb.h"

#define KEYS	4u
#define FIELDS	2u

struct said {
	struct answer *a;
	struct pxs_feed_has has[NODES];
};

static bool say(void *ctx, const struct pxs_element *e)
{
	struct said *s = ctx;

	if (!pxs_feed_knows(s->has, NODES, e)) {
		s->a->data = realloc(s->a->data, s->a->len + pxs_feed_size(e));
		s->a->len += pxs_feed_put(s->a->data + s->a->len, e);
	}
	s->a->cursor = e->seq;
	return s->a->len < 200;		/* the rest another time */
}

static u64 horizon_of(u32 i)
{
	struct node *n = &node[i];
	struct pxs_confirm c[NODES - 1];
	u32 j, k = 0;
	u64 at;

	for (j = 0; j < NODES; j++)
		if (j != i)
			c[k++] = n->confirm[j];
	at = pxs_confirm_horizon(&n->marks, c, k, n->db.state.head);
	for (j = 0, k = 0; j < NODES; j++)
		if (j != i)
			n->confirm[j] = c[k++];
	return at;
}

/* @i asks @j, as of now; the answer is made, and under way. */
static void ask(u32 i, u32 j)
{
	const struct pxs_evdb_peer *peer = pxs_evdb_peer(&node[i].db.state, (u8)(j + 1));
	struct answer *a = &node[i].from[j];
	struct said s = { .a = a };
	struct pxs_evtx tx;
	u32 k;

	free(a->data);
	*a = (struct answer){ .under_way = true, .table = node[j].db.state.table };
	for (k = 0; k < NODES; k++) {
		const struct pxs_evdb_peer *p = pxs_evdb_peer(&node[i].db.state, (u8)(k + 1));

		s.has[k] = (struct pxs_feed_has){
			.member = (u8)(k + 1),
			.table = cpu_to_le64(p ? p->table : node[i].db.state.table),
			.origin = cpu_to_le64(p ? p->whole : node[i].db.state.head),
		};
	}
	if (peer->table == a->table) {
		a->cursor = peer->cursor;
		pxs_confirm_asked(&node[j].confirm[i], node[i].db.state.table, node[i].round[j],
				  peer->cursor, node[i].db.state.head);
	}
	horizon_of(j);
	a->round = node[j].marks.round;
	CHECK_EQ(-pxs_evdb_begin(&node[j].db, &tx, false), 0);
	if (pxs_evdb_changes(&tx, a->cursor, say, &s))
		a->cursor = node[j].db.state.head;
	CHECK_EQ(-tx.err, 0);
	pxs_evdb_abort(&tx);
	a->head = node[j].db.state.head;
}

struct arrival {
	u32 from;
	struct answer *a;
};

static void do_arrive(struct pxs_evtx *tx, void *ctx)
{
	struct arrival *x = ctx;
	struct pxs_element e;
	u32 pos = 0;

	while (pxs_feed_next(x->a->data, x->a->len, &pos, &e) > 0)
		pxs_evdb_merge_told(tx, &e, now);
	pxs_evdb_advance(tx, (u8)(x->from + 1), x->a->table, x->a->cursor, x->a->head);
}

static void arrive(u32 i, u32 j)
{
	struct arrival x = { j, &node[i].from[j] };

	if (!x.a->under_way)
		return;
	change(i, do_arrive, &x);
	pxs_confirm_merged(&node[i].confirm[j], x.a->table, x.a->cursor);
	node[i].round[j] = x.a->round;
	x.a->under_way = false;
}

static void do_tidy(struct pxs_evtx *tx, void *ctx)
{
	struct node *n = ctx;

	pxs_evdb_reap(tx, now, 3);
	pxs_evdb_sweep(tx, horizon_of((u32)(n - node)), 3);
}

static void hang_up(u32 i, u32 j)
{
	node[i].from[j].under_way = false;
	node[i].round[j] = 0;
}

static void restart(u32 i)
{
	u32 j;

	close_node(i);
	make(i);
	for (j = 0; j < NODES; j++)
		hang_up(j, i);
}

/* What the writes say. */
static struct pxs_element last[KEYS][FIELDS + 1];
static const char *const key_name[KEYS] = { "a", "b", "c", "d" };
static const char *const field_name[FIELDS + 1] = { "", "f", "g" };
static char value_text[100000][8];
static u32 values;

static void draw_write(u32 i)
{
	u32 k = (u32)(unit_random(&seed) % KEYS), f = (u32)(unit_random(&seed) % (FIELDS + 1));
	struct pxs_element e;

	sprintf(value_text[values], "%u", values);
	e = element(key_name[k], field_name[f],
		    unit_random(&seed) % 3 ? value_text[values++] : NULL);
	if (!f && !e.dead && !(unit_random(&seed) % 3))
		e.deadline = now + unit_random(&seed) % 20;
	change(i, do_write, &e);
	if (pxs_stamp_compare(&e.stamp, &last[k][f].stamp) > 0)
		last[k][f] = e;
}

static bool is_as_written(u32 i, u32 k, u32 f)
{
	const struct pxs_element *whole = &last[k][0], *e = &last[k][f];
	struct pxs_str name = pxs_str(field_name[f]);
	struct pxs_element got;
	struct pxs_evtx tx;
	bool want = pxs_lww_alive(e, now) && e->stamp.time, good;
	u32 g;

	if (f)
		want &= !pxs_lww_covers(whole, e);
	for (g = 1; !f && g <= FIELDS; g++)
		want &= !last[k][g].stamp.time || pxs_lww_covers(whole, &last[k][g]);
	CHECK_EQ(-pxs_evdb_begin(&node[i].db, &tx, false), 0);
	good = pxs_evdb_get(&tx, pxs_str(key_name[k]), f ? &name : NULL, &got) &&
	       pxs_lww_alive(&got, now);
	good = good == want && (!want || (!pxs_stamp_compare(&got.stamp, &e->stamp) &&
					  pxs_str_equal(got.value, e->value)));
	pxs_evdb_abort(&tx);
	return good;
}

static void settle(void)
{
	u32 round, i, j;

	for (round = 0; round < 60; round++)
		for (i = 0; i < NODES; i++)
			for (j = 0; j < NODES; j++)
				if (i != j) {
					arrive(i, j);
					ask(i, j);
					arrive(i, j);
				}
}

static void step(bool lossy, u32 cut)
{
	u32 i = (u32)(unit_random(&seed) % NODES), j = (i + 1 + unit_random(&seed) % 2) % NODES;

	now += !(unit_random(&seed) % 4);
	switch (unit_random(&seed) % (lossy ? 200 : 190)) {
	case 0 ... 19:
		draw_write(i);
		break;
	case 20 ... 89:
		if (i != cut && j != cut && !node[i].from[j].under_way)
			ask(i, j);
		break;
	case 90 ... 159:
		/* What one of them is told is long under way: longer than a mark may stay. */
		if (i != cut && j != cut && (i || j != 1 || !(unit_random(&seed) % 20)))
			arrive(i, j);
		break;
	case 160:
		hang_up(i, j);		/* a connection breaks */
		break;
	case 161 ... 187:
		change(i, do_tidy, &node[i]);
		break;
	case 188 ... 189:
		restart(i);
		break;
	default:
		lose(i);
		make(i);
		for (j = 0; j < NODES; j++)
			hang_up(j, i);
	}
}

static void run(u32 rounds, bool lossy)
{
	u64 swept = 0;
	u32 round, s, i, k, f;

	for (round = 0; round < rounds; round++) {
		begin();
		memset(last, 0, sizeof(last));
		values = 0;
		for (s = 0; s < 600; s++)
			step(lossy, s / 150 % 2 ? round % NODES : NODES);
		now += 100;
		settle();
		CHECK_FATAL(same(0, 1) && same(0, 2));
		for (i = 0; i < NODES && !lossy; i++)
			for (k = 0; k < KEYS; k++)
				for (f = 0; f <= FIELDS; f++)
					CHECK_FATAL(is_as_written(i, k, f));
		for (s = 0; s < 30; s++) {
			for (i = 0; i < NODES; i++)
				change(i, do_tidy, &node[i]);
			settle();
			now += 100;
		}
		/* No mark stays that all know of, and none has brought anything back. */
		for (i = 0; i < NODES; i++)
			swept += !node[i].db.state.dead;
		CHECK_FATAL(same(0, 1) && same(0, 2));
		for (i = 0; i < NODES && !lossy; i++)
			for (k = 0; k < KEYS; k++)
				for (f = 0; f <= FIELDS; f++)
					CHECK_FATAL(is_as_written(i, k, f));
		end();
	}
	CHECK_EQ(swept, (u64)rounds * NODES);
}

static void members_come_to_the_same(void)
{
	run(20 * scale, false);
}

static void also_when_disks_are_lost(void)
{
	run(8 * scale, true);
}

/* A member that does not ask keeps marks from going. */
static void who_is_away_keeps_marks(void)
{
	u32 i;

	begin();
	put(0, "k", "", "v");
	settle();
	now++;
	put(0, "k", "", NULL);
	for (i = 0; i < 50; i++) {
		ask(1, 0);
		arrive(1, 0);
		ask(0, 1);
		arrive(0, 1);
		change(0, do_tidy, &node[0]);
		change(1, do_tidy, &node[1]);
	}
	CHECK_STR(read_at(2, "k", ""), "v");
	CHECK_EQ(node[0].db.state.dead, 1);
	settle();
	change(0, do_tidy, &node[0]);
	CHECK_EQ(node[0].db.state.dead, 0);
	settle();
	CHECK_STR(read_at(0, "k", ""), "");
	end();
}

static void hear(u32 i, u32 j)
{
	ask(i, j);
	arrive(i, j);
}

/* What 1 has told before it knew of the deletion comes when everybody else has forgotten it. */
static void an_answer_is_long_under_way(void)
{
	u32 i;

	begin();
	hear(0, 1);
	hear(1, 0);
	put(1, "k", "", "v");
	ask(0, 1);
	now++;
	put(0, "k", "", NULL);
	for (i = 0; i < 5; i++) {
		hear(1, 0);
		hear(2, 0);
		hear(2, 1);
		hear(1, 2);
		hear(0, 2);
		change(0, do_tidy, &node[0]);
	}
	CHECK_EQ(node[0].db.state.dead, 1);
	arrive(0, 1);
	CHECK_STR(read_at(0, "k", ""), "dead");
	for (i = 0; i < 3; i++) {
		settle();
		change(0, do_tidy, &node[0]);
	}
	CHECK_EQ(node[0].db.state.items, 0);
	end();
}

/* What is known of a table says nothing of the one that follows it. */
static void a_new_table_is_another_one(void)
{
	static const char *const keys[] = { "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7" };
	u32 i;

	begin();
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		put(1, keys[i], "", "old");
	settle();
	lose(1);
	make(1);
	now++;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		put(1, keys[i], "", "new");
	hear(0, 1);		/* not all of it */
	for (i = 0; i < 2 * ARRAY_SIZE(keys); i++)
		hear(2, 1);
	lose(1);
	make(1);
	settle();
	CHECK(same(0, 1) && same(0, 2));
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		CHECK_STR(read_at(0, keys[i], ""), "new");
	end();
}

/*
 * 1 has heard of the deletion, and says so. Then its disk is lost, and 2, which is behind, gives it
 * the older write, before 2 hears of the deletion, too.
 */
static void a_lost_disk_brings_nothing_back(void)
{
	u32 i;

	begin();
	put(1, "k", "", "v");
	settle();
	lose(1);		/* its own writes are others' to tell from now on */
	make(1);
	settle();
	now++;
	put(0, "k", "", NULL);
	hear(1, 0);
	hear(1, 0);
	hear(0, 1);
	lose(1);
	make(1);
	hear(1, 2);
	CHECK_STR(read_at(1, "k", ""), "v");
	for (i = 0; i < 5; i++) {
		hear(2, 0);
		hear(0, 2);
		change(0, do_tidy, &node[0]);
	}
	hear(0, 1);
	CHECK_STR(read_at(0, "k", ""), "dead");
	for (i = 0; i < 5; i++) {
		settle();
		change(0, do_tidy, &node[0]);
	}
	CHECK(same(0, 1) && same(0, 2));
	CHECK_EQ(node[0].db.state.items, 0);
	end();
}

int main(void)
{
	evdb_setup();
	RUN(members_come_to_the_same);
	RUN(also_when_disks_are_lost);
	RUN(who_is_away_keeps_marks);
	RUN(an_answer_is_long_under_way);
	RUN(a_new_table_is_another_one);
	RUN(a_lost_disk_brings_nothing_back);
	rmdir(base);
	return unit_done();
}
