/* SPDX-License-Identifier: GPL-2.0 */
/*
 * murmur3.h - MurmurHash3_x64_128, Austin Appleby's hash of bytes
 *
 * No secret, no protection: for what others hash with it. Any context.
 */
#ifndef PXS_CORE_MURMUR3_H
#define PXS_CORE_MURMUR3_H

#include "platform.h"

void pxs_murmur3(const void *data, u32 len, u32 seed, u64 hash[2]);

#endif /* PXS_CORE_MURMUR3_H */
