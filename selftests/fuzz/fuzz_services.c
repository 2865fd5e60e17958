// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_services.c - what the module says of services and backends to who checks them
 *
 * Input: a script of netlink (fuzz_netlink.h): first announcements, then a dump, then the answer
 * to a verdict.
 */
#include "fuzz_netlink.h"

/* Loading the module again makes it listen again; there is no socket. */
#define nl_socket_add_membership(sock, group)	((void)(sock), (void)(group), 0)
#include "health_services.c"

static u32 seen, went;

static void on_backend_seen(void *ctx, const struct pxs_backend_seen *b)
{
	char text[64];

	(void)ctx;
	FUZZ_CHECK(strnlen(b->service, sizeof(b->service)) < sizeof(b->service));
	FUZZ_CHECK(strnlen(b->reason, sizeof(b->reason)) < sizeof(b->reason));
	FUZZ_CHECK(b->health >= PXS_HEALTH_UNCHECKED && b->health <= PXS_HEALTH_BAD);
	FUZZ_CHECK(b->at.sa.sa_family == AF_INET || b->at.sa.sa_family == AF_INET6);
	pxs_address_format(&b->at, text, sizeof(text));
	FUZZ_CHECK(strchr(text, ':') && strlen(pxs_health_word(b->health)));
	seen++;
}

static void on_gone(void *ctx, const char *service, const struct pxs_address *at)
{
	(void)ctx;
	went += service ? (u32)strlen(service) + !!at : 1;
}

static void on_lost(void *ctx)
{
	(void)ctx;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	pxs_report_level((enum pxs_level)0);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct pxs_services s;
	struct pxs_address at;
	u32 n;

	if (!s.calls.sock) {
		open_link(&s.calls);
		open_link(&s.events);
		s.backend = on_backend_seen;
		s.gone = on_gone;
		s.lost = on_lost;
		s.calls.event = on_late;
		s.events.event = on_event;
		s.calls.ctx = &s;
		s.events.ctx = &s;
	}
	s.calls.family = FAMILY;
	s.events.family = FAMILY;
	script = (struct input){ data, min(size, (size_t)65536) };
	asked = 0;
	n = take8(&script);
	drain_events(&s.events, n % 8);
	if (n & 8)
		pxs_services_read(&s);
	/* It drains what is queued first: the dumps by themselves. */
	pxs_link_dump(&s.calls, pxs_link_msg(&s.calls, PXS_CMD_SERVICE_GET), on_message, &s);
	pxs_link_dump(&s.calls, pxs_link_msg(&s.calls, PXS_CMD_BACKEND_GET), on_message, &s);
	pxs_address_parse("10.0.0.1:1", &at);
	pxs_services_verdict(&s, "web", &at, PXS_HEALTH_BAD, "tcp connect: refused");
	forget_queue(&s.calls);
	forget_queue(&s.events);
	free(s.proto);
	s.proto = NULL;
	s.nprotos = 0;
	s.room = 0;
	return 0;
}
