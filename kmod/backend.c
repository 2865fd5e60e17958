// SPDX-License-Identifier: GPL-2.0
/*
 * backend.c - destinations of a service
 *
 * Owns struct pxs_backend. Configuration runs in process context under pxs_net.config:
 * it changes the list, builds a plan from it, and either publishes that or puts the
 * list back. The packet path finds backends in a plan or in pxs_services.returns,
 * under RCU; both let go of one before call_rcu() frees it, so its counters stay good
 * for every packet that is still at it.
 */
#include "pxs.h"

#include <linux/err.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "agreed.h"
#include "backend.h"
#include "backend_index.h"
#include "core/keep.h"
#include "deliver_nat.h"
#include "deliver_tunnel.h"
#include "drain.h"
#include "given.h"
#include "pernet.h"
#include "ramp.h"
#include "service.h"
#include "way.h"

static int pxs_backend_is_at(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pxs_backend *be = obj;

	return !pxs_endpoint_equal(&be->at, arg->key);
}

static const struct rhashtable_params pxs_returns_params = {
	.key_len = sizeof(struct pxs_endpoint),
	.key_offset = offsetof(struct pxs_backend, at),
	.head_offset = offsetof(struct pxs_backend, node),
	.hashfn = pxs_endpoint_hash,
	.obj_cmpfn = pxs_backend_is_at,
	.automatic_shrinking = true,
};

/* Several services may reach the same host by the same tunnel. */
static const struct rhashtable_params pxs_tunnels_params = {
	.key_len = sizeof(struct pxs_endpoint),
	.key_offset = offsetof(struct pxs_backend, outer),
	.head_offset = offsetof(struct pxs_backend, tunnel),
	.automatic_shrinking = true,
};

int pxs_returns_init(struct pxs_services *s)
{
	int err;

	err = rhashtable_init(&s->returns, &pxs_returns_params);
	if (err)
		return err;
	err = rhltable_init(&s->tunnels, &pxs_tunnels_params);
	if (err)
		goto err_returns;
	err = pxs_backend_index_init(s);
	if (err)
		goto err_tunnels;
	return 0;

err_tunnels:
	rhltable_destroy(&s->tunnels);
err_returns:
	rhashtable_destroy(&s->returns);
	return err;
}

void pxs_returns_destroy(struct pxs_services *s)
{
	pxs_backend_index_destroy(s);
	rhltable_destroy(&s->tunnels);
	rhashtable_destroy(&s->returns);
}

bool pxs_backend_has_tunnel(struct pxs_net *pn, const struct pxs_endpoint *outer)
{
	return rhltable_lookup(&pn->services.tunnels, outer, pxs_tunnels_params);
}

struct pxs_backend *pxs_backend_of_reply(struct pxs_net *pn, const struct pxs_endpoint *from)
{
	return rhashtable_lookup(&pn->services.returns, from, pxs_returns_params);
}

u64 pxs_backend_default_id(const struct pxs_endpoint *at)
{
	return pxs_table_default_id((const u8 *)&at->addr, ntohs(at->port));
}

struct pxs_backend *pxs_backend_find_socket(const struct pxs_service *svc, u64 cookie)
{
	struct pxs_backend *be;

	list_for_each_entry(be, &svc->backends, list)
		if (be->cookie == cookie)
			return be;
	return NULL;
}

/* Do datagrams from it come by here, to be told by their source? */
static bool pxs_backend_returns(const struct pxs_service *svc)
{
	return svc->at.proto == IPPROTO_UDP && !pxs_service_forwards(svc);
}

/* Could it not be told of a datagram from there which backend sent it? */
static bool pxs_backend_ambiguous(struct pxs_service *svc, const struct pxs_backend_spec *spec)
{
	struct pxs_net *pn = svc->pn;
	bool taken;

	if (!pxs_backend_returns(svc))
		return false;
	rcu_read_lock();
	taken = pxs_backend_of_reply(pn, &spec->at);
	rcu_read_unlock();
	return taken || pxs_given_clashes(svc, spec);
}

/* May there be one at this address and port? */
static int pxs_backend_check_at(struct pxs_service *svc, const struct pxs_backend_spec *spec,
				struct pxs_refusal *no)
{
	struct pxs_net *pn = svc->pn;
	int err;

	if (spec->at.family != svc->at.family && !pxs_service_tunnels(svc))
		return pxs_refuse(no, -EINVAL, PXS_A_BACKEND_ADDR,
				  "address is of another family than the service's");
	if (pxs_service_forwards(svc) && spec->at.port != svc->at.port)
		return pxs_refuse(no, -EINVAL, PXS_A_BACKEND_PORT,
				  "the service's mode changes no packet: the port must be the service's");
	err = pxs_endpoint_check(pn, &spec->at, &no->why);
	if (err)
		return pxs_refuse(no, err, PXS_A_BACKEND_ADDR, no->why);
	if (pxs_backend_find(svc, &spec->at))
		return pxs_refuse(no, -EEXIST, PXS_A_BACKEND_ADDR,
				  "the service has a backend with this address and port");
	if (pxs_service_at(pn, &spec->at))
		return pxs_refuse(no, -EADDRINUSE, PXS_A_BACKEND_ADDR,
				  "address and port are those of a service: this would be a loop");
	return 0;
}

/* May there be such a backend? Hash lookups. */
static int pxs_backend_check(struct pxs_service *svc, const struct pxs_backend_spec *spec,
			     struct pxs_refusal *no)
{
	int err;

	err = pxs_agreed_service(svc, no);
	if (err)
		return err;
	err = pxs_drain_check(spec->state, spec->deadline, &no->why);
	if (err)
		return pxs_refuse(no, err, PXS_A_BACKEND_DEADLINE, no->why);
	err = pxs_service_has_room(svc, &svc->config, 1, no);
	if (err)
		return err;
	err = spec->socket ? pxs_given_check(svc, spec->socket, no) :
			     pxs_backend_check_at(svc, spec, no);
	if (err)
		return err;
	if (pxs_backend_find_id(svc, spec->id))
		return pxs_refuse(no, -EEXIST, PXS_A_BACKEND_ID,
				  "the service has a backend with this id");
	if (pxs_backend_ambiguous(svc, spec))
		return pxs_refuse(no, -EADDRINUSE,
				  spec->socket ? PXS_A_BACKEND_FD : PXS_A_BACKEND_ADDR,
				  "a backend of another service has this address and port: whose reply a datagram is could not be told");
	return 0;
}

static void pxs_backend_free(struct pxs_backend *be)
{
	pxs_way_free(rcu_dereference_raw(be->way));
	free_percpu(be->stats);
	kfree(be);
}

static void pxs_backend_free_rcu(struct rcu_head *rcu)
{
	pxs_backend_free(container_of(rcu, struct pxs_backend, rcu));
}

static struct pxs_backend *pxs_backend_alloc(struct pxs_service *svc,
					     const struct pxs_backend_spec *spec)
{
	struct pxs_backend *be;

	be = kzalloc(sizeof(*be), GFP_KERNEL);
	if (!be)
		return NULL;
	be->stats = alloc_percpu(struct pxs_steer_stats);
	if (!be->stats) {
		kfree(be);
		return NULL;
	}
	be->svc = svc;
	be->at = spec->at;
	be->cookie = spec->socket ? pxs_given_cookie(spec->socket) : 0;
	be->id = spec->id;
	be->weight = spec->weight;
	be->state = spec->state;
	be->health = PXS_HEALTH_UNCHECKED;
	if (svc->mode == PXS_MODE_NAT)
		be->gain = pxs_nat_gain(&svc->at, &be->at);
	if (pxs_service_tunnels(svc))
		pxs_tunnel_outer(be, &be->outer);
	return be;
}

static void pxs_backend_link(struct pxs_backend *be)
{
	list_add_tail(&be->list, &be->svc->backends);
	be->svc->nbackends++;
}

static void pxs_backend_unlink(struct pxs_backend *be)
{
	list_del(&be->list);
	be->svc->nbackends--;
}

/* What comes about it, replies or errors, is known from now on. Return: 0 or -ENOMEM and such. */
static int pxs_backend_expect(struct pxs_backend *be, struct pxs_given *socket)
{
	struct pxs_services *s = &be->svc->pn->services;
	int err;

	if (socket)
		return pxs_given_give(be, socket);
	if (pxs_service_tunnels(be->svc))
		return rhltable_insert(&s->tunnels, &be->tunnel, pxs_tunnels_params);
	if (!pxs_backend_returns(be->svc))
		return 0;
	pxs_ports_add(&s->return_ports, ntohs(be->at.port));
	err = rhashtable_insert_fast(&s->returns, &be->node, pxs_returns_params);
	if (err)
		pxs_ports_del(&s->return_ports, ntohs(be->at.port));
	return err;
}

static void pxs_backend_forget(struct pxs_backend *be)
{
	struct pxs_services *s = &be->svc->pn->services;

	if (be->cookie) {
		pxs_given_take(be);
		return;
	}
	if (pxs_service_tunnels(be->svc))
		rhltable_remove(&s->tunnels, &be->tunnel, pxs_tunnels_params);
	if (!pxs_backend_returns(be->svc))
		return;
	rhashtable_remove_fast(&s->returns, &be->node, pxs_returns_params);
	pxs_ports_del(&s->return_ports, ntohs(be->at.port));
}

/* One that no packet was sent to; a table that grows, or a reply, may be at it. */
static void pxs_backend_undo(struct pxs_backend *be)
{
	pxs_backend_unlink(be);
	pxs_backend_leave(be);
	call_rcu(&be->rcu, pxs_backend_free_rcu);
}

/* On the list, but in no table yet. */
static int pxs_backend_begin(struct pxs_service *svc, struct pxs_backend_spec *spec,
			     struct pxs_refusal *no)
{
	struct pxs_backend *be;
	int err;

	err = pxs_backend_check(svc, spec, no);
	if (err)
		return err;
	be = pxs_backend_alloc(svc, spec);
	if (!be)
		return -ENOMEM;
	err = pxs_backend_enter(be);
	if (err) {
		pxs_backend_free(be);
		return err;
	}
	pxs_backend_link(be);
	pxs_ramp_update(be);
	spec->be = be;
	return 0;
}

int pxs_backends_add(struct pxs_service *svc, struct pxs_backend_spec *spec, u32 n,
		     struct pxs_refusal *no, u32 *at)
{
	u32 begun, expected = 0, i;
	struct pxs_plan *plan;
	int err = 0;

	for (begun = 0; begun < n; begun++) {
		*at = begun;
		err = pxs_backend_begin(svc, &spec[begun], no);
		if (err)
			goto err_undo;
		cond_resched();
	}
	*at = 0;
	plan = pxs_plan_build(svc, no);
	err = PTR_ERR_OR_ZERO(plan);
	if (err)
		goto err_undo;
	for (expected = 0; expected < n; expected++) {
		*at = expected;
		err = pxs_backend_expect(spec[expected].be, spec[expected].socket);
		if (err)
			goto err_plan;
	}
	pxs_plan_publish(svc, plan);
	for (i = 0; i < n; i++)
		pxs_drain_begin(spec[i].be, spec[i].deadline);
	svc->pn->services.seq++;
	return 0;

err_plan:
	pxs_plan_discard(plan);
err_undo:
	for (i = 0; i < begun; i++) {
		if (i < expected)
			pxs_backend_forget(spec[i].be);
		pxs_backend_undo(spec[i].be);
	}
	return err;
}

/* Does the table depend on the difference? Up and down share one: a bit tells them apart. */
static bool pxs_backend_same_table(const struct pxs_backend *be, u32 weight, u8 state)
{
	bool drains = state == PXS_BACKEND_DRAIN;

	return weight == be->weight && drains == (be->state == PXS_BACKEND_DRAIN);
}

/* Set its bit in the plan in force to what state and health say. */
static void pxs_backend_flip(struct pxs_backend *be)
{
	struct pxs_plan *plan = pxs_service_plan(be->svc);

	if (pxs_backend_serves(be))
		set_bit(be->index, plan->live);
	else
		clear_bit(be->index, plan->live);
}

static void pxs_backend_take(struct pxs_backend *be, const struct pxs_backend_change *to)
{
	be->weight = to->weight;
	be->state = to->state;
	be->health = to->health;
	be->failed = to->failed;
}

int pxs_backend_set(struct pxs_backend *be, const struct pxs_backend_change *to,
		    struct pxs_refusal *no)
{
	bool build = !pxs_backend_same_table(be, to->weight, to->state);
	const struct pxs_backend_change old = {
		.weight = be->weight,
		.state = be->state,
		.health = be->health,
		.failed = be->failed,
	};
	const struct pxs_ramp ramp = be->ramp;
	struct pxs_plan *plan;
	int err;

	/* Health is what this host sees, not what anybody agrees on. */
	if (to->weight != be->weight || to->state != be->state ||
	    to->deadline != PXS_DRAIN_AS_IS || be->svc->pn->agreed.now) {
		err = pxs_agreed_service(be->svc, no);
		if (err)
			return err;
	}
	err = pxs_drain_check(to->state, to->deadline, &no->why);
	if (err)
		return pxs_refuse(no, err, PXS_A_BACKEND_DEADLINE, no->why);
	pxs_backend_take(be, to);
	build |= pxs_ramp_update(be);
	plan = build ? pxs_plan_build(be->svc, no) : NULL;
	if (IS_ERR(plan)) {
		pxs_backend_take(be, &old);
		be->ramp = ramp;
		return PTR_ERR(plan);
	}
	if (to->reason)
		strscpy(be->reason, to->reason, sizeof(be->reason));
	if (plan)
		pxs_plan_publish(be->svc, plan);
	else
		pxs_backend_flip(be);
	pxs_drain_begin(be, to->deadline);
	be->svc->pn->services.seq++;
	return 0;
}

int pxs_backend_del(struct pxs_backend *be, struct pxs_refusal *no)
{
	struct pxs_service *svc = be->svc;
	struct pxs_plan *plan;
	int err;

	err = pxs_agreed_service(svc, no);
	if (err)
		return err;
	pxs_backend_unlink(be);
	plan = pxs_plan_build(svc, no);
	if (!IS_ERR(plan))
		pxs_plan_publish(svc, plan);
	pxs_backend_link(be);
	if (IS_ERR(plan))
		return PTR_ERR(plan);
	pxs_backend_destroy(be);
	svc->pn->services.seq++;
	return 0;
}

void pxs_backend_evict(struct pxs_backend *be)
{
	struct pxs_plan *plan = pxs_service_plan(be->svc), *before;

	if (!be->svc->keep || !plan)
		return;
	before = plan->before;
	if (before && be->index < before->nbackends && before->backends[be->index] == be)
		WRITE_ONCE(before->backends[be->index], NULL);
	pxs_keep_forget(be->svc->keep, be->index);
}

void pxs_backend_destroy(struct pxs_backend *be)
{
	pxs_backend_unlink(be);
	pxs_backend_evict(be);
	pxs_backend_forget(be);
	pxs_backend_leave(be);
	call_rcu(&be->rcu, pxs_backend_free_rcu);
}
