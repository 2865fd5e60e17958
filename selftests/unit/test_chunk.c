// SPDX-License-Identifier: GPL-2.0
/*
 * test_chunk.c - values of several slots: cutting, judging, joining, and the daemon's side
 */
#include "unit.h"

#include <stdlib.h>

#include "chunk.h"
#include "client.h"

static u8 value[PXS_WHOLE_MAX + 1], slot[PXS_CHUNKS_MAX][PXS_VALUE_MAX], out[PXS_WHOLE_MAX];

static void fill(void)
{
	u32 i;

	for (i = 0; i < sizeof(value); i++)
		value[i] = (u8)(i * 31 + (i >> 8));
}

static u32 cut(u32 len, u64 whole)
{
	u32 i, n = pxs_chunk_count(len);

	for (i = 0; i < n; i++)
		pxs_chunk_put(slot[i], whole, value, len, i);
	return n;
}

/* --- one value ------------------------------------------------------------------ */

static void every_boundary(void)
{
	static const u32 around[] = {
		PXS_VALUE_MAX + 1, 2 * PXS_CHUNK_BYTES, 3 * PXS_CHUNK_BYTES, 4 * PXS_CHUNK_BYTES,
		65536, PXS_WHOLE_MAX,
	};
	u32 a, d, i, n, len, sum;
	enum pxs_joined got;

	for (a = 0; a < ARRAY_SIZE(around); a++) {
		for (d = 0; d < 5; d++) {
			struct pxs_join j = { .value = out };

			len = around[a] + d - 2;
			if (len <= PXS_VALUE_MAX || len > PXS_WHOLE_MAX)
				continue;
			n = cut(len, 7);
			CHECK(n >= 2 && n <= PXS_CHUNKS_MAX);
			for (sum = 0, i = 0; i < n; i++) {
				u32 size = pxs_chunk_size(len, i);

				CHECK(size > PXS_CHUNK_HDR && size <= PXS_VALUE_MAX);
				CHECK(size == PXS_VALUE_MAX || i == n - 1);
				sum += size - PXS_CHUNK_HDR;
				got = pxs_chunk_join(&j, slot[i], size);
				CHECK_EQ(got, i == n - 1 ? PXS_JOIN_WHOLE : PXS_JOIN_PART);
			}
			CHECK_EQ(sum, len);
			CHECK_EQ(j.chunk.len, len);
			CHECK(!memcmp(out, value, len));
		}
	}
}

/* A byte more or less, any bit of the header, or a header that says what cannot be. */
static void damaged_is_no_chunk(void)
{
	u32 size, i, n = cut(40000, 9);
	struct pxs_chunk c;

	CHECK_EQ(n, 3);
	size = pxs_chunk_size(40000, 2);
	CHECK(pxs_chunk_get(slot[2], size, &c));
	CHECK(c.index == 2 && c.chunks == 3 && c.len == 40000 && c.whole == 9);
	CHECK(!pxs_chunk_get(slot[2], size - 1, &c));
	CHECK(!pxs_chunk_get(slot[2], size + 1, &c));
	CHECK(!pxs_chunk_get(slot[2], PXS_CHUNK_HDR, &c));
	CHECK(!pxs_chunk_get(slot[2], 0, &c));
	for (i = 0; i < 8 * PXS_CHUNK_HDR; i++) {
		slot[2][i / 8] ^= (u8)(1 << i % 8);
		CHECK(!pxs_chunk_get(slot[2], size, &c));
		slot[2][i / 8] ^= (u8)(1 << i % 8);
	}
	/* A right sum over what no daemon writes: a value that has room in one slot. */
	pxs_chunk_put(slot[0], 9, value, PXS_VALUE_MAX, 0);
	CHECK(!pxs_chunk_get(slot[0], pxs_chunk_size(PXS_VALUE_MAX, 0), &c));
	pxs_chunk_put(slot[0], 9, value, PXS_WHOLE_MAX + 1, 0);
	CHECK(!pxs_chunk_get(slot[0], pxs_chunk_size(PXS_WHOLE_MAX + 1, 0), &c));
}

/* --- logs ------------------------------------------------------------------------ */

#define SLOTS	40u

struct entry {
	u32 value;		/* of which; 0: empty, 1: one slot's value */
	u32 len, index;
	bool damaged;		/* the reader is not told which */
};

static struct entry entries[SLOTS];
static u32 rng;

static u32 rnd(u32 below)
{
	rng = rng * 1103515245 + 12345;
	return (rng >> 16) % below;
}

/* Values one after the other, of which many lack chunks, or have something between them. */
static void make_log(void)
{
	static const u32 lens[] = { PXS_VALUE_MAX + 1, 40000, 40001, PXS_WHOLE_MAX };
	u32 n = 0, v = 2, i, chunks, len;

	while (n < SLOTS) {
		len = lens[rnd(ARRAY_SIZE(lens))];
		chunks = pxs_chunk_count(len);
		for (i = 0; i < chunks && n < SLOTS; i++) {
			if (!rnd(10))
				entries[n++] = (struct entry){ rnd(2), .damaged = !rnd(4) };
			if (n < SLOTS && rnd(4))
				entries[n++] = (struct entry){ v, len, i, !rnd(12) };
		}
		v++;
	}
}

/* By the words of the rule: what stands at @at, for who is told the slots from @from on? */
static enum pxs_joined stands(u32 at, u32 from)
{
	enum pxs_joined is = PXS_JOIN_WHOLE;
	const struct entry *last = &entries[at];
	u32 i;

	if (last->damaged || last->value < 2)
		return PXS_JOIN_PLAIN;
	if (last->index != pxs_chunk_count(last->len) - 1)
		return PXS_JOIN_PART;
	for (i = 1; i <= last->index; i++) {
		if (at < from + i || entries[at - i].damaged)
			is = PXS_JOIN_LOST;
		else if (entries[at - i].value != last->value ||
			 entries[at - i].index != last->index - i)
			return PXS_JOIN_PART;
	}
	return is;
}

static void read_log(u32 from)
{
	struct pxs_join j = { .value = out };
	enum pxs_joined got;
	u32 i;

	for (i = from; i < SLOTS; i++) {
		const struct entry *e = &entries[i];

		if (e->damaged) {
			got = pxs_chunk_join(&j, NULL, 0);
		} else if (e->value < 2) {
			got = pxs_chunk_join(&j, value, e->value);
		} else {
			pxs_chunk_put(slot[0], e->value, value, e->len, e->index);
			got = pxs_chunk_join(&j, slot[0], pxs_chunk_size(e->len, e->index));
		}
		if (!CHECK(got == stands(i, from)))
			NOTE("slot %u from %u", i, from);
		if (got == PXS_JOIN_WHOLE)
			CHECK(j.chunk.len == e->len && !memcmp(out, value, e->len));
	}
}

static void readers_agree_with_the_rule(void)
{
	u32 round, from;

	for (round = 0; round < 60; round++) {
		rng = round;
		make_log();
		for (from = 0; from < 6; from++)
			read_log(from);
	}
}

/* As long as each other, and one after the other: but who appended the first one died of it. */
static void chunks_of_two_values(void)
{
	u32 from;

	memset(entries, 0, sizeof(entries));
	entries[0] = (struct entry){ 2, 40000, 0, false };
	entries[1] = (struct entry){ 3, 40000, 1, false };
	entries[2] = (struct entry){ 3, 40000, 2, false };
	for (from = 0; from < 3; from++)
		read_log(from);
}

/* --- the daemon: APPEND ------------------------------------------------------------ */

static struct pxs_node node;
static struct pxs_replica replica;
static struct pxs_group_config config;
static struct pxs_client *client;

static void begin(void)
{
	memset(&node, 0, sizeof(node));
	memset(&replica, 0, sizeof(replica));
	memset(&config, 0, sizeof(config));
	node.nreplicas = 1;
	node.replica = &replica;
	replica.node = &node;
	replica.config = &config;
	replica.id = 1;
	replica.started = true;
	replica.elect.role = PXS_ROLE_LEADER;
	pxs_proposals_init(&replica.proposals);
	client = calloc(1, sizeof(*client));
	client->node = &node;
	client->fd = -1;
	client->fetch.fd = -1;
}

static void append(u32 len)
{
	struct pxs_client_hdr h = { .id = cpu_to_le64(77) };

	client->out_len = 0;
	pxs_client_append(client, &replica, &h, value, len);
}

/* End the first that is queued. */
static void end(u32 error, u64 at)
{
	struct pxs_proposal_list *l = &replica.proposals.queued;
	struct pxs_proposal *p = l->first;

	l->first = p->next;
	if (!l->first)
		l->last = &l->first;
	l->count--;
	replica.proposals.bytes -= p->len;
	p->done(p, error, at);
}

/* The one answer that was given: its type and what it says. */
static u64 said(u8 type)
{
	struct pxs_client_hdr h;

	if (!CHECK(client->out_len >= sizeof(h) && !client->appends))
		return 0;
	memcpy(&h, client->out, sizeof(h));
	CHECK_EQ(h.type, type);
	CHECK_EQ(le64_to_cpu(h.id), 77);
	CHECK_EQ(client->out_len, sizeof(h) + le32_to_cpu(h.len));
	return le64_to_cpu(h.arg);
}

static void finish(void)
{
	CHECK_EQ(replica.proposals.queued.count, 0);
	CHECK_EQ(replica.proposals.bytes, 0);
	free(client->out);
	free(client);
}

static void sizes_in_slots(void)
{
	static const struct { u32 len, slots; } of[] = {
		{ 1, 1 }, { PXS_VALUE_MAX, 1 }, { PXS_VALUE_MAX + 1, 2 },
		{ 2 * PXS_CHUNK_BYTES, 2 },
		{ 2 * PXS_CHUNK_BYTES + 1, 3 }, { 65536, 5 }, { PXS_WHOLE_MAX, 5 },
	};
	u32 i, s;

	begin();
	for (i = 0; i < ARRAY_SIZE(of); i++) {
		append(of[i].len);
		CHECK_EQ(replica.proposals.queued.count, of[i].slots);
		for (s = 0; s < of[i].slots; s++) {
			CHECK_EQ(client->out_len, 0);
			end(0, 100 + s);
		}
		CHECK_EQ(said(PXS_CLIENT_APPENDED), 100 + of[i].slots - 1);
	}
	finish();
}

/* Each chunk's end, and what the client is told. */
static void what_became_of_it(void)
{
	static const struct { u32 error[3]; u64 slot[3]; u8 type; u64 says; } of[] = {
		{ { 0, 0, 0 }, { 5, 6, 7 }, PXS_CLIENT_APPENDED, 7 },
		{ { 0, 0, 0 }, { 5, 6, 8 }, PXS_CLIENT_ERROR, PXS_CLIENT_BUSY },
		{ { 0, 0, 0 }, { 5, 7, 8 }, PXS_CLIENT_ERROR, PXS_CLIENT_BUSY },
		{ { PXS_CLIENT_UNKNOWN, 0, 0 }, { 5, 6, 7 }, PXS_CLIENT_ERROR, PXS_CLIENT_UNKNOWN },
		{ { 0, 0, PXS_CLIENT_UNKNOWN }, { 5, 6, 7 }, PXS_CLIENT_ERROR, PXS_CLIENT_UNKNOWN },
		/* A chunk that is certainly not there makes all of it certain. */
		{ { 0, 0, PXS_CLIENT_NOT_LEADER }, { 5, 6, 0 }, PXS_CLIENT_ERROR,
		  PXS_CLIENT_NOT_LEADER },
		{ { PXS_CLIENT_UNKNOWN, PXS_CLIENT_UNKNOWN, PXS_CLIENT_NOT_LEADER }, { 5, 6, 0 },
		  PXS_CLIENT_ERROR, PXS_CLIENT_NOT_LEADER },
		{ { PXS_CLIENT_UNKNOWN, PXS_CLIENT_BUSY, PXS_CLIENT_BUSY }, { 5, 0, 0 },
		  PXS_CLIENT_ERROR, PXS_CLIENT_BUSY },
	};
	u32 i, s;

	begin();
	for (i = 0; i < ARRAY_SIZE(of); i++) {
		append(40000);
		for (s = 0; s < 3; s++)
			end(of[i].error[s], of[i].slot[s]);
		CHECK_EQ(said(of[i].type), of[i].says);
	}
	finish();
}

/* Nothing of it is queued. */
static void refused_whole(void)
{
	u64 bytes;

	begin();
	append(0);
	CHECK_EQ(said(PXS_CLIENT_ERROR), PXS_CLIENT_INVALID);
	append(PXS_WHOLE_MAX + 1);
	CHECK_EQ(said(PXS_CLIENT_ERROR), PXS_CLIENT_TOO_LARGE);
	config.tables = true;
	append(PXS_VALUE_MAX + 1);
	CHECK_EQ(said(PXS_CLIENT_ERROR), PXS_CLIENT_TOO_LARGE);
	config.tables = false;
	bytes = PXS_QUEUE_BYTES - 4 * PXS_VALUE_MAX;
	replica.proposals.bytes = bytes;
	append(65536);
	CHECK_EQ(said(PXS_CLIENT_ERROR), PXS_CLIENT_BUSY);
	CHECK_EQ(replica.proposals.bytes, bytes);
	replica.proposals.bytes = 0;
	replica.elect.role = PXS_ROLE_FOLLOWER;
	append(65536);
	CHECK_EQ(said(PXS_CLIENT_ERROR), PXS_CLIENT_NOT_LEADER);
	replica.elect.role = PXS_ROLE_LEADER;
	/* A client's own chunk: readers would join it to something. */
	pxs_chunk_put(slot[0], 1, value, 40000, 0);
	memcpy(value, slot[0], PXS_VALUE_MAX);
	append(PXS_VALUE_MAX);
	CHECK_EQ(said(PXS_CLIENT_ERROR), PXS_CLIENT_INVALID);
	fill();
	finish();
}

int main(void)
{
	fill();
	RUN(every_boundary);
	RUN(damaged_is_no_chunk);
	RUN(readers_agree_with_the_rule);
	RUN(chunks_of_two_values);
	RUN(sizes_in_slots);
	RUN(what_became_of_it);
	RUN(refused_whole);
	return unit_done();
}
