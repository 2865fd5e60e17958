/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recover.h - opening a journal directory: lock it, read it, mend its tail
 */
#ifndef PXS_AGENT_RECOVER_H
#define PXS_AGENT_RECOVER_H

#include "hint.h"
#include "identity.h"
#include "scan.h"

struct pxs_recovery {
	const char *dir;
	int dirfd;		/* stays open */
	int lockfd;		/* identity, locked: stays open as long as the journal is ours */
	int fd;			/* segment to go on with, locked, for writing; -1: none begun */
	int spare_fd;		/* prepared segment behind it; -1: none */
	bool direct;		/* fds are O_DIRECT */
	bool readonly;		/* opened by pxs_recover_look() */
	struct pxs_identity id;
	struct pxs_hint hint;	/* as read; empty if there is none */
	int hint_error;		/* 0, -ENOENT, -EBADMSG, or why it cannot be read */
	struct pxs_scan scan;
	char error[512];
};

/*
 * Lock, scan, report records to @sink, cut a torn tail.
 * Return: 0, or -errno with r->error; nothing was changed then.
 */
int pxs_recover(struct pxs_recovery *r, const char *dir, bool wait,
		const struct pxs_scan_sink *sink);

/* Only the identity, into r->id; nothing stays open. Return: 0, or -errno with r->error. */
int pxs_recover_look_identity(const char *dir, struct pxs_recovery *r);

/* The same without lock or change, for `paxsteer journal show|verify`. */
int pxs_recover_look(struct pxs_recovery *r, const char *dir, const struct pxs_scan_sink *sink);

void pxs_recovery_close(struct pxs_recovery *r);

/* "0123456789abcdef.pxs" */
#define PXS_SEGMENT_NAME_LEN	21
void pxs_segment_name(u64 number, char name[PXS_SEGMENT_NAME_LEN]);

#endif /* PXS_AGENT_RECOVER_H */
