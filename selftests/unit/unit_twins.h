/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_twins.h - entries of transactions over several groups, applied to two stores of one group
 *
 * The group is 1; where it is a participant, another is the coordinator.
 */
#ifndef UNIT_TWINS_H
#define UNIT_TWINS_H

#include "unit_store.h"

#include <fcntl.h>

#include "../../agent/store/condition.h"
#include "../../agent/store/cross_run.h"
#include "../../agent/store/db_pair.h"
#include "../../agent/store/image.h"

#define OTHER	7u

static struct unit_store s, twin;	/* what is applied to one is applied to both */

/*
 * "?watch VERSION KEY" and "?absent KEY..." are conditions; a negative version: not there, as of that
 * slot; one that is no number stays as it is.
 */
static void make_condition(struct pxs_str *argv, u32 argc)
{
	static __le64 versions[8];
	static u32 next;
	struct pxs_watch watch = { .key = pxs_str("k") };
	struct pxs_str words[PXS_CONDITION_WORDS];
	s64 n = 0;

	if (pxs_str_is(argv[0], "?absent"))
		argv[0] = pxs_condition_absent();
	if (!pxs_str_is(argv[0], "?watch"))
		return;
	if (argc > 2)
		watch.key = argv[2];
	if (argc > 1 && pxs_str_int(argv[1], &n))
		watch.version = n > 0 ? (u64)n : PXS_WATCH_ABSENT | (u64)-n;
	pxs_condition_watch(&watch, &versions[next++ % ARRAY_SIZE(versions)], words);
	memcpy(argv, words, (argc > 2 && n ? 3 : 1) * sizeof(*argv));
}

static const char *apply_to(struct unit_store *to, const struct pxs_store_entry *e,
			    const char *commands)
{
	static struct pxs_str argv[8][STORE_WORDS];
	struct pxs_args args[8];
	char *text = strdup(commands), *each, *rest = text;
	struct pxs_store_entry copy = *e;
	u8 buf[4096];
	u64 size;
	u32 argc;

	while (*commands && (each = strsep(&rest, ";"))) {
		argc = store_words(each, argv[copy.ncommands]);
		make_condition(argv[copy.ncommands], argc);
		args[copy.ncommands] = (struct pxs_args){ argc, argv[copy.ncommands] };
		copy.ncommands++;
	}
	copy.time = to->time;
	size = pxs_store_entry_size(NULL, 0, args, copy.ncommands);
	CHECK(size <= sizeof(buf));
	pxs_store_entry_put(buf, &copy, NULL, args);
	CHECK_EQ(store_apply(to, buf, (u32)size), 0);
	free(text);
	return to->answer;
}

/* A step of @kind of transaction @slot of group @group. Return: the answer. */
static inline const char *step(u8 kind, u64 group, u64 slot, const char *commands)
{
	struct pxs_store_entry e = {
		.kind = kind, .client = group, .seq = slot, .memory = s.memory,
	};

	twin.quiet = true;
	apply_to(&twin, &e, commands);
	return apply_to(&s, &e, commands);
}

static inline const char *say(const char *command)
{
	store_say(&twin, command);
	return store_say(&s, command);
}

static void make(void)
{
	store_make(&s);
	store_make(&twin);
}

static void digest_of(struct unit_store *of, u8 sum[16])
{
	CHECK_EQ(pxs_db_begin(&of->db, false), 0);
	pxs_db_digest(&of->db, sum);
	pxs_db_abort(&of->db);
}

static bool are_equal(void)
{
	u8 a[16], b[16];

	digest_of(&s, a);
	digest_of(&twin, b);
	return !memcmp(a, b, sizeof(a)) && s.db.state.locks == twin.db.state.locks;
}

static void done(void)
{
	CHECK(are_equal());
	store_remove(&s);
	store_remove(&twin);
}

static inline enum pxs_tx_state state_of(u64 group, u64 slot)
{
	struct pxs_cross_rec rec;

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	pxs_cross_get(&s.db, group, slot, &rec);
	pxs_db_abort(&s.db);
	return rec.state;
}

/* TX of this group and another: the slot that it got. */
static inline u64 begin(const char *own)
{
	char text[200];

	snprintf(text, sizeof(text), "1 1;%s;7 1;SET z 1", own);
	CHECK_STR(step(PXS_STORE_TX, 0, 0, text), "");
	return s.db.state.applied;
}

#define LOCKED	"-TRYAGAIN a key is in a transaction over several groups: nothing was executed\r\n"

/* The file is written whole, and read into a store that is new. */
static inline void restore_twin(void)
{
	struct pxs_image_info info = { .applied = s.db.state.applied, .made = 1 };
	bool stop = false;
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "%s/image", s.path);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK_EQ(pxs_image_write(fd, &s.db, s.db.txn, &info, &stop), 0);
	pxs_db_abort(&s.db);
	store_remove(&twin);
	store_make(&twin);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(pxs_image_read(fd, &twin.db), 0);
	close(fd);
	unlink(name);
}

#endif /* UNIT_TWINS_H */
