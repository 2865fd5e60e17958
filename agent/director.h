/* SPDX-License-Identifier: GPL-2.0 */
/*
 * director.h - steering tables that a group agrees on, made in this host's module
 *
 * The log of a group with `tables = true` holds changes of services and backends (change.h). Each
 * member executes them in the order of their slots, in the module of its own namespace, which
 * remembers the slot of the last one and a digest of all outcomes (kmod/core/agreed.h). So an agent
 * that starts again goes on where the module stands; a module that was loaded anew gets all of
 * them, and steers nothing of the group before it has what was decided when a leader was heard.
 * Behind its changes the leader proposes a check: slot and digest. Who differs says so and goes on,
 * as nobody can tell which one is wrong.
 */
#ifndef PXS_AGENT_DIRECTOR_H
#define PXS_AGENT_DIRECTOR_H

#include "fetch.h"
#include "link.h"

struct pxs_node;
struct pxs_replica;

#define PXS_DIRECTOR_SEEN	64u	/* digests remembered, to be compared with the leader's */
#define PXS_DIRECTOR_PATIENCE_MS 5000u	/* how long a client waits for the module */

/* Somebody waits for what becomes of a change. */
struct pxs_director_wait {
	struct pxs_director_wait *next;
	/*
	 * The change in @slot was executed here, and the kernel said @err (0 or -errno) and @words;
	 * not @known: it was or will be, and nobody can tell what comes of it. Frees it if it owns
	 * it.
	 */
	void (*done)(struct pxs_director_wait *w, bool known, u64 slot, int err, const char *words);
	u64 slot;
	u64 deadline;
};

struct pxs_director {
	struct pxs_director *next;
	struct pxs_node *node;
	struct pxs_replica *replica;
	struct pxs_link link;
	struct pxs_hook hook;
	struct pxs_ticker ticker;
	struct pxs_fetch fetch;
	bool synced;		/* the module follows the group, and applied is where it stands */
	bool complained;	/* ... about why not */
	bool stopped;		/* an entry that cannot be read: nothing goes on */
	bool held;		/* the module's, as we know it */
	bool parted;		/* said that this member was removed: nothing is decided here */
	bool heard;		/* a leader: target is what was decided by then */
	u64 target;
	u64 retry;		/* not synced: not before then */
	u64 look;		/* synced: is it still? not before then */
	u64 applied;		/* every entry up to it is executed, or was no change */
	u64 slot;		/* the module's: of the last change */
	u64 digest;
	u64 checked;		/* up to this slot the digest was told to all */
	bool checking;		/* a check is under way */
	u64 diverged;		/* slot at which ours and the leader's differed; 0: nowhere */
	struct {
		u64 slot;
		u64 digest;
	} seen[PXS_DIRECTOR_SEEN];
	struct pxs_director_wait *waits;
};

/* For every group that says so; pxs_node_close() ends them. Return: 0 or -errno, said why. */
int pxs_directors_start(struct pxs_node *n);
void pxs_directors_stop(struct pxs_node *n);

struct pxs_director *pxs_director_of(struct pxs_node *n, const struct pxs_replica *r);

/* The change in @slot was decided: w->done() is called when it was executed, perhaps at once. */
void pxs_director_await(struct pxs_director *d, u64 slot, struct pxs_director_wait *w);

#endif /* PXS_AGENT_DIRECTOR_H */
