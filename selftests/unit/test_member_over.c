// SPDX-License-Identifier: GPL-2.0
/*
 * test_member_over.c - a member goes over to the next configuration: where it listens then,
 * whether it is removed, and whether it was left behind
 */
#include "unit_member.h"

static int deleted(struct pxs_datapath *dp, u32 group)
{
	(void)dp;
	(void)group;
	return 0;
}

static struct pxs_address listening;	/* where the datapath's group does */

/* This host has 10.0.0.0/24. */
static int added(struct pxs_datapath *dp, const struct pxs_group_config *config)
{
	const struct pxs_address *own = &config->address[config->conf.self];

	(void)dp;
	if (memcmp(pxs_address_ip(own), "\x0a\0\0", 3))
		return -EADDRNOTAVAIL;
	listening = *own;
	return 0;
}

static void record(u8 type, u64 slot, u64 lsn, const u8 *value, u32 len)
{
	struct pxs_record rec = {
		.group = 1, .type = type, .slot = slot, .lsn = lsn, .ballot = pxs_ballot(7, 2),
		.flags = type == PXS_RECORD_CONFIG ? 0 : PXS_ENTRY_CONFIG,
		.data = value, .len = len,
	};

	if (type == PXS_RECORD_CONFIG)
		rec.ballot = 10;
	pxs_member_record(&r, &rec, 0);
}

/* The members of @epoch: 1 to 3, and @id as a learner. */
static u32 config_with(u8 *bytes, u64 epoch, u8 id)
{
	struct pxs_membership m = { .epoch = epoch, .nmembers = 4, .learners = 1 };
	u8 i;

	for (i = 0; i < 4; i++) {
		u8 is = i < 3 ? i + 1 : id;

		m.member[i] = (struct pxs_wire_member){
			.id = is, .family = 4, .port = cpu_to_be16(7400), .addr = { 10, 0, 0, is },
			.incarnation = cpu_to_be64(INC + is - 1),
		};
	}
	return pxs_membership_put(bytes, &m);
}

/* Member 1 of three, in the datapath. */
static void host_of_10_0_0(void)
{
	static const struct pxs_datapath_ops ops = { .group_del = deleted, .group_add = added };
	static struct pxs_datapath dp = { .ops = &ops };

	begin(3, 0, 0);
	node.dp = &dp;
}

/* The members in force, this one at @text, from @epoch on. */
static int enter_at(const char *text, u64 epoch)
{
	u8 bytes[PXS_MEMBERSHIP_BYTES];
	struct pxs_address a = { 0 };
	struct pxs_membership m;
	u32 len = config_with(bytes, epoch, 9);

	CHECK(!pxs_membership_parse(bytes, len, &m));
	CHECK(!pxs_address_parse(text, &a));
	memcpy(m.member[0].addr, pxs_address_ip(&a), 4);
	len = pxs_membership_put(bytes, &m);
	record(PXS_RECORD_CONFIG, epoch, epoch + 20, bytes, len);
	return pxs_member_enter(&r);
}

static bool listens_at(const char *text)
{
	char at[64];

	pxs_address_format(&listening, at, sizeof(at));
	return !strcmp(at, text);
}

/* One digit wrong does not end the daemon, nor what would put it right again. */
static void an_address_that_is_not_here(void)
{
	char text[64];

	host_of_10_0_0();
	CHECK_EQ(enter_at("192.0.2.1:7400", 5), 0);
	CHECK(listens_at("10.0.0.1:7400"));
	CHECK(r.members.elsewhere);
	/* What others are told, and the next change is made of, is what was decided. */
	pxs_address_format(&conf.address[0], text, sizeof(text));
	CHECK_STR(text, "192.0.2.1:7400");
	CHECK_EQ(enter_at("192.0.2.2:7400", 6), 0);
	CHECK(listens_at("10.0.0.1:7400"));
	CHECK(r.members.elsewhere);
	CHECK_EQ(enter_at("10.0.0.77:7400", 7), 0);
	CHECK(listens_at("10.0.0.77:7400"));
	CHECK(!r.members.elsewhere);
	CHECK_EQ(enter_at("192.0.2.1:7400", 8), 0);
	CHECK(listens_at("10.0.0.77:7400"));
	/* The file's own is not this host's: a mistake that is to be mended there. */
	host_of_10_0_0();
	CHECK(!pxs_address_parse("192.0.2.1:7400", &conf.address[0]));
	pxs_members_init(&r);
	CHECK_EQ(pxs_member_add(&r), -EADDRNOTAVAIL);
}

/* A learner of the file, member 4: @value is applied at @slot. Return: it goes over. */
static bool applies(u8 type, u64 slot, u64 lsn, const u8 *value, u32 len)
{
	record(type, slot, lsn, value, len);
	return pxs_member_applied(&r, slot, lsn, pxs_ballot(7, 2));
}

static void learner_of_the_file(void)
{
	begin(4, 1, 3);
}

/* "3 or 5, and up to 7 with learners": one of those is no newcomer, and knows when it is removed. */
static void a_learner_of_the_file_is_removed(void)
{
	u8 bytes[PXS_MEMBERSHIP_BYTES];
	u32 len = config_with(bytes, 5, 9);

	learner_of_the_file();
	CHECK(!applies(PXS_RECORD_DECIDED, 10, 20, bytes, len));
	/* It was asked to accept something in the file's epoch; then, or before its last start. */
	learner_of_the_file();
	CHECK(applies(PXS_RECORD_ACCEPT, 10, 20, bytes, len));
	/* It heard who leads there. */
	learner_of_the_file();
	pxs_elect_init(&r.elect, &conf.conf, 1);
	pxs_replica_leader(&r, PXS_LEADER_LOST, pxs_ballot(7, 2));
	CHECK(!applies(PXS_RECORD_DECIDED, 10, 20, bytes, len));
	pxs_elect_exit(&r.elect);
	learner_of_the_file();
	pxs_elect_init(&r.elect, &conf.conf, 1);
	pxs_replica_leader(&r, PXS_LEADER_SEEN, pxs_ballot(7, 2));
	CHECK(applies(PXS_RECORD_DECIDED, 10, 20, bytes, len));
	pxs_elect_exit(&r.elect);
	learner_of_the_file();
	r.members.counted = true;
	CHECK(!pxs_member_hear(&r, 10, bytes, len));
	CHECK(pxs_member_moves(&r));
	/* Nobody borrows its checkpoint: no configuration says what that covers. */
	CHECK(r.members.joins);
}

/* Who was added and removed before it had gone over. */
static void came_and_went(void)
{
	u8 without[PXS_MEMBERSHIP_BYTES], with[PXS_MEMBERSHIP_BYTES];
	u32 len = config_with(without, 6, 9), named = config_with(with, 5, 4);

	learner_of_the_file();
	record(PXS_RECORD_DECIDED, 10, 20, with, named);
	record(PXS_RECORD_DECIDED, 12, 21, without, len);
	CHECK(!pxs_member_applied(&r, 10, 20, pxs_ballot(7, 2)));
	CHECK(pxs_member_applied(&r, 12, 21, pxs_ballot(7, 2)));
	/* Those before it was added may come later, as datagrams do: they are before its time. */
	learner_of_the_file();
	record(PXS_RECORD_DECIDED, 10, 20, with, named);
	CHECK(!applies(PXS_RECORD_DECIDED, 9, 21, without, len));
}

static struct pxs_group_status heard;

static int dp_status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	(void)dp;
	(void)group;
	*st = heard;
	return 0;
}

/* A look ten seconds after the last one: is it left behind? */
static bool looks_left(u64 *now)
{
	pxs_member_tick(&r, *now += 9999);
	pxs_member_tick(&r, ++*now);
	return r.members.left.behind;
}

/* All that it knew were replaced while it was away: what the others send does not count here. */
static void left_behind(void)
{
	static const struct pxs_datapath_ops ops = { .status = dp_status };
	static struct pxs_datapath dp = { .ops = &ops };
	u64 now = 1000;

	begin(3, 0, 0);
	node.dp = &dp;
	heard = (struct pxs_group_status){ .commit = 7 };
	heard.stat[PXS_GROUP_STAT_BAD_SENDER] = 5;	/* of a former life */
	pxs_member_tick(&r, now);
	CHECK(!looks_left(&now));
	CHECK(!looks_left(&now));
	heard.stat[PXS_GROUP_STAT_BAD_SENDER]++;
	CHECK(looks_left(&now));
	CHECK(!looks_left(&now));
	/* With other addresses they are known, and of another epoch. */
	heard.stat[PXS_GROUP_STAT_BAD_EPOCH]++;
	CHECK(looks_left(&now));
	/* It learns. */
	heard.commit++;
	heard.stat[PXS_GROUP_STAT_BAD_EPOCH]++;
	CHECK(!looks_left(&now));
	heard.stat[PXS_GROUP_STAT_BAD_EPOCH]++;
	CHECK(looks_left(&now));
	/* There is a leader, of this epoch. */
	r.elect.leader = 2;
	heard.stat[PXS_GROUP_STAT_BAD_EPOCH]++;
	CHECK(!looks_left(&now));
	r.elect.leader = 0;
	r.elect.role = PXS_ROLE_LEADER;
	CHECK(!looks_left(&now));
	r.elect.role = PXS_ROLE_FOLLOWER;
	CHECK(!looks_left(&now));
}

int main(void)
{
	RUN(an_address_that_is_not_here);
	RUN(a_learner_of_the_file_is_removed);
	RUN(came_and_went);
	RUN(left_behind);
	return unit_done();
}
