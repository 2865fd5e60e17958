// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - init and exit ladder of the module
 *
 * The netlink family is registered last and unregistered first: nobody can
 * configure what is not there yet or any more. Loading does nothing else: hooks
 * and sockets come with the first object that needs them.
 */
#include "pxs.h"

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>

#include "group.h"
#include "kfunc.h"
#include "netlink.h"
#include "pernet.h"
#include "relay.h"
#include "way.h"

static int __init pxs_init(void)
{
	int err;

	err = pxs_groups_init();
	if (err)
		return err;
	err = pxs_relays_init();
	if (err)
		goto err_groups;
	err = pxs_pernet_init();
	if (err)
		goto err_relays;
	err = pxs_ways_init();
	if (err)
		goto err_pernet;
	err = pxs_kfuncs_init();
	if (err)
		goto err_ways;
	err = pxs_netlink_init();
	if (err)
		goto err_ways;
	return 0;

err_ways:
	pxs_ways_exit();
err_pernet:
	pxs_pernet_exit();
err_relays:
	pxs_relays_exit();
err_groups:
	pxs_groups_exit();
	return err;
}

static void __exit pxs_exit(void)
{
	pxs_netlink_exit();
	pxs_ways_exit();
	pxs_pernet_exit();
	pxs_relays_exit();
	pxs_groups_exit();
	/* Objects freed by call_rcu() run our functions: let them finish. */
	rcu_barrier();
}

module_init(pxs_init);
module_exit(pxs_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Steering by consistent hashing and agreement by Paxos");
MODULE_AUTHOR("The paxsteer authors");
MODULE_VERSION(PXS_VERSION);
MODULE_ALIAS_GENL_FAMILY(PXS_GENL_NAME);
