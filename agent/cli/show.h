/* SPDX-License-Identifier: GPL-2.0 */
/*
 * show.h - `show [NAME]`: all objects of a kind, or those that a name tells
 */
#ifndef PXS_CLI_SHOW_H
#define PXS_CLI_SHOW_H

#include "args.h"
#include "nlq.h"
#include "out.h"

struct show_kind {
	uint8_t cmd;			/* enum pxs_cmd: it dumps */
	bool one;			/* a name asks for that one, not for a dump of its part */
	enum out_style style;		/* of the list */
	int (*take_name)(struct args *a, struct nl_msg *msg);
	nlq_fn *put;			/* an object of the list; its argument is NULL */
};

/* What follows `show`. Return: an exit status; the error is said. */
int show_run(struct cli *cli, int argc, char **argv, const struct show_kind *kind);

#endif /* PXS_CLI_SHOW_H */
