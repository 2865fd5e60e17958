/* SPDX-License-Identifier: GPL-2.0 */
/*
 * name.h - backends' names as text, for fills that hash what others call a backend
 *
 * Nothing here ends in a NUL: each returns how many bytes it put. Control path.
 */
#ifndef PXS_CORE_NAME_H
#define PXS_CORE_NAME_H

#include "table.h"

#define PXS_NAME_AT_MAX		47	/* bytes of "[ADDRESS]:PORT" */

u32 pxs_name_decimal(char *buf, u32 value);

/* The address: IPv6 as in RFC 5952. */
u32 pxs_name_addr(char *buf, const struct pxs_table_backend *be);

/* "ADDRESS:PORT", an IPv6 address in brackets. */
u32 pxs_name_at(char *buf, const struct pxs_table_backend *be);

#endif /* PXS_CORE_NAME_H */
