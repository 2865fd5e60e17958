// SPDX-License-Identifier: GPL-2.0
/*
 * loghist.c - what a client asked and was told, a line each, for a history checker
 *
 * Each line is one write at the end of the file, so that those of several processes do not mix.
 */
#include "loghist.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

u64 loghist_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

int loghist_open(struct loghist *h, const char *path, u32 group)
{
	*h = LOGHIST_NONE;
	h->group = group;
	h->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return h->fd < 0 ? -errno : 0;
}

void loghist_close(struct loghist *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

static void put(struct loghist *h, const char *line, int len)
{
	ssize_t n = write(h->fd, line, (size_t)len);

	if (n != len && !h->err)
		h->err = n < 0 ? -errno : -ENOSPC;
}

void loghist_append(struct loghist *h, u64 call_us, enum loghist_outcome outcome, u64 hash,
		    u32 len, u64 slot)
{
	static const char *const words[] = {
		[LOGHIST_APPENDED] = "ok", [LOGHIST_REFUSED] = "no", [LOGHIST_UNKNOWN] = "?",
	};
	char line[160], ret[24] = "?", at[24] = "-";

	if (h->fd < 0)
		return;
	if (outcome != LOGHIST_UNKNOWN)
		snprintf(ret, sizeof(ret), "%" PRIu64, loghist_now_us());
	if (outcome == LOGHIST_APPENDED)
		snprintf(at, sizeof(at), "%" PRIu64, slot);
	put(h, line, snprintf(line, sizeof(line), "a%d %" PRIu64 " %s append %u %016" PRIx64 ":%u %s %s\n",
			      getpid(), call_us, ret, h->group, hash, len, words[outcome], at));
}

void loghist_fetch(struct loghist *h, u64 call_us, u64 slot, u64 hash, u32 len)
{
	char line[160];

	if (h->fd < 0)
		return;
	put(h, line, snprintf(line, sizeof(line), "t%d %" PRIu64 " %" PRIu64 " fetch %u %" PRIu64 " %016" PRIx64 ":%u -\n",
			      getpid(), call_us, loghist_now_us(), h->group, slot, hash, len));
}
