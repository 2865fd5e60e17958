// SPDX-License-Identifier: GPL-2.0
/*
 * replace.c - a small file that is there whole, as it was or as it is to be
 */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int pxs_replace(int dirfd, const char *temp, const char *name, const char *text, size_t len)
{
	int fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		err = n < 0 ? -errno : -ENOSPC;
	else if (fsync(fd))
		err = -errno;
	close(fd);
	if (!err && renameat(dirfd, temp, dirfd, name))
		err = -errno;
	if (!err && fsync(dirfd))
		err = -errno;
	if (err)
		unlinkat(dirfd, temp, 0);
	return err;
}
