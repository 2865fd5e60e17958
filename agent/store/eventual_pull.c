// SPDX-License-Identifier: GPL-2.0
/*
 * eventual_pull.c - asking another member for what has changed there
 *
 * One question at a time, over a connection as a Redis client of it has. The answer goes to
 * the thread whole, and the next question is asked when it is committed: a member that is slow is
 * sent no more than it takes.
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../report.h"
#include "peer.h"

#define IN_MIN		(64u << 10)
#define IN_MAX		(PXS_FEED_MAX + 64)
#define SAY_MS		10000
#define HELLOS_MAX	3u

#define from(op_) \
	((struct pxs_pull *)((char *)(op_) - offsetof(struct pxs_pull, op)))

static void next(struct pxs_pull *p);

static struct pxs_eventual *ev_of(const struct pxs_pull *p)
{
	return p->store->eventual;
}

static struct pxs_confirm *confirm_of(const struct pxs_pull *p)
{
	return &ev_of(p)->confirm[p - ev_of(p)->pull];
}

void pxs_pull_init(struct pxs_pull *p, struct pxs_store *s, u8 id, u64 incarnation,
		   const char *address)
{
	*p = (struct pxs_pull){ .store = s, .id = id, .incarnation = incarnation, .fd = -1 };
	if (address)
		snprintf(p->text, sizeof(p->text), "%s", address);
	pxs_reply_init(&p->out, 2, 64u << 10);
}

static void hang_up(struct pxs_pull *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->cancelled = false;
	p->stage = PXS_PULL_IDLE;
}

void pxs_pull_exit(struct pxs_pull *p)
{
	hang_up(p);
	if (p->out.buf)
		explicit_bzero(p->out.buf, p->out.room);
	pxs_reply_free(&p->out);
	free(p->in);
}

/* @why: as is shown; @loud: it does not go away by itself. */
static void fail(struct pxs_pull *p, const char *why, bool loud)
{
	if (loud && (!p->wrong || strcmp(p->wrong, why)))
		pxs_err("store: eventual keys: member %u: %s", p->id, why);
	p->wrong = why;
	hang_up(p);
	p->pause = p->store->node->loop.now + PXS_EVENTUAL_PAUSE_MS;
}

/* --- the question --- */

/* What of others' writes is here anyhow, and our own. Return: how many. */
static u32 put_has(const struct pxs_eventual *ev, struct pxs_feed_has *has)
{
	const struct pxs_evdb_state *st = &ev->db.state;
	u32 i, n = 0;

	has[n++] = (struct pxs_feed_has){
		.table = cpu_to_le64(st->table), .origin = cpu_to_le64(st->head),
		.member = ev->self,
	};
	for (i = 0; i < PXS_EVDB_PEERS; i++) {
		if (!st->peer[i].member || !st->peer[i].whole)
			continue;
		has[n++] = (struct pxs_feed_has){
			.table = cpu_to_le64(st->peer[i].table),
			.origin = cpu_to_le64(st->peer[i].whole), .member = st->peer[i].member,
		};
	}
	return n;
}

static void compose(struct pxs_pull *p)
{
	struct {
		struct pxs_feed_head head;
		struct pxs_feed_has has[PXS_EVDB_PEERS + 1];
	} ask;
	struct pxs_eventual *ev = ev_of(p);
	const struct pxs_evdb_peer *peer = pxs_evdb_peer(&ev->db.state, p->id);
	struct pxs_feed f = {
		.epoch = ev->epoch, .list = ev->list, .echo = p->echo,
		.table = ev->db.state.table, .of = peer->table,
		.cursor = peer->cursor, .head = ev->db.state.head, .group = p->store->replica->id,
		.kind = PXS_FEED_ASK, .from = ev->self, .to = p->id,
	};

	if (getrandom(&p->nonce, sizeof(p->nonce), 0) != sizeof(p->nonce))
		p->nonce = 0;
	f.nonce = p->nonce;
	f.len = put_has(ev, ask.has) * (u32)sizeof(ask.has[0]);
	pxs_feed_seal(&p->store->replica->config->keys, ev->db.owner.cluster, &f, &ask.head);
	p->out.len = 0;
	p->sent = 0;
	p->len = 0;
	p->answers = 1;
	if (!p->greeted)
		p->answers += pxs_peer_greet(&p->out, p->store->config->password);
	p->greeted = true;
	pxs_reply_array(&p->out, 3);
	pxs_reply_text(&p->out, "PAXSTEER");
	pxs_reply_text(&p->out, "FEED");
	pxs_reply_bulk(&p->out, &ask, (u32)sizeof(ask.head) + f.len);
	p->stage = PXS_PULL_SEND;
	p->asked = p->store->node->loop.now;
	p->late = p->asked + PXS_EVENTUAL_LATE_MS;
}

static void ask_again(struct pxs_pull *p)
{
	compose(p);
	next(p);
}

/* --- the answer --- */

/* Count its items. Return: all of them hold. */
static const char *look_through(struct pxs_pull *p)
{
	u32 drift = p->store->config->eventual_drift;
	u64 wall = pxs_store_clock();
	struct pxs_element e;
	u32 pos = 0;
	int more;

	p->items = 0;
	while ((more = pxs_feed_next(p->body, p->answer.len, &pos, &e)) > 0) {
		p->items++;
		if (!pxs_clock_ahead(e.stamp.time, wall, drift))
			continue;
		ev_of(p)->ahead++;
		return "what it has was written too far ahead of this machine's clock (eventual-drift): nothing of it is merged";
	}
	return more ? "its answer has something that is none" : NULL;
}

/* It has told all that it will ever tell. What comes is another epoch, without it. */
static bool is_last(struct pxs_pull *p)
{
	if (p->answer.kind != PXS_FEED_LAST)
		return false;
	p->over = true;
	p->stage = PXS_PULL_REST;
	p->rest = p->store->node->loop.now + PXS_EVENTUAL_WAIT_MS;
	return true;
}

/* Without a commit where nothing has changed. */
static void take(struct pxs_pull *p)
{
	const struct pxs_evdb_peer *peer = pxs_evdb_peer(&ev_of(p)->db.state, p->id);

	p->head = p->answer.head;
	p->heard = p->store->node->loop.now;
	if (!p->items && p->answer.table == peer->table && p->answer.cursor == peer->cursor &&
	    (p->answer.cursor != p->answer.head || p->answer.head == peer->whole)) {
		p->wrong = NULL;
		pxs_confirm_merged(confirm_of(p), peer->table, peer->cursor);
		if (!is_last(p))
			ask_again(p);
		return;
	}
	p->stage = PXS_PULL_MERGE;
}

/* Where the stream goes on, as it was asked for, or from its beginning. */
static bool place_holds(struct pxs_pull *p)
{
	const struct pxs_evdb_peer *peer = pxs_evdb_peer(&ev_of(p)->db.state, p->id);
	const struct pxs_feed *a = &p->answer;

	return a->table && a->cursor <= a->head &&
	       (a->table != peer->table || a->cursor >= peer->cursor);
}

static const char others[] = "its members are those of another epoch";

static void answered(struct pxs_pull *p, u32 bytes)
{
	const struct pxs_keys *keys = &p->store->replica->config->keys;
	struct pxs_eventual *ev = ev_of(p);
	struct pxs_feed *a = &p->answer;
	const char *wrong;

	if (pxs_feed_open(keys, ev->db.owner.cluster, p->in, bytes, a)) {
		ev->forged++;
		fail(p, "its answer has a wrong tag", true);
		return;
	}
	if (a->nonce != p->nonce || a->group != p->store->replica->id || a->from != p->id ||
	    a->to != ev->self || a->kind < PXS_FEED_ANSWER || a->kind > PXS_FEED_LAST) {
		ev->forged++;
		fail(p, "its answer is that to another question", true);
		return;
	}
	if (a->epoch != ev->epoch) {
		fail(p, others, false);
		return;
	}
	if (a->list != ev->list) {
		ev->differs++;
		fail(p, "its eventual prefixes are others", true);
		return;
	}
	if (pxs_eventual_went_back(ev, p->id, a->of)) {
		fail(p, "it knows more of this member's table than is here", false);
		return;
	}
	p->echo = a->echo;
	if (a->kind == PXS_FEED_HELLO) {
		if (++p->hellos > HELLOS_MAX)
			fail(p, "it does not go on", true);
		else
			ask_again(p);
		return;
	}
	p->hellos = 0;
	p->body = p->in + sizeof(struct pxs_feed_head);
	wrong = place_holds(p) ? look_through(p) : "its answer goes back";
	if (wrong)
		fail(p, wrong, true);
	else
		take(p);
}

static void progress(struct pxs_pull *p)
{
	u64 now = p->store->node->loop.now;
	u64 left = p->answer.head - p->answer.cursor;

	if (!left || now - p->said < SAY_MS)
		return;
	p->said = now;
	pxs_info("store: eventual keys: member %u: %" PRIu64 " of %" PRIu64 " places are left", p->id,
		 left, p->answer.head);
}

void pxs_pull_merged(struct pxs_pull *p, int err)
{
	const struct pxs_evdb_peer *peer = pxs_evdb_peer(&ev_of(p)->db.state, p->id);
	u64 rate = p->store->config->eventual_rate;

	if (err) {
		fail(p, "what it sent could not be committed", false);
		return;
	}
	p->wrong = NULL;
	p->merged += p->items;
	p->bytes += p->answer.len;
	pxs_confirm_merged(confirm_of(p), peer->table, peer->cursor);
	progress(p);
	if (is_last(p))
		return;
	p->stage = PXS_PULL_REST;
	p->rest = rate ? p->asked + (u64)p->answer.len * 1000 / rate : 0;
	if (p->rest <= p->store->node->loop.now)
		ask_again(p);
}

/* --- bytes --- */

static void refused(struct pxs_pull *p)
{
	if (!strncmp((const char *)p->in, "-DIFFERS ", 9)) {
		ev_of(p)->differs++;
		fail(p, "its eventual prefixes are others", true);
	} else if (!strncmp((const char *)p->in, "-EPOCH ", 7)) {
		fail(p, others, false);
	} else if (!strncmp((const char *)p->in, "-AGAIN ", 7)) {
		fail(p, "a question on a former connection has come in the way", false);
	} else {
		fail(p, "it refuses: see its log", true);
	}
}

static bool reserve(struct pxs_pull *p, u32 room)
{
	u8 *grown;

	room = max(room, IN_MIN);
	if (p->room >= room)
		return true;
	grown = realloc(p->in, room);
	if (!grown)
		return false;
	p->in = grown;
	p->room = room;
	return true;
}

/* Return: more is wanted. */
static bool received(struct pxs_pull *p)
{
	u32 bytes;

	switch (pxs_peer_look(p->in, &p->len, &p->answers, PXS_FEED_MAX, &bytes)) {
	case PXS_PEER_MORE:
		if (reserve(p, bytes))
			return true;
		fail(p, "there is no memory for its answer", true);
		break;
	case PXS_PEER_REFUSED:
		refused(p);
		break;
	case PXS_PEER_NO_PASSWORD:
		fail(p, "it takes no password", true);
		break;
	case PXS_PEER_ODD:
		fail(p, "it answers something else", true);
		break;
	case PXS_PEER_BULK:
		answered(p, bytes);
		break;
	}
	return false;
}

static void next(struct pxs_pull *p)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(&p->store->node->loop);

	switch (p->stage) {
	case PXS_PULL_CONNECT:
		io_uring_prep_connect(sqe, p->fd, &p->address.sa, p->address.len);
		break;
	case PXS_PULL_SEND:
		io_uring_prep_send(sqe, p->fd, p->out.buf + p->sent, p->out.len - p->sent,
				   MSG_NOSIGNAL);
		break;
	default:
		io_uring_prep_recv(sqe, p->fd, p->in + p->len, p->room - p->len, 0);
		break;
	}
	pxs_loop_own(sqe, &p->op);
}

static void happened(struct pxs_op *op, int res)
{
	struct pxs_pull *p = from(op);

	if (p->cancelled || (res < 0 && res != -EINTR) || (!res && p->stage != PXS_PULL_CONNECT)) {
		fail(p, "it cannot be reached, or does not answer", false);
		return;
	}
	if (res >= 0 && p->stage == PXS_PULL_CONNECT) {
		compose(p);
	} else if (res >= 0 && p->stage == PXS_PULL_SEND) {
		p->sent += (u32)res;
		if (p->sent == p->out.len)
			p->stage = PXS_PULL_RECEIVE;
	} else if (res >= 0) {
		p->len += (u32)res;
		p->late = p->store->node->loop.now + PXS_EVENTUAL_LATE_MS;
		if (!received(p))
			return;
	}
	next(p);
}

/* --- beginning --- */

static void begin(struct pxs_pull *p)
{
	p->op.done = happened;
	p->greeted = false;
	p->echo = 0;
	p->hellos = 0;
	if (reserve(p, IN_MIN) && *p->text && !pxs_address_parse(p->text, &p->address))
		p->fd = socket(p->address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0) {
		fail(p, "its address is not known, or there is no socket or memory", true);
		return;
	}
	p->late = p->store->node->loop.now + PXS_EVENTUAL_LATE_MS;
	p->stage = PXS_PULL_CONNECT;
	next(p);
}

static void cancel(struct pxs_pull *p)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(&p->store->node->loop);

	p->cancelled = true;
	io_uring_prep_cancel(sqe, &p->op, 0);
	pxs_loop_own(sqe, NULL);
}

bool pxs_pull_stop(struct pxs_pull *p)
{
	if (p->given)
		return false;
	if (p->stage == PXS_PULL_MERGE || p->stage == PXS_PULL_REST)
		hang_up(p);
	if (p->stage != PXS_PULL_IDLE && !p->cancelled)
		cancel(p);
	return p->stage == PXS_PULL_IDLE;
}

void pxs_pull_tick(struct pxs_pull *p)
{
	u64 now = p->store->node->loop.now;

	switch (p->stage) {
	case PXS_PULL_IDLE:
		if (now >= p->pause && !ev_of(p)->fenced)
			begin(p);
		break;
	case PXS_PULL_MERGE:
		break;
	case PXS_PULL_REST:
		if (now >= p->rest)
			ask_again(p);
		break;
	default:
		if (now >= p->late && !p->cancelled)
			cancel(p);
	}
}
