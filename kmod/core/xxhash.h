/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xxhash.h - XXH64, Yann Collet's hash of bytes (doc/xxhash_spec.md of xxHash)
 *
 * No secret, no protection: for what others hash with it. Any context.
 */
#ifndef PXS_CORE_XXHASH_H
#define PXS_CORE_XXHASH_H

#include "platform.h"

u64 pxs_xxh64(const void *data, u32 len, u64 seed);

#endif /* PXS_CORE_XXHASH_H */
