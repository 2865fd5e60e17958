/* SPDX-License-Identifier: GPL-2.0 */
/*
 * replace.h - a small file that is there whole, as it was or as it is to be
 */
#ifndef PXS_AGENT_REPLACE_H
#define PXS_AGENT_REPLACE_H

#include <stddef.h>

/*
 * Have @name in @dirfd hold @len bytes of @text, and nothing but that be seen of it after a crash:
 * written to @temp, flushed, renamed, the directory flushed. Return: 0, or -errno; then @name is as
 * it was, or, if only the directory could not be flushed, perhaps the new one.
 */
int pxs_replace(int dirfd, const char *temp, const char *name, const char *text, size_t len);

#endif /* PXS_AGENT_REPLACE_H */
