// SPDX-License-Identifier: GPL-2.0
/*
 * pernet.c - a namespace comes, a namespace goes
 *
 * Owns struct pxs_net. pre_exit stops what brings packets in (hooks, sockets); the
 * kernel then waits for an RCU grace period; exit frees what nobody can see any
 * more. Removing the module takes the same way for every namespace at once.
 */
#include "pxs.h"

#include "drain.h"
#include "given.h"
#include "group.h"
#include "load.h"
#include "passive.h"
#include "pernet.h"
#include "ramp.h"

unsigned int pxs_net_id __read_mostly;

static int __net_init pxs_net_init(struct net *net)
{
	struct pxs_net *pn = pxs_net(net);
	int err;

	pn->net = net;
	mutex_init(&pn->config);
	pxs_steer_net_init(pn);
	pxs_ramps_net_init(pn);
	pxs_drains_net_init(pn);
	pxs_loads_net_init(pn);
	pxs_passives_net_init(pn);
	pn->stats = alloc_percpu(struct pxs_net_stats);
	if (!pn->stats)
		return -ENOMEM;
	err = pxs_services_net_init(pn);
	if (err)
		goto err_stats;
	err = pxs_given_net_init(pn);
	if (err)
		goto err_services;
	err = pxs_groups_net_init(pn);
	if (err)
		goto err_sockets;
	return 0;

err_sockets:
	pxs_given_net_exit(pn);
err_services:
	pxs_services_net_exit(pn);
err_stats:
	free_percpu(pn->stats);
	return err;
}

static void __net_exit pxs_net_pre_exit(struct net *net)
{
	struct pxs_net *pn = pxs_net(net);

	pxs_groups_net_pre_exit(pn);
	pxs_services_net_pre_exit(pn);
	pxs_ramps_net_pre_exit(pn);
	pxs_drains_net_pre_exit(pn);
	pxs_loads_net_pre_exit(pn);
	pxs_passives_net_pre_exit(pn);
}

static void __net_exit pxs_net_exit(struct net *net)
{
	struct pxs_net *pn = pxs_net(net);

	pxs_groups_net_exit(pn);
	pxs_given_net_exit(pn);
	pxs_services_net_exit(pn);
	free_percpu(pn->stats);
	mutex_destroy(&pn->config);
}

static struct pernet_operations pxs_net_ops = {
	.init = pxs_net_init,
	.pre_exit = pxs_net_pre_exit,
	.exit = pxs_net_exit,
	.id = &pxs_net_id,
	.size = sizeof(struct pxs_net),
};

int __init pxs_pernet_init(void)
{
	return register_pernet_subsys(&pxs_net_ops);
}

void pxs_pernet_exit(void)
{
	unregister_pernet_subsys(&pxs_net_ops);
}
