// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_evcmd.c - commands on eventual keys
 */
#define _GNU_SOURCE
#include "unit_evdb.h"

#include "../../agent/store/eventual_cmd.h"

#define WORDS	16

static char answer[4096];
static u64 memory;
static struct pxs_stamp stamp;

static u32 split(char *text, struct pxs_str *argv)
{
	u32 n = 0;
	char *word;

	for (word = strtok(text, " "); word && n < WORDS; word = strtok(NULL, " "))
		argv[n++] = pxs_str(word);
	return n;
}

/* At member @i. Return: the answer, a blank for each end of a line. */
static const char *say(u32 i, const char *command)
{
	const struct pxs_command *cmd;
	struct pxs_str argv[WORDS];
	char *text = strdup(command);
	struct pxs_ev_run x = { .argv = argv, .wall = now, .now = now, .memory = memory };
	struct pxs_reply out;
	struct pxs_evtx tx;
	u32 at;

	x.argc = split(text, argv);
	cmd = pxs_cmd_find(argv[0]);
	pxs_reply_init(&out, 2, sizeof(answer) - 1);
	x.out = &out;
	x.tx = &tx;
	CHECK(cmd && pxs_ev_knows(cmd) && pxs_cmd_arity_ok(cmd, x.argc));
	CHECK_EQ(-pxs_evdb_begin(&node[i].db, &tx, cmd->flags & PXS_CF_WRITE), 0);
	x.now = max(now, pxs_stamp_ms(node[i].db.state.clock));
	pxs_ev_run(cmd, &x);
	CHECK_EQ(-tx.err, 0);
	stamp = x.stamp;
	if (tx.write) {
		CHECK_EQ(-pxs_evdb_commit(&tx), 0);
		pxs_evdb_publish(&node[i].db);
	} else {
		pxs_evdb_abort(&tx);
	}
	for (at = 0; at < out.len; at++)
		answer[at] = (char)(out.buf[at] == '\r' ? ' ' : out.buf[at] == '\n' ? '|' :
				    out.buf[at]);
	answer[out.len] = 0;
	pxs_reply_free(&out);
	free(text);
	return answer;
}

static bool refused(const char *command, const char *word)
{
	char want[64];

	snprintf(want, sizeof(want), "-ERR '%s' cannot be done on a key with an eventual", word);
	return !strncmp(say(0, command), want, strlen(want));
}

static void strings(void)
{
	begin();
	CHECK_STR(say(0, "SET k v"), "+OK |");
	CHECK_STR(say(0, "GET k"), "$1 |v |");
	CHECK_EQ(stamp.member, 1);
	CHECK_STR(say(0, "MSET k w l x"), "+OK |");
	CHECK_STR(say(0, "MGET k no l"), "*3 |$1 |w |$-1 |$1 |x |");
	CHECK_STR(say(0, "MSET k w l"), "-ERR wrong number of arguments for 'mset' command |");
	CHECK_STR(say(0, "STRLEN k"), ":1 |");
	CHECK_STR(say(0, "SET k hello"), "+OK |");
	CHECK_STR(say(0, "GETRANGE k 1 -2"), "$3 |ell |");
	CHECK_STR(say(0, "SUBSTR k -3 9"), "$3 |llo |");
	CHECK_STR(say(0, "GETRANGE k 4 1"), "$0 | |");
	CHECK_STR(say(0, "GET no"), "$-1 |");
	CHECK_EQ(stamp.time, 0);
	end();
}

static void keys(void)
{
	begin();
	say(0, "SET k v");
	say(0, "HSET h f v");
	CHECK_STR(say(0, "EXISTS k h k no"), ":3 |");
	CHECK_STR(say(0, "TYPE k"), "+string |");
	CHECK_STR(say(0, "TYPE h"), "+hash |");
	CHECK_STR(say(0, "TYPE no"), "+none |");
	CHECK_STR(say(0, "TTL k"), ":-1 |");
	CHECK_STR(say(0, "TTL h"), ":-1 |");
	CHECK_STR(say(0, "PTTL no"), ":-2 |");
	CHECK_STR(say(0, "DEL k h no"), ":2 |");
	CHECK_STR(say(0, "UNLINK k"), ":0 |");
	CHECK_STR(say(0, "EXISTS k h"), ":0 |");
	CHECK_EQ(node[0].db.state.dead, 3);
	end();
}

/* What is not here yet is deleted, too. */
static void deletions_come_before_writes(void)
{
	struct pxs_element old;

	begin();
	old = put(1, "k", "", "v");
	now++;
	CHECK_STR(say(0, "DEL k"), ":0 |");
	change(0, do_merge, &old);
	CHECK_STR(say(0, "GET k"), "$-1 |");
	old = put(1, "h", "f", "v");
	now++;
	CHECK_STR(say(0, "HDEL h f"), ":0 |");
	change(0, do_merge, &old);
	CHECK_STR(say(0, "HGET h f"), "$-1 |");
	end();
}

static void hashes(void)
{
	begin();
	CHECK_STR(say(0, "HSET h f 1 g 2"), ":2 |");
	CHECK_STR(say(0, "HSET h f 3"), ":0 |");
	CHECK_STR(say(0, "HMSET h i 4"), "+OK |");
	CHECK_STR(say(0, "HGET h f"), "$1 |3 |");
	CHECK_STR(say(0, "HMGET h g no"), "*2 |$1 |2 |$-1 |");
	CHECK_STR(say(0, "HLEN h"), ":3 |");
	CHECK_STR(say(0, "HDEL h g no"), ":1 |");
	CHECK_STR(say(0, "HEXISTS h g"), ":0 |");
	CHECK_STR(say(0, "HSTRLEN h f"), ":1 |");
	CHECK(!strncmp(say(0, "HGETALL h"), "*4 |", 4));
	CHECK(!strncmp(say(0, "HKEYS h"), "*2 |", 4));
	CHECK(!strncmp(say(0, "HVALS h"), "*2 |", 4));
	CHECK_STR(say(0, "HGETALL no"), "*0 |");
	CHECK_STR(say(0, "HSET h f 1 g"), "-ERR wrong number of arguments for 'hset' command |");
	CHECK_STR(say(0, "HDEL h f i"), ":2 |");
	CHECK_STR(say(0, "EXISTS h"), ":0 |");
	end();
}

static void of_another_type(void)
{
	static const char wrong[] = "-WRONGTYPE Operation against a key holding the wrong kind of value |";

	begin();
	say(0, "SET k v");
	say(0, "HSET h f v");
	CHECK_STR(say(0, "HSET k f v"), wrong);
	CHECK_STR(say(0, "HDEL k f"), wrong);
	CHECK_STR(say(0, "HGETALL k"), wrong);
	CHECK_STR(say(0, "GET h"), wrong);
	CHECK_STR(say(0, "STRLEN h"), wrong);
	CHECK_STR(say(0, "SET h v"), "+OK |");
	CHECK_STR(say(0, "TYPE h"), "+string |");
	CHECK_STR(say(0, "GET k"), "$1 |v |");
	end();
}

static void deadlines(void)
{
	begin();
	CHECK_STR(say(0, "SET k v EX 100"), "+OK |");
	CHECK_STR(say(0, "TTL k"), ":100 |");
	CHECK_STR(say(0, "PTTL k"), ":100000 |");
	CHECK_STR(say(0, "EXPIRETIME k"), ":1100 |");
	now += 100000;
	CHECK_STR(say(0, "EXISTS k"), ":1 |");
	now++;
	CHECK_STR(say(0, "GET k"), "$-1 |");
	CHECK_STR(say(0, "HSET k f v"), ":1 |");
	CHECK_STR(say(0, "TYPE k"), "+hash |");
	CHECK_STR(say(0, "PSETEX p 5 v"), "+OK |");
	CHECK_STR(say(0, "PTTL p"), ":5 |");
	CHECK_STR(say(0, "SETEX p 5 v"), "+OK |");
	CHECK_STR(say(0, "TTL p"), ":5 |");
	CHECK_STR(say(0, "SET p v PXAT 9999999"), "+OK |");
	CHECK_STR(say(0, "PEXPIRETIME p"), ":9999999 |");
	CHECK_STR(say(0, "SET p w"), "+OK |");
	CHECK_STR(say(0, "TTL p"), ":-1 |");
	CHECK_STR(say(0, "SET p v EX 0"), "-ERR invalid expire time in 'set' command |");
	CHECK_STR(say(0, "SETEX p -1 v"), "-ERR invalid expire time in 'setex' command |");
	CHECK_STR(say(0, "SET p v EX x"), "-ERR value is not an integer or out of range |");
	CHECK_STR(say(0, "SET p v EX"), "-ERR syntax error |");
	CHECK_STR(say(0, "SET p v EX 1 PX 1"), "-ERR syntax error |");
	CHECK_STR(say(0, "GET p"), "$1 |w |");
	end();
}

static void what_is_refused(void)
{
	static const char *const names[] = {
		"append", "incr", "decrby", "incrbyfloat", "setnx", "msetnx", "getset", "getdel",
		"getex", "setrange", "hincrby", "hincrbyfloat", "hsetnx", "expire", "pexpireat",
		"persist", "rename", "renamenx", "flushall", "hscan", "hrandfield", "memory",
		"watch", "exec", "scan", "keys", "dbsize", "randomkey",
	};
	u32 i;

	begin();
	CHECK(refused("SET k v NX", "set NX"));
	CHECK(refused("SET k v EX 5 XX", "set XX"));
	CHECK(refused("SET k v GET", "set GET"));
	CHECK(refused("SET k v keepttl", "set KEEPTTL"));
	CHECK_EQ(node[0].db.state.items, 0);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(!pxs_ev_knows(pxs_cmd_find(pxs_str(names[i]))));
	end();
}

static void there_is_an_end(void)
{
	static const char oom[] = "-OOM command not allowed when used memory > 'maxmemory'. |";

	begin();
	memory = 200;
	CHECK_STR(say(0, "SET a v"), "+OK |");
	CHECK_STR(say(0, "SET b v"), "+OK |");
	CHECK_STR(say(0, "SET c v"), oom);
	CHECK_STR(say(0, "SETEX c 5 v"), oom);
	CHECK_STR(say(0, "MSET c v"), oom);
	CHECK_STR(say(0, "HSET h f v"), oom);
	CHECK_STR(say(0, "DEL a"), ":1 |");
	CHECK_STR(say(0, "GET b"), "$1 |v |");
	memory = 0;
	end();
}

int main(void)
{
	evdb_setup();
	RUN(strings);
	RUN(keys);
	RUN(deletions_come_before_writes);
	RUN(hashes);
	RUN(of_another_type);
	RUN(deadlines);
	RUN(what_is_refused);
	RUN(there_is_an_end);
	rmdir(base);
	return unit_done();
}
