/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keyfile.h - a key of the cluster, in a file that others cannot read
 */
#ifndef PXS_AGENT_KEYFILE_H
#define PXS_AGENT_KEYFILE_H

#include "platform.h"

/*
 * Read the file @path, which the option @option of the section @where of @config names, as text;
 * what does not fit @size is cut. A file that others may read, or its group write, is refused.
 * Return: 0, or -errno after the reason went to stderr.
 */
int pxs_keyfile_text(const char *config, const char *where, const char *option, const char *path,
		     char *text, size_t size);

/*
 * Read the key in @path, which the option @option of @config names, into @key (PXS_KEY_LEN
 * bytes). Return: 0, or -errno after the reason went to stderr.
 */
int pxs_keyfile_read(const char *config, const char *option, const char *path, u8 *key);

#endif /* PXS_AGENT_KEYFILE_H */
