/* SPDX-License-Identifier: GPL-2.0 */
/*
 * floor.h - the file "floor" of a journal directory: where the journal begins
 *
 * A journal whose first segments were removed begins with a later one. This file, durable before
 * the first of them is removed, names the segment that comes first and how it must begin: its
 * header has to say the same. Segments before it are leftovers of a removal that was cut short.
 * Without the file a journal begins with segment 1.
 *
 * It also names the groups that this member was removed from, for good, if what is removed may have
 * held their records: the one that said so, and promises. Without it a start would take such a
 * member for one of the first epoch that has promised nothing. Another incarnation, by which the
 * member may come back, has another journal.
 *
 * Text, as the hint is; its last line is a CRC-32C of what stands above. Unlike a hint it is
 * never guessed: one that is damaged, or of another incarnation, is an error.
 */
#ifndef PXS_AGENT_FLOOR_H
#define PXS_AGENT_FLOOR_H

#include "platform.h"

#include <linux/paxsteer.h>

#define PXS_FLOOR_FILE	"floor"

struct pxs_floor {
	u64 incarnation;
	u64 segment;		/* the first that there is; 1: nothing was removed */
	u64 first_seq;		/* as in its header */
	u64 first_lsn;
	u32 prev;
	struct pxs_left {
		u32 count;
		struct {
			u32 id;
			u64 epoch;	/* the first that this member was not in */
		} group[PXS_GROUPS_MAX];
	} left;			/* groups that this member was removed from */
};

/* By which epoch was this member removed from @group? 0: by none that this says. */
u64 pxs_floor_left(const struct pxs_floor *f, u32 group);

/* It was removed, by @epoch. Return: that is said; false: there is no room for one more. */
bool pxs_floor_leave(struct pxs_floor *f, u32 group, u64 epoch);

/* Return: 0, with segment 1 where there is no file; -EBADMSG: damaged, or another's; -errno. */
int pxs_floor_read(int dirfd, u64 incarnation, struct pxs_floor *f);

/* Write it durably (blocks). Return: 0 or -errno; the old one stays then. */
int pxs_floor_write(int dirfd, const struct pxs_floor *f);

#endif /* PXS_AGENT_FLOOR_H */
