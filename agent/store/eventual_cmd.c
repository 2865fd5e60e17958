// SPDX-License-Identifier: GPL-2.0
/*
 * eventual_cmd.c - commands on eventual keys
 *
 * Order of checks and words of errors are those of Redis 7.0, as in cmd_string.c and cmd_hash.c.
 */
#include "eventual_cmd.h"

#include <stdio.h>

void pxs_ev_refuse(struct pxs_reply *o, const char *word)
{
	pxs_reply_error(o, "ERR '%s' cannot be done on a key with an eventual prefix: no quorum is asked there, and the last writer of a value or a field wins",
			word);
}

static void note(struct pxs_ev_run *x, const struct pxs_element *e)
{
	if (pxs_stamp_compare(&e->stamp, &x->stamp) > 0)
		x->stamp = e->stamp;
}

/* --- what is here --- */

struct fields {
	struct pxs_ev_run *x;
	bool names, values;
	bool one;		/* one will do */
	u32 n;			/* alive */
};

static bool see_field(void *ctx, const struct pxs_element *e)
{
	struct fields *f = ctx;

	note(f->x, e);
	if (e->dead)
		return true;
	f->n++;
	if (f->names)
		pxs_reply_str(f->x->out, e->field);
	if (f->values)
		pxs_reply_str(f->x->out, e->value);
	return !f->one && !f->x->out->failed;
}

static u32 count_fields(struct pxs_ev_run *x, struct pxs_str key, bool one)
{
	struct fields f = { .x = x, .one = one };

	pxs_evdb_fields(x->tx, key, see_field, &f);
	return f.n;
}

/* The string at @key. */
static bool get_string(struct pxs_ev_run *x, struct pxs_str key, struct pxs_element *e)
{
	if (!pxs_evdb_get(x->tx, key, NULL, e))
		return false;
	note(x, e);
	return pxs_lww_alive(e, x->now);
}

static bool get_field(struct pxs_ev_run *x, struct pxs_str key, struct pxs_str field,
		      struct pxs_element *e)
{
	if (!pxs_evdb_get(x->tx, key, &field, e))
		return false;
	note(x, e);
	return !e->dead;
}

static enum pxs_type type_of(struct pxs_ev_run *x, struct pxs_str key)
{
	struct pxs_element e;

	if (get_string(x, key, &e))
		return PXS_TYPE_STRING;
	return count_fields(x, key, true) ? PXS_TYPE_HASH : PXS_TYPE_NONE;
}

/* Return: 1: a string, *e is it; 0: nothing; -1: a hash, and said so. */
static int find_string(struct pxs_ev_run *x, struct pxs_element *e)
{
	if (get_string(x, x->argv[1], e))
		return 1;
	if (!count_fields(x, x->argv[1], true))
		return 0;
	pxs_reply_wrong_type(x->out);
	return -1;
}

/* Return: false: it is a string, and said so. */
static bool may_be_hash(struct pxs_ev_run *x)
{
	struct pxs_element e;

	if (!get_string(x, x->argv[1], &e))
		return true;
	pxs_reply_wrong_type(x->out);
	return false;
}

/* --- writing --- */

static bool fits(struct pxs_ev_run *x, struct pxs_str s, u32 most, const char *what)
{
	if (s.len <= most)
		return true;
	pxs_reply_error(x->out, "ERR %s is longer than %u bytes", what, most);
	return false;
}

static bool has_room(struct pxs_ev_run *x)
{
	if (!x->memory || x->tx->db->next.used <= x->memory)
		return true;
	pxs_reply_error(x->out, "OOM command not allowed when used memory > 'maxmemory'.");
	return false;
}

static void write(struct pxs_ev_run *x, struct pxs_element e)
{
	pxs_evdb_write(x->tx, &e, x->wall);
	note(x, &e);
}

static void write_string(struct pxs_ev_run *x, struct pxs_str key, struct pxs_str value,
			 u64 deadline)
{
	write(x, (struct pxs_element){
		.kind = PXS_LWW_WHOLE, .key = key, .value = value, .deadline = deadline,
	});
}

static void write_field(struct pxs_ev_run *x, struct pxs_str field, const struct pxs_str *value)
{
	struct pxs_element e = {
		.kind = PXS_LWW_FIELD, .key = x->argv[1], .field = field, .dead = !value,
	};

	if (value)
		e.value = *value;
	write(x, e);
}

/* --- strings --- */

static void cmd_get(struct pxs_ev_run *x)
{
	struct pxs_element e;
	int found = find_string(x, &e);

	if (found > 0)
		pxs_reply_str(x->out, e.value);
	else if (!found)
		pxs_reply_null(x->out);
}

static void cmd_mget(struct pxs_ev_run *x)
{
	struct pxs_element e;
	u32 i;

	pxs_reply_array(x->out, x->argc - 1);
	for (i = 1; i < x->argc; i++) {
		if (get_string(x, x->argv[i], &e))
			pxs_reply_str(x->out, e.value);
		else
			pxs_reply_null(x->out);
	}
}

static void cmd_strlen(struct pxs_ev_run *x)
{
	struct pxs_element e;
	int found = find_string(x, &e);

	if (found >= 0)
		pxs_reply_int(x->out, found ? e.value.len : 0);
}

static bool number(struct pxs_ev_run *x, u32 i, s64 *n)
{
	if (pxs_str_int(x->argv[i], n))
		return true;
	pxs_reply_not_int(x->out);
	return false;
}

static void cmd_getrange(struct pxs_ev_run *x)
{
	struct pxs_element e;
	s64 from, to;
	int found;

	if (!number(x, 2, &from) || !number(x, 3, &to))
		return;
	found = find_string(x, &e);
	if (found < 0)
		return;
	pxs_reply_range(x->out, found ? e.value : (struct pxs_str){ 0 }, from, to);
}

/* Argument @i as a deadline. */
static bool when(struct pxs_ev_run *x, u32 i, bool seconds, bool at, const char *name,
		 u64 *deadline)
{
	s64 n;

	if (!number(x, i, &n))
		return false;
	if (n <= 0 || (seconds && n > INT64_MAX / 1000))
		goto bad;
	if (seconds)
		n *= 1000;
	if (!at && n > INT64_MAX - (s64)x->now)
		goto bad;
	*deadline = (u64)n + (at ? 0 : x->now);
	return true;
bad:
	pxs_reply_error(x->out, "ERR invalid expire time in '%s' command", name);
	return false;
}

/* Return: argv[i] is an option of SET that reads what is there, and said so. */
static bool refused(struct pxs_ev_run *x, u32 i)
{
	static const char *const words[] = { "NX", "XX", "GET", "KEEPTTL" };
	char text[12];
	u32 w;

	for (w = 0; w < ARRAY_SIZE(words); w++) {
		if (!pxs_str_is(x->argv[i], words[w]))
			continue;
		snprintf(text, sizeof(text), "set %s", words[w]);
		pxs_ev_refuse(x->out, text);
		return true;
	}
	return false;
}

static bool set_options(struct pxs_ev_run *x, u64 *deadline)
{
	static const struct {
		const char *word;
		bool seconds, at;
	} words[] = {
		{ "EX", true, false }, { "PX", false, false }, { "EXAT", true, true },
		{ "PXAT", false, true },
	};
	u32 w;

	for (w = 3; w < x->argc; w++)
		if (refused(x, w))
			return false;
	if (x->argc == 3)
		return true;
	for (w = 0; w < ARRAY_SIZE(words); w++)
		if (x->argc == 5 && pxs_str_is(x->argv[3], words[w].word))
			return when(x, 4, words[w].seconds, words[w].at, "set", deadline);
	pxs_reply_syntax(x->out);
	return false;
}

static bool key_and_value_fit(struct pxs_ev_run *x, struct pxs_str key, struct pxs_str value)
{
	return fits(x, key, PXS_LWW_KEY_MAX, "key") &&
	       fits(x, value, PXS_LWW_VALUE_MAX, "value");
}

static void cmd_set(struct pxs_ev_run *x)
{
	u64 deadline = 0;

	if (!set_options(x, &deadline) || !key_and_value_fit(x, x->argv[1], x->argv[2]) ||
	    !has_room(x))
		return;
	write_string(x, x->argv[1], x->argv[2], deadline);
	pxs_reply_status(x->out, "OK");
}

static void set_for(struct pxs_ev_run *x, bool seconds, const char *name)
{
	u64 deadline;

	if (!when(x, 2, seconds, false, name, &deadline) ||
	    !key_and_value_fit(x, x->argv[1], x->argv[3]) || !has_room(x))
		return;
	write_string(x, x->argv[1], x->argv[3], deadline);
	pxs_reply_status(x->out, "OK");
}

static void cmd_setex(struct pxs_ev_run *x)
{
	set_for(x, true, "setex");
}

static void cmd_psetex(struct pxs_ev_run *x)
{
	set_for(x, false, "psetex");
}

static void cmd_mset(struct pxs_ev_run *x)
{
	u32 i;

	if (!(x->argc % 2)) {
		pxs_reply_arity(x->out, "mset");
		return;
	}
	for (i = 1; i < x->argc; i += 2)
		if (!key_and_value_fit(x, x->argv[i], x->argv[i + 1]))
			return;
	if (!has_room(x))
		return;
	for (i = 1; i < x->argc; i += 2)
		write_string(x, x->argv[i], x->argv[i + 1], 0);
	pxs_reply_status(x->out, "OK");
}

/* --- keys --- */

static void cmd_del(struct pxs_ev_run *x)
{
	s64 n = 0;
	u32 i;

	for (i = 1; i < x->argc; i++)
		if (!fits(x, x->argv[i], PXS_LWW_KEY_MAX, "key"))
			return;
	for (i = 1; i < x->argc; i++) {
		n += type_of(x, x->argv[i]) != PXS_TYPE_NONE;
		write(x, (struct pxs_element){
			.kind = PXS_LWW_WHOLE, .key = x->argv[i], .dead = true,
		});
	}
	pxs_reply_int(x->out, n);
}

static void cmd_exists(struct pxs_ev_run *x)
{
	s64 n = 0;
	u32 i;

	for (i = 1; i < x->argc; i++)
		n += type_of(x, x->argv[i]) != PXS_TYPE_NONE;
	pxs_reply_int(x->out, n);
}

static void cmd_type(struct pxs_ev_run *x)
{
	static const char *const words[] = { "none", "string", "hash" };

	pxs_reply_status(x->out, words[type_of(x, x->argv[1])]);
}

/* Deadline of a key in ms of the epoch; -1: it has none; -2: it is not there. */
static s64 deadline_of(struct pxs_ev_run *x)
{
	struct pxs_element e;

	if (get_string(x, x->argv[1], &e))
		return e.deadline ? (s64)e.deadline : -1;
	return count_fields(x, x->argv[1], true) ? -1 : -2;
}

static void cmd_pexpiretime(struct pxs_ev_run *x)
{
	pxs_reply_int(x->out, deadline_of(x));
}

static void cmd_expiretime(struct pxs_ev_run *x)
{
	s64 at = deadline_of(x);

	pxs_reply_int(x->out, at < 0 ? at : (at + 500) / 1000);
}

static void cmd_pttl(struct pxs_ev_run *x)
{
	s64 at = deadline_of(x);

	pxs_reply_int(x->out, at < 0 ? at : at - (s64)x->now);
}

static void cmd_ttl(struct pxs_ev_run *x)
{
	s64 at = deadline_of(x);

	pxs_reply_int(x->out, at < 0 ? at : (at - (s64)x->now + 500) / 1000);
}

/* --- hashes --- */

/* Return: all of it holds, or it is said what does not. */
static bool set_fields(struct pxs_ev_run *x, const char *name, s64 *added)
{
	struct pxs_element e;
	u32 i;

	if (x->argc % 2) {
		pxs_reply_arity(x->out, name);
		return false;
	}
	for (i = 2; i < x->argc; i += 2)
		if (!fits(x, x->argv[i], PXS_LWW_KEY_MAX, "field") ||
		    !key_and_value_fit(x, x->argv[1], x->argv[i + 1]))
			return false;
	if (!may_be_hash(x) || !has_room(x))
		return false;
	for (i = 2; i < x->argc; i += 2) {
		*added += !get_field(x, x->argv[1], x->argv[i], &e);
		write_field(x, x->argv[i], &x->argv[i + 1]);
	}
	return true;
}

static void cmd_hset(struct pxs_ev_run *x)
{
	s64 added = 0;

	if (set_fields(x, "hset", &added))
		pxs_reply_int(x->out, added);
}

static void cmd_hmset(struct pxs_ev_run *x)
{
	s64 added = 0;

	if (set_fields(x, "hmset", &added))
		pxs_reply_status(x->out, "OK");
}

static void cmd_hdel(struct pxs_ev_run *x)
{
	struct pxs_element e;
	s64 n = 0;
	u32 i;

	for (i = 1; i < x->argc; i++)
		if (!fits(x, x->argv[i], PXS_LWW_KEY_MAX, i == 1 ? "key" : "field"))
			return;
	if (!may_be_hash(x))
		return;
	for (i = 2; i < x->argc; i++) {
		n += get_field(x, x->argv[1], x->argv[i], &e);
		write_field(x, x->argv[i], NULL);
	}
	pxs_reply_int(x->out, n);
}

static void cmd_hget(struct pxs_ev_run *x)
{
	struct pxs_element e;

	if (!may_be_hash(x))
		return;
	if (get_field(x, x->argv[1], x->argv[2], &e))
		pxs_reply_str(x->out, e.value);
	else
		pxs_reply_null(x->out);
}

static void cmd_hmget(struct pxs_ev_run *x)
{
	struct pxs_element e;
	u32 i;

	if (!may_be_hash(x))
		return;
	pxs_reply_array(x->out, x->argc - 2);
	for (i = 2; i < x->argc; i++) {
		if (get_field(x, x->argv[1], x->argv[i], &e))
			pxs_reply_str(x->out, e.value);
		else
			pxs_reply_null(x->out);
	}
}

static void cmd_hexists(struct pxs_ev_run *x)
{
	struct pxs_element e;

	if (may_be_hash(x))
		pxs_reply_int(x->out, get_field(x, x->argv[1], x->argv[2], &e));
}

static void cmd_hstrlen(struct pxs_ev_run *x)
{
	struct pxs_element e;

	if (may_be_hash(x))
		pxs_reply_int(x->out, get_field(x, x->argv[1], x->argv[2], &e) ? e.value.len : 0);
}

static void cmd_hlen(struct pxs_ev_run *x)
{
	if (may_be_hash(x))
		pxs_reply_int(x->out, count_fields(x, x->argv[1], false));
}

static void answer_fields(struct pxs_ev_run *x, bool names, bool values)
{
	struct fields f = { .x = x, .names = names, .values = values };
	u32 n;

	if (!may_be_hash(x))
		return;
	n = count_fields(x, x->argv[1], false);
	if (names && values)
		pxs_reply_map(x->out, n);
	else
		pxs_reply_array(x->out, n);
	pxs_evdb_fields(x->tx, x->argv[1], see_field, &f);
}

static void cmd_hgetall(struct pxs_ev_run *x)
{
	answer_fields(x, true, true);
}

static void cmd_hkeys(struct pxs_ev_run *x)
{
	answer_fields(x, true, false);
}

static void cmd_hvals(struct pxs_ev_run *x)
{
	answer_fields(x, false, true);
}

/* --- the table --- */

typedef void (*command_t)(struct pxs_ev_run *x);

/* By the function of the strong ones, which other names share: UNLINK, TOUCH, SUBSTR. */
static command_t find(const struct pxs_command *cmd)
{
	static const struct {
		void (*strong)(struct pxs_run *x);
		command_t run;
	} commands[] = {
		{ pxs_cmd_del, cmd_del }, { pxs_cmd_exists, cmd_exists },
		{ pxs_cmd_expiretime, cmd_expiretime }, { pxs_cmd_get, cmd_get },
		{ pxs_cmd_getrange, cmd_getrange }, { pxs_cmd_hdel, cmd_hdel },
		{ pxs_cmd_hexists, cmd_hexists }, { pxs_cmd_hget, cmd_hget },
		{ pxs_cmd_hgetall, cmd_hgetall }, { pxs_cmd_hkeys, cmd_hkeys },
		{ pxs_cmd_hlen, cmd_hlen }, { pxs_cmd_hmget, cmd_hmget },
		{ pxs_cmd_hmset, cmd_hmset }, { pxs_cmd_hset, cmd_hset },
		{ pxs_cmd_hstrlen, cmd_hstrlen }, { pxs_cmd_hvals, cmd_hvals },
		{ pxs_cmd_mget, cmd_mget }, { pxs_cmd_mset, cmd_mset },
		{ pxs_cmd_pexpiretime, cmd_pexpiretime }, { pxs_cmd_psetex, cmd_psetex },
		{ pxs_cmd_pttl, cmd_pttl }, { pxs_cmd_set, cmd_set },
		{ pxs_cmd_setex, cmd_setex }, { pxs_cmd_strlen, cmd_strlen },
		{ pxs_cmd_ttl, cmd_ttl }, { pxs_cmd_type, cmd_type },
	};
	u32 i;

	for (i = 0; cmd->run && i < ARRAY_SIZE(commands); i++)
		if (commands[i].strong == cmd->run)
			return commands[i].run;
	return NULL;
}

bool pxs_ev_knows(const struct pxs_command *cmd)
{
	return find(cmd);
}

void pxs_ev_run(const struct pxs_command *cmd, struct pxs_ev_run *x)
{
	find(cmd)(x);
}
