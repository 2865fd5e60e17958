/* SPDX-License-Identifier: GPL-2.0 */
/*
 * health_run.h - the thread that checks backends and tells the module
 */
#ifndef PXS_AGENT_HEALTH_RUN_H
#define PXS_AGENT_HEALTH_RUN_H

#include <jansson.h>

#include "config.h"

struct pxs_checker;

/*
 * Begin to check what the sections of @config say (which stays until the stop), going on from the
 * verdicts that the module holds. *c is NULL where there is nothing to check. @later: where the
 * module is not loaded that is no error, and checks begin when it is.
 * Return: 0, or -errno after the reason was said.
 */
int pxs_checker_start(struct pxs_checker **c, const struct pxs_config *config, bool later);

/* End; every verdict stays in the module as it is. NULL is fine. */
void pxs_checker_stop(struct pxs_checker *c);

/*
 * What is checked and how it is, for STATUS: an array of the first ones, bad before good, and in
 * *n how many there are. Waits for nothing that waits.
 */
json_t *pxs_checker_status(struct pxs_checker *c, u32 *n);

#endif /* PXS_AGENT_HEALTH_RUN_H */
