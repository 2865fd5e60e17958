/* SPDX-License-Identifier: GPL-2.0 */
/* timer_delete*() and timer_container_of() replaced del_timer*() and from_timer(). */
#ifndef PXS_COMPAT_LINUX_TIMER_H
#define PXS_COMPAT_LINUX_TIMER_H

#include_next <linux/timer.h>

#ifndef timer_container_of
#define timer_container_of(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, typeof(*(var)), timer_fieldname)
#endif

#endif
