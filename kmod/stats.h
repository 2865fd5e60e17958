/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats.h - per-CPU counters
 *
 * Adding is one instruction on the own CPU, in any context, without a lock. A sum is
 * not a snapshot: counters that were added to meanwhile may be in it or not.
 */
#ifndef PXS_STATS_H
#define PXS_STATS_H

#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/paxsteer.h>

/* Counters of a service or a backend, indexed by enum pxs_steer_stat. */
struct pxs_steer_stats {
	u64 n[__PXS_STEER_STAT_MAX];
};

/* Counters of a namespace, indexed by enum pxs_net_stat. */
struct pxs_net_stats {
	u64 n[__PXS_NET_STAT_MAX];
};

/* Add to counter i of a per-CPU array as above. */
#define pxs_stat_add(stats, i, v)	this_cpu_add((stats)->n[i], v)
#define pxs_stat_inc(stats, i)		this_cpu_inc((stats)->n[i])

void pxs_steer_stats_sum(const struct pxs_steer_stats __percpu *stats, u64 *sum);

/* One of them, enum pxs_steer_stat: one cache line of each CPU is read, not all it counts in. */
u64 pxs_steer_stat_sum(const struct pxs_steer_stats __percpu *stats, int stat);

void pxs_net_stats_sum(const struct pxs_net_stats __percpu *stats, u64 *sum);

/*
 * Put sum[1..max] as u64 attributes 1..max into a nest of type attrtype; attribute
 * pad pads. Return: 0, or -EMSGSIZE with the nest taken back.
 */
int pxs_stats_put(struct sk_buff *skb, int attrtype, const u64 *sum, int max, int pad);

#endif /* PXS_STATS_H */
