// SPDX-License-Identifier: GPL-2.0
/*
 * request_commands.c - which redis commands are steered, and where their keys are
 *
 * As COMMAND of redis 7.0 tells it, and those of later ones that are alike. Each has one reply.
 * Not here, so refused: what has no key; what changes the connection or waits for the
 * server to speak first (AUTH, HELLO, MULTI, WATCH, SUBSCRIBE, MONITOR, CLIENT); what reaches keys
 * that it does not name (SORT, GEORADIUS with STORE, MIGRATE). In alphabetical order.
 */
#include "request.h"

#define ONE(name)	{ name, PXS_COMMAND_ONE, NULL }

static const struct pxs_command commands[] = {
	ONE("append"), ONE("bitcount"), ONE("bitfield"), ONE("bitfield_ro"),
	{ "bitop", PXS_COMMAND_FROM_2, NULL }, ONE("bitpos"), { "blmove", PXS_COMMAND_TWO, NULL },
	{ "blmpop", PXS_COMMAND_COUNT_2, NULL }, { "blpop", PXS_COMMAND_BUT_LAST, NULL },
	{ "brpop", PXS_COMMAND_BUT_LAST, NULL }, { "brpoplpush", PXS_COMMAND_TWO, NULL },
	{ "bzmpop", PXS_COMMAND_COUNT_2, NULL }, { "bzpopmax", PXS_COMMAND_BUT_LAST, NULL },
	{ "bzpopmin", PXS_COMMAND_BUT_LAST, NULL }, { "command", PXS_COMMAND_COMMAND, NULL },
	{ "copy", PXS_COMMAND_TWO, NULL }, ONE("decr"), ONE("decrby"),
	{ "del", PXS_COMMAND_SUM, "*2\r\n$3\r\nDEL\r\n" }, ONE("dump"),
	{ "eval", PXS_COMMAND_COUNT_2, NULL }, { "eval_ro", PXS_COMMAND_COUNT_2, NULL },
	{ "evalsha", PXS_COMMAND_COUNT_2, NULL }, { "evalsha_ro", PXS_COMMAND_COUNT_2, NULL },
	{ "exists", PXS_COMMAND_SUM, "*2\r\n$6\r\nEXISTS\r\n" }, ONE("expire"), ONE("expireat"),
	ONE("expiretime"), { "fcall", PXS_COMMAND_COUNT_2, NULL },
	{ "fcall_ro", PXS_COMMAND_COUNT_2, NULL }, ONE("geoadd"), ONE("geodist"), ONE("geohash"),
	ONE("geopos"), ONE("georadius_ro"), ONE("georadiusbymember_ro"), ONE("geosearch"),
	{ "geosearchstore", PXS_COMMAND_TWO, NULL }, ONE("get"), ONE("getbit"), ONE("getdel"),
	ONE("getex"), ONE("getrange"), ONE("getset"), ONE("hdel"), ONE("hexists"), ONE("hexpire"),
	ONE("hexpireat"), ONE("hexpiretime"), ONE("hget"), ONE("hgetall"), ONE("hgetdel"),
	ONE("hgetex"), ONE("hincrby"), ONE("hincrbyfloat"), ONE("hkeys"), ONE("hlen"),
	ONE("hmget"), ONE("hmset"), ONE("hpersist"), ONE("hpexpire"), ONE("hpexpireat"),
	ONE("hpexpiretime"), ONE("hpttl"), ONE("hrandfield"), ONE("hscan"), ONE("hset"),
	ONE("hsetex"), ONE("hsetnx"), ONE("hstrlen"), ONE("httl"), ONE("hvals"), ONE("incr"),
	ONE("incrby"), ONE("incrbyfloat"), { "lcs", PXS_COMMAND_TWO, NULL }, ONE("lindex"),
	ONE("linsert"), ONE("llen"), { "lmove", PXS_COMMAND_TWO, NULL },
	{ "lmpop", PXS_COMMAND_COUNT_1, NULL }, ONE("lpop"), ONE("lpos"), ONE("lpush"),
	ONE("lpushx"), ONE("lrange"), ONE("lrem"), ONE("lset"), ONE("ltrim"),
	{ "memory", PXS_COMMAND_SECOND, NULL },
	{ "mget", PXS_COMMAND_MGET, "*2\r\n$4\r\nMGET\r\n" }, ONE("move"),
	{ "mset", PXS_COMMAND_MSET, "*3\r\n$4\r\nMSET\r\n" },
	{ "msetnx", PXS_COMMAND_PAIRS, NULL }, { "object", PXS_COMMAND_SECOND, NULL },
	ONE("persist"), ONE("pexpire"), ONE("pexpireat"), ONE("pexpiretime"), ONE("pfadd"),
	{ "pfcount", PXS_COMMAND_ALL, NULL }, { "pfmerge", PXS_COMMAND_ALL, NULL },
	{ "ping", PXS_COMMAND_PING, NULL }, ONE("psetex"), ONE("pttl"),
	{ "quit", PXS_COMMAND_QUIT, NULL }, { "rename", PXS_COMMAND_TWO, NULL },
	{ "renamenx", PXS_COMMAND_TWO, NULL }, ONE("restore"), ONE("rpop"),
	{ "rpoplpush", PXS_COMMAND_TWO, NULL }, ONE("rpush"), ONE("rpushx"), ONE("sadd"),
	ONE("scard"), { "sdiff", PXS_COMMAND_ALL, NULL }, { "sdiffstore", PXS_COMMAND_ALL, NULL },
	{ "select", PXS_COMMAND_SELECT, NULL }, ONE("set"), ONE("setbit"), ONE("setex"),
	ONE("setnx"), ONE("setrange"), { "sinter", PXS_COMMAND_ALL, NULL },
	{ "sintercard", PXS_COMMAND_COUNT_1, NULL }, { "sinterstore", PXS_COMMAND_ALL, NULL },
	ONE("sismember"), ONE("smembers"), ONE("smismember"), { "smove", PXS_COMMAND_TWO, NULL },
	ONE("spop"), ONE("srandmember"), ONE("srem"), ONE("sscan"), ONE("strlen"), ONE("substr"),
	{ "sunion", PXS_COMMAND_ALL, NULL }, { "sunionstore", PXS_COMMAND_ALL, NULL },
	{ "touch", PXS_COMMAND_SUM, "*2\r\n$5\r\nTOUCH\r\n" }, ONE("ttl"), ONE("type"),
	{ "unlink", PXS_COMMAND_SUM, "*2\r\n$6\r\nUNLINK\r\n" }, ONE("xack"), ONE("xadd"),
	ONE("xautoclaim"), ONE("xclaim"), ONE("xdel"), { "xgroup", PXS_COMMAND_SECOND, NULL },
	{ "xinfo", PXS_COMMAND_SECOND, NULL }, ONE("xlen"), ONE("xpending"), ONE("xrange"),
	{ "xread", PXS_COMMAND_STREAMS, NULL }, { "xreadgroup", PXS_COMMAND_STREAMS, NULL },
	ONE("xrevrange"), ONE("xsetid"), ONE("xtrim"), ONE("zadd"), ONE("zcard"), ONE("zcount"),
	{ "zdiff", PXS_COMMAND_COUNT_1, NULL }, { "zdiffstore", PXS_COMMAND_STORE, NULL },
	ONE("zincrby"), { "zinter", PXS_COMMAND_COUNT_1, NULL },
	{ "zintercard", PXS_COMMAND_COUNT_1, NULL }, { "zinterstore", PXS_COMMAND_STORE, NULL },
	ONE("zlexcount"), { "zmpop", PXS_COMMAND_COUNT_1, NULL }, ONE("zmscore"), ONE("zpopmax"),
	ONE("zpopmin"), ONE("zrandmember"), ONE("zrange"), ONE("zrangebylex"),
	ONE("zrangebyscore"), { "zrangestore", PXS_COMMAND_TWO, NULL }, ONE("zrank"), ONE("zrem"),
	ONE("zremrangebylex"), ONE("zremrangebyrank"), ONE("zremrangebyscore"), ONE("zrevrange"),
	ONE("zrevrangebylex"), ONE("zrevrangebyscore"), ONE("zrevrank"), ONE("zscan"),
	ONE("zscore"), { "zunion", PXS_COMMAND_COUNT_1, NULL },
	{ "zunionstore", PXS_COMMAND_STORE, NULL },
};

/* Order of @s, in lower case, and @name. */
static int command_cmp(const struct pxs_slice *s, const char *name)
{
	u32 i;

	for (i = 0; i < s->len && name[i]; i++)
		if (pxs_fold(s->p[i]) != (u8)name[i])
			return pxs_fold(s->p[i]) - (u8)name[i];
	if (i < s->len)
		return 1;
	return name[i] ? -1 : 0;
}

int pxs_command_find(const struct pxs_slice *name)
{
	int low = 0, high = ARRAY_SIZE(commands) - 1;

	while (low <= high) {
		int middle = (low + high) / 2;
		int order = command_cmp(name, commands[middle].name);

		if (!order)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

const struct pxs_command *pxs_command_at(u32 index)
{
	return index < ARRAY_SIZE(commands) ? &commands[index] : NULL;
}
