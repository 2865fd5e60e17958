/* SPDX-License-Identifier: GPL-2.0 */
/*
 * datapath.h - where phase 2 runs: the module, or the same core in this process
 *
 * One interface, two implementations: datapath_kernel.c speaks generic netlink,
 * datapath_user.c owns UDP sockets and calls kmod/core. Requests return 0 or -errno at
 * once. Events come from the loop, in the order in which the datapath made them, and
 * never from inside a request.
 */
#ifndef PXS_AGENT_DATAPATH_H
#define PXS_AGENT_DATAPATH_H

#include <sys/uio.h>

#include "config.h"
#include "loop.h"

/* Values in one call; they fit one datagram with room to spare. */
#define PXS_PROPOSE_MAX		PXS_WIRE_ENTRIES_MAX
#define PXS_PROPOSE_BYTES	PXS_WIRE_BODY_FULL

struct pxs_datapath_events {
	void *ctx;
	/*
	 * Records to make durable; they may repeat what was seen. @lazy: nobody waits for the disk
	 * to have them.
	 */
	void (*append)(void *ctx, u64 first_lsn, u32 count, const u8 *records, u32 bytes,
		       bool lazy);
	/* Slots up to @commit are decided; their records are among those up to @lsn. */
	void (*decided)(void *ctx, u32 group, u64 commit, u64 lsn);
	void (*recv)(void *ctx, u32 group, const struct pxs_msg *m, const u8 *body);
	void (*leader)(void *ctx, u32 group, u8 event, u64 ballot);
	/* Reads that were given @round of @ballot, or a lower one, may see slots up to @index. */
	void (*read)(void *ctx, u32 group, u64 ballot, u64 round, u64 index);
	/* The group was deleted under us, or (group 0) the whole datapath is gone. */
	void (*gone)(void *ctx, u32 group);
};

/* What a group is, as the datapath sees it. */
struct pxs_group_status {
	u8 state;		/* enum pxs_group_state */
	u8 role;		/* enum pxs_role */
	u64 epoch;		/* of the configuration that it was added with */
	u64 promised;
	u64 commit;
	u64 known;		/* the highest commit index that any member told */
	u64 next_slot;
	u64 trim;		/* slots up to it may be gone */
	u64 trimmed;		/* what is lacking is gone at the others, below this slot; 0: no */
	u64 held;		/* every member has what is decided up to it; 0: not known */
	/*
	 * Commit index of each, as heard in this epoch, and ours. In the datapath's order, which
	 * need not be the file's: pxs_group_status_has(). No id: there is no such member.
	 */
	struct {
		u8 id;
		u64 commit;
	} has[PXS_MEMBERS_MAX];
	u64 stat[__PXS_GROUP_STAT_MAX];
};

/* Commit index of member @id; 0: nothing was heard of it. */
static inline u64 pxs_group_status_has(const struct pxs_group_status *st, u8 id)
{
	u32 i;

	for (i = 0; i < PXS_MEMBERS_MAX; i++)
		if (st->has[i].id == id)
			return st->has[i].commit;
	return 0;
}

/* Of a core in this process. */
static inline void pxs_group_status_of(const struct pxs_group *g, struct pxs_group_status *st)
{
	u8 i;

	st->state = g->state;
	st->role = g->lead_ballot ? PXS_ROLE_LEADER :
		   g->prepare_ballot ? PXS_ROLE_CANDIDATE : PXS_ROLE_FOLLOWER;
	st->epoch = g->conf.epoch;
	st->promised = g->promised;
	st->commit = g->commit;
	st->known = max(g->commit, g->known_commit);
	st->next_slot = g->next_slot;
	st->trim = g->trim;
	st->trimmed = pxs_group_needs_checkpoint(g) ? g->trimmed : 0;
	st->held = g->held;
	for (i = 0; i < PXS_MEMBERS_MAX; i++) {
		st->has[i].id = i < g->conf.nmembers ? g->conf.member[i].id : 0;
		st->has[i].commit = i == g->conf.self ? g->commit : g->has[i];
	}
	memcpy(st->stat, g->stat, sizeof(st->stat));
}

struct pxs_datapath;

struct pxs_datapath_ops {
	const char *name;
	/* Make the group, inactive; fine if it is there already with the same configuration. */
	int (*group_add)(struct pxs_datapath *dp, const struct pxs_group_config *g);
	/* It is not there any more; what is staged of it stays. Nobody is told that it is gone. */
	int (*group_del)(struct pxs_datapath *dp, u32 group);
	/* Sign with and accept g->keys from now on, and no others. -EINVAL: as it was, said why. */
	int (*keys)(struct pxs_datapath *dp, const struct pxs_group_config *g);
	/* Become the owner. *last_lsn: newest record that the datapath holds. */
	int (*attach)(struct pxs_datapath *dp, u64 incarnation, u64 next_lsn, u64 *last_lsn);
	void (*durable)(struct pxs_datapath *dp, u64 lsn);
	void (*fail)(struct pxs_datapath *dp, const char *reason);
	/* We end in order: pxs_group_settle() for every group. -EAGAIN: say it again. */
	int (*settle)(struct pxs_datapath *dp);
	int (*load)(struct pxs_datapath *dp, u32 group, const u8 *records, u32 bytes);
	int (*activate)(struct pxs_datapath *dp, u32 group, u64 commit);
	int (*prepare)(struct pxs_datapath *dp, u32 group, u64 ballot, u64 slot, u64 to);
	int (*lead)(struct pxs_datapath *dp, u32 group, u64 ballot, u64 first, u64 found);
	int (*resign)(struct pxs_datapath *dp, u32 group);
	/* Hand over to @member (its id); the leader event says how it ended. */
	int (*transfer)(struct pxs_datapath *dp, u32 group, u8 member);
	/*
	 * Slots up to @slot are in a durable checkpoint: as pxs_group_trim(); @peers: in one of
	 * another member's, and here some are lacking: as pxs_group_skip().
	 */
	int (*trim)(struct pxs_datapath *dp, u32 group, u64 slot, bool peers);
	/*
	 * Propose up to PXS_PROPOSE_MAX values, in order (NULL and 0: a no-op). Return: how many
	 * were taken, with the slots from *first on; or -errno.
	 */
	int (*propose)(struct pxs_datapath *dp, u32 group, const struct iovec *values, u32 n,
		       u64 *first);
	/*
	 * Propose a configuration, a struct pxs_wire_config: as pxs_group_propose(). Return: 0 and
	 * *slot, or -errno.
	 */
	int (*configure)(struct pxs_datapath *dp, u32 group, const u8 *value, u32 len, u64 *slot);
	/* Slot @slot holds that configuration: as pxs_group_move(). Its record will be appended. */
	int (*move)(struct pxs_datapath *dp, u32 group, u64 slot, const u8 *value, u32 len);
	/* Begin a round of reads, or wait for the next one: its number, and the ballot it is of. */
	int (*read)(struct pxs_datapath *dp, u32 group, u64 *ballot, u64 *round);
	/* m->type, receiver, slot, count, arg, len and the body; the datapath fills the rest. */
	int (*send)(struct pxs_datapath *dp, u32 group, const struct pxs_msg *m, const u8 *body);
	int (*status)(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st);
	void (*close)(struct pxs_datapath *dp);
};

/* The first member of each implementation's own struct. */
struct pxs_datapath {
	const struct pxs_datapath_ops *ops;
	const struct pxs_datapath_events *events;
	struct pxs_loop *loop;
	/* Messages to the module and from it, as of the last status(); none without a module. */
	u64 sent, received;
};

/* Return: 0 and *dp, or -errno after the reason went to stderr. */
int pxs_datapath_user(struct pxs_loop *loop, const struct pxs_datapath_events *events,
		      struct pxs_datapath **dp);
int pxs_datapath_kernel(struct pxs_loop *loop, const struct pxs_datapath_events *events,
			struct pxs_datapath **dp);

#endif /* PXS_AGENT_DATAPATH_H */
