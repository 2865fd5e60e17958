// SPDX-License-Identifier: GPL-2.0
/*
 * world.c - three members and what is under way between them
 *
 * Every struct member that occurs is kept once and has a number; what an input makes of a
 * member is worked out once, by the shipped code, and remembered by (number, input). So
 * SPIN's state is three numbers, and most of its transitions are a look-up.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "member.h"
#include "world.h"

#define KEYS_FIRST	(1u << 16)

char model_why[256];

static struct member *members;
static struct digest *digests;
/* Without PROMISEs, or without all that it sent as an owner, of some ballots: number + 1. */
static u32 (*cleaned)[2][1 << BALLOTS];
static bool *checked;
static u32 (*afters)[EVENTS];	/* what each event makes of it: number + 1, 0: not known yet */
static u32 nmembers, members_size;
static u32 *by_content;		/* hash table of numbers + 1 */
static u32 by_content_size;

struct event {
	struct input in;
	u8 to;
	u32 bit;		/* that its sender must have sent */
};
static struct event events[1024];
static u32 nevents;

static struct model_world next;		/* of the last model_can() */
static bool trace;
static u64 calls, kinds[INPUTS];
static const char *const names[INPUTS] = {
	"stand", "lead", "propose", "prepare", "accept", "accepted", "refuse", "heartbeat",
	"learn", "learn-req", "tick", "durable", "crash", "agent",
};

void model_fail(const char *fmt, ...)
{
	va_list ap;

	if (model_why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(model_why, sizeof(model_why), fmt, ap);
	va_end(ap);
}

static void *more(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fprintf(stderr, "model: no memory\n");
		exit(3);
	}
	return p;
}

static u64 mix(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

static u64 hash_member(const struct member *m)
{
	const u8 *p = (const u8 *)m;
	u64 h = 0, word;
	size_t i;

	for (i = 0; i < sizeof(*m); i += sizeof(word)) {
		word = 0;
		memcpy(&word, p + i, min(sizeof(word), sizeof(*m) - i));
		h = mix(h ^ word) * 31;
	}
	return mix(h);
}

static void index_members(u32 size)
{
	u32 i, at;

	free(by_content);
	by_content = calloc(size, sizeof(*by_content));
	if (!by_content)
		exit(3);
	by_content_size = size;
	for (i = 0; i < nmembers; i++) {
		at = (u32)hash_member(&members[i]) & (size - 1);
		while (by_content[at])
			at = (at + 1) & (size - 1);
		by_content[at] = i + 1;
	}
}

/* The number of a member state. */
static u32 number(const struct member *m)
{
	u32 at;

	if (2 * nmembers >= by_content_size)
		index_members(by_content_size ? 2 * by_content_size : KEYS_FIRST);
	at = (u32)hash_member(m) & (by_content_size - 1);
	while (by_content[at]) {
		if (!memcmp(&members[by_content[at] - 1], m, sizeof(*m)))
			return by_content[at] - 1;
		at = (at + 1) & (by_content_size - 1);
	}
	if (nmembers == members_size) {
		members_size = members_size ? 2 * members_size : 1024;
		members = more(members, members_size * sizeof(*members));
		digests = more(digests, members_size * sizeof(*digests));
		cleaned = more(cleaned, members_size * sizeof(*cleaned));
		checked = more(checked, members_size * sizeof(*checked));
		afters = more(afters, members_size * sizeof(*afters));
	}
	members[nmembers] = *m;
	rules_digest(m, &digests[nmembers]);
	checked[nmembers] = false;
	memset(cleaned[nmembers], 0, sizeof(cleaned[0]));
	memset(afters[nmembers], 0, sizeof(afters[0]));
	by_content[at] = ++nmembers;
	return nmembers - 1;
}

/* What @in makes of member state @m. A breach is not remembered: it is the end. */
static u32 step(u32 m, u32 event, const struct input *in)
{
	struct member before, after;
	u32 n;

	if (afters[m][event])
		return afters[m][event] - 1;
	before = members[m];
	calls++;
	member_step(&before, in, &after);
	n = number(&after);
	if (!model_why[0])
		afters[m][event] = n + 1;
	return n;
}

/* --- what can't matter any more -------------------------------------------------------- */

static void unsend(struct member *m, u32 bit)
{
	m->sent[bit / 8] &= (u8)~(1 << bit % 8);
}

/* Member state @m without what @own says it sent of the ballots in @dead. */
static u32 clean(u32 m, bool own, u32 dead)
{
	struct member less;
	u32 i, n;
	u8 b;

	if (cleaned[m][own][dead])
		return cleaned[m][own][dead] - 1;
	less = members[m];
	for (b = 1; b <= BALLOTS; b++) {
		if (!(dead >> (b - 1) & 1))
			continue;
		for (i = 0; !own && i < CODES; i++)
			unsend(&less, SENT_PROMISE(b, i));
		if (!own)
			continue;
		unsend(&less, SENT_PREPARE(b));
		unsend(&less, SENT_LED(b));
		for (i = 0; i <= SLOTS; i++)
			unsend(&less, SENT_BEAT(b, i));
		for (i = 0; i < SLOTS * BALLOTS * (SLOTS + 1); i++)
			unsend(&less, SENT_ACCEPT(b, 1, 1, i));
	}
	n = number(&less);
	cleaned[m][own][dead] = n + 1;
	return n;
}

/* Is ballot @b of member @m neither open nor ever to be opened again? */
static bool is_lost(const struct digest *m, u8 b)
{
	return m->promised >= b && m->prepare != b;
}

/*
 * The shipped code agrees: what clean_world() takes to be refused by this member state
 * changes nothing, whoever sends it. Once for each.
 */
static void check_refuses(u32 m)
{
	const struct digest d = digests[m];
	u32 i;

	if (checked[m])
		return;
	checked[m] = true;
	for (i = 0; i < nevents; i++) {
		const struct event *e = &events[i];
		bool refused = false;

		if (e->to != members[m].self)
			continue;
		if (e->in.type == IN_STAND || e->in.type == IN_LEAD)
			refused = is_lost(&d, e->in.a);
		if (e->in.type == IN_PREPARE || e->in.type == IN_ACCEPT || e->in.type == IN_BEAT)
			refused = d.disk_promised > e->in.a;
		if (refused && step(m, i, &e->in) != m)
			model_fail("a %s that should be refused is not", names[e->in.type]);
	}
}

/*
 * A PROMISE matters while its ballot can still be won: until its owner has promised it (or a
 * higher one) and it is not open. What the owner sent matters while somebody may take it:
 * until the others have promised more, and have that on disk. What is refused changes nothing.
 */
static void clean_world(struct model_world *w)
{
	u32 lost = 0, over[MEMBERS] = { 0 };
	u8 b, i;

	for (i = 0; i < MEMBERS; i++)
		check_refuses(w->member[i]);
	for (b = 1; b <= BALLOTS; b++) {
		const struct digest *owner = &digests[w->member[OWNER(b)]];
		bool all = true;

		if (!is_lost(owner, b))
			continue;
		lost |= 1u << (b - 1);
		for (i = 0; i < MEMBERS; i++)
			if (i != OWNER(b) && digests[w->member[i]].disk_promised <= b)
				all = false;
		if (!all)
			continue;
		over[OWNER(b)] |= 1u << (b - 1);
	}
	for (i = 0; i < MEMBERS; i++) {
		if (lost)
			w->member[i] = clean(w->member[i], false, lost);
		if (over[i])
			w->member[i] = clean(w->member[i], true, over[i]);
	}
}

/* --- what can happen ---------------------------------------------------------------- */

static void event(u8 to, u32 bit, struct input in)
{
	if (nevents == ARRAY_SIZE(events))
		model_fail("too many events");
	else
		events[nevents++] = (struct event){ .in = in, .to = to, .bit = bit };
}

/* To every other member: owners and senders alike are tried; who did not send has no bit. */
static void to_others(u8 from, u32 bit, struct input in)
{
	u8 to;

	in.from = from;
	for (to = 0; to < MEMBERS; to++)
		if (to != from)
			event(to, bit, in);
}

static void events_of_ballot(u8 b)
{
	u8 owner = OWNER(b), s, v, c, m, higher;
	u32 plans = 1, plan;

	for (s = 0; s < SLOTS; s++)
		plans *= BALLOTS + 1;
	event(owner, 0, (struct input){ .type = IN_STAND, .a = b });
	for (plan = 0; plan < plans; plan++)
		event(owner, 0, (struct input){ .type = IN_LEAD, .a = b, .b = (u8)plan });
	event(owner, 0, (struct input){ .type = IN_PROPOSE, .a = b });
	to_others(owner, SENT_PREPARE(b), (struct input){ .type = IN_PREPARE, .a = b });
	for (s = 1; s <= SLOTS; s++)
		for (v = 1; v <= BALLOTS; v++)
			for (c = 0; c < s; c++)
				to_others(owner, SENT_ACCEPT(b, s, v, c), (struct input){
					.type = IN_ACCEPT, .a = b, .b = s, .c = v, .d = c });
	for (c = 0; LEARN && c <= SLOTS; c++)
		to_others(owner, SENT_BEAT(b, c),
			  (struct input){ .type = IN_BEAT, .a = b, .b = c });
	for (m = 0; m < MEMBERS; m++) {
		if (m == owner)
			continue;
		for (s = 1; COUNT && s <= SLOTS; s++)
			event(owner, SENT_ACCEPTED(b, s), (struct input){
				.type = IN_ACCEPTED, .from = m, .a = b, .b = s });
		for (higher = b + 1; higher <= BALLOTS; higher++)
			event(owner, 0, (struct input){
				.type = IN_REFUSE, .from = m, .a = b, .b = higher });
	}
}

static void events_of_member(u8 m)
{
	u8 s, b, v;

	event(m, 0, (struct input){ .type = IN_DURABLE });
	for (b = 0; b <= RECORDS; b++)
		event(m, 0, (struct input){ .type = IN_CRASH, .a = b });
	event(m, 0, (struct input){ .type = IN_AGENT, .a = 0 });
	event(m, 0, (struct input){ .type = IN_AGENT, .a = 1 });
	event(m, 0, (struct input){ .type = IN_TICK });
	for (s = 1; LEARN && s <= SLOTS; s++) {
		event(m, 0, (struct input){ .type = IN_LEARN_REQ, .a = s,
					    .from = (m + 1) % MEMBERS });
		for (b = 1; b <= BALLOTS; b++)
			for (v = 1; v <= BALLOTS; v++)
				to_others(m, SENT_LEARN(s, b, v), (struct input){
					.type = IN_LEARN, .a = s, .b = b, .c = v });
	}
}

/* --- phase 1, as agent/elect.c does it ------------------------------------------------ */

/*
 * May these PROMISEs (a code each, -1: none) be what @plan is made of? All that is known to
 * be decided must be learned first. For each slot the value accepted at the highest ballot,
 * or one known as decided; 0 where there is none.
 */
static bool leads_to(const struct member *self, const int code[MEMBERS], u32 plan)
{
	u8 s, i, ballot, vid;
	bool decided;

	for (i = 0; i < MEMBERS; i++)
		if (code[i] >= 0 && code_commit((u32)code[i]) > self->group.commit)
			return false;
	for (s = 1; s <= SLOTS; s++, plan /= BALLOTS + 1) {
		ballot = 0;
		vid = 0;
		decided = false;
		for (i = 0; s > self->group.commit && i < MEMBERS; i++) {
			u32 e = code[i] < 0 ? 0 : code_entry((u32)code[i], s);

			if (!e || decided || (!entry_decided(e) && entry_ballot(e) <= ballot))
				continue;
			ballot = entry_ballot(e);
			vid = entry_vid(e);
			decided = entry_decided(e);
		}
		if (plan % (BALLOTS + 1) != vid)
			return false;
	}
	return true;
}

/* Is there a quorum of PROMISEs, one a member, from member @i on, that leads to @plan? */
static bool phase1(const struct model_world *w, const struct member *self, u8 ballot, u32 plan,
		   u8 i, int votes, int code[MEMBERS])
{
	const struct digest *d;
	u8 c;

	if (i == MEMBERS)
		return votes >= PHASE1 && leads_to(self, code, plan);
	d = &digests[w->member[i]];
	code[i] = -1;
	if (phase1(w, self, ballot, plan, i + 1, votes, code))
		return true;
	for (c = 0; c < d->ncodes[ballot - 1]; c++) {
		code[i] = d->code[ballot - 1][c];
		if (phase1(w, self, ballot, plan, i + 1, votes + 1, code))
			return true;
	}
	return false;
}

/* --- for SPIN -------------------------------------------------------------------------- */

static void report(void)
{
	int i;

	printf("model: %u member states, %llu calls of the core, %u events\n", nmembers,
	       (unsigned long long)calls, nevents);
	printf("model: reached");
	for (i = 0; i < INPUTS; i++)
		printf(" %s %llu", names[i], (unsigned long long)kinds[i]);
	printf("\n");
}

void model_init(struct model_world *w)
{
	struct member m;
	u8 i;

	trace = getenv("MODEL_TRACE");
	nevents = 0;
	for (i = 1; i <= BALLOTS; i++)
		events_of_ballot(i);
	for (i = 0; i < MEMBERS; i++)
		events_of_member(i);
	for (i = 0; i < MEMBERS; i++) {
		member_init(&m, i);
		w->member[i] = number(&m);
	}
	if (nevents != EVENTS)
		model_fail("there are %u events, not %u", nevents, EVENTS);
	atexit(report);
}

/* Cheap reasons why not, before the members are asked. */
static bool possible(const struct model_world *w, const struct event *e)
{
	const struct member *m = &members[w->member[e->to]];
	int code[MEMBERS];

	switch (e->in.type) {
	case IN_STAND:
	case IN_TICK:
	case IN_LEARN_REQ:
		return true;
	case IN_REFUSE:
		return m->group.prepare == e->in.a || m->group.lead == e->in.a;
	case IN_CRASH:
		return e->in.a <= m->nrecords;
	case IN_AGENT:
		return !e->in.a || m->nrecords;
	case IN_LEAD:
		return m->group.prepare == e->in.a &&
		       phase1(w, m, e->in.a, e->in.b, 0, 0, code);
	case IN_PROPOSE:
		return m->group.lead == e->in.a;
	case IN_DURABLE:
		return m->nrecords > 0;
	default:
		return model_sent(&members[w->member[e->in.from]], e->bit);
	}
}

int model_can(const struct model_world *w, int event)
{
	const struct event *e = &events[event];

	if (model_why[0])
		return 1;	/* found when SPIN asked before: let it be reported */
	if (!possible(w, e))
		return 0;
	next = *w;
	next.member[e->to] = step(w->member[e->to], (u32)event, &e->in);
	clean_world(&next);
	return memcmp(&next, w, sizeof(next)) || model_why[0];
}

void model_do(struct model_world *w, int event)
{
	const struct event *e = &events[event];
	const struct digest *all[MEMBERS];
	int i;

	*w = next;
	kinds[e->in.type]++;
	for (i = 0; i < MEMBERS; i++)
		all[i] = &digests[w->member[i]];
	rules_world(all);
	if (trace)
		printf("member %u: %s from %u (%u %u %u %u)\n", e->to, names[e->in.type],
		       e->in.from, e->in.a, e->in.b, e->in.c, e->in.d);
}
