/* SPDX-License-Identifier: GPL-2.0 */
/*
 * health_services.h - services and backends as the module has them, and verdicts to it
 *
 * Two sockets: announcements come in on one, questions and verdicts go out on the other, because
 * a socket that was overrun loses its answers as well.
 */
#ifndef PXS_AGENT_HEALTH_SERVICES_H
#define PXS_AGENT_HEALTH_SERVICES_H

#include "config.h"
#include "link.h"

struct pxs_backend_seen {
	char service[PXS_NAME_MAX + 1];
	struct pxs_address at;
	u8 proto;		/* of the service; 0: not known */
	u8 health;
	bool dumped;		/* of pxs_services_read(): not a change */
	bool own;		/* announces a verdict of ours, by pxs_services_verdict() */
	char reason[PXS_HEALTH_REASON_MAX + 1];
};

struct pxs_services {
	struct pxs_link events, calls;
	/* A backend that is there, new or changed. */
	void (*backend)(void *ctx, const struct pxs_backend_seen *b);
	/* @at NULL: all of the service; @service NULL: all, the module went away. */
	void (*gone)(void *ctx, const char *service, const struct pxs_address *at);
	/* Announcements were lost, or the module is there again: read anew. */
	void (*lost)(void *ctx);
	void *ctx;
	bool later;		/* open without the module, too: all is read when it comes */
	struct pxs_service_proto *proto;	/* of each service, by name */
	u32 nprotos, room;
};

/* Return: 0 or -errno, said why. */
int pxs_services_open(struct pxs_services *s, struct pxs_loop *loop);
void pxs_services_close(struct pxs_services *s);

/* All backends, by backend(). Return: 0 or -errno; -EINTR: they changed, read again. */
int pxs_services_read(struct pxs_services *s);

/* Return: 0 or -errno; -ENOENT: there is no such backend. @reason is for PXS_HEALTH_BAD. */
int pxs_services_verdict(struct pxs_services *s, const char *service, const struct pxs_address *at,
			 u8 health, const char *reason);

const char *pxs_health_word(u8 health);

#endif /* PXS_AGENT_HEALTH_SERVICES_H */
