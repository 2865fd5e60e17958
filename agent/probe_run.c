// SPDX-License-Identifier: GPL-2.0
/*
 * probe_run.c - one check of a backend, over a socket of its own
 *
 * Connect, send, receive until the judge knows: one operation of the ring at a time, so a run
 * belongs to the ring until its completion. Sockets are connected, datagram ones as well: then
 * an ICMP error is an answer, and the module leaves their traffic alone.
 */
#include "probe_run.h"

#include <stdio.h>
#include <unistd.h>

enum stage {
	CONNECT,
	SEND,
	RECEIVE,
};

struct pxs_probe_run {
	struct pxs_op op;
	struct pxs_loop *loop;
	struct pxs_probe probe;
	struct pxs_address to;
	pxs_probe_done *done;
	void *ctx;
	int fd;
	enum stage stage;
	u32 late_ms;		/* not 0: cancelled for being late */
	bool cancelled;
	u32 want;		/* bytes to send */
	u32 sent;
	u32 len;		/* bytes received */
	u8 request[PXS_PROBE_REQUEST_MAX];
	u8 answer[PXS_PROBE_ANSWER_MAX];
};

static void end(struct pxs_probe_run *r, enum pxs_probe_end how, const char *why)
{
	pxs_probe_done *done = r->done;
	void *ctx = r->ctx;

	close(r->fd);
	/* A request may hold a password. */
	explicit_bzero(r->request, sizeof(r->request));
	free(r);
	done(ctx, how, why);
}

static const char *stage_word(const struct pxs_probe_run *r)
{
	switch (r->stage) {
	case CONNECT:
		return " connect";
	case SEND:
		return " send";
	default:
		return "";
	}
}

/* Errors that speak of this host and not of the backend. */
static bool own_fault(int err)
{
	switch (err) {
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
	case -EADDRNOTAVAIL:	/* no local port left */
	case -EPERM:		/* a filter of this host */
	case -EACCES:
	case -EAGAIN:
		return true;
	default:
		return false;
	}
}

static void failed(struct pxs_probe_run *r, int err)
{
	char why[PXS_HEALTH_REASON_MAX + 1];
	const char *kind = r->probe.conf->kind->name;

	if (r->late_ms)
		snprintf(why, sizeof(why), "%s%s: nothing for %u ms", kind, stage_word(r),
			 r->late_ms);
	else
		snprintf(why, sizeof(why), "%s%s: %s", kind, stage_word(r), strerror(-err));
	end(r, !r->late_ms && (r->cancelled || own_fault(err)) ? PXS_PROBE_VOID : PXS_PROBE_ILL,
	    why);
}

static void next(struct pxs_probe_run *r)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(r->loop);

	switch (r->stage) {
	case CONNECT:
		io_uring_prep_connect(sqe, r->fd, &r->to.sa, r->to.len);
		break;
	case SEND:
		io_uring_prep_send(sqe, r->fd, r->request + r->sent, r->want - r->sent,
				   MSG_NOSIGNAL);
		break;
	case RECEIVE:
		io_uring_prep_recv(sqe, r->fd, r->answer + r->len, sizeof(r->answer) - r->len, 0);
		break;
	}
	pxs_loop_own(sqe, &r->op);
}

/* @n more bytes of the answer. Return: true when more are wanted. */
static bool received(struct pxs_probe_run *r, u32 n)
{
	const struct pxs_probe_kind *kind = r->probe.conf->kind;
	char why[PXS_HEALTH_REASON_MAX + 1] = "";
	bool stream = !r->probe.datagram;

	r->len += n;
	switch (kind->judge(&r->probe, r->answer, r->len, why)) {
	case PXS_PROBE_GOOD:
		end(r, PXS_PROBE_WELL, "");
		return false;
	case PXS_PROBE_BAD:
		end(r, PXS_PROBE_ILL, why);
		return false;
	default:
		break;
	}
	if (stream && (!n || r->len == sizeof(r->answer))) {
		snprintf(why, sizeof(why), "%s: %s", kind->name,
			 n ? "the answer has no end" : "closed without an answer");
		end(r, PXS_PROBE_ILL, why);
		return false;
	}
	if (!stream)
		r->len = 0;
	return true;
}

static void step(struct pxs_op *op, int res)
{
	struct pxs_probe_run *r = (struct pxs_probe_run *)((char *)op -
							   offsetof(struct pxs_probe_run, op));

	if (r->cancelled || (res < 0 && res != -EINTR)) {
		failed(r, res < 0 ? res : -ECANCELED);
		return;
	}
	if (res >= 0 && r->stage == CONNECT) {
		if (!r->want) {
			end(r, PXS_PROBE_WELL, "");
			return;
		}
		r->stage = SEND;
	} else if (res >= 0 && r->stage == SEND) {
		r->sent += (u32)res;
		if (r->sent == r->want)
			r->stage = RECEIVE;
	} else if (res >= 0 && !received(r, (u32)res)) {
		return;
	}
	next(r);
}

struct pxs_probe_run *pxs_probe_start(struct pxs_loop *loop, const struct pxs_probe *p,
				      const struct pxs_address *to, pxs_probe_done *done,
				      void *ctx, int *err)
{
	struct pxs_probe_run *r = calloc(1, sizeof(*r));

	*err = -ENOMEM;
	if (!r)
		return NULL;
	r->fd = socket(to->sa.sa_family,
		       (p->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (r->fd < 0) {
		*err = -errno;
		free(r);
		return NULL;
	}
	r->op.done = step;
	r->loop = loop;
	r->probe = *p;
	r->to = *to;
	r->done = done;
	r->ctx = ctx;
	r->want = p->conf->kind->request(p, r->request);
	next(r);
	return r;
}

void pxs_probe_cancel(struct pxs_probe_run *r)
{
	struct io_uring_sqe *sqe;

	if (r->cancelled)
		return;
	r->cancelled = true;
	sqe = pxs_loop_sqe(r->loop);
	io_uring_prep_cancel(sqe, &r->op, 0);
	pxs_loop_own(sqe, NULL);
}

void pxs_probe_late(struct pxs_probe_run *r, u32 timeout_ms)
{
	if (!r->cancelled)
		r->late_ms = timeout_ms;
	pxs_probe_cancel(r);
}
