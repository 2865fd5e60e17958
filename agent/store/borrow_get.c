// SPDX-License-Identifier: GPL-2.0
/*
 * borrow_get.c - a checkpoint of another member's: asking for its pieces
 */
#include "store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../report.h"
#include "image.h"
#include "peer.h"

#define SAY_MS		10000
#define IN_MAX		(sizeof(struct pxs_loan_head) + PXS_LOAN_BYTES + PXS_LOAN_CONFIG + 64)

#define from(p, member) \
	((struct pxs_store *)((char *)(p) - offsetof(struct pxs_store, borrow.member)))

static void next(struct pxs_store *s);

/* --- connections ------------------------------------------------------------- */

void pxs_borrow_hang_up(struct pxs_borrow *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->cancelled = false;
	b->stage = PXS_BORROW_IDLE;
}

void pxs_borrow_close(struct pxs_borrow *b)
{
	if (b->part >= 0)
		close(b->part);
	b->part = -1;
}

static void start_over(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	pxs_borrow_close(b);
	unlinkat(s->db.dirfd, PXS_DB_PART, 0);
	b->loan = (struct pxs_loan){ 0 };
	b->tries = 0;
}

/* Is who would be asked another member, with an address? */
static bool may_ask(const struct pxs_store *s)
{
	int i = pxs_store_member(s, s->borrow.member);

	return i >= 0 && i != s->replica->config->conf.self && pxs_store_where(s, (u32)i);
}

/* The next member that is another one, and whose store's address is known. */
static bool turn(struct pxs_store *s)
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	struct pxs_borrow *b = &s->borrow;
	int i, n, at = pxs_store_member(s, b->member);	/* -1: from the first on */

	for (n = 0; n < conf->nmembers; n++) {
		i = (at + 1 + n) % conf->nmembers;
		b->member = conf->member[i].id;
		if (may_ask(s))
			return true;
	}
	return false;
}

/*
 * Who has the rest of what is here already is asked again, for a while. Another member's
 * checkpoint of the same slot is another file.
 */
void pxs_borrow_fail(struct pxs_store *s, const char *why)
{
	struct pxs_borrow *b = &s->borrow;

	pxs_debug("group %u: store: a checkpoint of member %u: %s", s->replica->id,
		  b->member, why);
	pxs_borrow_hang_up(b);
	b->pause = s->node->loop.now + PXS_BORROW_PAUSE_MS;
	if (b->loan.id && may_ask(s) && ++b->tries < PXS_BORROW_TRIES)
		return;
	start_over(s);
	turn(s);
}

static void compose(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	u64 n[4] = { b->loan.id, b->loan.offset, 0, s->replica->id };
	u32 i;

	if (getrandom(&b->nonce, sizeof(b->nonce), 0) != sizeof(b->nonce))
		b->nonce = 0;
	b->nonce >>= 2;		/* it is a number of the protocol */
	n[2] = b->nonce;
	b->out.len = 0;
	b->sent = 0;
	b->len = 0;
	b->answers = 1;
	if (!b->greeted)
		b->answers += pxs_peer_greet(&b->out, s->config->password);
	b->greeted = true;
	pxs_reply_array(&b->out, 6);
	pxs_reply_text(&b->out, "PAXSTEER");
	pxs_reply_text(&b->out, "IMAGE");
	for (i = 0; i < ARRAY_SIZE(n); i++)
		pxs_reply_number(&b->out, (s64)n[i]);
	b->stage = PXS_BORROW_SEND;
	b->late = s->node->loop.now + PXS_BORROW_LATE_MS;
}

/* --- pieces ------------------------------------------------------------------ */

static void all_is_here(struct pxs_store *s)
{
	pxs_borrow_hang_up(&s->borrow);
	pxs_borrow_whole(s);
}

/* One that was not lent before: will it do? */
static bool take_image(struct pxs_store *s, const struct pxs_loan *l)
{
	struct pxs_borrow *b = &s->borrow;

	if (l->slot < b->need || l->slot <= s->db.state.applied || !l->id)
		return false;
	pxs_notice("group %u: store: member %u lends its checkpoint of slot %" PRIu64 ", %" PRIu64 " bytes",
		   s->replica->id, b->member, l->slot,
		   l->size);
	b->loan = *l;
	return true;
}

static bool take_config(struct pxs_borrow *b, const struct pxs_loan_head *head,
			const struct pxs_loan *l)
{
	const u8 *config = pxs_loan_config(head, l);
	struct pxs_membership m;

	if (l->config && pxs_membership_parse(config, l->config, &m))
		return false;
	memcpy(b->config, config, l->config);
	b->loan.config = l->config;
	b->loan.config_slot = l->config_slot;
	return true;
}

static void piece(struct pxs_store *s, u8 *at, u32 bytes)
{
	const struct pxs_loan_head *head = (struct pxs_loan_head *)at;
	struct pxs_borrow *b = &s->borrow;
	struct pxs_loan l;
	int err;

	err = pxs_loan_open(&s->replica->config->keys, s->db.owner.cluster, head, bytes, &l);
	if (err) {
		pxs_warn("group %u: store: member %u: a piece of its checkpoint %s", s->replica->id,
			 b->member,
			 err == -EBADMSG ? "is none" : "has a wrong tag");
		pxs_borrow_fail(s, "a piece does not hold");
		return;
	}
	if (l.nonce != b->nonce || l.group != s->replica->id || l.offset != b->loan.offset ||
	    (b->loan.id ? l.id != b->loan.id : !take_image(s, &l))) {
		pxs_borrow_fail(s, "its checkpoint is not what is needed");
		return;
	}
	if (!take_config(b, head, &l)) {
		pxs_borrow_fail(s, "what it says of the members does not hold");
		return;
	}
	b->loan.slot = l.slot;
	b->loan.size = l.size;
	b->tries = 0;
	if (!l.len) {
		all_is_here(s);
		return;
	}
	memmove(b->in, at + sizeof(*head), l.len);
	b->len = l.len;
	b->sent = 0;
	b->stage = PXS_BORROW_WRITE;
	next(s);
}

static void refused(struct pxs_store *s, const char *words)
{
	struct pxs_borrow *b = &s->borrow;

	if (!strncmp(words, "-NOIMAGE", 8))
		b->loan.id = 0;
	pxs_borrow_fail(s, words);
}

/* Return: more is wanted. */
static bool received(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	u32 bytes;

	switch (pxs_peer_look(b->in, &b->len, &b->answers, IN_MAX - 64, &bytes)) {
	case PXS_PEER_MORE:
		return true;
	case PXS_PEER_REFUSED:
		refused(s, (const char *)b->in);
		break;
	case PXS_PEER_NO_PASSWORD:
		pxs_borrow_fail(s, "it takes no password");
		break;
	case PXS_PEER_ODD:
		pxs_borrow_fail(s, "it answers something else");
		break;
	case PXS_PEER_BULK:
		/* The head must lie as a struct of its kind does. */
		piece(s, b->in, bytes);
		break;
	}
	return false;
}

static void progress(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	u64 now = s->node->loop.now;

	if (now - b->said < SAY_MS)
		return;
	b->said = now;
	pxs_info("group %u: store: the checkpoint of slot %" PRIu64 ": %" PRIu64 " of %" PRIu64 " bytes are here",
		 s->replica->id, b->loan.slot, b->loan.offset, b->loan.size);
}

static void written(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	u64 rate = s->config->checkpoint_rate;

	b->loan.offset += b->len;
	b->got += b->len;
	progress(s);
	if (b->loan.offset == b->loan.size) {
		all_is_here(s);
		return;
	}
	b->rest = rate ? b->began + b->got * 1000 / rate : 0;
	if (b->rest > s->node->loop.now) {
		b->stage = PXS_BORROW_REST;
		return;
	}
	pxs_borrow_go_on(s);
}

/* --- the ring ---------------------------------------------------------------- */

static void next(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);

	switch (b->stage) {
	case PXS_BORROW_CONNECT:
		io_uring_prep_connect(sqe, b->fd, &b->to.sa, b->to.len);
		break;
	case PXS_BORROW_SEND:
		io_uring_prep_send(sqe, b->fd, b->out.buf + b->sent, b->out.len - b->sent,
				   MSG_NOSIGNAL);
		break;
	case PXS_BORROW_WRITE:
		io_uring_prep_write(sqe, b->part, b->in + b->sent, b->len - b->sent,
				    b->loan.offset + b->sent);
		break;
	default:
		io_uring_prep_recv(sqe, b->fd, b->in + b->len, IN_MAX - b->len, 0);
		break;
	}
	pxs_loop_own(sqe, &b->op);
}

void pxs_borrow_happened(struct pxs_op *op, int res)
{
	struct pxs_store *s = from(op, op);
	struct pxs_borrow *b = &s->borrow;

	if (b->cancelled || (res < 0 && res != -EINTR) ||
	    (!res && b->stage != PXS_BORROW_CONNECT)) {
		pxs_borrow_fail(s, b->cancelled ? "it does not answer" :
				   res ? strerror(-res) : "it hangs up");
		return;
	}
	b->late = s->node->loop.now + PXS_BORROW_LATE_MS;
	if (res >= 0 && b->stage == PXS_BORROW_CONNECT) {
		compose(s);
	} else if (res >= 0 && b->stage == PXS_BORROW_SEND) {
		b->sent += (u32)res;
		if (b->sent == b->out.len)
			b->stage = PXS_BORROW_RECEIVE;
	} else if (res >= 0 && b->stage == PXS_BORROW_WRITE) {
		b->sent += (u32)res;
		if (b->sent == b->len) {
			written(s);
			return;
		}
	} else if (res >= 0) {
		b->len += (u32)res;
		if (!received(s))
			return;
	}
	next(s);
}

void pxs_borrow_go_on(struct pxs_store *s)
{
	compose(s);
	next(s);
}

/* --- beginning --------------------------------------------------------------- */

/* What is here of one already, and whose it is. */
static void take_part(struct pxs_store *s)
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	struct pxs_db look = { .owner = s->db.owner, .borrowed = true };
	struct pxs_borrow *b = &s->borrow;
	struct pxs_image_info info;
	struct stat st;
	u8 i;

	if (fstat(b->part, &st) || pxs_image_info(b->part, &look, &info) || info.applied < b->need)
		return;
	for (i = 0; i < conf->nmembers; i++)
		if (conf->member[i].incarnation == info.incarnation)
			break;
	if (i == conf->nmembers || i == conf->self || !pxs_store_where(s, i))
		return;
	b->member = conf->member[i].id;
	b->loan = (struct pxs_loan){
		.slot = info.applied, .id = info.id, .offset = (u64)st.st_size,
	};
	pxs_notice("group %u: store: %" PRIu64 " bytes of member %u's checkpoint of slot %" PRIu64 " are here already",
		   s->replica->id, b->loan.offset, conf->member[i].id, b->loan.slot);
}

static bool open_part(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	if (b->part < 0) {
		b->part = openat(s->db.dirfd, PXS_DB_PART, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (b->part >= 0 && !b->loan.id)
			take_part(s);
	}
	if (!b->in)
		b->in = malloc(IN_MAX);
	return b->part >= 0 && b->in &&
	       (b->loan.id || (!ftruncate(b->part, 0) && !(b->loan.offset = 0)));
}

static bool dial(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	if (pxs_address_parse(pxs_store_where(s, (u32)pxs_store_member(s, b->member)), &b->to))
		return false;
	b->fd = socket(b->to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return b->fd >= 0;
}

void pxs_borrow_begin(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	b->pause = s->node->loop.now + PXS_BORROW_PAUSE_MS;
	if (!open_part(s)) {
		pxs_err("group %u: store %s: %s: %s", s->replica->id, s->config->directory,
			PXS_DB_PART, strerror(errno));
		return;
	}
	if (!may_ask(s) && !turn(s))
		return;		/* nobody's address is known */
	if (!dial(s)) {
		pxs_borrow_fail(s, strerror(errno));
		return;
	}
	b->greeted = false;
	b->began = s->node->loop.now;
	b->got = 0;
	b->late = b->began + PXS_BORROW_LATE_MS;
	b->stage = PXS_BORROW_CONNECT;
	next(s);
}

void pxs_borrow_cancel(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);

	b->cancelled = true;
	io_uring_prep_cancel(sqe, &b->op, 0);
	pxs_loop_own(sqe, NULL);
}
