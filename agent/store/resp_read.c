// SPDX-License-Identifier: GPL-2.0
/*
 * resp_read.c - requests as clients write them
 *
 * The buffer holds the request at hand from its first byte. Each call goes on where the last
 * one stopped, so that a request that comes in a thousand pieces is looked at once.
 */
#include "resp_read.h"

#include <ctype.h>
#include <stdio.h>

#include "hex.h"

#define READ_AT_ONCE	(16u << 10)
#define ROOM_KEPT	(64u << 10)
#define ARGS_KEPT	1024u

void pxs_reader_init(struct pxs_reader *r, u32 limit, u32 bulk_limit)
{
	memset(r, 0, sizeof(*r));
	r->limit = limit;
	r->bulk_limit = bulk_limit;
	r->bulk = -1;
}

void pxs_reader_free(struct pxs_reader *r)
{
	free(r->buf);
	free(r->argv);
	free(r->at);
	memset(r, 0, sizeof(*r));
}

/* Move what is not taken to the front. */
static void compact(struct pxs_reader *r)
{
	u32 i;

	if (!r->start)
		return;
	memmove(r->buf, r->buf + r->start, r->len - r->start);
	for (i = 0; r->multi && i < r->argc; i++)
		r->at[i] -= r->start;
	r->len -= r->start;
	r->pos -= r->start;
	r->start = 0;
}

/* Nothing is in it: room for much is not kept for a client that may never send much again. */
static void give_back(struct pxs_reader *r)
{
	if (r->room > ROOM_KEPT) {
		free(r->buf);
		r->buf = NULL;
		r->room = 0;
	}
	if (r->args_room > ARGS_KEPT) {
		free(r->argv);
		free(r->at);
		r->argv = NULL;
		r->at = NULL;
		r->argc = 0;
		r->args_room = 0;
	}
}

u8 *pxs_reader_space(struct pxs_reader *r, u32 *room)
{
	/* A whole request, and the header that shows it to be too large. */
	u64 most = (u64)r->limit + PXS_RESP_LINE_MAX + READ_AT_ONCE;
	u64 want;
	u8 *buf;

	compact(r);
	if (!r->len)
		give_back(r);
	if (r->len == r->room || !r->buf) {
		want = min(max(2 * (u64)r->room, (u64)READ_AT_ONCE), most);
		if (want <= r->len)
			return NULL;
		buf = realloc(r->buf, want);
		if (!buf)
			return NULL;
		r->buf = buf;
		r->room = (u32)want;
	}
	*room = r->room - r->len;
	return r->buf + r->len;
}

static enum pxs_resp fail(struct pxs_reader *r, const char *words)
{
	snprintf(r->error, sizeof(r->error), "ERR Protocol error: %s", words);
	return PXS_RESP_ERROR;
}

static bool add_arg(struct pxs_reader *r, u32 at, u32 len)
{
	u32 room = max(2 * r->args_room, 8u);
	struct pxs_str *argv;
	u32 *ats;

	if (r->argc == r->args_room) {
		argv = realloc(r->argv, room * sizeof(*argv));
		if (!argv)
			return false;
		r->argv = argv;
		ats = realloc(r->at, room * sizeof(*ats));
		if (!ats)
			return false;
		r->at = ats;
		r->args_room = room;
	}
	r->at[r->argc] = at;
	r->argv[r->argc++].len = len;
	return true;
}

static enum pxs_resp whole(struct pxs_reader *r)
{
	u32 i;

	for (i = 0; i < r->argc; i++)
		r->argv[i].data = r->buf + r->at[i];
	r->start = r->pos;
	r->bulk = -1;
	return PXS_RESP_REQUEST;
}

/*
 * The line at pos, without its end ("\r\n"; as Redis does it, the byte behind '\r' is not looked
 * at). *next: what follows it. MORE: no end yet.
 */
static enum pxs_resp header(struct pxs_reader *r, struct pxs_str *line, u32 *next, const char *big)
{
	const u8 *from = r->buf + r->pos;
	const u8 *end = memchr(from, '\r', r->len - r->pos);

	if (!end) {
		if (r->len - r->pos > PXS_RESP_LINE_MAX)
			return fail(r, big);
		return PXS_RESP_MORE;
	}
	if ((u32)(end - r->buf) + 2 > r->len)
		return PXS_RESP_MORE;
	line->data = from;
	line->len = (u32)(end - from);
	*next = (u32)(end - r->buf) + 2;
	return PXS_RESP_REQUEST;
}

/* --- a line ------------------------------------------------------------------ */

/* What a backslash in double quotes stands for. @p: at it. Return: the bytes it takes. */
static u32 escape(const u8 *p, const u8 *end, u8 *byte)
{
	static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
	const char *which;

	if (end - p >= 4 && p[1] == 'x' && pxs_hex_digit(p[2]) >= 0 && pxs_hex_digit(p[3]) >= 0) {
		*byte = (u8)(pxs_hex_digit(p[2]) << 4 | pxs_hex_digit(p[3]));
		return 4;
	}
	which = p[1] ? strchr(from, p[1]) : NULL;
	*byte = which ? (u8)to[which - from] : p[1];
	return 2;
}

/*
 * One word of a line, unquoted in place: it never grows. *len: of the word. Return: what
 * follows it, or NULL: quotes that do not close, or close inside a word.
 */
static u8 *word(u8 *p, const u8 *end, u32 *len)
{
	u8 *to = p, *first = p;
	u8 quote = 0;

	for (; p < end; p++) {
		if (!quote && isspace(*p))
			break;
		if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (quote && *p == quote) {
			if (p + 1 < end && !isspace(p[1]))
				return NULL;
			quote = 0;
			p++;
			break;
		} else if (quote == '"' && *p == '\\' && end - p >= 2) {
			p += escape(p, end, to) - 1;
			to++;
		} else if (quote == '\'' && *p == '\\' && end - p >= 2 && p[1] == '\'') {
			*to++ = '\'';
			p++;
		} else {
			*to++ = *p;
		}
	}
	*len = (u32)(to - first);
	return quote ? NULL : p;
}

static enum pxs_resp line(struct pxs_reader *r)
{
	u8 *p = r->buf + r->pos;
	u8 *end = memchr(p, '\n', r->len - r->pos);
	u8 *first;
	u32 len;

	if (!end) {
		if (r->len - r->pos > PXS_RESP_LINE_MAX)
			return fail(r, "too big inline request");
		return PXS_RESP_MORE;
	}
	r->pos = (u32)(end - r->buf) + 1;
	if (end > p && end[-1] == '\r')
		end--;
	for (;;) {
		while (p < end && isspace(*p))
			p++;
		if (p == end)
			return whole(r);
		first = p;
		p = word(p, end, &len);
		if (!p)
			return fail(r, "unbalanced quotes in request");
		if (!add_arg(r, (u32)(first - r->buf), len))
			return fail(r, "out of memory");
	}
}

/* --- an array ---------------------------------------------------------------- */

static enum pxs_resp array(struct pxs_reader *r)
{
	struct pxs_str text;
	enum pxs_resp got;
	s64 n;
	u32 next;

	got = header(r, &text, &next, "too big mbulk count string");
	if (got != PXS_RESP_REQUEST)
		return got;
	text.data++;
	text.len--;
	if (!pxs_str_int(text, &n) || n > PXS_RESP_ARGS_MAX)
		return fail(r, "invalid multibulk length");
	if (n > PXS_RESP_STRANGER_ARGS && r->stranger)
		return fail(r, "unauthenticated multibulk length");
	r->pos = next;
	if (n <= 0)
		return whole(r);
	r->multi = n;
	return PXS_RESP_MORE;
}

static enum pxs_resp bulk_header(struct pxs_reader *r)
{
	char words[32];
	struct pxs_str text;
	enum pxs_resp got;
	u32 next;

	got = header(r, &text, &next, "too big bulk count string");
	if (got != PXS_RESP_REQUEST)
		return got;
	if (r->buf[r->pos] != '$') {
		snprintf(words, sizeof(words), "expected '$', got '%c'", r->buf[r->pos]);
		return fail(r, words);
	}
	text.data++;
	text.len--;
	if (!pxs_str_int(text, &r->bulk) || r->bulk < 0 || r->bulk > r->bulk_limit)
		return fail(r, "invalid bulk length");
	if (r->bulk > PXS_RESP_STRANGER_BULK && r->stranger)
		return fail(r, "unauthenticated bulk length");
	r->pos = next;
	if (r->pos - r->start + (u64)r->bulk + 2 > r->limit)
		return fail(r, "request too large");
	return PXS_RESP_REQUEST;
}

static enum pxs_resp arguments(struct pxs_reader *r)
{
	enum pxs_resp got;

	while (r->multi) {
		if (r->bulk < 0) {
			got = bulk_header(r);
			if (got != PXS_RESP_REQUEST)
				return got;
		}
		if (r->len - r->pos < (u64)r->bulk + 2)
			return PXS_RESP_MORE;
		if (!add_arg(r, r->pos, (u32)r->bulk))
			return fail(r, "out of memory");
		r->pos += (u32)r->bulk + 2;
		r->bulk = -1;
		r->multi--;
	}
	return whole(r);
}

enum pxs_resp pxs_reader_next(struct pxs_reader *r)
{
	enum pxs_resp got;

	if (r->error[0])
		return PXS_RESP_ERROR;
	if (!r->multi) {
		r->argc = 0;
		if (r->pos == r->len)
			return PXS_RESP_MORE;
		if (r->buf[r->pos] != '*')
			return line(r);
		got = array(r);
		if (got != PXS_RESP_MORE || !r->multi)
			return got;
	}
	return arguments(r);
}

bool pxs_reader_is_http(const struct pxs_reader *r)
{
	return r->argc && (pxs_str_is(r->argv[0], "post") || pxs_str_is(r->argv[0], "host:"));
}
