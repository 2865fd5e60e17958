/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_reads.h - a store without a loop and without a log, and one client of it
 *
 * The test says who leads, answers what was asked, decides what was proposed, and applies empty
 * slots. A client's bytes go in where they would be received.
 */
#ifndef UNIT_READS_H
#define UNIT_READS_H

#include "unit_store.h"

#include "../../agent/store/store.c"

static struct pxs_node node;
static struct pxs_replica replica;
static struct pxs_group_config group;
static struct pxs_store_config config;
static struct pxs_store s;
static struct pxs_conn *client;
static struct unit_store files;

static inline void lead(bool us)
{
	replica.elect.role = us ? PXS_ROLE_LEADER : PXS_ROLE_FOLLOWER;
	replica.elect.leader = us ? 1 : 2;
}

static inline void setup(bool us)
{
	u32 i;

	memset(&node, 0, sizeof(node));
	memset(&replica, 0, sizeof(replica));
	memset(&config, 0, sizeof(config));
	memset(&s, 0, sizeof(s));
	group.conf.nmembers = 3;
	for (i = 0; i < 3; i++)
		group.conf.member[i].id = (u8)(i + 1);
	config.client_memory = 1ull << 30;
	config.request_limit = 1 << 16;
	config.read_wait = 1000;
	strcpy(group.where[1], "127.0.0.1:7");
	node.loop.now = 5000;
	replica.node = &node;
	replica.config = &group;
	pxs_proposals_init(&replica.proposals);
	pxs_index_reads_init(&replica.reads);
	s.node = &node;
	s.replica = &replica;
	s.config = &config;
	s.ask.pause = ~0ull;	/* there is nobody to ask */
	pxs_requests_init(&s.decided);
	pxs_requests_init(&s.applied);
	pxs_requests_init(&s.reads);
	pxs_requests_init(&s.barred);
	pxs_requests_init(&s.stale);
	pxs_requests_init(&s.crossed);
	pxs_requests_init(&s.shares);
	pxs_requests_init(&s.locked);
	store_make(&files);
	pxs_db_close(&files.db, true);
	CHECK_EQ(pxs_db_open(&s.db, files.path, &files.owner, 1 << 20), 0);
	client = pxs_conn_new(&s, -1, &config.consistency);
	/* It neither receives nor sends by itself. */
	client->eof = true;
	client->sending = true;
	lead(us);
}

static inline void teardown(void)
{
	pxs_conn_free(client);
	pxs_db_close(&s.db, false);
	store_remove(&files);
}

static inline void apply_slots(u64 to)
{
	struct pxs_reply nobody = { .quiet = true };

	replica.commit = max(replica.commit, to);
	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	while (s.db.state.applied < to)
		CHECK_EQ(pxs_apply(&s.db, s.db.state.applied + 1, NULL, 0, true, &nobody), 0);
	CHECK_EQ(pxs_db_commit(&s.db), 0);
}

static inline void go_round(void)
{
	read_barred(&s);
	read_stale(&s);
	pxs_conn_step(client);
	pxs_submit_step(&s);
}

/* What the client has got so far; forgotten then. */
static inline const char *got(void)
{
	static char text[4096];

	go_round();
	memcpy(text, client->out.buf ? client->out.buf : (u8 *)"", client->out.len);
	text[client->out.len] = 0;
	client->out.len = 0;
	return text;
}

static inline const char *say(const char *commands)
{
	u32 room, len = (u32)strlen(commands);

	memcpy(pxs_reader_space(&client->reader, &room), commands, len);
	client->reader.len += len;
	return got();
}

/* The proposal that is queued is decided in @slot, or fails. */
static inline void decide(u32 error, u64 slot)
{
	struct pxs_proposal *p = replica.proposals.queued.first;

	CHECK(p);
	if (!p)
		return;
	pxs_proposals_init(&replica.proposals);
	p->done(p, error, slot);
}

/* The read index that was asked for is known, or there is none. */
static inline void tell(u32 error, u64 slot)
{
	struct pxs_index_read *q = replica.reads.queued.first;

	CHECK(q && replica.reads.queued.count == 1);
	if (!q)
		return;
	pxs_index_reads_init(&replica.reads);
	q->done(q, error, slot);
}

static inline bool asks(void)
{
	return replica.reads.queued.count;
}

static inline bool proposes(void)
{
	return replica.proposals.queued.count;
}

/* The first of those that are queued is decided in @slot. */
static inline void decide_next(u64 slot)
{
	struct pxs_proposal *p = replica.proposals.queued.first;

	if (!CHECK(p))
		return;
	replica.proposals.queued.first = p->next;
	if (!p->next)
		pxs_proposals_init(&replica.proposals);
	p->done(p, 0, slot);
}

/* The next slot holds @value: it is taken from the journal, between two rounds. */
static inline void take_value_of(const u8 *value, u32 len)
{
	struct pxs_fetched v = { .slot = replica.applied + 1, .len = len, .data = value };

	replica.commit = ++replica.applied;
	CHECK(take(&s, &v));
}

/* Another client's command is applied. */
static inline void others_say(const char *command)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1, .time = 1000 };
	struct pxs_str argv[STORE_WORDS];
	struct pxs_args args = { 0, argv };
	char *text = strdup(command);
	u8 value[256];

	args.argc = store_words(text, argv);
	pxs_store_entry_put(value, &e, NULL, &args);
	take_value_of(value, (u32)pxs_store_entry_size(NULL, 0, &args, 1));
	free(text);
}

static u8 decided[PXS_VALUE_MAX];
static u32 decided_len;

/* The proposal that is queued is decided in the next slot, and applied. */
static inline void decide_and_take(void)
{
	struct pxs_proposal *p = replica.proposals.queued.first;

	if (!CHECK(p))
		return;
	decided_len = p->len;
	memcpy(decided, p->value, p->len);
	decide(0, replica.applied + 1);
	take_value_of(decided, decided_len);
}

#endif /* UNIT_READS_H */
