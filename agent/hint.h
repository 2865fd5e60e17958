/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hint.h - the file "hint" of a journal directory
 *
 * What the records do not say by themselves. Text, written lazily by rename:
 *
 *   lsn N               everything up to N was confirmed to the datapath
 *   group ID commit C   slots up to C are decided, and their records are durable here
 *
 * N makes a lost tail differ from a torn one: what was confirmed is never cut. C saves
 * work: the records themselves say the commit index to within an eighth of a window.
 *
 * Why it is safe that it is old: a lower LSN or commit index only knows less. Why it
 * cannot say too much: it is written from what was durable already, and recovery
 * refuses a commit index with a slot below it that the journal does not hold.
 */
#ifndef PXS_AGENT_HINT_H
#define PXS_AGENT_HINT_H

#include "platform.h"
#include <linux/paxsteer.h>

#define PXS_HINT_FILE		"hint"

struct pxs_hint_group {
	u32 id;
	u64 commit;
};

struct pxs_hint {
	u64 incarnation;
	u64 lsn;
	u32 count;
	struct pxs_hint_group group[PXS_GROUPS_MAX];
};

/*
 * Read the hint below @dirfd. Return: 0; -ENOENT none (*h is empty); -EBADMSG damaged or
 * of another incarnation: treat it as none.
 */
int pxs_hint_read(int dirfd, u64 incarnation, struct pxs_hint *h);

/* Write it durably (blocks). Return: 0 or -errno; the old one stays then. */
int pxs_hint_write(int dirfd, const struct pxs_hint *h);

/* The entry of @id, made if need be; NULL when there are too many. */
struct pxs_hint_group *pxs_hint_group(struct pxs_hint *h, u32 id);

#endif /* PXS_AGENT_HINT_H */
