// SPDX-License-Identifier: GPL-2.0
/*
 * image.c - a store as of one slot, in one file
 */
#include "image.h"

#include <blake2.h>
#include <fcntl.h>
#include <unistd.h>

#define MAGIC		0x4547414d49535850ULL	/* "PXSIMAGE" */
#define VERSION		2u		/* 1 had no sagas and no parts */
#define SUM		16u
#define PIECE_FULL	(256u << 10)	/* ends when it has so much */
/* Holds one more record, and the longest: a key, or a field, and what belongs to it. */
#define PIECE_MAX	(PIECE_FULL + 2 * PXS_STRING_MAX + 4096u)
#define COMMIT_BYTES	(16u << 20)	/* put into the database in one transaction */

struct image_head {
	__le64 magic;
	__le32 version;
	__le32 group;
	u8 cluster[16];
	__le64 incarnation;
	__le64 applied;		/* slot */
	__le64 made;		/* milliseconds of the epoch */
	u8 digest[SUM];		/* of what stands in front of it */
};

struct image_piece {
	__le32 bytes;		/* of records; 0: the end */
	__le32 records;		/* so many; at the end: pieces before it */
	u8 digest[SUM];		/* of the digest before this, the two above, and the records */
};

struct image_record {
	__le32 value_len;
	__le16 key_len;
	u8 table;		/* pxs_db_table() */
	u8 reserved;		/* 0 */
};

static void sum_head(const struct image_head *h, u8 *digest)
{
	blake2b_state b;

	blake2b_init(&b, SUM);
	blake2b_update(&b, (const u8 *)h, offsetof(struct image_head, digest));
	blake2b_final(&b, digest, SUM);
}

static void sum_piece(const u8 *before, const struct image_piece *p, const u8 *records, u32 bytes,
		      u8 *digest)
{
	blake2b_state b;

	blake2b_init(&b, SUM);
	blake2b_update(&b, before, SUM);
	blake2b_update(&b, (const u8 *)p, offsetof(struct image_piece, digest));
	if (bytes)
		blake2b_update(&b, records, bytes);
	blake2b_final(&b, digest, SUM);
}

/* --- out --------------------------------------------------------------------- */

struct writer {
	int fd;
	u8 chain[SUM];
	u8 *buf;		/* PIECE_MAX bytes */
	u32 bytes;
	u32 records;
	u32 pieces;
	off_t begun;		/* up to here the kernel was asked to write */
};

static int write_all(int fd, const void *data, size_t len)
{
	const u8 *at = data;
	ssize_t n;

	while (len) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* So that the flush at the end, which others wait behind, has little left to do. */
static void begin_writeback(struct writer *w, off_t bytes)
{
	sync_file_range(w->fd, w->begun, bytes, SYNC_FILE_RANGE_WRITE);
	w->begun += bytes;
}

/* Without records: the end. */
static int put_piece(struct writer *w)
{
	struct image_piece p = {
		.bytes = cpu_to_le32(w->bytes),
		.records = cpu_to_le32(w->bytes ? w->records : w->pieces),
	};
	int err;

	sum_piece(w->chain, &p, w->buf, w->bytes, p.digest);
	memcpy(w->chain, p.digest, SUM);
	err = write_all(w->fd, &p, sizeof(p));
	if (!err)
		err = write_all(w->fd, w->buf, w->bytes);
	begin_writeback(w, (off_t)(sizeof(p) + w->bytes));
	w->bytes = 0;
	w->records = 0;
	w->pieces++;
	return err;
}

static int put_record(struct writer *w, u32 table, const MDB_val *k, const MDB_val *v)
{
	struct image_record r = {
		.value_len = cpu_to_le32((u32)v->mv_size),
		.key_len = cpu_to_le16((u16)k->mv_size),
		.table = (u8)table,
	};
	u64 size = sizeof(r) + k->mv_size + v->mv_size;
	u8 *to;
	int err = 0;

	if (size > PIECE_MAX - PIECE_FULL)
		return -EUCLEAN;
	if (w->bytes >= PIECE_FULL)
		err = put_piece(w);
	if (err)
		return err;
	to = w->buf + w->bytes;
	memcpy(to, &r, sizeof(r));
	memcpy(to + sizeof(r), k->mv_data, k->mv_size);
	if (v->mv_size)
		memcpy(to + sizeof(r) + k->mv_size, v->mv_data, v->mv_size);
	w->bytes += (u32)size;
	w->records++;
	return 0;
}

static int put_table(struct writer *w, const struct pxs_db *db, MDB_txn *txn, u32 table,
		     const bool *stop)
{
	MDB_cursor *c;
	MDB_val k, v;
	int err, ret;

	err = pxs_db_errno(mdb_cursor_open(txn, pxs_db_table(db, table), &c));
	if (err)
		return err;
	while (!err && !(ret = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		err = __atomic_load_n(stop, __ATOMIC_RELAXED) ? -ECANCELED :
								put_record(w, table, &k, &v);
	mdb_cursor_close(c);
	return err ? err : ret == MDB_NOTFOUND ? 0 : pxs_db_errno(ret);
}

static int put_head(struct writer *w, const struct pxs_db *db, const struct pxs_image_info *info)
{
	struct image_head h = {
		.magic = cpu_to_le64(MAGIC),
		.version = cpu_to_le32(VERSION),
		.group = cpu_to_le32(db->owner.group),
		.incarnation = cpu_to_le64(db->owner.incarnation),
		.applied = cpu_to_le64(info->applied),
		.made = cpu_to_le64(info->made),
	};

	memcpy(h.cluster, db->owner.cluster, sizeof(h.cluster));
	sum_head(&h, h.digest);
	memcpy(w->chain, h.digest, SUM);
	return write_all(w->fd, &h, sizeof(h));
}

int pxs_image_write(int fd, const struct pxs_db *db, MDB_txn *txn,
		    const struct pxs_image_info *info, const bool *stop)
{
	struct writer w = { .fd = fd, .buf = malloc(PIECE_MAX) };
	u32 i;
	int err;

	if (!w.buf)
		return -ENOMEM;
	err = put_head(&w, db, info);
	for (i = 0; i < PXS_DB_TABLES && !err; i++)
		err = put_table(&w, db, txn, i, stop);
	if (!err && w.bytes)
		err = put_piece(&w);
	if (!err)
		err = put_piece(&w);
	free(w.buf);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

/* --- in ---------------------------------------------------------------------- */

struct reader {
	int fd;
	u8 chain[SUM];
	u8 *buf;		/* PIECE_MAX bytes */
	u32 pieces;
	u64 waiting;		/* bytes put since the last commit */
};

/* All of it, or it is cut off: damaged. */
static int read_all(int fd, void *to, size_t len)
{
	u8 *at = to;
	ssize_t n;

	while (len) {
		n = read(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EUCLEAN;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int get_head(int fd, const struct pxs_db *db, struct image_head *h)
{
	u8 digest[SUM];
	int err = read_all(fd, h, sizeof(*h));

	if (err)
		return err;
	sum_head(h, digest);
	if (le64_to_cpu(h->magic) != MAGIC || memcmp(digest, h->digest, SUM))
		return -EUCLEAN;
	if (le32_to_cpu(h->version) != VERSION)
		return -EBADMSG;
	if (memcmp(h->cluster, db->owner.cluster, sizeof(h->cluster)) ||
	    le32_to_cpu(h->group) != db->owner.group ||
	    (!db->borrowed && le64_to_cpu(h->incarnation) != db->owner.incarnation))
		return -EKEYREJECTED;
	return 0;
}

int pxs_image_info(int fd, const struct pxs_db *db, struct pxs_image_info *info)
{
	struct image_head h;
	__le64 id;
	int err = get_head(fd, db, &h);

	if (err)
		return err;
	info->applied = le64_to_cpu(h.applied);
	info->made = le64_to_cpu(h.made);
	info->incarnation = le64_to_cpu(h.incarnation);
	memcpy(&id, h.digest, sizeof(id));
	info->id = (le64_to_cpu(id) >> 2) | 1;
	return 0;
}

static int take_record(struct pxs_db *db, u32 table, MDB_val *k, MDB_val *v)
{
	/* They come in order; the state's record is there already, as of slot 0. */
	unsigned int flags = table == PXS_DB_STATE ? 0 : MDB_APPEND;
	int ret = mdb_put(db->txn, pxs_db_table(db, table), k, v, flags);

	return ret == MDB_KEYEXIST ? -EUCLEAN : pxs_db_errno(ret);
}

/* The sums hold: what does not hang together now was written by a faulty program. */
static int take_records(struct reader *r, struct pxs_db *db, u32 bytes, u32 records)
{
	struct image_record h;
	MDB_val k, v;
	u32 pos = 0;
	int err = 0;

	for (; records && !err; records--) {
		if (bytes - pos < sizeof(h))
			return -EUCLEAN;
		memcpy(&h, r->buf + pos, sizeof(h));
		pos += (u32)sizeof(h);
		k = (MDB_val){ le16_to_cpu(h.key_len), r->buf + pos };
		v = (MDB_val){ le32_to_cpu(h.value_len), r->buf + pos + k.mv_size };
		if (h.table >= PXS_DB_TABLES || k.mv_size + v.mv_size > bytes - pos)
			return -EUCLEAN;
		pos += (u32)(k.mv_size + v.mv_size);
		err = take_record(db, h.table, &k, &v);
	}
	return err ? err : pos == bytes ? 0 : -EUCLEAN;
}

static int begin(struct reader *r, struct pxs_db *db)
{
	int err = 0;

	if (db->txn && r->waiting >= COMMIT_BYTES)
		err = pxs_db_commit(db);
	if (err || db->txn)
		return err;
	r->waiting = 0;
	return pxs_db_begin(db, true);
}

/* Return: 1; 0: that was the end; or -errno. */
static int take_piece(struct reader *r, struct pxs_db *db)
{
	struct image_piece p;
	u8 digest[SUM], more;
	u32 bytes, records;
	int err;

	err = read_all(r->fd, &p, sizeof(p));
	if (err)
		return err;
	bytes = le32_to_cpu(p.bytes);
	records = le32_to_cpu(p.records);
	if (bytes > PIECE_MAX)
		return -EUCLEAN;
	err = read_all(r->fd, r->buf, bytes);
	if (err)
		return err;
	sum_piece(r->chain, &p, r->buf, bytes, digest);
	if (memcmp(digest, p.digest, SUM))
		return -EUCLEAN;
	memcpy(r->chain, digest, SUM);
	if (!bytes)
		return records == r->pieces && !read(r->fd, &more, 1) ? 0 : -EUCLEAN;
	r->pieces++;
	err = begin(r, db);
	if (!err)
		err = take_records(r, db, bytes, records);
	r->waiting += bytes;
	return err ? err : 1;
}

int pxs_image_read(int fd, struct pxs_db *db)
{
	struct reader r = { .fd = fd };
	struct image_head h;
	int err = get_head(fd, db, &h);

	if (err)
		return err;
	memcpy(r.chain, h.digest, SUM);
	r.buf = malloc(PIECE_MAX);
	if (!r.buf)
		return -ENOMEM;
	do
		err = take_piece(&r, db);
	while (err > 0);
	free(r.buf);
	/* The end was there, and so is the state. */
	if (!err)
		err = db->txn ? pxs_db_reload(db) : -EUCLEAN;
	if (!err && db->state.applied != le64_to_cpu(h.applied))
		err = -EUCLEAN;
	/* The state says whose it is: from now on ours. */
	db->dirty |= db->borrowed;
	if (!err)
		return pxs_db_commit(db);
	if (db->txn)
		pxs_db_abort(db);
	return err;
}
