// SPDX-License-Identifier: GPL-2.0
/*
 * apply.c - one value of the log, applied to the store
 */
#include "apply.h"

#include <inttypes.h>

#include "cmd_saga.h"
#include "db_session.h"
#include "saga_run.h"

/*
 * An argument in an entry is 4 bytes at least, so these are enough for any; they are static, as
 * the loop is one thread.
 */
#define ARGS_MAX	(PXS_VALUE_MAX / 4)

static struct pxs_str args[ARGS_MAX];

static void run(struct pxs_db *db, u32 argc, const struct pxs_str *argv, struct pxs_reply *out)
{
	const struct pxs_command *cmd = pxs_cmd_find(argv[0]);
	struct pxs_run x = {
		.db = db, .out = out, .cmd = cmd, .argc = argc, .argv = argv, .now = db->now,
	};

	/* The proposer has checked both; an entry by hand may be anything. */
	if (!cmd)
		pxs_cmd_unknown(out, argc, argv);
	else if (!pxs_cmd_arity_ok(cmd, argc))
		pxs_reply_arity(out, cmd->name);
	else if (!cmd->run)
		pxs_reply_error(out, "ERR Command not allowed inside a transaction");
	else
		cmd->run(&x);
}

static u32 get_command(struct pxs_entry_walk *w)
{
	u32 argc = pxs_store_entry_command(w);
	u32 i;

	pxs_assert(argc <= ARGS_MAX);
	for (i = 0; i < argc; i++)
		args[i] = pxs_store_entry_arg(w);
	return argc;
}

static bool changed(struct pxs_db *db, const struct pxs_watch *watch)
{
	struct pxs_rec rec;

	if (pxs_db_find(db, watch->key, &rec))
		return watch->version != rec.version;
	if (watch->version & PXS_WATCH_ABSENT)
		return pxs_db_gone(db, watch->key) > (watch->version & ~PXS_WATCH_ABSENT);
	return watch->version;
}

static bool watched_changed(struct pxs_db *db, const struct pxs_store_entry *e,
			    struct pxs_entry_walk *w)
{
	struct pxs_watch watch;
	bool any = false;
	u32 i;

	for (i = 0; i < e->nwatches; i++) {
		pxs_store_entry_watch(w, &watch);
		any |= changed(db, &watch);
	}
	return any;
}

/* Does any of them add something? */
static bool grows(const struct pxs_store_entry *e, struct pxs_entry_walk w)
{
	const struct pxs_command *cmd;
	u32 i;

	for (i = 0; i < e->ncommands; i++) {
		get_command(&w);
		cmd = pxs_cmd_find(args[0]);
		if (cmd && cmd->flags & PXS_CF_GROWS)
			return true;
	}
	return false;
}

static void out_of_memory(const struct pxs_store_entry *e, struct pxs_reply *out)
{
	static const char words[] = "OOM command not allowed when used memory > 'maxmemory'.";

	if (e->kind == PXS_STORE_EXEC)
		pxs_reply_error(out, "EXECABORT Transaction discarded because of: %s", words);
	else
		pxs_reply_error(out, "%s", words);
}

static void run_all(struct pxs_db *db, const struct pxs_store_entry *e,
		    struct pxs_entry_walk *w, struct pxs_reply *out)
{
	u32 i, argc;

	if (watched_changed(db, e, w)) {
		pxs_reply_null_array(out);
		return;
	}
	if (pxs_store_full(db, e) && grows(e, *w)) {
		out_of_memory(e, out);
		return;
	}
	if (e->kind == PXS_STORE_EXEC)
		pxs_reply_array(out, e->ncommands);
	for (i = 0; i < e->ncommands && !db->err; i++) {
		argc = get_command(w);
		run(db, argc, args, out);
	}
}

/* --- exactly once ------------------------------------------------------------- */

/*
 * The answer as it is kept: RESP3, made on every member alike, whether somebody waits or not. Its
 * first PXS_ANSWER_MAX bytes have their room, so that memory decides nothing that is state.
 */
static struct pxs_reply once;

static bool prepare(struct pxs_db *db, const struct pxs_reply *out)
{
	if (!once.buf)
		once.buf = malloc(PXS_ANSWER_MAX);
	if (!once.buf) {
		db->err = -ENOMEM;
		return false;
	}
	once.room = max(once.room, PXS_ANSWER_MAX);
	once.len = 0;
	once.failed = false;
	once.proto = 3;
	once.limit = out->quiet ? PXS_ANSWER_MAX : max(out->limit, PXS_ANSWER_MAX);
	return true;
}

static void give(struct pxs_reply *out, bool exec)
{
	if (once.failed)
		out->failed |= !out->quiet;
	else
		pxs_reply_again(out, (struct pxs_str){ once.buf, once.len }, exec);
	if (once.room == PXS_ANSWER_MAX)
		return;
	pxs_reply_free(&once);
}

static void run_first(struct pxs_db *db, const struct pxs_store_entry *e,
		      struct pxs_entry_walk *w, struct pxs_session *s, u64 command,
		      struct pxs_reply *out)
{
	struct pxs_answer a = { .command = command, .exec = e->kind == PXS_STORE_EXEC };

	if (!prepare(db, out))
		return;
	run_all(db, e, w, &once);
	a.large = once.failed || once.len > PXS_ANSWER_MAX;
	if (!a.large)
		a.text = (struct pxs_str){ once.buf, once.len };
	pxs_session_keep(db, s, e->seq, &a);
	give(out, a.exec);
}

static void run_again(const struct pxs_store_entry *e, const struct pxs_answer *a, u64 command,
		      struct pxs_reply *out)
{
	if (a->command != command)
		pxs_reply_error(out, "REUSED number %" PRIu64 " of session %" PRIu64 " was used for another command, and nothing was executed",
				e->seq, e->client);
	else if (a->large)
		pxs_reply_error(out, "NOANSWER number %" PRIu64 " of session %" PRIu64 " was executed; its answer was too large to be kept",
				e->seq, e->client);
	else
		pxs_reply_again(out, a->text, a->exec);
}

/* What is asked, without the watches: they may be gone with the connection. */
static u64 command_hash(const struct pxs_db *db, const struct pxs_store_entry *e,
			struct pxs_entry_walk w)
{
	struct pxs_watch watch;
	u32 i;

	for (i = 0; i < e->nwatches; i++)
		pxs_store_entry_watch(&w, &watch);
	return pxs_siphash(&db->seed, w.data + w.pos, w.len - w.pos) ^ e->kind;
}

static void run_once(struct pxs_db *db, const struct pxs_store_entry *e,
		     struct pxs_entry_walk *w, struct pxs_reply *out)
{
	u64 command = command_hash(db, e, *w);
	struct pxs_session s;
	struct pxs_answer a;

	if (!pxs_session_find(db, e->client, &s)) {
		pxs_reply_error(out, "NOSESSION session %" PRIu64 " is not there: it has ended, or never began; nothing was executed",
				e->client);
		return;
	}
	pxs_session_touch(db, &s);
	if (pxs_session_too_old(&s, e->seq))
		pxs_reply_error(out, "TOOOLD number %" PRIu64 " of session %" PRIu64 " is not remembered: %" PRIu64 " was used; nothing was executed now",
				e->seq, e->client, s.highest);
	else if (pxs_session_answer(db, &s, e->seq, &a))
		run_again(e, &a, command, out);
	else if (!db->err)
		run_first(db, e, w, &s, command, out);
}

static void run_saga(struct pxs_db *db, const struct pxs_store_entry *e,
		     struct pxs_entry_walk *w, struct pxs_reply *out)
{
	u32 argc = get_command(w);

	pxs_saga_command(db, e, argc, args, out);
}

static void apply_entry(struct pxs_db *db, const struct pxs_store_entry *e,
			struct pxs_entry_walk *w, struct pxs_reply *out)
{
	db->state.time = max(db->state.time, e->time);
	db->now = db->state.time;
	if (e->kind == PXS_STORE_SESSION)
		pxs_reply_int(out, (s64)pxs_session_open(db, e->client, e->seq));
	else if (e->kind == PXS_STORE_SAGA)
		run_saga(db, e, w, out);
	else if (e->kind == PXS_STORE_SAGA_STEP)
		pxs_saga_step(db, e);
	else if (e->once)
		run_once(db, e, w, out);
	else if (e->kind != PXS_STORE_BARRIER)
		run_all(db, e, w, out);
	pxs_session_reap(db, PXS_SESSION_REAP);
	pxs_db_saga_reap(db, PXS_SAGA_REAP);
	pxs_db_reap(db, e->kind == PXS_STORE_BARRIER ? PXS_BARRIER_REAP : PXS_APPLY_REAP);
}

int pxs_apply(struct pxs_db *db, u64 slot, const void *value, u32 len, bool noop,
	      struct pxs_reply *out)
{
	struct pxs_entry_walk w;
	struct pxs_store_entry e;
	int err = 0;

	pxs_assert(db->writing && slot == db->state.applied + 1);
	if (!noop)
		err = pxs_store_entry_get(value, len, &e, &w);
	if (err == -EPROTO)
		return err;
	db->slot = slot;
	db->draws = 0;
	db->dirty = true;
	db->state.applied = slot;
	if (err)
		db->state.foreign++;
	else if (!noop)
		apply_entry(db, &e, &w, out);
	return db->err;
}

void pxs_apply_read(struct pxs_db *db, const struct pxs_command *cmd, u32 argc,
		    const struct pxs_str *argv, u64 now, struct pxs_reply *out)
{
	struct pxs_run x = {
		.db = db, .out = out, .cmd = cmd, .argc = argc, .argv = argv, .now = now,
	};

	pxs_assert(!(cmd->flags & PXS_CF_WRITE));
	cmd->run(&x);
}
