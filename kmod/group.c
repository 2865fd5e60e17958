// SPDX-License-Identifier: GPL-2.0
/*
 * group.c - Paxos groups of a namespace
 *
 * Owns struct pxs_kgroup: its memory, its place in by_id, its timer, its steps. The
 * core decides under kg->lock; everything that leaves is sent after it was dropped.
 *
 *   by_id     changed under pxs_net.config, read under RCU
 *   keys      the same: replaced whole, and the old ones are wiped a grace period later. Receiving
 *             and sending are RCU readers anyway and take no lock for them; each looks once a
 *             datagram, so that no datagram is signed half with one and half with another
 *   lifetime  the namespace holds a reference, process context may take one; softirq
 *             only looks under RCU, so the last put is always in process context
 *   steps     softirq (datagram, timer) and process context with bottom halves off;
 *             one at a time on a CPU, therefore one scratch a CPU
 */
#include "pxs.h"

#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "compat/bottom_halves.h"
#include "group.h"
#include "netlink.h"
#include "pernet.h"

/* Made with the first group of the machine: an unused module takes no memory. */
static DEFINE_PER_CPU(struct pxs_scratch *, pxs_scratches);
static DEFINE_MUTEX(pxs_scratch_mutex);

static int pxs_scratch_prepare(void)
{
	int cpu, err = 0;

	mutex_lock(&pxs_scratch_mutex);
	for_each_possible_cpu(cpu) {
		struct pxs_scratch **s = per_cpu_ptr(&pxs_scratches, cpu);

		if (*s)
			continue;
		*s = kvmalloc_node(sizeof(**s), GFP_KERNEL, cpu_to_node(cpu));
		if (!*s) {
			err = -ENOMEM;
			break;
		}
		pxs_out_init(&(*s)->out);
	}
	mutex_unlock(&pxs_scratch_mutex);
	return err;
}

struct pxs_scratch *pxs_scratch(void)
{
	return __this_cpu_read(pxs_scratches);
}

u64 pxs_now_ms(void)
{
	return div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);
}

/* --- steps ----------------------------------------------------------------- */

struct pxs_out *pxs_kgroup_enter(struct pxs_kgroup *kg)
{
	struct pxs_out *out;

	local_bh_disable();
	rcu_read_lock();
	spin_lock(&kg->lock);
	if (kg->gone) {
		spin_unlock(&kg->lock);
		rcu_read_unlock();
		local_bh_enable();
		return NULL;
	}
	out = &pxs_scratch()->out;
	pxs_out_init(out);
	/* For sparse, which does not follow a lock that is held only when this is not NULL. */
	__release(&kg->lock);
	__release(RCU);
	return out;
}

void pxs_kgroup_leave(struct pxs_kgroup *kg, struct pxs_out *out, const struct pxs_datagram *rx)
{
	struct pxs_journal *j = &kg->home->journal;

	__acquire(RCU);
	__acquire(&kg->lock);
	pxs_event_note(kg, out);
	if (out->what & PXS_OUT_SOON)
		timer_reduce(&kg->timer, jiffies + max(msecs_to_jiffies(PXS_SOON_MS), 1UL));
	spin_unlock(&kg->lock);
	pxs_transport_send(kg, out);
	if (rx && out->what & PXS_OUT_FORWARD)
		pxs_event_recv(kg, rx);
	pxs_out_done(out);
	/* Records first: the agent must have seen those that a DECIDED depends on. */
	pxs_journal_flush(j, kg);
	pxs_event_tell(kg);
	if (pxs_event_left(&kg->tell) || pxs_journal_left(j))
		pxs_journal_later(j);
	rcu_read_unlock();
	local_bh_enable();
}

void pxs_groups_tell(struct pxs_groups *gs)
{
	struct pxs_kgroup *kg;
	unsigned long id;

	rcu_read_lock();
	pxs_journal_flush(&gs->journal, NULL);
	xa_for_each(&gs->by_id, id, kg)
		pxs_event_tell_late(kg);
	rcu_read_unlock();
}

static void pxs_kgroup_tick(struct timer_list *t)
{
	struct pxs_kgroup *kg = timer_container_of(kg, t, timer);
	const struct pxs_group_conf *conf = &kg->core.conf;
	u64 now = pxs_now_ms();
	bool healthy = pxs_journal_healthy(&kg->home->journal, now, conf->heartbeat_ms);
	struct pxs_out *out = pxs_kgroup_enter(kg);

	if (!out)
		return;
	pxs_group_tick(&kg->core, now, healthy, out);
	pxs_kgroup_leave(kg, out, NULL);
	/* Not later than a step may have asked for meanwhile. */
	timer_reduce(&kg->timer, jiffies + max(msecs_to_jiffies(conf->heartbeat_ms / 2), 1UL));
}

static void pxs_kgroup_release(struct pxs_kgroup *kg)
{
	struct pxs_out *out;
	bool more;

	do {
		out = pxs_kgroup_enter(kg);
		if (!out)
			return;
		pxs_group_release(&kg->core, pxs_now_ms(), out);
		more = out->what & PXS_OUT_MORE;
		pxs_kgroup_leave(kg, out, NULL);
		cond_resched();
	} while (more);
}

void pxs_groups_release(struct pxs_groups *gs)
{
	struct pxs_kgroup *kg;
	unsigned long id = 0;

	while ((kg = pxs_kgroup_next(gs, &id))) {
		pxs_kgroup_release(kg);
		pxs_kgroup_put(kg);
		id++;
	}
}

/* --- life ------------------------------------------------------------------ */

static void pxs_kgroup_free(struct pxs_kgroup *kg)
{
	u32 i;

	kfree_sensitive(rcu_dereference_protected(kg->keys, true));	/* nobody looks any more */
	pxs_group_exit(&kg->core);
	for (i = 0; i < PXS_MEMBERS_MAX; i++)
		dst_cache_destroy(&kg->peer[i].route);
	free_percpu(kg->stats);
	kvfree(kg->parked);
	kvfree(kg->slots);
	kfree(kg);
}

void pxs_kgroup_put(struct pxs_kgroup *kg)
{
	if (refcount_dec_and_test(&kg->refs))
		pxs_kgroup_free(kg);
}

struct pxs_kgroup *pxs_kgroup_find(struct pxs_groups *gs, u32 id)
{
	struct pxs_kgroup *kg;

	rcu_read_lock();
	kg = xa_load(&gs->by_id, id);
	if (kg && !refcount_inc_not_zero(&kg->refs))
		kg = NULL;
	rcu_read_unlock();
	return kg;
}

struct pxs_kgroup *pxs_kgroup_next(struct pxs_groups *gs, unsigned long *id)
{
	struct pxs_kgroup *kg;

	rcu_read_lock();
	for (;;) {
		kg = xa_find(&gs->by_id, id, ULONG_MAX, XA_PRESENT);
		if (!kg || refcount_inc_not_zero(&kg->refs))
			break;
		++*id;
	}
	rcu_read_unlock();
	return kg;
}

static struct pxs_kkeys *pxs_kkeys_new(const struct pxs_keys *keys)
{
	struct pxs_kkeys *kk = kmalloc(sizeof(*kk), GFP_KERNEL);

	if (kk) {
		kk->keys = *keys;
		pxs_keys_begin(&kk->keys);
	}
	return kk;
}

static void pxs_kkeys_wipe(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct pxs_kkeys, rcu));
}

static int pxs_kgroup_alloc_parts(struct pxs_kgroup *kg, const struct pxs_group_spec *spec)
{
	struct pxs_kkeys *keys = pxs_kkeys_new(&spec->keys);
	u32 window = spec->conf.window;
	u32 i;
	int err;

	RCU_INIT_POINTER(kg->keys, keys);
	kg->slots = kvcalloc(window, sizeof(*kg->slots), GFP_KERNEL);
	kg->parked = kvcalloc(2 * (size_t)window, sizeof(*kg->parked), GFP_KERNEL);
	kg->stats = alloc_percpu(struct pxs_group_stats);
	if (!keys || !kg->slots || !kg->parked || !kg->stats)
		return -ENOMEM;
	for (i = 0; i < spec->conf.nmembers; i++) {
		kg->peer[i].addr = spec->addr[i];
		err = dst_cache_init(&kg->peer[i].route, GFP_KERNEL);
		if (err)
			return err;
	}
	return 0;
}

static struct pxs_kgroup *pxs_kgroup_new(struct pxs_groups *gs, const struct pxs_group_spec *spec)
{
	struct pxs_kgroup *kg = kzalloc(sizeof(*kg), GFP_KERNEL);
	int err;

	if (!kg)
		return ERR_PTR(-ENOMEM);
	err = pxs_kgroup_alloc_parts(kg, spec);
	if (err) {
		pxs_kgroup_free(kg);
		return ERR_PTR(err);
	}
	spin_lock_init(&kg->lock);
	kg->home = gs;
	refcount_set(&kg->refs, 1);
	atomic_set(&kg->tell.want, 0);
	/* Peers remember the highest counter: it must rise over a restart, too. */
	atomic64_set(&kg->counter, ktime_get_real_ns());
	timer_setup(&kg->timer, pxs_kgroup_tick, 0);
	pxs_group_init(&kg->core, &spec->conf, &gs->journal.stage, kg->slots, kg->parked);
	return kg;
}

static int pxs_kgroup_publish(struct pxs_kgroup *kg, struct pxs_socket *socket)
{
	struct pxs_groups *gs = kg->home;
	int err;

	RCU_INIT_POINTER(kg->socket, socket);
	err = xa_err(xa_store(&gs->by_id, kg->core.conf.id, kg, GFP_KERNEL));
	if (err)
		return err;
	gs->count++;
	gs->generation++;
	mod_timer(&kg->timer, jiffies + 1);
	return 0;
}

struct pxs_kgroup *pxs_kgroup_add(struct pxs_groups *gs, const struct pxs_group_spec *spec,
				  struct netlink_ext_ack *extack)
{
	struct pxs_socket *socket;
	struct pxs_kgroup *kg;
	int err;

	if (xa_load(&gs->by_id, spec->conf.id)) {
		NL_SET_ERR_MSG(extack, "a group with this id exists");
		return ERR_PTR(-EEXIST);
	}
	if (gs->count >= PXS_GROUPS_MAX) {
		NL_SET_ERR_MSG(extack, "too many groups: at most 1024 a namespace");
		return ERR_PTR(-E2BIG);
	}
	err = pxs_scratch_prepare() ?: pxs_journal_prepare(&gs->journal);
	if (err)
		return ERR_PTR(err);
	kg = pxs_kgroup_new(gs, spec);
	if (IS_ERR(kg))
		return kg;
	socket = pxs_socket_get(gs, &spec->addr[spec->conf.self], extack);
	if (IS_ERR(socket)) {
		err = PTR_ERR(socket);
		goto err_group;
	}
	err = pxs_kgroup_publish(kg, socket);
	if (err)
		goto err_socket;
	return kg;

err_socket:
	pxs_socket_put(socket);
err_group:
	pxs_kgroup_free(kg);
	return ERR_PTR(err);
}

int pxs_kgroup_set_keys(struct pxs_kgroup *kg, const struct pxs_keys *keys,
			struct netlink_ext_ack *extack)
{
	struct pxs_kkeys *old, *new;
	const char *wrong;

	old = rcu_dereference_protected(kg->keys, lockdep_is_held(&kg->home->pn->config));
	wrong = pxs_keys_check_change(&old->keys, keys);
	if (wrong)
		return pxs_nl_refuse(extack, NULL, -EINVAL, wrong);
	new = pxs_kkeys_new(keys);
	if (!new)
		return -ENOMEM;
	rcu_assign_pointer(kg->keys, new);
	/* Not waited for: an agent with a thousand groups changes all of them in one go. */
	call_rcu(&old->rcu, pxs_kkeys_wipe);
	return 0;
}

/* No step begins and no timer runs after this; datagrams find no socket of its own. */
static struct pxs_socket *pxs_kgroup_stop(struct pxs_kgroup *kg)
{
	struct pxs_socket *socket = rcu_dereference_protected(kg->socket, true);

	spin_lock_bh(&kg->lock);
	kg->gone = true;
	spin_unlock_bh(&kg->lock);
	RCU_INIT_POINTER(kg->socket, NULL);
	timer_shutdown_sync(&kg->timer);
	return socket;
}

void pxs_kgroup_del(struct pxs_kgroup *kg)
{
	struct pxs_groups *gs = kg->home;
	struct pxs_socket *socket;

	xa_erase(&gs->by_id, kg->core.conf.id);
	gs->count--;
	gs->generation++;
	socket = pxs_kgroup_stop(kg);
	/* Steps that began before still send on the socket, and look at the group. */
	synchronize_rcu();
	pxs_socket_put(socket);
	pxs_event_gone(kg);
	pxs_kgroup_put(kg);
}

/* --- looking --------------------------------------------------------------- */

static u8 pxs_role(const struct pxs_group *g)
{
	if (g->lead_ballot)
		return PXS_ROLE_LEADER;
	return g->prepare_ballot ? PXS_ROLE_CANDIDATE : PXS_ROLE_FOLLOWER;
}

static u8 pxs_leader_id(const struct pxs_group *g)
{
	if (g->lead_ballot)
		return pxs_ballot_member(g->lead_ballot);
	return g->leader_told ? pxs_ballot_member(g->leader_ballot) : 0;
}

void pxs_kgroup_view(struct pxs_kgroup *kg, struct pxs_group_view *view)
{
	const struct pxs_group *g = &kg->core;
	int cpu, i;

	spin_lock_bh(&kg->lock);
	view->state = g->state;
	view->role = pxs_role(g);
	view->leader = pxs_leader_id(g);
	view->ballot = g->lead_ballot ?: g->prepare_ballot;
	view->promised = g->promised;
	view->commit = g->commit;
	view->next_slot = g->lead_ballot ? g->next_slot : 0;
	view->known = max(g->commit, g->known_commit);
	view->trim = g->trim;
	view->trimmed = pxs_group_needs_checkpoint(g) ? g->trimmed : 0;
	view->held = g->held;
	memcpy(view->has, g->has, sizeof(view->has));
	view->has[g->conf.self] = g->commit;
	view->reason = g->fence_reason;
	memcpy(view->stat, g->stat, sizeof(view->stat));
	spin_unlock_bh(&kg->lock);
	for_each_possible_cpu(cpu)
		for (i = 1; i < __PXS_GROUP_STAT_MAX; i++)
			view->stat[i] += READ_ONCE(per_cpu_ptr(kg->stats, cpu)->n[i]);
}

void pxs_groups_gauges(struct pxs_net *pn, u64 *stats)
{
	pxs_journal_gauges(&pn->groups->journal, stats);
}

/* --- namespaces and module ------------------------------------------------- */

int pxs_groups_net_init(struct pxs_net *pn)
{
	struct pxs_groups *gs = kzalloc(sizeof(*gs), GFP_KERNEL);

	if (!gs)
		return -ENOMEM;
	gs->pn = pn;
	xa_init(&gs->by_id);
	INIT_LIST_HEAD(&gs->sockets);
	pxs_journal_init(&gs->journal, gs);
	pn->groups = gs;
	return 0;
}

void pxs_groups_net_pre_exit(struct pxs_net *pn)
{
	struct pxs_groups *gs = pn->groups;
	struct pxs_socket *s, *next;
	struct pxs_kgroup *kg;
	unsigned long id;

	pxs_journal_detach(&gs->journal);
	if (!gs->count)
		return;
	xa_for_each(&gs->by_id, id, kg)
		pxs_kgroup_stop(kg);
	/* One grace period for all groups, before the sockets that they send on are closed. */
	synchronize_rcu();
	list_for_each_entry_safe(s, next, &gs->sockets, list) {
		s->users = 1;
		pxs_socket_put(s);
	}
}

void pxs_groups_net_exit(struct pxs_net *pn)
{
	struct pxs_groups *gs = pn->groups;
	struct pxs_kgroup *kg;
	unsigned long id;

	pxs_journal_stop(&gs->journal);
	xa_for_each(&gs->by_id, id, kg)
		pxs_kgroup_put(kg);
	xa_destroy(&gs->by_id);
	pxs_journal_exit(&gs->journal);
	kfree(gs);
	pn->groups = NULL;
}

int pxs_groups_init(void)
{
	return pxs_journals_init();
}

void pxs_groups_exit(void)
{
	int cpu;

	pxs_journals_exit();
	for_each_possible_cpu(cpu)
		kvfree(per_cpu(pxs_scratches, cpu));
}
