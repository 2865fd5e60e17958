// SPDX-License-Identifier: GPL-2.0
/*
 * service.c - what clients address
 *
 * Owns struct pxs_service and the tables of a namespace in which they are found.
 * Configuration runs in process context under pxs_net.config. The packet path looks
 * services up under RCU and takes a plan from them; a service is out of the table
 * before call_rcu() frees it. The hooks are there exactly while a service is.
 */
#include "pxs.h"

#include <linux/err.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "agreed.h"
#include "backend.h"
#include "backend_index.h"
#include "core/limit.h"
#include "deliver_nat.h"
#include "given.h"
#include "keep.h"
#include "load.h"
#include "passive.h"
#include "pernet.h"
#include "relay.h"
#include "service.h"
#include "steer.h"

static struct hlist_head *pxs_services_at(struct pxs_services *s, const struct pxs_endpoint *at)
{
	u32 hash = pxs_endpoint_hash(at, sizeof(*at), s->hash_seed);

	return &s->by_at[hash & ((1 << PXS_AT_BITS) - 1)];
}

struct pxs_service *pxs_service_lookup(struct pxs_net *pn, const struct pxs_endpoint *at)
{
	struct pxs_service *svc;

	hlist_for_each_entry_rcu(svc, pxs_services_at(&pn->services, at), node)
		if (pxs_endpoint_equal(&svc->at, at))
			return svc;
	return NULL;
}

struct pxs_plan *pxs_service_plan(const struct pxs_service *svc)
{
	return rcu_dereference_protected(svc->plan, lockdep_is_held(&svc->pn->config));
}

struct pxs_service *pxs_service_find(struct pxs_net *pn, const char *name)
{
	struct pxs_service *svc;

	list_for_each_entry(svc, &pn->services.list, list)
		if (!strcmp(svc->name, name))
			return svc;
	return NULL;
}

struct pxs_service *pxs_service_at(struct pxs_net *pn, const struct pxs_endpoint *at)
{
	struct pxs_service *svc;

	list_for_each_entry(svc, &pn->services.list, list)
		if (pxs_endpoint_equal(&svc->at, at))
			return svc;
	return NULL;
}

static int pxs_endpoint_check6(const struct in6_addr *addr, const char **why)
{
	int type = ipv6_addr_type(addr);

	*why = "address is not that of one host";
	if (type == IPV6_ADDR_ANY || type & IPV6_ADDR_MULTICAST)
		return -EADDRNOTAVAIL;
	*why = "link-local addresses are not supported";
	if (type & IPV6_ADDR_LINKLOCAL)
		return -EADDRNOTAVAIL;
	*why = "give an IPv4-mapped address as IPv4";
	if (type & IPV6_ADDR_MAPPED)
		return -EADDRNOTAVAIL;
	*why = NULL;
	return 0;
}

int pxs_endpoint_check(struct pxs_net *pn, const struct pxs_endpoint *at, const char **why)
{
	__be32 ip = pxs_endpoint_ip4(at);
	unsigned int type;

	if (at->family == AF_INET6)
		return pxs_endpoint_check6(&at->addr, why);
	*why = "address is not that of one host";
	if (ipv4_is_zeronet(ip) || ipv4_is_multicast(ip) || ipv4_is_lbcast(ip))
		return -EADDRNOTAVAIL;
	/* Where no interface ever was up there are no routes, and everything seems broadcast. */
	type = inet_addr_type(pn->net, ip);
	if (type == RTN_BROADCAST &&
	    inet_addr_type(pn->net, htonl(INADDR_LOOPBACK)) == RTN_BROADCAST)
		type = RTN_UNICAST;
	if (type == RTN_BROADCAST || type == RTN_MULTICAST)
		return -EADDRNOTAVAIL;
	*why = NULL;
	return 0;
}

static bool pxs_services_have_backend(struct pxs_net *pn, const struct pxs_endpoint *at)
{
	struct pxs_service *svc;

	list_for_each_entry(svc, &pn->services.list, list)
		if (pxs_backend_find(svc, at))
			return true;
	return false;
}

/* Do few rows move when a weight grows a little? */
static bool pxs_service_can_ramp(u8 fill)
{
	return fill != PXS_FILL_JUMP && fill != PXS_FILL_REDIS_SLOTS && fill != PXS_FILL_IPVS_MH;
}

int pxs_service_has_room(const struct pxs_service *svc, const struct pxs_service_config *config,
			 u32 more, struct pxs_refusal *no)
{
	const struct pxs_limit of = {
		.fill = config->fill,
		.mode = svc->mode,
		.agreed = svc->group,
		.watched = config->bound || config->passive_fails || config->slow_start,
	};
	const char *why;

	if (svc->nbackends + more <= pxs_limit_backends(&of, &why))
		return 0;
	return pxs_refuse(no, -ERANGE, 0, why);
}

/* Would a table with this configuration be possible at all? Asked of one backend. */
static int pxs_service_config_check(u8 proto, u8 mode, u32 group,
				    const struct pxs_service_config *config,
				    struct pxs_refusal *no)
{
	static const struct pxs_table_backend one = { .id = 1, .weight = 1, .family = 4 };
	struct pxs_table_config cfg = {
		.fill = config->fill,
		.cap = config->cap,
		.nrows = config->rows,
		.seed = config->seed,
		.nbackends = 1,
		.backends = &one,
	};
	int err;

	if (mode == PXS_MODE_REQUEST && config->key.rule != PXS_KEY_REDIS &&
	    config->key.rule != PXS_KEY_MEMCACHED)
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_KEY,
				  "mode request needs the key redis or memcached");
	if (proto == IPPROTO_TCP && mode != PXS_MODE_REQUEST && pxs_key_peek(&config->key))
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_KEY,
				  "keys out of the payload need protocol UDP, or mode request");
	no->why = pxs_key_check(&config->key);
	if (no->why)
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_KEY, no->why);
	/* One backend may happen to have as many points: refuse what its next one would. */
	if (config->fill == PXS_FILL_KETAMA && config->rows)
		return pxs_refuse(no, -ERANGE, PXS_A_SERVICE_ROWS,
				  "the rows of ketama follow from the backends");
	if (config->bound && (config->bound < PXS_BOUND_MIN || config->bound > PXS_BOUND_MAX))
		return pxs_refuse(no, -ERANGE, PXS_A_SERVICE_BOUND,
				  "a bound is 1010..10000 thousandths of the fair share, or 0: off");
	if (config->passive_fails && !pxs_passive_sees(proto == IPPROTO_UDP, mode))
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_PASSIVE_FAILS,
				  "failures are seen with mode local or request, or UDP and mode nat");
	if (config->slow_start && group)
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_SLOW_START,
				  "no slow start where a group agrees: each director has a clock of its own");
	if (config->slow_start && !pxs_service_can_ramp(config->fill))
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_SLOW_START,
				  "no slow start with the fills jump, redis-slots and ipvs-mh: a small change of weight moves too many rows");
	err = pxs_table_plan(&cfg, &no->why);
	if (err)
		return pxs_refuse(no, err, PXS_A_SERVICE_ROWS, no->why);
	return 0;
}

static int pxs_service_check(struct pxs_net *pn, const struct pxs_service_spec *spec,
			     struct pxs_refusal *no)
{
	int err;

	err = pxs_agreed_may(&pn->agreed, spec->group, &no->why);
	if (err)
		return pxs_refuse(no, err, PXS_A_SERVICE_GROUP, no->why);
	if (spec->tunnel_port && spec->mode != PXS_MODE_TUNNEL_GUE)
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_TUNNEL_PORT,
				  "only mode tunnel gue has a port of the tunnel");
	if (spec->mode == PXS_MODE_REQUEST && spec->at.proto != IPPROTO_TCP)
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_MODE,
				  "mode request needs protocol TCP: with UDP every mode steers by request");
	if (pn->services.n >= PXS_SERVICES_MAX)
		return pxs_refuse(no, -ERANGE, 0,
				  "the namespace has 1024 services: that is the limit");
	if (pxs_service_find(pn, spec->name))
		return pxs_refuse(no, -EEXIST, PXS_A_SERVICE_NAME, "a service has this name");
	err = pxs_endpoint_check(pn, &spec->at, &no->why);
	if (err)
		return pxs_refuse(no, err, PXS_A_SERVICE_ADDR, no->why);
	if (pxs_service_at(pn, &spec->at))
		return pxs_refuse(no, -EEXIST, PXS_A_SERVICE_ADDR,
				  "a service has this protocol, address and port");
	if (pxs_services_have_backend(pn, &spec->at))
		return pxs_refuse(no, -EADDRINUSE, PXS_A_SERVICE_ADDR,
				  "address and port are those of a backend: this would be a loop");
	return pxs_service_config_check(spec->at.proto, spec->mode, spec->group, &spec->config,
					no);
}

static void pxs_service_free(struct pxs_service *svc)
{
	free_percpu(svc->stats);
	kvfree(svc->keep);
	kfree(svc);
}

static void pxs_service_free_rcu(struct rcu_head *rcu)
{
	pxs_service_free(container_of(rcu, struct pxs_service, rcu));
}

/* nat has conntrack for it, local the sockets; datagrams go each by itself. */
static bool pxs_service_keeps(const struct pxs_service *svc)
{
	return pxs_service_forwards(svc) && svc->at.proto == IPPROTO_TCP;
}

static struct pxs_service *pxs_service_alloc(struct pxs_net *pn,
					     const struct pxs_service_spec *spec)
{
	struct pxs_service *svc;

	svc = kzalloc(sizeof(*svc), GFP_KERNEL);
	if (!svc)
		return NULL;
	svc->at = spec->at;
	svc->mode = spec->mode;
	svc->tunnel_port = spec->tunnel_port;
	if (svc->mode == PXS_MODE_TUNNEL_GUE && !svc->tunnel_port)
		svc->tunnel_port = htons(PXS_TUNNEL_PORT_DEFAULT);
	svc->stats = alloc_percpu(struct pxs_steer_stats);
	if (pxs_service_keeps(svc))
		svc->keep = pxs_keep_alloc();
	if (!svc->stats || (pxs_service_keeps(svc) && !svc->keep)) {
		pxs_service_free(svc);
		return NULL;
	}
	svc->pn = pn;
	svc->group = spec->group;
	svc->config = spec->config;
	strscpy(svc->name, spec->name, sizeof(svc->name));
	INIT_LIST_HEAD(&svc->backends);
	xa_init_flags(&svc->by_index, XA_FLAGS_ALLOC);
	return svc;
}

static bool pxs_service_wants_nat_core(const struct pxs_service *svc)
{
	return svc->mode == PXS_MODE_NAT && svc->at.proto == IPPROTO_TCP;
}

/* What is for local sockets comes to LOCAL_IN, but several requests in a packet are cut early. */
static bool pxs_service_wants_early(const struct pxs_service *svc)
{
	if (svc->mode == PXS_MODE_REQUEST)
		return false;
	return svc->mode != PXS_MODE_LOCAL ||
	       (svc->at.proto == IPPROTO_UDP && pxs_key_peek(&svc->config.key));
}

/* The early hooks, counted. */
static int pxs_service_early_get(struct pxs_net *pn)
{
	int err = pn->services.early ? 0 : pxs_steer_early_on(pn);

	if (!err)
		pn->services.early++;
	return err;
}

static void pxs_service_early_put(struct pxs_net *pn)
{
	if (!--pn->services.early)
		pxs_steer_early_off(pn);
}

/* What in the kernel has to be on for this service, counted. */
static int pxs_service_on(struct pxs_service *svc)
{
	struct pxs_net *pn = svc->pn;
	int err;

	if (!pn->services.n) {
		err = pxs_steer_on(pn);
		if (err)
			return err;
	}
	if (pxs_service_wants_nat_core(svc)) {
		err = pxs_nat_core_get(pn, svc->at.family);
		if (err)
			goto err_steer;
	}
	if (pxs_service_wants_early(svc)) {
		err = pxs_service_early_get(pn);
		if (err)
			goto err_nat;
	}
	pn->services.n++;
	WRITE_ONCE(pn->services.forwarding, pn->services.forwarding + pxs_service_forwards(svc));
	return 0;

err_nat:
	if (pxs_service_wants_nat_core(svc))
		pxs_nat_core_put(pn, svc->at.family);
err_steer:
	if (!pn->services.n)
		pxs_steer_off(pn);
	return err;
}

static void pxs_service_off(struct pxs_service *svc)
{
	struct pxs_net *pn = svc->pn;

	pn->services.n--;
	WRITE_ONCE(pn->services.forwarding, pn->services.forwarding - pxs_service_forwards(svc));
	if (pxs_service_wants_early(svc))
		pxs_service_early_put(pn);
	if (pxs_service_wants_nat_core(svc))
		pxs_nat_core_put(pn, svc->at.family);
	if (!pn->services.n)
		pxs_steer_off(pn);
}

/* Packets ask the filter first: it says yes before the chain does, and longer. */
void pxs_service_steer(struct pxs_service *svc)
{
	struct pxs_services *s = &svc->pn->services;
	u16 port = ntohs(svc->at.port);

	lockdep_assert_held(&svc->pn->config);
	if (svc->steers)
		return;
	svc->steers = true;
	/* Packets to it are its sockets', not ours. */
	if (svc->relay) {
		if (pxs_relay_listen(svc->relay))
			pr_warn("service %s cannot listen: another socket does\n", svc->name);
		return;
	}
	pxs_ports_add(&s->at_ports, port);
	if (svc->mode != PXS_MODE_LOCAL)
		pxs_ports_add(&s->remote_ports, port);
	hlist_add_head_rcu(&svc->node, pxs_services_at(s, &svc->at));
}

static void pxs_service_unsteer(struct pxs_service *svc)
{
	struct pxs_services *s = &svc->pn->services;
	u16 port = ntohs(svc->at.port);

	if (!svc->steers)
		return;
	svc->steers = false;
	if (svc->relay)
		return;
	hlist_del_rcu(&svc->node);
	pxs_ports_del(&s->at_ports, port);
	if (svc->mode != PXS_MODE_LOCAL)
		pxs_ports_del(&s->remote_ports, port);
}

/* Does it wait until its namespace has caught up? */
static bool pxs_service_held(const struct pxs_service *svc)
{
	return svc->pn->agreed.held && svc->group;
}

/* Mode request listens itself: an address that is taken is found now. Return: 0 or why not. */
static int pxs_service_relay(struct pxs_service *svc, struct pxs_refusal *no)
{
	struct pxs_relay *relay;
	int err;

	if (svc->mode != PXS_MODE_REQUEST)
		return 0;
	relay = pxs_relay_open(svc, no);
	if (IS_ERR(relay))
		return PTR_ERR(relay);
	err = pxs_service_held(svc) ? 0 : pxs_relay_listen(relay);
	if (err) {
		pxs_relay_close(relay);
		return pxs_refuse(no, err, PXS_A_SERVICE_ADDR, PXS_RELAY_TAKEN);
	}
	svc->relay = relay;
	return 0;
}

struct pxs_service *pxs_service_add(struct pxs_net *pn, const struct pxs_service_spec *spec,
				    struct pxs_refusal *no)
{
	struct pxs_service *svc;
	int err;

	lockdep_assert_held(&pn->config);
	err = pxs_service_check(pn, spec, no);
	if (err)
		return ERR_PTR(err);
	svc = pxs_service_alloc(pn, spec);
	if (!svc)
		return ERR_PTR(-ENOMEM);
	err = pxs_service_relay(svc, no);
	if (err)
		goto err_free;
	err = pxs_service_on(svc);
	if (err)
		goto err_relay;
	svc->id = pn->services.last_id + 1;
	if (!pxs_service_held(svc))
		pxs_service_steer(svc);
	pn->services.last_id = svc->id;
	list_add_tail(&svc->list, &pn->services.list);
	pxs_load_bound_set(svc, 0);
	pxs_passive_set(svc, 0);
	pn->services.seq++;
	return svc;

err_relay:
	if (svc->relay)
		pxs_relay_close(svc->relay);
err_free:
	pxs_service_free(svc);
	return ERR_PTR(err);
}

static bool pxs_service_has_sockets(const struct pxs_service *svc)
{
	const struct pxs_backend *be;

	list_for_each_entry(be, &svc->backends, list)
		if (be->cookie)
			return true;
	return false;
}

int pxs_service_set(struct pxs_service *svc, const struct pxs_service_config *config,
		    struct pxs_refusal *no)
{
	bool early = pxs_service_wants_early(svc);
	struct pxs_service_config old = svc->config;
	struct pxs_net *pn = svc->pn;
	struct pxs_plan *plan;
	int err;

	err = pxs_agreed_service(svc, no);
	if (!err)
		err = pxs_service_config_check(svc->at.proto, svc->mode, svc->group, config, no);
	if (!err)
		err = pxs_service_has_room(svc, config, 0, no);
	if (err)
		return err;
	if (!pxs_given_fill_fits(config->fill) && pxs_service_has_sockets(svc))
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_FILL,
				  "the fill tells backends apart by address: the service's sockets may have the same");
	if (svc->mode == PXS_MODE_REQUEST && config->key.rule != svc->config.key.rule)
		return pxs_refuse(no, -EINVAL, PXS_A_SERVICE_KEY,
				  "with mode request the key is fixed: its clients speak its protocol");
	/* On before packets see the new plan, off when none takes the old one any more. */
	err = pxs_service_early_get(pn);
	if (err)
		return err;
	svc->config = *config;
	plan = pxs_plan_build(svc, no);
	if (IS_ERR(plan)) {
		pxs_service_early_put(pn);
		svc->config = old;
		/* What one backend would have allowed: there are too many for the rows. */
		if (no->why)
			no->attr = PXS_A_SERVICE_ROWS;
		return PTR_ERR(plan);
	}
	pxs_load_bound_set(svc, old.bound);
	pxs_plan_publish(svc, plan);
	pxs_passive_set(svc, old.passive_fails);
	pn->services.seq++;
	if (early)
		pxs_service_early_put(pn);
	if (!pxs_service_wants_early(svc))
		pxs_service_early_put(pn);
	return 0;
}

void pxs_service_del(struct pxs_service *svc)
{
	struct pxs_net *pn = svc->pn;
	struct pxs_backend *be, *next;

	lockdep_assert_held(&pn->config);
	pxs_service_unsteer(svc);
	if (svc->relay)
		pxs_relay_close(svc->relay);
	list_del(&svc->list);
	pxs_plan_publish(svc, NULL);
	list_for_each_entry_safe(be, next, &svc->backends, list)
		pxs_backend_destroy(be);
	pxs_service_off(svc);
	pn->services.seq++;
	/* Given up after its backends: a packet that holds one of them may ask for its service. */
	call_rcu(&svc->rcu, pxs_service_free_rcu);
}

int pxs_services_net_init(struct pxs_net *pn)
{
	INIT_LIST_HEAD(&pn->services.list);
	pn->services.hash_seed = get_random_u32();
	return pxs_returns_init(&pn->services);
}

/* Deleting the services takes the hooks away; nothing arrives after the grace period. */
void pxs_services_net_pre_exit(struct pxs_net *pn)
{
	struct pxs_service *svc, *next;

	mutex_lock(&pn->config);
	list_for_each_entry_safe(svc, next, &pn->services.list, list)
		pxs_service_del(svc);
	mutex_unlock(&pn->config);
}

void pxs_services_net_exit(struct pxs_net *pn)
{
	pxs_returns_destroy(&pn->services);
}
