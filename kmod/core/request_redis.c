// SPDX-License-Identifier: GPL-2.0
/*
 * request_redis.c - requests of RESP: arrays of bulk strings, and inline commands
 *
 * An array's head is parsed from its start whenever it is asked for, until it is there as a whole;
 * what follows the last key streams, argument by argument. An inline command is one line, passed
 * on as it is; in it are no quotes, which redis would take off. No state but struct pxs_cutter.
 */
#include "request.h"

#define ARGS_MAX	(1024 * 1024)	/* redis' own limits */
#define BULK_MAX	(512u << 20)
#define COMMAND_MAX	32		/* longer than any name */

/* pxs_cutter.step */
#define STEP_START	0
#define STEP_PARTS	1		/* keys of a command that is split */

#define TOO_LONG	"-ERR Protocol error: paxsteer: too long before its last key\r\n"
#define MALFORMED	"-ERR Protocol error: paxsteer: not a request\r\n"
#define UNSUPPORTED	"-ERR paxsteer: not a command with a key that can be steered by request\r\n"
#define WRONG_NUMBER	"-ERR paxsteer: wrong number of arguments, or of keys\r\n"
#define NO_DATABASE	"-ERR DB index is out of range\r\n"
#define INLINE_SPLIT	"-ERR paxsteer: no inline command of several keys\r\n"
#define INLINE_QUOTED	"-ERR paxsteer: no quotes and control characters in inline commands\r\n"

enum outcome {
	FOUND,
	MORE,
	BAD,
};

/* A walk over the arguments of one request, from offset at on. */
struct walk {
	struct pxs_slice s;
	u32 at;
	u32 left;	/* arguments from there on */
	bool is_inline;
};

/* @mark, a number of no sign and no leading zero, and CR LF. */
static enum outcome take_number(struct pxs_slice s, u32 *at, u8 mark, u32 max, u32 *n)
{
	u32 i = *at + 1, digits;
	u64 value = 0;

	if (*at >= s.len)
		return MORE;
	if (s.p[*at] != mark)
		return BAD;
	for (digits = 0; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++) {
		value = value * 10 + (s.p[i] - '0');
		if (value > max || (digits && s.p[*at + 1] == '0'))
			return BAD;
	}
	if (i < s.len && (!digits || s.p[i] != '\r'))
		return BAD;
	if (i + 1 < s.len && s.p[i + 1] != '\n')
		return BAD;
	if (i + 1 >= s.len)
		return MORE;
	*n = (u32)value;
	*at = i + 2;
	return FOUND;
}

static bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

/* In an inline command everything is there: its line was found, and its end is in s. */
static enum outcome inline_arg(struct walk *w, struct pxs_slice *arg)
{
	u32 i = w->at;

	while (i < w->s.len && is_blank(w->s.p[i]))
		i++;
	arg->p = w->s.p + i;
	arg->len = i;
	while (i < w->s.len && !is_blank(w->s.p[i]) && w->s.p[i] != '\r' && w->s.p[i] != '\n')
		i++;
	arg->len = i - arg->len;
	w->at = i;
	w->left--;
	return FOUND;
}

static enum outcome walk_arg(struct walk *w, struct pxs_slice *arg)
{
	u32 at = w->at, n;
	enum outcome out;

	if (!w->left)
		return BAD;
	if (w->is_inline)
		return inline_arg(w, arg);
	out = take_number(w->s, &at, '$', BULK_MAX, &n);
	if (out != FOUND)
		return out;
	if (w->s.len - at < n || w->s.len - at - n < 2)
		return MORE;
	arg->p = w->s.p + at;
	arg->len = n;
	if (arg->p[n] != '\r' || arg->p[n + 1] != '\n')
		return BAD;
	w->at = at + n + 2;
	w->left--;
	return FOUND;
}

static enum outcome walk_past(struct walk *w, u32 n)
{
	struct pxs_slice arg;
	enum outcome out = FOUND;

	while (n-- && out == FOUND)
		out = walk_arg(w, &arg);
	return out;
}

/*
 * Keys of a request: the first one, then @n more, every @step'th argument from the walk's place on,
 * which is behind the first. Ends behind the last.
 */
static enum outcome take_keys(struct walk *w, u32 n, u32 step, struct pxs_cut *cut)
{
	enum outcome out;

	if ((u64)n * step > w->left)
		return BAD;
	cut->keys = n;
	cut->keys_at = w->at;
	cut->keys_step = (u8)step;
	cut->is_inline = w->is_inline;
	out = walk_past(w, n * step);
	return out;
}

bool pxs_cut_key(struct pxs_cut *cut, const u8 *p, struct pxs_slice *key)
{
	struct walk w = {
		.s = { p, cut->take },
		.at = cut->keys_at,
		.left = cut->keys_step,
		.is_inline = cut->is_inline,
	};

	if (!cut->keys)
		return false;
	if (walk_past(&w, cut->keys_step - 1u) != FOUND || walk_arg(&w, key) != FOUND)
		return false;
	cut->keys--;
	cut->keys_at = w.at;
	return true;
}

/* How many keys, and then they. @dest: a key stands in front of the number. */
static enum outcome counted_keys(struct walk *w, u32 before, bool dest, struct pxs_cut *cut)
{
	struct pxs_slice arg = {};
	enum outcome out = FOUND;
	u32 n;

	while (before-- && out == FOUND)
		out = walk_arg(w, dest ? &cut->key : &arg);
	if (out == FOUND)
		out = walk_arg(w, &arg);
	if (out != FOUND)
		return out;
	if (!pxs_word_number(&arg, w->left, &n) || !n)
		return BAD;
	if (dest)
		return take_keys(w, n, 1, cut);
	out = walk_arg(w, &cut->key);
	return out == FOUND ? take_keys(w, n - 1, 1, cut) : out;
}

static enum outcome stream_keys(struct walk *w, struct pxs_cut *cut)
{
	struct pxs_slice arg;
	enum outcome out;
	u32 n;

	do {
		if (!w->left)
			return BAD;
		out = walk_arg(w, &arg);
		/* The names of a group and of a consumer may be any words. */
		if (out == FOUND && pxs_same_word(&arg, "group"))
			out = w->left < 2 ? BAD : walk_past(w, 2);
		if (out != FOUND)
			return out;
	} while (!pxs_same_word(&arg, "streams"));
	if (!w->left || w->left % 2)
		return BAD;
	n = w->left / 2;
	out = walk_arg(w, &cut->key);
	return out == FOUND ? take_keys(w, n - 1, 1, cut) : out;
}

/* @skip arguments, the first key, @more keys, every @step'th. */
static enum outcome plain_keys(struct walk *w, u32 skip, u32 more, u32 step, struct pxs_cut *cut)
{
	enum outcome out;

	if ((u64)skip + 1 + (u64)more * step > w->left)
		return BAD;
	out = walk_past(w, skip);
	if (out == FOUND)
		out = walk_arg(w, &cut->key);
	return out == FOUND ? take_keys(w, more, step, cut) : out;
}

/* Where the keys are, w behind the command's name. BAD: there are not as many as there should. */
static enum outcome find_keys(u8 shape, struct walk *w, struct pxs_cut *cut)
{
	u32 n = w->left;

	if (!n)
		return BAD;
	switch (shape) {
	case PXS_COMMAND_TWO:
		return plain_keys(w, 0, 1, 1, cut);
	case PXS_COMMAND_ALL:
		return plain_keys(w, 0, n - 1, 1, cut);
	case PXS_COMMAND_BUT_LAST:
		return n < 2 ? BAD : plain_keys(w, 0, n - 2, 1, cut);
	case PXS_COMMAND_PAIRS:
		return n % 2 ? BAD : plain_keys(w, 0, n / 2 - 1, 2, cut);
	case PXS_COMMAND_FROM_2:
		return n < 2 ? BAD : plain_keys(w, 1, n - 2, 1, cut);
	case PXS_COMMAND_SECOND:
		return plain_keys(w, 1, 0, 1, cut);
	case PXS_COMMAND_COUNT_1:
		return counted_keys(w, 0, false, cut);
	case PXS_COMMAND_COUNT_2:
		return counted_keys(w, 1, false, cut);
	case PXS_COMMAND_STORE:
		return counted_keys(w, 1, true, cut);
	case PXS_COMMAND_STREAMS:
		return stream_keys(w, cut);
	default:
		return plain_keys(w, 0, 0, 1, cut);
	}
}

/*
 * Arguments and their bytes from offset at on, as far as they go. Return: the offset behind them;
 * *bad: what stands there is no argument.
 */
static u32 stream_body(struct pxs_cutter *c, struct pxs_slice s, u32 at, bool *bad)
{
	u32 n;

	*bad = false;
	for (;;) {
		n = (u32)min(c->bulk, (u64)(s.len - at));
		c->bulk -= n;
		at += n;
		if (c->bulk || !c->left)
			return at;
		switch (take_number(s, &at, '$', BULK_MAX, &n)) {
		case BAD:
			*bad = true;
			return at;
		case MORE:
			return at;
		case FOUND:
			break;
		}
		c->left--;
		c->bulk = (u64)n + 2;
	}
}

/* What is left of a request, after its head. */
static void cut_body(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	bool bad;

	cut->what = c->drop ? PXS_CUT_SKIP : PXS_CUT_BODY;
	cut->take = stream_body(c, s, 0, &bad);
	cut->len = cut->take;
	c->drop = c->drop && (c->bulk || c->left);
	if (cut->take)
		return;
	if (bad)
		pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
	else
		cut->what = PXS_CUT_MORE;
}

/* The head up to the walk's place is what is answered here; the rest of the request is dropped. */
static void answer(struct pxs_cutter *c, const struct walk *w, u8 what, const char *text,
		   struct pxs_cut *cut)
{
	memset(cut, 0, sizeof(*cut));
	pxs_cut_say(cut, what, w->at, text);
	if (w->is_inline) {
		cut->take = w->s.len;
		return;
	}
	c->left = w->left;
	c->drop = c->left;
}

/* What needs no backend, w behind the command's name. */
static bool answered_here(struct pxs_cutter *c, u8 shape, struct walk *w, struct pxs_cut *cut)
{
	struct pxs_slice arg;

	switch (shape) {
	case PXS_COMMAND_PING:
		if (w->left)
			return false;
		answer(c, w, PXS_CUT_ANSWER, "+PONG\r\n", cut);
		return true;
	case PXS_COMMAND_QUIT:
		answer(c, w, PXS_CUT_QUIT, "+OK\r\n", cut);
		return true;
	case PXS_COMMAND_COMMAND:
		answer(c, w, PXS_CUT_ANSWER, "*0\r\n", cut);
		return true;
	case PXS_COMMAND_SELECT:
		if (w->left != 1)
			return false;
		switch (walk_arg(w, &arg)) {
		case MORE:
			pxs_cut_more(&w->s, cut, TOO_LONG);
			return true;
		case BAD:
			pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
			return true;
		case FOUND:
			break;
		}
		if (arg.len == 1 && arg.p[0] == '0')
			answer(c, w, PXS_CUT_ANSWER, "+OK\r\n", cut);
		else
			answer(c, w, PXS_CUT_REFUSE, NO_DATABASE, cut);
		return true;
	default:
		return false;
	}
}

static bool is_split(const struct pxs_command *cmd)
{
	return cmd->part;
}

static u32 part_args(u8 shape)
{
	return shape == PXS_COMMAND_MSET ? 2 : 1;
}

static u8 use_of(u8 shape)
{
	if (shape == PXS_COMMAND_MGET)
		return PXS_USE_ELEMENT;
	return shape == PXS_COMMAND_SUM ? PXS_USE_SUM : PXS_USE_OK;
}

/* Several keys, each of which has an owner: its parts come by themselves from now on. */
static void split_begin(struct pxs_cutter *c, int command, struct walk *w, struct pxs_cut *cut)
{
	u32 each = part_args(pxs_command_at((u32)command)->shape);

	if (w->is_inline) {
		answer(c, w, PXS_CUT_REFUSE, INLINE_SPLIT, cut);
		return;
	}
	if (w->left % each) {
		answer(c, w, PXS_CUT_REFUSE, WRONG_NUMBER, cut);
		return;
	}
	c->step = STEP_PARTS;
	c->command = (u8)command;
	c->parts = w->left / each;
	c->all = c->parts;
	c->first = true;
	pxs_cut_say(cut, PXS_CUT_SKIP, w->at, NULL);
}

static void split_part(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	const struct pxs_command *cmd = pxs_command_at(c->command);
	struct walk w = { .s = s, .left = 1 };
	bool bad;

	switch (walk_arg(&w, &cut->key)) {
	case MORE:
		pxs_cut_more(&s, cut, TOO_LONG);
		return;
	case BAD:
		pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
		return;
	case FOUND:
		break;
	}
	cut->what = PXS_CUT_BEGIN;
	cut->use = use_of(cmd->shape);
	cut->first = c->first;
	cut->last = c->parts == 1;
	cut->parts = c->all;
	cut->before = cmd->part;
	c->first = false;
	if (!--c->parts)
		c->step = STEP_START;
	c->left = part_args(cmd->shape) - 1;
	cut->take = stream_body(c, s, w.at, &bad);
	cut->len = cut->take;
}

/* The command's name was found, and w is behind it. */
static void cut_command(struct pxs_cutter *c, const struct pxs_slice *name, struct walk *w,
			struct pxs_cut *cut)
{
	int i = name->len > COMMAND_MAX ? -1 : pxs_command_find(name);
	const struct pxs_command *cmd = i < 0 ? NULL : pxs_command_at((u32)i);
	struct walk start = *w;
	bool bad;

	if (!cmd) {
		answer(c, w, PXS_CUT_REFUSE, UNSUPPORTED, cut);
		return;
	}
	if (cmd->shape >= PXS_COMMAND_PING) {
		if (!answered_here(c, cmd->shape, w, cut))
			answer(c, w, PXS_CUT_REFUSE, UNSUPPORTED, cut);
		return;
	}
	if (is_split(cmd) && w->left > part_args(cmd->shape)) {
		split_begin(c, i, w, cut);
		return;
	}
	switch (find_keys(cmd->shape, w, cut)) {
	case MORE:
		pxs_cut_more(&w->s, cut, TOO_LONG);
		return;
	case BAD:
		answer(c, &start, PXS_CUT_REFUSE, WRONG_NUMBER, cut);
		return;
	case FOUND:
		break;
	}
	cut->what = PXS_CUT_BEGIN;
	cut->first = true;
	cut->last = true;
	cut->take = w->s.len;
	if (!w->is_inline) {
		c->left = w->left;
		cut->take = stream_body(c, w->s, w->at, &bad);
	}
	cut->len = cut->take;
}

static void cut_array(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	struct walk w = { .s = s };
	struct pxs_slice name;
	enum outcome out;

	out = take_number(s, &w.at, '*', ARGS_MAX, &w.left);
	if (out == FOUND && !w.left) {
		pxs_cut_say(cut, PXS_CUT_SKIP, w.at, NULL);
		return;
	}
	if (out == FOUND)
		out = walk_arg(&w, &name);
	if (out == BAD)
		pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
	else if (out == MORE)
		pxs_cut_more(&s, cut, TOO_LONG);
	else
		cut_command(c, &name, &w, cut);
}

/* Words of a line; 0 when redis might see others than we do. */
static u32 count_words(const struct pxs_slice *line, u32 *words)
{
	bool in = false;
	u32 i;

	*words = 0;
	for (i = 0; i < line->len; i++) {
		u8 b = line->p[i];

		if (b == '\n' || (b == '\r' && i + 2 == line->len))
			break;
		if ((b < ' ' && b != '\t') || b > '~' || b == '"' || b == '\'')
			return 0;
		*words += !in && !is_blank(b);
		in = !is_blank(b);
	}
	return 1;
}

static void cut_inline(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	struct walk w = { .is_inline = true };
	struct pxs_slice name;
	u32 i;

	for (i = 0; i < s.len && s.p[i] != '\n'; i++)
		;
	if (i == s.len) {
		pxs_cut_more(&s, cut, TOO_LONG);
		return;
	}
	s.len = i + 1;
	w.s = s;
	if (!count_words(&s, &w.left)) {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, INLINE_QUOTED);
		return;
	}
	if (!w.left) {
		pxs_cut_say(cut, PXS_CUT_SKIP, s.len, NULL);
		return;
	}
	walk_arg(&w, &name);
	cut_command(c, &name, &w, cut);
}

void pxs_cut_redis(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	struct pxs_slice head = s;

	if (c->bulk || c->left) {
		cut_body(c, s, cut);
		return;
	}
	if (head.len > PXS_REQUEST_HEAD_MAX)
		head.len = PXS_REQUEST_HEAD_MAX;
	if (c->step == STEP_PARTS) {
		split_part(c, head, cut);
		return;
	}
	if (s.p[0] == '*')
		cut_array(c, head, cut);
	else
		cut_inline(c, head, cut);
}
