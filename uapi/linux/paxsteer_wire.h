/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * paxsteer_wire.h - datagrams between members of a group
 *
 * One UDP datagram is one header and a body of hdr.len bytes; nothing follows.
 * All integers are big endian. The tag is BLAKE2s (RFC 7693), keyed with the
 * cluster's 32-byte key, 16 bytes out, over the datagram without the tag itself:
 * bytes 0..7, then bytes 24..end. Whoever does not hold the key gets no answer.
 *
 * A receiver drops, and counts, whatever fails one of these, in this order: length,
 * magic, version, type, group, cluster, receiver, sender, key id, tag, epoch,
 * incarnations, replay (heartbeats, TRANSFER), body. Nothing is allocated before the tag holds.
 */
#ifndef _UAPI_LINUX_PAXSTEER_WIRE_H
#define _UAPI_LINUX_PAXSTEER_WIRE_H

#include <linux/types.h>

#define PXS_WIRE_MAGIC		0x50585331	/* "PXS1" */
#define PXS_WIRE_VERSION	1
#define PXS_WIRE_TAG_LEN	16
#define PXS_WIRE_TAG_OFFSET	8
#define PXS_WIRE_BODY_MAX	32768
#define PXS_WIRE_ENTRIES_MAX	64	/* entries in one body */

/*
 * type           slot                 count    arg                     body
 * PREPARE        first slot asked     0        0, or ballot given up   -
 * PROMISE        first slot answered  entries  next slot to ask, 0=end entries
 * ACCEPT         first slot           entries  0                       entries
 * ACCEPTED       first slot           slots    0                       -
 * REFUSE         slot refused or 0    0        the promised ballot     -
 * HEARTBEAT      leader's next slot   0        first slot of ballot    -
 * HEARTBEAT_ACK  leader's next slot   0        counter of heartbeat    -
 * LEARN_REQ      first slot wanted    slots    0                       -
 * LEARN          first slot           entries  0                       entries
 * LEARN          first slot wanted    0        first slot there is     -
 * PREVOTE        first slot asked     0        0                       -
 * PREVOTE_ACK    first slot asked     0        0, or ballot in the way -
 * TRANSFER       leader's next slot   0        0                       -
 * READ           leader's next slot   ms asked number of the round     -
 * READ_ACK       leader's next slot   ms given number of the round     -
 * HELD           the slot             0        0                       -
 *
 * ballot is the ballot the message belongs to (REFUSE: the refused one; LEARN_REQ
 * and LEARN: 0). commit is always the sender's commit index.
 *
 * PROMISE answers for the slots [slot, arg) or, with arg 0, [slot, infinity): each
 * accepted value there stands in an entry; a slot without an entry has accepted
 * nothing. Slots up to commit are decided and left out: the asker must learn them
 * before it may lead.
 * ACCEPT's and LEARN's entries are for consecutive slots; their ballots are that of
 * the accept, or one at or above that at which the value was chosen.
 * A FAULTY entry in LEARN has no value: the sender cannot show it any more. Who has accepted one
 * in that slot at its ballot or above has learned; others must ask elsewhere.
 * A LEARN without entries says "trimmed at": the sender has no slot below arg any more, which is
 * above the one that was wanted. Who lacks that needs another member, or a checkpoint (S7).
 * ACCEPTED says that slots [slot, slot + count) are durably accepted at ballot.
 * PREVOTE asks whether a PREPARE of this ballot would be welcome. Nobody promises or
 * writes anything for it. It is welcome (arg 0) where no ballot as high is promised and no
 * leader was heard for an election time-out; else arg is the ballot that is in the way.
 * TRANSFER asks its receiver, who has every slot below the leader's next, to stand at once, with a
 * PREPARE and without PREVOTE: the leader of ballot wants to be followed no more. It may be
 * repeated. It is good for one ballot of the receiver's, for an election time-out, and as long as
 * the receiver knows of no ballot higher than its own; one that arrives behind a later heartbeat
 * or TRANSFER of its sender's is a replay.
 * READ asks whether its sender still leads, so far as its receiver knows: READ_ACK says that it
 * has promised no ballot above that of READ, and repeats its number, from 1 on, which rises with
 * every round of a ballot; REFUSE says that it has. Only answers to the round under way count.
 * Both came after the other types, without a new version: who does not know them drops them, and
 * counts them as of a bad type; a leader of a quorum of such members cannot answer reads.
 * Leases (kmod/core/lease.h): with a count, READ asks for a lease of so many milliseconds. READ_ACK
 * with the same count grants it; with 0 it does not, and says what else it says. The arg of a
 * PREPARE is a ballot whose leader gave its lease up, by TRANSFER, so that the sender may stand.
 * These were 0 before there were leases, and nobody looked: who does not know them grants none.
 * Epochs: of another epoch than the receiver's only LEARN_REQ and LEARN are processed: what was
 * chosen is chosen for good, and who lags must be able to learn of the change. Of a later epoch the
 * commit index is believed, too: there is something to learn. PREVOTE_ACK answers the PREVOTE of an
 * earlier one for just that.
 * HELD says that every member has what is decided up to a slot, at most the sender's commit index.
 * It came later still: who does not know it drops it, and trims nothing on that ground.
 */
enum pxs_wire_type {
	PXS_WIRE_PREPARE = 1,
	PXS_WIRE_PROMISE,
	PXS_WIRE_ACCEPT,
	PXS_WIRE_ACCEPTED,
	PXS_WIRE_REFUSE,
	PXS_WIRE_HEARTBEAT,
	PXS_WIRE_HEARTBEAT_ACK,
	PXS_WIRE_LEARN_REQ,
	PXS_WIRE_LEARN,
	PXS_WIRE_PREVOTE,
	PXS_WIRE_PREVOTE_ACK,
	PXS_WIRE_TRANSFER,
	PXS_WIRE_READ,
	PXS_WIRE_READ_ACK,
	PXS_WIRE_HELD,
	__PXS_WIRE_TYPE_MAX
};

struct pxs_wire_hdr {
	__be32 magic;
	__u8 version;
	__u8 type;		/* enum pxs_wire_type */
	__u8 key_id;		/* which of the cluster's keys made the tag */
	__u8 flags;		/* 0; others are reserved and refused */
	__u8 tag[PXS_WIRE_TAG_LEN];
	__u8 cluster[16];	/* UUID */
	__be32 group;
	__u8 sender;		/* member id */
	__u8 receiver;		/* member id */
	__be16 count;
	__be64 epoch;		/* configuration epoch; see below (S10) */
	__be64 sender_inc;	/* incarnation of the sender's journal */
	__be64 receiver_inc;	/* incarnation the sender believes the receiver has */
	__be64 counter;		/* rises with every datagram of a sender, for as long as it runs */
	__be64 ballot;		/* round << 8 | member id */
	__be64 slot;
	__be64 commit;
	__be64 arg;
	__be32 len;		/* bytes of the body */
	__be32 reserved;	/* 0 */
};

/* An entry of a body: this header, then len bytes of value, then zeroes up to 8 bytes. */
struct pxs_wire_entry {
	__be64 slot;
	__be64 ballot;
	__be32 len;		/* 0..PXS_VALUE_MAX */
	__u8 flags;		/* PXS_ENTRY_* */
	__u8 reserved[3];
};

#define PXS_ENTRY_NOOP		0x01	/* fills a gap; len is 0 */
#define PXS_ENTRY_DECIDED	0x02	/* the sender knows that this value is chosen */
#define PXS_ENTRY_FAULTY	0x04	/* record damaged: "unknown", neither accepted nor empty (S5) */
/*
 * The value is a struct pxs_wire_config: the members from the next slot on. Who does not know the
 * flag drops the datagram as malformed: no member may be older than this when the first change of
 * members is made.
 */
#define PXS_ENTRY_CONFIG	0x10

/*
 * A configuration, as the value of a slot and of a CONFIG record. It is the last slot of the epoch
 * before: slots behind it belong to this one. Voters come first, in any order, learners after them.
 */
struct pxs_wire_config {
	__be64 epoch;		/* one more than that of the slots up to its own */
	__u8 count;		/* members that follow; at most PXS_MEMBERS_MAX */
	__u8 learners;		/* so many of them, the last ones, do not vote */
	/*
	 * How many voters are a quorum of phase 1 and of phase 2: 1 <= phase2 <= majority <= phase1
	 * <= voters, and both together are more than the voters. 0 and 0: majorities. Who does not
	 * know them takes the configuration for damaged, and stays in its epoch: no member may be
	 * older than this when they are first set.
	 */
	__u8 phase1;
	__u8 phase2;
	__u8 reserved[4];	/* 0 */
};

struct pxs_wire_member {
	__be64 incarnation;	/* of its journal; not 0 */
	__u8 id;		/* 1..PXS_MEMBER_ID_MAX */
	__u8 family;		/* 4 or 6 */
	__be16 port;		/* UDP */
	/* TCP, at the same address: its store speaks the Redis protocol there; 0: not said */
	__be16 store_port;
	__u8 reserved[2];	/* 0 */
	__u8 addr[16];		/* network order; of family 4 the first four bytes, then 0 */
};

#endif /* _UAPI_LINUX_PAXSTEER_WIRE_H */
