/* SPDX-License-Identifier: GPL-2.0 */
/*
 * spare.h - the segment that will be needed next, made ahead of need
 *
 * A flush into a file that grows costs a journal commit of the file system, one into
 * blocks written before costs none. So the next segment is written full of zeroes,
 * synced, named, and its directory synced, in the helper thread, long before the
 * current one is full. A full disk stops this, and nothing else.
 */
#ifndef PXS_AGENT_SPARE_H
#define PXS_AGENT_SPARE_H

#include "worker.h"

struct pxs_spare {
	struct pxs_worker *worker;
	int dirfd;
	u32 size;
	bool direct;		/* open it with O_DIRECT */
	u64 number;		/* wanted; 0: none */
	int fd;			/* ready, locked; -1: not yet */
	int error;		/* why the last attempt failed: -ENOSPC...; 0 */
	u64 retry;		/* when to try again */
	struct pxs_job job;
	int made;		/* the job's result; -1 */
	void (*ready)(void *ctx);	/* a spare is there, or the error changed */
	void *ctx;
};

#define PXS_SPARE_RETRY_MS	1000

void pxs_spare_init(struct pxs_spare *s, struct pxs_worker *worker, int dirfd, u32 size,
		    bool direct);

/* Have @number made; @fd: it is there already. */
void pxs_spare_want(struct pxs_spare *s, u64 number, int fd);

/* Hand the ready spare out. Return: its fd, or -1. */
int pxs_spare_take(struct pxs_spare *s);

void pxs_spare_tick(struct pxs_spare *s, u64 now);	/* tries again after an error */
void pxs_spare_exit(struct pxs_spare *s);		/* after the worker has stopped */

#endif /* PXS_AGENT_SPARE_H */
