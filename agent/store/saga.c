// SPDX-License-Identifier: GPL-2.0
/*
 * saga.c - flexible transactions: what a saga is, and how far it is
 */
#include "saga.h"

/* --- words ---------------------------------------------------------------------- */

static const struct pxs_saga_check checks[] = {
	{ "EXISTS", PXS_TEST_EXISTS, 1, false, false },
	{ "MISSING", PXS_TEST_MISSING, 1, false, false },
	{ "EQUALS", PXS_TEST_EQUALS, 2, false, false },
	{ "MIN", PXS_TEST_MIN, 2, false, true },
	{ "MAX", PXS_TEST_MAX, 2, false, true },
	{ "TYPE", PXS_TEST_TYPE, 2, false, false },
	{ "HEXISTS", PXS_TEST_HEXISTS, 2, true, false },
	{ "HMISSING", PXS_TEST_HMISSING, 2, true, false },
	{ "HEQUALS", PXS_TEST_HEQUALS, 3, true, false },
	{ "HMIN", PXS_TEST_HMIN, 3, true, true },
	{ "HMAX", PXS_TEST_HMAX, 3, true, true },
};

static bool is_type(struct pxs_str s)
{
	return pxs_str_is(s, "none") || pxs_str_is(s, "string") || pxs_str_is(s, "hash");
}

static const char *take_check(u32 argc, const struct pxs_str *argv, u32 *at,
			      struct pxs_saga_part *p)
{
	const struct pxs_saga_check *c = NULL;
	s64 number;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(checks) && *at + 1 < argc; i++)
		if (pxs_str_is(argv[*at + 1], checks[i].word))
			c = &checks[i];
	if (!c)
		return "CHECK needs EXISTS, MISSING, EQUALS, MIN, MAX, TYPE, HEXISTS, HMISSING, HEQUALS, HMIN or HMAX";
	if (argc - *at - 2 < c->words)
		return "CHECK needs a key, and what is to be compared";
	p->check = c;
	p->argc = c->words;
	p->argv = &argv[*at + 2];
	*at += 2 + c->words;
	if (c->number && !pxs_str_int(p->argv[p->argc - 1], &number))
		return "CHECK MIN and MAX compare with an integer";
	if (c->test == PXS_TEST_TYPE && !is_type(p->argv[1]))
		return "CHECK TYPE is none, string or hash";
	return NULL;
}

/*
 * Only what writes, and says where: what reads has no use here, and what takes everything away
 * cannot be undone.
 */
static const char *take_command(u32 argc, const struct pxs_str *argv, u32 *at,
				struct pxs_saga_part *p)
{
	s64 n;

	if (argc - *at < 2 || !pxs_str_int(argv[*at + 1], &n) || n <= 0)
		return "DO and UNDO need a number of words, and then a command of so many";
	if (n > (s64)(argc - *at - 2))
		return "there are fewer words than DO or UNDO says";
	p->argc = (u32)n;
	p->argv = &argv[*at + 2];
	p->cmd = pxs_cmd_find(p->argv[0]);
	*at += 2 + p->argc;
	if (!p->cmd)
		return "unknown command";
	if (!pxs_cmd_arity_ok(p->cmd, p->argc))
		return "wrong number of arguments for the command";
	if (!(p->cmd->flags & PXS_CF_WRITE) || !p->cmd->run || p->cmd->first <= 0)
		return "the command is not one that writes to keys";
	return NULL;
}

static const char *take_word(u32 argc, const struct pxs_str *argv, u32 *at,
			     struct pxs_saga_part *p, const char *wrong)
{
	if (argc - *at < 2)
		return wrong;
	p->argc = 1;
	p->argv = &argv[*at + 1];
	*at += 2;
	return NULL;
}

const char *pxs_saga_part(u32 argc, const struct pxs_str *argv, u32 *at, struct pxs_saga_part *p)
{
	struct pxs_str word = argv[*at];

	*p = (struct pxs_saga_part){ .kind = PXS_PART_WAIT };
	if (pxs_str_is(word, "WAIT")) {
		++*at;
		return NULL;
	}
	if (pxs_str_is(word, "STEP")) {
		p->kind = PXS_PART_STEP;
		return take_word(argc, argv, at, p, "STEP needs a name");
	}
	if (pxs_str_is(word, "TIMEOUT")) {
		p->kind = PXS_PART_TIMEOUT;
		return take_word(argc, argv, at, p, "TIMEOUT needs milliseconds");
	}
	if (pxs_str_is(word, "CHECK")) {
		p->kind = PXS_PART_CHECK;
		return take_check(argc, argv, at, p);
	}
	if (!pxs_str_is(word, "DO") && !pxs_str_is(word, "UNDO"))
		return "is not STEP, CHECK, DO, UNDO, WAIT or TIMEOUT";
	p->kind = pxs_str_is(word, "DO") ? PXS_PART_DO : PXS_PART_UNDO;
	return take_command(argc, argv, at, p);
}

static const char *set_timeout(struct pxs_saga_def *def, const struct pxs_saga_part *p)
{
	s64 ms;

	if (def->nsteps)
		return "TIMEOUT stands in front of the steps";
	if (def->timeout)
		return "TIMEOUT is given twice";
	if (!pxs_str_int(p->argv[0], &ms) || ms <= 0 || ms > (s64)PXS_SAGA_TIMEOUT_MAX)
		return "TIMEOUT is 1 to 31536000000 milliseconds";
	def->timeout = (u64)ms;
	return NULL;
}

static const char *add_step(struct pxs_saga_def *def, struct pxs_str name, u32 from)
{
	u32 i;

	if (!name.len || name.len > PXS_SAGA_NAME_MAX)
		return "a step's name has 1 to 64 bytes";
	if (def->nsteps == PXS_SAGA_STEPS_MAX)
		return "a saga has 64 steps at most";
	for (i = 0; i < def->nsteps; i++)
		if (pxs_str_equal(def->step[i].name, name))
			return "two steps have the same name";
	def->step[def->nsteps++] = (struct pxs_saga_step){ .name = name, .from = from };
	return NULL;
}

/* Does the last step do something? */
static const char *end_step(struct pxs_saga_def *def, u32 to, bool does)
{
	if (!def->nsteps)
		return NULL;
	def->step[def->nsteps - 1].to = to;
	return does ? NULL : "the step before has neither DO nor WAIT";
}

const char *pxs_saga_parse(u32 argc, const struct pxs_str *argv, struct pxs_saga_def *def, u32 *at)
{
	const char *wrong = NULL;
	struct pxs_saga_part p;
	bool does = false;
	u32 next = 0;

	memset(def, 0, sizeof(*def));
	for (*at = 0; *at < argc && !wrong; *at = wrong ? *at : next) {
		wrong = pxs_saga_part(argc, argv, &next, &p);
		if (wrong)
			break;
		if (p.kind == PXS_PART_STEP) {
			wrong = end_step(def, *at, does);
			if (!wrong)
				wrong = add_step(def, p.argv[0], next);
			does = false;
		} else if (p.kind == PXS_PART_TIMEOUT) {
			wrong = set_timeout(def, &p);
		} else if (!def->nsteps) {
			wrong = "stands in front of the first STEP";
		} else if (p.kind == PXS_PART_WAIT) {
			def->step[def->nsteps - 1].wait = true;
			does = true;
		} else if (p.kind == PXS_PART_DO) {
			does = true;
		}
	}
	if (wrong)
		return wrong;
	return def->nsteps ? end_step(def, argc, does) : "there is no STEP";
}

/* --- how far it is ---------------------------------------------------------------- */

void pxs_saga_begin(struct pxs_saga *g, u64 number, const struct pxs_saga_def *def, u64 keep,
		    u64 now)
{
	memset(g, 0, sizeof(*g));
	g->number = number;
	g->state = PXS_SAGA_RUNNING;
	g->steps = def->nsteps;
	g->begun = now;
	/* Times that no clock says do not wrap. */
	g->deadline = def->timeout ? min(now, PXS_SAGA_NEVER / 2) + def->timeout : 0;
	g->due = now;
	g->keep = min(keep, PXS_SAGA_KEEP_MAX);
}

bool pxs_saga_expired(const struct pxs_saga *g, u64 now)
{
	return pxs_saga_forward(g) && g->deadline && now > g->deadline;
}

enum pxs_saga_act pxs_saga_next(const struct pxs_saga *g, u64 position, u64 now)
{
	if (g->position != position)
		return PXS_ACT_NOTHING;
	if (pxs_saga_expired(g, now))
		return PXS_ACT_EXPIRE;
	if (g->state == PXS_SAGA_RUNNING)
		return PXS_ACT_DO;
	/* A proposer's clock may be ahead of the log's, but not by an entry of its own. */
	return g->state == PXS_SAGA_UNDOING && now >= g->due ? PXS_ACT_UNDO : PXS_ACT_NOTHING;
}

static void end(struct pxs_saga *g, enum pxs_saga_state state, u64 now)
{
	g->state = state;
	g->ended = now;
	g->due = PXS_SAGA_NEVER;
}

void pxs_saga_did(struct pxs_saga *g, bool wait, u64 now)
{
	g->position++;
	if (wait) {
		g->state = PXS_SAGA_WAITING;
		g->due = g->deadline ? g->deadline + 1 : PXS_SAGA_NEVER;
		return;
	}
	g->state = PXS_SAGA_RUNNING;
	g->due = now;
	if (++g->step == g->steps)
		end(g, PXS_SAGA_DONE, now);
}

void pxs_saga_turn(struct pxs_saga *g, u64 now)
{
	bool begun = g->state == PXS_SAGA_WAITING;

	g->position++;
	g->tries = 0;
	if (!begun && !g->step) {
		end(g, PXS_SAGA_UNDONE, now);
		return;
	}
	g->state = PXS_SAGA_UNDOING;
	g->step -= !begun;
	g->due = now;
}

void pxs_saga_undid(struct pxs_saga *g, u64 now)
{
	g->position++;
	g->tries = 0;
	g->state = PXS_SAGA_UNDOING;
	g->due = now;
	if (!g->step)
		end(g, PXS_SAGA_UNDONE, now);
	else
		g->step--;
}

void pxs_saga_undo_failed(struct pxs_saga *g, u64 now)
{
	g->position++;
	g->due = now + (PXS_SAGA_PAUSE_MS << g->tries);
	if (++g->tries < PXS_SAGA_TRIES)
		return;
	g->state = PXS_SAGA_STUCK;
	g->due = PXS_SAGA_NEVER;
}

void pxs_saga_retry(struct pxs_saga *g, u64 now)
{
	g->position++;
	g->state = PXS_SAGA_UNDOING;
	g->tries = 0;
	g->due = now;
}

const char *pxs_saga_state_word(u8 state)
{
	static const char *const words[] = {
		"", "running", "waiting", "undoing", "stuck", "done", "undone",
	};

	return state < ARRAY_SIZE(words) ? words[state] : "";
}
