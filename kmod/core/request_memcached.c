// SPDX-License-Identifier: GPL-2.0
/*
 * request_memcached.c - requests of memcached's text protocol
 *
 * A command is a line; storage commands have a block of data behind it. The keys of a get are cut
 * one by one, so its line may be of any length; every other line must be there as a whole.
 * "noreply" is taken off, and the reply dropped: a server that finds such a request wrong answers
 * all the same, and who counts replies would be off by one. Meta commands are not known. Behind a
 * command that is not known there might be data: nothing after it is understood. No state but
 * struct pxs_cutter.
 */
#include "request.h"

#define LINE_MAX	2048		/* of a command that is not a get */
#define WORDS_MAX	8
#define DATA_MAX	(1024u << 20)	/* the most a server can be told to store */

/* pxs_cutter.step */
#define STEP_START	0
#define STEP_KEYS	1		/* words of a get */

#define TOO_LONG	"CLIENT_ERROR line too long\r\n"
#define UNKNOWN		"ERROR\r\n"
#define MALFORMED	"CLIENT_ERROR bad command line format\r\n"
#define BAD_CHUNK	"CLIENT_ERROR bad data chunk\r\n"
#define UNSUPPORTED	"SERVER_ERROR not a command with a key that can be steered by request\r\n"

enum shape {
	GET,		/* keys */
	GET_AND_TOUCH,	/* time, one key */
	STORE,		/* key flags time length [noreply], data */
	CAS,		/* key flags time length unique [noreply], data */
	ONE_LINE,	/* key, some words, [noreply] */
	VERSION,
	QUIT,
	REFUSED,	/* one line that concerns all keys, or the connection */
};

struct command {
	char name[12];
	u8 shape;	/* enum shape */
	u8 min, max;	/* words behind the name, without noreply */
};

static const struct command commands[] = {
	{ "get", GET, 1, 1 }, { "gets", GET, 1, 1 }, { "set", STORE, 4, 4 }, { "add", STORE, 4, 4 },
	{ "replace", STORE, 4, 4 }, { "append", STORE, 4, 4 }, { "prepend", STORE, 4, 4 },
	{ "cas", CAS, 5, 5 }, { "delete", ONE_LINE, 1, 2 }, { "incr", ONE_LINE, 2, 2 },
	{ "decr", ONE_LINE, 2, 2 }, { "touch", ONE_LINE, 2, 2 }, { "gat", GET_AND_TOUCH, 2, 2 },
	{ "gats", GET_AND_TOUCH, 2, 2 }, { "version", VERSION, 0, 0 }, { "quit", QUIT, 0, 0 },
	{ "stats", REFUSED, 0, 0 }, { "flush_all", REFUSED, 0, 0 },
	{ "verbosity", REFUSED, 0, 0 },
};

static const struct command *find(const struct pxs_slice *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i].name) == name->len &&
		    !memcmp(commands[i].name, name->p, name->len))
			return &commands[i];
	return NULL;
}

/* Words of a line that ends with LF at its last byte. Return: how many, WORDS_MAX + 1: too many. */
static u32 words_of(const struct pxs_slice *line, struct pxs_slice *word)
{
	u32 end = line->len - 1, i = 0, n = 0;

	if (end && line->p[end - 1] == '\r')
		end--;
	for (;;) {
		while (i < end && line->p[i] == ' ')
			i++;
		if (i == end)
			return n;
		if (n == WORDS_MAX)
			return WORDS_MAX + 1;
		word[n].p = line->p + i;
		while (i < end && line->p[i] != ' ')
			i++;
		word[n].len = (u32)(line->p + i - word[n].p);
		n++;
	}
}

/* In small letters only, as memcached has it: who asks for silence otherwise is answered. */
static bool is_noreply(const struct pxs_slice *word)
{
	static const char noreply[] = "noreply";

	return word->len == sizeof(noreply) - 1 && !memcmp(word->p, noreply, word->len);
}

/* A request of one line and perhaps a block. */
static void cut_line(struct pxs_cutter *c, const struct command *cmd, struct pxs_slice line,
		     struct pxs_cut *cut)
{
	struct pxs_slice word[WORDS_MAX];
	u32 n = words_of(&line, word), length = 0;
	bool noreply = n > 1 && n <= WORDS_MAX && is_noreply(&word[n - 1]);
	bool stores = cmd->shape == STORE || cmd->shape == CAS;

	if (noreply)
		n--;
	if (n > WORDS_MAX || n - 1 < cmd->min || n - 1 > cmd->max ||
	    (stores && !pxs_word_number(&word[4], DATA_MAX, &length))) {
		/* The length of what follows is not known, unless nothing does. */
		pxs_cut_say(cut, stores ? PXS_CUT_BAD : PXS_CUT_REFUSE, stores ? 0 : line.len,
			    MALFORMED);
		return;
	}
	cut->key = word[cmd->shape == GET_AND_TOUCH ? 2 : 1];
	if (stores)
		c->bulk = (u64)length + 2;
	if (!pxs_memcached_key_ok(&cut->key)) {
		c->drop = stores;
		pxs_cut_say(cut, PXS_CUT_REFUSE, line.len, MALFORMED);
		return;
	}
	cut->what = PXS_CUT_BEGIN;
	cut->reply = cmd->shape == GET_AND_TOUCH ? PXS_REPLY_VALUES : PXS_REPLY_LINE;
	cut->use = noreply ? PXS_USE_DROP : PXS_USE_PASS;
	cut->first = true;
	cut->last = true;
	cut->take = line.len;
	cut->len = line.len;
	if (noreply) {
		cut->len = (u32)(word[n].p - line.p);
		cut->after = "\r\n";
	}
}

/* The next key of a get, which is its last if the line ends behind it. */
static void cut_keys(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	u32 from = 0, to, next;

	while (from < s.len && s.p[from] == ' ')
		from++;
	for (to = from; to < s.len; to++)
		if (s.p[to] == ' ' || s.p[to] == '\r' || s.p[to] == '\n')
			break;
	for (next = to; next < s.len && s.p[next] == ' '; next++)
		;
	if (next < s.len && s.p[next] == '\r')
		next++;
	if (to - from > PXS_KEY_BYTES_MAX || next > LINE_MAX) {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
		return;
	}
	if (next >= s.len) {
		cut->what = PXS_CUT_MORE;
		return;
	}
	if (next > to && s.p[next - 1] == '\r' && s.p[next] != '\n') {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
		return;
	}
	cut->key.p = s.p + from;
	cut->key.len = to - from;
	/* Parts of it may be under way: nothing but an end is clear to the client. */
	if (!pxs_memcached_key_ok(&cut->key)) {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, MALFORMED);
		return;
	}
	cut->last = s.p[next] == '\n';
	cut->take = cut->last ? next + 1 : next;
	cut->from = from;
	cut->len = to - from;
	if (cut->last)
		c->step = STEP_START;
	cut->what = PXS_CUT_BEGIN;
	cut->reply = PXS_REPLY_VALUES;
	cut->use = PXS_USE_VALUES;
	cut->first = c->first;
	cut->before = c->cas ? "gets " : "get ";
	cut->after = "\r\n";
	c->first = false;
}

static void cut_whole_line(struct pxs_cutter *c, const struct command *cmd, struct pxs_slice s,
			   struct pxs_cut *cut)
{
	u32 i;

	for (i = 0; i < s.len && i < LINE_MAX && s.p[i] != '\n'; i++)
		;
	if (i == LINE_MAX) {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, TOO_LONG);
		return;
	}
	if (i == s.len) {
		cut->what = PXS_CUT_MORE;
		return;
	}
	s.len = i + 1;
	switch (cmd->shape) {
	case VERSION:
		pxs_cut_say(cut, PXS_CUT_ANSWER, s.len, "VERSION paxsteer\r\n");
		break;
	case QUIT:
		pxs_cut_say(cut, PXS_CUT_QUIT, s.len, NULL);
		break;
	case REFUSED:
		pxs_cut_say(cut, PXS_CUT_REFUSE, s.len, UNSUPPORTED);
		break;
	default:
		cut_line(c, cmd, s, cut);
	}
}

static void cut_start(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	const struct command *cmd;
	struct pxs_slice name = { s.p, 0 };

	while (name.len < s.len && name.len <= sizeof(cmd->name) && s.p[name.len] != ' ' &&
	       s.p[name.len] != '\r' && s.p[name.len] != '\n')
		name.len++;
	if (name.len == s.len) {
		cut->what = PXS_CUT_MORE;
		if (name.len <= sizeof(cmd->name))
			return;
	}
	cmd = find(&name);
	if (!cmd) {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, UNKNOWN);
		return;
	}
	if (cmd->shape != GET) {
		cut_whole_line(c, cmd, s, cut);
		return;
	}
	if (s.p[name.len] != ' ') {
		cut_whole_line(c, &commands[ARRAY_SIZE(commands) - 1], s, cut);
		return;
	}
	c->step = STEP_KEYS;
	c->first = true;
	c->cas = name.len == 4;
	pxs_cut_say(cut, PXS_CUT_SKIP, name.len + 1, NULL);
}

/* Does a block that has @bulk bytes to come, of which s are the next, end as it must? */
static bool ends_well(u64 bulk, const struct pxs_slice *s)
{
	if (bulk >= 2 && s->len >= bulk - 1 && s->p[bulk - 2] != '\r')
		return false;
	return s->len < bulk || s->p[bulk - 1] == '\n';
}

/* Bytes of a block, of which the last two must be CR LF: else whoever reads it gets lost. */
static void cut_block(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	if (!ends_well(c->bulk, &s)) {
		pxs_cut_say(cut, PXS_CUT_BAD, 0, BAD_CHUNK);
		return;
	}
	cut->what = c->drop ? PXS_CUT_SKIP : PXS_CUT_BODY;
	cut->take = c->bulk < s.len ? (u32)c->bulk : s.len;
	cut->len = cut->take;
	c->bulk -= cut->take;
	c->drop = c->drop && c->bulk;
}

void pxs_cut_memcached(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut)
{
	if (c->bulk)
		cut_block(c, s, cut);
	else if (c->step == STEP_KEYS)
		cut_keys(c, s, cut);
	else
		cut_start(c, s, cut);
}
