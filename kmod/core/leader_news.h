/* SPDX-License-Identifier: GPL-2.0 */
/*
 * leader_news.h - what an agent has not heard yet of who leads, oldest first
 *
 * It may not listen for long. There is room for one piece of each kind, and what is newer of a kind
 * says what is older of it, and more: so that goes, and no kind is pushed out by another. (That
 * nobody leads comes again each election time-out; that it leads no more an agent hears once.)
 */
#ifndef PXS_CORE_LEADER_NEWS_H
#define PXS_CORE_LEADER_NEWS_H

#include "platform.h"

#define PXS_LEADER_NEWS	4u	/* kinds: enum pxs_leader_event */

struct pxs_leader_news {
	u8 n;
	struct {
		u8 event;	/* PXS_LEADER_* */
		u64 ballot;
	} at[PXS_LEADER_NEWS];
};

static inline void pxs_leader_news_drop(struct pxs_leader_news *news, u8 i)
{
	news->n--;
	for (; i < news->n; i++)
		news->at[i] = news->at[i + 1];
}

/* The oldest of which a newer one is there, or is @event, coming now; 0: none is, the oldest. */
static inline u8 pxs_leader_news_stale(const struct pxs_leader_news *news, u8 event)
{
	u8 i, k;

	for (i = 0; i < news->n; i++) {
		if (news->at[i].event == event)
			return i;
		for (k = i + 1; k < news->n; k++)
			if (news->at[i].event == news->at[k].event)
				return i;
	}
	return 0;
}

static inline void pxs_leader_news_add(struct pxs_leader_news *news, u8 event, u64 ballot)
{
	if (news->n == PXS_LEADER_NEWS)
		pxs_leader_news_drop(news, pxs_leader_news_stale(news, event));
	news->at[news->n].event = event;
	news->at[news->n].ballot = ballot;
	news->n++;
}

#endif /* PXS_CORE_LEADER_NEWS_H */
