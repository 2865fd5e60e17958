// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - what a disk may hold after power failed
 *
 * A walk keeps the durable disk and the list of what is pending. A state is the durable
 * disk with a choice of the pending operations done to it.
 */
#include "state.h"

#include <stdio.h>

#define PENDING	64

struct choice {
	u32 without;		/* this pending operation is left out; PENDING: none */
	u32 torn;		/* this one is done outside [from, to) only; PENDING: none */
	u32 from;
	u32 to;
	u32 names;		/* so many of the pending name operations are done */
	bool no_data;		/* no pending data operation is done */
};

struct walk {
	const struct state_walk *w;
	struct state_disk durable;
	struct state_disk now;
	const struct trace_op *data[PENDING];
	const struct trace_op *name[PENDING];
	u32 ndata;
	u32 nname;
};

static void need(struct state_file *f)
{
	if (f->data)
		return;
	f->data = calloc(1, STATE_ROOM);
	pxs_assert(f->data);
}

static void set_size(struct state_file *f, u32 size)
{
	pxs_assert(size <= STATE_ROOM);
	need(f);
	if (size < f->size)
		memset(f->data + size, 0, f->size - size);
	f->size = size;
	f->hashed = false;
}

static void put_bytes(struct state_file *f, const struct trace_op *op, u32 from, u32 to)
{
	if (from >= to)
		return;
	if (f->size < op->off + to)
		set_size(f, (u32)op->off + to);
	memcpy(f->data + op->off + from, op->data + from, to - from);
	f->hashed = false;
}

static void do_data(struct state_disk *d, const struct trace_op *op, u32 from, u32 to)
{
	struct state_file *f = &d->file[op->file];

	need(f);
	if (op->kind == TRACE_SIZE) {
		set_size(f, op->len);
		return;
	}
	put_bytes(f, op, 0, from);
	put_bytes(f, op, to, op->len);
}

static struct state_name *find_name(struct state_disk *d, const char *name)
{
	u32 i;

	for (i = 0; i < d->names; i++)
		if (!strcmp(d->name[i].name, name))
			return &d->name[i];
	return NULL;
}

static void drop_name(struct state_disk *d, const char *name)
{
	struct state_name *n = find_name(d, name);

	if (n)
		*n = d->name[--d->names];
}

static void do_name(struct state_disk *d, const struct trace_op *op)
{
	const char *name = op->kind == TRACE_RENAME ? op->to : op->name;

	drop_name(d, op->name);
	if (op->kind == TRACE_UNLINK)
		return;
	drop_name(d, name);
	pxs_assert(d->names < STATE_NAMES);
	snprintf(d->name[d->names].name, TRACE_NAME, "%s", name);
	d->name[d->names++].file = op->file;
	need(&d->file[op->file]);
}

struct state_file *state_find(struct state_disk *d, const char *name)
{
	struct state_name *n = find_name(d, name);

	return n ? &d->file[n->file] : NULL;
}

static void copy_file(struct state_file *to, const struct state_file *from)
{
	if (!from->data) {
		to->size = 0;
		return;
	}
	need(to);
	if (from->hashed && to->hashed && from->hash == to->hash)
		return;
	memcpy(to->data, from->data, STATE_ROOM);
	to->size = from->size;
	to->hash = from->hash;
	to->hashed = from->hashed;
}

void state_copy(struct state_disk *to, const struct state_disk *from)
{
	u32 i;

	for (i = 0; i < TRACE_FILES; i++)
		copy_file(&to->file[i], &from->file[i]);
	memcpy(to->name, from->name, sizeof(to->name));
	to->names = from->names;
}

void state_free(struct state_disk *d)
{
	u32 i;

	for (i = 0; i < TRACE_FILES; i++)
		free(d->file[i].data);
	memset(d, 0, sizeof(*d));
}

static u64 hash_file(struct state_file *f)
{
	u64 h = f->size, word;
	u32 i;

	if (f->hashed)
		return f->hash;
	for (i = 0; i < STATE_ROOM && f->data; i += 8) {
		memcpy(&word, f->data + i, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	f->hash = h;
	f->hashed = true;
	return h;
}

u64 state_hash(struct state_disk *d)
{
	u64 h, all = 0;
	const char *p;
	u32 i;

	for (i = 0; i < d->names; i++) {
		h = hash_file(&d->file[d->name[i].file]);
		for (p = d->name[i].name; *p; p++)
			h = (h ^ (u8)*p) * 0x100000001b3ull;
		all += h * (h >> 32 | 1);	/* names have no order */
	}
	return all;
}

/* --- choices ------------------------------------------------------------------------ */

static void make(struct walk *w, const struct choice *c, enum state_kind kind)
{
	struct state_disk *d = &w->now;
	u32 i;

	state_copy(d, &w->durable);
	for (i = 0; i < w->ndata && !c->no_data; i++) {
		if (i == c->without)
			continue;
		if (i == c->torn)
			do_data(d, w->data[i], c->from, c->to);
		else
			do_data(d, w->data[i], w->data[i]->len, w->data[i]->len);
	}
	for (i = 0; i < c->names; i++)
		do_name(d, w->name[i]);
	w->w->state(w->w->ctx, d, kind);
}

/* Does recovery see the file at all, if all pending names are done? */
static bool is_visible(const struct walk *w, int file)
{
	struct state_disk d;
	size_t len;
	u32 i;

	memcpy(d.name, w->durable.name, sizeof(d.name));
	memset(d.file, 0, sizeof(d.file));
	d.names = w->durable.names;
	for (i = 0; i < w->nname; i++) {
		d.file[w->name[i]->file].data = (u8 *)"";	/* not looked at */
		do_name(&d, w->name[i]);
	}
	for (i = 0; i < d.names; i++) {
		len = strlen(d.name[i].name);
		if (d.name[i].file == file && (len < 4 || strcmp(d.name[i].name + len - 4, ".new")))
			return true;
	}
	return false;
}

static void tear(struct walk *w, struct choice c, u32 from, u32 to)
{
	c.from = from;
	c.to = min(to, w->data[c.torn]->len);
	if (c.from < c.to && c.to - c.from < w->data[c.torn]->len)
		make(w, &c, STATE_TORN);
}

/* Beginnings, ends and holes, by sectors near both ends, by blocks between. */
static void tear_all(struct walk *w, struct choice c)
{
	u32 len = w->data[c.torn]->len;
	u32 at, step;

	for (at = 0; at < len; at += step) {
		step = at < 4096 || len - at <= 4096 ? 512 : 4096;
		tear(w, c, at, len);
		tear(w, c, 0, at);
		tear(w, c, at, at + 512);
		if (at % 4096 == 0)
			tear(w, c, at, at + 4096);
	}
}

static void all_choices(struct walk *w)
{
	struct choice c = { .without = PENDING, .torn = PENDING, .names = w->nname };
	u32 i;

	/* So that make() copies only what differs. */
	for (i = 0; i < TRACE_FILES; i++)
		hash_file(&w->durable.file[i]);
	make(w, &c, STATE_WHOLE);
	for (i = 0; i < w->ndata; i++) {
		if (w->w->coarse ? i && i + 1 < w->ndata : !is_visible(w, w->data[i]->file))
			continue;
		c.without = i;
		make(w, &c, STATE_DROPPED);
		c.without = PENDING;
		c.torn = i;
		if (w->data[i]->kind == TRACE_WRITE && !w->w->coarse)
			tear_all(w, c);
		c.torn = PENDING;
	}
	for (c.names = 0; c.names <= w->nname; c.names++) {
		if (c.names < w->nname)
			make(w, &c, STATE_DROPPED);
		c.no_data = w->ndata > 0;
		if (c.no_data)
			make(w, &c, STATE_DROPPED);
		c.no_data = false;
	}
}

/* --- going along the trace ---------------------------------------------------------- */

/* The pending operations of @file, or all if it is negative, become durable. */
static void settle(struct walk *w, int file, bool last_only)
{
	u32 i, kept = 0;

	for (i = 0; i < w->ndata; i++) {
		if (last_only ? i + 1 < w->ndata : w->data[i]->file != file)
			w->data[kept++] = w->data[i];
		else
			do_data(&w->durable, w->data[i], w->data[i]->len, w->data[i]->len);
	}
	w->ndata = kept;
}

static void take_op(struct walk *w, const struct trace_op *op)
{
	u32 i;

	switch (op->kind) {
	case TRACE_CREATE:
	case TRACE_RENAME:
	case TRACE_UNLINK:
		pxs_assert(w->nname < PENDING);
		w->name[w->nname++] = op;
		break;
	case TRACE_SIZE:
	case TRACE_WRITE:
		pxs_assert(w->ndata < PENDING);
		w->data[w->ndata++] = op;
		break;
	case TRACE_SYNC:
		settle(w, op->file, false);
		break;
	case TRACE_SYNC_WRITE:
		settle(w, -1, true);
		break;
	case TRACE_SYNC_DIR:
		for (i = 0; i < w->nname; i++)
			do_name(&w->durable, w->name[i]);
		w->nname = 0;
		break;
	default:
		break;
	}
}

void state_all(const struct state_walk *walk, const struct state_disk *base)
{
	struct walk *w = calloc(1, sizeof(*w));
	u32 i;

	pxs_assert(w);
	w->w = walk;
	state_copy(&w->durable, base);
	for (i = 0; i < walk->trace->n; i++) {
		take_op(w, &walk->trace->op[i]);
		if (walk->op(walk->ctx, &walk->trace->op[i]))
			all_choices(w);
	}
	state_free(&w->durable);
	state_free(&w->now);
	free(w);
}
