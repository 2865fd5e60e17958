// SPDX-License-Identifier: GPL-2.0
/*
 * command.c - the commands, in one table
 */
#include "command.h"

#include <stdio.h>
#include <strings.h>

#define W	PXS_CF_WRITE
#define R	PXS_CF_READ
#define G	PXS_CF_GROWS
#define F	PXS_CF_FAST
#define N	PXS_CF_NOAUTH
#define M	PXS_CF_NOMULTI
#define S	PXS_CF_STALE
#define P	PXS_CF_PURE
#define L	PXS_CF_LATE

#define DATA(name, arity, flags, first, last, step) \
	{ #name, arity, flags, first, last, step, pxs_cmd_##name, PXS_LOCAL_NONE }
#define ALIAS(name, as, arity, flags, first, last, step) \
	{ #name, arity, flags, first, last, step, pxs_cmd_##as, PXS_LOCAL_NONE }
#define LOCAL(name, arity, flags, first, last, step, number) \
	{ #name, arity, flags, first, last, step, NULL, PXS_LOCAL_##number }

/* In the order of their names. */
static const struct pxs_command commands[] = {
	DATA(append, 3, W | G | F, 1, 1, 1),
	LOCAL(auth, -2, F | N | S | L, 0, 0, 0, AUTH),
	LOCAL(bgsave, -1, L, 0, 0, 0, BGSAVE),
	LOCAL(client, -2, S | L, 0, 0, 0, CLIENT),
	LOCAL(cluster, -2, S | L, 0, 0, 0, CLUSTER),
	LOCAL(command, -1, S | L, 0, 0, 0, COMMAND),
	LOCAL(config, -2, S | L, 0, 0, 0, CONFIG),
	DATA(dbsize, 1, R | F, 0, 0, 0),
	DATA(decr, 2, W | G | F, 1, 1, 1),
	DATA(decrby, 3, W | G | F, 1, 1, 1),
	DATA(del, -2, W, 1, -1, 1),
	LOCAL(discard, 1, F | M | S, 0, 0, 0, DISCARD),
	DATA(echo, 2, F | S | P, 0, 0, 0),
	LOCAL(exec, 1, M | S, 0, 0, 0, EXEC),
	DATA(exists, -2, R | F, 1, -1, 1),
	DATA(expire, -3, W | F, 1, 1, 1),
	DATA(expireat, -3, W | F, 1, 1, 1),
	DATA(expiretime, 2, R | F, 1, 1, 1),
	DATA(flushall, -1, W, 0, 0, 0),
	ALIAS(flushdb, flushall, -1, W, 0, 0, 0),
	LOCAL(function, -2, S | L, 0, 0, 0, FUNCTION),
	DATA(get, 2, R | F, 1, 1, 1),
	DATA(getdel, 2, W | F, 1, 1, 1),
	DATA(getex, -2, W | F, 1, 1, 1),
	DATA(getrange, 4, R, 1, 1, 1),
	DATA(getset, 3, W | G | F, 1, 1, 1),
	DATA(hdel, -3, W | F, 1, 1, 1),
	LOCAL(hello, -1, F | N | S, 0, 0, 0, HELLO),
	DATA(hexists, 3, R | F, 1, 1, 1),
	DATA(hget, 3, R | F, 1, 1, 1),
	DATA(hgetall, 2, R, 1, 1, 1),
	DATA(hincrby, 4, W | G | F, 1, 1, 1),
	DATA(hincrbyfloat, 4, W | G | F | PXS_CF_V4, 1, 1, 1),
	DATA(hkeys, 2, R, 1, 1, 1),
	DATA(hlen, 2, R | F, 1, 1, 1),
	DATA(hmget, -3, R | F, 1, 1, 1),
	DATA(hmset, -4, W | G | F, 1, 1, 1),
	DATA(hrandfield, -2, R, 1, 1, 1),
	DATA(hscan, -3, R, 1, 1, 1),
	DATA(hset, -4, W | G | F, 1, 1, 1),
	DATA(hsetnx, 4, W | G | F, 1, 1, 1),
	DATA(hstrlen, 3, R | F, 1, 1, 1),
	DATA(hvals, 2, R, 1, 1, 1),
	DATA(incr, 2, W | G | F, 1, 1, 1),
	DATA(incrby, 3, W | G | F, 1, 1, 1),
	DATA(incrbyfloat, 3, W | G | F, 1, 1, 1),
	LOCAL(info, -1, S | L, 0, 0, 0, INFO),
	DATA(keys, 2, R, 0, 0, 0),
	LOCAL(lastsave, 1, F | S | L, 0, 0, 0, LASTSAVE),
	DATA(memory, -2, R, 2, 2, 1),
	DATA(mget, -2, R | F, 1, -1, 1),
	DATA(mset, -3, W | G, 1, -1, 2),
	DATA(msetnx, -3, W | G, 1, -1, 2),
	LOCAL(multi, 1, F | M | S, 0, 0, 0, MULTI),
	DATA(object, -2, R, 2, 2, 1),
	LOCAL(paxsteer, -2, S, 0, 0, 0, PAXSTEER),
	DATA(persist, 2, W | F, 1, 1, 1),
	DATA(pexpire, -3, W | F, 1, 1, 1),
	DATA(pexpireat, -3, W | F, 1, 1, 1),
	DATA(pexpiretime, 2, R | F, 1, 1, 1),
	DATA(ping, -1, F | S | P, 0, 0, 0),
	DATA(psetex, 4, W | G, 1, 1, 1),
	DATA(pttl, 2, R | F | PXS_CF_TIME, 1, 1, 1),
	LOCAL(quit, -1, F | N | M | S, 0, 0, 0, QUIT),
	DATA(randomkey, 1, R, 0, 0, 0),
	LOCAL(readonly, 1, F | S | L, 0, 0, 0, READONLY),
	LOCAL(readwrite, 1, F | S | L, 0, 0, 0, READWRITE),
	DATA(rename, 3, W, 1, 2, 1),
	DATA(renamenx, 3, W | F, 1, 2, 1),
	LOCAL(reset, 1, F | N | M | S, 0, 0, 0, RESET),
	LOCAL(save, 1, 0, 0, 0, 0, SAVE),
	DATA(scan, -2, R, 0, 0, 0),
	DATA(select, 2, F | S | P, 0, 0, 0),
	DATA(set, -3, W | G, 1, 1, 1),
	DATA(setex, 4, W | G, 1, 1, 1),
	DATA(setnx, 3, W | G | F, 1, 1, 1),
	DATA(setrange, 4, W | G, 1, 1, 1),
	DATA(strlen, 2, R | F, 1, 1, 1),
	ALIAS(substr, getrange, 4, R, 1, 1, 1),
	DATA(time, 1, F | S | P, 0, 0, 0),
	ALIAS(touch, exists, -2, R | F, 1, -1, 1),
	DATA(ttl, 2, R | F | PXS_CF_TIME, 1, 1, 1),
	DATA(type, 2, R | F, 1, 1, 1),
	ALIAS(unlink, del, -2, W | F, 1, -1, 1),
	{ "unwatch", 1, F | S, 0, 0, 0, pxs_cmd_unwatch, PXS_LOCAL_UNWATCH },
	LOCAL(wait, 3, L, 0, 0, 0, WAIT),
	LOCAL(watch, -2, F | M | S, 1, -1, 1, WATCH),
};

static int compare(struct pxs_str name, const char *with)
{
	u32 len = (u32)strlen(with);
	int order = strncasecmp((const char *)name.data, with, min(name.len, len));

	if (order)
		return order;
	return name.len == len ? 0 : name.len < len ? -1 : 1;
}

const struct pxs_command *pxs_cmd_find(struct pxs_str name)
{
	u32 low = 0, high = ARRAY_SIZE(commands), mid;
	int order;

	while (low < high) {
		mid = (low + high) / 2;
		order = compare(name, commands[mid].name);
		if (!order)
			return &commands[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct pxs_command *pxs_cmd_at(u32 i)
{
	return i < ARRAY_SIZE(commands) ? &commands[i] : NULL;
}

u32 pxs_cmd_count(void)
{
	_Static_assert(ARRAY_SIZE(commands) <= PXS_COMMANDS_MAX, "commands of the table");
	return ARRAY_SIZE(commands);
}

u32 pxs_cmd_index(const struct pxs_command *cmd)
{
	bool there = cmd >= commands && cmd < commands + ARRAY_SIZE(commands);

	return there ? (u32)(cmd - commands) : PXS_COMMANDS_MAX;
}

bool pxs_cmd_arity_ok(const struct pxs_command *cmd, u32 argc)
{
	return cmd->arity > 0 ? argc == (u32)cmd->arity : argc >= (u32)-cmd->arity;
}

u32 pxs_cmd_next_key(const struct pxs_command *cmd, u32 argc, u32 i)
{
	int last = cmd->last < 0 ? (int)argc + cmd->last : cmd->last;
	int next = i ? (int)i + cmd->step : cmd->first;

	return cmd->first && next <= last && next < (int)argc ? (u32)next : 0;
}

bool pxs_cmd_lacks_value(const struct pxs_command *cmd, u32 argc)
{
	return cmd->step > 1 && (argc - (u32)cmd->first) % (u32)cmd->step;
}

void pxs_cmd_unknown(struct pxs_reply *o, u32 argc, const struct pxs_str *argv)
{
	char args[160] = "";
	u32 i, at = 0;

	for (i = 1; i < argc && at < 128; i++)
		at += (u32)sprintf(args + at, "'%.*s' ", (int)min(128 - at, argv[i].len),
				   (const char *)argv[i].data);
	pxs_reply_error(o, "ERR unknown command '%.*s', with args beginning with: %s",
			(int)min(argv[0].len, 128u), (const char *)argv[0].data, args);
}

int pxs_cmd_find_type(struct pxs_run *x, struct pxs_str key, u8 type, struct pxs_rec *rec)
{
	if (!pxs_db_find(x->db, key, rec))
		return 0;
	if (rec->type == type)
		return 1;
	pxs_reply_wrong_type(x->out);
	return -1;
}

bool pxs_cmd_int(struct pxs_run *x, u32 i, s64 *n)
{
	if (pxs_str_int(x->argv[i], n))
		return true;
	pxs_reply_not_int(x->out);
	return false;
}

bool pxs_cmd_fits(struct pxs_run *x, u64 a, u64 b)
{
	if (a <= PXS_STRING_MAX && b <= PXS_STRING_MAX && a + b <= PXS_STRING_MAX)
		return true;
	pxs_reply_error(x->out, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
	return false;
}

void pxs_cmd_bad_expire(struct pxs_run *x)
{
	pxs_reply_error(x->out, "ERR invalid expire time in '%s' command", x->cmd->name);
}
