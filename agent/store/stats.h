/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats.h - how often which command was executed, and which errors were answered
 *
 * Of what clients asked this node, for INFO commandstats and errorstats; CONFIG RESETSTAT clears
 * it. A time is that from the beginning of a command until its answer, so that of a write has the
 * way into the log in it. What stands between MULTI and EXEC is counted when EXEC begins, without a
 * time of its own.
 */
#ifndef PXS_STORE_STATS_H
#define PXS_STORE_STATS_H

#include "command.h"

#define PXS_STATS_WORDS		32u	/* kinds of errors; others are not told apart */
#define PXS_STATS_WORD_MAX	23u

struct pxs_stat {
	u64 calls;
	u64 usec;
	u64 rejected;		/* before it was begun with: wrong arity, not logged in */
	u64 failed;		/* executed; the answer is an error */
};

struct pxs_stats {
	struct pxs_stat command[PXS_COMMANDS_MAX];
	struct {
		char word[PXS_STATS_WORD_MAX + 1];
		u64 count;
	} error[PXS_STATS_WORDS];
	u32 words;
	u64 errors;		/* of all kinds */
};

struct pxs_request;

void pxs_stats_clear(struct pxs_stats *s);

/* @r has begun: if it is EXEC, so have the commands before it. */
void pxs_stats_begun(struct pxs_stats *s, struct pxs_request *r);

/* @r has its answer, at @now (ns, steady). */
void pxs_stats_answered(struct pxs_stats *s, const struct pxs_request *r, u64 now);

/* Lines of the two sections of INFO. Return: bytes; PXS_STATS_TEXT at most. */
u32 pxs_stats_commands(const struct pxs_stats *s, char *to);
u32 pxs_stats_errors(const struct pxs_stats *s, char *to);

#define PXS_STATS_TEXT	(PXS_COMMANDS_MAX * 192u)

#endif /* PXS_STORE_STATS_H */
