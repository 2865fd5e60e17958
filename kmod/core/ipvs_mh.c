// SPDX-License-Identifier: GPL-2.0
/*
 * ipvs_mh.c - fill: the table of IPVS' scheduler mh
 *
 * Owns nothing: walks are in the caller's scratch memory, the rows in its table. The keys
 * of the hash are constants there, so they are here; what is hashed is a sum, in which
 * 10.0.0.1:81 and 10.0.0.2:80 are one. Control path, process context.
 */
#include "ipvs_mh.h"
#include "maglev.h"

#define MH_KEY_OFFSET	2654435761u
#define MH_KEY_SKIP	2654446892u

u32 pxs_hsiphash_u32(const struct pxs_seed *seed, u32 value)
{
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	return (u32)pxs_sip13final(&s, 4ull << 56 | value);
}

static u32 mh_hash(const struct pxs_table_backend *be, u32 key)
{
	const struct pxs_seed seed = { .k = { key, key } };
	u32 sum = be->port;

	if (be->family == 6)
		sum += get_unaligned_be32(be->addr) ^ get_unaligned_be32(be->addr + 4) ^
		       get_unaligned_be32(be->addr + 8) ^ get_unaligned_be32(be->addr + 12);
	else
		sum += get_unaligned_be32(be->addr);
	return pxs_hsiphash_u32(&seed, sum);
}

static u32 gcd(u32 x, u32 y)
{
	u32 rest;

	while (y) {
		rest = x % y;
		x = y;
		y = rest;
	}
	return x;
}

void pxs_ipvs_mh_start(void *scratch, const struct pxs_table_config *cfg,
		       const struct pxs_table_owner *owners, u32 n, struct pxs_table_row *rows)
{
	struct pxs_maglev *m = scratch;
	u32 i, unit = 0, most = 0, bits, known, shift = 0;

	for (i = 0; i < n; i++) {
		unit = gcd(owners[i].weight, unit);
		most = max(most, owners[i].weight);
	}
	bits = 32 - (u32)__builtin_clz(most / unit);
	/* bits of a weight that count: half the option's number, 8 for the first size */
	known = ((u32)pxs_maglev_size(cfg->nrows) + 8) / 2;
	if (bits > known)
		shift = bits - known;
	m->nrows = cfg->nrows;
	m->n = n;
	for (i = 0; i < n; i++) {
		const struct pxs_table_owner *o = &owners[n - 1 - i];
		const struct pxs_table_backend *be = &cfg->backends[o->index];
		u32 turns = o->weight / unit >> shift;

		m->walk[i].next = mh_hash(be, MH_KEY_OFFSET) % m->nrows;
		m->walk[i].skip = mh_hash(be, MH_KEY_SKIP) % (m->nrows - 1) + 1;
		m->walk[i].weight = turns ? turns : 1;
		m->walk[i].index = o->index;
	}
	pxs_maglev_begin(m, PXS_TURNS_RUN, rows);
}
