/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_voters.h - which members vote in which groups of a store, where not all do in all
 *
 * All members have the logs of all groups; a write waits for a majority of those that vote in its
 * group. So some vote and the others are learners, and each member votes in about as many groups.
 * Who votes stays, as far as that allows: the fewest members change. Where there is a choice the
 * module's rendezvous ranks decide (kmod/core/rank.h), with the cluster's id as the seed: with
 * nobody to keep that is capped rendezvous, as it is for keys over groups.
 *
 * Pure. One step is done, then it is looked again: what is half done needs exactly what is left of
 * it, so a command can be ended at any moment and run anew.
 */
#ifndef PXS_CLI_CLUSTER_VOTERS_H
#define PXS_CLI_CLUSTER_VOTERS_H

#include <stdint.h>

#include "siphash.h"

#define CLUSTER_VOTERS_GROUPS	64u	/* of one placement, at most */

/* A group; in sets of members bit ID is member ID. */
struct cluster_seats {
	uint64_t group;
	uint64_t votes;		/* who does now */
	uint64_t ready;		/* who answers, and lacks so little that it may vote */
	uint64_t leader;	/* 0: not known */
	uint64_t want;		/* who shall vote */
};

/*
 * Set "want" of @n groups: @voters of @members in each, each member in as many groups as another or
 * in one more, and the fewest that do not vote yet. @voters is at most the number of members.
 */
void cluster_voters_place(struct cluster_seats *s, unsigned int n, uint64_t members,
			  unsigned int voters, const struct pxs_seed *seed);

enum cluster_voters_how {
	CLUSTER_VOTERS_DONE,
	CLUSTER_VOTERS_PROMOTE,
	CLUSTER_VOTERS_LEAD,	/* who leads shall not vote: let member id lead */
	CLUSTER_VOTERS_DEMOTE,
	CLUSTER_VOTERS_WAIT,	/* member id is not ready */
};

struct cluster_voters_step {
	enum cluster_voters_how how;
	unsigned int at;	/* index of the group */
	uint64_t id;
};

/*
 * What is next, after cluster_voters_place(). One group at a time, and in it one is promoted before
 * another is demoted, so that never fewer than @voters vote that did before; but five are the most
 * that there can be: of five one goes first.
 */
struct cluster_voters_step cluster_voters_next(const struct cluster_seats *s, unsigned int n,
					       unsigned int voters);

/* Do it to @s, as the groups will be then. */
void cluster_voters_do(struct cluster_seats *s, const struct cluster_voters_step *step);

/*
 * Member @id is to leave group index @at: who shall vote there first, so that @voters go on doing
 * so? @members: without it. Return: 0: nobody need, or can. @s is used up.
 */
uint64_t cluster_voters_relief(struct cluster_seats *s, unsigned int n, unsigned int at,
			       uint64_t members, unsigned int voters, uint64_t id,
			       const struct pxs_seed *seed);

/*
 * Has somebody placed voters in this cluster? One that votes in one group and is a learner in
 * another tells; member @but (0: none) does not count, which is being added or removed.
 */
int cluster_voters_placed(const struct cluster_seats *s, unsigned int n, uint64_t members,
			  uint64_t but);

/* The fewest that vote in one of the groups: as many as there shall be, unless that is changed. */
unsigned int cluster_voters_least(const struct cluster_seats *s, unsigned int n);

#endif /* PXS_CLI_CLUSTER_VOTERS_H */
