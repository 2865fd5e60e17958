/* SPDX-License-Identifier: GPL-2.0 */
/*
 * value.h - the values of a log, as people read them
 */
#ifndef PXS_CLI_VALUE_H
#define PXS_CLI_VALUE_H

#include "platform.h"

/* FNV-1a, 64 bits: tells values apart in lists and histories; no protection. */
u64 value_hash(const void *data, size_t len);

/*
 * Printable ASCII and UTF-8 as they are; controls, of C1 too, the backslash and what is no UTF-8 as
 * \xNN. Return: to be freed, or NULL.
 */
char *value_text(const void *data, size_t len);

#endif /* PXS_CLI_VALUE_H */
