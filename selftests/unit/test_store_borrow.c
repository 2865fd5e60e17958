// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_borrow.c - another member's checkpoint: its pieces, and a store that is made of it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "unit_store.h"

#include "../../agent/store/image.h"
#include "../../agent/store/loan.h"
#include "../../agent/store/store.h"

/* --- pieces --- */

static const u8 cluster[16] = "a cluster";
static struct pxs_keys keys = {
	.count = 2, .key = { { .id = 1, .bytes = "one" }, { .id = 2, .bytes = "two" } },
};
static u64 room[96];
static struct pxs_loan_head *const head = (struct pxs_loan_head *)room;
#define DATA	100u
#define BYTES	((u32)sizeof(*head) + DATA)

static void seal(const struct pxs_keys *by)
{
	struct pxs_loan l = {
		.slot = 7, .id = 8, .size = 1000, .offset = 300, .nonce = 9, .group = 3,
		.len = DATA,
	};

	memset(room, 'x', sizeof(room));
	pxs_loan_seal(by, cluster, &l, NULL, head);
}

static int open_piece(u32 bytes)
{
	struct pxs_loan l;

	return -pxs_loan_open(&keys, cluster, head, bytes, &l);
}

static void a_piece_arrives(void)
{
	struct pxs_keys second = { .count = 1, .key = { keys.key[1] } };
	struct pxs_loan l;

	seal(&keys);
	CHECK_EQ(pxs_loan_open(&keys, cluster, head, BYTES, &l), 0);
	CHECK(l.slot == 7 && l.id == 8 && l.size == 1000 && l.offset == 300 && l.nonce == 9);
	CHECK(l.group == 3 && l.len == DATA);
	/* Keys change one member after the other. */
	seal(&second);
	CHECK_EQ(open_piece(BYTES), 0);
}

static void any_bit_counts(void)
{
	u32 i;

	for (i = 0; i < BYTES * 8; i++) {
		seal(&keys);
		((u8 *)room)[i / 8] ^= (u8)(1 << i % 8);
		CHECK(open_piece(BYTES) != 0);
	}
}

/* Who the members are goes with it, and is under the same tag. */
static void it_says_who_the_members_are(void)
{
	static const u8 config[48] = "not looked at here";
	struct pxs_loan l = {
		.slot = 7, .id = 8, .size = 1000, .offset = 300, .nonce = 9, .group = 3,
		.len = DATA, .config = sizeof(config), .config_slot = 70000,
	}, got;
	u32 i, bytes = (u32)sizeof(*head) + DATA + 8 + (u32)sizeof(config);

	CHECK_EQ(pxs_loan_rest(&l), DATA + 8 + sizeof(config));
	for (i = 0; i <= bytes * 8; i++) {
		memset(room, 'x', sizeof(room));
		pxs_loan_seal(&keys, cluster, &l, config, head);
		if (i < bytes * 8)
			((u8 *)room)[i / 8] ^= (u8)(1 << i % 8);
		CHECK((pxs_loan_open(&keys, cluster, head, bytes, &got) != 0) == (i < bytes * 8));
	}
	CHECK(got.len == DATA && got.config == sizeof(config) && got.config_slot == 70000);
	CHECK(!memcmp(pxs_loan_config(head, &got), config, sizeof(config)));
	CHECK_EQ(open_piece(bytes - 1), EBADMSG);
	CHECK_EQ(open_piece(BYTES), EBADMSG);
	head->config = PXS_MEMBERSHIP_BYTES + 1;
	CHECK_EQ(open_piece((u32)sizeof(*head) + DATA + 8 + PXS_MEMBERSHIP_BYTES + 1), EBADMSG);
}

static void who_may_not_lend(void)
{
	struct pxs_keys other = { .count = 1, .key = { { .id = 1, .bytes = "three" } } };
	static const u8 elsewhere[16] = "another cluster";
	struct pxs_loan l;

	seal(&other);
	CHECK_EQ(open_piece(BYTES), EKEYREJECTED);
	other.key[0].id = 3;
	seal(&other);
	CHECK_EQ(open_piece(BYTES), EKEYREJECTED);
	seal(&keys);
	CHECK_EQ(-pxs_loan_open(&keys, elsewhere, head, BYTES, &l), EKEYREJECTED);
	CHECK_EQ(open_piece(BYTES - 1), EBADMSG);
	CHECK_EQ(open_piece(BYTES + 1), EBADMSG);
	CHECK_EQ(open_piece(0), EBADMSG);
	head->offset = cpu_to_le64(950);
	CHECK_EQ(open_piece(BYTES), EBADMSG);
	head->offset = cpu_to_le64(~0ull);
	CHECK_EQ(open_piece(BYTES), EBADMSG);
}

/* --- a store of it --- */

static struct unit_store a, b;
static u8 digest[16];
static char text[300];

static const char *name(const struct unit_store *s, const char *file)
{
	snprintf(text, sizeof(text), "%s/%s", s->path, file);
	return text;
}

static bool there(const char *file)
{
	struct stat st;

	return !stat(name(&b, file), &st);
}

static void sum(struct unit_store *s, u8 to[16])
{
	CHECK_EQ(pxs_db_begin(&s->db, false), 0);
	pxs_db_digest(&s->db, to);
	pxs_db_abort(&s->db);
}

static bool same(void)
{
	u8 now[16];

	sum(&b, now);
	return !memcmp(now, digest, sizeof(now));
}

/* Member a has more than b, and b a checkpoint of it. */
static void begin(const char *file)
{
	struct pxs_image_info info;
	bool go_on = false;
	MDB_txn *txn;
	int fd;

	store_make(&a);
	store_say(&a, "SET x 1");
	store_say(&a, "HSET h f 1 g 2");
	store_say(&a, "SET y 2");
	sum(&a, digest);
	store_make(&b);
	pxs_db_close(&b.db, true);
	unlink(name(&b, "data.mdb"));
	b.owner.incarnation = 8;
	store_open(&b);
	store_say(&b, "SET x 1");
	CHECK(b.db.state.applied < a.db.state.applied);
	info = (struct pxs_image_info){ .applied = a.db.state.applied, .made = 5 };
	fd = open(name(&b, file), O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_EQ(mdb_txn_begin(a.db.env, NULL, MDB_RDONLY, &txn), 0);
	CHECK_EQ(pxs_image_write(fd, &a.db, txn, &info, &go_on), 0);
	mdb_txn_abort(txn);
	close(fd);
}

static void over(void)
{
	static const char *const files[] = {
		PXS_DB_PART, PXS_DB_BORROWED, PXS_DB_INCOMING "/data.mdb",
		PXS_DB_INCOMING "/lock.mdb",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		unlink(name(&b, files[i]));
	rmdir(name(&b, PXS_DB_INCOMING));
	store_remove(&a);
	store_remove(&b);
}

static int make_incoming(void)
{
	struct pxs_db_plan plan;
	int fd = open(name(&b, PXS_DB_PART), O_RDWR);
	int err;

	pxs_db_plan(&plan, &b.db);
	err = pxs_db_make_incoming(&plan, fd);
	close(fd);
	return -err;
}

/* It takes the place of what was there, is ours from then on, and lasts. */
static void it_takes_the_place(void)
{
	struct pxs_image_info info;
	int fd;

	begin(PXS_DB_PART);
	fd = open(name(&b, PXS_DB_PART), O_RDONLY);
	CHECK_EQ(-pxs_image_info(fd, &b.db, &info), EKEYREJECTED);
	close(fd);
	CHECK_EQ(make_incoming(), 0);
	CHECK(!same());
	CHECK_EQ(pxs_db_take_incoming(&b.db), 0);
	CHECK(same());
	CHECK_EQ(b.db.state.applied, a.db.state.applied);
	CHECK(!there(PXS_DB_INCOMING));
	store_say(&b, "SET z 3");
	sum(&b, digest);
	pxs_db_close(&b.db, true);
	store_open(&b);
	CHECK(same());
	over();
}

/* A try that was cut short leaves something. */
static void once_more(void)
{
	begin(PXS_DB_PART);
	CHECK_EQ(make_incoming(), 0);
	CHECK_EQ(make_incoming(), 0);
	CHECK_EQ(pxs_db_take_incoming(&b.db), 0);
	CHECK(same());
	over();
}

static void nothing_of_a_damaged_one(void)
{
	u64 applied;
	struct stat st;
	off_t at;
	u8 byte;
	int fd;

	begin(PXS_DB_PART);
	applied = b.db.state.applied;
	fd = open(name(&b, PXS_DB_PART), O_RDWR);
	CHECK(!fstat(fd, &st));
	for (at = 0; at < st.st_size; at += 7) {
		CHECK(pread(fd, &byte, 1, at) == 1);
		byte ^= 16;
		CHECK(pwrite(fd, &byte, 1, at) == 1);
		CHECK_EQ(make_incoming(), EUCLEAN);
		byte ^= 16;
		CHECK(pwrite(fd, &byte, 1, at) == 1);
	}
	CHECK(!ftruncate(fd, st.st_size - 1));
	CHECK_EQ(make_incoming(), EUCLEAN);
	close(fd);
	CHECK_EQ(b.db.state.applied, applied);
	over();
}

/* --- after a crash --- */

static void again(u64 last)
{
	pxs_db_close(&b.db, false);
	b.owner.last = last;
	store_open(&b);
}

/* The log begins behind it: the store is made of it, also after another boot. */
static void the_log_was_told(void)
{
	begin(PXS_DB_BORROWED);
	again(a.db.state.applied);
	CHECK(same());
	CHECK_EQ(b.db.borrowed_slot, a.db.state.applied);
	CHECK(there(PXS_DB_BORROWED));
	pxs_db_close(&b.db, false);
	unlink(name(&b, "data.mdb"));
	store_open(&b);
	CHECK(same());
	pxs_db_drop_borrowed(&b.db);
	CHECK(!there(PXS_DB_BORROWED));
	over();
}

/* The log does not have these slots: they must not be believed, but they may be of use. */
static void the_log_was_not_told(void)
{
	u64 applied;

	begin(PXS_DB_BORROWED);
	applied = b.db.state.applied;
	again(a.db.state.applied - 1);
	CHECK_EQ(b.db.state.applied, applied);
	CHECK_EQ(b.db.borrowed_slot, 0);
	CHECK(!there(PXS_DB_BORROWED) && there(PXS_DB_PART));
	over();
}

/* A checkpoint of our own is as new. */
static void one_that_is_wanted_no_more(void)
{
	struct pxs_image_info info;
	bool go_on = false;
	MDB_txn *txn;
	int fd;

	begin(PXS_DB_BORROWED);
	store_say(&b, "SET a 1");
	store_say(&b, "SET b 1");
	store_say(&b, "SET c 1");
	CHECK(b.db.state.applied > a.db.state.applied);
	sum(&b, digest);
	info = (struct pxs_image_info){ .applied = b.db.state.applied, .made = 5 };
	fd = open(name(&b, PXS_DB_CHECKPOINT), O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_EQ(mdb_txn_begin(b.db.env, NULL, MDB_RDONLY, &txn), 0);
	CHECK_EQ(pxs_image_write(fd, &b.db, txn, &info, &go_on), 0);
	mdb_txn_abort(txn);
	close(fd);
	pxs_db_close(&b.db, false);
	unlink(name(&b, "data.mdb"));
	store_open(&b);
	CHECK(same());
	CHECK(!there(PXS_DB_BORROWED));
	over();
}

static void one_that_is_of_no_use(void)
{
	u64 applied;

	begin(PXS_DB_BORROWED);
	applied = b.db.state.applied;
	CHECK(!truncate(name(&b, PXS_DB_BORROWED), 20));
	again(~0ull);
	CHECK_EQ(b.db.state.applied, applied);
	CHECK(!there(PXS_DB_BORROWED));
	over();
}

/* What passes is no reason to remove what nobody else may have. */
static void one_that_is_not_read_now(void)
{
	begin(PXS_DB_BORROWED);
	unlink(name(&b, PXS_DB_BORROWED));
	CHECK(!mkdir(name(&b, PXS_DB_BORROWED), 0700));
	CHECK_EQ(pxs_db_use_borrowed(&b.db), -EISDIR);
	CHECK(!rmdir(name(&b, PXS_DB_BORROWED)));
	over();
}

/* --- the log goes on behind it --- */

static int answer;

static int trim(struct pxs_datapath *dp, u32 id, u64 slot, bool peers)
{
	(void)dp;
	(void)id;
	CHECK(slot == 5 && peers);
	return answer;
}

/* They trimmed more while it came: it leads nowhere, and another one is asked for. */
static void one_that_the_log_outran(void)
{
	static const struct pxs_datapath_ops ops = { .trim = trim };
	static struct pxs_datapath dp = { .ops = &ops };
	static struct pxs_replica replica = { .started = true };
	static struct pxs_node node;
	static struct pxs_store s;

	begin(PXS_DB_BORROWED);
	node.dp = &dp;
	s.node = &node;
	s.replica = &replica;
	s.db = b.db;
	s.borrow.stage = PXS_BORROW_JOIN;
	s.borrow.loan.slot = 5;
	answer = -EAGAIN;
	CHECK(!pxs_borrow_step(&s));
	CHECK(s.borrow.stage == PXS_BORROW_JOIN && there(PXS_DB_BORROWED));
	answer = -ENODATA;
	node.loop.now += 60000;
	CHECK(!pxs_borrow_step(&s));
	CHECK(s.borrow.stage == PXS_BORROW_IDLE && !there(PXS_DB_BORROWED));
	over();
}

int main(void)
{
	RUN(a_piece_arrives);
	RUN(any_bit_counts);
	RUN(it_says_who_the_members_are);
	RUN(who_may_not_lend);
	RUN(it_takes_the_place);
	RUN(once_more);
	RUN(nothing_of_a_damaged_one);
	RUN(the_log_was_told);
	RUN(the_log_was_not_told);
	RUN(one_that_is_wanted_no_more);
	RUN(one_that_is_of_no_use);
	RUN(one_that_is_not_read_now);
	RUN(one_that_the_log_outran);
	return unit_done();
}
