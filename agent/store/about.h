/* SPDX-License-Identifier: GPL-2.0 */
/*
 * about.h - what Redis 7.0 says of the commands, beside what the table of commands does
 *
 * Of each command, and of each word that may follow one (CLIENT LIST). For COMMAND INFO and
 * COMMAND DOCS (cmd_describe.c). Several words are parted by blanks.
 */
#ifndef PXS_STORE_ABOUT_H
#define PXS_STORE_ABOUT_H

#include "str.h"

struct pxs_about {
	const char *name;	/* lower case; "client|list" */
	int arity;		/* of a word that follows a command; 0: it is a command */
	const char *since;	/* version of Redis; NULL: Redis has it not */
	const char *group;
	const char *flags;	/* of a command those that the table does not have; NULL: none */
	const char *categories;	/* of access lists, but read, write, fast and slow; NULL: none */
	const char *tips;	/* NULL: none */
	const char *summary;
	const char *notes;	/* on its key; NULL: none */
};

/* NULL: nothing. */
const struct pxs_about *pxs_about(struct pxs_str name);

#endif /* PXS_STORE_ABOUT_H */
