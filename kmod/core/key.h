/* SPDX-License-Identifier: GPL-2.0 */
/*
 * key.h - what of a request is hashed
 *
 * A packet's flow tuple and the first bytes of its payload go in, a 64-bit hash comes
 * out. A payload whose key can't be read is hashed by its flow tuple instead, and the
 * caller is told, for the counter. Pure functions, packet path: nothing is kept, no
 * byte behind the given length is read.
 *
 * The same key gives the same hash wherever it stood (text or binary protocol, behind
 * other options or a UDP frame). Addresses, tuples and keys are separate domains: an
 * IPv4 address never hashes as the same bytes in an IPv6 address or in a key.
 */
#ifndef PXS_CORE_KEY_H
#define PXS_CORE_KEY_H

#include "platform.h"
#include "siphash.h"
#include <linux/paxsteer.h>

/* No rule looks at a payload's bytes from here on, however many are given. */
#define PXS_KEY_PEEK_MAX	512

/* Longest key of memcached, and the most that KEY_LEN may ask for. */
#define PXS_KEY_BYTES_MAX	250

/* Longest connection id of QUIC version 1 and 2. */
#define PXS_QUIC_ID_MAX		20
#define PXS_QUIC_ID_DEFAULT	8

/* pxs_flow_tuple.family: the IP version, not an AF_ number. */
#define PXS_FAMILY_V4		4
#define PXS_FAMILY_V6		6

/* Who talks to whom. Ports in host order; an IPv4 address is in the first 4 bytes, rest 0. */
struct pxs_flow_tuple {
	u8 family;
	u8 proto;
	u16 sport;
	u16 dport;
	u8 saddr[16];
	u8 daddr[16];
};

/* How a key becomes a hash. Fills that others have too hash as those do, without the seed. */
enum pxs_key_hash_kind {
	PXS_KEY_HASH_SIP = 0,	/* keyed: SipHash-1-3 */
	PXS_KEY_HASH_CRC16 = 1,	/* redis-slots */
	PXS_KEY_HASH_MD5 = 2,	/* ketama */
};

/* A service's key rule. */
struct pxs_key_spec {
	u8 rule;	/* enum pxs_key_rule */
	bool frame;	/* memcached: an 8-byte UDP frame header stands first (all UDP services) */
	u16 offset;	/* payload: first byte of the key */
	u16 len;	/* payload: bytes of the key; quic: bytes of the connection id */
	u8 prefix;	/* source: bits of the address that count; 0: all */
	u8 hash;	/* enum pxs_key_hash_kind, pxs_key_hash_of(fill): of keys, not of flows */
};

u8 pxs_key_hash_of(u8 fill);

/* What of a rule directors must have alike, in one word: part of a table's digest. */
static inline u64 pxs_key_word(const struct pxs_key_spec *spec)
{
	return (u64)spec->len << 32 | (u64)spec->offset << 16 | (u64)spec->prefix << 8 |
	       spec->rule;
}

/* Return: NULL, or what is wrong with the rule, for a message to the operator. */
const char *pxs_key_check(const struct pxs_key_spec *spec);

/* Payload bytes that the rule may want: pull min(this, payload), never more. 0: none. */
u32 pxs_key_peek(const struct pxs_key_spec *spec);

/*
 * Hash of a request. @payload (@len bytes, linear; may be NULL when @len is 0) starts
 * behind the UDP or TCP header.
 * Return: true when the key could not be read and *hash is the flow tuple's.
 */
bool pxs_key_hash(const struct pxs_key_spec *spec, const struct pxs_seed *seed,
		  const struct pxs_flow_tuple *tuple, const u8 *payload, u32 len, u64 *hash);

/*
 * Hash of a key as an operator writes it (len > 0): what a request with it is hashed to by
 * a rule that looks at the payload. Return: NULL, or why this can't be such a key.
 */
const char *pxs_key_hash_given(const struct pxs_key_spec *spec, const struct pxs_seed *seed,
			       const void *bytes, u32 len, u64 *hash);

/* Hash of a key's bytes. */
u64 pxs_key_hash_bytes(const struct pxs_seed *seed, const void *key, u32 len);

/* First word of what is hashed: one number for each kind, so that no two kinds meet. */
enum pxs_key_domain {
	PXS_KEY_DOMAIN_SOURCE_V4 = 1,
	PXS_KEY_DOMAIN_SOURCE_V6 = 2,
	PXS_KEY_DOMAIN_TUPLE_V4 = 3,
	PXS_KEY_DOMAIN_TUPLE_V6 = 4,
};

/*
 * The rule tuple in two steps, pxs_key_hash_tuple() does both: what is the same for all packets
 * to one destination comes first, and is done once for all of them. What is hashed are the bytes
 * domain, protocol, destination's port and address, source's address and port; ports little
 * endian, and behind the port of an IPv6 destination 4 bytes of 0. Addresses as in struct
 * pxs_flow_tuple.
 */
static inline void pxs_key_hash_to(struct pxs_sipstate *to, const struct pxs_seed *seed, bool v4,
				   u8 proto, u16 dport, const u8 *daddr)
{
	u64 head = (u64)proto << 8 | (u64)dport << 16;
	u64 dst = get_unaligned_le64(daddr);

	pxs_sipinit(to, seed);
	if (v4) {
		pxs_sip13word(to, head | PXS_KEY_DOMAIN_TUPLE_V4 | dst << 32);
		return;
	}
	pxs_sip13word(to, head | PXS_KEY_DOMAIN_TUPLE_V6);
	pxs_sip13word(to, dst);
	pxs_sip13word(to, get_unaligned_le64(daddr + 8));
}

static pxs_always_inline u64 pxs_key_hash_from(const struct pxs_sipstate *to, bool v4, u16 sport,
					       const u8 *saddr)
{
	u64 src = get_unaligned_le64(saddr);
	struct pxs_sipstate s = *to;

	if (v4)
		return pxs_sip13final(&s, 14ull << 56 | (u64)sport << 32 | (u32)src);
	pxs_sip13word(&s, src);
	pxs_sip13word(&s, get_unaligned_le64(saddr + 8));
	return pxs_sip13final(&s, 42ull << 56 | sport);
}

/* Hash of the rules source (the whole address) and tuple. */
u64 pxs_key_hash_source(const struct pxs_seed *seed, const struct pxs_flow_tuple *tuple);
u64 pxs_key_hash_tuple(const struct pxs_seed *seed, const struct pxs_flow_tuple *tuple);

#endif /* PXS_CORE_KEY_H */
