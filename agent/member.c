// SPDX-License-Identifier: GPL-2.0
/*
 * member.c - changes of a group's members, at this member
 */
#include "member.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "client_proto.h"
#include "node.h"
#include "report.h"

#define ASK_AGAIN_MS	100

void pxs_members_init(struct pxs_replica *r)
{
	memset(&r->members, 0, sizeof(r->members));
	r->members.joins = pxs_group_learns(&r->config->conf);
	r->members.listens = r->config->address[r->config->conf.self];
}

bool pxs_member_parse(const struct pxs_member_config *c, struct pxs_membership *m)
{
	return c->epoch && !pxs_membership_parse(c->value, c->len, m);
}

static const struct pxs_member *self_of(const struct pxs_replica *r)
{
	const struct pxs_group_conf *conf = &r->config->conf;

	return &conf->member[conf->self];
}

int pxs_member_index(const struct pxs_replica *r, const struct pxs_membership *m)
{
	const struct pxs_member *self = self_of(r);
	int i = pxs_membership_find(m, self->id);

	return i >= 0 && be64_to_cpu(m->member[i].incarnation) == self->incarnation ? i : -1;
}

/* --- what the log says ------------------------------------------------------------ */

bool pxs_member_moves(const struct pxs_replica *r)
{
	return r->members.next.epoch;
}

static void end_change(struct pxs_replica *r, u32 error)
{
	struct pxs_member_change c = r->members.change;

	r->members.change.done = NULL;
	if (c.done)
		c.done(c.ctx, error, c.config.epoch);
}

void pxs_member_abandon(struct pxs_replica *r, u32 error)
{
	end_change(r, r->members.change.config.slot ? PXS_CLIENT_UNKNOWN : error);
}

/* Is @c what was asked for here, where that was proposed? NULL: it is no change at all. */
static bool is_ours(const struct pxs_members *ms, const struct pxs_member_config *c)
{
	const struct pxs_member_config *own = &ms->change.config;

	return c && c->slot == own->slot && c->len == own->len &&
	       !memcmp(c->value, own->value, c->len);
}

/* What is gone over to is not what was asked for here, unless it is the same. */
static void judge_change(struct pxs_replica *r)
{
	if (!is_ours(&r->members, &r->members.next))
		pxs_member_abandon(r, PXS_CLIENT_NOT_LEADER);
}

/* @m, of @slot, does not have this member: was that before its time, or is it removed? */
static bool before_us(const struct pxs_replica *r, const struct pxs_membership *m, u64 slot)
{
	const struct pxs_members *ms = &r->members;
	bool came = ms->counted || (ms->named && ms->named < slot);

	return ms->joins && !came && pxs_member_index(r, m) < 0;
}

bool pxs_member_applied(struct pxs_replica *r, u64 slot, u64 lsn, u64 ballot)
{
	struct pxs_members *ms = &r->members;
	const struct pxs_member_config *a = &ms->accepted;
	bool is = a->epoch && a->slot == slot && a->lsn == lsn;
	struct pxs_membership m;

	/*
	 * Something else was chosen; but of a change that the next one came behind, which is kept
	 * in its place, nobody knows here what it was.
	 */
	if (ms->change.done && ms->change.config.slot == slot && !is_ours(ms, is ? a : NULL))
		end_change(r, a->epoch > ms->change.config.epoch ? PXS_CLIENT_UNKNOWN :
								   PXS_CLIENT_NOT_LEADER);
	if (!is || !pxs_member_parse(a, &m) || m.epoch <= r->config->conf.epoch)
		return false;
	if (before_us(r, &m, slot))
		return false;
	ms->next = *a;
	judge_change(r);
	ms->asked_ms = 0;
	ms->led = pxs_ballot_member(ballot) == self_of(r)->id;
	return true;
}

/* --- what a peer says ---------------------------------------------------------------- */

const struct pxs_member_config *pxs_member_newest(const struct pxs_replica *r)
{
	const struct pxs_members *ms = &r->members;

	return ms->next.epoch > ms->now.epoch ? &ms->next : &ms->now;
}

bool pxs_member_hear(struct pxs_replica *r, u64 slot, const u8 *value, u32 len)
{
	struct pxs_members *ms = &r->members;
	struct pxs_membership m;

	if (!len)
		return true;
	if (!slot || slot > PXS_SLOT_MAX || pxs_membership_parse(value, len, &m))
		return false;
	if (m.epoch <= r->config->conf.epoch)
		return true;
	/* Who comes and is not in it yet goes on as its file says: it neither votes nor leads. */
	if (before_us(r, &m, slot))
		return true;
	if (r->gone || !r->started || pxs_member_moves(r))
		return false;
	ms->next = (struct pxs_member_config){ .epoch = m.epoch, .slot = slot, .len = len };
	memcpy(ms->next.value, value, len);
	judge_change(r);
	ms->asked_ms = 0;
	ms->led = false;
	return false;
}

/* --- going over --------------------------------------------------------------------- */

static void set_address(struct pxs_address *to, const struct pxs_wire_member *w)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to->storage;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to->storage;

	memset(to, 0, sizeof(*to));
	if (w->family == 6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = w->port;
		memcpy(&v6->sin6_addr, w->addr, sizeof(v6->sin6_addr));
		to->len = sizeof(*v6);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = w->port;
		memcpy(&v4->sin_addr, w->addr, sizeof(v4->sin_addr));
		to->len = sizeof(*v4);
	}
}

/* The configuration in force becomes @m. False: we are not in it. */
static bool adopt(struct pxs_replica *r, const struct pxs_membership *m)
{
	struct pxs_group_config *g = r->config;
	int self = pxs_member_index(r, m);
	u8 i;

	if (self < 0)
		return false;
	g->conf.epoch = m->epoch;
	g->conf.nmembers = m->nmembers;
	g->conf.learners = m->learners;
	g->conf.phase1 = m->phase1;
	g->conf.phase2 = m->phase2;
	g->conf.self = (u8)self;
	memset(g->conf.member, 0, sizeof(g->conf.member));
	for (i = 0; i < m->nmembers; i++) {
		g->conf.member[i].id = m->member[i].id;
		g->conf.member[i].incarnation = be64_to_cpu(m->member[i].incarnation);
		set_address(&g->address[i], &m->member[i]);
	}
	pxs_store_where_follow(g, m);
	pxs_elect_conf(&r->elect, &g->conf);
	return true;
}

static void is_removed(struct pxs_replica *r, u64 epoch)
{
	r->members.removed = epoch;
	pxs_notice("group %u: this member was %s, epoch %" PRIu64 ": it does nothing there any more",
		   r->id, PXS_REMOVED, epoch);
	pxs_replica_stop(r);
}

void pxs_member_adopt(struct pxs_replica *r)
{
	u64 left = pxs_floor_left(&r->node->journal.floor, r->id);
	struct pxs_membership m;
	u64 file = r->config->conf.epoch;

	/* Whatever the file says: what this member promised is not all there any more (S3). */
	if (left) {
		is_removed(r, left);
		return;
	}
	if (!pxs_member_parse(&r->members.now, &m))
		return;
	/* Not before the file's: pxs_members_recovered(). */
	if (!adopt(r, &m))
		is_removed(r, m.epoch);
	else if (m.epoch > file)
		pxs_notice("group %u: the members are those of epoch %" PRIu64 ", as the journal says; %s has those of epoch %" PRIu64,
			   r->id, m.epoch, r->node->config.file, file);
}

/* The record that says so has arrived: the datapath's group has no more to do. */
static bool leave(struct pxs_replica *r)
{
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_members *ms = &r->members;
	struct pxs_membership m;
	int err;

	if (!pxs_member_parse(&ms->next, &m) || pxs_member_index(r, &m) < 0) {
		/* It stays in the datapath, and says why it does nothing. */
		end_change(r, 0);
		is_removed(r, ms->next.epoch);
		ms->next.epoch = 0;
		return true;
	}
	err = dp->ops->group_del(dp, r->id);
	if (err && err != -ENOENT)
		return false;
	r->started = false;
	pxs_elect_stop(&r->elect);
	pxs_index_reads_abandon(r, PXS_CLIENT_NOT_LEADER);
	pxs_transfer_abandon(r);
	ms->away = true;
	r->restore_lsn = ms->now.lsn;
	return true;
}

static bool move(struct pxs_replica *r)
{
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_members *ms = &r->members;
	u64 now = r->node->loop.now;
	int err;

	if (ms->now.epoch >= ms->next.epoch)
		return leave(r);
	if (ms->asked_ms && now - ms->asked_ms < ASK_AGAIN_MS)
		return false;
	ms->asked_ms = now ? now : 1;
	err = dp->ops->move(dp, r->id, ms->next.slot, ms->next.value, ms->next.len);
	/* Of what a peer said it was not heard yet how far the group is. */
	if (err == -EINVAL && ms->next.slot > r->applied)
		return false;
	/* It did so already, and the answer or the record is late; or it has no room yet. */
	if (err && err != -EAGAIN && err != -ESHUTDOWN && err != -ETIMEDOUT)
		pxs_err("group %u: going over to epoch %" PRIu64 ": %s", r->id, ms->next.epoch,
			strerror(-err));
	return !err;
}

int pxs_member_enter(struct pxs_replica *r)
{
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_members *ms = &r->members;
	struct pxs_membership m;
	bool newer = pxs_member_parse(&ms->now, &m) && m.epoch > r->config->conf.epoch;
	int err;

	if (!newer && !ms->away)
		return 0;
	if (newer && !ms->away) {
		err = dp->ops->group_del(dp, r->id);
		if (err && err != -ENOENT)
			return err;
	}
	ms->away = true;
	if (newer && !adopt(r, &m)) {
		is_removed(r, m.epoch);
		return -ENOENT;
	}
	err = pxs_member_add(r);
	ms->away = err;
	return err;
}

void pxs_member_entered(struct pxs_replica *r)
{
	struct pxs_members *ms = &r->members;

	if (!ms->next.epoch)
		return;
	ms->next.epoch = 0;
	pxs_notice("group %u: epoch %" PRIu64 ": %u members, %u of them vote", r->id,
		   r->config->conf.epoch, r->config->conf.nmembers,
		   pxs_group_voters(&r->config->conf));
	if (ms->led)
		pxs_elect_hurry(&r->elect, r->node->loop.now);
	ms->led = false;
	end_change(r, 0);
}

/* --- asked for ------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3)))
static u32 refuse(char *words, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, PXS_MEMBER_WORDS, fmt, ap);
	va_end(ap);
	return PXS_CLIENT_MEMBERS_KEPT;
}

/* Those in force, as of the next epoch. */
static void begin(const struct pxs_replica *r, struct pxs_membership *m)
{
	const struct pxs_group_config *g = r->config;
	u8 i;

	memset(m, 0, sizeof(*m));
	m->epoch = g->conf.epoch + 1;
	m->nmembers = g->conf.nmembers;
	m->learners = g->conf.learners;
	m->phase1 = g->conf.phase1;
	m->phase2 = g->conf.phase2;
	for (i = 0; i < m->nmembers; i++) {
		struct pxs_wire_member *w = &m->member[i];

		w->id = g->conf.member[i].id;
		w->incarnation = cpu_to_be64(g->conf.member[i].incarnation);
		w->family = pxs_address_ip_len(&g->address[i]) == 4 ? 4 : 6;
		w->port = pxs_address_port(&g->address[i]);
		w->store_port = pxs_store_where_port(g, i);
		memcpy(w->addr, pxs_address_ip(&g->address[i]),
		       (size_t)pxs_address_ip_len(&g->address[i]));
	}
}

/* Voters first: what changes its role changes its place with who is at the edge. */
static void swap(struct pxs_membership *m, int a, int b)
{
	struct pxs_wire_member w = m->member[a];

	m->member[a] = m->member[b];
	m->member[b] = w;
}

static void drop(struct pxs_membership *m, int i)
{
	m->learners -= i >= m->nmembers - m->learners;
	m->nmembers--;
	memmove(&m->member[i], &m->member[i + 1],
		(size_t)(m->nmembers - i) * sizeof(m->member[0]));
}

/* A new one, whose store nobody could ask for its eventual keys. Return: it is, said so. */
static bool is_mute(const struct pxs_replica *r, const struct pxs_wire_member *to, char *words)
{
	return r->config->eventual && !to->store_port &&
	       refuse(words, "the store has eventual keys, which members ask each other for: say where its store listens (store PORT)");
}

/* Where its store listens stays, unless it is said anew, or it is another member. */
static void set_member(struct pxs_wire_member *w, const struct pxs_wire_member *to)
{
	__be16 port = w->incarnation == to->incarnation ? w->store_port : 0;

	*w = *to;
	if (!w->store_port)
		w->store_port = port;
}

static u32 behind(struct pxs_replica *r, u8 id, char *words)
{
	struct pxs_group_status st = { 0 };
	int err = r->node->dp->ops->status(r->node->dp, r->id, &st);
	u64 has = pxs_group_status_has(&st, id);

	if (!err && has + PXS_MEMBER_BEHIND >= st.commit)
		return 0;
	return refuse(words, "it has slots up to %" PRIu64 " of %" PRIu64 ", and may lack %u: force, if that is meant",
		      has, st.commit, PXS_MEMBER_BEHIND);
}

/* The next configuration. Return: 0, or PXS_CLIENT_MEMBERS_KEPT, said why. */
static u32 plan(struct pxs_replica *r, enum pxs_member_op op, u8 id,
		const struct pxs_wire_member *to, bool force, struct pxs_membership *m, char *words)
{
	bool promote, votes;
	int i, voters;

	begin(r, m);
	i = pxs_membership_find(m, id);
	voters = m->nmembers - m->learners;
	if (i >= 0 && pxs_member_shared(r, op, &m->member[i], words))
		return PXS_CLIENT_MEMBERS_KEPT;
	if (op == PXS_MEMBER_ADD) {
		if (i >= 0)
			return refuse(words, "member %u is there", id);
		if (m->nmembers == PXS_MEMBERS_MAX)
			return refuse(words, "a group has %u members at most", PXS_MEMBERS_MAX);
		if (is_mute(r, to, words))
			return PXS_CLIENT_MEMBERS_KEPT;
		m->member[m->nmembers] = *to;
		m->member[m->nmembers++].id = id;
		m->learners++;
		return 0;
	}
	if (i < 0)
		return refuse(words, "no member %u in the group", id);
	if (op == PXS_MEMBER_PROMOTE || op == PXS_MEMBER_DEMOTE) {
		promote = op == PXS_MEMBER_PROMOTE;
		votes = i < voters;
		if (promote == votes)
			return refuse(words, "member %u %s", id,
				      votes ? "votes" : "is a learner");
		if (promote && !force && behind(r, id, words))
			return PXS_CLIENT_MEMBERS_KEPT;
		swap(m, i, promote ? voters : voters - 1);
		m->learners = promote ? m->learners - 1 : m->learners + 1;
	} else if (op == PXS_MEMBER_REMOVE) {
		drop(m, i);
	} else {
		if (m->member[i].incarnation != to->incarnation && is_mute(r, to, words))
			return PXS_CLIENT_MEMBERS_KEPT;
		set_member(&m->member[i], to);
		m->member[i].id = id;
	}
	return 0;
}

const char *pxs_member_kept(const struct pxs_group_config *g)
{
	if (g->conf.memory)
		return "the members of a group with durability memory do not change: one that goes over forgets what it did not write down";
	return NULL;
}

static u32 may_change(const struct pxs_replica *r, char *words)
{
	const char *kept = pxs_member_kept(r->config);

	snprintf(words, PXS_MEMBER_WORDS, "the group does not work on this node (see status)");
	if (r->gone || r->node->journal.failed)
		return PXS_CLIENT_FENCED;
	if (kept)
		return refuse(words, "%s", kept);
	snprintf(words, PXS_MEMBER_WORDS, "this member does not lead");
	if (!r->started || r->elect.role != PXS_ROLE_LEADER)
		return PXS_CLIENT_NOT_LEADER;
	snprintf(words, PXS_MEMBER_WORDS, "another change is under way, or this member has not led for long enough");
	return r->members.change.done || pxs_member_moves(r) || !pxs_elect_ready(&r->elect) ?
		       PXS_CLIENT_BUSY : 0;
}

/* @m is to be proposed, if it may follow what is in force. */
static u32 want(struct pxs_replica *r, const struct pxs_membership *m, char *words,
		void (*done)(void *ctx, u32 error, u64 epoch), void *ctx)
{
	struct pxs_member_change *c = &r->members.change;
	struct pxs_membership again;
	const char *wrong;

	memset(c, 0, sizeof(*c));
	c->config.epoch = m->epoch;
	c->config.len = pxs_membership_put(c->config.value, m);
	wrong = pxs_membership_parse(c->config.value, c->config.len, &again);
	if (!wrong)
		wrong = pxs_membership_check(&r->config->conf, m);
	if (wrong)
		return refuse(words, "%s", wrong);
	c->done = done;
	c->ctx = ctx;
	c->deadline = r->node->loop.now + PXS_MEMBER_PATIENCE_MS;
	return 0;
}

u32 pxs_member_change(struct pxs_replica *r, enum pxs_member_op op, u8 id,
		      const struct pxs_wire_member *to, bool force, char *words,
		      void (*done)(void *ctx, u32 error, u64 epoch), void *ctx)
{
	u32 error = may_change(r, words);
	struct pxs_membership m;

	if (!error)
		error = plan(r, op, id, to, force, &m, words);
	return error ? error : want(r, &m, words, done, ctx);
}

u32 pxs_member_quorum(struct pxs_replica *r, u8 phase1, u8 phase2, char *words,
		      void (*done)(void *ctx, u32 error, u64 epoch), void *ctx)
{
	u32 error = may_change(r, words);
	struct pxs_membership m;

	if (error)
		return error;
	begin(r, &m);
	/* Majorities go with the number of voters, and need not be told anybody. */
	if (pxs_quorum_is_plain(m.nmembers - m.learners, phase1, phase2)) {
		phase1 = 0;
		phase2 = 0;
	}
	if (phase1 == m.phase1 && phase2 == m.phase2)
		return refuse(words, "the sizes of quorums are these");
	m.phase1 = phase1;
	m.phase2 = phase2;
	return want(r, &m, words, done, ctx);
}

bool pxs_member_waits(const struct pxs_replica *r)
{
	return r->members.change.done && !r->members.change.config.slot;
}

static bool propose(struct pxs_replica *r)
{
	struct pxs_member_change *c = &r->members.change;
	struct pxs_datapath *dp = r->node->dp;
	u64 slot = 0;
	int err;

	if (r->elect.role != PXS_ROLE_LEADER) {
		end_change(r, PXS_CLIENT_NOT_LEADER);
		return true;
	}
	if (!pxs_elect_ready(&r->elect))
		return false;
	err = dp->ops->configure(dp, r->id, c->config.value, c->config.len, &slot);
	if (err == -EAGAIN)
		return false;	/* something is in flight */
	if (!err)
		c->config.slot = slot;
	else if (err == -ENOTCONN || err == -ENOENT || err == -ESHUTDOWN)
		end_change(r, PXS_CLIENT_NOT_LEADER);
	else
		end_change(r, PXS_CLIENT_UNKNOWN);
	return true;
}

bool pxs_member_step(struct pxs_replica *r)
{
	if (pxs_member_moves(r))
		return move(r);
	return pxs_member_waits(r) && propose(r);
}

void pxs_member_tick(struct pxs_replica *r, u64 now)
{
	const struct pxs_member_change *c = &r->members.change;

	pxs_member_left_tick(r, now);
	if (c->done && now >= c->deadline)
		end_change(r, c->config.slot ? PXS_CLIENT_UNKNOWN : PXS_CLIENT_BUSY);
}
