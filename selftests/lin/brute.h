/* SPDX-License-Identifier: GPL-2.0 */
/*
 * brute.h - the definitions themselves, tried out: for small histories, to test the checker by
 */
#ifndef LIN_BRUTE_H
#define LIN_BRUTE_H

#include "lin.h"

#define BRUTE_OPS	16u
#define BRUTE_SLOTS	12u
#define BRUTE_KEYS	4u

/* Some order of all known operations, and any of the unknown ones, explains the results. */
bool brute_search(const struct lin_history *h);
/* And it is the order of their slots, with each in the slot it tells. One log. */
bool brute_slots(const struct lin_history *h);
/* Every operation has a known slot: each pair, and each read against all writes. */
bool brute_pairs(const struct lin_history *h);

#endif /* LIN_BRUTE_H */
