/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_ask.h - how is a member? Asked of its store, as any Redis client would
 */
#ifndef PXS_CLI_CLUSTER_ASK_H
#define PXS_CLI_CLUSTER_ASK_H

#include "bundle.h"
#include "parse.h"

#define CLUSTER_WHY_MAX		128u
#define CLUSTER_PASSWORD_MAX	512u	/* as the daemon has it */

#define CLUSTER_PARTS_MAX	BUNDLE_GROUPS_MAX	/* groups of one store */

/* What it says of one group. */
struct cluster_part {
	uint64_t group, leader, commit;	/* leader 0: it knows of none */
	uint64_t epoch;			/* 0: it does not say */
	uint64_t borrows_slot, borrows_size, borrows_bytes;	/* a checkpoint that it takes */
};

struct cluster_answer {
	struct cluster_part now;	/* of the group that is asked about: the store's first */
	uint64_t member, incarnation;	/* 0: it does not say */
	uint64_t prefixes;		/* digest of the eventual ones; 0: there are none, */
	bool tells_prefixes;		/* ... or it does not say */
	char why[CLUSTER_WHY_MAX];	/* empty: it answered */
	unsigned int n;			/* of a store of several groups: all of them */
	struct cluster_part part[CLUSTER_PARTS_MAX];
};

/*
 * What the store said until it closed the connection: to AUTH, where there is a password, to INFO
 * PAXSTEER and to QUIT. Pure.
 */
void cluster_answer_parse(const char *text, struct cluster_answer *a);

/* "now" becomes what it says of @group. Pure. False: it says nothing of that one. */
bool cluster_answer_turn(struct cluster_answer *a, uint64_t group);

/* A clock that only goes on. */
uint64_t cluster_now_ms(void);

/* Blocks, for @ms at most. @password: may be NULL. */
void cluster_ask(const struct endpoint *store, const char *password, unsigned int ms,
		 struct cluster_answer *a);

/*
 * Blocks likewise: have the store's member, which leads @group, let @member lead. Return: 0: it
 * does what it can, see who leads; -1, with the reason in @why (CLUSTER_WHY_MAX bytes).
 */
int cluster_ask_lead(const struct endpoint *store, const char *password, unsigned int ms,
		     uint64_t group, uint64_t member, char *why);

/*
 * Blocks likewise: have the store's member, which leads the group, begin a change of its members.
 * @mandate: its words and its tag, as store/mandate.h has them.
 */
int cluster_ask_change(const struct endpoint *store, const char *password, unsigned int ms,
		       const char *mandate, char *why);

#endif /* PXS_CLI_CLUSTER_ASK_H */
