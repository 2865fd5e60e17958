/* SPDX-License-Identifier: GPL-2.0 */
/* The state of BLAKE2s was called blake2s_state before 6.19; what takes it did not change. */
#ifndef PXS_COMPAT_CRYPTO_BLAKE2S_H
#define PXS_COMPAT_CRYPTO_BLAKE2S_H

#include_next <crypto/blake2s.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define blake2s_ctx	blake2s_state
#endif

#endif
