// SPDX-License-Identifier: GPL-2.0
/*
 * redis_slots.c - fill: the 16384 slots of a Redis cluster
 *
 * Owns nothing: all state is in the caller's scratch memory. The CRC takes no table: keys
 * are short. Control path in process context, except pxs_crc16().
 */
#include "redis_slots.h"

struct redis_slots {
	const struct pxs_table_owner *owners;
	u64 sum;	/* of all weights */
	u64 before;	/* weights of the owners up to this one */
	u32 n;
	u32 at;		/* owner of the slot that is next */
	u32 slot;
	u32 end;	/* behind its slots */
	struct pxs_seed seed;
};

u16 pxs_crc16(const u8 *p, u32 len)
{
	u16 crc = 0;
	u32 i;

	for (; len; p++, len--) {
		crc ^= (u16)(*p << 8);
		for (i = 0; i < 8; i++)
			crc = (u16)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

size_t pxs_redis_slots_scratch(u32 n)
{
	(void)n;
	return sizeof(struct redis_slots);
}

/* Where the range of the owners up to @at ends: their exact share, rounded. */
static void set_end(struct redis_slots *r)
{
	r->before += r->owners[r->at].weight;
	r->end = (u32)pxs_div64(2 * r->before * PXS_REDIS_SLOTS + r->sum, 2 * r->sum);
}

void pxs_redis_slots_start(void *scratch, const struct pxs_seed *seed,
			   const struct pxs_table_owner *owners, u32 n)
{
	struct redis_slots *r = scratch;
	u32 i;

	r->owners = owners;
	r->n = n;
	r->seed = *seed;
	r->sum = 0;
	r->before = 0;
	r->at = 0;
	r->slot = 0;
	for (i = 0; i < n; i++)
		r->sum += owners[i].weight;
	set_end(r);
}

bool pxs_redis_slots_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct redis_slots *r = scratch;

	for (; r->slot < PXS_REDIS_SLOTS; r->slot++) {
		if (!budget--)
			return true;
		while (r->slot >= r->end) {
			r->at++;
			set_end(r);
		}
		rows[r->slot].first = r->owners[r->at].index;
		rows[r->slot].second = pxs_table_other(&r->seed, r->owners, r->n, r->at, r->slot);
	}
	return false;
}
