/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_saga.h - sagas in a store of unit_store.h: the test is the log, and who leads
 *
 * It applies what clients say, and the steps that are due. A crash is a store that is closed and
 * opened again, or made anew from the log.
 */
#ifndef UNIT_SAGA_H
#define UNIT_SAGA_H

#include "unit_store.h"

#include "../../agent/store/cmd_saga.h"
#include "../../agent/store/db_saga.h"

#define MOST	100u
#define KEEP	60000u		/* ms */

static struct unit_store s, t;
static u64 most = MOST;

/* --- a log that is remembered -------------------------------------------------------- */

#define LOG_MAX	4096

static struct {
	u8 *data;
	u32 len;
} entries[LOG_MAX];
static u32 nlog;

static inline void put_entry(struct unit_store *u, struct pxs_store_entry *e,
			     const struct pxs_args *args)
{
	u64 size = pxs_store_entry_size(NULL, 0, args, e->ncommands);
	u8 *buf = malloc(size);

	e->time = u->time;
	e->memory = u->memory;
	pxs_store_entry_put(buf, e, NULL, args);
	CHECK_EQ(store_apply(u, buf, (u32)size), 0);
	if (u != &s || nlog == LOG_MAX) {
		free(buf);
		return;
	}
	entries[nlog].data = buf;
	entries[nlog++].len = (u32)size;
}

static inline void forget_log(void)
{
	while (nlog)
		free(entries[--nlog].data);
}

/* PAXSTEER SAGA and these words. Return: the answer. */
static inline const char *saga(struct unit_store *u, const char *words)
{
	static struct pxs_str argv[1024];
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SAGA, .ncommands = 1, .client = most, .seq = KEEP,
	};
	struct pxs_args args = { 2, argv };
	char *text = strdup(words), *word;

	argv[0] = pxs_str("PAXSTEER");
	argv[1] = pxs_str("SAGA");
	for (word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[args.argc++] = pxs_str(strcmp(word, "''") ? word : "");
	put_entry(u, &e, &args);
	free(text);
	return u->answer;
}

static inline const char *command(struct unit_store *u, const char *words)
{
	static struct pxs_str argv[STORE_WORDS];
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1 };
	struct pxs_args args = { 0, argv };
	char *text = strdup(words);

	args.argc = store_words(text, argv);
	put_entry(u, &e, &args);
	free(text);
	return u->answer;
}

static inline void step(struct unit_store *u, u64 number, u64 position)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SAGA_STEP, .client = number, .seq = position,
	};

	put_entry(u, &e, NULL);
}

static inline bool see_due(void *ctx, const struct pxs_saga *g)
{
	*(struct pxs_saga *)ctx = *g;
	return false;
}

/* As the leader does: go on with what is due. Return: steps. */
static inline u32 drive(struct unit_store *u, u32 limit)
{
	struct pxs_saga g;
	u32 n = 0;

	while (n < limit) {
		g.number = 0;
		CHECK_EQ(pxs_db_begin(&u->db, false), 0);
		pxs_db_saga_due(&u->db, max(u->time, u->db.state.time), see_due, &g);
		pxs_db_abort(&u->db);
		if (!g.number)
			break;
		step(u, g.number, g.position);
		n++;
	}
	return n;
}

/* A command that reads, at the time of the log. */
static inline const char *ask(struct unit_store *u, const char *words)
{
	struct pxs_str argv[STORE_WORDS] = { pxs_str("PAXSTEER"), pxs_str("SAGA") };
	const struct pxs_command *cmd;
	char *text = strdup(words);
	struct pxs_reply out;
	u32 argc = 2 + store_words(text, argv + 2);

	pxs_reply_init(&out, u->proto, sizeof(u->answer) - 1);
	cmd = pxs_saga_find(argc, argv);
	CHECK(cmd && pxs_cmd_arity_ok(cmd, argc));
	CHECK_EQ(pxs_db_begin(&u->db, false), 0);
	pxs_apply_read(&u->db, cmd, argc, argv, u->db.now, &out);
	CHECK_EQ(u->db.err, 0);
	pxs_db_abort(&u->db);
	memcpy(u->answer, out.buf, out.len);
	u->answer[out.len] = 0;
	pxs_reply_free(&out);
	free(text);
	return u->answer;
}

/* What STATUS says of @name, up to the end of its line. */
static inline const char *status(struct unit_store *u, const char *id, const char *name)
{
	static char value[256];
	char words[200], field[64];
	const char *at;

	snprintf(words, sizeof(words), "STATUS %s", id);
	snprintf(field, sizeof(field), "\r\n%s\r\n", name);
	ask(u, words);
	at = strstr(u->answer, field);
	if (!at)
		return u->answer;
	at += strlen(field);
	if (*at == '$' && at[1] != '-')
		at = strchr(at, '\n') + 1;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

static inline bool is_error(const char *answer, const char *word)
{
	return answer[0] == '-' && !strncmp(answer + 1, word, strlen(word));
}

static inline void digest_of(struct unit_store *u, u8 digest[16])
{
	CHECK_EQ(pxs_db_begin(&u->db, false), 0);
	pxs_db_digest(&u->db, digest);
	pxs_db_abort(&u->db);
}

static inline bool equal(void)
{
	u8 a[16], b[16];

	digest_of(&s, a);
	digest_of(&t, b);
	return !memcmp(a, b, 16) && !memcmp(&s.db.state, &t.db.state, sizeof(s.db.state));
}

static inline u64 rows(struct unit_store *u, MDB_dbi table)
{
	MDB_stat st = { 0 };

	CHECK_EQ(pxs_db_begin(&u->db, false), 0);
	CHECK_EQ(mdb_stat(u->db.txn, table, &st), 0);
	pxs_db_abort(&u->db);
	return st.ms_entries;
}

static inline void make(struct unit_store *u)
{
	store_make(u);
	most = MOST;
}

static inline void unmake(struct unit_store *u)
{
	store_remove(u);
	forget_log();
}

#define TRANSFER "STEP debit CHECK MIN a 30 DO 3 DECRBY a 30 UNDO 3 INCRBY a 30 " \
		 "STEP credit CHECK EXISTS b DO 3 INCRBY b 30 UNDO 3 DECRBY b 30"

#endif /* UNIT_SAGA_H */
