/* SPDX-License-Identifier: GPL-2.0 */
/*
 * paxsteer.h - libpaxsteer: append to a replicated, durable log and read it
 *
 * The library talks to paxsteerd over its UNIX sockets; whether a member's datapath is in the
 * kernel or in user space makes no difference.
 *
 * One handle is one log, seen through the sockets of some or all of its members. Nothing blocks
 * except the functions that say so: a program polls pxs_log_fd() for POLLIN and calls
 * pxs_log_process(), which sends, receives, reconnects, looks for the leader, and calls back.
 *
 * Threads: a handle belongs to one thread at a time, and so do its callbacks; different handles
 * have nothing in common. A callback may call anything but pxs_log_close(), pxs_log_process() and
 * what blocks. No signal is raised; after a fork() the handle is of no use to the child.
 *
 * Memory is bounded: proposals that have not ended by PXS_LOG_OUTSTANDING_MAX and
 * PXS_LOG_BYTES_MAX, what a daemon sends by 128 KiB for a value and 5 MiB for a status, a
 * subscription with PXS_LOG_ONCE by another 3 MiB. What a daemon may not say ends its connection.
 *
 * Functions that return int return 0 or an enum pxs_log_error, unless they say otherwise.
 */
#ifndef PAXSTEER_H
#define PAXSTEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PXS_LOG_VALUE_MAX	65536u		/* bytes of a value */
#define PXS_LOG_SLOT_BYTES	16384u		/* what is larger takes several slots in a row */
#define PXS_LOG_ID_SIZE		56u		/* what an id takes in the log beside its value */
#define PXS_LOG_OUTSTANDING_MAX	4096u		/* proposals of a handle that have not ended */
#define PXS_LOG_BYTES_MAX	(16u << 20)	/* and what their values take */
#define PXS_LOG_SOCKETS_MAX	16u
#define PXS_LOG_SPAN		65536u		/* slots in which copies of one id are one */
#define PXS_LOG_TIMEOUT_MS	10000u		/* pxs_log_set_timeout() */

/*
 * "Not appended" is certain: the value is not in the log and will not be; sending it again is
 * safe. The numbers do not change.
 */
enum pxs_log_error {
	PXS_LOG_OK = 0,
	PXS_LOG_INVALID = 1,	/* an argument is out of its range; nothing was done */
	PXS_LOG_NO_MEMORY = 2,	/* nothing was done */
	PXS_LOG_TOO_LARGE = 3,	/* not appended */
	PXS_LOG_NO_GROUP = 4,	/* not appended: no member that answers has the group */
	PXS_LOG_NOT_LEADER = 5,	/* not appended: no member at these sockets led in time */
	PXS_LOG_UNREACHABLE = 6, /* not appended: no daemon answered at any socket */
	PXS_LOG_BUSY = 7,	/* not appended: no credit. Try again when others have ended */
	PXS_LOG_FENCED = 8,	/* not appended: the group is stopped on that node (see status) */
	PXS_LOG_STORE = 9,	/* not appended: the log is the store's; use a Redis client */
	PXS_LOG_UNKNOWN = 10,	/* sent, and the outcome is not known: appended, or not, or later */
	PXS_LOG_EXPIRED = 11,	/* no effect: it came into the log PXS_LOG_SPAN behind its id */
	PXS_LOG_CLOSED = 12,	/* not appended: the handle was closed before it was sent */
	PXS_LOG_PROTOCOL = 13,	/* the daemons say what they may not */
	PXS_LOG_DAMAGED = 14,	/* a member cannot tell a value; ask another */
	PXS_LOG_IO = 15,	/* a member cannot read its journal */
	PXS_LOG_NO_MEMBER = 16,	/* transfer: no such member in the group */
	PXS_LOG_RESUMED = 17,	/* transfer: not taken over in time; the leader leads on */
	PXS_LOG_TABLES = 18,	/* not appended: the log takes changes of steering tables only */
	PXS_LOG_REFUSED = 19,	/* such a change was appended, and the modules refuse it */
	PXS_LOG_TRIMMED = 20,	/* subscribe: the slot is gone; pxs_log_detail() says up to where */
	PXS_LOG_KEPT = 21,	/* trim: not so far; result->words say why */
	PXS_LOG_MEMBERS = 22,	/* member: not changed; result->words say why */
};

/* What an enum pxs_log_error means, in words. Never NULL; not to be freed. */
const char *pxs_log_strerror(int error);

/* The library's version, such as "0.1.0". */
const char *pxs_log_version(void);

struct pxs_log;

/*
 * A handle on log @group (1..2^31-1). @sockets: paths of members' sockets, with commas between
 * them, at most PXS_LOG_SOCKETS_MAX, as "socket" in their paxsteerd.conf(5) says; the more of the
 * members, the less can go wrong. Connects to nobody yet.
 * Return: the handle, or NULL with errno EINVAL, ENAMETOOLONG, E2BIG (too many), ENOMEM, EMFILE.
 */
struct pxs_log *pxs_log_open(const char *sockets, unsigned int group);

/*
 * Close it. Every proposal that has not ended does so now, by its callback: PXS_LOG_CLOSED if it
 * was never sent, else PXS_LOG_UNKNOWN. NULL: nothing.
 */
void pxs_log_close(struct pxs_log *log);

/*
 * How long to look for a leader (or any daemon, for reading) before what waits for it ends;
 * 1..3600000 milliseconds, PXS_LOG_TIMEOUT_MS to begin with. What was sent ends when the daemon
 * answers, which it does within 10 s; one that is silent for 15 s counts as lost.
 */
int pxs_log_set_timeout(struct pxs_log *log, unsigned int ms);

/* Poll this for POLLIN; it stays the same until pxs_log_close(). Not to be read or closed. */
int pxs_log_fd(const struct pxs_log *log);

/* Do what can be done without waiting. Return: 0, or PXS_LOG_INVALID from a callback. */
int pxs_log_process(struct pxs_log *log);

/* Blocks: until there is something to do, at most @timeout_ms (-1: no limit); then does it. */
int pxs_log_wait(struct pxs_log *log, int timeout_ms);

/*
 * The last trouble with a socket or daemon in words, such as "/run/x.sock: Connection refused";
 * empty if there was none. Valid until the next call with this handle.
 */
const char *pxs_log_detail(const struct pxs_log *log);

/* --- appending ------------------------------------------------------------- */

/*
 * The id of a request, which makes repeating it harmless: of all copies in the log only the first
 * counts, for everybody who subscribes with PXS_LOG_ONCE. Keep its bytes to repeat a request
 * after a crash.
 *
 * It works above the log, by a rule that each reader applies alike: the value at slot S counts if
 * base < S <= base + PXS_LOG_SPAN and no slot of the PXS_LOG_SPAN - 1 before S has the same client
 * and number. So readers need no more memory than that, may start anywhere, and agree; and a
 * request that is repeated for too long has no effect at all, rather than a second one.
 */
struct pxs_log_id {
	uint8_t client[16];	/* random */
	uint64_t number;	/* counted by the client */
	uint64_t base;		/* a slot that was decided before the request was first sent */
};

struct pxs_log_result {
	int error;		/* enum pxs_log_error */
	unsigned int leader;	/* of NOT_LEADER: the member that leads, as far as known; else 0 */
	uint64_t slot;		/* of OK: where it is */
	int repeated;		/* of OK: another copy may have been first: at slot, or before */
	const char *words;	/* of an error: more words, perhaps the daemon's; never NULL */
};

/*
 * A new id of this handle's client. Blocks only while no slot of the log is known (at first, for
 * the time-out at most). Return: 0, PXS_LOG_UNREACHABLE, PXS_LOG_NO_GROUP.
 */
int pxs_log_make_id(struct pxs_log *log, struct pxs_log_id *id);

#define PXS_LOG_RETRY	1u	/* propose: copies may have been sent before, by whomever */

/*
 * Append @len bytes (1..PXS_LOG_VALUE_MAX), which are copied. What takes more than
 * PXS_LOG_SLOT_BYTES, with its id, has several slots, and stands at the last of them.
 * @id: NULL for none. @done is called once, by pxs_log_process() or pxs_log_close(); OK means that
 * a quorum has the value on disk (or in memory: durability). Proposals without trouble take slots
 * in the order of the calls.
 *
 * What is certainly not appended because a member does not lead is sent to the next leader, with
 * and without an id. What may be appended (the connection was lost, the leader changed) is sent
 * again only with an id; without one it ends with PXS_LOG_UNKNOWN. With an id that happens only
 * when the time-out is over as well: then propose the same bytes and id with PXS_LOG_RETRY.
 *
 * Return: 0; else @done is not called: PXS_LOG_INVALID, PXS_LOG_TOO_LARGE, PXS_LOG_NO_MEMORY,
 * PXS_LOG_BUSY at the limits above, or PXS_LOG_CLOSED from a callback of pxs_log_close(). Values
 * that begin as an id does are refused without one, and those that begin as a part of a large one.
 */
int pxs_log_propose(struct pxs_log *log, const void *value, size_t len,
		    const struct pxs_log_id *id, unsigned int flags,
		    void (*done)(void *ctx, const struct pxs_log_result *result), void *ctx);

/* Blocks: the same, until it has ended. Return: result->error. @result: may be NULL. */
int pxs_log_append(struct pxs_log *log, const void *value, size_t len,
		   const struct pxs_log_id *id, unsigned int flags, struct pxs_log_result *result);

/* Proposals that have not ended. */
unsigned int pxs_log_outstanding(const struct pxs_log *log);

/* --- reading --------------------------------------------------------------- */

#define PXS_LOG_FOLLOW	1u	/* subscribe: wait for what comes; else end with what is there */
#define PXS_LOG_ONCE	2u	/* subscribe: take ids off, and mark what does not count */

#define PXS_LOG_NOOP	1u	/* the slot was filled to close a gap; no data */
#define PXS_LOG_LOST	2u	/* this member cannot tell it, or a part of it (damaged); no data */
#define PXS_LOG_REPEATED 4u	/* with ONCE: a copy that does not count: do not apply it */
#define PXS_LOG_PART	8u	/* part of what stands at a later slot, or nowhere; no data */

struct pxs_log_value {
	uint64_t slot;
	const void *data;	/* valid until the callback returns */
	size_t len;
	unsigned int flags;	/* PXS_LOG_NOOP, PXS_LOG_LOST, PXS_LOG_REPEATED, PXS_LOG_PART */
	const struct pxs_log_id *id;	/* with ONCE: its id; NULL: it has none */
};

/*
 * Read from slot @from (>= 1) on, at most @count slots (0: no limit). One subscription a handle
 * at a time. @value is called for every slot, once and in order, also when the connection breaks
 * and another member goes on. @end is called once, unless pxs_log_unsubscribe() comes first:
 * error 0 when everything wanted was delivered, @applied being the last slot of that member;
 * PXS_LOG_UNREACHABLE, PXS_LOG_NO_GROUP, PXS_LOG_IO, PXS_LOG_PROTOCOL after the time-out (at once
 * if nobody ever answered); PXS_LOG_TRIMMED: no member has the next slot any more (after the
 * time-out: none that answers), what is wanted must come from elsewhere (a checkpoint of the
 * application's), @applied + 1 is it; with ONCE also PXS_LOG_DAMAGED, as later slots can't be
 * judged.
 *
 * What is delivered is decided for good, but one member's view: it may lag behind. To read
 * everything that was appended before now, take the read index and read up to that slot.
 *
 * With PXS_LOG_ONCE up to PXS_LOG_SPAN - 1 slots before @from are read as well, and not delivered;
 * and where @from is in the middle of a value, the slots where that begins. If those are trimmed,
 * it is PXS_LOG_LOST (with PXS_LOG_ONCE: PXS_LOG_TRIMMED).
 */
int pxs_log_subscribe(struct pxs_log *log, uint64_t from, uint64_t count, unsigned int flags,
		      void (*value)(void *ctx, const struct pxs_log_value *value),
		      void (*end)(void *ctx, int error, uint64_t applied), void *ctx);

/* No more callbacks of the subscription. Also from within one of them. */
void pxs_log_unsubscribe(struct pxs_log *log);

/*
 * Blocks, at most for the time-out: how far must one read, to see everything that was appended, and
 * everything that anybody has read, before this call? *slot: so far (0: the log was empty). The
 * leader asks a quorum whether it still leads, and whoever asks meanwhile shares the next question;
 * where the group has leases (lease-drift above 0) it goes by its lease, and with that by clocks
 * (paxsteer(8), LEASES). Nothing is appended, no disk waits. All members hold that slot sooner or
 * later: a subscription that follows gets there. What fails is asked again, of whoever leads then,
 * until the time-out.
 * Return: 0, PXS_LOG_NOT_LEADER, PXS_LOG_BUSY (no quorum answers), PXS_LOG_FENCED,
 * PXS_LOG_NO_GROUP, PXS_LOG_UNREACHABLE, PXS_LOG_PROTOCOL, PXS_LOG_NO_MEMORY, PXS_LOG_INVALID.
 */
int pxs_log_read_index(struct pxs_log *log, uint64_t *slot);

/* --- status and leadership ------------------------------------------------- */

/* Blocks: until a leader is found. Return: 0, NOT_LEADER, NO_GROUP, UNREACHABLE (time-out). */
int pxs_log_connect(struct pxs_log *log);

/*
 * Blocks: what the daemon of one socket (0: the first) says of itself, as JSON text, to free().
 * Return: 0, PXS_LOG_INVALID: no such socket, PXS_LOG_UNREACHABLE, PXS_LOG_PROTOCOL,
 * PXS_LOG_NO_MEMORY.
 */
int pxs_log_status(struct pxs_log *log, unsigned int socket, char **json);

/*
 * Blocks, at most for the time-out: let @member (1..63) lead. Return: 0: it does. NOT_LEADER: no
 * member at these sockets leads, result->leader may know who does. NO_MEMBER, RESUMED, BUSY,
 * FENCED, NO_GROUP, UNREACHABLE: nothing changed. UNKNOWN: see who leads. @result: may be NULL.
 */
int pxs_log_transfer(struct pxs_log *log, unsigned int member, struct pxs_log_result *result);

/* trim: though a member may lack slots that no other has then; member: though it lacks much */
#define PXS_LOG_FORCE	1u

#define PXS_LOG_ADDRESS_MAX	64u	/* bytes of an address with its port, and a 0 */

enum pxs_log_member_change {
	PXS_LOG_MEMBER_ADD = 1,		/* as a learner, which does not vote */
	PXS_LOG_MEMBER_PROMOTE = 2,	/* a learner votes */
	PXS_LOG_MEMBER_DEMOTE = 3,	/* a voter becomes a learner */
	PXS_LOG_MEMBER_REMOVE = 4,
	PXS_LOG_MEMBER_SET = 5,		/* another address; of a learner also another journal */
	PXS_LOG_MEMBER_QUORUM = 6,	/* of no member: how many are a quorum */
};

struct pxs_log_member {
	unsigned int change;		/* enum pxs_log_member_change */
	unsigned int id;		/* 1..63; QUORUM: 0 */
	const char *address;		/* ADD, SET: "10.0.0.1:7400", "[fd00::1]:7400"; else NULL */
	uint64_t incarnation;		/* ADD, SET: of its journal; else 0 */
	/* ADD, SET: TCP port of its store, at that address; 0: not said (SET: as it was) */
	unsigned int store_port;
	/*
	 * QUORUM: voters that are one of phase 1 (promises) and of phase 2 (accepts); both together
	 * more than there are voters, 1 <= phase2 <= majority <= phase1. 0 and 0: majorities
	 */
	unsigned int phase1, phase2;
};

/*
 * Blocks, at most for the time-out: change one member of the group, or its quorums. Return: 0: it
 * is decided, and the leader goes by it; result->slot is the configuration epoch that has begun.
 * NOT_LEADER, MEMBERS, BUSY, FENCED, NO_GROUP, UNREACHABLE, INVALID: nothing changed. UNKNOWN: see
 * who the members are. @result: may be NULL.
 */
int pxs_log_member(struct pxs_log *log, const struct pxs_log_member *member, unsigned int flags,
		   struct pxs_log_result *result);

/*
 * Blocks, at most for the time-out: let the member behind one socket (0: the first) forget slots up
 * to @slot. Each member has its own log to trim. Return: 0: it has, durably; result->slot is the
 * first slot that there is. KEPT, BUSY, FENCED, NO_GROUP, UNREACHABLE, INVALID: nothing changed.
 * UNKNOWN: see its status. @result: may be NULL.
 */
int pxs_log_trim(struct pxs_log *log, unsigned int socket, uint64_t slot, unsigned int flags,
		 struct pxs_log_result *result);

#ifdef __cplusplus
}
#endif

#endif /* PAXSTEER_H */
