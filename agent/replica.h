/* SPDX-License-Identifier: GPL-2.0 */
/*
 * replica.h - one group on this node: election, log, commit index, clients that wait
 */
#ifndef PXS_AGENT_REPLICA_H
#define PXS_AGENT_REPLICA_H

#include "datapath.h"
#include "elect.h"
#include "fetch.h"
#include "member.h"
#include "propose.h"
#include "readindex.h"
#include "slots.h"
#include "transfer.h"
#include "trim.h"

struct pxs_node;

#define PXS_REPLICA_POINTS	16

struct pxs_replica {
	struct pxs_node *node;
	struct pxs_group_config *config;	/* members: of the epoch in force */
	u32 id;
	struct pxs_elect elect;
	struct pxs_slots slots;
	struct pxs_proposals proposals;
	struct pxs_transfer transfer;
	struct pxs_index_reads reads;
	struct pxs_members members;
	bool gone;		/* deleted in the datapath, or fenced */
	bool started;
	u64 ticked;
	u64 stuck;		/* slot that could not be applied, complained about */

	/* What recovery found. */
	u64 promised;
	u64 promised_lsn;
	u64 recovered;		/* commit index that the journal proves */
	/*
	 * The newest DURABILITY record, also of those that arrived since: answers need not wait for
	 * the disk. When we end in order, one that says that they do comes last.
	 */
	bool memory;
	u64 memory_lsn;
	bool settling;		/* ... and it is waited for */
	u64 restore_lsn;	/* restored when records up to it are durable; 0: at once */

	u64 commit;
	u64 applied;		/* every slot up to it is final and can be read here */
	struct {
		u64 commit;
		u64 lsn;	/* believe commit once records up to it have arrived */
	} point[PXS_REPLICA_POINTS];
	u32 points;

	bool stateful;		/* a store makes checkpoints of it, */
	u64 checkpoint;		/* ... the newest durable one of this slot */
	u64 trim;		/* slots up to it are gone; trim.h */
	u64 trim_pos;		/* of the newest durable TRIM, with its COMMIT; 0: there is none */
	u64 trim_needs;		/* first segment, as of then; 0: not looked yet */
	u64 commit_pos;		/* of the newest COMMIT, placed */
	u64 trim_ticked;
	u64 trim_looked;	/* the journal's segment when it was looked at last */
	struct pxs_trim_wait trim_wait;
	u64 first_pos;		/* of the first record of this group; 0: none yet */
	struct {
		u64 slot;
		u64 lsn;	/* valid when records up to it are durable; 0: nothing waits */
		u64 pos;
	} trimming;

	/* Another member's checkpoint, that its store asks for; store/borrow.c shows it here. */
	struct pxs_replica_loan {
		u8 lender;	/* member id; 0: none is asked for */
		u64 slot;	/* 0: not known yet */
		u64 size, bytes;	/* of all, and here already */
	} loan;

	u64 hint_commit;	/* durable: may be written to the hint */
	u64 snap_commit;	/* ... once everything up to snap_lsn is durable */
	u64 snap_lsn;

	/* A member that asked for slots below the window; see teach.c. */
	struct pxs_fetch teach;
	struct pxs_msg lesson;
	u8 *lesson_body;
	u64 lessons;
};

int pxs_replica_init(struct pxs_replica *r, struct pxs_node *n,
		     struct pxs_group_config *config);
void pxs_replica_exit(struct pxs_replica *r);

/* A record of this group: recovered (@pos) or arrived (@pos 0). Return: 0 or -errno. */
int pxs_replica_record(struct pxs_replica *r, const struct pxs_record *rec, u64 pos);

/*
 * The group is active in the datapath: go. @commit is true, and no licence to apply: records
 * that it rests on may still be under way (pxs_replica_decided()).
 */
void pxs_replica_start(struct pxs_replica *r, u64 promised, u64 commit);
void pxs_replica_stop(struct pxs_replica *r);

/* Events of the datapath. */
void pxs_replica_decided(struct pxs_replica *r, u64 commit, u64 lsn);
void pxs_replica_recv(struct pxs_replica *r, const struct pxs_msg *m, const u8 *body);
void pxs_replica_leader(struct pxs_replica *r, u8 event, u64 ballot);

/* Once a round. Return: did something. */
bool pxs_replica_step(struct pxs_replica *r);
void pxs_replica_tick(struct pxs_replica *r, u64 now);

/* The durable point moved. */
void pxs_replica_durable(struct pxs_replica *r, u64 lsn);

/* teach.c: answer a LEARN_REQ from the journal. */
void pxs_teach_init(struct pxs_replica *r);
void pxs_teach(struct pxs_replica *r, const struct pxs_msg *m);
void pxs_teach_exit(struct pxs_replica *r);

/* restore.c: give the datapath what recovery found, and activate. Return: 0 or -errno. */
int pxs_restore(struct pxs_replica *r);

#endif /* PXS_AGENT_REPLICA_H */
