// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_command.c - COMMAND, CONFIG SET, OBJECT and HELP, in the words of Redis
 */
#include "unit_set.h"

#include "../../agent/store/cmd_describe.h"

static void keys_of_a_command(void)
{
	static const char *const none = "-ERR The command has no key arguments\r\n";

	begin_test();
	CHECK_STR(say("COMMAND GETKEYS MSET a 1 b 2\r\n"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
	CHECK_STR(say("COMMAND GETKEYS GET a\r\n"), "*1\r\n$1\r\na\r\n");
	CHECK_STR(say("COMMAND GETKEYS MEMORY USAGE a\r\n"), "*1\r\n$1\r\na\r\n");
	CHECK_STR(say("COMMAND GETKEYS OBJECT FREQ a\r\n"), "*1\r\n$1\r\na\r\n");
	/* What has no third word was read as if it had one. */
	CHECK_STR(say("COMMAND GETKEYS MEMORY HELP\r\n"), none);
	CHECK_STR(say("COMMAND GETKEYS OBJECT HELP\r\n"), none);
	CHECK_STR(say("COMMAND GETKEYS CONFIG GET\r\n"), none);
	CHECK_STR(say("COMMAND GETKEYS MEMORY NOSUCH\r\n"), "-ERR Invalid command specified\r\n");
	CHECK_STR(say("COMMAND GETKEYS CONFIG USAGE\r\n"), "-ERR Invalid command specified\r\n");
	CHECK_STR(say("COMMAND GETKEYS PING x\r\n"), none);
	CHECK_STR(say("COMMAND GETKEYS MEMORY USAGE\r\n"),
		  "-ERR Invalid number of arguments specified for command\r\n");
	CHECK_STR(say("COMMAND GETKEYS GET a b\r\n"),
		  "-ERR Invalid number of arguments specified for command\r\n");
	CHECK_STR(say("COMMAND GETKEYS NOSUCH a\r\n"), "-ERR Invalid command specified\r\n");
	CHECK_STR(say("COMMAND GETKEYS GET\r\n"),
		  "-ERR wrong number of arguments for 'command|getkeys' command\r\n");
	end_test();
}

static void what_is_done_to_keys(void)
{
	begin_test();
	CHECK_STR(say("COMMAND GETKEYSANDFLAGS RENAME a b\r\n"),
		  "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n"
		  "*2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n");
	CHECK_STR(say("COMMAND GETKEYSANDFLAGS SET a b\r\n"),
		  "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n");
	CHECK_STR(say("COMMAND GETKEYSANDFLAGS SET a b get\r\n"),
		  "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n");
	end_test();
}

/* None is left out, or the server would end. */
static void of_every_command(void)
{
	const struct pxs_command *cmd;
	char words[256];
	int i, k, n, all = 0;

	begin_test();
	for (i = 0; (cmd = pxs_cmd_at((u32)i)); i++) {
		if (!cmd->first)
			continue;
		all++;
		n = sprintf(words, "COMMAND GETKEYSANDFLAGS %s", cmd->name);
		n += sprintf(words + n, " %s", cmd->run == pxs_cmd_object ? "freq" : "usage");
		for (k = 2; k < abs(cmd->arity) || k < cmd->first + 1; k++)
			n += sprintf(words + n, " x");
		sprintf(words + n, "\r\n");
		CHECK(say(words)[0] == '*');
	}
	CHECK(all > 50);
	end_test();
}

static void lists(void)
{
	begin_test();
	CHECK_STR(say("COMMAND LIST FILTERBY PATTERN hget*\r\n"),
		  "*2\r\n$4\r\nhget\r\n$7\r\nhgetall\r\n");
	CHECK_STR(say("COMMAND LIST FILTERBY PATTERN config*\r\n"),
		  "*6\r\n$6\r\nconfig\r\n$10\r\nconfig|get\r\n$10\r\nconfig|set\r\n"
		  "$16\r\nconfig|resetstat\r\n$14\r\nconfig|rewrite\r\n$11\r\nconfig|help\r\n");
	CHECK_STR(say("COMMAND LIST FILTERBY PATTERN client|k*\r\n"), "*1\r\n$11\r\nclient|kill\r\n");
	CHECK(strstr(say("COMMAND LIST\r\n"), "\r\ncommand|getkeysandflags\r\n"));
	CHECK_STR(say("COMMAND LIST FILTERBY ACLCAT nosuch\r\n"), "*0\r\n");
	CHECK_STR(say("COMMAND LIST FILTERBY MODULE x\r\n"), "*0\r\n");
	CHECK(strstr(say("COMMAND LIST FILTERBY ACLCAT write\r\n"), "\r\nhset\r\n"));
	CHECK(!strstr(say("COMMAND LIST FILTERBY ACLCAT write\r\n"), "\r\nhget\r\n"));
	CHECK_STR(say("COMMAND LIST FILTERBY bad x\r\n"), "-ERR syntax error\r\n");
	CHECK_STR(say("COMMAND INFO nosuch\r\n"), "*1\r\n$-1\r\n");
	end_test();
}

/* An answer that is larger than what say() returns. */
static void begins_with(const char *commands, const char *want)
{
	u32 room, len = (u32)strlen(commands);

	memcpy(pxs_reader_space(&client->reader, &room), commands, len);
	client->reader.len += len;
	go_round();
	CHECK_EQ(pxs_tx_value((struct pxs_str){ client->out.buf, client->out.len }),
		 client->out.len);
	CHECK(client->out.len > 5000 && !memcmp(client->out.buf, want, strlen(want)));
	client->out.len = 0;
}

/* The ten elements, as redis-server 7.0 tells them (store_redis.py compares those of others). */
static void what_is_told(void)
{
	begin_test();
	CHECK_STR(say("COMMAND INFO rename\r\n"),
		  "*1\r\n*10\r\n$6\r\nrename\r\n:3\r\n*1\r\n+write\r\n:1\r\n:2\r\n:1\r\n"
		  "*3\r\n+@keyspace\r\n+@write\r\n+@slow\r\n*0\r\n*2\r\n"
		  "*6\r\n$5\r\nflags\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n"
		  "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n"
		  "$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n"
		  "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
		  "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
		  "*6\r\n$5\r\nflags\r\n*2\r\n+OW\r\n+update\r\n"
		  "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n"
		  "$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:2\r\n"
		  "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
		  "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
		  "*0\r\n");
	/* A command that words follow is but their container. */
	CHECK(!strncmp(say("COMMAND INFO object\r\n"),
		       "*1\r\n*10\r\n$6\r\nobject\r\n:-2\r\n*0\r\n:0\r\n:0\r\n:0\r\n*1\r\n+@slow\r\n"
		       "*0\r\n*0\r\n*5\r\n*10\r\n$15\r\nobject|encoding\r\n:3\r\n*1\r\n+readonly\r\n"
		       ":2\r\n:2\r\n:1\r\n", 124));
	say("HELLO 3\r\n");
	CHECK_STR(say("COMMAND INFO nosuch config|nosuch x|get config|rewrite\r\n"),
		  "*4\r\n_\r\n_\r\n_\r\n*10\r\n$14\r\nconfig|rewrite\r\n:2\r\n"
		  "~4\r\n+admin\r\n+noscript\r\n+loading\r\n+stale\r\n:0\r\n:0\r\n:0\r\n"
		  "~3\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n~0\r\n~0\r\n~0\r\n");
	/* ... whose flags and keys are not those of the words. */
	CHECK(!strncmp(say("COMMAND INFO cluster|myid\r\n"),
		       "*1\r\n*10\r\n$12\r\ncluster|myid\r\n:2\r\n~1\r\n+stale\r\n", 44));
	CHECK_STR(say("COMMAND DOCS nosuch echo\r\n"),
		  "%1\r\n$4\r\necho\r\n%3\r\n$7\r\nsummary\r\n$21\r\nEcho the given string\r\n"
		  "$5\r\nsince\r\n$5\r\n1.0.0\r\n$5\r\ngroup\r\n$10\r\nconnection\r\n");
	begins_with("COMMAND\r\n", "*87\r\n*10\r\n$6\r\nappend\r\n");
	begins_with("COMMAND INFO\r\n", "*87\r\n*10\r\n$6\r\nappend\r\n");
	begins_with("COMMAND DOCS\r\n", "%87\r\n$6\r\nappend\r\n%3\r\n");
	end_test();
}

static void is_told(void *ctx, const char *name)
{
	u32 *n = ctx;
	struct pxs_told t;

	if (!pxs_told_find(&t, pxs_str(name)))
		CHECK_STR(name, "told of");
	++*n;
}

static void of_every_command_something_is_told(void)
{
	const struct pxs_command *cmd;
	u32 i, n = 0;

	for (i = 0; (cmd = pxs_cmd_at(i)); i++) {
		is_told(&n, cmd->name);
		pxs_cmd_subs(cmd, is_told, &n);
	}
	CHECK(n > 100);
}

static void categories_of_access_lists(void)
{
	begin_test();
	CHECK_STR(say("COMMAND LIST FILTERBY ACLCAT transaction\r\n"),
		  "*5\r\n$7\r\ndiscard\r\n$4\r\nexec\r\n$5\r\nmulti\r\n$7\r\nunwatch\r\n$5\r\nwatch\r\n");
	CHECK(strstr(say("COMMAND LIST FILTERBY ACLCAT admin\r\n"), "\r\nclient|kill\r\n"));
	CHECK(!strstr(say("COMMAND LIST FILTERBY ACLCAT admin\r\n"), "\r\nclient|id\r\n"));
	end_test();
}

static void settings(void)
{
	begin_test();
	CHECK_STR(say("CONFIG SET hash-max-listpack-value\r\n"),
		  "-ERR wrong number of arguments for 'config|set' command\r\n");
	CHECK_STR(say("CONFIG SET hash-max-listpack-value 1 x\r\n"), "-ERR syntax error\r\n");
	CHECK_STR(say("CONFIG SET maxmemory 1 MAXMEMORY 2\r\n"),
		  "-ERR CONFIG SET failed (possibly related to argument 'MAXMEMORY') - duplicate parameter\r\n");
	CHECK_STR(say("CONFIG SET hash-max-listpack-value 1 hash-max-ziplist-value 2\r\n"),
		  "-ERR CONFIG SET failed (possibly related to argument 'hash-max-ziplist-value') - duplicate parameter\r\n");
	CHECK_STR(say("CONFIG SET daemonize yes\r\n"),
		  "-ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config\r\n");
	CHECK_STR(say("CONFIG SET hash-max-listpack-value 1 hash-max-listpack-entries 2\r\n"),
		  "+OK\r\n");
	end_test();
}

static void help(void)
{
	begin_test();
	CHECK(!strncmp(say("CONFIG HELP\r\n"), "*11\r\n+CONFIG <subcommand> [<arg>", 30));
	CHECK(strstr(say("CONFIG HELP\r\n"), "\r\n+HELP\r\n+    Prints this help.\r\n"));
	CHECK_STR(say("CONFIG HELP x\r\n"),
		  "-ERR wrong number of arguments for 'config|help' command\r\n");
	CHECK_STR(say("PAXSTEER NOSUCH\r\n"),
		  "-ERR unknown subcommand 'NOSUCH'. Try PAXSTEER HELP.\r\n");
	end_test();
}

static void look_like(const char *value, const char *encoding)
{
	say_of("SET %s %s\r\n", key[0][0], value);
	decide_in(0);
	got();
	say_of("OBJECT ENCODING %s\r\n", key[0][0], "");
	tell_indexes();
	CHECK_STR(got(), encoding);
}

static void objects(void)
{
	begin_test();
	look_like("12", "$3\r\nint\r\n");
	look_like("012", "$6\r\nembstr\r\n");
	look_like("12345678901234567890123456789012345678901234", "$6\r\nembstr\r\n");
	look_like("123456789012345678901234567890123456789012345", "$3\r\nraw\r\n");
	say_of("HSET %s f 1\r\n", key[0][1], "");
	decide_in(0);
	got();
	say_of("OBJECT ENCODING %s\r\n", key[0][1], "");
	tell_indexes();
	CHECK_STR(got(), "$8\r\nlistpack\r\n");
	say_of("HSET %s g 12345678901234567890123456789012345678901234567890123456789012345\r\n",
	       key[0][1], "");
	decide_in(0);
	got();
	say_of("OBJECT ENCODING %s\r\nOBJECT REFCOUNT %s\r\n", key[0][1], key[0][1]);
	tell_indexes();
	CHECK_STR(got(), "$9\r\nhashtable\r\n:1\r\n");
	end_test();
}

int main(void)
{
	RUN(keys_of_a_command);
	RUN(what_is_done_to_keys);
	RUN(of_every_command);
	RUN(lists);
	RUN(what_is_told);
	RUN(of_every_command_something_is_told);
	RUN(categories_of_access_lists);
	RUN(settings);
	RUN(help);
	RUN(objects);
	return unit_done();
}
