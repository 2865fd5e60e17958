/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wanted.h - keys that somebody waits for: who comes later waits behind him
 *
 * So that one that needs many keys at once gets them, though each of them is seldom free. This is
 * not state and holds nothing: it says in which order this member proposes. Who is ready in the log
 * (PREPARE, COMMIT) never waits for who is not, so nobody waits in a circle.
 */
#ifndef PXS_STORE_WANTED_H
#define PXS_STORE_WANTED_H

#include "command.h"

#define PXS_WANTED_MAX	256u	/* more are not noted */

struct pxs_wanted {
	u32 n;
	bool all;			/* FLUSHALL waits */
	u64 key[PXS_WANTED_MAX];	/* hashes: who meets one of another key waits in vain */
};

static inline void pxs_wanted_none(struct pxs_wanted *w)
{
	w->n = 0;
	w->all = false;
}

/* The keys of a command; of all, if it has none but writes. */
void pxs_wanted_add(struct pxs_wanted *w, const struct pxs_db *db, const struct pxs_command *cmd,
		    u32 argc, const struct pxs_str *argv);
bool pxs_wanted_has(const struct pxs_wanted *w, const struct pxs_db *db,
		    const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv);

/* One key, that is watched. */
void pxs_wanted_add_key(struct pxs_wanted *w, const struct pxs_db *db, struct pxs_str key);
bool pxs_wanted_has_key(const struct pxs_wanted *w, const struct pxs_db *db, struct pxs_str key);

#endif /* PXS_STORE_WANTED_H */
