// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_config.c - CONFIG: what clients may know of the configuration, and the little they may set
 *
 * What the store is configured with stands in paxsteerd's configuration file, and is only shown.
 * What Redis may be told of how it keeps data in memory means nothing here, as LMDB holds them; but
 * programs that set it, Redis's own tests among them, shall not fail for that: it is taken,
 * checked, remembered until paxsteerd ends, and of no effect.
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

/* In the order of enum pxs_hint. */
static const struct {
	const char *name;
	const char *old;	/* before Redis 7.0; NULL: none */
	s64 most;
	bool bytes;	/* not a number of something else */
} hints[PXS_HINTS] = {
	{ "hash-max-listpack-entries", "hash-max-ziplist-entries", INT64_MAX, false },
	{ "hash-max-listpack-value", "hash-max-ziplist-value", INT64_MAX, true },
	{ "list-max-listpack-size", "list-max-ziplist-size", INT32_MAX, false },
	{ "set-max-intset-entries", NULL, INT64_MAX, false },
	{ "zset-max-listpack-entries", "zset-max-ziplist-entries", INT64_MAX, false },
	{ "zset-max-listpack-value", "zset-max-ziplist-value", INT64_MAX, true },
};

/* As Redis has them at first. */
static const s64 hint_defaults[PXS_HINTS] = { 512, 64, -2, 512, 128, 64 };

#define SETTINGS_MAX	24u

struct setting {
	const char *name;
	char value[PXS_PREFIXES_TEXT];
};

static u32 show_hint(struct setting *to, const char *name, const struct pxs_store *s, u32 i)
{
	if (!name)
		return 0;
	to->name = name;
	sprintf(to->value, "%" PRId64, s->hinted ? s->hint[i] : hint_defaults[i]);
	return 1;
}

static u32 settings(const struct pxs_store *s, struct setting *to)
{
	u32 i, n = 0;

	to[n++] = (struct setting){ "appendonly", "yes" };
	to[n++] = (struct setting){ "appendfsync", "always" };
	to[n++] = (struct setting){ "daemonize", "no" };
	to[n++] = (struct setting){ "databases", "1" };
	to[n] = (struct setting){ "maxclients", "" };
	sprintf(to[n++].value, "%u", s->config->maxclients);
	to[n] = (struct setting){ "maxmemory", "" };
	sprintf(to[n++].value, "%" PRIu64, s->config->maxmemory);
	to[n++] = (struct setting){ "maxmemory-policy", "noeviction" };
	to[n] = (struct setting){ "proto-max-bulk-len", "" };
	sprintf(to[n++].value, "%u", min(s->config->request_limit, PXS_STRING_MAX));
	to[n] = (struct setting){ "eventual", "" };
	pxs_prefixes_format(&s->config->eventual, to[n++].value);
	to[n++] = (struct setting){ "save", "" };
	to[n++] = (struct setting){ "timeout", "0" };
	for (i = 0; i < PXS_HINTS; i++) {
		n += show_hint(&to[n], hints[i].name, s, i);
		n += show_hint(&to[n], hints[i].old, s, i);
	}
	return n;
}

static bool is_pattern(struct pxs_str s)
{
	return memchr(s.data, '*', s.len) || memchr(s.data, '?', s.len) ||
	       memchr(s.data, '[', s.len);
}

/* Is setting @name asked for? *as: how it is called in the answer; a plain name as it came. */
static bool wanted(const struct pxs_request *r, const char *name, struct pxs_str *as)
{
	u32 i;

	for (i = 2; i < r->argc; i++) {
		*as = is_pattern(r->argv[i]) ? pxs_str(name) : r->argv[i];
		if (pxs_str_match(r->argv[i], pxs_str(name), true))
			return true;
	}
	return false;
}

static void get(struct pxs_request *r)
{
	struct setting all[SETTINGS_MAX];
	struct pxs_str as;
	u32 i, n, matching = 0;

	n = settings(r->conn->store, all);
	for (i = 0; i < n; i++)
		matching += wanted(r, all[i].name, &as);
	pxs_reply_map(&r->out, matching);
	for (i = 0; i < n; i++) {
		if (!wanted(r, all[i].name, &as))
			continue;
		pxs_reply_str(&r->out, as);
		pxs_reply_text(&r->out, all[i].value);
	}
}

static s64 *find_hint(s64 *hint, struct pxs_str name, u32 *which)
{
	u32 i;

	for (i = 0; i < PXS_HINTS; i++)
		if (pxs_str_is(name, hints[i].name) ||
		    (hints[i].old && pxs_str_is(name, hints[i].old))) {
			*which = i;
			return &hint[i];
		}
	return NULL;
}

static bool is_shown(const struct pxs_store *s, struct pxs_str name)
{
	struct setting all[SETTINGS_MAX];
	u32 i, n = settings(s, all);

	for (i = 0; i < n; i++)
		if (pxs_str_is(name, all[i].name))
			return true;
	return false;
}

static void fail(struct pxs_request *r, struct pxs_str name, const char *why)
{
	pxs_reply_error(&r->out,
			"ERR CONFIG SET failed (possibly related to argument '%.*s') - %s",
			(int)min(name.len, 64u), (const char *)name.data, why);
}

static bool same_word(struct pxs_str a, struct pxs_str b)
{
	return a.len == b.len && !strncasecmp((const char *)a.data, (const char *)b.data, a.len);
}

/* Does the setting at argument @at stand before it, too, by one of its names? */
static bool is_repeated(struct pxs_request *r, u32 at)
{
	s64 hint[PXS_HINTS];
	u32 which = 0, other = 0, i;
	s64 *to = find_hint(hint, r->argv[at], &which);

	for (i = 2; i < at; i += 2)
		if (same_word(r->argv[i], r->argv[at]) ||
		    (to && find_hint(hint, r->argv[i], &other) && other == which))
			return true;
	return false;
}

/* What is said about names is said before any value is looked at. Return: they hold. */
static bool names_hold(struct pxs_request *r)
{
	struct pxs_str name;
	s64 hint[PXS_HINTS];
	u32 which, i;

	for (i = 2; i < r->argc; i += 2) {
		name = r->argv[i];
		if (pxs_str_is(name, "daemonize") || pxs_str_is(name, "databases"))
			fail(r, name, "can't set immutable config");
		else if (!find_hint(hint, name, &which) && !is_shown(r->conn->store, name))
			pxs_reply_error(&r->out,
					"ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
					(int)min(name.len, 64u), (const char *)name.data);
		else if (is_repeated(r, i))
			fail(r, name, "duplicate parameter");
		else
			continue;
		return false;
	}
	return true;
}

/* One pair. Return: it holds. */
static bool set_one(struct pxs_request *r, struct pxs_str name, struct pxs_str value, s64 *hint)
{
	u32 which = 0;
	s64 *to = find_hint(hint, name, &which);

	if (!to)
		fail(r, name, "can't set immutable config");	/* Redis could */
	else if (pxs_str_int(value, to) && *to >= INT32_MIN && *to <= hints[which].most)
		return true;
	else if (hints[which].bytes)
		fail(r, name, "argument must be a memory value");
	else
		fail(r, name, "argument couldn't be parsed into an integer");
	return false;
}

/* All of them or none. */
static void set(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;
	s64 hint[PXS_HINTS];
	u32 i;

	if (r->argc % 2) {
		pxs_reply_syntax(&r->out);
		return;
	}
	if (!names_hold(r))
		return;
	memcpy(hint, s->hinted ? s->hint : hint_defaults, sizeof(hint));
	for (i = 2; i < r->argc; i += 2)
		if (!set_one(r, r->argv[i], r->argv[i + 1], hint))
			return;
	memcpy(s->hint, hint, sizeof(hint));
	s->hinted = true;
	pxs_reply_status(&r->out, "OK");
}

static void reset_counters(struct pxs_request *r)
{
	struct pxs_store *s = r->conn->store;

	pxs_stats_clear(&s->stats);
	s->commands = 0;
	s->accepted = 0;
	s->rejected = 0;
	s->evicted = 0;
	pxs_reply_status(&r->out, "OK");
}

void pxs_server_config(struct pxs_request *r)
{
	bool over = false;

	if (pxs_server_sub(r, "get", -3, &over))
		get(r);
	else if (pxs_server_sub(r, "set", -4, &over))
		set(r);
	else if (pxs_server_sub(r, "resetstat", 2, &over))
		reset_counters(r);
	else if (pxs_server_sub(r, "rewrite", 2, &over))
		pxs_reply_error(&r->out, "ERR The server is running without a config file");
	else if (!over)
		pxs_server_unknown_sub(r);
}

/* --- FUNCTION ------------------------------------------------------------------------ */

/* There are no scripts, so there are no functions: none are listed, and to flush them is easy. */
void pxs_server_function(struct pxs_request *r)
{
	bool over = false;

	if (pxs_server_sub(r, "flush", -2, &over)) {
		if (r->argc == 2 || (r->argc == 3 && (pxs_str_is(r->argv[2], "SYNC") ||
						      pxs_str_is(r->argv[2], "ASYNC"))))
			pxs_reply_status(&r->out, "OK");
		else
			pxs_reply_error(&r->out, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
	} else if (pxs_server_sub(r, "list", -2, &over)) {
		pxs_reply_array(&r->out, 0);
	} else if (!over) {
		pxs_server_unknown_sub(r);
	}
}
