// SPDX-License-Identifier: GPL-2.0
/*
 * client_member.c - a client that wants the members of a group changed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "client_proto.h"
#include "node.h"

struct change {
	struct pxs_client *client;
	u64 id;
	u32 group;
	char words[PXS_MEMBER_WORDS];
};

static void change_done(void *ctx, u32 error, u64 epoch)
{
	struct change *ch = ctx;
	struct pxs_client *c = ch->client;

	c->appends--;
	if (error == PXS_CLIENT_UNKNOWN)
		snprintf(ch->words, sizeof(ch->words),
			 "outcome unknown: see who the members are");
	else if (error == PXS_CLIENT_NOT_LEADER)
		snprintf(ch->words, sizeof(ch->words), "this member does not lead, or leads no more; not changed");
	else if (error == PXS_CLIENT_BUSY)
		snprintf(ch->words, sizeof(ch->words), "%s",
			 "another change is under way, this member has not led for long enough, or too much is in flight; not changed");
	if (error)
		pxs_client_answer_words(c, ch->group, ch->id, error, ch->words);
	else
		pxs_client_answer(c, PXS_CLIENT_CHANGED, 0, ch->group, ch->id, epoch, 0, NULL, 0);
	free(ch);
}

/* " 6379" behind the address: the port of its store. */
static bool take_store_port(struct pxs_wire_member *w, const char *text)
{
	unsigned long port;

	if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return false;
	port = strtoul(text, NULL, 10);
	w->store_port = cpu_to_be16((u16)port);
	return port && port <= 65535;
}

/* "10.0.0.1:7400", as its bytes. */
static bool take_address(struct pxs_wire_member *w, const u8 *body, u32 len)
{
	struct pxs_address a = { 0 };
	char text[80];
	char *blank;

	if (len >= sizeof(text))
		return false;
	memcpy(text, body, len);
	text[len] = 0;
	blank = strchr(text, ' ');
	if (blank) {
		*blank = 0;
		if (!take_store_port(w, blank + 1))
			return false;
	}
	if (pxs_address_parse(text, &a))
		return false;
	w->family = pxs_address_ip_len(&a) == 4 ? 4 : 6;
	w->port = pxs_address_port(&a);
	memcpy(w->addr, pxs_address_ip(&a), (size_t)pxs_address_ip_len(&a));
	return true;
}

/* Is the request one of @op that can be meant? Its body becomes @w. */
static bool take(const struct pxs_client_hdr *h, u8 op, const u8 *body, u32 len,
		 struct pxs_wire_member *w)
{
	u64 id = le64_to_cpu(h->arg), second = le64_to_cpu(h->arg2);

	if (op == PXS_MEMBER_QUORUM)
		return id <= PXS_VOTERS_MAX && second <= PXS_VOTERS_MAX && !len;
	if (!id || id > PXS_MEMBER_ID_MAX || !op || op >= __PXS_MEMBER_OP_MAX)
		return false;
	w->incarnation = cpu_to_be64(second);
	if (op != PXS_MEMBER_ADD && op != PXS_MEMBER_SET)
		return !len;
	return second && take_address(w, body, len);
}

void pxs_client_members(struct pxs_client *c, struct pxs_replica *r,
			const struct pxs_client_hdr *h, const u8 *body, u32 len)
{
	u64 id = le64_to_cpu(h->arg);
	u8 op = h->flags & ~PXS_CLIENT_CHANGE_FORCE;
	struct change *ch = calloc(1, sizeof(*ch));
	struct pxs_wire_member w = { 0 };
	u32 error;

	if (!ch || !take(h, op, body, len, &w)) {
		free(ch);
		pxs_client_answer_words(c, r->id, le64_to_cpu(h->id), PXS_CLIENT_INVALID,
					pxs_client_words(PXS_CLIENT_INVALID));
		return;
	}
	*ch = (struct change){ .client = c, .id = le64_to_cpu(h->id), .group = r->id };
	c->appends++;	/* it holds the client like one */
	if (op == PXS_MEMBER_QUORUM)
		error = pxs_member_quorum(r, (u8)id, (u8)le64_to_cpu(h->arg2), ch->words,
					  change_done, ch);
	else
		error = pxs_member_change(r, op, (u8)id, &w, h->flags & PXS_CLIENT_CHANGE_FORCE,
					  ch->words, change_done, ch);
	if (error)
		change_done(ch, error, 0);
}
