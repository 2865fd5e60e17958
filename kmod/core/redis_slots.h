/* SPDX-License-Identifier: GPL-2.0 */
/*
 * redis_slots.h - fill: the 16384 slots of a Redis cluster
 *
 * A key's row is its hash slot (Redis Cluster Specification, "Key distribution model").
 * Backends own contiguous ranges in order of id, in proportion to their weights: with
 * equal weights those that "redis-cli --cluster create" gives its masters. Control path,
 * resumable; pxs_crc16() also on the packet path.
 */
#ifndef PXS_CORE_REDIS_SLOTS_H
#define PXS_CORE_REDIS_SLOTS_H

#include "table.h"

#define PXS_REDIS_SLOTS		16384

/* CRC16 of XMODEM: polynomial 0x1021, from 0, not reflected. */
u16 pxs_crc16(const u8 *p, u32 len);

/* A hash whose row among 16384 is @slot. */
static inline u64 pxs_redis_hash(u32 slot)
{
	return (u64)slot << 50 | slot * 0x9e3779b1u;
}

size_t pxs_redis_slots_scratch(u32 n);
void pxs_redis_slots_start(void *scratch, const struct pxs_seed *seed,
			   const struct pxs_table_owner *owners, u32 n);
bool pxs_redis_slots_step(void *scratch, struct pxs_table_row *rows, u32 budget);

#endif /* PXS_CORE_REDIS_SLOTS_H */
