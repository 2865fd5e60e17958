/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keep.h - which connections are elsewhere than the table says, and stay there
 *
 * For a director that sees one direction only (dsr, tunnels) and keeps no state of connections
 * as a rule: whose a connection is follows from its row. That row has a home: its first choice,
 * or, for some time after a change, its first choice before. A connection that is not at home
 * is noted, and so is one that is at home until the row moves:
 *
 *   SYN     the table's choice of now, past those who are full; noted if that is not the row's
 *           home. Where that can't be noted it goes home, as what follows will. Of a connection
 *           that is noted and in use: where that is
 *   others  as noted; else at home, dead or alive; noted then if the table says another one now
 *
 * So the notes are of rows that changed and of second choices only; where nothing changes there
 * is none. Why notes are made of SYNs at all: what comes after a SYN to a new owner looks just
 * like what comes of a connection that is older than the change.
 *
 * Memory is fixed: sets of 8 words. What has ended, or was quiet for PXS_KEEP_QUIET, gives way,
 * then the oldest SYN, then the connection that was quiet for longest; but none that spoke
 * within PXS_KEEP_FRESH, so that a flood of anything cannot displace what is in use. A SYN
 * displaces nothing but what has ended or other SYNs.
 */
#ifndef PXS_CORE_KEEP_H
#define PXS_CORE_KEEP_H

#include "platform.h"
#include "table.h"

#define PXS_KEEP_WAYS	8
#define PXS_KEEP_SETS	8192	/* 512 KiB for 65536 connections */

/*
 * Seconds of quiet after which a connection is not kept any more: TCP's keepalive asks after
 * 7200 s by default. For so long after a change a row's home is the one before.
 */
#define PXS_KEEP_QUIET	7500
#define PXS_KEEP_FRESH	60
#define PXS_KEEP_SYN	60	/* for an answer to a SYN */
#define PXS_KEEP_ENDED	120	/* after a FIN or RST: the other direction may go on for long */

/*
 * Lock-free, for any number of CPUs: each note is one word, replaced by compare-and-swap. Two
 * CPUs that note the same connection at once may leave two notes that say the same.
 */
struct pxs_keep {
	struct pxs_word slot[PXS_KEEP_SETS][PXS_KEEP_WAYS];
};

/* A packet of a connection. */
struct pxs_keep_ask {
	const struct pxs_table *table;	/* in force; NULL: nobody has weight */
	const unsigned long *live;	/* nbackends bits, as full */
	const unsigned long *full;	/* see load.h; asked for SYNs only */
	u64 hash;			/* by which the table is asked */
	u64 flow;			/* of the connection, keyed by a secret */
	u32 now;			/* seconds; only differences count */
	u32 nbackends;			/* a note may be of one that has just gone, and above */
	u16 home;			/* index, PXS_NONE: it is gone */
	bool syn;			/* the first one of a connection */
	bool end;			/* FIN or RST */
	bool peek;			/* somebody else asks: change nothing */
};

struct pxs_keep_pick {
	u16 backend;			/* index or PXS_NONE: nobody serves */
	u8 choice;			/* enum pxs_choice, of a SYN and of what has no home */
	bool spilled;			/* past somebody who is full */
	bool kept;			/* not the row's first choice: its connection is there */
	bool no_room;			/* should be noted, but there is no room */
};

/* @k all zero is empty. */
struct pxs_keep_pick pxs_keep_pick(struct pxs_keep *k, const struct pxs_keep_ask *ask);

/* A backend is gone, its index free for another one. Control path: reads all of the memory. */
void pxs_keep_forget(struct pxs_keep *k, u16 backend);

/* How many connections are noted and not over, for whoever looks. Reads all of the memory. */
u32 pxs_keep_count(const struct pxs_keep *k, u32 now);

#endif /* PXS_CORE_KEEP_H */
