// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_peer.c - what another member's store answers, in whatever pieces it comes
 */
#include "unit.h"

#include "../../agent/store/peer.h"

#define MOST	100u

static u8 in[PXS_PEER_LINE_MAX + 64];
static u32 len, answers, bytes;

/* The answer @text, of which more and more is there, each time looked at anew. */
static enum pxs_peer_said said(const char *text, u32 size, u32 wanted)
{
	enum pxs_peer_said ret = PXS_PEER_MORE;
	u32 i;

	len = 0;
	answers = wanted;
	for (i = 0; i < size && ret == PXS_PEER_MORE; i++) {
		in[len++] = (u8)text[i];
		ret = pxs_peer_look(in, &len, &answers, MOST, &bytes);
	}
	return ret;
}

#define SAID(text, wanted)	said(text, sizeof(text) - 1, wanted)

static void whole(void)
{
	CHECK_EQ(SAID("$3\r\na\nb\r\n", 1), PXS_PEER_BULK);
	CHECK_EQ(bytes, 3);
	CHECK(!memcmp(in, "a\nb", 3));
	CHECK_EQ(SAID("$0\r\n\r\n", 1), PXS_PEER_BULK);
	CHECK_EQ(bytes, 0);
	CHECK_EQ(SAID("+OK\r\n$3\r\nabc\r\n", 2), PXS_PEER_BULK);
	CHECK_EQ(answers, 1);
	CHECK(!memcmp(in, "abc", 3));
}

static void not_yet(void)
{
	CHECK_EQ(SAID("$30", 1), PXS_PEER_MORE);
	CHECK_EQ(bytes, 0);
	CHECK_EQ(SAID("$30\r\nabc", 1), PXS_PEER_MORE);
	CHECK_EQ(bytes, 5 + 30 + 2);
	CHECK_EQ(SAID("+OK\r\n", 2), PXS_PEER_MORE);
	CHECK_EQ(SAID("-NO", 1), PXS_PEER_MORE);
}

static void refused(void)
{
	static char endless[PXS_PEER_LINE_MAX];

	CHECK_EQ(SAID("-NOIMAGE none\r\n", 1), PXS_PEER_REFUSED);
	CHECK_STR((char *)in, "-NOIMAGE none");
	CHECK_EQ(SAID("-\n", 2), PXS_PEER_REFUSED);
	CHECK_EQ(SAID("+OK\r\n-LATER\r\n", 2), PXS_PEER_REFUSED);
	CHECK_STR((char *)in, "-LATER");
	memset(endless, '-', sizeof(endless));
	CHECK_EQ(said(endless, sizeof(endless), 1), PXS_PEER_REFUSED);
	CHECK_EQ(strlen((char *)in), PXS_PEER_LINE_MAX - 1);
}

static void odd(void)
{
	static const char *const all[] = {
		"$-1\r\n", "$101\r\n", "$x\r\n", "$3\n", ":3\r\n", "\n", "$\r\n",
		"$00000000000000000000000000000000",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		CHECK_EQ(said(all[i], (u32)strlen(all[i]), 1), PXS_PEER_ODD);
	CHECK_EQ(SAID("$100\r\n", 1), PXS_PEER_MORE);
	CHECK_EQ(SAID("+NO\r\n", 2), PXS_PEER_NO_PASSWORD);
	/* Nothing was asked that could be answered behind it. */
	len = 8;
	answers = 1;
	memcpy(in, "$1\r\na\r\nb", 8);
	CHECK_EQ(pxs_peer_look(in, &len, &answers, MOST, &bytes), PXS_PEER_ODD);
}

static void greets(void)
{
	static const char want[] = "*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$2\r\npw\r\n";
	struct pxs_reply out;

	pxs_reply_init(&out, 2, 1000);
	CHECK_EQ(pxs_peer_greet(&out, NULL), 0);
	CHECK_EQ(out.len, 0);
	CHECK_EQ(pxs_peer_greet(&out, "pw"), 1);
	CHECK_EQ(out.len, sizeof(want) - 1);
	CHECK(!memcmp(out.buf, want, sizeof(want) - 1));
	pxs_reply_free(&out);
}

int main(void)
{
	RUN(whole);
	RUN(not_yet);
	RUN(refused);
	RUN(odd);
	RUN(greets);
	return unit_done();
}
