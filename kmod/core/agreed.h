/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agreed.h - services whose changes a group decides
 *
 * A namespace may follow one group: its log holds changes of services and backends, and every
 * director makes them in the order of their slots. That equal slots mean equal tables on every
 * director rests on three rules: nobody else changes such a service, a slot is executed once
 * (slots only rise), and a refusal is an outcome like any other, remembered by its slot.
 */
#ifndef PXS_CORE_AGREED_H
#define PXS_CORE_AGREED_H

#include "platform.h"

struct pxs_agreed {
	u32 group;	/* whose changes are made; 0: nobody's */
	bool held;	/* still catching up: what is added does not steer yet */
	u64 slot;	/* of the last change made or refused; 0: none */
	u64 now;	/* of the change that is being made, 0: it is not of the log */
	/*
	 * Of all that was made up to slot: outcomes and digests of tables. Directors with an equal
	 * slot and an equal digest have made the same changes with the same results.
	 */
	u64 digest;
};

/*
 * Begin with the change in @slot. Return: 0, or why it is not to be made: -ENOTCONN: no group is
 * followed, -EALREADY: that slot, or a later one, is done.
 */
int pxs_agreed_begin(struct pxs_agreed *a, u64 slot, const char **why);

/*
 * It ended with @err, and the service's table has this @digest now (0: there is none). What failed
 * for want of memory, or was interrupted, has not happened: the slot is to be tried again.
 */
void pxs_agreed_end(struct pxs_agreed *a, int err, u64 digest);

/*
 * May a service of group @of (0: of none) be changed now? Return: 0; -EREMOTE: only by its group;
 * -EINVAL: the group that is followed may only change its own.
 */
int pxs_agreed_may(const struct pxs_agreed *a, u32 of, const char **why);

/*
 * Follow @group from now on (0: none). Return: 0, or -EBUSY: another one is followed. Who follows
 * it already goes on where it was.
 */
int pxs_agreed_follow(struct pxs_agreed *a, u32 group, const char **why);

/* Number of the table that is built next where the last one was @last. */
u64 pxs_agreed_generation(const struct pxs_agreed *a, u64 last);

#endif /* PXS_CORE_AGREED_H */
