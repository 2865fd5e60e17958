/* SPDX-License-Identifier: GPL-2.0 */
/*
 * drain.h - until when a backend that drains keeps what it has
 *
 * A draining backend owns no row, so nothing new comes to it; what it has it keeps until that ends,
 * or until the deadline, if it was given one. From then on it has nothing, as if it had been
 * removed, and the table is the same before and after. Pure functions, control path.
 */
#ifndef PXS_CORE_DRAIN_H
#define PXS_CORE_DRAIN_H

#include "platform.h"
#include <linux/paxsteer.h>

/* Of a change that says nothing of a deadline. */
#define PXS_DRAIN_AS_IS		0xffffffffu

/* All zero: no deadline. */
struct pxs_drain {
	u32 deadline;		/* seconds it was given, 1..PXS_DEADLINE_MAX; 0: none */
	bool passed;		/* and who keeps the time has said so */
	u64 until;		/* ms of the clock of who keeps it */
};

/*
 * May a change, after which the state is enum pxs_backend_state @state, say @deadline (seconds, 0:
 * none, or PXS_DRAIN_AS_IS)? Return: 0, or -EINVAL with the reason in *why.
 */
int pxs_drain_check(u8 state, u32 deadline, const char **why);

/*
 * The change is made at @now (ms). A deadline that is said counts from now, also where there was
 * one, or one that has passed; one that is not said goes on, or ends with the state.
 */
void pxs_drain_change(struct pxs_drain *d, u8 state, u32 deadline, u64 now);

/* When somebody has to look: pxs_drain_pass() is true from then on; 0: never. */
u64 pxs_drain_due(const struct pxs_drain *d);

/* Has the deadline passed by @now, and is that news? True once for each deadline. */
bool pxs_drain_pass(struct pxs_drain *d, u64 now);

/* Milliseconds left at @now, 0..PXS_DEADLINE_MAX * 1000: at least 1 until it has passed. */
u32 pxs_drain_left(const struct pxs_drain *d, u64 now);

#endif /* PXS_CORE_DRAIN_H */
