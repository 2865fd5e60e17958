// SPDX-License-Identifier: GPL-2.0
/*
 * lend.c - this member's newest checkpoint, for one that lacks what the logs have no more
 */
#include "store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

void pxs_lend_init(struct pxs_lend *l)
{
	l->fd = -1;
}

static void let_go(struct pxs_lend *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	free(l->buf);
	l->buf = NULL;
}

void pxs_lend_exit(struct pxs_lend *l)
{
	let_go(l);
}

void pxs_lend_tick(struct pxs_store *s)
{
	struct pxs_lend *l = &s->lend;

	if (l->fd >= 0 && !l->request && s->node->loop.now - l->asked > PXS_LEND_MS)
		let_go(l);
}

/* The newest there is. Return: 0 or -errno. */
static int take_out(struct pxs_store *s)
{
	struct pxs_image_info info;
	struct pxs_lend *l = &s->lend;
	struct stat st;
	int err;

	let_go(l);
	l->fd = openat(s->db.dirfd, PXS_DB_CHECKPOINT, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0)
		return -errno;
	l->buf = malloc(sizeof(struct pxs_loan_head) + PXS_LOAN_BYTES + PXS_LOAN_CONFIG);
	err = !l->buf ? -ENOMEM : fstat(l->fd, &st) ? -errno : pxs_image_info(l->fd, &s->db, &info);
	if (err) {
		let_go(l);
		return err;
	}
	l->loan = (struct pxs_loan){
		.slot = info.applied, .id = info.id, .size = (u64)st.st_size,
		.group = s->replica->id,
	};
	return 0;
}

static void read_done(struct pxs_op *op, int res)
{
	struct pxs_lend *l = (struct pxs_lend *)((char *)op - offsetof(struct pxs_lend, op));
	struct pxs_request *r = l->request;
	struct pxs_store *s = (struct pxs_store *)((char *)l - offsetof(struct pxs_store, lend));
	const struct pxs_member_config *c = pxs_member_newest(s->replica);

	l->request = NULL;
	l->asked = s->node->loop.now;
	if (res != (int)l->loan.len) {
		pxs_reply_error(&r->out, "ERR the checkpoint cannot be read: %s",
				res < 0 ? strerror(-res) : "it is cut off");
	} else {
		l->loan.config = c->epoch ? c->len : 0;
		l->loan.config_slot = c->slot;
		pxs_loan_seal(&s->replica->config->keys, s->db.owner.cluster, &l->loan, c->value,
			      (struct pxs_loan_head *)l->buf);
		pxs_reply_bulk(&r->out, l->buf, (u32)sizeof(struct pxs_loan_head) +
			       pxs_loan_rest(&l->loan));
		l->pieces++;
	}
	pxs_request_hold(r, r->out.len);
	pxs_request_done(r);
}

static void start_read(struct pxs_store *s, struct pxs_request *r)
{
	struct pxs_lend *l = &s->lend;
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);

	r->state = PXS_REQUEST_SAVES;
	l->request = r;
	l->op.done = read_done;
	io_uring_prep_read(sqe, l->fd, l->buf + sizeof(struct pxs_loan_head), l->loan.len,
			   l->loan.offset);
	pxs_loop_own(sqe, &l->op);
}

static bool numbers(const struct pxs_request *r, u64 *n)
{
	s64 v;
	u32 i;

	for (i = 0; i < 4; i++) {
		if (!pxs_str_int(r->argv[2 + i], &v) || v < 0)
			return false;
		n[i] = (u64)v;
	}
	return true;
}

/* Why there is no piece of it; NULL: there is. */
static const char *no_piece(struct pxs_store *s, u64 id, u64 offset)
{
	struct pxs_lend *l = &s->lend;
	bool new = l->fd < 0 || !id;

	if (l->request || (new && l->fd >= 0 && s->node->loop.now - l->asked <= PXS_LEND_MS))
		return "TRYAGAIN another one is being lent";
	if (new && take_out(s))
		return "NOIMAGE there is no checkpoint here";
	/* What it says of the members must be as new: so all of it is applied in this life, too. */
	if (s->replica->members.joins || l->loan.slot > s->replica->applied)
		return "TRYAGAIN this member does not know yet who the members are";
	if (id && l->loan.id != id)
		return "NOIMAGE that checkpoint is not here any more";
	return offset > l->loan.size ? "ERR it ends before that" : NULL;
}

bool pxs_lend(struct pxs_request *r)
{
	struct pxs_store *s;
	const char *wrong;
	u64 n[4];

	if (!numbers(r, n)) {
		pxs_reply_not_int(&r->out);
		return true;
	}
	s = pxs_set_find(r->conn->store, n[3]);
	wrong = s ? no_piece(s, n[0], n[1]) : "ERR there is no such group in this store";
	if (wrong) {
		pxs_reply_error(&r->out, "%s", wrong);
		return true;
	}
	s->lend.loan.offset = n[1];
	s->lend.loan.nonce = n[2];
	s->lend.loan.len = (u32)min(s->lend.loan.size - n[1], (u64)PXS_LOAN_BYTES);
	start_read(s, r);
	return false;
}
