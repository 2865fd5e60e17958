// SPDX-License-Identifier: GPL-2.0
/*
 * shards.c - which group has a key, where a store has several
 */
#include "shards.h"

#include <stdlib.h>

#include "table.h"

static int by_number(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static int build(struct pxs_shards *m, struct pxs_table_config *cfg)
{
	struct pxs_table *t = malloc(pxs_table_size(cfg));
	void *scratch = malloc(pxs_table_scratch(cfg));
	int err = t && scratch ? 0 : -ENOMEM;
	struct pxs_table_build b;
	const char *why;
	u32 i;

	if (!err)
		err = pxs_table_start(&b, cfg, t, scratch, 1, &why);
	while (!err && pxs_table_step(&b, PXS_TABLE_BUDGET))
		;
	for (i = 0; i < PXS_SHARD_ROWS && !err; i++)
		m->row[i] = (u8)t->rows[i].first;
	free(scratch);
	free(t);
	return err;
}

int pxs_shards_fill(struct pxs_shards *m, const u32 *group, u32 n, const struct pxs_seed *seed)
{
	struct pxs_table_backend backend[PXS_SHARDS_MAX] = { 0 };
	struct pxs_table_config cfg = {
		.fill = PXS_FILL_RENDEZVOUS, .cap = PXS_CAP_DEFAULT, .nrows = PXS_SHARD_ROWS,
		.seed = *seed, .nbackends = n, .backends = backend,
	};
	const char *why;
	int err;
	u32 i;

	pxs_assert(n && n <= PXS_SHARDS_MAX);
	*m = (struct pxs_shards){ .n = n };
	memcpy(m->group, group, n * sizeof(*group));
	qsort(m->group, n, sizeof(*m->group), by_number);
	for (i = 0; i < n; i++)
		backend[i] = (struct pxs_table_backend){ .id = m->group[i], .weight = 1 };
	err = pxs_table_plan(&cfg, &why);
	pxs_assert(!err && cfg.nrows == PXS_SHARD_ROWS);
	return build(m, &cfg);
}

u64 pxs_shards_digest(const struct pxs_shards *m)
{
	static const struct pxs_seed seed;
	__le32 group[PXS_SHARD_ROWS];
	u32 i;

	for (i = 0; i < PXS_SHARD_ROWS; i++)
		group[i] = cpu_to_le32(m->group[m->row[i]]);
	return pxs_siphash(&seed, group, sizeof(group)) | 1;
}

int pxs_shards_index(const struct pxs_shards *m, u32 id)
{
	u32 i;

	for (i = 0; i < m->n; i++)
		if (m->group[i] == id)
			return (int)i;
	return -1;
}

bool pxs_shards_range(const struct pxs_shards *m, u32 index, u32 *from, u32 *last)
{
	u32 row = (*from + PXS_SHARD_SLOTS - 1) / PXS_SHARD_SLOTS;

	while (row < PXS_SHARD_ROWS && m->row[row] != index)
		row++;
	if (row == PXS_SHARD_ROWS)
		return false;
	*from = row * PXS_SHARD_SLOTS;
	while (row < PXS_SHARD_ROWS && m->row[row] == index)
		row++;
	*last = row * PXS_SHARD_SLOTS - 1;
	return true;
}
