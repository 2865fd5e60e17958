/* SPDX-License-Identifier: GPL-2.0 */
/*
 * worker.h - one helper thread for calls that block
 *
 * The loop never waits for the file system except through its ring. What has no good
 * ring operation (making a segment, renaming a file, syncing a directory) is a job here.
 */
#ifndef PXS_AGENT_WORKER_H
#define PXS_AGENT_WORKER_H

#include <pthread.h>

#include "loop.h"

struct pxs_job {
	int (*run)(struct pxs_job *job);		/* in the thread */
	void (*done)(struct pxs_job *job, int res);	/* in the loop */
	struct pxs_job *next;
	int res;
	bool busy;		/* given, and done() not yet called */
};

struct pxs_worker {
	struct pxs_loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;	/* guards todo, finished, stop */
	pthread_cond_t wake;
	struct pxs_job *todo;
	struct pxs_job *finished;
	bool stop;
	int eventfd;
	u64 events;		/* what the read of eventfd fills */
	struct pxs_op op;
};

int pxs_worker_start(struct pxs_worker *w, struct pxs_loop *loop);

/* Finishes the job at hand, drops the others. done() is not called any more. */
void pxs_worker_stop(struct pxs_worker *w);

void pxs_worker_give(struct pxs_worker *w, struct pxs_job *job);

#endif /* PXS_AGENT_WORKER_H */
