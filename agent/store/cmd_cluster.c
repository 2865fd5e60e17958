// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_cluster.c - CLUSTER: what cluster clients ask to find the leader
 *
 * One group has all slots; its leader is their master, the other members are its replicas.
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>

bool pxs_cluster_known(const struct pxs_store *s)
{
	u32 i;

	for (i = 0; i < PXS_MEMBERS_MAX; i++)
		if (s->config->member[i])
			return true;
	return false;
}

/* A member as others see it. */
struct place {
	char host[64];
	u32 port;
	char id[41];
	bool leads;
	bool self;
};

static bool place_of(const struct pxs_store *s, u32 i, struct place *p)
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	const char *text = s->config->member[i];
	const char *colon;
	int len;

	if (!text)
		return false;
	colon = strrchr(text, ':');
	len = (int)(colon - text);
	if (*text == '[') {
		text++;
		len -= 2;
	}
	snprintf(p->host, sizeof(p->host), "%.*s", len, text);
	p->port = (u32)strtoul(colon + 1, NULL, 10);
	snprintf(p->id, sizeof(p->id), "%08x%016x%016" PRIx64, s->replica->id, conf->member[i].id,
		 conf->member[i].incarnation);
	p->self = i == conf->self;
	p->leads = s->replica->elect.leader == conf->member[i].id ||
		   (p->self && pxs_store_leads(s));
	return true;
}

/* Those whose address is known, the leader first. Return: how many; 0 without a leader. */
static u32 places(const struct pxs_store *s, struct place *p)
{
	u32 i, n = 0;
	struct place leader;

	for (i = 0; i < s->replica->config->conf.nmembers; i++) {
		if (!place_of(s, i, &p[n]))
			continue;
		if (p[n].leads && n) {
			leader = p[n];
			p[n] = p[0];
			p[0] = leader;
		}
		n++;
	}
	return n && p[0].leads ? n : 0;
}

static void slots(struct pxs_request *r)
{
	struct place p[PXS_MEMBERS_MAX];
	u32 n = places(r->conn->store, p);
	u32 i;

	pxs_reply_array(&r->out, n ? 1 : 0);
	if (!n)
		return;
	pxs_reply_array(&r->out, n + 2);
	pxs_reply_int(&r->out, 0);
	pxs_reply_int(&r->out, PXS_KEYSLOTS - 1);
	for (i = 0; i < n; i++) {
		pxs_reply_array(&r->out, 4);
		pxs_reply_text(&r->out, p[i].host);
		pxs_reply_int(&r->out, p[i].port);
		pxs_reply_text(&r->out, p[i].id);
		pxs_reply_array(&r->out, 0);
	}
}

static void shard_node(struct pxs_reply *o, const struct place *p, u64 applied)
{
	pxs_reply_map(o, 7);
	pxs_reply_text(o, "id");
	pxs_reply_text(o, p->id);
	pxs_reply_text(o, "port");
	pxs_reply_int(o, p->port);
	pxs_reply_text(o, "ip");
	pxs_reply_text(o, p->host);
	pxs_reply_text(o, "endpoint");
	pxs_reply_text(o, p->host);
	pxs_reply_text(o, "role");
	pxs_reply_text(o, p->leads ? "master" : "replica");
	pxs_reply_text(o, "replication-offset");
	pxs_reply_int(o, (s64)applied);
	pxs_reply_text(o, "health");
	pxs_reply_text(o, "online");
}

static void shards(struct pxs_request *r)
{
	struct place p[PXS_MEMBERS_MAX];
	u32 n = places(r->conn->store, p);
	u32 i;

	pxs_reply_array(&r->out, n ? 1 : 0);
	if (!n)
		return;
	pxs_reply_map(&r->out, 2);
	pxs_reply_text(&r->out, "slots");
	pxs_reply_array(&r->out, 2);
	pxs_reply_int(&r->out, 0);
	pxs_reply_int(&r->out, PXS_KEYSLOTS - 1);
	pxs_reply_text(&r->out, "nodes");
	pxs_reply_array(&r->out, n);
	for (i = 0; i < n; i++)
		shard_node(&r->out, &p[i], r->conn->store->db.state.applied);
}

static void info(struct pxs_request *r)
{
	struct place p[PXS_MEMBERS_MAX];
	const struct pxs_store *s = r->conn->store;
	u32 n = places(s, p);
	char text[512];
	int len;

	len = snprintf(text, sizeof(text),
		       "cluster_enabled:1\r\ncluster_state:%s\r\ncluster_slots_assigned:%u\r\n"
		       "cluster_slots_ok:%u\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n"
		       "cluster_known_nodes:%u\r\ncluster_size:1\r\ncluster_current_epoch:%" PRIu64 "\r\n",
		       n ? "ok" : "fail", PXS_KEYSLOTS, n ? PXS_KEYSLOTS : 0,
		       s->replica->config->conf.nmembers, s->replica->config->conf.epoch);
	pxs_reply_verbatim(&r->out, text, (u32)len);
}

static void nodes(struct pxs_request *r)
{
	struct place p[PXS_MEMBERS_MAX];
	u32 n = places(r->conn->store, p);
	char text[256 * PXS_MEMBERS_MAX];
	u32 i, len = 0;

	for (i = 0; i < n; i++)
		len += (u32)sprintf(text + len, "%s %s:%u@0 %s%s %s 0 0 0 connected%s\n", p[i].id,
				    p[i].host, p[i].port, p[i].self ? "myself," : "",
				    p[i].leads ? "master" : "slave", p[i].leads ? "-" : p[0].id,
				    p[i].leads ? " 0-16383" : "");
	pxs_reply_verbatim(&r->out, text, len);
}

static void my_id(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;
	struct place p;

	if (place_of(s, s->replica->config->conf.self, &p))
		pxs_reply_text(&r->out, p.id);
	else
		pxs_reply_null(&r->out);
}

void pxs_server_cluster(struct pxs_request *r)
{
	static const struct {
		const char *word;
		u32 argc;
		void (*run)(struct pxs_request *r);
	} subs[] = {
		{ "slots", 2, slots }, { "shards", 2, shards }, { "info", 2, info },
		{ "nodes", 2, nodes }, { "myid", 2, my_id }, { "keyslot", 3, NULL },
	};
	char name[32];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(subs) && !pxs_str_is(r->argv[1], subs[i].word); i++)
		;
	if (i == ARRAY_SIZE(subs)) {
		pxs_server_unknown_sub(r);
	} else if (r->argc != subs[i].argc) {
		snprintf(name, sizeof(name), "cluster|%s", subs[i].word);
		pxs_reply_arity(&r->out, name);
	} else if (!pxs_cluster_known(r->conn->store)) {
		pxs_reply_error(&r->out, "ERR This instance has cluster support disabled");
	} else if (subs[i].run) {
		subs[i].run(r);
	} else {
		pxs_reply_int(&r->out, pxs_keyslot(r->argv[2]));
	}
}
