// SPDX-License-Identifier: GPL-2.0
/*
 * test_members.c - changes of members at one daemon: what a peer says of them, what is refused, and
 * where their stores listen
 */
#include "unit_member.h"

static char words[PXS_MEMBER_WORDS];

/* The members of epoch @epoch: ids 2.. of those in force, and @more. */
static u32 config_of(u8 *bytes, u64 epoch, u8 more)
{
	struct pxs_membership m = { .epoch = epoch };
	u8 i, id;

	for (i = 0; i < 3; i++) {
		id = i < 2 ? i + 2 : more;
		m.member[m.nmembers++] = (struct pxs_wire_member){
			.id = id, .family = 4, .port = cpu_to_be16(7400 + id),
			.incarnation = cpu_to_be64(INC + id - 1),
		};
	}
	return pxs_membership_put(bytes, &m);
}

/* Rule 5 of membership.h: who takes a checkpoint goes over to what its lender goes by, first. */
static void a_peer_says_who_they_are(void)
{
	u8 bytes[PXS_MEMBERSHIP_BYTES];
	u32 len;

	begin(3, 0, 1);
	CHECK(pxs_member_hear(&r, 0, NULL, 0));
	len = config_of(bytes, 4, 9);
	CHECK(pxs_member_hear(&r, 7, bytes, len));
	CHECK(!pxs_member_moves(&r));
	len = config_of(bytes, 6, 9);
	CHECK(!pxs_member_hear(&r, 0, bytes, len));
	CHECK(!pxs_member_hear(&r, 7, bytes, len - 1));
	CHECK(!pxs_member_moves(&r));
	r.started = false;
	CHECK(!pxs_member_hear(&r, 7, bytes, len));
	CHECK(!pxs_member_moves(&r));
	r.started = true;
	CHECK_EQ(pxs_member_newest(&r)->epoch, 0);
	CHECK(!pxs_member_hear(&r, 7, bytes, len));
	CHECK(pxs_member_moves(&r));
	CHECK_EQ(r.members.next.epoch, 6);
	CHECK_EQ(r.members.next.slot, 7);
	CHECK_EQ(pxs_member_newest(&r)->epoch, 6);
	/* One is under way. */
	len = config_of(bytes, 7, 9);
	CHECK(!pxs_member_hear(&r, 8, bytes, len));
	CHECK_EQ(r.members.next.epoch, 6);
	r.members.now.epoch = 8;
	CHECK_EQ(pxs_member_newest(&r)->epoch, 8);
}

/* Whoever comes goes on as its file says until there is a configuration that names it. */
static void who_comes_is_not_removed(void)
{
	u8 bytes[PXS_MEMBERSHIP_BYTES];
	u32 len;

	begin(4, 1, 3);
	len = config_of(bytes, 6, 9);
	CHECK(pxs_member_hear(&r, 7, bytes, len));
	CHECK(!pxs_member_moves(&r));
	len = config_of(bytes, 7, 4);
	CHECK(!pxs_member_hear(&r, 9, bytes, len));
	CHECK(pxs_member_moves(&r));
	/* Whoever was a member goes over, and learns that it is none any more. */
	begin(3, 0, 0);
	len = config_of(bytes, 6, 9);
	CHECK(!pxs_member_hear(&r, 7, bytes, len));
	CHECK(pxs_member_moves(&r));
}

/* What it promised is gone with its segments: no file makes a member of it again (S3). */
static void who_was_removed_does_not_come_back(void)
{
	begin(3, 0, 1);
	pxs_member_adopt(&r);
	CHECK(!r.gone);
	CHECK(pxs_floor_leave(&node.journal.floor, 2, 3));
	pxs_member_adopt(&r);
	CHECK(!r.gone);
	CHECK(pxs_floor_leave(&node.journal.floor, 1, 3));
	pxs_member_adopt(&r);
	CHECK(r.gone);
	CHECK_EQ(r.members.removed, 3);
}

#define NOT_YET	1000u

static u32 told;

static void done(void *ctx, u32 error, u64 epoch)
{
	(void)ctx;
	(void)epoch;
	told = error;
}

static u32 ask(enum pxs_member_op op, u8 id, const struct pxs_wire_member *to)
{
	words[0] = 0;
	return pxs_member_change(&r, op, id, to, false, words, done, NULL);
}

static void refused_with_the_reason(void)
{
	begin(3, 0, 0);
	CHECK_EQ(ask(PXS_MEMBER_REMOVE, 2, NULL), PXS_CLIENT_NOT_LEADER);
	conf.conf.memory = true;
	CHECK_EQ(ask(PXS_MEMBER_REMOVE, 2, NULL), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "durability memory"));
}

/* The datapath's order of members is its own: member 4, the learner, comes first there. */
static u64 learner_has;

static int dp_status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	u8 i;

	(void)dp;
	(void)group;
	st->commit = 1000;
	for (i = 0; i < 4; i++) {
		st->has[i].id = 4 - i;
		st->has[i].commit = i ? 1000u - 100u * i : learner_has;
	}
	return 0;
}

static void who_lags_is_not_promoted(void)
{
	static const struct pxs_datapath_ops ops = { .status = dp_status };
	struct pxs_datapath dp = { .ops = &ops };

	begin(4, 1, 0);
	node.dp = &dp;
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.next = 1;
	learner_has = 1000 - PXS_MEMBER_BEHIND - 1;
	CHECK_EQ(ask(PXS_MEMBER_PROMOTE, 4, NULL), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "it has slots up to 743 of 1000"));
	learner_has++;
	CHECK_EQ(ask(PXS_MEMBER_PROMOTE, 4, NULL), 0);
	node.dp = NULL;
}

static void lead(void)
{
	begin(3, 0, 0);
	strcpy(conf.where[0], "10.0.0.1:6379");
	strcpy(conf.where[1], "10.9.0.2:6379");
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.next = 1;
}

static const struct pxs_membership *planned(void)
{
	const struct pxs_member_config *c = &r.members.change.config;
	static struct pxs_membership m;

	CHECK(!pxs_membership_parse(c->value, c->len, &m));
	return &m;
}

/* The log says it where it can: the same address, another port. */
static void a_change_says_where_stores_listen(void)
{
	struct pxs_wire_member to = {
		.family = 4, .port = cpu_to_be16(7400), .addr = { 10, 0, 0, 4 },
		.incarnation = cpu_to_be64(77), .store_port = cpu_to_be16(6380),
	};

	lead();
	CHECK_EQ(ask(PXS_MEMBER_ADD, 4, &to), 0);
	CHECK_EQ(planned()->member[0].store_port, cpu_to_be16(6379));
	CHECK_EQ(planned()->member[1].store_port, 0);
	CHECK_EQ(planned()->member[2].store_port, 0);
	CHECK_EQ(planned()->member[3].store_port, cpu_to_be16(6380));
	/* Another address of the same member: its store stays where it was, unless that is said. */
	lead();
	to.incarnation = cpu_to_be64(INC);
	to.store_port = 0;
	CHECK_EQ(ask(PXS_MEMBER_SET, 1, &to), 0);
	CHECK_EQ(planned()->member[0].store_port, cpu_to_be16(6379));
	lead();
	to.store_port = cpu_to_be16(1);
	CHECK_EQ(ask(PXS_MEMBER_SET, 1, &to), 0);
	CHECK_EQ(planned()->member[0].store_port, cpu_to_be16(1));
	/* Of another one nothing is known. */
	lead();
	conf.conf.learners = 1;
	strcpy(conf.where[2], "10.0.0.3:6379");
	to.incarnation = cpu_to_be64(78);
	to.store_port = 0;
	CHECK_EQ(ask(PXS_MEMBER_SET, 3, &to), 0);
	CHECK_EQ(planned()->member[2].store_port, 0);
}

/* Members ask each other for eventual keys: a new one that nobody could ask is not taken. */
static void of_eventual_keys_all_can_be_asked(void)
{
	struct pxs_wire_member to = {
		.family = 4, .port = cpu_to_be16(7400), .addr = { 10, 0, 0, 4 },
		.incarnation = cpu_to_be64(77),
	};

	lead();
	conf.eventual = true;
	CHECK_EQ(ask(PXS_MEMBER_ADD, 4, &to), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "eventual keys"));
	conf.conf.learners = 1;
	CHECK_EQ(ask(PXS_MEMBER_SET, 3, &to), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "(store PORT)"));
	/* Where the file says it of the same member, it stands. */
	to.incarnation = cpu_to_be64(INC + 2);
	CHECK_EQ(ask(PXS_MEMBER_SET, 3, &to), 0);
	lead();
	conf.eventual = true;
	to.incarnation = cpu_to_be64(77);
	to.store_port = cpu_to_be16(6380);
	CHECK_EQ(ask(PXS_MEMBER_ADD, 4, &to), 0);
	conf.eventual = false;
}

/* --- what who asked is told ------------------------------------------------------- */

static u64 given;		/* the slot of what is proposed; 0: something is in flight */

static int dp_configure(struct pxs_datapath *dp, u32 group, const u8 *value, u32 len, u64 *slot)
{
	(void)dp;
	(void)group;
	(void)value;
	(void)len;
	*slot = given;
	return given ? 0 : -EAGAIN;
}

static int dp_move(struct pxs_datapath *dp, u32 group, u64 slot, const u8 *value, u32 len)
{
	(void)dp;
	(void)group;
	(void)slot;
	(void)value;
	(void)len;
	return 0;
}

static int dp_del(struct pxs_datapath *dp, u32 group)
{
	(void)dp;
	(void)group;
	return 0;
}

static int dp_add(struct pxs_datapath *dp, const struct pxs_group_config *config)
{
	(void)dp;
	(void)config;
	return 0;
}

/* This leader is asked to demote member 3; it proposes that at @slot, or not yet. */
static void asked_to_demote(u64 slot)
{
	static const struct pxs_datapath_ops ops = {
		.configure = dp_configure, .move = dp_move, .group_del = dp_del,
		.group_add = dp_add,
	};
	static struct pxs_datapath dp = { .ops = &ops };

	lead();
	node.dp = &dp;
	node.loop.now = 1000;
	told = NOT_YET;
	given = slot;
	CHECK_EQ(ask(PXS_MEMBER_DEMOTE, 3, NULL), 0);
	pxs_member_step(&r);
	CHECK_EQ(r.members.change.config.slot, slot);
}

static void record(u8 type, u64 slot, u64 lsn, const struct pxs_member_config *c)
{
	struct pxs_record rec = {
		.group = 1, .type = type, .slot = slot, .lsn = lsn, .data = c->value,
		.ballot = type == PXS_RECORD_CONFIG ? c->slot : pxs_ballot(7, 2), .len = c->len,
		.flags = type == PXS_RECORD_CONFIG ? 0 : PXS_ENTRY_CONFIG,
	};

	pxs_member_record(&r, &rec, 0);
}

/* It is overtaken and learns of @c, which is chosen. */
static void learns(const struct pxs_member_config *c)
{
	r.elect.role = PXS_ROLE_FOLLOWER;
	record(PXS_RECORD_DECIDED, c->slot, 20, c);
	CHECK(pxs_member_applied(&r, c->slot, 20, pxs_ballot(7, 2)));
}

/* It goes over to it. */
static void goes_over(const struct pxs_member_config *c)
{
	pxs_member_step(&r);
	record(PXS_RECORD_CONFIG, c->epoch, 22, c);
	pxs_member_step(&r);
	CHECK_EQ(pxs_member_enter(&r), 0);
	pxs_member_entered(&r);
	CHECK(!pxs_member_moves(&r));
	CHECK_EQ(conf.conf.epoch, c->epoch);
}

/* What this one would have proposed, of member @id, as if somebody else had: at @slot. */
static struct pxs_member_config others(enum pxs_member_op op, u8 id, u64 slot)
{
	struct pxs_wire_member to = {
		.family = 4, .port = cpu_to_be16(7400), .addr = { 10, 0, 0, id },
		.incarnation = cpu_to_be64(INC + id - 1),
	};
	struct pxs_member_config c;

	lead();
	CHECK_EQ(ask(op, id, &to), 0);
	c = r.members.change.config;
	c.slot = slot;
	return c;
}

/* Somebody else's change came instead of one that was never proposed: that is not in force. */
static void anothers_change_is_no_success(void)
{
	struct pxs_member_config c = others(PXS_MEMBER_ADD, 4, 10);

	asked_to_demote(0);
	learns(&c);
	CHECK_EQ(told, PXS_CLIENT_NOT_LEADER);
	told = NOT_YET;
	goes_over(&c);
	CHECK_EQ(told, NOT_YET);
	CHECK_EQ(pxs_group_voters(&conf.conf), 3);
	/* By it this member is none any more. */
	c = others(PXS_MEMBER_REMOVE, 1, 10);
	asked_to_demote(0);
	learns(&c);
	CHECK_EQ(told, PXS_CLIENT_NOT_LEADER);
	/* From a peer that lends its checkpoint. */
	c = others(PXS_MEMBER_ADD, 4, 10);
	asked_to_demote(0);
	CHECK(!pxs_member_hear(&r, 10, c.value, c.len));
	CHECK_EQ(told, PXS_CLIENT_NOT_LEADER);
	asked_to_demote(10);
	CHECK(!pxs_member_hear(&r, 12, c.value, c.len));
	CHECK_EQ(told, PXS_CLIENT_UNKNOWN);
}

static void ones_own_change_is_told(void)
{
	struct pxs_member_config own = others(PXS_MEMBER_DEMOTE, 3, 10);
	struct pxs_member_config c = others(PXS_MEMBER_ADD, 4, 10);

	asked_to_demote(10);
	learns(&own);
	CHECK_EQ(told, NOT_YET);
	goes_over(&own);
	CHECK_EQ(told, 0);
	CHECK_EQ(pxs_group_voters(&conf.conf), 2);
	asked_to_demote(10);
	CHECK(!pxs_member_hear(&r, 10, own.value, own.len));
	CHECK_EQ(told, NOT_YET);
	/* Something else is at its slot. */
	asked_to_demote(10);
	learns(&c);
	CHECK_EQ(told, PXS_CLIENT_NOT_LEADER);
	asked_to_demote(10);
	CHECK(!pxs_member_applied(&r, 10, 20, pxs_ballot(7, 2)));
	CHECK_EQ(told, PXS_CLIENT_NOT_LEADER);
	/* So it is where the next change of this epoch comes behind it. */
	c.slot = 11;
	asked_to_demote(10);
	record(PXS_RECORD_DECIDED, 11, 21, &c);
	CHECK(!pxs_member_applied(&r, 10, 20, pxs_ballot(7, 2)));
	CHECK_EQ(told, PXS_CLIENT_NOT_LEADER);
}

/* A successor may have chosen it: it is learned together with the one that came after it. */
static void a_later_epoch_says_nothing_of_it(void)
{
	struct pxs_member_config own = others(PXS_MEMBER_DEMOTE, 3, 10);
	struct pxs_member_config c;

	asked_to_demote(10);
	learns(&own);
	goes_over(&own);
	r.started = true;
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.next = 1;
	CHECK_EQ(ask(PXS_MEMBER_REMOVE, 3, NULL), 0);
	c = r.members.change.config;
	c.slot = 15;
	asked_to_demote(10);
	record(PXS_RECORD_DECIDED, 10, 20, &own);
	record(PXS_RECORD_DECIDED, 15, 25, &c);
	CHECK(!pxs_member_applied(&r, 10, 20, pxs_ballot(7, 2)));
	CHECK_EQ(told, PXS_CLIENT_UNKNOWN);
	node.dp = NULL;
}

/* Of group @at, with no change under way. */
static u32 ask_of(struct pxs_group_config *at, enum pxs_member_op op, u8 id)
{
	r.config = at;
	r.members.change.done = NULL;
	words[0] = 0;
	return pxs_member_change(&r, op, id, NULL, true, words, done, NULL);
}

/* Who leads one group of a store must have all of them: in which order members come and go. */
static void groups_of_one_store(void)
{
	static struct pxs_group_config group[3];
	struct pxs_group_conf *other = &group[2].conf;
	u8 i;

	begin(4, 1, 0);
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.next = 1;
	for (i = 0; i < 3; i++) {
		group[i] = conf;
		group[i].conf.id = i + 1;
		group[i].home = 1;
	}
	group[1].home = 0;		/* a log by itself */
	group[1].conf.nmembers = 3;
	group[1].conf.learners = 0;
	node.config.ngroups = 3;
	node.config.group = group;
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_REMOVE, 2), PXS_CLIENT_MEMBERS_KEPT);
	CHECK_STR(words, "member 2 votes in group 3, which has a part of this store: demote it there first");
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_DEMOTE, 2), 0);
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_REMOVE, 4), 0);
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_PROMOTE, 4), 0);
	CHECK_EQ(ask_of(&group[1], PXS_MEMBER_REMOVE, 2), 0);
	other->member[3].incarnation++;
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_PROMOTE, 4), PXS_CLIENT_MEMBERS_KEPT);
	CHECK_STR(words, "member 4 is another one in group 3, with another incarnation: one of them must go");
	other->nmembers = 3;
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_PROMOTE, 4), PXS_CLIENT_MEMBERS_KEPT);
	CHECK_STR(words, "member 4 is not in group 3, which has a part of this store: add it there first");
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_REMOVE, 4), 0);
	CHECK_EQ(ask_of(&group[0], PXS_MEMBER_REMOVE, 3), 0);
}

static u32 quorum(u8 phase1, u8 phase2)
{
	words[0] = 0;
	return pxs_member_quorum(&r, phase1, phase2, words, done, NULL);
}

static void lead_with(u8 n, u8 phase1, u8 phase2)
{
	begin(n, 0, 0);
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.next = 1;
	conf.conf.phase1 = phase1;
	conf.conf.phase2 = phase2;
}

static void quorums_change(void)
{
	struct pxs_wire_member to = {
		.family = 4, .port = cpu_to_be16(7400), .addr = { 10, 0, 0, 9 },
		.incarnation = cpu_to_be64(77),
	};

	begin(3, 0, 0);
	CHECK_EQ(quorum(3, 1), PXS_CLIENT_NOT_LEADER);
	lead_with(3, 0, 0);
	CHECK_EQ(quorum(2, 1), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "phase1 and phase2 together"));
	CHECK_EQ(quorum(2, 2), PXS_CLIENT_MEMBERS_KEPT);	/* majorities, as they are */
	CHECK(strstr(words, "are these"));
	CHECK_EQ(quorum(3, 1), 0);
	CHECK_EQ(planned()->epoch, 5);
	CHECK_EQ(planned()->nmembers, 3);
	CHECK_EQ(planned()->phase1, 3);
	CHECK_EQ(planned()->phase2, 1);
	CHECK_EQ(quorum(3, 2), PXS_CLIENT_BUSY);
	/* They stay when members change, or nothing changes. */
	lead_with(3, 3, 1);
	CHECK_EQ(ask(PXS_MEMBER_ADD, 9, &to), 0);
	CHECK_EQ(planned()->phase1, 3);
	CHECK_EQ(planned()->phase2, 1);
	lead_with(3, 3, 1);
	CHECK_EQ(ask(PXS_MEMBER_REMOVE, 3, NULL), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "phase1 is more than there are voters"));
	/* The way back: two changes. */
	CHECK_EQ(quorum(0, 0), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "phase2 larger first"));
	CHECK_EQ(quorum(3, 2), 0);
	lead_with(3, 3, 2);
	CHECK_EQ(quorum(2, 2), 0);
	CHECK_EQ(planned()->phase1, 0);		/* that are majorities */
	CHECK_EQ(planned()->phase2, 0);
	conf.conf.memory = true;
	CHECK_EQ(quorum(3, 1), PXS_CLIENT_MEMBERS_KEPT);
	CHECK(strstr(words, "durability memory"));
}

static void where_stores_listen(void)
{
	struct pxs_membership m = { .nmembers = 4 };
	u8 i;

	begin(4, 0, 0);
	for (i = 0; i < 3; i++) {
		conf.file_where[i].id = i + 1;
		conf.file_where[i].incarnation = INC + i;
		strcpy(conf.file_where[i].text, i == 1 ? "[fd00::2]:6379" : "10.7.0.1:6379");
	}
	conf.file_where[2].incarnation = INC + 9;	/* it was another one */
	m.member[3].store_port = cpu_to_be16(6380);
	pxs_store_where_follow(&conf, &m);
	CHECK_STR(conf.where[0], "10.7.0.1:6379");
	CHECK_STR(conf.where[1], "[fd00::2]:6379");
	CHECK_STR(conf.where[2], "");
	CHECK_STR(conf.where[3], "10.0.0.4:6380");
	CHECK_EQ(pxs_store_where_port(&conf, 0), 0);
	CHECK_EQ(pxs_store_where_port(&conf, 1), 0);
	CHECK_EQ(pxs_store_where_port(&conf, 2), 0);
	CHECK_EQ(pxs_store_where_port(&conf, 3), cpu_to_be16(6380));
	/* What the log says comes before what the file says. */
	m.member[0].store_port = cpu_to_be16(6381);
	CHECK_EQ(pxs_address_parse("[fd00::2]:7400", &conf.address[1]), 0);
	m.member[1].store_port = cpu_to_be16(6382);
	m.nmembers = 2;
	pxs_store_where_follow(&conf, &m);
	CHECK_STR(conf.where[0], "10.0.0.1:6381");
	CHECK_STR(conf.where[1], "[fd00::2]:6382");
	CHECK_STR(conf.where[3], "");
}

/* Whoever is asked says so, and of what kind it is. */
static void nobody_leads_who_does_not_vote(void)
{
	begin(4, 1, 0);
	CHECK_EQ(pxs_transfer(&r, 4, NULL, NULL), PXS_CLIENT_NO_MEMBER);
	CHECK_STR(pxs_transfer_words(&r, 4, PXS_CLIENT_NO_MEMBER),
		  "that member is a learner: it does not lead");
	CHECK_EQ(pxs_transfer(&r, 5, NULL, NULL), PXS_CLIENT_NO_MEMBER);
	CHECK_STR(pxs_transfer_words(&r, 5, PXS_CLIENT_NO_MEMBER), "no such member in the group");
	CHECK_EQ(pxs_transfer(&r, 0, NULL, NULL), PXS_CLIENT_NO_MEMBER);
	CHECK_EQ(pxs_transfer(&r, 3, NULL, NULL), PXS_CLIENT_NOT_LEADER);
}

int main(void)
{
	RUN(a_peer_says_who_they_are);
	RUN(who_comes_is_not_removed);
	RUN(who_was_removed_does_not_come_back);
	RUN(refused_with_the_reason);
	RUN(who_lags_is_not_promoted);
	RUN(a_change_says_where_stores_listen);
	RUN(of_eventual_keys_all_can_be_asked);
	RUN(anothers_change_is_no_success);
	RUN(ones_own_change_is_told);
	RUN(a_later_epoch_says_nothing_of_it);
	RUN(groups_of_one_store);
	RUN(quorums_change);
	RUN(where_stores_listen);
	RUN(nobody_leads_who_does_not_vote);
	return unit_done();
}
