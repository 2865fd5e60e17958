/* SPDX-License-Identifier: GPL-2.0 */
/*
 * evdb.h - the table of eventual keys, in an LMDB environment of its own
 *
 * Beside the store's files, in a directory of its own: the log does not know these keys, so
 * nothing could make them again from it, as the store is made after a power cut; and no checkpoint
 * carries them, of this member or another's. Commits are durable, as LMDB means it: what was
 * acknowledged is there after a power cut. They are made in a helper thread (eventual.c); the loop
 * reads what is committed.
 *
 *   items   id of an element -> its place in the stream (le64), struct pxs_feed_item, key, ...
 *   order   place (be64) -> id
 *   dead    likewise, of dead elements alone
 *   due     deadline (be64), id of a key -> nothing
 *   state   "s": struct pxs_evdb_state, as evdb.c writes it
 *
 * An id is a BLAKE2s digest of the key (24 bytes), 0 for the whole, or 1 and the digest of the
 * field: elements of a key stand together, the whole first.
 *
 * The stream: each element that is stored, whoever wrote it, gets the next place; a former one of
 * the same id loses its own. What is behind a place, in order, is what has changed since.
 *
 * The table's number is drawn when the files are made: whoever lost them is somebody else to the
 * others, who begin at place 0 with it.
 */
#ifndef PXS_STORE_EVDB_H
#define PXS_STORE_EVDB_H

#include <lmdb.h>

#include "confirm.h"
#include "feed.h"

#define PXS_EVDB_PEERS		7u	/* PXS_MEMBERS_MAX */
#define PXS_EVDB_OVERHEAD	128u	/* counted for each element, beside its bytes */
#define PXS_EVDB_HASH		24u
#define PXS_EVDB_ID_MAX		(2 * PXS_EVDB_HASH + 1)

struct pxs_evdb_owner {
	u8 cluster[16];
	u32 group;
	u8 member;
	u64 incarnation;	/* of the journal */
};

/* Of another member, what is merged of its stream. */
struct pxs_evdb_peer {
	u64 table;		/* its number; 0: nothing yet */
	u64 cursor;		/* all up to here is merged */
	u64 whole;		/* what it wrote up to here is here, or what came behind */
	u8 member;		/* 0: no such */
};

struct pxs_evdb_state {
	u64 table;
	u64 clock;
	u64 head;		/* last place of the stream */
	u64 items;		/* elements, dead ones too */
	u64 dead;
	u64 used;		/* bytes, by rule */
	u64 list;		/* digest of the prefixes */
	struct pxs_evdb_peer peer[PXS_EVDB_PEERS];
};

struct pxs_evdb {
	MDB_env *env;
	MDB_dbi items_t, order_t, dead_t, due_t, state_t;
	struct pxs_evdb_owner owner;
	struct pxs_evdb_state state;	/* committed: the loop's */
	struct pxs_evdb_state next;	/* in the transaction that writes: who writes has it */
	u8 *copy;			/* likewise: PXS_LWW_KEY_MAX bytes */
	size_t map;
	bool unmapped;
};

/* A transaction. Only one may write; it is begun and ended in the same thread. */
struct pxs_evtx {
	struct pxs_evdb *db;
	MDB_txn *txn;
	bool write;
	int err;		/* sticky: it must be aborted */
};

/*
 * Open or make the files in @path. @members: ids of the others, 0 where there is none; what is
 * known of any other is forgotten. @sync false: commits are not durable, for tests. Return: 0 or
 * -errno; -EKEYREJECTED: of another cluster, group, member or journal; -EBADMSG: of another
 * version.
 */
int pxs_evdb_open(struct pxs_evdb *db, const char *path, const struct pxs_evdb_owner *owner,
		  const u8 members[PXS_EVDB_PEERS], bool sync, size_t map);
void pxs_evdb_close(struct pxs_evdb *db);

/* Return: 0 or -errno. -EXFULL: the map is full: abort, pxs_evdb_grow(), and all of it again. */
int pxs_evdb_begin(struct pxs_evdb *db, struct pxs_evtx *tx, bool write);
int pxs_evdb_commit(struct pxs_evtx *tx);
void pxs_evdb_abort(struct pxs_evtx *tx);

/* A commit was made: what it says is the state now. In the loop. */
void pxs_evdb_publish(struct pxs_evdb *db);

/* Nobody may be in a transaction. Return: 0; -errno: it can only be closed. */
int pxs_evdb_grow(struct pxs_evdb *db);

/* Who the others are now, as @members of pxs_evdb_open(). In the loop, while nobody writes. */
void pxs_evdb_members(struct pxs_evdb *db, const u8 members[PXS_EVDB_PEERS]);

/* What is known of member @id in @state, NULL: it is none of the others. */
struct pxs_evdb_peer *pxs_evdb_peer(struct pxs_evdb_state *state, u8 id);

/*
 * What the table @table of member @id told is merged: its stream up to @cursor, which ended at
 * @head when it told that.
 */
void pxs_evdb_advance(struct pxs_evtx *tx, u8 id, u64 table, u64 cursor, u64 head);

/* --- elements (evdb_item.c) --- */

/* The whole of @key, or @field of it. What *e points to lasts until the transaction changes. */
bool pxs_evdb_get(struct pxs_evtx *tx, struct pxs_str key, const struct pxs_str *field,
		  struct pxs_element *e);

/* Take @e in, if it is the last write. Return: something has changed. e->seq does not matter. */
bool pxs_evdb_merge(struct pxs_evtx *tx, const struct pxs_element *e);

/*
 * Likewise of what another member has sent, whose clock may be ahead; @now: ms, the latest time
 * that it may have reached there. That a string has ended by a deadline after that is not taken in:
 * it ends here in its own time, or with what else has ended it.
 */
bool pxs_evdb_merge_told(struct pxs_evtx *tx, const struct pxs_element *e, u64 now);

/* As our own write, at @now: gets its stamp (*e is then it), and wins. */
void pxs_evdb_write(struct pxs_evtx *tx, struct pxs_element *e, u64 now);

/* Return false to stop. */
typedef bool (*pxs_evdb_see_t)(void *ctx, const struct pxs_element *e);

/* Fields of @key, dead ones too. */
void pxs_evdb_fields(struct pxs_evtx *tx, struct pxs_str key, pxs_evdb_see_t see, void *ctx);

/* Elements whose place is above @after, in order. Return: false: it was stopped. */
bool pxs_evdb_changes(struct pxs_evtx *tx, u64 after, pxs_evdb_see_t see, void *ctx);

/* Strings whose deadline is over at @now die: at most @n. Return: how many. */
u32 pxs_evdb_reap(struct pxs_evtx *tx, u64 now, u32 n);

/* Dead elements whose places are not above @horizon go: at most @n. Return: how many. */
u32 pxs_evdb_sweep(struct pxs_evtx *tx, u64 horizon, u32 n);

/* The first deadline, and the first place of a dead element; 0: there is none. */
u64 pxs_evdb_first_due(struct pxs_evtx *tx);
u64 pxs_evdb_first_dead(struct pxs_evtx *tx);

/*
 * Keys in the order of their ids from @cursor on; each is seen once, as an element of it that is
 * alive at @now. Return: where to go on, 0: that was all.
 */
u64 pxs_evdb_scan(struct pxs_evtx *tx, u64 cursor, u64 now, pxs_evdb_see_t see, void *ctx);

/*
 * Over everything that is alive at @now, with its stamps: equal digests, equal keys. Return: how
 * many elements.
 */
u64 pxs_evdb_digest(struct pxs_evtx *tx, u64 now, u8 digest[16]);

#endif /* PXS_STORE_EVDB_H */
