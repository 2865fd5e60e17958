// SPDX-License-Identifier: GPL-2.0
/*
 * decay.c - what happens to disks by themselves
 *
 * Only before the last whole batch on the platter: something that holds follows it, so it is
 * damage and must be seen as such (S5). A last batch that is lost after its flush is a disk that
 * lies; nothing on that disk could tell it from a torn tail.
 */
#include <stdio.h>

#include "batch.h"
#include "sim.h"

static struct sim_file *segment_file(struct sim_node *n, u64 number)
{
	char name[PXS_SEGMENT_NAME_LEN];

	pxs_segment_name(number, name);
	return sim_disk_find(&n->disk, name);
}

/* Bytes of segment @number that may be damaged. */
static u32 reach(const struct sim *s, const struct sim_node *n, u64 number)
{
	return number < n->watch.segment ? s->p.segment : n->watch.last;
}

static struct sim_file *any_segment(struct sim *s, struct sim_node *n, u32 *room)
{
	u64 number = 1 + sim_below(s, n->watch.segment);
	struct sim_file *f = n->watch.segment ? segment_file(n, number) : NULL;

	*room = f ? min(reach(s, n, number), f->stable_size) : 0;
	return *room ? f : NULL;
}

/* What is damaged on the platter is read from there, unless the cache has it dirty. */
static void seen(struct sim *s, struct sim_node *n, struct sim_file *f)
{
	sim_disk_drop_cache(f);
	n->damaged = true;
	TRACE(s, "node %u: %s is damaged", sim_index(s, n), f->name);
}

static u32 rot_batch(struct sim *s, u8 *p, const struct pxs_batch_info *b, u32 one_in)
{
	struct pxs_record r;
	u32 at, i, n = 0;

	for (at = 0, i = 0; i < b->count && at < b->bytes; i++, at += pxs_record_size(r.len)) {
		if (pxs_record_get(p + at, b->bytes - at, &r) != PXS_RECORD_OK)
			break;
		if (!r.len || sim_fault_below(s, F_ROT, one_in))
			continue;
		p[at + PXS_RECORD_HDR_LEN + sim_fault_below(s, F_ROT, r.len)] ^=
			1u << sim_fault_below(s, F_ROT, 8);
		sim_count(s, F_ROT);
		n++;
	}
	return n;
}

static void rot_segment(struct sim *s, struct sim_node *n, u64 number, u32 one_in)
{
	struct sim_file *f = segment_file(n, number);
	u32 room = f ? min(reach(s, n, number), f->stable_size) : 0;
	struct pxs_segment_info info;
	struct pxs_batch_info b;
	u32 at, version, hits = 0;

	if (!room || !pxs_segment_parse(f->platter, &info, &version))
		return;
	for (at = PXS_JOURNAL_BLOCK; at < room; at += PXS_JOURNAL_BLOCK)
		if (pxs_batch_parse(f->platter + at, room - at, info.salt, &b))
			hits += rot_batch(s, f->platter + at + PXS_BATCH_HDR_LEN, &b, one_in);
	if (hits)
		seen(s, n, f);
}

/* Values lose a bit each. */
void sim_rot(struct sim *s, struct sim_node *n)
{
	u32 one_in = 1 + (u32)sim_fault_below(s, F_ROT, 40);
	u64 number;

	for (number = 1; number <= n->watch.segment; number++)
		rot_segment(s, n, number, one_in);
}

/* One bit of anything; a block never written, or written where another belongs. */
void sim_damage(struct sim *s, struct sim_node *n)
{
	u32 room, from_room, at;
	struct sim_file *f = any_segment(s, n, &room);
	struct sim_file *from = any_segment(s, n, &from_room);

	if (!f || !from)
		return;
	at = (u32)sim_below(s, room);
	switch (sim_below(s, 4)) {
	case 0:
	case 1:
		f->platter[at] ^= 1u << sim_below(s, 8);
		break;
	case 2:
		memset(f->platter + (at & ~(SIM_BLOCK - 1)), 0, SIM_BLOCK);
		break;
	case 3:
		memmove(f->platter + (at & ~(SIM_BLOCK - 1)),
			from->platter + (sim_below(s, from_room) & ~(SIM_BLOCK - 1ull)), SIM_BLOCK);
		break;
	}
	TRACE(s, "node %u: offset %u of %s", sim_index(s, n), at, f->name);
	seen(s, n, f);
}

/*
 * The power fails, and the disk is replaced by an empty one with a journal of its own. Whoever
 * did it may have put the new incarnation into this node's configuration; the others know the
 * old one.
 */
void sim_swap(struct sim *s, struct sim_node *n)
{
	struct pxs_identity id = { .cluster = "simulated", .segment_size = s->p.segment,
				   .member = n->id };
	char error[256];

	sim_node_crash(s, n);
	if (n->mod.up)
		return;
	n->reborn = true;
	sim_disk_wipe(&n->disk);
	memset(&n->watch, 0, sizeof(n->watch));
	sim_enter(s, n);
	pxs_identity_create("journal", &id, error, sizeof(error));
	if (sim_below(s, 2))
		n->incarnation = id.incarnation;
	TRACE(s, "node %u: disk replaced, known to itself as %llx", sim_index(s, n),
	      U(n->incarnation));
}
