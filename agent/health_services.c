// SPDX-License-Identifier: GPL-2.0
/*
 * health_services.c - services and backends as the module has them, and verdicts to it
 */
#include "health_services.h"

#include <netlink/genl/ctrl.h>
#include <stdio.h>

#include "address.h"
#include "report.h"

struct pxs_service_proto {
	char name[PXS_NAME_MAX + 1];
	u8 proto;
};

const char *pxs_health_word(u8 health)
{
	switch (health) {
	case PXS_HEALTH_GOOD:
		return "good";
	case PXS_HEALTH_BAD:
		return "bad";
	default:
		return "unchecked";
	}
}

/* --- attributes ---------------------------------------------------------------- */

/* By hand, not by a policy: one of a newer module may have more. */
static bool take_text(const struct nlattr *a, char *to, size_t size)
{
	if (!a || nla_len(a) < 1 || (size_t)nla_len(a) > size ||
	    ((const char *)nla_data(a))[nla_len(a) - 1])
		return false;
	memcpy(to, nla_data(a), (size_t)nla_len(a));
	return true;
}

static u8 take_u8(const struct nlattr *a)
{
	return a && nla_len(a) >= 1 ? nla_get_u8(a) : 0;
}

static bool take_address(struct nlattr **tb, struct pxs_address *at)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at->storage;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at->storage;
	const struct nlattr *addr = tb[PXS_A_BACKEND_ADDR], *port = tb[PXS_A_BACKEND_PORT];

	memset(at, 0, sizeof(*at));
	if (!addr || !port || nla_len(port) != 2)
		return false;
	if (nla_len(addr) == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = nla_get_u16(port);
		memcpy(&v4->sin_addr, nla_data(addr), 4);
		at->len = sizeof(*v4);
	} else if (nla_len(addr) == 16) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = nla_get_u16(port);
		memcpy(&v6->sin6_addr, nla_data(addr), 16);
		at->len = sizeof(*v6);
	}
	return at->len;
}

static struct pxs_service_proto *proto_of(struct pxs_services *s, const char *name)
{
	u32 i;

	for (i = 0; i < s->nprotos; i++)
		if (!strcmp(s->proto[i].name, name))
			return &s->proto[i];
	return NULL;
}

static void keep_proto(struct pxs_services *s, const char *name, u8 proto)
{
	struct pxs_service_proto *p = proto_of(s, name), *grown;
	u32 room = s->room ? 2 * s->room : 16;

	if (!p && s->nprotos == s->room) {
		grown = realloc(s->proto, room * sizeof(*grown));
		if (!grown) {
			s->lost(s->ctx);
			return;
		}
		s->proto = grown;
		s->room = room;
	}
	if (!p) {
		p = &s->proto[s->nprotos++];
		memset(p, 0, sizeof(*p));
		snprintf(p->name, sizeof(p->name), "%s", name);
	}
	p->proto = proto;
}

static void take_service(struct pxs_services *s, struct nlmsghdr *nlh, u8 cmd)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	char name[PXS_NAME_MAX + 1];

	if (genlmsg_parse(nlh, 0, tb, PXS_A_SERVICE_MAX, NULL) ||
	    !take_text(tb[PXS_A_SERVICE_NAME], name, sizeof(name)))
		return;
	if (cmd == PXS_CMD_SERVICE_DEL) {
		struct pxs_service_proto *p = proto_of(s, name);

		if (p)
			*p = s->proto[--s->nprotos];
		s->gone(s->ctx, name, NULL);
	} else {
		keep_proto(s, name, take_u8(tb[PXS_A_SERVICE_PROTO]));
	}
}

static void take_backend(struct pxs_services *s, struct nlmsghdr *nlh, u8 cmd)
{
	struct pxs_backend_seen b = {
		.dumped = cmd == PXS_CMD_BACKEND_GET,
		.own = cmd == PXS_CMD_BACKEND_SET &&
		       nlh->nlmsg_pid == nl_socket_get_local_port(s->calls.sock),
	};
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	const struct pxs_service_proto *p;

	if (genlmsg_parse(nlh, 0, tb, PXS_A_BACKEND_MAX, NULL) ||
	    !take_text(tb[PXS_A_BACKEND_SERVICE], b.service, sizeof(b.service)) ||
	    !take_address(tb, &b.at))
		return;
	/* A socket of a process here: nobody else reaches it, the kernel sees when it is closed. */
	if (tb[PXS_A_BACKEND_SOCKET])
		return;
	if (cmd == PXS_CMD_BACKEND_DEL) {
		s->gone(s->ctx, b.service, &b.at);
		return;
	}
	p = proto_of(s, b.service);
	b.proto = p ? p->proto : 0;
	b.health = take_u8(tb[PXS_A_BACKEND_HEALTH]);
	if (b.health < PXS_HEALTH_UNCHECKED || b.health > PXS_HEALTH_BAD)
		return;
	take_text(tb[PXS_A_BACKEND_REASON], b.reason, sizeof(b.reason));
	s->backend(s->ctx, &b);
}

/* --- what comes ------------------------------------------------------------------ */

static void on_message(void *ctx, struct nlmsghdr *nlh)
{
	struct pxs_services *s = ctx;
	u8 cmd;

	if (!genlmsg_valid_hdr(nlh, 0))
		return;
	cmd = genlmsg_hdr(nlh)->cmd;
	switch (cmd) {
	case PXS_CMD_SERVICE_ADD:
	case PXS_CMD_SERVICE_DEL:
	case PXS_CMD_SERVICE_GET:
		take_service(s, nlh, cmd);
		break;
	case PXS_CMD_BACKEND_ADD:
	case PXS_CMD_BACKEND_SET:
	case PXS_CMD_BACKEND_DEL:
	case PXS_CMD_BACKEND_GET:
		take_backend(s, nlh, cmd);
		break;
	}
}

static void on_unloaded(struct pxs_services *s)
{
	pxs_notice("health: the module is not loaded: nothing is checked until it is");
	s->gone(s->ctx, NULL, NULL);
}

static int on_loaded(struct pxs_services *s, int family)
{
	s->calls.family = family;
	s->events.family = family;
	return pxs_link_join(&s->events, PXS_GENL_NAME, PXS_MCGRP_CONFIG);
}

/* The module was unloaded, or loaded again: its family has another number, and no service. */
static void on_family(struct pxs_services *s, struct nlmsghdr *nlh)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	char name[GENL_NAMSIZ];
	u8 cmd;

	if (!genlmsg_valid_hdr(nlh, 0) || genlmsg_parse(nlh, 0, tb, CTRL_ATTR_MAX, NULL) ||
	    !take_text(tb[CTRL_ATTR_FAMILY_NAME], name, sizeof(name)) ||
	    strcmp(name, PXS_GENL_NAME))
		return;
	cmd = genlmsg_hdr(nlh)->cmd;
	if (cmd == CTRL_CMD_DELFAMILY) {
		on_unloaded(s);
	} else if (cmd == CTRL_CMD_NEWFAMILY && tb[CTRL_ATTR_FAMILY_ID] &&
		   nla_len(tb[CTRL_ATTR_FAMILY_ID]) >= 2) {
		on_loaded(s, nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]));
		s->lost(s->ctx);
	}
}

static void on_event(void *ctx, struct nlmsghdr *nlh)
{
	struct pxs_services *s = ctx;

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		on_family(s, nlh);
	else if (nlh->nlmsg_type == s->events.family)
		on_message(s, nlh);
}

/* Answers that were given up. */
static void on_late(void *ctx, struct nlmsghdr *nlh)
{
	(void)ctx;
	(void)nlh;
}

static void on_overrun(void *ctx)
{
	struct pxs_services *s = ctx;

	pxs_notice("health: more changes than were read: reading all again");
	s->lost(s->ctx);
}

/* --- what is asked ---------------------------------------------------------------- */

static int dump_all(struct pxs_services *s)
{
	int err;

	s->nprotos = 0;
	err = pxs_link_dump(&s->calls, pxs_link_msg(&s->calls, PXS_CMD_SERVICE_GET), on_message, s);
	if (err)
		return err;
	return pxs_link_dump(&s->calls, pxs_link_msg(&s->calls, PXS_CMD_BACKEND_GET), on_message,
			     s);
}

int pxs_services_read(struct pxs_services *s)
{
	int err, family;

	/* What is queued is older than the answer, and some of it is lost. */
	pxs_link_drain(&s->events);
	err = s->calls.family < 0 ? -ENOENT : dump_all(s);
	if (err != -ENOENT)
		return err;
	/* Lost with it, or never heard: that the module was unloaded, perhaps that it is back. */
	on_unloaded(s);
	family = pxs_link_resolve(PXS_GENL_NAME);
	if (family == -ENOENT)
		return 0;	/* it is not: there will be word of it */
	if (family < 0)
		return family;
	return on_loaded(s, family) ?: dump_all(s);
}

static int put_backend(struct nl_msg *msg, const char *service, const struct pxs_address *at)
{
	int err = nla_put_string(msg, PXS_A_BACKEND_SERVICE, service);

	err |= nla_put(msg, PXS_A_BACKEND_ADDR, pxs_address_ip_len(at), pxs_address_ip(at));
	err |= nla_put_u16(msg, PXS_A_BACKEND_PORT, pxs_address_port(at));
	return err;
}

int pxs_services_verdict(struct pxs_services *s, const char *service, const struct pxs_address *at,
			 u8 health, const char *reason)
{
	struct nl_msg *msg = pxs_link_msg(&s->calls, PXS_CMD_BACKEND_SET);
	int err;

	if (!msg)
		return -ENOMEM;
	err = put_backend(msg, service, at) | nla_put_u8(msg, PXS_A_BACKEND_HEALTH, health);
	if (health == PXS_HEALTH_BAD)
		err |= nla_put_string(msg, PXS_A_BACKEND_REASON, reason);
	if (err) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return pxs_link_call(&s->calls, msg, NULL, NULL);
}

int pxs_services_open(struct pxs_services *s, struct pxs_loop *loop)
{
	int err;

	s->calls.event = on_late;
	s->events.event = on_event;
	s->events.overrun = on_overrun;
	s->calls.ctx = s;
	s->events.ctx = s;
	s->calls.later = s->later;
	s->events.later = s->later;
	err = pxs_link_open(&s->calls, loop);
	if (!err)
		err = pxs_link_open(&s->events, loop);
	if (!err && s->events.family >= 0)
		err = pxs_link_join(&s->events, PXS_GENL_NAME, PXS_MCGRP_CONFIG);
	if (!err)
		err = pxs_link_join(&s->events, "nlctrl", "notify");
	return err;
}

void pxs_services_close(struct pxs_services *s)
{
	pxs_link_close(&s->calls);
	pxs_link_close(&s->events);
	free(s->proto);
}
