// SPDX-License-Identifier: GPL-2.0
/*
 * resp_write.c - answers in RESP2 or RESP3
 */
#include "resp_write.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define ERROR_WORDS	1024	/* longer ones are cut */

void pxs_reply_init(struct pxs_reply *o, u8 proto, u32 limit)
{
	memset(o, 0, sizeof(*o));
	o->proto = proto;
	o->limit = limit;
}

void pxs_reply_free(struct pxs_reply *o)
{
	free(o->buf);
	o->buf = NULL;
	o->len = 0;
	o->room = 0;
}

static bool grow(struct pxs_reply *o, u32 len)
{
	u64 need = (u64)o->len + len;
	u64 room = max(2 * (u64)o->room, max(need, 128ull));
	u8 *buf;

	if (need > o->limit)
		return false;
	if (need <= o->room)
		return true;
	room = min(room, (u64)o->limit);
	buf = realloc(o->buf, room);
	if (!buf)
		return false;
	o->buf = buf;
	o->room = (u32)room;
	return true;
}

void pxs_reply_raw(struct pxs_reply *o, const void *data, u32 len)
{
	if (o->quiet || o->failed || !len)
		return;
	if (!grow(o, len)) {
		o->failed = true;
		return;
	}
	memcpy(o->buf + o->len, data, len);
	o->len += len;
}

static void head(struct pxs_reply *o, char type, s64 n)
{
	char text[32];

	if (!o->quiet)
		pxs_reply_raw(o, text, (u32)sprintf(text, "%c%" PRId64 "\r\n", type, n));
}

void pxs_reply_status(struct pxs_reply *o, const char *word)
{
	pxs_reply_raw(o, "+", 1);
	pxs_reply_raw(o, word, (u32)strlen(word));
	pxs_reply_raw(o, "\r\n", 2);
}

void pxs_reply_int(struct pxs_reply *o, s64 n)
{
	head(o, ':', n);
}

void pxs_reply_bulk(struct pxs_reply *o, const void *data, u32 len)
{
	head(o, '$', len);
	pxs_reply_raw(o, data, len);
	pxs_reply_raw(o, "\r\n", 2);
}

void pxs_reply_str(struct pxs_reply *o, struct pxs_str s)
{
	pxs_reply_bulk(o, s.data, s.len);
}

void pxs_reply_range(struct pxs_reply *o, struct pxs_str s, s64 from, s64 to)
{
	s64 len = s.len;

	if (!len || (from < 0 && to < 0 && from > to)) {
		pxs_reply_text(o, "");
		return;
	}
	from = from < 0 ? max(from + len, 0) : from;
	to = to < 0 ? max(to + len, 0) : min(to, len - 1);
	if (from > to)
		pxs_reply_text(o, "");
	else
		pxs_reply_bulk(o, s.data + from, (u32)(to - from + 1));
}

void pxs_reply_text(struct pxs_reply *o, const char *text)
{
	pxs_reply_bulk(o, text, (u32)strlen(text));
}

void pxs_reply_number(struct pxs_reply *o, s64 n)
{
	char text[24];

	pxs_reply_bulk(o, text, (u32)sprintf(text, "%" PRId64, n));
}

void pxs_reply_null(struct pxs_reply *o)
{
	if (o->proto == 3)
		pxs_reply_raw(o, "_\r\n", 3);
	else
		pxs_reply_raw(o, "$-1\r\n", 5);
}

void pxs_reply_null_array(struct pxs_reply *o)
{
	if (o->proto == 3)
		pxs_reply_raw(o, "_\r\n", 3);
	else
		pxs_reply_raw(o, "*-1\r\n", 5);
}

void pxs_reply_array(struct pxs_reply *o, u32 n)
{
	head(o, '*', n);
}

void pxs_reply_map(struct pxs_reply *o, u32 pairs)
{
	if (o->proto == 3)
		head(o, '%', pairs);
	else
		head(o, '*', 2 * (s64)pairs);
}

void pxs_reply_set(struct pxs_reply *o, u32 n)
{
	head(o, o->proto == 3 ? '~' : '*', n);
}

void pxs_reply_front(struct pxs_reply *o, u32 at, u32 mid)
{
	u32 len = o->len - mid;
	u8 head[128];

	if (o->quiet || o->failed)
		return;
	pxs_assert(at <= mid && len <= sizeof(head));
	memcpy(head, o->buf + mid, len);
	memmove(o->buf + at + len, o->buf + at, mid - at);
	memcpy(o->buf + at, head, len);
}

void pxs_reply_verbatim(struct pxs_reply *o, const char *text, u32 len)
{
	if (o->proto == 2) {
		pxs_reply_bulk(o, text, len);
		return;
	}
	head(o, '=', (s64)len + 4);
	pxs_reply_raw(o, "txt:", 4);
	pxs_reply_raw(o, text, len);
	pxs_reply_raw(o, "\r\n", 2);
}

/* One element without what is in it. Return: its bytes; 0: it is none. */
static u32 element(struct pxs_reply *o, struct pxs_str s, bool exec)
{
	const u8 *end = memchr(s.data, '\n', s.len);
	u32 len = end ? (u32)(end - s.data) + 1 : 0;
	u64 body;
	long n;

	if (len < 3)
		return 0;
	n = strtol((const char *)s.data + 1, NULL, 10);
	switch (s.data[0]) {
	case '_':
		pxs_reply_raw(o, exec ? "*-1\r\n" : "$-1\r\n", 5);
		return len;
	case '%':
		pxs_reply_map(o, (u32)n);
		return len;
	case '~':
		pxs_reply_set(o, (u32)n);
		return len;
	case '$':
		body = n >= 0 ? (u64)n + 2 : 0;
		if (body > s.len - len)
			return 0;
		len += (u32)body;
		break;
	}
	pxs_reply_raw(o, s.data, len);
	return len;
}

void pxs_reply_again(struct pxs_reply *o, struct pxs_str answer, bool exec)
{
	u32 len;

	if (o->proto == 3) {
		pxs_reply_raw(o, answer.data, answer.len);
		return;
	}
	while (answer.len && !o->quiet) {
		len = element(o, answer, exec);
		pxs_assert(len);
		answer.data += len;
		answer.len -= len;
		exec = false;
	}
}

void pxs_reply_error(struct pxs_reply *o, const char *fmt, ...)
{
	char words[ERROR_WORDS];
	va_list ap;
	int len, i;

	o->errors++;
	if (o->quiet)
		return;
	va_start(ap, fmt);
	len = vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	len = min(len, (int)sizeof(words) - 1);
	while (len && (words[len - 1] == '\r' || words[len - 1] == '\n'))
		len--;
	for (i = 0; i < len; i++)
		if (words[i] == '\r' || words[i] == '\n')
			words[i] = ' ';
	pxs_reply_raw(o, "-", 1);
	pxs_reply_raw(o, words, (u32)len);
	pxs_reply_raw(o, "\r\n", 2);
}

void pxs_reply_wrong_type(struct pxs_reply *o)
{
	pxs_reply_error(o, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

void pxs_reply_syntax(struct pxs_reply *o)
{
	pxs_reply_error(o, "ERR syntax error");
}

void pxs_reply_not_int(struct pxs_reply *o)
{
	pxs_reply_error(o, "ERR value is not an integer or out of range");
}

void pxs_reply_not_float(struct pxs_reply *o)
{
	pxs_reply_error(o, "ERR value is not a valid float");
}

void pxs_reply_arity(struct pxs_reply *o, const char *command)
{
	pxs_reply_error(o, "ERR wrong number of arguments for '%s' command", command);
}
