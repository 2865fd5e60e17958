/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deliver_dsr.h - deliver unchanged, to the backend's link-layer address
 */
#ifndef PXS_DELIVER_DSR_H
#define PXS_DELIVER_DSR_H

#include <net/dst.h>

struct net;
struct pxs_backend;

/*
 * Look up the route to a backend as a neighbour, whoever a packet is for. A reference is the
 * caller's. Any context. Return: NULL when there is none, or only one through a gateway, who
 * would send what is for the service back to us.
 */
struct dst_entry *pxs_dsr_route(struct net *net, const struct pxs_backend *be);

#endif /* PXS_DELIVER_DSR_H */
