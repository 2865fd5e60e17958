// SPDX-License-Identifier: GPL-2.0
/*
 * client_words.c - what the daemon's errors mean, for people
 */
#include "client.h"
#include "client_proto.h"

const char *pxs_client_words(u32 error)
{
	static const char *const words[] = {
		[PXS_CLIENT_OK] = "ok",
		[PXS_CLIENT_NOT_LEADER] = "this member does not lead; not appended",
		[PXS_CLIENT_BUSY] = "too much in flight, or no quorum answers; not appended",
		[PXS_CLIENT_TOO_LARGE] = "value too large; not appended",
		[PXS_CLIENT_FENCED] = "the group does not work on this node (see status); not appended",
		[PXS_CLIENT_UNKNOWN] = "outcome unknown: the value may or may not be appended",
		[PXS_CLIENT_NO_GROUP] = "no such group on this node",
		[PXS_CLIENT_INVALID] = "invalid request",
		[PXS_CLIENT_IO] = "the journal cannot be read (see the daemon's messages)",
		[PXS_CLIENT_STORE] = "the log is the group's store's: use a Redis client; not appended",
		[PXS_CLIENT_TABLES] = "the log takes changes of steering tables only; not appended",
		[PXS_CLIENT_REFUSED] = "appended, and refused by the module",
	};

	return error < ARRAY_SIZE(words) && words[error] ? words[error] : "?";
}
