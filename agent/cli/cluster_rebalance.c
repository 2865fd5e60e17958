// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_rebalance.c - `paxsteer cluster rebalance`: each member leads about as many groups
 *
 * Leaders move, keys do not: all members have all keys of all groups, and which group a key is in
 * the hash says, which knows nothing of members.
 */
#include "cluster_change.h"

#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "cluster_lead.h"
#include "cluster_plan.h"
#include "cluster_view.h"
#include "where.h"
#include "words.h"

#define GROUPS_MAX	64u

struct balance {
	struct cli *cli;
	struct where where;	/* of group 1, and then of each group in turn */
	bool dry;
	char password[CLUSTER_PASSWORD_MAX + 2];
	struct cluster_lead lead[GROUPS_MAX];
	bool failed[GROUPS_MAX];
	unsigned int n;
	/* bit ID: it answers; its store, for all groups */
	uint64_t answers;
	char store[CLUSTER_PLAN_IDS][PARSE_ENDPOINT_LEN];
};

static const char *password_of(const struct balance *b)
{
	return *b->password ? b->password : NULL;
}

/* --- looking ---------------------------------------------------------------------- */

/* A store listens once for all its groups, and the members of one of these say where. */
static void take_stores(struct balance *b, json_t *groups)
{
	json_t *group, *member;
	const char *store;
	uint64_t id;
	size_t i, k;

	json_array_foreach(groups, i, group)
		json_array_foreach(json_object_get(group, "members"), k, member) {
			id = cluster_number(member, "id");
			store = json_string_value(json_object_get(member, "store"));
			if (store && id < CLUSTER_PLAN_IDS && !*b->store[id] &&
			    strlen(store) < PARSE_ENDPOINT_LEN)
				strcpy(b->store[id], store);
		}
}

static void take_group(struct balance *b, struct cluster_view *v, json_t *group)
{
	struct cluster_lead *l = &b->lead[b->n++];
	struct cluster_answer a;
	json_t *member;
	uint64_t id;
	size_t i;

	*l = (struct cluster_lead){
		.group = cluster_number(group, "group"), .leader = cluster_number(group, "leader"),
	};
	json_array_foreach(json_object_get(group, "members"), i, member) {
		id = cluster_number(member, "id");
		if (id >= CLUSTER_PLAN_IDS || !cluster_votes(member))
			continue;
		cluster_view_ask(v, id, *b->store[id] ? b->store[id] : NULL, password_of(b), &a);
		if (!*a.why)
			l->may |= 1ull << id;
	}
}

static int look(struct balance *b)
{
	struct cluster_view v;
	json_t *groups, *group;
	size_t i;
	int ret = cluster_view_take(b->cli, &b->where, &v);

	if (!ret) {
		groups = json_object_get(v.status[v.at], "groups");
		take_stores(b, groups);
		json_array_foreach(groups, i, group)
			if (b->n < GROUPS_MAX)
				take_group(b, &v, group);
	}
	cluster_view_free(&v);
	return ret;
}

/* --- showing ------------------------------------------------------------------------ */

static void show_group(struct out *o, const struct cluster_lead *l, bool dry, bool failed)
{
	const char *what = !l->leader ? "nobody leads: left alone" : l->next == l->leader ? "stays" :
			   failed ? "did not move" : dry ? "would move" : "moved";

	out_object(o, NULL, NULL, OUT_ROW);
	out_num(o, "group", "group", l->group);
	if (l->leader)
		out_num(o, "leader", "leader", l->leader);
	else
		out_str(o, "leader", "leader", NULL);
	if (l->next)
		out_num(o, "next", "next", l->next);
	else
		out_str(o, "next", "next", NULL);
	out_str(o, "outcome", "outcome", what);
	out_close(o);
}

static void show(const struct balance *b)
{
	struct out *o = b->cli->out;
	unsigned int i;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_str(o, NULL, "keys", b->n == 1 ?
		"one group: every member has all of them, and one leads; there is nothing to move" :
		"do not move: every member has those of all groups, and the hash says which group");
	out_list(o, "groups", OUT_TABLE);
	for (i = 0; i < b->n; i++)
		show_group(o, &b->lead[i], b->dry, b->failed[i]);
	out_close(o);
	out_close(o);
}

/* --- doing -------------------------------------------------------------------------- */

/* Return: the worst exit status: one group that stays is no reason to leave the others. */
static int move(struct balance *b)
{
	struct where w = b->where;
	int ret = CLI_OK, one;
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		const struct cluster_lead *l = &b->lead[i];
		const char *store = b->store[l->leader];

		if (l->next == l->leader)
			continue;
		w.group = l->group;
		one = cluster_lead_give(b->cli, &w, password_of(b), l->leader,
					*store ? store : NULL, l->next);
		b->failed[i] = one != CLI_OK;
		ret = one ? one : ret;
	}
	return ret;
}

int cluster_rebalance(struct cli *cli, int argc, char **argv)
{
	struct balance b = { .cli = cli };
	const char *path = NULL;
	const struct word words[] = {
		{ .name = "password-file", .text = &path },
		{ .name = "dry-run", .flag = &b.dry },
		{ }
	};
	int ret = where_take(cli, &argc, &argv, &b.where);

	if (!ret)
		ret = words_take(cli, words, argc, argv, NULL);
	if (!ret)
		ret = cluster_password_read(cli, path, b.password, sizeof(b.password));
	if (!ret)
		ret = look(&b);
	if (!ret) {
		cluster_plan_spread(b.lead, b.n);
		if (!b.dry)
			ret = move(&b);
		show(&b);
	}
	explicit_bzero(b.password, sizeof(b.password));
	return ret;
}
