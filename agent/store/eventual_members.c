// SPDX-License-Identifier: GPL-2.0
/*
 * eventual_members.c - of whom eventual keys are asked, and who is answered, as members change
 *
 * Epochs are the log's (docs/membership.md). A table goes by the members of one of them, and from
 * one to a later one, never back; questions and answers say theirs, and count in no other. So in an
 * epoch tables are those of its members alone. A mark that went there was in the table of each of
 * them, and nothing older was on its way (confirm.h); who comes later has an empty table, and hears
 * only from members of its own epoch: from tables that have gone on from these. What was confirmed
 * in one epoch counts for nothing in the next.
 *
 * The table of whoever is removed is of another epoch for good: what nobody had asked for is lost.
 * Hence, who is removed and knows it takes no writes any more, and says in its answers when they
 * were the last ones; the others wait for that before they go over. Not being heard is no reason to
 * wait less: who lags takes writes, too, and answers when it has come to their epoch.
 */
#include "store.h"

#include <inttypes.h>

#include "../report.h"

/* For the last word of who goes: it may have to come to this epoch and be connected to anew. */
#define PARTING_MS	10000u

static const struct pxs_group_conf *conf_of(const struct pxs_eventual *ev)
{
	return &ev->store->replica->config->conf;
}

static bool stays(const struct pxs_eventual *ev, const struct pxs_pull *p)
{
	const struct pxs_group_conf *conf = conf_of(ev);
	int i = pxs_conf_member(conf, p->id);

	return i >= 0 && conf->member[i].incarnation == p->incarnation;
}

/* May somebody who goes have something to say yet? */
static bool listens(const struct pxs_eventual *ev)
{
	u32 i;

	for (i = 0; i < ev->peers; i++)
		if (!stays(ev, &ev->pull[i]) && !ev->pull[i].over)
			return ev->store->node->loop.now - ev->parting < PARTING_MS;
	return false;
}

static bool stop(struct pxs_eventual *ev)
{
	bool stopped = true;
	u32 i;

	for (i = 0; i < ev->peers; i++)
		stopped &= pxs_pull_stop(&ev->pull[i]);
	return stopped;
}

void pxs_eventual_others(struct pxs_store *s, u8 members[PXS_EVDB_PEERS])
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	u32 i, n = 0;

	memset(members, 0, PXS_EVDB_PEERS);
	for (i = 0; i < conf->nmembers; i++)
		if (i != conf->self)
			members[n++] = conf->member[i].id;
}

void pxs_eventual_enter(struct pxs_eventual *ev)
{
	const struct pxs_group_conf *conf = conf_of(ev);
	struct pxs_pull *p;
	u32 i;

	ev->peers = 0;
	for (i = 0; i < conf->nmembers; i++) {
		if (i == conf->self)
			continue;
		p = &ev->pull[ev->peers++];
		pxs_pull_init(p, ev->store, conf->member[i].id, conf->member[i].incarnation,
			      pxs_store_where(ev->store, i));
	}
	ev->epoch = conf->epoch;
	ev->parting = 0;
	ev->closing = false;
	pxs_confirm_reset(&ev->marks, ev->confirm, PXS_EVDB_PEERS);
}

bool pxs_eventual_follow(struct pxs_eventual *ev)
{
	u8 members[PXS_EVDB_PEERS];
	u32 i;

	if (conf_of(ev)->epoch == ev->epoch)
		return false;
	if (!ev->parting)
		ev->parting = max(ev->store->node->loop.now, 1ull);
	if (!ev->closing && listens(ev))
		return false;
	ev->closing = true;
	pxs_eventual_serve_none(ev);
	if (!stop(ev))
		return false;
	for (i = 0; i < ev->peers; i++)
		pxs_pull_exit(&ev->pull[i]);
	pxs_eventual_others(ev->store, members);
	pxs_evdb_members(&ev->db, members);
	pxs_eventual_enter(ev);
	pxs_info("store: eventual keys: the others are %u, of epoch %" PRIu64, ev->peers,
		 ev->epoch);
	return true;
}

bool pxs_eventual_joins(const struct pxs_eventual *ev)
{
	const struct pxs_members *ms = &ev->store->replica->members;
	u32 i;

	if (!ms->joins || ms->counted)
		return false;
	for (i = 0; i < PXS_EVDB_PEERS; i++)
		if (ev->db.state.peer[i].table)
			return false;
	return true;
}

bool pxs_eventual_parts(const struct pxs_eventual *ev)
{
	return ev->store->replica->members.removed;
}

void pxs_eventual_tick_pulls(struct pxs_eventual *ev)
{
	u32 i;

	if (ev->closing)
		return;
	if (pxs_eventual_parts(ev)) {
		stop(ev);
		return;
	}
	if (pxs_eventual_joins(ev))
		return;
	for (i = 0; i < ev->peers; i++)
		pxs_pull_tick(&ev->pull[i]);
}
