// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_rebalance.c - `paxsteer cluster rebalance`: each member leads about as many groups, and,
 * where it is said how many vote in each, votes in about as many
 *
 * Leaders and votes move, keys do not: all members have all keys of all groups, and which group a
 * key is in the hash says, which knows nothing of members.
 */
#include "cluster_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cluster_conf.h"
#include "cluster_lead.h"
#include "cluster_plan.h"
#include "cluster_view.h"
#include "cluster_voting.h"
#include "member.h"	/* PXS_VOTERS_MAX */
#include "where.h"
#include "words.h"

#define GROUPS_MAX	64u
#define SECONDS		60u
#define SECONDS_MAX	3600u

struct balance {
	struct cli *cli;
	struct where where;	/* of group 1, and then of each group in turn */
	bool dry;
	char password[CLUSTER_PASSWORD_MAX + 2];
	/* who votes */
	uint64_t voters, seconds;
	const char *etc;
	struct cluster_voting voting;	/* as it will be, or is */
	struct cluster_voters_step step[CLUSTER_VOTING_STEPS + 1];
	unsigned int nsteps, changes;
	/* who leads */
	struct cluster_lead lead[GROUPS_MAX];
	uint64_t votes[GROUPS_MAX], leads_now[GROUPS_MAX];
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

/* The group as it will be, where that is only said, and not done; else NULL. */
static const struct cluster_seats *planned(const struct balance *b, uint64_t group)
{
	unsigned int i;

	for (i = 0; b->dry && b->voters && i < b->voting.n; i++)
		if (b->voting.seat[i].group == group)
			return &b->voting.seat[i];
	return NULL;
}

static bool will_vote(const struct cluster_seats *plan, json_t *member)
{
	return plan ? plan->votes >> cluster_number(member, "id") & 1 : cluster_votes(member);
}

static void take_group(struct balance *b, struct cluster_view *v, json_t *group)
{
	uint64_t *votes = &b->votes[b->n];
	struct cluster_lead *l = &b->lead[b->n++];
	const struct cluster_seats *plan;
	struct cluster_answer a;
	json_t *member;
	uint64_t id;
	size_t i;

	*l = (struct cluster_lead){
		.group = cluster_number(group, "group"), .leader = cluster_number(group, "leader"),
	};
	plan = planned(b, l->group);
	b->leads_now[b->n - 1] = l->leader;
	if (plan)
		l->leader = plan->leader;
	json_array_foreach(json_object_get(group, "members"), i, member) {
		id = cluster_number(member, "id");
		if (id >= CLUSTER_PLAN_IDS || !will_vote(plan, member))
			continue;
		*votes |= 1ull << id;
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

static void show_group(struct out *o, const struct cluster_lead *l, uint64_t votes, bool dry,
		       bool failed)
{
	char text[CLUSTER_VOTING_TEXT];
	const char *what = !l->leader ? "nobody leads: left alone" : l->next == l->leader ? "stays" :
			   failed ? "did not move" : dry ? "would move" : "moved";

	out_object(o, NULL, NULL, OUT_ROW);
	out_num(o, "group", "group", l->group);
	out_str(o, "voters", "voters", cluster_voting_text(votes, text));
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

static void show_step(struct out *o, const struct balance *b, const struct cluster_voters_step *s)
{
	out_object(o, NULL, NULL, OUT_ROW);
	out_num(o, "group", "group", b->voting.seat[s->at].group);
	out_num(o, "member", "member", s->id);
	out_str(o, "change", "change", s->how == CLUSTER_VOTERS_PROMOTE ? "promote" :
		s->how == CLUSTER_VOTERS_DEMOTE ? "demote" : "lead");
	out_close(o);
}

/* The changes of who votes. */
static void show_voting(struct out *o, const struct balance *b)
{
	char text[80], why[CLUSTER_CHANGE_WORDS];
	unsigned int i;

	snprintf(text, sizeof(text), "%" PRIu64 " in each group: %u changes%s", b->voters,
		 b->changes, b->dry ? ", and fewer will not do" : "");
	out_str(o, NULL, "voters", text);
	out_num(o, "voters", NULL, b->voters);
	out_num(o, "changes", NULL, b->changes);
	if (!b->dry)
		return;
	if (cluster_voting_silent(&b->voting, why))
		out_str(o, "beware", "beware", why);
	out_list(o, "steps", OUT_TABLE);
	for (i = 0; i < b->nsteps; i++)
		show_step(o, b, &b->step[i]);
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
	if (b->voters)
		show_voting(o, b);
	out_list(o, "groups", OUT_TABLE);
	for (i = 0; i < b->n; i++)
		show_group(o, &b->lead[i], b->votes[i], b->dry, b->failed[i]);
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

/* What would be done with who votes. Return: an exit status. */
static int plan_voters(struct balance *b)
{
	char why[CLUSTER_CHANGE_WORDS] = "";
	struct cluster_view v;
	const char *kept;
	int ret = cluster_view_take(b->cli, &b->where, &v);

	if (!ret) {
		kept = cluster_view_kept(&v);
		cluster_voting_see(&b->voting, &v, password_of(b));
		if (kept)
			ret = cluster_refuse(b->cli, 1, 0, kept);
		else if (cluster_voting_wrong(&b->voting, (unsigned int)b->voters, why))
			ret = cluster_refuse(b->cli, 1, 0, why);
		else
			b->nsteps = cluster_voting_steps(&b->voting, (unsigned int)b->voters,
							 b->step, &b->changes);
	}
	cluster_view_free(&v);
	return ret;
}

static int place_voters(struct balance *b)
{
	const struct cluster_voting_order o = {
		.cli = b->cli, .where = b->where, .voters = (unsigned int)b->voters,
		.means = { .password = password_of(b), .etc = b->etc }, .seconds = b->seconds,
	};

	return b->dry ? plan_voters(b) : cluster_voting_do(&o, &b->changes);
}

static int run(struct balance *b)
{
	int ret = b->voters ? place_voters(b) : CLI_OK;
	unsigned int i;

	if (!ret)
		ret = look(b);
	if (ret)
		return ret;
	cluster_plan_spread(b->lead, b->n);
	if (!b->dry)
		ret = move(b);
	for (i = 0; b->dry && i < b->n; i++)
		b->lead[i].leader = b->leads_now[i];
	show(b);
	return ret;
}

int cluster_rebalance(struct cli *cli, int argc, char **argv)
{
	struct balance b = { .cli = cli, .etc = CLUSTER_ETC, .seconds = SECONDS };
	const char *path = NULL;
	const struct word words[] = {
		{ .name = "voters", .number = &b.voters, .min = PXS_VOTERS_MIN,
		  .max = PXS_VOTERS_MAX },
		{ .name = "etc", .text = &b.etc },
		{ .name = "password-file", .text = &path },
		{ .name = "dry-run", .flag = &b.dry },
		{ .name = "timeout", .number = &b.seconds, .min = 1, .max = SECONDS_MAX },
		{ }
	};
	int ret = where_take(cli, &argc, &argv, &b.where);

	if (!ret)
		ret = words_take(cli, words, argc, argv, NULL);
	if (!ret)
		ret = cluster_password_read(cli, path, b.password, sizeof(b.password));
	if (!ret)
		ret = run(&b);
	explicit_bzero(b.password, sizeof(b.password));
	return ret;
}
