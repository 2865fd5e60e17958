// SPDX-License-Identifier: GPL-2.0
/*
 * order.c - replies go back in the order of the requests
 *
 * See order.h. The bytes are those of a backend, which may be anything: each number has a limit.
 */
#include "order.h"

#define NUMBER_MAX	24	/* bytes of a line with a number */
#define VALUES_MAX	0x10000000000ull
#define LENGTH_MAX	0x100000000ll
#define LINE_MAX	2048	/* memcached: VALUE, key, flags, length, unique */

void pxs_order_push(struct pxs_order *o, void *from, const char *text, const struct pxs_cut *cut)
{
	struct pxs_outstanding *e = &o->ring[o->tail++ % PXS_ORDER_MAX];

	e->from = from;
	e->text = text;
	e->parts = cut->parts;
	e->reply = cut->reply;
	e->use = cut->use;
	e->first = cut->first;
	e->last = cut->last;
}

void pxs_order_say(struct pxs_order *o, const char *text)
{
	struct pxs_outstanding *e = &o->ring[o->tail++ % PXS_ORDER_MAX];

	memset(e, 0, sizeof(*e));
	e->text = text;
	e->first = true;
	e->last = true;
}

bool pxs_order_revoke(struct pxs_order *o, const char *text)
{
	if (o->tail - o->head == 1 && o->begun)
		return false;
	o->tail--;
	if (text)
		pxs_order_say(o, text);
	return true;
}

/* --- where a reply ends ---------------------------------------------------- */

enum outcome {
	FOUND,
	MORE,
	BAD,
};

/* Number behind a mark, -1 included, with CR LF. *at: behind it. */
static enum outcome take_number(const u8 *p, u32 len, u32 *at, s64 *n)
{
	bool minus = *at + 1 < len && p[*at + 1] == '-';
	u32 i, digits = 0;
	u64 value = 0;

	for (i = *at + 1 + minus; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
		value = value * 10 + (p[i] - '0');
		if (++digits > 18)
			return BAD;
	}
	if (i < len && (!digits || p[i] != '\r'))
		return BAD;
	if (i + 1 >= len)
		return MORE;
	if (p[i + 1] != '\n')
		return BAD;
	*n = minus ? -(s64)value : (s64)value;
	*at = i + 2;
	return FOUND;
}

/* Up to the end of the line or of the bytes. */
static u32 skip_line(struct pxs_order *o, const u8 *p, u32 len, u32 at)
{
	for (o->in_line = true; at < len && o->in_line; at++)
		o->in_line = p[at] != '\n';
	return at;
}

static u32 skip_bulk(struct pxs_order *o, u32 len, u32 at)
{
	u32 n = (u32)min(o->bulk, (u64)(len - at));

	o->bulk -= n;
	return at + n;
}

/* What begins at *at: a value, or a container of values. */
static enum outcome resp_value(struct pxs_order *o, const u8 *p, u32 len, u32 *at)
{
	enum outcome out;
	u8 mark = p[*at];
	s64 n;

	switch (mark) {
	case '+':
	case '-':
	case ':':
	case '_':
	case ',':
	case '#':
	case '(':
		o->values--;
		*at = skip_line(o, p, len, *at);
		return FOUND;
	}
	if (!memchr("$=!*~%|>", mark, 8))
		return BAD;
	out = take_number(p, len, at, &n);
	if (out != FOUND)
		return out;
	/* A null counts as the value that it stands for; attributes and pushes stand for none. */
	if (n < -1 || (n < 0 && mark != '$' && mark != '*'))
		return BAD;
	if (n > LENGTH_MAX)
		return BAD;
	if (mark != '|' && mark != '>')
		o->values--;
	if (n < 0)
		return FOUND;
	if (memchr("$=!", mark, 3))
		o->bulk = (u64)n + 2;
	else
		o->values += mark == '%' || mark == '|' ? 2 * (u64)n : (u64)n;
	return o->values > VALUES_MAX ? BAD : FOUND;
}

/* Bytes of a RESP reply from offset 0 on. Return: how many; *out FOUND: it ends there. */
static u32 resp_reply(struct pxs_order *o, const u8 *p, u32 len, enum outcome *out)
{
	u32 at = 0, next;

	*out = MORE;
	for (;;) {
		if (o->in_line)
			at = skip_line(o, p, len, at);
		at = skip_bulk(o, len, at);
		if (o->in_line || o->bulk)
			return at;
		if (!o->values) {
			*out = FOUND;
			return at;
		}
		if (at == len)
			return at;
		next = at;
		*out = resp_value(o, p, len, &next);
		if (*out != FOUND)
			return at;
		*out = MORE;
		at = next;
	}
}

/* Bytes of a line that is all there. 0: it is not, or longer than @limit: BAD. */
static u32 whole_line(const u8 *p, u32 len, u32 limit, enum outcome *out)
{
	u32 i;

	for (i = 0; i < len && i < limit; i++) {
		if (p[i] != '\n')
			continue;
		*out = FOUND;
		return i + 1;
	}
	*out = i == limit ? BAD : MORE;
	return 0;
}

/* VALUE key flags length [unique]. Return: false when it is not that. */
static bool value_line(const u8 *p, u32 len, u64 *length)
{
	u32 i = 6, word = 1, digits = 0;

	if (len < 6 || memcmp(p, "VALUE ", 6))
		return false;
	for (; i < len && word < 3; i++)
		word += p[i] == ' ';
	for (*length = 0; i < len && p[i] >= '0' && p[i] <= '9'; i++, digits++)
		if (digits < 10)
			*length = *length * 10 + (p[i] - '0');
	return word == 3 && digits && digits < 11 && i < len &&
	       (p[i] == ' ' || p[i] == '\r' || p[i] == '\n');
}

/* --- what the client gets of it -------------------------------------------- */

static void emit_text(struct pxs_emit *emit, const char *text, u32 len)
{
	emit->text_len = len < sizeof(emit->text) ? len : (u32)sizeof(emit->text);
	memcpy(emit->text, text, emit->text_len);
}

/* Decimal digits of @n between @before and CR LF. */
static void emit_number(struct pxs_emit *emit, char before, u64 n)
{
	char digits[24];
	u32 i = sizeof(digits);

	digits[--i] = '\n';
	digits[--i] = '\r';
	do {
		u64 tens = pxs_div64(n, 10);

		digits[--i] = (char)('0' + (n - tens * 10));
		n = tens;
	} while (n);
	digits[--i] = before;
	emit_text(emit, digits + i, (u32)sizeof(digits) - i);
}

/* The head is done with. */
static void leave(struct pxs_order *o, const struct pxs_outstanding *e, struct pxs_emit *emit)
{
	emit->done = true;
	o->begun = false;
	o->in_line = false;
	o->bulk = 0;
	o->values = 0;
	if (e->last) {
		o->failed = false;
		o->headed = false;
		o->sum = 0;
		o->error_len = 0;
	}
	o->head++;
}

static void pass(struct pxs_emit *emit, u32 n)
{
	emit->take = n;
	emit->pass = n;
}

static void step_pass(struct pxs_order *o, const struct pxs_outstanding *e, const u8 *p, u32 len,
		      struct pxs_emit *emit)
{
	enum outcome out = MORE;
	bool drop = e->use == PXS_USE_DROP;
	u32 n;

	if (e->reply == PXS_REPLY_RESP) {
		if (!o->begun)
			o->values = 1;
		n = resp_reply(o, p, len, &out);
	} else {
		n = skip_line(o, p, len, 0);
		if (n && !o->in_line)
			out = FOUND;
		o->in_line = false;
	}
	pass(emit, n);
	if (drop)
		emit->pass = 0;
	if (n)
		o->begun = true;
	emit->bad = out == BAD;
	if (out == FOUND)
		leave(o, e, emit);
}

/* memcached: lines with blocks behind them, up to END or to a line that is an error. */
static void step_values(struct pxs_order *o, const struct pxs_outstanding *e, const u8 *p,
			u32 len, struct pxs_emit *emit)
{
	bool ends, drop = o->failed;
	enum outcome out;
	u64 length;
	u32 n;

	if (o->bulk) {
		pass(emit, skip_bulk(o, len, 0));
		emit->pass = drop ? 0 : emit->take;
		return;
	}
	n = whole_line(p, len, LINE_MAX, &out);
	emit->bad = out == BAD;
	if (out != FOUND)
		return;
	o->begun = true;
	pass(emit, n);
	emit->pass = drop ? 0 : n;
	if (value_line(p, n, &length)) {
		o->bulk = length + 2;
		return;
	}
	ends = n <= 5 && n >= 4 && !memcmp(p, "END", 3);
	if (ends && !e->last)
		emit->pass = 0;
	if (!ends)
		o->failed = true;
	leave(o, e, emit);
}

/* The client's array is made of the elements of many. */
static void step_element(struct pxs_order *o, const struct pxs_outstanding *e, const u8 *p,
			 u32 len, struct pxs_emit *emit)
{
	enum outcome out;

	if (!o->headed) {
		o->headed = true;
		emit_number(emit, '*', e->parts);
		return;
	}
	if (o->begun) {
		pass(emit, resp_reply(o, p, len, &out));
	} else if (len && p[0] == '-') {
		o->begun = true;
		o->values = 1;
		pass(emit, resp_reply(o, p, len, &out));
	} else {
		if (memcmp(p, "*1\r\n", min(len, 4u))) {
			emit->bad = true;
			return;
		}
		if (len < 4)
			return;
		o->begun = true;
		o->values = 1;
		emit->take = 4;
		return;
	}
	emit->bad = out == BAD;
	if (out == FOUND)
		leave(o, e, emit);
}

static void remember(struct pxs_order *o, const char *text, u32 len)
{
	if (o->failed)
		return;
	o->failed = true;
	o->error_len = len < sizeof(o->error) ? len : (u32)sizeof(o->error);
	memcpy(o->error, text, o->error_len);
	/* Cut or not, it ends as a line does. */
	if (o->error_len >= 2) {
		o->error[o->error_len - 2] = '\r';
		o->error[o->error_len - 1] = '\n';
	}
}

/* What was made of all parts. */
static void conclude(struct pxs_order *o, const struct pxs_outstanding *e, struct pxs_emit *emit)
{
	if (e->last) {
		if (o->failed)
			emit_text(emit, o->error, o->error_len);
		else if (e->use == PXS_USE_SUM)
			emit_number(emit, ':', o->sum);
		else
			emit->words = "+OK\r\n";
	}
	leave(o, e, emit);
}

/* One line each: a number or an OK; or an error, the first of which is the client's. */
static void step_merge(struct pxs_order *o, const struct pxs_outstanding *e, const u8 *p, u32 len,
		       struct pxs_emit *emit)
{
	enum outcome out;
	u32 n, at = 0;
	s64 number;

	n = whole_line(p, len, PXS_REPLY_HEAD_MAX, &out);
	emit->bad = out == BAD;
	if (out != FOUND)
		return;
	if (p[0] == '-') {
		remember(o, (const char *)p, n);
	} else if (e->use == PXS_USE_SUM) {
		if (p[0] != ':' || n > NUMBER_MAX || take_number(p, n, &at, &number) != FOUND ||
		    number < 0) {
			emit->bad = true;
			return;
		}
		o->sum += (u64)number;
	} else if (p[0] != '+') {
		emit->bad = true;
		return;
	}
	emit->take = n;
	conclude(o, e, emit);
}

void pxs_order_step(struct pxs_order *o, const u8 *p, u32 len, struct pxs_emit *emit)
{
	const struct pxs_outstanding *e = pxs_order_head(o);

	memset(emit, 0, offsetof(struct pxs_emit, text));
	if (!e || (!len && !(e->use == PXS_USE_ELEMENT && !o->headed)))
		return;
	switch (e->use) {
	case PXS_USE_ELEMENT:
		step_element(o, e, p, len, emit);
		break;
	case PXS_USE_SUM:
	case PXS_USE_OK:
		step_merge(o, e, p, len, emit);
		break;
	default:
		if (e->reply == PXS_REPLY_VALUES)
			step_values(o, e, p, len, emit);
		else
			step_pass(o, e, p, len, emit);
	}
}

void pxs_order_fail(struct pxs_order *o, const char *text, struct pxs_emit *emit)
{
	const struct pxs_outstanding *e = pxs_order_head(o);

	memset(emit, 0, offsetof(struct pxs_emit, text));
	if (!e)
		return;
	switch (e->use) {
	case PXS_USE_DROP:
		leave(o, e, emit);
		return;
	case PXS_USE_SUM:
	case PXS_USE_OK:
		remember(o, text, (u32)strlen(text));
		conclude(o, e, emit);
		return;
	case PXS_USE_ELEMENT:
		if (!o->headed) {
			o->headed = true;
			emit_number(emit, '*', e->parts);
			return;
		}
		break;
	}
	if (o->begun && !(e->use == PXS_USE_VALUES && (o->failed || !o->bulk))) {
		emit->stuck = true;
		return;
	}
	if (!o->failed)
		emit->words = text;
	if (e->use == PXS_USE_VALUES)
		o->failed = true;
	leave(o, e, emit);
}
