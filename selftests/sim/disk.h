/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk.h - a disk with one directory and a page cache
 *
 * A file has what the page cache holds and what the platter holds; a block that differs is
 * dirty until a flush. Names become durable when the directory is flushed.
 */
#ifndef PXS_SIM_DISK_H
#define PXS_SIM_DISK_H

#include "platform.h"

#define SIM_BLOCK	4096u
#define SIM_SECTOR	512u
#define SIM_NAME	32

struct sim;
struct sim_node;

struct sim_file {
	struct sim_file *next;
	char name[SIM_NAME];	/* "": unlinked */
	char stable[SIM_NAME];	/* on the platter; "": not there */
	u32 size, cap;
	u32 stable_size;
	u8 *cache;
	u8 *platter;
	u8 *dirty;		/* a byte a block */
	u32 dirty_blocks;
	u32 first_dirty;	/* none is before it */
	u32 opens;
};

struct sim_disk {
	struct sim_file *files;
	u64 full;		/* no room until then */
	u64 stall;		/* nothing happens until then */
	bool refused;		/* it failed a call since this was cleared */
	bool broken;		/* a flush or a write failed: what was in flight is unknown */
};

/* How far the observer has read what is on the platter. */
struct sim_watch {
	u64 segment;		/* 0: none yet */
	u32 offset;		/* behind the last batch */
	u32 last;		/* of the last batch */
	u64 salt;
	u64 seq;
	u64 lsn;		/* next */
};

struct sim_file *sim_disk_find(struct sim_disk *d, const char *name);
struct sim_file *sim_disk_create(struct sim_disk *d, const char *name);
void sim_disk_rename(struct sim_disk *d, struct sim_file *f, const char *name);
void sim_disk_unlink(struct sim_disk *d, struct sim_file *f);
void sim_disk_truncate(struct sim_file *f);
void sim_disk_room(struct sim_file *f, u32 size);
bool sim_disk_write(struct sim_file *f, u64 offset, const void *buf, u32 len);	/* grows */
void sim_disk_flush(struct sim_file *f);
void sim_disk_flush_names(struct sim_disk *d);
/* A flush failed: any of the dirty blocks may be there, and none is dirty any more. */
void sim_disk_flush_fails(struct sim *s, struct sim_file *f);
void sim_disk_drop_cache(struct sim_file *f);	/* of clean blocks */
void sim_disk_power_loss(struct sim *s, struct sim_disk *d);
void sim_disk_wipe(struct sim_disk *d);

#endif /* PXS_SIM_DISK_H */
