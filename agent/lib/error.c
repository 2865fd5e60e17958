// SPDX-License-Identifier: GPL-2.0
/*
 * error.c - errors, those of daemons and in words
 */
#include "handle.h"

#ifndef PXS_VERSION
#define PXS_VERSION	"0"
#endif

const char *pxs_log_version(void)
{
	return PXS_VERSION;
}

const char *pxs_log_strerror(int error)
{
	static const char *const words[] = {
		[PXS_LOG_OK] = "ok",
		[PXS_LOG_INVALID] = "an argument is out of its range",
		[PXS_LOG_NO_MEMORY] = "out of memory",
		[PXS_LOG_TOO_LARGE] = "value too large; not appended",
		[PXS_LOG_NO_GROUP] = "no such group on these nodes",
		[PXS_LOG_NOT_LEADER] = "no leader at these sockets; not appended",
		[PXS_LOG_UNREACHABLE] = "no daemon answers at the socket",
		[PXS_LOG_BUSY] = "too much in flight, or no quorum answers; not appended",
		[PXS_LOG_FENCED] = "the group does not work on that node; not appended",
		[PXS_LOG_STORE] = "the log is the group's store's; not appended",
		[PXS_LOG_UNKNOWN] = "outcome unknown: the value may or may not be appended",
		[PXS_LOG_EXPIRED] = "too late for its id: the value has no effect",
		[PXS_LOG_CLOSED] = "closed before it was sent; not appended",
		[PXS_LOG_PROTOCOL] = "a daemon says what it may not",
		[PXS_LOG_DAMAGED] = "a member cannot tell a value; ask another",
		[PXS_LOG_IO] = "a member cannot read its journal",
		[PXS_LOG_NO_MEMBER] = "no such member in the group",
		[PXS_LOG_TABLES] = "the log takes changes of steering tables only; not appended",
		[PXS_LOG_REFUSED] = "a change of tables that was appended, and refused",
		[PXS_LOG_RESUMED] = "not taken over in time; the leader leads on",
		[PXS_LOG_TRIMMED] = "a member has trimmed that slot, and the ones before it",
		[PXS_LOG_KEPT] = "the log is not trimmed so far",
		[PXS_LOG_MEMBERS] = "the members are not changed",
	};

	return error >= 0 && (size_t)error < ARRAY_SIZE(words) ? words[error] : "unknown error";
}

int pxs_error_of(u64 client_error)
{
	switch (client_error) {
	case PXS_CLIENT_NOT_LEADER:
		return PXS_LOG_NOT_LEADER;
	case PXS_CLIENT_BUSY:
		return PXS_LOG_BUSY;
	case PXS_CLIENT_TOO_LARGE:
		return PXS_LOG_TOO_LARGE;
	case PXS_CLIENT_FENCED:
		return PXS_LOG_FENCED;
	case PXS_CLIENT_UNKNOWN:
		return PXS_LOG_UNKNOWN;
	case PXS_CLIENT_NO_GROUP:
		return PXS_LOG_NO_GROUP;
	case PXS_CLIENT_INVALID:
		return PXS_LOG_INVALID;
	case PXS_CLIENT_IO:
		return PXS_LOG_IO;
	case PXS_CLIENT_NO_MEMBER:
		return PXS_LOG_NO_MEMBER;
	case PXS_CLIENT_RESUMED:
		return PXS_LOG_RESUMED;
	case PXS_CLIENT_STORE:
		return PXS_LOG_STORE;
	case PXS_CLIENT_TABLES:
		return PXS_LOG_TABLES;
	case PXS_CLIENT_REFUSED:
		return PXS_LOG_REFUSED;
	case PXS_CLIENT_TRIMMED:
		return PXS_LOG_TRIMMED;
	case PXS_CLIENT_KEPT:
		return PXS_LOG_KEPT;
	case PXS_CLIENT_MEMBERS_KEPT:
		return PXS_LOG_MEMBERS;
	default:
		return -1;
	}
}
