/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config_parts.h - what the files that read the configuration share
 */
#ifndef PXS_AGENT_CONFIG_PARTS_H
#define PXS_AGENT_CONFIG_PARTS_H

#include <confuse.h>

#include "config.h"

/* For validators. Return: 0, or -1 after the complaint, with file and line. */
int pxs_config_once(cfg_t *cfg, cfg_opt_t *opt);
int pxs_config_path(cfg_t *cfg, cfg_opt_t *opt);
int pxs_config_range(cfg_t *cfg, cfg_opt_t *opt, long low, long high);

/* Is @name given in @section, which a reader knows as @where? Return: 0 or -EINVAL. */
int pxs_config_want(const struct pxs_config *c, cfg_t *section, const char *where,
		    const char *name);

/* The sections "health" (config_health.c): their options, validators, values. */
cfg_opt_t *pxs_config_health_options(void);
void pxs_config_health_checks(cfg_t *cfg);
int pxs_config_health_load(struct pxs_config *c, cfg_t *cfg);
void pxs_config_health_free(struct pxs_config *c);

#endif /* PXS_AGENT_CONFIG_PARTS_H */
