// SPDX-License-Identifier: GPL-2.0
/*
 * agreed.c - services whose changes a group decides
 *
 * Pure; the caller keeps others away (the shell: pxs_net.config).
 */
#include "agreed.h"
#include "siphash.h"

int pxs_agreed_begin(struct pxs_agreed *a, u64 slot, const char **why)
{
	*why = "the namespace follows no group";
	if (!a->group)
		return -ENOTCONN;
	*why = "the change of this slot was made already";
	if (slot <= a->slot)
		return -EALREADY;
	*why = NULL;
	a->now = slot;
	return 0;
}

/* Is it an outcome, and the same on every director? */
static bool happened(int err)
{
	return err != -ENOMEM && err != -ENOBUFS && err != -EINTR && err != -EAGAIN;
}

void pxs_agreed_end(struct pxs_agreed *a, int err, u64 digest)
{
	const struct pxs_seed seed = { { a->digest, a->now } };

	if (happened(err)) {
		a->digest = pxs_siphash_2u64(&seed, (u64)(s64)err, digest);
		a->slot = a->now;
	}
	a->now = 0;
}

int pxs_agreed_may(const struct pxs_agreed *a, u32 of, const char **why)
{
	*why = NULL;
	if (!a->now && !of)
		return 0;
	*why = "a group agrees on this service: paxsteerd makes its changes";
	if (!a->now)
		return -EREMOTE;
	*why = "the service is not of the group that the namespace follows";
	if (of != a->group)
		return -EINVAL;
	*why = NULL;
	return 0;
}

int pxs_agreed_follow(struct pxs_agreed *a, u32 group, const char **why)
{
	*why = "the namespace follows another group";
	if (a->group && group && a->group != group)
		return -EBUSY;
	*why = NULL;
	if (a->group == group)
		return 0;
	*a = (struct pxs_agreed){ .group = group };
	return 0;
}

u64 pxs_agreed_generation(const struct pxs_agreed *a, u64 last)
{
	return a->now ? a->now : last + 1;
}
