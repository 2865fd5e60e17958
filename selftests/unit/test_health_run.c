// SPDX-License-Identifier: GPL-2.0
/*
 * test_health_run.c - what the checker believes of the module's announcements, and when
 *
 * The module is a script: announcements are handed over in the order in which they are queued,
 * which is not that of the calls between them.
 */
#define _GNU_SOURCE

#include "link.h"
#include "unit.h"

static int fake_open(struct pxs_link *l, struct pxs_loop *loop);
static int fake_call(struct pxs_link *l, struct nl_msg *msg,
		     void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx);
static int fake_dump(struct pxs_link *l, struct nl_msg *msg,
		     void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx);
static int fake_join(struct pxs_link *l, const char *family, const char *group);
static int fake_resolve(const char *family);
static void fake_drain(struct pxs_link *l);

#define pxs_link_open(...)	fake_open(__VA_ARGS__)
#define pxs_link_call(...)	fake_call(__VA_ARGS__)
#define pxs_link_dump(...)	fake_dump(__VA_ARGS__)
#define pxs_link_join(...)	fake_join(__VA_ARGS__)
#define pxs_link_resolve(...)	fake_resolve(__VA_ARGS__)
#define pxs_link_drain(...)	fake_drain(__VA_ARGS__)
#include "health_services.c"
#include "health_run.c"

#define FAMILY		29
#define OTHER_PORT	4711

/* The module: one backend of one service. */
static struct {
	u8 proto, health;
	int family;		/* -ENOENT: it is not loaded */
	int error;		/* of a call */
	u32 told, joined;
} module;

static struct pxs_checker checker;
static struct pxs_health_section section;
static struct pxs_config config = { .nhealth = 1, .health = &section };

/* A message of the module's. @proto 0: of the backend, else of its service. */
static struct nl_msg *message(u8 cmd, u32 port, u8 proto, u8 health)
{
	struct nl_msg *msg = nlmsg_alloc();
	u32 at = htonl(0x0a000001);

	if (!msg || !genlmsg_put(msg, port, 0, module.family, 0, 0, cmd, PXS_GENL_VERSION))
		abort();
	if (proto) {
		nla_put_string(msg, PXS_A_SERVICE_NAME, "u");
		nla_put_u8(msg, PXS_A_SERVICE_PROTO, proto);
		return msg;
	}
	nla_put_string(msg, PXS_A_BACKEND_SERVICE, "u");
	nla_put(msg, PXS_A_BACKEND_ADDR, 4, &at);
	nla_put_u16(msg, PXS_A_BACKEND_PORT, htons(7000));
	nla_put_u8(msg, PXS_A_BACKEND_HEALTH, health);
	return msg;
}

/* An announcement that was queued comes. */
static void comes(u8 cmd, u32 port, u8 proto, u8 health)
{
	struct nl_msg *msg = message(cmd, port, proto, health);

	checker.services.events.event(&checker.services, nlmsg_hdr(msg));
	nlmsg_free(msg);
}

static void echo_comes(u8 health)
{
	comes(PXS_CMD_BACKEND_SET, nl_socket_get_local_port(checker.services.calls.sock), 0,
	      health);
}

static void other_comes(u8 health)
{
	comes(PXS_CMD_BACKEND_SET, OTHER_PORT, 0, health);
}

static int fake_open(struct pxs_link *l, struct pxs_loop *loop)
{
	l->loop = loop;
	l->family = module.family;
	if (l->family < 0 && !l->later)
		return -ENOENT;
	l->sock = nl_socket_alloc();
	return 0;
}

static int fake_call(struct pxs_link *l, struct nl_msg *msg,
		     void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];

	(void)l;
	(void)reply;
	(void)ctx;
	module.told++;
	if (!module.error && !genlmsg_parse(nlmsg_hdr(msg), 0, tb, PXS_A_BACKEND_MAX, NULL))
		module.health = nla_get_u8(tb[PXS_A_BACKEND_HEALTH]);
	nlmsg_free(msg);
	return module.error;
}

static int fake_dump(struct pxs_link *l, struct nl_msg *msg,
		     void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	u8 cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;

	nlmsg_free(msg);
	if (l->family != module.family)
		return -ENOENT;
	msg = message(cmd, 0, cmd == PXS_CMD_SERVICE_GET ? module.proto : 0, module.health);
	reply(ctx, nlmsg_hdr(msg));
	nlmsg_free(msg);
	return 0;
}

static int fake_join(struct pxs_link *l, const char *family, const char *group)
{
	(void)l;
	(void)family;
	(void)group;
	module.joined++;
	return 0;
}

static int fake_resolve(const char *family)
{
	CHECK_STR(family, PXS_GENL_NAME);
	return module.family;
}

static void fake_drain(struct pxs_link *l)
{
	(void)l;
}

static void begin(void)
{
	struct pxs_checker *c = &checker;

	memset(c, 0, sizeof(*c));
	memset(&section, 0, sizeof(section));
	memset(&module, 0, sizeof(module));
	module.proto = IPPROTO_UDP;
	module.family = FAMILY;
	module.health = PXS_HEALTH_GOOD;
	strcpy(section.service, "u");
	section.probe.kind = &pxs_probe_tcp;
	section.timing = (struct pxs_health_conf){
		.interval_ms = 1000, .timeout_ms = 400, .rise = 1, .fall = 1,
	};
	c->config = &config;
	c->services.ctx = c;
	c->services.backend = on_backend;
	c->services.gone = on_backend_gone;
	c->services.lost = on_lost;
	c->services.events.event = on_event;
	c->services.calls.sock = nl_socket_alloc();
	c->services.calls.family = FAMILY;
	c->services.events.family = FAMILY;
	pthread_mutex_init(&c->lock, NULL);
	c->loop.now = 1000;
	read_all(c);
}

static void finish(void)
{
	u32 i;

	for (i = 0; i < checker.ntargets; i++)
		free(checker.target[i]);
	free(checker.target);
	nl_socket_free(checker.services.calls.sock);
	free(checker.services.proto);
}

static struct target *target(void)
{
	if (checker.ntargets != 1)
		abort();
	return checker.target[0];
}

/* A check of the backend ends. */
static void check_ends_why(enum pxs_probe_end end, const char *why)
{
	pxs_health_begin(&target()->check, checker.loop.now);
	checker.flights++;
	probed(target(), end, why);
}

static void check_ends(enum pxs_probe_end end)
{
	check_ends_why(end, "tcp connect: Connection refused");
}

static void others_are_heard(void)
{
	begin();
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	other_comes(PXS_HEALTH_BAD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	finish();
}

/* What was announced before the verdict, and is read after it, is older. */
static void older_than_the_verdict(void)
{
	begin();
	check_ends(PXS_PROBE_ILL);
	CHECK_EQ(module.health, PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_GOOD);	/* somebody gave it a weight, before that */
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	echo_comes(PXS_HEALTH_BAD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	/* It comes back, and the module hears of it. */
	check_ends(PXS_PROBE_WELL);
	CHECK_EQ(module.health, PXS_HEALTH_GOOD);
	finish();
}

/* It stays bad for another reason: the module shows that one, and is told once. */
static void another_reason(void)
{
	u32 told;

	begin();
	check_ends_why(PXS_PROBE_ILL, "tcp: nothing for 1500 ms");
	echo_comes(PXS_HEALTH_BAD);
	told = module.told;
	check_ends_why(PXS_PROBE_ILL, "tcp: nothing for 1500 ms");
	CHECK_EQ(module.told, told);
	check_ends(PXS_PROBE_ILL);
	CHECK_EQ(module.told, told + 1);
	CHECK_EQ(module.health, PXS_HEALTH_BAD);
	check_ends(PXS_PROBE_ILL);
	CHECK_EQ(module.told, told + 1);
	echo_comes(PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	finish();
}

static void newer_than_the_verdict(void)
{
	begin();
	check_ends(PXS_PROBE_ILL);
	echo_comes(PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	finish();
}

static void two_verdicts_under_way(void)
{
	begin();
	check_ends(PXS_PROBE_ILL);
	check_ends(PXS_PROBE_WELL);
	other_comes(PXS_HEALTH_UNCHECKED);
	echo_comes(PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_BAD);	/* between the two */
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	echo_comes(PXS_HEALTH_GOOD);
	other_comes(PXS_HEALTH_BAD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	finish();
}

/* An echo that was lost must not make the checker deaf; one that is left over is nobody's. */
static void lost_echoes(void)
{
	begin();
	check_ends(PXS_PROBE_ILL);
	read_all(&checker);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	echo_comes(PXS_HEALTH_BAD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	check_ends(PXS_PROBE_ILL);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	finish();
}

/* What the module did not take, it does not announce. */
static void refused_verdict(void)
{
	begin();
	module.error = -ENOMEM;
	check_ends(PXS_PROBE_ILL);
	CHECK_EQ(module.told, 1);
	CHECK(target()->tell);
	module.error = 0;
	checker.loop.now = target()->tell;
	tell(&checker, target());
	CHECK_EQ(module.health, PXS_HEALTH_BAD);
	echo_comes(PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	finish();
}

/* The echo of a verdict on a backend that is gone makes no new one. */
static void echo_of_one_that_is_gone(void)
{
	begin();
	check_ends(PXS_PROBE_ILL);
	module.error = -ENOENT;
	check_ends(PXS_PROBE_WELL);
	CHECK_EQ(checker.ntargets, 0);
	echo_comes(PXS_HEALTH_BAD);
	CHECK_EQ(checker.ntargets, 0);
	finish();
}

/* The service was made anew, for another protocol, and nobody heard of it. */
static void other_protocol(void)
{
	begin();
	CHECK_EQ(target()->proto, IPPROTO_UDP);
	module.proto = IPPROTO_TCP;
	read_all(&checker);
	CHECK_EQ(target()->proto, IPPROTO_TCP);
	finish();
}

/* What says so is thrown away, or lost, together with all that was queued. */
static void reloaded_unheard(void)
{
	begin();
	module.family = FAMILY + 1;
	module.health = PXS_HEALTH_BAD;
	read_all(&checker);
	CHECK(!checker.read);
	CHECK_EQ(module.joined, 1);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	other_comes(PXS_HEALTH_GOOD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	finish();
}

static void unloaded_unheard(void)
{
	begin();
	module.family = -ENOENT;
	read_all(&checker);
	CHECK(!checker.read);
	CHECK_EQ(checker.ntargets, 0);
	CHECK_EQ(module.joined, 0);
	module.family = FAMILY;
	read_all(&checker);
	CHECK_EQ(checker.ntargets, 1);
	finish();
}

static void module_comes(void)
{
	struct nl_msg *msg = nlmsg_alloc();

	module.family = FAMILY;
	if (!msg || !genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_NEWFAMILY, 2))
		abort();
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, PXS_GENL_NAME);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, FAMILY);
	checker.services.events.event(&checker.services, nlmsg_hdr(msg));
	nlmsg_free(msg);
}

/* After a reload checks wait for the module; a daemon that begins wants it to be there. */
static void begun_before_the_module(void)
{
	struct pxs_services *s = &checker.services;

	begin();
	on_backend_gone(&checker, NULL, NULL);
	nl_socket_free(s->calls.sock);
	s->calls.sock = NULL;
	module.family = -ENOENT;
	CHECK_EQ(pxs_services_open(s, &checker.loop), -ENOENT);
	s->later = true;
	CHECK_EQ(pxs_services_open(s, &checker.loop), 0);
	CHECK_EQ(module.joined, 1);
	read_all(&checker);
	CHECK(!checker.read);
	CHECK_EQ(checker.ntargets, 0);
	module_comes();
	CHECK_EQ(module.joined, 2);
	CHECK_EQ(checker.read, checker.loop.now);
	read_all(&checker);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_GOOD);
	other_comes(PXS_HEALTH_BAD);
	CHECK_EQ(target()->check.verdict, PXS_HEALTH_BAD);
	nl_socket_free(s->events.sock);
	finish();
}

int main(void)
{
	pxs_report_level(0);
	RUN(others_are_heard);
	RUN(older_than_the_verdict);
	RUN(another_reason);
	RUN(newer_than_the_verdict);
	RUN(two_verdicts_under_way);
	RUN(lost_echoes);
	RUN(refused_verdict);
	RUN(echo_of_one_that_is_gone);
	RUN(other_protocol);
	RUN(reloaded_unheard);
	RUN(unloaded_unheard);
	RUN(begun_before_the_module);
	return unit_done();
}
