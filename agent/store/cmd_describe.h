/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmd_describe.h - COMMAND INFO and COMMAND DOCS: what is told of a command
 */
#ifndef PXS_STORE_CMD_DESCRIBE_H
#define PXS_STORE_CMD_DESCRIBE_H

#include "command.h"

/* A command, or a word that may follow one, as "client|list". */
struct pxs_told {
	const struct pxs_command *cmd;
	const struct pxs_about *about;
	bool word;
};

/* Return: there is such. */
bool pxs_told_find(struct pxs_told *t, struct pxs_str name);

/* Is it of this category of Redis's access lists? */
bool pxs_told_is_of(const struct pxs_told *t, struct pxs_str category);

/* The ten elements of COMMAND INFO. */
void pxs_told_info(const struct pxs_told *t, struct pxs_reply *o);

/* Its name and the map of COMMAND DOCS. */
void pxs_told_docs(const struct pxs_told *t, struct pxs_reply *o);

/* What @cmd does to its key at argument @i, in Redis's words. @argc 0: in general. */
const char *pxs_command_use(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv,
			    u32 i);

/* The words of @text, parted by blanks, as a set of statuses. NULL: none. */
void pxs_reply_words(struct pxs_reply *o, const char *text);

#endif /* PXS_STORE_CMD_DESCRIBE_H */
