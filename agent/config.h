/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - the daemon's configuration file; paxsteerd.conf(5) is its manual
 */
#ifndef PXS_AGENT_CONFIG_H
#define PXS_AGENT_CONFIG_H

#include <sys/socket.h>

#include "auth.h"
#include "group.h"
#include "journal.h"

/* An address that datagrams go to; v4 or v6. */
struct pxs_address {
	union {
		struct sockaddr sa;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

/* A group as the datapaths want it. member[] and address[] have the same order. */
struct pxs_group_config {
	struct pxs_group_conf conf;
	struct pxs_address address[PXS_MEMBERS_MAX];
	struct pxs_keys keys;
};

enum pxs_datapath_kind {
	PXS_DATAPATH_KERNEL,
	PXS_DATAPATH_USER,
};

struct pxs_config {
	char *file;
	char *journal;
	char *socket;
	u8 cluster[PXS_CLUSTER_LEN];
	struct pxs_keys keys;	/* without their ids: each group has its own */
	enum pxs_datapath_kind datapath;
	enum pxs_flush flush;
	u32 cache;		/* bytes of values kept in memory, per group */
	u32 ngroups;
	struct pxs_group_config *group;
};

/* Return: 0, or -errno after the reason, with file, line and field, went to stderr. */
int pxs_config_load(struct pxs_config *c, const char *file);
void pxs_config_free(struct pxs_config *c);

/* "10.0.0.1:7400", "[fd00::1]:7400". Return: 0 or -EINVAL. */
int pxs_address_parse(const char *text, struct pxs_address *a);

#endif /* PXS_AGENT_CONFIG_H */
