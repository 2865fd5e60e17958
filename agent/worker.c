// SPDX-License-Identifier: GPL-2.0
/*
 * worker.c - one helper thread for calls that block
 *
 * w->lock guards the two lists. A job belongs to the thread from give() until it
 * stands in w->finished, and to the loop otherwise.
 */
#include "worker.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *worker_main(void *arg)
{
	struct pxs_worker *w = arg;
	struct pxs_job *job;
	u64 one = 1;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->todo && !w->stop)
			pthread_cond_wait(&w->wake, &w->lock);
		if (w->stop)
			break;
		job = w->todo;
		w->todo = job->next;
		pthread_mutex_unlock(&w->lock);
		job->res = job->run(job);
		pthread_mutex_lock(&w->lock);
		job->next = w->finished;
		w->finished = job;
		if (write(w->eventfd, &one, sizeof(one)) != sizeof(one))
			break;	/* cannot happen: the counter has room for 2^64 */
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void worker_listen(struct pxs_worker *w)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(w->loop);

	io_uring_prep_read(sqe, w->eventfd, &w->events, sizeof(w->events), 0);
	pxs_loop_own(sqe, &w->op);
}

static void worker_event(struct pxs_op *op, int res)
{
	struct pxs_worker *w = (struct pxs_worker *)((char *)op - offsetof(struct pxs_worker, op));
	struct pxs_job *job;

	(void)res;
	for (;;) {
		pthread_mutex_lock(&w->lock);
		job = w->finished;
		if (job)
			w->finished = job->next;
		pthread_mutex_unlock(&w->lock);
		if (!job)
			break;
		job->busy = false;
		job->done(job, job->res);
	}
	worker_listen(w);
}

int pxs_worker_start(struct pxs_worker *w, struct pxs_loop *loop)
{
	sigset_t all, old;
	int err;

	memset(w, 0, sizeof(*w));
	w->loop = loop;
	w->op.done = worker_event;
	w->eventfd = eventfd(0, EFD_CLOEXEC);
	if (w->eventfd < 0)
		return -errno;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		close(w->eventfd);
		return -err;
	}
	worker_listen(w);
	return 0;
}

void pxs_worker_stop(struct pxs_worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	close(w->eventfd);
}

void pxs_worker_give(struct pxs_worker *w, struct pxs_job *job)
{
	struct pxs_job **p;

	pxs_assert(!job->busy);
	job->busy = true;
	job->next = NULL;
	pthread_mutex_lock(&w->lock);
	for (p = &w->todo; *p; p = &(*p)->next)
		;
	*p = job;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}
