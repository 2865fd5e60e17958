/* SPDX-License-Identifier: GPL-2.0 */
/*
 * md5.h - MD5, for compatibility with what others chose long ago
 *
 * RFC 1321. No security rests on it. Pure: any context.
 */
#ifndef PXS_CORE_MD5_H
#define PXS_CORE_MD5_H

#include "platform.h"

/* The digest as four words, each as it lies in memory: little endian. */
void pxs_md5(const void *data, u32 len, u32 out[4]);

#endif /* PXS_CORE_MD5_H */
