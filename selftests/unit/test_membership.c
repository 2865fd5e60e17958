// SPDX-License-Identifier: GPL-2.0
/*
 * test_membership.c - changes of members: what may follow what (S9), the stop sign, the end of an
 * epoch
 */
#include "unit_group.h"
#include "held.h"
#include "membership.h"

static struct pxs_membership m;
static u8 bytes[PXS_MEMBERSHIP_BYTES];

/* The members in force, as of the next epoch. */
static void begin_next(void)
{
	u8 i;

	memset(&m, 0, sizeof(m));
	m.epoch = g.conf.epoch + 1;
	m.nmembers = g.conf.nmembers;
	m.learners = g.conf.learners;
	for (i = 0; i < m.nmembers; i++)
		m.member[i] = (struct pxs_wire_member){
			.id = g.conf.member[i].id, .family = 4, .port = cpu_to_be16(7400 + i),
			.incarnation = cpu_to_be64(g.conf.member[i].incarnation),
		};
}

static void add(u8 id, bool learner)
{
	m.member[m.nmembers++] = (struct pxs_wire_member){
		.id = id, .family = 4, .port = cpu_to_be16(8000 + id),
		.incarnation = cpu_to_be64(1000 + id),
	};
	m.learners += learner;
}

static bool wrong(const char *words)
{
	const char *why = pxs_membership_check(&g.conf, &m);

	return why && strstr(why, words);
}

/* S9: one member at a time, so that majorities meet. */
static void one_at_a_time(void)
{
	init();
	begin_next();
	CHECK(!pxs_membership_check(&g.conf, &m));	/* addresses only */
	add(6, true);
	CHECK(!pxs_membership_check(&g.conf, &m));
	add(7, true);
	CHECK(wrong("one member"));
	g.conf.nmembers = 4;
	begin_next();
	add(6, false);
	CHECK(wrong("learner first"));
	g.conf.nmembers = 5;
	begin_next();
	m.nmembers = 4;
	CHECK(!pxs_membership_check(&g.conf, &m));
	m.nmembers = 3;
	CHECK(wrong("one member"));
	m.nmembers = 1;
	CHECK(wrong("2 to 5"));
	begin_next();
	m.learners = 1;
	CHECK(!pxs_membership_check(&g.conf, &m));
	m.learners = 2;
	CHECK(wrong("one member"));
	begin_next();
	m.nmembers = 4;
	add(6, true);	/* one goes, another comes */
	CHECK(wrong("one member"));
	begin_next();
	m.epoch++;
	CHECK(wrong("meanwhile"));
	m.epoch -= 2;
	CHECK(wrong("meanwhile"));
	/* S3: with another journal it is another member */
	begin_next();
	m.member[4].incarnation = cpu_to_be64(77);
	CHECK(wrong("another incarnation"));
	g.conf.learners = 1;
	begin_next();
	m.member[4].incarnation = cpu_to_be64(77);
	CHECK(!pxs_membership_check(&g.conf, &m));
	m.learners = 0;
	CHECK(wrong("another incarnation"));
	end();
}

static void bytes_are_checked(void)
{
	struct pxs_membership again;
	u32 len, i;

	init();
	begin_next();
	len = pxs_membership_put(bytes, &m);
	CHECK_EQ(len, 16 + 5 * 32);
	CHECK(!pxs_membership_parse(bytes, len, &again));
	CHECK(!memcmp(&m, &again, sizeof(m)));
	CHECK(pxs_membership_parse(bytes, len - 1, &again));
	CHECK(pxs_membership_parse(bytes, len - 32, &again));
	CHECK(pxs_membership_parse(bytes, 3, &again));
	for (i = 10; i < 16; i++) {
		bytes[i] = 1;	/* reserved */
		CHECK(pxs_membership_parse(bytes, len, &again));
		bytes[i] = 0;
	}
	m.learners = 5;
	len = pxs_membership_put(bytes, &m);
	CHECK(pxs_membership_parse(bytes, len, &again));
	begin_next();
	m.member[1].id = 1;
	len = pxs_membership_put(bytes, &m);
	CHECK(pxs_membership_parse(bytes, len, &again));
	begin_next();
	m.member[1].port = m.member[0].port;
	len = pxs_membership_put(bytes, &m);
	CHECK(pxs_membership_parse(bytes, len, &again));
	begin_next();
	m.member[1].family = 6;
	len = pxs_membership_put(bytes, &m);
	CHECK(pxs_membership_parse(bytes, len, &again));
	begin_next();
	m.member[1].incarnation = 0;
	len = pxs_membership_put(bytes, &m);
	CHECK(pxs_membership_parse(bytes, len, &again));
	end();
}

static int configure(u64 *slot)
{
	u32 len = pxs_membership_put(bytes, &m);
	struct pxs_value *v = pxs_value_of(bytes, len, PXS_ENTRY_CONFIG);
	int ret;

	pxs_out_done(&out);
	ret = pxs_group_propose(&g, v, now, slot, &out);
	pxs_value_put(v);
	return ret;
}

/* It waits for all that is in flight, and nothing is proposed behind it. */
static void stop_sign(void)
{
	u64 slot = 0, lsn;
	u32 len;

	begin();
	lead(0x101);
	CHECK_EQ(propose("a", &slot), 0);
	begin_next();
	add(6, true);
	CHECK_EQ(-configure(&slot), EAGAIN);
	durable();
	accepted(1, 0x101, 1, 1);
	accepted(2, 0x101, 1, 1);
	CHECK_EQ(g.commit, 1);
	m.epoch = 3;
	CHECK_EQ(-configure(&slot), EINVAL);
	m.epoch = 2;
	CHECK_EQ(configure(&slot), 0);
	CHECK_EQ(slot, 2);
	CHECK_EQ(-propose("b", &slot), EAGAIN);
	CHECK_EQ(-configure(&slot), EAGAIN);
	durable();
	len = pxs_membership_put(bytes, &m);
	CHECK_EQ(-pxs_group_move(&g, 2, bytes, len, &lsn), EINVAL);	/* not decided */
	accepted(1, 0x101, 2, 1);
	accepted(2, 0x101, 2, 1);
	CHECK_EQ(g.commit, 2);
	/* It is heard once more, and leads no more. */
	CHECK_FATAL(sent(PXS_WIRE_HEARTBEAT));
	CHECK_EQ(sent(PXS_WIRE_HEARTBEAT)->commit, 2);
	CHECK_EQ(g.lead_ballot, 0);
	CHECK_EQ(-propose("b", &slot), ENOTCONN);
	CHECK_EQ(-pxs_group_prepare(&g, 0x201, 3, 0, &out), EAGAIN);
	CHECK_EQ(pxs_group_move(&g, 2, bytes, len, &lsn), 0);
	CHECK_EQ(lsn, stage.last_lsn);
	CHECK_EQ(g.state, PXS_GROUP_MOVED);
	CHECK_EQ(-pxs_group_activate(&g, 2, now), ESHUTDOWN);
	end();
}

/* A quorum is one of voters. */
static void learners_do_not_count(void)
{
	u64 slot;

	begin();
	g.conf.learners = 2;	/* three vote: 0, 1, 2 */
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	CHECK_EQ(sent(PXS_WIRE_PREVOTE)->to, 0x06);
	prevote_ack(3, 0x101, 0);
	prevote_ack(4, 0x101, 0);
	CHECK_EQ(g.prepare_ballot, 0);
	prevote_ack(1, 0x101, 0);
	CHECK_EQ(g.prepare_ballot, 0x101);
	durable();
	CHECK_EQ(sent(PXS_WIRE_PREPARE)->to, 0x06);
	CHECK_EQ(pxs_group_lead(&g, 0x101, 1, 0, now, &out), 0);
	CHECK_EQ(propose("a", &slot), 0);
	CHECK_EQ(sent(PXS_WIRE_ACCEPT)->to, 0x1e);	/* they get all */
	durable();
	accepted(3, 0x101, 1, 1);
	accepted(4, 0x101, 1, 1);
	CHECK_EQ(g.commit, 0);
	accepted(1, 0x101, 1, 1);
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(-pxs_group_transfer(&g, 3, now, &out), EINVAL);
	end();
}

static void a_learner_does_not_vote(void)
{
	begin();
	g.conf.learners = 4;
	g.conf.self = 3;
	pxs_out_done(&out);
	CHECK_EQ(-pxs_group_prepare(&g, 0x104, 1, 0, &out), EPERM);
	CHECK(!pxs_group_votes(&g));
	CHECK(pxs_group_learns(&g.conf));
	end();
}

static int trust(u8 type, u64 of, u64 commit)
{
	struct pxs_msg msg = {
		.type = type, .sender = 2, .receiver = 1, .group = 1, .epoch = of,
		.sender_inc = INC + 1, .receiver_inc = INC, .commit = commit, .slot = 1,
		.counter = ++counter,
	};

	if (type != PXS_WIRE_LEARN && type != PXS_WIRE_LEARN_REQ)
		msg.ballot = type == PXS_WIRE_ACCEPTED ? 0x101 : 0x102;
	return pxs_group_trust(&g, &msg);
}

/* S10: of another epoch only what was chosen counts, and of a later one how far it is. */
static void other_epochs(void)
{
	begin();
	g.conf.epoch = 5;
	CHECK_EQ(trust(PXS_WIRE_PREPARE, 4, 0), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(trust(PXS_WIRE_ACCEPT, 4, 9), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(trust(PXS_WIRE_ACCEPTED, 4, 9), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(trust(PXS_WIRE_ACCEPTED, 6, 0), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(trust(PXS_WIRE_PREVOTE, 6, 0), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(g.known_commit, 0);
	CHECK_EQ(trust(PXS_WIRE_PREVOTE, 4, 0), 0);	/* it is told that it lags */
	CHECK_EQ(trust(PXS_WIRE_LEARN, 4, 0), 0);
	CHECK_EQ(trust(PXS_WIRE_LEARN_REQ, 6, 0), 0);
	CHECK_EQ(trust(PXS_WIRE_HEARTBEAT, 6, 7), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(g.known_commit, 7);
	end();
}

/* Whoever votes in an epoch has what came before it; and a trim says the members again. */
static void loaded(void)
{
	struct pxs_record r = { .group = 1, .type = PXS_RECORD_CONFIG, .lsn = 1, .slot = 1,
				.ballot = 3, .data = bytes };
	u64 last;

	init();
	begin_next();
	m.epoch = 1;
	r.len = pxs_membership_put(bytes, &m);
	r.slot = 2;
	CHECK_EQ(-pxs_group_load(&g, &r), EINVAL);
	r.slot = 1;
	CHECK_EQ(pxs_group_load(&g, &r), 0);
	CHECK(pxs_group_mute(&g));
	CHECK_EQ(load(PXS_RECORD_COMMIT, 2, 3, 0, NULL, 0), 0);
	CHECK(!pxs_group_mute(&g));
	attach(2);
	CHECK_EQ(pxs_group_activate(&g, 3, now), 0);
	last = stage.last_lsn;
	CHECK_EQ(pxs_group_trim(&g, 3), 0);
	CHECK_EQ(stage.last_lsn, last + 3);	/* COMMIT, CONFIG, TRIM */
	CHECK_EQ(g.config_lsn, last + 2);
	end();
}

/*
 * Rule 5: over what it lacks, as far as it heard that the log goes; and it neither votes nor stands
 * there before it has that.
 */
static void told_by_a_peer(void)
{
	struct pxs_record r = { .group = 1, .type = PXS_RECORD_CONFIG, .lsn = 1, .slot = 3,
				.ballot = 7, .data = bytes };
	u64 lsn;
	u32 len;

	begin();
	begin_next();
	m.epoch = 3;
	len = pxs_membership_put(bytes, &m);
	CHECK_EQ(-pxs_group_move(&g, 7, bytes, len, &lsn), EINVAL);
	CHECK_EQ(trust(PXS_WIRE_HEARTBEAT, 6, 7), PXS_GROUP_STAT_BAD_EPOCH);
	CHECK_EQ(-pxs_group_move(&g, 8, bytes, len, &lsn), EINVAL);
	CHECK_EQ(pxs_group_move(&g, 7, bytes, len, &lsn), 0);
	CHECK_EQ(g.state, PXS_GROUP_MOVED);
	end();

	init();
	g.conf.epoch = 3;
	r.len = len;
	CHECK_EQ(pxs_group_load(&g, &r), 0);
	attach(1);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK(pxs_group_mute(&g));
	CHECK(!pxs_group_votes(&g));
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 1, 0, &out), EAGAIN);
	end();
}

/* What a learner lacks is kept; who is in the group no more holds nothing. */
static void who_holds_the_log(void)
{
	u8 i;

	begin();
	g.conf.learners = 1;
	g.commit = 9;
	for (i = 1; i < 4; i++)
		pxs_held_heard(&g, i, 9);
	pxs_held_beat(&g, &out);
	CHECK_EQ(g.held, 0);
	pxs_held_heard(&g, 4, 7);
	pxs_held_beat(&g, &out);
	CHECK_EQ(g.held, 7);
	g.conf.nmembers = 4;
	g.conf.learners = 0;
	pxs_held_beat(&g, &out);
	CHECK_EQ(g.held, 9);
	g.commit = 0;
	end();
}

int main(void)
{
	RUN(one_at_a_time);
	RUN(bytes_are_checked);
	RUN(stop_sign);
	RUN(learners_do_not_count);
	RUN(a_learner_does_not_vote);
	RUN(other_epochs);
	RUN(loaded);
	RUN(told_by_a_peer);
	RUN(who_holds_the_log);
	return unit_done();
}
