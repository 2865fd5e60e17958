// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_image.c - a checkpoint's file: all of the store, or nothing of it is believed
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "unit_store.h"

#include "../../agent/store/image.h"

static struct unit_store s;
static u8 digest[16];
static bool go_on;

static const char *name(const char *file)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s/%s", s.path, file);
	return text;
}

static void write_file(const char *file, const void *data, size_t len)
{
	int fd = open(name(file), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static void sum(u8 to[16])
{
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	pxs_db_digest(&s.db, to);
	pxs_db_abort(&s.db);
}

static bool same(void)
{
	u8 now[16];

	sum(now);
	return !memcmp(now, digest, sizeof(now));
}

/* One that is over, as there is nothing to be done, and one that waits for a step. */
static void begin_saga(const char *id, const char *word)
{
	struct pxs_str argv[] = {
		pxs_str("PAXSTEER"), pxs_str("SAGA"), pxs_str(word), pxs_str(id), pxs_str("STEP"),
		pxs_str("one"), pxs_str("WAIT"),
	};
	struct pxs_args args = { strcmp(word, "ABORT") ? 7 : 4, argv };
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SAGA, .ncommands = 1, .time = 1000, .client = 10, .seq = 10000000,
	};
	u8 buf[256];

	pxs_store_entry_put(buf, &e, NULL, &args);
	CHECK_EQ(store_apply(&s, buf, (u32)pxs_store_entry_size(NULL, 0, &args, 1)), 0);
	CHECK(s.answer[0] == ':');
}

/* The first part of an entry that never ends. */
static void begin_parts(void)
{
	static u8 whole[2 * PXS_STORE_PART_BYTES], value[PXS_VALUE_MAX];
	struct pxs_store_entry e = { .client = 1, .seq = 1, .parts = 2 };
	struct pxs_store_entry_hdr h = { .magic = cpu_to_le32(PXS_STORE_MAGIC), .version = 1 };

	memcpy(whole, &h, sizeof(h));
	pxs_store_part_put(value, &e, whole, sizeof(whole));
	CHECK_EQ(store_apply(&s, value, pxs_store_part_size(sizeof(whole), 0)), 0);
	CHECK_EQ(s.db.state.part_next, 1);
}

/* A transaction of group 7 that is prepared here, behind others that have ended. */
static void begin_cross(void)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_TX_FORGET, .client = 7, .seq = 5, .time = s.time,
	};
	struct pxs_str argv[] = { pxs_str("DEL"), pxs_str("locked") };
	struct pxs_args args = { 2, argv };
	u8 buf[200];

	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(store_apply(&s, buf, sizeof(struct pxs_store_entry_hdr)), 0);
	e.kind = PXS_STORE_TX_PREPARE;
	e.ncommands = 1;
	pxs_store_entry_put(buf, &e, NULL, &args);
	CHECK_EQ(store_apply(&s, buf, (u32)pxs_store_entry_size(NULL, 0, &args, 1)), 0);
	CHECK_EQ(s.db.state.locks, 1);
}

/* Something of everything: each table but that of parts holds a record. */
static void fill(void)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SESSION, .time = 1000, .client = 10, .seq = 10000000,
	};
	u8 buf[sizeof(struct pxs_store_entry_hdr)];

	store_make(&s);
	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(store_apply(&s, buf, sizeof(buf)), 0);
	store_say(&s, "SET a 1");
	s.session = 1;
	s.number = 1;
	store_say(&s, "INCR visits");
	s.session = 0;
	store_say(&s, "HSET h f 1 g 2");
	store_say(&s, "SET b 2 PX 100000");
	store_say(&s, "SET c 3");
	store_say(&s, "DEL c");
	store_say(&s, "SET empty ''");
	begin_saga("over", "BEGIN");
	begin_saga("over", "ABORT");
	begin_saga("waits", "BEGIN");
	begin_cross();
	sum(digest);
}

static int make_image(const char *file, const bool *stop)
{
	struct pxs_image_info info = { .applied = s.db.state.applied, .made = 77 };
	int fd = open(name(file), O_RDWR | O_CREAT | O_TRUNC, 0600);
	MDB_txn *txn;
	int err;

	CHECK(fd >= 0);
	CHECK_EQ(mdb_txn_begin(s.db.env, NULL, MDB_RDONLY, &txn), 0);
	err = pxs_image_write(fd, &s.db, txn, &info, stop);
	mdb_txn_abort(txn);
	close(fd);
	return err;
}

/* The machine stops and starts. Return: what pxs_db_open() says. */
static int another_boot(void)
{
	pxs_db_close(&s.db, false);
	write_file("written-in-boot", "00000000-0000-0000-0000-000000000000", 36);
	return pxs_db_open(&s.db, s.path, &s.owner, 1 << 20);
}

static void it_holds_everything(void)
{
	struct pxs_db_state before;
	MDB_stat st;
	u32 i;

	fill();
	begin_parts();
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	for (i = 0; i < PXS_DB_TABLES; i++)
		CHECK(!mdb_stat(s.db.txn, pxs_db_table(&s.db, i), &st) && st.ms_entries);
	pxs_db_abort(&s.db);
	before = s.db.state;
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	CHECK_EQ(another_boot(), 0);
	CHECK(!memcmp(&s.db.state, &before, sizeof(before)));
	CHECK_EQ(s.db.opened, before.applied);
	CHECK_EQ(s.db.checkpoint, before.applied);
	CHECK_EQ(s.db.checkpoint_made, 77);
	CHECK(same());
	s.session = 1;
	s.number = 1;
	CHECK_STR(store_say(&s, "INCR visits"), ":1\r\n");
	s.session = 0;
	CHECK_STR(store_say(&s, "HGET h g"), "$1\r\n2\r\n");
	/* The process dies, the machine does not: what came after it is there too. */
	pxs_db_close(&s.db, false);
	CHECK_EQ(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20), 0);
	CHECK_EQ(s.db.state.applied, before.applied + 2);
	CHECK_EQ(s.db.checkpoint, before.applied);
	store_remove(&s);
}

static void an_empty_store_has_one_too(void)
{
	store_make(&s);
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(s.db.state.applied, 0);
	CHECK_STR(store_say(&s, "HSET h f 1"), ":1\r\n");
	store_remove(&s);
}

/* Writes go on while it is made: it is of the slot at which it began. */
static void it_is_of_one_slot(void)
{
	struct pxs_image_info info = { 0 };
	MDB_txn *txn;
	u64 at;
	int fd;

	fill();
	at = s.db.state.applied;
	info.applied = at;
	CHECK_EQ(mdb_txn_begin(s.db.env, NULL, MDB_RDONLY, &txn), 0);
	store_say(&s, "SET a later");
	store_say(&s, "FLUSHALL");
	fd = open(name("checkpoint"), O_RDWR | O_CREAT, 0600);
	CHECK_EQ(pxs_image_write(fd, &s.db, txn, &info, &go_on), 0);
	mdb_txn_abort(txn);
	close(fd);
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(s.db.state.applied, at);
	CHECK(same());
	store_remove(&s);
}

static void it_can_be_given_up(void)
{
	bool stop = true;

	fill();
	CHECK(make_image("checkpoint", &stop) == -ECANCELED);
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(s.db.state.applied, 0);
	store_remove(&s);
}

static int read_bytes(const u8 *data, size_t len)
{
	int fd, err;

	write_file("image", data, len);
	fd = open(name("image"), O_RDONLY);
	err = pxs_image_read(fd, &s.db);
	close(fd);
	return err;
}

static size_t read_file(const char *file, u8 *to, size_t room)
{
	int fd = open(name(file), O_RDONLY);
	ssize_t len = read(fd, to, room);

	close(fd);
	CHECK(len > 0);
	return (size_t)len;
}

/* Every bit that is turned, every place where it ends, and anything behind it. */
static void damage_is_seen(void)
{
	u8 data[8192];
	size_t len, i;

	fill();
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	len = read_file("checkpoint", data, sizeof(data) - 1);
	CHECK(len > 500 && len < sizeof(data) - 1);
	unlink(name("checkpoint"));
	CHECK_EQ(another_boot(), 0);
	for (i = 0; i < len; i++) {
		data[i] ^= (u8)(1 << i % 8);
		CHECK(read_bytes(data, len) == -EUCLEAN);
		data[i] ^= (u8)(1 << i % 8);
		CHECK(read_bytes(data, i) == -EUCLEAN);
		CHECK_EQ(s.db.state.applied, 0);
	}
	data[len] = 0;
	CHECK(read_bytes(data, len + 1) == -EUCLEAN);
	CHECK_EQ(read_bytes(data, len), 0);
	CHECK(same());
	unlink(name("image"));
	store_remove(&s);
}

/* A piece too many, too few, or twice: each is whole, the file is not. */
static void pieces_stand_in_their_order(void)
{
	static u8 value[300000], data[2 << 20], later[2 << 20], other[2 << 20];
	struct {
		u32 bytes, records;
		u8 digest[16];
	} p;
	size_t at[8] = { 0 }, len, n = 0, pos = 72;
	u32 i;

	store_make(&s);
	for (i = 0; i < 3; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%u", i);
		memset(value, (int)i, sizeof(value));
		CHECK_EQ(pxs_db_begin(&s.db, true), 0);
		pxs_db_set_string(&s.db, pxs_str(key), (struct pxs_str){ value, 280000 }, 0);
		s.db.state.applied++;
		if (pxs_db_commit(&s.db))
			pxs_db_grow(&s.db), i--;
	}
	sum(digest);
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	len = read_file("checkpoint", data, sizeof(data));
	CHECK_EQ(pxs_db_grow(&s.db), 0);
	store_say(&s, "SETRANGE k1 7 x");
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	CHECK_EQ(read_file("checkpoint", later, sizeof(later)), len);
	unlink(name("checkpoint"));
	for (; pos < len && n < 8; n++) {
		at[n] = pos;
		memcpy(&p, data + pos, sizeof(p));
		pos += sizeof(p) + p.bytes;
	}
	CHECK_EQ(pos, len);
	CHECK_EQ(n, 4 + 1);
	s.owner.last = ~0ull;
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(pxs_db_grow(&s.db) | pxs_db_grow(&s.db), 0);
	/* Without the second; with it twice; the first two the other way round; without the end. */
	memcpy(other, data, at[1]);
	memcpy(other + at[1], data + at[2], len - at[2]);
	CHECK(read_bytes(other, at[1] + len - at[2]) == -EUCLEAN);
	memcpy(other, data, at[2]);
	memcpy(other + at[2], data + at[1], len - at[1]);
	CHECK(read_bytes(other, at[2] + len - at[1]) == -EUCLEAN);
	memcpy(other, data, at[0]);
	memcpy(other + at[0], data + at[1], at[2] - at[1]);
	memcpy(other + at[0] + at[2] - at[1], data + at[0], at[1] - at[0]);
	memcpy(other + at[2], data + at[2], len - at[2]);
	CHECK(read_bytes(other, len) == -EUCLEAN);
	CHECK(read_bytes(data, at[n - 1]) == -EUCLEAN);
	/* With one of a later image of the same store. */
	for (i = 0; i + 1 < n; i++) {
		memcpy(other, data, len);
		memcpy(other + at[i], later + at[i], at[i + 1] - at[i]);
		CHECK(read_bytes(other, len) == -EUCLEAN);
	}
	CHECK_EQ(s.db.state.applied, 0);
	CHECK_EQ(read_bytes(data, len), 0);
	CHECK(same());
	unlink(name("image"));
	store_remove(&s);
}

/* More than one transaction's worth, and far more than the map that it is opened with. */
static void a_large_one(void)
{
	static u8 value[100000];
	char key[16];
	u32 i;

	store_make(&s);
	for (i = 0; i < 450; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		memset(value, (int)i, sizeof(value));
		CHECK_EQ(pxs_db_begin(&s.db, true), 0);
		pxs_db_set_string(&s.db, pxs_str(key), (struct pxs_str){ value, sizeof(value) }, 0);
		s.db.state.applied = i + 1;
		if (pxs_db_commit(&s.db)) {
			CHECK_EQ(pxs_db_grow(&s.db), 0);
			i--;
		}
	}
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	sum(digest);
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(s.db.state.applied, 450);
	CHECK_EQ(s.db.state.keys, 450);
	CHECK(same());
	store_remove(&s);
}

/* A key and a string of the most bytes each make the longest record that there is. */
static void the_longest_record(void)
{
	static u8 bytes[PXS_STRING_MAX];
	struct pxs_str most = { bytes, sizeof(bytes) };
	struct pxs_rec rec;

	store_make(&s);
	memset(bytes, 'k', sizeof(bytes));
	do {
		CHECK_EQ(pxs_db_begin(&s.db, true), 0);
		pxs_db_set_string(&s.db, most, most, 0);
		s.db.state.applied = 1;
	} while (pxs_db_commit(&s.db) && !pxs_db_grow(&s.db));
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK(pxs_db_find(&s.db, most, &rec));
	CHECK_EQ(rec.value.len, sizeof(bytes));
	pxs_db_abort(&s.db);
	store_remove(&s);
}

/* --- what is opened, and what is not ------------------------------------------ */

static void whose_it_is(void)
{
	fill();
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	s.owner.incarnation++;
	CHECK(another_boot() == -EKEYREJECTED);
	s.owner.incarnation--;
	s.owner.group++;
	CHECK(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20) == -EKEYREJECTED);
	s.owner.group--;
	s.owner.cluster[3]++;
	CHECK(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20) == -EKEYREJECTED);
	store_remove(&s);
}

/* What no slot of the journal backs was not made from it. */
static void nothing_from_the_future(void)
{
	u64 at;

	fill();
	at = s.db.state.applied;
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	store_say(&s, "SET a later");
	pxs_db_close(&s.db, true);
	/* The files are ahead of the journal, the checkpoint is not. */
	s.owner.last = at;
	CHECK_EQ(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20), 0);
	CHECK_EQ(s.db.state.applied, at);
	CHECK(same());
	/* Both are. */
	s.owner.last = at - 1;
	CHECK_EQ(another_boot(), 0);
	CHECK_EQ(s.db.state.applied, 0);
	CHECK_EQ(s.db.checkpoint, 0);
	store_remove(&s);
}

static void a_restore_that_was_cut_short(void)
{
	u64 at;

	fill();
	at = s.db.state.applied;
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	store_say(&s, "SET a later");
	pxs_db_close(&s.db, false);
	write_file("written-in-boot", "being-made", 10);
	CHECK_EQ(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20), 0);
	CHECK_EQ(s.db.state.applied, at);
	CHECK(same());
	store_remove(&s);
}

static void what_is_distrusted_is_made_again(void)
{
	u64 at;

	fill();
	at = s.db.state.applied;
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	store_say(&s, "SET a later");
	pxs_db_distrust(&s.db);
	pxs_db_close(&s.db, true);
	CHECK_EQ(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20), 0);
	CHECK_EQ(s.db.state.applied, at);
	CHECK(same());
	store_remove(&s);
}

/* Return: the slot that it is opened with. */
static u64 opened_with(void)
{
	CHECK_EQ(pxs_db_open(&s.db, s.path, &s.owner, 1 << 20), 0);
	return s.db.state.applied;
}

static void damaged_files_are_made_again(void)
{
	static u8 zero[4096];
	struct stat st;
	MDB_val k = { 0 };
	MDB_cursor *c;
	u64 at;
	int fd;

	fill();
	at = s.db.state.applied;
	CHECK_EQ(make_image("checkpoint", &go_on), 0);
	/* Cut off, at the end and near the beginning. */
	pxs_db_close(&s.db, true);
	CHECK(!stat(name("data.mdb"), &st) && !truncate(name("data.mdb"), st.st_size - 4096));
	CHECK_EQ(opened_with(), at);
	CHECK(same());
	pxs_db_close(&s.db, true);
	CHECK(!truncate(name("data.mdb"), 5000));
	CHECK_EQ(opened_with(), at);
	/* A page of zeroes for the meta pages. */
	pxs_db_close(&s.db, true);
	fd = open(name("data.mdb"), O_WRONLY);
	CHECK(pwrite(fd, zero, sizeof(zero), 0) == 4096);
	close(fd);
	CHECK_EQ(opened_with(), at);
	/* A key that is gone without the state knowing of it. */
	CHECK_EQ(mdb_txn_begin(s.db.env, NULL, 0, &s.db.txn), 0);
	CHECK_EQ(mdb_cursor_open(s.db.txn, s.db.keys_t, &c), 0);
	CHECK_EQ(mdb_cursor_get(c, &k, &k, MDB_FIRST), 0);
	CHECK_EQ(mdb_cursor_del(c, 0), 0);
	mdb_cursor_close(c);
	CHECK_EQ(mdb_txn_commit(s.db.txn), 0);
	s.db.txn = NULL;
	pxs_db_close(&s.db, true);
	CHECK_EQ(opened_with(), at);
	CHECK(same());
	/* And without a checkpoint: from the log, from its beginning. */
	pxs_db_close(&s.db, true);
	unlink(name("checkpoint"));
	CHECK(!truncate(name("data.mdb"), 5000));
	CHECK_EQ(opened_with(), 0);
	store_remove(&s);
}

int main(void)
{
	RUN(it_holds_everything);
	RUN(an_empty_store_has_one_too);
	RUN(it_is_of_one_slot);
	RUN(it_can_be_given_up);
	RUN(damage_is_seen);
	RUN(pieces_stand_in_their_order);
	RUN(a_large_one);
	RUN(the_longest_record);
	RUN(whose_it_is);
	RUN(nothing_from_the_future);
	RUN(a_restore_that_was_cut_short);
	RUN(what_is_distrusted_is_made_again);
	RUN(damaged_files_are_made_again);
	return unit_done();
}
