/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agreed.h - changes that a group agrees on
 */
#ifndef PXS_CLI_AGREED_H
#define PXS_CLI_AGREED_H

struct cli;
struct nl_msg;

/*
 * The kernel says that a group makes the change of @request: have it proposed there, and wait
 * until the member that leads has made it. Return: an exit status.
 */
int agreed_change(struct cli *cli, struct nl_msg *request);

#endif /* PXS_CLI_AGREED_H */
