// SPDX-License-Identifier: GPL-2.0
/*
 * probe_memcached.c - memcached's "version", over TCP or in a UDP frame
 *
 * A frame is four numbers of 16 bits, big endian: request id, number of the datagram, how many
 * there are, 0 (memcached's doc/protocol.txt).
 */
#include <string.h>

#include "probe.h"

#define FRAME	8

static const char ask[] = "version\r\n";

static u32 request(const struct pxs_probe *p, u8 *to)
{
	const u8 frame[FRAME] = { (u8)(p->id >> 8), (u8)p->id, 0, 0, 0, 1, 0, 0 };
	u32 n = p->datagram ? FRAME : 0;

	memcpy(to, frame, n);
	memcpy(to + n, ask, sizeof(ask) - 1);
	return n + sizeof(ask) - 1;
}

static enum pxs_probe_verdict judge(const struct pxs_probe *p, const u8 *a, u32 len,
				    char why[PXS_HEALTH_REASON_MAX + 1])
{
	enum pxs_probe_verdict v;

	if (p->datagram) {
		if (len < FRAME || a[0] != (u8)(p->id >> 8) || a[1] != (u8)p->id)
			return PXS_PROBE_MORE;
		a += FRAME;
		len -= FRAME;
	}
	v = pxs_probe_begins(a, len, "VERSION ");
	if (v == PXS_PROBE_MORE && p->datagram)
		v = PXS_PROBE_BAD;
	if (v == PXS_PROBE_BAD)
		return pxs_probe_bad(why, "memcached: not a version", a, len);
	return v;
}

const struct pxs_probe_kind pxs_probe_memcached = {
	.name = "memcached", .request = request, .judge = judge,
};
