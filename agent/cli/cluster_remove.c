// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_remove.c - `paxsteer cluster remove`: one member fewer, for good
 *
 * In a store of several groups it goes from all of them, in the order of cluster_plan.h. It looks
 * before each step, and keeps nothing: run again it goes on.
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
#include "parse.h"
#include "where.h"
#include "words.h"

#define SECONDS		60u
#define SECONDS_MAX	3600u
#define LOOK_MS		250u

struct removal {
	struct cli *cli;
	struct where where;
	uint64_t id, seconds;
	char password[CLUSTER_PASSWORD_MAX + 2];
	/* what was seen last, of each group */
	uint64_t group[CLUSTER_PARTS_MAX], epoch[CLUSTER_PARTS_MAX];
	struct cluster_place place[CLUSTER_PARTS_MAX];
	unsigned int n, voters;	/* that stay */
	bool begun;		/* it was seen in a group */
	/* how many shall vote in each, where not all do; 0: as many as stay */
	uint64_t voters_told;
	const char *etc;
	/* what is next, and of which group */
	enum cluster_leave how;
	unsigned int next;
	uint64_t relief;	/* votes there first; 0: nobody need */
	uint64_t said;		/* the step that was, with 1 more; 0: none */
	char trouble[CLUSTER_CHANGE_WORDS];
};

/* --- looking ------------------------------------------------------------------ */

static int refuse_self(const struct removal *r, const struct cluster_view *v)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		if (v->group[i] && cluster_number(v->group[i], "self") != r->id)
			return CLI_OK;
	cli_error(r->cli, "member %" PRIu64 " is the one whose daemon is asked: run this on the machine of another one",
		  r->id);
	return CLI_REFUSED;
}

static void see(struct removal *r, struct cluster_view *v)
{
	json_t *m;
	unsigned int i;

	r->n = v->nparts;
	for (i = 0; i < r->n; i++) {
		cluster_view_turn(v, v->part[i]);
		m = cluster_member(v->best, r->id);
		r->group[i] = v->now;
		r->epoch[i] = cluster_number(v->best, "epoch");
		r->place[i] = (struct cluster_place){ .there = m, .votes = cluster_votes(m) };
	}
}

/* Not everybody votes everywhere: does another one have to where it goes from next? */
static uint64_t find_relief(const struct removal *r, struct cluster_view *v)
{
	bool placed = cluster_voting_placed(v, r->id);
	struct cluster_voting s;
	unsigned int voters;

	if (r->how == CLUSTER_GONE || (!placed && !r->voters_told))
		return 0;
	cluster_voting_see(&s, v, *r->password ? r->password : NULL);
	voters = r->voters_told ? (unsigned int)r->voters_told :
				  cluster_voters_least(s.seat, s.n);
	s.members &= ~(1ull << r->id);
	return cluster_voters_relief(s.seat, s.n, r->next, s.members, voters, r->id, &s.seed);
}

/* Will the others of group number @i go on without it? Return: an exit status. */
static int check(struct removal *r, struct cluster_view *v, unsigned int i)
{
	const char *password = *r->password ? r->password : NULL;
	struct cluster_voice voice[PXS_MEMBERS_MAX];
	struct cluster_row row[PXS_MEMBERS_MAX];
	unsigned int k, n, phase1 = 0;
	char why[CLUSTER_PLAN_WORDS];

	cluster_view_turn(v, v->part[i]);
	n = cluster_view_rows(v, password, row);
	r->voters = 0;
	for (k = 0; k < n; k++) {
		voice[k] = (struct cluster_voice){
			.id = row[k].id, .votes = row[k].votes, .answers = !*row[k].why,
		};
		r->voters += row[k].votes && row[k].id != r->id;
	}
	if (json_is_false(json_object_get(v->best, "majorities")))
		phase1 = (unsigned int)cluster_number(v->best, "phase1");
	if (cluster_plan_remove(voice, n, r->id, phase1, why))
		return cluster_refuse(r->cli, r->n, v->now, why);
	return refuse_self(r, v);
}

/* Is it there, and will the others go on without it? Return: an exit status. */
static int look(struct removal *r)
{
	struct cluster_view v;
	const char *kept;
	unsigned int i;
	int ret = cluster_view_take(r->cli, &r->where, &v);

	if (ret)
		goto out;
	see(r, &v);
	r->how = cluster_plan_leave(r->place, r->n, &r->next);
	r->relief = find_relief(r, &v);
	if (r->how == CLUSTER_GONE && r->begun)
		goto out;
	kept = cluster_view_kept(&v);
	/* Who is in none is refused, by the first. */
	for (i = 0; !ret && !kept && i < r->n; i++)
		if (r->place[i].there || (r->how == CLUSTER_GONE && !i))
			ret = check(r, &v, i);
	if (kept)
		ret = cluster_refuse(r->cli, 1, 0, kept);
	r->begun = true;
out:
	cluster_view_free(&v);
	return ret;
}

/* --- saying ------------------------------------------------------------------- */

/* Is another step next than the one that was said last? */
static bool is_new(struct removal *r)
{
	uint64_t step = (r->relief << 16 | r->next << 8 | r->how) + 1;
	bool new = step != r->said;

	r->said = step;
	return new;
}

/* To stderr, where there are several: each waits for an election. */
static void say(const struct removal *r)
{
	if (r->relief)
		fprintf(stderr, "member %" PRIu64 " in group %" PRIu64 " is being promoted\n",
			r->relief, r->group[r->next]);
	else if (r->n > 1)
		fprintf(stderr, "member %" PRIu64 " in group %" PRIu64 " is being %s\n", r->id,
			r->group[r->next], r->how == CLUSTER_DEMOTE ? "demoted" : "removed");
}

static int show_done(const struct removal *r)
{
	struct out *o = r->cli->out;
	unsigned int i;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_num(o, "removed", "removed", r->id);
	if (r->n == 1)
		out_num(o, "epoch", "epoch", r->epoch[0]);
	out_num(o, "voters", "voters", r->voters);
	out_str(o, NULL, "next", "on its machine: systemctl disable --now paxsteerd; its journal never comes back, so remove that and its configuration before it joins anew");
	if (r->voters < 3)
		out_str(o, NULL, "beware", "two members vote: if either stops, nothing goes on. Add one");
	if (r->n > 1) {
		out_str(o, NULL, "then", CLUSTER_GATHERED);
		out_list(o, "groups", OUT_TABLE);
		for (i = 0; i < r->n; i++)
			cluster_show_part(o, r->group[i], r->epoch[i]);
		out_close(o);
	}
	out_close(o);
	return CLI_OK;
}

static int give_up(const struct removal *r)
{
	const char *why = *r->trouble ? r->trouble : "not seen yet";

	if (r->n > 1)
		cli_error(r->cli, "member %" PRIu64 " is not %s in group %" PRIu64 " after %" PRIu64
			  " s: %s; the same command goes on from here", r->id,
			  r->how == CLUSTER_DEMOTE ? "demoted" : "removed", r->group[r->next],
			  r->seconds, why);
	else
		cli_error(r->cli, "member %" PRIu64 " is not removed after %" PRIu64 " s: %s", r->id,
			  r->seconds, why);
	return CLI_REFUSED;
}

/* --- doing -------------------------------------------------------------------- */

static int change(struct removal *r)
{
	const struct cluster_means means = { *r->password ? r->password : NULL, r->etc };
	const struct pxs_log_member m = {
		.change = r->relief ? PXS_LOG_MEMBER_PROMOTE :
			  r->how == CLUSTER_DEMOTE ? PXS_LOG_MEMBER_DEMOTE : PXS_LOG_MEMBER_REMOVE,
		.id = (unsigned int)(r->relief ? r->relief : r->id),
	};
	struct where w = r->where;
	int ret, err;

	w.group = r->group[r->next];
	ret = cluster_lead_do(r->cli, &w, &means, r->id, &m, r->trouble, &err);
	if (ret)
		return ret;
	if (!err)
		*r->trouble = 0;
	/* What a leader knows of other groups may be old. */
	if (!err || cluster_lead_again(err) ||
	    ((r->n > 1 || r->relief) && err == PXS_LOG_MEMBERS))
		return CLI_OK;
	return cluster_refuse(r->cli, r->n, w.group, r->trouble);
}

static int follow(struct removal *r)
{
	uint64_t end = cluster_now_ms() + r->seconds * 1000;
	int ret;

	for (;;) {
		ret = look(r);
		if (ret)
			return ret;
		if (r->how == CLUSTER_GONE)
			return show_done(r);
		if (cluster_now_ms() >= end)
			return give_up(r);
		if (is_new(r)) {
			say(r);
			end = cluster_now_ms() + r->seconds * 1000;
		} else {
			cluster_pause(LOOK_MS);
		}
		ret = change(r);
		if (ret)
			return ret;
	}
}

int cluster_remove(struct cli *cli, int argc, char **argv)
{
	struct removal r = {
		.cli = cli, .seconds = SECONDS, .etc = CLUSTER_ETC,
	};
	const char *id = NULL, *path = NULL;
	const struct word words[] = {
		{ .name = "voters", .number = &r.voters_told, .min = PXS_VOTERS_MIN,
		  .max = PXS_VOTERS_MAX },
		{ .name = "etc", .text = &r.etc },
		{ .name = "password-file", .text = &path },
		{ .name = "timeout", .number = &r.seconds, .min = 1, .max = SECONDS_MAX },
		{ }
	};
	int ret = where_take(cli, &argc, &argv, &r.where);

	if (!ret)
		ret = words_take(cli, words, argc, argv, &id);
	if (!ret && !id)
		ret = cli_usage_error(cli, "ID is missing");
	if (!ret && parse_u64(id, 1, PXS_MEMBER_ID_MAX, &r.id))
		ret = cli_usage_error(cli, "ID: \"%s\" is not 1..%u", id, PXS_MEMBER_ID_MAX);
	if (!ret)
		ret = cluster_password_read(cli, path, r.password, sizeof(r.password));
	if (!ret)
		ret = follow(&r);
	explicit_bzero(r.password, sizeof(r.password));
	return ret;
}
