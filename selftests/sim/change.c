// SPDX-License-Identifier: GPL-2.0
/*
 * change.c - the members of a group change: who asks for it, and what the observer knows of it
 *
 * Where the schedule has F_MEMBER, every node has a part in every group from the start: the
 * founders as in the configuration file of all, the others as learners in their own, of whom nobody
 * else has heard. Changes are drawn at random, with faults close by. Two founders stay, so that who
 * joins or comes back late knows somebody to ask.
 */
#include "book.h"
#include "membership.h"

u64 sim_config_vid(const u8 *data, u32 len)
{
	u64 h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ *data++) * 0x100000001b3ull;
	return SIM_CONFIG | (h >> 8 & (SIM_CONFIG - 1));
}

u32 sim_node_of(const struct sim *s, u8 id)
{
	u32 i;

	for (i = 0; i < s->p.n && s->node[i].id != id; i++)
		;
	return i;
}

/* Somebody wrote it down: what its number means. */
void book_config(struct sim *s, u32 g, u64 vid, const u8 *data, u32 len)
{
	struct book *b = book_of(s, g);
	struct pxs_membership m;
	struct config *c;
	u32 i;

	for (i = 0; i < b->configs; i++)
		if (b->config[i].vid == vid)
			return;
	if (pxs_membership_parse(data, len, &m)) {
		sim_fail(s, "a configuration that makes no sense");
		return;
	}
	if (b->configs == SIM_CONFIGS) {
		sim_fail(s, "more than %u configurations", SIM_CONFIGS);
		return;
	}
	c = &b->config[b->configs++];
	*c = (struct config){ .vid = vid, .epoch = m.epoch };
	c->phase1 = m.phase1 ? m.phase1 : (m.nmembers - m.learners) / 2u + 1;
	c->phase2 = m.phase2 ? m.phase2 : (m.nmembers - m.learners) / 2u + 1;
	for (i = 0; i < m.nmembers; i++) {
		c->members |= 1u << sim_node_of(s, m.member[i].id);
		if (i < (u32)(m.nmembers - m.learners))
			c->voters |= 1u << sim_node_of(s, m.member[i].id);
	}
}

/* The configuration of @epoch, as it was chosen; NULL: none was. */
const struct config *book_epoch(const struct sim *s, u32 g, u64 epoch)
{
	const struct book *b = book_of(s, g);
	u32 i;

	for (i = 0; i < b->configs; i++)
		if (b->config[i].epoch == epoch && b->config[i].slot)
			return &b->config[i];
	return NULL;
}

static u32 founders(const struct sim *s, u32 g)
{
	u32 i, nodes = 0;

	for (i = 0; i < s->group[g].founders; i++)
		nodes |= 1u << s->group[g].node[i];
	return nodes;
}

u32 book_voters(const struct sim *s, u32 g, u64 epoch)
{
	const struct config *c = epoch > 1 ? book_epoch(s, g, epoch) : NULL;

	return c ? c->voters : epoch == 1 ? founders(s, g) : 0;
}

/* What is in force, whoever chose it. */
static struct config in_epoch(const struct sim *s, u32 g, u64 epoch)
{
	const struct config *c = epoch > 1 ? book_epoch(s, g, epoch) : NULL;
	const struct sim_group *sg = &s->group[g];
	u32 majority = sg->founders / 2u + 1;

	if (c)
		return *c;
	if (epoch != 1)
		return (struct config){ .phase1 = ~0u, .phase2 = ~0u };
	return (struct config){
		.voters = founders(s, g),
		.phase1 = sg->phase1 ? sg->phase1 : majority,
		.phase2 = sg->phase2 ? sg->phase2 : majority,
	};
}

u32 book_phase1(const struct sim *s, u32 g, u64 epoch)
{
	return in_epoch(s, g, epoch).phase1;
}

u32 book_phase2(const struct sim *s, u32 g, u64 epoch)
{
	return in_epoch(s, g, epoch).phase2;
}

/* Is there a quorum of phase 1 of @one without a voter of one of phase 2 of @two? */
static bool can_miss(const struct config *one, const struct config *two)
{
	u32 a, b;

	for (a = one->voters; a; a = (a - 1) & one->voters) {
		if (__builtin_popcount(a) != (int)one->phase1)
			continue;
		for (b = two->voters; b; b = (b - 1) & two->voters)
			if (__builtin_popcount(b) == (int)two->phase2 && !(a & b))
				return true;
	}
	return false;
}

static u64 last_epoch(const struct sim *s, u32 g)
{
	u64 epoch = 1;

	while (book_epoch(s, g, epoch + 1))
		epoch++;
	return epoch;
}

/* Is @n a member of what the log has come to? Then it must come to it, too. */
bool sim_is_member(const struct sim *s, u32 g, const struct sim_node *n)
{
	const struct config *c = book_epoch(s, g, last_epoch(s, g));

	return (c ? c->members : founders(s, g)) >> sim_index(s, n) & 1;
}

bool sim_is_current(const struct sim *s, u32 g, const struct sim_node *n)
{
	return n->part[g].core.conf.epoch == last_epoch(s, g);
}

/* @vid was chosen for @slot at a ballot of @epoch. */
void book_chosen(struct sim *s, u32 g, u64 slot, u64 vid, u64 epoch)
{
	const struct config *next = book_epoch(s, g, epoch + 1);
	struct book *b = book_of(s, g);
	struct config now;
	u64 t;
	u32 i;

	if (next && slot > next->slot)
		sim_fail(s, "S9: slot %llu is chosen in epoch %llu, which ended with slot %llu",
			 U(slot), U(epoch), U(next->slot));
	if (vid < SIM_CONFIG)
		return;
	for (i = 0; i < b->configs && b->config[i].vid != vid; i++)
		;
	if (i == b->configs || b->config[i].epoch != epoch + 1 ||
	    (next && next->slot != slot)) {
		sim_fail(s, "S9: slot %llu: a configuration is chosen that is not of epoch %llu",
			 U(slot), U(epoch + 1));
		return;
	}
	if (!b->config[i].slot)
		s->stat.changed++;
	now = in_epoch(s, g, epoch);
	if (!b->config[i].slot && (b->config[i].phase1 != now.phase1 ||
				   b->config[i].phase2 != now.phase2))
		s->stat.resized++;
	if (__builtin_popcount(b->config[i].voters ^ now.voters) > 1)
		sim_fail(s, "S9: epoch %llu has more than one voter that differs", U(epoch + 1));
	if (can_miss(&b->config[i], &now) || can_miss(&b->config[i], &b->config[i]))
		sim_fail(s, "S9: phase 1 of epoch %llu, %u voters, can miss a phase 2 of %u or of %u",
			 U(epoch + 1), b->config[i].phase1, now.phase2, b->config[i].phase2);
	b->config[i].slot = slot;
	for (t = slot + 1; t <= b->top && t < SIM_SLOTS; t++)
		if (b->slot[t].chosen && b->slot[t].epoch <= epoch)
			sim_fail(s, "S9: epoch %llu ends with slot %llu, and slot %llu is chosen in it",
				 U(epoch), U(slot), U(t));
}

/* --- who asks for it ------------------------------------------------------------------- */

static void changed(void *ctx, u32 error, u64 epoch)
{
	struct sim *s = ctx;

	TRACE(s, "members changed, epoch %llu: %u", U(epoch), error);
}

static bool in_conf(const struct pxs_group_conf *conf, u8 id)
{
	u8 i;

	for (i = 0; i < conf->nmembers; i++)
		if (conf->member[i].id == id)
			return true;
	return false;
}

/* A node that never was a member; who was and is no more does not come back with that journal. */
static const struct sim_node *stranger(struct sim *s, u32 g, const struct pxs_group_conf *conf,
				       u32 any)
{
	const struct book *b = book_of(s, g);
	u32 was = founders(s, g), i, k;

	for (i = 0; i < b->configs; i++)
		was |= b->config[i].members;
	for (i = 0; i < s->group[g].n; i++) {
		k = s->group[g].node[(i + any) % s->group[g].n];
		if (!(was >> k & 1) && !in_conf(conf, s->node[k].id))
			return &s->node[k];
	}
	return NULL;
}

static bool may_go(const struct sim *s, u32 g, const struct pxs_group_conf *conf, u8 id)
{
	u32 i, left = 0, nodes = founders(s, g);

	for (i = 0; i < conf->nmembers; i++)
		if (conf->member[i].id != id)
			left += nodes >> sim_node_of(s, conf->member[i].id) & 1;
	return left >= 2;
}

/* Sizes of all kinds, those that must be refused among them. */
static u32 resize(struct sim *s, struct pxs_replica *r, u32 any, char *words)
{
	u8 voters = pxs_group_voters(&r->config->conf);
	u32 majority = voters / 2u + 1, phase1, phase2 = 1 + any % majority;

	any /= majority;
	phase1 = any & 1 ? majority + any / 2 % voters : max(voters + 1 - phase2, majority);
	if (!(any % 7)) {
		phase1 = 0;
		phase2 = 0;
	}
	return pxs_member_quorum(r, (u8)phase1, (u8)phase2, words, changed, s);
}

/* Return: it is under way. */
bool sim_change(struct sim *s, struct sim_node *n, u32 g, u32 kind, u32 any)
{
	struct pxs_replica *r = sim_replica(n, g);
	const struct pxs_group_conf *conf;
	struct pxs_wire_member w = { .family = 4, .port = cpu_to_be16(7400) };
	const struct sim_node *who;
	char words[PXS_MEMBER_WORDS];
	enum pxs_member_op op;
	u32 error;
	u8 id;

	if (!r || !pxs_elect_ready(&r->elect))
		return false;
	if (kind > 4) {
		sim_enter(s, n);
		error = resize(s, r, any, words);
		TRACE(s, "node %u group %u: change of quorums: %u", sim_index(s, n), g, error);
		if (!error)
			sim_agent_settle(s, n);
		return !error;
	}
	conf = &r->config->conf;
	who = stranger(s, g, conf, any);
	id = conf->member[any % conf->nmembers].id;
	op = kind == 0 && who ? PXS_MEMBER_ADD : kind < 3 ? PXS_MEMBER_PROMOTE :
	     kind == 3 ? PXS_MEMBER_REMOVE : PXS_MEMBER_DEMOTE;
	if (op == PXS_MEMBER_ADD) {
		id = who->id;
		w.incarnation = cpu_to_be64(who->known);
		w.addr[3] = id;
	}
	if (op == PXS_MEMBER_PROMOTE && conf->learners)
		id = conf->member[conf->nmembers - 1 - any % conf->learners].id;
	if (op == PXS_MEMBER_REMOVE && !may_go(s, g, conf, id))
		return false;
	sim_enter(s, n);
	error = pxs_member_change(r, op, id, &w, kind == 1, words, changed, s);
	TRACE(s, "node %u group %u: change %u of member %u: %u", sim_index(s, n), g, op, id, error);
	if (!error)
		sim_agent_settle(s, n);
	return !error;
}
