// SPDX-License-Identifier: GPL-2.0
/*
 * submit.c - requests into the log, and read indexes or barriers for reads
 *
 * What was refused before it was proposed gets Redis's word for it. What was proposed and
 * whose outcome is not known is said to be so: it may yet happen, and is not tried again.
 */
#include "store.h"

#include <inttypes.h>

/* The barrier that is under way when a read comes, and its own. */
#define READ_PATIENCE_MS	(2 * PXS_PATIENCE_MS)

/* One proposal. p.value follows, so it is last. */
struct order {
	struct pxs_store *store;
	struct pxs_request *request;	/* NULL: a barrier, or what follows */
	struct pxs_driven *place;	/* NULL: nobody's */
	bool part;			/* of a request; the last one tells how it ends */
	u64 since;			/* ns, steady: before it was proposed */
	struct pxs_proposal p;
};

static void refuse(struct pxs_request *r, u32 error)
{
	switch (error) {
	case PXS_CLIENT_NOT_LEADER:
		pxs_session_redirect(r);
		break;
	case PXS_CLIENT_BUSY:
		pxs_reply_error(&r->out, "NOREPLICAS Not enough good replicas to write.");
		break;
	case PXS_CLIENT_FENCED:
		pxs_reply_error(&r->out, "CLUSTERDOWN The cluster is down");
		break;
	default:
		pxs_reply_error(&r->out,
				"UNCERTAIN the command may have been executed or not: leadership has changed, or no quorum answers");
	}
	pxs_request_done(r);
}

/* A leader that is heard, and whose entries are not written, has none decided; and leads on. */
static bool waited_enough(const struct pxs_request *r)
{
	return pxs_store_steady() - r->arrived >= READ_PATIENCE_MS * 1000000ull;
}

static void try_again(struct pxs_store *s, struct pxs_request *r)
{
	if (!waited_enough(r)) {
		pxs_submit_read(s, r);
		return;
	}
	pxs_reply_error(&r->out, "TRYAGAIN no quorum says that this member is up to date");
	pxs_request_done(r);
}

static void barrier_failed(struct pxs_store *s, u32 error)
{
	struct pxs_request_list list = s->barred;
	struct pxs_request *r;

	pxs_requests_init(&s->barred);
	s->barrier = false;
	while (list.first) {
		r = list.first;
		list.first = r->link;
		/* A read that did not happen can be tried again, if this node still leads. */
		if ((error == PXS_CLIENT_UNKNOWN || error == PXS_CLIENT_NOT_LEADER) &&
		    pxs_store_leads(s))
			try_again(s, r);
		else if (error == PXS_CLIENT_UNKNOWN)
			refuse(r, PXS_CLIENT_NOT_LEADER);
		else
			refuse(r, error);
	}
}

static void order_done(struct pxs_proposal *p, u32 error, u64 slot)
{
	struct order *o = (struct order *)((char *)p - offsetof(struct order, p));
	struct pxs_store *s = o->store;
	struct pxs_request *r = o->request;
	struct pxs_driven *place = o->place;
	bool part = o->part;

	if (!error)
		pxs_fresh_learn(&s->fresh, o->since, slot);
	free(o);
	if (part)
		return;
	if (place) {
		pxs_driven_over(place, error, slot);
	} else if (!r && error) {
		barrier_failed(s, error);
	} else if (!r) {
		s->barrier_slot = slot;
		s->barrier_known = true;
	} else if (error) {
		refuse(r, error);
	} else {
		r->state = PXS_REQUEST_DECIDED;
		r->slot = slot;
		pxs_requests_push(&s->decided, r);
		if (r->cross)
			pxs_cross_decided(r);
	}
}

static void init(struct order *o, struct pxs_store *s, struct pxs_request *r, u64 size)
{
	o->store = s;
	o->request = r;
	o->place = NULL;
	o->part = false;
	o->since = pxs_store_steady();
	o->p.done = order_done;
	o->p.len = (u32)size;
}

static struct order *make(struct pxs_store *s, struct pxs_request *r, u8 kind,
			  const struct pxs_args *command, u32 ncommands, u64 size)
{
	struct pxs_store_entry e = {
		.kind = kind,
		.ncommands = ncommands,
		.client = s->client ^ (r ? r->conn->id : 0),
		.seq = r ? ++r->conn->seq : ++s->entries,
		.time = pxs_store_clock(),
		.memory = s->config->maxmemory,
	};
	struct order *o = malloc(sizeof(*o) + size);

	if (!o)
		return NULL;
	if (r && r->session) {
		e.once = true;
		e.client = r->session;
		e.seq = r->number;
	} else if (kind == PXS_STORE_SESSION) {
		e.client = s->config->sessions;
		e.seq = (u64)s->config->session_age * 1000;
	} else if (kind == PXS_STORE_SAGA) {
		e.client = s->config->sagas;
		e.seq = (u64)s->config->saga_age * 1000;
	}
	if (r && kind == PXS_STORE_EXEC)
		e.nwatches = r->conn->watches;
	init(o, s, r, size);
	pxs_store_entry_put(o->p.value, &e, r ? r->conn->watch : NULL, command);
	return o;
}

/*
 * One after the other, and nothing in between. When one of them is refused, the last one is not
 * proposed: nothing will be executed, and the answer is as definite as that of a single value.
 */
static u32 propose_parts(struct pxs_store *s, struct order *whole)
{
	u64 size = whole->p.len;
	struct pxs_store_entry e = {
		.client = s->client ^ (whole->request ? whole->request->conn->id : 0),
		.seq = whole->request ? ++whole->request->conn->seq : ++s->entries,
		.parts = (u32)((size + PXS_STORE_PART_BYTES - 1) / PXS_STORE_PART_BYTES),
	};
	struct order *o;
	u32 len, error = PXS_CLIENT_OK;

	if (!pxs_propose_room(s->replica, e.parts, (u64)e.parts * PXS_VALUE_MAX))
		return PXS_CLIENT_BUSY;
	for (; e.part < e.parts && !error; e.part++) {
		len = pxs_store_part_size(size, e.part);
		o = malloc(sizeof(*o) + len);
		if (!o)
			return PXS_CLIENT_BUSY;
		*o = *whole;
		o->part = e.part + 1 < e.parts;
		o->p.len = len;
		pxs_store_part_put(o->p.value, &e, whole->p.value, size);
		error = pxs_propose(s->replica, &o->p);
		if (error)
			free(o);
	}
	return error;
}

static u32 propose(struct pxs_store *s, struct order *o)
{
	u32 error;

	if (!o)
		return PXS_CLIENT_BUSY;
	if (o->p.len <= PXS_VALUE_MAX) {
		error = pxs_propose(s->replica, &o->p);
		if (error)
			free(o);
		return error;
	}
	error = propose_parts(s, o);
	free(o);
	return error;
}

bool pxs_submit(struct pxs_store *s, struct pxs_request *r, u8 kind, const struct pxs_args *command,
		u32 ncommands)
{
	bool exec = kind == PXS_STORE_EXEC;
	u64 size = pxs_store_entry_size(r->conn->watch, exec ? r->conn->watches : 0, command,
					ncommands);
	/* What a saga is made of has the room of one value in the database. */
	u32 most = kind == PXS_STORE_SAGA ? PXS_VALUE_MAX : PXS_STORE_ENTRY_MAX;
	u32 error;

	if (size > most) {
		pxs_reply_error(&r->out,
				"ERR command too large for the log: %" PRIu64 " bytes, of at most %u",
				size, most);
		pxs_request_done(r);
		return false;
	}
	error = propose(s, make(s, r, kind, command, ncommands, size));
	if (!error) {
		r->state = PXS_REQUEST_PROPOSED;
		return true;
	}
	refuse(r, error);
	return false;
}

bool pxs_submit_step_of(struct pxs_store *s, const struct pxs_store_entry *e,
			struct pxs_str commands, struct pxs_driven *place)
{
	u64 size = sizeof(struct pxs_store_entry_hdr) + commands.len;
	struct order *o = malloc(sizeof(*o) + size);

	if (!o)
		return false;
	init(o, s, NULL, size);
	o->place = place;
	pxs_store_entry_put_bytes(o->p.value, e, commands);
	return !propose(s, o);
}

void pxs_submit_read(struct pxs_store *s, struct pxs_request *r)
{
	r->state = PXS_REQUEST_READS;
	if (!r->arrived)
		r->arrived = pxs_store_steady();
	pxs_requests_push(&s->reads, r);
}

/* Return: it is under way. */
static bool propose_barrier(struct pxs_store *s)
{
	struct order *o;
	u32 error;

	s->barrier = true;
	s->barrier_known = false;
	s->timeless = false;
	o = make(s, NULL, PXS_STORE_BARRIER, NULL, 0, sizeof(struct pxs_store_entry_hdr));
	error = o ? pxs_propose(s->replica, &o->p) : PXS_CLIENT_BUSY;
	if (!error) {
		s->barrier_since = o->since;
		s->barriers++;
		return true;
	}
	free(o);
	barrier_failed(s, error);
	return false;
}

static void index_done(struct pxs_index_read *q, u32 error, u64 index)
{
	struct pxs_store *s = (struct pxs_store *)((char *)q - offsetof(struct pxs_store, index));

	if (error) {
		barrier_failed(s, error);
		return;
	}
	pxs_fresh_learn(&s->fresh, s->barrier_since, index);
	s->barrier_slot = index;
	s->barrier_known = true;
}

/* The same without an entry: a quorum says that we still lead. Return: it is under way. */
static bool ask_index(struct pxs_store *s)
{
	u32 error;

	s->barrier = true;
	s->barrier_known = false;
	s->timeless = true;
	s->barrier_since = pxs_store_steady();
	s->index.done = index_done;
	error = pxs_replica_read(s->replica, &s->index);
	if (!error) {
		s->indexes++;
		return true;
	}
	barrier_failed(s, error);
	return false;
}

/* Has a key expired, by our clock, that is there by the log's time? Between transactions. */
static bool key_is_due(struct pxs_store *s)
{
	u64 next = 0;

	if (!pxs_db_begin(&s->db, false)) {
		next = pxs_db_next_expire(&s->db);
		pxs_db_abort(&s->db);
	}
	return next && next < max(pxs_store_clock(), s->db.state.time);
}

/*
 * What has expired is for the log to say: whoever leads next may have a slower clock, and nobody
 * may see a key again that was gone. Until a key is due the log's time makes no difference, but
 * to those who ask how long it has yet.
 */
static bool wants_time(struct pxs_store *s)
{
	const struct pxs_request *r = s->barred.first;
	bool late = s->late;

	s->late = false;
	while (r && !(r->cmd->flags & PXS_CF_TIME))
		r = r->link;
	return late || r || key_is_due(s);
}

bool pxs_submit_late(struct pxs_store *s)
{
	s->late = s->timeless && key_is_due(s);
	return s->late;
}

u64 pxs_submit_newest(const struct pxs_store *s)
{
	u64 at = pxs_fresh_newest(&s->fresh);

	if (s->barrier)
		at = max(at, s->barrier_since);
	if (s->ask.stage == PXS_ASK_CONNECT)
		return ~0ull / 2;	/* the question will be newer than anything */
	return s->ask.stage == PXS_ASK_IDLE ? at : max(at, s->ask.at);
}

/* The store stands still: what waits for a slot to be applied would do so for long, or for ever. */
static bool refuse_reads(struct pxs_store *s)
{
	bool did = s->reads.first || s->barred.first;
	struct pxs_request *r;

	while ((r = pxs_requests_pop(&s->barred)) || (r = pxs_requests_pop(&s->reads))) {
		pxs_session_may_write(r);	/* says why not */
		pxs_request_done(r);
	}
	return did;
}

static bool give_up(struct pxs_store *s)
{
	bool did = refuse_reads(s) || s->decided.first;
	struct pxs_request *r;

	while ((r = pxs_requests_pop(&s->decided))) {
		if (r->parent && r->parent->cross) {	/* the whole has a deadline */
			r->state = PXS_REQUEST_PROPOSED;
			pxs_requests_push(&s->shares, r);
			continue;
		}
		if (r->cross) {
			pxs_cross_unknown(r);
			continue;
		}
		pxs_reply_error(&r->out, "UNCERTAIN the command is in the log, and may be executed by others: the store of this member has stopped");
		pxs_request_done(r);
	}
	return did;
}

bool pxs_submit_step(struct pxs_store *s)
{
	struct pxs_request *r;
	bool did;

	if (s->stopped)
		return give_up(s);
	did = s->stalled && refuse_reads(s);
	if (s->want_fresh && !pxs_store_leads(s)) {
		s->want_fresh = false;
		pxs_ask(s, s->replica->elect.leader);
	}
	if (s->barrier || (!s->reads.first && !s->want_fresh))
		return did;
	s->want_fresh = false;
	while ((r = pxs_requests_pop(&s->reads)))
		pxs_requests_push(&s->barred, r);
	did |= !!s->barred.first;
	/* Reads are refused then. For evidence alone it is tried again, in another round. */
	return (wants_time(s) ? propose_barrier(s) : ask_index(s)) || did;
}

/* The log's time stands still while nothing is proposed: then the leader says what time it is. */
void pxs_submit_expiry(struct pxs_store *s)
{
	if (s->barrier || !pxs_store_leads(s) || s->db.state.applied < s->replica->applied)
		return;
	if (key_is_due(s))
		propose_barrier(s);
}
