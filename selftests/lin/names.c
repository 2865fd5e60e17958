// SPDX-License-Identifier: GPL-2.0
/*
 * names.c - words as small numbers, from 1 on, and back
 *
 * A hash table with open addressing over one store of all words.
 */
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "names.h"

struct lin_names {
	char *store;
	size_t used, store_room;
	size_t *word;		/* word[id]: where it begins */
	uint32_t words, word_room;
	uint32_t *slot;		/* ids; 0: free */
	uint32_t slots;		/* a power of two */
};

struct lin_names *lin_names_new(void)
{
	struct lin_names *n = lin_alloc(NULL, 1, sizeof(*n));

	memset(n, 0, sizeof(*n));
	n->slots = 64;
	n->slot = calloc(n->slots, sizeof(*n->slot));
	if (!n->slot)
		abort();
	return n;
}

void lin_names_free(struct lin_names *n)
{
	if (!n)
		return;
	free(n->store);
	free(n->word);
	free(n->slot);
	free(n);
}

static uint64_t hash(const char *word, uint32_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ (unsigned char)*word++) * 0x100000001b3ull;
	return h ^ h >> 29;
}

const char *lin_names_word(const struct lin_names *n, uint64_t id)
{
	return id && id <= n->words ? n->store + n->word[id] : "-";
}

static uint32_t *find(struct lin_names *n, const char *word, uint32_t len)
{
	uint64_t i = hash(word, len);
	const char *w;

	for (;; i++) {
		i &= n->slots - 1;
		if (!n->slot[i])
			return &n->slot[i];
		w = lin_names_word(n, n->slot[i]);
		if (!memcmp(w, word, len) && !w[len])
			return &n->slot[i];
	}
}

static void grow(struct lin_names *n)
{
	uint32_t id;
	const char *w;

	free(n->slot);
	n->slots *= 2;
	n->slot = calloc(n->slots, sizeof(*n->slot));
	if (!n->slot)
		abort();
	for (id = 1; id <= n->words; id++) {
		w = lin_names_word(n, id);
		*find(n, w, (uint32_t)strlen(w)) = id;
	}
}

uint32_t lin_names_id(struct lin_names *n, const char *word, uint32_t len)
{
	uint32_t *slot;

	/* find() compares @len bytes of any word: keep so much behind the last one. */
	if (n->used + 2 * (size_t)len + 2 > n->store_room) {
		n->store_room = 2 * (n->store_room + len + 1);
		n->store = lin_alloc(n->store, n->store_room, 1);
		memset(n->store + n->used, 0, n->store_room - n->used);
	}
	slot = find(n, word, len);
	if (*slot)
		return *slot;
	if (n->words + 2 > n->word_room) {
		n->word_room = 2 * n->word_room + 64;
		n->word = lin_alloc(n->word, n->word_room, sizeof(*n->word));
	}
	*slot = ++n->words;
	n->word[n->words] = n->used;
	memcpy(n->store + n->used, word, len);
	n->store[n->used + len] = 0;
	n->used += len + 1;
	if (2 * n->words > n->slots)
		grow(n);
	return n->words;
}
