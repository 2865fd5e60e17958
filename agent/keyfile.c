// SPDX-License-Identifier: GPL-2.0
/*
 * keyfile.c - a key of the cluster, in a file that others cannot read
 */
#include "keyfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/paxsteer.h>

#include "report.h"

static int parse(const char *text, u8 *key)
{
	unsigned int i, byte;

	if (strspn(text, "0123456789abcdefABCDEF") != 2 * PXS_KEY_LEN ||
	    strspn(text + 2 * PXS_KEY_LEN, "\n") != strlen(text + 2 * PXS_KEY_LEN))
		return -EINVAL;
	for (i = 0; i < PXS_KEY_LEN; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return -EINVAL;
		key[i] = (u8)byte;
	}
	return 0;
}

int pxs_keyfile_text(const char *config, const char *where, const char *option, const char *path,
		     char *text, size_t size)
{
	struct stat st;
	ssize_t n;
	int fd, err;

	/* A fifo must not stop us here. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		pxs_err("%s: %s: %s %s: %s", config, where, option, path, strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	n = read(fd, text, size - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	text[max(n, 0)] = 0;
	if (!S_ISREG(st.st_mode)) {
		pxs_err("%s: %s: %s %s: is not a file", config, where, option, path);
		err = -EINVAL;
	} else if (st.st_mode & 027) {
		pxs_err("%s: %s: %s %s: others may read it, or its group write it (mode %03o): make it 0600 or 0640, and make a new key if it was seen",
			config, where, option, path, st.st_mode & 0777);
		err = -EPERM;
	} else if (err) {
		pxs_err("%s: %s: %s %s: %s", config, where, option, path, strerror(-err));
	} else if (strlen(text) != (size_t)n) {
		pxs_err("%s: %s: %s %s: holds a byte of zero", config, where, option, path);
		err = -EINVAL;
	}
	if (err)
		explicit_bzero(text, size);
	return err;
}

int pxs_keyfile_read(const char *config, const char *option, const char *path, u8 *key)
{
	char text[2 * PXS_KEY_LEN + 16] = "";
	int err;

	err = pxs_keyfile_text(config, "node", option, path, text, sizeof(text));
	if (!err && parse(text, key)) {
		pxs_err("%s: node: %s %s: must hold %d hex digits", config, option, path,
			2 * PXS_KEY_LEN);
		err = -EINVAL;
	}
	explicit_bzero(text, sizeof(text));
	return err;
}
