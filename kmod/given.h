/* SPDX-License-Identifier: GPL-2.0 */
/*
 * given.h - backends that are sockets given as descriptors
 */
#ifndef PXS_GIVEN_H
#define PXS_GIVEN_H

#include <linux/types.h>

/* Why a backend is bad whose socket was closed. */
#define PXS_GIVEN_CLOSED	"its socket is closed"

struct pxs_backend;
struct pxs_backend_spec;
struct pxs_endpoint;
struct pxs_net;
struct pxs_refusal;
struct pxs_service;
struct pxs_given;
struct sock;

int pxs_given_net_init(struct pxs_net *pn);

/* No packet is in a hook any more, and no service is left. Sleeps. */
void pxs_given_net_exit(struct pxs_net *pn);

/*
 * The caller's descriptor @fd as a backend of @svc: fills in @spec's socket and where it is bound.
 * In the context of who asks, under pxs_net.config. Return: 0, with a reference that is the
 * caller's until pxs_backend_add() took it; or -EBADF, -ENOTSOCK, -EINVAL and *no.
 */
int pxs_given_open(struct pxs_service *svc, u32 fd, struct pxs_backend_spec *spec,
		   struct pxs_refusal *no);
void pxs_given_put(struct pxs_given *s);

/* What SO_COOKIE says of it: never 0. */
u64 pxs_given_cookie(const struct pxs_given *s);

/* Do backends of the fill differ by their addresses alone? Then sockets at one address can't. */
bool pxs_given_fill_fits(u8 fill);

/*
 * The rest, but for what packets ask, under pxs_net.config.
 *
 * May it be a backend of the service? Return: 0, or -EEXIST, -EADDRINUSE, -EINVAL and *no.
 */
int pxs_given_check(struct pxs_service *svc, const struct pxs_given *s, struct pxs_refusal *no);

/*
 * Would a socket that was given and a backend by address of any service, local or of nat to this
 * host, meet at an address and port? It could not be told of a datagram which one sent it. @of: a
 * UDP service that replies come back to.
 */
bool pxs_given_clashes(const struct pxs_service *of, const struct pxs_backend_spec *spec);

/* It is the backend's from now on, and looked at. Return: 0, or -ENOMEM and such. */
int pxs_given_give(struct pxs_backend *be, struct pxs_given *s);

/* Packets find it no more; its reference is given up after a grace period. */
void pxs_given_take(struct pxs_backend *be);

/* Datagrams, or connections, that wait at it; 0 when it is closed. */
u32 pxs_given_waiting(const struct pxs_backend *be);

/* Packets, under RCU: the backend whose socket this is, UDP; or NULL. */
struct pxs_backend *pxs_given_backend(struct pxs_net *pn, const struct sock *sk);

/* Packets, under RCU: the backend's socket with a reference; NULL when it is closed. */
struct sock *pxs_given_get(const struct pxs_backend *be);

/* Packets, under RCU: it was found closed. No packet is steered to it from now on. */
void pxs_given_found_closed(struct pxs_backend *be);

#endif /* PXS_GIVEN_H */
