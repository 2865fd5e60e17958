/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rendezvous.h - fill: capped weighted rendezvous
 *
 * Every row ranks the backends by cost = -log2(u) / weight, u a hash of row and
 * backend (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker
 * 2005). No backend takes more than (1 + cap) of its fair share: rows propose down
 * their list, a full backend keeps the rows that cost it least (deferred acceptance,
 * Gale and Shapley 1962). The stable matching is unique, so the order of work does
 * not show. Integer arithmetic only. Control path, resumable.
 */
#ifndef PXS_CORE_RENDEZVOUS_H
#define PXS_CORE_RENDEZVOUS_H

#include "table.h"

/* log2(1 + i / 4096) in units of 2^-24, for i = 0..4096: what pxs_neglog2() interpolates. */
#define PXS_LOG2_ENTRIES	4097

void pxs_log2_init(u32 *table);

/* -log2((u + 1) / 2^64) in units of 2^-24; never rises where u rises; at most 64 << 24. */
u32 pxs_neglog2(const u32 *table, u64 u);

/* Bytes of scratch memory for @nrows (a power of two), @cap thousandths and @n owners. */
size_t pxs_rendezvous_scratch(u32 nrows, u32 cap, u32 n);

/* Begin; @owners sorted by id. @scratch aligned for u64. */
void pxs_rendezvous_start(void *scratch, const struct pxs_seed *seed, u32 nrows, u32 cap,
			  const struct pxs_table_owner *owners, u32 n);

/* Work about @budget steps on @rows. Return: true while there is more to do. */
bool pxs_rendezvous_step(void *scratch, struct pxs_table_row *rows, u32 budget);

#endif /* PXS_CORE_RENDEZVOUS_H */
