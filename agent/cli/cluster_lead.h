/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_lead.h - who leads is asked for changes: find it, or have it where it can be asked
 *
 * A daemon takes changes at its socket only, on its own machine. So where another machine's member
 * leads, that one is asked, through its store, to hand over to the member of this machine.
 */
#ifndef PXS_CLI_CLUSTER_LEAD_H
#define PXS_CLI_CLUSTER_LEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "paxsteer.h"

#define CLUSTER_LEAD_MS	20000u	/* how long a leader is waited for */

struct cli;
struct where;

void cluster_pause(unsigned int ms);

/*
 * Blocks until a member leads whose daemon's socket is given, and which is not member @not (0: any
 * will do). @password: of the stores, may be NULL. Return: an exit status, after the reason.
 */
int cluster_lead_here(struct cli *cli, const struct where *w, const char *password, uint64_t not);

/*
 * Blocks until member @to leads the group, of which member @leader, whose store is @store (NULL:
 * not known), leads. Return likewise.
 */
int cluster_lead_give(struct cli *cli, const struct where *w, const char *password,
		      uint64_t leader, const char *store, uint64_t to);

/*
 * Blocks: one change, at the leader, which must be at one of the sockets. Return: 0, or an enum
 * pxs_log_error with the reason in @why (CLUSTER_CHANGE_WORDS bytes).
 */
#define CLUSTER_CHANGE_WORDS	512u
int cluster_lead_change(const struct where *w, const struct pxs_log_member *m, char *why);

/* Is it worth to look again, and to try again? What is refused for good is not. */
bool cluster_lead_again(int error);

#endif /* PXS_CLI_CLUSTER_LEAD_H */
