/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ipvs_mh.h - fill: the table of IPVS' scheduler mh
 *
 * Maglev's permutations from a fixed hash of port + address, and turns of several rows
 * by weight, as Linux' "mh" gives them to real servers: the same owner in the same row
 * for the same servers, weights and number of rows (a prime of its list; 4093 unless the
 * kernel was built for another) on a 64-bit kernel. Who comes first there is who was
 * added last; here it is who has the greatest id: ids in the order of arrival give the
 * same order. With it come its faults: a weight that divides badly leaves backends
 * without a row. Control path, resumable.
 */
#ifndef PXS_CORE_IPVS_MH_H
#define PXS_CORE_IPVS_MH_H

#include "table.h"

#define PXS_ROWS_IPVS_MH	4093	/* the kernel's option IP_VS_MH_TAB_INDEX=12, its default */

/* hsiphash() of one u32 on a 64-bit kernel: SipHash-1-3, its lower half. */
u32 pxs_hsiphash_u32(const struct pxs_seed *seed, u32 value);

/* Begin; scratch as pxs_maglev_scratch(@n), steps by pxs_maglev_step(). */
void pxs_ipvs_mh_start(void *scratch, const struct pxs_table_config *cfg,
		       const struct pxs_table_owner *owners, u32 n, struct pxs_table_row *rows);

#endif /* PXS_CORE_IPVS_MH_H */
