// SPDX-License-Identifier: GPL-2.0
/*
 * status.c - the answer to STATUS: how the node, each group and what is checked are, as JSON
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "director.h"
#include "health_run.h"
#include "node.h"

static const char *role_word(u8 role)
{
	switch (role) {
	case PXS_ROLE_LEADER:
		return "leader";
	case PXS_ROLE_CANDIDATE:
		return "candidate";
	default:
		return "follower";
	}
}

static const char *state_word(u8 state)
{
	switch (state) {
	case PXS_GROUP_ACTIVE:
		return "active";
	case PXS_GROUP_FENCED:
		return "fenced";
	case PXS_GROUP_MOVED:
		return "moved";
	default:
		return "inactive";
	}
}

static const char *journal_state(const struct pxs_journal *j)
{
	if (j->failed)
		return "fenced";
	if (!j->full)
		return "ok";
	return j->spare.error ? "full" : "waiting";	/* for a segment that is being made */
}

static void set_hex(json_t *o, const char *key, u64 value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%016" PRIx64, value);
	json_object_set_new(o, key, json_string(text));
}

static void set_int(json_t *o, const char *key, u64 value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static json_t *journal_status(const struct pxs_node *n)
{
	const struct pxs_journal *j = &n->journal;
	json_t *o = json_object();
	char cluster[37];

	json_object_set_new(o, "directory", json_string(n->config.journal));
	pxs_uuid_format(j->id.cluster, cluster);
	json_object_set_new(o, "cluster", json_string(cluster));
	set_hex(o, "incarnation", j->id.incarnation);
	json_object_set_new(o, "state", json_string(journal_state(j)));
	if (j->failed)
		json_object_set_new(o, "reason", json_string(j->reason));
	else if (j->spare.error)
		json_object_set_new(o, "reason", json_string(strerror(-j->spare.error)));
	set_int(o, "last_lsn", j->next_lsn - 1);
	set_int(o, "durable_lsn", j->durable);
	set_int(o, "marked_lsn", j->marked);
	set_int(o, "segments", j->segment - j->floor.segment + 1);
	set_int(o, "first_segment", j->floor.segment);
	set_int(o, "segment_size", j->id.segment_size);
	set_int(o, "flushes", j->flushes);
	set_int(o, "records", j->records);
	set_int(o, "bytes", j->bytes);
	json_object_set_new(o, "records_per_flush",
			    json_real(j->flushes ? (double)j->records / (double)j->flushes : 0));
	return o;
}

static const char *tables_word(const struct pxs_director *d)
{
	if (d->replica->members.removed)
		return "removed";
	if (d->stopped)
		return "stopped";
	if (!d->synced)
		return "waiting";	/* for the module, or for a record */
	return d->held ? "held" : "steering";
}

static void tables_status(json_t *o, const struct pxs_director *d)
{
	if (!d)
		return;
	json_object_set_new(o, "tables", json_string(tables_word(d)));
	set_int(o, "tables_slot", d->slot);
	set_hex(o, "tables_digest", d->digest);
	set_int(o, "tables_checked", d->checked);
	set_int(o, "tables_diverged", d->diverged);
}

static void members_status(json_t *o, const struct pxs_replica *r,
			   const struct pxs_group_status *st)
{
	const struct pxs_group_conf *conf = &r->config->conf;
	json_t *members = json_array(), *m;
	char text[64];
	u8 i;

	for (i = 0; i < conf->nmembers; i++) {
		m = json_object();
		set_int(m, "id", conf->member[i].id);
		json_object_set_new(m, "role", json_string(i < pxs_group_voters(conf) ? "voter" :
							   "learner"));
		pxs_address_format(&r->config->address[i], text, sizeof(text));
		json_object_set_new(m, "address", json_string(text));
		set_hex(m, "incarnation", conf->member[i].incarnation);
		set_int(m, "commit", pxs_group_status_has(st, conf->member[i].id));
		if (*r->config->where[i])
			json_object_set_new(m, "store", json_string(r->config->where[i]));
		json_array_append_new(members, m);
	}
	if (r->members.elsewhere) {
		pxs_address_format(&r->members.listens, text, sizeof(text));
		json_object_set_new(o, "listens", json_string(text));
	}
	set_int(o, "epoch", conf->epoch);
	set_int(o, "phase1", pxs_group_phase1(conf).enough);
	set_int(o, "phase2", pxs_group_phase2(conf).enough);
	json_object_set_new(o, "majorities", json_boolean(!conf->phase1));
	json_object_set_new(o, "members_of",
			    json_string(r->members.now.epoch ? "journal" : "file"));
	json_object_set_new(o, "changing", json_boolean(r->members.change.done ||
							pxs_member_moves(r)));
	json_object_set_new(o, "removed", json_boolean(r->members.removed));
	json_object_set_new(o, "left_behind", json_boolean(r->members.left.behind));
	if (pxs_member_kept(r->config))
		json_object_set_new(o, "members_kept", json_string(pxs_member_kept(r->config)));
	json_object_set_new(o, "members", members);
}

static json_t *group_status(struct pxs_node *n, struct pxs_replica *r)
{
	struct pxs_group_status st = { 0 };
	json_t *o = json_object();
	const struct pxs_group_conf *conf = &r->config->conf;

	if (!r->gone)
		n->dp->ops->status(n->dp, r->id, &st);
	set_int(o, "group", r->id);
	set_int(o, "self", conf->member[conf->self].id);
	if (r->config->store) {
		set_int(o, "store_of", r->config->home ? r->config->home : r->id);
		set_hex(o, "prefixes", r->config->eventual);
	}
	json_object_set_new(o, "state", json_string(r->members.removed ? "removed" :
						    r->gone ? "fenced" : state_word(st.state)));
	json_object_set_new(o, "durability", json_string(conf->memory ? "memory" : "disk"));
	json_object_set_new(o, "role", json_string(role_word(r->elect.role)));
	json_object_set_new(o, "ready", json_boolean(pxs_elect_ready(&r->elect)));
	set_int(o, "leader", r->elect.leader);
	set_int(o, "ballot", r->elect.ballot);
	set_int(o, "promised", st.promised);
	set_int(o, "commit", r->commit);
	set_int(o, "known", st.known);
	set_int(o, "applied", r->applied);
	set_int(o, "first_slot", r->trim + 1);
	set_int(o, "retain", r->config->retain);
	set_int(o, "held", st.held);
	set_int(o, "lacks_up_to", st.trimmed ? st.trimmed - 1 : 0);
	set_int(o, "borrows_from", r->loan.lender);
	set_int(o, "borrows_slot", r->loan.slot);
	set_int(o, "borrows_size", r->loan.size);
	set_int(o, "borrows_bytes", r->loan.bytes);
	set_int(o, "queued", r->proposals.queued.count);
	set_int(o, "waiting", r->proposals.waiting.count);
	set_int(o, "appended", r->proposals.acked);
	set_int(o, "unknown", r->proposals.unknown);
	set_int(o, "refused", r->proposals.refused);
	set_int(o, "reads", r->reads.answered);
	set_int(o, "reads_refused", r->reads.refused);
	set_int(o, "read_rounds", st.stat[PXS_GROUP_STAT_READ_ROUNDS]);
	set_int(o, "lease_drift", conf->lease_drift);
	set_int(o, "lease_reads", st.stat[PXS_GROUP_STAT_LEASE_READS]);
	set_int(o, "put_off", st.stat[PXS_GROUP_STAT_PUT_OFF]);
	set_int(o, "lessons", r->lessons);
	set_int(o, "damaged", st.stat[PXS_GROUP_STAT_FAULTY]);
	set_int(o, "no_credit", st.stat[PXS_GROUP_STAT_NO_CREDIT]);
	set_int(o, "resent", st.stat[PXS_GROUP_STAT_RESENT]);
	set_int(o, "key_id", r->config->keys.key[0].id);
	if (r->config->keys.count > 1)
		set_int(o, "also_key_id", r->config->keys.key[1].id);
	else
		json_object_set_new(o, "also_key_id", json_null());
	set_int(o, "bad_key", st.stat[PXS_GROUP_STAT_BAD_KEY]);
	set_int(o, "bad_tag", st.stat[PXS_GROUP_STAT_BAD_TAG]);
	set_int(o, "bad_incarnation", st.stat[PXS_GROUP_STAT_BAD_INCARNATION]);
	tables_status(o, pxs_director_of(n, r));
	members_status(o, r, &st);
	return o;
}

char *pxs_node_status(struct pxs_node *n)
{
	json_t *o = json_object();
	json_t *groups = json_array();
	u32 i, checked;
	char *text;

	json_object_set_new(o, "datapath", n->dp ? json_string(n->dp->ops->name) : json_null());
	json_object_set_new(o, "journal", n->opened ? journal_status(n) : json_null());
	for (i = 0; i < n->nreplicas; i++)
		json_array_append_new(groups, group_status(n, &n->replica[i]));
	json_object_set_new(o, "groups", groups);
	set_int(o, "netlink_sent", n->dp ? n->dp->sent : 0);
	set_int(o, "netlink_received", n->dp ? n->dp->received : 0);
	json_object_set_new(o, "health", pxs_checker_status(n->checker, &checked));
	set_int(o, "checked", checked);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}
