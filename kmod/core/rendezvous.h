/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rendezvous.h - fill: capped weighted rendezvous
 *
 * Every row ranks the backends by cost = -log2(u) / weight, u a hash of row and
 * backend (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker
 * 2005; see rank.h for the hash). No backend takes more than (1 + cap) of its fair share:
 * rows propose down their list, a full backend keeps the rows that cost it least (deferred
 * acceptance, Gale and Shapley 1962). Row and backend agree on what a pair costs, so the
 * stable matching is unique, and neither the order of work shows nor whether the work began
 * from nothing or from the table before: after a small change only what it moves is looked at.
 * Integer arithmetic only. Control path, resumable.
 */
#ifndef PXS_CORE_RENDEZVOUS_H
#define PXS_CORE_RENDEZVOUS_H

#include "table.h"

/* Bytes of scratch memory for cfg->nrows (a power of two) and @n owners. */
size_t pxs_rendezvous_scratch(const struct pxs_table_config *cfg, u32 n);

/*
 * Begin; @owners sorted by id, @cap thousandths. @scratch aligned for u64. At the end the
 * owners' cap, rows and last are set, which a later build goes on from.
 */
void pxs_rendezvous_start(void *scratch, const struct pxs_table_config *cfg, u32 cap,
			  struct pxs_table_owner *owners, u32 n);

/* Work about @budget steps on @rows. Return: true while there is more to do. */
bool pxs_rendezvous_step(void *scratch, struct pxs_table_row *rows, u32 budget);

/*
 * After the last step, of a build that went on from the table before: a bit for each row that
 * is not known to be as it was. NULL: there was none to go on from.
 */
const unsigned long *pxs_rendezvous_touched(const void *scratch);

/* An upper bound of what any row's second choice costs: part of what a later build needs. */
u64 pxs_rendezvous_far(const void *scratch);

#endif /* PXS_CORE_RENDEZVOUS_H */
