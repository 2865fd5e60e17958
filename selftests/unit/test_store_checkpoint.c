// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_checkpoint.c - when a checkpoint is taken, and when it counts
 *
 * A store with a loop and the helper thread, without a log: the test applies entries, and says how
 * far the journal is durable.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "unit_store.h"

#include "../../agent/store/image.h"
#include "../../agent/store/store.c"

static struct pxs_node node;
static struct pxs_replica replica;
static struct pxs_group_config group;
static struct pxs_store_config config;
static struct pxs_store s;
static struct pxs_conn *client;
static struct unit_store files;

static void setup(void)
{
	memset(&node, 0, sizeof(node));
	memset(&replica, 0, sizeof(replica));
	memset(&config, 0, sizeof(config));
	memset(&s, 0, sizeof(s));
	config.client_memory = 1ull << 30;
	config.request_limit = 1 << 16;
	config.directory = files.path;
	CHECK_EQ(pxs_loop_init(&node.loop), 0);
	CHECK_EQ(pxs_worker_start(&node.slow, &node.loop), 0);
	replica.node = &node;
	replica.config = &group;
	pxs_proposals_init(&replica.proposals);
	node.journal.next_lsn = 1;
	s.node = &node;
	s.replica = &replica;
	s.config = &config;
	s.ask.pause = ~0ull;
	pxs_requests_init(&s.decided);
	pxs_requests_init(&s.applied);
	pxs_requests_init(&s.reads);
	pxs_requests_init(&s.barred);
	pxs_requests_init(&s.stale);
	store_make(&files);
	pxs_db_close(&files.db, true);
	CHECK_EQ(pxs_db_open(&s.db, files.path, &files.owner, 1 << 20), 0);
	pxs_checkpoint_init(&s);
	client = pxs_conn_new(&s, -1, &config.consistency);
	client->eof = true;
	client->sending = true;
	node.stores = &s;
}

static void teardown(void)
{
	stores_quiet(&node);
	pxs_loop_exit(&node.loop);
	pxs_checkpoint_exit(&s);
	pxs_conn_free(client);
	pxs_db_close(&s.db, false);
	store_remove(&files);
}

/* One slot more; its record is the journal's last, and durable if @durable. */
static void apply_one_slot(bool durable)
{
	struct pxs_reply nobody = { .quiet = true };

	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	CHECK_EQ(pxs_apply(&s.db, s.db.state.applied + 1, NULL, 0, true, &nobody), 0);
	CHECK_EQ(pxs_db_commit(&s.db), 0);
	replica.commit = s.db.state.applied;
	node.journal.next_lsn++;
	if (durable)
		node.journal.durable = node.journal.next_lsn - 1;
}

static void apply_slots(u32 n)
{
	while (n--)
		apply_one_slot(true);
}

static void go_round(void)
{
	pxs_checkpoint_step(&s);
	pxs_conn_step(client);
}

/* Rounds until the thread has nothing to do, and nothing is begun. */
static void settle(void)
{
	for (;;) {
		go_round();
		if (s.checkpoint.write_job.busy || s.checkpoint.publish_job.busy)
			pxs_loop_once(&node.loop);
		else if (!pxs_checkpoint_step(&s))
			break;
	}
	go_round();
}

static const char *got(void)
{
	static char text[4096];

	go_round();
	memcpy(text, client->out.buf ? client->out.buf : (u8 *)"", client->out.len);
	text[client->out.len] = 0;
	client->out.len = 0;
	return text;
}

static const char *say(const char *commands)
{
	u32 room, len = (u32)strlen(commands);

	memcpy(pxs_reader_space(&client->reader, &room), commands, len);
	client->reader.len += len;
	return got();
}

static const char *name(const char *file)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s/%s", files.path, file);
	return text;
}

/* The slot of what stands there; 0: nothing does. */
static u64 on_disk(void)
{
	struct pxs_image_info info = { 0 };
	int fd = open(name("checkpoint"), O_RDONLY);

	if (fd < 0)
		return 0;
	CHECK_EQ(pxs_image_info(fd, &s.db, &info), 0);
	close(fd);
	return info.applied;
}

static void after_so_many_entries(void)
{
	setup();
	config.checkpoint_entries = 10;
	apply_slots(9);
	settle();
	CHECK_EQ(on_disk(), 0);
	apply_slots(1);
	settle();
	CHECK_EQ(on_disk(), 10);
	CHECK_EQ(s.checkpoint.done, 10);
	apply_slots(9);
	settle();
	CHECK_EQ(on_disk(), 10);
	apply_slots(1);
	settle();
	CHECK_EQ(on_disk(), 20);
	CHECK_EQ(s.checkpoint.count, 2);
	teardown();
}

static void after_so_long(void)
{
	setup();
	config.checkpoint_seconds = 5;
	node.loop.now = s.checkpoint.last + 4999;
	apply_slots(1);
	settle();
	CHECK_EQ(on_disk(), 0);
	s.checkpoint.last -= 5000;
	settle();
	CHECK_EQ(on_disk(), 1);
	/* Nothing was applied since: there is nothing to do. */
	s.checkpoint.last -= 5000;
	settle();
	CHECK_EQ(s.checkpoint.count, 1);
	teardown();
}

static void when_it_is_asked_for(void)
{
	setup();
	apply_slots(3);
	CHECK_STR(say("LASTSAVE\r\nPAXSTEER CHECKPOINT\r\n"), ":0\r\n");
	settle();
	CHECK_STR(got(), ":3\r\n");
	CHECK_EQ(on_disk(), 3);
	/* It is there already. */
	CHECK_STR(say("PAXSTEER CHECKPOINT\r\n"), "");
	settle();
	CHECK_STR(got(), ":3\r\n");
	CHECK_EQ(s.checkpoint.count, 1);
	apply_slots(1);
	CHECK_STR(say("SAVE\r\nPING\r\n"), "");
	settle();
	CHECK_STR(got(), "+OK\r\n+PONG\r\n");
	CHECK_EQ(on_disk(), 4);
	apply_slots(1);
	CHECK_STR(say("BGSAVE\r\nPING\r\n"), "+Background saving started\r\n+PONG\r\n");
	CHECK_STR(say("BGSAVE\r\n"), "-ERR Background save already in progress\r\n");
	CHECK_STR(say("BGSAVE SCHEDULE\r\n"), "+Background saving scheduled\r\n");
	CHECK_STR(say("BGSAVE now\r\n"), "-ERR syntax error\r\n");
	settle();
	CHECK_EQ(on_disk(), 5);
	CHECK(strcmp(say("LASTSAVE\r\n"), ":0\r\n"));
	CHECK_EQ(s.checkpoint.count, 3);
	teardown();
}

/* Who asks while one is being made wants what was applied since, too. */
static void one_that_is_under_way_is_too_old(void)
{
	struct pxs_request r = { .cmd = pxs_cmd_find(pxs_str("paxsteer")) };

	setup();
	r.conn = client;
	pxs_reply_init(&r.out, 2, 100);
	apply_slots(1);
	say("PAXSTEER CHECKPOINT\r\n");
	CHECK_EQ(s.checkpoint.state, PXS_CHECKPOINT_IDLE);
	go_round();
	CHECK_EQ(s.checkpoint.state, PXS_CHECKPOINT_WRITING);
	apply_slots(1);
	pxs_checkpoint_ask(&s, &r);
	settle();
	CHECK_STR(got(), ":1\r\n");
	CHECK_EQ(r.state, PXS_REQUEST_DONE);
	CHECK(r.out.len == 4 && !memcmp(r.out.buf, ":2\r\n", 4));
	CHECK_EQ(on_disk(), 2);
	pxs_reply_free(&r.out);
	teardown();
}

/* The journal's own records come first. */
static void never_ahead_of_the_journal(void)
{
	setup();
	apply_slots(1);
	apply_one_slot(false);
	say("PAXSTEER CHECKPOINT\r\n");
	settle();
	CHECK_STR(got(), "");
	CHECK_EQ(s.checkpoint.state, PXS_CHECKPOINT_WAITS);
	CHECK_EQ(on_disk(), 0);
	node.journal.durable++;
	settle();
	CHECK_STR(got(), ":2\r\n");
	CHECK_EQ(on_disk(), 2);
	/* A journal that is fenced will never have them. */
	apply_one_slot(false);
	say("PAXSTEER CHECKPOINT\r\n");
	settle();
	node.journal.failed = true;
	settle();
	CHECK_STR(got(), "-ERR the checkpoint has failed: Input/output error\r\n");
	CHECK_EQ(on_disk(), 2);
	teardown();
}

static void one_that_fails_is_tried_again(void)
{
	setup();
	config.checkpoint_entries = 1;
	apply_slots(1);
	settle();
	CHECK_EQ(on_disk(), 1);
	CHECK_EQ(mkdir(name("checkpoint.new"), 0700), 0);
	apply_slots(1);
	say("PAXSTEER CHECKPOINT\r\n");
	settle();
	CHECK_STR(got(), "-ERR the checkpoint has failed: Is a directory\r\n");
	CHECK_EQ(on_disk(), 1);
	CHECK_EQ(s.checkpoint.done, 1);
	CHECK(strstr(say("INFO\r\n"), "checkpoint_error:Is a directory\r\n"));
	CHECK_EQ(rmdir(name("checkpoint.new")), 0);
	settle();
	CHECK_EQ(on_disk(), 1);
	node.loop.now = s.checkpoint.retry;
	settle();
	CHECK_EQ(on_disk(), 2);
	CHECK(strstr(say("INFO\r\n"), "checkpoint_error:no\r\n"));
	teardown();
}

/* The map may not be replaced while it is read. What is given up for that is made again. */
static void the_map_grows_meanwhile(void)
{
	size_t map;

	setup();
	apply_slots(1);
	say("SAVE\r\n");
	go_round();
	CHECK(pxs_checkpoint_reads(&s));
	map = s.db.map;
	s.growing = true;
	CHECK(!grow(&s));
	CHECK_EQ(s.db.map, map);
	while (s.checkpoint.write_job.busy)
		pxs_loop_once(&node.loop);
	CHECK(grow(&s));
	CHECK_EQ(s.db.map, 2 * map);
	settle();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_EQ(on_disk(), 1);
	teardown();
}

/* Files of which a page is no longer what it was: nothing is copied from them. */
static void damaged_files_are_not_copied(void)
{
	setup();
	apply_slots(1);
	pxs_store_distrust(&s, "a test says so");
	CHECK(s.stopped);
	CHECK_STR(say("SAVE\r\n"), "");
	settle();
	CHECK_STR(got(), "-ERR the checkpoint has failed: Structure needs cleaning\r\n");
	CHECK_EQ(on_disk(), 0);
	teardown();
}

/* The daemon ends while one is being made, or before its thread came to it. */
static void an_end_in_the_middle(void)
{
	setup();
	apply_slots(1);
	say("SAVE\r\n");
	go_round();
	CHECK(s.checkpoint.write_job.busy);
	teardown();
}

int main(void)
{
	RUN(after_so_many_entries);
	RUN(after_so_long);
	RUN(when_it_is_asked_for);
	RUN(one_that_is_under_way_is_too_old);
	RUN(never_ahead_of_the_journal);
	RUN(one_that_fails_is_tried_again);
	RUN(the_map_grows_meanwhile);
	RUN(damaged_files_are_not_copied);
	RUN(an_end_in_the_middle);
	return unit_done();
}
