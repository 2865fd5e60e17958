/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bottom_halves.h - whoever switched bottom halves off has this CPU's scratch to himself
 *
 * From 6.18 a PREEMPT_RT kernel may be built without the lock that makes this so: there,
 * local_bh_disable() only keeps a task on its CPU, and another may take its place in the middle.
 */
#ifndef PXS_COMPAT_BOTTOM_HALVES_H
#define PXS_COMPAT_BOTTOM_HALVES_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0) && defined(CONFIG_PREEMPT_RT) && \
	!defined(CONFIG_PREEMPT_RT_NEEDS_BH_LOCK)
#error paxsteer on PREEMPT_RT needs CONFIG_PREEMPT_RT_NEEDS_BH_LOCK
#endif

#endif
