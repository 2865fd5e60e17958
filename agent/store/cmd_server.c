// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_server.c - answers about the server and the connection
 */
#include "db_saga.h"
#include "db_session.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>

#define COMPATIBLE	"7.0.15"	/* whose words are spoken here */
#define INFO_ROOM	16384u

void pxs_server_unknown_sub(struct pxs_request *r)
{
	char upper[32];
	u32 i;

	for (i = 0; r->cmd->name[i]; i++)
		upper[i] = (char)(r->cmd->name[i] - 'a' + 'A');
	upper[i] = 0;
	pxs_reply_error(&r->out, "ERR unknown subcommand '%.*s'. Try %s HELP.",
			(int)min(r->argv[1].len, 128u), (const char *)r->argv[1].data, upper);
}

bool pxs_server_sub(struct pxs_request *r, const char *word, int arity, bool *over)
{
	char name[64];

	if (*over || !pxs_str_is(r->argv[1], word))
		return false;
	*over = true;
	if (arity > 0 ? r->argc == (u32)arity : r->argc >= (u32)-arity)
		return true;
	snprintf(name, sizeof(name), "%s|%s", r->cmd->name, word);
	pxs_reply_arity(&r->out, name);
	return false;
}

/* --- who --------------------------------------------------------------------- */

/* In a time that tells nothing about where they differ. */
static bool same_password(const char *want, struct pxs_str got)
{
	u32 len = (u32)strlen(want);
	u32 differ = len ^ got.len;
	u32 i;

	for (i = 0; i < got.len; i++)
		differ |= got.data[i] ^ (u8)want[len ? i % len : 0];
	return !differ;
}

static bool login(struct pxs_request *r, struct pxs_str user, struct pxs_str password)
{
	const char *want = r->conn->store->config->password;

	if (pxs_str_equal(user, pxs_str("default")) && (!want || same_password(want, password))) {
		r->conn->authenticated = true;
		return true;
	}
	pxs_reply_error(&r->out, "WRONGPASS invalid username-password pair or user is disabled.");
	return false;
}

void pxs_server_auth(struct pxs_request *r)
{
	bool named = r->argc == 3;

	if (r->argc > 3)
		pxs_reply_syntax(&r->out);
	else if (!named && !r->conn->store->config->password)
		pxs_reply_error(&r->out,
				"ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
	else if (login(r, named ? r->argv[1] : pxs_str("default"), r->argv[r->argc - 1]))
		pxs_reply_status(&r->out, "OK");
}

struct hello {
	s64 proto;
	struct pxs_str user;
	struct pxs_str password;
	struct pxs_str name;
	bool auth;
	bool named;
};

static bool parse_hello(struct pxs_request *r, struct hello *h)
{
	u32 i;

	if (r->argc > 1 && !pxs_str_int(r->argv[1], &h->proto)) {
		pxs_reply_error(&r->out, "ERR Protocol version is not an integer or out of range");
		return false;
	}
	if (r->argc > 1 && (h->proto < 2 || h->proto > 3)) {
		pxs_reply_error(&r->out, "NOPROTO unsupported protocol version");
		return false;
	}
	for (i = 2; i < r->argc; i++) {
		if (pxs_str_is(r->argv[i], "AUTH") && r->argc - i > 2) {
			h->auth = true;
			h->user = r->argv[++i];
			h->password = r->argv[++i];
		} else if (pxs_str_is(r->argv[i], "SETNAME") && r->argc - i > 1) {
			h->named = true;
			h->name = r->argv[++i];
			if (!pxs_client_name_holds(r, h->name))
				return false;
		} else {
			pxs_reply_error(&r->out, "ERR Syntax error in HELLO option '%.*s'",
					(int)r->argv[i].len, (const char *)r->argv[i].data);
			return false;
		}
	}
	return true;
}

/* Does this member lead a group of it? */
static bool leads_any(const struct pxs_store *s)
{
	u32 i = 0;

	while (i < pxs_set_count(s) && !pxs_store_leads(pxs_set_at(s, i)))
		i++;
	return i < pxs_set_count(s);
}

void pxs_server_hello(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	struct hello h = { 0 };

	if (!parse_hello(r, &h) || (h.auth && !login(r, h.user, h.password)))
		return;
	if (!c->authenticated) {
		pxs_reply_error(&r->out,
				"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
		return;
	}
	if (h.named)
		pxs_client_set_name(c, h.name);
	if (h.proto)
		c->proto = (u8)h.proto;
	r->out.proto = c->proto;
	pxs_reply_map(&r->out, 7);
	pxs_reply_text(&r->out, "server");
	pxs_reply_text(&r->out, "redis");
	pxs_reply_text(&r->out, "version");
	pxs_reply_text(&r->out, COMPATIBLE);
	pxs_reply_text(&r->out, "proto");
	pxs_reply_int(&r->out, c->proto);
	pxs_reply_text(&r->out, "id");
	pxs_reply_int(&r->out, (s64)c->id);
	pxs_reply_text(&r->out, "mode");
	pxs_reply_text(&r->out, pxs_cluster_known(c->store) ? "cluster" : "standalone");
	pxs_reply_text(&r->out, "role");
	pxs_reply_text(&r->out, leads_any(c->store) ? "master" : "replica");
	pxs_reply_text(&r->out, "modules");
	pxs_reply_array(&r->out, 0);
}

/* --- commands ---------------------------------------------------------------- */

static void describe(struct pxs_reply *o, const struct pxs_command *cmd)
{
	static const struct {
		u32 flag;
		const char *word;
	} flags[] = {
		{ PXS_CF_WRITE, "write" }, { PXS_CF_READ, "readonly" }, { PXS_CF_GROWS, "denyoom" },
		{ PXS_CF_FAST, "fast" }, { PXS_CF_NOAUTH, "no_auth" }, { PXS_CF_STALE, "stale" },
	};
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		n += !!(cmd->flags & flags[i].flag);
	pxs_reply_array(o, 6);
	pxs_reply_text(o, cmd->name);
	pxs_reply_int(o, cmd->arity);
	pxs_reply_set(o, n);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (cmd->flags & flags[i].flag)
			pxs_reply_status(o, flags[i].word);
	pxs_reply_int(o, cmd->first);
	pxs_reply_int(o, cmd->last);
	pxs_reply_int(o, cmd->step);
}

static void describe_these(struct pxs_request *r)
{
	const struct pxs_command *cmd;
	u32 i;

	pxs_reply_array(&r->out, r->argc - 2);
	for (i = 2; i < r->argc; i++) {
		cmd = pxs_cmd_find(r->argv[i]);
		if (cmd)
			describe(&r->out, cmd);
		else
			pxs_reply_null_array(&r->out);
	}
}

static void describe_all(struct pxs_request *r)
{
	const struct pxs_command *cmd;
	u32 i;

	pxs_reply_array(&r->out, pxs_cmd_count());
	for (i = 0; (cmd = pxs_cmd_at(i)); i++)
		describe(&r->out, cmd);
}

/* COMMAND LIST [FILTERBY PATTERN pattern | MODULE name]; there are no modules. */
static void list_commands(struct pxs_request *r)
{
	bool module = r->argc == 5 && pxs_str_is(r->argv[3], "MODULE");
	bool pattern = r->argc == 5 && pxs_str_is(r->argv[3], "PATTERN");
	const struct pxs_command *cmd;
	u32 i, n = 0;

	if (r->argc > 2 && !(pxs_str_is(r->argv[2], "FILTERBY") && (module || pattern))) {
		pxs_reply_syntax(&r->out);
		return;
	}
	for (i = 0; (cmd = pxs_cmd_at(i)) && !module; i++)
		n += !pattern || pxs_str_match(r->argv[4], pxs_str(cmd->name), true);
	pxs_reply_array(&r->out, n);
	for (i = 0; (cmd = pxs_cmd_at(i)) && !module; i++)
		if (!pattern || pxs_str_match(r->argv[4], pxs_str(cmd->name), true))
			pxs_reply_text(&r->out, cmd->name);
}

static void get_keys(struct pxs_request *r)
{
	const struct pxs_command *cmd = pxs_cmd_find(r->argv[2]);
	int argc = (int)r->argc - 2;
	int last, i;

	if (!cmd) {
		pxs_reply_error(&r->out, "ERR Invalid command specified");
	} else if (!cmd->first) {
		pxs_reply_error(&r->out, "ERR The command has no key arguments");
	} else if (!pxs_cmd_arity_ok(cmd, (u32)argc)) {
		pxs_reply_error(&r->out, "ERR Invalid number of arguments specified for command");
	} else {
		last = cmd->last < 0 ? argc + cmd->last : cmd->last;
		pxs_reply_array(&r->out, (u32)((last - cmd->first) / cmd->step + 1));
		for (i = cmd->first; i <= last; i += cmd->step)
			pxs_reply_str(&r->out, r->argv[2 + i]);
	}
}

void pxs_server_command(struct pxs_request *r)
{
	bool over = false;

	if (r->argc == 1)
		describe_all(r);
	else if (pxs_server_sub(r, "count", 2, &over))
		pxs_reply_int(&r->out, pxs_cmd_count());
	else if (pxs_server_sub(r, "info", -2, &over) && r->argc > 2)
		describe_these(r);
	else if (over && pxs_str_is(r->argv[1], "info"))
		describe_all(r);
	else if (pxs_server_sub(r, "list", -2, &over))
		list_commands(r);
	else if (pxs_server_sub(r, "getkeys", -3, &over))
		get_keys(r);
	else if (pxs_server_sub(r, "docs", -2, &over))
		pxs_reply_map(&r->out, 0);	/* clients do without */
	else if (!over)
		pxs_server_unknown_sub(r);
}

/* --- state ------------------------------------------------------------------------ */

static bool want_section(const struct pxs_request *r, const char *name)
{
	u32 i;

	for (i = 1; i < r->argc; i++)
		if (pxs_str_is(r->argv[i], name) || pxs_str_is(r->argv[i], "all") ||
		    pxs_str_is(r->argv[i], "default") || pxs_str_is(r->argv[i], "everything"))
			return true;
	return r->argc == 1;
}

static u32 info_server(struct pxs_store *s, char *to)
{
	u64 up = (s->node->loop.now - s->started) / 1000;

	return (u32)sprintf(to, "# Server\r\nredis_version:" COMPATIBLE "\r\nredis_mode:%s\r\n"
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

void pxs_server_bgsave(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;
	bool idle = true;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++)
		idle &= pxs_set_at(s, i)->checkpoint.state == PXS_CHECKPOINT_IDLE;
	if (r->argc > 2 || (r->argc == 2 && !pxs_str_is(r->argv[1], "schedule"))) {
		pxs_reply_syntax(&r->out);
		return;
	}
	if (!idle && r->argc == 1) {
		pxs_reply_error(&r->out, "ERR Background save already in progress");
		return;
	}
	pxs_reply_status(&r->out, idle ? "Background saving started" :
					 "Background saving scheduled");
	for (i = 0; i < pxs_set_count(s); i++)
		pxs_checkpoint_ask(pxs_set_at(s, i), NULL);
}

void pxs_server_lastsave(struct pxs_request *r)
{
	const struct pxs_store *s = r->conn->store;
	u64 made = ~0ull;
	u32 i;

	/* Of several groups, the oldest. */
	for (i = 0; i < pxs_set_count(s); i++)
		made = min(made, pxs_set_at(s, i)->checkpoint.done_made);
	pxs_reply_int(&r->out, (s64)(made / 1000));
}

static u32 info_stats(struct pxs_store *s, char *to)
{
	return (u32)sprintf(to, "# Stats\r\ntotal_connections_received:%" PRIu64 "\r\n"
			    "total_commands_processed:%" PRIu64 "\r\n"
			    "rejected_connections:%" PRIu64 "\r\nevicted_clients:%" PRIu64 "\r\n",
			    s->accepted, s->commands, s->rejected, s->evicted);
}

static u32 info_replication(struct pxs_store *s, char *to)
{
	return (u32)sprintf(to, "# Replication\r\nrole:%s\r\nmaster_repl_offset:%" PRIu64 "\r\n",
			    leads_any(s) ? "master" : "slave", s->db.state.applied);
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
			    "borrows_bytes:%" PRIu64 "\r\n",
			    s->replica->id, s->replica->elect.leader, s->replica->commit,
			    st->applied, st->time, st->foreign, s->barriers, s->indexes, age,
			    s->ask.asked, s->ask.failed, sessions, sagas, live, s->checkpoint.done,
			    checkpoint_age(s),
			    s->checkpoint.error ? strerror(-s->checkpoint.error) : "no",
			    s->db.opened, !!s->loading, s->stopped,
			    s->stalled ? strerror(-s->stalled) : "no", self->id,
			    self->incarnation, conf->epoch, s->replica->loan.slot,
			    s->replica->loan.size, s->replica->loan.bytes);
	len += info_cross(s, to + len);
	return len + info_groups(s, to + len);
}

void pxs_server_info(struct pxs_request *r)
{
	static const struct {
		const char *name;
		u32 (*print)(struct pxs_store *s, char *to);
	} sections[] = {
		{ "server", info_server }, { "clients", info_clients }, { "memory", info_memory },
		{ "persistence", info_persistence }, { "stats", info_stats }, { "replication", info_replication },
		{ "cluster", info_cluster }, { "keyspace", info_keyspace },
		{ "paxsteer", info_paxsteer }, { "eventual", pxs_eventual_info },
	};
	char text[INFO_ROOM];
	u32 i, len = 0;

	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (!want_section(r, sections[i].name))
			continue;
		if (len)
			len += (u32)sprintf(text + len, "\r\n");
		len += sections[i].print(r->conn->store, text + len);
	}
	pxs_reply_verbatim(&r->out, text, len);
}

/* --- WAIT --------------------------------------------------------------------- */

/* A write is answered when a quorum of phase 2 has it: so many other members do. */
void pxs_server_wait(struct pxs_request *r)
{
	const struct pxs_group_conf *conf = &r->conn->store->replica->config->conf;
	s64 replicas, timeout;

	if (!pxs_str_int(r->argv[1], &replicas))
		pxs_reply_not_int(&r->out);
	else if (!pxs_str_int(r->argv[2], &timeout))
		pxs_reply_error(&r->out, "ERR timeout is not an integer or out of range");
	else if (timeout < 0)
		pxs_reply_error(&r->out, "ERR timeout is negative");
	else
		pxs_reply_int(&r->out, pxs_group_phase2(conf).enough - 1);
}
