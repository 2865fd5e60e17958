/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nlerror.h - what an answer of netlink says went wrong
 */
#ifndef PXS_AGENT_NLERROR_H
#define PXS_AGENT_NLERROR_H

#include <errno.h>

/*
 * The error of an NLMSG_ERROR or of a dump's NLMSG_DONE, as 0 or -errno.
 * -EPROTO: a number that no kernel would say; it is never negated or looked up.
 */
static inline int pxs_nl_errno(int error)
{
	return error > 0 || error < -4095 ? -EPROTO : error;
}

#endif /* PXS_AGENT_NLERROR_H */
