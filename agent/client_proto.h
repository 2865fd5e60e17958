/* SPDX-License-Identifier: GPL-2.0 */
/*
 * client_proto.h - what clients and paxsteerd say to each other
 *
 * A UNIX stream socket. Each message is one struct pxs_client_hdr and hdr.len bytes
 * of body; integers are little endian. Requests of one connection are answered by their
 * id; appends of one connection are proposed in the order sent, answers may overtake
 * each other. A message that breaks these rules closes the connection.
 *
 * Requests
 *   APPEND   body: the value, 1..PXS_WHOLE_MAX bytes, above PXS_VALUE_MAX in several slots
 *            (chunk.h). What begins as a chunk does is refused
 *   READ     arg: first slot wanted (>= 1); flags FOLLOW: go on with what comes later;
 *            arg2: at most so many values, 0: no limit. One READ a connection at a time.
 *   STATUS   nothing
 *   TRANSFER arg: member id. Answered when that member leads, or with the reason why not
 *   WHO      nothing: who leads, and how far is this member
 *   INDEX    nothing: how far must one read, to see all that was appended before now? Only the
 *            leader tells, after a quorum has said that it still leads
 *   TRIM     arg: slot; flags FORCE: though a member may lack it. What this member has up to the
 *            slot is wanted no more. Answered when that is durable; it holds for this member alone
 *   MEMBERS  arg: member id; flags: enum pxs_member_op (member.h), and CHANGE_FORCE: a learner that
 *            lacks much may vote; arg2: incarnation, body: "address:port" or "address:port
 *            PORT", PORT: of its store, of ADD and SET; QUORUM: arg: phase1, arg2: phase2 (both
 *            0: majorities). Answered when the change is decided and this member has gone over
 * Answers
 *   APPENDED arg: the slot, of several the last. Decided by a quorum, on their disks, and applied
 *            here: where the group says `tables`, executed by this host's module too, which took it
 *   ERROR    arg: enum pxs_client_error; arg2: member id of the leader, 0: not known;
 *            body: the same in words
 *   VALUE    of a READ; arg: the slot; flags NOOP, DAMAGED; body: the value
 *   LEADS    of a TRANSFER; arg: the member id
 *   END      of a READ without FOLLOW; arg: the last slot applied here
 *   FIRST    of a TRIM; arg: the first slot that there is
 *   CHANGED  of a MEMBERS; arg: the configuration epoch that has begun
 *   STATUS   body: JSON text
 *   INDEX_IS of an INDEX; arg: the slot, which is applied here (0: the log was empty)
 *   MEMBER   of a WHO; arg: the last slot applied here; arg2: member id of the leader, 0: not
 *            known; flags READY: this member leads and takes values
 */
#ifndef PXS_AGENT_CLIENT_PROTO_H
#define PXS_AGENT_CLIENT_PROTO_H

#include <linux/types.h>
#include <linux/paxsteer.h>

#include "platform.h"

/*
 * The longest body: a STATUS with as many groups and checks as there may be, each as long as it may
 * become, and the rest, mostly of the journal. (Of a request: PXS_WHOLE_MAX.)
 */
#define PXS_STATUS_GROUP_MAX	3584u
#define PXS_STATUS_CHECK_MAX	768u
#define PXS_STATUS_CHECKS	1500u	/* who is bad comes first */
#define PXS_STATUS_REST_MAX	(64u << 10)
#define PXS_CLIENT_BODY_MAX	(PXS_GROUPS_MAX * PXS_STATUS_GROUP_MAX + \
				 PXS_STATUS_CHECKS * PXS_STATUS_CHECK_MAX + PXS_STATUS_REST_MAX)

struct pxs_client_hdr {
	__le32 len;		/* bytes of the body */
	__u8 type;		/* enum pxs_client_type */
	__u8 flags;
	__le16 reserved;	/* 0 */
	__le32 group;
	__le32 reserved2;	/* 0 */
	__le64 id;		/* of the request; answers repeat it */
	__le64 arg;
	__le64 arg2;
};

enum pxs_client_type {
	PXS_CLIENT_APPEND = 1,
	PXS_CLIENT_READ = 2,
	PXS_CLIENT_STATUS = 3,
	PXS_CLIENT_TRANSFER = 4,
	PXS_CLIENT_WHO = 5,
	PXS_CLIENT_INDEX = 6,
	PXS_CLIENT_TRIM = 7,
	PXS_CLIENT_MEMBERS = 8,
	PXS_CLIENT_APPENDED = 65,
	PXS_CLIENT_ERROR = 66,
	PXS_CLIENT_VALUE = 67,
	PXS_CLIENT_END = 68,
	PXS_CLIENT_STATUS_IS = 69,
	PXS_CLIENT_LEADS = 70,
	PXS_CLIENT_MEMBER = 71,
	PXS_CLIENT_INDEX_IS = 72,
	PXS_CLIENT_FIRST = 73,
	PXS_CLIENT_CHANGED = 74,
};

#define PXS_CLIENT_FOLLOW	0x01
#define PXS_CLIENT_FORCE	0x01	/* TRIM */
#define PXS_CLIENT_CHANGE_FORCE	0x80	/* MEMBERS */
#define PXS_CLIENT_NOOP		0x01	/* VALUE: the slot was filled to close a gap */
#define PXS_CLIENT_DAMAGED	0x02	/* VALUE: this member cannot tell it; ask another */
#define PXS_CLIENT_READY	0x01	/* MEMBER */

enum pxs_client_error {
	PXS_CLIENT_OK = 0,
	PXS_CLIENT_NOT_LEADER = 1,	/* definitely not appended */
	PXS_CLIENT_BUSY = 2,		/* definitely not appended: queue full, no slot in time */
	PXS_CLIENT_TOO_LARGE = 3,	/* definitely not appended */
	PXS_CLIENT_FENCED = 4,		/* definitely not appended: the group is stopped here */
	PXS_CLIENT_UNKNOWN = 5,		/* proposed, outcome unknown: may be appended or not */
	PXS_CLIENT_NO_GROUP = 6,
	PXS_CLIENT_INVALID = 7,		/* the request makes no sense */
	PXS_CLIENT_IO = 8,		/* READ: the journal cannot be read */
	PXS_CLIENT_NO_MEMBER = 9,	/* TRANSFER: to nobody of the group */
	PXS_CLIENT_RESUMED = 10,	/* TRANSFER: not taken over in time; this member leads on */
	PXS_CLIENT_STORE = 11,		/* definitely not appended: the log is the store's */
	/* definitely not appended: the log takes changes of tables only (change.h), this is none */
	PXS_CLIENT_TABLES = 12,
	/* a change that was appended; every director refuses it alike, or has refused it */
	PXS_CLIENT_REFUSED = 13,
	PXS_CLIENT_TRIMMED = 14,	/* READ: gone on this member; the body says up to where */
	PXS_CLIENT_KEPT = 15,		/* TRIM: not so far; the body says why */
	PXS_CLIENT_MEMBERS_KEPT = 16,	/* MEMBERS: not changed; the body says why */
};

#endif /* PXS_AGENT_CLIENT_PROTO_H */
