// SPDX-License-Identifier: GPL-2.0
/*
 * disk.c - a disk with one directory and a page cache
 */
#include "sim.h"

static void *grown(void *p, size_t old, size_t size)
{
	p = realloc(p, size);
	if (!p)
		abort();
	memset((u8 *)p + old, 0, size - old);
	return p;
}

struct sim_file *sim_disk_find(struct sim_disk *d, const char *name)
{
	struct sim_file *f;

	for (f = d->files; f; f = f->next)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

struct sim_file *sim_disk_create(struct sim_disk *d, const char *name)
{
	struct sim_file *f = grown(NULL, 0, sizeof(*f));
	struct sim_file **p = &d->files;

	strncpy(f->name, name, SIM_NAME - 1);
	while (*p)
		p = &(*p)->next;
	*p = f;
	return f;
}

static void file_free(struct sim_file *f)
{
	free(f->cache);
	free(f->platter);
	free(f->dirty);
	free(f);
}

/* A file without a name, on the platter or off it, that nobody has open. */
static void reap(struct sim_disk *d)
{
	struct sim_file **p = &d->files, *f;

	while ((f = *p)) {
		if (f->name[0] || f->stable[0] || f->opens) {
			p = &f->next;
			continue;
		}
		*p = f->next;
		file_free(f);
	}
}

void sim_disk_rename(struct sim_disk *d, struct sim_file *f, const char *name)
{
	struct sim_file *old = sim_disk_find(d, name);

	if (old && old != f)
		old->name[0] = 0;
	memset(f->name, 0, sizeof(f->name));
	strncpy(f->name, name, SIM_NAME - 1);
	reap(d);
}

void sim_disk_unlink(struct sim_disk *d, struct sim_file *f)
{
	f->name[0] = 0;
	reap(d);
}

void sim_disk_truncate(struct sim_file *f)
{
	f->size = 0;
	f->stable_size = 0;
	memset(f->dirty, 0, f->cap / SIM_BLOCK);
	f->dirty_blocks = 0;
}

void sim_disk_room(struct sim_file *f, u32 size)
{
	u32 cap = (size + SIM_BLOCK - 1) & ~(SIM_BLOCK - 1);

	if (cap <= f->cap)
		return;
	f->cache = grown(f->cache, f->cap, cap);
	f->platter = grown(f->platter, f->cap, cap);
	f->dirty = grown(f->dirty, f->cap / SIM_BLOCK, cap / SIM_BLOCK);
	f->cap = cap;
}

bool sim_disk_write(struct sim_file *f, u64 offset, const void *buf, u32 len)
{
	u32 b;

	if (!len || offset + len > 1u << 28)
		return false;
	sim_disk_room(f, (u32)offset + len);
	memcpy(f->cache + offset, buf, len);
	b = (u32)offset / SIM_BLOCK;
	if (!f->dirty_blocks || b < f->first_dirty)
		f->first_dirty = b;
	for (; b <= ((u32)offset + len - 1) / SIM_BLOCK; b++) {
		f->dirty_blocks += !f->dirty[b];
		f->dirty[b] = 1;
	}
	f->size = max(f->size, (u32)offset + len);
	return true;
}

static void land(struct sim_file *f, u32 b, u32 bytes)
{
	memcpy(f->platter + b * SIM_BLOCK, f->cache + b * SIM_BLOCK, bytes);
}

void sim_disk_flush(struct sim_file *f)
{
	u32 b;

	for (b = f->first_dirty; f->dirty_blocks && b < f->cap / SIM_BLOCK; b++) {
		if (!f->dirty[b])
			continue;
		land(f, b, SIM_BLOCK);
		f->dirty[b] = 0;
		f->dirty_blocks--;
	}
	f->stable_size = f->size;
}

void sim_disk_flush_names(struct sim_disk *d)
{
	struct sim_file *f;

	for (f = d->files; f; f = f->next)
		memcpy(f->stable, f->name, sizeof(f->stable));
	reap(d);
}

/* Each dirty block lands, or not; under F_TEAR also in part. */
static void land_some(struct sim *s, struct sim_file *f)
{
	u32 b, sectors;

	for (b = f->first_dirty; f->dirty_blocks && b < f->cap / SIM_BLOCK; b++) {
		if (!f->dirty[b])
			continue;
		sectors = (u32)sim_fault_below(s, F_TEAR, SIM_BLOCK / SIM_SECTOR);
		if (sim_chance(s, F_TEAR, 3))
			land(f, b, SIM_SECTOR * sectors);
		else if (sim_below(s, 2))
			land(f, b, SIM_BLOCK);
		f->dirty[b] = 0;
		f->dirty_blocks--;
	}
	f->stable_size = f->size;
}

void sim_disk_flush_fails(struct sim *s, struct sim_file *f)
{
	land_some(s, f);
}

void sim_disk_drop_cache(struct sim_file *f)
{
	u32 b;

	for (b = 0; b < f->cap / SIM_BLOCK; b++)
		if (!f->dirty[b])
			memcpy(f->cache + b * SIM_BLOCK, f->platter + b * SIM_BLOCK, SIM_BLOCK);
}

void sim_disk_power_loss(struct sim *s, struct sim_disk *d)
{
	bool names = sim_below(s, 2);	/* changes of names reached the platter by themselves */
	struct sim_file *f;

	for (f = d->files; f; f = f->next) {
		land_some(s, f);
		f->size = f->stable_size;
		if (f->cap)
			memcpy(f->cache, f->platter, f->cap);
		if (names)
			memcpy(f->stable, f->name, sizeof(f->name));
		else
			memcpy(f->name, f->stable, sizeof(f->name));
	}
	reap(d);
	d->stall = 0;
}

void sim_disk_wipe(struct sim_disk *d)
{
	struct sim_file *f;

	while ((f = d->files)) {
		d->files = f->next;
		file_free(f);
	}
	memset(d, 0, sizeof(*d));
}
