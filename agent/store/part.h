/* SPDX-License-Identifier: GPL-2.0 */
/*
 * part.h - entries that are larger than a value of the log
 *
 * The leader proposes the parts of such an entry one after the other, and proposes nothing in
 * between: they get slots in a row. So there is at most one entry in the making, and it is
 * executed at the slot of its last part. Whatever else stands in its way - another entry, an empty
 * slot, a part out of turn - shows that leadership has changed or that a part was refused: what is
 * there is thrown away, and that entry is never executed. All of this is state, as it says which
 * slot does what: it is in the database (parts), on every member alike.
 */
#ifndef PXS_STORE_PART_H
#define PXS_STORE_PART_H

#include "db.h"
#include "entry.h"

enum pxs_part {
	PXS_PART_MORE,		/* it has its place; others are to come */
	PXS_PART_WHOLE,		/* it was the last one: all are there */
	PXS_PART_LOST,		/* it continues nothing that is there */
};

/* A slot that holds something else. */
void pxs_part_abandon(struct pxs_db *db);

/* Part @e with the bytes @bytes. */
enum pxs_part pxs_part_add(struct pxs_db *db, const struct pxs_store_entry *e,
			   struct pxs_str bytes);

/*
 * After PXS_PART_WHOLE: the entry, in memory of the caller's, who frees it; the database has none
 * any more. NULL: db->err says why.
 */
u8 *pxs_part_take(struct pxs_db *db, u32 *len);

#endif /* PXS_STORE_PART_H */
