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

/* --- sizes of quorums --- */

static void sizes(u8 phase1, u8 phase2)
{
	m.phase1 = phase1;
	m.phase2 = phase2;
}

static void in_force(u8 voters, u8 phase1, u8 phase2)
{
	g.conf.nmembers = voters;
	g.conf.phase1 = phase1;
	g.conf.phase2 = phase2;
	begin_next();
	sizes(phase1, phase2);
}

/* Can a quorum of phase 1 of @next miss one of phase 2 of @now? Bits are members' ids. */
static bool can_miss(u64 next, u8 phase1, u64 now_voters, u8 phase2)
{
	u64 a, b;

	for (a = 0; a < 64; a++) {
		if (a & ~next || __builtin_popcountll(a) != phase1)
			continue;
		for (b = 0; b < 64; b++)
			if (!(b & ~now_voters) && __builtin_popcountll(b) == phase2 && !(a & b))
				return true;
	}
	return false;
}

/* From these sizes of @n voters to all others, by themselves: allowed is what is safe. */
static void from_sizes(u8 n, u8 phase1, u8 phase2)
{
	u64 all = (1u << n) - 1;
	u8 c, d, half = n / 2 + 1;
	bool good;

	for (c = 0; c <= n + 1; c++) {
		for (d = !!c; d <= n + 1; d++) {
			in_force(n, phase1, phase2);
			sizes(c, d);
			good = !pxs_quorum_check(n, c, d) &&
			       !can_miss(all, c ? c : half, all, phase2 ? phase2 : half);
			CHECK_EQ(!pxs_membership_check(&g.conf, &m), good);
		}
	}
}

static void any_sizes_by_themselves(void)
{
	u8 n, a, b;

	init();
	for (n = 2; n <= 5; n++)
		for (a = 0; a <= n; a++)
			for (b = !!a; b <= n; b++)
				if (!pxs_quorum_check(n, a, b))
					from_sizes(n, a, b);
	end();
}

/* A voter comes or goes, and the sizes stay as they are: refused where they would not do. */
static void to_voters(u8 n, u8 next, u8 phase1, u8 phase2)
{
	u8 one = phase1 ? phase1 : next / 2 + 1, two = phase2 ? phase2 : n / 2 + 1;
	bool good = !pxs_quorum_check(next, phase1, phase2) &&
		    !can_miss((1u << next) - 1, one, (1u << n) - 1, two);

	in_force(5, phase1, phase2);
	g.conf.learners = 5 - n;
	m.learners = 5 - next;
	CHECK_EQ(!pxs_membership_check(&g.conf, &m), good);
	CHECK(phase1 || good);		/* majorities always meet */
}

static void sizes_when_voters_change(void)
{
	u8 n, next, a, b;

	init();
	for (n = 2; n <= 5; n++)
		for (next = max(n - 1, 2); next <= min(n + 1, 5); next++)
			for (a = 0; a <= n; a++)
				for (b = !!a; b <= n; b++)
					if (!pxs_quorum_check(n, a, b))
						to_voters(n, next, a, b);
	end();
}

static void sizes_are_refused_with_words(void)
{
	init();
	in_force(5, 0, 0);
	sizes(4, 2);
	CHECK(!pxs_membership_check(&g.conf, &m));
	sizes(3, 2);
	CHECK(wrong("phase1 and phase2 together"));
	sizes(4, 2);
	m.learners = 1;
	CHECK(wrong("by themselves"));
	/* Who votes in either counts: one that goes, and one that comes. */
	in_force(5, 4, 2);
	m.learners = 1;
	sizes(0, 0);
	CHECK(wrong("phase1 could miss"));
	in_force(5, 4, 1);
	g.conf.learners = 1;
	sizes(4, 2);
	CHECK(wrong("phase1 could miss"));
	g.conf.learners = 0;
	/* What two have accepted a majority of three need not have seen. */
	in_force(5, 4, 2);
	sizes(0, 0);
	CHECK(wrong("phase2 larger first"));
	sizes(4, 3);
	CHECK(!pxs_membership_check(&g.conf, &m));
	in_force(5, 4, 3);
	sizes(0, 0);
	CHECK(!pxs_membership_check(&g.conf, &m));
	/* The one that goes may be the only one that has it. */
	in_force(3, 3, 1);
	m.nmembers = 2;
	CHECK(wrong("phase1 is more than"));
	in_force(4, 4, 1);
	add(6, true);			/* a learner changes nothing of it */
	CHECK(!pxs_membership_check(&g.conf, &m));
	in_force(3, 3, 1);
	add(6, true);
	CHECK(!pxs_membership_check(&g.conf, &m));
	g.conf.nmembers = 4;
	g.conf.learners = 1;
	g.conf.member[3].id = 6;
	g.conf.member[3].incarnation = 1006;
	m.learners = 0;
	CHECK(wrong("phase1 and phase2 together"));
	end();
}

/* The bytes: 0 and 0 are what they always were. */
static void sizes_in_bytes(void)
{
	struct pxs_membership again;
	u32 len;

	init();
	begin_next();
	sizes(4, 2);
	len = pxs_membership_put(bytes, &m);
	CHECK_EQ(len, 16 + 5 * 32);
	CHECK_EQ(bytes[10], 4);
	CHECK_EQ(bytes[11], 2);
	CHECK(!pxs_membership_parse(bytes, len, &again));
	CHECK(!memcmp(&m, &again, sizeof(m)));
	bytes[11] = 1;
	CHECK_STR(pxs_membership_parse(bytes, len, &again),
		  "phase1 and phase2 together must be more than there are voters");
	bytes[11] = 0;
	CHECK(pxs_membership_parse(bytes, len, &again));
	bytes[10] = 0;
	CHECK(!pxs_membership_parse(bytes, len, &again));
	CHECK_EQ(again.phase1, 0);
	end();
}

/* A group with sizes, once in each place where they count: 4 of 5 promise, 2 accept. */
static void phases_of_a_group(void)
{
	u64 slot;
	u8 i;

	begin();
	g.conf.phase1 = 4;
	g.conf.phase2 = 2;
	CHECK(!pxs_group_check_conf(&g.conf));
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	prevote_ack(1, 0x101, 0);
	prevote_ack(2, 0x101, 0);
	CHECK_EQ(g.prepare_ballot, 0);
	prevote_ack(3, 0x101, 0);
	CHECK_EQ(g.prepare_ballot, 0x101);
	durable();
	CHECK_EQ(pxs_group_lead(&g, 0x101, 1, 0, now, &out), 0);
	CHECK_EQ(propose("a", &slot), 0);
	accepted(1, 0x101, 1, 1);
	CHECK_EQ(g.commit, 0);		/* not on our disk */
	durable();
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(propose("b", &slot), 0);
	durable();
	CHECK_EQ(g.commit, 1);
	accepted(4, 0x101, 2, 1);
	CHECK_EQ(g.commit, 2);
	/* It leads for as long as one other answers: 4 cannot promise without one of these. */
	now += 1999;
	recv(3, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = 0x101, .slot = 1 },
	     NULL);
	for (i = 0; i < 2; i++) {
		now += 1999;
		pxs_out_done(&out);
		pxs_group_tick(&g, now, true, &out);
		CHECK_EQ(g.lead_ballot, i ? 0 : 0x101);
	}
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
	for (i = 12; i < 16; i++) {
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

/* Epoch 1, begun at slot 3, as a journal says. */
static void load_epoch(void)
{
	struct pxs_record r = { .group = 1, .type = PXS_RECORD_CONFIG, .lsn = 1, .slot = 1,
				.ballot = 3, .data = bytes };

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
}

/* Whoever votes in an epoch has what came before it; and a trim says the members again. */
static void loaded(void)
{
	u64 last;

	load_epoch();
	last = stage.last_lsn;
	CHECK_EQ(pxs_group_trim(&g, 3), 0);
	CHECK_EQ(stage.last_lsn, last + 3);	/* COMMIT, CONFIG, TRIM */
	CHECK_EQ(g.config_lsn, last + 2);
	end();
}

/* Who goes on behind a peer's checkpoint trims, too: nothing else may be left that says them. */
static void skipped(void)
{
	u64 last;

	load_epoch();
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x202, .slot = 21,
				  .commit = 20 }, NULL);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_LEARN, .slot = 4, .arg = 11, .commit = 20 },
	     NULL);
	pxs_out_done(&out);
	last = stage.last_lsn;
	CHECK_EQ(pxs_group_skip(&g, 12, &out), 0);
	CHECK_EQ(stage.last_lsn, last + 2);	/* CONFIG, TRIM */
	CHECK_EQ(g.config_lsn, last + 1);
	CHECK_EQ(out.lsn, last + 2);
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
	RUN(any_sizes_by_themselves);
	RUN(sizes_when_voters_change);
	RUN(sizes_are_refused_with_words);
	RUN(sizes_in_bytes);
	RUN(phases_of_a_group);
	RUN(bytes_are_checked);
	RUN(stop_sign);
	RUN(learners_do_not_count);
	RUN(a_learner_does_not_vote);
	RUN(other_epochs);
	RUN(loaded);
	RUN(skipped);
	RUN(told_by_a_peer);
	RUN(who_holds_the_log);
	return unit_done();
}
