// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_part.c - entries that are larger than a value of the log
 *
 * One is executed whole, at the slot of its last part, or not at all; a restart in the middle
 * changes nothing; what was wrong leaves nothing behind.
 */
#include "unit_store.h"

#include "../../agent/store/part.h"

static struct unit_store s;
static u8 *whole;
static u64 size;
static struct pxs_store_entry part;
static u8 value[PXS_VALUE_MAX + 64];

/* SET key of so many bytes, as an entry of @len bytes if it can be so small. */
static void make_set(const char *key, u64 len)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_COMMAND, .ncommands = 1, .time = s.time,
	};
	struct pxs_str argv[3] = { pxs_str("SET"), pxs_str(key), { NULL, 0 } };
	struct pxs_args args = { 3, argv };
	u8 *bytes = malloc(len);
	u64 i;

	for (i = 0; i < len; i++)
		bytes[i] = (u8)(i * 7 + i / 251);
	argv[2].data = bytes;
	argv[2].len = (u32)(len - pxs_store_entry_size(NULL, 0, &args, 1));
	size = pxs_store_entry_size(NULL, 0, &args, 1);
	CHECK_EQ(size, len);
	whole = realloc(whole, size);
	pxs_store_entry_put(whole, &e, NULL, &args);
	free(bytes);
	part.client = 5;
	part.seq++;
	part.parts = (u32)((size + PXS_STORE_PART_BYTES - 1) / PXS_STORE_PART_BYTES);
}

static const char *send_part(u32 i)
{
	part.part = i;
	pxs_store_part_put(value, &part, whole, size);
	CHECK(pxs_store_part_size(size, i) <= PXS_VALUE_MAX);
	CHECK_EQ(store_apply(&s, value, pxs_store_part_size(size, i)), 0);
	return s.answer;
}

static const char *send_all(void)
{
	u32 i;

	for (i = 0; i + 1 < part.parts; i++)
		CHECK_STR(send_part(i), "");
	return send_part(i);
}

static bool is_set(const char *key)
{
	struct pxs_rec rec;
	bool same;

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	same = pxs_db_find(&s.db, pxs_str(key), &rec) &&
	       !memcmp(rec.value.data, whole + size - rec.value.len, rec.value.len) &&
	       rec.version == s.db.state.applied;
	pxs_db_abort(&s.db);
	return same;
}

static u64 kept(void)
{
	MDB_stat st = { 0 };

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	mdb_stat(s.db.txn, s.db.parts_t, &st);
	pxs_db_abort(&s.db);
	return st.ms_entries + s.db.state.parts;
}

static void every_boundary(void)
{
	static const u64 sizes[] = {
		PXS_STORE_PART_BYTES + 1, PXS_VALUE_MAX, PXS_VALUE_MAX + 1,
		2 * PXS_STORE_PART_BYTES - 1, 2 * PXS_STORE_PART_BYTES,
		2 * PXS_STORE_PART_BYTES + 1, 64 << 10, 1 << 20, PXS_STRING_MAX + 64,
	};
	unsigned int i;

	store_make(&s);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		make_set("k", sizes[i]);
		CHECK_STR(send_all(), "+OK\r\n");
		CHECK(is_set("k"));
		CHECK_EQ(kept(), 0);
	}
	store_remove(&s);
}

/* Whatever stands between two parts, the command is never executed, and says so at its end. */
static void interrupted(void)
{
	static const char lost[] = "-TRYAGAIN a part of the command did not get into the log: nothing was executed\r\n";
	u32 how;

	store_make(&s);
	for (how = 0; how < 5; how++) {
		make_set("k", 3 * PXS_STORE_PART_BYTES);
		send_part(0);
		if (how == 0)
			store_say(&s, "SET other 1");
		else if (how == 1)
			CHECK_EQ(store_apply(&s, NULL, 0), 0);	/* an empty slot */
		else if (how == 2)
			CHECK_EQ(store_apply(&s, "foreign", 7), 0);
		else if (how == 3)
			send_part(0);
		if (how == 4)
			part.client++;
		if (how != 4 && how != 3)
			CHECK_EQ(kept(), 0);
		if (how != 3)
			CHECK_STR(send_part(1), "");
		CHECK_STR(send_part(2), lost);
		CHECK_EQ(kept(), 0);
		CHECK_STR(store_say(&s, "EXISTS k"), ":0\r\n");
	}
	/* The whole again is another command. */
	make_set("k", 3 * PXS_STORE_PART_BYTES);
	CHECK_STR(send_all(), "+OK\r\n");
	store_remove(&s);
}

static void closed_and_opened(void)
{
	u32 i;

	store_make(&s);
	make_set("k", 4 * PXS_STORE_PART_BYTES);
	for (i = 0; i < 3; i++) {
		send_part(i);
		pxs_db_close(&s.db, i % 2);
		store_open(&s);
		CHECK_EQ(s.db.state.parts, 4);
		CHECK_EQ(s.db.state.part_next, i + 1);
	}
	CHECK_STR(send_part(3), "+OK\r\n");
	CHECK(is_set("k"));
	store_remove(&s);
}

/* A transaction that fails takes its parts back; they come again. */
static void taken_back(void)
{
	struct pxs_reply nobody = { .quiet = true };

	store_make(&s);
	make_set("k", 2 * PXS_STORE_PART_BYTES);
	send_part(0);
	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	part.part = 1;
	pxs_store_part_put(value, &part, whole, size);
	CHECK_EQ(pxs_apply(&s.db, s.db.state.applied + 1, value, pxs_store_part_size(size, 1),
			   false, &nobody), 0);
	pxs_db_abort(&s.db);
	CHECK_EQ(s.db.state.part_next, 1);
	CHECK_STR(send_part(1), "+OK\r\n");
	CHECK(is_set("k"));
	store_remove(&s);
}

static void wrong_parts(void)
{
	struct pxs_store_part p;
	u8 *at = value + sizeof(struct pxs_store_entry_hdr);
	u32 len, i;
	static const struct {
		u32 index, parts;
	} bad[] = {
		{ 0, 0 }, { 0, 1 }, { 2, 2 }, { 0, PXS_STORE_PARTS_MAX + 1 }, { ~0u, 3 },
	};

	store_make(&s);
	make_set("k", 2 * PXS_STORE_PART_BYTES);
	part.part = 0;
	pxs_store_part_put(value, &part, whole, size);
	len = pxs_store_part_size(size, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		p = (struct pxs_store_part){ cpu_to_le32(bad[i].index), cpu_to_le32(bad[i].parts) };
		memcpy(at, &p, sizeof(p));
		CHECK_EQ(store_apply(&s, value, len), 0);
		CHECK_EQ(s.db.state.foreign, i + 1);
	}
	p = (struct pxs_store_part){ 0, cpu_to_le32(2) };
	memcpy(at, &p, sizeof(p));
	/* Without a byte, with too many, before there were parts. */
	CHECK_EQ(store_apply(&s, value, sizeof(struct pxs_store_entry_hdr) + sizeof(p)), 0);
	CHECK_EQ(store_apply(&s, value, PXS_VALUE_MAX + 1), 0);
	value[4] = 3;
	CHECK_EQ(store_apply(&s, value, len), 0);
	CHECK_EQ(s.db.state.foreign, i + 3);
	value[4] = PXS_STORE_VERSION + 1;
	CHECK_EQ(store_apply(&s, value, len), -EPROTO);
	CHECK_EQ(kept(), 0);

	/* The whole is no entry, or one that the part's version does not promise. */
	whole[5] = 99;
	CHECK_STR(send_all(), "-ERR not an entry\r\n");
	whole[5] = PXS_STORE_PART;
	CHECK_STR(send_all(), "-ERR not an entry\r\n");
	whole[5] = PXS_STORE_SAGA;
	whole[4] = 4;
	CHECK_STR(send_all(), "-ERR not an entry\r\n");
	whole[5] = PXS_STORE_COMMAND;
	whole[4] = PXS_STORE_VERSION + 1;
	for (part.part = 0; part.part < 2; part.part++) {
		pxs_store_part_put(value, &part, whole, size);
		CHECK_EQ(value[4], PXS_STORE_VERSION + 1);
		value[4] = PXS_STORE_VERSION;
		len = pxs_store_part_size(size, part.part);
		CHECK_EQ(store_apply(&s, value, len), 0);
	}
	CHECK_STR(s.answer, "-ERR not an entry\r\n");
	CHECK_EQ(kept(), 0);
	CHECK_STR(store_say(&s, "EXISTS k"), ":0\r\n");
	store_remove(&s);
}

static void a_new_command_needs_its_version(void)
{
	struct pxs_str old[] = { pxs_str("HINCRBY"), pxs_str("h"), pxs_str("f"), pxs_str("1") };
	struct pxs_str new[] = { pxs_str("hincrbyfloat"), pxs_str("h"), pxs_str("f"), pxs_str("1") };
	struct pxs_args args[] = { { 4, old }, { 4, new } };
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1 };
	u8 buf[256];

	pxs_store_entry_put(buf, &e, NULL, args);
	CHECK_EQ(buf[4], 1);
	pxs_store_entry_put(buf, &e, NULL, args + 1);
	CHECK_EQ(buf[4], 4);
	e = (struct pxs_store_entry){ .kind = PXS_STORE_EXEC, .ncommands = 2 };
	pxs_store_entry_put(buf, &e, NULL, args);
	CHECK_EQ(buf[4], 4);
}

/* More arguments than one value can have, and a transaction of several that are too large alone. */
static void many_arguments(void)
{
	enum { N = 20001 };
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1, .time = 1 };
	struct pxs_str *argv = malloc(N * sizeof(*argv));
	struct pxs_args args = { N, argv };
	char *names = malloc(N * 8);
	u32 i;

	store_make(&s);
	argv[0] = pxs_str("MSET");
	for (i = 1; i < N; i++) {
		snprintf(names + 8 * i, 8, "%u", i);
		argv[i] = pxs_str(names + 8 * i);
	}
	size = pxs_store_entry_size(NULL, 0, &args, 1);
	whole = realloc(whole, size);
	pxs_store_entry_put(whole, &e, NULL, &args);
	part.seq++;
	part.parts = (u32)((size + PXS_STORE_PART_BYTES - 1) / PXS_STORE_PART_BYTES);
	CHECK_STR(send_all(), "+OK\r\n");
	CHECK_STR(store_say(&s, "GET 19999"), "$5\r\n20000\r\n");
	CHECK_EQ(s.db.state.keys, N / 2);
	free(names);
	free(argv);
	store_remove(&s);
}

int main(void)
{
	RUN(every_boundary);
	RUN(interrupted);
	RUN(closed_and_opened);
	RUN(taken_back);
	RUN(wrong_parts);
	RUN(many_arguments);
	RUN(a_new_command_needs_its_version);
	free(whole);
	return unit_done();
}
