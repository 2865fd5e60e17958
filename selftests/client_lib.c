// SPDX-License-Identifier: GPL-2.0
/*
 * client_lib.c - a program on libpaxsteer for client_lib.sh: load with ids, and a reader
 *
 *	client_lib SOCKETS COUNT LEADER
 *
 * Proposes COUNT values with ids, as many at once as there is credit for, and follows the log by
 * a subscription from slot 1 on the same handle. When half are acknowledged and all credit is
 * used, it kills the process LEADER and says "killed", so that thousands are under way. At the end
 * each acknowledged value must have counted exactly once, any other at most once, and the
 * slots must have come once and in order. The last line is what happened; 0 if that was right.
 */
#include <paxsteer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *seen, *acked;
static uint64_t count, ended, appended, unknown, refused, repeated, no_credit;
static uint64_t slots, copies, last_slot, next_slot = 1, mine;
static uint8_t client[16];
static int bad;
static pid_t leader;

static void on_done(void *ctx, const struct pxs_log_result *r)
{
	uint8_t *which = ctx;

	ended++;
	appended += !r->error;
	unknown += r->error == PXS_LOG_UNKNOWN;
	refused += r->error && r->error != PXS_LOG_UNKNOWN;
	repeated += r->repeated;
	if (r->error)
		fprintf(stderr, "value %ld: %s\n", (long)(which - acked), r->words);
	else if (last_slot < r->slot)
		last_slot = r->slot;
	*which = !r->error;
}

static void on_value(void *ctx, const struct pxs_log_value *v)
{
	(void)ctx;
	if (v->slot != next_slot) {
		fprintf(stderr, "slot %lu where %lu was due\n", v->slot, next_slot);
		bad = 1;
	}
	next_slot = v->slot + 1;
	slots++;
	if (!v->id || memcmp(v->id->client, client, sizeof(client)))
		return;
	mine++;
	if (v->flags & PXS_LOG_REPEATED)
		copies++;
	else if (v->len > strlen("value ") && v->id->number <= count)
		seen[v->id->number]++;
}

static void on_end(void *ctx, int error, uint64_t applied)
{
	(void)ctx;
	fprintf(stderr, "the subscription ended at %lu: %s\n", applied, pxs_log_strerror(error));
	bad = 1;
}

static void kill_leader(void)
{
	if (!leader || appended < count / 2)
		return;
	if (kill(leader, SIGKILL))
		exit(4);
	leader = 0;
	puts("killed");
	fflush(stdout);
}

/* As many as there is credit for. Return: how many are still to come. */
static uint64_t propose(struct pxs_log *log, uint64_t next)
{
	static struct pxs_log_id id;
	char value[64];
	int err;

	while (next <= count) {
		if (id.number != next && pxs_log_make_id(log, &id))
			exit(3);
		memcpy(client, id.client, sizeof(client));
		snprintf(value, sizeof(value), "value %lu", next);
		err = pxs_log_propose(log, value, strlen(value), &id, 0, on_done, &acked[next]);
		if (err == PXS_LOG_BUSY) {
			no_credit++;
			kill_leader();
			return next;
		}
		if (err) {
			fprintf(stderr, "propose: %s\n", pxs_log_strerror(err));
			exit(3);
		}
		next++;
	}
	return next;
}

static void judge(void)
{
	uint64_t i;

	for (i = 1; i <= count; i++) {
		if (seen[i] <= 1 && seen[i] >= acked[i])
			continue;
		fprintf(stderr, "value %lu: acknowledged %u, counted %u\n", i, acked[i], seen[i]);
		bad = 1;
	}
}

int main(int argc, char **argv)
{
	struct pxs_log *log = argc == 4 ? pxs_log_open(argv[1], 1) : NULL;
	uint64_t next = 1;

	count = log ? strtoull(argv[2], NULL, 10) : 0;
	leader = log ? (pid_t)strtol(argv[3], NULL, 10) : 0;
	seen = calloc(count + 1, 1);
	acked = calloc(count + 1, 1);
	if (!log || !count || leader < 2 || !seen || !acked)
		return 2;
	pxs_log_set_timeout(log, 60000);
	if (pxs_log_subscribe(log, 1, 0, PXS_LOG_FOLLOW | PXS_LOG_ONCE, on_value, on_end, NULL))
		return 2;
	while (!bad && (ended < count || next_slot <= last_slot)) {
		next = propose(log, next);
		pxs_log_wait(log, 1000);
	}
	judge();
	pxs_log_close(log);
	printf("appended %lu unknown %lu refused %lu repeated %lu no-credit %lu slots %lu mine %lu copies %lu\n",
	       appended, unknown, refused, repeated, no_credit, slots, mine, copies);
	return bad;
}
