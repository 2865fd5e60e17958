// SPDX-License-Identifier: GPL-2.0
/*
 * change.c - a change of services and backends, as a value in the log
 *
 * Pure. Attributes are walked by hand: they come from a client, and may be cut anywhere.
 */
#include "change.h"

#include <linux/netlink.h>
#include <linux/paxsteer.h>

static const u8 magic[4] = "PXTC";

void pxs_change_begin(u8 *buf, u8 cmd)
{
	u16 order = PXS_CHANGE_ORDER;

	memcpy(buf, magic, sizeof(magic));
	buf[4] = PXS_CHANGE_VERSION;
	buf[5] = cmd;
	memcpy(buf + 6, &order, sizeof(order));
}

void pxs_change_check(u8 buf[PXS_CHANGE_CHECK_LEN], u64 slot, u64 digest)
{
	__le64 le[2] = { cpu_to_le64(slot), cpu_to_le64(digest) };

	pxs_change_begin(buf, PXS_CMD_UNSPEC);
	memcpy(buf + PXS_CHANGE_HDR, le, sizeof(le));
}

static bool is_service(u8 cmd)
{
	return cmd == PXS_CMD_SERVICE_ADD || cmd == PXS_CMD_SERVICE_SET ||
	       cmd == PXS_CMD_SERVICE_DEL;
}

static bool is_backend(u8 cmd)
{
	return cmd == PXS_CMD_BACKEND_ADD || cmd == PXS_CMD_BACKEND_SET ||
	       cmd == PXS_CMD_BACKEND_DEL;
}

int pxs_change_parse(const void *data, u32 len, struct pxs_change *c, const char **why)
{
	const u8 *p = data;
	u16 order;

	memset(c, 0, sizeof(*c));
	*why = "not a change of steering tables";
	if (len < PXS_CHANGE_HDR || memcmp(p, magic, sizeof(magic)))
		return -EBADMSG;
	*why = "written by a newer paxsteerd, which must run here too";
	if (p[4] != PXS_CHANGE_VERSION)
		return -EPROTO;
	*why = "written by a machine of another byte order";
	memcpy(&order, p + 6, sizeof(order));
	if (order != PXS_CHANGE_ORDER)
		return -EPROTO;
	*why = "not a change of steering tables";
	c->cmd = p[5];
	if (c->cmd == PXS_CMD_UNSPEC) {
		if (len != PXS_CHANGE_CHECK_LEN)
			return -EBADMSG;
		c->slot = get_unaligned_le64(p + 8);
		c->digest = get_unaligned_le64(p + 16);
	} else if (is_service(c->cmd) || is_backend(c->cmd)) {
		c->attrs = p + PXS_CHANGE_HDR;
		c->len = len - PXS_CHANGE_HDR;
	} else {
		return -EBADMSG;
	}
	*why = NULL;
	return 0;
}

#define ATTRS_MAX	31u

/* What of each attribute is asked for. */
struct seen {
	u32 types;		/* bit: it is there */
	u32 group;
	bool named;
};

static const char *take_attr(struct seen *s, u8 cmd, u16 type, const u8 *data, u32 len)
{
	if (!type || type > ATTRS_MAX || type > (is_service(cmd) ? PXS_A_SERVICE_MAX :
								   PXS_A_BACKEND_MAX))
		return "an attribute is not known";
	if (s->types & (1u << type))
		return "an attribute is there twice";
	s->types |= 1u << type;
	/* NAME and SERVICE have one number. */
	if (type == PXS_A_SERVICE_NAME)
		s->named = len > 1 && !data[len - 1] && strlen((const char *)data) == len - 1;
	if (is_service(cmd) && type == PXS_A_SERVICE_GROUP && len == sizeof(s->group))
		memcpy(&s->group, data, len);
	return NULL;
}

static const char *walk(const struct pxs_change *c, struct seen *s)
{
	const char *why = NULL;
	struct nlattr a;
	u32 pos = 0;

	while (pos < c->len && !why) {
		if (c->len - pos < sizeof(a))
			return "an attribute is cut off";
		memcpy(&a, c->attrs + pos, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > c->len - pos)
			return "an attribute is cut off";
		why = take_attr(s, c->cmd, a.nla_type, c->attrs + pos + sizeof(a),
				a.nla_len - (u32)sizeof(a));
		pos += min((u32)NLA_ALIGN(a.nla_len), c->len - pos);
	}
	return why;
}

const char *pxs_change_refusal(const struct pxs_change *c, u32 group)
{
	struct seen s = { 0 };
	const char *why = walk(c, &s);

	if (c->cmd == PXS_CMD_UNSPEC)
		return "a check is the leader's to propose";
	if (why)
		return why;
	if (!s.named)
		return "the service's name is missing";
	if (is_service(c->cmd)) {
		if (s.types & (1u << PXS_A_SERVICE_AGREED))
			return "the slot is not the client's to say";
		if (c->cmd == PXS_CMD_SERVICE_ADD && s.group != group)
			return "a service that is added must name this group";
		if (c->cmd == PXS_CMD_SERVICE_ADD && !(s.types & (1u << PXS_A_SERVICE_SEED)))
			return "a service that is added needs its seed: each director would draw its own";
		return NULL;
	}
	if (s.types & (1u << PXS_A_BACKEND_AGREED))
		return "the slot is not the client's to say";
	if (s.types & (1u << PXS_A_BACKEND_HEALTH | 1u << PXS_A_BACKEND_REASON))
		return "health is what one host sees: nothing to agree on";
	if (s.types & (1u << PXS_A_BACKEND_FD | 1u << PXS_A_BACKEND_SOCKET))
		return "a socket is one host's: nothing to agree on";
	return NULL;
}
