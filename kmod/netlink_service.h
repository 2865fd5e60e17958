/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netlink_service.h - the steering half of the family's operations
 *
 * Three files: services; backends; tables, lookup and the namespace's counters.
 */
#ifndef PXS_NETLINK_SERVICE_H
#define PXS_NETLINK_SERVICE_H

#include <net/genetlink.h>

#include "endpoint.h"

struct pxs_backend;
struct pxs_net;
struct pxs_service;

extern const struct genl_ops pxs_service_ops[];
extern const unsigned int pxs_service_n_ops;
extern const struct genl_ops pxs_backend_ops[];
extern const unsigned int pxs_backend_n_ops;
extern const struct genl_ops pxs_table_ops[];
extern const unsigned int pxs_table_n_ops;

/* The service that attribute type of the request names, or NULL and *err. */
struct pxs_service *pxs_nl_service(struct genl_info *info, int type, int *err);

/*
 * Address attribute (4 or 16 bytes) and port attribute (or NULL: 0) into an endpoint
 * of protocol proto. Return: 0, or -EINVAL with the ack filled in.
 */
int pxs_nl_endpoint(struct netlink_ext_ack *extack, const struct nlattr *addr,
		    const struct nlattr *port, u8 proto, struct pxs_endpoint *at);

/* Return: 0 or -EMSGSIZE. */
int pxs_nl_put_endpoint(struct sk_buff *skb, const struct pxs_endpoint *at, int addr, int port);

/* Announce a change of the backend that nobody asked for. Under pxs_net.config. */
void pxs_nl_backend_changed(const struct pxs_backend *be);

#endif /* PXS_NETLINK_SERVICE_H */
