/* SPDX-License-Identifier: GPL-2.0 */
/*
 * names.h - words as small numbers, from 1 on, and back
 */
#ifndef LIN_NAMES_H
#define LIN_NAMES_H

#include <stdint.h>

struct lin_names;

struct lin_names *lin_names_new(void);
void lin_names_free(struct lin_names *n);
uint32_t lin_names_id(struct lin_names *n, const char *word, uint32_t len);
const char *lin_names_word(const struct lin_names *n, uint64_t id);

#endif /* LIN_NAMES_H */
