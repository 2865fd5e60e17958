/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cluster_status.h - `paxsteer cluster status`: every member of a group, one a line
 */
#ifndef PXS_CLI_CLUSTER_STATUS_H
#define PXS_CLI_CLUSTER_STATUS_H

struct cli;

int cluster_status(struct cli *cli, int argc, char **argv);

#endif /* PXS_CLI_CLUSTER_STATUS_H */
