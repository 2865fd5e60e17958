/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cross_drive.h - transactions over several groups go on: who leads a group proposes what is due
 *
 * Which ones are due stands in the data of the groups (db_cross.h, twophase.h), so a member that
 * begins to lead goes on with what a former leader has left. An entry that comes twice is nothing.
 */
#ifndef PXS_STORE_CROSS_DRIVE_H
#define PXS_STORE_CROSS_DRIVE_H

#include "drive.h"
#include "wanted.h"

struct pxs_cross_drive {
	struct pxs_driven place[PXS_DRIVE_MAX];
	u64 seen;	/* of set->moved, when it looked last */
	bool due;	/* look again: time has passed */
	u64 steps;	/* proposed */
	struct pxs_wanted wanted;	/* by those that are to be prepared */
};

/* Once a round, between transactions. Return: did something. */
bool pxs_cross_step(struct pxs_store *s);

#endif /* PXS_STORE_CROSS_DRIVE_H */
