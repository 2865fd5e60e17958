// SPDX-License-Identifier: GPL-2.0
/*
 * test_agreed.c - services whose changes a group decides: who may, when, and what is remembered
 */
#include "agreed.h"
#include "unit.h"

static const char *why;

static struct pxs_agreed following(u32 group)
{
	struct pxs_agreed a = { 0 };

	CHECK(!pxs_agreed_follow(&a, group, &why));
	return a;
}

/* One change: begun, and ended with @err and @digest. */
static int change(struct pxs_agreed *a, u64 slot, int err, u64 digest)
{
	int ret = pxs_agreed_begin(a, slot, &why);

	if (!ret)
		pxs_agreed_end(a, err, digest);
	return ret;
}

static void a_slot_is_executed_once(void)
{
	struct pxs_agreed a = following(3);

	CHECK(!change(&a, 5, 0, 1));
	CHECK(!why);
	CHECK_EQ(a.slot, 5);
	CHECK_EQ(change(&a, 5, 0, 2) == -EALREADY, 1);
	CHECK(why);
	CHECK_EQ(change(&a, 4, 0, 2) == -EALREADY, 1);
	CHECK_EQ(a.slot, 5);
	CHECK(!change(&a, 9, 0, 2));
	CHECK_EQ(a.slot, 9);
}

static void nobody_followed_nothing_made(void)
{
	struct pxs_agreed a = { 0 };

	CHECK_EQ(change(&a, 1, 0, 1) == -ENOTCONN, 1);
	CHECK(why);
	CHECK_EQ(a.slot, 0);
	CHECK_EQ(a.now, 0);
}

static void a_refusal_is_an_outcome(void)
{
	struct pxs_agreed a = following(1), b = following(1), c = following(1);

	CHECK(!change(&a, 1, -EEXIST, 7));
	CHECK_EQ(a.slot, 1);
	CHECK(!change(&b, 1, -EEXIST, 7));
	CHECK_EQ(a.digest, b.digest);
	/* Another error, or the same of another table, is another outcome. */
	CHECK(!change(&c, 1, -EINVAL, 7));
	CHECK(a.digest != c.digest);
	c = following(1);
	CHECK(!change(&c, 1, -EEXIST, 8));
	CHECK(a.digest != c.digest);
}

static void what_did_not_happen_is_tried_again(void)
{
	static const int never[] = { -ENOMEM, -ENOBUFS, -EINTR, -EAGAIN };
	struct pxs_agreed a = following(1);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(never); i++) {
		CHECK(!change(&a, 1, never[i], 0));
		CHECK_EQ(a.slot, 0);
		CHECK_EQ(a.digest, 0);
		CHECK_EQ(a.now, 0);
	}
	CHECK(!change(&a, 1, 0, 0));
	CHECK_EQ(a.slot, 1);
}

static void digests_are_chained(void)
{
	struct pxs_agreed a = following(1), b = following(1);

	CHECK(!change(&a, 1, 0, 10));
	CHECK(!change(&a, 2, 0, 20));
	CHECK(!change(&b, 1, 0, 11));
	CHECK(!change(&b, 2, 0, 20));
	CHECK(a.digest != b.digest);
	/* The slot counts as well. */
	b = following(1);
	CHECK(!change(&b, 1, 0, 10));
	CHECK(!change(&b, 3, 0, 20));
	CHECK(a.digest != b.digest);
}

static void only_the_group_changes_its_own(void)
{
	struct pxs_agreed a = following(2);

	CHECK(!pxs_agreed_may(&a, 0, &why));
	CHECK_EQ(pxs_agreed_may(&a, 2, &why) == -EREMOTE, 1);
	CHECK(why);
	CHECK_EQ(pxs_agreed_may(&a, 3, &why) == -EREMOTE, 1);
	CHECK(!pxs_agreed_begin(&a, 1, &why));
	CHECK(!pxs_agreed_may(&a, 2, &why));
	CHECK(!why);
	CHECK_EQ(pxs_agreed_may(&a, 0, &why) == -EINVAL, 1);
	CHECK_EQ(pxs_agreed_may(&a, 3, &why) == -EINVAL, 1);
	CHECK(why);
}

static void one_group_at_a_time(void)
{
	struct pxs_agreed a = following(2);

	CHECK(!change(&a, 8, 0, 1));
	CHECK_EQ(pxs_agreed_follow(&a, 3, &why) == -EBUSY, 1);
	CHECK(why);
	/* The same one goes on, none begins anew. */
	CHECK(!pxs_agreed_follow(&a, 2, &why));
	CHECK_EQ(a.slot, 8);
	CHECK(!pxs_agreed_follow(&a, 0, &why));
	CHECK_EQ(a.group, 0);
	CHECK(!pxs_agreed_follow(&a, 3, &why));
	CHECK_EQ(a.slot, 0);
	CHECK_EQ(a.digest, 0);
}

static void generation_is_the_slot(void)
{
	struct pxs_agreed a = following(2);

	CHECK_EQ(pxs_agreed_generation(&a, 4), 5);
	CHECK(!pxs_agreed_begin(&a, 77, &why));
	CHECK_EQ(pxs_agreed_generation(&a, 4), 77);
	pxs_agreed_end(&a, 0, 1);
	CHECK_EQ(pxs_agreed_generation(&a, 4), 5);
}

int main(void)
{
	RUN(a_slot_is_executed_once);
	RUN(nobody_followed_nothing_made);
	RUN(a_refusal_is_an_outcome);
	RUN(what_did_not_happen_is_tried_again);
	RUN(digests_are_chained);
	RUN(only_the_group_changes_its_own);
	RUN(one_group_at_a_time);
	RUN(generation_is_the_slot);
	return unit_done();
}
