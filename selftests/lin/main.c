// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - `lin`: read a history, say "ok", or show the operations that cannot be
 *
 *	lin [-c] [-l STEPS] [-m slot|search|all] [-q] FILE...
 *
 *	-c		members' entries must be the same (they have converged)
 *	-l STEPS	limit of the search of one register
 *	-m		slot: by slots only; search: registers as black boxes only; all (default)
 *	-q		say nothing if all is well
 *
 * Several files are one history; - is standard input. Exit status: 0 ok, 1 a violation, 2 no
 * history, 3 undecided.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lin.h"

#define SHOWN	40u

enum { EXIT_OK, EXIT_BAD, EXIT_USAGE, EXIT_UNDECIDED };

struct options {
	bool converged, quiet, by_slot, by_search;
	struct lin_limits limits;
};

static int usage(void)
{
	fputs("Usage: lin [-c] [-l STEPS] [-m slot|search|all] [-q] FILE...\n", stderr);
	return EXIT_USAGE;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int load(struct lin_history *h, const char *path)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char why[200];
	uint32_t line;

	if (!in) {
		fprintf(stderr, "lin: %s cannot be opened\n", path);
		return EXIT_USAGE;
	}
	line = lin_read(h, in, why, sizeof(why));
	if (line)
		fprintf(stderr, "lin: %s:%u: %s\n", path, line, why);
	if (in != stdin)
		fclose(in);
	return line ? EXIT_USAGE : EXIT_OK;
}

static void show(const struct lin_history *h, const struct lin_verdict *v)
{
	char line[400];
	uint32_t i;

	printf("%s: %s\n", v->result == LIN_BAD ? "violation" : "undecided", v->why);
	for (i = 0; i < v->ops && i < SHOWN; i++) {
		lin_print(h, v->op[i], line, sizeof(line));
		printf("    line %u: %s\n", h->op[v->op[i]].line, line);
	}
	if (v->ops > SHOWN)
		printf("    ... and %u more\n", v->ops - SHOWN);
}

/* Take over what is worse. */
static int judge(const struct lin_history *h, struct lin_verdict *v, int status)
{
	if (v->result != LIN_OK)
		show(h, v);
	if (v->result == LIN_BAD)
		status = EXIT_BAD;
	else if (v->result == LIN_UNDECIDED && status == EXIT_OK)
		status = EXIT_UNDECIDED;
	lin_verdict_free(v);
	return status;
}

static uint32_t count(const struct lin_history *h, bool (*is)(const struct lin_op *op))
{
	uint32_t n = 0, i;

	for (i = 0; i < h->ops; i++)
		n += is(&h->op[i]);
	return n;
}

static bool is_operation(const struct lin_op *op)
{
	return op->kind != LIN_ENTRY;
}

static bool is_unknown(const struct lin_op *op)
{
	return op->kind != LIN_ENTRY && op->outcome == LIN_UNKNOWN;
}

/* "ok" is said of what was checked only. */
static int nothing_left_out(const struct lin_history *h, const struct options *o, int status)
{
	uint32_t n = o->by_slot ? lin_slotless(h, !o->by_search) :
				  count(h, is_operation) - count(h, lin_is_register);
	struct lin_verdict v = { 0 };

	if (n)
		lin_set(&v, LIN_UNDECIDED, "%u operations were not checked: they need %s", n,
			o->by_slot ? "slots" : "-m slot");
	return judge(h, &v, status);
}

static int check(const struct lin_history *h, const struct options *o)
{
	struct lin_verdict v;
	int status = EXIT_OK;
	double start = now(), took;

	if (o->by_slot) {
		lin_slotcheck(h, &v);
		status = judge(h, &v, status);
	}
	if (o->converged) {
		lin_converged(h, &v);
		status = judge(h, &v, status);
	}
	if (o->by_search) {
		lin_wgl(h, &o->limits, &v);
		status = judge(h, &v, status);
	}
	status = nothing_left_out(h, o, status);
	if (status != EXIT_OK || o->quiet)
		return status;
	took = now() - start;
	printf("ok: %u operations, %u of unknown outcome; %u by slots, %u by search; %.0f/s\n",
	       count(h, is_operation), count(h, is_unknown),
	       o->by_slot ? count(h, is_operation) - lin_slotless(h, true) : 0,
	       o->by_search ? count(h, lin_is_register) : 0, took > 0 ? h->ops / took : 0);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct options o = { .by_slot = true, .by_search = true, .limits = LIN_LIMITS };
	struct lin_history h;
	int opt, i, status = EXIT_OK;

	while ((opt = getopt(argc, argv, "cl:m:q")) != -1) {
		if (opt == 'c')
			o.converged = true;
		else if (opt == 'q')
			o.quiet = true;
		else if (opt == 'l')
			o.limits.steps = strtoull(optarg, NULL, 10);
		else if (opt == 'm' && !strcmp(optarg, "slot"))
			o.by_search = false;
		else if (opt == 'm' && !strcmp(optarg, "search"))
			o.by_slot = false;
		else if (opt != 'm' || strcmp(optarg, "all"))
			return usage();
	}
	if (optind == argc)
		return usage();
	lin_init(&h);
	for (i = optind; i < argc && status == EXIT_OK; i++)
		status = load(&h, argv[i]);
	if (status == EXIT_OK && !h.ops) {
		fputs("lin: the history is empty\n", stderr);
		status = EXIT_USAGE;
	}
	if (status == EXIT_OK)
		status = check(&h, &o);
	lin_free(&h);
	return status;
}
