/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_change.h - `paxsteer cluster add`, `remove` and `rebalance`
 */
#ifndef PXS_CLI_CLUSTER_CHANGE_H
#define PXS_CLI_CLUSTER_CHANGE_H

#include <stdint.h>

struct cli;
struct out;

/* A daemon takes changes at its socket, so who leads is asked to hand over: see cluster_lead.h. */
#define CLUSTER_GATHERED	"`paxsteer cluster rebalance`: the groups are led from here now"

/* In a table of groups: one, and the epoch that it is in. */
void cluster_show_part(struct out *o, uint64_t group, uint64_t epoch);

/* Say why not, and of which group where there are @n > 1. Return: CLI_REFUSED. */
int cluster_refuse(struct cli *cli, unsigned int n, uint64_t group, const char *why);

int cluster_add(struct cli *cli, int argc, char **argv);
int cluster_remove(struct cli *cli, int argc, char **argv);
int cluster_rebalance(struct cli *cli, int argc, char **argv);

#endif /* PXS_CLI_CLUSTER_CHANGE_H */
