// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_view.c - the members of a group, and how each of them is
 */
#include "cluster_view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cluster_conf.h"
#include "where.h"

uint64_t cluster_number(json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

json_t *cluster_member(json_t *group, uint64_t id)
{
	json_t *member;
	size_t i;

	json_array_foreach(json_object_get(group, "members"), i, member)
		if (cluster_number(member, "id") == id)
			return member;
	return NULL;
}

bool cluster_votes(json_t *member)
{
	const char *role = json_string_value(json_object_get(member, "role"));

	return role && !strcmp(role, "voter");
}

bool cluster_leads(json_t *group)
{
	return json_is_true(json_object_get(group, "ready"));
}

static const char *text_of(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

uint64_t cluster_hex(json_t *o, const char *key)
{
	const char *text = text_of(o, key);
	uint64_t value = 0;

	if (text && parse_u64(text, 0, UINT64_MAX, &value))
		value = 0;
	return value;
}

/* --- the daemons ------------------------------------------------------------- */

/* The leader's word counts most; of others', the one that knows of more changes. */
static bool better(json_t *best, json_t *group)
{
	bool ready = cluster_leads(group);

	if (!group)
		return false;
	if (!best || (ready && !cluster_leads(best)))
		return true;
	return ready == cluster_leads(best) &&
	       cluster_number(group, "epoch") > cluster_number(best, "epoch");
}

int cluster_view_turn(struct cluster_view *v, uint64_t group)
{
	const struct where w = { .group = group };
	json_t *own[PXS_LOG_SOCKETS_MAX], *best = NULL;
	unsigned int i, at = 0;

	for (i = 0; i < v->n; i++) {
		own[i] = where_group(&w, v->status[i]);
		if (!better(best, own[i]))
			continue;
		best = own[i];
		at = i;
	}
	if (!best)
		return -1;
	memcpy(v->group, own, v->n * sizeof(*own));
	v->best = best;
	v->at = at;
	v->now = group;
	return 0;
}

/* Which groups are of one store with this one? An older daemon does not say. */
static void take_parts(struct cluster_view *v)
{
	uint64_t store = cluster_number(v->best, "store_of"), id;
	unsigned int at;
	json_t *group;
	size_t i;

	v->nparts = 0;
	json_array_foreach(json_object_get(v->status[v->at], "groups"), i, group) {
		id = cluster_number(group, "group");
		if (!store || cluster_number(group, "store_of") != store ||
		    v->nparts == CLUSTER_PARTS_MAX)
			continue;
		for (at = v->nparts++; at && v->part[at - 1] > id; at--)
			v->part[at] = v->part[at - 1];
		v->part[at] = id;
	}
	if (!v->nparts)
		v->part[v->nparts++] = v->now;
}

int cluster_view_take(struct cli *cli, const struct where *w, struct cluster_view *v)
{
	struct pxs_log *log = pxs_log_open(w->sockets, (unsigned int)w->group);
	char *text;
	int err;

	*v = (struct cluster_view){ 0 };
	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return errno == EINVAL || errno == E2BIG || errno == ENAMETOOLONG ? CLI_USAGE :
										    CLI_NO_KERNEL;
	}
	for (v->n = 0; v->n < PXS_LOG_SOCKETS_MAX; v->n++) {
		text = NULL;
		err = pxs_log_status(log, v->n, &text);
		if (err == PXS_LOG_INVALID)
			break;
		if (err)
			snprintf(v->why, sizeof(v->why), "%s", pxs_log_detail(log));
		else
			v->status[v->n] = json_loads(text, 0, NULL);
		free(text);
	}
	pxs_log_close(log);
	if (!cluster_view_turn(v, w->group)) {
		take_parts(v);
		return CLI_OK;
	}
	cli_error(cli, "%s", *v->why ? v->why : "no such group on this node");
	return *v->why ? CLI_NO_KERNEL : CLI_REFUSED;
}

void cluster_view_free(struct cluster_view *v)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		json_decref(v->status[i]);
	*v = (struct cluster_view){ 0 };
}

const char *cluster_view_kept(const struct cluster_view *v)
{
	json_t *groups = json_object_get(v->status[v->at], "groups"), *group;
	const char *kept = text_of(v->best, "members_kept");
	size_t i;

	json_array_foreach(groups, i, group)
		if (!kept && cluster_number(group, "store_of") ==
			     cluster_number(v->best, "store_of"))
			kept = text_of(group, "members_kept");
	if (!kept && json_array_size(groups) > v->nparts)
		kept = "this node is in several groups, and each has members of its own: see `paxsteer member`";
	return kept;
}

json_t *cluster_view_own(const struct cluster_view *v, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		if (v->group[i] && cluster_number(v->group[i], "self") == id)
			return v->group[i];
	return NULL;
}

/* --- each member ------------------------------------------------------------- */

static void take_own(json_t *own, uint64_t id, struct cluster_answer *a)
{
	*a = (struct cluster_answer){
		.now = {
			.group = cluster_number(own, "group"),
			.leader = cluster_number(own, "leader"),
			.commit = cluster_number(own, "commit"),
			.epoch = cluster_number(own, "epoch"),
			.borrows_slot = cluster_number(own, "borrows_slot"),
			.borrows_size = cluster_number(own, "borrows_size"),
			.borrows_bytes = cluster_number(own, "borrows_bytes"),
		},
		.member = id,
	};
	a->incarnation = cluster_hex(cluster_member(own, id), "incarnation");
	a->prefixes = cluster_hex(own, "prefixes");
	a->tells_prefixes = json_object_get(own, "prefixes");
}

/* One that does not answer is waited for once, however many groups there are. */
static void hear(struct cluster_view *v, uint64_t id, const struct endpoint *at,
		 const char *password, struct cluster_answer *a)
{
	unsigned int i;

	for (i = 0; i < v->nheard && v->heard[i].id != id; i++)
		;
	if (i < v->nheard) {
		*a = v->heard[i].answer;
		return;
	}
	cluster_ask(at, password, CLUSTER_ASK_MS, a);
	if (i == PXS_MEMBERS_MAX + 1)
		return;
	v->heard[i] = (struct cluster_heard){ .id = id, .answer = *a };
	v->nheard++;
}

void cluster_view_ask(struct cluster_view *v, uint64_t id, const char *store,
		      const char *password, struct cluster_answer *a)
{
	json_t *own = cluster_view_own(v, id);
	struct endpoint at;

	if (own) {
		take_own(own, id, a);
		return;
	}
	*a = (struct cluster_answer){ 0 };
	if (!store || parse_endpoint(store, true, &at)) {
		snprintf(a->why, sizeof(a->why), "was not asked: give its socket");
		return;
	}
	hear(v, id, &at, password, a);
	cluster_answer_turn(a, v->now);
}

static void fill(struct cluster_row *r, struct cluster_view *v, json_t *member,
		 const char *password)
{
	struct cluster_answer a;
	json_t *own;

	*r = (struct cluster_row){
		.id = cluster_number(member, "id"), .heard = cluster_number(member, "commit"),
		.incarnation = cluster_hex(member, "incarnation"),
		.address = text_of(member, "address"), .role = text_of(member, "role"),
		.store = text_of(member, "store"),
	};
	r->votes = cluster_votes(member);
	r->commit = r->heard;
	own = cluster_view_own(v, r->id);
	cluster_view_ask(v, r->id, r->store, password, &a);
	if (a.incarnation && (a.member != r->id || a.incarnation != r->incarnation))
		snprintf(a.why, sizeof(a.why), "another one answers there: member %" PRIu64
			 " with incarnation 0x%016" PRIx64, a.member, a.incarnation);
	memcpy(r->why, a.why, sizeof(r->why));
	if (*a.why || a.now.group != v->now)
		return;
	r->commit = a.now.commit;
	r->state = a.now.leader == r->id ? "leader" : "follower";
	if (own)
		r->state = text_of(own, "role");
	if (own && strcmp(text_of(own, "state") ?: "", "active"))
		r->state = text_of(own, "state");
}

unsigned int cluster_view_rows(struct cluster_view *v, const char *password,
			       struct cluster_row *row)
{
	unsigned int n = 0;
	json_t *member;
	size_t i;

	json_array_foreach(json_object_get(v->best, "members"), i, member)
		if (n < PXS_MEMBERS_MAX)
			fill(&row[n++], v, member, password);
	return n;
}

/* --- the password ------------------------------------------------------------ */

int cluster_password_read(struct cli *cli, const char *path, char *text, size_t size)
{
	FILE *f = fopen(path ? path : CLUSTER_ETC "/store.password", "re");

	*text = 0;
	if (!f && path) {
		cli_error(cli, "password-file %s: %s", path, strerror(errno));
		return CLI_USAGE;
	}
	if (f && fgets(text, (int)size, f))
		text[strcspn(text, "\n")] = 0;
	if (f)
		fclose(f);
	return CLI_OK;
}
