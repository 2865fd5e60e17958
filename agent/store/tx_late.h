/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tx_late.h - commands about the server or the connection, between MULTI and EXEC
 *
 * The log knows nothing of them (CONFIG GET, CLIENT SETNAME). In a transaction a PING stands in the
 * place of each; when EXEC has its answer, they are executed at this node, in their order, and
 * what they say takes the place of what PING said. Other nodes need not know that they were there.
 */
#ifndef PXS_STORE_TX_LATE_H
#define PXS_STORE_TX_LATE_H

#include "command.h"

struct pxs_conn;
struct pxs_request;

/*
 * Keep @copy, of a command with PXS_CF_LATE, which is the connection's @place-th between MULTI and
 * EXEC. Return: what to queue in its place; NULL: no memory, and @copy is still the caller's.
 */
struct pxs_request *pxs_late_keep(struct pxs_conn *c, struct pxs_request *copy, u32 place);

/* @exec has begun: what was kept is its own from now on. */
void pxs_late_take(struct pxs_request *exec);

/* The answer of @exec, with those of what was kept in it; they are executed now. */
void pxs_late_answer(struct pxs_request *exec, struct pxs_reply *to);

/* Forget them. */
void pxs_late_drop(struct pxs_request **kept);

#endif /* PXS_STORE_TX_LATE_H */
