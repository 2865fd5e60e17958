/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_set.h - three groups that are one store, and one client of it
 *
 * Three stores without loops and without logs, one set. This member leads the groups that the
 * test says, and what is proposed is decided when the test says.
 */
#ifndef UNIT_SET_H
#define UNIT_SET_H

#include "unit_reads.h"

#define GROUPS	3u

static struct pxs_store more[GROUPS - 1];
static struct pxs_replica replicas[GROUPS - 1];
static struct unit_store dirs[GROUPS - 1];
static struct pxs_set set;
static struct pxs_store *store[GROUPS];
static char key[GROUPS][2][16];		/* of each group two */

static void make_store(u32 i)
{
	struct pxs_store *g = &more[i];

	memset(g, 0, sizeof(*g));
	replicas[i] = replica;
	replicas[i].id = i + 2;
	pxs_proposals_init(&replicas[i].proposals);
	pxs_index_reads_init(&replicas[i].reads);
	*g = (struct pxs_store){ .node = &node, .replica = &replicas[i], .config = &config };
	g->ask.pause = ~0ull;
	pxs_requests_init(&g->decided);
	pxs_requests_init(&g->applied);
	pxs_requests_init(&g->reads);
	pxs_requests_init(&g->barred);
	pxs_requests_init(&g->stale);
	pxs_requests_init(&g->crossed);
	pxs_requests_init(&g->shares);
	pxs_requests_init(&g->locked);
	store_make(&dirs[i]);
	store_remove(&dirs[i]);
	dirs[i].owner.group = i + 2;
	CHECK_EQ(pxs_db_open(&g->db, dirs[i].path, &dirs[i].owner, 1 << 20), 0);
}

static inline void lead_group(u32 i, bool us)
{
	store[i]->replica->elect.role = us ? PXS_ROLE_LEADER : PXS_ROLE_FOLLOWER;
	store[i]->replica->elect.leader = us ? 1 : 2;
}

static void find_keys(void)
{
	u32 n[GROUPS] = { 0 }, i, at;
	char text[16];

	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "k%u", i);
		at = pxs_shards_of_key(&set.map, pxs_str(text));
		if (n[at] < 2)
			memcpy(key[at][n[at]++], text, sizeof(text));
	}
}

static inline void begin_test(void)
{
	static const u32 group[] = { 1, 2, 3 };
	u32 i;

	setup(true);
	replica.id = 1;
	CHECK_EQ(pxs_shards_fill(&set.map, group, GROUPS, &s.db.seed), 0);
	set.digest = pxs_shards_digest(&set.map);
	set.round = 1;
	set.home = &s;
	store[0] = &s;
	for (i = 1; i < GROUPS; i++) {
		make_store(i - 1);
		store[i] = &more[i - 1];
	}
	for (i = 0; i < GROUPS; i++) {
		set.store[i] = store[i];
		store[i]->set = &set;
		store[i]->db.state.map.n = GROUPS;
		store[i]->db.state.map.digest = set.digest;
		memcpy(store[i]->db.state.map.group, group, sizeof(group));
		lead_group(i, true);
	}
	find_keys();
}

static inline void end_test(void)
{
	u32 i;

	teardown();
	for (i = 0; i + 1 < GROUPS; i++) {
		pxs_db_close(&more[i].db, false);
		store_remove(&dirs[i]);
	}
}

/* What is queued in the log of group @i: how many. */
static inline u32 queued(u32 i)
{
	return store[i]->replica->proposals.queued.count;
}

/* The one that is queued there is decided and applied. */
static inline void decide_in(u32 i)
{
	struct pxs_replica *r = store[i]->replica;
	struct pxs_proposal *p = r->proposals.queued.first;
	static u8 value[PXS_VALUE_MAX];
	struct pxs_fetched v = { .slot = r->applied + 1, .data = value };

	if (!CHECK(p))
		return;
	r->proposals.queued.first = p->next;
	r->proposals.queued.count--;
	if (!p->next)
		pxs_proposals_init(&r->proposals);
	memcpy(value, p->value, p->len);
	v.len = p->len;
	p->done(p, 0, v.slot);
	r->commit = ++r->applied;
	CHECK(take(store[i], &v));
	commit(store[i]);
}

/* All that were asked for are known. */
static inline void tell_indexes(void)
{
	struct pxs_index_read *q;
	u32 i;

	for (i = 0; i < GROUPS; i++) {
		pxs_submit_step(store[i]);
		q = store[i]->replica->reads.queued.first;
		if (!q)
			continue;
		pxs_index_reads_init(&store[i]->replica->reads);
		q->done(q, 0, store[i]->db.state.applied);
		read_barred(store[i]);
	}
}

/* say() with "%s" for keys. */
static inline const char *say_of(const char *format, const char *a, const char *b)
{
	char text[512];

	snprintf(text, sizeof(text), format, a, b);
	return say(text);
}

#endif /* UNIT_SET_H */
