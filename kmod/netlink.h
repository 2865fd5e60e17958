/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netlink.h - the family, for its two halves
 *
 * netlink_service and netlink_group each export a const array of struct genl_ops
 * with their own policies; netlink.c joins the two when it registers the family.
 */
#ifndef PXS_NETLINK_H
#define PXS_NETLINK_H

#include <net/genetlink.h>

struct pxs_net;

/* genl_ops.internal_flags */
#define PXS_OP_CONFIG	BIT(0)	/* doit runs under pxs_net.config (dumps lock for themselves) */

enum {
	PXS_MCGRP_CONFIG_OFFSET,	/* index into the family's multicast groups */
};

extern struct genl_family pxs_genl_family;

int pxs_netlink_init(void);
void pxs_netlink_exit(void);

/* The namespace of a doit request: resolved before the op is called. */
static inline struct pxs_net *pxs_nl_net(const struct genl_info *info)
{
	return info->user_ptr[0];
}

/* The namespace of a dump. */
struct pxs_net *pxs_nl_dump_net(const struct sk_buff *skb);

/* Refuse a request: why (static text) to the operator, attr (or NULL) is to blame. Return: err. */
int pxs_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		  const char *why);

/* Return: 0 when attribute type of the request is there, else -EINVAL; why says what is missing. */
int pxs_nl_need(struct genl_info *info, int type, const char *why);

/*
 * A new message for an announcement, or NULL when nobody wants it (or memory is short). info is
 * the request that made the change, or NULL.
 */
struct sk_buff *pxs_nl_announcement(struct pxs_net *pn, struct genl_info *info);

/*
 * Start a message: to one port (reply, event), or announcement with portid 0 and
 * seq 0. Return: the header to hand to genlmsg_end(), or NULL when skb is full.
 */
void *pxs_nl_put(struct sk_buff *skb, u32 portid, u32 seq, int flags, u8 cmd);

/*
 * Announce a change to the multicast group "config". Takes skb, whose message is
 * finished; NULL is nothing to announce. info is the request that made the change, or
 * NULL; its sender gets a copy only if it asked for NLM_F_ECHO.
 */
void pxs_nl_announce(struct pxs_net *pn, struct sk_buff *skb, struct genl_info *info);

/*
 * An announcement was lost for want of memory: tell the listeners so, as an overrun
 * (-ENOBUFS), that they may read the state anew.
 */
void pxs_nl_lost(struct pxs_net *pn);

#endif /* PXS_NETLINK_H */
