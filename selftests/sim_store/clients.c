// SPDX-License-Identifier: GPL-2.0
/*
 * clients.c - what clients ask: one thing at a time, each of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define WORDS		16u
#define LARGE		18000u	/* bytes of a twin that makes its entry come in parts */

/* --- its connection ------------------------------------------------------------------- */

/* As listen.c accepts one. */
static void connect_to(struct ss_client *c, struct ss_node *n)
{
	struct pxs_store *s = ss_store(n, 0);

	sim.at = n;
	c->conn = pxs_conn_new(s, -1, &s->config->consistency);
	c->conn->next = s->conns;
	s->conns = c->conn;
	s->nconns++;
	sim.at = NULL;
	c->node = n;
	c->out_len = 0;
	c->in.len = 0;
}

static bool is_connected(struct ss_client *c)
{
	struct ss_node *n = &sim.node[c->there < 0 ? (int)ss_random(SS_NODES) : c->there];

	if (c->conn && c->there < 0 && !ss_chance(50))
		return true;
	c->there = -1;
	if (c->conn && c->node == n)
		return true;
	c->conn = NULL;
	c->node = NULL;
	if (n->up)
		connect_to(c, n);
	return c->conn;
}

void ss_client_lost(struct ss_client *c)
{
	c->conn = NULL;
	c->node = NULL;
	c->out_len = 0;
	c->in.len = 0;
	if (!c->want)
		return;
	c->want = 0;
	c->next = sim.now + ss_random(100);
	sim.stat.lost++;
	ss_trace("client %u: lost its connection", c->i);
	if (c->op->kind != SS_ONCE && c->op->kind != SS_SAGA)
		ss_op_end(c, SS_UNKNOWN);
}

/* --- its words ------------------------------------------------------------------------ */

struct pxs_reply ss_command(u32 argc, const char *const *argv)
{
	struct pxs_reply o;
	u32 i;

	pxs_reply_init(&o, 2, UINT32_MAX);
	pxs_reply_array(&o, argc);
	for (i = 0; i < argc; i++)
		pxs_reply_text(&o, argv[i]);
	return o;
}

static void put(struct ss_client *c, const u8 *bytes, u32 len)
{
	if (c->out_len + len > c->out_room) {
		c->out_room = 2 * (c->out_len + len);
		c->out = realloc(c->out, c->out_room);
		if (!c->out)
			abort();
	}
	memcpy(c->out + c->out_len, bytes, len);
	c->out_len += len;
}

void ss_client_say(struct ss_client *c, u32 argc, const char *const *argv)
{
	struct pxs_reply o = ss_command(argc, argv);

	put(c, o.buf, o.len);
	pxs_reply_free(&o);
	c->want++;
	if (argc > 3)
		ss_trace("client %u to node %u: %s %s %s %.30s ...", c->i, c->node->i, argv[0],
			 argv[1], argv[2], argv[3]);
	else
		ss_trace("client %u to node %u: %s %s %.30s", c->i, c->node->i, argv[0],
			 argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "");
}

#define SAY(c, ...) do { \
	const char *const words[] = { __VA_ARGS__ }; \
	ss_client_say(c, (u32)ARRAY_SIZE(words), words); \
} while (0)

u32 ss_list(void)
{
	return (u32)ss_random(sim.lists);
}

static const char *list_key(u32 i)
{
	return sim.key[i];
}

static const char *account_key(u32 i)
{
	return sim.key[SS_LISTS + i];
}

static const char *twin_key(u32 i)
{
	return sim.key[SS_LISTS + SS_ACCOUNTS + i];
}

const char *ss_token(const struct ss_op *op)
{
	static char text[SS_TOKEN + 1];

	snprintf(text, sizeof(text), "%04x.", (u32)(op - sim.op) & 0xffff);
	return text;
}

/* --- what it asks --------------------------------------------------------------------- */

/* Each is an operation by itself, and they are executed in their order. */
static bool begin_reads(struct ss_client *c)
{
	u32 i, n = 2 + (u32)ss_random(3), key = ss_list();

	if (sim.nops + n > SS_OPS)
		return false;
	for (i = 0; i < n; i++) {
		c->op[i] = (struct ss_op){ .kind = i ? SS_APPENDS : SS_READS, .client = c->i,
					   .begun = sim.order, .follows = i, .n = 1 };
		c->op[i].access[0].key = (key + i) % SS_LISTS;
	}
	sim.nops += n - 1;
	c->reads = n;
	return true;
}

static void say_access(struct ss_client *c, u32 i)
{
	const struct ss_access *a = &c->op->access[i];

	if (a->append)
		SAY(c, "APPEND", list_key(a->key), ss_token(c->op));
	else
		SAY(c, "GET", list_key(a->key));
}

static void begin_appends(struct ss_client *c)
{
	struct ss_op *op = c->op;
	u32 i, key, used = 0;

	op->n = 1 + (u32)ss_random(ss_chance(300) ? 1 : min(sim.lists, 4u));
	for (i = 0; i < op->n; i++) {
		do
			key = ss_list();
		while (used >> key & 1);
		used |= 1u << key;
		op->access[i] = (struct ss_access){ .key = key, .append = ss_chance(600) };
	}
	op->exec = op->n > 1 || ss_chance(100);
}

static void say_transfer(struct ss_client *c)
{
	u32 from = (u32)ss_random(SS_ACCOUNTS);
	u32 to = (from + 1 + (u32)ss_random(SS_ACCOUNTS - 1)) % SS_ACCOUNTS;
	u32 amount = 1 + (u32)ss_random(100);
	char text[12];

	snprintf(text, sizeof(text), "-%u", amount);
	if (ss_chance(250)) {
		SAY(c, "INCRBY", sim.saga_key[from % SS_GROUPS], text);
		SAY(c, "INCRBY", sim.saga_key[to % SS_GROUPS], text + 1);
		return;
	}
	SAY(c, "INCRBY", account_key(from), text);
	SAY(c, "INCRBY", account_key(to), text + 1);
}

/* Behind MULTI, which was answered. */
static void say_rest(struct ss_client *c)
{
	u32 i;

	if (c->op->kind == SS_TRANSFER)
		say_transfer(c);
	if (c->op->kind == SS_MOVES)
		ss_move_say(c);
	for (i = 0; i < c->op->n; i++)
		if (c->op->kind != SS_WATCH || c->op->access[i].append)
			say_access(c, i);
	SAY(c, "EXEC");
}

static void say_write_twins(struct ss_client *c)
{
	static char value[LARGE + 1];
	u32 len = (u32)sprintf(value, "%s", ss_token(c->op));

	if (ss_chance(100)) {
		memset(value + len, 'x', LARGE - len);
		value[LARGE] = 0;
	}
	SAY(c, "MSET", twin_key(0), value, twin_key(1), value, twin_key(2), value);
}

static void say_other(struct ss_client *c)
{
	static char value[401];
	char key[16], ms[12];

	c->op->exec = false;
	memset(value, 'v', sizeof(value));
	value[20 + ss_random(sim.full ? 380 : 20)] = 0;
	snprintf(key, sizeof(key), "o%u", (u32)ss_random(12));
	snprintf(ms, sizeof(ms), "%u", 1 + (u32)ss_random(500));
	switch (ss_random(8)) {
	case 0:
	case 1:
		SAY(c, "SET", key, value, "PX", ms);
		break;
	case 2:
		SAY(c, "SET", key, value);
		break;
	case 3:
		SAY(c, "DEL", key, "o1", "o2", "o3");
		break;
	case 4:
		SAY(c, "EXISTS", "o1", "o2", "o3");
		break;
	case 5:
		SAY(c, "SAVE");
		break;
	case 6:
		SAY(c, "DEL", key);
		break;
	default:
		c->session = 0;
		c->session_key = (u32)ss_random(SS_LISTS);
		c->op->exec = true;	/* the answer is the session */
		SAY(c, "PAXSTEER", "SESSION", "NEW", list_key(c->session_key));
	}
}

static void say_once(struct ss_client *c)
{
	char id[24], number[24];

	snprintf(id, sizeof(id), "%llu", U(c->session));
	snprintf(number, sizeof(number), "%llu", U(c->number));
	SAY(c, "PAXSTEER", "SESSION", "RUN", id, number, "APPEND",
	    list_key(c->op->access[0].key), ss_token(c->op));
}

static void begin_once(struct ss_client *c)
{
	u32 key = c->session_key;

	/* Another one of the same group, or the same. */
	if (ss_chance(500))
		key = (key + SS_GROUPS) % SS_LISTS;
	c->op->access[0] = (struct ss_access){ .key = key, .append = true };
	c->op->n = 1;
	c->number++;
}

static enum ss_kind choose(const struct ss_client *c)
{
	u64 n = ss_random(100);

	if (n < 24)
		return SS_APPENDS;
	if (n < 28)
		return SS_MOVES;
	if (n < 33)
		return SS_READS;
	if (n < 41)
		return SS_WATCH;
	if (n < 45)
		return SS_ABSENT;
	if (n < 55)
		return SS_TRANSFER;
	if (n < 60)
		return SS_AUDIT;
	if (n < 62)
		return SS_MOVES;
	if (n < 70)
		return SS_WRITE_TWINS;
	if (n < 76)
		return SS_READ_TWINS;
	if (n < 86)
		return SS_OTHER;
	if (n < 93)
		return SS_SAGA;
	return c->session ? SS_ONCE : SS_OTHER;
}

static bool make_op(struct ss_client *c)
{
	if (sim.last || sim.nops == SS_OPS)
		return false;
	c->op = &sim.op[sim.nops++];
	*c->op = (struct ss_op){ .kind = choose(c), .client = c->i, .begun = ++sim.order };
	c->tries = 0;
	sim.stat.ops++;
	if (c->op->kind == SS_APPENDS)
		begin_appends(c);
	else if (c->op->kind == SS_READS && !begin_reads(c))
		c->op->kind = SS_OTHER;
	else if (c->op->kind == SS_WATCH)
		ss_watch_begin(c);
	else if (c->op->kind == SS_ABSENT)
		ss_absent_begin(c);
	else if (c->op->kind == SS_MOVES)
		ss_move_begin(c);
	else if (c->op->kind == SS_ONCE)
		begin_once(c);
	return true;
}

static void say(struct ss_client *c)
{
	u32 i;

	c->in.len = 0;
	c->watching = false;
	switch (c->op->kind) {
	case SS_APPENDS:
		if (c->op->exec)
			SAY(c, "MULTI");
		for (i = 0; !c->op->exec && i < c->op->n; i++)
			say_access(c, i);
		break;
	case SS_READS:
		for (i = 0; i < c->reads; i++)
			SAY(c, "GET", list_key(c->op[i].access[0].key));
		break;
	case SS_WATCH:
		ss_watch_say(c);
		break;
	case SS_ABSENT:
		ss_absent_say(c);
		break;
	case SS_MOVES:
		if (c->op->exec)
			SAY(c, "MULTI");
		else
			ss_move_say(c);
		break;
	case SS_ONCE:
		say_once(c);
		break;
	case SS_TRANSFER:
		c->op->exec = true;
		SAY(c, "MULTI");
		break;
	case SS_AUDIT:
		SAY(c, "MGET", account_key(0), account_key(1), account_key(2), account_key(3),
		    account_key(4), account_key(5));
		break;
	case SS_WRITE_TWINS:
		say_write_twins(c);
		break;
	case SS_READ_TWINS:
		SAY(c, "MGET", twin_key(2), twin_key(0), twin_key(1));
		break;
	case SS_SAGA:
		ss_saga_begin(c);
		break;
	default:
		say_other(c);
	}
}

void ss_op_end(struct ss_client *c, enum ss_outcome outcome)
{
	struct ss_op *op = c->op;

	c->op = NULL;
	c->want = 0;
	c->next = sim.now + ss_random(ss_chance(500) ? 10 : 60);
	/* Its keys may be watched yet. */
	if (op->kind == SS_WATCH && outcome != SS_DONE)
		c->conn = NULL;
	if (op->outcome)
		return;
	op->outcome = outcome;
	op->ended = ++sim.order;
	sim.stat.done += outcome == SS_DONE;
	sim.stat.not_done += outcome == SS_NOT_DONE;
	sim.stat.unknown += outcome == SS_UNKNOWN;
	if (op->kind == SS_OTHER && op->exec && outcome != SS_DONE)
		c->session = 0;
}

/* --- going on ------------------------------------------------------------------------- */

/* Answers of all that were asked. */
static bool all_here(const struct ss_client *c)
{
	u32 at = 0, len, n = 0;

	while (n < c->want &&
	       (len = pxs_tx_value((struct pxs_str){ c->in.buf + at, c->in.len - at }))) {
		at += len;
		n++;
	}
	if (n == c->want && at < c->in.len)
		ss_fail("client %u: more answers than questions", c->i);
	return n == c->want;
}

void ss_client_got(struct ss_client *c, const u8 *bytes, u32 len)
{
	ss_note(bytes, len);
	if (!c->want) {
		ss_fail("client %u: an answer, and nothing was asked", c->i);
		return;
	}
	pxs_reply_raw(&c->in, bytes, len);
	if (!all_here(c))
		return;
	if (c->watching) {
		if (ss_watch_answered(c))
			SAY(c, "MULTI");
		return;
	}
	if (c->op->exec && c->op->kind != SS_OTHER && c->want == 1 && c->in.buf[0] == '+') {
		c->want = 0;
		c->in.len = 0;
		say_rest(c);
		return;
	}
	ss_answered(c);
	c->in.len = 0;
}

static void step(struct ss_client *c)
{
	if (c->want) {
		if (!sim.calm && c->conn && ss_chance(1)) {
			ss_trace("client %u: hangs up", c->i);
			ss_client_lost(c);
		}
		return;
	}
	if (sim.now < c->next || (!c->op && sim.last) || !is_connected(c))
		return;
	if (c->op || make_op(c))
		say(c);
}

void ss_clients_step(void)
{
	u32 i;

	for (i = 0; i < SS_CLIENTS; i++)
		step(&sim.client[i]);
}

bool ss_clients_idle(void)
{
	u32 i;

	for (i = 0; i < SS_CLIENTS; i++)
		if (sim.client[i].op)
			return false;
	return true;
}

void ss_clients_init(void)
{
	struct ss_client *c;
	u32 i;

	for (i = 0; i < SS_CLIENTS; i++) {
		c = &sim.client[i];
		*c = (struct ss_client){ .i = i, .there = -1, .next = sim.now + 400 };
		pxs_reply_init(&c->in, 2, 1 << 20);
	}
}

void ss_clients_free(void)
{
	u32 i, k;

	for (i = 0; i < SS_CLIENTS; i++) {
		pxs_reply_free(&sim.client[i].in);
		free(sim.client[i].out);
	}
	for (i = 0; i < sim.nops; i++)
		for (k = 0; k < sim.op[i].n; k++)
			free(sim.op[i].access[k].text);
}
