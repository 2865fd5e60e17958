/* SPDX-License-Identifier: GPL-2.0 */
/*
 * service.h - what clients address
 */
#ifndef PXS_SERVICE_H
#define PXS_SERVICE_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/paxsteer.h>
#include <linux/xarray.h>

#include "core/ports.h"
#include "endpoint.h"
#include "plan.h"
#include "stats.h"

struct pxs_keep;
struct pxs_net;
struct pxs_relay;

/* There are at most 1024 services: then 4 of them are in a chain. */
#define PXS_AT_BITS	8

/* Part of struct pxs_net. */
struct pxs_services {
	/* struct pxs_service, by where it is; written under config, read under RCU */
	struct hlist_head by_at[1 << PXS_AT_BITS];
	u32 hash_seed;			/* of by_at */
	/* struct pxs_backend (UDP) by address and port; under RCU */
	struct rhashtable returns;
	struct rhashtable given;	/* struct pxs_given (UDP) by sock; under RCU */
	struct rhltable tunnels;	/* struct pxs_backend by pxs_backend.outer; under RCU */
	struct rhashtable backends_at;	/* backend_index.c's, under config */
	struct rhashtable backends_id;	/* likewise */
	/* Written under pxs_net.config; packets ask these first: */
	struct pxs_ports at_ports;	/* of by_at */
	struct pxs_ports remote_ports;	/* of those whose backends are not sockets of this host */
	struct pxs_ports return_ports;	/* of returns and given */
	struct list_head list;		/* struct pxs_service, in order of id; under config */
	u32 n;
	u32 ngiven;			/* given as descriptors, not closed; read by packets */
	u32 forwarding;			/* of n, services whose mode forwards; read by packets */
	u32 early;			/* of n, how many want the early hooks */
	u32 last_id;			/* never reused: dumps resume by it */
	u32 seq;			/* counts changes, so that dumps notice them */
};

/* Why something is refused, for the operator. */
struct pxs_refusal {
	const char *why;	/* a sentence, static; NULL: the error says it all */
	int attr;		/* netlink attribute that is to blame, 0: none */
};

/* Refuse: remember why, return err. */
static inline int pxs_refuse(struct pxs_refusal *no, int err, int attr, const char *why)
{
	no->why = why;
	no->attr = attr;
	return err;
}

/* What SERVICE_SET may change. */
struct pxs_service_config {
	u8 fill;
	u16 cap;
	u16 slow_start;			/* seconds; 0: off */
	u16 bound;			/* of load, thousandths of the fair share; 0: off */
	u16 passive_fails;		/* that take a backend out; 0: off */
	u16 passive_seconds;		/* in which they count, and for which */
	u32 rows;			/* 0: by rule */
	struct pxs_key_spec key;
	struct pxs_seed seed;
};

/* The first part is constant from add to free; the last is guarded by pxs_net.config. */
struct pxs_service {
	struct pxs_endpoint at;		/* key of pxs_services.by_at */
	struct hlist_node node;
	struct pxs_net *pn;
	struct pxs_steer_stats __percpu *stats;
	u32 id;
	u8 mode;			/* enum pxs_mode */
	__be16 tunnel_port;		/* backends' UDP port, mode tunnel gue; else 0 */
	struct pxs_keep *keep;		/* TCP of a mode that forwards; else NULL. Lock-free */
	struct pxs_relay *relay;	/* mode request; else NULL */
	char name[PXS_NAME_MAX + 1];
	struct rcu_head rcu;

	struct pxs_plan __rcu *plan;	/* NULL: no backend was ever added */

	struct list_head list;
	struct pxs_service_config config;
	struct list_head backends;	/* struct pxs_backend, in no order */
	struct xarray by_index;		/* the same, by index */
	u32 nbackends;
	u32 group;			/* that agrees on its changes; 0: the operator's */
	bool passive;			/* passive.c looks at it */
	bool steers;			/* it is in pxs_services.by_at; else held (agreed.h) */
	u64 generation;			/* of the last table built */
	u32 load_tick;			/* looks at the load so far */
};

struct pxs_service_spec {
	const char *name;
	struct pxs_endpoint at;
	u8 mode;
	__be16 tunnel_port;		/* 0: the default of its mode */
	u32 group;			/* 0: the operator's */
	struct pxs_service_config config;
};

/* Do packets go to the backend inside others? */
static inline bool pxs_service_tunnels(const struct pxs_service *svc)
{
	return svc->mode == PXS_MODE_TUNNEL_IPIP || svc->mode == PXS_MODE_TUNNEL_GUE;
}

/* Do packets reach the backend as they are, and replies go not by this host? */
static inline bool pxs_service_forwards(const struct pxs_service *svc)
{
	return svc->mode == PXS_MODE_DSR || pxs_service_tunnels(svc);
}

int pxs_services_net_init(struct pxs_net *pn);
void pxs_services_net_pre_exit(struct pxs_net *pn);
void pxs_services_net_exit(struct pxs_net *pn);

/* Packet path, under RCU. */
struct pxs_service *pxs_service_lookup(struct pxs_net *pn, const struct pxs_endpoint *at);

/* The rest under pxs_net.config. */
struct pxs_service *pxs_service_find(struct pxs_net *pn, const char *name);

/* Also one that is held. */
struct pxs_service *pxs_service_at(struct pxs_net *pn, const struct pxs_endpoint *at);

/*
 * Errors: -EREMOTE (a group changes it), -EEXIST (name, or protocol, address and port),
 * -EADDRINUSE (a backend's), -EADDRNOTAVAIL (not an address of a host), -EINVAL, -ERANGE,
 * -ENOMEM, or what registering the hooks said. Nothing is changed by what is refused.
 */
struct pxs_service *pxs_service_add(struct pxs_net *pn, const struct pxs_service_spec *spec,
				    struct pxs_refusal *no);
int pxs_service_set(struct pxs_service *svc, const struct pxs_service_config *config,
		    struct pxs_refusal *no);
void pxs_service_del(struct pxs_service *svc);	/* whoever asked may: pxs_agreed_service() */

/* May it have so many backends more, with this configuration? Return: 0 or -ERANGE. */
int pxs_service_has_room(const struct pxs_service *svc, const struct pxs_service_config *config,
			 u32 more, struct pxs_refusal *no);

/* Let packets find it from now on, if they don't yet. */
void pxs_service_steer(struct pxs_service *svc);

/* Plan in force, for those who hold pxs_net.config. */
struct pxs_plan *pxs_service_plan(const struct pxs_service *svc);

/* Return: 0, or -EADDRNOTAVAIL and *why when no single host can have this address. */
int pxs_endpoint_check(struct pxs_net *pn, const struct pxs_endpoint *at, const char **why);

#endif /* PXS_SERVICE_H */
