/* SPDX-License-Identifier: GPL-2.0 */
/*
 * real.h - the real structs that a step of the model works with; used by member.c only
 *
 * There is one group and one stage, the member's whose turn it is.
 */
#ifndef MODEL_REAL_H
#define MODEL_REAL_H

#include "member.h"

#define REAL_LSN0	1000u	/* the durable point: lower LSNs are old */
#define REAL_RING	4096u
#define REAL_INC	100u
#define REAL_GROUP	9u

extern struct pxs_group g;
extern struct pxs_stage stage;

u64 real_ballot(u8 b);
u8 model_ballot(u64 ballot);
struct pxs_value *real_value(u8 vid);
u8 model_vid(const u8 *data, u32 len, bool noop);
u8 model_value(const struct pxs_value *v);
struct pxs_record real_record(const struct model_record *r, struct pxs_value *v);

void real_wipe(void);
void real_stage(const struct member *m);	/* with the records of @m */
void real_group(const struct model_group *e, u8 self, u8 state);
void model_of_group(struct model_group *e);	/* of g */

/* As the shell does: what is staged goes to the agent at once. Records behind @known: to @m. */
void real_pump(struct member *m, u64 known);

/*
 * Nothing that matters was lost on the way into @m: the way out and in again leads to the
 * same, and the real structs hold nothing else than what the way out makes. Drops the group.
 */
void real_check(const struct member *m);

#endif /* MODEL_REAL_H */
