/* SPDX-License-Identifier: GPL-2.0 */
/*
 * accept.h - who may connect when descriptors are short
 *
 * The journal's next segment needs one, or all groups stop to vote. So clients, of whom some need
 * not even say who they are, do not get the last ones.
 */
#ifndef PXS_AGENT_ACCEPT_H
#define PXS_AGENT_ACCEPT_H

#include "config.h"
#include "loop.h"

/*
 * Once, at the start: ask for as many descriptors as clients may come, up to the hard limit. Says
 * so if that is less.
 */
void pxs_accept_limit(const struct pxs_config *c);

/*
 * An accept() at @where ended with @res, a descriptor or -errno. Return: the descriptor, if it may
 * be served; otherwise it is closed, and the result is negative. *pause: none is to be accepted
 * before then (as pxs_loop.now has it): what was short will be so in the next instant, too.
 */
int pxs_accepted(const struct pxs_loop *l, const char *where, int res, u64 *pause);

#endif /* PXS_AGENT_ACCEPT_H */
