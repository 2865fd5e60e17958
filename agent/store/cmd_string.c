// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_string.c - commands on strings
 *
 * Order of checks and words of errors are those of Redis 7.0.
 */
#include <math.h>
#include <stdio.h>

#include "command.h"

enum unit {
	SECONDS,
	MILLISECONDS,
};

/* Options of SET and GETEX. */
struct options {
	bool nx;
	bool xx;
	bool get;
	bool keep;
	bool persist;
	bool expires;
	bool at;		/* a point in time, not a duration */
	enum unit unit;
	u32 arg;		/* which says when */
};

static bool option_of_time(struct pxs_run *x, u32 *i, struct options *o)
{
	static const struct {
		const char *word;
		enum unit unit;
		bool at;
	} words[] = {
		{ "EX", SECONDS, false }, { "PX", MILLISECONDS, false },
		{ "EXAT", SECONDS, true }, { "PXAT", MILLISECONDS, true },
	};
	u32 w;

	for (w = 0; w < ARRAY_SIZE(words); w++) {
		if (!pxs_str_is(x->argv[*i], words[w].word))
			continue;
		if (o->keep || o->persist || *i + 1 == x->argc)
			return false;
		if (o->expires && (o->unit != words[w].unit || o->at != words[w].at))
			return false;
		o->expires = true;
		o->unit = words[w].unit;
		o->at = words[w].at;
		o->arg = ++*i;
		return true;
	}
	return false;
}

static bool parse_options(struct pxs_run *x, u32 from, bool set, struct options *o)
{
	u32 i;

	memset(o, 0, sizeof(*o));
	for (i = from; i < x->argc; i++) {
		if (set && !o->xx && pxs_str_is(x->argv[i], "NX"))
			o->nx = true;
		else if (set && !o->nx && pxs_str_is(x->argv[i], "XX"))
			o->xx = true;
		else if (set && pxs_str_is(x->argv[i], "GET"))
			o->get = true;
		else if (set && !o->expires && pxs_str_is(x->argv[i], "KEEPTTL"))
			o->keep = true;
		else if (!set && !o->expires && pxs_str_is(x->argv[i], "PERSIST"))
			o->persist = true;
		else if (!option_of_time(x, &i, o))
			goto syntax;
	}
	return true;
syntax:
	pxs_reply_syntax(x->out);
	return false;
}

/* When what argument @i says is, in milliseconds of the epoch. */
static bool when(struct pxs_run *x, u32 i, enum unit unit, bool at, u64 *expire)
{
	s64 n;

	if (!pxs_cmd_int(x, i, &n))
		return false;
	if (n <= 0 || (unit == SECONDS && n > INT64_MAX / 1000))
		goto bad;
	if (unit == SECONDS)
		n *= 1000;
	if (!at && n > INT64_MAX - (s64)x->now)
		goto bad;
	*expire = (u64)n + (at ? 0 : x->now);
	return true;
bad:
	pxs_cmd_bad_expire(x);
	return false;
}

/* Answer with the string at the key, or null. Return: as pxs_cmd_find_type(). */
static int answer_get(struct pxs_run *x, struct pxs_rec *rec)
{
	int found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, rec);

	if (found > 0)
		pxs_reply_str(x->out, rec->value);
	else if (!found)
		pxs_reply_null(x->out);
	return found;
}

void pxs_cmd_get(struct pxs_run *x)
{
	struct pxs_rec rec;

	answer_get(x, &rec);
}

void pxs_cmd_set(struct pxs_run *x)
{
	struct options o;
	struct pxs_rec rec;
	u64 expire = 0;
	bool found;

	if (!parse_options(x, 3, true, &o))
		return;
	if (o.expires && !when(x, o.arg, o.unit, o.at, &expire))
		return;
	if (o.get && answer_get(x, &rec) < 0)
		return;
	found = pxs_db_find(x->db, x->argv[1], &rec);
	if ((o.nx && found) || (o.xx && !found)) {
		if (!o.get)
			pxs_reply_null(x->out);
		return;
	}
	if (o.keep && found)
		expire = rec.expire;
	pxs_db_set_string(x->db, x->argv[1], x->argv[2], expire);
	if (!o.get)
		pxs_reply_status(x->out, "OK");
}

void pxs_cmd_setnx(struct pxs_run *x)
{
	struct pxs_rec rec;
	bool found = pxs_db_find(x->db, x->argv[1], &rec);

	if (!found)
		pxs_db_set_string(x->db, x->argv[1], x->argv[2], 0);
	pxs_reply_int(x->out, !found);
}

static void set_for(struct pxs_run *x, enum unit unit)
{
	u64 expire;

	if (!when(x, 2, unit, false, &expire))
		return;
	pxs_db_set_string(x->db, x->argv[1], x->argv[3], expire);
	pxs_reply_status(x->out, "OK");
}

void pxs_cmd_setex(struct pxs_run *x)
{
	set_for(x, SECONDS);
}

void pxs_cmd_psetex(struct pxs_run *x)
{
	set_for(x, MILLISECONDS);
}

void pxs_cmd_getset(struct pxs_run *x)
{
	struct pxs_rec rec;

	if (answer_get(x, &rec) >= 0)
		pxs_db_set_string(x->db, x->argv[1], x->argv[2], 0);
}

void pxs_cmd_getdel(struct pxs_run *x)
{
	struct pxs_rec rec;

	if (answer_get(x, &rec) > 0)
		pxs_db_delete(x->db, x->argv[1]);
}

void pxs_cmd_getex(struct pxs_run *x)
{
	struct pxs_rec rec;
	struct options o;
	u64 expire = 0;
	int found;

	if (!parse_options(x, 2, false, &o))
		return;
	found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);
	if (!found)
		pxs_reply_null(x->out);
	if (found <= 0 || (o.expires && !when(x, o.arg, o.unit, o.at, &expire)))
		return;
	pxs_reply_str(x->out, rec.value);
	if (o.at && expire <= x->now)
		pxs_db_delete(x->db, x->argv[1]);
	else if (o.expires || (o.persist && rec.expire))
		pxs_db_set_expire(x->db, x->argv[1], expire);
}

void pxs_cmd_mget(struct pxs_run *x)
{
	struct pxs_rec rec;
	u32 i;

	pxs_reply_array(x->out, x->argc - 1);
	for (i = 1; i < x->argc; i++) {
		if (pxs_db_find(x->db, x->argv[i], &rec) && rec.type == PXS_TYPE_STRING)
			pxs_reply_str(x->out, rec.value);
		else
			pxs_reply_null(x->out);
	}
}

static bool in_pairs(struct pxs_run *x)
{
	if (x->argc % 2)
		return true;
	pxs_reply_arity(x->out, x->cmd->name);
	return false;
}

static void set_all(struct pxs_run *x)
{
	u32 i;

	for (i = 1; i < x->argc; i += 2)
		pxs_db_set_string(x->db, x->argv[i], x->argv[i + 1], 0);
}

void pxs_cmd_mset(struct pxs_run *x)
{
	if (!in_pairs(x))
		return;
	set_all(x);
	pxs_reply_status(x->out, "OK");
}

void pxs_cmd_msetnx(struct pxs_run *x)
{
	struct pxs_rec rec;
	u32 i;

	if (!in_pairs(x))
		return;
	for (i = 1; i < x->argc; i += 2) {
		if (pxs_db_find(x->db, x->argv[i], &rec)) {
			pxs_reply_int(x->out, 0);
			return;
		}
	}
	set_all(x);
	pxs_reply_int(x->out, 1);
}

void pxs_cmd_strlen(struct pxs_run *x)
{
	struct pxs_rec rec;
	int found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);

	if (found >= 0)
		pxs_reply_int(x->out, found ? rec.value.len : 0);
}

/* The string at the key with @s from @offset on, zeroes in between. */
static void write_at(struct pxs_run *x, const struct pxs_rec *rec, u32 offset, struct pxs_str s)
{
	u32 old = rec ? rec->value.len : 0;
	u32 len = max(old, offset + s.len);
	u8 *copy = x->db->copy;

	if (old)
		memcpy(copy, rec->value.data, old);
	if (offset > old)
		memset(copy + old, 0, offset - old);
	memcpy(copy + offset, s.data, s.len);
	pxs_db_set_string(x->db, x->argv[1], (struct pxs_str){ copy, len }, rec ? rec->expire : 0);
	pxs_reply_int(x->out, len);
}

void pxs_cmd_append(struct pxs_run *x)
{
	struct pxs_rec rec;
	int found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);
	u32 old = found > 0 ? rec.value.len : 0;

	if (found >= 0 && (!found || pxs_cmd_fits(x, old, x->argv[2].len)))
		write_at(x, found ? &rec : NULL, old, x->argv[2]);
}

void pxs_cmd_setrange(struct pxs_run *x)
{
	struct pxs_rec rec;
	s64 offset;
	int found;

	if (!pxs_cmd_int(x, 2, &offset))
		return;
	if (offset < 0) {
		pxs_reply_error(x->out, "ERR offset is out of range");
		return;
	}
	found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);
	if (found < 0)
		return;
	if (!x->argv[3].len)
		pxs_reply_int(x->out, found ? rec.value.len : 0);
	else if (pxs_cmd_fits(x, (u64)offset, x->argv[3].len))
		write_at(x, found ? &rec : NULL, (u32)offset, x->argv[3]);
}

/* All of them copy the string, if only to note a time. */
static bool copies(const struct pxs_command *cmd)
{
	static void (*const those[])(struct pxs_run *x) = {
		pxs_cmd_append, pxs_cmd_expire, pxs_cmd_expireat, pxs_cmd_getex, pxs_cmd_persist,
		pxs_cmd_pexpire, pxs_cmd_pexpireat, pxs_cmd_rename, pxs_cmd_renamenx,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(those); i++)
		if (cmd->run == those[i])
			return true;
	return false;
}

u64 pxs_cmd_writes(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv, u64 old)
{
	s64 offset;
	u64 end;

	if (copies(cmd))
		return cmd->run == pxs_cmd_append ?
		       min(old + argv[argc - 1].len, (u64)PXS_STRING_MAX) : old;
	if (cmd->run != pxs_cmd_setrange || !pxs_str_int(argv[2], &offset) || !argv[3].len)
		return 0;
	if (offset < 0 || offset > PXS_STRING_MAX)
		return 0;
	end = (u64)offset + argv[3].len;
	return end > PXS_STRING_MAX ? 0 : max(old, end);
}

void pxs_cmd_getrange(struct pxs_run *x)
{
	struct pxs_rec rec;
	s64 from, to;
	int found;

	if (!pxs_cmd_int(x, 2, &from) || !pxs_cmd_int(x, 3, &to))
		return;
	found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);
	if (found < 0)
		return;
	pxs_reply_range(x->out, found ? rec.value : (struct pxs_str){ 0 }, from, to);
}

/* --- numbers ----------------------------------------------------------------- */

static void add(struct pxs_run *x, s64 delta)
{
	struct pxs_rec rec;
	int found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);
	char text[24];
	s64 n = 0;

	if (found < 0)
		return;
	if (found && !pxs_str_int(rec.value, &n)) {
		pxs_reply_not_int(x->out);
		return;
	}
	if (__builtin_add_overflow(n, delta, &n)) {
		pxs_reply_error(x->out, "ERR increment or decrement would overflow");
		return;
	}
	sprintf(text, "%lld", (long long)n);
	pxs_db_set_string(x->db, x->argv[1], pxs_str(text), found ? rec.expire : 0);
	pxs_reply_int(x->out, n);
}

void pxs_cmd_incr(struct pxs_run *x)
{
	add(x, 1);
}

void pxs_cmd_decr(struct pxs_run *x)
{
	add(x, -1);
}

void pxs_cmd_incrby(struct pxs_run *x)
{
	s64 n;

	if (pxs_cmd_int(x, 2, &n))
		add(x, n);
}

void pxs_cmd_decrby(struct pxs_run *x)
{
	s64 n;

	if (!pxs_cmd_int(x, 2, &n))
		return;
	if (n == INT64_MIN)
		pxs_reply_error(x->out, "ERR decrement would overflow");
	else
		add(x, -n);
}

/*
 * In long double, as Redis does it. Members of one group must have the same long double: a
 * group does not mix architectures (paxsteerd.conf(5)).
 */
void pxs_cmd_incrbyfloat(struct pxs_run *x)
{
	struct pxs_rec rec;
	int found = pxs_cmd_find_type(x, x->argv[1], PXS_TYPE_STRING, &rec);
	long double value = 0, delta;
	char text[PXS_FLOAT_TEXT];
	struct pxs_str s = { (const u8 *)text, 0 };

	if (found < 0)
		return;
	if ((found && !pxs_str_float(rec.value, &value)) || !pxs_str_float(x->argv[2], &delta)) {
		pxs_reply_not_float(x->out);
		return;
	}
	value += delta;
	if (isnan(value) || isinf(value)) {
		pxs_reply_error(x->out, "ERR increment would produce NaN or Infinity");
		return;
	}
	s.len = pxs_float_text(value, text);
	pxs_db_set_string(x->db, x->argv[1], s, found ? rec.expire : 0);
	pxs_reply_str(x->out, s);
}
