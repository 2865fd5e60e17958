// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_info.c - INFO
 */
#include "db_saga.h"
#include "db_session.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#define INFO_ROOM	(16384u + PXS_STATS_TEXT)

/* Does this member lead a group of it? */
bool pxs_server_leads_any(const struct pxs_store *s)
{
	u32 i = 0;

	while (i < pxs_set_count(s) && !pxs_store_leads(pxs_set_at(s, i)))
		i++;
	return i < pxs_set_count(s);
}

/* @usual: it need not be asked for by name. */
static bool want_section(const struct pxs_request *r, const char *name, bool usual)
{
	u32 i;

	for (i = 1; i < r->argc; i++)
		if (pxs_str_is(r->argv[i], name) || pxs_str_is(r->argv[i], "all") ||
		    pxs_str_is(r->argv[i], "everything") ||
		    (usual && pxs_str_is(r->argv[i], "default")))
			return true;
	return usual && r->argc == 1;
}

static u32 info_server(struct pxs_store *s, char *to)
{
	u64 up = (s->node->loop.now - s->started) / 1000;

	return (u32)sprintf(to, "# Server\r\nredis_version:" PXS_COMPATIBLE "\r\n"
			    "redis_git_sha1:00000000\r\nredis_mode:%s\r\n"
			    "uptime_in_seconds:%" PRIu64 "\r\nuptime_in_days:%" PRIu64 "\r\n",
			    pxs_cluster_known(s) ? "cluster" : "standalone", up, up / 86400);
}

static u32 info_clients(struct pxs_store *s, char *to)
{
	return (u32)sprintf(to, "# Clients\r\nconnected_clients:%u\r\nmaxclients:%u\r\n"
			    "mem_clients_normal:%" PRIu64 "\r\n",
			    s->nconns, s->config->maxclients, s->memory);
}

/* Each group has its own limit. */
static u32 info_memory(struct pxs_store *s, char *to)
{
	u64 used = 0;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++)
		used += pxs_set_at(s, i)->db.state.used;
	return (u32)sprintf(to, "# Memory\r\nused_memory:%" PRIu64 "\r\nmaxmemory:%" PRIu64 "\r\n"
			    "maxmemory_policy:noeviction\r\n",
			    used, s->config->maxmemory * pxs_set_count(s));
}

/* What a checkpoint is in Redis's words. */
static u32 info_persistence(struct pxs_store *s, char *to)
{
	const struct pxs_checkpoint *c = &s->checkpoint;

	return (u32)sprintf(to, "# Persistence\r\n"
			    "rdb_changes_since_last_save:%" PRIu64 "\r\n"
			    "rdb_bgsave_in_progress:%d\r\nrdb_last_save_time:%" PRIu64 "\r\n"
			    "rdb_last_bgsave_status:%s\r\nrdb_last_bgsave_time_sec:%" PRId64 "\r\n"
			    "rdb_saves:%" PRIu64 "\r\naof_enabled:1\r\n",
			    s->db.state.applied - min(c->done, s->db.state.applied),
			    c->state != PXS_CHECKPOINT_IDLE, c->done_made / 1000,
			    c->error ? "err" : "ok", c->count ? (s64)(c->took / 1000) : -1,
			    c->count);
}

static u32 info_stats(struct pxs_store *s, char *to)
{
	return (u32)sprintf(to, "# Stats\r\ntotal_connections_received:%" PRIu64 "\r\n"
			    "total_commands_processed:%" PRIu64 "\r\n"
			    "rejected_connections:%" PRIu64 "\r\nevicted_clients:%" PRIu64 "\r\n"
			    "total_error_replies:%" PRIu64 "\r\n",
			    s->accepted, s->commands, s->rejected, s->evicted, s->stats.errors);
}

static u32 info_time(char *to, const char *name, const struct timeval *t)
{
	return (u32)sprintf(to, "used_cpu_%s:%ld.%06ld\r\n", name, (long)t->tv_sec,
			    (long)t->tv_usec);
}

static u32 info_cpu(struct pxs_store *s, char *to)
{
	struct rusage self, children, thread;
	u32 len;

	(void)s;
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	getrusage(RUSAGE_THREAD, &thread);
	len = (u32)sprintf(to, "# CPU\r\n");
	len += info_time(to + len, "sys", &self.ru_stime);
	len += info_time(to + len, "user", &self.ru_utime);
	len += info_time(to + len, "sys_children", &children.ru_stime);
	len += info_time(to + len, "user_children", &children.ru_utime);
	len += info_time(to + len, "sys_main_thread", &thread.ru_stime);
	return len + info_time(to + len, "user_main_thread", &thread.ru_utime);
}

static u32 info_commandstats(struct pxs_store *s, char *to)
{
	u32 len = (u32)sprintf(to, "# Commandstats\r\n");

	return len + pxs_stats_commands(&s->stats, to + len);
}

static u32 info_errorstats(struct pxs_store *s, char *to)
{
	u32 len = (u32)sprintf(to, "# Errorstats\r\n");

	return len + pxs_stats_errors(&s->stats, to + len);
}

static u32 info_replication(struct pxs_store *s, char *to)
{
	return (u32)sprintf(to, "# Replication\r\nrole:%s\r\nmaster_repl_offset:%" PRIu64 "\r\n",
			    pxs_server_leads_any(s) ? "master" : "slave", s->db.state.applied);
}

static u32 info_cluster(struct pxs_store *s, char *to)
{
	return (u32)sprintf(to, "# Cluster\r\ncluster_enabled:%d\r\n", pxs_cluster_known(s));
}

static u32 info_keyspace(struct pxs_store *s, char *to)
{
	u64 keys = 0, expires = 0;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++) {
		keys += pxs_set_at(s, i)->db.state.keys;
		expires += pxs_set_at(s, i)->db.state.expires;
	}
	if (!keys)
		return (u32)sprintf(to, "# Keyspace\r\n");
	return (u32)sprintf(to, "# Keyspace\r\ndb0:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0\r\n",
			    keys, expires);
}

static void count(struct pxs_store *s, u64 *sessions, u64 *sagas, u64 *live)
{
	*sessions = 0;
	*sagas = 0;
	*live = 0;
	pxs_store_settle(s);
	if (pxs_db_begin(&s->db, false))
		return;
	*sessions = pxs_session_count(&s->db);
	*sagas = pxs_db_saga_count(&s->db);
	*live = pxs_db_saga_live(&s->db);
	pxs_db_abort(&s->db);
}

/* By the clock, which may have been set since. */
static s64 checkpoint_age(const struct pxs_store *s)
{
	u64 now = pxs_store_clock();
	u64 made = s->checkpoint.done_made;

	return made ? (s64)(now - min(made, now)) : -1;
}

/* A line for each group, where there are several. */
static u32 info_groups(struct pxs_store *s, char *to)
{
	const struct pxs_replica *r;
	const struct pxs_store *g;
	u32 i, len = 0;

	to[0] = 0;
	for (i = 0; s->set && i < pxs_set_count(s); i++) {
		g = pxs_set_at(s, i);
		r = g->replica;
		len += (u32)sprintf(to + len, "group%u:leader=%u,applied=%" PRIu64 ",keys=%" PRIu64
				    ",used=%" PRIu64 ",checkpoint=%" PRIu64 ",stopped=%d,commit=%"
				    PRIu64 ",epoch=%" PRIu64 ",borrows_slot=%" PRIu64
				    ",borrows_size=%" PRIu64 ",borrows_bytes=%" PRIu64 "\r\n",
				    r->id, r->elect.leader, g->db.state.applied, g->db.state.keys,
				    g->db.state.used, g->checkpoint.done, g->stopped, r->commit,
				    r->config->conf.epoch, r->loan.slot, r->loan.size,
				    r->loan.bytes);
	}
	return len;
}

/* Of all groups, as far as is applied here; what was decided is counted by its coordinator. */
static u32 info_cross(struct pxs_store *s, char *to)
{
	u64 committed = 0, aborted = 0, records = 0, locks = 0;
	const struct pxs_db_state *st;
	u32 i;

	if (!s->set) {
		to[0] = 0;
		return 0;
	}
	for (i = 0; i < pxs_set_count(s); i++) {
		st = &pxs_set_at(s, i)->db.state;
		committed += st->committed;
		aborted += st->aborted;
		records += st->crosses;
		locks += st->locks;
	}
	return (u32)sprintf(to, "cross_committed:%" PRIu64 "\r\ncross_aborted:%" PRIu64 "\r\n"
			    "cross_records:%" PRIu64 "\r\ncross_locks:%" PRIu64 "\r\n",
			    committed, aborted, records, locks);
}

static u32 info_paxsteer(struct pxs_store *s, char *to)
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	const struct pxs_member *self = &conf->member[conf->self];
	const struct pxs_db_state *st = &s->db.state;
	s64 age = s->fresh.at ? (s64)((pxs_store_steady() - s->fresh.at) / 1000000) : -1;
	u64 sessions, sagas, live;
	u32 len;

	count(s, &sessions, &sagas, &live);
	len = (u32)sprintf(to, "# Paxsteer\r\ngroup:%u\r\nleader:%u\r\ncommit:%" PRIu64 "\r\n"
			    "applied:%" PRIu64 "\r\ntime:%" PRIu64 "\r\nforeign:%" PRIu64 "\r\n"
			    "barriers:%" PRIu64 "\r\nindexes:%" PRIu64 "\r\n"
			    "age_ms:%" PRId64 "\r\nasked:%" PRIu64 "\r\n"
			    "asks_failed:%" PRIu64 "\r\nsessions:%" PRIu64 "\r\n"
			    "sagas:%" PRIu64 "\r\nsagas_live:%" PRIu64 "\r\n"
			    "checkpoint:%" PRIu64 "\r\ncheckpoint_age_ms:%" PRId64 "\r\n"
			    "checkpoint_error:%s\r\nopened:%" PRIu64 "\r\n"
			    "loading:%d\r\nstopped:%d\r\nstalled:%s\r\n"
			    "member:%u\r\nincarnation:0x%016" PRIx64 "\r\nepoch:%" PRIu64 "\r\n"
			    "borrows_slot:%" PRIu64 "\r\nborrows_size:%" PRIu64 "\r\n"
			    "borrows_bytes:%" PRIu64 "\r\nprefixes:0x%016" PRIx64 "\r\n",
			    s->replica->id, s->replica->elect.leader, s->replica->commit,
			    st->applied, st->time, st->foreign, s->barriers, s->indexes, age,
			    s->ask.asked, s->ask.failed, sessions, sagas, live, s->checkpoint.done,
			    checkpoint_age(s),
			    s->checkpoint.error ? strerror(-s->checkpoint.error) : "no",
			    s->db.opened, !!s->loading, s->stopped,
			    s->stalled ? strerror(-s->stalled) : "no", self->id,
			    self->incarnation, conf->epoch, s->replica->loan.slot,
			    s->replica->loan.size, s->replica->loan.bytes,
			    s->replica->config->eventual);
	len += info_cross(s, to + len);
	return len + info_groups(s, to + len);
}

void pxs_server_info(struct pxs_request *r)
{
	static const struct {
		const char *name;
		bool usual;
		u32 (*print)(struct pxs_store *s, char *to);
	} sections[] = {
		{ "server", true, info_server }, { "clients", true, info_clients },
		{ "memory", true, info_memory }, { "persistence", true, info_persistence },
		{ "stats", true, info_stats }, { "replication", true, info_replication },
		{ "cpu", true, info_cpu }, { "commandstats", false, info_commandstats },
		{ "errorstats", true, info_errorstats }, { "cluster", true, info_cluster },
		{ "keyspace", true, info_keyspace }, { "paxsteer", true, info_paxsteer },
		{ "eventual", true, pxs_eventual_info },
	};
	char text[INFO_ROOM];
	u32 i, len = 0;

	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (!want_section(r, sections[i].name, sections[i].usual))
			continue;
		if (len)
			len += (u32)sprintf(text + len, "\r\n");
		len += sections[i].print(r->conn->store, text + len);
	}
	pxs_reply_verbatim(&r->out, text, len);
}
