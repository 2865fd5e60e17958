// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_logconn.c - what a daemon, or who sits on its socket, says to `paxsteer log`
 *
 * Input: pieces of the stream, 16 bits of length before each; then it is closed.
 */
#include <poll.h>
#include <sys/socket.h>

#include "fuzz.h"

static ssize_t fuzz_recv(int fd, void *buf, size_t len, int flags);

#define recv		fuzz_recv
#define send(fd, buf, len, flags)	((void)(fd), (void)(buf), (ssize_t)(len))
#define poll(p, n, timeout)		((void)(p), 1)
#include "logconn.c"
#undef recv

static struct input script;

static ssize_t fuzz_recv(int fd, void *buf, size_t len, int flags)
{
	size_t n = take16(&script);

	(void)fd;
	(void)flags;
	n = min(n, min(len, script.n));
	take(&script, buf, n);
	return (ssize_t)n;
}

static void read_all(struct logconn *c)
{
	struct logmsg m = { 0 };
	u32 sum = 0, i;
	bool large;
	int err = 0;

	while (!err) {
		while (logconn_next(c, &m))
			for (i = 0; i < m.len; i++)
				sum += m.body[i];
		large = announced(c) > PXS_CLIENT_BODY_MAX;
		err = logconn_fill(c, true);
		FUZZ_CHECK(err || !large);
	}
	__asm__ volatile("" : : "r"(sum));	/* what was handed out was read */
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct logconn c = { .fd = -1 };
	json_t *status;

	script = (struct input){ data, size };
	if (take8(&script) & 1) {
		status = logconn_status(&c);
		if (status) {
			logconn_group(status, 1);
			json_decref(status);
		}
	}
	read_all(&c);
	logconn_close(&c);
	return 0;
}
