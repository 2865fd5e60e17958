// SPDX-License-Identifier: GPL-2.0
/*
 * test_change.c - changes of tables as values: taken apart, cut anywhere, and what may be proposed
 */
#define _GNU_SOURCE

#include <netlink/attr.h>

#include "change.h"
#include "unit.h"

#include <linux/paxsteer.h>

#define GROUP	5

static u8 buf[1024];
static u32 len;

static void put(u16 type, const void *data, u32 n)
{
	struct nlattr a = { .nla_len = (u16)(sizeof(a) + n), .nla_type = type };

	memset(buf + len, 0, NLA_ALIGN(a.nla_len));
	memcpy(buf + len, &a, sizeof(a));
	if (n)
		memcpy(buf + len + sizeof(a), data, n);
	len += NLA_ALIGN(a.nla_len);
}

static void begin(u8 cmd)
{
	pxs_change_begin(buf, cmd);
	len = PXS_CHANGE_HDR;
}

static void put_name(const char *name)
{
	put(PXS_A_SERVICE_NAME, name, (u32)strlen(name) + 1);
}

static void put_group(u32 group)
{
	put(PXS_A_SERVICE_GROUP, &group, sizeof(group));
}

static void addition(void)
{
	u8 seed[PXS_SEED_LEN] = { 1 };

	begin(PXS_CMD_SERVICE_ADD);
	put_name("web");
	put_group(GROUP);
	put(PXS_A_SERVICE_SEED, seed, sizeof(seed));
}

/* Why what was put may not be proposed; NULL: it may. */
static const char *refusal(void)
{
	struct pxs_change c;
	const char *why;
	/* A copy of just that size, for the sanitizer. */
	u8 *copy = malloc(len);

	if (!copy)
		abort();
	memcpy(copy, buf, len);
	if (!pxs_change_parse(copy, len, &c, &why))
		why = pxs_change_refusal(&c, GROUP);
	free(copy);
	return why;
}

static void an_addition_is_taken(void)
{
	struct pxs_change c;
	const char *why;

	addition();
	CHECK(!pxs_change_parse(buf, len, &c, &why));
	CHECK_EQ(c.cmd, PXS_CMD_SERVICE_ADD);
	CHECK_EQ(c.len, len - PXS_CHANGE_HDR);
	CHECK(c.attrs == buf + PXS_CHANGE_HDR);
	CHECK(!refusal());
}

static void an_addition_says_group_and_seed(void)
{
	u8 seed[PXS_SEED_LEN] = { 1 };

	begin(PXS_CMD_SERVICE_ADD);
	put_name("web");
	put_group(GROUP);
	CHECK_STR(refusal(), "a service that is added needs its seed: each director would draw its own");
	begin(PXS_CMD_SERVICE_ADD);
	put_name("web");
	put_group(GROUP + 1);
	put(PXS_A_SERVICE_SEED, seed, sizeof(seed));
	CHECK_STR(refusal(), "a service that is added must name this group");
	begin(PXS_CMD_SERVICE_ADD);
	put_name("web");
	put(PXS_A_SERVICE_SEED, seed, sizeof(seed));
	CHECK_STR(refusal(), "a service that is added must name this group");
}

static void slots_and_health_are_nobodys_to_say(void)
{
	u64 slot = 4;
	u32 fd = 3;
	u8 bad = 2;

	addition();
	put(PXS_A_SERVICE_AGREED, &slot, sizeof(slot));
	CHECK_STR(refusal(), "the slot is not the client's to say");
	begin(PXS_CMD_BACKEND_SET);
	put_name("web");
	CHECK(!refusal());
	put(PXS_A_BACKEND_AGREED, &slot, sizeof(slot));
	CHECK_STR(refusal(), "the slot is not the client's to say");
	begin(PXS_CMD_BACKEND_SET);
	put_name("web");
	put(PXS_A_BACKEND_HEALTH, &bad, sizeof(bad));
	CHECK_STR(refusal(), "health is what one host sees: nothing to agree on");
	begin(PXS_CMD_BACKEND_SET);
	put_name("web");
	put(PXS_A_BACKEND_REASON, "x", 2);
	CHECK_STR(refusal(), "health is what one host sees: nothing to agree on");
	begin(PXS_CMD_BACKEND_ADD);
	put_name("web");
	put(PXS_A_BACKEND_FD, &fd, sizeof(fd));
	CHECK_STR(refusal(), "a socket is one host's: nothing to agree on");
	begin(PXS_CMD_BACKEND_DEL);
	put_name("web");
	put(PXS_A_BACKEND_SOCKET, &slot, sizeof(slot));
	CHECK_STR(refusal(), "a socket is one host's: nothing to agree on");
}

static void a_service_is_named(void)
{
	begin(PXS_CMD_SERVICE_DEL);
	CHECK_STR(refusal(), "the service's name is missing");
	put(PXS_A_SERVICE_NAME, "", 1);
	CHECK_STR(refusal(), "the service's name is missing");
	begin(PXS_CMD_SERVICE_DEL);
	put(PXS_A_SERVICE_NAME, "web", 3);	/* no NUL */
	CHECK_STR(refusal(), "the service's name is missing");
	begin(PXS_CMD_SERVICE_DEL);
	put(PXS_A_SERVICE_NAME, "w\0b", 4);
	CHECK_STR(refusal(), "the service's name is missing");
	begin(PXS_CMD_SERVICE_DEL);
	put_name("web");
	CHECK(!refusal());
	put_name("web");
	CHECK_STR(refusal(), "an attribute is there twice");
}

static void unknown_attributes(void)
{
	static const u16 types[] = { 0, PXS_A_SERVICE_MAX + 1, 31, 32, 63, 0x8001, 0xffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		begin(PXS_CMD_SERVICE_DEL);
		put_name("web");
		put(types[i], "abc", 4);
		CHECK_STR(refusal(), "an attribute is not known");
	}
	/* What is one for services is none for backends. */
	begin(PXS_CMD_BACKEND_DEL);
	put_name("web");
	put(PXS_A_BACKEND_MAX + 1, "abc", 4);
	CHECK_STR(refusal(), "an attribute is not known");
}

static void cut_anywhere(void)
{
	struct pxs_change c;
	const char *why;
	u32 whole;

	addition();
	whole = len;
	for (len = 0; len < PXS_CHANGE_HDR; len++)
		CHECK(refusal());
	/* Between two attributes it is another change, and lacks something. */
	for (; len < whole; len++)
		CHECK(refusal());
	addition();
	buf[PXS_CHANGE_HDR] = 3;	/* shorter than an attribute's header */
	CHECK_STR(refusal(), "an attribute is cut off");
	CHECK(!pxs_change_parse(buf, len, &c, &why));
}

static void what_is_no_change(void)
{
	struct pxs_change c;
	const char *why;

	CHECK_EQ(pxs_change_parse("hello, world", 12, &c, &why) == -EBADMSG, 1);
	CHECK_STR(why, "not a change of steering tables");
	addition();
	buf[4]++;
	CHECK_EQ(pxs_change_parse(buf, len, &c, &why) == -EPROTO, 1);
	addition();
	buf[6] ^= buf[7];
	buf[7] ^= buf[6];
	buf[6] ^= buf[7];
	CHECK_EQ(pxs_change_parse(buf, len, &c, &why) == -EPROTO, 1);
	CHECK_STR(why, "written by a machine of another byte order");
	begin(PXS_CMD_SERVICE_GET);
	CHECK_EQ(pxs_change_parse(buf, len, &c, &why) == -EBADMSG, 1);
	begin(PXS_CMD_AGREED_SET);
	CHECK_EQ(pxs_change_parse(buf, len, &c, &why) == -EBADMSG, 1);
}

static void a_check_comes_back(void)
{
	u8 check[PXS_CHANGE_CHECK_LEN + 1];
	struct pxs_change c;
	const char *why;

	pxs_change_check(check, 0x1122334455, 0xfedcba9876543210);
	CHECK(!pxs_change_parse(check, PXS_CHANGE_CHECK_LEN, &c, &why));
	CHECK_EQ(c.cmd, PXS_CMD_UNSPEC);
	CHECK_EQ(c.slot, 0x1122334455);
	CHECK_EQ(c.digest, 0xfedcba9876543210);
	CHECK_STR(pxs_change_refusal(&c, GROUP), "a check is the leader's to propose");
	CHECK(pxs_change_parse(check, PXS_CHANGE_CHECK_LEN - 1, &c, &why));
	CHECK(pxs_change_parse(check, PXS_CHANGE_CHECK_LEN + 1, &c, &why));
}

int main(void)
{
	RUN(an_addition_is_taken);
	RUN(an_addition_says_group_and_seed);
	RUN(slots_and_health_are_nobodys_to_say);
	RUN(a_service_is_named);
	RUN(unknown_attributes);
	RUN(cut_anywhere);
	RUN(what_is_no_change);
	RUN(a_check_comes_back);
	return unit_done();
}
