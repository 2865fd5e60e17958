/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_lead.h - who leads is asked for changes: find it, or have it where it can be asked
 *
 * A daemon takes changes at its socket, on its own machine. So where another machine's member
 * leads, that one is asked, through its store, to hand over to the member of this machine; or,
 * where that one may not lead, for the change itself, in the name of who holds the cluster's key.
 */
#ifndef PXS_CLI_CLUSTER_LEAD_H
#define PXS_CLI_CLUSTER_LEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "paxsteer.h"

#define CLUSTER_LEAD_MS	20000u	/* how long a leader is waited for */

struct cli;
struct cluster_view;
struct where;

/* What it takes to be heard by members of other machines. */
struct cluster_means {
	const char *password;	/* of the stores; NULL: there is none */
	const char *etc;	/* the directory with the cluster's key */
};

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

/*
 * Blocks: the same at whoever leads the group that @v is turned to, near or far; from afar it is
 * begun only, and to be looked at. What is worth to be tried again is not PXS_LOG_INVALID.
 */
int cluster_lead_order(struct cluster_view *v, const struct where *w,
		       const struct cluster_means *means, const struct pxs_log_member *m,
		       char *why);

/*
 * Blocks: the same, led from here, by another than member @not, as by cluster_lead_here(); from
 * afar, where no member here may lead. Return: an exit status, and *err as above.
 */
int cluster_lead_do(struct cli *cli, const struct where *w, const struct cluster_means *means,
		    uint64_t not, const struct pxs_log_member *m, char *why, int *err);

/* May a member lead the group that @v is turned to, another than @not, whose socket is given? */
bool cluster_lead_near(const struct cluster_view *v, uint64_t not);

/* Is it worth to look again, and to try again? What is refused for good is not. */
bool cluster_lead_again(int error);

#endif /* PXS_CLI_CLUSTER_LEAD_H */
