/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend_index.h - the backends of a service by address, by id and by index
 */
#ifndef PXS_BACKEND_INDEX_H
#define PXS_BACKEND_INDEX_H

#include <linux/types.h>

struct pxs_backend;
struct pxs_endpoint;
struct pxs_service;
struct pxs_services;

/* The tables behind these, of a namespace; destroyed when they are empty. Return: 0 or -ENOMEM. */
int pxs_backend_index_init(struct pxs_services *s);
void pxs_backend_index_destroy(struct pxs_services *s);

/* Under pxs_net.config, as all that follows. By address: not one that was given as a socket. */
struct pxs_backend *pxs_backend_find(const struct pxs_service *svc, const struct pxs_endpoint *at);
struct pxs_backend *pxs_backend_find_id(const struct pxs_service *svc, u64 id);

/*
 * Enter a backend, with the lowest index that is free, which is set; its address and id are no
 * other's. Sleeps. Return: 0 or -ENOMEM and such, and then it is not in.
 */
int pxs_backend_enter(struct pxs_backend *be);
void pxs_backend_leave(struct pxs_backend *be);

#endif /* PXS_BACKEND_INDEX_H */
