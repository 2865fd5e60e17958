// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_wire.c - a datagram from anybody
 *
 * The input is the datagram. What is understood must, built again, be the same.
 */
#include "fuzz.h"
#include "wire.h"

static void check_entries(const struct pxs_msg *m, const u8 *body)
{
	struct pxs_entry e, again;
	u32 offset = 0, before, at = 0, n = 0;
	u8 *copy = malloc(m->len + 1);

	FUZZ_CHECK(copy);
	for (before = 0; pxs_wire_next(body, m->len, &offset, &e) > 0; before = offset) {
		FUZZ_CHECK(offset > before && offset <= m->len);
		FUZZ_CHECK(pxs_wire_entry_size(e.len) == offset - before);
		FUZZ_CHECK(pxs_wire_put(copy, before, &e) == offset);
		at = before;
		FUZZ_CHECK(pxs_wire_next(copy, offset, &at, &again) == 1);
		FUZZ_CHECK(again.slot == e.slot && again.ballot == e.ballot &&
			   again.len == e.len && again.flags == e.flags &&
			   !memcmp(again.data, e.data, e.len));
		n++;
	}
	if (pxs_wire_check_body(m, body))
		FUZZ_CHECK(n == (m->len ? m->count : 0) && offset == m->len);
	free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pxs_wire_hdr hdr, again;
	struct pxs_msg m;
	int ret;

	/* Whatever the size, no more than a header may be looked at. */
	memset(&hdr, 0, sizeof(hdr));
	memcpy(&hdr, data, min(size, sizeof(hdr)));
	ret = pxs_wire_parse(&hdr, size, &m);
	FUZZ_CHECK(ret >= 0 && ret <= PXS_NET_STAT_MAX);
	if (ret)
		return 0;
	pxs_wire_build(&again, &m);
	memset(hdr.tag, 0, sizeof(hdr.tag));
	FUZZ_CHECK(!memcmp(&hdr, &again, sizeof(hdr)));
	check_entries(&m, data + PXS_WIRE_HDR_LEN);
	return 0;
}
