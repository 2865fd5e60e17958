// SPDX-License-Identifier: GPL-2.0
/*
 * reload.c - SIGHUP: what of a changed configuration can be taken without a restart
 *
 * The keys and the health checks, and nothing else. The file is small and read in the loop's
 * thread: the datapath and its heartbeats need the loop far less often than that takes.
 */
#include "reload.h"

#include "health_run.h"
#include "report.h"
#include "store_config.h"

static struct pxs_group_config *find(const struct pxs_config *c, u32 group)
{
	u32 i;

	for (i = 0; i < c->ngroups; i++)
		if (c->group[i].conf.id == group)
			return &c->group[i];
	return NULL;
}

static bool same_members(const struct pxs_group_config *a, const struct pxs_group_config *b)
{
	const struct pxs_group_conf *x = &a->conf, *y = &b->conf;
	u8 i;

	if (x->nmembers != y->nmembers || x->learners != y->learners || x->self != y->self)
		return false;
	for (i = 0; i < x->nmembers; i++)
		if (x->member[i].id != y->member[i].id ||
		    x->member[i].incarnation != y->member[i].incarnation ||
		    memcmp(&a->address[i], &b->address[i], sizeof(a->address[i])))
			return false;
	return true;
}

static bool same_group(const struct pxs_group_config *a, const struct pxs_group_config *b)
{
	const struct pxs_group_conf *x = &a->conf, *y = &b->conf;

	/* Members that the log has changed are not the file's business any more. */
	if (x->epoch < y->epoch || (x->epoch == y->epoch && !same_members(a, b)))
		return false;
	if (x->window != y->window || x->heartbeat_ms != y->heartbeat_ms ||
	    x->election_ms != y->election_ms || x->lease_drift != y->lease_drift ||
	    x->memory != y->memory || a->tables != b->tables || a->retain != b->retain)
		return false;
	if (memcmp(a->file_where, b->file_where, sizeof(a->file_where)))
		return false;
	return pxs_store_config_same(a->store, b->store);
}

/* The datapath is not compared: the command line may have its own. */
static bool same_rest(const struct pxs_config *a, const struct pxs_config *b)
{
	u32 i;

	if (!a->journal != !b->journal)
		return false;
	if (!a->journal)
		return !strcmp(a->socket, b->socket);
	if (memcmp(a->cluster, b->cluster, sizeof(a->cluster)) || strcmp(a->journal, b->journal) ||
	    strcmp(a->socket, b->socket) || a->flush != b->flush || a->cache != b->cache ||
	    a->ngroups != b->ngroups)
		return false;
	for (i = 0; i < a->ngroups; i++) {
		const struct pxs_group_config *g = find(b, a->group[i].conf.id);

		if (!g || !same_group(&a->group[i], g))
			return false;
	}
	return true;
}

/*
 * A group that is on the way to other members is not in the datapath just now, and gets its keys
 * when it is added anew. One that this member was removed from, or that is fenced, may be there no
 * more: it says nothing to anybody, but who changes the keys waits until all groups have them.
 */
static int give_keys(struct pxs_node *n, const struct pxs_group_config *g,
		     const struct pxs_group_config *changed)
{
	const struct pxs_replica *r = pxs_node_replica(n, g->conf.id);
	const char *wrong;

	if (!r || (!r->gone && !r->members.away))
		return n->dp->ops->keys(n->dp, changed);
	wrong = pxs_keys_check_change(&g->keys, &changed->keys);
	if (wrong)
		pxs_err("group %u: %s", g->conf.id, wrong);
	return wrong ? -EINVAL : 0;
}

static void take_keys(struct pxs_node *n, struct pxs_group_config *g,
		      const struct pxs_group_config *changed)
{
	int err = give_keys(n, g, changed);

	if (err) {
		pxs_err("group %u: the keys stay as they were: %s", g->conf.id, strerror(-err));
		return;
	}
	explicit_bzero(&g->keys, sizeof(g->keys));
	g->keys = changed->keys;
	if (g->keys.count > 1)
		pxs_notice("group %u: key %u signs, key %u is accepted too", g->conf.id,
			   g->keys.key[0].id, g->keys.key[1].id);
	else
		pxs_notice("group %u: key %u signs, no other is accepted", g->conf.id,
			   g->keys.key[0].id);
}

/* Checks end and begin anew: their verdicts are in the module meanwhile. */
static void take_health(struct pxs_node *n, struct pxs_config *changed)
{
	struct pxs_health_section *old = n->config.health;
	u32 nold = n->config.nhealth;

	/* Those that could not begin are tried again. */
	if (pxs_config_health_same(&n->config, changed) && (n->checker || !changed->nhealth))
		return;
	pxs_checker_stop(n->checker);
	n->config.health = changed->health;
	n->config.nhealth = changed->nhealth;
	changed->health = old;
	changed->nhealth = nold;
	if (pxs_checker_start(&n->checker, &n->config, true))
		pxs_err("health: nothing is checked any more; the next SIGHUP tries again");
	else
		pxs_notice("health: checks go on by the changed file");
}

void pxs_reload(struct pxs_node *n)
{
	const struct pxs_group_config *g;
	struct pxs_config c;
	u32 i;

	if (pxs_config_load(&c, n->config.file)) {
		pxs_err("%s: not taken; everything stays as it was", n->config.file);
		return;
	}
	if (!same_rest(&n->config, &c))
		pxs_warn("%s: more than keys and health has changed; that needs a restart",
			 n->config.file);
	for (i = 0; i < n->config.ngroups; i++) {
		g = find(&c, n->config.group[i].conf.id);
		if (g)
			take_keys(n, &n->config.group[i], g);
	}
	take_health(n, &c);
	pxs_config_free(&c);
}
