// SPDX-License-Identifier: GPL-2.0
/*
 * client_append.c - APPEND: a client's value, in one slot of the log or in several (chunk.h)
 *
 * The chunks of a value are queued in one go, and the queue is first come, first served: so they
 * get slots one after the other, unless leadership or members change on the way.
 */
#include "client.h"

#include <sys/random.h>

#include "change.h"
#include "chunk.h"
#include "director.h"

struct append {
	struct pxs_client *client;
	u64 id;
	u32 group;
	struct pxs_director *director;	/* that executes it; NULL: it is data */
	struct pxs_director_wait wait;
	u32 chunks, ended;
	u64 first;		/* slot of the first chunk */
	u32 refused;		/* what kept a chunk out of the log for certain; 0: nothing */
	bool unknown;		/* ... or perhaps */
	bool apart;		/* the slots are not one after the other */
};

/* A slot's worth of it. p.value follows, so it is last. */
struct piece {
	struct append *append;
	u32 index;
	struct pxs_proposal p;
};

static void answer(struct append *a, u32 error, const char *words, u64 slot)
{
	struct pxs_client *c = a->client;

	c->appends--;
	if (error)
		pxs_client_answer_words(c, a->group, a->id, error, words);
	else
		pxs_client_answer(c, PXS_CLIENT_APPENDED, 0, a->group, a->id, slot, 0, NULL, 0);
	free(a);
}

static void executed(struct pxs_director_wait *w, bool known, u64 slot, int err, const char *words)
{
	struct append *a = (struct append *)((char *)w - offsetof(struct append, wait));

	if (!known)
		answer(a, PXS_CLIENT_UNKNOWN,
		       "decided, but what the module says to it is not known", slot);
	else
		answer(a, err ? PXS_CLIENT_REFUSED : 0, *words ? words : strerror(-err), slot);
}

/* A value that lacks a chunk, or has something between two, is none, and never will be. */
static u32 outcome(const struct append *a)
{
	if (a->refused)
		return a->refused;
	if (a->unknown)
		return PXS_CLIENT_UNKNOWN;
	return a->apart ? PXS_CLIENT_BUSY : PXS_CLIENT_OK;
}

static void piece_done(struct pxs_proposal *p, u32 error, u64 slot)
{
	struct piece *piece = (struct piece *)((char *)p - offsetof(struct piece, p));
	struct append *a = piece->append;

	if (error == PXS_CLIENT_UNKNOWN)
		a->unknown = true;
	else if (error)
		a->refused = error;
	else if (!piece->index)
		a->first = slot;
	else
		a->apart |= slot != a->first + piece->index;
	free(piece);
	if (++a->ended < a->chunks)
		return;
	error = outcome(a);
	if (error || !a->director)
		answer(a, error, pxs_client_words(error), slot);
	else
		pxs_director_await(a->director, slot, &a->wait);
}

static u32 propose_piece(struct pxs_replica *r, struct append *a, u32 index, u64 whole,
			 const u8 *body, u32 len)
{
	u32 size = a->chunks > 1 ? pxs_chunk_size(len, index) : len;
	struct piece *piece = malloc(sizeof(*piece) + size);
	u32 error;

	if (!piece)
		return PXS_CLIENT_BUSY;
	piece->append = a;
	piece->index = index;
	piece->p.done = piece_done;
	piece->p.len = size;
	if (a->chunks > 1)
		pxs_chunk_put(piece->p.value, whole, body, len, index);
	else
		memcpy(piece->p.value, body, len);
	error = pxs_propose(r, &piece->p);
	if (error)
		free(piece);
	return error;
}

/*
 * All of it, or what is in front of what was refused: nobody takes that for a value. Return: 0,
 * then it will be answered; or why not, and *@a is the caller's if nothing of it is queued.
 */
static u32 propose(struct pxs_replica *r, struct append *a, const u8 *body, u32 len)
{
	u64 whole = 0;
	u32 i, error;

	if (a->chunks > 1 && getrandom(&whole, sizeof(whole), 0) != sizeof(whole))
		return PXS_CLIENT_BUSY;
	if (a->chunks > 1 && !pxs_propose_room(r, a->chunks, (u64)a->chunks * PXS_VALUE_MAX))
		return PXS_CLIENT_BUSY;
	for (i = 0; i < a->chunks; i++) {
		error = propose_piece(r, a, i, whole, body, len);
		if (!error)
			continue;
		a->refused = error;
		a->chunks = i;
		return i ? 0 : error;
	}
	return 0;
}

/* May it be in this log? Return: NULL, or why not, and *error. */
static const char *refusal(const struct pxs_replica *r, const u8 *body, u32 len, u32 *error)
{
	struct pxs_change change;
	struct pxs_chunk chunk;
	const char *why = NULL;

	*error = PXS_CLIENT_STORE;
	if (r->config->store)
		return pxs_client_words(*error);
	/* Readers would take it for a chunk of something. */
	*error = PXS_CLIENT_INVALID;
	if (!len || pxs_chunk_get(body, len, &chunk))
		return pxs_client_words(*error);
	*error = PXS_CLIENT_TOO_LARGE;
	if (len > (r->config->tables ? PXS_VALUE_MAX : PXS_WHOLE_MAX))
		return pxs_client_words(*error);
	*error = PXS_CLIENT_TABLES;
	if (r->config->tables && !pxs_change_parse(body, len, &change, &why))
		why = pxs_change_refusal(&change, r->id);
	return why;
}

void pxs_client_append(struct pxs_client *c, struct pxs_replica *r,
		       const struct pxs_client_hdr *h, const u8 *body, u32 len)
{
	struct append *a;
	const char *why;
	u32 error;

	why = refusal(r, body, len, &error);
	if (why) {
		pxs_client_answer_words(c, r->id, le64_to_cpu(h->id), error, why);
		return;
	}
	a = malloc(sizeof(*a));
	if (!a) {
		pxs_client_answer_words(c, r->id, le64_to_cpu(h->id), PXS_CLIENT_BUSY,
					pxs_client_words(PXS_CLIENT_BUSY));
		return;
	}
	*a = (struct append){
		.client = c, .id = le64_to_cpu(h->id), .group = r->id,
		.director = pxs_director_of(c->node, r), .wait.done = executed,
		.chunks = len > PXS_VALUE_MAX ? pxs_chunk_count(len) : 1,
	};
	c->appends++;
	error = propose(r, a, body, len);
	if (error)
		answer(a, error, pxs_client_words(error), 0);
}
