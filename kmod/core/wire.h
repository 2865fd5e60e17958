/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wire.h - datagrams between members: bytes to host order and back
 *
 * Knows lengths and fields, no policy: who may send what is group.c's business.
 */
#ifndef PXS_CORE_WIRE_H
#define PXS_CORE_WIRE_H

#include "platform.h"
#include <linux/paxsteer.h>
#include <linux/paxsteer_wire.h>

#define PXS_WIRE_HDR_LEN	((u32)sizeof(struct pxs_wire_hdr))
/*
 * To this many bytes a body is filled: with headers and what an skb adds, it is an allocation of
 * 32 KiB, which memory in pieces may still grant. One of 64 KiB it may refuse for minutes.
 */
#define PXS_WIRE_BODY_FULL	(PXS_WIRE_BODY_MAX - 1024)
#define PXS_WIRE_MAX		(PXS_WIRE_HDR_LEN + PXS_WIRE_BODY_MAX)

/* A header in host order; fields as in paxsteer_wire.h. */
struct pxs_msg {
	u8 type;
	u8 key_id;
	u8 sender;
	u8 receiver;
	u16 count;
	u32 group;
	u32 len;
	u8 cluster[PXS_CLUSTER_LEN];
	u64 epoch;
	u64 sender_inc;
	u64 receiver_inc;
	u64 counter;
	u64 ballot;
	u64 slot;
	u64 commit;
	u64 arg;
};

/* One entry of a body; data points into the body. */
struct pxs_entry {
	u64 slot;
	u64 ballot;
	u32 len;
	u8 flags;	/* PXS_ENTRY_* */
	const u8 *data;
};

/*
 * Decode the header of a datagram of @size bytes in all (header and body).
 * Return: 0, or the PXS_NET_STAT_BAD_* to count. Nothing is trusted yet: the tag
 * is checked by the caller, the body by pxs_wire_check_body().
 */
int pxs_wire_parse(const struct pxs_wire_hdr *hdr, size_t size, struct pxs_msg *m);

/* Encode; tag is zeroed, the caller signs. */
void pxs_wire_build(struct pxs_wire_hdr *hdr, const struct pxs_msg *m);

/*
 * Next entry of a body of @len bytes; start with *offset = 0.
 * Return: 1 and *e, 0 at the end, -EBADMSG.
 */
int pxs_wire_next(const u8 *body, u32 len, u32 *offset, struct pxs_entry *e);

/* Bytes that an entry with a value of @len bytes takes. */
static inline u32 pxs_wire_entry_size(u32 len)
{
	return (u32)sizeof(struct pxs_wire_entry) + ((len + 7) & ~7u);
}

/* Append @e at @body + @offset, room checked by the caller. Return: the new offset. */
u32 pxs_wire_put(u8 *body, u32 offset, const struct pxs_entry *e);

/*
 * Does the body hold just m->count well-formed entries, as m->type demands
 * (consecutive slots from m->slot for ACCEPT and LEARN, rising ones for PROMISE)?
 */
bool pxs_wire_check_body(const struct pxs_msg *m, const u8 *body);

#endif /* PXS_CORE_WIRE_H */
