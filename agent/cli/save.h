/* SPDX-License-Identifier: GPL-2.0 */
/*
 * save.h - the steering configuration as the lines that make it
 */
#ifndef PXS_CLI_SAVE_H
#define PXS_CLI_SAVE_H

#include <stddef.h>

struct cli;
struct out;

/*
 * All of the namespace, or one service (NULL: all): lines for a batch, one a service or backend.
 * On CLI_OK *text is the caller's to free, and *sockets (or NULL) is how many backends no line can
 * make: sockets that processes gave as descriptors. Return: an exit status.
 */
int save_text(struct cli *cli, const char *service, char **text, size_t *sockets);

/* Show such lines; in JSON each is an object of its own, as monitor's are. */
void save_print(struct out *o, char *text);

#endif /* PXS_CLI_SAVE_H */
