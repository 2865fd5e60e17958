// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_mandate.c - changes of members from afar: their words, and who may say them
 */
#include "unit.h"

#include <arpa/inet.h>

#include "store/mandate.h"

static const u8 cluster[16] = "a cluster's id..";

static struct pxs_keys keys(u8 count)
{
	struct pxs_keys k = { .count = count };

	k.key[0].id = 1;
	memset(k.key[0].bytes, 0x11, PXS_KEY_LEN);
	k.key[1].id = 2;
	memset(k.key[1].bytes, 0x22, PXS_KEY_LEN);
	return k;
}

static void words_are_taken(void)
{
	struct pxs_mandate m;
	u8 v4[4] = { 10, 0, 0, 4 };

	CHECK(!pxs_mandate_parse("3 17 promote 4", &m));
	CHECK(m.group == 3 && m.epoch == 17 && m.op == PXS_MEMBER_PROMOTE && m.id == 4);
	CHECK(!pxs_mandate_parse("1 1 demote 63", &m) && m.op == PXS_MEMBER_DEMOTE);
	CHECK(!pxs_mandate_parse("1 1 remove 1", &m) && m.op == PXS_MEMBER_REMOVE);
	CHECK(!pxs_mandate_parse("2 5 add 4 10.0.0.4:7400 0x00000000000000a4 6379", &m));
	CHECK(m.op == PXS_MEMBER_ADD && m.to.id == 4 && m.to.family == 4);
	CHECK(!memcmp(m.to.addr, v4, sizeof(v4)) && m.to.port == htons(7400));
	CHECK(be64_to_cpu(m.to.incarnation) == 0xa4 && m.to.store_port == htons(6379));
	CHECK(!pxs_mandate_parse("2 5 add 4 [fd00::4]:7400 0xa4 0", &m) && m.to.family == 6);
}

static void other_words_are_not(void)
{
	static const char *const bad[] = {
		"", " ", "3", "3 17", "3 17 promote", "3 17 promote 0", "3 17 promote 64",
		"3 17 promote 4 5", "3 17 promote 4 ", "3 17 elect 4", "3 17 promoted 4",
		"0 17 promote 4", "3 0 promote 4", "-3 17 promote 4", "3 -17 promote 4",
		"4294967297 17 promote 4", "2147483648 17 promote 4",
		"3 17 set 4 10.0.0.4:7400 0xa4 0", "3 17 add 4", "3 17 add 4 10.0.0.4:7400",
		"3 17 add 4 10.0.0.4:7400 0xa4", "3 17 add 4 10.0.0.4 0xa4 0",
		"3 17 add 4 10.0.0.4:7400 0x0 0", "3 17 add 4 10.0.0.4:7400 a4 0",
		"3 17 add 4 10.0.0.4:7400 0xa4 65536", "3 17 add 4 10.0.0.4:7400 0xa4 1 2",
		"3 17 add 4 nowhere:7400 0xa4 1",
	};
	struct pxs_mandate m;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!CHECK(pxs_mandate_parse(bad[i], &m)))
			NOTE("taken: \"%s\"", bad[i]);
}

static void only_who_holds_the_key(void)
{
	struct pxs_keys one = keys(1), two = keys(2);
	const char *words = "3 17 promote 4";
	char tag[PXS_MANDATE_TAG], other[16];
	u32 i;

	pxs_mandate_sign(one.key[0].bytes, cluster, words, tag);
	CHECK_EQ(strlen(tag), 32);
	CHECK(pxs_mandate_holds(&one, cluster, words, tag));
	CHECK(pxs_mandate_holds(&two, cluster, words, tag));
	CHECK(!pxs_mandate_holds(&one, cluster, "3 18 promote 4", tag));
	CHECK(!pxs_mandate_holds(&one, cluster, "3 17 promote 5", tag));
	memcpy(other, cluster, sizeof(other));
	other[0] ^= 1;
	CHECK(!pxs_mandate_holds(&one, (u8 *)other, words, tag));
	CHECK(!pxs_mandate_holds(&one, cluster, words, ""));
	CHECK(!pxs_mandate_holds(&one, cluster, words, "00000000000000000000000000000000"));
	for (i = 0; i < 32; i++) {
		tag[i] ^= 1;
		CHECK(!pxs_mandate_holds(&one, cluster, words, tag));
		tag[i] ^= 1;
	}
	tag[31] = 0;
	CHECK(!pxs_mandate_holds(&one, cluster, words, tag));
}

/* While keys change both are good; who has one that is not is nobody. */
static void the_second_key_counts(void)
{
	struct pxs_keys one = keys(1), two = keys(2);
	char tag[PXS_MANDATE_TAG];

	pxs_mandate_sign(two.key[1].bytes, cluster, "1 1 remove 2", tag);
	CHECK(pxs_mandate_holds(&two, cluster, "1 1 remove 2", tag));
	CHECK(!pxs_mandate_holds(&one, cluster, "1 1 remove 2", tag));
}

int main(void)
{
	RUN(words_are_taken);
	RUN(other_words_are_not);
	RUN(only_who_holds_the_key);
	RUN(the_second_key_counts);
	return unit_done();
}
