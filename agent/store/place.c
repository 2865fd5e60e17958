// SPDX-License-Identifier: GPL-2.0
/*
 * place.c - who may come: so many clients, and for other members a few more
 *
 * Members ask each other by the same door as clients. If those who have come, and may stay for ever
 * without a word, kept them out, eventual keys would not converge, and who lacks what the logs have
 * no more would get no checkpoint. So there are places beyond the clients': who has one of
 * these asks what members ask, within a second, or is refused.
 */
#include "store.h"

#define SILENCE_MS	1000

static const char words[] = "ERR max number of clients reached";

/* Each other one asks for a barrier and an image of each group, and for eventual keys. */
static u32 for_members(const struct pxs_store *s)
{
	return (PXS_MEMBERS_MAX - 1) * (2 * pxs_set_count(s) + 1);
}

static bool clients_full(const struct pxs_store *s)
{
	return s->nconns - s->nmembers >= s->config->maxclients;
}

bool pxs_place_free(const struct pxs_store *s)
{
	return !clients_full(s) || s->nmembers < for_members(s);
}

void pxs_place_take(struct pxs_conn *c)
{
	struct pxs_store *s = c->store;

	c->member_s = clients_full(s);
	s->nmembers += c->member_s;
	c->next = s->conns;
	s->conns = c;
	s->nconns++;
}

void pxs_place_leave(const struct pxs_conn *c)
{
	c->store->nmembers -= c->member_s;
	c->store->nconns--;
}

static bool is_question(const struct pxs_request *r)
{
	static const char *const question[] = { "barrier", "feed", "image" };
	u32 i;

	if (!r->cmd || r->cmd->local != PXS_LOCAL_PAXSTEER || r->argc < 2)
		return false;
	for (i = 0; i < ARRAY_SIZE(question); i++)
		if (pxs_str_is(r->argv[1], question[i]))
			return true;
	return false;
}

bool pxs_place_serves(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;

	if (!c->member_s || (r->cmd && r->cmd->local == PXS_LOCAL_AUTH))
		return true;
	if (is_question(r)) {
		c->asked |= c->authenticated;
		return true;
	}
	pxs_reply_error(&r->out, "%s", words);
	c->closing = true;
	c->store->rejected++;
	return false;
}

void pxs_place_tick(struct pxs_store *s)
{
	struct pxs_conn *c;

	for (c = s->nmembers ? s->conns : NULL; c; c = c->next) {
		if (!c->member_s || c->asked || c->dead || c->closing ||
		    s->node->loop.now - c->since < SILENCE_MS)
			continue;
		pxs_reply_error(&c->out, "%s", words);
		c->closing = true;
		s->rejected++;
		pxs_conn_ready(c);
	}
}
