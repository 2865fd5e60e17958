/* SPDX-License-Identifier: GPL-2.0 */
/*
 * membership.h - who the members are, and how that changes through the log
 *
 * A change is a value of the log like any other, with PXS_ENTRY_CONFIG, and a stop sign: where it
 * is chosen for slot s, s is the last slot of configuration epoch e, and the slots behind it belong
 * to e + 1 (as in L. Lamport, D. Malkhi, L. Zhou, Stoppable Paxos, 2008). What makes it one:
 *
 *  1. Who leads in e proposes it only when every slot below s is chosen, and s is above all that
 *     phase 1 found; from then on it gives no slot at that ballot (pxs_group_propose()).
 *  2. Who wins phase 1 in e and finds it at s, with b the highest ballot it has there, proposes it
 *     again and nothing behind it; unless phase 1 found a slot above s with a ballot above b. Then
 *     s gets a no-op, and what is above is proposed again (agent/elect.c).
 *     Phase 1 asks behind the commit index: who knows that a change is chosen leads in e no more
 *     (pxs_membership_decided()).
 *  3. A member goes over to e + 1 when it has all slots up to s and applies s; it then neither
 *     votes nor stands in e any more (pxs_group_move()). A message of another epoch counts nothing.
 *  4. Two configurations that follow each other differ in one member, or in the sizes of quorums,
 *     and each quorum of phase 1 of the later one has a voter of each of phase 2 of the former one
 *     (S9; pxs_membership_check()): phase1 of the later one and phase2 of the former one together
 *     are more than all that vote in either. With majorities on both sides that is so wherever one
 *     member changes. The way back from a small phase2 takes two changes: phase2 first.
 *  5. Who lacks slots that no log has any more goes over to the newest configuration that a peer
 *     has applied, over those between, before it takes that peer's checkpoint (pxs_group_skip()).
 *     So it never stands in an epoch with a commit index beyond that epoch's end; and where it
 *     goes it is mute until its commit index covers the configuration's slot, as who restarts with
 *     damage is: what it says and does there is what it would if it had learned all one by one.
 *
 * Why nothing behind s is ever chosen in e where the change is. "Proposed the change at c" below
 * means: at s, with ballot c.
 *
 *   (a) Let it be chosen at ballot c, the lowest such. Then who leads at d > c in e proposes it,
 *       and nothing behind s. By induction over d: its phase 1 found it at b, c <= b < d (a quorum
 *       accepted it at c; and what is above c is, by induction, this value). Behind s it found
 *       ballots below c only: who led at c, and at each ballot between c and d, proposed nothing
 *       there, by 1 and 2 or by induction. So nothing found there is above b: rule 2 proposes it.
 *       Hence at c and above nothing is proposed behind s; below c nothing was chosen there, or:
 *   (b) Let t > s be chosen in e at ballot f, the lowest such. Then nobody proposed the change at a
 *       ballot above f. Take the lowest, d > f. Its phase 1 found t with a ballot of f or above.
 *       If it proposed the change for the first time, s was above all that was found: not so. If it
 *       found it at b, then b < f (b is not f: who leads at f proposes one of the two, not both),
 *       so t has a ballot above b, and rule 2 proposes a no-op: not so.
 *       With c from (a): c > f cannot be, by (b); c < f cannot be, by (a); c = f neither. So where
 *       the change is chosen no t is, and the other way round.
 *
 * What was accepted behind s in e, and not chosen, may still lie about in e + 1. It has ballots
 * below c, and those of e + 1 are above c: by rule 4 a quorum of phase 1 of e + 1 has a voter that
 * accepted the change at c before it was chosen, and so before anybody went over, and promises do
 * not end with an epoch. So phase 1 in e + 1 takes it for what it is, and P2b holds over all
 * epochs.
 *
 * Why a leader of e reads nothing that is old (read.c, lease.h): before anything is chosen in e + 1
 * a quorum of phase 1 has gone over to it, and answers and grants nothing in e from then on; by
 * rule 4 it meets whatever answers a leader of e, which is a quorum of phase 2. What comes after
 * e + 1 has something chosen in e + 1 before it: the configuration that began it.
 *
 * The other way round nothing is asked: who wins phase 1 of e late proposes nothing behind s, by
 * (a), whatever was chosen in e + 1.
 *
 * Called with the group's lock held, the first three without any.
 */
#ifndef PXS_CORE_MEMBERSHIP_H
#define PXS_CORE_MEMBERSHIP_H

#include "group.h"

struct pxs_membership {
	u64 epoch;
	u8 nmembers;
	u8 learners;		/* the last so many do not vote */
	u8 phase1, phase2;	/* sizes of quorums; 0: majorities: quorum.h */
	struct pxs_wire_member member[PXS_MEMBERS_MAX];	/* as in its bytes */
};

#define PXS_MEMBERSHIP_BYTES	((u32)(sizeof(struct pxs_wire_config) + \
				       PXS_MEMBERS_MAX * sizeof(struct pxs_wire_member)))

/* Return: NULL and *m, or what is wrong with the bytes. */
const char *pxs_membership_parse(const void *data, u32 len, struct pxs_membership *m);

/* Write it at @buf of PXS_MEMBERSHIP_BYTES. Return: how many bytes it has. */
u32 pxs_membership_put(void *buf, const struct pxs_membership *m);

/* May @next follow @now? Return: NULL, or why not, for the user's eyes. */
const char *pxs_membership_check(const struct pxs_group_conf *now,
				 const struct pxs_membership *next);

/* Index of the member with this id, or -1. */
int pxs_membership_find(const struct pxs_membership *m, u8 id);

/*
 * May who leads propose @v, a configuration, for the next slot? Return: 0; -EINVAL: not behind this
 * configuration; -EOPNOTSUPP: not in a memory group; -EAGAIN: something is in flight.
 */
int pxs_membership_may(const struct pxs_group *g, const struct pxs_value *v);

/* @v, a configuration, is decided, and so is all below it. */
void pxs_membership_decided(struct pxs_group *g, const struct pxs_value *v, struct pxs_out *out);

/* A CONFIG record was loaded. Return: 0, -EINVAL: not of this epoch, -ENOMEM. */
int pxs_membership_load(struct pxs_group *g, const struct pxs_record *r);

/* Say in the journal again who the members are. False: no credit. */
bool pxs_membership_stage(struct pxs_group *g);

#endif /* PXS_CORE_MEMBERSHIP_H */
