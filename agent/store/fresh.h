/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fresh.h - how old is what this member has applied?
 *
 * What bounded reads rest on. A point of evidence is a time and a slot: "whatever was
 * acknowledged to anybody before this time, is in slots up to this one". A member gets one
 *
 *	that leads:   with each entry of its own that is decided (a write or a barrier): the time
 *	              is that before it was proposed, for its ballot had a quorum afterwards;
 *	that follows: by asking the leader for a barrier (ask.c): the time is that before it
 *	              asked, and the leader answers with a slot when a quorum has decided it.
 *
 * Once everything up to the slot is applied, what is here was new at that time. The time is of this
 * member's own clock, which runs while the machine sleeps (CLOCK_BOOTTIME): no other machine's
 * clock matters, nor when a datagram, a heartbeat or a stale leader last said something. Without
 * a quorum nobody gets a point, so what a member knows of itself only ever gets older.
 *
 * What has to be assumed of the clock: that it does not run slower than that of whoever
 * measures. A machine that is stopped from outside without its clock (a virtual one that is
 * paused) is as old as it knows plus that pause.
 *
 * Pure: no I/O, no clock.
 */
#ifndef PXS_STORE_FRESH_H
#define PXS_STORE_FRESH_H

#include "../store_config.h"

#define PXS_FRESH_POINTS	16u

struct pxs_fresh {
	u64 at;			/* everything acknowledged before is applied; 0: nothing is known */
	u64 told;		/* highest slot of any point */
	u32 points;		/* not applied yet, the oldest first */
	struct {
		u64 at;
		u64 slot;
	} point[PXS_FRESH_POINTS];
};

/* Times are nanoseconds, never 0. */
void pxs_fresh_learn(struct pxs_fresh *f, u64 at, u64 slot);

/* Every slot up to @applied is in the data, committed. */
void pxs_fresh_applied(struct pxs_fresh *f, u64 applied);

/* Time of the newest point, applied or not; 0: there is none. */
u64 pxs_fresh_newest(const struct pxs_fresh *f);

/*
 * May what is here answer a bounded read that arrived at @arrived? Either it is known to be
 * at most level->ms old @now, and at most level->entries of the slots that are known to be decided
 * are missing (@decided: the commit index that this member has heard of); or it is known to be new
 * at a time after the read arrived: then it is as good as a strong one, whatever the bounds.
 */
bool pxs_fresh_holds(const struct pxs_fresh *f, const struct pxs_read_level *level, u64 now,
		     u64 arrived, u64 applied, u64 decided);

#endif /* PXS_STORE_FRESH_H */
