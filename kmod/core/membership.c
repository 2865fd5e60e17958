// SPDX-License-Identifier: GPL-2.0
/*
 * membership.c - who the members are, and how that changes through the log
 *
 * See membership.h for the rules, and why they are enough.
 */
#include "membership.h"
#include "acceptor.h"
#include "leader.h"

static bool is_zero(const u8 *p, u32 len)
{
	while (len--)
		if (*p++)
			return false;
	return true;
}

static const char *check_member(const struct pxs_wire_member *w)
{
	if (!w->id || w->id > PXS_MEMBER_ID_MAX)
		return "member id must be 1..63";
	if (!w->incarnation)
		return "member incarnation must not be 0";
	if (!w->port || (w->family != 4 && w->family != 6))
		return "a member has no address";
	if (!is_zero(w->reserved, sizeof(w->reserved)) ||
	    (w->family == 4 && !is_zero(w->addr + 4, sizeof(w->addr) - 4)))
		return "reserved bytes of a member are not 0";
	return NULL;
}

static const char *check_members(const struct pxs_membership *m)
{
	const struct pxs_wire_member *a, *b;
	const char *wrong;
	u32 i, j;

	for (i = 0; i < m->nmembers; i++) {
		a = &m->member[i];
		wrong = check_member(a);
		if (wrong)
			return wrong;
		for (j = 0; j < i; j++) {
			b = &m->member[j];
			if (a->id == b->id)
				return "member id given twice";
			if (a->incarnation == b->incarnation)
				return "member incarnation given twice";
			if (a->family != b->family)
				return "all members must have the same address family";
			if (a->port == b->port && !memcmp(a->addr, b->addr, sizeof(a->addr)))
				return "two members have the same address and port";
		}
	}
	return NULL;
}

const char *pxs_membership_parse(const void *data, u32 len, struct pxs_membership *m)
{
	struct pxs_wire_config c;
	const char *wrong;

	if (len < sizeof(c))
		return "a configuration is too short";
	memcpy(&c, data, sizeof(c));
	if (!c.count || c.count > PXS_MEMBERS_MAX || c.learners >= c.count)
		return "a group has 1 to 7 members, one of which votes at least";
	if (len != sizeof(c) + c.count * sizeof(m->member[0]))
		return "a configuration has another length than its members";
	if (!is_zero(c.reserved, sizeof(c.reserved)) || !c.epoch)
		return "the head of a configuration is damaged";
	wrong = pxs_quorum_check(c.count - c.learners, c.phase1, c.phase2);
	if (wrong)
		return wrong;
	memset(m, 0, sizeof(*m));
	m->epoch = be64_to_cpu(c.epoch);
	m->nmembers = c.count;
	m->learners = c.learners;
	m->phase1 = c.phase1;
	m->phase2 = c.phase2;
	memcpy(m->member, (const u8 *)data + sizeof(c), len - sizeof(c));
	return check_members(m);
}

u32 pxs_membership_put(void *buf, const struct pxs_membership *m)
{
	struct pxs_wire_config c = {
		.epoch = cpu_to_be64(m->epoch), .count = m->nmembers, .learners = m->learners,
		.phase1 = m->phase1, .phase2 = m->phase2,
	};
	u32 bytes = m->nmembers * (u32)sizeof(m->member[0]);

	memcpy(buf, &c, sizeof(c));
	memcpy((u8 *)buf + sizeof(c), m->member, bytes);
	return (u32)sizeof(c) + bytes;
}

int pxs_membership_find(const struct pxs_membership *m, u8 id)
{
	int i;

	for (i = 0; i < m->nmembers; i++)
		if (m->member[i].id == id)
			return i;
	return -1;
}

static int find_now(const struct pxs_group_conf *now, u8 id)
{
	int i;

	for (i = 0; i < now->nmembers; i++)
		if (now->member[i].id == id)
			return i;
	return -1;
}

/* How many members are other ones, or in another role; *wrong: that must not be at all. */
static u32 differences(const struct pxs_group_conf *now, const struct pxs_membership *next,
		       const char **wrong)
{
	u8 voters_now = pxs_group_voters(now);
	u8 voters_next = next->nmembers - next->learners;
	u32 n = 0;
	int i, at;

	for (i = 0; i < next->nmembers; i++) {
		at = find_now(now, next->member[i].id);
		if (at < 0) {
			n++;
			if (i < voters_next)
				*wrong = "a new member is a learner first";
		} else if (now->member[at].incarnation !=
			   be64_to_cpu(next->member[i].incarnation)) {
			/* It remembers nothing of what the former one promised (S3). */
			n++;
			if (at < voters_now || i < voters_next)
				*wrong = "a voter with another incarnation is another member: remove it first";
		} else if ((at < voters_now) != (i < voters_next)) {
			n++;
		}
	}
	for (i = 0; i < now->nmembers; i++)
		n += pxs_membership_find(next, now->member[i].id) < 0;
	return n;
}

/* Members that vote in one of the two, or in both. */
static u32 voters_of_either(const struct pxs_group_conf *now, const struct pxs_membership *next)
{
	u8 voters_now = pxs_group_voters(now);
	u32 n = voters_now;
	int i, at;

	for (i = 0; i < next->nmembers - next->learners; i++) {
		at = find_now(now, next->member[i].id);
		n += at < 0 || at >= voters_now;
	}
	return n;
}

/*
 * Rule 4. Where the sizes stay as they are, and do for both numbers of voters, it holds; and so it
 * does for majorities. Here it is for any two configurations: does every quorum of phase 1 of
 * @next meet every one of phase 2 of @now?
 */
static bool meet(const struct pxs_group_conf *now, const struct pxs_membership *next)
{
	struct pxs_electorate phase1 = pxs_quorum_of(next->nmembers - next->learners, next->phase1);
	struct pxs_electorate phase2 = pxs_group_phase2(now);

	return (u32)phase1.enough + phase2.enough > voters_of_either(now, next);
}

static const char *check_quorums(const struct pxs_group_conf *now,
				 const struct pxs_membership *next, u32 differ)
{
	bool same = next->phase1 == now->phase1 && next->phase2 == now->phase2;

	if (!meet(now, next))
		return "phase1 could miss a phase2 of before: make phase2 larger first, in a change of its own";
	return !same && differ ? "sizes of quorums are changed by themselves, and no member with them" :
				 NULL;
}

const char *pxs_membership_check(const struct pxs_group_conf *now,
				 const struct pxs_membership *next)
{
	u8 voters = next->nmembers - next->learners;
	const char *wrong = NULL;
	u32 differ;

	if (next->epoch != now->epoch + 1)
		return "the configuration has changed meanwhile";
	if (voters < PXS_VOTERS_MIN || voters > PXS_VOTERS_MAX)
		return "a group has 2 to 5 members that vote";
	differ = differences(now, next, &wrong);
	if (differ > 1)
		return "one member is changed at a time";
	if (!wrong)
		wrong = pxs_quorum_check(voters, next->phase1, next->phase2);
	return wrong ? wrong : check_quorums(now, next, differ);
}

int pxs_membership_may(const struct pxs_group *g, const struct pxs_value *v)
{
	struct pxs_membership m;

	if (pxs_membership_parse(v->data, v->len, &m) || pxs_membership_check(&g->conf, &m))
		return -EINVAL;
	if (g->conf.memory)
		return -EOPNOTSUPP;
	/* What phase 1 found is finished as it was begun. */
	if (g->next_slot > g->found && g->commit + 1 != g->next_slot)
		return -EAGAIN;
	return 0;
}

void pxs_membership_decided(struct pxs_group *g, const struct pxs_value *v, struct pxs_out *out)
{
	struct pxs_membership m;

	if (g->over || pxs_membership_parse(v->data, v->len, &m) || m.epoch <= g->conf.epoch)
		return;
	g->over = true;
	/* The last time that we are heard in this epoch. */
	if (g->lead_ballot)
		pxs_leader_beat(g, g->beat_ms, out);
	pxs_leader_preempted(g, g->lead_ballot, out);
}

/* Behind a COMMIT that covers its slot, unless that was gone over to before it was here. */
bool pxs_membership_stage(struct pxs_group *g)
{
	const struct pxs_value *v = g->config;
	struct pxs_membership m;
	struct pxs_record r = {
		.group = g->conf.id,
		.type = PXS_RECORD_CONFIG,
		.ballot = g->config_slot,
	};

	if (!v || pxs_membership_parse(v->data, v->len, &m))
		return true;	/* the configuration file's are in force */
	r.slot = m.epoch;
	r.len = v->len;
	g->config_lsn = pxs_stage_append(g->stage, &r, v->data);
	if (!g->config_lsn)
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
	return g->config_lsn;
}

int pxs_membership_load(struct pxs_group *g, const struct pxs_record *r)
{
	struct pxs_membership m;
	struct pxs_value *v;

	if (pxs_membership_parse(r->data, r->len, &m) || m.epoch != g->conf.epoch ||
	    r->slot != m.epoch || !r->ballot || r->ballot > PXS_SLOT_MAX)
		return -EINVAL;
	v = pxs_value_of(r->data, r->len, PXS_ENTRY_CONFIG);
	if (!v)
		return -ENOMEM;
	pxs_value_put(g->config);
	g->config = v;
	g->config_slot = r->ballot;
	return 0;
}

/*
 * The commit index first: who restarts in the new epoch has all of the former one, as far as it
 * had it (pxs_group_mute()).
 */
static bool stage_move(struct pxs_group *g)
{
	struct pxs_record r = {
		.group = g->conf.id, .type = PXS_RECORD_COMMIT, .slot = g->commit,
	};

	if (!pxs_stage_append(g->stage, &r, NULL)) {
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
		return false;
	}
	g->commit_staged = g->commit;
	return pxs_membership_stage(g);
}

static const char *reason(const struct pxs_group *g, const struct pxs_membership *m)
{
	const struct pxs_member *self = &g->conf.member[g->conf.self];
	int at = pxs_membership_find(m, self->id);

	if (at < 0 || be64_to_cpu(m->member[at].incarnation) != self->incarnation)
		return PXS_REMOVED;
	return "goes over to the next configuration";
}

int pxs_group_move(struct pxs_group *g, u64 slot, const void *data, u32 len, u64 *lsn)
{
	struct pxs_value *v, *before = g->config;
	struct pxs_membership m;
	u64 before_slot = g->config_slot;

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (!slot || slot > max(g->commit, g->known_commit) ||
	    pxs_membership_parse(data, len, &m) || m.epoch <= g->conf.epoch)
		return -EINVAL;
	if (g->conf.memory)
		return -EOPNOTSUPP;
	v = pxs_value_of(data, len, PXS_ENTRY_CONFIG);
	if (!v)
		return -ENOMEM;
	g->config = v;
	g->config_slot = slot;
	if (!stage_move(g)) {
		g->config = before;
		g->config_slot = before_slot;
		pxs_value_put(v);
		return -EAGAIN;
	}
	pxs_value_put(before);
	*lsn = g->config_lsn;
	/* Answers that wait for their records are of the former epoch: lost, like datagrams. */
	g->state = PXS_GROUP_MOVED;
	g->fence_reason = reason(g, &m);
	g->parked_tail = g->parked_head;
	pxs_group_resign(g);
	return 0;
}
