// SPDX-License-Identifier: GPL-2.0
/*
 * accept.c - who may connect when descriptors are short
 */
#include "accept.h"

#include <sys/resource.h>
#include <unistd.h>

#include "report.h"
#include "server.h"
#include "store_config.h"

#define PAUSE_MS	1000
#define OTHER_FILES	512u	/* all but clients, and what a store has; half are for checks */
#define STORE_FILES	32u	/* of a group: its database, its peers, checkpoints */
#define KEPT_FILES	64u	/* of the last ones, none is a client's */

void pxs_accept_limit(const struct pxs_config *c)
{
	/* Who follows a log has a segment open, too. */
	rlim_t want = OTHER_FILES + 2 * PXS_CLIENTS_MAX;
	struct rlimit limit;
	u32 i;

	for (i = 0; i < c->ngroups; i++) {
		const struct pxs_store_config *s = c->group[i].store;

		if (s)
			want += STORE_FILES + (s->part ? 0 : s->maxclients);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = min(want, limit.rlim_max);
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < want)
		pxs_warn("as many clients as may come need %llu open files, and the limit is %llu: not all will be served",
			 (unsigned long long)want, (unsigned long long)limit.rlim_max);
}

/* The lowest free one is given out: if that is one of the last, all others are in use. */
static bool is_kept(int fd)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	return (rlim_t)fd >= limit.rlim_cur - min((rlim_t)KEPT_FILES, limit.rlim_cur / 4);
}

int pxs_accepted(const struct pxs_loop *l, const char *where, int res, u64 *pause)
{
	if (res >= 0 && is_kept(res)) {
		close(res);
		res = -EMFILE;
	}
	if (res >= 0 || res == -EINTR || res == -ECONNABORTED || res == -EAGAIN)
		return res;
	pxs_warn("%s: accept: %s", where, strerror(-res));
	*pause = l->now + PAUSE_MS;
	return res;
}
