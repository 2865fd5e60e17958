/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memo.h - a set of words' strings: where a search has been
 *
 * Exact: equal hashes are compared word by word, for a place taken for another one would
 * make a good history bad.
 */
#ifndef LIN_MEMO_H
#define LIN_MEMO_H

#include <stdbool.h>
#include <stdint.h>

struct memo {
	uint64_t *store;	/* length, words, length, words... */
	uint64_t used, room;
	uint64_t *slot;		/* index into the store + 1; 0: free */
	uint64_t slots, members;
	uint64_t bytes;		/* what it may take at most */
};

void memo_init(struct memo *m, uint64_t bytes);
void memo_free(struct memo *m);

enum memo_result { MEMO_NEW, MEMO_KNOWN, MEMO_FULL };

enum memo_result memo_add(struct memo *m, const uint64_t *words, uint32_t n);

#endif /* LIN_MEMO_H */
