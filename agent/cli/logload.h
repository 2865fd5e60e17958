/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logload.h - appending many values with several in flight, and what that took
 */
#ifndef PXS_CLI_LOGLOAD_H
#define PXS_CLI_LOGLOAD_H

#include <stdio.h>

#include "loghist.h"
#include "paxsteer.h"

#define LOGLOAD_OUTSTANDING_MAX	4096u
#define LOGLOAD_PREFIX_MAX	32
#define LOGLOAD_WORDS		160
#define LOGLOAD_SAMPLES_MAX	(1u << 20)

struct logload {
	/* in */
	const char *sockets;	/* as pxs_log_open() takes them */
	u32 group;
	u32 timeout_ms;		/* to find a leader */
	u32 outstanding;
	u32 size;		/* of made-up values */
	u64 count;		/* made-up values; 0: lines of @input */
	u64 seconds;		/* stop after so long; 0: no limit */
	FILE *input;
	const char *value;	/* a single value, of value_len bytes; NULL: others */
	size_t value_len;
	const char *prefix;	/* of made-up values */
	bool keep_going;	/* after an unknown outcome, or where there is no credit */
	bool once;		/* each value with an id */
	FILE *slots;		/* print each slot here; or NULL */
	int acked_fd;		/* "SLOT HASH LENGTH" for each acknowledged value; -1 */
	struct loghist history;

	/* out */
	u64 sent, acked, unknown, refused;
	u64 slot;		/* of the value that was acknowledged last */
	bool repeated;		/* and whether it may have stood before it */
	u64 first_us, last_us;
	u64 longest_gap_us;	/* between two acknowledgements */
	u32 *sample;		/* microseconds from request to answer */
	u32 samples;
	char error[LOGLOAD_WORDS];
	char no_leader[LOGLOAD_WORDS];	/* in words */
};

/* Return: 0, or -errno with l->error. Unknown outcomes are not errors with keep_going. */
int logload_run(struct logload *l);
void logload_free(struct logload *l);

/* The @part (0..1) quantile in microseconds; sorts the samples. */
u32 logload_quantile(struct logload *l, double part);

#endif /* PXS_CLI_LOGLOAD_H */
