// SPDX-License-Identifier: GPL-2.0
/*
 * peer.c - asking another member's store as a Redis client does
 */
#include "peer.h"

#define OK		"+OK\r\n"
#define OK_LEN		5u
/* "$BYTES\r\n" is no longer. */
#define HEAD_MAX	32u

u32 pxs_peer_greet(struct pxs_reply *out, const char *password)
{
	if (!password)
		return 0;
	pxs_reply_array(out, 3);
	pxs_reply_text(out, "AUTH");
	pxs_reply_text(out, "default");
	pxs_reply_text(out, password);
	return 1;
}

/* "$BYTES\r\n": where the bytes begin; 0: more is wanted; *bytes ~0: it is none. */
static u32 bulk(const u8 *in, u32 len, u32 most, u32 *bytes)
{
	const u8 *end = memchr(in, '\n', min(len, HEAD_MAX));
	struct pxs_str digits;
	s64 n;

	*bytes = ~0u;
	if (!end)
		return len < HEAD_MAX ? 0 : 1;
	digits = (struct pxs_str){ in + 1, end - in < 2 ? 0 : (u32)(end - in) - 2 };
	if (*in == '$' && end[-1] == '\r' && pxs_str_int(digits, &n) && n >= 0 && n <= (s64)most)
		*bytes = (u32)n;
	return (u32)(end - in) + 1;
}

static enum pxs_peer_said refused(u8 *in, u32 len)
{
	u8 *end = memchr(in, '\n', len);

	if (!end && len < PXS_PEER_LINE_MAX)
		return PXS_PEER_MORE;
	if (end)
		end[end > in ? -1 : 0] = 0;
	in[min(len, PXS_PEER_LINE_MAX - 1u)] = 0;
	return PXS_PEER_REFUSED;
}

enum pxs_peer_said pxs_peer_look(u8 *in, u32 *len, u32 *answers, u32 most, u32 *bytes)
{
	u32 at;

	*bytes = 0;
	if (*len && *in == '-')
		return refused(in, *len);
	if (*answers == 2) {
		if (*len < OK_LEN)
			return PXS_PEER_MORE;
		if (memcmp(in, OK, OK_LEN))
			return PXS_PEER_NO_PASSWORD;
		*answers = 1;
		*len -= OK_LEN;
		memmove(in, in + OK_LEN, *len);
		return pxs_peer_look(in, len, answers, most, bytes);
	}
	at = bulk(in, *len, most, bytes);
	if (!at) {
		*bytes = 0;
		return PXS_PEER_MORE;
	}
	if (*bytes == ~0u || *len > at + *bytes + 2)
		return PXS_PEER_ODD;
	if (*len < at + *bytes + 2) {
		*bytes += at + 2;
		return PXS_PEER_MORE;
	}
	memmove(in, in + at, *bytes);
	return PXS_PEER_BULK;
}
