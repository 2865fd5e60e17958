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

/* The number that @section has for a title, 1..@high, into @number. Return: 0 or -EINVAL. */
int pxs_config_title(const struct pxs_config *c, cfg_t *section, const char *what, u32 high,
		     u32 *number);
/* An incarnation, decimal or 0x..., not 0. Return: 0 or -EINVAL. */
int pxs_config_incarnation(const char *text, u64 *value);

/* One section "group" (config_group.c), behind those that were loaded. Return: 0 or -errno. */
int pxs_config_group_load(struct pxs_config *c, struct pxs_group_config *g, cfg_t *group);

/* The sections "health" (config_health.c): their options, validators, values. */
cfg_opt_t *pxs_config_health_options(void);
void pxs_config_health_checks(cfg_t *cfg);
int pxs_config_health_load(struct pxs_config *c, cfg_t *cfg);
void pxs_config_health_free(struct pxs_config *c);

#endif /* PXS_AGENT_CONFIG_PARTS_H */
