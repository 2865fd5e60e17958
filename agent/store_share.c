// SPDX-License-Identifier: GPL-2.0
/*
 * store_share.c - several groups that are one store: the settings of those that another names
 *
 * `groups` in the section "store" of one group names all groups of the store, itself among them.
 * The others have no section of their own: they get a copy of that one, without listeners and
 * with a directory beside it.
 */
#include "store_config.h"

#include <stdio.h>

#include "report.h"

static struct pxs_group_config *find(struct pxs_config *c, u32 id)
{
	u32 i;

	for (i = 0; i < c->ngroups; i++)
		if (c->group[i].conf.id == id)
			return &c->group[i];
	return NULL;
}

/* A member's place in a group is its name to the store, so they must be alike. */
static bool same_members(const struct pxs_group_config *a, const struct pxs_group_config *b)
{
	u32 i;

	if (a->conf.nmembers != b->conf.nmembers)
		return false;
	for (i = 0; i < a->conf.nmembers; i++)
		if (a->conf.member[i].id != b->conf.member[i].id)
			return false;
	return true;
}

/* Return: NULL, or what is wrong with group @id as a part of @home. */
static const char *check(const struct pxs_group_config *home, const struct pxs_group_config *g)
{
	if (!g)
		return "there is no such group in this file";
	if (g == home)
		return NULL;
	if (g->store && g->store->part)
		return "it belongs to another store already";
	if (g->store)
		return "it has a section store of its own";
	if (!same_members(home, g))
		return "its members are not the same, in the same order";
	return NULL;
}

static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static int copy(struct pxs_group_config *g, const struct pxs_group_config *home)
{
	const struct pxs_store_config *from = home->store;
	struct pxs_store_config *s = malloc(sizeof(*s));
	bool ok;

	if (!s)
		return -ENOMEM;
	*s = *from;
	s->ngroups = 0;
	s->part = true;
	s->nlisten = 0;
	s->eventual = (struct pxs_prefixes){ 0 };	/* of the whole store: the home's */
	memset(s->listen_text, 0, sizeof(s->listen_text));
	ok = copy_text(&s->password, from->password);
	if (asprintf(&s->directory, "%s-%u", from->directory, g->conf.id) < 0)
		s->directory = NULL;
	g->store = s;
	memcpy(g->file_where, home->file_where, sizeof(g->file_where));
	memcpy(g->where, home->where, sizeof(g->where));
	return ok && s->directory ? 0 : -ENOMEM;
}

static int share(struct pxs_config *c, struct pxs_group_config *home)
{
	struct pxs_store_config *s = home->store;
	struct pxs_group_config *g;
	const char *wrong;
	bool itself = false;
	u32 i;

	for (i = 0; i < s->ngroups; i++) {
		g = find(c, s->group[i]);
		itself |= g == home;
		wrong = check(home, g);
		if (!wrong)
			continue;
		pxs_err("%s: group %u: store: groups: group %u: %s", c->file, home->conf.id,
			s->group[i], wrong);
		return -EINVAL;
	}
	if (!itself) {
		pxs_err("%s: group %u: store: groups: group %u itself is not among them", c->file,
			home->conf.id, home->conf.id);
		return -EINVAL;
	}
	for (i = 0; i < s->ngroups; i++) {
		g = find(c, s->group[i]);
		g->home = s->ngroups > 1 ? home->conf.id : 0;
		g->eventual = home->eventual;
		if (g != home && copy(g, home))
			return -ENOMEM;
	}
	if (s->ngroups == 1)
		s->ngroups = 0;		/* as if it had not been said */
	return 0;
}

int pxs_store_config_share(struct pxs_config *c)
{
	int err = 0;
	u32 i;

	for (i = 0; i < c->ngroups && !err; i++)
		if (c->group[i].store && c->group[i].store->ngroups)
			err = share(c, &c->group[i]);
	return err;
}
