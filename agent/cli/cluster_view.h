/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_view.h - the members of a group, and how each of them is
 *
 * Who the members are, a daemon says whose socket is given. How each of them is, it says itself:
 * its daemon, if its socket is given, too, or else its store, over the network.
 *
 * A look is about all groups of a store at one moment: it is taken once, and turned from one to the
 * next.
 */
#ifndef PXS_CLI_CLUSTER_VIEW_H
#define PXS_CLI_CLUSTER_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/paxsteer.h>

#include "cluster_ask.h"
#include "paxsteer.h"

#define CLUSTER_ASK_MS	1000u

struct cli;
struct where;

struct cluster_view {
	json_t *status[PXS_LOG_SOCKETS_MAX];	/* of each socket; NULL: no answer */
	json_t *group[PXS_LOG_SOCKETS_MAX];	/* in it; borrowed */
	unsigned int n;
	json_t *best;		/* the leader's word, or any's; borrowed */
	unsigned int at;	/* whose socket that is */
	uint64_t now;		/* the group that all these are about */
	uint64_t part[CLUSTER_PARTS_MAX];	/* the groups of its store, ascending; or itself */
	unsigned int nparts;
	unsigned int nheard;	/* members whose stores were asked, each once */
	struct cluster_heard {
		uint64_t id;
		struct cluster_answer answer;
	} heard[PXS_MEMBERS_MAX + 1];
	char why[256];		/* the last one that did not answer */
};

/* One member. Texts are the view's. */
struct cluster_row {
	uint64_t id, commit, incarnation;
	uint64_t heard;		/* the slot up to which the best has heard of it; 0: not yet */
	const char *address, *role, *store;	/* store: NULL: not known */
	const char *state;	/* NULL: it did not answer */
	bool votes;
	char why[CLUSTER_WHY_MAX];	/* empty: it answered */
};

/* A number of an object of the status; 0: it is not there. */
uint64_t cluster_number(json_t *o, const char *key);

/* Likewise of one that is written "0x...". */
uint64_t cluster_hex(json_t *o, const char *key);

/* Member @id in a group of the status; NULL: it is not there. Borrowed. */
json_t *cluster_member(json_t *group, uint64_t id);

/* Of a status: does this member vote, is this group led there? NULL does not, and is not. */
bool cluster_votes(json_t *member);
bool cluster_leads(json_t *group);

/* Ask the daemons. Return: an exit status. The view is to be freed in any case. */
int cluster_view_take(struct cli *cli, const struct where *w, struct cluster_view *v);
void cluster_view_free(struct cluster_view *v);

/* From now on it is about @group. Return: 0, or -1: no daemon has that one, and it is as it was. */
int cluster_view_turn(struct cluster_view *v, uint64_t group);

/* Why `cluster add` and `remove` change no members here; NULL: they do. Borrowed. */
const char *cluster_view_kept(const struct cluster_view *v);

/* What member @id says of the group, if its socket was given; else NULL. Borrowed. */
json_t *cluster_view_own(const struct cluster_view *v, uint64_t id);

/*
 * How is member @id, by its own word: its daemon's, or that of its store at @store (NULL: not
 * known)? @password: may be NULL.
 */
void cluster_view_ask(struct cluster_view *v, uint64_t id, const char *store,
		      const char *password, struct cluster_answer *a);

/* All members, each asked; at most PXS_MEMBERS_MAX. Return: how many. */
unsigned int cluster_view_rows(struct cluster_view *v, const char *password,
			       struct cluster_row *row);

/*
 * The store's password: the first line of @path, which may be NULL: the usual file, which need not
 * be there. Return: an exit status.
 */
int cluster_password_read(struct cli *cli, const char *path, char *text, size_t size);

#endif /* PXS_CLI_CLUSTER_VIEW_H */
