// SPDX-License-Identifier: GPL-2.0
/*
 * memo.c - a set of words' strings: where a search has been
 */
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "memo.h"

void memo_init(struct memo *m, uint64_t bytes)
{
	memset(m, 0, sizeof(*m));
	m->bytes = bytes;
	m->slots = 256;
	m->slot = calloc(m->slots, sizeof(*m->slot));
	if (!m->slot)
		abort();
}

void memo_free(struct memo *m)
{
	free(m->store);
	free(m->slot);
}

static uint64_t hash(const uint64_t *words, uint32_t n)
{
	uint64_t h = n;

	while (n--) {
		h = (h ^ *words++) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	return h * 0xd6e8feb86659fd93ull;
}

static uint64_t *find(struct memo *m, const uint64_t *words, uint32_t n)
{
	uint64_t i = hash(words, n) >> 20, at;

	for (;; i++) {
		i &= m->slots - 1;
		at = m->slot[i];
		if (!at)
			return &m->slot[i];
		if (m->store[at - 1] == n && !memcmp(&m->store[at], words, n * sizeof(*words)))
			return &m->slot[i];
	}
}

static void grow(struct memo *m)
{
	uint64_t at;

	free(m->slot);
	m->slots *= 2;
	m->slot = calloc(m->slots, sizeof(*m->slot));
	if (!m->slot)
		abort();
	for (at = 0; at < m->used; at += m->store[at] + 1)
		*find(m, &m->store[at + 1], (uint32_t)m->store[at]) = at + 1;
}

enum memo_result memo_add(struct memo *m, const uint64_t *words, uint32_t n)
{
	uint64_t *slot = find(m, words, n);

	if (*slot)
		return MEMO_KNOWN;
	if (m->used + n + 1 > m->room) {
		uint64_t room = 2 * m->room + n + 1024;

		if ((room + 2 * m->slots) * sizeof(uint64_t) > m->bytes)
			return MEMO_FULL;
		m->store = lin_alloc(m->store, room, sizeof(*m->store));
		m->room = room;
	}
	*slot = m->used + 1;
	m->store[m->used] = n;
	memcpy(&m->store[m->used + 1], words, n * sizeof(*words));
	m->used += n + 1;
	if (2 * ++m->members > m->slots)
		grow(m);
	return MEMO_NEW;
}
