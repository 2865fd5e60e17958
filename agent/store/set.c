// SPDX-License-Identifier: GPL-2.0
/*
 * set.c - the groups of one store, where it has several
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "../report.h"

struct pxs_store *pxs_set_home(const struct pxs_store *s)
{
	return s->set ? s->set->home : (struct pxs_store *)s;
}

u32 pxs_set_count(const struct pxs_store *s)
{
	return s->set ? s->set->map.n : 1;
}

struct pxs_store *pxs_set_at(const struct pxs_store *s, u32 i)
{
	return s->set ? s->set->store[i] : (struct pxs_store *)s;
}

struct pxs_store *pxs_set_find(struct pxs_store *s, u64 id)
{
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++)
		if (pxs_set_at(s, i)->replica->id == id)
			return pxs_set_at(s, i);
	return NULL;
}

u32 pxs_set_index(const struct pxs_store *s)
{
	return s->set ? (u32)pxs_shards_index(&s->set->map, s->replica->id) : 0;
}

struct pxs_store *pxs_set_of_key(const struct pxs_store *s, struct pxs_str key)
{
	if (!s->set)
		return (struct pxs_store *)s;
	return s->set->store[pxs_shards_of_key(&s->set->map, key)];
}

/* --- who has which keys: what the data says --------------------------------------- */

const char *pxs_set_wrong(const struct pxs_store *s)
{
	const struct pxs_db_state *st = &s->db.state;

	if (!s->set)
		return st->map.n ? "its keys are one part of a store of several groups, and `groups` is not given: give it as it was" : NULL;
	if (!st->map.n)
		return st->keys ? "it has keys from when it was a store by itself: take `groups` away, or begin with groups that are new" : NULL;
	if (st->map.n != s->set->map.n ||
	    memcmp(st->map.group, s->set->map.group, st->map.n * sizeof(*st->map.group)))
		return "its keys were shared among other groups: give those in `groups`, or begin with groups that are new";
	if (st->map.digest != s->set->digest)
		return "its keys were shared by another version of paxsteerd, which must be run";
	return NULL;
}

bool pxs_set_ready(const struct pxs_store *s)
{
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++)
		if (pxs_set_at(s, i)->loading || (s->set && !pxs_set_at(s, i)->db.state.map.n))
			return false;
	return true;
}

bool pxs_set_removed(const struct pxs_store *s)
{
	u32 i = 0;

	while (i < pxs_set_count(s) && !pxs_set_at(s, i)->replica->members.removed)
		i++;
	return i < pxs_set_count(s);
}

/* --- the entry -------------------------------------------------------------------- */

struct order {
	struct pxs_store *store;
	struct pxs_proposal p;	/* p.value follows, so it is last */
};

static void order_done(struct pxs_proposal *p, u32 error, u64 slot)
{
	struct order *o = (struct order *)((char *)p - offsetof(struct order, p));

	/* After an error once more; what is decided must be applied first. */
	o->store->map_slot = error ? 0 : slot;
	free(o);
}

static bool propose(struct pxs_store *s)
{
	const struct pxs_shards *m = &s->set->map;
	struct pxs_store_entry e = {
		.kind = PXS_STORE_MAP, .ncommands = 1, .client = s->set->digest,
		.time = pxs_store_clock(),
	};
	char text[PXS_SHARDS_MAX][12];
	struct pxs_str word[PXS_SHARDS_MAX];
	struct pxs_args args = { m->n, word };
	struct order *o;
	u64 size;
	u32 i;

	for (i = 0; i < m->n; i++) {
		snprintf(text[i], sizeof(text[i]), "%u", m->group[i]);
		word[i] = pxs_str(text[i]);
	}
	size = pxs_store_entry_size(NULL, 0, &args, 1);
	o = malloc(sizeof(*o) + size);
	if (!o)
		return false;
	o->store = s;
	o->p.done = order_done;
	o->p.len = (u32)size;
	pxs_store_entry_put(o->p.value, &e, NULL, &args);
	s->map_slot = ~0ull;
	if (!pxs_propose(s->replica, &o->p))
		return true;
	s->map_slot = 0;
	free(o);
	return false;
}

bool pxs_set_step(struct pxs_store *s)
{
	if (s->set && s->map_slot && s->map_slot <= s->db.state.applied && !s->db.state.map.n &&
	    !s->stopped)
		pxs_store_stop(s, s->map_slot, "its log has sessions or sagas from when it was a store by itself: take `groups` away, or begin with groups that are new");
	if (!s->set || s->db.state.map.n || s->map_slot > s->db.state.applied || s->loading ||
	    s->stopped || s->stalled || !pxs_store_leads(s) ||
	    s->db.state.applied < s->replica->applied)
		return false;
	return propose(s);
}

/* --- making and ending ------------------------------------------------------------ */

static struct pxs_store *find(struct pxs_node *n, u32 group)
{
	struct pxs_store *s = n->stores;

	while (s && s->replica->id != group)
		s = s->next;
	return s;
}

static int make(struct pxs_node *n, struct pxs_store *home)
{
	const struct pxs_store_config *c = home->config;
	struct pxs_set *set = calloc(1, sizeof(*set));
	int err;
	u32 i;

	if (!set)
		return -ENOMEM;
	set->home = home;
	err = pxs_shards_fill(&set->map, c->group, c->ngroups, &home->db.seed);
	if (!err && getrandom(&set->round, sizeof(set->round), 0) != sizeof(set->round))
		err = -EIO;
	if (err) {
		free(set);
		return err;
	}
	set->round |= 1;
	set->digest = pxs_shards_digest(&set->map);
	for (i = 0; i < set->map.n; i++) {
		set->store[i] = find(n, set->map.group[i]);
		pxs_assert(set->store[i]);	/* the configuration was checked */
		set->store[i]->set = set;
	}
	return 0;
}

int pxs_sets_make(struct pxs_node *n)
{
	struct pxs_store *s;
	const char *wrong;
	int err = 0;

	for (s = n->stores; s && !err; s = s->next)
		if (s->config->ngroups > 1)
			err = make(n, s);
	if (err)
		pxs_err("groups of a store: %s", strerror(-err));
	for (s = n->stores; s && !err; s = s->next) {
		wrong = pxs_set_wrong(s);
		if (!wrong)
			continue;
		pxs_err("group %u: store %s: %s", s->replica->id, s->config->directory, wrong);
		err = -EINVAL;
	}
	return err;
}

void pxs_set_free(struct pxs_store *s)
{
	struct pxs_set *set = s->set;
	u32 i;

	if (!set)
		return;
	for (i = 0; i < set->map.n; i++)
		set->store[i]->set = NULL;
	free(set);
}
