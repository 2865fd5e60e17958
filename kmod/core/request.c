// SPDX-License-Identifier: GPL-2.0
/*
 * request.c - where a client's requests begin and end in its stream, and whose they are
 *
 * What the protocols share; each has a file of its own. No state; any context.
 */
#include "request.h"

void pxs_cut_next(struct pxs_cutter *c, const u8 *p, u32 len, struct pxs_cut *cut)
{
	struct pxs_slice s = { p, len };

	memset(cut, 0, sizeof(*cut));
	if (!len)
		return;
	if (c->proto == PXS_REQUEST_REDIS)
		pxs_cut_redis(c, s, cut);
	else
		pxs_cut_memcached(c, s, cut);
}

bool pxs_cutter_amid(const struct pxs_cutter *c)
{
	return !c->drop && (c->bulk || c->left);
}

const char *pxs_request_no_backend(u8 proto)
{
	return proto == PXS_REQUEST_REDIS ? "-ERR paxsteer: no backend can serve this key\r\n" :
					    "SERVER_ERROR no backend can serve this key\r\n";
}

const char *pxs_request_lost(u8 proto)
{
	return proto == PXS_REQUEST_REDIS ?
	       "-ERR paxsteer: the connection to the backend ended before its reply\r\n" :
	       "SERVER_ERROR the connection to the backend ended before its reply\r\n";
}

const char *pxs_request_crossed(u8 proto)
{
	return proto == PXS_REQUEST_REDIS ?
	       "-CROSSSLOT paxsteer: the keys of this request belong to several backends\r\n" :
	       "SERVER_ERROR the keys of this request belong to several backends\r\n";
}
