/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loghist.h - what a client asked and was told, a line each, for a history checker
 *
 * The format is that of selftests/lin: "CLIENT CALL RETURN KIND GROUP ARGUMENT RESULT SLOT".
 * Values are named HASH:LENGTH, times are microseconds of CLOCK_MONOTONIC. Many processes
 * may write to one file.
 */
#ifndef PXS_CLI_LOGHIST_H
#define PXS_CLI_LOGHIST_H

#include <stdbool.h>
#include <stdint.h>

#include "platform.h"

struct loghist {
	int fd;		/* -1: nobody wants a history */
	u32 group;
	int err;	/* of the first line that could not be written: -errno */
};

enum loghist_outcome {
	LOGHIST_APPENDED,
	LOGHIST_REFUSED,	/* certainly not appended */
	LOGHIST_UNKNOWN,
};

#define LOGHIST_NONE	((struct loghist){ .fd = -1 })

u64 loghist_now_us(void);

/* Return: 0 or -errno. */
int loghist_open(struct loghist *h, const char *path, u32 group);
void loghist_close(struct loghist *h);

void loghist_append(struct loghist *h, u64 call_us, enum loghist_outcome outcome, u64 hash,
		    u32 len, u64 slot);
/* A read of @slot, asked for at @call_us, has just shown this value. */
void loghist_fetch(struct loghist *h, u64 call_us, u64 slot, u64 hash, u32 len);

#endif /* PXS_CLI_LOGHIST_H */
