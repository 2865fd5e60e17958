/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store_where.h - where the members' stores listen, as the members change
 *
 * Clients are sent there (MOVED), and members ask each other there. A configuration in the log says
 * the port of each member's store, at the address that it has for the member; where it says none,
 * the configuration file's word counts, if it is about that very member: by id and incarnation.
 */
#ifndef PXS_AGENT_STORE_WHERE_H
#define PXS_AGENT_STORE_WHERE_H

#include "membership.h"	/* kmod/core */

#define PXS_WHERE_TEXT	64u	/* "[ADDRESS]:PORT" and a 0 */

struct pxs_group_config;

/* What the file says of one member; text "": nothing. */
struct pxs_store_where {
	u8 id;
	u64 incarnation;
	char text[PXS_WHERE_TEXT];
};

/* @g has gone over to @m: fill g->where[]. */
void pxs_store_where_follow(struct pxs_group_config *g, const struct pxs_membership *m);

/*
 * What a configuration can say of member index @i: the port of its store, in network order; 0: not
 * known, or at another address than the member's.
 */
__be16 pxs_store_where_port(const struct pxs_group_config *g, u32 i);

#endif /* PXS_AGENT_STORE_WHERE_H */
