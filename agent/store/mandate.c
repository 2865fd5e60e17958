// SPDX-License-Identifier: GPL-2.0
/*
 * mandate.c - a change of a group's members, asked for by who holds the cluster's key
 */
#include "mandate.h"

#include <stdio.h>

#include "address.h"

/* What its tag is over, in front of the words. */
struct head {
	u8 magic[8];
	u8 cluster[16];
};

static struct head head_of(const u8 cluster[16])
{
	struct head h = { .magic = "PXSMAND1" };

	memcpy(h.cluster, cluster, sizeof(h.cluster));
	return h;
}

/* --- the words --------------------------------------------------------------- */

static int op_of(const char *word, enum pxs_member_op *op)
{
	static const struct {
		const char *name;
		enum pxs_member_op op;
	} ops[] = {
		{ "add", PXS_MEMBER_ADD }, { "promote", PXS_MEMBER_PROMOTE },
		{ "demote", PXS_MEMBER_DEMOTE }, { "remove", PXS_MEMBER_REMOVE },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (strcmp(word, ops[i].name))
			continue;
		*op = ops[i].op;
		return 0;
	}
	return -EINVAL;
}

static int parse_place(const char *words, struct pxs_wire_member *to)
{
	unsigned long long incarnation;
	struct pxs_address a = { 0 };
	unsigned int port;
	char text[64];
	int used = 0;

	if (sscanf(words, " %63s 0x%16llx %5u%n", text, &incarnation, &port, &used) != 3 ||
	    words[used] || !incarnation || port > 65535 || pxs_address_parse(text, &a))
		return -EINVAL;
	to->incarnation = cpu_to_be64(incarnation);
	to->store_port = cpu_to_be16((u16)port);
	to->family = pxs_address_ip_len(&a) == 4 ? 4 : 6;
	to->port = pxs_address_port(&a);
	memcpy(to->addr, pxs_address_ip(&a), (size_t)pxs_address_ip_len(&a));
	return 0;
}

int pxs_mandate_parse(const char *words, struct pxs_mandate *m)
{
	unsigned long long group, epoch;
	unsigned int id;
	int used = 0;
	char op[8];

	*m = (struct pxs_mandate){ 0 };
	/* sscanf() would take signs, and blanks in front. */
	if (*words < '0' || *words > '9' || strpbrk(words, "+-") ||
	    sscanf(words, "%10llu %19llu %7s %3u%n", &group, &epoch, op, &id, &used) != 4 ||
	    op_of(op, &m->op) || !group || group > INT32_MAX || !epoch || !id ||
	    id > PXS_MEMBER_ID_MAX)
		return -EINVAL;
	m->group = (u32)group;
	m->epoch = epoch;
	m->id = (u8)id;
	m->to.id = m->id;
	if (m->op == PXS_MEMBER_ADD)
		return parse_place(words + used, &m->to);
	return words[used] ? -EINVAL : 0;
}

/* --- the tag ------------------------------------------------------------------- */

void pxs_mandate_sign(const u8 *key, const u8 cluster[16], const char *words,
		      char tag[PXS_MANDATE_TAG])
{
	struct head h = head_of(cluster);
	u8 bytes[PXS_TAG_LEN];
	u32 i;

	pxs_tag_make(key, &h, sizeof(h), words, (u32)strlen(words), bytes);
	for (i = 0; i < PXS_TAG_LEN; i++)
		sprintf(tag + 2 * i, "%02x", bytes[i]);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool bytes_of(const char *tag, u8 *bytes)
{
	u32 i;

	if (strlen(tag) != 2 * PXS_TAG_LEN)
		return false;
	for (i = 0; i < PXS_TAG_LEN; i++) {
		if (digit(tag[2 * i]) < 0 || digit(tag[2 * i + 1]) < 0)
			return false;
		bytes[i] = (u8)(digit(tag[2 * i]) << 4 | digit(tag[2 * i + 1]));
	}
	return true;
}

bool pxs_mandate_holds(const struct pxs_keys *keys, const u8 cluster[16], const char *words,
		       const char *tag)
{
	struct head h = head_of(cluster);
	u8 bytes[PXS_TAG_LEN];
	bool holds = false;
	u8 i;

	if (!bytes_of(tag, bytes))
		return false;
	/* It does not say which key: there are two at most. */
	for (i = 0; i < keys->count; i++)
		holds |= pxs_tag_holds(keys, keys->key[i].id, bytes, &h, sizeof(h), words,
				       (u32)strlen(words));
	return holds;
}
