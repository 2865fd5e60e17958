// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_voting.c - have some of a cluster's members vote in each group, as cluster_voters.h says
 */
#include "cluster_voting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cluster_change.h"
#include "cluster_plan.h"
#include "member.h"	/* PXS_MEMBER_BEHIND */

#define LOOK_MS		100u
#define ASK_AGAIN_MS	2000u

/* --- looking ------------------------------------------------------------------ */

static bool is_ready(const struct cluster_view *v, const struct cluster_answer *a)
{
	return a->now.group == v->now &&
	       (!a->now.epoch || a->now.epoch >= cluster_number(v->best, "epoch")) &&
	       a->now.commit + PXS_MEMBER_BEHIND >= cluster_number(v->best, "commit");
}

/* Return: bit ID of the members of the group that @v is turned to. */
static uint64_t see_group(struct cluster_voting *s, struct cluster_view *v, const char *password,
			  struct cluster_seats *seat)
{
	struct cluster_answer a;
	uint64_t all = 0, id;
	json_t *member;
	size_t i;

	*seat = (struct cluster_seats){
		.group = v->now, .leader = cluster_number(v->best, "leader"),
	};
	json_array_foreach(json_object_get(v->best, "members"), i, member) {
		id = cluster_number(member, "id");
		if (!id || id >= CLUSTER_PLAN_IDS)
			continue;
		all |= 1ull << id;
		if (cluster_votes(member))
			seat->votes |= 1ull << id;
		cluster_view_ask(v, id, json_string_value(json_object_get(member, "store")),
				 password, &a);
		if (*a.why)
			s->silent |= 1ull << id;
		else if (is_ready(v, &a))
			seat->ready |= 1ull << id;
	}
	return all;
}

void cluster_voting_see(struct cluster_voting *s, struct cluster_view *v, const char *password)
{
	json_t *journal = json_object_get(v->status[v->at], "journal");
	const char *text = json_string_value(json_object_get(journal, "cluster"));
	uint64_t all, some = 0;
	uint8_t uuid[16];
	unsigned int i;

	*s = (struct cluster_voting){ .n = v->nparts, .members = ~0ull };
	if (text && !parse_uuid(text, uuid))
		pxs_seed_from_bytes(&s->seed, uuid);
	for (i = 0; i < s->n; i++) {
		cluster_view_turn(v, v->part[i]);
		s->epoch[i] = cluster_number(v->best, "epoch");
		all = see_group(s, v, password, &s->seat[i]);
		s->members &= all;
		some |= all;
	}
	s->members &= some;
	s->partial = some & ~s->members;
}

bool cluster_voting_placed(struct cluster_view *v, uint64_t but)
{
	struct cluster_seats seat[CLUSTER_PARTS_MAX] = { 0 };
	json_t *member;
	unsigned int i;
	size_t k;

	for (i = 0; i < v->nparts; i++) {
		cluster_view_turn(v, v->part[i]);
		json_array_foreach(json_object_get(v->best, "members"), k, member)
			if (cluster_votes(member))
				seat[i].votes |= 1ull << (cluster_number(member, "id") & 63);
	}
	return cluster_voters_placed(seat, v->nparts, ~0ull, but);
}

char *cluster_voting_text(uint64_t set, char *text)
{
	int n = 0;

	for (*text = 0; set; set &= set - 1)
		n += sprintf(text + n, "%s%d", n ? "," : "", __builtin_ctzll(set));
	return text;
}

bool cluster_voting_wrong(const struct cluster_voting *s, unsigned int voters, char *why)
{
	unsigned int members = (unsigned int)__builtin_popcountll(s->members);
	char text[CLUSTER_VOTING_TEXT];

	*why = 0;
	if (s->partial)
		snprintf(why, CLUSTER_CHANGE_WORDS, "not in all groups: member %s: `paxsteer cluster add` or `remove` first, which was not ended",
			 cluster_voting_text(s->partial, text));
	else if (voters > members)
		snprintf(why, CLUSTER_CHANGE_WORDS, "%u cannot vote: there are %u members", voters,
			 members);
	return *why;
}

bool cluster_voting_silent(const struct cluster_voting *s, char *why)
{
	char text[CLUSTER_VOTING_TEXT];

	if (s->silent)
		snprintf(why, CLUSTER_CHANGE_WORDS, "does not answer: member %s: start it, or remove it for good",
			 cluster_voting_text(s->silent, text));
	return s->silent;
}

unsigned int cluster_voting_steps(struct cluster_voting *s, unsigned int voters,
				  struct cluster_voters_step *step, unsigned int *changes)
{
	unsigned int i, n;

	for (i = 0; i < s->n; i++)
		s->seat[i].ready = ~0ull;
	*changes = 0;
	for (n = 0; n < CLUSTER_VOTING_STEPS; n++) {
		cluster_voters_place(s->seat, s->n, s->members, voters, &s->seed);
		step[n] = cluster_voters_next(s->seat, s->n, voters);
		if (step[n].how == CLUSTER_VOTERS_DONE)
			break;
		*changes += step[n].how != CLUSTER_VOTERS_LEAD;
		cluster_voters_do(s->seat, &step[n]);
	}
	return n;
}

/* --- doing ---------------------------------------------------------------------- */

struct work {
	const struct cluster_voting_order *o;
	struct cluster_voting seen;
	struct cluster_voters_step step;
	unsigned int done, left;	/* changes */
	/* what was begun last */
	struct cluster_voters_step asked;
	uint64_t asked_epoch, asked_ms;
	uint64_t said;			/* which of the steps, from 1 on */
	char trouble[CLUSTER_CHANGE_WORDS];
};

static bool same(const struct cluster_voters_step *a, const struct cluster_voters_step *b)
{
	return a->how == b->how && a->at == b->at && a->id == b->id;
}

static void describe(const struct work *w, char *text, size_t size)
{
	static const char *const what[] = {
		[CLUSTER_VOTERS_PROMOTE] = "is being promoted",
		[CLUSTER_VOTERS_LEAD] = "is to lead, for who does is to be demoted",
		[CLUSTER_VOTERS_DEMOTE] = "is being demoted",
		[CLUSTER_VOTERS_WAIT] = "lacks too much, or does not answer",
	};

	if (w->seen.silent) {
		snprintf(text, size, "member %" PRIu64 " does not answer", w->step.id);
		return;
	}
	snprintf(text, size, "member %" PRIu64 " in group %" PRIu64 " %s", w->step.id,
		 w->seen.seat[w->step.at].group, what[w->step.how]);
}

/* To stderr, each step once. */
static void say(struct work *w)
{
	char text[128];
	uint64_t at = ((uint64_t)w->done << 16 | w->step.at << 8 | w->step.how) + 1;

	if (w->said == at)
		return;
	w->said = at;
	describe(w, text, sizeof(text));
	fprintf(stderr, "%u of %u: %s\n", w->done + 1, w->done + w->left, text);
}

static int look(struct work *w, struct cluster_view *v)
{
	struct cluster_voters_step step[CLUSTER_VOTING_STEPS + 1];
	struct cluster_voting then;
	const char *kept;
	int ret = cluster_view_take(w->o->cli, &w->o->where, v);

	if (ret)
		return ret;
	kept = cluster_view_kept(v);
	cluster_voting_see(&w->seen, v, w->o->means.password);
	if (kept)
		return cluster_refuse(w->o->cli, 1, 0, kept);
	if (cluster_voting_wrong(&w->seen, w->o->voters, w->trouble))
		return cluster_refuse(w->o->cli, 1, 0, w->trouble);
	cluster_voters_place(w->seen.seat, w->seen.n, w->seen.members, w->o->voters,
			     &w->seen.seed);
	w->step = cluster_voters_next(w->seen.seat, w->seen.n, w->o->voters);
	if (cluster_voting_silent(&w->seen, w->trouble) && w->step.how != CLUSTER_VOTERS_DONE) {
		w->step.how = CLUSTER_VOTERS_WAIT;
		w->step.id = (uint64_t)__builtin_ctzll(w->seen.silent);
	}
	then = w->seen;
	cluster_voting_steps(&then, w->o->voters, step, &w->left);
	return CLI_OK;
}

static int hand_over(struct work *w, struct cluster_view *v)
{
	const struct cluster_seats *seat = &w->seen.seat[w->step.at];
	struct where where = w->o->where;
	json_t *leader;

	where.group = seat->group;
	cluster_view_turn(v, seat->group);
	leader = cluster_member(v->best, seat->leader);
	return cluster_lead_give(w->o->cli, &where, w->o->means.password, seat->leader,
				 json_string_value(json_object_get(leader, "store")), w->step.id);
}

/* Return: an exit status; what may go better later is none. */
static int change(struct work *w, struct cluster_view *v)
{
	const struct pxs_log_member m = {
		.change = w->step.how == CLUSTER_VOTERS_PROMOTE ? PXS_LOG_MEMBER_PROMOTE :
								  PXS_LOG_MEMBER_DEMOTE,
		.id = (unsigned int)w->step.id,
	};
	uint64_t epoch = w->seen.epoch[w->step.at];
	int err;

	/* From afar it is begun, and seen later. */
	if (same(&w->step, &w->asked) && w->asked_epoch == epoch &&
	    cluster_now_ms() - w->asked_ms < ASK_AGAIN_MS)
		return CLI_OK;
	cluster_view_turn(v, w->seen.seat[w->step.at].group);
	err = cluster_lead_order(v, &w->o->where, &w->o->means, &m, w->trouble);
	if (err) {
		w->asked_epoch = 0;
		if (err != PXS_LOG_INVALID)
			return CLI_OK;
		return cluster_refuse(w->o->cli, w->seen.n, v->now, w->trouble);
	}
	*w->trouble = 0;
	w->asked = w->step;
	w->asked_epoch = epoch;
	w->asked_ms = cluster_now_ms();
	return CLI_OK;
}

static int step(struct work *w, struct cluster_view *v)
{
	if (w->step.how == CLUSTER_VOTERS_DONE)
		return CLI_OK;
	say(w);
	if (w->step.how == CLUSTER_VOTERS_WAIT)
		return CLI_OK;
	return w->step.how == CLUSTER_VOTERS_LEAD ? hand_over(w, v) : change(w, v);
}

static int give_up(const struct work *w)
{
	char text[128];

	describe(w, text, sizeof(text));
	cli_error(w->o->cli, "nothing went on for %" PRIu64 " s: %s%s%s; the same command goes on from here",
		  w->o->seconds, text, *w->trouble ? ": " : "", w->trouble);
	return CLI_REFUSED;
}

/* Who led may be elected anew after a change: leads are spread after this. */
static bool is_over(const struct work *w, uint64_t end)
{
	unsigned int i;

	if (w->step.how != CLUSTER_VOTERS_DONE)
		return false;
	for (i = 0; i < w->seen.n && w->seen.seat[i].leader; i++)
		;
	return i == w->seen.n || cluster_now_ms() >= end;
}

int cluster_voting_do(const struct cluster_voting_order *o, unsigned int *changes)
{
	uint64_t end = cluster_now_ms() + o->seconds * 1000;
	struct work w = { .o = o };
	struct cluster_view v;
	unsigned int left = 0;
	bool begun = false;
	int ret;

	for (;;) {
		ret = look(&w, &v);
		/* Whoever did it: what is not to be done any more is done. */
		if (!ret && begun && w.left < left) {
			w.done += left - w.left;
			end = cluster_now_ms() + o->seconds * 1000;
		}
		left = w.left;
		begun = true;
		if (!ret)
			ret = step(&w, &v);
		cluster_view_free(&v);
		*changes = w.done;
		if (ret || is_over(&w, end))
			return ret;
		if (cluster_now_ms() >= end)
			return give_up(&w);
		cluster_pause(LOOK_MS);
	}
}
