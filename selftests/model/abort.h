/* SPDX-License-Identifier: GPL-2.0 */
/*
 * abort.h - a broken invariant of the core is a finding, with a way that leads to it
 *
 * Included before everything else: pxs_assert() ends in abort().
 */
#ifndef MODEL_ABORT_H
#define MODEL_ABORT_H

#include <stdlib.h>

void model_abort(const char *file, int line) __attribute__((noreturn));
#define abort()		model_abort(__FILE__, __LINE__)

#endif /* MODEL_ABORT_H */
