/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eventual_cmd.h - commands on eventual keys
 *
 * Those of Redis that mean something where the last writer wins, each as one or more elements
 * (lww.h): SET and its like write the whole, with its deadline; HSET fields; DEL and HDEL write
 * deaths, whether something is here to be deleted or not, for it may be on its way. What they
 * answer is what is here: DEL how many of the keys are, HSET how many fields are new.
 *
 * What reads and writes in one step is not among them: INCR, APPEND, SET NX, EXPIRE ...
 */
#ifndef PXS_STORE_EVENTUAL_CMD_H
#define PXS_STORE_EVENTUAL_CMD_H

#include "command.h"
#include "evdb.h"

/* A command while it runs; one that writes, in the thread that does. */
struct pxs_ev_run {
	struct pxs_evtx *tx;
	struct pxs_reply *out;
	u32 argc;
	const struct pxs_str *argv;
	u64 wall;		/* ms of the epoch, by the machine's clock */
	u64 now;		/* ... by the hybrid clock */
	u64 memory;		/* bytes that there may be; 0: no limit */
	struct pxs_stamp stamp;	/* the highest of what it has read or written */
};

/* Can @cmd be done on eventual keys? */
bool pxs_ev_knows(const struct pxs_command *cmd);

/* @cmd is one of those. */
void pxs_ev_run(const struct pxs_command *cmd, struct pxs_ev_run *x);

/* "ERR ...": it cannot be done; @word: the command, or an option of it. */
void pxs_ev_refuse(struct pxs_reply *o, const char *word);

#endif /* PXS_STORE_EVENTUAL_CMD_H */
