// SPDX-License-Identifier: GPL-2.0
/*
 * way.c - the route to a backend, kept for the packets to come
 *
 * One a backend, replaced by xchg() by whoever finds it out of date, and given up a grace period
 * later: packets use it without a reference. Not the kernel's dst_cache: IPv6's route to a
 * neighbour of our choice holds its entry of the routing table, which holds the device, and a
 * cache on a CPU that sends nothing would hold that for ever, though the device is to go. Here
 * they go when a device of the namespace does: in the notifier, under RTNL, which finds the
 * backends in plans under RCU, not by pxs_net.config. By then the routes over the device are
 * gone (ours is called after the routing's own), so no packet brings one back. When the module
 * goes there is no notifier while there still are packets: then no way is kept.
 */
#include "pxs.h"

#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/dst.h>
#include <net/ip6_fib.h>

#include "backend.h"
#include "deliver_dsr.h"
#include "deliver_tunnel.h"
#include "pernet.h"
#include "plan.h"
#include "service.h"
#include "way.h"

/* Read by packets: no way is kept any more. */
static bool pxs_ways_over;

void pxs_way_free(struct pxs_way *way)
{
	if (!way)
		return;
	dst_release(way->dst);
	kfree(way);
}

static void pxs_way_free_rcu(struct rcu_head *rcu)
{
	pxs_way_free(container_of(rcu, struct pxs_way, rcu));
}

static void pxs_way_replace(struct pxs_backend *be, struct pxs_way *way)
{
	struct pxs_way *old;

	old = unrcu_pointer(xchg(&be->way, RCU_INITIALIZER(way)));
	if (old)
		call_rcu(&old->rcu, pxs_way_free_rcu);
}

static const struct pxs_way *pxs_way_find(struct net *net, struct pxs_backend *be)
{
	struct pxs_way *way;

	if (READ_ONCE(pxs_ways_over))
		return NULL;
	way = kzalloc(sizeof(*way), GFP_ATOMIC | __GFP_NOWARN);
	if (!way)
		return NULL;
	if (pxs_service_tunnels(be->svc))
		way->dst = pxs_tunnel_route(net, be, &way->from);
	else
		way->dst = pxs_dsr_route(net, be);
	if (!way->dst) {
		kfree(way);
		return NULL;
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (be->at.family == AF_INET6)
		way->cookie = rt6_get_cookie((struct rt6_info *)way->dst);
#endif
	pxs_way_replace(be, way);
	return way;
}

const struct pxs_way *pxs_way(struct net *net, struct pxs_backend *be)
{
	const struct pxs_way *way = rcu_dereference(be->way);

	if (way && dst_check(way->dst, way->cookie))
		return way;
	return pxs_way_find(net, be);
}

static void pxs_ways_drop_service(const struct pxs_service *svc)
{
	const struct pxs_plan *plan = rcu_dereference(svc->plan);
	struct pxs_backend *be;
	u32 i;

	for (i = 0; plan && i < plan->nbackends; i++) {
		be = READ_ONCE(plan->backends[i]);
		if (be)
			pxs_way_replace(be, NULL);
	}
}

static void pxs_ways_drop(struct pxs_net *pn)
{
	struct pxs_service *svc;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < ARRAY_SIZE(pn->services.by_at); i++)
		hlist_for_each_entry_rcu(svc, &pn->services.by_at[i], node)
			if (pxs_service_forwards(svc))
				pxs_ways_drop_service(svc);
	rcu_read_unlock();
}

static int pxs_ways_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct pxs_net *pn = pxs_net(dev_net(netdev_notifier_info_to_dev(ptr)));

	if ((event == NETDEV_DOWN || event == NETDEV_UNREGISTER) &&
	    READ_ONCE(pn->services.forwarding))
		pxs_ways_drop(pn);
	return NOTIFY_DONE;
}

static struct notifier_block pxs_ways_notifier = { .notifier_call = pxs_ways_event };

int pxs_ways_init(void)
{
	return register_netdevice_notifier(&pxs_ways_notifier);
}

/*
 * A namespace that goes may wait for a device that a way in another one holds, and the rest of
 * our exit waits for that namespace. So drop all (unregistering says of every device that it
 * goes), and let packets find none.
 */
void pxs_ways_exit(void)
{
	WRITE_ONCE(pxs_ways_over, true);
	synchronize_net();
	unregister_netdevice_notifier(&pxs_ways_notifier);
}
