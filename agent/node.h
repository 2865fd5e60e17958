/* SPDX-License-Identifier: GPL-2.0 */
/*
 * node.h - what the parts of the daemon share
 */
#ifndef PXS_AGENT_NODE_H
#define PXS_AGENT_NODE_H

#include "datapath.h"
#include "journal.h"
#include "replica.h"

struct pxs_checker;
struct pxs_director;
struct pxs_server;
struct pxs_store;

struct pxs_node {
	struct pxs_config config;
	struct pxs_loop loop;
	struct pxs_worker worker;
	struct pxs_journal journal;
	struct pxs_journal_events journal_events;
	struct pxs_datapath *dp;
	struct pxs_datapath_events dp_events;
	struct pxs_ticker ticker;
	struct pxs_hook hook;
	struct pxs_server *server;
	struct pxs_checker *checker;	/* NULL: no section "health" */
	struct pxs_director *directors;
	struct pxs_store *stores;
	struct pxs_worker slow;		/* of the stores: for what takes seconds */
	void (*quiet)(struct pxs_node *n);	/* end that thread; NULL: it was never begun */
	void (*let_go)(struct pxs_node *n);	/* nothing is in flight, the journal still ours */
	u32 nreplicas;
	struct pxs_replica *replica;
	u64 keepalive;		/* when DURABLE was last told */
	int exit_code;		/* when the loop was stopped by a fault */
	u32 foreign_group;	/* of a record of a group that the configuration lacks */
	bool opened;		/* journal and below are up */
	bool unsettled;		/* at the end: the datapath has yet to be told */
	bool sealed;		/* ... and no more records go to the journal */
	bool deaf;		/* records are missing: none that follow can be taken */

	struct pxs_job hint_job;
	struct pxs_hint hint;	/* the job's, while it is busy */
	u64 hint_due;
	u64 hinted_lsn;
};

struct pxs_replica *pxs_node_replica(struct pxs_node *n, u32 group);

/* Lock and recover the journal, set the datapath up, activate the groups. */
int pxs_node_open(struct pxs_node *n, bool wait);
void pxs_node_close(struct pxs_node *n);

/*
 * We end in order: say so to the datapath, and let go of the groups. Then, once a round until it
 * returns true: is everything that answers rested on durable? (ending.c)
 */
void pxs_node_end(struct pxs_node *n);
bool pxs_node_ended(struct pxs_node *n);

/* Write the hint now (blocks): at a clean end. */
void pxs_node_hint_now(struct pxs_node *n);

/* All of STATUS as JSON text, to free(); NULL without memory. */
char *pxs_node_status(struct pxs_node *n);

#endif /* PXS_AGENT_NODE_H */
