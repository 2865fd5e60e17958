// SPDX-License-Identifier: GPL-2.0
/*
 * limit.c - how many backends a service may have
 *
 * Pure. The sentences repeat the numbers.
 */
#include "limit.h"

u32 pxs_limit_backends(const struct pxs_limit *of, const char **why)
{
	*why = "with mode request a service has up to 1024 backends: each client is connected to them";
	if (of->mode == PXS_MODE_REQUEST)
		return PXS_BACKENDS_FEW;
	*why = "a service that a group agrees on has up to 1024 backends: each is a record of its log";
	if (of->agreed)
		return PXS_BACKENDS_FEW;
	*why = "with mode local a service has up to 4096 backends: their sockets are watched";
	if (of->mode == PXS_MODE_LOCAL)
		return PXS_BACKENDS_MANY;
	*why = "with a bound, fails or a slow start a service has up to 4096 backends: they are watched";
	if (of->watched)
		return PXS_BACKENDS_MANY;
	*why = "with the fill ketama a service has up to 4096 backends: each has 160 points";
	if (of->fill == PXS_FILL_KETAMA)
		return PXS_BACKENDS_MANY;
	*why = "the service has 65535 backends: that is the limit";
	return PXS_BACKENDS_MAX;
}
