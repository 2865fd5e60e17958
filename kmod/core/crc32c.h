/* SPDX-License-Identifier: GPL-2.0 */
/*
 * crc32c.h - CRC-32C (Castagnoli, reflected 0x82f63b78), RFC 3720 section 12.1
 *
 * Guards journal records and batches against damage, not against an enemy.
 */
#ifndef PXS_CORE_CRC32C_H
#define PXS_CORE_CRC32C_H

#include "platform.h"

/* Continue @crc (0 to start) over @len bytes. pxs_crc32c(0, "123456789", 9) is 0xe3069283. */
u32 pxs_crc32c(u32 crc, const void *data, size_t len);

/* The same, on any machine. */
u32 pxs_crc32c_plain(u32 crc, const void *data, size_t len);

#endif /* PXS_CORE_CRC32C_H */
