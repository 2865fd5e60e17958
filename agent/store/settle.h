/* SPDX-License-Identifier: GPL-2.0 */
/*
 * settle.h - commands over several groups of which each group must know what is in another
 *
 * RENAME and RENAMENX, and MSETNX between MULTI and EXEC (pxs_tx_depends()). The member that
 * proposes the transaction looks into its copies of the groups' data, and settles with that what
 * such a command does in each of them and what it answers. The groups' shares get commands that do
 * just this, and conditions that what was seen is so (condition.h). When one does not hold, nothing
 * is done, and it is settled anew.
 */
#ifndef PXS_STORE_SETTLE_H
#define PXS_STORE_SETTLE_H

#include "entry.h"
#include "resp_write.h"

struct pxs_request;

enum pxs_settled_answer {
	PXS_SETTLED_OK,
	PXS_SETTLED_ZERO,
	PXS_SETTLED_ONE,
	PXS_SETTLED_NO_KEY,
};

struct pxs_settled_part {
	u32 group;		/* its index */
	bool condition;		/* ... is told nothing by the client */
	struct pxs_args args;
};

struct pxs_settled {
	struct pxs_settled *next;
	const struct pxs_request *of;
	enum pxs_settled_answer answer;
	struct pxs_str *words;	/* and the bytes behind them; NULL: dropped */
	u32 nwords;
	u32 nparts;
	struct pxs_settled_part part[];
};

/*
 * Settle what depends among the commands of @r, a transaction over several groups: r->cross has
 * the list, in the order of the commands. Return: false: r->out says why not; nil, if what is
 * watched for it has changed.
 */
bool pxs_settle(struct pxs_request *r);

/* It was proposed: the words are not needed any more. */
void pxs_settled_drop_words(struct pxs_settled *list);

void pxs_settled_free(struct pxs_settled *list);

/* How many answers the share of the group with index @group has to it. */
u32 pxs_settled_answers(const struct pxs_settled *t, u32 group);

/* What the client is told. */
void pxs_settled_answer(const struct pxs_settled *t, struct pxs_reply *out);

#endif /* PXS_STORE_SETTLE_H */
