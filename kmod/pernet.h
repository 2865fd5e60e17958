/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pernet.h - what the module keeps for one network namespace
 */
#ifndef PXS_PERNET_H
#define PXS_PERNET_H

#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "core/agreed.h"
#include "due.h"
#include "service.h"
#include "stats.h"
#include "steer.h"

struct pxs_groups;

struct pxs_net {
	struct net *net;		/* not counted: pxs_net dies with it */
	struct mutex config;		/* guards every change below; packet paths don't take it */
	struct pxs_services services;
	struct nf_hook_ops hooks[PXS_HOOKS];	/* steer.c's; constant from init */
	struct pxs_agreed agreed;	/* under config */
	struct pxs_due ramps;		/* ramp.c's */
	struct pxs_due drains;		/* drain.c's */
	struct delayed_work load_work;	/* load.c's */
	struct delayed_work passive_work;	/* passive.c's */
	struct delayed_work given_work;	/* given.c's */
	u32 nat_core_users[2];		/* TCP nat services: IPv4, IPv6 */
	struct pxs_groups *groups;	/* owned by group.c, from net_init to net_exit */
	struct pxs_net_stats __percpu *stats;
};

extern unsigned int pxs_net_id;

static inline struct pxs_net *pxs_net(const struct net *net)
{
	return net_generic(net, pxs_net_id);
}

int pxs_pernet_init(void);
void pxs_pernet_exit(void);

#endif /* PXS_PERNET_H */
