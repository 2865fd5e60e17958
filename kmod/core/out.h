/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out.h - what one input to a group leads to: datagrams to send, news for the agent
 *
 * Filled by the core under the group's lock; the shell does what it says after the lock
 * is dropped, so it holds references of its own to the values.
 */
#ifndef PXS_CORE_OUT_H
#define PXS_CORE_OUT_H

#include "platform.h"
#include "value.h"
#include "wire.h"

struct pxs_group;
struct pxs_slot;

/*
 * One datagram to send. Not signed, no counter: the shell fills the rest of the header.
 * Where the bit of this member itself is set (a PROMISE to our own PREPARE), the shell gives
 * the datagram, unsigned, to the agent instead, like one that was forwarded.
 */
struct pxs_send {
	u64 to;			/* bit i: member index i */
	u8 type;
	u16 count;
	u64 ballot;
	u64 slot;
	u64 commit;
	u64 arg;
	u16 first;		/* its entries: out->entry[first .. first + entries) */
	u16 entries;
	u32 bytes;		/* of its body */
};

struct pxs_out_entry {
	u64 slot;
	u64 ballot;
	u8 flags;		/* PXS_ENTRY_* */
	struct pxs_value *value;	/* a reference, or NULL (faulty) */
};

/* A message that makes another one unnecessary has this long to come. */
#define PXS_SOON_MS		5

#define PXS_OUT_SENDS		16
#define PXS_OUT_ENTRIES		PXS_WIRE_ENTRIES_MAX

#define PXS_OUT_DECIDED		0x01	/* tell the agent: commit and lsn */
#define PXS_OUT_FORWARD		0x02	/* give the datagram just received to the agent */
#define PXS_OUT_LEADER		0x04	/* tell the agent: leader_event, leader_ballot */
#define PXS_OUT_MORE		0x08	/* pxs_group_release: call again */
#define PXS_OUT_LATER		0x20	/* PXS_OUT_DECIDED: nobody waits for the agent to know */
#define PXS_OUT_SOON		0x40	/* call pxs_group_tick within PXS_SOON_MS */
#define PXS_OUT_READ		0x10	/* tell the agent: g->read.done and what goes with it */

struct pxs_out {
	u32 nsend;
	u32 nentry;
	u32 what;		/* PXS_OUT_* */
	u64 commit;		/* PXS_OUT_DECIDED */
	u64 lsn;		/* ... valid once records up to it have reached the agent */
	u8 leader_event;	/* enum pxs_leader_event */
	u64 leader_ballot;
	struct pxs_send send[PXS_OUT_SENDS];
	struct pxs_out_entry entry[PXS_OUT_ENTRIES];
};

static inline void pxs_out_init(struct pxs_out *out)
{
	out->nsend = 0;
	out->nentry = 0;
	out->what = 0;
}

/* Drop the references that @out holds, after everything was sent. */
void pxs_out_done(struct pxs_out *out);

/* The body of @send: buf has room for send->bytes. */
void pxs_out_body(const struct pxs_out *out, const struct pxs_send *send, u8 *buf);

/* Header of @send to member index @to; the shell adds key_id, counter and tag. */
void pxs_out_msg(const struct pxs_group *g, const struct pxs_send *send, u8 to, struct pxs_msg *m);

/* Append a datagram to @out. Return: NULL when it is full. */
struct pxs_send *pxs_out_send(struct pxs_group *g, struct pxs_out *out, u8 type, u64 to,
			      u64 ballot, u64 slot);

/* Is there room for one more datagram with one more entry, of whatever size? */
static inline bool pxs_out_room(const struct pxs_out *out)
{
	return out->nsend < PXS_OUT_SENDS && out->nentry < PXS_OUT_ENTRIES;
}

/* Append slot @slot of the window as an entry of the last datagram. False: no room. */
bool pxs_out_add(struct pxs_out *out, u64 slot, const struct pxs_slot *s, u8 flags);

void pxs_out_refuse(struct pxs_group *g, struct pxs_out *out, u8 to, u64 ballot, u64 slot,
		    u64 higher);
void pxs_out_leader(struct pxs_out *out, u8 event, u64 ballot);

#endif /* PXS_CORE_OUT_H */
