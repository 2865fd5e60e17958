// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_cluster.c - CLUSTER: what cluster clients ask to find the leader
 *
 * A group's leader is the master of its slots, the other members are its replicas. Where a store
 * has several groups, a node may be a master to one and a replica to another: each answer says so
 * as far as its form has room for it.
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>

bool pxs_cluster_known(const struct pxs_store *s)
{
	u32 i;

	for (i = 0; i < PXS_MEMBERS_MAX; i++)
		if (pxs_store_where(s, i))
			return true;
	return false;
}

/* A member as others see it. */
struct place {
	u8 member;
	char host[64];
	u32 port;
	char id[41];
	bool leads;
	bool self;
};

static bool place_of(const struct pxs_store *s, u32 i, struct place *p)
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	const char *text = pxs_store_where(s, i);
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
	/* One for a node, whatever groups it is in. */
	snprintf(p->id, sizeof(p->id), "%08x%016x%016" PRIx64, pxs_set_home(s)->replica->id,
		 conf->member[i].id, conf->member[i].incarnation);
	p->member = conf->member[i].id;
	p->self = i == conf->self;
	p->leads = s->replica->elect.leader == conf->member[i].id ||
		   (p->self && pxs_store_leads(s));
	return true;
}

/*
 * Those who vote and whose address is known, the leader first: a learner may have next to nothing
 * yet. Return: how many; 0 without a leader.
 */
static u32 places(const struct pxs_store *s, struct place *p)
{
	u32 i, n = 0;
	struct place leader;

	for (i = 0; i < pxs_group_voters(&s->replica->config->conf); i++) {
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

/* The slots of the group of @s, from *@from on, are up to *@last. Return: there are some. */
static bool range(const struct pxs_store *s, u32 *from, u32 *last)
{
	if (s->set)
		return pxs_shards_range(&s->set->map, pxs_set_index(s), from, last);
	*last = PXS_KEYSLOTS - 1;
	return !*from;
}

static u32 ranges(const struct pxs_store *s)
{
	u32 from, last, n = 0;

	for (from = 0; range(s, &from, &last); from = last + 1)
		n++;
	return n;
}

static u32 slots_of(const struct pxs_store *s)
{
	u32 from, last, n = 0;

	for (from = 0; range(s, &from, &last); from = last + 1)
		n += last + 1 - from;
	return n;
}

static void slot_range(struct pxs_reply *o, u32 from, u32 last, const struct place *p, u32 n)
{
	u32 i;

	pxs_reply_array(o, n + 2);
	pxs_reply_int(o, from);
	pxs_reply_int(o, last);
	for (i = 0; i < n; i++) {
		pxs_reply_array(o, 4);
		pxs_reply_text(o, p[i].host);
		pxs_reply_int(o, p[i].port);
		pxs_reply_text(o, p[i].id);
		pxs_reply_array(o, 0);
	}
}

static void slots(struct pxs_request *r)
{
	struct pxs_store *home = r->conn->store, *s;
	struct place p[PXS_MEMBERS_MAX];
	u32 i, n, from, last, all = 0;

	for (i = 0; i < pxs_set_count(home); i++)
		all += places(pxs_set_at(home, i), p) ? ranges(pxs_set_at(home, i)) : 0;
	pxs_reply_array(&r->out, all);
	for (i = 0; i < pxs_set_count(home); i++) {
		s = pxs_set_at(home, i);
		n = places(s, p);
		for (from = 0; n && range(s, &from, &last); from = last + 1)
			slot_range(&r->out, from, last, p, n);
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

static void shard(struct pxs_reply *o, const struct pxs_store *s, const struct place *p, u32 n)
{
	u32 i, from, last;

	pxs_reply_map(o, 2);
	pxs_reply_text(o, "slots");
	pxs_reply_array(o, 2 * ranges(s));
	for (from = 0; range(s, &from, &last); from = last + 1) {
		pxs_reply_int(o, from);
		pxs_reply_int(o, last);
	}
	pxs_reply_text(o, "nodes");
	pxs_reply_array(o, n);
	for (i = 0; i < n; i++)
		shard_node(o, &p[i], s->db.state.applied);
}

static void shards(struct pxs_request *r)
{
	struct pxs_store *home = r->conn->store;
	struct place p[PXS_MEMBERS_MAX];
	u32 i, n, all = 0;

	for (i = 0; i < pxs_set_count(home); i++)
		all += !!places(pxs_set_at(home, i), p);
	pxs_reply_array(&r->out, all);
	for (i = 0; i < pxs_set_count(home); i++) {
		n = places(pxs_set_at(home, i), p);
		if (n)
			shard(&r->out, pxs_set_at(home, i), p, n);
	}
}

static void info(struct pxs_request *r)
{
	struct place p[PXS_MEMBERS_MAX];
	const struct pxs_store *s = r->conn->store;
	u32 i, led = 0, n = pxs_set_count(s);
	char text[512];
	int len;

	for (i = 0; i < n; i++)
		if (places(pxs_set_at(s, i), p))
			led += slots_of(pxs_set_at(s, i));
	len = snprintf(text, sizeof(text),
		       "cluster_enabled:1\r\ncluster_state:%s\r\ncluster_slots_assigned:%u\r\n"
		       "cluster_slots_ok:%u\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n"
		       "cluster_known_nodes:%u\r\ncluster_size:%u\r\ncluster_current_epoch:%" PRIu64 "\r\n",
		       led == PXS_KEYSLOTS ? "ok" : "fail", PXS_KEYSLOTS, led,
		       s->replica->config->conf.nmembers, n, s->replica->config->conf.epoch);
	pxs_reply_verbatim(&r->out, text, (u32)len);
}

static bool leads_there(const struct pxs_store *s, const struct place *p, struct place *there)
{
	int i = pxs_store_member(s, p->member);

	return i >= 0 && place_of(s, (u32)i, there) && there->leads;
}

/* A member that votes in a group, and who leads the first one in which it does. */
struct node {
	struct place place;
	char leader[41];
};

/* Who votes in the home comes first; another one may vote in another group alone. */
static u32 nodes_of(const struct pxs_store *home, struct node *node)
{
	struct place p[PXS_MEMBERS_MAX];
	u32 i, j, k, n, all = 0;

	for (j = 0; j < pxs_set_count(home); j++) {
		n = places(pxs_set_at(home, j), p);
		for (i = 0; i < n; i++) {
			for (k = 0; k < all && node[k].place.member != p[i].member; k++)
				;
			if (k < all || all == PXS_MEMBERS_MAX)
				continue;
			node[all].place = p[i];
			memcpy(node[all++].leader, p[0].id, sizeof(p[0].id));
		}
	}
	return all;
}

/* A line for a node: a master of all slots that it leads, or a slave of another one. */
static void nodes(struct pxs_request *r)
{
	struct pxs_store *home = r->conn->store, *s;
	struct node all[PXS_MEMBERS_MAX];
	u32 i, j, n, from, last;
	struct place *p, there;
	struct pxs_reply text;
	char line[256];
	bool master;

	pxs_reply_init(&text, 2, PXS_CONN_OUT_MAX);
	n = nodes_of(home, all);
	for (i = 0; i < n; i++) {
		p = &all[i].place;
		for (j = 0, master = false; j < pxs_set_count(home); j++)
			master |= leads_there(pxs_set_at(home, j), p, &there);
		pxs_reply_raw(&text, line, (u32)
			      snprintf(line, sizeof(line), "%s %s:%u@0 %s%s %s 0 0 0 connected",
				       p->id, p->host, p->port, p->self ? "myself," : "",
				       master ? "master" : "slave", master ? "-" : all[i].leader));
		for (j = 0; j < pxs_set_count(home); j++) {
			s = pxs_set_at(home, j);
			from = leads_there(s, p, &there) ? 0 : PXS_KEYSLOTS;
			for (; range(s, &from, &last); from = last + 1)
				pxs_reply_raw(&text, line, (u32)sprintf(line, " %u-%u", from, last));
		}
		pxs_reply_raw(&text, "\n", 1);
	}
	pxs_reply_verbatim(&r->out, text.buf ? (char *)text.buf : "", text.len);
	pxs_reply_free(&text);
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
