// SPDX-License-Identifier: GPL-2.0
/*
 * rules.c - what must hold in every state that SPIN reaches
 *
 * Of a member alone: what left can't be taken back by a crash (S1, S3, S11), the promise
 * never sinks, nothing is accepted below it, a ballot has one value for a slot. Of all:
 * at most one value is chosen for a slot, and whoever calls one decided is right.
 */
#include "member.h"

/* What a PROMISE says must cover all that this member has durably accepted before. */
void rules_promise(const struct member *m, u8 ballot, u32 code)
{
	u8 s, b;

	if (m->disk.promised < ballot)
		model_fail("S1: a PROMISE leaves before it is durable");
	for (s = code_commit(code) + 1; s <= SLOTS; s++) {
		u32 e = code_entry(code, s);

		for (b = 1; b < ballot; b++) {
			if (m->vote[s - 1][b - 1] && entry_ballot(e) < b && !entry_decided(e))
				model_fail("a PROMISE conceals an accept");
		}
	}
}

/* Those that this step staged: behind the first @old. */
static void check_records(const struct member *before, u8 old, const struct member *after)
{
	u8 promised = before->group.promised;
	u8 i;

	for (i = old; i < after->nrecords; i++) {
		const struct model_record *r = &after->record[i];

		if (r->type == PXS_RECORD_ACCEPT && r->ballot < promised)
			model_fail("an accept below the promise");
		if (r->type == PXS_RECORD_PROMISE && r->ballot <= promised)
			model_fail("a promise that is not higher");
		if (r->type != PXS_RECORD_ACCEPT && r->type != PXS_RECORD_PROMISE)
			continue;
		promised = r->ballot;
	}
	if (after->group.promised < promised)
		model_fail("a record promises more than memory");
}

void rules_prepare(const struct member *m, u8 ballot)
{
	if (m->disk.promised < ballot)
		model_fail("S11: a PREPARE leaves, and a crash would free its ballot");
}

void rules_accepted(const struct member *m, u8 ballot, u8 slot)
{
	if (m->disk.promised < ballot)
		model_fail("S3: an ACCEPTED leaves, and a crash would free its promise");
	if (!m->vote[slot - 1][ballot - 1])
		model_fail("S1: an ACCEPTED leaves before it is durable");
}

/*
 * If the node died now: would what it told the others still hold? That it held when it left
 * is checked there, and what is on disk only grows.
 */
static void check_kept(const struct member *m)
{
	u8 b, s;

	for (b = 1; b <= BALLOTS; b++) {
		for (s = 1; s <= SLOTS; s++) {
			if (!m->vote[s - 1][b - 1])
				continue;
			if (m->disk.promised < b)
				model_fail("S3: recovery forgets that an accept is a promise");
			if (m->disk.commit < s && m->disk.slot[s - 1].ballot < b &&
			    !(m->disk.slot[s - 1].flags & PXS_SLOT_DECIDED))
				model_fail("S3: recovery forgets an accept");
		}
	}
}

static void check_one_value(const struct member *m)
{
	u8 b, s, v, c, found;

	for (b = 1; b <= BALLOTS; b++) {
		for (s = 1; s <= SLOTS; s++) {
			found = 0;
			for (v = 1; v <= BALLOTS; v++) {
				for (c = 0; c <= SLOTS; c++) {
					if (!model_sent(m, SENT_ACCEPT(b, s, v, c)))
						continue;
					if (found && found != v)
						model_fail("two values for one slot at one ballot");
					found = v;
				}
			}
		}
	}
}

void rules_step(const struct member *before, const struct input *in, const struct member *after)
{
	if (in->type != IN_CRASH && after->group.promised < before->group.promised)
		model_fail("the promise sinks");
	if (after->disk.promised < before->disk.promised)
		model_fail("the promise on disk sinks");
	if (after->group.promised < after->disk.promised)
		model_fail("S3: the disk promises more than memory");
	if (after->group.mute || after->disk.mute)
		model_fail("a member is mute, and nothing is damaged");
	if (in->type != IN_CRASH && in->type != IN_AGENT)
		check_records(before, before->nrecords - (in->type == IN_DURABLE), after);
	check_kept(after);
	check_one_value(after);
}

static void digest_slot(const struct member *m, u8 s, struct digest *d)
{
	const struct model_slot *slot = &m->group.slot[s - 1];
	const struct model_slot *disk = &m->disk.slot[s - 1];
	u8 b, v;

	memcpy(d->vote[s - 1], m->vote[s - 1], sizeof(d->vote[s - 1]));
	d->committed[s - 1] = m->group.commit >= s || m->disk.commit >= s;
	if (slot->flags & PXS_SLOT_DECIDED)
		d->claims[s - 1] |= (u8)(1 << (slot->vid - 1));
	if (disk->flags & PXS_SLOT_DECIDED)
		d->claims[s - 1] |= (u8)(1 << (disk->vid - 1));
	for (b = 1; b <= BALLOTS; b++) {
		for (v = 1; v <= BALLOTS; v++)
			if (model_sent(m, SENT_LEARN(s, b, v)))
				d->claims[s - 1] |= (u8)(1 << (v - 1));
	}
}

void rules_digest(const struct member *m, struct digest *d)
{
	u32 code;
	u8 b, s;

	memset(d, 0, sizeof(*d));
	for (s = 1; s <= SLOTS; s++)
		digest_slot(m, s, d);
	d->promised = m->group.promised;
	d->prepare = m->group.prepare;
	d->disk_promised = m->disk.promised;
	for (b = 0; b < BALLOTS; b++) {
		for (code = 0; code < CODES; code++) {
			if (!model_sent(m, SENT_PROMISE(b + 1, code)))
				continue;
			if (d->ncodes[b] == DIGEST_CODES)
				model_fail("DIGEST_CODES is too small");
			else
				d->code[b][d->ncodes[b]++] = (u16)code;
		}
	}
}

/* The value that a quorum of phase 2 holds on disk at one ballot, 0: none. */
static u8 chosen_at(const struct digest *const d[MEMBERS], u8 s, u8 b)
{
	u8 i, j, n;

	for (i = 0; i < MEMBERS; i++) {
		u8 v = d[i]->vote[s - 1][b - 1];

		for (j = 0, n = 0; j < MEMBERS; j++)
			n += v == d[j]->vote[s - 1][b - 1];
		if (v && n >= PHASE2)
			return v;
	}
	return 0;
}

void rules_world(const struct digest *const d[MEMBERS])
{
	u8 s, b, i;

	for (s = 1; s <= SLOTS; s++) {
		u8 chosen = 0;

		for (b = 1; b <= BALLOTS; b++) {
			u8 v = chosen_at(d, s, b);

			if (chosen && v && v != chosen)
				model_fail("AGREEMENT: two values are chosen for slot %u", s);
			if (v)
				chosen = v;
		}
		for (i = 0; i < MEMBERS; i++) {
			if (d[i]->claims[s - 1] & ~(chosen ? 1 << (chosen - 1) : 0))
				model_fail("a value is taken for decided that is not chosen");
			if (d[i]->committed[s - 1] && !chosen)
				model_fail("a slot is committed, and no value is chosen");
		}
	}
}
