// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_hash.c - commands on hashes
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

static int find(struct pxs_run *x, struct pxs_rec *rec)
{
	return pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_HASH, rec);
}

/* The hash at the key, made if need be. Return: false: the key is something else, said so. */
static bool open_hash(struct pxs_run *x, struct pxs_rec *rec)
{
	if (find(x, rec) < 0)
		return false;
	pxs_db_make_hash(x->db, x->argv[1], rec);
	return true;
}

static bool set_pairs(struct pxs_run *x, s64 *added)
{
	struct pxs_rec rec;
	u32 i;

	if (x->argc % 2) {
		pxs_reply_arity(x->out, x->cmd->name);
		return false;
	}
	if (!open_hash(x, &rec))
		return false;
	for (i = 2; i < x->argc; i += 2)
		*added += pxs_db_set_field(x->db, &rec, x->argv[1], x->argv[i], x->argv[i + 1]);
	return true;
}

void pxs_cmd_hset(struct pxs_run *x)
{
	s64 added = 0;

	if (set_pairs(x, &added))
		pxs_reply_int(x->out, added);
}

void pxs_cmd_hmset(struct pxs_run *x)
{
	s64 added = 0;

	if (set_pairs(x, &added))
		pxs_reply_status(x->out, "OK");
}

void pxs_cmd_hsetnx(struct pxs_run *x)
{
	struct pxs_str value;
	struct pxs_rec rec;
	int there = find(x, &rec);

	if (there < 0)
		return;
	if (there && pxs_db_field(x->db, &rec, x->argv[2], &value)) {
		pxs_reply_int(x->out, 0);
		return;
	}
	pxs_db_make_hash(x->db, x->argv[1], &rec);
	pxs_db_set_field(x->db, &rec, x->argv[1], x->argv[2], x->argv[3]);
	pxs_reply_int(x->out, 1);
}

void pxs_cmd_hget(struct pxs_run *x)
{
	struct pxs_str value;
	struct pxs_rec rec;
	int there = find(x, &rec);

	if (there < 0)
		return;
	if (there && pxs_db_field(x->db, &rec, x->argv[2], &value))
		pxs_reply_str(x->out, value);
	else
		pxs_reply_null(x->out);
}

void pxs_cmd_hmget(struct pxs_run *x)
{
	struct pxs_str value;
	struct pxs_rec rec;
	int there = find(x, &rec);
	u32 i;

	if (there < 0)
		return;
	pxs_reply_array(x->out, x->argc - 2);
	for (i = 2; i < x->argc; i++) {
		if (there && pxs_db_field(x->db, &rec, x->argv[i], &value))
			pxs_reply_str(x->out, value);
		else
			pxs_reply_null(x->out);
	}
}

void pxs_cmd_hdel(struct pxs_run *x)
{
	struct pxs_rec rec;
	int there = find(x, &rec);
	s64 n = 0;
	u32 i;

	if (there < 0)
		return;
	for (i = 2; there && rec.count && i < x->argc; i++)
		n += pxs_db_delete_field(x->db, &rec, x->argv[1], x->argv[i]);
	pxs_reply_int(x->out, n);
}

void pxs_cmd_hlen(struct pxs_run *x)
{
	struct pxs_rec rec;
	int there = find(x, &rec);

	if (there >= 0)
		pxs_reply_int(x->out, there ? (s64)rec.count : 0);
}

/* Length of a field's value, -1: not there; -2: an error was said. */
static s64 value_len(struct pxs_run *x)
{
	struct pxs_str value;
	struct pxs_rec rec;
	int there = find(x, &rec);

	if (there < 0)
		return -2;
	return there && pxs_db_field(x->db, &rec, x->argv[2], &value) ? (s64)value.len : -1;
}

void pxs_cmd_hstrlen(struct pxs_run *x)
{
	s64 len = value_len(x);

	if (len > -2)
		pxs_reply_int(x->out, max(len, 0));
}

void pxs_cmd_hexists(struct pxs_run *x)
{
	s64 len = value_len(x);

	if (len > -2)
		pxs_reply_int(x->out, len >= 0);
}

void pxs_cmd_hincrby(struct pxs_run *x)
{
	struct pxs_str value;
	struct pxs_rec rec;
	char text[24];
	s64 n = 0, delta;
	int there;

	if (!pxs_cmd_int(x, 3, &delta))
		return;
	there = find(x, &rec);
	if (there < 0)
		return;
	if (there && pxs_db_field(x->db, &rec, x->argv[2], &value) && !pxs_str_int(value, &n)) {
		pxs_reply_error(x->out, "ERR hash value is not an integer");
		return;
	}
	if (__builtin_add_overflow(n, delta, &n)) {
		pxs_reply_error(x->out, "ERR increment or decrement would overflow");
		return;
	}
	pxs_db_make_hash(x->db, x->argv[1], &rec);
	sprintf(text, "%lld", (long long)n);
	pxs_db_set_field(x->db, &rec, x->argv[1], x->argv[2], pxs_str(text));
	pxs_reply_int(x->out, n);
}

void pxs_cmd_hincrbyfloat(struct pxs_run *x)
{
	struct pxs_str value, s;
	char text[PXS_FLOAT_TEXT];
	long double n = 0, delta;
	struct pxs_rec rec;
	int there;

	if (!pxs_str_float(x->argv[3], &delta)) {
		pxs_reply_not_float(x->out);
		return;
	}
	if (isnan(delta) || isinf(delta)) {
		pxs_reply_error(x->out, "ERR value is NaN or Infinity");
		return;
	}
	there = find(x, &rec);
	if (there < 0)
		return;
	if (there && pxs_db_field(x->db, &rec, x->argv[2], &value) && !pxs_str_float(value, &n)) {
		pxs_reply_error(x->out, "ERR hash value is not a float");
		return;
	}
	n += delta;
	if (isnan(n) || isinf(n)) {
		pxs_reply_error(x->out, "ERR increment would produce NaN or Infinity");
		return;
	}
	pxs_db_make_hash(x->db, x->argv[1], &rec);
	s = (struct pxs_str){ (const u8 *)text, pxs_float_text(n, text) };
	pxs_db_set_field(x->db, &rec, x->argv[1], x->argv[2], s);
	pxs_reply_str(x->out, s);
}

/* --- whole hashes ------------------------------------------------------------ */

struct whole {
	struct pxs_reply *out;
	bool fields;
	bool values;
};

static bool see(void *ctx, struct pxs_str field, struct pxs_str value)
{
	struct whole *w = ctx;

	if (w->fields)
		pxs_reply_str(w->out, field);
	if (w->values)
		pxs_reply_str(w->out, value);
	return pxs_reply_wanted(w->out);
}

static void answer_whole(struct pxs_run *x, bool fields, bool values)
{
	struct whole w = { .out = x->out, .fields = fields, .values = values };
	struct pxs_rec rec;
	int there = find(x, &rec);
	u32 n = there > 0 ? (u32)rec.count : 0;

	if (there < 0)
		return;
	if (fields && values)
		pxs_reply_map(x->out, n);
	else
		pxs_reply_array(x->out, n);
	if (there)
		pxs_db_items(x->db, &rec, 0, see, &w);
}

void pxs_cmd_hgetall(struct pxs_run *x)
{
	answer_whole(x, true, true);
}

void pxs_cmd_hkeys(struct pxs_run *x)
{
	answer_whole(x, true, false);
}

void pxs_cmd_hvals(struct pxs_run *x)
{
	answer_whole(x, false, true);
}

/* --- some of a hash, by chance ------------------------------------------------ */

struct pair {
	struct pxs_str field;
	struct pxs_str value;
};

struct pairs {
	struct pair *pair;
	u32 n;
};

static bool collect(void *ctx, struct pxs_str field, struct pxs_str value)
{
	struct pairs *p = ctx;

	p->pair[p->n++] = (struct pair){ field, value };
	return true;
}

static void answer_pair(struct pxs_run *x, const struct pair *p, bool values)
{
	if (values && x->out->proto == 3)
		pxs_reply_array(x->out, 2);
	pxs_reply_str(x->out, p->field);
	if (values)
		pxs_reply_str(x->out, p->value);
}

static void begin_pairs(struct pxs_run *x, u64 n, bool values)
{
	pxs_reply_array(x->out, (u32)(values && x->out->proto < 3 ? 2 * n : n));
}

/* @count fields, each at most once: the first steps of a shuffle. */
static void answer_some(struct pxs_run *x, struct pairs *p, u64 count, bool values)
{
	u32 n = (u32)min(count, (u64)p->n);
	struct pair drawn;
	u32 i, at;

	begin_pairs(x, n, values);
	for (i = 0; i < n && pxs_reply_wanted(x->out); i++) {
		at = i;
		if (n < p->n)
			at += (u32)(pxs_db_random(x->db) % (p->n - i));
		drawn = p->pair[at];
		p->pair[at] = p->pair[i];
		p->pair[i] = drawn;
		answer_pair(x, &drawn, values);
	}
}

static void answer_repeated(struct pxs_run *x, const struct pairs *p, u64 count, bool values)
{
	begin_pairs(x, count, values);
	while (count-- && pxs_reply_wanted(x->out))
		answer_pair(x, &p->pair[pxs_db_random(x->db) % p->n], values);
}

static bool parse_count(struct pxs_run *x, s64 *count, bool *values)
{
	if (!pxs_cmd_int(x, 2, count))
		return false;
	*values = x->argc == 4 && pxs_str_is(x->argv[3], "WITHVALUES");
	if (x->argc > 4 || (x->argc == 4 && !*values)) {
		pxs_reply_syntax(x->out);
		return false;
	}
	/* Redis has one bound for both; the length of an answer is another. */
	if (*count >= -(*values ? INT64_MAX / 2 : INT64_MAX) && *count <= INT64_MAX / 2)
		return true;
	pxs_reply_error(x->out, "ERR value is out of range");
	return false;
}

void pxs_cmd_hrandfield(struct pxs_run *x)
{
	bool one = x->argc == 2, values = false;
	struct pairs p = { 0 };
	struct pxs_str field;
	struct pxs_rec rec;
	s64 count = 1;
	int there;

	if (!one && !parse_count(x, &count, &values))
		return;
	there = find(x, &rec);
	if (there < 0)
		return;
	if (!there || !count) {
		if (one)
			pxs_reply_null(x->out);
		else
			pxs_reply_array(x->out, 0);
		return;
	}
	/* Who draws for an answer changes nothing: @count may be two thousand million. */
	if (!pxs_reply_wanted(x->out))
		return;
	if (one) {
		if (pxs_db_some_field(x->db, &rec, &field))
			pxs_reply_str(x->out, field);
		return;
	}
	p.pair = malloc(rec.count * sizeof(*p.pair));
	if (!p.pair) {
		pxs_reply_error(x->out, "ERR no memory");
		return;
	}
	pxs_db_items(x->db, &rec, 0, collect, &p);
	if (count > 0)
		answer_some(x, &p, (u64)count, values);
	else if (-count > UINT32_MAX / 2)
		pxs_reply_error(x->out, "ERR value is out of range");
	else
		answer_repeated(x, &p, (u64)-count, values);
	free(p.pair);
}
