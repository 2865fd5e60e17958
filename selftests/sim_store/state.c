// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - what must be so of the data
 */
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

/* Of all that the log has made of it, and nothing else: equal on whoever has applied as much. */
static void outcome(struct pxs_db *db, u8 digest[16])
{
	const struct pxs_db_state *s = &db->state;
	u64 of_state[] = { s->time, s->used, s->keys, s->expires, s->next_hash, s->foreign,
			   s->part_next, s->parts, s->crosses, s->locks, s->map.digest };
	u32 i;

	pxs_db_digest(db, digest);
	for (i = 0; i < ARRAY_SIZE(of_state); i++)
		digest[i] ^= (u8)(of_state[i] * 0x9e3779b97f4a7c15ull >> 56);
}

static void look(struct ss_node *n, struct pxs_store *s)
{
	struct ss_entry *e = &sim.log[s->replica->id - 1].entry[s->db.state.applied - 1];
	u8 digest[16];

	if (pxs_db_begin(&s->db, false)) {
		ss_fail("node %u group %u cannot be read", n->i, s->replica->id);
		return;
	}
	outcome(&s->db, digest);
	if (s->db.err)
		ss_fail("node %u group %u: error %d", n->i, s->replica->id, s->db.err);
	pxs_db_abort(&s->db);
	if (e->digested && memcmp(e->digest, digest, sizeof(digest)))
		ss_fail("node %u group %u: at slot %llu its data is not what another one's was",
			n->i, s->replica->id, U(s->db.state.applied));
	e->digested = true;
	memcpy(e->digest, digest, sizeof(digest));
	sim.stat.commits++;
}

void ss_state_look(struct ss_node *n)
{
	struct pxs_store *s;

	for (s = n->node.stores; s && !sim.failed; s = s->next) {
		if (s->stopped)
			ss_fail("node %u group %u stands still", n->i, s->replica->id);
		if (s->db.txn || !s->db.state.applied ||
		    s->db.state.applied == n->seen[s->replica->id - 1] ||
		    (!sim.last && ss_chance(500)))
			continue;
		n->seen[s->replica->id - 1] = s->db.state.applied;
		look(n, s);
	}
}

static bool quiet(const struct pxs_store *s, const struct ss_log *l, bool all)
{
	if (s->db.state.locks)
		return false;
	return !all || (!s->db.state.crosses && s->db.state.applied == l->decided &&
			l->n == l->decided && !s->db.txn);
}

bool ss_state_quiet(bool all)
{
	const struct pxs_store *s;
	u32 i;

	for (i = 0; i < SS_NODES; i++)
		for (s = sim.node[i].node.stores; s; s = s->next)
			if (!quiet(s, &sim.log[s->replica->id - 1], all))
				return false;
	for (i = 0; i < SS_NODES && all; i++)
		if (!ss_sagas_over(&sim.node[i]))
			return false;
	return true;
}

u32 ss_key_group(const char *key)
{
	const struct pxs_store *home = ss_store(&sim.node[0], 0);

	return pxs_shards_of_key(&home->set->map, pxs_str(key));
}

char *ss_state_value(struct ss_node *n, const char *key)
{
	struct pxs_store *s = ss_store(n, ss_key_group(key));
	struct pxs_rec rec;
	char *text = NULL;

	if (pxs_db_begin(&s->db, false))
		return NULL;
	if (pxs_db_find(&s->db, pxs_str(key), &rec)) {
		text = malloc(rec.value.len + 1u);
		if (!text)
			abort();
		memcpy(text, rec.value.data, rec.value.len);
		text[rec.value.len] = 0;
	}
	pxs_db_abort(&s->db);
	return text;
}

static void check_accounts(void)
{
	s64 sum = 0;
	char *text;
	u32 i;

	for (i = 0; i < SS_ACCOUNTS; i++) {
		text = ss_state_value(&sim.node[0], sim.key[SS_LISTS + i]);
		sum += text ? atoll(text) : 0;
		free(text);
	}
	if (sum)
		ss_fail("in the end there is %lld more in all accounts than there was",
			(long long)sum);
}

static void check_twins(void)
{
	char *text[SS_TWINS];
	u32 i;

	for (i = 0; i < SS_TWINS; i++)
		text[i] = ss_state_value(&sim.node[0], sim.key[SS_LISTS + SS_ACCOUNTS + i]);
	for (i = 1; i < SS_TWINS; i++)
		if (!text[i] != !text[0] || (text[0] && strcmp(text[i], text[0])))
			ss_fail("in the end twins differ");
	for (i = 0; i < SS_TWINS; i++)
		free(text[i]);
}

void ss_state_end(void)
{
	u32 i;

	for (i = 0; i < SS_NODES; i++) {
		memset(sim.node[i].seen, 0xff, sizeof(sim.node[i].seen));
		ss_state_look(&sim.node[i]);
	}
	if (!sim.failed)
		check_accounts();
	if (!sim.failed)
		check_twins();
	if (!sim.failed)
		ss_sagas_check(&sim.node[0]);
}
