/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reload.h - SIGHUP: what of a changed configuration can be taken without a restart
 */
#ifndef PXS_AGENT_RELOAD_H
#define PXS_AGENT_RELOAD_H

#include "node.h"

/*
 * Read the file again and take the keys; complain of what else has changed. A file that is wrong
 * changes nothing.
 */
void pxs_reload(struct pxs_node *n);

#endif /* PXS_AGENT_RELOAD_H */
