/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kfunc.h - lookups for BPF programs
 */
#ifndef PXS_KFUNC_H
#define PXS_KFUNC_H

#include <linux/types.h>
#include <linux/paxsteer_bpf.h>

struct __sk_buff;
struct xdp_md;

int bpf_xdp_paxsteer_lookup(struct xdp_md *ctx, struct paxsteer_lookup *lookup, u32 lookup__sz,
			    const void *key, u32 key__sz);
int bpf_skb_paxsteer_lookup(struct __sk_buff *ctx, struct paxsteer_lookup *lookup, u32 lookup__sz,
			    const void *key, u32 key__sz);

/* Return: 0, also on kernels that have none, or what registering them said. */
int pxs_kfuncs_init(void);

#endif /* PXS_KFUNC_H */
