// SPDX-License-Identifier: GPL-2.0
/*
 * lookup.bpf.c - programs that ask the module who serves a key
 *
 *   xdp  answers a request to PORT itself: by whom it would be served (struct answer)
 *   tc   lets a request pass, marked with 1 + the index of who would serve it; MARK_ERROR less
 *        the error where nobody would
 *
 * A request is UDP over IPv4 without options or IPv6, of at least ANSWER bytes, the first KEY of
 * which are the key (KEY=0: the service hashes addresses). For selftests/kfunc.sh, and to begin
 * a program of your own with: clang -O2 -g -target bpf -DPORT=7000 -DKEY=6 -I../../uapi -c
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <linux/paxsteer_bpf.h>

#define SECTION(name)	__attribute__((section(name), used))
#define ANSWER		sizeof(struct answer)
#define MARK_ERROR	0x10000
#define htons(x)	__builtin_bswap16(x)
/* Of the socket interface, whose headers are none for such a program. */
#define V4		2
#define V6		10

extern int bpf_xdp_paxsteer_lookup(struct xdp_md *ctx, struct paxsteer_lookup *lookup, __u32 size,
				   const void *key, __u32 key_len) SECTION(".ksyms");
extern int bpf_skb_paxsteer_lookup(struct __sk_buff *ctx, struct paxsteer_lookup *lookup,
				   __u32 size, const void *key, __u32 key_len) SECTION(".ksyms");

static long (*const csum_diff)(__be32 *from, __u32 from_size, __be32 *to, __u32 to_size,
			       __u32 seed) = (void *)BPF_FUNC_csum_diff;

char _license[] SECTION("license") = "GPL";

struct answer {
	__u8 addr[16];
	__be16 port;
	__u8 choice;
	__u8 error;
	__u32 generation;
};

struct request {
	struct paxsteer_lookup lookup;
	__u8 key[KEY ?: 1];
	struct udphdr *udp;
	void *payload;
};

/* Return: whether it is one, whole. */
static __attribute__((always_inline)) int read_request(void *data, void *end, struct request *r)
{
	struct ethhdr *eth = data;
	struct iphdr *ip4 = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return 0;
	if (eth->h_proto == htons(ETH_P_IP)) {
		r->udp = (void *)(ip4 + 1);
		if ((void *)(r->udp + 1) + ANSWER > end || ip4->ihl != 5 ||
		    ip4->protocol != IPPROTO_UDP)
			return 0;
		r->lookup.family = V4;
		__builtin_memcpy(r->lookup.addr, &ip4->daddr, 4);
		__builtin_memcpy(r->lookup.saddr, &ip4->saddr, 4);
	} else if (eth->h_proto == htons(ETH_P_IPV6)) {
		r->udp = (void *)(ip6 + 1);
		if ((void *)(r->udp + 1) + ANSWER > end || ip6->nexthdr != IPPROTO_UDP)
			return 0;
		r->lookup.family = V6;
		__builtin_memcpy(r->lookup.addr, &ip6->daddr, 16);
		__builtin_memcpy(r->lookup.saddr, &ip6->saddr, 16);
	} else {
		return 0;
	}
	if (r->udp->dest != htons(PORT))
		return 0;
	r->lookup.proto = IPPROTO_UDP;
	r->lookup.port = r->udp->dest;
	r->lookup.sport = r->udp->source;
	r->payload = r->udp + 1;
	__builtin_memcpy(r->key, r->payload, KEY);
	return 1;
}

/* Back to where it came from: the sums of IP and UDP stay as they are. */
static __attribute__((always_inline)) void turn_round(void *data, struct request *r)
{
	struct ethhdr *eth = data;
	struct iphdr *ip4 = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	__u8 mac[ETH_ALEN];
	__be16 port = r->udp->dest;

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
	if (r->lookup.family == V4) {
		__builtin_memcpy(&ip4->saddr, r->lookup.addr, 4);
		__builtin_memcpy(&ip4->daddr, r->lookup.saddr, 4);
	} else {
		__builtin_memcpy(&ip6->saddr, r->lookup.addr, 16);
		__builtin_memcpy(&ip6->daddr, r->lookup.saddr, 16);
	}
	r->udp->dest = r->udp->source;
	r->udp->source = port;
}

SECTION("xdp") int answer_requests(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct answer a = {}, *at;
	struct request r = {};
	__u32 sum;
	int err;

	if (!read_request(data, end, &r))
		return XDP_PASS;
	err = bpf_xdp_paxsteer_lookup(ctx, &r.lookup, sizeof(r.lookup), r.key, KEY);
	a.error = -err;
	if (!err) {
		__builtin_memcpy(a.addr, r.lookup.backend_addr, sizeof(a.addr));
		a.port = r.lookup.backend_port;
		a.choice = r.lookup.choice;
		a.generation = r.lookup.generation;
	}
	at = r.payload;
	sum = csum_diff((void *)at, ANSWER, (void *)&a, ANSWER, ~r.udp->check & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*at = a;
	turn_round(data, &r);
	sum = ~sum & 0xffff;
	/* 0 would mean that there is none, which IPv6 drops. */
	r.udp->check = sum ?: 0xffff;
	return XDP_TX;
}

SECTION("tc") int mark_requests(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct request r = {};
	int err;

	if (!read_request(data, end, &r))
		return TC_ACT_OK;
	err = bpf_skb_paxsteer_lookup(skb, &r.lookup, sizeof(r.lookup), r.key, KEY);
	skb->mark = err ? MARK_ERROR - err : r.lookup.backend + 1;
	return TC_ACT_OK;
}
