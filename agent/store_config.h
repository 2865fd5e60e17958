/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store_config.h - the section "store" of a group; paxsteerd.conf(5) is its manual
 */
#ifndef PXS_AGENT_STORE_CONFIG_H
#define PXS_AGENT_STORE_CONFIG_H

#include <confuse.h>

#include "config.h"
#include "store_prefix.h"

#define PXS_STORE_LISTEN_MAX	8u
#define PXS_STORE_GROUPS_MAX	16u
#define PXS_PASSWORD_MAX	512u

#define PXS_LEVEL_MS_MAX	3600000u
#define PXS_LEVEL_TEXT_MAX	48u

enum pxs_consistency {
	PXS_STRONG,
	PXS_BOUNDED,
	PXS_SESSION,
	PXS_EVENTUAL,
};

/* What a read may answer; agent/store/fresh.h says what bounded means. */
struct pxs_read_level {
	enum pxs_consistency kind;
	u32 ms;			/* bounded: so old at most */
	u64 entries;		/* ... and so many behind; ~0: any number */
};

struct pxs_store_config {
	/*
	 * Several groups that are one store: their ids, in the section of the one that has the
	 * listeners; the others' settings are copies of it. 0: the group is a store by itself.
	 */
	u32 ngroups;
	u32 group[PXS_STORE_GROUPS_MAX];
	bool part;		/* such a copy */
	u32 nlisten;
	struct pxs_address listen[PXS_STORE_LISTEN_MAX];
	char *listen_text[PXS_STORE_LISTEN_MAX];	/* as it was given */
	struct pxs_read_level level[PXS_STORE_LISTEN_MAX];	/* of who connects there */
	char *directory;
	char *password;		/* NULL: none is asked for */
	struct pxs_read_level consistency;	/* where a listener has none of its own */
	u32 read_wait;		/* ms that a read waits to be fresh enough */
	u32 maxclients;
	u64 maxmemory;		/* bytes; 0: no limit */
	u32 request_limit;	/* bytes of one request */
	u32 sessions;		/* at most; 0: none */
	u32 session_age;	/* seconds that one lives unused */
	u64 checkpoint_entries;	/* a checkpoint after so many; 0: not for that reason */
	u32 checkpoint_seconds;	/* ... after so long; 0: likewise */
	u64 checkpoint_rate;	/* bytes a second of another member's; 0: as fast as they come */
	u32 sagas;		/* known at a time; 0: none */
	u32 saga_age;		/* seconds that one that is over is remembered */
	u64 client_memory;	/* bytes of all clients' buffers */
	struct pxs_prefixes eventual;	/* keys that begin so are eventual ones */
	u64 eventual_memory;	/* bytes of them; 0: no limit */
	u32 eventual_drift;	/* ms that another member's clock may be ahead */
	u64 eventual_rate;	/* bytes a second from each other member; 0: as fast as they come */
};

/* The section's options, for libconfuse. */
extern const cfg_opt_t pxs_store_options[];
int pxs_store_check_address(cfg_t *cfg, cfg_opt_t *opt);	/* of a member */
void pxs_store_config_checks(cfg_t *cfg);	/* @cfg: the whole parser */

/* After the rest of the group was read. Return: 0 or -errno, said why. */
int pxs_store_config_load(const struct pxs_config *c, struct pxs_group_config *g, cfg_t *group);

/* After all groups were read: those that another's section names. Return: 0 or -errno, said why. */
int pxs_store_config_share(struct pxs_config *c);
void pxs_store_config_free(struct pxs_store_config *s);
bool pxs_store_config_same(const struct pxs_store_config *a, const struct pxs_store_config *b);

/*
 * "strong", "bounded MS [ENTRIES]", "session" or "eventual", in any case of letters. Return: NULL,
 * or what is wrong with it, for the user's eyes.
 */
const char *pxs_level_parse(const char *text, struct pxs_read_level *level);
void pxs_level_format(const struct pxs_read_level *level, char *text, size_t size);

#endif /* PXS_AGENT_STORE_CONFIG_H */
