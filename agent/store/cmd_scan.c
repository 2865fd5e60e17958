// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_scan.c - walks over keys: SCAN, HSCAN, KEYS, RANDOMKEY
 *
 * A cursor of SCAN is a place in the order of the keys' hashes, one of HSCAN a place in the
 * order in which fields came: neither needs memory, and both hold on every member. How much was
 * found is known at the end: then the head of the answer is written, and put in front. A buffer
 * beside the answer could be refused where the answer itself, which may be kept, cannot (apply.c).
 */
#include <ctype.h>
#include <stdio.h>

#include "command.h"

#define COUNT_DEFAULT	10
#define COUNT_MAX	10000	/* looked at in one call, whatever was asked for */
#define SMALL_HASH	128	/* fields; HSCAN gives them all at once, as Redis does */

struct scan {
	struct pxs_reply *out;
	u32 at;			/* what is found stands from there on */
	u32 nfound;
	s64 count;		/* to look at */
	struct pxs_str match;
	bool matches;
	u8 type;		/* wanted; PXS_TYPE_NONE: any */
	bool other_type;	/* of a type that does not exist here */
};

bool pxs_cmd_cursor(struct pxs_run *x, struct pxs_str s, u64 *cursor)
{
	char text[32] = "";
	char *end = text;

	if (s.len < sizeof(text)) {
		memcpy(text, s.data, s.len);
		errno = 0;
		*cursor = strtoull(text, &end, 10);
		if (!isspace((unsigned char)text[0]) && !errno && end == text + s.len)
			return true;
	}
	pxs_reply_error(x->out, "ERR invalid cursor");
	return false;
}

/* "*" matches all, even "", which no other pattern does. */
static void want_match(struct scan *s, struct pxs_str pattern)
{
	s->match = pattern;
	s->matches = !(pattern.len == 1 && pattern.data[0] == '*');
}

static void want_type(struct scan *s, struct pxs_str word)
{
	if (pxs_str_is(word, "string"))
		s->type = PXS_TYPE_STRING;
	else if (pxs_str_is(word, "hash"))
		s->type = PXS_TYPE_HASH;
	else
		s->other_type = true;
}

static bool parse(struct pxs_run *x, u32 from, bool keys, struct scan *s)
{
	u32 i;

	s->count = COUNT_DEFAULT;
	for (i = from; i < x->argc; i += 2) {
		if (i + 1 == x->argc)
			goto syntax;
		if (pxs_str_is(x->argv[i], "COUNT")) {
			if (!pxs_cmd_int(x, i + 1, &s->count))
				return false;
			if (s->count < 1)
				goto syntax;
		} else if (pxs_str_is(x->argv[i], "MATCH")) {
			want_match(s, x->argv[i + 1]);
		} else if (keys && pxs_str_is(x->argv[i], "TYPE")) {
			want_type(s, x->argv[i + 1]);
		} else {
			goto syntax;
		}
	}
	s->count = min(s->count, COUNT_MAX);
	return true;
syntax:
	pxs_reply_syntax(x->out);
	return false;
}

static void begin(struct pxs_run *x, struct scan *s)
{
	memset(s, 0, sizeof(*s));
	s->out = x->out;
	s->at = x->out->len;
}

static void finish(struct scan *s, u64 cursor)
{
	u32 mid = s->out->len;
	char text[24];

	pxs_reply_array(s->out, 2);
	pxs_reply_bulk(s->out, text, (u32)sprintf(text, "%llu", (unsigned long long)cursor));
	pxs_reply_array(s->out, s->nfound);
	pxs_reply_front(s->out, s->at, mid);
}

static bool see_key(void *ctx, const struct pxs_rec *rec)
{
	struct scan *s = ctx;

	if (!pxs_reply_wanted(s->out))
		return false;
	s->count--;
	if ((s->matches && !pxs_str_match(s->match, rec->key, false)) || s->other_type ||
	    (s->type && s->type != rec->type))
		return s->count > 0;
	pxs_reply_str(s->out, rec->key);
	s->nfound++;
	return s->count > 0;
}

void pxs_cmd_scan(struct pxs_run *x)
{
	struct scan s;
	u64 cursor;

	begin(x, &s);
	if (!pxs_cmd_cursor(x, x->argv[1], &cursor) || !parse(x, 2, true, &s))
		return;
	cursor = pxs_db_scan(x->db, cursor, see_key, &s);
	finish(&s, cursor);
}

static bool see_field(void *ctx, struct pxs_str field, struct pxs_str value)
{
	struct scan *s = ctx;

	if (!pxs_reply_wanted(s->out))
		return false;
	s->count--;
	if (s->matches && !pxs_str_match(s->match, field, false))
		return s->count > 0;
	pxs_reply_str(s->out, field);
	pxs_reply_str(s->out, value);
	s->nfound += 2;
	return s->count > 0;
}

void pxs_cmd_hscan(struct pxs_run *x)
{
	struct pxs_rec rec;
	struct scan s;
	u64 cursor;
	int there;

	begin(x, &s);
	if (!pxs_cmd_cursor(x, x->argv[2], &cursor))
		return;
	there = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_HASH, &rec);
	if (!there)
		finish(&s, 0);
	if (there <= 0 || !parse(x, 3, false, &s))
		return;
	if (rec.count <= SMALL_HASH) {
		s.count = SMALL_HASH;
		cursor = 0;
	}
	cursor = pxs_db_items(x->db, &rec, cursor, see_field, &s);
	finish(&s, cursor);
}

void pxs_cmd_keys(struct pxs_run *x)
{
	struct scan s;
	u32 mid;

	begin(x, &s);
	s.count = INT64_MAX;
	want_match(&s, x->argv[1]);
	pxs_db_scan(x->db, 0, see_key, &s);
	mid = x->out->len;
	pxs_reply_array(x->out, s.nfound);
	pxs_reply_front(x->out, s.at, mid);
}

u32 pxs_cmd_pattern(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv)
{
	bool fields = cmd->run == pxs_cmd_hscan;
	struct scan s = { .matches = false };
	u32 i;

	if (cmd->run == pxs_cmd_keys)
		want_match(&s, argv[1]);
	for (i = fields ? 3 : 2; (fields || cmd->run == pxs_cmd_scan) && i + 1 < argc; i += 2)
		if (pxs_str_is(argv[i], "MATCH"))
			want_match(&s, argv[i + 1]);
	return s.matches ? s.match.len : 0;
}

/* The key behind a random place: likelier where the gap before it is wide. */
void pxs_cmd_randomkey(struct pxs_run *x)
{
	struct scan s;

	begin(x, &s);
	s.count = 1;
	pxs_db_scan(x->db, pxs_db_random(x->db), see_key, &s);
	if (!s.nfound) {
		s.count = 1;
		pxs_db_scan(x->db, 0, see_key, &s);
	}
	if (!s.nfound)
		pxs_reply_null(x->out);
}
