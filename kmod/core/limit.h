/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limit.h - how many backends a service may have
 *
 * A table takes 65,535 (an index has 16 bits, and one of them says "nobody"). What is done for each
 * backend again and again, or for each pair of a client and a backend, sets lower limits.
 */
#ifndef PXS_CORE_LIMIT_H
#define PXS_CORE_LIMIT_H

#include "platform.h"
#include <linux/paxsteer.h>

/* What of a service limits it. */
struct pxs_limit {
	u8 fill;		/* enum pxs_fill */
	u8 mode;		/* enum pxs_mode */
	bool agreed;		/* a group agrees on it */
	bool watched;		/* a bound, fails or a slow start: backends are looked at by time */
};

/* Return: the most backends, and in *why the sentence that refuses one more. */
u32 pxs_limit_backends(const struct pxs_limit *of, const char **why);

#endif /* PXS_CORE_LIMIT_H */
