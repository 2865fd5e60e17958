/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal_maker.h - a journal by a script: written as the daemon writes, then damaged
 */
#ifndef PXS_FUZZ_JOURNAL_MAKER_H
#define PXS_FUZZ_JOURNAL_MAKER_H

#include "fuzz.h"
#include "scan.h"

#define MAKER_SEGMENT	PXS_SEGMENT_MIN
#define MAKER_SEGMENTS	3u
#define MAKER_RECORDS	256u
#define MAKER_INC	0x1122334455667788ull

struct maker {
	u8 *segment[MAKER_SEGMENTS];
	u32 count;			/* segments in use */
	u32 offset;			/* in the last one */
	struct pxs_batch_info next;	/* the batch to come */
	u64 salt;
	u64 confirmed;			/* LSN that was confirmed */
	u64 nrecords;
	struct pxs_record record[MAKER_RECORDS];	/* as written; data points into value[] */
	u8 *value[MAKER_RECORDS];
	bool forged;			/* sums were made to fit: no claim about what is read */
	bool misplaced;			/* a block went to another's place */
};

void maker_run(struct maker *m, struct input *in);
void maker_free(struct maker *m);

/* Is @r, read back, what was written as that LSN? */
void maker_check(const struct maker *m, const struct pxs_record *r);

/* The segments in memory, for pxs_scan(). */
struct pxs_scan_source maker_source(struct maker *m);

#endif /* PXS_FUZZ_JOURNAL_MAKER_H */
