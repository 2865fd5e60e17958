// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_resp.c - what clients of the store send, and what stands in the log
 *
 * The first byte says which, the second how the bytes come: a request may not depend on that. Each
 * request that is read goes, as an entry, through a store in a temporary directory, some of them as
 * numbers of a session, or all of them as commands about sagas, whose steps follow; an entry that
 * is the input itself, too. The store must stay what its sums say, and each saga comes to an end.
 */
#include <sanitizer/asan_interface.h>

#include "fuzz.h"
#include "store/apply.h"
#include "store/db_saga.h"
#include "store/db_session.h"
#include "store/resp_read.h"

#define LIMIT		8192u
#define BULK_LIMIT	4096u
#define ENTRIES_MAX	32u

static struct pxs_db db;
static u32 digest;		/* of the requests that came out */
static u64 session;		/* slot of the entry that opened it */
static bool sagas;		/* requests are words behind PAXSTEER SAGA */

static void mix(u32 n)
{
	digest = (digest ^ n) * 16777619u;
}

static void apply(const void *value, u32 len)
{
	struct pxs_reply out;
	u8 *copy = malloc(len ? len : 1);
	int err;

	if (len)
		memcpy(copy, value, len);
	pxs_reply_init(&out, 2 + (digest & 1), 1 << 20);
	if (pxs_db_begin(&db, true))
		abort();
	err = pxs_apply(&db, db.state.applied + 1, copy, len, false, &out);
	FUZZ_CHECK(!err || err == -EPROTO || err == -EXFULL);
	if (err)
		pxs_db_abort(&db);
	else
		FUZZ_CHECK(!pxs_db_commit(&db) || pxs_db_grow(&db) == 0);
	pxs_reply_free(&out);
	free(copy);
}

static void open_session(void)
{
	u8 buf[sizeof(struct pxs_store_entry_hdr)];
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SESSION, .time = 1000, .client = 3, .seq = 3000,
	};

	pxs_store_entry_put(buf, &e, NULL, NULL);
	apply(buf, sizeof(buf));
	session = db.state.applied;
}

static bool see_due(void *ctx, const struct pxs_saga *g)
{
	*(struct pxs_saga *)ctx = *g;
	return false;
}

/* Go on with the saga that is due first at @now. Return: there was one. */
static bool go_on(u64 now)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_SAGA_STEP, .time = now };
	u8 buf[sizeof(struct pxs_store_entry_hdr)];
	struct pxs_saga g = { 0 };

	if (pxs_db_begin(&db, false))
		abort();
	pxs_db_saga_due(&db, max(now, db.state.time), see_due, &g);
	pxs_db_abort(&db);
	if (!g.number)
		return false;
	e.client = g.number;
	e.seq = g.position;
	pxs_store_entry_put(buf, &e, NULL, NULL);
	apply(buf, sizeof(buf));
	return true;
}

static void submit_saga(u32 argc, const struct pxs_str *argv)
{
	static struct pxs_str words[PXS_VALUE_MAX / 4];
	static u8 buf[PXS_VALUE_MAX];
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SAGA, .ncommands = 1, .time = 1000 + digest % 5000,
		.client = 3, .seq = 2000,
	};
	struct pxs_args args = { argc + 2, words };
	u64 size;

	if (args.argc > ARRAY_SIZE(words))
		return;
	words[0] = pxs_str("PAXSTEER");
	words[1] = pxs_str("SAGA");
	memcpy(words + 2, argv, argc * sizeof(*argv));
	size = pxs_store_entry_size(NULL, 0, &args, 1);
	if (size > sizeof(buf))
		return;
	pxs_store_entry_put(buf, &e, NULL, &args);
	apply(buf, (u32)size);
	if (digest & 8)
		go_on(e.time);
}

static void submit(u32 argc, const struct pxs_str *argv)
{
	static u8 buf[PXS_VALUE_MAX];
	struct pxs_store_entry e = {
		.kind = PXS_STORE_COMMAND, .ncommands = 1, .time = 1000 + digest % 5000,
		.memory = 1 << 16, .once = digest & 4, .client = session,
		.seq = 1 + digest % (2 * PXS_SESSION_KEPT),
	};
	struct pxs_args args = { argc, argv };
	u64 size = pxs_store_entry_size(NULL, 0, &args, 1);

	if (size > sizeof(buf))
		return;
	pxs_store_entry_put(buf, &e, NULL, &args);
	apply(buf, (u32)size);
}

static void take_request(const struct pxs_reader *r, u32 *budget)
{
	u32 i, j;

	mix(r->argc);
	for (i = 0; i < r->argc; i++) {
		FUZZ_CHECK(r->argv[i].len <= max(BULK_LIMIT, PXS_RESP_LINE_MAX));
		mix(r->argv[i].len);
		for (j = 0; j < r->argv[i].len; j++)
			mix(r->argv[i].data[j]);
	}
	if (!r->argc || !*budget)
		return;
	--*budget;
	if (sagas)
		submit_saga(r->argc, r->argv);
	else
		submit(r->argc, r->argv);
}

/* In pieces of at most @piece bytes. @budget: requests that are applied too. Return: what came. */
static u32 read_all(const u8 *data, size_t len, u32 piece, u32 budget, bool stranger)
{
	enum pxs_resp got = PXS_RESP_MORE;
	struct pxs_reader r;
	u32 room, n;
	u8 *at;

	digest = 2166136261u;
	pxs_reader_init(&r, LIMIT, BULK_LIMIT);
	r.stranger = stranger;
	while (len && got != PXS_RESP_ERROR) {
		at = pxs_reader_space(&r, &room);
		FUZZ_CHECK(at && room && r.room <= LIMIT + 2 * PXS_RESP_LINE_MAX);
		n = (u32)min((size_t)min(piece, room), len);
		memcpy(at, data, n);
		/* What was not received is not there. */
		__asan_poison_memory_region(at + n, room - n);
		r.len += n;
		data += n;
		len -= n;
		while ((got = pxs_reader_next(&r)) == PXS_RESP_REQUEST)
			take_request(&r, &budget);
		__asan_unpoison_memory_region(at + n, room - n);
	}
	mix(got);
	for (n = 0; r.error[n]; n++)
		mix((u8)r.error[n]);
	pxs_reader_free(&r);
	return digest;
}

static bool add_size(void *ctx, const struct pxs_rec *rec)
{
	struct pxs_db_state *sum = ctx;

	sum->used += PXS_DB_OVERHEAD + rec->key.len +
		     (rec->type == PXS_TYPE_STRING ? rec->value.len : 0);
	sum->keys++;
	sum->expires += !!rec->expire;
	/* Fields are counted with a hash that has some. */
	FUZZ_CHECK(rec->type == PXS_TYPE_STRING || rec->count);
	if (rec->type == PXS_TYPE_HASH)
		sum->foreign += rec->count;
	return true;
}

/* Each is over, waits, or is stuck, after a number of steps that its definition bounds. */
static void end_sagas(void)
{
	u32 n;
	u64 now;

	for (n = 0, now = db.state.time; n < 10000 && go_on(now); n++)
		now += 2000;
	FUZZ_CHECK(n < 10000);
}

static void check_sagas(void)
{
	MDB_dbi tables[] = { db.saga_ids_t, db.sagas_t, db.saga_due_t, db.saga_ends_t };
	MDB_stat st[ARRAY_SIZE(tables)];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		FUZZ_CHECK(!mdb_stat(db.txn, tables[i], &st[i]));
		FUZZ_CHECK(!mdb_drop(db.txn, tables[i], 0));
	}
	FUZZ_CHECK(st[0].ms_entries == st[2].ms_entries + st[3].ms_entries);
	/* State, definition, and that it was begun, at least. */
	FUZZ_CHECK(st[1].ms_entries >= 3 * st[0].ms_entries);
}

static void check_sums(void)
{
	struct pxs_db_state sum = { 0 };
	MDB_stat fields, items, ends, answers;

	if (pxs_db_begin(&db, true))
		abort();
	db.now = 0;		/* expired ones too */
	pxs_db_scan(&db, 0, add_size, &sum);
	FUZZ_CHECK(!mdb_stat(db.txn, db.fields_t, &fields));
	FUZZ_CHECK(!mdb_stat(db.txn, db.items_t, &items));
	FUZZ_CHECK(!mdb_stat(db.txn, db.ends_t, &ends));
	FUZZ_CHECK(!mdb_stat(db.txn, db.answers_t, &answers));
	FUZZ_CHECK(ends.ms_entries == pxs_session_count(&db));
	FUZZ_CHECK(answers.ms_entries <= ends.ms_entries * PXS_SESSION_KEPT);
	FUZZ_CHECK(sum.keys == db.state.keys && sum.expires == db.state.expires);
	FUZZ_CHECK(fields.ms_entries == sum.foreign && items.ms_entries == sum.foreign);
	FUZZ_CHECK(sum.used + PXS_DB_OVERHEAD * sum.foreign <= db.state.used);
	check_sagas();
	pxs_db_flush(&db);
	db.state.time = 0;
	FUZZ_CHECK(!pxs_db_commit(&db));
}

static void remove_store(void)
{
	char name[128];

	snprintf(name, sizeof(name), "rm -rf '%s'", db.path);
	pxs_db_close(&db, false);
	if (system(name))
		_exit(1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[32] = "/tmp/pxs-fuzz-XXXXXX";
	struct pxs_db_owner owner = { .group = 1 };

	(void)argc;
	(void)argv;
	if (!mkdtemp(path) || pxs_db_open(&db, path, &owner, 64 << 20))
		abort();
	atexit(remove_store);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u8 what = take8(&in);
	u32 piece = 1 + take8(&in);
	u32 whole;

	if (what & 1) {
		apply(in.p, (u32)min(in.n, (size_t)PXS_VALUE_MAX));
	} else {
		sagas = what & 4;
		open_session();
		whole = read_all(in.p, in.n, UINT32_MAX, 0, what & 2);
		FUZZ_CHECK(whole == read_all(in.p, in.n, piece, 0, what & 2));
		read_all(in.p, in.n, UINT32_MAX, ENTRIES_MAX, false);
	}
	end_sagas();
	check_sums();
	return 0;
}
