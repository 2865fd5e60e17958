/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_voting.h - have some of a cluster's members vote in each group, as cluster_voters.h says
 *
 * It looks, does one step, and looks again, while clients are served; nothing of it is kept.
 */
#ifndef PXS_CLI_CLUSTER_VOTING_H
#define PXS_CLI_CLUSTER_VOTING_H

#include <stdbool.h>

#include "cluster_lead.h"
#include "cluster_view.h"
#include "cluster_voters.h"
#include "where.h"

/* Of each group at most: seven are promoted, seven demoted, and some hand over. */
#define CLUSTER_VOTING_STEPS	(16u * CLUSTER_PARTS_MAX)

/* What is seen of all groups of a store. */
struct cluster_voting {
	struct cluster_seats seat[CLUSTER_PARTS_MAX];
	uint64_t epoch[CLUSTER_PARTS_MAX];
	unsigned int n;
	uint64_t members;	/* bit ID: of all the groups */
	uint64_t silent;	/* ... and does not answer */
	uint64_t partial;	/* of some of the groups */
	struct pxs_seed seed;
};

/* @v may be turned anywhere, and is then. */
void cluster_voting_see(struct cluster_voting *s, struct cluster_view *v, const char *password);

/*
 * Has somebody placed voters, but for member @but (0: none)? @v is turned, then. Nobody is asked.
 */
bool cluster_voting_placed(struct cluster_view *v, uint64_t but);

/* Why voters cannot be placed; false: they can. @why: CLUSTER_CHANGE_WORDS bytes. */
bool cluster_voting_wrong(const struct cluster_voting *s, unsigned int voters, char *why);

/* Somebody does not answer, said who: nothing is begun then. */
bool cluster_voting_silent(const struct cluster_voting *s, char *why);

/*
 * All the steps from what is seen on, as if each were done at once. Return: how many; *changes: of
 * members, among them. @s becomes what will be then.
 */
unsigned int cluster_voting_steps(struct cluster_voting *s, unsigned int voters,
				  struct cluster_voters_step *step, unsigned int *changes);

struct cluster_voting_order {
	struct cli *cli;
	struct where where;
	struct cluster_means means;
	unsigned int voters;	/* 0: none are placed */
	uint64_t seconds;	/* that nothing may go on for */
};

/* Do it. Said to stderr, step by step. Return: an exit status; *changes: how many were made. */
int cluster_voting_do(const struct cluster_voting_order *o, unsigned int *changes);

/* "1,2,3", of a set; CLUSTER_VOTING_TEXT bytes. */
#define CLUSTER_VOTING_TEXT	200u
char *cluster_voting_text(uint64_t set, char *text);

#endif /* PXS_CLI_CLUSTER_VOTING_H */
