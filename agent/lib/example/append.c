// SPDX-License-Identifier: GPL-2.0
/*
 * append.c - an example: append the lines of standard input, each exactly once, and show the log
 *
 *	cc append.c $(pkg-config --cflags --libs libpaxsteer) -o append
 *	./append /run/paxsteer/paxsteerd.sock <FILE
 *
 * One loop polls two things, the input and the log. What was appended comes back by the
 * subscription, which ends the program when it has shown the last line.
 */
#include <paxsteer.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define IN_FLIGHT	64

static uint64_t last_slot;	/* of what was acknowledged */
static uint64_t shown;
static int failed;

static void on_appended(void *ctx, const struct pxs_log_result *r)
{
	(void)ctx;
	if (r->error) {
		fprintf(stderr, "append: %s\n", r->words);
		failed = 1;
	} else if (r->slot > last_slot) {
		last_slot = r->slot;
	}
}

static void on_value(void *ctx, const struct pxs_log_value *v)
{
	(void)ctx;
	shown = v->slot;
	if (!v->flags)
		printf("%llu %.*s\n", (unsigned long long)v->slot, (int)v->len,
		       (const char *)v->data);
}

static void on_end(void *ctx, int error, uint64_t applied)
{
	(void)ctx;
	(void)applied;
	fprintf(stderr, "read: %s\n", pxs_log_strerror(error));
	failed = 1;
}

/* Return: 0 at the end of the input. */
static int append_line(struct pxs_log *log)
{
	char line[1024];
	struct pxs_log_id id;
	int err;

	if (!fgets(line, sizeof(line), stdin))
		return 0;
	line[strcspn(line, "\n")] = 0;
	err = pxs_log_make_id(log, &id);
	if (!err)
		err = pxs_log_propose(log, line, strlen(line), &id, 0, on_appended, NULL);
	if (err) {
		fprintf(stderr, "append: %s\n", pxs_log_strerror(err));
		failed = 1;
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct pxs_log *log = argc == 2 ? pxs_log_open(argv[1], 1) : NULL;
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int more = 1;

	if (!log || setvbuf(stdin, NULL, _IONBF, 0)) {
		fprintf(stderr, "usage: append SOCKET[,SOCKET...]\n");
		return 2;
	}
	if (pxs_log_subscribe(log, 1, 0, PXS_LOG_FOLLOW | PXS_LOG_ONCE, on_value, on_end, NULL))
		failed = 1;
	p[1].fd = pxs_log_fd(log);
	while (!failed && (more || pxs_log_outstanding(log) || shown < last_slot)) {
		/* Without credit the input waits. */
		p[0].fd = more && pxs_log_outstanding(log) < IN_FLIGHT ? 0 : -1;
		if (poll(p, 2, -1) < 0)
			break;
		if (p[0].revents)
			more = append_line(log);
		pxs_log_process(log);
	}
	pxs_log_close(log);
	return failed;
}
