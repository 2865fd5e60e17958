// SPDX-License-Identifier: GPL-2.0
/*
 * relay_client.c - one client's connection: requests out, replies back
 *
 * One work owns struct pxs_client; see relay_client.h. A run takes what can be had without waiting:
 * requests are cut off the client's stream and go to who owns their keys, under RCU; the reply that
 * is next in order comes back. Where a socket takes or gives no more, its callback queues the work
 * again. Nothing is read that can't be passed on, so whoever is slow slows down who feeds him, and
 * a client has at most one buffer of requests and one of replies a backend here, beside what its
 * sockets hold.
 *
 * Can two of them wait for each other? The oldest outstanding request was sent as a whole, or it is
 * the youngest, too; so its backend can reply, its reply is read whenever the client takes it, and
 * then comes the next one. Only a client who doesn't read stops all this: his own.
 */
#include "pxs.h"

#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "backend.h"
#include "core/load.h"
#include "pernet.h"
#include "relay_client.h"
#include "service.h"
#include "trace.h"

#define PXS_RELAY_STEPS	512	/* of a run, then others have their turn */
#define PXS_RELAY_ROUNDS	8
#define PXS_RELAY_TRIES	3	/* connects for one request */

static int pxs_client_flush(struct pxs_client *c)
{
	int err = pxs_relay_send(&c->s, &c->out);

	if (!err)
		c->text_len = 0;
	return err;
}

/* --- requests -------------------------------------------------------------- */

static void pxs_client_count(const struct pxs_client *c, int stat)
{
	pxs_stat_inc(c->relay->svc->stats, stat);
}

/* Who could not be connected a moment ago is out, even if nobody else is there. */
static struct pxs_pick pxs_client_pick_live(const struct pxs_client *c,
					    const struct pxs_plan *plan, u64 hash)
{
	DECLARE_BITMAP(live, PXS_BACKENDS_FEW);

	if (bitmap_empty(c->relay->out, PXS_BACKENDS_FEW))
		return pxs_load_pick(plan->table, plan->live, plan->full, hash);
	bitmap_andnot(live, plan->live, c->relay->out, plan->nbackends);
	return pxs_load_pick(plan->table, live, plan->full, hash);
}

static struct pxs_pick pxs_client_pick_key(const struct pxs_client *c, const struct pxs_plan *plan,
					   const struct pxs_slice *key)
{
	struct pxs_pick pick;
	u64 hash;

	pxs_key_hash_given(&plan->key, &plan->seed, key->p, key->len, &hash);
	pick = pxs_client_pick_live(c, plan, hash);
	trace_pxs_pick(c->relay->svc->id, plan->table->generation, hash, pick.backend, pick.choice,
		       false);
	return pick;
}

/* Whose are all keys of the request? Return: 0, -ENOENT: nobody's, -EXDEV: not of one. */
static int pxs_client_pick(struct pxs_client *c, const u8 *p, struct pxs_pick *pick,
			   struct pxs_endpoint *at)
{
	const struct pxs_plan *plan;
	struct pxs_cut cut = c->cut;
	struct pxs_slice key;
	int err = -ENOENT;

	rcu_read_lock();
	plan = rcu_dereference(c->relay->svc->plan);
	if (!plan || !plan->table)
		goto out;
	*pick = pxs_client_pick_key(c, plan, &cut.key);
	if (pick->choice == PXS_CHOICE_NONE)
		goto out;
	err = -EXDEV;
	while (pxs_cut_key(&cut, p, &key))
		if (pxs_client_pick_key(c, plan, &key).backend != pick->backend)
			goto out;
	*at = plan->backends[pick->backend]->at;
	err = 0;
out:
	rcu_read_unlock();
	return err;
}

/* An error in place of a backend's reply; what the request still sends goes to nobody. */
static void pxs_client_no_link(struct pxs_client *c, int err)
{
	u8 proto = c->relay->proto;

	c->target = NULL;
	c->failed = 0;
	if (err == -EXDEV) {
		pxs_client_count(c, PXS_STEER_STAT_CROSSED);
		pxs_order_push(&c->order, NULL, pxs_request_crossed(proto), &c->cut);
		return;
	}
	pxs_client_count(c, PXS_STEER_STAT_NO_BACKEND);
	pxs_order_push(&c->order, NULL, pxs_request_no_backend(proto), &c->cut);
}

static void pxs_client_count_request(struct pxs_client *c, const struct pxs_link *link,
				     const struct pxs_pick *pick)
{
	pxs_link_count(c, link, PXS_STEER_STAT_REQUESTS, 1);
	if (pick->choice != PXS_CHOICE_FIRST)
		pxs_link_count(c, link, pick->spilled ? PXS_STEER_STAT_SPILLED :
							PXS_STEER_STAT_SECOND, 1);
}

/* Return: 0, or -EAGAIN: nothing was done, the work is queued when it can be. */
static int pxs_client_begin(struct pxs_client *c, const u8 *p)
{
	const struct pxs_cut *cut = &c->cut;
	struct pxs_link *link;
	struct pxs_endpoint at;
	struct pxs_pick pick;
	int err;

	for (;;) {
		err = pxs_client_pick(c, p, &pick, &at);
		if (err || c->failed >= PXS_RELAY_TRIES) {
			pxs_client_no_link(c, err);
			return 0;
		}
		link = pxs_link_get(c, &at, pick.backend);
		if (!IS_ERR(link))
			break;
		if (PTR_ERR(link) == -EAGAIN)
			return -EAGAIN;
		c->failed++;
	}
	if (pxs_link_room(c, link, 3))
		return -EAGAIN;
	c->failed = 0;
	c->target = link;
	link->outstanding++;
	pxs_order_push(&c->order, link, NULL, cut);
	if (cut->before)
		pxs_link_add(c, link, cut->before, strlen(cut->before));
	pxs_link_add(c, link, p + cut->from, cut->len);
	if (cut->after)
		pxs_link_add(c, link, cut->after, strlen(cut->after));
	pxs_client_count_request(c, link, &pick);
	pxs_link_count(c, link, PXS_STEER_STAT_BYTES, cut->len);
	return 0;
}

static int pxs_client_body(struct pxs_client *c, const u8 *p)
{
	struct pxs_link *link = c->target;

	if (!link)
		return 0;
	if (pxs_link_room(c, link, 1))
		return -EAGAIN;
	pxs_link_add(c, link, p + c->cut.from, c->cut.len);
	pxs_link_count(c, link, PXS_STEER_STAT_BYTES, c->cut.len);
	return 0;
}

/* No more requests; the one under way, if one is, will have text as its reply, or none. */
static int pxs_client_end(struct pxs_client *c, const char *text)
{
	c->ending = true;
	if (!pxs_cutter_amid(&c->cutter)) {
		if (text)
			pxs_order_say(&c->order, text);
		return 0;
	}
	/* It is the youngest, unless its reply came before it was whole. */
	if (!pxs_order_len(&c->order))
		return 0;
	if (!pxs_order_revoke(&c->order, text))
		return -EPIPE;
	if (c->target)
		c->target->outstanding--;
	return 0;
}

/* Act on the piece at hand. Return: 0 it is done, -EAGAIN it is not, or the client is given up. */
static int pxs_client_act(struct pxs_client *c, const u8 *p)
{
	switch (c->cut.what) {
	case PXS_CUT_BEGIN:
		return pxs_client_begin(c, p);
	case PXS_CUT_BODY:
		return pxs_client_body(c, p);
	case PXS_CUT_REFUSE:
		pxs_client_count(c, PXS_STEER_STAT_REFUSED);
		pxs_order_say(&c->order, c->cut.text);
		return 0;
	case PXS_CUT_ANSWER:
		pxs_order_say(&c->order, c->cut.text);
		return 0;
	case PXS_CUT_BAD:
		pxs_client_count(c, PXS_STEER_STAT_BAD_REQUESTS);
		return pxs_client_end(c, c->cut.text);
	case PXS_CUT_QUIT:
		c->ending = true;
		if (c->cut.text)
			pxs_order_say(&c->order, c->cut.text);
		return 0;
	default:
		return 0;
	}
}

/* More of the client's stream. Return: 1 there is some, 0 not now, or the client is given up. */
static int pxs_client_read(struct pxs_client *c)
{
	int ret;

	/* What is to be sent may lie where it would be moved. */
	if (pxs_links_flush(c))
		return 0;
	ret = pxs_relay_recv(&c->s, &c->buf);
	if (ret > 0)
		return 1;
	if (!ret)
		return pxs_client_end(c, NULL);
	if (ret == -ENOMEM)
		c->watch = true;
	return ret == -EAGAIN || ret == -ENOMEM ? 0 : ret;
}

static bool pxs_client_may_ask(struct pxs_client *c)
{
	if (c->ending || pxs_order_full(&c->order))
		return false;
	if (c->order.ring)
		return true;
	c->order.ring = kvmalloc_array(PXS_ORDER_MAX, sizeof(*c->order.ring), GFP_KERNEL);
	if (!c->order.ring)
		c->watch = true;
	return c->order.ring;
}

/* Return: 1 something was done, 0 nothing can be, or the client is given up. */
static int pxs_client_requests(struct pxs_client *c)
{
	int steps = PXS_RELAY_STEPS, ret, done = 0;
	struct pxs_cutter cutter;
	const u8 *p;

	while (steps-- && pxs_client_may_ask(c)) {
		p = c->buf.p + c->buf.from;
		cutter = c->cutter;
		pxs_cut_next(&cutter, p, c->buf.to - c->buf.from, &c->cut);
		if (c->cut.what == PXS_CUT_MORE) {
			ret = pxs_client_read(c);
			if (ret <= 0)
				return ret ?: done;
			done = 1;
			continue;
		}
		ret = pxs_client_act(c, p);
		if (ret == -EAGAIN)
			break;
		if (ret)
			return ret;
		c->cutter = cutter;
		c->buf.from += c->cut.take;
		done = 1;
	}
	pxs_links_flush(c);
	return done;
}

/* --- replies --------------------------------------------------------------- */

/* For the client: what c->emit says, of bytes at p. */
static void pxs_client_emit(struct pxs_client *c, const u8 *p)
{
	const struct pxs_emit *emit = &c->emit;

	pxs_relay_add(&c->out, p + emit->pass_from, emit->pass);
	if (emit->text_len) {
		memcpy(c->text + c->text_len, emit->text, emit->text_len);
		pxs_relay_add(&c->out, c->text + c->text_len, emit->text_len);
		c->text_len += emit->text_len;
	}
	if (emit->words)
		pxs_relay_add(&c->out, emit->words, strlen(emit->words));
}

/* Is there room for what one step may say? Return: 0, -EAGAIN or the client is given up. */
static int pxs_client_room(struct pxs_client *c)
{
	if (c->out.n + 3 <= PXS_RELAY_PIECES &&
	    c->text_len + PXS_ORDER_TEXT_MAX <= PXS_RELAY_TEXT)
		return 0;
	return pxs_client_flush(c);
}

/* Nobody will answer: an error. Return: 0 or the client is given up. */
static int pxs_client_fail(struct pxs_client *c, const char *text)
{
	pxs_order_fail(&c->order, text, &c->emit);
	if (c->emit.stuck)
		return -EPIPE;
	pxs_client_emit(c, NULL);
	return 0;
}

/* More of a backend's replies. Return: 1 there is some, or their end, 0 not now, or an error. */
static int pxs_client_read_link(struct pxs_client *c, struct pxs_link *link)
{
	int err, ret;

	/* What is to be sent may lie where it would be moved. */
	err = pxs_client_flush(c);
	if (err)
		return err == -EAGAIN ? 0 : err;
	ret = pxs_relay_recv(&link->s, &link->buf);
	if (ret > 0)
		return 1;
	if (ret == -ENOMEM)
		c->watch = true;
	if (ret == -EAGAIN || ret == -ENOMEM)
		return 0;
	pxs_link_fail(c, link);
	return 1;
}

/* One step for the reply that is next. Return as pxs_client_replies(). */
static int pxs_client_reply(struct pxs_client *c, const struct pxs_outstanding *e)
{
	struct pxs_link *link = e->from;
	const u8 *p;
	int err;

	if (!link)
		return pxs_client_fail(c, e->text) ?: 1;
	p = link->buf.p + link->buf.from;
	pxs_order_step(&c->order, p, link->buf.to - link->buf.from, &c->emit);
	pxs_client_emit(c, p);
	link->buf.from += c->emit.take;
	if (c->emit.bad) {
		pxs_link_fail(c, link);
		/* Nothing of it can be understood any more. */
		link->buf.from = link->buf.to;
		return 1;
	}
	if (!c->emit.take && !c->emit.text_len && !c->emit.words) {
		if (link->s.sock)
			return pxs_client_read_link(c, link);
		err = pxs_client_fail(c, pxs_request_lost(c->relay->proto));
		if (err)
			return err;
	}
	if (c->emit.done) {
		link->outstanding--;
		link->since = jiffies;
		pxs_link_count(c, link, PXS_STEER_STAT_REPLIES, 1);
	}
	return 1;
}

/* Return: 1 something was done, 0 nothing can be, or the client is given up. */
static int pxs_client_replies(struct pxs_client *c)
{
	const struct pxs_outstanding *e;
	int steps = PXS_RELAY_STEPS, ret, done = 0;

	while (steps--) {
		e = pxs_order_head(&c->order);
		if (!e)
			break;
		ret = pxs_client_room(c);
		if (ret)
			return ret == -EAGAIN ? done : ret;
		ret = pxs_client_reply(c, e);
		if (ret <= 0)
			return ret ?: done;
		done = 1;
	}
	ret = pxs_client_flush(c);
	return ret && ret != -EAGAIN ? ret : done;
}

/* --- its life -------------------------------------------------------------- */

/* From here on the relay owns it. The last thing that its work does with it. */
static void pxs_client_leave(struct pxs_client *c)
{
	struct pxs_relay *relay = c->relay;

	pxs_links_close(c);
	pxs_relay_sock_close(&c->s, true);
	WRITE_ONCE(c->stop, true);
	spin_lock(&relay->lock);
	list_move(&c->list, &relay->ended);
	relay->n--;
	/* Under the lock: whoever closes the relay frees us, and then it, only behind it. */
	queue_work(pxs_relay_wq, &relay->work);
	spin_unlock(&relay->lock);
}

/* All is answered: our end of the connection, then wait for his. */
static void pxs_client_close(struct pxs_client *c)
{
	pxs_links_close(c);
	kernel_sock_shutdown(c->s.sock, SHUT_WR);
	c->closing = true;
	c->since = jiffies;
}

/*
 * Has the client closed, too? What he still sends is thrown away. As long as he has not confirmed
 * our end he is getting what we sent before it: that may take what time it takes.
 */
static bool pxs_client_closed(struct pxs_client *c)
{
	int steps = PXS_RELAY_STEPS, ret;

	c->watch = true;
	do {
		c->buf.from = c->buf.to;
		ret = pxs_relay_recv(&c->s, &c->buf);
	} while (ret > 0 && --steps);
	switch (inet_sk_state_load(c->s.sock->sk)) {
	case TCP_CLOSE:
		return true;
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		c->since = jiffies;
		return false;
	default:
		return time_after(jiffies, c->since + PXS_RELAY_LINGER);
	}
}

static bool pxs_client_answered(const struct pxs_client *c)
{
	return c->ending && !pxs_order_len(&c->order) && c->out.at == c->out.n &&
	       list_empty(&c->flush);
}

/* Now and then: give up memory and connections that are not needed. */
static void pxs_client_rest(struct pxs_client *c)
{
	if (c->buf.p || c->order.ring || !list_empty(&c->links))
		c->watch = true;
	/* Pieces of it may lie in what would be given up. */
	if (c->out.at != c->out.n || !time_after(jiffies, c->swept + HZ))
		return;
	c->swept = jiffies;
	pxs_links_sweep(c);
	if (list_empty(&c->flush))
		pxs_relay_buf_release(&c->buf);
	if (pxs_order_len(&c->order))
		return;
	kvfree(c->order.ring);
	c->order.ring = NULL;
}

/* Return: 1 there is more to do, 0 not now, or the client is given up. */
static int pxs_client_run(struct pxs_client *c)
{
	int rounds = PXS_RELAY_ROUNDS, replies, requests;

	do {
		if (READ_ONCE(c->stop))
			return 0;
		/* Who went without a word may not be read from any more. */
		if (inet_sk_state_load(c->s.sock->sk) == TCP_CLOSE)
			return -EPIPE;
		pxs_links_end_drained(c);
		replies = pxs_client_replies(c);
		if (replies < 0)
			return replies;
		requests = pxs_client_requests(c);
		if (requests < 0)
			return requests;
	} while ((replies || requests) && --rounds);
	return replies || requests;
}

static void pxs_client_work(struct work_struct *work)
{
	struct pxs_client *c = container_of(work, struct pxs_client, work);
	int ret = 0;

	if (READ_ONCE(c->stop))
		return;
	WRITE_ONCE(c->watch, false);
	if (!c->closing) {
		ret = pxs_client_run(c);
		if (ret > 0) {
			queue_work(pxs_relay_wq, &c->work);
			return;
		}
		if (!ret && pxs_client_answered(c))
			pxs_client_close(c);
	}
	if (ret < 0 || (c->closing && pxs_client_closed(c))) {
		pxs_client_leave(c);
		return;
	}
	pxs_client_rest(c);
}

int pxs_client_new(struct pxs_relay *relay, struct socket *sock)
{
	struct pxs_client *c;

	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->relay = relay;
	c->cutter.proto = relay->proto;
	INIT_WORK(&c->work, pxs_client_work);
	xa_init(&c->by_index);
	INIT_LIST_HEAD(&c->links);
	INIT_LIST_HEAD(&c->flush);
	c->swept = jiffies;
	spin_lock(&relay->lock);
	list_add_tail(&c->list, &relay->clients);
	relay->n++;
	spin_unlock(&relay->lock);
	pxs_relay_sock_tune(sock->sk, false);
	pxs_relay_sock_hook(&c->s, sock, &c->work);
	/* What came before had nobody to tell. */
	queue_work(pxs_relay_wq, &c->work);
	return 0;
}

void pxs_client_free(struct pxs_client *c)
{
	pxs_links_close(c);
	pxs_relay_sock_close(&c->s, true);
	/* Callbacks may have queued it once more. */
	cancel_work_sync(&c->work);
	xa_destroy(&c->by_index);
	kfree(c->buf.p);
	kvfree(c->order.ring);
	kfree(c);
}
