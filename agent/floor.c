// SPDX-License-Identifier: GPL-2.0
/*
 * floor.c - the file "floor" of a journal directory: where the journal begins
 */
#include "floor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "crc32c.h"
#include "replace.h"

#define TEMP	PXS_FLOOR_FILE ".new"
#define ROOM	512

static size_t format(const struct pxs_floor *f, char *text)
{
	size_t len;

	len = (size_t)sprintf(text, "paxsteer-floor 1\nincarnation 0x%016" PRIx64
			      "\nsegment %" PRIu64 "\nfirst-seq %" PRIu64 "\nfirst-lsn %" PRIu64
			      "\nprev 0x%08x\n", f->incarnation, f->segment, f->first_seq,
			      f->first_lsn, f->prev);
	return len + (size_t)sprintf(text + len, "crc 0x%08x\n", pxs_crc32c(0, text, len));
}

/* What it says must be what it would be written as, byte for byte. */
static int parse(const char *text, size_t len, struct pxs_floor *f)
{
	char again[ROOM];

	if (sscanf(text, "paxsteer-floor 1\nincarnation 0x%" SCNx64 "\nsegment %" SCNu64
		   "\nfirst-seq %" SCNu64 "\nfirst-lsn %" SCNu64 "\nprev 0x%x\n",
		   &f->incarnation, &f->segment, &f->first_seq, &f->first_lsn, &f->prev) != 5)
		return -EBADMSG;
	return format(f, again) == len && !memcmp(text, again, len) && f->segment > 1 ? 0 :
											-EBADMSG;
}

int pxs_floor_read(int dirfd, u64 incarnation, struct pxs_floor *f)
{
	char text[ROOM];
	ssize_t n;
	int fd, err;

	*f = (struct pxs_floor){
		.incarnation = incarnation, .segment = 1, .first_seq = 1, .first_lsn = 1,
	};
	fd = openat(dirfd, PXS_FLOOR_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, sizeof(text) - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	text[n] = 0;
	err = parse(text, (size_t)n, f);
	return !err && f->incarnation != incarnation ? -EBADMSG : err;
}

int pxs_floor_write(int dirfd, const struct pxs_floor *f)
{
	char text[ROOM];

	return pxs_replace(dirfd, TEMP, PXS_FLOOR_FILE, text, format(f, text));
}
