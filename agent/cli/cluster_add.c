// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_add.c - `paxsteer cluster add`: one more machine for a cluster that runs
 *
 * It makes a bundle for the new machine, waits until the member that was made of it answers, adds
 * it as a learner, waits until it has what the others have, and lets it vote. Where it stands is
 * seen in the group and in the bundle, and kept nowhere else: see cluster_plan.h.
 *
 * In a store of several groups it is a member of each, and comes a step on in all of them before it
 * does in one.
 */
#include "cluster_change.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cluster_conf.h"
#include "cluster_invite.h"
#include "cluster_lead.h"
#include "cluster_plan.h"
#include "cluster_view.h"
#include "cluster_voting.h"
#include "member.h"	/* PXS_MEMBER_BEHIND */
#include "where.h"
#include "words.h"

#define HOURS		24u
#define HOURS_MAX	720u
#define SECONDS		600u
#define SECONDS_MAX	604800u
#define LOOK_MS		250u
#define SAY_MS		5000u	/* numbers are said so often; another stage at once */
#define SAY_MAX		640u

struct add {
	struct cli *cli;
	struct where where;
	struct cluster_invite invite;
	bool learner;
	uint64_t seconds;
	char password[CLUSTER_PASSWORD_MAX + 2];
	char address[PARSE_ENDPOINT_LEN], store[PARSE_ENDPOINT_LEN];
	/* what was seen last, of each group; and which of them is next */
	struct cluster_newcomer seen[CLUSTER_PARTS_MAX];
	struct cluster_answer answer[CLUSTER_PARTS_MAX];
	bool led[CLUSTER_PARTS_MAX];	/* by one whose socket is given */
	bool near[CLUSTER_PARTS_MAX];	/* it could be */
	bool placed;			/* not everybody votes everywhere: it is a learner first */
	unsigned int n, next;
	bool changed;
	/* what was said last */
	enum cluster_stage stage;
	unsigned int about;
	uint64_t said_ms;
	char said[SAY_MAX];
	char trouble[CLUSTER_CHANGE_WORDS];	/* why the last change failed; empty: it did not */
};

static const char *password_of(const struct add *a)
{
	return *a->password ? a->password : NULL;
}

/* --- looking ------------------------------------------------------------------ */

static unsigned int voters(const struct cluster_view *v)
{
	unsigned int n = 0;
	json_t *member;
	size_t i;

	json_array_foreach(json_object_get(v->best, "members"), i, member)
		n += cluster_votes(member);
	return n;
}

static void see_group(struct add *a, struct cluster_view *v, unsigned int i)
{
	struct cluster_answer *w = &a->answer[i];
	struct cluster_newcomer *c = &a->seen[i];
	json_t *m = cluster_member(v->best, a->invite.new.id);
	const char *address = json_string_value(json_object_get(m, "address"));

	*c = (struct cluster_newcomer){
		.id = a->invite.new.id, .group = v->now,
		.learner = a->learner || (a->placed && !cluster_votes(m)),
		.incarnation = a->invite.new.incarnation, .there = m,
		.votes = cluster_votes(m),
		.address_same = address && !strcmp(address, a->address),
		.heard = cluster_number(m, "commit"), .epoch = cluster_number(v->best, "epoch"),
		.commit = cluster_number(v->best, "commit"),
		.incarnation_there = cluster_hex(m, "incarnation"),
		.prefixes = cluster_hex(v->best, "prefixes"),
	};
	a->led[i] = cluster_leads(v->best);
	a->near[i] = cluster_lead_near(v, 0);
	cluster_view_ask(v, c->id, a->store, password_of(a), w);
	if (a->n > 1 && !*w->why && w->now.group != v->now)
		snprintf(w->why, sizeof(w->why), "does not say how group %" PRIu64
			 " is: its paxsteerd is of another version", v->now);
	c->answers = !*w->why;
	/* Who leads, and hears of it, is far: its own word. */
	if (c->answers && !a->near[i] && c->heard < w->now.commit)
		c->heard = w->now.commit;
	c->answers_as = w->member;
	c->answers_incarnation = w->incarnation;
	c->answers_epoch = w->now.epoch;
	c->tells_prefixes = json_object_get(v->best, "prefixes") && w->tells_prefixes;
	c->answers_prefixes = w->prefixes;
}

static void see(struct add *a, struct cluster_view *v)
{
	uint64_t known = a->invite.new.incarnation;
	unsigned int i;

	a->n = v->nparts;
	a->placed = cluster_voting_placed(v, a->invite.new.id);
	for (i = 0; i < a->n; i++) {
		cluster_view_turn(v, v->part[i]);
		see_group(a, v, i);
		known = known ? known : a->seen[i].incarnation_there;
	}
	/* Its bundle is gone: it is the one that is in the first groups already. */
	for (i = 0; a->n > 1 && i < a->n; i++)
		a->seen[i].incarnation = known;
}

static struct where where_next(const struct add *a)
{
	struct where w = a->where;

	w.group = a->seen[a->next].group;
	return w;
}

/* --- saying -------------------------------------------------------------------- */

static void describe(const struct add *a, enum cluster_stage stage, char *text)
{
	const struct cluster_answer *w = &a->answer[a->next];
	const struct cluster_newcomer *c = &a->seen[a->next];
	const char *file = a->invite.file;

	switch (stage) {
	case CLUSTER_ABSENT:
		if (a->seen[0].there)
			snprintf(text, SAY_MAX, "is to be added, and does not answer at %s: %s", a->store,
				 w->why);
		else
			snprintf(text, SAY_MAX, "is not reached at %s (%s): on its machine `paxsteer cluster join - self %u`, with the bundle %s, then start paxsteerd",
				 a->store, w->why, a->invite.new.id, file);
		break;
	case CLUSTER_ADD:
		snprintf(text, SAY_MAX, "answers, and is being added");
		break;
	case CLUSTER_LEARNS:
		if (*w->why)
			snprintf(text, SAY_MAX, "was added, and does not answer at %s: %s", a->store,
				 w->why);
		else if (w->now.borrows_slot)
			snprintf(text, SAY_MAX, "takes a checkpoint of slot %" PRIu64 ": %" PRIu64 " of %"
				 PRIu64 " bytes", w->now.borrows_slot, w->now.borrows_bytes,
				 w->now.borrows_size);
		else
			snprintf(text, SAY_MAX, "was added, and has slots up to %" PRIu64 " of %" PRIu64,
				 w->now.commit, c->commit);
		break;
	case CLUSTER_PROMOTE:
		snprintf(text, SAY_MAX, "has slots up to %" PRIu64 " of %" PRIu64 ", and is being promoted",
			 c->heard, c->commit);
		break;
	default:
		*text = 0;
		break;
	}
}

/* " in group N", where there are several. */
static const char *in_group(const struct add *a, enum cluster_stage stage, char text[32])
{
	*text = 0;
	if (a->n > 1 && (stage != CLUSTER_ABSENT || a->seen[0].there))
		snprintf(text, 32, " in group %" PRIu64, a->seen[a->next].group);
	return text;
}

/* To stderr: what comes of it in the end goes to stdout. */
static void say(struct add *a, enum cluster_stage stage)
{
	uint64_t now = cluster_now_ms();
	char text[SAY_MAX], group[32];

	describe(a, stage, text);
	if (stage == a->stage && a->next == a->about &&
	    (now - a->said_ms < SAY_MS || !strcmp(text, a->said)))
		return;
	a->stage = stage;
	a->about = a->next;
	a->said_ms = now;
	memcpy(a->said, text, sizeof(text));
	if (*text)
		fprintf(stderr, "member %u%s %s\n", a->invite.new.id, in_group(a, stage, group),
			text);
}

static int give_up(struct add *a, enum cluster_stage stage)
{
	char text[SAY_MAX], group[32];

	describe(a, stage, text);
	cli_error(a->cli, "after %" PRIu64 " s: member %u%s %s%s%s; the same command goes on from here",
		  a->seconds, a->invite.new.id, in_group(a, stage, group), text,
		  *a->trouble ? ": " : "", a->trouble);
	return CLI_REFUSED;
}

/* What `cluster rebalance` would give it; 0 changes: nothing, or it cannot be told. */
static void show_share(const struct add *a, struct out *o)
{
	struct cluster_voters_step step[CLUSTER_VOTING_STEPS + 1];
	unsigned int i, n = 0, voters = 0, changes = 0, share = 0;
	char why[CLUSTER_CHANGE_WORDS], text[160];
	struct cluster_voting s;
	struct cluster_view v;

	if (!cluster_view_take(a->cli, &a->where, &v)) {
		cluster_voting_see(&s, &v, password_of(a));
		voters = cluster_voters_least(s.seat, s.n);
		if (!cluster_voting_wrong(&s, voters, why))
			n = cluster_voting_steps(&s, voters, step, &changes);
	}
	cluster_view_free(&v);
	for (i = 0; i < n; i++)
		share += step[i].how == CLUSTER_VOTERS_PROMOTE &&
			 step[i].id == a->invite.new.id;
	if (!changes)
		return;
	snprintf(text, sizeof(text), "`paxsteer cluster rebalance voters %u`: %u changes, by which it votes in %u of %u groups",
		 voters, changes, share, s.n);
	out_str(o, "next", "next", text);
}

static int show_done(struct add *a)
{
	struct out *o = a->cli->out;
	unsigned int i;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_num(o, "member", "member", a->invite.new.id);
	out_str(o, "role", "role", a->seen[0].votes ? "voter" : "learner");
	if (a->n == 1) {
		out_num(o, "epoch", "epoch", a->seen[0].epoch);
	} else {
		if (a->placed && !a->learner)
			show_share(a, o);
		else if (a->changed)
			out_str(o, NULL, "next", CLUSTER_GATHERED);
		out_list(o, "groups", OUT_TABLE);
		for (i = 0; i < a->n; i++)
			cluster_show_part(o, a->seen[i].group, a->seen[i].epoch);
		out_close(o);
	}
	out_close(o);
	return CLI_OK;
}

/* --- doing ----------------------------------------------------------------------- */

/* Return: an exit status; what may go better later is none. */
static int change(struct add *a, unsigned int what)
{
	bool add = what == PXS_LOG_MEMBER_ADD;
	const struct pxs_log_member m = {
		.change = what, .id = a->invite.new.id, .address = add ? a->address : NULL,
		.incarnation = add ? a->seen[a->next].incarnation : 0,
		.store_port = add ? a->invite.new.store.port : 0,
	};
	const struct cluster_means means = { password_of(a), a->invite.etc };
	const struct where w = where_next(a);
	int err, ret = cluster_lead_do(a->cli, &w, &means, 0, &m, a->trouble, &err);

	if (ret)
		return ret;
	if (!err)
		*a->trouble = 0;
	a->changed |= !err;
	/* Meanwhile it may lack too much again. */
	if (!err || cluster_lead_again(err) || (!add && err == PXS_LOG_MEMBERS))
		return CLI_OK;
	cli_error(a->cli, "%s", a->trouble);
	return CLI_REFUSED;
}

/* Return: an exit status; *over: there is nothing more to do. */
static int step(struct add *a, enum cluster_stage *stage, bool *over)
{
	const struct cluster_answer *answer;
	char why[CLUSTER_PLAN_WORDS];
	struct cluster_view v;
	struct where w;
	int ret = cluster_view_take(a->cli, &a->where, &v);

	if (!ret)
		see(a, &v);
	cluster_view_free(&v);
	if (ret)
		return ret;
	*stage = cluster_plan_add_all(a->seen, a->n, &a->next, why);
	answer = &a->answer[a->next];
	w = where_next(a);
	if (*stage == CLUSTER_WRONG)
		return cluster_refuse(a->cli, a->n, w.group, why);
	/* Who has joined in time may come as late as it likes. */
	if (*stage == CLUSTER_ABSENT && !a->seen[0].there && cluster_invite_over(&a->invite)) {
		cli_error(a->cli, "the bundle %s has ended, and no member that was made of it is reached at %s (%s): remove it, and run this again for another one",
			  a->invite.file, a->store, answer->why);
		return CLI_REFUSED;
	}
	say(a, *stage);
	*over = *stage == CLUSTER_DONE;
	if (*stage == CLUSTER_ADD)
		return change(a, PXS_LOG_MEMBER_ADD);
	if (*stage == CLUSTER_PROMOTE)
		return change(a, PXS_LOG_MEMBER_PROMOTE);
	/* Only who leads hears how far others are: but it is not made to before it is of use. */
	if (*stage == CLUSTER_LEARNS && !a->led[a->next] && a->near[a->next] &&
	    a->seen[a->next].answers &&
	    answer->now.commit + PXS_MEMBER_BEHIND >= a->seen[a->next].commit)
		return cluster_lead_here(a->cli, &w, password_of(a), 0);
	return CLI_OK;
}

static int follow(struct add *a)
{
	uint64_t end = cluster_now_ms() + a->seconds * 1000;
	enum cluster_stage stage = CLUSTER_WRONG;
	bool over = false;
	int ret;

	for (;;) {
		ret = step(a, &stage, &over);
		if (ret)
			return ret;
		if (over)
			break;
		if (cluster_now_ms() >= end)
			return give_up(a, stage);
		cluster_pause(LOOK_MS);
	}
	if (cluster_invite_there(&a->invite))
		cluster_invite_end(&a->invite);
	return show_done(a);
}

/* --- the beginning --------------------------------------------------------------- */

/* What would be refused later, when somebody has made the machine ready. */
static int check(struct add *a, struct cluster_view *v, unsigned int i, bool *there)
{
	const char *kept = cluster_view_kept(v);
	json_t *m;

	cluster_view_turn(v, v->part[i]);
	m = cluster_member(v->best, a->invite.new.id);
	*there |= !!m;
	if (json_is_true(json_object_get(v->best, "removed"))) {
		cli_error(a->cli, "this machine's member was removed: run it on another one");
		return CLI_REFUSED;
	}
	if (kept)
		return cluster_refuse(a->cli, 1, 0, kept);
	if (!m && !a->learner && !a->placed && voters(v) >= PXS_VOTERS_MAX) {
		cli_error(a->cli, "%u members vote, the most that there can be: remove one first, add this one as a learner, or have fewer vote (`paxsteer cluster rebalance voters`)",
			  voters(v));
		return CLI_REFUSED;
	}
	return CLI_OK;
}

static int begin(struct add *a)
{
	struct cluster_invite *i = &a->invite;
	char error[CLUSTER_REASON_MAX];
	struct cluster_view v;
	bool there = false;
	unsigned int k;
	int ret = cluster_view_take(a->cli, &a->where, &v);

	if (!ret)
		a->placed = cluster_voting_placed(&v, i->new.id);
	for (k = 0; !ret && k < v.nparts; k++)
		ret = check(a, &v, k, &there);
	if (ret)
		goto out;
	cluster_view_turn(&v, v.part[0]);
	if (cluster_invite_there(i)) {
		if (cluster_invite_read(i, &v, error))
			ret = CLI_REFUSED;
	} else if (!there) {
		if (cluster_invite_make(i, &v, error))
			ret = CLI_REFUSED;
		else
			fprintf(stderr, "bundle %s, good for %" PRIu64 " hours: it holds the key\n",
				i->file, i->hours);
	}
	if (ret)
		cli_error(a->cli, "%s", error);
out:
	cluster_view_free(&v);
	return ret;
}

/* --- words ------------------------------------------------------------------------- */

static int check_words(struct add *a, const char *member)
{
	struct cluster_paths p = { .etc = a->invite.etc, .journal = CLUSTER_JOURNAL };
	struct bundle_member *m = &a->invite.new;
	const char *datapath = a->invite.datapath;
	char error[BUNDLE_ERROR_MAX];

	if (!member)
		return cli_usage_error(a->cli, "MEMBER is missing: ID=ADDRESS[:PORT][,STOREPORT]");
	if (bundle_member_parse(member, m, error) || cluster_paths_make(&p, error))
		return cli_usage_error(a->cli, "%s", error);
	if (m->store.len != m->address.len ||
	    memcmp(m->store.addr, m->address.addr, m->address.len))
		return cli_usage_error(a->cli, "member %u: its store must be at its own address: the group tells the others a port",
				       m->id);
	if (datapath && strcmp(datapath, "user") && strcmp(datapath, "kernel"))
		return cli_usage_error(a->cli, "datapath: \"%s\" is neither kernel nor user", datapath);
	format_endpoint(a->address, &m->address);
	format_endpoint(a->store, &m->store);
	return CLI_OK;
}

int cluster_add(struct cli *cli, int argc, char **argv)
{
	struct add a = {
		.cli = cli, .seconds = SECONDS,
		.invite = { .etc = CLUSTER_ETC, .hours = HOURS },
	};
	const struct word words[] = {
		{ .name = "learner", .flag = &a.learner },
		{ .name = "etc", .text = &a.invite.etc },
		{ .name = "bundle", .text = &a.invite.file },
		{ .name = "valid", .number = &a.invite.hours, .min = 1, .max = HOURS_MAX },
		{ .name = "datapath", .text = &a.invite.datapath },
		{ .name = "timeout", .number = &a.seconds, .min = 0, .max = SECONDS_MAX },
		{ }
	};
	char file[CLUSTER_PATH_MAX], password[CLUSTER_PATH_MAX];
	const char *member = NULL;
	int ret = where_take(cli, &argc, &argv, &a.where);

	if (!ret)
		ret = words_take(cli, words, argc, argv, &member);
	if (!ret)
		ret = check_words(&a, member);
	if (ret)
		return ret;
	snprintf(file, sizeof(file), "%s/member%u.bundle", a.invite.etc, a.invite.new.id);
	snprintf(password, sizeof(password), "%s/store.password", a.invite.etc);
	if (!a.invite.file)
		a.invite.file = file;
	ret = cluster_password_read(cli, password, a.password, sizeof(a.password));
	if (!ret)
		ret = begin(&a);
	if (!ret)
		ret = follow(&a);
	explicit_bzero(a.password, sizeof(a.password));
	return ret;
}
