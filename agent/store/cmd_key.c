// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_key.c - commands on keys of any type
 */
#include <ctype.h>
#include <stdio.h>

#include "command.h"

void pxs_cmd_del(struct pxs_run *x)
{
	struct pxs_rec rec;
	s64 n = 0;
	u32 i;

	for (i = 1; i < x->argc; i++) {
		if (!pxs_db_find(x->db, x->argv[i], &rec))
			continue;
		pxs_db_delete(x->db, x->argv[i]);
		n++;
	}
	pxs_reply_int(x->out, n);
}

void pxs_cmd_exists(struct pxs_run *x)
{
	struct pxs_rec rec;
	s64 n = 0;
	u32 i;

	for (i = 1; i < x->argc; i++)
		n += pxs_db_find(x->db, x->argv[i], &rec);
	pxs_reply_int(x->out, n);
}

void pxs_cmd_type(struct pxs_run *x)
{
	static const char *const words[] = { "none", "string", "hash" };
	struct pxs_rec rec;

	pxs_reply_status(x->out, words[pxs_db_find(x->db, x->argv[1], &rec) ? rec.type : 0]);
}

static void move(struct pxs_run *x, bool only_new)
{
	struct pxs_rec rec;
	bool same = pxs_str_equal(x->argv[1], x->argv[2]);

	if (!pxs_db_find(x->db, x->argv[1], &rec)) {
		pxs_reply_error(x->out, "ERR no such key");
		return;
	}
	if (only_new && (same || pxs_db_find(x->db, x->argv[2], &rec))) {
		pxs_reply_int(x->out, 0);
		return;
	}
	if (!same)
		pxs_db_rename(x->db, x->argv[1], x->argv[2]);
	if (only_new)
		pxs_reply_int(x->out, 1);
	else
		pxs_reply_status(x->out, "OK");
}

void pxs_cmd_rename(struct pxs_run *x)
{
	move(x, false);
}

void pxs_cmd_renamenx(struct pxs_run *x)
{
	move(x, true);
}

bool pxs_cmd_flushall_good(u32 argc, const struct pxs_str *argv)
{
	return argc == 1 ||
	       (argc == 2 && (pxs_str_is(argv[1], "ASYNC") || pxs_str_is(argv[1], "SYNC")));
}

void pxs_cmd_flushall(struct pxs_run *x)
{
	if (!pxs_cmd_flushall_good(x->argc, x->argv)) {
		pxs_reply_syntax(x->out);
		return;
	}
	pxs_db_flush(x->db);
	pxs_reply_status(x->out, "OK");
}

void pxs_cmd_dbsize(struct pxs_run *x)
{
	pxs_reply_int(x->out, (s64)x->db->state.keys);
}

/* --- expiry ------------------------------------------------------------------ */

struct conditions {
	bool nx;
	bool xx;
	bool gt;
	bool lt;
};

static bool parse_conditions(struct pxs_run *x, struct conditions *c)
{
	u32 i;

	memset(c, 0, sizeof(*c));
	for (i = 3; i < x->argc; i++) {
		if (pxs_str_is(x->argv[i], "NX")) {
			c->nx = true;
		} else if (pxs_str_is(x->argv[i], "XX")) {
			c->xx = true;
		} else if (pxs_str_is(x->argv[i], "GT")) {
			c->gt = true;
		} else if (pxs_str_is(x->argv[i], "LT")) {
			c->lt = true;
		} else {
			pxs_reply_error(x->out, "ERR Unsupported option %.*s",
					(int)x->argv[i].len, (const char *)x->argv[i].data);
			return false;
		}
	}
	if (c->nx && (c->xx || c->gt || c->lt))
		pxs_reply_error(x->out,
				"ERR NX and XX, GT or LT options at the same time are not compatible");
	else if (c->gt && c->lt)
		pxs_reply_error(x->out, "ERR GT and LT options at the same time are not compatible");
	else
		return true;
	return false;
}

/* A key that never expires counts as one that does so after all others. */
static bool conditions_hold(const struct conditions *c, u64 now, s64 then)
{
	if (c->nx && now)
		return false;
	if (c->xx && !now)
		return false;
	if (c->gt && (!now || then <= (s64)now))
		return false;
	return !(c->lt && now && then >= (s64)now);
}

static void expire(struct pxs_run *x, s64 unit, u64 base)
{
	struct conditions c;
	struct pxs_rec rec;
	s64 n;

	if (!parse_conditions(x, &c) || !pxs_cmd_int(x, 2, &n))
		return;
	if (n > INT64_MAX / unit || n < INT64_MIN / unit ||
	    n * unit > INT64_MAX - (s64)base) {
		pxs_cmd_bad_expire(x);
		return;
	}
	n = n * unit + (s64)base;
	if (!pxs_db_find(x->db, x->argv[1], &rec) || !conditions_hold(&c, rec.expire, n)) {
		pxs_reply_int(x->out, 0);
		return;
	}
	if (n <= (s64)x->now)
		pxs_db_delete(x->db, x->argv[1]);
	else
		pxs_db_set_expire(x->db, x->argv[1], (u64)n);
	pxs_reply_int(x->out, 1);
}

void pxs_cmd_expire(struct pxs_run *x)
{
	expire(x, 1000, x->now);
}

void pxs_cmd_pexpire(struct pxs_run *x)
{
	expire(x, 1, x->now);
}

void pxs_cmd_expireat(struct pxs_run *x)
{
	expire(x, 1000, 0);
}

void pxs_cmd_pexpireat(struct pxs_run *x)
{
	expire(x, 1, 0);
}

/* What is left from @base on, or, with @base 0, when. */
static void time_left(struct pxs_run *x, u64 base, bool seconds)
{
	struct pxs_rec rec;
	u64 left;

	if (!pxs_db_find(x->db, x->argv[1], &rec)) {
		pxs_reply_int(x->out, -2);
		return;
	}
	if (!rec.expire) {
		pxs_reply_int(x->out, -1);
		return;
	}
	left = rec.expire > base ? rec.expire - base : 0;
	pxs_reply_int(x->out, (s64)(seconds ? (left + 500) / 1000 : left));
}

void pxs_cmd_ttl(struct pxs_run *x)
{
	time_left(x, x->now, true);
}

void pxs_cmd_pttl(struct pxs_run *x)
{
	time_left(x, x->now, false);
}

void pxs_cmd_expiretime(struct pxs_run *x)
{
	time_left(x, 0, true);
}

void pxs_cmd_pexpiretime(struct pxs_run *x)
{
	time_left(x, 0, false);
}

void pxs_cmd_persist(struct pxs_run *x)
{
	struct pxs_rec rec;
	bool had = pxs_db_find(x->db, x->argv[1], &rec) && rec.expire;

	if (had)
		pxs_db_set_expire(x->db, x->argv[1], 0);
	pxs_reply_int(x->out, had);
}

/* --- without data ------------------------------------------------------------ */

void pxs_cmd_ping(struct pxs_run *x)
{
	if (x->argc > 2)
		pxs_reply_arity(x->out, x->cmd->name);
	else if (x->argc == 2)
		pxs_reply_str(x->out, x->argv[1]);
	else
		pxs_reply_status(x->out, "PONG");
}

void pxs_cmd_echo(struct pxs_run *x)
{
	pxs_reply_str(x->out, x->argv[1]);
}

void pxs_cmd_time(struct pxs_run *x)
{
	pxs_reply_array(x->out, 2);
	pxs_reply_number(x->out, (s64)(x->now / 1000));
	pxs_reply_number(x->out, (s64)(x->now % 1000 * 1000));
}

/* There is one database. */
void pxs_cmd_select(struct pxs_run *x)
{
	s64 n;

	if (!pxs_cmd_int(x, 1, &n))
		return;
	if (n < INT32_MIN || n > INT32_MAX)
		pxs_reply_error(x->out, "ERR value is out of range, value must between %d and %d",
				INT32_MIN, INT32_MAX);
	else if (n)
		pxs_reply_error(x->out, "ERR DB index is out of range");
	else
		pxs_reply_status(x->out, "OK");
}

/* Between MULTI and EXEC: the latter has done it. */
void pxs_cmd_unwatch(struct pxs_run *x)
{
	pxs_reply_status(x->out, "OK");
}
