// SPDX-License-Identifier: GPL-2.0
/*
 * backend_index.c - the backends of a service by address, by id and by index
 *
 * So that one more costs the same however many there are. Used by configuration alone, under
 * pxs_net.config: packets find backends in a plan. Backends are given to call_rcu() when they left:
 * a table that grows may still be at one.
 */
#include "pxs.h"

#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>

#include "backend.h"
#include "backend_index.h"
#include "pernet.h"
#include "service.h"

struct pxs_backend_at {
	const struct pxs_service *svc;
	const struct pxs_endpoint *at;
};

struct pxs_backend_id {
	const struct pxs_service *svc;
	u64 id;
};

static u32 pxs_backend_at_hash(const struct pxs_service *svc, const struct pxs_endpoint *at,
			       u32 seed)
{
	return pxs_endpoint_hash(at, sizeof(*at), seed ^ svc->id);
}

static u32 pxs_backend_at_hash_key(const void *key, u32 len, u32 seed)
{
	const struct pxs_backend_at *k = key;

	return pxs_backend_at_hash(k->svc, k->at, seed);
}

static u32 pxs_backend_at_hash_obj(const void *obj, u32 len, u32 seed)
{
	const struct pxs_backend *be = obj;

	return pxs_backend_at_hash(be->svc, &be->at, seed);
}

static int pxs_backend_at_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pxs_backend_at *k = arg->key;
	const struct pxs_backend *be = obj;

	return be->svc != k->svc || !pxs_endpoint_equal(&be->at, k->at);
}

static const struct rhashtable_params pxs_by_at_params = {
	.key_len = sizeof(struct pxs_backend_at),
	.head_offset = offsetof(struct pxs_backend, by_at),
	.hashfn = pxs_backend_at_hash_key,
	.obj_hashfn = pxs_backend_at_hash_obj,
	.obj_cmpfn = pxs_backend_at_cmp,
	.automatic_shrinking = true,
};

static u32 pxs_backend_id_hash(const struct pxs_service *svc, u64 id, u32 seed)
{
	return jhash_3words(lower_32_bits(id), upper_32_bits(id), svc->id, seed);
}

static u32 pxs_backend_id_hash_key(const void *key, u32 len, u32 seed)
{
	const struct pxs_backend_id *k = key;

	return pxs_backend_id_hash(k->svc, k->id, seed);
}

static u32 pxs_backend_id_hash_obj(const void *obj, u32 len, u32 seed)
{
	const struct pxs_backend *be = obj;

	return pxs_backend_id_hash(be->svc, be->id, seed);
}

static int pxs_backend_id_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pxs_backend_id *k = arg->key;
	const struct pxs_backend *be = obj;

	return be->svc != k->svc || be->id != k->id;
}

static const struct rhashtable_params pxs_by_id_params = {
	.key_len = sizeof(struct pxs_backend_id),
	.head_offset = offsetof(struct pxs_backend, by_id),
	.hashfn = pxs_backend_id_hash_key,
	.obj_hashfn = pxs_backend_id_hash_obj,
	.obj_cmpfn = pxs_backend_id_cmp,
	.automatic_shrinking = true,
};

int pxs_backend_index_init(struct pxs_services *s)
{
	int err;

	err = rhashtable_init(&s->backends_at, &pxs_by_at_params);
	if (err)
		return err;
	err = rhashtable_init(&s->backends_id, &pxs_by_id_params);
	if (err)
		rhashtable_destroy(&s->backends_at);
	return err;
}

void pxs_backend_index_destroy(struct pxs_services *s)
{
	rhashtable_destroy(&s->backends_id);
	rhashtable_destroy(&s->backends_at);
}

struct pxs_backend *pxs_backend_find(const struct pxs_service *svc, const struct pxs_endpoint *at)
{
	const struct pxs_backend_at key = { .svc = svc, .at = at };

	lockdep_assert_held(&svc->pn->config);
	return rhashtable_lookup_fast(&svc->pn->services.backends_at, &key, pxs_by_at_params);
}

struct pxs_backend *pxs_backend_find_id(const struct pxs_service *svc, u64 id)
{
	const struct pxs_backend_id key = { .svc = svc, .id = id };

	lockdep_assert_held(&svc->pn->config);
	return rhashtable_lookup_fast(&svc->pn->services.backends_id, &key, pxs_by_id_params);
}

int pxs_backend_enter(struct pxs_backend *be)
{
	struct pxs_services *s = &be->svc->pn->services;
	u32 index;
	int err;

	lockdep_assert_held(&be->svc->pn->config);
	err = xa_alloc(&be->svc->by_index, &index, be, XA_LIMIT(0, PXS_BACKENDS_MAX - 1),
		       GFP_KERNEL);
	if (err)
		return err;
	be->index = index;
	err = rhashtable_insert_fast(&s->backends_id, &be->by_id, pxs_by_id_params);
	if (err)
		goto err_index;
	/* A given socket has its cookie for a name. */
	if (be->cookie)
		return 0;
	err = rhashtable_insert_fast(&s->backends_at, &be->by_at, pxs_by_at_params);
	if (err)
		goto err_id;
	return 0;

err_id:
	rhashtable_remove_fast(&s->backends_id, &be->by_id, pxs_by_id_params);
err_index:
	xa_erase(&be->svc->by_index, be->index);
	return err;
}

void pxs_backend_leave(struct pxs_backend *be)
{
	struct pxs_services *s = &be->svc->pn->services;

	if (!be->cookie)
		rhashtable_remove_fast(&s->backends_at, &be->by_at, pxs_by_at_params);
	rhashtable_remove_fast(&s->backends_id, &be->by_id, pxs_by_id_params);
	xa_erase(&be->svc->by_index, be->index);
}
