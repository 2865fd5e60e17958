/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config_check.h - validators that the parts of the configuration share
 */
#ifndef PXS_AGENT_CONFIG_CHECK_H
#define PXS_AGENT_CONFIG_CHECK_H

#include <confuse.h>

/* Return: 0, or -1 after the reason was said; as libconfuse wants it. */
int pxs_config_once(cfg_t *cfg, cfg_opt_t *opt);	/* is it given twice? */
int pxs_config_path(cfg_t *cfg, cfg_opt_t *opt);
int pxs_config_range(cfg_t *cfg, cfg_opt_t *opt, long low, long high);

#endif /* PXS_AGENT_CONFIG_CHECK_H */
