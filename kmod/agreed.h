/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agreed.h - a namespace that follows a group
 */
#ifndef PXS_AGREED_H
#define PXS_AGREED_H

#include "core/agreed.h"

struct pxs_net;
struct pxs_refusal;
struct pxs_service;

/* All under pxs_net.config. */

/* May @svc be changed now? Return: 0, or -EREMOTE or -EINVAL, *no filled in. */
int pxs_agreed_service(const struct pxs_service *svc, struct pxs_refusal *no);

/*
 * Follow @group. @held: services that are added do not steer; false: all steer that are there.
 * 0: follow none; its services stay as they are, steer, and are the operator's.
 * Return: 0, or -EBUSY: another one is followed.
 */
int pxs_agreed_set(struct pxs_net *pn, u32 group, bool held, struct pxs_refusal *no);

#endif /* PXS_AGREED_H */
