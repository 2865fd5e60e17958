/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_invite.h - the bundle of which one more member of a running cluster is made
 *
 * Its incarnation is drawn here, and `cluster join` makes the journal with it: so the member can be
 * added to the group without anybody carrying a number back.
 */
#ifndef PXS_CLI_CLUSTER_INVITE_H
#define PXS_CLI_CLUSTER_INVITE_H

#include <stdbool.h>
#include <stdint.h>

#include "bundle.h"
#include "cluster_files.h"

struct cluster_view;

struct cluster_invite {
	struct bundle_member new;	/* its id, address and store; these set the incarnation */
	const char *etc;		/* directory with the key and the password */
	const char *file;		/* of the bundle */
	const char *datapath;		/* kernel, user, NULL: as the daemon here */
	uint64_t hours;			/* that it is good for */
	uint64_t until;			/* it is, in seconds of the epoch; 0: there is none */
};

/* Is there a file of that name? It is to be read, then, and not to be made. */
bool cluster_invite_there(const struct cluster_invite *v);

/*
 * Read the bundle: it must be for that member. Return: 0, or -1 with the reason in @error
 * (CLUSTER_REASON_MAX bytes). So do those below.
 */
int cluster_invite_read(struct cluster_invite *v, const struct cluster_view *view, char *error);

/* Can nobody join with it any more? */
bool cluster_invite_over(const struct cluster_invite *v);

/* Make it, of who the members are by @view. */
int cluster_invite_make(struct cluster_invite *v, const struct cluster_view *view, char *error);

/* Remove it, if there is one: it holds the key, and nobody is made of it any more. */
void cluster_invite_end(const struct cluster_invite *v);

#endif /* PXS_CLI_CLUSTER_INVITE_H */
