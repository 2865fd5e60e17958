// SPDX-License-Identifier: GPL-2.0
/*
 * wanted.c - keys that somebody waits for
 */
#include "wanted.h"

static bool is_about_all(const struct pxs_command *cmd)
{
	return !cmd->first && cmd->flags & PXS_CF_WRITE && !(cmd->flags & PXS_CF_SAGA);
}

static bool has(const struct pxs_wanted *w, u64 key)
{
	u32 i = 0;

	while (i < w->n && w->key[i] != key)
		i++;
	return i < w->n;
}

void pxs_wanted_add(struct pxs_wanted *w, const struct pxs_db *db, const struct pxs_command *cmd,
		    u32 argc, const struct pxs_str *argv)
{
	u32 i = 0;
	u64 key;

	w->all |= is_about_all(cmd);
	while (w->n < PXS_WANTED_MAX && (i = pxs_cmd_next_key(cmd, argc, i))) {
		key = pxs_siphash(&db->seed, argv[i].data, argv[i].len);
		if (!has(w, key))
			w->key[w->n++] = key;
	}
}

bool pxs_wanted_has(const struct pxs_wanted *w, const struct pxs_db *db,
		    const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv)
{
	u32 i = 0;

	if (is_about_all(cmd))
		return w->n || w->all;
	if (w->all && cmd->first)
		return true;
	while (w->n && (i = pxs_cmd_next_key(cmd, argc, i)))
		if (has(w, pxs_siphash(&db->seed, argv[i].data, argv[i].len)))
			return true;
	return false;
}
