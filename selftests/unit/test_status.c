// SPDX-License-Identifier: GPL-2.0
/*
 * test_status.c - the answer to STATUS, of as many groups as a node may have
 */
#define _GNU_SOURCE
#include "unit.h"

#include "../../agent/client_proto.h"
#include "../../agent/director.h"
#include "../../agent/node.h"

#define LONGEST	(1ull << 63)	/* as JSON has it: -9223372036854775808 */

static struct pxs_replica replica[PXS_GROUPS_MAX];
static struct pxs_director director[PXS_GROUPS_MAX];

static int dp_status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	u32 i;

	(void)dp;
	(void)group;
	*st = (struct pxs_group_status){
		.state = PXS_GROUP_INACTIVE, .role = PXS_ROLE_CANDIDATE, .promised = LONGEST,
		.known = LONGEST, .held = LONGEST, .trimmed = LONGEST + 1,
	};
	st->has[0].id = 255;
	for (i = 0; i < PXS_MEMBERS_MAX; i++)
		st->has[i].commit = LONGEST;
	for (i = 0; i < __PXS_GROUP_STAT_MAX; i++)
		st->stat[i] = LONGEST;
	return 0;
}

static void longest_config(struct pxs_group_config *c)
{
	u32 i;

	c->conf.memory = true;		/* its members are kept, with the longest reason */
	c->conf.nmembers = PXS_MEMBERS_MAX;
	c->conf.learners = 2;
	c->conf.epoch = LONGEST;
	c->conf.lease_drift = PXS_LEASE_DRIFT_MAX;
	c->retain = LONGEST;
	c->home = ~0u;
	c->store = (struct pxs_store_config *)c;	/* there is one; it is not looked at */
	c->keys.count = 2;
	c->keys.key[0].id = 255;
	c->keys.key[1].id = 255;
	for (i = 0; i < PXS_MEMBERS_MAX; i++) {
		c->conf.member[i].id = 255;
		CHECK_EQ(pxs_address_parse("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
					   &c->address[i]), 0);
		memset(c->where[i], 'w', PXS_WHERE_TEXT - 1);
	}
}

static void longest_replica(struct pxs_replica *r, struct pxs_group_config *c)
{
	r->config = c;
	r->id = ~0u;
	r->elect.role = PXS_ROLE_CANDIDATE;
	r->elect.leader = 255;
	r->elect.ballot = LONGEST;
	r->commit = LONGEST;
	r->applied = LONGEST;
	r->trim = LONGEST - 1;
	r->lessons = LONGEST;
	r->loan.lender = 255;
	r->loan.slot = LONGEST;
	r->loan.size = LONGEST;
	r->loan.bytes = LONGEST;
	r->proposals.queued.count = ~0u;
	r->proposals.waiting.count = ~0u;
	r->proposals.acked = LONGEST;
	r->proposals.unknown = LONGEST;
	r->proposals.refused = LONGEST;
	r->reads.answered = LONGEST;
	r->reads.refused = LONGEST;
	r->members.now.epoch = 1;
	r->members.elsewhere = true;
	r->members.listens = c->address[0];
}

static void the_longest_has_room(void)
{
	static const struct pxs_datapath_ops ops = { .name = "kernel", .status = dp_status };
	static struct pxs_group_config config;
	struct pxs_datapath dp = { .ops = &ops, .sent = LONGEST, .received = LONGEST };
	static struct pxs_node node;
	char *text;
	u32 i;

	longest_config(&config);
	for (i = 0; i < PXS_GROUPS_MAX; i++) {
		longest_replica(&replica[i], &config);
		director[i] = (struct pxs_director){
			.replica = &replica[i], .slot = LONGEST, .digest = LONGEST,
			.checked = LONGEST, .diverged = LONGEST, .next = node.directors,
		};
		node.directors = &director[i];
	}
	node.dp = &dp;
	node.replica = replica;
	node.nreplicas = PXS_GROUPS_MAX;
	text = pxs_node_status(&node);
	CHECK_FATAL(text);
	NOTE("%zu bytes", strlen(text));
	CHECK(strlen(text) <= PXS_CLIENT_BODY_MAX);
	/* The rest is of the checks. */
	CHECK(strlen(text) <= PXS_GROUPS_MAX * PXS_STATUS_GROUP_MAX + PXS_STATUS_REST_MAX);
	free(text);
}

int main(void)
{
	RUN(the_longest_has_room);
	return unit_done();
}
