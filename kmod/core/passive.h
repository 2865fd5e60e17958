/* SPDX-License-Identifier: GPL-2.0 */
/*
 * passive.h - who is taken out for a while, because what it was sent came to nothing
 *
 * As nginx's max_fails and fail_timeout: so many failures within so many seconds, and no success
 * among them, take a backend out for as many seconds; then it is tried again. Failures are what the
 * kernel sees without asking anybody: nobody listens at the other end. Some of it strangers could
 * forge: so failures count no more than requests do, one answer makes up for all of them, and never
 * more than half of the backends are out, which is never the last one.
 *
 * What counts as a failure, and what makes up for it:
 *   nat, UDP   ICMP said that port or host can't be reached; a reply came
 *   local      no socket is there; one took a packet
 *   request    no connection was made; a reply came
 * With dsr and tunnels no reply passes here, so nothing would make up for what strangers forge.
 */
#ifndef PXS_CORE_PASSIVE_H
#define PXS_CORE_PASSIVE_H

#include "platform.h"
#include <linux/paxsteer.h>

/* What was counted of a backend, ever. */
struct pxs_passive_seen {
	u64 requests;
	u64 failures;
	u64 successes;
};

/* Is there anything to see, of a service of TCP or UDP and enum pxs_mode @mode? */
bool pxs_passive_sees(bool udp, u8 mode);

/* Which enum pxs_steer_stat counts the failures of a backend, with a mode of which that is so. */
int pxs_passive_failures(u8 mode);

/*
 * What was counted, with enum pxs_mode @mode: @requests and @replies, and @failures by the counter
 * above. Where requests that failed are not among @requests, they are so here.
 */
struct pxs_passive_seen pxs_passive_seen(u8 mode, u64 requests, u64 replies, u64 failures);

/* A backend as the decision sees it. All 0 to begin with. */
struct pxs_passive {
	struct pxs_passive_seen since;	/* as it was when its window began */
	u64 begun;			/* that was then, milliseconds */
	u64 until;			/* it is out until then; 0: it is not */
};

/* What a look at one has to go by, and what it says. */
struct pxs_passive_look {
	struct pxs_passive *p;
	struct pxs_passive_seen seen;	/* as it is now */
	bool serves;			/* but for this it would: one of those to choose from */
};

/*
 * Look at all backends @v[0..n) of a service with @fails (above 0) in @seconds (above 0), at @now
 * milliseconds (above 0) of a clock that never goes back. Afterwards p->until says who is out.
 * Control path.
 */
void pxs_passive_decide(struct pxs_passive_look *v, u32 n, u32 fails, u32 seconds, u64 now);

#endif /* PXS_CORE_PASSIVE_H */
