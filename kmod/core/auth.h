/* SPDX-License-Identifier: GPL-2.0 */
/*
 * auth.h - the tag of a datagram
 *
 * Who holds the cluster's key may speak; paxsteer_wire.h says what is covered. The key
 * has PXS_KEY_LEN bytes, the body @len; both must be contiguous.
 */
#ifndef PXS_CORE_AUTH_H
#define PXS_CORE_AUTH_H

#include "platform.h"
#include <linux/paxsteer.h>
#include <linux/paxsteer_wire.h>

/* Put the tag over @hdr, as it is, and @body into @hdr. */
void pxs_auth_sign(const u8 *key, struct pxs_wire_hdr *hdr, const u8 *body, u32 len);

/* Does @hdr carry the right tag? Takes the same time wherever the first difference is. */
bool pxs_auth_holds(const u8 *key, const struct pxs_wire_hdr *hdr, const u8 *body, u32 len);

#endif /* PXS_CORE_AUTH_H */
