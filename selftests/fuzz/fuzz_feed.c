// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_feed.c - eventual writes that another member sends
 *
 * The input is a message, and the items of one whose tag held. What is read of items is written
 * as it came; any two of them have one order.
 */
#include <sanitizer/asan_interface.h>

#include "fuzz.h"
#include "store/feed.h"

static const u8 cluster[16] = "a cluster";
static const struct pxs_keys keys = { .count = 1, .key = { { .id = 1, .bytes = "one" } } };

static void write_again(const struct pxs_element *e, const u8 *from, u32 len)
{
	u8 *copy = malloc(len);

	FUZZ_CHECK(pxs_feed_size(e) == len);
	FUZZ_CHECK(pxs_feed_put(copy, e) == len);
	/* The one byte that means nothing. */
	copy[sizeof(struct pxs_feed_item) - 1] = from[sizeof(struct pxs_feed_item) - 1];
	FUZZ_CHECK(!memcmp(copy, from, len));
	free(copy);
}

static void items(const u8 *data, u32 len)
{
	struct pxs_element e, last = { .kind = 0 };
	u32 pos = 0, at = 0, n = 0;
	int more;

	while ((more = pxs_feed_next(data, len, &pos, &e)) > 0) {
		write_again(&e, data + at, pos - at);
		at = pos;
		if (n++)
			FUZZ_CHECK((pxs_lww_compare(&e, &last) > 0) ==
				   (pxs_lww_compare(&last, &e) < 0));
		FUZZ_CHECK(!pxs_lww_compare(&e, &e));
		last = e;
	}
	FUZZ_CHECK(pos == at && (more || pos == len));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *copy = malloc(size ? size : 1);	/* its end is watched */
	struct pxs_feed f;

	if (size)
		memcpy(copy, data, size);
	FUZZ_CHECK(pxs_feed_open(&keys, cluster, copy, (u32)size, &f));
	items(copy, (u32)size);
	free(copy);
	return 0;
}
