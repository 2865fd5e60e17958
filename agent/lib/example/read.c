// SPDX-License-Identifier: GPL-2.0
/*
 * read.c - an example: show everything that is in the log now, and nothing older than now
 *
 *	cc read.c $(pkg-config --cflags --libs libpaxsteer) -o read
 *	./read /run/paxsteer/paxsteerd.sock[,SOCKET...]
 *
 * The read index says how far one must read; any member may then deliver the values, and one that
 * lags behind is waited for.
 */
#include <paxsteer.h>
#include <stdio.h>

static int ended, failed;

static void on_value(void *ctx, const struct pxs_log_value *v)
{
	(void)ctx;
	if (!v->flags)
		printf("%llu %.*s\n", (unsigned long long)v->slot, (int)v->len,
		       (const char *)v->data);
}

static void on_end(void *ctx, int error, uint64_t applied)
{
	(void)ctx;
	(void)applied;
	ended = 1;
	failed = error;
}

int main(int argc, char **argv)
{
	struct pxs_log *log = argc == 2 ? pxs_log_open(argv[1], 1) : NULL;
	uint64_t slot;

	if (!log) {
		fprintf(stderr, "usage: read SOCKET[,SOCKET...]\n");
		return 2;
	}
	failed = pxs_log_read_index(log, &slot);
	/* An empty log has nothing to wait for; 0 would be "no limit". */
	if (!failed && slot)
		failed = pxs_log_subscribe(log, 1, slot, PXS_LOG_FOLLOW | PXS_LOG_ONCE, on_value,
					   on_end, NULL);
	while (!failed && slot && !ended)
		pxs_log_wait(log, -1);
	if (failed)
		fprintf(stderr, "read: %s\n", pxs_log_strerror(failed));
	pxs_log_close(log);
	return !!failed;
}
