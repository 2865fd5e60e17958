// SPDX-License-Identifier: GPL-2.0
/*
 * eventual_rule.c - which requests are about eventual keys, and what is refused
 *
 * A request has eventual keys, or strong ones, never both; and what rests on the log (MULTI,
 * WATCH, sessions, sagas) has strong ones alone. A key with an eventual prefix that is in the log's
 * data, from before the prefix was there, is neither, until it is gone.
 */
#include "saga.h"
#include "store.h"

struct kinds {
	const struct pxs_store *store;
	u32 eventual;
	u32 strong;
};

static void add_key(struct kinds *k, struct pxs_str key)
{
	if (pxs_prefix_of(&k->store->config->eventual, key.data, key.len))
		k->eventual++;
	else
		k->strong++;
}

static void add_keys(struct kinds *k, const struct pxs_command *cmd, u32 argc,
		     const struct pxs_str *argv)
{
	u32 i = 0;

	while ((i = pxs_cmd_next_key(cmd, argc, i)))
		add_key(k, argv[i]);
}

/* Of its checks and commands, which stand behind PAXSTEER SAGA WORD ID. */
static void add_saga(struct kinds *k, u32 argc, const struct pxs_str *argv)
{
	struct pxs_saga_part p;
	u32 at = 4;

	while (at < argc && !pxs_saga_part(argc, argv, &at, &p)) {
		if (p.kind == PXS_PART_CHECK)
			add_key(k, p.argv[0]);
		else if (p.kind == PXS_PART_DO || p.kind == PXS_PART_UNDO)
			add_keys(k, p.cmd, p.argc, p.argv);
	}
}

/* Is a key in the log's data, too? Return: 1, 0, or -errno: not known. */
static int find_twin(const struct pxs_request *r)
{
	struct pxs_store *s;
	struct pxs_rec rec;
	int found = 0;
	u32 i = 0;

	while (!found && (i = pxs_cmd_next_key(r->cmd, r->argc, i))) {
		s = pxs_set_of_key(r->conn->store, r->argv[i]);
		pxs_store_settle(s);
		found = pxs_db_begin(&s->db, false);
		if (found)
			break;
		found = pxs_db_find(&s->db, r->argv[i], &rec);
		if (s->db.err)
			found = s->db.err;
		pxs_db_abort(&s->db);
	}
	return found;
}

static bool may_write(struct pxs_request *r, const struct pxs_eventual *ev)
{
	u64 wall = pxs_store_clock();
	u32 drift = ev->store->config->eventual_drift;

	if (pxs_eventual_joins(ev))
		pxs_reply_error(&r->out, "CLUSTERDOWN this member is not in the group yet: ask another one");
	else if (ev->fenced || ev->stalled)
		pxs_reply_error(&r->out, "MISCONF the eventual keys cannot be written: %s",
				ev->fenced ? ev->fenced : strerror(-ev->stalled));
	else if (pxs_clock_ahead(ev->db.state.clock, wall, drift))
		pxs_reply_error(&r->out, "MISCONF what is here was written %llu ms ahead of this machine's clock, and eventual-drift is %u: see to the clocks",
				(unsigned long long)(pxs_stamp_ms(ev->db.state.clock) - wall),
				drift);
	else
		return true;
	return false;
}

/* Keys are of both kinds, or are where eventual ones cannot be. Return: said so. */
static bool misplaced(struct pxs_request *r, const struct kinds *k)
{
	if (k->strong)
		pxs_reply_error(&r->out, "ERR Keys in request are eventual and strong ones");
	else if (r->cmd->flags & PXS_CF_SAGA)
		pxs_ev_refuse(&r->out, "paxsteer saga");
	else if (r->session)
		pxs_ev_refuse(&r->out, "paxsteer session run");
	else if (r->conn->multi)
		pxs_ev_refuse(&r->out, "multi");
	else if (!pxs_ev_knows(r->cmd))
		pxs_ev_refuse(&r->out, r->cmd->name);
	else
		return false;
	return true;
}

enum pxs_claim pxs_eventual_claim(struct pxs_request *r)
{
	struct pxs_eventual *ev = r->conn->store->eventual;
	struct kinds k = { .store = r->conn->store };
	int twin;

	if (!ev)
		return PXS_CLAIM_NONE;
	if (r->cmd->run == pxs_cmd_flushall) {
		pxs_reply_error(&r->out, "ERR '%s' would leave the eventual keys: delete keys one by one",
				r->cmd->name);
		return PXS_CLAIM_REFUSED;
	}
	if (r->cmd->flags & PXS_CF_SAGA)
		add_saga(&k, r->argc, r->argv);
	else
		add_keys(&k, r->cmd, r->argc, r->argv);
	if (!k.eventual)
		return PXS_CLAIM_NONE;
	if (misplaced(r, &k)) {
		ev->refused++;
		return PXS_CLAIM_REFUSED;
	}
	if (r->cmd->flags & PXS_CF_WRITE && !may_write(r, ev))
		return PXS_CLAIM_REFUSED;
	twin = find_twin(r);
	if (!twin)
		return PXS_CLAIM_OURS;
	if (twin < 0) {
		pxs_reply_error(&r->out, "ERR the store cannot be read");
		return PXS_CLAIM_REFUSED;
	}
	ev->refused++;
	pxs_reply_error(&r->out, "ERR the key was written as a strong one, before its prefix was eventual: take the prefix away to get at it");
	return PXS_CLAIM_REFUSED;
}
