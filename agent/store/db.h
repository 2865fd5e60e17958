/* SPDX-License-Identifier: GPL-2.0 */
/*
 * db.h - the state of a group's store, in LMDB
 *
 * What the log says up to one slot, and the number of that slot, in one transaction: whatever
 * happens to the process, the two agree.
 *
 * Seventeen tables; three of them are those of db_session.h, four those of db_saga.h, and three
 * those of db_cross.h:
 *   state   "s": struct pxs_db_state; "m": its map, when the store has several groups
 *   keys    id of a key -> struct db_head, the key, the string or struct db_hash
 *   fields  number of a hash (be64), id of a field -> place (le64)
 *   items   number of a hash (be64), place (be64) -> length of the field (le32), field, value
 *   expire  when (be64), id of a key -> nothing
 *   parts   index (be32) -> bytes of an entry that comes in parts (part.h)
 *   gone    beginning of an id (2 bytes) -> slot (le64) that deleted such a key last; "*": that of
 *           FLUSHALL, in an entry of before PXS_STORE_FLUSH_VERSION
 *
 * LMDB's keys end at 511 bytes, Redis's don't: the id of a key is 8 bytes of SipHash, then the
 * key itself or, if it is long, its beginning and a BLAKE2s digest. In front stands the hash so
 * that SCAN has a cursor that means the same on every member and after every change. Items of
 * a hash stand in the order in which they were added, as they do in a small one of Redis.
 *
 * Durability. The log is durable before anything is applied, so LMDB need not be: it runs
 * without a sync (MDB_NOSYNC), and no commit waits for a disk. A process that dies leaves what it
 * committed in the page cache. A machine that dies may leave anything: LMDB goes on to use pages
 * that its last durable commit still needs, so not even that one is to be believed. A mark in the
 * directory says in which boot the files were last written to, and after another boot they are
 * thrown away. A clean end syncs and takes the mark away.
 *
 * What lasts is the checkpoint: a copy of all tables as of one slot, in a file of its own
 * (image.h), made from a read transaction while writes go on (checkpoint.c). It is whole or it is
 * not taken. Files that were thrown away, that are damaged, or that are ahead of the journal, are
 * made again from it and the log behind it; without it, from the log alone.
 *
 * Size is counted by rule (struct pxs_db_state: used), not in LMDB's pages: pages depend on how
 * entries were batched, and every member must refuse the same command.
 */
#ifndef PXS_STORE_DB_H
#define PXS_STORE_DB_H

#include <lmdb.h>

#include "shards.h"
#include "siphash.h"
#include "str.h"

#define PXS_DB_ID_MAX		489u	/* of an id: 8 of hash and at most so many more */
#define PXS_DB_OVERHEAD		64u	/* counted for each key and each field, beside its bytes */
#define PXS_STRING_MAX		(4u << 20)	/* bytes of one string */
#define PXS_DB_TABLES		17u
#define PXS_DB_STATE		13u	/* number of the table of the state */
#define PXS_DB_BOOT_LEN		36
#define PXS_DB_CHECKPOINT	"checkpoint"	/* file in its directory; see image.h */
#define PXS_DB_BORROWED		"checkpoint.peer"	/* likewise, of another member's; borrow.h */
#define PXS_DB_PART		"checkpoint.part"
#define PXS_DB_INCOMING		"incoming"

enum pxs_type {
	PXS_TYPE_NONE = 0,
	PXS_TYPE_STRING = 1,
	PXS_TYPE_HASH = 2,
};

struct pxs_db_owner {
	u8 cluster[16];
	u32 group;
	u64 incarnation;
	u64 last;		/* slot of the log: nothing beyond it is believed */
};

struct pxs_db_state {
	u64 applied;		/* slot */
	u64 time;		/* highest of the entries applied, in milliseconds of the epoch */
	u64 used;		/* bytes of keys, fields and values, and their overhead */
	u64 keys;
	u64 expires;		/* keys that expire */
	u64 next_hash;
	u64 foreign;		/* slots with values that are not entries */
	/* The entry that comes in parts, when the last slot was one of them but not the last. */
	u64 part_client, part_seq;
	u32 part_next, parts;	/* parts 0: there is none */
	/* The groups that share the keys, as the log says. One group alone needs no map: 0. */
	struct {
		u64 digest;	/* pxs_shards_digest() */
		u32 n;
		u32 group[PXS_SHARDS_MAX];	/* rising */
	} map;
	/* Of transactions over several groups. Not in the record: counted. */
	u64 crosses;		/* records of them */
	u64 locks;
	u64 committed, aborted;	/* decided here as coordinator, since the database was opened */
};

/* A key's record. Pointers into it last until the next change or the end of the transaction. */
struct pxs_rec {
	u8 type;
	u64 version;		/* slot that changed it last */
	u64 expire;		/* milliseconds of the epoch; 0: never */
	struct pxs_str key;
	struct pxs_str value;	/* string */
	u64 hash;		/* hash: its number */
	u64 count;		/* fields */
	u64 next;		/* place of the next field */
};

struct pxs_db {
	MDB_env *env;
	MDB_dbi state_t, keys_t, fields_t, items_t, expire_t, gone_t;
	MDB_dbi sessions_t, ends_t, answers_t;
	MDB_dbi saga_ids_t, sagas_t, saga_due_t, saga_ends_t, parts_t;
	MDB_dbi crosses_t, locks_t, floors_t;
	MDB_txn *txn;
	bool writing;
	bool dirty;		/* in this transaction */
	u64 wrote;		/* ... bytes of keys' records; kept in memory until its end */
	int err;		/* sticky in a transaction: it must be aborted */
	struct pxs_seed seed;
	struct pxs_db_owner owner;
	struct pxs_db_state state;	/* as of the transaction at hand */
	struct pxs_db_state before;	/* ... and before it */
	bool unmapped;		/* growing has failed: it can only be closed */
	bool distrusted;	/* pxs_db_distrust() */
	int dirfd;
	char boot[PXS_DB_BOOT_LEN + 1];
	u64 opened;		/* applied when it was opened */
	u64 checkpoint;		/* slot of the checkpoint that was there then; 0: none */
	u64 checkpoint_made;	/* ... when it was made, in milliseconds of the epoch */
	u64 borrowed_slot;	/* of the one of another member's that is there; 0: none */
	bool borrowed;		/* an image of another member's will do */
	u64 now;		/* what counts as expired */
	u64 slot;		/* being applied: version of what is changed */
	u64 draws;		/* random numbers drawn in it */
	bool flush_notes;	/* FLUSHALL notes each key: see PXS_STORE_FLUSH_VERSION */
	bool sagas_moved;	/* since who drives them has looked; not a part of the state */
	bool cross_moved;	/* likewise, transactions over several groups */
	u8 *copy;		/* PXS_STRING_MAX bytes, for what must outlive a change */
	char *path;
	size_t map;
	u64 covered;		/* bytes that its file has at least; 0: not known */
};

/*
 * Open or make the store in @path, a directory, if need be from its checkpoint. @map: bytes of
 * address space to begin with; it grows. Return: 0 or -errno, said why.
 */
int pxs_db_open(struct pxs_db *db, const char *path, const struct pxs_db_owner *owner, size_t map);

/* @clean: make it durable and take the mark away. */
void pxs_db_close(struct pxs_db *db, bool clean);

/* One transaction at a time. Return: 0 or -errno; after a failure it is as if it never was. */
int pxs_db_begin(struct pxs_db *db, bool write);
int pxs_db_commit(struct pxs_db *db);
void pxs_db_abort(struct pxs_db *db);

/*
 * After -EXFULL (the map is full, not the disk): make it larger. Between transactions. Return:
 * 0; -errno: nothing can be read or written any more.
 */
int pxs_db_grow(struct pxs_db *db);

/* What is in its files is not to be believed any more: the next open makes them again. */
void pxs_db_distrust(struct pxs_db *db);

/* --- another member's checkpoint (db_borrow.c) --- */

/* What the making of files from one needs to know: so that another thread may do it. */
struct pxs_db_plan {
	struct pxs_db_owner owner;
	const char *path;
	size_t map;
};

void pxs_db_plan(struct pxs_db_plan *plan, const struct pxs_db *db);

/*
 * Make files beside those of the store from the image in @fd, and look through all of it. Return:
 * 0; -EUCLEAN: damaged; -EBADMSG, -EKEYREJECTED: of another version, cluster or group; -errno.
 */
int pxs_db_make_incoming(const struct pxs_db_plan *plan, int fd);

/* They take the place of the store's. Between transactions. After an error: only close it. */
int pxs_db_take_incoming(struct pxs_db *db);

/* When it is opened: use, keep or drop one that is whole. Return: 0 or -errno. */
int pxs_db_use_borrowed(struct pxs_db *db);

/* A checkpoint of our own is as new. */
void pxs_db_drop_borrowed(struct pxs_db *db);

/* --- keys (db_key.c) --- */

/*
 * Return: it is there and has not expired. An expired one is deleted when this transaction
 * writes, and otherwise not seen.
 */
bool pxs_db_find(struct pxs_db *db, struct pxs_str key, struct pxs_rec *rec);

/* Make or replace. A hash that was there goes with its fields. @expire 0: never. */
void pxs_db_set_string(struct pxs_db *db, struct pxs_str key, struct pxs_str value, u64 expire);
void pxs_db_delete(struct pxs_db *db, struct pxs_str key);	/* if it is there */
void pxs_db_set_expire(struct pxs_db *db, struct pxs_str key, u64 expire);
void pxs_db_rename(struct pxs_db *db, struct pxs_str from, struct pxs_str to);
void pxs_db_flush(struct pxs_db *db);

/*
 * The slot that deleted @key last, 0: none did. It may be a later one, when a key whose id begins
 * alike was deleted since: who takes that for a change is wrong, but safe.
 */
u64 pxs_db_gone(struct pxs_db *db, struct pxs_str key);

/* Random; in a transaction that writes it is drawn from the log, and the same on every member. */
u64 pxs_db_random(struct pxs_db *db);

/* Delete at most @n keys that have expired. Return: how many. */
u32 pxs_db_reap(struct pxs_db *db, u32 n);

/* When the next key expires, 0: none does. */
u64 pxs_db_next_expire(struct pxs_db *db);

/* Keys in the order of their ids from *@cursor on; see() returns false to stop behind a key. */
typedef bool (*pxs_db_see_t)(void *ctx, const struct pxs_rec *rec);

/*
 * Keys whose hash is at least @cursor, in order; see() says whether to go on, and keys of equal
 * hash are never parted. Return: cursor of what follows, 0: the end.
 */
u64 pxs_db_scan(struct pxs_db *db, u64 cursor, pxs_db_see_t see, void *ctx);

/* Over everything that a client can see: equal digests, equal stores. */
void pxs_db_digest(struct pxs_db *db, u8 digest[16]);

/* --- fields of a hash (db_hash.c) --- */

/* The record of the hash at @key, made if need be (*rec is then it). */
void pxs_db_make_hash(struct pxs_db *db, struct pxs_str key, struct pxs_rec *rec);
bool pxs_db_field(struct pxs_db *db, const struct pxs_rec *rec, struct pxs_str field,
		  struct pxs_str *value);

/* Return: the field is new. *rec follows. */
bool pxs_db_set_field(struct pxs_db *db, struct pxs_rec *rec, struct pxs_str key,
		      struct pxs_str field, struct pxs_str value);

/* Return: it was there. The key goes with its last field. */
bool pxs_db_delete_field(struct pxs_db *db, struct pxs_rec *rec, struct pxs_str key,
			 struct pxs_str field);

/*
 * Fields in order, from place @place on; see() says whether to go on. Return: place of what
 * follows, 0: the end.
 */
typedef bool (*pxs_db_item_t)(void *ctx, struct pxs_str field, struct pxs_str value);
u64 pxs_db_items(struct pxs_db *db, const struct pxs_rec *rec, u64 place, pxs_db_item_t see,
		 void *ctx);

/*
 * One field of a hash, each as likely as the others, by pxs_db_random(). Return: false: db->err
 * says why not.
 */
bool pxs_db_some_field(struct pxs_db *db, const struct pxs_rec *rec, struct pxs_str *field);

/* --- between the files of the db --- */

#define PXS_DB_ID_ROOM	(8 + PXS_DB_ID_MAX + 8)

/* @bytes as part of an LMDB key, behind what stands in id[0..at). Return: the whole length. */
u32 pxs_db_id(u8 *id, u32 at, struct pxs_str bytes);
/* Of a key, in the table of keys and in that of locks; @id has PXS_DB_ID_ROOM bytes. */
u32 pxs_db_key_id(const struct pxs_db *db, u8 *id, struct pxs_str key);
bool pxs_db_ok(struct pxs_db *db, int ret);	/* notes an error; MDB_NOTFOUND is not one */
int pxs_db_errno(int ret);			/* of LMDB's word; -EXFULL: the map is full */
MDB_dbi pxs_db_table(const struct pxs_db *db, u32 i);	/* i below PXS_DB_TABLES */

/* Of the files (db.c). */
int pxs_db_open_env(struct pxs_db *db);
int pxs_db_open_tables(struct pxs_db *db);
int pxs_db_open_files(struct pxs_db *db);
void pxs_db_close_env(struct pxs_db *db);
int pxs_db_open_again(struct pxs_db *db, const char *reason);	/* without what is there */
int pxs_db_check_counts(struct pxs_db *db);
int pxs_db_make_room(struct pxs_db *db, int fd);	/* for the image in @fd */
int pxs_db_restore(struct pxs_db *db, int fd);
int pxs_db_mark(const struct pxs_db *db, bool making);	/* @making: believe nothing yet */

/* Of the state (db_state.c), in the transaction at hand. */
void pxs_db_save_state(struct pxs_db *db);
/* Return: 0, -ENOENT: a new store, -EKEYREJECTED: another's, -EBADMSG: of another version. */
int pxs_db_load_state(struct pxs_db *db);
int pxs_db_reload(struct pxs_db *db);		/* likewise, and it must be there */
void pxs_db_put_hash(struct pxs_db *db, struct pxs_str key, const struct pxs_rec *rec);
/* What a table of numbers (le64) holds at a key; 0: nothing. */
u64 pxs_db_number(struct pxs_db *db, MDB_dbi table, const void *key, u32 len);
void pxs_db_digest_table(struct pxs_db *db, MDB_dbi table, blake2s_state *state);
void pxs_db_drop_items(struct pxs_db *db, const struct pxs_rec *rec);

#endif /* PXS_STORE_DB_H */
