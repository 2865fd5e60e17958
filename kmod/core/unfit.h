/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unfit.h - why a backend is passed over
 */
#ifndef PXS_CORE_UNFIT_H
#define PXS_CORE_UNFIT_H

#include "platform.h"
#include <linux/paxsteer.h>

/*
 * Of enum pxs_backend_state @state, the operator's, and enum pxs_health @health, that of checks:
 * both must want it, and it must not have @failed (see passive.h). Return: enum pxs_unfit, or 0
 * for a backend that serves.
 */
u8 pxs_unfit(u8 state, u8 health, bool failed);

#endif /* PXS_CORE_UNFIT_H */
