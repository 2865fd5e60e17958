/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * paxsteer_bpf.h - a service's backend for a key, for XDP and tc programs
 *
 * On kernels from 6.9 on whose modules carry BTF (Debian's 6.12 and newer) paxsteer.ko has two
 * kfuncs, which differ only in where they take the namespace from:
 *
 *   int bpf_xdp_paxsteer_lookup(struct xdp_md *ctx, struct paxsteer_lookup *lookup, __u32 size,
 *                               const void *key, __u32 key_len);
 *   int bpf_skb_paxsteer_lookup(struct __sk_buff *ctx, struct paxsteer_lookup *lookup, __u32 size,
 *                               const void *key, __u32 key_len);
 *
 * They answer as "paxsteer lookup" does, by the table of that moment, with second choices and
 * bounded load. They change and count nothing: what the program does with the packet is its own,
 * and connections that the module keeps at their backend are not looked at. Declare the one you
 * use, as it stands here, to be in section ".ksyms"; selftests/bpf has a program of
 * each kind. A program that uses them keeps the module loaded.
 *
 * A backend that is a socket given as a descriptor ("backend add ... fd") is answered with the
 * address that the socket is bound to, which may be any (0.0.0.0, ::), the service's own, or that
 * of other sockets, too: it is not where to send the packet. Only its index tells it apart. A
 * program for such services lets packets pass, and the module gives them to the socket.
 */
#ifndef _UAPI_LINUX_PAXSTEER_BPF_H
#define _UAPI_LINUX_PAXSTEER_BPF_H

#include <linux/types.h>

/*
 * paxsteer_lookup.flags: it is no new request (of TCP: no SYN), so that it goes where the table
 * says, though that backend be full. Other bits must be 0.
 */
#define PAXSTEER_LOOKUP_OLD	1

struct paxsteer_lookup {
	/* The question. */
	__u8 family;		/* AF_INET or AF_INET6, of all addresses here */
	__u8 proto;		/* IPPROTO_UDP or IPPROTO_TCP */
	__be16 port;		/* of the service */
	__u32 flags;		/* PAXSTEER_LOOKUP_* */
	__u8 addr[16];		/* of the service; IPv4: the first 4 bytes, the others are 0 */
	__u8 saddr[16];		/* of the client, where the service hashes addresses */
	__be16 sport;		/* likewise */
	/* The answer: valid when 0 is returned. */
	__u8 choice;		/* enum pxs_choice: how the row came to this backend */
	__u8 reserved;		/* 0 */
	__be16 backend_port;	/* of a given socket, see above, its own; so is the address */
	__u16 backend;		/* its index, as "table show" has it */
	__u8 backend_addr[16];
	__u64 hash;		/* of the key or of the addresses */
	__u64 generation;	/* of the table */
};

/*
 * size: sizeof(struct paxsteer_lookup), or more.
 * key, key_len: where the service hashes keys, the key as "lookup ... key" takes it, 1 to 512
 * bytes; where it hashes addresses, any pointer and 0.
 *
 * Return: 0, or
 *   -ENOENT        no service there (or one that is held until its host caught up)
 *   -ENODATA       it has no table: no backend has weight
 *   -EHOSTUNREACH  no backend with weight is fit
 *   -EINVAL        sizes, family, flags, or a key that is none (DNS, HTTP host)
 *   -ENOKEY        the service hashes keys and there is none, or it hashes addresses
 */

#endif /* _UAPI_LINUX_PAXSTEER_BPF_H */
