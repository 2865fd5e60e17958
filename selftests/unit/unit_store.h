/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_store.h - a store in a temporary directory, and a log that is applied to it
 */
#ifndef UNIT_STORE_H
#define UNIT_STORE_H

#include <stdio.h>
#include <unistd.h>

#include "unit.h"

#include "../../agent/store/apply.h"

#define STORE_WORDS	64

struct unit_store {
	struct pxs_db db;
	struct pxs_db_owner owner;
	char path[200];
	u64 time;		/* that the next entry says */
	u64 memory;
	u64 session;		/* not 0: what follows is number @number of it */
	u64 number;
	bool quiet;		/* nobody waits for the answer */
	u8 proto;
	char answer[65536];
};

static void store_open(struct unit_store *s)
{
	pxs_db_open(&s->db, s->path, &s->owner, 1 << 20);
}

static void store_make(struct unit_store *s)
{
	const char *base = getenv("TMPDIR");

	memset(s, 0, sizeof(*s));
	snprintf(s->path, sizeof(s->path), "%s/pxs-store-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(s->path))
		abort();
	s->owner.group = 1;
	s->owner.incarnation = 7;
	s->owner.last = ~0ull;
	s->time = 1000000;
	s->proto = 2;
	store_open(s);
}

static void store_remove(struct unit_store *s)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "written-in-boot",
					     "checkpoint", "checkpoint.new" };
	char name[256];
	unsigned int i;

	pxs_db_close(&s->db, false);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(name, sizeof(name), "%s/%s", s->path, files[i]);
		unlink(name);
	}
	rmdir(s->path);
}

static int store_apply_once(struct unit_store *s, const void *value, u32 len)
{
	struct pxs_reply out;
	int err = pxs_db_begin(&s->db, true);

	s->answer[0] = 0;
	if (err)
		return err;
	pxs_reply_init(&out, s->proto, sizeof(s->answer) - 1);
	out.quiet = s->quiet;
	err = pxs_apply(&s->db, s->db.state.applied + 1, value, len, !value, &out);
	if (err) {
		pxs_db_abort(&s->db);
	} else {
		memcpy(s->answer, out.buf ? out.buf : (u8 *)"", out.len);
		s->answer[out.len] = 0;
		err = pxs_db_commit(&s->db);
	}
	pxs_reply_free(&out);
	return err;
}

/*
 * Apply a value as the next slot, in a transaction of its own; the map grows as it must. Return: as
 * pxs_apply().
 */
static int store_apply(struct unit_store *s, const void *value, u32 len)
{
	int err;

	while ((err = store_apply_once(s, value, len)) == -EXFULL && !pxs_db_grow(&s->db))
		;
	return err;
}

/* Split at blanks; a word '' is empty. */
static u32 store_words(char *text, struct pxs_str *argv)
{
	u32 n = 0;
	char *word;

	for (word = strtok(text, " "); word && n < STORE_WORDS; word = strtok(NULL, " "))
		argv[n++] = pxs_str(strcmp(word, "''") ? word : "");
	return n;
}

/* Apply commands, parted by ';', as one entry. Return: the answer. */
static const char *store_exec(struct unit_store *s, u8 kind, const struct pxs_watch *watch,
			      u32 nwatches, const char *commands)
{
	struct pxs_store_entry e = {
		.kind = kind, .nwatches = nwatches, .time = s->time, .memory = s->memory,
		.once = s->session, .client = s->session, .seq = s->number,
	};
	static struct pxs_str argv[8][STORE_WORDS];
	struct pxs_args args[8];
	char *text = strdup(commands), *each[8], *rest = text;
	u8 *buf;
	u64 size;
	u32 i;

	while (e.ncommands < 8 && (each[e.ncommands] = strsep(&rest, ";")))
		e.ncommands++;
	for (i = 0; i < e.ncommands; i++)
		args[i] = (struct pxs_args){ store_words(each[i], argv[i]), argv[i] };
	size = pxs_store_entry_size(watch, nwatches, args, e.ncommands);
	buf = malloc(size);
	pxs_store_entry_put(buf, &e, watch, args);
	CHECK_EQ(store_apply(s, buf, (u32)size), 0);
	free(buf);
	free(text);
	return s->answer;
}

static inline const char *store_say(struct unit_store *s, const char *command)
{
	return store_exec(s, PXS_STORE_COMMAND, NULL, 0, command);
}

#endif /* UNIT_STORE_H */
