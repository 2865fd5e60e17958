// SPDX-License-Identifier: GPL-2.0
/*
 * key.c - what of a request is hashed
 *
 * Reads bytes that strangers wrote. Every function gets a pointer and a length and
 * proves each index below the length before it reads. No state; any context.
 */
#include "key.h"

/* First word of what is hashed: one number for each kind, so that no two kinds meet. */
enum key_domain {
	KEY_DOMAIN_SOURCE_V4 = 1,
	KEY_DOMAIN_SOURCE_V6 = 2,
	KEY_DOMAIN_TUPLE_V4 = 3,
	KEY_DOMAIN_TUPLE_V6 = 4,
};

/* Keys are byte strings and have no first word to spare: their kind goes into the seed. */
#define KEY_DOMAIN_BYTES	0x70786b6579627974ull

/* memcached's doc/protocol.txt and doc/protocol-binary */
#define MC_FRAME_LEN		8	/* request id, sequence, datagrams, reserved: be16 each */
#define MC_BINARY_MAGIC		0x80
#define MC_BINARY_HDR_LEN	24

/* Opcodes whose key names an item, one bit each. */
#define MC_BINARY_KEYED							\
	(0x000000007full |	/* get set add replace delete incr decr */	\
	 0x0000000200ull |	/* getq */					\
	 0x000000f000ull |	/* getk getkq append prepend */			\
	 0x00007e0000ull |	/* setq addq replaceq deleteq incrq decrq */	\
	 0x0006000000ull |	/* appendq prependq */				\
	 0x0070000000ull |	/* touch gat gatq */				\
	 0x1800000000ull)	/* gatk gatkq */

struct mc_command {
	char name[8];	/* not always terminated */
	u8 len;
	u8 skip;	/* words between command and key */
};

static const struct mc_command mc_commands[] = {
	{ "get", 3, 0 }, { "gets", 4, 0 }, { "set", 3, 0 }, { "add", 3, 0 },
	{ "replace", 7, 0 }, { "append", 6, 0 }, { "prepend", 7, 0 }, { "cas", 3, 0 },
	{ "delete", 6, 0 }, { "incr", 4, 0 }, { "decr", 4, 0 }, { "touch", 5, 0 },
	{ "gat", 3, 1 }, { "gats", 4, 1 },
	{ "mg", 2, 0 }, { "ms", 2, 0 }, { "md", 2, 0 }, { "ma", 2, 0 },
};

/* A piece of the payload. */
struct slice {
	const u8 *p;
	u32 len;
};

/*
 * Take the next word off @s: past blanks, up to a blank or the end of the line, which
 * must be there: without it the word might go on in bytes that we don't have.
 */
static bool next_word(struct slice *s, struct slice *word)
{
	u32 from, to;

	for (from = 0; from < s->len && s->p[from] == ' '; from++)
		;
	for (to = from; to < s->len; to++)
		if (s->p[to] == ' ' || s->p[to] == '\r' || s->p[to] == '\n')
			break;
	if (to == from || to == s->len)
		return false;
	word->p = s->p + from;
	word->len = to - from;
	s->p += to;
	s->len -= to;
	return true;
}

static const struct mc_command *find_command(const struct slice *word)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(mc_commands); i++)
		if (mc_commands[i].len == word->len &&
		    !memcmp(mc_commands[i].name, word->p, word->len))
			return &mc_commands[i];
	return NULL;
}

/* The protocol forbids control characters in a text key. */
static bool valid_text_key(const struct slice *key)
{
	u32 i;

	if (!key->len || key->len > PXS_KEY_BYTES_MAX)
		return false;
	for (i = 0; i < key->len; i++)
		if (key->p[i] < 0x20 || key->p[i] == 0x7f)
			return false;
	return true;
}

static bool memcached_text(struct slice s, struct slice *key)
{
	const struct mc_command *cmd;
	struct slice word;
	u32 i;

	if (!s.len || s.p[0] == ' ' || !next_word(&s, &word))
		return false;
	cmd = find_command(&word);
	if (!cmd)
		return false;
	for (i = 0; i < cmd->skip; i++)
		if (!next_word(&s, &word))
			return false;
	return next_word(&s, key) && valid_text_key(key);
}

static bool memcached_binary(struct slice s, struct slice *key)
{
	u32 key_len, extras_len, body_len;
	u8 opcode;

	if (s.len < MC_BINARY_HDR_LEN)
		return false;
	opcode = s.p[1];
	if (opcode >= 64 || !(MC_BINARY_KEYED >> opcode & 1))
		return false;
	key_len = get_unaligned_be16(s.p + 2);
	extras_len = s.p[4];
	body_len = get_unaligned_be32(s.p + 8);
	if (!key_len || key_len > PXS_KEY_BYTES_MAX || body_len < extras_len + key_len)
		return false;
	if (s.len < MC_BINARY_HDR_LEN + extras_len + key_len)
		return false;
	key->p = s.p + MC_BINARY_HDR_LEN + extras_len;
	key->len = key_len;
	return true;
}

/* The first key of a request, of many if it is a get of many. */
static bool memcached_key(const struct pxs_key_spec *spec, struct slice s, struct slice *key)
{
	if (spec->frame) {
		/* as the server: a request of more than one datagram is refused there */
		if (s.len < MC_FRAME_LEN || get_unaligned_be16(s.p + 4) != 1)
			return false;
		s.p += MC_FRAME_LEN;
		s.len -= MC_FRAME_LEN;
	}
	if (!s.len)
		return false;
	if (s.p[0] == MC_BINARY_MAGIC)
		return memcached_binary(s, key);
	return memcached_text(s, key);
}

static bool payload_key(const struct pxs_key_spec *spec, struct slice s, struct slice *key)
{
	if (s.len < (u32)spec->offset + spec->len)
		return false;
	key->p = s.p + spec->offset;
	key->len = spec->len;
	return true;
}

const char *pxs_key_check(const struct pxs_key_spec *spec)
{
	switch (spec->rule) {
	case PXS_KEY_SOURCE:
	case PXS_KEY_TUPLE:
	case PXS_KEY_MEMCACHED:
		if (spec->offset || spec->len)
			return "key offset and length need the key rule payload";
		return NULL;
	case PXS_KEY_PAYLOAD:
		if (!spec->len || spec->len > PXS_KEY_BYTES_MAX)
			return "key length is not in 1..250";
		if ((u32)spec->offset + spec->len > PXS_KEY_PEEK_MAX)
			return "key ends behind the payload's first 512 bytes";
		return NULL;
	default:
		return "unknown key rule";
	}
}

u32 pxs_key_peek(const struct pxs_key_spec *spec)
{
	switch (spec->rule) {
	case PXS_KEY_PAYLOAD:
		return (u32)spec->offset + spec->len;
	case PXS_KEY_MEMCACHED:
		return PXS_KEY_PEEK_MAX;
	default:
		return 0;
	}
}

u64 pxs_key_hash_source(const struct pxs_seed *seed, const struct pxs_flow_tuple *t)
{
	u64 low = get_unaligned_le64(t->saddr);

	if (t->family == PXS_FAMILY_V4)
		return pxs_siphash_2u64(seed, KEY_DOMAIN_SOURCE_V4, (u32)low);
	return pxs_siphash_3u64(seed, KEY_DOMAIN_SOURCE_V6, low,
				get_unaligned_le64(t->saddr + 8));
}

u64 pxs_key_hash_tuple(const struct pxs_seed *seed, const struct pxs_flow_tuple *t)
{
	u64 head = (u64)t->proto << 8 | (u64)t->sport << 16 | (u64)t->dport << 32;
	u64 src = get_unaligned_le64(t->saddr);
	u64 dst = get_unaligned_le64(t->daddr);

	if (t->family == PXS_FAMILY_V4)
		return pxs_siphash_2u64(seed, head | KEY_DOMAIN_TUPLE_V4, (u32)src | dst << 32);
	return pxs_siphash_5u64(seed, head | KEY_DOMAIN_TUPLE_V6,
				src, get_unaligned_le64(t->saddr + 8),
				dst, get_unaligned_le64(t->daddr + 8));
}

u64 pxs_key_hash_bytes(const struct pxs_seed *seed, const void *key, u32 len)
{
	struct pxs_seed s = { .k = { seed->k[0], seed->k[1] ^ KEY_DOMAIN_BYTES } };

	return pxs_siphash(&s, key, len);
}

bool pxs_key_hash(const struct pxs_key_spec *spec, const struct pxs_seed *seed,
		  const struct pxs_flow_tuple *tuple, const u8 *payload, u32 len, u64 *hash)
{
	/* cut, so that the answer doesn't depend on how much the caller happened to pull */
	struct slice s = { payload, len < PXS_KEY_PEEK_MAX ? len : PXS_KEY_PEEK_MAX };
	struct slice key;
	bool found = false;

	switch (spec->rule) {
	case PXS_KEY_SOURCE:
		*hash = pxs_key_hash_source(seed, tuple);
		return false;
	case PXS_KEY_TUPLE:
		*hash = pxs_key_hash_tuple(seed, tuple);
		return false;
	case PXS_KEY_PAYLOAD:
		found = payload_key(spec, s, &key);
		break;
	case PXS_KEY_MEMCACHED:
		found = memcached_key(spec, s, &key);
		break;
	}
	if (!found) {
		*hash = pxs_key_hash_tuple(seed, tuple);
		return true;
	}
	*hash = pxs_key_hash_bytes(seed, key.p, key.len);
	return false;
}
