// SPDX-License-Identifier: GPL-2.0
/*
 * key_memcached.c - the first key of a memcached request, text or binary
 *
 * See key_parse.h for the rules that all parsers keep. No state; any context.
 */
#include "key_parse.h"

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

static const struct mc_command *find_command(const struct pxs_slice *word)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(mc_commands); i++)
		if (mc_commands[i].len == word->len &&
		    !memcmp(mc_commands[i].name, word->p, word->len))
			return &mc_commands[i];
	return NULL;
}

static bool memcached_text(struct pxs_slice s, struct pxs_slice *key)
{
	const struct mc_command *cmd;
	struct pxs_slice word;
	u32 i;

	if (!s.len || s.p[0] == ' ' || !pxs_next_word(&s, &word))
		return false;
	cmd = find_command(&word);
	if (!cmd)
		return false;
	for (i = 0; i < cmd->skip; i++)
		if (!pxs_next_word(&s, &word))
			return false;
	return pxs_next_word(&s, key) && pxs_memcached_key_ok(key);
}

static bool memcached_binary(struct pxs_slice s, struct pxs_slice *key)
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
bool pxs_key_memcached(const struct pxs_key_spec *spec, struct pxs_slice s,
		       struct pxs_slice *key)
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
