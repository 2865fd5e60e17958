// SPDX-License-Identifier: GPL-2.0
/*
 * stats.c - adding up what the CPUs counted
 */
#include "pxs.h"

#include <net/netlink.h>

#include "stats.h"

void pxs_steer_stats_sum(const struct pxs_steer_stats __percpu *stats, u64 *sum)
{
	int cpu, i;

	memset(sum, 0, __PXS_STEER_STAT_MAX * sizeof(*sum));
	for_each_possible_cpu(cpu)
		for (i = 1; i < __PXS_STEER_STAT_MAX; i++)
			sum[i] += READ_ONCE(per_cpu_ptr(stats, cpu)->n[i]);
}

u64 pxs_steer_stat_sum(const struct pxs_steer_stats __percpu *stats, int stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->n[stat]);
	return sum;
}

void pxs_net_stats_sum(const struct pxs_net_stats __percpu *stats, u64 *sum)
{
	int cpu, i;

	memset(sum, 0, __PXS_NET_STAT_MAX * sizeof(*sum));
	for_each_possible_cpu(cpu)
		for (i = 1; i < __PXS_NET_STAT_MAX; i++)
			sum[i] += READ_ONCE(per_cpu_ptr(stats, cpu)->n[i]);
}

int pxs_stats_put(struct sk_buff *skb, int attrtype, const u64 *sum, int max, int pad)
{
	struct nlattr *nest;
	int i;

	nest = nla_nest_start(skb, attrtype);
	if (!nest)
		return -EMSGSIZE;
	for (i = 1; i <= max; i++) {
		if (i == pad)
			continue;
		if (nla_put_u64_64bit(skb, i, sum[i], pad)) {
			nla_nest_cancel(skb, nest);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(skb, nest);
	return 0;
}
