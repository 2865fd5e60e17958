/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store_config.h - the section "store" of a group; paxsteerd.conf(5) is its manual
 */
#ifndef PXS_AGENT_STORE_CONFIG_H
#define PXS_AGENT_STORE_CONFIG_H

#include <confuse.h>

#include "config.h"

#define PXS_STORE_LISTEN_MAX	8u
#define PXS_PASSWORD_MAX	512u

enum pxs_consistency {
	PXS_STRONG,
	PXS_SESSION,
	PXS_EVENTUAL,
};

struct pxs_store_config {
	u32 nlisten;
	struct pxs_address listen[PXS_STORE_LISTEN_MAX];
	char *listen_text[PXS_STORE_LISTEN_MAX];
	char *directory;
	char *password;		/* NULL: none is asked for */
	enum pxs_consistency consistency;
	u32 maxclients;
	u64 maxmemory;		/* bytes; 0: no limit */
	u32 request_limit;	/* bytes of one request */
	u64 client_memory;	/* bytes of all clients' buffers */
	char *member[PXS_MEMBERS_MAX];	/* where each member's store listens, NULL: not said */
};

/* The section's options, for libconfuse. */
extern const cfg_opt_t pxs_store_options[];
int pxs_store_check_address(cfg_t *cfg, cfg_opt_t *opt);	/* of a member */
void pxs_store_config_checks(cfg_t *cfg);	/* @cfg: the whole parser */

/* After the rest of the group was read. Return: 0 or -errno, said why. */
int pxs_store_config_load(const struct pxs_config *c, struct pxs_group_config *g, cfg_t *group);
void pxs_store_config_free(struct pxs_store_config *s);
bool pxs_store_config_same(const struct pxs_store_config *a, const struct pxs_store_config *b,
			   u8 members);

/* "strong", "session" or "eventual". Return: 0 or -EINVAL. */
int pxs_consistency_parse(const char *word, enum pxs_consistency *consistency);
const char *pxs_consistency_word(enum pxs_consistency consistency);

#endif /* PXS_AGENT_STORE_CONFIG_H */
