/* SPDX-License-Identifier: GPL-2.0 */
/*
 * change.h - a change of services and backends, as a value in the log
 *
 *	magic	4 bytes "PXTC"
 *	version	1 byte
 *	command	1 byte: enum pxs_cmd, one of SERVICE_ and BACKEND_ADD, SET, DEL; 0: a check
 *	order	2 bytes: PXS_CHANGE_ORDER in the byte order of who wrote it
 *
 * A change goes on with the command's netlink attributes as the kernel takes them, without
 * SERVICE_AGREED and BACKEND_AGREED. They are in host order, so directors of one group have one
 * byte order; others refuse the first entry. A check goes on with a slot and the digest that the
 * leader had behind the change in it (8 bytes each, little endian).
 */
#ifndef PXS_AGENT_CHANGE_H
#define PXS_AGENT_CHANGE_H

#include "platform.h"

#define PXS_CHANGE_VERSION	1u
#define PXS_CHANGE_ORDER	0x0102u
#define PXS_CHANGE_HDR		8u
#define PXS_CHANGE_CHECK_LEN	24u

struct pxs_change {
	u8 cmd;
	const u8 *attrs;	/* of a change */
	u32 len;
	u64 slot;		/* of a check */
	u64 digest;
};

/* The header of what @cmd changes; its attributes follow. */
void pxs_change_begin(u8 *buf, u8 cmd);
void pxs_change_check(u8 buf[PXS_CHANGE_CHECK_LEN], u64 slot, u64 digest);

/*
 * Take a value apart. Return: 0; -EPROTO: of a later version, or of another byte order; -EBADMSG:
 * not a change; *why then, for the user's eyes.
 */
int pxs_change_parse(const void *data, u32 len, struct pxs_change *c, const char **why);

/*
 * May this change be proposed in @group? Only what means the same to every director: it names its
 * service, an addition says the group and its seed, and it says nothing of health or of slots.
 * Return: NULL, or why not.
 */
const char *pxs_change_refusal(const struct pxs_change *c, u32 group);

#endif /* PXS_AGENT_CHANGE_H */
