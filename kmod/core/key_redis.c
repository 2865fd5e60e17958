// SPDX-License-Identifier: GPL-2.0
/*
 * key_redis.c - the first key of a Redis request
 *
 * RESP arrays of bulk strings, and inline commands without quotes. Where the key stands
 * follows from the command; one that is not listed has it first, as most have. Of the key
 * only its hash tag counts, as in a Redis cluster. See key_parse.h for the rules that all
 * parsers keep. No state; any context.
 */
#include "key_parse.h"

#define RESP_ARGS_MAX	0x100000	/* Redis' own limit of a request */
#define RESP_DIGITS_MAX	9

#define AT_NOWHERE	0	/* a command without a key */
#define AT_STREAMS	0xff	/* behind the word STREAMS */

struct redis_command {
	char name[12];
	u8 at;		/* argument that is the first key; the command itself is 0 */
};

/* Those whose first argument is not their first key. */
static const struct redis_command redis_commands[] = {
	{ "acl", AT_NOWHERE }, { "asking", AT_NOWHERE }, { "auth", AT_NOWHERE },
	{ "bgsave", AT_NOWHERE }, { "bitop", 2 }, { "blmpop", 3 }, { "bzmpop", 3 },
	{ "client", AT_NOWHERE }, { "cluster", AT_NOWHERE }, { "command", AT_NOWHERE },
	{ "config", AT_NOWHERE }, { "dbsize", AT_NOWHERE }, { "debug", AT_NOWHERE },
	{ "discard", AT_NOWHERE }, { "echo", AT_NOWHERE }, { "eval", 3 }, { "eval_ro", 3 },
	{ "evalsha", 3 }, { "evalsha_ro", 3 }, { "exec", AT_NOWHERE }, { "fcall", 3 },
	{ "fcall_ro", 3 }, { "flushall", AT_NOWHERE }, { "flushdb", AT_NOWHERE },
	{ "function", AT_NOWHERE }, { "hello", AT_NOWHERE }, { "info", AT_NOWHERE },
	{ "keys", AT_NOWHERE }, { "latency", AT_NOWHERE }, { "lmpop", 2 },
	{ "lolwut", AT_NOWHERE }, { "memory", 2 }, { "migrate", 3 },
	{ "monitor", AT_NOWHERE }, { "multi", AT_NOWHERE }, { "object", 2 },
	{ "ping", AT_NOWHERE }, { "psubscribe", AT_NOWHERE }, { "publish", AT_NOWHERE },
	{ "pubsub", AT_NOWHERE }, { "punsubscribe", AT_NOWHERE }, { "quit", AT_NOWHERE },
	{ "randomkey", AT_NOWHERE }, { "readonly", AT_NOWHERE }, { "readwrite", AT_NOWHERE },
	{ "reset", AT_NOWHERE }, { "role", AT_NOWHERE }, { "save", AT_NOWHERE },
	{ "scan", AT_NOWHERE }, { "script", AT_NOWHERE }, { "select", AT_NOWHERE },
	{ "shutdown", AT_NOWHERE }, { "sintercard", 2 }, { "slowlog", AT_NOWHERE },
	{ "subscribe", AT_NOWHERE }, { "swapdb", AT_NOWHERE }, { "time", AT_NOWHERE },
	{ "unsubscribe", AT_NOWHERE }, { "unwatch", AT_NOWHERE }, { "wait", AT_NOWHERE },
	{ "xgroup", 2 }, { "xinfo", 2 }, { "xread", AT_STREAMS }, { "xreadgroup", AT_STREAMS },
	{ "zdiff", 2 }, { "zinter", 2 }, { "zintercard", 2 }, { "zmpop", 2 }, { "zunion", 2 },
};

struct resp {
	struct pxs_slice rest;
	u32 left;	/* arguments that an array promises; an inline command ends with its line */
	bool is_inline;
};

static bool take_line_end(struct pxs_slice *s)
{
	if (s->len < 2 || s->p[0] != '\r' || s->p[1] != '\n')
		return false;
	s->p += 2;
	s->len -= 2;
	return true;
}

/* @mark, a number and the end of the line. */
static bool take_number(struct pxs_slice *s, u8 mark, u32 *n)
{
	u32 i;

	if (!s->len || s->p[0] != mark)
		return false;
	*n = 0;
	for (i = 1; i < s->len && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		if (i > RESP_DIGITS_MAX)
			return false;
		*n = *n * 10 + (s->p[i] - '0');
	}
	if (i == 1)
		return false;
	s->p += i;
	s->len -= i;
	return take_line_end(s);
}

static bool resp_arg(struct resp *r, struct pxs_slice *arg)
{
	u32 n;

	if (r->is_inline)
		return pxs_next_word(&r->rest, arg);
	if (!r->left || !take_number(&r->rest, '$', &n) || n > r->rest.len)
		return false;
	r->left--;
	arg->p = r->rest.p;
	arg->len = n;
	r->rest.p += n;
	r->rest.len -= n;
	return take_line_end(&r->rest);
}

static u8 key_at(const struct pxs_slice *command)
{
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(redis_commands); i++) {
		const struct redis_command *c = &redis_commands[i];

		for (j = 0; j < command->len && j < sizeof(c->name); j++)
			if (pxs_fold(command->p[j]) != (u8)c->name[j])
				break;
		if (j == command->len && (j == sizeof(c->name) || !c->name[j]))
			return c->at;
	}
	return 1;
}

struct pxs_slice pxs_key_tag(struct pxs_slice key)
{
	u32 open, close;

	for (open = 0; open < key.len && key.p[open] != '{'; open++)
		;
	for (close = open + 1; close < key.len && key.p[close] != '}'; close++)
		;
	if (close >= key.len || close == open + 1)
		return key;
	key.p += open + 1;
	key.len = close - open - 1;
	return key;
}

bool pxs_key_redis(struct pxs_slice s, struct pxs_slice *key)
{
	struct resp r = { .rest = s };
	struct pxs_slice arg;
	u32 at;

	if (!s.len)
		return false;
	if (s.p[0] == '*') {
		if (!take_number(&r.rest, '*', &r.left) || r.left > RESP_ARGS_MAX)
			return false;
	} else {
		/* Everything else of RESP begins with a mark; a command begins with a letter. */
		if (pxs_fold(s.p[0]) < 'a' || pxs_fold(s.p[0]) > 'z')
			return false;
		r.is_inline = true;
	}
	if (!resp_arg(&r, &arg))
		return false;
	at = key_at(&arg);
	if (at == AT_NOWHERE)
		return false;
	if (at == AT_STREAMS) {
		do {
			if (!resp_arg(&r, &arg))
				return false;
			/* The names of a group and of a consumer may be any words. */
			if (pxs_same_word(&arg, "group") &&
			    (!resp_arg(&r, &arg) || !resp_arg(&r, &arg) || !resp_arg(&r, &arg)))
				return false;
		} while (!pxs_same_word(&arg, "streams"));
		at = 1;
	}
	do {
		if (!resp_arg(&r, &arg))
			return false;
	} while (--at);
	if (!arg.len)
		return false;
	*key = pxs_key_tag(arg);
	return true;
}
