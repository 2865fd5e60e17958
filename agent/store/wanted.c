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

static u64 hash(const struct pxs_db *db, struct pxs_str key)
{
	return pxs_siphash(&db->seed, key.data, key.len);
}

void pxs_wanted_add_key(struct pxs_wanted *w, const struct pxs_db *db, struct pxs_str key)
{
	if (w->n < PXS_WANTED_MAX && !pxs_wanted_has_key(w, db, key))
		w->key[w->n++] = hash(db, key);
}

bool pxs_wanted_has_key(const struct pxs_wanted *w, const struct pxs_db *db, struct pxs_str key)
{
	return w->n && has(w, hash(db, key));
}

void pxs_wanted_add(struct pxs_wanted *w, const struct pxs_db *db, const struct pxs_command *cmd,
		    u32 argc, const struct pxs_str *argv)
{
	u32 i = 0;

	w->all |= is_about_all(cmd);
	while (w->n < PXS_WANTED_MAX && (i = pxs_cmd_next_key(cmd, argc, i)))
		pxs_wanted_add_key(w, db, argv[i]);
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
		if (pxs_wanted_has_key(w, db, argv[i]))
			return true;
	return false;
}
