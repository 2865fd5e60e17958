/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lease.h - a leader that answers reads by its clock, without asking anybody
 *
 * Off unless the group has a bound for its clocks (conf.lease_drift). The idea is C. Gray's and
 * D. Cheriton's (Leases, 1989); for a leader see D. Ongaro, Consensus, 2014, section 6.4.1, and
 * T. Chandra, R. Griesemer, J. Redstone, Paxos Made Live, 2007, section 5.2.
 *
 * The rules
 *
 *  1. READ asks for a lease of the leader's election time-out. Who grants it, by READ_ACK,
 *     promises no ballot but of that leader's for so long, on its own clock, from when it got READ:
 *     not by PREPARE, not one of its own, and it welcomes none (PREVOTE). It puts PREPARE off; it
 *     does not refuse it.
 *  2. The leader holds a lease from the moment it sent the round that a quorum of voters granted
 *     (of phase 2, so that it meets each of phase 1: quorum.h), on its own clock, for
 *     pxs_lease_ms(): less, by what two clocks may differ.
 *  3. A member that restarts promises nothing for an election time-out: it may have granted that
 *     much and does not remember. Of whom the lease was it does not know either.
 *  4. A leader that lets another stand (TRANSFER) gives up the lease of its ballot first, for good;
 *     PREPARE of the other one names that ballot, and who granted it is free.
 *  5. Learners, who is mute, and who goes over to another epoch grant nothing. A member that is
 *     older than this, or has no leases, grants nothing: its READ_ACK has a 0 there. A longer lease
 *     than one's own election time-out is not granted: rule 3 would not cover it.
 *
 * Why a read is true then. Let a leader of ballot B hold a lease at t: a quorum Q has granted it,
 * for a time that ends after t, by rule 2 (the leader itself is one of Q: when it promises another
 * ballot it leads no more). Let a value be chosen at b > B before t. A quorum of phase 1 promised b
 * before; one of that, m, is in Q. It promised b
 *   before it granted B: then READ was below its promise, and refused;
 *   since, on the ground of rule 1: after t;
 *   since, after a restart: by rule 3 after what it had granted;
 *   since, by rule 4 for a ballot B' it is given up: B' = B: then the leader holds no lease;
 *     B' > B: then the leader of B' had won phase 1; take B' for b. B' < B: m does not heed it.
 *   by an accept of b, without PREPARE: b had won phase 1 before; as above.
 * So nothing above B is chosen before t: read.c has the rest. If it is our b that is of B's leader:
 * opening it, that leads with B no more, nor does who restarted.
 * The end of an epoch: who decides its last slot at B leads no more (membership.c); and where it
 * was chosen at another ballot, B's phase 1 has found it, and no read is answered before it is
 * decided. In the new one rule 3 holds: a group that goes over begins with an activation.
 *
 * Clocks
 *
 * Two clocks of members differ in rate by at most lease_drift per mille, for as long as a lease
 * runs. Nothing else is asked of them: not that they agree, and none is a wall clock. They count
 * time asleep (CLOCK_BOOTTIME): a machine that was suspended finds its lease over. One that
 * does not run, of which its clock knows nothing, breaks the bound: a virtual machine that is
 * paused, moved or restored; by as much as that takes. NTP steers the rate of these clocks:
 * adjtimex() by up to 500 ppm, chronyd by 83333 (maxslewrate), one up and one down: 182 per mille.
 * A clock is read before what it is read for: that it got READ, after it arrived; that it sent one,
 * before it left; that it holds a lease, after who reads asked. Who is interrupted in between
 * (a process that sleeps, a processor that is taken away) errs to the safe side.
 *
 * What others have tripped over: a leader that hands over and keeps its lease, or resumes with it
 * (etcd-io/raft issue 99, etcd issue 12704; tikv pull request 1595); a lease that rests on being
 * leader and not on a clock (etcd issue 8450, tikv issue 964); to count from when the answers came;
 * to forget at a restart what was granted.
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_LEASE_H
#define PXS_CORE_LEASE_H

#include "group.h"

/* --- who follows ------------------------------------------------------------ */

/* We are active from now on, and do not know what we granted before (rule 3). */
void pxs_lease_restart(struct pxs_group *g);

/* READ of a leader that we follow, just sent. Return: milliseconds granted to it; 0: none. */
u16 pxs_lease_grant(struct pxs_group *g, const struct pxs_msg *m);

/*
 * Must member index @from's new ballot wait, for what we granted? @given_up: the lease of this
 * ballot was given up for its sake; 0: of none.
 */
bool pxs_lease_bars(const struct pxs_group *g, u8 from, u64 given_up);

/* --- who leads -------------------------------------------------------------- */

/* How long may a leader rely on what was granted for an election time-out? */
static inline u32 pxs_lease_ms(const struct pxs_group_conf *conf)
{
	/* Clocks tell whole milliseconds: each may be off by one at either end. */
	return (conf->election_ms - 2) * 1000 / (1000 + conf->lease_drift) - 2;
}

/* A round of reads begins. @now: read before any question of it leaves. */
void pxs_lease_round(struct pxs_group *g, u64 now);

/* Milliseconds that its READ asks for; 0: no lease is wanted. */
u16 pxs_lease_wish(const struct pxs_group *g);

/* Member index @from has answered READ. Idempotent (S10). */
void pxs_lease_answered(struct pxs_group *g, const struct pxs_msg *m, u8 from);

/* Do we hold a lease? @now: read after somebody asked. */
bool pxs_lease_holds(const struct pxs_group *g, u64 now);

/* It was made use of, and half of it is over: the next one is due. */
bool pxs_lease_wanes(const struct pxs_group *g, u64 now);

/* None any more, with this ballot (rule 4). */
void pxs_lease_give_up(struct pxs_group *g);

#endif /* PXS_CORE_LEASE_H */
