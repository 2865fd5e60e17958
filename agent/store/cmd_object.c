// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_object.c - OBJECT and MEMORY: how a value is kept
 *
 * A store keeps strings and hashes in one way each. What OBJECT ENCODING tells is how Redis, as it
 * is configured at first, would keep a value that was made as it is now: for clients that look.
 */
#include "command.h"

#define EMBSTR_MAX	44u
#define LISTPACK_FIELDS	512u
#define LISTPACK_BYTES	64u
#define INT_DIGITS	20u

/* --- OBJECT ---------------------------------------------------------------------------- */

static bool is_short(void *ctx, struct pxs_str field, struct pxs_str value)
{
	bool *all = ctx;

	*all = field.len <= LISTPACK_BYTES && value.len <= LISTPACK_BYTES;
	return *all;
}

static const char *encoding(struct pxs_run *x, const struct pxs_rec *rec)
{
	bool all = rec->type == PXS_TYPE_HASH && rec->count <= LISTPACK_FIELDS;
	s64 n;

	if (all)
		pxs_db_items(x->db, rec, 0, is_short, &all);
	if (rec->type == PXS_TYPE_HASH)
		return all ? "listpack" : "hashtable";
	if (rec->value.len <= INT_DIGITS && pxs_str_int(rec->value, &n))
		return "int";
	return rec->value.len <= EMBSTR_MAX ? "embstr" : "raw";
}

enum question {
	ENCODING,
	FREQ,
	IDLETIME,
	REFCOUNT,
	QUESTIONS,
};

static enum question question_of(struct pxs_str word)
{
	static const char *const words[] = { "encoding", "freq", "idletime", "refcount" };
	u32 i;

	for (i = 0; i < QUESTIONS && !pxs_str_is(word, words[i]); i++)
		;
	return (enum question)i;
}

void pxs_cmd_object(struct pxs_run *x)
{
	enum question q = question_of(x->argv[1]);
	static const char *const names[] = {
		"object|encoding", "object|freq", "object|idletime", "object|refcount",
	};
	struct pxs_rec rec;

	if (q == QUESTIONS)
		pxs_cmd_other_sub(x->out, x->cmd, x->argc, x->argv[1]);
	else if (x->argc != 3)
		pxs_reply_arity(x->out, names[q]);
	else if (!pxs_db_find(x->db, x->argv[2], &rec))
		pxs_reply_null(x->out);
	else if (q == ENCODING)
		pxs_reply_text(x->out, encoding(x, &rec));
	else if (q == REFCOUNT)
		pxs_reply_int(x->out, 1);
	else if (q == FREQ)
		pxs_reply_error(x->out, "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.");
	else
		pxs_reply_error(x->out, "ERR idle time is not tracked");
}

/* --- MEMORY USAGE ---------------------------------------------------------------------- */

static bool add_item(void *ctx, struct pxs_str field, struct pxs_str value)
{
	*(u64 *)ctx += PXS_DB_OVERHEAD + field.len + value.len;
	return true;
}

/* As it counts for maxmemory; SAMPLES is taken, and all are looked at. */
void pxs_cmd_memory(struct pxs_run *x)
{
	struct pxs_rec rec;
	s64 samples = 0;
	u64 bytes;

	if (!pxs_str_is(x->argv[1], "USAGE")) {
		pxs_cmd_other_sub(x->out, x->cmd, x->argc, x->argv[1]);
		return;
	}
	if (x->argc < 3) {
		pxs_reply_arity(x->out, "memory|usage");
		return;
	}
	if (x->argc > 3 && (x->argc != 5 || !pxs_str_is(x->argv[3], "SAMPLES"))) {
		pxs_reply_syntax(x->out);
		return;
	}
	if (x->argc == 5 && !pxs_cmd_int(x, 4, &samples))
		return;
	if (samples < 0) {
		pxs_reply_syntax(x->out);
		return;
	}
	if (!pxs_db_find(x->db, x->argv[2], &rec)) {
		pxs_reply_null(x->out);
		return;
	}
	/* Between MULTI and EXEC it stands in the log: the walk is for who waits for its end. */
	if (!pxs_reply_wanted(x->out))
		return;
	bytes = PXS_DB_OVERHEAD + rec.key.len + rec.value.len;
	if (rec.type == PXS_TYPE_HASH)
		pxs_db_items(x->db, &rec, 0, add_item, &bytes);
	pxs_reply_int(x->out, (s64)bytes);
}
