/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sticky.h - fill: even shares, and the least possible moves from the table before
 *
 * Every backend owns its exact share of the rows, rounded down or up; of all tables for
 * which that is so, this is one that leaves the most rows with the owner they had. It
 * depends on what was before: two directors have the same table only if they went
 * through the same changes. Without a table before it begins as rendezvous. Second
 * choices are kept likewise, nearly even. Control path, resumable.
 */
#ifndef PXS_CORE_STICKY_H
#define PXS_CORE_STICKY_H

#include "table.h"

size_t pxs_sticky_scratch(const struct pxs_table_config *cfg, u32 n);

/* Begin; @owners sorted by id, rows a power of two. */
void pxs_sticky_start(void *scratch, const struct pxs_table_config *cfg,
		      struct pxs_table_owner *owners, u32 n);
bool pxs_sticky_step(void *scratch, struct pxs_table_row *rows, u32 budget);

#endif /* PXS_CORE_STICKY_H */
