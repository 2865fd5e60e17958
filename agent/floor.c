// SPDX-License-Identifier: GPL-2.0
/*
 * floor.c - the file "floor" of a journal directory: where the journal begins
 */
#include "floor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crc32c.h"
#include "replace.h"

#define TEMP	PXS_FLOOR_FILE ".new"
#define ROOM	(512 + PXS_GROUPS_MAX * 48)

u64 pxs_floor_left(const struct pxs_floor *f, u32 group)
{
	u32 i;

	for (i = 0; i < f->left.count; i++)
		if (f->left.group[i].id == group)
			return f->left.group[i].epoch;
	return 0;
}

bool pxs_floor_leave(struct pxs_floor *f, u32 group, u64 epoch)
{
	struct pxs_left *l = &f->left;

	if (pxs_floor_left(f, group))
		return true;
	if (l->count == PXS_GROUPS_MAX)
		return false;
	l->group[l->count].id = group;
	l->group[l->count++].epoch = epoch;
	return true;
}

static size_t format(const struct pxs_floor *f, char *text)
{
	size_t len;
	u32 i;

	len = (size_t)sprintf(text, "paxsteer-floor 1\nincarnation 0x%016" PRIx64
			      "\nsegment %" PRIu64 "\nfirst-seq %" PRIu64 "\nfirst-lsn %" PRIu64
			      "\nprev 0x%08x\n", f->incarnation, f->segment, f->first_seq,
			      f->first_lsn, f->prev);
	for (i = 0; i < f->left.count; i++)
		len += (size_t)sprintf(text + len, "left %u epoch %" PRIu64 "\n",
				       f->left.group[i].id, f->left.group[i].epoch);
	return len + (size_t)sprintf(text + len, "crc 0x%08x\n", pxs_crc32c(0, text, len));
}

/* What it says must be what it would be written as, byte for byte: in @again. */
static int parse(const char *text, size_t len, struct pxs_floor *f, char *again)
{
	int at = 0, line = 0;
	u32 group;
	u64 epoch;

	if (sscanf(text, "paxsteer-floor 1\nincarnation 0x%" SCNx64 "\nsegment %" SCNu64
		   "\nfirst-seq %" SCNu64 "\nfirst-lsn %" SCNu64 "\nprev 0x%x\n%n",
		   &f->incarnation, &f->segment, &f->first_seq, &f->first_lsn, &f->prev, &at) != 5)
		return -EBADMSG;
	for (; sscanf(text + at, "left %u epoch %" SCNu64 "\n%n", &group, &epoch, &line) == 2;
	     at += line)
		if (!epoch || !pxs_floor_leave(f, group, epoch))
			return -EBADMSG;
	return format(f, again) == len && !memcmp(text, again, len) && f->segment > 1 ? 0 :
											-EBADMSG;
}

static int read_text(int fd, struct pxs_floor *f)
{
	char *text = malloc(2 * ROOM);
	ssize_t n;
	int err;

	if (!text)
		return -ENOMEM;
	n = read(fd, text, ROOM - 1);
	err = n < 0 ? -errno : 0;
	if (!err) {
		text[n] = 0;
		err = parse(text, (size_t)n, f, text + ROOM);
	}
	free(text);
	return err;
}

int pxs_floor_read(int dirfd, u64 incarnation, struct pxs_floor *f)
{
	int fd, err;

	*f = (struct pxs_floor){
		.incarnation = incarnation, .segment = 1, .first_seq = 1, .first_lsn = 1,
	};
	fd = openat(dirfd, PXS_FLOOR_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = read_text(fd, f);
	close(fd);
	return !err && f->incarnation != incarnation ? -EBADMSG : err;
}

int pxs_floor_write(int dirfd, const struct pxs_floor *f)
{
	char *text = malloc(ROOM);
	int err;

	if (!text)
		return -ENOMEM;
	err = pxs_replace(dirfd, TEMP, PXS_FLOOR_FILE, text, format(f, text));
	free(text);
	return err;
}
