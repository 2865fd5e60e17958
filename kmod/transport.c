// SPDX-License-Identifier: GPL-2.0
/*
 * transport.c - datagrams between members: sockets, tags, routes
 *
 * Receiving: softirq, below the socket layer (encap_rcv), under RCU. Nothing is kept in
 * the socket's queue, nothing is allocated, nobody is answered before the tag held. A
 * datagram in pieces (fragments, page frags of a driver) is copied whole into this CPU's
 * scratch first, so what was checked is what is used.
 * Sending: after a step, lock dropped, bottom halves off. Sockets are made and closed
 * under pxs_net.config; kg->socket is read under RCU.
 */
#include "pxs.h"

#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/netlink.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "core/auth.h"
#include "group.h"
#include "pernet.h"

/* Any non-zero type makes UDP call encap_rcv; the number itself is nobody's. */
#define PXS_ENCAP_TYPE	1

/* Headers that go in front: link, IP, UDP; rounded so that our header is aligned. */
#define PXS_HEADROOM	ALIGN(MAX_HEADER + sizeof(struct ipv6hdr) + sizeof(struct udphdr), 8)

bool pxs_udp_addr_equal(const struct pxs_udp_addr *a, const struct pxs_udp_addr *b)
{
	if (a->family != b->family || a->port != b->port)
		return false;
	return a->family == AF_INET ? a->v4 == b->v4 : ipv6_addr_equal(&a->v6, &b->v6);
}

/* --- receiving ------------------------------------------------------------- */

/* The body, contiguous. With bottom halves off; good until this CPU's next datagram. */
static const u8 *pxs_body(const struct sk_buff *skb, u32 offset, u32 len)
{
	struct pxs_scratch *scratch;

	if (offset + len <= skb_headlen(skb))
		return skb->data + offset;
	scratch = pxs_scratch();
	if (len > sizeof(scratch->body) || skb_copy_bits(skb, offset, scratch->body, len))
		return NULL;
	return scratch->body;
}

static int pxs_authenticate(struct pxs_kgroup *kg, const struct pxs_datagram *rx)
{
	int bad = pxs_group_admit(&kg->core, rx->msg);

	if (bad)
		return bad;
	return pxs_keys_verify(&rcu_dereference(kg->keys)->keys, rx->hdr, rx->body, rx->msg->len);
}

static void pxs_step_recv(struct pxs_kgroup *kg, const struct pxs_datagram *rx)
{
	struct pxs_out *out = pxs_kgroup_enter(kg);
	int bad;

	if (!out)
		return;
	bad = pxs_group_trust(&kg->core, rx->msg);
	if (bad)
		kg->core.stat[bad]++;
	else
		pxs_group_recv(&kg->core, rx->msg, rx->body, pxs_now_ms(), out);
	pxs_kgroup_leave(kg, out, rx);
}

static void pxs_receive(struct pxs_socket *s, const struct sk_buff *skb)
{
	u32 offset = skb_transport_offset(skb) + sizeof(struct udphdr);
	struct pxs_net *pn = s->home->pn;
	struct pxs_wire_hdr hdr;
	struct pxs_msg msg;
	struct pxs_datagram rx = { .hdr = &hdr, .msg = &msg };
	struct pxs_kgroup *kg;
	int bad;

	pxs_stat_inc(pn->stats, PXS_NET_STAT_RX_DATAGRAMS);
	if (skb->len < offset || skb_copy_bits(skb, offset, &hdr, sizeof(hdr))) {
		pxs_stat_inc(pn->stats, PXS_NET_STAT_BAD_LENGTH);
		return;
	}
	bad = pxs_wire_parse(&hdr, skb->len - offset, &msg);
	if (bad) {
		pxs_stat_inc(pn->stats, bad);
		return;
	}
	kg = xa_load(&s->home->by_id, msg.group);
	if (!kg || rcu_access_pointer(kg->socket) != s) {
		pxs_stat_inc(pn->stats, PXS_NET_STAT_NO_GROUP);
		return;
	}
	rx.body = pxs_body(skb, offset + sizeof(hdr), msg.len);
	bad = pxs_authenticate(kg, &rx);
	if (bad) {
		pxs_kgroup_count(kg, bad);
		return;
	}
	pxs_step_recv(kg, &rx);
}

/* Return: 0, always: the datagram is ours, whatever is in it. */
static int pxs_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct pxs_socket *s;

	local_bh_disable();
	rcu_read_lock();
	s = rcu_dereference_sk_user_data(sk);
	if (s)
		pxs_receive(s, skb);
	rcu_read_unlock();
	local_bh_enable();
	consume_skb(skb);
	return 0;
}

/* --- sockets --------------------------------------------------------------- */

static int pxs_socket_open(struct pxs_socket *s)
{
	struct udp_port_cfg cfg = {
		.family = s->local.family,
		.local_udp_port = s->local.port,
		.use_udp_checksums = 1,
		.use_udp6_tx_checksums = 1,
		.use_udp6_rx_checksums = 1,
		.ipv6_v6only = 1,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = s,
		.encap_type = PXS_ENCAP_TYPE,
		.encap_rcv = pxs_encap_rcv,
	};
	struct net *net = s->home->pn->net;
	int err;

	if (s->local.family == AF_INET)
		cfg.local_ip.s_addr = s->local.v4;
#if IS_ENABLED(CONFIG_IPV6)
	else
		cfg.local_ip6 = s->local.v6;
#endif
	err = udp_sock_create(net, &cfg, &s->sock);
	if (err)
		return err;
	pxs_udp_tunnel_setup(net, s->sock, &tunnel);
	return 0;
}

static void pxs_socket_error(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -EADDRNOTAVAIL:
		NL_SET_ERR_MSG(extack, "address of SELF is not local, or not ready yet");
		break;
	case -EADDRINUSE:
		NL_SET_ERR_MSG(extack, "address and port of SELF are in use by another socket");
		break;
	case -EAFNOSUPPORT:
	case -EPFNOSUPPORT:
		NL_SET_ERR_MSG(extack, "this address family is not available here");
		break;
	default:
		NL_SET_ERR_MSG(extack, "cannot make a socket with address and port of SELF");
	}
}

struct pxs_socket *pxs_socket_get(struct pxs_groups *gs, const struct pxs_udp_addr *local,
				  struct netlink_ext_ack *extack)
{
	struct pxs_socket *s;
	int err;

	list_for_each_entry(s, &gs->sockets, list) {
		if (!pxs_udp_addr_equal(&s->local, local))
			continue;
		s->users++;
		return s;
	}
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->home = gs;
	s->local = *local;
	s->users = 1;
	err = pxs_socket_open(s);
	if (err) {
		pxs_socket_error(err, extack);
		kfree(s);
		return ERR_PTR(err);
	}
	list_add(&s->list, &gs->sockets);
	return s;
}

void pxs_socket_put(struct pxs_socket *s)
{
	if (--s->users)
		return;
	list_del(&s->list);
	pxs_udp_tunnel_release(s->sock);
	/* A datagram that found us before user data was cleared may still be with us. */
	kfree_rcu(s, rcu);
}

/* --- sending --------------------------------------------------------------- */

static int pxs_xmit4(struct sock *sk, struct pxs_peer *to, const struct pxs_udp_addr *from,
		     struct sk_buff *skb)
{
	struct flowi4 fl = {
		.saddr = from->v4,
		.daddr = to->addr.v4,
		.fl4_sport = from->port,
		.fl4_dport = to->addr.port,
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *rt = dst_cache_get_ip4(&to->route, &fl.saddr);

	if (!rt) {
		rt = ip_route_output_flow(sock_net(sk), &fl, sk);
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		dst_cache_set_ip4(&to->route, &rt->dst, fl.saddr);
	}
	/* Bodies are larger than any MTU may be: fragment here, never complain. */
	skb->ignore_df = 1;
	pxs_udp_tunnel_xmit(rt, sk, skb, fl.saddr, fl.daddr, 0, ip4_dst_hoplimit(&rt->dst), 0,
			    fl.fl4_sport, fl.fl4_dport, false, false);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static int pxs_xmit6(struct sock *sk, struct pxs_peer *to, const struct pxs_udp_addr *from,
		     struct sk_buff *skb)
{
	struct flowi6 fl = {
		.saddr = from->v6,
		.daddr = to->addr.v6,
		.fl6_sport = from->port,
		.fl6_dport = to->addr.port,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst = dst_cache_get_ip6(&to->route, &fl.saddr);

	if (!dst) {
		dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl, NULL);
		if (IS_ERR(dst))
			return PTR_ERR(dst);
		dst_cache_set_ip6(&to->route, dst, &fl.saddr);
	}
	skb->ignore_df = 1;
	pxs_udp_tunnel6_xmit(dst, sk, skb, NULL, &fl.saddr, &fl.daddr, 0, ip6_dst_hoplimit(dst), 0,
			     fl.fl6_sport, fl.fl6_dport, false);
	return 0;
}
#else
static int pxs_xmit6(struct sock *sk, struct pxs_peer *to, const struct pxs_udp_addr *from,
		     struct sk_buff *skb)
{
	return -EAFNOSUPPORT;
}
#endif

/* Takes skb, which holds a signed datagram. */
static void pxs_xmit(struct pxs_kgroup *kg, u8 to, struct sk_buff *skb)
{
	struct pxs_socket *s = rcu_dereference(kg->socket);
	struct pxs_peer *peer = &kg->peer[to];
	int err = -ESHUTDOWN;

	if (s && s->local.family == AF_INET)
		err = pxs_xmit4(s->sock->sk, peer, &s->local, skb);
	else if (s)
		err = pxs_xmit6(s->sock->sk, peer, &s->local, skb);
	if (!err) {
		pxs_kgroup_count(kg, PXS_GROUP_STAT_TX);
		return;
	}
	kfree_skb(skb);
	pxs_kgroup_count(kg, PXS_GROUP_STAT_TX_ERRORS);
}

static struct sk_buff *pxs_skb(struct pxs_kgroup *kg, u32 len)
{
	struct sk_buff *skb = alloc_skb(PXS_HEADROOM + PXS_WIRE_HDR_LEN + len,
					GFP_ATOMIC | __GFP_NOWARN);

	if (!skb) {
		pxs_kgroup_count(kg, PXS_GROUP_STAT_TX_ERRORS);
		return NULL;
	}
	skb_reserve(skb, PXS_HEADROOM);
	skb_set_inner_network_header(skb, 0);
	return skb;
}

/* The body is in place behind the header. RCU read side: one look at the keys a datagram. */
static void pxs_sign(struct pxs_kgroup *kg, struct pxs_msg *m, struct pxs_wire_hdr *hdr,
		     const u8 *body)
{
	const struct pxs_keys *keys = &rcu_dereference(kg->keys)->keys;

	m->key_id = keys->key[0].id;
	m->counter = atomic64_inc_return(&kg->counter);
	pxs_wire_build(hdr, m);
	pxs_keys_sign(keys, hdr, body, m->len);
}

void pxs_transport_send_msg(struct pxs_kgroup *kg, u8 to, struct pxs_msg *m, const u8 *body)
{
	struct sk_buff *skb = pxs_skb(kg, m->len);
	struct pxs_wire_hdr *hdr;

	if (!skb)
		return;
	hdr = skb_put(skb, PXS_WIRE_HDR_LEN);
	skb_put_data(skb, body, m->len);
	pxs_sign(kg, m, hdr, (const u8 *)(hdr + 1));
	pxs_xmit(kg, to, skb);
}

static void pxs_send_one(struct pxs_kgroup *kg, const struct pxs_out *out,
			 const struct pxs_send *send, u8 to)
{
	struct pxs_wire_hdr *hdr;
	struct sk_buff *skb;
	struct pxs_msg m;

	pxs_out_msg(&kg->core, send, to, &m);
	skb = pxs_skb(kg, m.len);
	if (!skb)
		return;
	hdr = skb_put(skb, PXS_WIRE_HDR_LEN);
	pxs_out_body(out, send, skb_put(skb, m.len));
	pxs_sign(kg, &m, hdr, (const u8 *)(hdr + 1));
	pxs_xmit(kg, to, skb);
}

void pxs_transport_send(struct pxs_kgroup *kg, const struct pxs_out *out)
{
	const struct pxs_group_conf *conf = &kg->core.conf;
	u32 i;
	u8 to;

	for (i = 0; i < out->nsend; i++) {
		const struct pxs_send *send = &out->send[i];

		for (to = 0; to < conf->nmembers; to++) {
			if (!(send->to & BIT_ULL(to)))
				continue;
			if (to == conf->self)
				pxs_event_own(kg, out, send);
			else
				pxs_send_one(kg, out, send, to);
		}
	}
}
