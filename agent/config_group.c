// SPDX-License-Identifier: GPL-2.0
/*
 * config_group.c - the configuration's sections "group"
 *
 * Their values were checked one by one as they were read (config.c); here is what they mean
 * together.
 */
#include "config_parts.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "store_config.h"

#define STORE_RETAIN	16	/* windows */

static int load_member(struct pxs_config *c, struct pxs_group_config *g, cfg_t *member, u32 i)
{
	char where[64];
	u32 id;

	if (pxs_config_title(c, member, "member", PXS_MEMBER_ID_MAX, &id))
		return -EINVAL;
	snprintf(where, sizeof(where), "group %u: member %u", g->conf.id, id);
	if (pxs_config_want(c, member, where, "address") || pxs_config_want(c, member, where, "incarnation"))
		return -EINVAL;
	g->conf.member[i].id = (u8)id;
	pxs_config_incarnation(cfg_getstr(member, "incarnation"), &g->conf.member[i].incarnation);
	return pxs_address_parse(cfg_getstr(member, "address"), &g->address[i]);
}

/* Voters first, each kind in the order of the file. */
static int load_members(struct pxs_config *c, struct pxs_group_config *g, cfg_t *group,
			const char *where)
{
	u32 n = cfg_size(group, "member"), i, learners = 0, at = 0;
	bool learns;
	u8 pass;

	for (i = 0; i < n; i++)
		learners += cfg_getbool(cfg_getnsec(group, "member", i), "learner");
	if ((n - learners != 3 && n - learners != 5) || n > PXS_MEMBERS_MAX) {
		pxs_err("%s:%d: %s: has %u members, %u of them learners; a group begins with 3 or 5 that vote, and has %u at most",
			c->file, group->line, where, n, learners, PXS_MEMBERS_MAX);
		return -EINVAL;
	}
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n; i++) {
			learns = cfg_getbool(cfg_getnsec(group, "member", i), "learner");
			if (learns == pass &&
			    load_member(c, g, cfg_getnsec(group, "member", i), at++))
				return -EINVAL;
		}
	}
	g->conf.nmembers = (u8)n;
	g->conf.learners = (u8)learners;
	return 0;
}

/* What the module made of a log must not be forgotten by the log, nor be two logs' at once. */
static const char *tables_refusal(const struct pxs_config *c, const struct pxs_group_config *g)
{
	const struct pxs_group_config *other;

	if (g->store)
		return "tables: the log is the store's";
	if (g->conf.memory)
		return "tables: need durability disk";
	if (g->retain)
		return "tables: need retain 0, they are made again from the whole log";
	for (other = c->group; other < g; other++)
		if (other->tables)
			return "tables: another group has them; a node follows one";
	return NULL;
}

/* Without the setting a store's log is trimmed behind its checkpoints, any other's is not. */
static const char *load_retain(struct pxs_group_config *g, cfg_t *group)
{
	long retain = cfg_getint(group, "retain");

	if (retain < 0)
		retain = cfg_size(group, "store") ? STORE_RETAIN * (long)g->conf.window : 0;
	g->retain = (u64)retain;
	return retain && g->retain < PXS_RETAIN_WINDOWS * (u64)g->conf.window ?
		       "retain must be 0 or at least two windows" : NULL;
}

int pxs_config_group_load(struct pxs_config *c, struct pxs_group_config *g, cfg_t *group)
{
	const char *wrong;
	u32 i, self;
	char where[32];
	int err;

	if (pxs_config_title(c, group, "group", 0x7fffffff, &g->conf.id))
		return -EINVAL;
	snprintf(where, sizeof(where), "group %u", g->conf.id);
	if (pxs_config_want(c, group, where, "self"))
		return -EINVAL;
	if (load_members(c, g, group, where))
		return -EINVAL;
	g->conf.self = 0xff;
	self = (u32)cfg_getint(group, "self");
	for (i = 0; i < g->conf.nmembers; i++)
		if (g->conf.member[i].id == self)
			g->conf.self = (u8)i;
	memcpy(g->conf.cluster, c->cluster, sizeof(g->conf.cluster));
	g->keys = c->keys;
	g->keys.key[0].id = (u8)cfg_getint(group, "key-id");
	g->keys.key[1].id = (u8)cfg_getint(group, "also-key-id");
	g->conf.epoch = (u64)cfg_getint(group, "epoch");
	g->conf.memory = !strcmp(cfg_getstr(group, "durability"), "memory");
	g->conf.window = (u32)cfg_getint(group, "window");
	g->conf.heartbeat_ms = (u32)cfg_getint(group, "heartbeat");
	g->conf.election_ms = (u32)cfg_getint(group, "election");
	g->conf.lease_drift = (u32)cfg_getint(group, "lease-drift");
	wrong = pxs_group_check_conf(&g->conf);
	if (!wrong)
		wrong = pxs_keys_check(&g->keys);
	err = wrong ? 0 : pxs_store_config_load(c, g, group);
	if (err)
		return err;
	g->tables = cfg_getbool(group, "tables");
	if (!wrong)
		wrong = load_retain(g, group);
	if (!wrong && g->tables)
		wrong = tables_refusal(c, g);
	if (!wrong)
		return 0;
	pxs_err("%s:%d: %s: %s", c->file, group->line, where, wrong);
	return -EINVAL;
}
