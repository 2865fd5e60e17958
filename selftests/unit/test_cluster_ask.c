// SPDX-License-Identifier: GPL-2.0
/*
 * test_cluster_ask.c - what a store says of its member, and of each of its groups
 */
#include "unit.h"

#include "cli/cluster_ask.h"
#include "platform.h"

static void answers(void)
{
	struct cluster_answer a;

	cluster_answer_parse("+OK\r\n$50\r\n# Paxsteer\r\ngroup:1\r\nleader:2\r\ncommit:77\r\napplied:7\r\n"
			     "\r\n+OK\r\n", &a);
	CHECK(!*a.why && a.now.group == 1 && a.now.leader == 2 && a.now.commit == 77 &&
	      !a.incarnation && !a.tells_prefixes);
	cluster_answer_parse("$50\r\n# Paxsteer\r\ngroup:1\r\nleader:2\r\ncommit:77\r\nmember:4\r\n"
			     "incarnation:0xab5fbe1a3d889a59\r\nepoch:3\r\nborrows_slot:5\r\n"
			     "borrows_size:6\r\nborrows_bytes:7x\r\nprefixes:0x11\r\n\r\n"
			     "+OK\r\n", &a);
	CHECK(a.tells_prefixes && a.prefixes == 0x11);
	CHECK(!*a.why && a.member == 4 && a.now.epoch == 3);
	CHECK_EQ(a.incarnation, 0xab5fbe1a3d889a59);
	CHECK(a.now.borrows_slot == 5 && a.now.borrows_size == 6 && !a.now.borrows_bytes);
	cluster_answer_parse("-NOAUTH Authentication required.\r\n+OK\r\n", &a);
	CHECK_STR(a.why, "NOAUTH Authentication required.");
	/* What it says goes to a terminal: nothing of it is to do anything there. */
	cluster_answer_parse("-ERR \x1b]0;x\x07 \xc2\x9b" "2J\x7f~\t.\r\n", &a);
	CHECK_STR(a.why, "ERR ?]0;x? ??2J?~?.");
	cluster_answer_parse("+OK\r\n-LOADING of it\r\n", &a);
	CHECK_STR(a.why, "LOADING of it");
	cluster_answer_parse("", &a);
	CHECK(strstr(a.why, "not as a store"));
	cluster_answer_parse("+OK", &a);
	CHECK(strstr(a.why, "not as a store"));
	cluster_answer_parse("$3\r\ngroup:1\r\nleader:x\r\ncommit:1\r\n", &a);
	CHECK(strstr(a.why, "not as a store"));
	cluster_answer_parse("$3\r\ngroup:1\r\nleader:1\r\ncommit:99999999999999999999\r\n", &a);
	CHECK(strstr(a.why, "not as a store"));
}

static void answers_about_groups(void)
{
	struct cluster_answer a;

	cluster_answer_parse("$50\r\n# Paxsteer\r\ngroup:1\r\nleader:2\r\ncommit:77\r\nepoch:3\r\n"
			     "group1:leader=2,applied=70,stopped=0,commit=77,epoch=3\r\n"
			     "group2:leader=0,applied=5,stopped=0,commit=9,epoch=4,borrows_slot=6,"
			     "borrows_size=8,borrows_bytes=7\r\n"
			     "group3:leader=1,applied=5,stopped=0\r\n\r\n+OK\r\n", &a);
	CHECK(!*a.why && a.now.group == 1 && a.now.commit == 77 && a.n == 2);
	CHECK(!cluster_answer_turn(&a, 3));	/* how far it is there, it does not say */
	CHECK(a.now.group == 1);
	CHECK(cluster_answer_turn(&a, 2));
	CHECK(a.now.group == 2 && !a.now.leader && a.now.commit == 9 && a.now.epoch == 4);
	CHECK(a.now.borrows_slot == 6 && a.now.borrows_size == 8 && a.now.borrows_bytes == 7);
	CHECK(cluster_answer_turn(&a, 1) && a.now.commit == 77 && a.now.epoch == 3);
	CHECK(!a.now.borrows_slot);
}

int main(void)
{
	RUN(answers);
	RUN(answers_about_groups);
	return unit_done();
}
