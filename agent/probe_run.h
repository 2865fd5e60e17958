/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe_run.h - one check of a backend, over a socket of its own
 */
#ifndef PXS_AGENT_PROBE_RUN_H
#define PXS_AGENT_PROBE_RUN_H

#include "config.h"
#include "loop.h"
#include "probe.h"

enum pxs_probe_end {
	PXS_PROBE_WELL,
	PXS_PROBE_ILL,	/* with a reason */
	PXS_PROBE_VOID,	/* the fault is this host's: says nothing of the backend */
};

struct pxs_probe_run;

/* Never called from within pxs_probe_start(); the run is gone when it returns. */
typedef void pxs_probe_done(void *ctx, enum pxs_probe_end end, const char *why);

/* Return: NULL, and -errno in *err, when this host has no socket or memory for it. */
struct pxs_probe_run *pxs_probe_start(struct pxs_loop *loop, const struct pxs_probe *p,
				      const struct pxs_address *to, pxs_probe_done *done,
				      void *ctx, int *err);

/* Its time is over: it ends, as ill, soon. May be called again. */
void pxs_probe_late(struct pxs_probe_run *r, u32 timeout_ms);

/* Nobody wants to know any more: it ends, as void, soon. May be called again. */
void pxs_probe_cancel(struct pxs_probe_run *r);

#endif /* PXS_AGENT_PROBE_RUN_H */
