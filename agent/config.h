/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - the daemon's configuration file; paxsteerd.conf(5) is its manual
 */
#ifndef PXS_AGENT_CONFIG_H
#define PXS_AGENT_CONFIG_H

#include "address.h"
#include "auth.h"
#include "group.h"
#include "health.h"
#include "journal.h"
#include "probe.h"
#include "store_where.h"

struct pxs_store_config;

/* A group as the datapaths want it. member[] and address[] have the same order. */
/* Of the log that is trimmed so many windows are kept at least: kmod/core/held.h says why. */
#define PXS_RETAIN_WINDOWS	2u

struct pxs_group_config {
	struct pxs_group_conf conf;
	struct pxs_address address[PXS_MEMBERS_MAX];
	struct pxs_keys keys;
	bool tables;			/* the log holds changes of services; see director.h */
	struct pxs_store_config *store;	/* NULL: the log is all there is; see store_config.h */
	u32 home;			/* ... of several groups: the one that names them; or 0 */
	u64 eventual;			/* digest of its eventual prefixes, or the home's; or 0 */
	u64 retain;			/* slots that are kept; 0: all, until somebody asks */
	struct pxs_store_where file_where[PXS_MEMBERS_MAX];
	char where[PXS_MEMBERS_MAX][PXS_WHERE_TEXT];	/* a store of member[]; "": not known */
};

/* How the backends of a service are checked. Zeroed before it is filled. */
struct pxs_health_section {
	struct pxs_health_conf timing;
	struct pxs_probe_conf probe;
	char service[PXS_NAME_MAX + 1];
	u16 port;			/* instead of the backend's; 0: the backend's */
	u32 nbackends;			/* 0: all */
	struct pxs_address *backend;	/* the last member: see pxs_config_health_same() */
};

enum pxs_datapath_kind {
	PXS_DATAPATH_KERNEL,
	PXS_DATAPATH_USER,
};

struct pxs_config {
	char *file;
	char *journal;		/* NULL: no group, only health checks */
	char *socket;
	u8 cluster[PXS_CLUSTER_LEN];
	struct pxs_keys keys;	/* without their ids: each group has its own */
	enum pxs_datapath_kind datapath;
	enum pxs_flush flush;
	u32 cache;		/* bytes of values kept in memory, per group */
	u32 ngroups;
	struct pxs_group_config *group;
	u32 nhealth;
	struct pxs_health_section *health;
};

/* Return: 0, or -errno after the reason, with file, line and field, went to stderr. */
int pxs_config_load(struct pxs_config *c, const char *file);
void pxs_config_free(struct pxs_config *c);

/* Are the sections "health" equal, and in the same order? */
bool pxs_config_health_same(const struct pxs_config *a, const struct pxs_config *b);

#endif /* PXS_AGENT_CONFIG_H */
