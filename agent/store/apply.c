// SPDX-License-Identifier: GPL-2.0
/*
 * apply.c - one value of the log, applied to the store
 */
#include "apply.h"

#include <inttypes.h>

#include "cmd_saga.h"
#include "condition.h"
#include "cross_run.h"
#include "db_session.h"
#include "part.h"
#include "saga_run.h"

/*
 * The arguments of the command at hand. An argument in an entry is 4 bytes at least: that many are
 * enough for any that is one value; more have their room for one entry. Static, as the loop is one
 * thread.
 */
#define ARGS_KEPT	(PXS_VALUE_MAX / 4)

static struct pxs_str args_kept[ARGS_KEPT];
static struct pxs_str *args = args_kept;

/* Room for the arguments of an entry of @len bytes. */
static bool make_args(struct pxs_db *db, u32 len)
{
	struct pxs_str *more;

	if (len / 4 <= ARGS_KEPT)
		return true;
	more = malloc(len / 4 * sizeof(*more));
	if (!more) {
		db->err = -ENOMEM;
		return false;
	}
	args = more;
	return true;
}

static void free_args(void)
{
	if (args != args_kept)
		free(args);
	args = args_kept;
}

void pxs_apply_command(struct pxs_db *db, u32 argc, const struct pxs_str *argv,
		       struct pxs_reply *out)
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

	for (i = 0; i < argc; i++)
		args[i] = pxs_store_entry_arg(w);
	return argc;
}

static bool watched_changed(struct pxs_db *db, const struct pxs_store_entry *e,
			    struct pxs_entry_walk *w)
{
	struct pxs_watch watch;
	bool any = false;
	u32 i;

	for (i = 0; i < e->nwatches; i++) {
		pxs_store_entry_watch(w, &watch);
		any |= pxs_watch_changed(db, &watch);
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
		pxs_apply_command(db, argc, args, out);
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

/*
 * The keys are shared among these groups from now on, once and for all. What was written before
 * may be another group's, so there must be nothing; then the store stands still (set.c).
 */
static void take_map(struct pxs_db *db, const struct pxs_store_entry *e, struct pxs_entry_walk *w)
{
	u32 argc = get_command(w);
	s64 id, before = 0;
	u32 i;

	if (db->state.map.n || db->state.keys || pxs_session_count(db) || pxs_db_saga_count(db))
		return;
	for (i = 0; i < argc && argc > 1 && argc <= PXS_SHARDS_MAX; i++, before = id) {
		if (!pxs_str_int(args[i], &id) || id <= before || id > INT32_MAX)
			break;
		db->state.map.group[i] = (u32)id;
	}
	if (i && i == argc) {
		db->state.map.n = argc;
		db->state.map.digest = e->client;
	} else {
		db->state.foreign++;
	}
}

static void apply_entry(struct pxs_db *db, const struct pxs_store_entry *e,
			struct pxs_entry_walk *w, struct pxs_reply *out)
{
	db->state.time = max(db->state.time, e->time);
	db->now = db->state.time;
	db->flush_notes = e->version >= PXS_STORE_FLUSH_VERSION;
	if (e->kind == PXS_STORE_SESSION)
		pxs_reply_int(out, (s64)pxs_session_open(db, e->client, e->seq));
	else if (e->kind == PXS_STORE_SAGA)
		run_saga(db, e, w, out);
	else if (e->kind == PXS_STORE_SAGA_STEP)
		pxs_saga_step(db, e);
	else if (e->kind == PXS_STORE_MAP)
		take_map(db, e, w);
	else if (e->kind >= PXS_STORE_TX)
		pxs_cross_apply(db, e, w, out);
	else if (pxs_cross_in_the_way(db, e, *w))
		pxs_cross_say_locked(out);
	else if (e->once)
		run_once(db, e, w, out);
	else if (e->kind != PXS_STORE_BARRIER)
		run_all(db, e, w, out);
	pxs_session_reap(db, PXS_SESSION_REAP);
	pxs_db_saga_reap(db, PXS_SAGA_REAP);
	pxs_db_reap(db, e->kind == PXS_STORE_BARRIER ? PXS_BARRIER_REAP : PXS_APPLY_REAP);
}

static void apply_whole(struct pxs_db *db, const struct pxs_store_entry *part,
			const u8 *whole, u32 len, struct pxs_reply *out)
{
	struct pxs_entry_walk w;
	struct pxs_store_entry e;

	/*
	 * A program that knows the part's version must know all of the whole. A saga has the room
	 * of one value in the database.
	 */
	if (pxs_store_entry_get(whole, len, &e, &w) || e.version > part->version ||
	    e.kind == PXS_STORE_PART || e.kind == PXS_STORE_SAGA) {
		db->state.foreign++;
		pxs_reply_error(out, "ERR not an entry");
		return;
	}
	if (make_args(db, len))
		apply_entry(db, &e, &w, out);
	free_args();
}

static void apply_part(struct pxs_db *db, const struct pxs_store_entry *e,
		       const struct pxs_entry_walk *w, struct pxs_reply *out)
{
	struct pxs_str bytes = { w->data + w->pos, w->len - w->pos };
	u32 len;
	u8 *whole;

	switch (pxs_part_add(db, e, bytes)) {
	case PXS_PART_MORE:
		break;
	case PXS_PART_LOST:
		if (e->part + 1 == e->parts)
			pxs_reply_error(out, "TRYAGAIN a part of the command did not get into the log: nothing was executed");
		break;
	case PXS_PART_WHOLE:
		whole = pxs_part_take(db, &len);
		if (whole)
			apply_whole(db, e, whole, len, out);
		free(whole);
		break;
	}
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
	if (!noop && !err && e.kind == PXS_STORE_PART) {
		apply_part(db, &e, &w, out);
		return db->err;
	}
	pxs_part_abandon(db);
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
