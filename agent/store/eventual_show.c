// SPDX-License-Identifier: GPL-2.0
/*
 * eventual_show.c - what there is to know of eventual keys: INFO, PAXSTEER EVENTUAL
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>

#define SCAN_KEYS	100u	/* of one answer */

/* --- INFO ---------------------------------------------------------------------- */

static const char *state_of(const struct pxs_pull *p)
{
	if (p->wrong)
		return p->wrong;
	return p->heard ? "ok" : "not heard yet";
}

/* What is lacking of its stream, as far as it was heard. */
static u64 behind(const struct pxs_eventual *ev, const struct pxs_pull *p)
{
	const struct pxs_evdb_state *st = &ev->db.state;
	u32 i = 0;

	while (i + 1 < PXS_EVDB_PEERS && st->peer[i].member != p->id)
		i++;
	return p->head - min(p->head, st->peer[i].cursor);
}

static u32 info_member(struct pxs_eventual *ev, u32 i, char *to)
{
	const struct pxs_pull *p = &ev->pull[i];
	u64 now = ev->store->node->loop.now;

	return (u32)sprintf(to, "eventual_member%u:behind=%" PRIu64 ",heard_ms=%" PRId64
			    ",merged=%" PRIu64 ",bytes=%" PRIu64 ",confirmed=%" PRIu64 ",state=%s\r\n",
			    p->id, behind(ev, p), p->heard ? (s64)(now - p->heard) : -1, p->merged,
			    p->bytes, ev->confirm[i].safe, state_of(p));
}

u32 pxs_eventual_info(struct pxs_store *s, char *to)
{
	struct pxs_eventual *ev = s->eventual;
	const struct pxs_evdb_state *st;
	u32 i, len;

	if (!ev)
		return (u32)sprintf(to, "# Eventual\r\neventual_prefixes:0\r\n");
	st = &ev->db.state;
	len = (u32)sprintf(to, "# Eventual\r\neventual_prefixes:%u\r\n"
			   "eventual_list:%016" PRIx64 "\r\neventual_elements:%" PRIu64 "\r\n"
			   "eventual_marks:%" PRIu64 "\r\neventual_memory:%" PRIu64 "\r\n"
			   "eventual_maxmemory:%" PRIu64 "\r\neventual_place:%" PRIu64 "\r\n"
			   "eventual_clock_ms:%" PRIu64 "\r\neventual_writes:%" PRIu64 "\r\n"
			   "eventual_reads:%" PRIu64 "\r\neventual_commits:%" PRIu64 "\r\n"
			   "eventual_sent:%" PRIu64 "\r\neventual_expired:%" PRIu64 "\r\n"
			   "eventual_swept:%" PRIu64 "\r\neventual_refused:%" PRIu64 "\r\n"
			   "eventual_ahead:%" PRIu64 "\r\neventual_differs:%" PRIu64 "\r\n"
			   "eventual_forged:%" PRIu64 "\r\neventual_stopped:%s\r\n",
			   s->config->eventual.n, ev->list, st->items - st->dead, st->dead,
			   st->used, s->config->eventual_memory, st->head,
			   pxs_stamp_ms(st->clock), ev->writes, ev->reads, ev->commits, ev->sent,
			   ev->reaped, ev->swept, ev->refused,
			   ev->ahead, ev->differs, ev->forged,
			   ev->fenced ? ev->fenced : ev->stalled ? strerror(-ev->stalled) : "no");
	for (i = 0; i < ev->peers; i++)
		len += info_member(ev, i, to + len);
	return len;
}

/* --- PAXSTEER EVENTUAL --------------------------------------------------------- */

static void prefixes(struct pxs_request *r)
{
	const struct pxs_prefixes *p = &r->conn->store->config->eventual;
	u32 i;

	pxs_reply_array(&r->out, p->n);
	for (i = 0; i < p->n; i++)
		pxs_reply_text(&r->out, p->text[i]);
}

/* How many elements, and the digest: both are equal where members have the same. */
static void digest(struct pxs_request *r, struct pxs_eventual *ev, struct pxs_evtx *tx)
{
	u8 sum[16];
	char text[2 * sizeof(sum) + 1];
	u64 n = pxs_evdb_digest(tx, pxs_eventual_now(ev), sum);
	u32 i;

	for (i = 0; i < sizeof(sum); i++)
		sprintf(text + 2 * i, "%02x", sum[i]);
	pxs_reply_array(&r->out, 2);
	pxs_reply_int(&r->out, (s64)n);
	pxs_reply_text(&r->out, text);
}

struct keys {
	struct pxs_reply *out;
	u32 n;
};

static bool see(void *ctx, const struct pxs_element *e)
{
	struct keys *k = ctx;

	pxs_reply_str(k->out, e->key);
	return ++k->n < SCAN_KEYS && !k->out->failed;
}

static void scan(struct pxs_request *r, struct pxs_eventual *ev, struct pxs_evtx *tx, u64 cursor)
{
	struct keys k = { .out = &r->out };
	u32 at = r->out.len, mid;
	char text[24];

	cursor = pxs_evdb_scan(tx, cursor, pxs_eventual_now(ev), see, &k);
	mid = r->out.len;
	pxs_reply_array(&r->out, 2);
	pxs_reply_bulk(&r->out, text, (u32)sprintf(text, "%" PRIu64, cursor));
	pxs_reply_array(&r->out, k.n);
	pxs_reply_front(&r->out, at, mid);
}

void pxs_eventual_command(struct pxs_request *r)
{
	struct pxs_eventual *ev = r->conn->store->eventual;
	struct pxs_run x = { .out = &r->out };
	bool sum = r->argc == 3 && pxs_str_is(r->argv[2], "digest");
	bool walk = r->argc == 4 && pxs_str_is(r->argv[2], "scan");
	struct pxs_evtx tx;
	u64 cursor = 0;

	if (r->argc == 2) {
		prefixes(r);
	} else if (!sum && !walk) {
		pxs_reply_error(&r->out, "ERR PAXSTEER EVENTUAL [DIGEST | SCAN CURSOR]");
	} else if (!ev) {
		pxs_reply_error(&r->out, "ERR this store has no eventual prefixes");
	} else if (!walk || pxs_cmd_cursor(&x, r->argv[3], &cursor)) {
		if (pxs_evdb_begin(&ev->db, &tx, false)) {
			pxs_reply_error(&r->out, "ERR the eventual keys cannot be read");
			return;
		}
		if (sum)
			digest(r, ev, &tx);
		else
			scan(r, ev, &tx, cursor);
		pxs_evdb_abort(&tx);
	}
}
