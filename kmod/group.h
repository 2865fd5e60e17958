/* SPDX-License-Identifier: GPL-2.0 */
/*
 * group.h - Paxos groups of a namespace
 *
 * The shell around core/group.h. An input is a step: pxs_kgroup_enter(), one call of
 * the core, pxs_kgroup_leave(). Deciding, staging the record and parking the answer
 * happen in between, under the group's lock, as one; sending and telling the agent
 * happen in leave(), after the lock is dropped.
 *
 * Who may look:  pxs_kgroup_find() takes a reference, from process context.
 *                The receive path finds a group under RCU and keeps none.
 * Lock order:    pxs_net.config > pxs_kgroup.lock > pxs_stage.lock
 */
#ifndef PXS_GROUP_H
#define PXS_GROUP_H

#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/xarray.h>

#include "core/auth.h"
#include "core/group.h"
#include "event.h"
#include "journal.h"
#include "transport.h"

struct netlink_ext_ack;
struct pxs_net;

/* What GROUP_ADD asks for. addr[] goes with conf.member[]. */
struct pxs_group_spec {
	struct pxs_group_conf conf;
	struct pxs_udp_addr addr[PXS_MEMBERS_MAX];
	struct pxs_keys keys;
};

/* Counted without the group's lock: what is dropped before it is taken, and what is sent. */
struct pxs_group_stats {
	u64 n[__PXS_GROUP_STAT_MAX];
};

/* Never changed once published; wiped a grace period after others took their place. */
struct pxs_kkeys {
	struct pxs_keys keys;
	struct rcu_head rcu;
};

struct pxs_kgroup {
	spinlock_t lock;		/* guards core (core.conf is const), tell and gone */
	struct pxs_group core;
	struct pxs_tell tell;
	bool gone;			/* deleted: no step begins any more */

	struct pxs_groups *home;
	struct pxs_socket __rcu *socket; /* NULL once deleted; changed under pxs_net.config */
	struct pxs_peer peer[PXS_MEMBERS_MAX];
	struct pxs_kkeys __rcu *keys;	/* changed under pxs_net.config; never NULL */
	atomic64_t counter;		/* of datagrams sent; see pxs_wire_hdr.counter */
	struct timer_list timer;
	refcount_t refs;		/* the namespace's, and one for each pxs_kgroup_find() */
	struct pxs_group_stats __percpu *stats;
	struct pxs_slot *slots;
	struct pxs_parked *parked;
};

/* The groups of a namespace. */
struct pxs_groups {
	struct pxs_net *pn;
	struct xarray by_id;		/* of pxs_kgroup; pxs_net.config, read under RCU */
	struct list_head sockets;	/* of pxs_socket; pxs_net.config */
	struct pxs_journal journal;
	u32 count;			/* pxs_net.config */
	u32 generation;			/* counts changes of by_id; pxs_net.config */
};

/* What GROUP_GET shows beyond the configuration, of one moment. */
struct pxs_group_view {
	u8 state;
	u8 role;
	u8 leader;
	u64 ballot;
	u64 promised;
	u64 commit;
	u64 next_slot;
	u64 known;			/* highest commit index heard of */
	u64 trim;
	u64 trimmed;		/* 0: it lacks nothing that is gone */
	u64 held;
	u64 has[PXS_MEMBERS_MAX];	/* commit index of each member, as heard */
	const char *reason;
	u64 stat[__PXS_GROUP_STAT_MAX];
};

/* Once a module. */
int pxs_groups_init(void);
void pxs_groups_exit(void);

/* Once a namespace: init allocates pn->groups, pre_exit stops receiving, exit frees. */
int pxs_groups_net_init(struct pxs_net *pn);
void pxs_groups_net_pre_exit(struct pxs_net *pn);
void pxs_groups_net_exit(struct pxs_net *pn);

/* Fill in the gauges (durable and last LSN) among stats[__PXS_NET_STAT_MAX]. */
void pxs_groups_gauges(struct pxs_net *pn, u64 *stats);

/*
 * Add an inactive group. Under pn->config. Return: the group, or an error and why:
 * -EEXIST, -E2BIG, -ENOMEM, -EADDRNOTAVAIL, -EADDRINUSE, -EAFNOSUPPORT, -EINVAL.
 */
struct pxs_kgroup *pxs_kgroup_add(struct pxs_groups *gs, const struct pxs_group_spec *spec,
				  struct netlink_ext_ack *extack);

/* Take it out: no step, no datagram, no timer after this. Under pn->config. Sleeps. */
void pxs_kgroup_del(struct pxs_kgroup *kg);

/*
 * Sign with and accept @keys from now on, and nothing else. Under pn->config. Return: 0, or -EINVAL
 * or -ENOMEM, and why.
 */
int pxs_kgroup_set_keys(struct pxs_kgroup *kg, const struct pxs_keys *keys,
			struct netlink_ext_ack *extack);

/* Group @id with a reference, or NULL. Process context. */
struct pxs_kgroup *pxs_kgroup_find(struct pxs_groups *gs, u32 id);

/* The first group with an id >= *id, with a reference, or NULL; *id becomes its id. */
struct pxs_kgroup *pxs_kgroup_next(struct pxs_groups *gs, unsigned long *id);
void pxs_kgroup_put(struct pxs_kgroup *kg);

/* Milliseconds on the clock that the core is given: it goes on while the machine sleeps. */
u64 pxs_now_ms(void);

/* Memory of a CPU for the length of one step. */
struct pxs_scratch {
	struct pxs_out out;
	u8 body[PXS_WIRE_BODY_MAX];	/* of a datagram that came in pieces */
};

/* With bottom halves off, once there is a group. */
struct pxs_scratch *pxs_scratch(void);

/*
 * Begin a step: bottom halves off, RCU read side, the group's lock.
 * Return: where the core puts its decision, or NULL (and nothing held) when the group is gone.
 */
struct pxs_out *pxs_kgroup_enter(struct pxs_kgroup *kg);

/* End it: do what @out says. @rx: the datagram that was received, or NULL. */
void pxs_kgroup_leave(struct pxs_kgroup *kg, struct pxs_out *out, const struct pxs_datagram *rx);

/* Send and tell what was left for later. Softirq. */
void pxs_groups_tell(struct pxs_groups *gs);

/* The durable point moved: let all parked answers of the namespace go. Process context. */
void pxs_groups_release(struct pxs_groups *gs);

void pxs_kgroup_view(struct pxs_kgroup *kg, struct pxs_group_view *view);

#define pxs_kgroup_count(kg, i)	this_cpu_inc((kg)->stats->n[i])

#endif /* PXS_GROUP_H */
