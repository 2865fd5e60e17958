// SPDX-License-Identifier: GPL-2.0
/*
 * maglev_others.c - fills: Maglev as Envoy, katran and Cilium do it
 *
 * Owns nothing: walks, and behind them the names, are in the caller's scratch memory, the
 * rows in its table. Only offsets, skips and the order are settled here, once; turns are
 * maglev.c's. Control path, process context.
 */
#include "maglev_others.h"
#include "maglev.h"
#include "murmur3.h"
#include "name.h"
#include "sort.h"
#include "xxhash.h"

#define CILIUM_TAIL	"/TCP,State:active]"
#define NAME_MAX_LEN	(1 + PXS_NAME_AT_MAX + sizeof(CILIUM_TAIL))
#define PROTO_UDP	17

struct named {
	u16 owner;	/* position among the owners */
	u16 len;
	char text[NAME_MAX_LEN];
};

static u32 modulo(u64 hash, u32 m)
{
	return (u32)(hash - pxs_div64(hash, m) * m);
}

static void set_walk(struct pxs_maglev_walk *w, u32 nrows, u64 offset, u64 skip,
		     const struct pxs_table_owner *o)
{
	w->next = modulo(offset, nrows);
	w->skip = modulo(skip, nrows - 1) + 1;
	w->weight = o->weight;
	w->index = o->index;
}

static bool is_before(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = memcmp(x->text, y->text, min(x->len, y->len));

	return order ? order < 0 : x->len < y->len;
}

size_t pxs_maglev_named_scratch(u32 n)
{
	return pxs_maglev_scratch(n) + n * sizeof(struct named);
}

/* The owners by what @name calls them, in that order; they stand behind the walks. */
static const struct named *start_named(struct pxs_maglev *m, const struct pxs_table_config *cfg,
				       const struct pxs_table_owner *owners, u32 n,
				       u32 (*name)(char *buf, const struct pxs_table_config *cfg,
						   u32 index))
{
	struct named *names;
	u32 i;

	m->nrows = cfg->nrows;
	m->n = n;
	names = (struct named *)&m->walk[n];
	for (i = 0; i < n; i++) {
		names[i].owner = (u16)i;
		names[i].len = (u16)name(names[i].text, cfg, owners[i].index);
	}
	pxs_sort(names, n, sizeof(*names), is_before);
	return names;
}

static u32 envoy_name(char *buf, const struct pxs_table_config *cfg, u32 index)
{
	return pxs_name_at(buf, &cfg->backends[index]);
}

void pxs_maglev_envoy_start(void *scratch, const struct pxs_table_config *cfg,
			    const struct pxs_table_owner *owners, u32 n,
			    struct pxs_table_row *rows)
{
	struct pxs_maglev *m = scratch;
	const struct named *names = start_named(m, cfg, owners, n, envoy_name);
	u32 i;

	for (i = 0; i < n; i++)
		set_walk(&m->walk[i], m->nrows, pxs_xxh64(names[i].text, names[i].len, 0),
			 pxs_xxh64(names[i].text, names[i].len, 1), &owners[names[i].owner]);
	pxs_maglev_begin(m, PXS_TURNS_ENVOY, rows);
}

/* The first half of MurmurHash3 of two words. */
static u64 katran_hash(u64 a, u64 b, u32 seed)
{
	const __le64 words[2] = { cpu_to_le64(a), cpu_to_le64(b) };
	u64 hash[2];

	pxs_murmur3(words, sizeof(words), seed, hash);
	return hash[0];
}

void pxs_maglev_katran_start(void *scratch, const struct pxs_table_config *cfg,
			     const struct pxs_table_owner *owners, u32 n,
			     struct pxs_table_row *rows)
{
	struct pxs_maglev *m = scratch;
	u32 i;

	m->nrows = cfg->nrows;
	m->n = n;
	for (i = 0; i < n; i++)
		set_walk(&m->walk[i], m->nrows, katran_hash(owners[i].id, 42, 0),
			 katran_hash(owners[i].id, 2718281828u, 2307), &owners[i]);
	pxs_maglev_begin(m, PXS_TURNS_KATRAN, rows);
}

static u32 cilium_name(char *buf, const struct pxs_table_config *cfg, u32 index)
{
	u32 n = 0;

	buf[n++] = '[';
	n += pxs_name_at(buf + n, &cfg->backends[index]);
	memcpy(buf + n, CILIUM_TAIL, sizeof(CILIUM_TAIL) - 1);
	if (cfg->proto == PROTO_UDP)
		memcpy(buf + n, "/UDP", 4);
	return n + (u32)sizeof(CILIUM_TAIL) - 1;
}

/* Four bytes of the seed, big endian; a seed's words are little endian. */
static u32 cilium_seed(const struct pxs_seed *seed)
{
	u32 first = (u32)seed->k[0];

	return first << 24 | (first & 0xff00) << 8 | (first >> 8 & 0xff00) | first >> 24;
}

void pxs_maglev_cilium_start(void *scratch, const struct pxs_table_config *cfg,
			     const struct pxs_table_owner *owners, u32 n,
			     struct pxs_table_row *rows)
{
	struct pxs_maglev *m = scratch;
	const struct named *names = start_named(m, cfg, owners, n, cilium_name);
	u64 hash[2];
	u32 i;

	for (i = 0; i < n; i++) {
		pxs_murmur3(names[i].text, names[i].len, cilium_seed(&cfg->seed), hash);
		set_walk(&m->walk[i], m->nrows, hash[0], hash[1], &owners[names[i].owner]);
	}
	pxs_maglev_begin(m, PXS_TURNS_CILIUM, rows);
}
