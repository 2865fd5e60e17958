// SPDX-License-Identifier: GPL-2.0
/*
 * member_journal.c - what the journal says of who a group's members are
 */
#include "member.h"

#include <inttypes.h>
#include <stdio.h>

#include "node.h"

/* False: it is damaged. What says who votes is not believed for making sense (S5). */
static bool take(struct pxs_member_config *c, const struct pxs_record *rec, u64 slot)
{
	struct pxs_membership m;

	if (rec->flags & PXS_ENTRY_FAULTY || pxs_membership_parse(rec->data, rec->len, &m))
		return false;
	if (rec->type == PXS_RECORD_CONFIG && m.epoch != rec->slot)
		return false;
	c->epoch = m.epoch;
	c->slot = slot;
	c->lsn = rec->lsn;
	c->ballot = rec->ballot;
	c->len = rec->len;
	memcpy(c->value, rec->data, rec->len);
	return true;
}

/* One that was staged again by a trim says what is in force. */
static void take_now(struct pxs_members *ms, const struct pxs_record *rec, u64 pos)
{
	ms->joins = false;
	if (rec->slot < ms->now.epoch)
		return;
	if (take(&ms->now, rec, rec->ballot)) {
		if (ms->damaged.epoch <= rec->slot)
			ms->damaged.epoch = 0;
	} else if (rec->slot > ms->now.epoch && rec->slot >= ms->damaged.epoch) {
		/* Of one epoch there is one configuration: where that is had already it will do. */
		ms->damaged.epoch = rec->slot;
		ms->damaged.lsn = rec->lsn;
		ms->damaged.pos = pos;
	}
}

/* One that joins is shown what was chosen, and learns it; nobody asks it to accept anything. */
static void take_proposed(struct pxs_replica *r, const struct pxs_record *rec)
{
	struct pxs_members *ms = &r->members;
	struct pxs_membership m;

	if (rec->type == PXS_RECORD_ACCEPT)
		ms->counted = true;
	if (!(rec->flags & PXS_ENTRY_CONFIG) || rec->slot <= r->applied ||
	    !take(&ms->accepted, rec, rec->slot))
		return;
	/* The next change may come with it, and be all that is known of the two. */
	if (ms->joins && (!ms->named || rec->slot < ms->named) &&
	    pxs_member_parse(&ms->accepted, &m) && pxs_member_index(r, &m) >= 0)
		ms->named = rec->slot;
}

void pxs_member_record(struct pxs_replica *r, const struct pxs_record *rec, u64 pos)
{
	if (rec->type == PXS_RECORD_CONFIG)
		take_now(&r->members, rec, pos);
	else
		take_proposed(r, rec);
}

/*
 * Who does not know its epoch's members could take for a quorum what is none, and who does not know
 * its epoch could answer in one that it has left: it stays away, like one whose disk was lost.
 */
static int damaged(const struct pxs_replica *r, struct pxs_scan *s)
{
	const struct pxs_members *ms = &r->members;

	snprintf(s->error, sizeof(s->error),
		 "segment %016" PRIx64 " offset %u: LSN %" PRIu64 " is damaged: it says who the members of group %u are from epoch %" PRIu64 " on, and nothing behind it does",
		 pxs_pos_segment(ms->damaged.pos), pxs_pos_offset(ms->damaged.pos),
		 ms->damaged.lsn, r->id, ms->damaged.epoch);
	return -EBADMSG;
}

static int recovered(const struct pxs_replica *r, struct pxs_scan *s)
{
	const struct pxs_member_config *now = &r->members.now;
	u64 file = r->config->conf.epoch;
	struct pxs_membership m;

	if (pxs_floor_left(&s->floor, r->id))
		return 0;
	if (r->members.damaged.epoch)
		return damaged(r, s);
	if (file <= now->epoch || !pxs_member_parse(now, &m) || pxs_member_index(r, &m) < 0)
		return 0;
	/* Nobody decided on those: this member does not know what was decided up to there. */
	snprintf(s->error, sizeof(s->error),
		 "group %u: the members are those of epoch %" PRIu64 ", by the log, which alone changes them; %s says epoch %" PRIu64 ": set it to that, or less",
		 r->id, now->epoch, r->node->config.file, file);
	return -EKEYREJECTED;
}

int pxs_members_recovered(void *ctx, struct pxs_scan *s)
{
	struct pxs_node *n = ctx;
	int err = 0;
	u32 i;

	for (i = 0; i < n->nreplicas && !err; i++)
		err = recovered(&n->replica[i], s);
	return err;
}
