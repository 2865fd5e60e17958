/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux/unaligned.h was asm/unaligned.h before 6.12. By version: sparse knows no
 * __has_include_next.
 */
#ifndef PXS_COMPAT_LINUX_UNALIGNED_H
#define PXS_COMPAT_LINUX_UNALIGNED_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif
