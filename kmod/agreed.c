// SPDX-License-Identifier: GPL-2.0
/*
 * agreed.c - a namespace that follows a group
 *
 * pxs_net.agreed is guarded by pxs_net.config. Packets never look at it: a service that is
 * held is not in the chains in which they find services.
 */
#include "pxs.h"

#include "agreed.h"
#include "pernet.h"
#include "service.h"

int pxs_agreed_service(const struct pxs_service *svc, struct pxs_refusal *no)
{
	lockdep_assert_held(&svc->pn->config);
	return pxs_agreed_may(&svc->pn->agreed, svc->group, &no->why);
}

int pxs_agreed_set(struct pxs_net *pn, u32 group, bool held, struct pxs_refusal *no)
{
	struct pxs_service *svc;
	int err;

	lockdep_assert_held(&pn->config);
	err = pxs_agreed_follow(&pn->agreed, group, &no->why);
	if (err)
		return err;
	pn->agreed.held = group && held;
	if (pn->agreed.held)
		return 0;
	list_for_each_entry(svc, &pn->services.list, list) {
		pxs_service_steer(svc);
		if (!group)
			svc->group = 0;
	}
	pn->services.seq++;
	return 0;
}
