/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend.h - a destination of a service
 */
#ifndef PXS_BACKEND_H
#define PXS_BACKEND_H

#include <linux/list.h>
#include <linux/paxsteer.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>

#include "core/passive.h"
#include "core/drain.h"
#include "core/ramp.h"
#include "core/unfit.h"
#include "endpoint.h"
#include "load.h"
#include "stats.h"

struct pxs_net;
struct pxs_refusal;
struct pxs_service;
struct pxs_services;
struct pxs_given;
struct pxs_way;

/* What an Internet checksum (RFC 1624) gains when one endpoint is replaced by another. */
struct pxs_nat_gain {
	__wsum addr;	/* over the address: IPv4's header */
	__wsum all;	/* over address and port: UDP */
};

/* The first part is constant from add to free; the second is guarded by pxs_net.config. */
struct pxs_backend {
	struct pxs_endpoint at;		/* key of pxs_services.returns */
	struct rhash_head node;		/* in pxs_services.returns */
	struct rhash_head by_at, by_id;	/* in pxs_services.backends_at (but for sockets), _id */
	struct pxs_service *svc;
	struct pxs_steer_stats __percpu *stats;
	struct pxs_nat_gain gain;	/* mode nat: of what is sent to svc->at and goes to at */
	struct pxs_way __rcu *way;	/* the route to it, of way.c; NULL: not looked up */
	/* tunnels: where outer packets go, port 0 if they have none; in pxs_services.tunnels */
	struct pxs_endpoint outer;
	struct rhlist_head tunnel;
	struct pxs_given __rcu *given;	/* given as a descriptor; NULL: none, or closed */
	u64 cookie;			/* of that socket, its name; 0: named by at */
	u64 id;
	u16 index;			/* in the rows; lowest free one when added */
	struct rcu_head rcu;

	struct list_head list;		/* in pxs_service.backends */
	u32 weight;
	u8 state;			/* enum pxs_backend_state: the operator's */
	u8 health;			/* enum pxs_health: that of checks */
	char reason[PXS_HEALTH_REASON_MAX + 1];	/* why it is bad; "" otherwise */
	u32 rows;			/* whose first choice it is in the table in force */
	struct pxs_ramp ramp;		/* by pxs_due_now() */
	bool closed;			/* its socket was, and health says so for good */
	bool failed;			/* out by what the kernel saw: passive.c's */
	struct pxs_passive passive;
	struct pxs_drain drain;		/* passed is read by works of relay_link.c, too */
	struct hlist_node ends;		/* in pxs_drain_ends */
	struct pxs_backend_load load;
};

/* What SET may change: each is what shall be. */
struct pxs_backend_change {
	u32 weight;
	u8 state;
	u8 health;
	bool failed;
	u32 deadline;		/* seconds, 0: none, or PXS_DRAIN_AS_IS */
	const char *reason;	/* of health bad; NULL: as it was */
};

struct pxs_backend_spec {
	struct pxs_endpoint at;
	struct pxs_given *socket;	/* given as a descriptor, bound to at; NULL: by address */
	u64 id;
	u32 weight;
	u8 state;
	u32 deadline;		/* seconds; 0: none */
	struct pxs_backend *be;	/* out: what it became */
};

static inline bool pxs_backend_serves(const struct pxs_backend *be)
{
	return !pxs_unfit(be->state, be->health, be->failed);
}

/* Identity by default: a fixed hash of address and port, the same on every director. */
u64 pxs_backend_default_id(const struct pxs_endpoint *at);

/* By the socket that was given as a descriptor; others by backend_index.h. */
struct pxs_backend *pxs_backend_find_socket(const struct pxs_service *svc, u64 cookie);

/*
 * Under pxs_net.config. Each builds the new table first, one for all, and changes nothing when that
 * fails. Errors: -EEXIST (address, socket or id), -EADDRINUSE (ambiguous or a loop),
 * -EADDRNOTAVAIL (never an address of a backend), -ERANGE (core/limit.h), -ENOMEM, -EINTR (killed).
 * The specs' sockets are the backends' if there is no error; else *at is the spec that is to blame.
 */
int pxs_backends_add(struct pxs_service *svc, struct pxs_backend_spec *spec, u32 n,
		     struct pxs_refusal *no, u32 *at);
/* Up, down and health are a bit of the table in force, and no new one, unless a ramp begins. */
int pxs_backend_set(struct pxs_backend *be, const struct pxs_backend_change *to,
		    struct pxs_refusal *no);
int pxs_backend_del(struct pxs_backend *be, struct pxs_refusal *no);

/*
 * Connections at home there, or noted as being there, have none any more, where connections are
 * kept. Sleeps.
 */
void pxs_backend_evict(struct pxs_backend *be);

/* Off the list and the hash table, freed after a grace period; no plan may show it any more. */
void pxs_backend_destroy(struct pxs_backend *be);

/* Packet path, under RCU: the UDP backend of a nat or local service with this source. */
struct pxs_backend *pxs_backend_of_reply(struct pxs_net *pn, const struct pxs_endpoint *from);

/* Under RCU: does a packet to there, as a tunnel sends it, go to a backend? */
bool pxs_backend_has_tunnel(struct pxs_net *pn, const struct pxs_endpoint *outer);

/* The tables behind these, one of each a namespace. Return: 0 or -ENOMEM. */
int pxs_returns_init(struct pxs_services *s);
void pxs_returns_destroy(struct pxs_services *s);

#endif /* PXS_BACKEND_H */
