// SPDX-License-Identifier: GPL-2.0
/*
 * member_left.c - was this member left behind?
 *
 * A member learns of changes from those that it knows. One that was away while all of them were
 * replaced, or got other addresses, knows nobody that could tell it: what the present members send
 * is of strangers to it, or of a later epoch, and where it asks nobody answers. It counts for the
 * others, and holds their logs. Nothing here can mend that, for whoever it would go by nobody has
 * decided on, as far as it knows. But it sees that it is so: no leader, nothing new, and datagrams
 * that do not count.
 */
#include "member.h"

#include <inttypes.h>

#include "node.h"
#include "report.h"

#define LOOK_MS		10000u	/* without a leader, between two looks */

/* What does not count for who sent it. Anybody can send such: it says nothing by itself. */
static u64 others(const struct pxs_group_status *st)
{
	return st->stat[PXS_GROUP_STAT_BAD_SENDER] + st->stat[PXS_GROUP_STAT_BAD_EPOCH];
}

void pxs_member_left_tick(struct pxs_replica *r, u64 now)
{
	struct pxs_member_left *l = &r->members.left;
	struct pxs_group_status st = { 0 };
	bool was = l->behind;

	if (r->elect.leader || r->elect.role == PXS_ROLE_LEADER) {
		*l = (struct pxs_member_left){ .looked_ms = now };
		return;
	}
	if (now - l->looked_ms < LOOK_MS || r->node->dp->ops->status(r->node->dp, r->id, &st))
		return;
	l->looked_ms = now;
	l->behind = l->looks && l->commit == st.commit && others(&st) > l->others;
	l->looks = true;
	l->commit = st.commit;
	l->others = others(&st);
	if (l->behind && !was)
		pxs_warn("group %u: no leader is heard in epoch %" PRIu64 ", nor anything new from its members, but others do send: were all that this member knows replaced, or given other addresses, while it was away? See docs/membership.md",
			 r->id, r->config->conf.epoch);
}
