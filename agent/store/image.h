/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image.h - a store as of one slot, in one file
 *
 * image  := head , piece* , piece without records
 * piece  := struct image_piece , record*
 * record := struct image_record , key , value
 *
 * All integers are little endian. Records are those of LMDB's tables, table by table and in the
 * order of their keys; the record of the state is the last. Nothing in it depends on LMDB's
 * version, on page sizes or on the machine. Each piece carries a digest of itself and, by way
 * of the digest before it, of everything in front of it; the last one says how many there are. So
 * an image is whole, or it is known that it is not.
 */
#ifndef PXS_STORE_IMAGE_H
#define PXS_STORE_IMAGE_H

#include "db.h"

/* What an image says about itself. */
struct pxs_image_info {
	u64 applied;		/* slot */
	u64 made;		/* milliseconds of the epoch, by the clock of who made it */
	/* Read only: */
	u64 incarnation;	/* of who made it */
	u64 id;			/* never 0: images of equal ids are equal, and below 2^62 */
};

/*
 * Write the store as @txn sees it to @fd, an empty file, and make that durable. It may run in
 * another thread than the loop's: it reads of @db only what does not change. Return: 0 or -errno;
 * -ECANCELED: *stop became true.
 */
int pxs_image_write(int fd, const struct pxs_db *db, MDB_txn *txn,
		    const struct pxs_image_info *info, const bool *stop);

/*
 * Its head. Return: 0; -EUCLEAN: damaged; -EBADMSG: of another version; -EKEYREJECTED: of another
 * cluster, group or journal (unless db->borrowed); or why it cannot be read.
 */
int pxs_image_info(int fd, const struct pxs_db *db, struct pxs_image_info *info);

/*
 * Fill @db, which is empty, from the image in @fd. Return: as above; after a failure some of it
 * may be there, but not the state.
 */
int pxs_image_read(int fd, struct pxs_db *db);

#endif /* PXS_STORE_IMAGE_H */
