/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tcp_lookup.h - TCP's socket lookups; the hash table ceased to be an argument in 6.18
 *
 * A kernel without SYN cookies has no function that says whether a listener made some.
 */
#ifndef PXS_COMPAT_TCP_LOOKUP_H
#define PXS_COMPAT_TCP_LOOKUP_H

#include <linux/version.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>
#include <net/tcp.h>

#ifndef CONFIG_SYN_COOKIES
#define tcp_synq_no_recent_overflow(sk)	((void)(sk), true)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define pxs_tcp_lookup(lookup, net, ...) \
	lookup(net, (net)->ipv4.tcp_death_row.hashinfo, __VA_ARGS__)
#else
#define pxs_tcp_lookup(lookup, net, ...)	lookup(net, __VA_ARGS__)
#endif

static inline struct sock *pxs_tcp4_established(struct net *net, __be32 saddr, __be16 sport,
						__be32 daddr, u16 hnum, int dif)
{
	return pxs_tcp_lookup(__inet_lookup_established, net, saddr, sport, daddr, hnum,
			      dif, 0);
}

static inline struct sock *pxs_tcp4_listener(struct net *net, struct sk_buff *skb, int doff,
					     __be32 saddr, __be16 sport, __be32 daddr, u16 hnum,
					     int dif)
{
	return pxs_tcp_lookup(__inet_lookup_listener, net, skb, doff, saddr, sport, daddr,
			      hnum, dif, 0);
}

#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *pxs_tcp6_established(struct net *net, const struct in6_addr *saddr,
						__be16 sport, const struct in6_addr *daddr,
						u16 hnum, int dif)
{
	return pxs_tcp_lookup(__inet6_lookup_established, net, saddr, sport, daddr, hnum,
			      dif, 0);
}

static inline struct sock *pxs_tcp6_listener(struct net *net, struct sk_buff *skb, int doff,
					     const struct in6_addr *saddr, __be16 sport,
					     const struct in6_addr *daddr, u16 hnum, int dif)
{
	return pxs_tcp_lookup(inet6_lookup_listener, net, skb, doff, saddr, sport, daddr,
			      hnum, dif, 0);
}
#endif

#endif
