// SPDX-License-Identifier: GPL-2.0
/*
 * route.c - which group a request is for, where a store has several
 *
 * Where the keys of a command or of a transaction are of several groups, it is one over these
 * (cross.c) if each of its commands can be done in parts; keys that are watched for it count. Those
 * of a saga and its id are of one group, and so are the commands of a session. What is watched is
 * asked of whom a transaction with it would be. What has no key is about the
 * groups that this member leads, as it would be about the slots of one master of a Redis Cluster;
 * for reads that are not strong, about all.
 */
#include "store.h"

#include <stdio.h>

#include "../random.h"
#include "cmd_saga.h"
#include "saga.h"

#define INDEX_BITS	4u
#define INDEX_MASK	((u64)PXS_SHARDS_MAX - 1)

#define SAGA_ID		3u	/* PAXSTEER SAGA WORD ID */

/* What a request's keys are of. */
struct owner {
	const struct pxs_store *of;	/* one of the set */
	struct pxs_store *store;	/* NULL: no key yet */
	struct pxs_store *first;	/* in the order of groups */
	bool cross;			/* they are of several groups */
	bool whole;			/* ... and a command that cannot be parted is among them */
};

static void add_store(struct owner *o, struct pxs_store *s)
{
	o->cross |= o->store && o->store != s;
	o->store = s;
	if (!o->first || pxs_set_index(s) < pxs_set_index(o->first))
		o->first = s;
}

static void add_key(struct owner *o, struct pxs_str key)
{
	add_store(o, pxs_set_of_key(o->of, key));
}

/* Return: they are of several groups by themselves. */
static bool add_keys(struct owner *o, const struct pxs_command *cmd, u32 argc,
		     const struct pxs_str *argv)
{
	struct owner own = { .of = o->of };
	u32 i = 0;

	/* A mistake, and one group tells: that of its first key. */
	if (pxs_cmd_lacks_value(cmd, argc)) {
		add_key(o, argv[cmd->first]);
		return false;
	}
	while ((i = pxs_cmd_next_key(cmd, argc, i)))
		add_key(&own, argv[i]);
	if (!own.store)
		return false;
	add_store(o, own.store);
	add_store(o, own.first);
	o->cross |= own.cross;
	o->whole |= own.cross && !pxs_tx_splits(cmd, argc) &&
		    !pxs_tx_depends(&o->of->set->map, cmd, argc, argv, false);
	return own.cross;
}

/* Of its checks and commands. What is wrong with it is found when it is applied. */
static void add_saga(struct owner *o, u32 argc, const struct pxs_str *argv)
{
	struct pxs_saga_part p;
	u32 at = SAGA_ID + 1;

	while (at < argc && !pxs_saga_part(argc, argv, &at, &p)) {
		if (p.kind == PXS_PART_CHECK)
			add_key(o, p.argv[0]);
		else if (p.kind == PXS_PART_DO || p.kind == PXS_PART_UNDO)
			add_keys(o, p.cmd, p.argc, p.argv);
	}
}

static void add_watched(struct owner *o, const struct pxs_conn *c)
{
	u32 i;

	for (i = 0; i < c->watches; i++)
		add_key(o, c->watch[i].key);
}

/* A key that a command of a transaction writes: the command's place, and what the key hashes to. */
struct written {
	u64 hash;
	u32 place;
};

static int by_hash(const void *a, const void *b)
{
	const struct written *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static u64 hash_of(const struct owner *o, struct pxs_str key)
{
	return pxs_siphash(&o->of->db.seed, key.data, key.len);
}

/* All of them, in order, in *@n; NULL: no memory. There may be many, and many are looked for. */
static struct written *all_written(const struct owner *o, const struct pxs_conn *c, u32 *n)
{
	const struct pxs_request *q;
	u32 i, place = 0, room = 1;
	struct written *w;

	for (q = c->queued; q; q = q->next)
		room += q->argc;
	w = malloc(room * sizeof(*w));
	*n = 0;
	for (q = c->queued; w && q; q = q->next, place++)
		for (i = 0; q->cmd->flags & PXS_CF_WRITE &&
		     (i = pxs_cmd_next_key(q->cmd, q->argc, i));)
			w[(*n)++] = (struct written){ hash_of(o, q->argv[i]), place };
	if (w)
		qsort(w, *n, sizeof(*w), by_hash);
	return w;
}

/* Is there one of this key, of a command before the one at @place? */
static bool has_before(const struct written *w, u32 n, u64 hash, u32 place)
{
	u32 low = 0, high = n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (w[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && w[low].hash == hash && w[low].place < place;
}

/* Does one that depends have a key that another one before it writes? */
static bool depends_on_written(const struct owner *o, const struct pxs_conn *c)
{
	const struct pxs_shards *m = &o->of->set->map;
	const struct pxs_request *q;
	u32 i, n, place = 0;
	struct written *w = all_written(o, c, &n);
	bool any = !w;

	for (q = c->queued; q && !any; q = q->next, place++) {
		if (!pxs_tx_depends(m, q->cmd, q->argc, q->argv, true))
			continue;
		for (i = 0; !any && (i = pxs_cmd_next_key(q->cmd, q->argc, i));)
			any = has_before(w, n, hash_of(o, q->argv[i]), place);
	}
	free(w);
	return any;
}

/* What depends is settled with what is there before the transaction. */
static void add_transaction(struct owner *o, const struct pxs_conn *c)
{
	const struct pxs_shards *m = &o->of->set->map;
	const struct pxs_request *q;
	u32 depend = 0;

	for (q = c->queued; q; q = q->next)
		depend += add_keys(o, q->cmd, q->argc, q->argv) &&
			  pxs_tx_depends(m, q->cmd, q->argc, q->argv, true);
	o->whole |= depend > PXS_TX_DEPENDS_MAX || (depend && depends_on_written(o, c));
	add_watched(o, c);
}

static bool is_local(const struct pxs_request *r)
{
	return r->cmd->flags & PXS_CF_READ && pxs_session_reads_here(r->conn);
}

/* May this group be asked here? */
static bool eligible(const struct pxs_request *r, const struct pxs_store *s)
{
	return is_local(r) || pxs_store_leads(s);
}

/* Index of the first group from @i on that may be asked; that many as there are: none. */
static u32 next_eligible(const struct pxs_request *r, u32 i)
{
	const struct pxs_store *s = r->conn->store;

	while (i < pxs_set_count(s) && !eligible(r, pxs_set_at(s, i)))
		i++;
	return i;
}

/* --- cursors -------------------------------------------------------------------- */

/*
 * The lowest bits of a cursor are the group's index. Those of a hash are dropped for them: keys
 * whose hashes differ in these alone may be seen twice, as SCAN may do. Numbers of sagas are
 * moved up.
 */
static bool is_scan(const struct pxs_request *r)
{
	return !(r->cmd->flags & PXS_CF_SAGA);
}

/* Where the cursor of SCAN or SAGA LIST stands; 0: the command has none. */
static u32 cursor_at(const struct pxs_request *r)
{
	if (r->cmd->run == pxs_cmd_scan)
		return 1;
	return r->cmd == pxs_saga_find(r->argc, r->argv) && pxs_str_is(r->argv[2], "list") ?
	       SAGA_ID : 0;
}

static bool parse(struct pxs_str s, u64 *cursor)
{
	char text[24] = "";
	char *end;

	if (!s.len || s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	errno = 0;
	*cursor = strtoull(text, &end, 10);
	return !errno && text[0] >= '0' && text[0] <= '9' && end == text + s.len;
}

static bool cursor_of(const struct pxs_request *r, u64 *cursor)
{
	u32 at = cursor_at(r);

	*cursor = 0;
	return at && (at >= r->argc || parse(r->argv[at], cursor));
}

static enum pxs_route by_cursor(struct pxs_request *r)
{
	u32 i, n = pxs_set_count(r->conn->store);
	u64 cursor;

	/* No group: whoever is asked says so. No number: the command does. */
	if (!cursor_of(r, &cursor))
		return PXS_ROUTE_ONE;
	i = cursor ? (u32)(cursor & INDEX_MASK) : next_eligible(r, 0);
	if (i < n) {
		r->store = pxs_set_at(r->conn->store, i);
	} else if (cursor) {
		pxs_reply_error(&r->out, "ERR invalid cursor");
		return PXS_ROUTE_WRONG;
	}
	return PXS_ROUTE_ONE;
}

void pxs_route_cursor_in(struct pxs_request *r)
{
	u64 cursor;
	char text[24];
	u32 at = cursor_at(r), len;

	if (!cursor_of(r, &cursor) || at >= r->argc)
		return;
	cursor = is_scan(r) ? cursor & ~INDEX_MASK : cursor >> INDEX_BITS;
	len = (u32)sprintf(text, "%llu", (unsigned long long)cursor);
	/* A lower number is not longer, and the bytes are this request's. */
	pxs_assert(len <= r->argv[at].len);
	memcpy((u8 *)r->argv[at].data, text, len);
	r->argv[at].len = len;
}

static u64 cursor_on(const struct pxs_request *r, u64 cursor)
{
	u32 i = pxs_set_index(r->store);

	if (cursor)
		return (is_scan(r) ? cursor & ~INDEX_MASK : cursor << INDEX_BITS) | i;
	i = next_eligible(r, i + 1);
	return i < pxs_set_count(r->store) ? i : 0;
}

void pxs_route_cursor_out(struct pxs_request *r)
{
	struct pxs_reply was = r->out;
	struct pxs_str text;
	const u8 *line, *end;
	char on[24];
	u64 cursor;

	/* "*2", the length of the cursor, the cursor: a line each. */
	if (!cursor_at(r) || r->out.failed || !r->out.len || r->out.buf[0] != '*')
		return;
	line = (const u8 *)memchr(was.buf, '\n', was.len) + 1;
	line = (const u8 *)memchr(line, '\n', was.len - (size_t)(line - was.buf)) + 1;
	end = memchr(line, '\r', was.len - (size_t)(line - was.buf));
	text = (struct pxs_str){ line, (u32)(end - line) };
	if (!parse(text, &cursor))
		return;
	pxs_reply_init(&r->out, was.proto, was.limit);
	pxs_reply_array(&r->out, 2);
	sprintf(on, "%llu", (unsigned long long)cursor_on(r, cursor));
	pxs_reply_text(&r->out, on);
	pxs_reply_raw(&r->out, end + 2, was.len - (u32)(end + 2 - was.buf));
	pxs_reply_free(&was);
}

/* --- which ---------------------------------------------------------------------- */

/* One at random, likelier if it has more keys. */
static void by_chance(struct pxs_request *r)
{
	struct pxs_store *home = r->conn->store, *s;
	u64 sum = 0, at;
	u32 i;

	for (i = 0; (i = next_eligible(r, i)) < pxs_set_count(home); i++)
		sum += pxs_set_at(home, i)->db.state.keys;
	at = sum ? pxs_random_next(&home->set->round) % sum : 0;
	for (i = 0; (i = next_eligible(r, i)) < pxs_set_count(home); i++) {
		s = pxs_set_at(home, i);
		r->store = s;
		if (at < s->db.state.keys)
			return;
		at -= s->db.state.keys;
	}
}

/* BARRIER [GROUP], SESSION NEW [KEY], CHECKPOINT; the others are about the connection. */
static enum pxs_route route_paxsteer(struct pxs_request *r)
{
	struct pxs_store *home = r->conn->store;
	s64 id;
	int i;

	if (r->argc == 2 && pxs_str_is(r->argv[1], "checkpoint"))
		return PXS_ROUTE_ALL;
	if (r->argc == 4 && pxs_str_is(r->argv[1], "session"))
		r->store = pxs_set_of_key(home, r->argv[3]);
	if (r->argc != 3 || !pxs_str_is(r->argv[1], "barrier"))
		return PXS_ROUTE_ONE;
	i = pxs_str_int(r->argv[2], &id) && id > 0 && id <= INT32_MAX ?
	    pxs_shards_index(&home->set->map, (u32)id) : -1;
	if (i >= 0) {
		r->store = pxs_set_at(home, (u32)i);
		return PXS_ROUTE_ONE;
	}
	pxs_reply_error(&r->out, "ERR there is no such group in this store");
	return PXS_ROUTE_WRONG;
}

static enum pxs_route route_keyless(struct pxs_request *r)
{
	if (cursor_at(r))
		return by_cursor(r);
	/* Before it waits for the keys of each group, or one of them does it. */
	if (r->cmd->run == pxs_cmd_flushall && !pxs_cmd_flushall_good(r->argc, r->argv)) {
		pxs_reply_syntax(&r->out);
		return PXS_ROUTE_WRONG;
	}
	if (r->cmd->run != pxs_cmd_randomkey)
		return PXS_ROUTE_ALL;
	by_chance(r);
	return PXS_ROUTE_ONE;
}

/* Those of the session that a command is run in. */
static bool add_session(struct owner *o, const struct pxs_request *r)
{
	u32 i = (u32)(r->session & INDEX_MASK);

	if (!r->session)
		return true;
	if (i >= pxs_set_count(o->of))
		return false;
	add_store(o, pxs_set_at(o->of, i));
	return true;
}

/* May it be a transaction over them? */
static bool may_cross(const struct owner *o, const struct pxs_request *r)
{
	if (r->session || r->cmd->flags & PXS_CF_SAGA || o->whole)
		return false;
	return r->cmd->local == PXS_LOCAL_EXEC || !r->cmd->local;
}

static void say_cross(struct pxs_request *r)
{
	if (r->session)
		pxs_reply_error(&r->out, "CROSSSLOT Keys in request are of another group than session %llu (PAXSTEER SESSION NEW KEY)",
				(unsigned long long)r->session);
	else
		pxs_reply_error(&r->out, "CROSSSLOT Keys in request don't hash to the same group");
}

static enum pxs_route route_keys(struct pxs_request *r)
{
	struct owner o = { .of = r->conn->store };
	bool exec = r->cmd->local == PXS_LOCAL_EXEC;
	bool known = add_session(&o, r);

	/* An error (tx.c), wherever what is watched is. */
	if (exec && !r->conn->multi)
		return PXS_ROUTE_ONE;
	if (exec)
		add_transaction(&o, r->conn);
	else if (r->cmd->flags & PXS_CF_SAGA)
		add_key(&o, r->argv[SAGA_ID]);
	else
		add_keys(&o, r->cmd, r->argc, r->argv);
	if (r->cmd->flags & PXS_CF_SAGA)
		add_saga(&o, r->argc, r->argv);
	if (o.store)
		r->store = o.first;
	if (known && (!o.cross || (exec && r->conn->multi_failed)))
		return PXS_ROUTE_ONE;
	if (known && may_cross(&o, r))
		return PXS_ROUTE_CROSS;
	if (!known)
		pxs_reply_error(&r->out, "NOSESSION session %llu is not there: it is of no group of this store; nothing was executed",
				(unsigned long long)r->session);
	else
		say_cross(r);
	if (exec)
		pxs_tx_end(r->conn);
	return PXS_ROUTE_WRONG;
}

static enum pxs_route route_watch(struct pxs_request *r)
{
	struct owner o = { .of = r->conn->store };

	add_keys(&o, r->cmd, r->argc, r->argv);
	add_watched(&o, r->conn);
	r->store = o.first;
	return PXS_ROUTE_ONE;
}

bool pxs_route_keyless(const struct pxs_command *cmd)
{
	return cmd->flags & (PXS_CF_READ | PXS_CF_WRITE) && !cmd->first &&
	       !(cmd->flags & PXS_CF_SAGA);
}

enum pxs_route pxs_route(struct pxs_request *r)
{
	const struct pxs_command *cmd = r->cmd;
	struct pxs_conn *c = r->conn;

	r->store = c->store;
	if (!c->store->set || (c->multi && !(cmd->flags & PXS_CF_NOMULTI)))
		return PXS_ROUTE_ONE;
	if (cmd->local == PXS_LOCAL_PAXSTEER)
		return route_paxsteer(r);
	if (cmd->local == PXS_LOCAL_SAVE)
		return PXS_ROUTE_ALL;
	if (cmd->local == PXS_LOCAL_WATCH)
		return route_watch(r);
	if (pxs_route_keyless(cmd) || cursor_at(r))
		return route_keyless(r);
	if (cmd->first || cmd->flags & PXS_CF_SAGA || cmd->local == PXS_LOCAL_EXEC)
		return route_keys(r);
	return PXS_ROUTE_ONE;
}
