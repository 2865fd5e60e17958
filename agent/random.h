/* SPDX-License-Identifier: GPL-2.0 */
/*
 * random.h - numbers that only have to differ: delays and jitter
 *
 * The caller keeps the state and seeds it, so that a simulation repeats itself.
 */
#ifndef PXS_AGENT_RANDOM_H
#define PXS_AGENT_RANDOM_H

#include "platform.h"

/* xorshift64, G. Marsaglia, Xorshift RNGs, 2003. @state is not 0, before and after. */
static inline u64 pxs_random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif /* PXS_AGENT_RANDOM_H */
