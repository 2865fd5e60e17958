// SPDX-License-Identifier: GPL-2.0
/*
 * store_where.c - where the members' stores listen, as the members change
 */
#include "store_where.h"

#include "config.h"

static const char *of_file(const struct pxs_group_config *g, u32 i)
{
	const struct pxs_member *m = &g->conf.member[i];
	u32 j;

	for (j = 0; j < PXS_MEMBERS_MAX; j++)
		if (g->file_where[j].id == m->id && g->file_where[j].incarnation == m->incarnation)
			return g->file_where[j].text;
	return "";
}

void pxs_store_where_follow(struct pxs_group_config *g, const struct pxs_membership *m)
{
	struct pxs_address a;
	u32 i;

	memset(g->where, 0, sizeof(g->where));
	for (i = 0; i < m->nmembers; i++) {
		if (!m->member[i].store_port) {
			strcpy(g->where[i], of_file(g, i));
			continue;
		}
		a = g->address[i];
		pxs_address_set_port(&a, m->member[i].store_port);
		pxs_address_format(&a, g->where[i], sizeof(g->where[i]));
	}
}

__be16 pxs_store_where_port(const struct pxs_group_config *g, u32 i)
{
	const struct pxs_address *member = &g->address[i];
	struct pxs_address a;

	if (!*g->where[i] || pxs_address_parse(g->where[i], &a) ||
	    pxs_address_ip_len(&a) != pxs_address_ip_len(member) ||
	    memcmp(pxs_address_ip(&a), pxs_address_ip(member), (size_t)pxs_address_ip_len(&a)))
		return 0;
	return pxs_address_port(&a);
}
