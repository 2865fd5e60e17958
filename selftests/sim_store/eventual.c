// SPDX-License-Identifier: GPL-2.0
/*
 * eventual.c - what clients ask of eventual keys, and are answered
 *
 * Clients of their own, over wires: they ask any node that is up, cut off or not. Each question is
 * followed by PAXSTEER VERSION. What they are told of a write must be in the table then, and
 * converge.c sees that it stays; what they read must be of that version, and not older than what
 * the same member has told before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define CLIENTS		3u
#define OPS		500u
#define WORDS		8u
#define LARGE		90000u	/* bytes of a value of which a few make an answer full */

enum kind { SETS, SETS_FOR, MSETS, DELS, HSETS, HDELS, GETS, HGETS, DIGEST };

static const char *const word_of[] = {
	"SET", "SET", "MSET", "DEL", "HSET", "HDEL", "GET", "HGETALL", "PAXSTEER",
};

struct version {
	u64 time;
	u8 member;
};

struct op {
	enum kind kind;
	enum ss_outcome outcome;
	u32 n;
	u32 element[3];		/* those that it writes, in this order */
	struct version version;	/* of the last of them; the others' are right before it */
	u64 ms;			/* it lives so long; 0: for ever */
};

struct client {
	struct ss_node *node;
	struct ss_wire *wire;	/* NULL: none */
	struct pxs_reply in;
	bool asked;
	u64 next;		/* when it asks something */
	u64 at, clock;		/* when it did, and what the member's clock said */
	u32 key;		/* read */
	bool again;		/* what was written is read in the same pipeline */
	struct op *op;
};

/* What a member has told of an element. */
struct told {
	struct version version;
	u64 at;
};

static struct op op[OPS];
static u32 ops;
static struct client client[CLIENTS];
static struct told told[SS_NODES][SS_EV_ELEMENTS];
static char digest[SS_NODES][64];
static u32 large;		/* per mille of values that are */
static u32 losses;		/* per mille of deaths with which a table is lost */
static u32 memory;		/* of eventual keys; 0: no limit */
static u32 rate;
static bool ending;

/* --- names ---------------------------------------------------------------------------------- */

static u32 last_digit(struct pxs_str s)
{
	return s.len ? (u32)s.data[s.len - 1] - '0' : ~0u;
}

u32 ss_eventual_element(struct pxs_str key, struct pxs_str field, bool whole)
{
	u32 k = last_digit(key), f = whole ? 0 : last_digit(field) + 1;

	return k < SS_EV_KEYS && f < SS_EV_OF_KEY ? k * SS_EV_OF_KEY + f : SS_EV_ELEMENTS;
}

void ss_eventual_config(struct pxs_store_config *c)
{
	if (!sim.eventual)
		return;
	pxs_prefix_add(&c->eventual, "e:");
	pxs_prefixes_seal(&c->eventual);
	c->eventual_memory = memory;
	c->eventual_drift = (u32)(2 * sim.skew) + 100;
	c->eventual_rate = rate;
}

/* --- versions ------------------------------------------------------------------------------- */

static int order(struct version a, struct version b)
{
	if (a.time != b.time)
		return a.time < b.time ? -1 : 1;
	return a.member < b.member ? -1 : a.member > b.member;
}

static struct version of_stamp(const struct pxs_stamp *s)
{
	return (struct version){ s->time, s->member };
}

static struct version version_of(const struct op *o, u32 element)
{
	struct version v = o->version;
	u32 i = 0;

	while (o->element[i] != element)
		i++;
	v.time -= o->n - 1 - i;
	return v;
}

static bool writes(const struct op *o, u32 element)
{
	u32 i;

	for (i = 0; i < o->n; i++)
		if (o->element[i] == element)
			return true;
	return false;
}

static void note_told(struct client *c, u32 element, struct version v)
{
	struct told *t = &told[c->node->i][element];

	if (order(v, t->version) < 0 && t->at < c->at)
		ss_fail("node %u: of element %u it tells %llu.%u, and has told %llu.%u before",
			c->node->i, element, U(v.time), v.member, U(t->version.time),
			t->version.member);
	else if (order(v, t->version) > 0)
		*t = (struct told){ v, sim.now };
}

/* --- asking --------------------------------------------------------------------------------- */

static void say(struct client *c, u32 argc, const char *const *argv)
{
	struct pxs_reply o = ss_command(argc, argv);

	ss_wire_put(c->wire, o.buf, o.len);
	pxs_reply_free(&o);
}

/* The question of c->op, whose elements are of one key, or are keys. */
static u32 words_of(const struct client *c, const char **word, char (*name)[12], char *value,
		    char *ms)
{
	const struct op *o = c->op;
	bool fields = o->kind == HSETS || o->kind == HDELS;
	u32 i, n = 0;

	word[n++] = word_of[o->kind];
	if (!o->n || fields) {
		sprintf(name[3], "e:%u", c->key);
		word[n++] = name[3];
	}
	for (i = 0; i < o->n; i++) {
		sprintf(name[i], fields ? "f%u" : "e:%u",
			fields ? o->element[i] % SS_EV_OF_KEY - 1 : o->element[i] / SS_EV_OF_KEY);
		word[n++] = name[i];
		if (o->kind != DELS && o->kind != HDELS)
			word[n++] = value;
	}
	if (o->kind == SETS_FOR) {
		sprintf(ms, "%llu", U(o->ms));
		word[n++] = "PX";
		word[n++] = ms;
	}
	return n;
}

static void ask(struct client *c)
{
	static const char *const version[] = { "PAXSTEER", "VERSION" };
	static const char *const sum[] = { "PAXSTEER", "EVENTUAL", "DIGEST" };
	static char value[LARGE + 16];
	const char *word[WORDS];
	char name[4][12], ms[12];
	u32 n;

	n = (u32)sprintf(value, "%u.", (u32)(c->op - op));
	if (ss_chance(large)) {
		memset(value + n, 'v', LARGE);
		value[n + LARGE] = 0;
	}
	if (c->op->kind == DIGEST) {
		say(c, 3, sum);
	} else {
		n = words_of(c, word, name, value, ms);
		say(c, n, word);
		ss_trace("client e%u to node %u, %u: %s %s %s%.12s", (u32)(c - client), c->node->i,
			 (u32)(c->op - op), word[0], word[1], n > 2 ? word[2] : "",
			 n > 3 ? word[3] : "");
	}
	c->again = c->op->kind == SETS && ss_chance(300);
	if (c->again)
		say(c, 2, (const char *const []){ "GET", name[0] });
	say(c, 2, version);
	c->asked = true;
	c->in.len = 0;
	c->at = sim.now;
	c->clock = SS_EPOCH_MS + sim.now + (u64)c->node->skew;
}

/* Different ones, in their order. */
static void choose(struct op *o, u32 first, u32 step, u32 most)
{
	u32 i, n = 1 + (u32)ss_random(2), from = (u32)ss_random(most);

	for (i = 0; i < n; i++)
		o->element[i] = first + (from + i) % most * step;
	o->n = n;
}

static void make_op(struct client *c)
{
	static const u8 kinds[] = {
		SETS, SETS, SETS_FOR, SETS_FOR, MSETS, DELS, DELS, HSETS, HSETS, HSETS, HDELS,
		GETS, GETS, GETS, HGETS, HGETS,
	};
	struct op *o = &op[ops++];

	*o = (struct op){ .kind = kinds[ss_random(ARRAY_SIZE(kinds))] };
	c->op = o;
	c->key = (u32)ss_random(SS_EV_KEYS);
	if (o->kind == HSETS || o->kind == HDELS)
		choose(o, c->key * SS_EV_OF_KEY + 1, 1, SS_EV_FIELDS);
	else if (o->kind == MSETS || o->kind == DELS)
		choose(o, 0, SS_EV_OF_KEY, SS_EV_KEYS);
	else if (o->kind < GETS)
		*o = (struct op){ .kind = o->kind, .n = 1, .element[0] = c->key * SS_EV_OF_KEY };
	if (o->kind == SETS_FOR)
		o->ms = 1 + ss_random(ss_chance(500) ? 60 : 2000);
	sim.stat.evwrites += o->n > 0;
	sim.stat.evreads += !o->n;
}

/* --- answers -------------------------------------------------------------------------------- */

/* "MS.COUNT@MEMBER", first of the array that stands at @at. */
static struct version take_version(const struct client *c, u32 at)
{
	unsigned long long ms;
	unsigned int count, member;
	const char *text = memchr(c->in.buf + at, '\n', c->in.len - at);

	if (!text || sscanf(text + 1, "$%*u\r\n%llu.%u@%u", &ms, &count, &member) != 3)
		return (struct version){ 0 };
	return (struct version){ ms << PXS_STAMP_COUNT_BITS | count, (u8)member };
}

static void take_write(struct client *c, struct version v)
{
	const struct ss_kept *kept = ss_converge_kept(c->node);
	u32 i, e;

	c->op->outcome = SS_DONE;
	if (c->op->version.time && order(c->op->version, v))
		ss_fail("operation %u is of two versions", (u32)(c->op - op));
	c->op->version = v;
	for (i = 0; i < c->op->n; i++) {
		e = c->op->element[i];
		note_told(c, e, version_of(c->op, e));
		if (order(of_stamp(&kept[e].stamp), version_of(c->op, e)) < 0 &&
		    order(of_stamp(&kept[e - e % SS_EV_OF_KEY].stamp), version_of(c->op, e)) < 0)
			ss_fail("node %u: operation %u was answered, and is not in the table",
				c->node->i, (u32)(c->op - op));
	}
}

/* What was told of @element before this was asked is still so; yet it was not in the answer. */
static void check_absent(struct client *c, u32 element)
{
	const struct ss_kept *kept = ss_converge_kept(c->node);
	const struct ss_kept *k = &kept[element], *whole = &kept[element - element % SS_EV_OF_KEY];
	const struct told *t = &told[c->node->i][element];

	if (t->version.time && t->at < c->at && k->here && !k->dead && !k->deadline &&
	    !order(of_stamp(&k->stamp), t->version) &&
	    (k == whole || pxs_stamp_compare(&k->stamp, &whole->stamp) > 0))
		ss_fail("client e%u reads that element %u is not there at node %u, and it is",
			(u32)(c - client), element, c->node->i);
}

/* A value at @text, said to be of version @v; 0: not by itself. */
static void check_value(struct client *c, u32 element, const char *text, struct version v)
{
	u32 i = (u32)atoi(text);
	struct op *o = &op[i];

	if (i >= ops || !writes(o, element) || o->outcome == SS_NOT_DONE ||
	    o->kind == DELS || o->kind == HDELS) {
		ss_fail("client e%u reads %.10s in element %u, which nobody wrote there",
			(u32)(c - client), text, element);
		return;
	}
	if (!o->version.time && v.time && o->n == 1)
		o->version = v;
	if (!o->version.time)
		return;
	if (v.time && order(version_of(o, element), v))
		ss_fail("client e%u: the value of operation %u is of another version", (u32)(c - client),
			i);
	if (o->ms && c->clock > pxs_stamp_ms(version_of(o, element).time) + o->ms &&
	    c->node->skew == (s64)(c->clock - SS_EPOCH_MS - c->at))
		ss_fail("client e%u reads operation %u behind its deadline", (u32)(c - client), i);
	note_told(c, element, version_of(o, element));
}

/* Text of the bulk string at *@at, which goes behind it; NULL: it is none. */
static const char *take_bulk(const struct client *c, u32 *at)
{
	const char *text = (const char *)c->in.buf + *at;

	*at += pxs_tx_value((struct pxs_str){ c->in.buf + *at, c->in.len - *at });
	return *text == '$' && text[1] != '-' ? strchr(text, '\n') + 1 : NULL;
}

static void take_hash(struct client *c, struct version v)
{
	u32 at = (u32)((u8 *)memchr(c->in.buf, '\n', c->in.len) - c->in.buf) + 1;
	u32 first = c->key * SS_EV_OF_KEY, seen = 0, i, n = (u32)atoi((char *)c->in.buf + 1) / 2;
	const char *name, *value;

	for (i = 0; i < n && !sim.failed; i++) {
		name = take_bulk(c, &at);
		value = take_bulk(c, &at);
		seen |= 1u << (name[1] - '0' + 1);
		check_value(c, first + (u32)(name[1] - '0') + 1, value, (struct version){ 0 });
		if (order(op[atoi(value)].version, (struct version){ 0 }) > 0 &&
		    order(v, version_of(&op[atoi(value)], first + (u32)(name[1] - '0') + 1)) < 0)
			ss_fail("client e%u: an answer is newer than it says", (u32)(c - client));
	}
	for (i = 1; i < SS_EV_OF_KEY; i++)
		if (!(seen >> i & 1))
			check_absent(c, first + i);
}

static void take_digest(struct client *c)
{
	u32 i = c->node->i;

	snprintf(digest[i], sizeof(digest[i]), "%.60s", (char *)c->in.buf);
	for (i = 0; i < SS_NODES; i++)
		if (digest[i][0] && strcmp(digest[i], digest[c->node->i]))
			ss_fail("digests of eventual keys differ at nodes %u and %u", i, c->node->i);
}

static void refused(struct client *c)
{
	static const char *const words[] = { "-WRONGTYPE ", "-OOM ", "-CLUSTERDOWN ", "-LOADING " };
	const char *text = (const char *)c->in.buf;
	u32 i;

	c->op->outcome = SS_NOT_DONE;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(text, words[i], strlen(words[i])))
			return;
	ss_fail("client e%u: %.*s", (u32)(c - client), (int)strcspn(text, "\r"), text);
}

static void take_read(struct client *c, struct version v)
{
	u32 at = 0;
	const char *text;

	c->op->outcome = SS_DONE;
	if (c->op->kind == HGETS) {
		take_hash(c, v);
		return;
	}
	text = take_bulk(c, &at);
	if (text)
		check_value(c, c->key * SS_EV_OF_KEY, text, v);
	else
		check_absent(c, c->key * SS_EV_OF_KEY);
}

/* On one connection a read has what was written before it, or what came behind. */
static void take_again(struct client *c, u32 at, struct version v)
{
	u32 e = c->op->element[0];
	const struct told t = told[c->node->i][e];
	const char *text;

	c->op->outcome = SS_DONE;
	if (c->in.buf[at] == '-')
		return;
	if (t.at < c->at && order(v, t.version) <= 0)
		ss_fail("client e%u reads what was there before its own operation %u",
			(u32)(c - client), (u32)(c->op - op));
	text = take_bulk(c, &at);
	if (text)
		check_value(c, e, text, v);
}

/* Where the answer behind that at @at stands; 0: it is not here. */
static u32 behind(const struct client *c, u32 at)
{
	u32 len = pxs_tx_value((struct pxs_str){ c->in.buf + at, c->in.len - at });

	return len ? at + len : 0;
}

static void answered(struct client *c)
{
	u32 second = behind(c, 0), at = c->again ? behind(c, second) : second;
	struct version v;

	pxs_reply_raw(&c->in, "", 1);	/* so that it is a text */
	v = take_version(c, at);
	ss_trace("client e%u: %.*s, %llu.%u@%u", (u32)(c - client),
		 (int)min((u32)strcspn((char *)c->in.buf, "\r"), 30u), c->in.buf,
		 U(pxs_stamp_ms(v.time) - SS_EPOCH_MS), (u32)v.time & 0xffff, v.member);
	if (c->in.buf[0] == '-')
		refused(c);
	else if (c->op->kind == DIGEST)
		take_digest(c);
	else if (c->again)
		take_again(c, second, v);
	else if (c->op->n)
		take_write(c, v);
	else
		take_read(c, v);
}

/* --- going on ------------------------------------------------------------------------------- */

static void hang_up(struct client *c)
{
	if (c->asked && !c->op->outcome)
		c->op->outcome = SS_UNKNOWN;
	ss_wire_close(c->wire);
	c->wire = NULL;
	c->asked = false;
	c->next = sim.now + ss_random(100);
}

static void listen_to(struct client *c)
{
	static u8 bytes[8192];
	u32 n, at, i;

	while (c->asked && (n = ss_wire_get(c->wire, bytes, sizeof(bytes)))) {
		ss_note(bytes, n);
		pxs_reply_raw(&c->in, bytes, n);
		at = behind(c, 0);
		for (i = 0; at && i < 1u + c->again; i++)
			at = behind(c, at);
		if (!at)
			continue;
		answered(c);
		c->asked = false;
		c->next = sim.now + ss_random(ss_chance(500) ? 20 : 250);
	}
	if (c->wire && (ss_wire_over(c->wire) || (!sim.calm && ss_chance(2))))
		hang_up(c);
}

static bool connected(struct client *c)
{
	if (c->wire && (ending || !ss_chance(200)))
		return true;
	if (c->wire)
		hang_up(c);
	c->node = &sim.node[ending ? (u32)(c - client) : (u32)ss_random(SS_NODES)];
	if (c->node->up)
		c->wire = ss_wire_open(c->node);
	return c->wire;
}

static void step(struct client *c)
{
	if (c->wire)
		listen_to(c);
	if (c->asked || sim.now < c->next || (sim.last && !ending) || ops == OPS ||
	    (ending && digest[c - client][0]) || !connected(c))
		return;
	if (ending) {
		op[ops] = (struct op){ .kind = DIGEST };
		c->op = &op[ops++];
	} else {
		make_op(c);
	}
	ask(c);
}

void ss_eventual_step(void)
{
	u32 i;

	for (i = 0; sim.eventual && i < CLIENTS; i++)
		step(&client[i]);
}

bool ss_eventual_idle(void)
{
	u32 i;

	for (i = 0; i < CLIENTS; i++)
		if (client[i].asked || (ending && !digest[i][0]))
			return false;
	return true;
}

bool ss_eventual_loses(void)
{
	return sim.eventual && ss_chance(losses);
}

/* What is on its way yet was said by the table that is no more. */
void ss_eventual_lost(const struct ss_node *n)
{
	u32 i;

	for (i = 0; i < CLIENTS; i++)
		if (client[i].wire && client[i].node == n)
			hang_up(&client[i]);
	memset(told[n->i], 0, sizeof(told[n->i]));
}

/* Each client asks another node. */
void ss_eventual_end(void)
{
	u32 i;

	for (i = 0; i < CLIENTS; i++)
		if (client[i].wire)
			hang_up(&client[i]);
	ops = min(ops, OPS - 8);
	ending = true;
}

void ss_eventual_init(void)
{
	u32 i;

	ops = 0;
	ending = false;
	large = ss_chance(100) ? 400 : 0;
	losses = ss_chance(250) ? 500 : 40;
	memory = sim.full && !large ? 1200 + (u32)ss_random(3000) : 0;
	rate = ss_chance(200) && !large ? 20000 : 0;
	memset(told, 0, sizeof(told));
	memset(digest, 0, sizeof(digest));
	for (i = 0; i < CLIENTS; i++) {
		client[i] = (struct client){ .next = sim.now + 400 };
		pxs_reply_init(&client[i].in, 2, 4 << 20);
	}
}

void ss_eventual_free(void)
{
	u32 i;

	for (i = 0; i < CLIENTS; i++)
		pxs_reply_free(&client[i].in);
}
