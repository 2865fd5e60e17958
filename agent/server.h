/* SPDX-License-Identifier: GPL-2.0 */
/*
 * server.h - the client port: a UNIX socket; client_proto.h is its manual
 */
#ifndef PXS_AGENT_SERVER_H
#define PXS_AGENT_SERVER_H

#include "node.h"

#define PXS_CLIENTS_MAX	256u

/* Listen on @path (an abandoned socket there is replaced). Return: 0 or -errno, said why. */
int pxs_server_start(struct pxs_node *n, const char *path);

/* After the loop has ended. */
void pxs_server_stop(struct pxs_node *n);

#endif /* PXS_AGENT_SERVER_H */
