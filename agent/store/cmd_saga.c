// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_saga.c - PAXSTEER SAGA: commands about sagas
 *
 * The words stand in argv[0..]: PAXSTEER SAGA WORD ID ... What changes a saga is run when its
 * entry is applied, on every member alike.
 */
#include "cmd_saga.h"

#include <inttypes.h>
#include <stdio.h>

#include "saga_run.h"

#define ID	3u		/* argv's place */
#define REST	4u
#define LIST_COUNT	100
#define LIST_COUNT_MAX	1000

/* --- BEGIN -------------------------------------------------------------------------------- */

/* A command while it is applied. */
struct order {
	struct pxs_db *db;
	const struct pxs_store_entry *e;
	u32 argc;
	const struct pxs_str *argv;
	struct pxs_reply *out;
};

static void begin_again(struct order *o, const struct pxs_saga *g)
{
	const struct pxs_str *argv;
	u32 i, argc = pxs_db_saga_words(o->db, g, &argv);
	bool same = argc == o->argc - REST;

	for (i = 0; i < argc && same; i++)
		same = pxs_str_equal(argv[i], o->argv[REST + i]);
	if (same)
		pxs_reply_int(o->out, (s64)g->number);
	else
		pxs_reply_error(o->out, "REUSED this id is that of another saga, which is %s; nothing was begun",
				pxs_saga_state_word(g->state));
}

static bool may_begin(struct order *o, struct pxs_saga_def *def)
{
	u32 len = o->argv[ID].len, at;
	const char *wrong;

	if (!len || len > PXS_SAGA_ID_MAX) {
		pxs_reply_error(o->out, "ERR a saga's id has 1 to %u bytes", PXS_SAGA_ID_MAX);
		return false;
	}
	wrong = pxs_saga_parse(o->argc - REST, o->argv + REST, def, &at);
	if (wrong && at == o->argc - REST)
		pxs_reply_error(o->out, "ERR saga: %s", wrong);
	else if (wrong)
		pxs_reply_error(o->out, "ERR saga: at '%.*s', word %u: %s",
				(int)min(o->argv[REST + at].len, 64u),
				(const char *)o->argv[REST + at].data, REST + at + 1, wrong);
	else if (!o->e->client)
		pxs_reply_error(o->out, "ERR there are no sagas here: sagas = 0");
	else if (pxs_store_full(o->db, o->e))
		pxs_reply_error(o->out, "OOM command not allowed when used memory > 'maxmemory'.");
	else
		return true;
	return false;
}

static void begin(struct order *o)
{
	static struct pxs_saga_def def;
	struct pxs_saga g;

	if (pxs_db_saga_find(o->db, o->argv[ID], &g)) {
		begin_again(o, &g);
		return;
	}
	if (!may_begin(o, &def))
		return;
	pxs_db_saga_forget_old(o->db, o->argv[ID]);
	if (!pxs_db_saga_room(o->db, o->e->client)) {
		pxs_reply_error(o->out, "TOOMANY as many sagas as there may be (%" PRIu64 ") are not over yet; nothing was begun",
				o->e->client);
		return;
	}
	pxs_saga_begin(&g, o->db->slot, &def, o->e->seq, o->db->now);
	g.id = o->argv[ID];
	pxs_db_saga_add(o->db, &g, o->argc - REST, o->argv + REST);
	pxs_reply_int(o->out, (s64)g.number);
}

static u64 step_writes(const struct pxs_saga_step *s, const struct pxs_str *argv,
		       enum pxs_saga_part_kind kind)
{
	struct pxs_saga_part p;
	u32 at = s->from;
	u64 sum = 0;

	while (at < s->to && !pxs_saga_part(s->to, argv, &at, &p))
		if (p.kind == kind)
			sum += pxs_cmd_writes(p.cmd, p.argc, p.argv, PXS_STRING_MAX);
	return sum;
}

bool pxs_saga_too_large(u32 argc, const struct pxs_str *argv, struct pxs_reply *out)
{
	static struct pxs_saga_def def;
	u64 most = 0;
	u32 i, at;

	/* What is wrong with it is said where it is applied. */
	if (argc <= REST || !pxs_str_is(argv[2], "begin") ||
	    pxs_saga_parse(argc - REST, argv + REST, &def, &at))
		return false;
	for (i = 0; i < def.nsteps; i++) {
		most = max(most, step_writes(&def.step[i], argv + REST, PXS_PART_DO));
		most = max(most, step_writes(&def.step[i], argv + REST, PXS_PART_UNDO));
	}
	if (most <= PXS_TX_WRITES_MAX)
		return false;
	pxs_reply_error(out, "ERR saga: APPEND, EXPIRE, RENAME and SETRANGE of a step could write more than %u bytes",
			PXS_TX_WRITES_MAX);
	return true;
}

/* --- what is said of a saga that there is ---------------------------------------------------- */

static bool find(struct pxs_db *db, struct pxs_str id, struct pxs_saga *g, struct pxs_reply *out)
{
	if (pxs_db_saga_find(db, id, g))
		return true;
	pxs_reply_error(out, "NOSAGA there is no saga of this id: it never began, or is forgotten");
	return false;
}

static void in_state(struct order *o, const struct pxs_saga *g)
{
	const char *word = pxs_saga_forward(g) || g->state == PXS_SAGA_DONE ? "ERR" : "TURNED";

	pxs_reply_error(o->out, "%s the saga is %s", word, pxs_saga_state_word(g->state));
}

/* If its deadline has passed, that is what counts, whoever has not said so yet. */
static void expire(struct order *o, struct pxs_saga *g)
{
	if (!pxs_saga_expired(g, o->db->now))
		return;
	pxs_saga_turn_around(o->db, g, PXS_EVENT_EXPIRED, pxs_str("the deadline has passed"));
}

static void abort_it(struct order *o, struct pxs_saga *g)
{
	if (pxs_saga_forward(g)) {
		pxs_saga_turn_around(o->db, g, PXS_EVENT_ABORTED,
				     o->argc > REST ? o->argv[REST] : pxs_str("aborted"));
		pxs_reply_int(o->out, 1);
	} else if (g->state == PXS_SAGA_DONE) {
		in_state(o, g);
	} else {
		pxs_reply_int(o->out, 0);
	}
}

/* Which step argv[REST] names. Return: steps: none, and said so. */
static u32 step_of(struct order *o, const struct pxs_saga *g, struct pxs_saga_def *def)
{
	u32 at, i, argc;
	const struct pxs_str *argv;

	argc = pxs_db_saga_words(o->db, g, &argv);
	if (!o->db->err && pxs_saga_parse(argc, argv, def, &at))
		o->db->err = -EUCLEAN;
	for (i = 0; i < def->nsteps; i++)
		if (pxs_str_equal(def->step[i].name, o->argv[REST]))
			return i;
	pxs_reply_error(o->out, "ERR the saga has no step of this name");
	return g->steps;
}

static void outside(struct order *o, struct pxs_saga *g, bool done)
{
	static const struct pxs_str nothing;
	static struct pxs_saga_def def;
	u32 step = step_of(o, g, &def);

	if (step == g->steps)
		return;
	if (!def.step[step].wait) {
		pxs_reply_error(o->out, "ERR this step does not wait");
	} else if (!pxs_saga_forward(g) && g->state != PXS_SAGA_DONE) {
		/* Who says FAIL has what he wants; who says DONE must know that it is undone. */
		if (done)
			in_state(o, g);
		else
			pxs_reply_int(o->out, 0);
	} else if (step < g->step) {
		if (done)
			pxs_reply_int(o->out, 0);
		else
			pxs_reply_error(o->out, "ERR this step is done already");
	} else if (g->state != PXS_SAGA_WAITING || step != g->step) {
		pxs_reply_error(o->out, "ERR the saga has not come to this step yet");
	} else if (done) {
		pxs_saga_did(g, false, o->db->now);
		pxs_db_saga_put(o->db, g, PXS_EVENT_DID, step, nothing);
		pxs_reply_int(o->out, 1);
	} else {
		pxs_saga_turn_around(o->db, g, PXS_EVENT_FAILED,
				     o->argc > REST + 1 ? o->argv[REST + 1] : pxs_str("failed outside"));
		pxs_reply_int(o->out, 1);
	}
}

static void done(struct order *o, struct pxs_saga *g)
{
	outside(o, g, true);
}

static void fail(struct order *o, struct pxs_saga *g)
{
	outside(o, g, false);
}

static void retry(struct order *o, struct pxs_saga *g)
{
	static const struct pxs_str nothing;

	if (g->state != PXS_SAGA_STUCK) {
		in_state(o, g);
		return;
	}
	pxs_saga_retry(g, o->db->now);
	pxs_db_saga_put(o->db, g, PXS_EVENT_RETRIED, g->step, nothing);
	pxs_reply_int(o->out, 1);
}

static void skip(struct order *o, struct pxs_saga *g)
{
	static const struct pxs_str nothing;
	static struct pxs_saga_def def;
	u32 step;

	if (g->state != PXS_SAGA_STUCK) {
		in_state(o, g);
		return;
	}
	step = step_of(o, g, &def);
	if (step == g->steps)
		return;
	if (step != g->step) {
		pxs_reply_error(o->out, "ERR the saga is stuck at another step");
		return;
	}
	g->skipped++;
	pxs_saga_undid(g, o->db->now);
	pxs_db_saga_put(o->db, g, PXS_EVENT_SKIPPED, step, nothing);
	pxs_reply_int(o->out, 1);
}

/* --- answers ---------------------------------------------------------------------------- */

static void pair_int(struct pxs_reply *o, const char *name, u64 n)
{
	pxs_reply_text(o, name);
	pxs_reply_int(o, (s64)n);
}

static u64 steps_done(const struct pxs_saga *g)
{
	if (g->state == PXS_SAGA_UNDONE)
		return 0;
	return g->state == PXS_SAGA_UNDOING || g->state == PXS_SAGA_STUCK ? g->step + 1 : g->step;
}

static void status(struct pxs_run *x)
{
	static struct pxs_saga_def def;
	struct pxs_reply *o = x->out;
	const struct pxs_str *argv;
	struct pxs_saga g;

	if (!find(x->db, x->argv[ID], &g, o))
		return;
	pxs_reply_map(o, 12);
	pxs_reply_text(o, "state");
	pxs_reply_text(o, pxs_saga_state_word(g.state));
	pxs_reply_text(o, "step");
	if (pxs_saga_over(&g) || !pxs_saga_load(x->db, &g, &def, &argv))
		pxs_reply_null(o);
	else
		pxs_reply_str(o, def.step[g.step].name);
	pair_int(o, "steps", g.steps);
	pair_int(o, "steps-done", steps_done(&g));
	pair_int(o, "skipped", g.skipped);
	pair_int(o, "tries", g.tries);
	pxs_reply_text(o, "reason");
	pxs_reply_str(o, pxs_saga_words(&g.reason));
	pxs_reply_text(o, "trouble");
	pxs_reply_str(o, pxs_saga_words(&g.trouble));
	pair_int(o, "slot", g.number);
	pair_int(o, "begun", g.begun);
	pair_int(o, "deadline", g.deadline);
	pair_int(o, "ended", g.ended);
}

struct history {
	struct pxs_reply *out;
	const struct pxs_saga_def *def;
	u32 n;
};

static bool see_note(void *ctx, const struct pxs_saga_note *n)
{
	static const char *const words[] = {
		"", "begun", "did", "waits", "failed", "aborted", "expired", "undid", "not undone",
		"retried", "skipped",
	};
	struct history *h = ctx;
	bool named = n->event != PXS_EVENT_BEGUN && n->step < h->def->nsteps;

	pxs_reply_array(h->out, 5);
	pxs_reply_int(h->out, (s64)n->slot);
	pxs_reply_int(h->out, (s64)n->time);
	pxs_reply_text(h->out, n->event < ARRAY_SIZE(words) ? words[n->event] : "");
	if (named)
		pxs_reply_str(h->out, h->def->step[n->step].name);
	else
		pxs_reply_null(h->out);
	pxs_reply_str(h->out, n->text);
	h->n++;
	return !h->out->failed;
}

static void history(struct pxs_run *x)
{
	static struct pxs_saga_def def;
	struct history h = { .out = x->out, .def = &def };
	u32 start = x->out->len, mid, at, argc;
	const struct pxs_str *argv;
	struct pxs_saga g;

	if (!find(x->db, x->argv[ID], &g, x->out))
		return;
	argc = pxs_db_saga_words(x->db, &g, &argv);
	pxs_saga_parse(argc, argv, &def, &at);
	pxs_db_saga_history(x->db, g.number, see_note, &h);
	mid = x->out->len;
	pxs_reply_array(x->out, h.n);
	pxs_reply_front(x->out, start, mid);
}

static bool is_state(struct pxs_str s)
{
	u8 i;

	for (i = PXS_SAGA_RUNNING; i <= PXS_SAGA_UNDONE; i++)
		if (pxs_str_is(s, pxs_saga_state_word(i)))
			return true;
	return false;
}

static bool list_options(struct pxs_run *x, struct pxs_str *state, s64 *count)
{
	u32 i;

	for (i = REST; i + 1 < x->argc; i += 2) {
		if (pxs_str_is(x->argv[i], "COUNT")) {
			if (!pxs_cmd_int(x, i + 1, count))
				return false;
			if (*count >= 1 && *count <= LIST_COUNT_MAX)
				continue;
		} else if (pxs_str_is(x->argv[i], "STATE") && is_state(x->argv[i + 1])) {
			*state = x->argv[i + 1];
			continue;
		}
		break;
	}
	if (i >= x->argc)
		return true;
	pxs_reply_syntax(x->out);
	return false;
}

static void list(struct pxs_run *x)
{
	struct pxs_str state = { NULL, 0 };
	u32 n = 0, start = x->out->len, mid;
	s64 count = LIST_COUNT;
	char text[24];
	struct pxs_saga g;
	u64 cursor = 0;

	if (x->argc > ID && !pxs_cmd_cursor(x, x->argv[ID], &cursor))
		return;
	if (x->argc > REST && !list_options(x, &state, &count))
		return;
	for (g.number = 0; count-- && pxs_db_saga_from(x->db, cursor, &g); cursor = g.number + 1) {
		if (state.data && !pxs_str_is(state, pxs_saga_state_word(g.state)))
			continue;
		pxs_reply_array(x->out, 2);
		pxs_reply_str(x->out, g.id);
		pxs_reply_text(x->out, pxs_saga_state_word(g.state));
		n++;
	}
	mid = x->out->len;
	sprintf(text, "%" PRIu64, count < 0 && pxs_db_saga_from(x->db, cursor, &g) ? cursor : 0);
	pxs_reply_array(x->out, 2);
	pxs_reply_text(x->out, text);
	pxs_reply_array(x->out, n);
	pxs_reply_front(x->out, start, mid);
}

/* --- which command ------------------------------------------------------------------------- */

#define NAME(word)	"paxsteer|saga|" word
#define WRITES(word, arity) \
	{ NAME(word), arity, PXS_CF_WRITE | PXS_CF_SAGA, 0, 0, 0, NULL, PXS_LOCAL_NONE }
#define READS(word, arity, run) \
	{ NAME(word), arity, PXS_CF_READ | PXS_CF_SAGA, 0, 0, 0, run, PXS_LOCAL_NONE }

static const struct {
	const char *word;
	void (*say)(struct order *o, struct pxs_saga *g);
	struct pxs_command cmd;
} commands[] = {
	{ "begin", NULL, WRITES("begin", -7) },
	{ "abort", abort_it, WRITES("abort", -4) },
	{ "done", done, WRITES("done", 5) },
	{ "fail", fail, WRITES("fail", -5) },
	{ "retry", retry, WRITES("retry", 4) },
	{ "skip", skip, WRITES("skip", 5) },
	{ "status", NULL, READS("status", 4, status) },
	{ "history", NULL, READS("history", 4, history) },
	{ "list", NULL, READS("list", -3, list) },
};

static int index_of(u32 argc, const struct pxs_str *argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands) && argc > 2; i++)
		if (pxs_str_is(argv[2], commands[i].word))
			return (int)i;
	return -1;
}

const struct pxs_command *pxs_saga_find(u32 argc, const struct pxs_str *argv)
{
	int i = index_of(argc, argv);

	return i < 0 ? NULL : &commands[i].cmd;
}

void pxs_saga_command(struct pxs_db *db, const struct pxs_store_entry *e, u32 argc,
		      const struct pxs_str *argv, struct pxs_reply *out)
{
	struct order o = { .db = db, .e = e, .argc = argc, .argv = argv, .out = out };
	int i = index_of(argc, argv);
	struct pxs_saga g;

	/* The proposer has checked both; an entry by hand may be anything. */
	if (i < 0 || !(commands[i].cmd.flags & PXS_CF_WRITE)) {
		pxs_reply_error(out, "ERR unknown subcommand");
	} else if (!pxs_cmd_arity_ok(&commands[i].cmd, argc)) {
		pxs_reply_arity(out, commands[i].cmd.name);
	} else if (!commands[i].say) {
		begin(&o);
	} else if (find(db, argv[ID], &g, out)) {
		expire(&o, &g);
		commands[i].say(&o, &g);
	}
}
