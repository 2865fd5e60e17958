/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proof.h - one member whose inputs are arbitrary; what must never leave it
 *
 * The shipped acceptor, leader, group, window, quorum, out, value and wire code, with every
 * header field and body byte free. In place of the stage there is what stage.c proves of
 * the real one: an append is refused, or gives the next LSN. Sums are not made.
 */
#ifndef PROOF_H
#define PROOF_H

#include "group.h"
#include "acceptor.h"
#include "leader.h"
#include "quorum.h"

#ifndef SIZE
#define SIZE		4u	/* of the window; shipped: 64 at least */
#endif
#ifndef EVENT
#define EVENT		0	/* 0: any; 1..9: a datagram of that type; 10.. see proof_event() */
#endif
#define NMEMBERS	3u
#define SELF		0u
#ifndef BODY
#define BODY		40	/* bytes of a body at most: an entry and a little more */
#endif
#define FAR		0x3000000000000000ull	/* LSNs and slots so high do not occur */

#ifndef LAST_LSN
#define LAST_LSN	FAR
#endif
/* All, or what an acceptor hears and how its records become durable. */
#ifdef ACCEPTOR
#define MAY_HAPPEN(e)	((e) == PXS_WIRE_PREPARE || (e) == PXS_WIRE_ACCEPT || (e) == 10)
#else
#define MAY_HAPPEN(e)	((e) >= 1 && (e) <= 15)
#endif

#define ENSURE(cond, what)	__CPROVER_assert(cond, what)
#define SUPPOSE(cond)		__CPROVER_assume(cond)

u8 nondet_u8(void);
u16 nondet_u16(void);
u32 nondet_u32(void);
u64 nondet_u64(void);
bool nondet_bool(void);

extern struct pxs_group g;
extern struct pxs_stage stage;
extern struct pxs_slot slots[SIZE];
extern struct pxs_parked parked[2 * SIZE];
extern struct pxs_out out;

/* What was staged by the last event: at most one of each. */
extern struct pxs_record promise_staged, accept_staged;

/* Of the harness: a record is staged. */
void proof_staged(const struct pxs_record *r, const u8 *data);

void proof_conf(struct pxs_group_conf *conf);
void proof_event(void);			/* any input but a crash; out is what leaves */

#endif /* PROOF_H */
