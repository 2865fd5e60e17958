/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lww.h - eventual keys: which write is the last one
 *
 * What is kept of a key are elements: one for the key as a whole, and one for each field of a
 * hash. An element is the write of it with the highest stamp, a deletion (dead) like any other.
 * Merging takes the higher of two, so neither the order nor the number of times in which writes
 * come matters. Between elements of one key there are two rules more:
 *
 *  - the whole covers: fields that were written before it (SET, DEL) are gone;
 *  - a field ends a string: where a field was written after the string, the string is dead. So the
 *    last write also says what the key is, a string or a hash.
 *
 * A string may have a deadline. Behind it, by the hybrid clock of whoever looks, it is as dead as
 * if it had been deleted by its own write: it is the same everywhere, and nothing needs to be
 * told. Only a write behind it brings the key back.
 *
 * Pure: no I/O, no clock.
 */
#ifndef PXS_STORE_LWW_H
#define PXS_STORE_LWW_H

#include "stamp.h"
#include "str.h"

#define PXS_LWW_KEY_MAX		(64u << 10)	/* bytes of a key, and of a field */
#define PXS_LWW_VALUE_MAX	(4u << 20)

enum pxs_lww_kind {
	PXS_LWW_WHOLE = 0,
	PXS_LWW_FIELD = 1,
};

struct pxs_element {
	struct pxs_stamp stamp;
	u64 origin;		/* place in the stream of the table that wrote it */
	u64 seq;		/* ... and of this one */
	u64 deadline;		/* ms of the epoch; 0: none. WHOLE alone */
	u8 kind;
	bool dead;
	struct pxs_str key;
	struct pxs_str field;	/* FIELD alone */
	struct pxs_str value;	/* empty where dead */
};

/*
 * Which of two writes of the same element is the last? Above 0: @a. Equal stamps are the same
 * write, which may have died on one side by a rule; that counts. 0: they are the same.
 */
int pxs_lww_compare(const struct pxs_element *a, const struct pxs_element *b);

/* Is @field, of the same key, gone by @whole? */
bool pxs_lww_covers(const struct pxs_element *whole, const struct pxs_element *field);

/* Does @field, dead or not, end what @whole is? */
bool pxs_lww_ends(const struct pxs_element *field, const struct pxs_element *whole);

/* Is there a value at @now, ms? */
bool pxs_lww_alive(const struct pxs_element *e, u64 now);

/* Its value goes; its stamp stays. */
void pxs_lww_kill(struct pxs_element *e);

#endif /* PXS_STORE_LWW_H */
