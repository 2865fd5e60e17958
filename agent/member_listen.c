// SPDX-License-Identifier: GPL-2.0
/*
 * member_listen.c - where this member listens when its address is not this host's
 *
 * `paxsteer member set` can give a member an address that its host does not have: a digit is wrong,
 * or the host gets it later. That is decided then, and the daemon has other groups to think of: so
 * this one listens where it did before, or, after a start, as the file says. What it sends counts
 * as ever; nobody sends anything to it until another change gives it the address where it is. Of
 * that one it hears: a heartbeat of a later epoch says that it lags, and then it asks.
 */
#include "member.h"

#include "node.h"
#include "report.h"

static bool same_address(const struct pxs_address *a, const struct pxs_address *b)
{
	return a->len == b->len && !memcmp(&a->storage, &b->storage, a->len);
}

/* Not this host's; or the module has the group from a former life, which listens there. */
static bool may_be_elsewhere(int err)
{
	return err == -EADDRNOTAVAIL || err == -EEXIST;
}

static int add_elsewhere(struct pxs_replica *r, struct pxs_address *own)
{
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_address in_force = *own;
	char text[64], at[64];
	int err;

	*own = r->members.listens;
	err = dp->ops->group_add(dp, r->config);
	*own = in_force;
	if (err)
		return err;
	pxs_address_format(&in_force, text, sizeof(text));
	pxs_address_format(&r->members.listens, at, sizeof(at));
	pxs_err("group %u: this member is %s for the others, which is no address of this host: it listens at %s, where they do not send: give it another one (paxsteer member set), or start again when the host has it",
		r->id, text, at);
	return 0;
}

int pxs_member_add(struct pxs_replica *r)
{
	struct pxs_address *own = &r->config->address[r->config->conf.self];
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_members *ms = &r->members;
	int err = dp->ops->group_add(dp, r->config);

	ms->elsewhere = false;
	if (may_be_elsewhere(err) && !same_address(own, &ms->listens)) {
		if (!add_elsewhere(r, own)) {
			ms->elsewhere = true;
			return 0;
		}
	}
	if (err)
		pxs_err("group %u: add: %s", r->id, strerror(-err));
	else
		ms->listens = *own;
	return err;
}
