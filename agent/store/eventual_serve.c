// SPDX-License-Identifier: GPL-2.0
/*
 * eventual_serve.c - what has changed here, for another member that asks
 */
#include "store.h"

#include <inttypes.h>
#include <sys/random.h>

#include "../report.h"

#define LOOK_MAX	20000u	/* elements looked at for one answer */
#define OTHER_EPOCH	"EPOCH its members are not those of this member's epoch"

/* What an answer gathers. */
struct gather {
	struct pxs_eventual *ev;
	struct pxs_served *sv;
	u32 items;
	u32 looked;
	bool full;
};

static bool reserve(struct pxs_eventual *ev, u32 more)
{
	u32 room = max(ev->room, 4096u);
	u8 *grown;

	while (room - ev->len < more)
		room *= 2;
	if (room == ev->room)
		return true;
	grown = realloc(ev->buf, room);
	if (!grown)
		return false;
	ev->buf = grown;
	ev->room = room;
	return true;
}

static bool see(void *ctx, const struct pxs_element *e)
{
	struct gather *g = ctx;
	struct pxs_eventual *ev = g->ev;

	if (g->full || ++g->looked > LOOK_MAX || ev->len > PXS_FEED_BYTES) {
		g->full = true;
		return false;
	}
	if (!pxs_feed_knows(g->sv->has, g->sv->nhas, e)) {
		if (!reserve(ev, pxs_feed_size(e))) {
			g->full = true;
			return false;
		}
		ev->len += pxs_feed_put(ev->buf + ev->len, e);
		g->items++;
	}
	g->sv->at = e->seq;
	return true;
}

/* --- answers --- */

static void reply(struct pxs_eventual *ev, struct pxs_served *sv, u8 kind)
{
	const struct pxs_evdb_peer *peer = pxs_evdb_peer(&ev->db.state, sv->ask.from);
	struct pxs_request *r = sv->request;
	struct pxs_store *s = ev->store;
	struct pxs_feed f = {
		.epoch = ev->epoch, .list = ev->list, .nonce = sv->ask.nonce,
		.table = ev->db.state.table,
		.of = peer->table == sv->ask.table ? peer->cursor : 0, .cursor = sv->at,
		.head = max(ev->db.state.head, sv->at),
		.group = s->replica->id, .kind = kind, .from = ev->self, .to = sv->ask.from,
		.len = ev->len - (u32)sizeof(struct pxs_feed_head),
	};

	if (getrandom(&f.echo, sizeof(f.echo), 0) != sizeof(f.echo))
		f.echo = 0;
	r->conn->feed_echo = f.echo;
	r->conn->feed_round = ev->marks.round;
	ev->told = max(ev->told, f.head);
	pxs_feed_seal(&s->replica->config->keys, ev->db.owner.cluster, &f,
		      (struct pxs_feed_head *)ev->buf);
	pxs_reply_bulk(&r->out, ev->buf, ev->len);
}

static void done(struct pxs_served *sv)
{
	struct pxs_request *r = sv->request;

	sv->request = NULL;
	pxs_request_hold(r, r->out.len);
	pxs_request_done(r);
}

/* Writes are refused here from when it is removed; those that came before have been told, too. */
static bool is_last(const struct pxs_eventual *ev, const struct pxs_served *sv)
{
	return pxs_eventual_parts(ev) && !ev->todo && !ev->doing && !ev->job.busy &&
	       sv->at >= ev->db.state.head;
}

/* Return: there is an answer. */
static bool answer(struct pxs_eventual *ev, struct pxs_served *sv, bool late)
{
	struct gather g = { .ev = ev, .sv = sv };
	struct pxs_evtx tx;
	bool all;

	ev->len = sizeof(struct pxs_feed_head);
	if (!reserve(ev, 0) || pxs_evdb_begin(&ev->db, &tx, false)) {
		pxs_reply_error(&sv->request->out, "ERR the eventual keys cannot be read");
		return true;
	}
	all = pxs_evdb_changes(&tx, sv->at, see, &g);
	if (all)
		sv->at = max(sv->at, ev->db.state.head);
	pxs_evdb_abort(&tx);
	if (!g.items && !g.full && !late)
		return false;
	ev->sent += g.items;
	reply(ev, sv, is_last(ev, sv) ? PXS_FEED_LAST : PXS_FEED_ANSWER);
	return true;
}

void pxs_eventual_serve_all(struct pxs_eventual *ev)
{
	struct pxs_served *sv;
	bool late;
	u32 i;

	for (i = 0; i < ev->peers; i++) {
		sv = &ev->served[i];
		if (!sv->request)
			continue;
		late = sv->until <= ev->store->node->loop.now || ev->fenced || is_last(ev, sv);
		if (sv->request->conn->dead)
			done(sv);
		else if ((late || sv->at < ev->db.state.head) && answer(ev, sv, late))
			done(sv);
	}
}

void pxs_eventual_serve_none(struct pxs_eventual *ev)
{
	u32 i;

	for (i = 0; i < ev->peers; i++) {
		if (!ev->served[i].request)
			continue;
		pxs_reply_error(&ev->served[i].request->out, OTHER_EPOCH);
		done(&ev->served[i]);
	}
}

/* --- questions --- */

/* Index of the member, of the others; or their number. */
static u32 index_of(const struct pxs_eventual *ev, u8 id)
{
	u32 i = 0;

	while (i < ev->peers && ev->pull[i].id != id)
		i++;
	return i;
}

static const char *wrong_with(struct pxs_eventual *ev, const struct pxs_feed *f)
{
	if (f->kind != PXS_FEED_ASK || f->group != ev->store->replica->id || f->to != ev->self)
		return "ERR it is not a question of another member's";
	if (f->epoch != ev->epoch || ev->closing || ev->late)
		return OTHER_EPOCH;
	if (index_of(ev, f->from) == ev->peers || f->len % sizeof(struct pxs_feed_has) ||
	    f->len > sizeof(((struct pxs_served *)0)->has))
		return "ERR it is not a question of another member's";
	if (f->list == ev->list)
		return NULL;
	ev->differs++;
	return "DIFFERS its eventual prefixes are not those of this member";
}

static bool went_back(struct pxs_eventual *ev, const struct pxs_feed *f)
{
	return f->of == ev->db.state.table && pxs_eventual_went_back(ev, f->from, f->cursor);
}

static void take(struct pxs_eventual *ev, struct pxs_request *r, const struct pxs_feed *f)
{
	u32 i = index_of(ev, f->from);
	struct pxs_served *sv = &ev->served[i];
	bool known = f->of == ev->db.state.table;

	/* One of them is of a connection that is no more: the former, or this one, late. */
	if (sv->request) {
		pxs_reply_error(&sv->request->out, "AGAIN another question has come");
		done(sv);
	}
	sv->request = r;
	sv->ask = *f;
	sv->nhas = f->len / sizeof(struct pxs_feed_has);
	memcpy(sv->has, r->argv[2].data + sizeof(struct pxs_feed_head), f->len);
	sv->at = known ? f->cursor : 0;
	sv->until = ev->store->node->loop.now + PXS_EVENTUAL_WAIT_MS;
	r->state = PXS_REQUEST_SAVES;
	if (known)
		pxs_confirm_asked(&ev->confirm[i], f->table, r->conn->feed_round, f->cursor,
				  f->head);
	pxs_eventual_horizon(ev);
}

bool pxs_eventual_serve(struct pxs_request *r)
{
	struct pxs_eventual *ev = r->conn->store->eventual;
	struct pxs_served hello = { .request = r };
	struct pxs_feed f;
	const char *wrong;

	if (!ev) {
		pxs_reply_error(&r->out, "DIFFERS there are no eventual prefixes at this member");
		return true;
	}
	if (pxs_feed_open(&ev->store->replica->config->keys, ev->db.owner.cluster,
			  r->argv[2].data, r->argv[2].len, &f)) {
		ev->forged++;
		pxs_reply_error(&r->out, "ERR it is not by who has the cluster's key");
		return true;
	}
	wrong = wrong_with(ev, &f);
	if (!wrong && (ev->fenced || went_back(ev, &f)))
		wrong = "ERR the eventual keys stand still here";
	if (wrong) {
		pxs_reply_error(&r->out, "%s", wrong);
		return true;
	}
	if (!r->conn->feed_echo || f.echo != r->conn->feed_echo) {
		hello.ask = f;
		ev->len = sizeof(struct pxs_feed_head);
		if (reserve(ev, 0))
			reply(ev, &hello, PXS_FEED_HELLO);
		else
			pxs_reply_error(&r->out, "ERR out of memory");
		return true;
	}
	take(ev, r, &f);
	pxs_eventual_serve_all(ev);
	return false;
}
