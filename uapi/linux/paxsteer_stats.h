/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * paxsteer_stats.h - what the family "paxsteer" counts; part of linux/paxsteer.h
 */
#ifndef _UAPI_LINUX_PAXSTEER_STATS_H
#define _UAPI_LINUX_PAXSTEER_STATS_H

/* Counters of a service or backend, u64 each, from the start or last rmmod. */
enum pxs_steer_stat {
	PXS_STEER_STAT_UNSPEC,
	PXS_STEER_STAT_PACKETS,		/* packets sent to a backend */
	PXS_STEER_STAT_BYTES,		/* their bytes, IP header included */
	PXS_STEER_STAT_REQUESTS,	/* steering decisions: datagrams (UDP), connections (TCP) */
	PXS_STEER_STAT_REPLIES,		/* packets rewritten on the way back (nat, UDP) */
	PXS_STEER_STAT_FALLBACKS,	/* key not readable: the flow tuple was hashed instead */
	/* the first choice was down: another one served */
	PXS_STEER_STAT_SECOND,
	PXS_STEER_STAT_NO_BACKEND,	/* nobody could serve: dropped */
	PXS_STEER_STAT_NO_SOCKET,	/* local: no socket at the backend's address: dropped */
	/* packet not linearizable or writable, or NAT refused: dropped */
	PXS_STEER_STAT_ERRORS,
	/* ICMP errors about requests, passed to clients (nat, UDP) */
	PXS_STEER_STAT_ICMP_REQUESTS,
	/*
	 * UDP datagrams that did not fit the path to a client. Of a service: ICMP errors that said
	 * so, taken over as the path's MTU. Of a nat backend: its replies that were answered so.
	 * With dsr and tunnels: ICMP errors about replies, forwarded to the backend.
	 */
	PXS_STEER_STAT_ICMP_REPLIES,
	PXS_STEER_STAT_PAD,
	/* the first choice, or whoever stood in for it, was full: another one served */
	PXS_STEER_STAT_SPILLED,
	/* dsr, tunnels, TCP: not at the row's first choice of now, but where their connection is */
	PXS_STEER_STAT_KEPT,
	/* the same: connections that could not be noted: the next change may cut them off */
	PXS_STEER_STAT_NOT_KEPT,
	/* dsr, tunnels: do not fit the way to the backend: client told */
	PXS_STEER_STAT_TOO_BIG,
	/* the same: no way to the backend, no hop left, source refused: dropped */
	PXS_STEER_STAT_NO_ROUTE,
	/* request: connections of clients that were accepted */
	PXS_STEER_STAT_CLIENTS,
	/* request: connections closed at once: too many, or no memory */
	PXS_STEER_STAT_CLIENTS_REFUSED,
	/* request: answered with an error here: not a command with a key that can be steered */
	PXS_STEER_STAT_REFUSED,
	/* request: answered with an error here: its keys belong to several backends */
	PXS_STEER_STAT_CROSSED,
	/* request: connections ended, because what came was no request, or too long */
	PXS_STEER_STAT_BAD_REQUESTS,
	/*
	 * request: connections to a backend that failed or took too long to be made. Of a backend:
	 * not those that this host could not even try (no port or memory left, a rule against it).
	 */
	PXS_STEER_STAT_CONNECT_FAILED,
	/* request: answered with an error: the connection to the backend ended before its reply */
	PXS_STEER_STAT_LOST,
	/* of ICMP_REQUESTS, those that said that host or port can't be reached */
	PXS_STEER_STAT_UNREACHABLE,
	/* times that a backend was taken out by what the kernel saw: PXS_A_SERVICE_PASSIVE_FAILS */
	PXS_STEER_STAT_FAILED,
	__PXS_STEER_STAT_MAX
};
#define PXS_STEER_STAT_MAX (__PXS_STEER_STAT_MAX - 1)

/* Counters of a group, u64 each. A datagram not processed counts once, by its first fault. */
enum pxs_group_stat {
	PXS_GROUP_STAT_UNSPEC,
	PXS_GROUP_STAT_RX,		/* datagrams processed */
	PXS_GROUP_STAT_TX,
	PXS_GROUP_STAT_TX_ERRORS,
	PXS_GROUP_STAT_BAD_CLUSTER,
	PXS_GROUP_STAT_BAD_SENDER,	/* not a member, or ourselves */
	PXS_GROUP_STAT_BAD_RECEIVER,
	PXS_GROUP_STAT_BAD_KEY,		/* unknown key id */
	PXS_GROUP_STAT_BAD_TAG,
	PXS_GROUP_STAT_BAD_EPOCH,
	PXS_GROUP_STAT_BAD_INCARNATION,	/* of sender or receiver */
	PXS_GROUP_STAT_BAD_BODY,	/* authentic, but malformed */
	PXS_GROUP_STAT_REPLAY,		/* heartbeat with an old counter */
	PXS_GROUP_STAT_NOT_ACTIVE,	/* inactive or fenced: answered nothing */
	/* journal window full: state unchanged, sender will repeat */
	PXS_GROUP_STAT_NO_CREDIT,
	PXS_GROUP_STAT_NO_MEMORY,
	PXS_GROUP_STAT_OUT_OF_WINDOW,
	PXS_GROUP_STAT_REFUSED,		/* refusals sent: older ballot */
	PXS_GROUP_STAT_PROMISES,	/* promises made */
	PXS_GROUP_STAT_ACCEPTS,		/* accepts made */
	PXS_GROUP_STAT_REPEATS,		/* answered again without a new record */
	PXS_GROUP_STAT_DECIDED,		/* slots learned as decided */
	PXS_GROUP_STAT_PROPOSED,	/* slots assigned as leader */
	PXS_GROUP_STAT_RESENT,		/* accepts sent again */
	PXS_GROUP_STAT_FAULTY,		/* slots loaded as damaged (S5) */
	PXS_GROUP_STAT_PAD,
	PXS_GROUP_STAT_READ_ROUNDS,	/* rounds in which a leader asked whether it leads */
	PXS_GROUP_STAT_TRIMMED,		/* "trimmed at": what we asked for is gone there (S7) */
	PXS_GROUP_STAT_LEASE_READS,	/* reads that a leader answered by its lease, at once */
	PXS_GROUP_STAT_PUT_OFF,		/* promises not made yet: a lease that was granted runs */
	__PXS_GROUP_STAT_MAX
};
#define PXS_GROUP_STAT_MAX (__PXS_GROUP_STAT_MAX - 1)

/* The namespace's own counters, u64 each (objects carry theirs). */
enum pxs_net_stat {
	PXS_NET_STAT_UNSPEC,
	PXS_NET_STAT_RX_DATAGRAMS,	/* on the sockets of groups, good and bad */
	PXS_NET_STAT_BAD_LENGTH,	/* shorter than a header, or than it says, or longer */
	PXS_NET_STAT_BAD_MAGIC,
	PXS_NET_STAT_BAD_VERSION,
	PXS_NET_STAT_BAD_TYPE,
	PXS_NET_STAT_NO_GROUP,
	PXS_NET_STAT_STAGED,		/* records staged for the journal */
	PXS_NET_STAT_STAGED_BYTES,
	PXS_NET_STAT_STAGE_FULL,	/* records refused for want of credit */
	PXS_NET_STAT_APPENDS,		/* EVENT_APPEND messages sent */
	PXS_NET_STAT_APPEND_ERRORS,	/* not delivered; will be sent again */
	PXS_NET_STAT_DURABLE_LSN,	/* gauge: the durable point */
	PXS_NET_STAT_LAST_LSN,		/* gauge */
	PXS_NET_STAT_STALE_ACKS,	/* DURABLE of a former attach epoch: ignored */
	PXS_NET_STAT_PAD,
	__PXS_NET_STAT_MAX
};
#define PXS_NET_STAT_MAX (__PXS_NET_STAT_MAX - 1)

#endif /* _UAPI_LINUX_PAXSTEER_STATS_H */
