/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz.h - what the fuzz targets share
 *
 * An input is a script: a target takes numbers and strings off its front, and where the
 * input has ended it gets zeroes. So each input means something, and a shorter one is a
 * simpler one.
 */
#ifndef PXS_FUZZ_H
#define PXS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform.h"

struct input {
	const u8 *p;
	size_t n;
};

/* Where to complain: libFuzzer closes standard error, for what the code under test says. */
static int fuzz_stderr;

__attribute__((constructor))
static void fuzz_keep_stderr(void)
{
	fuzz_stderr = dup(STDERR_FILENO);
}

/* A rule of the target does not hold: stop here, so that the input is kept. */
#define FUZZ_CHECK(cond)							\
	do {									\
		if (!(cond)) {							\
			dprintf(fuzz_stderr, "FUZZ_CHECK %s:%d: %s\n",		\
				strrchr(__FILE__, '/') + 1, __LINE__, #cond);	\
			abort();						\
		}								\
	} while (0)

/* Take up to @len bytes; the rest of @to is zeroed. */
static inline void take(struct input *in, void *to, size_t len)
{
	size_t n = min(len, in->n);

	memset(to, 0, len);
	if (n)
		memcpy(to, in->p, n);
	in->p += n;
	in->n -= n;
}

static inline u8 take8(struct input *in)
{
	u8 v;

	take(in, &v, sizeof(v));
	return v;
}

static inline u16 take16(struct input *in)
{
	u16 v;

	take(in, &v, sizeof(v));
	return v;
}

static inline u32 take32(struct input *in)
{
	u32 v;

	take(in, &v, sizeof(v));
	return v;
}

static inline u64 take64(struct input *in)
{
	u64 v;

	take(in, &v, sizeof(v));
	return v;
}

/*
 * Take @len bytes, fewer at the end, into memory of just that size, so that one byte read
 * too far is seen. The caller frees.
 */
static inline u8 *take_copy(struct input *in, size_t *len)
{
	u8 *copy;

	*len = min(*len, in->n);
	copy = malloc(*len);
	FUZZ_CHECK(copy || !*len);
	take(in, copy, *len);
	return copy;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif /* PXS_FUZZ_H */
