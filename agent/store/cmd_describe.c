// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_describe.c - COMMAND INFO and COMMAND DOCS: what is told of a command
 *
 * As Redis 7.0 tells it, in its order, so that a client that knows Redis knows what to do with a
 * command of the store. A command that words follow (CLIENT LIST) is but their container there, and
 * has neither flags nor keys of its own. Of arguments nothing is told.
 */
#include "cmd_describe.h"

#include <stdio.h>

#include "about.h"

#define TEXT_MAX	160u

/* Is @word one of those in @text? NULL: no. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *p = text;

	while (p && (strncmp(p, word, len) || (p[len] != ' ' && p[len]))) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p;
}

static void add_word(char text[TEXT_MAX], const char *before, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, TEXT_MAX - len, "%s%s%s", len ? " " : "", before, word);
}

static u32 count_words(const char *text)
{
	u32 n = text && *text;

	for (; text && *text; text++)
		n += *text == ' ';
	return n;
}

static void put_words(struct pxs_reply *o, const char *text, void (*put)(struct pxs_reply *o,
									 const char *word))
{
	char copy[TEXT_MAX], *rest = copy, *word;
	u32 n = count_words(text);

	pxs_reply_set(o, n);
	if (!n)
		return;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ")))
		put(o, word);
}

void pxs_reply_words(struct pxs_reply *o, const char *text)
{
	put_words(o, text, pxs_reply_status);
}

/* --- keys ------------------------------------------------------------------------------- */

/* What a command does to its keys, in Redis's words: one line a kind, names between blanks. */
static const struct {
	const char *flags;
	const char *names;
} uses[] = {
	{ "RO", " exists hexists hlen hstrlen memory object strlen touch type watch " },
	{ "RO access", " expiretime get getrange hget hgetall hkeys hmget hrandfield hscan hvals mget pexpiretime pttl substr ttl " },
	{ "RW insert", " append hsetnx " },
	{ "RW access update", " decr decrby getex getset hincrby hincrbyfloat incr incrby incrbyfloat " },
	{ "RW update", " expire expireat hmset hset persist pexpire pexpireat setrange " },
	{ "RW access delete", " getdel rename renamenx " },
	{ "RW delete", " hdel " },
	{ "RM delete", " del unlink " },
	{ "OW update", " mset psetex set setex " },
	{ "OW insert", " msetnx setnx " },
};

const char *pxs_command_use(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv,
			    u32 i)
{
	char name[32];
	u32 k;

	if (i == 2 && cmd->run == pxs_cmd_rename)
		return "OW update";
	if (i == 2 && cmd->run == pxs_cmd_renamenx)
		return "OW insert";
	if (!argc && cmd->run == pxs_cmd_set)
		return "RW access update variable_flags";
	for (k = 3; cmd->run == pxs_cmd_set && k < argc; k++)
		if (pxs_str_is(argv[k], "GET"))
			return "RW access update";
	snprintf(name, sizeof(name), " %s ", cmd->name);
	for (k = 0; k < ARRAY_SIZE(uses) && !strstr(uses[k].names, name); k++)
		;
	pxs_assert(k < ARRAY_SIZE(uses));
	return uses[k].flags;
}

/* --- what is known of it ----------------------------------------------------------------- */

struct counting {
	struct pxs_reply *o;
	void (*tell)(const struct pxs_told *t, struct pxs_reply *o);
	u32 n;
};

static void see(void *ctx, const char *name)
{
	struct counting *c = ctx;
	struct pxs_told t;

	c->n++;
	if (c->o && pxs_told_find(&t, pxs_str(name)))
		c->tell(&t, c->o);
}

static u32 count_subs(const struct pxs_told *t)
{
	struct counting c = { 0 };

	if (!t->word)
		pxs_cmd_subs(t->cmd, see, &c);
	return c.n;
}

static void tell_subs(const struct pxs_told *t, struct pxs_reply *o,
		      void (*tell)(const struct pxs_told *t, struct pxs_reply *o))
{
	struct counting c = { .o = o, .tell = tell };

	if (!t->word)
		pxs_cmd_subs(t->cmd, see, &c);
}

/* It is nothing without a word behind it. */
static bool is_container(const struct pxs_told *t)
{
	return t->cmd->arity == -2 && count_subs(t);
}

bool pxs_told_find(struct pxs_told *t, struct pxs_str name)
{
	const u8 *bar = name.len ? memchr(name.data, '|', name.len) : NULL;

	*t = (struct pxs_told){ .about = pxs_about(name), .word = bar };
	if (bar)
		name.len = (u32)(bar - name.data);
	t->cmd = pxs_cmd_find(name);
	return t->cmd && t->about;
}

static bool has_flag(const struct pxs_told *t, const char *word)
{
	static const struct {
		const char *word;
		u32 flag;
	} flags[] = {
		{ "write", PXS_CF_WRITE }, { "readonly", PXS_CF_READ },
		{ "denyoom", PXS_CF_GROWS }, { "loading", PXS_CF_STALE },
		{ "stale", PXS_CF_STALE }, { "fast", PXS_CF_FAST }, { "no_auth", PXS_CF_NOAUTH },
	};
	u32 i;

	if (is_container(t))
		return false;
	for (i = 0; !t->word && i < ARRAY_SIZE(flags); i++)
		if (!strcmp(word, flags[i].word) && t->cmd->flags & flags[i].flag)
			return true;
	return has_word(t->about->flags, word);
}

static bool is_of(const struct pxs_told *t, const char *category)
{
	if (!strcmp(category, "read"))
		return has_flag(t, "readonly");
	if (!strcmp(category, "write") || !strcmp(category, "fast"))
		return has_flag(t, category);
	if (!strcmp(category, "slow"))
		return !has_flag(t, "fast");
	return has_word(t->about->categories, category);
}

static const char *const categories[] = {
	"keyspace", "read", "write", "string", "hash", "admin", "fast", "slow", "dangerous",
	"connection", "transaction", "scripting",
};

bool pxs_told_is_of(const struct pxs_told *t, struct pxs_str category)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(categories); i++)
		if (pxs_str_is(category, categories[i]))
			return is_of(t, categories[i]);
	return false;
}

/* --- INFO -------------------------------------------------------------------------------- */

static void tell_flags(const struct pxs_told *t, struct pxs_reply *o)
{
	static const char *const words[] = {
		"write", "readonly", "denyoom", "admin", "noscript", "loading", "stale",
		"skip_slowlog", "fast", "no_auth", "no_async_loading", "no_multi", "allow_busy",
	};
	char text[TEXT_MAX] = "";
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (has_flag(t, words[i]))
			add_word(text, "", words[i]);
	pxs_reply_words(o, text);
}

static void tell_categories(const struct pxs_told *t, struct pxs_reply *o)
{
	char text[TEXT_MAX] = "";
	u32 i;

	for (i = 0; i < ARRAY_SIZE(categories); i++)
		if (is_of(t, categories[i]))
			add_word(text, "@", categories[i]);
	pxs_reply_words(o, text);
}

static void pair(struct pxs_reply *o, const char *name, s64 n)
{
	pxs_reply_text(o, name);
	pxs_reply_int(o, n);
}

/* One of the two that say where keys are; so many pairs follow. */
static void begin_search(struct pxs_reply *o, const char *name, const char *type, u32 pairs)
{
	pxs_reply_text(o, name);
	pxs_reply_map(o, 2);
	pxs_reply_text(o, "type");
	pxs_reply_text(o, type);
	pxs_reply_text(o, "spec");
	pxs_reply_map(o, pairs);
}

/* Keys from argument @i on, of which it does the same to all. */
static void tell_spec(const struct pxs_told *t, struct pxs_reply *o, u32 i, int last)
{
	const char *use = t->word ? "RO" : pxs_command_use(t->cmd, 0, NULL, i);

	pxs_reply_map(o, 3 + !!t->about->notes);
	if (t->about->notes) {
		pxs_reply_text(o, "notes");
		pxs_reply_text(o, t->about->notes);
	}
	pxs_reply_text(o, "flags");
	pxs_reply_words(o, use);
	begin_search(o, "begin_search", "index", 1);
	pair(o, "index", i);
	begin_search(o, "find_keys", "range", 3);
	pair(o, "lastkey", last);
	pair(o, "keystep", t->cmd->step);
	pair(o, "limit", 0);
}

/* What follows a command has the command's keys, or none. */
static bool has_keys(const struct pxs_told *t)
{
	return t->cmd->first && (t->word ? has_flag(t, "readonly") : !is_container(t));
}

static void tell_keys(const struct pxs_told *t, struct pxs_reply *o)
{
	bool two = has_keys(t) && t->cmd->last > t->cmd->first;

	pxs_reply_set(o, has_keys(t) + two);
	if (!has_keys(t))
		return;
	tell_spec(t, o, (u32)t->cmd->first, min(t->cmd->last, 0));
	if (two)
		tell_spec(t, o, (u32)t->cmd->last, 0);
}

void pxs_told_info(const struct pxs_told *t, struct pxs_reply *o)
{
	bool keys = has_keys(t);

	pxs_reply_array(o, 10);
	pxs_reply_text(o, t->about->name);
	pxs_reply_int(o, t->word ? t->about->arity : t->cmd->arity);
	tell_flags(t, o);
	pxs_reply_int(o, keys ? t->cmd->first : 0);
	pxs_reply_int(o, keys ? t->cmd->last : 0);
	pxs_reply_int(o, keys ? t->cmd->step : 0);
	tell_categories(t, o);
	put_words(o, t->about->tips, pxs_reply_text);
	tell_keys(t, o);
	pxs_reply_set(o, count_subs(t));
	tell_subs(t, o, pxs_told_info);
}

/* --- DOCS -------------------------------------------------------------------------------- */

static void tell_text(struct pxs_reply *o, const char *name, const char *text)
{
	pxs_reply_text(o, name);
	pxs_reply_text(o, text);
}

void pxs_told_docs(const struct pxs_told *t, struct pxs_reply *o)
{
	const struct pxs_about *a = t->about;
	u32 subs = count_subs(t);

	pxs_reply_text(o, a->name);
	pxs_reply_map(o, 2 + !!a->since + !!subs);
	tell_text(o, "summary", a->summary);
	if (a->since)
		tell_text(o, "since", a->since);
	tell_text(o, "group", a->group);
	if (!subs)
		return;
	pxs_reply_text(o, "subcommands");
	pxs_reply_map(o, subs);
	tell_subs(t, o, pxs_told_docs);
}
