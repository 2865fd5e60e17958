// SPDX-License-Identifier: GPL-2.0
/*
 * member_shared.c - members of several groups that are one store: in which order they change
 *
 * Each group has members of its own, and they change one group at a time. But who leads a group
 * drives its transactions with the others, by what it has of their data (store/cross_drive.c): one
 * that may come to lead must be a member of all of them. So who comes is added to every group
 * before it votes in any, and who goes is demoted in every other group before it leaves one.
 *
 * What is known here of another group may be old, and two may ask at once. Then a leader may lack a
 * group's log: transactions with that group wait, or are aborted, until another one leads. Nothing
 * is decided wrongly.
 */
#include "member.h"

#include <stdio.h>

#include "node.h"

/* What @m is in group @g. */
enum place { ABSENT, ANOTHER, LEARNER, VOTER };

static enum place place_in(const struct pxs_group_config *g, const struct pxs_wire_member *m)
{
	int i = pxs_conf_member(&g->conf, m->id);

	if (i < 0)
		return ABSENT;
	if (g->conf.member[i].incarnation != be64_to_cpu(m->incarnation))
		return ANOTHER;
	return i < pxs_group_voters(&g->conf) ? VOTER : LEARNER;
}

static const char *first_to_do(enum pxs_member_op op, enum place place)
{
	if (op == PXS_MEMBER_PROMOTE && place == ABSENT)
		return "is not in group %u, which has a part of this store: add it there first";
	if (op == PXS_MEMBER_PROMOTE && place == ANOTHER)
		return "is another one in group %u, with another incarnation: one of them must go";
	if (op == PXS_MEMBER_REMOVE && place == VOTER)
		return "votes in group %u, which has a part of this store: demote it there first";
	return NULL;
}

bool pxs_member_shared(const struct pxs_replica *r, enum pxs_member_op op,
		       const struct pxs_wire_member *m, char *words)
{
	const struct pxs_config *c = &r->node->config;
	const struct pxs_group_config *g;
	const char *fmt = NULL;
	u32 i;
	int n;

	for (i = 0; r->config->home && i < c->ngroups && !fmt; i++) {
		g = &c->group[i];
		if (g != r->config && g->home == r->config->home)
			fmt = first_to_do(op, place_in(g, m));
	}
	if (!fmt)
		return false;
	n = snprintf(words, PXS_MEMBER_WORDS, "member %u ", m->id);
	snprintf(words + n, PXS_MEMBER_WORDS - (size_t)n, fmt, g->conf.id);
	return true;
}
