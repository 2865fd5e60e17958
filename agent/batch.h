/* SPDX-License-Identifier: GPL-2.0 */
/*
 * batch.h - reading headers of segments and batches (private to the scan and the journal)
 */
#ifndef PXS_AGENT_BATCH_H
#define PXS_AGENT_BATCH_H

#include "scan.h"

/* Is @block a segment header whose sum holds? The version is for the caller to judge. */
bool pxs_segment_parse(const void *block, struct pxs_segment_info *info, u32 *version);

/* Is there a whole batch of the segment's life @salt, sum included, within @room bytes? */
bool pxs_batch_parse(const u8 *buf, u32 room, u64 salt, struct pxs_batch_info *info);

#endif /* PXS_AGENT_BATCH_H */
