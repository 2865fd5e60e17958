// SPDX-License-Identifier: GPL-2.0
/*
 * unreadable.c - a block of a file that the disk cannot read, for a program that is tested
 *
 * LD_PRELOAD: reads of the file whose path ends with $UNREADABLE_FILE and that touch the
 * 4 KiB at $UNREADABLE_AT fail with EIO, as those of a bad sector do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define BLOCK	4096

ssize_t pread(int fd, void *buf, size_t len, off_t at);
ssize_t pread64(int fd, void *buf, size_t len, off_t at);
ssize_t read(int fd, void *buf, size_t len);

static bool is_bad(int fd, off_t at, size_t len)
{
	const char *name = getenv("UNREADABLE_FILE"), *where = getenv("UNREADABLE_AT");
	char link[64], path[4096];
	off_t bad;
	ssize_t n;

	if (!name || !where)
		return false;
	bad = (off_t)strtoll(where, NULL, 10);
	if (at >= bad + BLOCK || at + (off_t)len <= bad)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < (ssize_t)strlen(name))
		return false;
	path[n] = 0;
	return !strcmp(path + n - strlen(name), name);
}

ssize_t pread(int fd, void *buf, size_t len, off_t at)
{
	static ssize_t (*real)(int fd, void *buf, size_t len, off_t at);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pread");
	if (is_bad(fd, at, len)) {
		errno = EIO;
		return -1;
	}
	return real(fd, buf, len, at);
}

ssize_t pread64(int fd, void *buf, size_t len, off_t at)
{
	return pread(fd, buf, len, at);
}

ssize_t read(int fd, void *buf, size_t len)
{
	static ssize_t (*real)(int fd, void *buf, size_t len);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "read");
	if (is_bad(fd, 0, len)) {
		errno = EIO;
		return -1;
	}
	return real(fd, buf, len);
}
