/* SPDX-License-Identifier: GPL-2.0 */
/*
 * health.h - is a backend well? A verdict out of single checks
 *
 * Pure: no I/O, time is passed in. A backend that is well becomes bad after `fall` failed
 * checks in a row; a bad one becomes good after `rise` good ones in a row. A check begins
 * at most `interval` after the one before began, and an answer that is not there after
 * `timeout` is a failure: so a backend that stops answering is bad within
 * fall * interval + timeout, and one that refuses within fall * interval.
 */
#ifndef PXS_AGENT_HEALTH_H
#define PXS_AGENT_HEALTH_H

#include "platform.h"

#define PXS_HEALTH_INTERVAL_MIN	100
#define PXS_HEALTH_INTERVAL_MAX	600000
#define PXS_HEALTH_TIMEOUT_MIN	10
#define PXS_HEALTH_COUNT_MAX	100	/* rise, fall */
#define PXS_HEALTH_JITTER_MAX	50

struct pxs_health_conf {
	u32 interval_ms;
	u32 timeout_ms;		/* <= interval_ms */
	u32 rise;
	u32 fall;
	u32 jitter;		/* percent by which a pause may be shorter, never longer */
};

struct pxs_health_check {
	u64 due;		/* when the next check begins */
	u64 begun;		/* the check that runs */
	u64 random;		/* not 0 */
	u32 streak;		/* checks in a row that speak against the verdict */
	u8 verdict;		/* enum pxs_health, as the module has it */
	bool busy;		/* a check runs */
};

/*
 * Start from the verdict in force, at time @now; @seed spreads first checks over an interval.
 */
void pxs_health_init(struct pxs_health_check *h, const struct pxs_health_conf *conf, u8 verdict,
		     u64 now, u64 seed);

/* Somebody else set the verdict: go on from it. */
void pxs_health_adopt(struct pxs_health_check *h, u8 verdict);

/* Is it time for a check? It is not while one runs. */
bool pxs_health_due(const struct pxs_health_check *h, u64 now);
void pxs_health_begin(struct pxs_health_check *h, u64 now);

/* Has the check that runs no time left? */
bool pxs_health_late(const struct pxs_health_check *h, const struct pxs_health_conf *conf, u64 now);

/* The check that runs ended. Return: true when the verdict changed. */
bool pxs_health_result(struct pxs_health_check *h, const struct pxs_health_conf *conf, bool good,
		       u64 now);

/* The check that runs said nothing of the backend: the fault is ours. */
void pxs_health_void(struct pxs_health_check *h, const struct pxs_health_conf *conf, u64 now);

#endif /* PXS_AGENT_HEALTH_H */
