/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - tracepoints (perf list 'paxsteer:*'); scalars only
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM paxsteer

#if !defined(PXS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PXS_TRACE_H

#include <linux/tracepoint.h>

/* A backend was picked. choice is enum pxs_choice; fallback: the key was not readable. */
TRACE_EVENT(pxs_pick,
	TP_PROTO(u32 service, u64 generation, u64 hash, u16 backend, u8 choice, bool fallback),
	TP_ARGS(service, generation, hash, backend, choice, fallback),
	TP_STRUCT__entry(
		__field(u64, generation)
		__field(u64, hash)
		__field(u32, service)
		__field(u16, backend)
		__field(u8, choice)
		__field(bool, fallback)
	),
	TP_fast_assign(
		__entry->generation = generation;
		__entry->hash = hash;
		__entry->service = service;
		__entry->backend = backend;
		__entry->choice = choice;
		__entry->fallback = fallback;
	),
	TP_printk("service=%u generation=%llu hash=%016llx backend=%u choice=%u fallback=%u",
		  __entry->service, __entry->generation, __entry->hash, __entry->backend,
		  __entry->choice, __entry->fallback)
);

/* A packet of a service was not delivered. stat is enum pxs_steer_stat. */
TRACE_EVENT(pxs_drop,
	TP_PROTO(u32 service, int stat),
	TP_ARGS(service, stat),
	TP_STRUCT__entry(
		__field(u32, service)
		__field(int, stat)
	),
	TP_fast_assign(
		__entry->service = service;
		__entry->stat = stat;
	),
	TP_printk("service=%u stat=%d", __entry->service, __entry->stat)
);

/* A plan was published. generation 0: no backend has weight. */
TRACE_EVENT(pxs_publish,
	TP_PROTO(u32 service, u64 generation, u64 digest, u32 backends),
	TP_ARGS(service, generation, digest, backends),
	TP_STRUCT__entry(
		__field(u64, generation)
		__field(u64, digest)
		__field(u32, service)
		__field(u32, backends)
	),
	TP_fast_assign(
		__entry->generation = generation;
		__entry->digest = digest;
		__entry->service = service;
		__entry->backends = backends;
	),
	TP_printk("service=%u generation=%llu digest=%016llx backends=%u", __entry->service,
		  __entry->generation, __entry->digest, __entry->backends)
);

#endif /* PXS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
