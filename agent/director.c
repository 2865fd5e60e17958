// SPDX-License-Identifier: GPL-2.0
/*
 * director.c - steering tables that a group agrees on, made in this host's module
 *
 * In the loop's thread. A change is one request to the kernel and one question about where it
 * stands then: milliseconds for the largest table, so the loop waits for them. Whether a change
 * happened is known by the module's slot alone, never by an error's number.
 */
#include "director.h"

#include <inttypes.h>

#include "change.h"
#include "node.h"
#include "report.h"

#define RETRY_MS	1000u
#define LOOK_MS		1000u	/* so often: is it the module that we know? */
#define BATCH_MAX	64u	/* changes executed before others have their turn */

#define from(ptr, member) \
	((struct pxs_director *)((char *)(ptr) - offsetof(struct pxs_director, member)))

/* --- the module -------------------------------------------------------------- */

struct standing {
	bool valid;
	u32 group;
	bool held;
	u64 slot;
	u64 digest;
};

static void take_standing(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *tb[PXS_A_AGREED_MAX + 1];
	struct standing *s = ctx;

	if (genlmsg_parse(nlh, 0, tb, PXS_A_AGREED_MAX, NULL) || !tb[PXS_A_AGREED_GROUP] ||
	    !tb[PXS_A_AGREED_HELD] || !tb[PXS_A_AGREED_SLOT] || !tb[PXS_A_AGREED_DIGEST])
		return;
	s->valid = true;
	s->group = nla_get_u32(tb[PXS_A_AGREED_GROUP]);
	s->held = nla_get_u8(tb[PXS_A_AGREED_HELD]);
	s->slot = nla_get_u64(tb[PXS_A_AGREED_SLOT]);
	s->digest = nla_get_u64(tb[PXS_A_AGREED_DIGEST]);
}

static int get_standing(struct pxs_director *d, struct standing *s)
{
	int err;

	memset(s, 0, sizeof(*s));
	err = pxs_link_call(&d->link, pxs_link_msg(&d->link, PXS_CMD_AGREED_GET), take_standing, s);
	if (!err && !s->valid)
		err = -EBADMSG;
	return err;
}

static int follow(struct pxs_director *d, bool held)
{
	struct nl_msg *msg = pxs_link_msg(&d->link, PXS_CMD_AGREED_SET);

	if (!msg)
		return -ENOMEM;
	if (nla_put_u32(msg, PXS_A_AGREED_GROUP, d->replica->id) |
	    nla_put_u8(msg, PXS_A_AGREED_HELD, held)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return pxs_link_call(&d->link, msg, NULL, NULL);
}

static void note_standing(struct pxs_director *d, const struct standing *s)
{
	u32 i;

	if (d->slot == s->slot && d->digest == s->digest)
		return;
	d->slot = s->slot;
	d->digest = s->digest;
	/* Slots have gaps: a place for each, in turn. */
	for (i = PXS_DIRECTOR_SEEN - 1; i; i--)
		d->seen[i] = d->seen[i - 1];
	d->seen[0].slot = s->slot;
	d->seen[0].digest = s->digest;
}

static void unsync(struct pxs_director *d, const char *what, int err)
{
	d->synced = false;
	d->retry = d->node->loop.now + RETRY_MS;
	if (!d->complained)
		pxs_notice("tables of group %u: %s: %s%s%s; trying again", d->replica->id, what,
			   strerror(-err), *d->link.words ? ": " : "", d->link.words);
	d->complained = true;
}

/* Find out where the module stands; one that stands nowhere begins, and holds what comes. */
static void sync_module(struct pxs_director *d)
{
	int family = pxs_link_resolve(PXS_GENL_NAME);
	struct standing s;
	int err;

	d->link.words[0] = 0;
	if (family < 0) {
		unsync(d, "the module", family);
		return;
	}
	d->link.family = family;
	err = get_standing(d, &s);
	if (!err && !s.group) {
		err = follow(d, true);
		s.held = true;
		d->heard = false;
	} else if (!err && s.group != d->replica->id) {
		err = -EBUSY;
	}
	if (err) {
		unsync(d, "the module", err);
		return;
	}
	d->synced = true;
	d->complained = false;
	d->held = s.held;
	d->applied = s.slot;
	memset(d->seen, 0, sizeof(d->seen));
	d->slot = 0;
	d->digest = 0;
	note_standing(d, &s);
}

/* --- executing ----------------------------------------------------------------- */

static void tell(struct pxs_director *d, u64 slot, int err, const char *words)
{
	struct pxs_director_wait **p = &d->waits, *w;

	while ((w = *p)) {
		if (w->slot != slot) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->done(w, true, slot, err, words);
		return;
	}
}

static struct nl_msg *request(struct pxs_director *d, const struct pxs_change *c, u64 slot)
{
	struct nl_msg *msg = nlmsg_alloc_size(c->len + 256);
	int agreed = c->cmd <= PXS_CMD_SERVICE_DEL ? PXS_A_SERVICE_AGREED : PXS_A_BACKEND_AGREED;
	void *at;

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, d->link.family, 0, NLM_F_REQUEST, c->cmd,
			 PXS_GENL_VERSION))
		goto err;
	at = c->len ? nlmsg_reserve(msg, c->len, NLMSG_ALIGNTO) : NULL;
	if (c->len && !at)
		goto err;
	if (at)
		memcpy(at, c->attrs, c->len);
	if (!nla_put_u64(msg, agreed, slot))
		return msg;
err:
	nlmsg_free(msg);
	return NULL;
}

/* Return: 0: done, whatever came of it; -errno: it has not happened. */
static int execute(struct pxs_director *d, const struct pxs_change *c, u64 slot)
{
	char words[sizeof(d->link.words)];
	struct standing s;
	int err, outcome;

	outcome = pxs_link_call(&d->link, request(d, c, slot), NULL, NULL);
	snprintf(words, sizeof(words), "%s", d->link.words);
	err = get_standing(d, &s);
	if (err)
		return err;
	if (s.group != d->replica->id)
		return -EBUSY;
	note_standing(d, &s);
	if (s.slot < slot && (outcome == -EINVAL || outcome == -ERANGE || outcome == -EMSGSIZE)) {
		/* Refused before it was understood: so it is everywhere, and always. */
		tell(d, slot, outcome, words);
		return 0;
	}
	if (s.slot < slot)
		return outcome ? outcome : -EBADMSG;
	tell(d, slot, outcome, words);
	return 0;
}

static void compare(struct pxs_director *d, const struct pxs_change *c)
{
	u32 i;

	d->checked = max(d->checked, c->slot);
	for (i = 0; i < PXS_DIRECTOR_SEEN; i++)
		if (d->seen[i].slot == c->slot)
			break;
	if (i == PXS_DIRECTOR_SEEN || d->seen[i].digest == c->digest)
		return;
	if (!d->diverged)
		pxs_err("tables of group %u: as of slot %" PRIu64 " this host and the leader have different outcomes: compare `paxsteer service show` on both",
			d->replica->id, c->slot);
	d->diverged = c->slot;
}

static void stop(struct pxs_director *d, u64 slot, const char *why)
{
	d->stopped = true;
	pxs_err("tables of group %u: slot %" PRIu64 ": %s; nothing is changed here any more",
		d->replica->id, slot, why);
}

/* Return: 0: done with it; -errno: try again. */
static int take_value(struct pxs_director *d, const struct pxs_fetched *v)
{
	struct pxs_change c;
	const char *why;
	int err;

	err = pxs_change_parse(v->data, v->len, &c, &why);
	if (err == -EBADMSG) {
		/* The same bytes, and so the same verdict, everywhere. */
		pxs_warn("tables of group %u: slot %" PRIu64 ": %s: passed over", d->replica->id,
			 v->slot, why);
		return 0;
	}
	if (err) {
		stop(d, v->slot, why);
		return err;
	}
	if (c.cmd == PXS_CMD_UNSPEC) {
		compare(d, &c);
		return 0;
	}
	err = execute(d, &c, v->slot);
	if (err)
		unsync(d, "a change", err);
	return err;
}

static bool take(void *ctx, const struct pxs_fetched *v)
{
	struct pxs_director *d = ctx;

	if (!d->synced || d->stopped)
		return false;
	if (v->faulty) {
		d->link.words[0] = 0;
		unsync(d, "this member's record of a change is damaged", -EIO);
		return false;
	}
	if (!v->noop && take_value(d, v))
		return false;
	d->applied = v->slot;
	return true;
}

static void fetched(void *ctx, int err)
{
	if (err)
		unsync(ctx, "the journal", err);
}

/* --- catching up ----------------------------------------------------------------- */

/* What was decided when a leader was heard first is what others steer by already. */
static void hear(struct pxs_director *d)
{
	struct pxs_datapath *dp = d->node->dp;
	struct pxs_replica *r = d->replica;
	struct pxs_group_status st;

	if (d->heard || !r->elect.leader)
		return;
	if (r->elect.role == PXS_ROLE_LEADER && !pxs_elect_ready(&r->elect))
		return;
	if (dp->ops->status(dp, r->id, &st))
		return;
	d->target = max(st.known, r->commit);
	d->heard = true;
}

static bool release(struct pxs_director *d)
{
	int err;

	hear(d);
	if (!d->held || !d->heard || d->applied < d->target)
		return false;
	err = follow(d, false);
	if (err) {
		unsync(d, "to begin", err);
		return false;
	}
	d->held = false;
	pxs_notice("tables of group %u: caught up with slot %" PRIu64 ", steering", d->replica->id,
		   d->target);
	return true;
}

/* --- checks ------------------------------------------------------------------------ */

struct check {
	struct pxs_director *director;
	struct pxs_proposal p;
};

static void check_done(struct pxs_proposal *p, u32 error, u64 slot)
{
	struct check *c = (struct check *)((char *)p - offsetof(struct check, p));

	(void)error;	/* the next tick tries again */
	(void)slot;
	c->director->checking = false;
	free(c);
}

static void propose_check(struct pxs_director *d)
{
	struct check *c;

	if (d->checking || d->slot <= d->checked)
		return;
	c = malloc(sizeof(*c) + PXS_CHANGE_CHECK_LEN);
	if (!c)
		return;
	c->director = d;
	c->p.done = check_done;
	c->p.len = PXS_CHANGE_CHECK_LEN;
	pxs_change_check(c->p.value, d->slot, d->digest);
	d->checking = true;
	if (!pxs_propose(d->replica, &c->p))
		return;
	d->checking = false;
	free(c);
}

/* --- who waits ------------------------------------------------------------------ */

void pxs_director_await(struct pxs_director *d, u64 slot, struct pxs_director_wait *w)
{
	/* Executed already, by an agent before this one: what it was told is not known. */
	if (slot <= d->applied) {
		w->done(w, false, slot, 0, "");
		return;
	}
	w->slot = slot;
	w->deadline = d->node->loop.now + PXS_DIRECTOR_PATIENCE_MS;
	w->next = d->waits;
	d->waits = w;
}

static void give_up_waiting(struct pxs_director *d, u64 now)
{
	struct pxs_director_wait **p = &d->waits, *w;

	while ((w = *p)) {
		if (w->deadline > now) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->done(w, false, w->slot, 0, "");
	}
}

/* --- going round --------------------------------------------------------------------- */

static bool director_hook(struct pxs_hook *hook)
{
	struct pxs_director *d = from(hook, hook);
	u64 before = d->applied;
	u64 last = d->replica->applied;

	if (d->stopped || d->fetch.busy)
		return false;
	if (!d->synced && d->node->loop.now >= d->retry)
		sync_module(d);
	if (!d->synced)
		return false;
	if (d->applied < last)
		pxs_fetch_run(&d->fetch, d->applied + 1, min(last, d->applied + BATCH_MAX));
	if (d->fetch.busy || !d->synced)
		return d->applied != before;
	return release(d) || d->applied != before;
}

/*
 * A module that was loaded anew has another family number, and no services. With the datapath
 * elsewhere nobody else notices, and nothing would be executed before somebody changes something.
 */
static void look_for_module(struct pxs_director *d, u64 now)
{
	struct standing s;
	int err;

	/* With the datapath in the module the agent ends with it; and asking takes time. */
	if (!d->synced || d->stopped || d->node->config.datapath != PXS_DATAPATH_USER ||
	    now < d->look)
		return;
	d->look = now + LOOK_MS;
	err = get_standing(d, &s);
	if (err)
		unsync(d, "the module", err);
}

/* Packets still come, and the tables are as good as they were: their end is the operator's. */
static void part(struct pxs_director *d)
{
	if (d->parted || !d->replica->members.removed)
		return;
	d->parted = true;
	pxs_warn("tables of group %u: this host is not one of its directors any more: it steers by what was decided up to slot %" PRIu64 ", until `paxsteer agreed leave` and the services are deleted",
		 d->replica->id, d->slot);
}

static void director_tick(struct pxs_ticker *t, u64 now)
{
	struct pxs_director *d = from(t, ticker);

	part(d);
	give_up_waiting(d, now);
	look_for_module(d, now);
	if (!d->synced || d->stopped || !pxs_elect_ready(&d->replica->elect))
		return;
	/* Who is ready to lead has found all that was ever decided, and decides it again. */
	if (d->slot > max(d->replica->commit, d->replica->elect.last))
		stop(d, d->slot, "the module has changes beyond this log: it is another log's; see `paxsteer agreed leave`");
	else
		propose_check(d);
}

static void on_event(void *ctx, struct nlmsghdr *nlh)
{
	(void)ctx;	/* answers that were given up */
	(void)nlh;
}

static int start(struct pxs_node *n, struct pxs_replica *r)
{
	struct pxs_director *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->node = n;
	d->replica = r;
	d->link.event = on_event;
	d->link.ctx = d;
	err = pxs_link_open(&d->link, &n->loop);
	if (err) {
		pxs_link_close(&d->link);
		free(d);
		return err;
	}
	pxs_fetch_init(&d->fetch, &n->journal, &r->slots);
	d->fetch.take = take;
	d->fetch.done = fetched;
	d->fetch.ctx = d;
	d->hook.run = director_hook;
	d->ticker.tick = director_tick;
	pxs_loop_add_hook(&n->loop, &d->hook);
	pxs_loop_add_ticker(&n->loop, &d->ticker);
	d->next = n->directors;
	n->directors = d;
	return 0;
}

int pxs_directors_start(struct pxs_node *n)
{
	int err = 0;
	u32 i;

	for (i = 0; i < n->nreplicas && !err; i++)
		if (n->replica[i].config->tables)
			err = start(n, &n->replica[i]);
	return err;
}

void pxs_directors_stop(struct pxs_node *n)
{
	struct pxs_director_wait *w;
	struct pxs_director *d;

	while ((d = n->directors)) {
		n->directors = d->next;
		while ((w = d->waits)) {
			d->waits = w->next;
			w->done(w, false, w->slot, 0, "");
		}
		pxs_fetch_exit(&d->fetch);
		pxs_link_close(&d->link);
		free(d);
	}
}

struct pxs_director *pxs_director_of(struct pxs_node *n, const struct pxs_replica *r)
{
	struct pxs_director *d;

	for (d = n->directors; d; d = d->next)
		if (d->replica == r)
			break;
	return d;
}
