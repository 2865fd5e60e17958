/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch.h - counters as rates, again and again
 */
#ifndef PXS_CLI_WATCH_H
#define PXS_CLI_WATCH_H

#include <stdint.h>

struct cli;

/*
 * Show the rates of each interval, count times (0: until SIGINT or SIGTERM, which end it well).
 * Return: an exit status.
 */
int watch_run(struct cli *cli, uint64_t interval_ms, uint64_t count);

/*
 * The deadline after `deadline`, at the same distance always, so that time lost in between is not
 * added up. Those that passed already are left out.
 */
uint64_t watch_next(uint64_t deadline, uint64_t interval, uint64_t now);

#endif /* PXS_CLI_WATCH_H */
