/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_ask.h - how is a member? Asked of its store, as any Redis client would
 */
#ifndef PXS_CLI_CLUSTER_ASK_H
#define PXS_CLI_CLUSTER_ASK_H

#include "parse.h"

#define CLUSTER_WHY_MAX		128u
#define CLUSTER_PASSWORD_MAX	512u	/* as the daemon has it */

struct cluster_answer {
	uint64_t group, leader, commit;	/* leader 0: it knows of none */
	char why[CLUSTER_WHY_MAX];	/* empty: it answered */
};

/*
 * What the store said until it closed the connection: to AUTH, where there is a password, to INFO
 * PAXSTEER and to QUIT. Pure.
 */
void cluster_answer_parse(const char *text, struct cluster_answer *a);

/* Blocks, for @ms at most. @password: may be NULL. */
void cluster_ask(const struct endpoint *store, const char *password, unsigned int ms,
		 struct cluster_answer *a);

#endif /* PXS_CLI_CLUSTER_ASK_H */
