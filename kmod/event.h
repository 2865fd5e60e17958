/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - what the module tells the attached agent about a group
 *
 * EVENT_DECIDED, EVENT_LEADER and EVENT_READ are states that the agent must come to know: they are
 * noted under the group's lock, sent after, and kept until they were delivered.
 * EVENT_RECV is a datagram: when it is lost, the peer sends it again.
 */
#ifndef PXS_EVENT_H
#define PXS_EVENT_H

#include <linux/atomic.h>

#include "core/group.h"
#include "core/leader_news.h"

struct pxs_datagram;
struct pxs_kgroup;
struct sk_buff;

/* Bytes of EVENT_DECIDED's attributes, and of the whole message behind another one. */
#define PXS_EVENT_DECIDED_SIZE	\
	(nla_total_size(sizeof(u32)) + 2 * nla_total_size_64bit(sizeof(u64)))
#define PXS_EVENT_JOIN		nlmsg_total_size(genlmsg_total_size(PXS_EVENT_DECIDED_SIZE))

/* What the agent is to be told. Guarded by the group's lock, but for want. */
struct pxs_tell {
	bool decided;
	bool later;		/* nobody waits for @decided: it is told along with the rest */
	bool read;
	struct pxs_leader_news leader;
	atomic_t want;		/* contexts that want to tell; the first one does it */
};

/* Note what @out wants told. Under the group's lock. */
void pxs_event_note(struct pxs_kgroup *kg, const struct pxs_out *out);

/* A new agent: note the state as it is. Under the group's lock. */
void pxs_event_note_all(struct pxs_kgroup *kg);

/* Tell what was noted, if there is anything that somebody waits for. No lock, bottom halves off. */
void pxs_event_tell(struct pxs_kgroup *kg);

/* ... or nobody: it was left for later. */
void pxs_event_tell_late(struct pxs_kgroup *kg);

/*
 * Append EVENT_DECIDED to @skb, which is on its way to the agent, if it is to be told and nobody
 * is telling anything. @skb has PXS_EVENT_JOIN bytes of room. True: say pxs_event_joined() with
 * *commit when @skb was sent, or was not; until then nobody else tells. No lock, bottom halves off.
 */
bool pxs_event_join(struct pxs_kgroup *kg, struct sk_buff *skb, u64 *commit);
void pxs_event_joined(struct pxs_kgroup *kg, u64 commit, bool sent);

/* Was anything left? Without the lock, after pxs_event_tell(). */
static inline bool pxs_event_left(const struct pxs_tell *t)
{
	return READ_ONCE(t->decided);
}

/* Give a datagram to the agent: one received, or one that we address to ourselves. */
void pxs_event_recv(struct pxs_kgroup *kg, const struct pxs_datagram *rx);
void pxs_event_own(struct pxs_kgroup *kg, const struct pxs_out *out, const struct pxs_send *send);

/* The group was deleted. Process context. */
void pxs_event_gone(struct pxs_kgroup *kg);

#endif /* PXS_EVENT_H */
