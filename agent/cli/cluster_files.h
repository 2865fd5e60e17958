/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_files.h - the files of one machine of a new cluster, all or none, and durable
 *
 * Nothing is ever overwritten. The configuration comes last, behind the journal: a daemon can
 * start only when all is there, so an end half way is a machine that is in no cluster. What was
 * made before something failed is removed again; no daemon can have seen it.
 */
#ifndef PXS_CLI_CLUSTER_FILES_H
#define PXS_CLI_CLUSTER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pxs_identity;

#define CLUSTER_FILES_MAX	5
#define CLUSTER_REASON_MAX	512u	/* bytes of a reason, with a 0 */

struct cluster_file {
	const char *path;
	const char *text;
	size_t len;
	mode_t mode;
	bool daemons;		/* its owner is whom the daemon runs as */
};

struct cluster_files {
	const char *dir[2];	/* made where they are missing; their parents are not. NULL: none */
	struct cluster_file file[CLUSTER_FILES_MAX];	/* the last one is the configuration */
	unsigned int n;
	const char *journal;	/* and its parent, where that is missing: the daemon's */
	const struct pxs_identity *identity;
	uid_t uid;		/* whom the daemon runs as; (uid_t)-1: whoever runs this */
	gid_t gid;
};

/* Return: 0, or -1 with the reason in @error (CLUSTER_REASON_MAX bytes). So do those below. */
int cluster_files_make(const struct cluster_files *f, char *error);

/*
 * Read a bundle; "-" is standard input. A file that others may read is refused. *len: its bytes, up
 * to @size.
 */
int cluster_bundle_read(const char *path, char *text, size_t size, size_t *len, char *error);

/* A new file for one, durable; what is there is refused. */
int cluster_bundle_make(const char *path, const char *text, size_t len, char *error);

/* Put @text in the place of a bundle, durably, at once. */
int cluster_bundle_replace(const char *path, const char *text, size_t len, char *error);

/*
 * Read a file with a secret, into CLUSTER_SECRET_MAX bytes, with a 0 behind *len of it; what does
 * not fit is refused.
 */
#define CLUSTER_SECRET_MAX	1024u
int cluster_secret_read(const char *path, char *text, size_t *len, char *error);

/* Random bytes for keys. */
int cluster_draw(void *bytes, size_t len, char *error);

/* Who a user is; only root can be another one. NULL: paxsteer for root, else whoever runs this. */
int cluster_owner(const char *user, uid_t *uid, gid_t *gid, char *error);

#endif /* PXS_CLI_CLUSTER_FILES_H */
