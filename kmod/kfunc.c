// SPDX-License-Identifier: GPL-2.0
/*
 * kfunc.c - lookups for XDP and tc programs
 *
 * The verifier saw to it that pointers are good for as many bytes as are given with them
 * (arguments that end in __sz). RCU guards service, plan and backends as it does for the hooks; a
 * driver may run XDP with no more than softirqs off, so a lookup opens its own read section. A
 * program may run until its device is gone, which is after
 * the services of the namespace (pxs_services_net_pre_exit) and before the namespace's
 * memory. It holds a reference to the module.
 */
#include "pxs.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/build_bug.h>
#include <linux/filter.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/xdp.h>

#include "backend.h"
#include "core/load.h"
#include "kfunc.h"
#include "pernet.h"
#include "service.h"

#ifdef BTF_KFUNCS_START

static_assert(sizeof(struct paxsteer_lookup) == 80);

static bool pxs_kfunc_endpoint(const struct paxsteer_lookup *l, struct pxs_endpoint *at)
{
	memset(at, 0, sizeof(*at));
	if ((l->family != AF_INET && l->family != AF_INET6) || l->flags & ~PAXSTEER_LOOKUP_OLD ||
	    l->reserved)
		return false;
	at->family = l->family;
	at->proto = l->proto;
	at->port = l->port;
	memcpy(&at->addr, l->addr, pxs_endpoint_addrlen(at));
	return true;
}

static int pxs_kfunc_hash(const struct pxs_plan *plan, const struct pxs_endpoint *at,
			  const struct paxsteer_lookup *l, const void *key, u32 len, u64 *hash)
{
	struct pxs_flow_tuple tuple = {
		.family = at->family == AF_INET ? PXS_FAMILY_V4 : PXS_FAMILY_V6,
		.proto = at->proto,
		.sport = ntohs(l->sport),
		.dport = ntohs(at->port),
	};

	if (!plan->peek != !len)
		return -ENOKEY;
	if (len > PXS_LOOKUP_KEY_MAX)
		return -EINVAL;
	if (len)
		return pxs_key_hash_given(&plan->key, &plan->seed, key, len, hash) ? -EINVAL : 0;
	memcpy(tuple.saddr, l->saddr, pxs_endpoint_addrlen(at));
	memcpy(tuple.daddr, &at->addr, sizeof(tuple.daddr));
	pxs_key_hash(&plan->key, &plan->seed, &tuple, NULL, 0, hash);
	return 0;
}

/* The plan may be the one before by now: who has just been removed is NULL there. */
static int pxs_kfunc_answer(const struct pxs_plan *plan, struct paxsteer_lookup *l)
{
	const struct pxs_backend *be;
	struct pxs_pick pick;

	if (l->flags & PAXSTEER_LOOKUP_OLD)
		pick = pxs_table_pick(plan->table, plan->live, l->hash);
	else
		pick = pxs_load_pick(plan->table, plan->live, plan->full, l->hash);
	if (pick.choice == PXS_CHOICE_NONE)
		return -EHOSTUNREACH;
	be = READ_ONCE(plan->backends[pick.backend]);
	if (!be)
		return -EHOSTUNREACH;
	l->choice = pick.choice;
	l->backend = pick.backend;
	l->backend_port = be->at.port;
	memcpy(l->backend_addr, &be->at.addr, sizeof(l->backend_addr));
	l->generation = plan->table->generation;
	return 0;
}

/* Under RCU. */
static int pxs_kfunc_find(const struct net *net, const struct pxs_endpoint *at,
			  struct paxsteer_lookup *l, const void *key, u32 len)
{
	const struct pxs_service *svc = pxs_service_lookup(pxs_net(net), at);
	const struct pxs_plan *plan;
	int err;

	if (!svc)
		return -ENOENT;
	plan = rcu_dereference(svc->plan);
	if (!plan || !plan->table)
		return -ENODATA;
	err = pxs_kfunc_hash(plan, at, l, key, len, &l->hash);
	return err ?: pxs_kfunc_answer(plan, l);
}

static int pxs_kfunc_lookup(const struct net *net, struct paxsteer_lookup *l, u32 size,
			    const void *key, u32 len)
{
	struct pxs_endpoint at;
	int err;

	if (size < sizeof(*l) || !pxs_kfunc_endpoint(l, &at))
		return -EINVAL;
	rcu_read_lock();
	err = pxs_kfunc_find(net, &at, l, key, len);
	rcu_read_unlock();
	return err;
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_xdp_paxsteer_lookup(struct xdp_md *ctx, struct paxsteer_lookup *lookup,
					u32 lookup__sz, const void *key, u32 key__sz)
{
	const struct xdp_buff *xdp = (const struct xdp_buff *)ctx;

	return pxs_kfunc_lookup(dev_net(xdp->rxq->dev), lookup, lookup__sz, key, key__sz);
}

__bpf_kfunc int bpf_skb_paxsteer_lookup(struct __sk_buff *ctx, struct paxsteer_lookup *lookup,
					u32 lookup__sz, const void *key, u32 key__sz)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx;

	return pxs_kfunc_lookup(skb->dev ? dev_net(skb->dev) : sock_net(skb->sk), lookup,
				lookup__sz, key, key__sz);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(pxs_xdp_kfuncs)
BTF_ID_FLAGS(func, bpf_xdp_paxsteer_lookup)
BTF_KFUNCS_END(pxs_xdp_kfuncs)

BTF_KFUNCS_START(pxs_skb_kfuncs)
BTF_ID_FLAGS(func, bpf_skb_paxsteer_lookup)
BTF_KFUNCS_END(pxs_skb_kfuncs)

static const struct btf_kfunc_id_set pxs_xdp_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &pxs_xdp_kfuncs,
};

static const struct btf_kfunc_id_set pxs_skb_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &pxs_skb_kfuncs,
};

/* The kernel forgets them with the module's BTF: there is nothing to undo. */
int pxs_kfuncs_init(void)
{
	int err = register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &pxs_xdp_kfunc_set);

	return err ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &pxs_skb_kfunc_set);
}

#else /* before 6.9 */

int pxs_kfuncs_init(void)
{
	return 0;
}

#endif
