/* SPDX-License-Identifier: GPL-2.0 */
/*
 * words.h - words of commands that do not speak to the kernel
 *
 * What args.h is for requests: a table of names, here with places for their values. "count 5",
 * "--count 5" and "--count=5" are the same; no word is given twice.
 */
#ifndef PXS_CLI_WORDS_H
#define PXS_CLI_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct cli;

/* One of number, text and flag; a NULL name ends a table. */
struct word {
	const char *name;
	uint64_t *number;
	uint64_t min, max;	/* of the number; max 0: any */
	const char **text;
	bool *flag;
};

/*
 * @value: where a word that is no name goes, once; NULL: there may be none.
 * Return: an exit status.
 */
int words_take(struct cli *cli, const struct word *words, int argc, char **argv,
	       const char **value);

/* The value of one of them. Return: an exit status. */
int words_take_one(struct cli *cli, const struct word *w, const char *value);

#endif /* PXS_CLI_WORDS_H */
