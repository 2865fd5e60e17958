/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_plan.h - what `cluster add`, `remove` and `rebalance` do next, by what is seen
 *
 * Pure. Each command looks, decides by one of these, does one thing, and looks again: so it can be
 * ended at any moment and run anew, and goes on where the cluster is.
 */
#ifndef PXS_CLI_CLUSTER_PLAN_H
#define PXS_CLI_CLUSTER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define CLUSTER_PLAN_WORDS	512u	/* bytes of a reason, with a 0 */
#define CLUSTER_PLAN_IDS	64u	/* members' ids are below */

/* --- add --- */

enum cluster_stage {
	CLUSTER_WRONG,		/* it cannot become a member: said why */
	CLUSTER_ABSENT,		/* not added, and does not answer: it is to join, and be started */
	CLUSTER_ADD,		/* answers: add it as a learner */
	CLUSTER_LEARNS,		/* is a learner, and has not enough, or does not answer */
	CLUSTER_PROMOTE,	/* has enough: let it vote */
	CLUSTER_DONE,
};

struct cluster_newcomer {
	uint64_t id, group;
	bool learner;		/* it shall stay one */
	uint64_t incarnation;	/* of its bundle; 0: there is none any more */
	/* what the group says of it */
	bool there, votes, address_same;
	uint64_t incarnation_there;
	uint64_t heard;		/* slots up to here it is known to have; 0: not heard of */
	uint64_t epoch, commit;	/* of the group */
	/* what is at its store's address: 0: does not say */
	bool answers;
	uint64_t answers_as, answers_incarnation, answers_epoch;
	/* digests of the eventual prefixes: the group's, its own; both must be known */
	uint64_t prefixes, answers_prefixes;
	bool tells_prefixes;
};

/* @why: CLUSTER_PLAN_WORDS bytes, set for CLUSTER_WRONG. */
enum cluster_stage cluster_plan_add(const struct cluster_newcomer *c, char *why);

/*
 * Of a store of @n groups, by ascending id: the least that is to do in any, and in which, *next:
 * so it votes in none before it has enough in all.
 */
enum cluster_stage cluster_plan_add_all(const struct cluster_newcomer *c, unsigned int n,
					unsigned int *next, char *why);

/* --- remove --- */

struct cluster_voice {
	uint64_t id;
	bool votes, answers;
};

/*
 * May member @id be removed, and the group go on? @answers of the others counts. @phase1: so many
 * votes are needed to lead, whoever votes; 0: a majority. Return: 0, or -1 with the reason in @why
 * (CLUSTER_PLAN_WORDS bytes).
 */
int cluster_plan_remove(const struct cluster_voice *voice, unsigned int n, uint64_t id,
			unsigned int phase1, char *why);

enum cluster_leave {
	CLUSTER_DEMOTE,
	CLUSTER_REMOVE,
	CLUSTER_GONE,		/* of all groups */
};

struct cluster_place {
	bool there, votes;
};

/*
 * In which of the @n groups of a store, by ascending id, does it go back next? It leaves one only
 * when it votes in no other, and leaves them in the order in which `add` comes to them: so it is
 * seen which of both was at work.
 */
enum cluster_leave cluster_plan_leave(const struct cluster_place *p, unsigned int n,
				      unsigned int *next);

/* --- rebalance --- */

struct cluster_lead {
	uint64_t group;
	uint64_t leader;	/* 0: nobody leads: the group stays as it is */
	uint64_t may;		/* bit ID: that member votes there, and answers */
	uint64_t next;		/* who shall lead */
};

/*
 * Spread leaders over members: set "next" of all, so that no member leads two groups more than
 * another one that may lead one of them. Return: how many groups move.
 */
unsigned int cluster_plan_spread(struct cluster_lead *lead, unsigned int n);

#endif /* PXS_CLI_CLUSTER_PLAN_H */
