/* SPDX-License-Identifier: GPL-2.0 */
/*
 * slotlog.h - one log under the slot checker
 */
#ifndef LIN_SLOTLOG_H
#define LIN_SLOTLOG_H

#include "lin.h"

struct slotlog {
	const struct lin_history *h;
	const uint32_t *idx;	/* its operations and entries */
	uint32_t n;
	uint64_t *slot;		/* by index: where each took effect; 0: nowhere */
	uint32_t *claim;	/* operations that tell the slot they took, in its order */
	uint32_t claims;
	uint32_t *seen;		/* entries and fetches, in the order of slots */
	uint32_t seens;
	bool entries;		/* the final log is known */
	bool loose;		/* an operation of unknown outcome was found nowhere */
};

/* Each step: false, with *v set, ends it. */
bool slotlog_claims(struct slotlog *l, struct lin_verdict *v);
bool slotlog_evidence(struct slotlog *l, struct lin_verdict *v);
bool slotlog_resolve(struct slotlog *l, struct lin_verdict *v);
bool slotlog_replay(struct slotlog *l, struct lin_verdict *v);
bool slotlog_order(struct slotlog *l, struct lin_verdict *v);
void slotlog_free(struct slotlog *l);

#endif /* LIN_SLOTLOG_H */
