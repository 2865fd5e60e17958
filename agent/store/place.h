/* SPDX-License-Identifier: GPL-2.0 */
/*
 * place.h - who may come: so many clients, and for other members a few more
 */
#ifndef PXS_STORE_PLACE_H
#define PXS_STORE_PLACE_H

#include <stdbool.h>

struct pxs_conn;
struct pxs_request;
struct pxs_store;

/* May one more come? */
bool pxs_place_free(const struct pxs_store *s);

/* @c, which is new, is one of its store's connections; and no longer, before it is freed. */
void pxs_place_take(struct pxs_conn *c);
void pxs_place_leave(const struct pxs_conn *c);

/* Return: @r may be asked from that place; else it is said, and the connection ends. */
bool pxs_place_serves(struct pxs_request *r);

/* At each tick: who has a member's place and asks nothing is refused. */
void pxs_place_tick(struct pxs_store *s);

#endif /* PXS_STORE_PLACE_H */
