/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fetch.h - values of consecutive slots, from memory or from the journal
 *
 * Reading a file is an operation of the ring, so a cold reader never holds up the loop.
 */
#ifndef PXS_AGENT_FETCH_H
#define PXS_AGENT_FETCH_H

#include "journal.h"
#include "slots.h"

#define PXS_FETCH_BYTES	65536u		/* read at once; more than the largest record */

/* One value of a run. @faulty: this member cannot tell it; data and len are nothing then. */
struct pxs_fetched {
	u64 slot;
	u64 ballot;
	u32 len;
	bool noop;		/* to who reads the log a configuration is one, too */
	bool config;
	bool faulty;
	const u8 *data;
};

struct pxs_fetch {
	struct pxs_journal *journal;
	struct pxs_slots *slots;
	/* Take one. Return: false to stop here (this one was not taken). */
	bool (*take)(void *ctx, const struct pxs_fetched *v);
	/*
	 * The run is over: at its end, because take() said so, or with an error: -ENODATA: the next
	 * slot was trimmed; or -errno.
	 */
	void (*done)(void *ctx, int err);
	void *ctx;
	u64 slot;		/* next */
	u64 last;
	struct pxs_op op;
	u8 *buf;
	u64 pos;		/* what buf is being filled from */
	int fd;
	bool busy;
	u64 segment;		/* that fd is open for */
};

void pxs_fetch_init(struct pxs_fetch *f, struct pxs_journal *journal, struct pxs_slots *slots);

/* Run over [first, last]; not while busy. done() may come before this returns. */
void pxs_fetch_run(struct pxs_fetch *f, u64 first, u64 last);

void pxs_fetch_exit(struct pxs_fetch *f);	/* not while busy */

#endif /* PXS_AGENT_FETCH_H */
