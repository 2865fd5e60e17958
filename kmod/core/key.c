// SPDX-License-Identifier: GPL-2.0
/*
 * key.c - what of a request is hashed
 *
 * Rules, and hashes of what they found. The parsers are in key_*.c, one a protocol; what
 * they promise is in key_parse.h. No state; any context.
 */
#include "key_parse.h"
#include "ketama.h"
#include "redis_slots.h"

/* Keys are byte strings and have no first word to spare: their kind goes into the seed. */
#define KEY_DOMAIN_BYTES	0x70786b6579627974ull

static bool payload_key(const struct pxs_key_spec *spec, struct pxs_slice s, struct pxs_slice *key)
{
	if (s.len < (u32)spec->offset + spec->len)
		return false;
	key->p = s.p + spec->offset;
	key->len = spec->len;
	return true;
}

static const char *check_span(const struct pxs_key_spec *spec)
{
	if (!spec->len || spec->len > PXS_KEY_BYTES_MAX)
		return "key length is not in 1..250";
	if ((u32)spec->offset + spec->len > PXS_KEY_PEEK_MAX)
		return "key ends behind the payload's first 512 bytes";
	return NULL;
}

const char *pxs_key_check(const struct pxs_key_spec *spec)
{
	if (!spec->rule || spec->rule > PXS_KEY_QUIC)
		return "unknown key rule";
	if (spec->prefix && spec->rule != PXS_KEY_SOURCE)
		return "a prefix needs the key rule source";
	if (spec->prefix > 128)
		return "prefix is above 128";
	if (spec->rule == PXS_KEY_PAYLOAD)
		return check_span(spec);
	if (spec->offset)
		return "a key offset needs the key rule payload";
	if (spec->rule == PXS_KEY_QUIC)
		return !spec->len || spec->len > PXS_QUIC_ID_MAX ?
		       "length of the connection id is not in 1..20" : NULL;
	return spec->len ? "a key length needs the key rule payload or quic" : NULL;
}

u32 pxs_key_peek(const struct pxs_key_spec *spec)
{
	switch (spec->rule) {
	case PXS_KEY_SOURCE:
	case PXS_KEY_TUPLE:
		return 0;
	case PXS_KEY_PAYLOAD:
		return (u32)spec->offset + spec->len;
	case PXS_KEY_QUIC:
		/* of a long header: 6 bytes, then the id */
		return 6 + spec->len;
	default:
		return PXS_KEY_PEEK_MAX;
	}
}

bool pxs_key_fold(struct pxs_slice s, struct pxs_key_buf *buf, struct pxs_slice *key)
{
	u32 i;

	if (!s.len || s.len > PXS_KEY_NAME_MAX)
		return false;
	for (i = 0; i < s.len; i++)
		buf->bytes[i] = pxs_fold(s.p[i]);
	key->p = buf->bytes;
	key->len = s.len;
	return true;
}

u64 pxs_key_hash_source(const struct pxs_seed *seed, const struct pxs_flow_tuple *t)
{
	u64 low = get_unaligned_le64(t->saddr);

	if (t->family == PXS_FAMILY_V4)
		return pxs_siphash13_2u64(seed, PXS_KEY_DOMAIN_SOURCE_V4, (u32)low);
	return pxs_siphash13_3u64(seed, PXS_KEY_DOMAIN_SOURCE_V6, low,
				get_unaligned_le64(t->saddr + 8));
}

/* The source's network: as a host whose further bits are 0. A prefix of 0 is the whole address. */
static u64 hash_network(const struct pxs_seed *seed, const struct pxs_flow_tuple *tuple,
			u32 prefix)
{
	struct pxs_flow_tuple t = *tuple;
	u32 i;

	for (i = prefix / 8; prefix && i < sizeof(t.saddr); i++)
		t.saddr[i] &= i == prefix / 8 ? (u8)(0xff00 >> prefix % 8) : 0;
	return pxs_key_hash_source(seed, &t);
}

u64 pxs_key_hash_tuple(const struct pxs_seed *seed, const struct pxs_flow_tuple *t)
{
	bool v4 = t->family == PXS_FAMILY_V4;
	struct pxs_sipstate to;

	pxs_key_hash_to(&to, seed, v4, t->proto, t->dport, t->daddr);
	return pxs_key_hash_from(&to, v4, t->sport, t->saddr);
}

u64 pxs_key_hash_bytes(const struct pxs_seed *seed, const void *key, u32 len)
{
	struct pxs_seed s = { .k = { seed->k[0], seed->k[1] ^ KEY_DOMAIN_BYTES } };

	return pxs_siphash13(&s, key, len);
}

static bool find_key(const struct pxs_key_spec *spec, struct pxs_slice s,
		     struct pxs_key_buf *buf, struct pxs_slice *key)
{
	switch (spec->rule) {
	case PXS_KEY_PAYLOAD:
		return payload_key(spec, s, key);
	case PXS_KEY_MEMCACHED:
		return pxs_key_memcached(spec, s, key);
	case PXS_KEY_DNS:
		return pxs_key_dns(s, buf, key);
	case PXS_KEY_REDIS:
		return pxs_key_redis(s, key);
	case PXS_KEY_HTTP_HOST:
		return pxs_key_http_host(s, buf, key);
	case PXS_KEY_HTTP_PATH:
		return pxs_key_http_path(s, key);
	case PXS_KEY_QUIC:
		return pxs_key_quic(spec, s, key);
	default:
		return false;
	}
}

u8 pxs_key_hash_of(u8 fill)
{
	switch (fill) {
	case PXS_FILL_REDIS_SLOTS:
		return PXS_KEY_HASH_CRC16;
	case PXS_FILL_KETAMA:
		return PXS_KEY_HASH_MD5;
	default:
		return PXS_KEY_HASH_SIP;
	}
}

static u64 hash_key(const struct pxs_key_spec *spec, const struct pxs_seed *seed,
		    struct pxs_slice key)
{
	switch (spec->hash) {
	case PXS_KEY_HASH_CRC16:
		key = pxs_key_tag(key);
		return pxs_redis_hash(pxs_crc16(key.p, key.len) % PXS_REDIS_SLOTS);
	case PXS_KEY_HASH_MD5:
		return pxs_ketama_hash(key.p, key.len);
	default:
		return pxs_key_hash_bytes(seed, key.p, key.len);
	}
}

/* Apart, for those who need no buffer: to clear it costs more than to hash a tuple. */
static pxs_noinline bool hash_payload(const struct pxs_key_spec *spec,
				      const struct pxs_seed *seed, struct pxs_slice s, u64 *hash)
{
	struct pxs_slice key;
	struct pxs_key_buf buf;

	if (!find_key(spec, s, &buf, &key))
		return false;
	*hash = hash_key(spec, seed, key);
	return true;
}

bool pxs_key_hash(const struct pxs_key_spec *spec, const struct pxs_seed *seed,
		  const struct pxs_flow_tuple *tuple, const u8 *payload, u32 len, u64 *hash)
{
	/* cut, so that the answer doesn't depend on how much the caller happened to pull */
	struct pxs_slice s = { payload, len < PXS_KEY_PEEK_MAX ? len : PXS_KEY_PEEK_MAX };

	if (spec->rule == PXS_KEY_SOURCE) {
		*hash = hash_network(seed, tuple, spec->prefix);
		return false;
	}
	if (spec->rule != PXS_KEY_TUPLE && hash_payload(spec, seed, s, hash))
		return false;
	*hash = pxs_key_hash_tuple(seed, tuple);
	return spec->rule != PXS_KEY_TUPLE;
}

const char *pxs_key_hash_given(const struct pxs_key_spec *spec, const struct pxs_seed *seed,
			       const void *bytes, u32 len, u64 *hash)
{
	struct pxs_slice given = { bytes, len }, key = given;
	struct pxs_key_buf buf;

	switch (spec->rule) {
	case PXS_KEY_PAYLOAD:
		if (len != spec->len)
			return "the key has another length than the service's keys";
		break;
	case PXS_KEY_QUIC:
		if (len < spec->len)
			return "the connection id is shorter than the service's keys";
		key.len = spec->len;
		break;
	case PXS_KEY_DNS:
		if (!pxs_key_domain(given, &buf, &key))
			return "not a name";
		break;
	case PXS_KEY_HTTP_HOST:
		if (!pxs_key_host(given, &buf, &key))
			return "not a host";
		break;
	case PXS_KEY_HTTP_PATH:
		key = pxs_key_path(given);
		break;
	case PXS_KEY_REDIS:
		key = pxs_key_tag(given);
		break;
	}
	*hash = hash_key(spec, seed, key);
	return NULL;
}
