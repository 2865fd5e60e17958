/* SPDX-License-Identifier: GPL-2.0 */
/*
 * client.h - one connection of the client port
 */
#ifndef PXS_AGENT_CLIENT_H
#define PXS_AGENT_CLIENT_H

#include "flight.h"
#include "node.h"

#define PXS_CLIENT_IN		(128u << 10)	/* bytes read at once, and of a request at most */
#define PXS_CLIENT_OUT_HIGH	(256u << 10)	/* answers waiting: no more values are read */
#define PXS_CLIENT_APPENDS_MAX	4096u		/* appends of one client that wait */

struct pxs_client {
	struct pxs_client *next;
	struct pxs_node *node;
	int fd;
	unsigned int ops;	/* in the ring */
	u32 appends;		/* and transfers, not answered; each holds this struct */
	bool dead;

	struct pxs_op recv_op;
	bool receiving;
	u8 *in;
	u32 in_len;

	struct pxs_op send_op;
	bool sending;
	u8 *out;		/* what waits to be sent */
	u32 out_len;
	u32 out_room;
	struct pxs_flight flight;

	/* READ */
	bool reading;
	bool follow;
	struct pxs_replica *replica;
	struct pxs_fetch fetch;
	u64 read_id;
	u64 read_next;
	u64 read_end;		/* last slot wanted */
};

/* Serve @fd. Return: the client, or NULL without memory (@fd is closed). */
struct pxs_client *pxs_client_new(struct pxs_node *n, int fd);

/* Called once a round: send, read on, go on with a READ. Return: did something. */
bool pxs_client_step(struct pxs_client *c);

/* Say so to the client, with the next round; nothing, once it is dead. */
void pxs_client_answer(struct pxs_client *c, u8 type, u8 flags, u32 group, u64 id, u64 arg,
		       u64 arg2, const void *body, u32 len);
void pxs_client_answer_words(struct pxs_client *c, u32 group, u64 id, u32 error,
			     const char *words);

/* client_append.c: APPEND */
void pxs_client_append(struct pxs_client *c, struct pxs_replica *r,
		       const struct pxs_client_hdr *h, const u8 *body, u32 len);

/* client_member.c: MEMBERS */
void pxs_client_members(struct pxs_client *c, struct pxs_replica *r,
			const struct pxs_client_hdr *h, const u8 *body, u32 len);

/* What an enum pxs_client_error means, in words; "?": none of them. Never NULL. */
const char *pxs_client_words(u32 error);

/* Nothing refers to it any more: may be freed. */
bool pxs_client_over(const struct pxs_client *c);
void pxs_client_free(struct pxs_client *c);

#endif /* PXS_AGENT_CLIENT_H */
