// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_key.c - the key of a request that a stranger wrote
 *
 * Input: the rule (7 bytes), the flow (38 bytes), the payload.
 */
#include "fuzz.h"
#include "key.h"

static const struct pxs_seed seed = { .k = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct pxs_key_spec spec = {
		.rule = take8(&in) % (PXS_KEY_QUIC + 2),
		.frame = take8(&in) & 1,
		.offset = take16(&in),
		.len = take16(&in),
		.prefix = take8(&in),
	};
	struct pxs_flow_tuple tuple = { .family = take8(&in) & 1 ? PXS_FAMILY_V4 : PXS_FAMILY_V6 };
	u64 hash = 1, again = 2, flow;
	size_t len = in.n, peek;
	bool fell, fell_again;
	u8 *payload, *cut;

	tuple.proto = take8(&in);
	tuple.sport = take16(&in);
	tuple.dport = take16(&in);
	take(&in, tuple.saddr, 16);
	take(&in, tuple.daddr, 16);
	if (pxs_key_check(&spec))
		return 0;
	payload = take_copy(&in, &len);
	fell = pxs_key_hash(&spec, &seed, &tuple, payload, (u32)len, &hash);
	flow = pxs_key_hash_tuple(&seed, &tuple);
	FUZZ_CHECK(!fell || hash == flow);

	/* No byte behind what the rule says it may want counts. */
	peek = min(len, pxs_key_peek(&spec));
	cut = malloc(peek);
	FUZZ_CHECK(cut || !peek);
	if (peek)
		memcpy(cut, payload, peek);
	fell_again = pxs_key_hash(&spec, &seed, &tuple, cut, (u32)peek, &again);
	FUZZ_CHECK(fell == fell_again && hash == again);
	free(cut);

	/* What an operator writes: any bytes are a key or are refused. */
	if (len && !pxs_key_hash_given(&spec, &seed, payload, (u32)len, &hash))
		FUZZ_CHECK(!pxs_key_hash_given(&spec, &seed, payload, (u32)len, &again) &&
			   hash == again);
	free(payload);
	return 0;
}
