/* SPDX-License-Identifier: GPL-2.0 */
/*
 * drive.h - sagas go on: whoever leads proposes an entry for each that is due
 *
 * Which ones are due stands in the data (db_saga.h), so a member that begins to lead goes on with
 * what a former leader has left; nobody else need know. An entry names the saga and its position:
 * if two are proposed for the same step, the second one changes nothing. PXS_DRIVE_MAX are under
 * way at a time, one of each saga; those that have been due longest come first.
 */
#ifndef PXS_STORE_DRIVE_H
#define PXS_STORE_DRIVE_H

#include "platform.h"

#define PXS_DRIVE_MAX	64u

struct pxs_store;

struct pxs_driven {
	u64 number;	/* of the saga, or slot of the transaction; 0: this place is free */
	u64 group;	/* the transaction's coordinator */
	u8 kind;	/* of the entry */
	u64 slot;	/* where it was decided; 0: it is on its way */
};

struct pxs_drive {
	struct pxs_driven saga[PXS_DRIVE_MAX];
	bool due;	/* look again: time has passed */
	u64 steps;	/* proposed */
};

/* What has @place was decided in @slot, or with @error not: then it is free, and tried again. */
void pxs_driven_over(struct pxs_driven *place, u32 error, u64 slot);

/* Once a round, between transactions. Return: did something. */
bool pxs_drive_step(struct pxs_store *s);

#endif /* PXS_STORE_DRIVE_H */
