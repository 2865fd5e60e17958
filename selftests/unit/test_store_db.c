// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_db.c - the store's files: long keys, growth, scanning, marks, other stores
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit_store.h"

static struct unit_store s;
static bool no_begin, no_commit;

/* In place of LMDB's, which they call: a begin, or a commit, that fails. */
int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
	int (*real)(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn);

	*(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_begin");
	return no_begin ? MDB_READERS_FULL : real(env, parent, flags, txn);
}

int mdb_txn_commit(MDB_txn *txn)
{
	int (*real)(MDB_txn *txn);

	*(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_commit");
	if (no_commit) {
		mdb_txn_abort(txn);
		real = NULL;
	}
	return real ? real(txn) : EIO;
}

static void long_keys(void)
{
	static u8 a[2000], b[2000];
	struct pxs_str ka = { a, sizeof(a) }, kb = { b, sizeof(b) };
	struct pxs_rec rec;
	u32 len;

	memset(a, 'k', sizeof(a));
	memcpy(b, a, sizeof(b));
	b[1999] = 'l';
	store_make(&s);
	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	for (len = 460; len < 500; len++)
		pxs_db_set_string(&s.db, (struct pxs_str){ a, len }, pxs_str("x"), 0);
	pxs_db_set_string(&s.db, ka, pxs_str("a"), 0);
	pxs_db_set_string(&s.db, kb, pxs_str("b"), 77);
	CHECK(pxs_db_find(&s.db, ka, &rec) && pxs_str_equal(rec.value, pxs_str("a")));
	CHECK(pxs_db_find(&s.db, kb, &rec) && pxs_str_equal(rec.value, pxs_str("b")));
	CHECK(pxs_str_equal(rec.key, kb));
	CHECK_EQ(s.db.state.keys, 42);
	pxs_db_make_hash(&s.db, pxs_str("h"), &rec);
	CHECK(pxs_db_set_field(&s.db, &rec, pxs_str("h"), ka, pxs_str("1")));
	CHECK(pxs_db_set_field(&s.db, &rec, pxs_str("h"), kb, pxs_str("2")));
	CHECK(!pxs_db_set_field(&s.db, &rec, pxs_str("h"), kb, pxs_str("3")));
	CHECK_EQ(rec.count, 2);
	pxs_db_delete(&s.db, pxs_str("h"));
	pxs_db_delete(&s.db, ka);
	CHECK(pxs_db_find(&s.db, kb, &rec));
	pxs_db_delete(&s.db, kb);
	for (len = 460; len < 500; len++)
		pxs_db_delete(&s.db, (struct pxs_str){ a, len });
	CHECK_EQ(s.db.state.used, 0);
	CHECK_EQ(pxs_db_commit(&s.db), 0);
	store_remove(&s);
}

/* The map is full long before the disk: a transaction fails whole, then there is more room. */
static void the_map_grows(void)
{
	static u8 value[100000];
	char key[16];
	int err = 0;
	u32 i;

	store_make(&s);
	for (i = 0; i < 100 && !err; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		CHECK_EQ(pxs_db_begin(&s.db, true), 0);
		pxs_db_set_string(&s.db, pxs_str(key), (struct pxs_str){ value, sizeof(value) }, 0);
		err = pxs_db_commit(&s.db);
	}
	CHECK(err == -EXFULL);
	CHECK_EQ(s.db.state.keys, i - 1);
	CHECK_EQ(pxs_db_grow(&s.db), 0);
	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	pxs_db_set_string(&s.db, pxs_str(key), (struct pxs_str){ value, sizeof(value) }, 0);
	CHECK_EQ(pxs_db_commit(&s.db), 0);
	CHECK_EQ(s.db.state.keys, i);
	store_remove(&s);
}

static int set_a(void)
{
	struct pxs_reply nobody = { .quiet = true };

	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	s.db.slot = 2;
	pxs_db_set_string(&s.db, pxs_str("a"), pxs_str("longer"), 77);
	return pxs_apply(&s.db, 2, NULL, 0, true, &nobody);
}

/* What a transaction did is undone in memory as well, whatever the files say meanwhile. */
static void failed_transactions_leave_no_trace(void)
{
	struct pxs_db_state before;

	store_make(&s);
	store_say(&s, "SET a 1");
	before = s.db.state;
	CHECK_EQ(set_a(), 0);
	no_begin = true;
	pxs_db_abort(&s.db);
	no_begin = false;
	CHECK(!memcmp(&s.db.state, &before, sizeof(before)));
	CHECK_EQ(set_a(), 0);
	no_begin = true;
	no_commit = true;
	CHECK(pxs_db_commit(&s.db) == -EIO);
	no_begin = false;
	no_commit = false;
	CHECK(!memcmp(&s.db.state, &before, sizeof(before)));
	CHECK_STR(store_say(&s, "GET a"), "$1\r\n1\r\n");
	CHECK_EQ(s.db.state.applied, 2);
	store_remove(&s);
}

/* LMDB takes the old map away before it has the new one. */
static void the_map_cannot_grow(void)
{
	store_make(&s);
	store_say(&s, "SET a 1");
	s.db.map = (size_t)1 << 62;
	CHECK(pxs_db_grow(&s.db) == -ENOMEM);
	CHECK_EQ(s.db.map, (size_t)1 << 62);
	CHECK(pxs_db_begin(&s.db, false));
	CHECK(pxs_db_begin(&s.db, true));
	pxs_db_close(&s.db, true);
	store_open(&s);
	CHECK_EQ(s.db.state.applied, 1);
	CHECK_STR(store_say(&s, "GET a"), "$1\r\n1\r\n");
	store_remove(&s);
}

static bool count_key(void *ctx, const struct pxs_rec *rec)
{
	u32 *left = ctx;

	s.answer[(u32)atoi((const char *)rec->key.data + 1)]++;
	return --*left > 0;
}

static void scanning_sees_all_once(void)
{
	char key[16];
	u64 cursor = 0;
	u32 i, left, rounds = 0;

	store_make(&s);
	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		/* With the zero: count_key() reads a number. */
		pxs_db_set_string(&s.db, (struct pxs_str){ (u8 *)key, (u32)strlen(key) + 1 },
				  pxs_str("v"), 0);
	}
	CHECK_EQ(pxs_db_commit(&s.db), 0);
	memset(s.answer, 0, sizeof(s.answer));
	do {
		CHECK_EQ(pxs_db_begin(&s.db, false), 0);
		left = 7;
		cursor = pxs_db_scan(&s.db, cursor, count_key, &left);
		pxs_db_abort(&s.db);
	} while (cursor && ++rounds < 1000);
	CHECK_EQ(rounds, 142);
	for (i = 0; i < 1000; i++)
		CHECK_EQ(s.answer[i], 1);
	store_remove(&s);
}

static void whose_it_is(void)
{
	struct pxs_db other;

	store_make(&s);
	store_say(&s, "SET a 1");
	pxs_db_close(&s.db, true);
	s.owner.incarnation++;
	CHECK(pxs_db_open(&other, s.path, &s.owner, 1 << 20) == -EKEYREJECTED);
	s.owner.incarnation--;
	s.owner.group++;
	CHECK(pxs_db_open(&other, s.path, &s.owner, 1 << 20) == -EKEYREJECTED);
	s.owner.group--;
	store_open(&s);
	CHECK_STR(store_say(&s, "GET a"), "$1\r\n1\r\n");
	store_remove(&s);
}

/* @boot: what the mark says; NULL: there is none. Return: slots that are still there. */
static u64 after(const char *boot)
{
	char name[256];
	int fd;

	store_make(&s);
	store_say(&s, "SET a 1");
	pxs_db_close(&s.db, false);
	snprintf(name, sizeof(name), "%s/written-in-boot", s.path);
	if (boot) {
		fd = open(name, O_WRONLY | O_TRUNC);
		CHECK(fd >= 0 && write(fd, boot, strlen(boot)) == (ssize_t)strlen(boot));
		close(fd);
	}
	store_open(&s);
	return s.db.state.applied;
}

static void marks(void)
{
	struct stat st;
	char name[256];

	/* The process died, the machine did not. */
	CHECK_EQ(after(NULL), 1);
	snprintf(name, sizeof(name), "%s/written-in-boot", s.path);
	CHECK(!stat(name, &st));
	pxs_db_close(&s.db, true);
	CHECK(stat(name, &st));
	store_remove(&s);
	/* Another boot; a mark that was cut off. */
	CHECK_EQ(after("00000000-0000-0000-0000-000000000000"), 0);
	store_remove(&s);
	CHECK_EQ(after(""), 0);
	store_remove(&s);
}

/* Ten strings of @len bytes: set, or deleted. */
static void set_ten(u32 len, bool gone)
{
	static u8 value[50000];
	char key[16];
	u32 i;

	for (i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "%u.%u", i, len);
		if (gone)
			pxs_db_delete(&s.db, pxs_str(key));
		else
			pxs_db_set_string(&s.db, pxs_str(key), (struct pxs_str){ value, len }, 0);
	}
}

static void change_ten(u32 len, bool set, bool gone)
{
	struct pxs_reply nobody = { .quiet = true };

	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	if (set)
		set_ten(len, false);
	if (gone)
		set_ten(len, true);
	CHECK_EQ(pxs_apply(&s.db, s.db.state.applied + 1, NULL, 0, true, &nobody), 0);
	CHECK_EQ(pxs_db_commit(&s.db), 0);
}

/*
 * Pages that are taken and given back in one transaction are never written, and yet counted: that
 * is so as soon as there are free ones, of two transactions before.
 */
static void pages_never_written_are_no_damage(void)
{
	store_make(&s);
	change_ten(5000, true, false);
	change_ten(5000, false, true);
	change_ten(0, false, false);
	change_ten(50000, true, true);
	pxs_db_close(&s.db, true);
	store_open(&s);
	CHECK_EQ(s.db.opened, 4);
	store_remove(&s);
}

/* Does the unit take away what of /proc is not about processes? */
static bool unit_hides(void)
{
	char path[] = __FILE__, line[256];
	bool hides = false;
	FILE *f;

	*strstr(path, "selftests/unit/") = 0;
	CHECK(!chdir(path));
	f = fopen("agent/paxsteerd.service", "r");
	if (!CHECK(f))
		return false;
	while (fgets(line, sizeof(line), f))
		hides |= !strcmp(line, "ProcSubset=pid\n");
	fclose(f);
	return hides;
}

/* In a child with mounts of its own: 0: it opens, 1: it doesn't, 2: without saying why. */
static int open_without_sys(bool hide)
{
	char said[512] = "";
	int fd;

	if ((unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    (hide && mount("pxs", "/proc/sys", "tmpfs", 0, "")))
		return 4;
	fd = fileno(tmpfile());
	dup2(fd, 2);
	if (!pxs_db_open(&s.db, s.path, &s.owner, 1 << 20))
		return 0;
	if (pread(fd, said, sizeof(said) - 1, 0) < 0)
		return 3;
	return strstr(said, "/proc/sys/kernel/random/boot_id: No such file") ? 1 : 2;
}

static int opens(bool hide)
{
	int status = 0;
	pid_t pid;

	store_make(&s);
	pxs_db_close(&s.db, true);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(open_without_sys(hide));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	store_remove(&s);
	if (WEXITSTATUS(status) == 4)
		NOTE("not allowed to mount a tmpfs here: run it as root");
	return WEXITSTATUS(status);
}

/* Which boot is it? Where that is hidden no store can be had, and it is said why. */
static void the_unit_shows_the_boot(void)
{
	CHECK_EQ(opens(true), 1);
	CHECK_EQ(opens(unit_hides()), 0);
}

int main(void)
{
	RUN(long_keys);
	RUN(the_map_grows);
	RUN(failed_transactions_leave_no_trace);
	RUN(the_map_cannot_grow);
	RUN(scanning_sees_all_once);
	RUN(whose_it_is);
	RUN(marks);
	RUN(pages_never_written_are_no_damage);
	RUN(the_unit_shows_the_boot);
	return unit_done();
}
