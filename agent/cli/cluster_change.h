/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_change.h - `paxsteer cluster add`, `remove` and `rebalance`
 */
#ifndef PXS_CLI_CLUSTER_CHANGE_H
#define PXS_CLI_CLUSTER_CHANGE_H

struct cli;

int cluster_add(struct cli *cli, int argc, char **argv);
int cluster_remove(struct cli *cli, int argc, char **argv);
int cluster_rebalance(struct cli *cli, int argc, char **argv);

#endif /* PXS_CLI_CLUSTER_CHANGE_H */
