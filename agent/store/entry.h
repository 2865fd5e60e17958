/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - what the store writes into a group's log
 *
 * A value of the log is one entry: struct pxs_store_entry_hdr, the keys that are watched, the
 * commands. Integers are little endian.
 *
 *	struct pxs_store_entry_hdr
 *	watches times:	__le64 version, __le32 len, key
 *	commands times:	__le32 argc, argc times: __le32 len, argument
 *
 * An entry that is larger than a value of the log is written in parts (part.h), each of them a
 * header, a struct pxs_store_part and the bytes.
 *
 * Applying an entry depends on nothing but the state, the entry and its slot. So all that is
 * not in the state must be in the entry: the time, which the proposer's clock gave, and the
 * limit of memory, which the proposer's configuration gave. Time goes only forward: what counts is
 * the highest of all entries applied so far.
 *
 * A retry is another entry with the same session and number: which of them comes first, the log
 * says, and only that one is executed.
 *
 * A value without the magic is foreign (somebody appended it before the group had a store): it
 * changes nothing, and its slot is counted. One with the magic but a version that this program
 * does not know stops the store, for to skip it would be to differ from the other members.
 */
#ifndef PXS_STORE_ENTRY_H
#define PXS_STORE_ENTRY_H

#include <linux/paxsteer.h>

#include "str.h"

#define PXS_STORE_MAGIC		0x45535850u	/* "PXSE" */
#define PXS_STORE_VERSION	8

/*
 * Of an entry with FLUSHALL or FLUSHDB among its commands: to those who watch it deletes each key
 * that is there, as DEL does. In entries of lower versions it deletes all that there could be.
 */
#define PXS_STORE_FLUSH_VERSION	8

#define PXS_STORE_EXACTLY_ONCE	0x1	/* client and seq are a session's: execute it once */

struct pxs_store_entry_hdr {
	__le32 magic;
	__u8 version;		/* the lowest that knows all that is in it */
	__u8 kind;		/* enum pxs_store_entry_kind */
	__le16 watches;
	__le32 commands;
	__le32 flags;		/* PXS_STORE_*; 0 in version 1 */
	__le64 client;		/* a session's id; else a number of the node and the connection */
	__le64 seq;		/* counts that client's entries */
	__le64 time;		/* the proposer's clock: milliseconds of the epoch */
	__le64 memory;		/* bytes beyond which commands that add are refused; 0: no limit */
};

enum pxs_store_entry_kind {
	PXS_STORE_BARRIER = 1,	/* no commands: time goes on, and who waits for it may read */
	PXS_STORE_COMMAND = 2,	/* one command */
	PXS_STORE_EXEC = 3,	/* all, in order, if no watched key has changed */
	/* version 2: no commands; client: how many there may be, seq: ms that it lives unused */
	PXS_STORE_SESSION = 4,
	/* version 4: a command PAXSTEER SAGA; client: sagas there may be, seq: ms to keep one */
	PXS_STORE_SAGA = 5,
	/* version 4: no commands; client: number of a saga, seq: position from which it goes on */
	PXS_STORE_SAGA_STEP = 6,
	/*
	 * version 4, and that of the whole: bytes of an entry, not a saga's; client and seq tell
	 * wholes apart; watches, commands, flags, time and memory are 0
	 */
	PXS_STORE_PART = 7,
	/*
	 * version 5: one command, whose words are the ids of the groups of the store, rising, in
	 * decimal; client: digest of which has which keys (shards.h)
	 */
	PXS_STORE_MAP = 8,
	/*
	 * version 6, transactions over several groups (twophase.h). TX begins one: of each group
	 * that takes part, this one first and their ids rising, a command "ID COUNT" and then as
	 * many commands. The others are about one; client: its coordinator, a group, seq: slot of
	 * its TX there. Version 7: among the commands of TX and TX_PREPARE are conditions
	 * (condition.h).
	 */
	PXS_STORE_TX = 9,
	PXS_STORE_TX_PREPARE = 10,	/* the commands of this group, a participant */
	PXS_STORE_TX_COMMIT = 11,	/* no commands, as all that follow */
	PXS_STORE_TX_ABORT = 12,	/* memory: in the coordinator's log, enum pxs_tx_reason */
	PXS_STORE_TX_END = 13,		/* in the coordinator's log */
	PXS_STORE_TX_FORGET = 14,	/* all of client's below seq have ended */
};

/* What follows the header of a part. */
struct pxs_store_part {
	__le32 index;		/* 0..parts - 1 */
	__le32 parts;		/* of the whole, 2..PXS_STORE_PARTS_MAX */
};

#define PXS_STORE_ENTRY_MAX	(8u << 20)	/* bytes of an entry, whole */
/* Bytes of the whole that each part has; of the last one, what is left. */
#define PXS_STORE_PART_BYTES	(PXS_VALUE_MAX - (u32)sizeof(struct pxs_store_entry_hdr) - \
				 (u32)sizeof(struct pxs_store_part))
#define PXS_STORE_PARTS_MAX	(PXS_STORE_ENTRY_MAX / PXS_STORE_PART_BYTES + 1)

/*
 * Version of a key that was not there when it was watched; the rest is the slot as of which that
 * was so. In entries of versions 1 and 2 it was 0, and a key that came and went was not noticed.
 */
#define PXS_WATCH_ABSENT	(1ull << 63)

struct pxs_watch {
	u64 version;		/* of the key when it was watched */
	struct pxs_str key;
};

struct pxs_args {
	u32 argc;
	const struct pxs_str *argv;
};

struct pxs_store_entry {
	u8 kind;
	u8 version;		/* as read */
	bool once;		/* PXS_STORE_EXACTLY_ONCE */
	u32 nwatches;
	u32 ncommands;
	u64 client;
	u64 seq;
	u64 time;
	u64 memory;
	u32 part, parts;	/* of a PART */
};

/* Bytes of an entry with these. */
u64 pxs_store_entry_size(const struct pxs_watch *watch, u32 nwatches,
			 const struct pxs_args *command, u32 ncommands);

/* Write it; @buf holds pxs_store_entry_size() bytes. */
void pxs_store_entry_put(u8 *buf, const struct pxs_store_entry *e, const struct pxs_watch *watch,
			 const struct pxs_args *command);

/*
 * The same of commands that are there as they stand in an entry; @buf holds their bytes and
 * sizeof(struct pxs_store_entry_hdr).
 */
void pxs_store_entry_put_bytes(u8 *buf, const struct pxs_store_entry *e, struct pxs_str commands);

/* Are there conditions (condition.h) among commands as they stand in an entry? */
bool pxs_store_entry_conditional(struct pxs_str commands);

/* Bytes of part @part of an entry of @size bytes, as a value of the log. */
u32 pxs_store_part_size(u64 size, u32 part);

/* Write part e->part of e->parts of @whole, an entry of @size bytes. */
void pxs_store_part_put(u8 *buf, const struct pxs_store_entry *e, const u8 *whole, u64 size);

/*
 * Read one. Of a part, the walk is at its bytes, which are the rest.
 * Return: 0; -ENOMSG: foreign; -EPROTO: of a version that is not known.
 * After 0, walk over watches and commands with the functions below, in that order.
 */
struct pxs_entry_walk {
	const u8 *data;
	u32 len;
	u32 pos;
};

int pxs_store_entry_get(const void *data, u32 len, struct pxs_store_entry *e,
			struct pxs_entry_walk *w);
void pxs_store_entry_watch(struct pxs_entry_walk *w, struct pxs_watch *watch);

/* Return: number of arguments; then as many calls of pxs_store_entry_arg(). */
u32 pxs_store_entry_command(struct pxs_entry_walk *w);
struct pxs_str pxs_store_entry_arg(struct pxs_entry_walk *w);

#endif /* PXS_STORE_ENTRY_H */
