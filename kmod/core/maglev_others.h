/* SPDX-License-Identifier: GPL-2.0 */
/*
 * maglev_others.h - fills: Maglev as Envoy, katran and Cilium do it
 *
 * Each gives the same owners to the same rows as its original, for the same backends,
 * weights and number of rows. They differ in what they hash, in the order of turns, and
 * in what a weight means for turns:
 *
 *	Envoy	the text "ADDRESS:PORT" (without hostname for hashing), in its order;
 *		shares of the weights, in doubles
 *	katran	(version 2) a number that it has of each real, here the id, in its order
 *	Cilium	the text "[ADDRESS:PORT/TCP,State:active]", in its order, with the first 4
 *		bytes of its 12-byte seed, here the service's: give it, filled up with
 *		zeroes; weights count only where they are 2 or more on average
 *
 * Which row a key has is not as there: the service's hash says it. katran multiplies in
 * 32 bits, which overflows in the last places of a permutation; that is not repeated.
 * Control path, resumable by pxs_maglev_step().
 */
#ifndef PXS_CORE_MAGLEV_OTHERS_H
#define PXS_CORE_MAGLEV_OTHERS_H

#include "table.h"

#define PXS_ROWS_KATRAN_MAX	65537	/* its own size; beyond, its arithmetic overflows */
#define PXS_ROWS_CILIUM		16381	/* its default */

/* Of those whose backends have names: Envoy, Cilium. */
size_t pxs_maglev_named_scratch(u32 n);

void pxs_maglev_envoy_start(void *scratch, const struct pxs_table_config *cfg,
			    const struct pxs_table_owner *owners, u32 n,
			    struct pxs_table_row *rows);

/* Scratch as pxs_maglev_scratch(@n). */
void pxs_maglev_katran_start(void *scratch, const struct pxs_table_config *cfg,
			     const struct pxs_table_owner *owners, u32 n,
			     struct pxs_table_row *rows);

void pxs_maglev_cilium_start(void *scratch, const struct pxs_table_config *cfg,
			     const struct pxs_table_owner *owners, u32 n,
			     struct pxs_table_row *rows);

#endif /* PXS_CORE_MAGLEV_OTHERS_H */
