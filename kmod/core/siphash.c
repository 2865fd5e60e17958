// SPDX-License-Identifier: GPL-2.0
/*
 * siphash.c - SipHash-2-4 over bytes
 *
 * Rounds and constants as in the paper (see siphash.h). Pure: any context.
 */
#include "siphash.h"

u64 pxs_siphash(const struct pxs_seed *seed, const void *data, size_t len)
{
	const u8 *p = data;
	const u8 *end = p + (len & ~(size_t)7);
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	for (; p != end; p += 8)
		pxs_sipword(&s, get_unaligned_le64(p));
	return pxs_sipfinal(&s, pxs_siplast(data, len));
}
