/* SPDX-License-Identifier: GPL-2.0 */
/*
 * identity.h - the file "identity" of a journal directory, and who owns the directory
 *
 * The identity is written once, by `paxsteer journal init`, and never again. Its
 * incarnation goes into every member's configuration, like a public key: a lost
 * disk is a new incarnation, that is, a new member (S3).
 */
#ifndef PXS_AGENT_IDENTITY_H
#define PXS_AGENT_IDENTITY_H

#include "platform.h"
#include <linux/paxsteer.h>

#define PXS_IDENTITY_FILE	"identity"

struct pxs_identity {
	u64 incarnation;
	u8 cluster[PXS_CLUSTER_LEN];
	u32 member;
	u32 segment_size;
};

/*
 * Make directory @dir (it may exist if it is empty) with a fresh incarnation, which is
 * returned in id->incarnation; the rest of *id is what to write. All is on disk on return.
 * Return: 0, or -errno with the reason in @error.
 */
int pxs_identity_create(const char *dir, struct pxs_identity *id, char *error, size_t room);

/*
 * The same with the incarnation that is in *id. Only for one that was drawn for this journal and no
 * other: two journals with one incarnation would be one member with two memories (S3).
 */
int pxs_identity_place(const char *dir, const struct pxs_identity *id, char *error, size_t room);

/* Read and check the identity below @dirfd. Return: 0, or -errno with the reason. */
int pxs_identity_read(int dirfd, struct pxs_identity *id, char *error, size_t room);

/*
 * Take the exclusive lock on an open file. With @wait, a held lock is waited for, after
 * one line that says so. Return: 0, -EWOULDBLOCK, -errno.
 */
int pxs_own_file(int fd, const char *name, bool wait);

/* 16 bytes <-> 36 characters. Return: 0 or -EINVAL. */
int pxs_uuid_parse(const char *text, u8 uuid[PXS_CLUSTER_LEN]);
void pxs_uuid_format(const u8 uuid[PXS_CLUSTER_LEN], char text[37]);

#endif /* PXS_AGENT_IDENTITY_H */
