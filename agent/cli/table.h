/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - a lookup table, read from the kernel whole
 */
#ifndef PXS_CLI_TABLE_H
#define PXS_CLI_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/paxsteer.h>

#include "parse.h"

#define TABLE_NOBODY	0xffff		/* no index of a backend */

struct cli;

struct table_backend {
	struct endpoint ep;
	uint64_t weight;
	uint64_t effective;		/* thousandths: the weight, or what counts so far */
	uint64_t id;
	unsigned int state, health;
	bool failed;			/* out by what the kernel saw */
	uint64_t first, second;		/* rows that name it as such */
	bool known;
};

struct table {
	const char *service;
	uint64_t generation, digest;
	unsigned int fill;
	uint32_t nrows, have;		/* rows it has, rows read so far */
	struct pxs_table_row *row;
	struct table_backend *backend;	/* by index, TABLE_NOBODY of them */
	unsigned int end;		/* behind the last of them that there is */
	bool changed;			/* a page of another generation came */
};

/* All of t->service's table in force, of one generation. Return: an exit status. */
int table_read(struct cli *cli, struct table *t);

/* Also after table_read() failed. */
void table_free(struct table *t);

/* Does the index belong to a backend, or to one that rows still name? */
bool table_has(const struct table *t, unsigned int index);

/*
 * Does it serve what it owns? If not, whose fault it is: "down" (the operator's), "bad" (health) or
 * "failed" (what the kernel saw).
 */
bool table_serves(const struct table_backend *b);

/* diff.c: the command "diff". */
int table_diff(struct cli *cli, int argc, char **argv);

/* plot.c: the command "plot". */
int table_plot(struct cli *cli, int argc, char **argv);

#endif /* PXS_CLI_TABLE_H */
