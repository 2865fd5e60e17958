/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * paxsteer.h - the generic netlink family "paxsteer"
 *
 * This header is the manual of the family; uapi/paxsteer.yaml says the same to
 * machines, and `make lint` fails when the two differ.
 *
 * The family is per network namespace: what is configured in one is not seen in
 * another. Every command needs CAP_NET_ADMIN in the initial user namespace
 * (GENL_ADMIN_PERM): what changes state because it changes state, what shows
 * because contents and addresses are shown. Requests are checked strictly:
 * unknown attributes, wrong lengths and flags other than REQUEST, ACK, ECHO and
 * DUMP are refused, with an extended ack that names the attribute.
 *
 * Addresses are 4 (IPv4) or 16 (IPv6) bytes in network order; ports are u16 in
 * network order; all other integers are in host order.
 *
 * Steering
 *   SERVICE_ADD|SET|DEL|GET   GET without NAME is a dump
 *   BACKEND_ADD|SET|DEL|GET   GET is a dump; SERVICE narrows it
 *   TABLE_GET                 one page of rows from FIRST_ROW on
 *   LOOKUP                    which backend a key or a flow would get, and why
 *   AGREED_SET|GET            which group's log holds the changes of services that name it; from
 *                             then on only changes that say their slot are made there, each slot
 *                             once, in order, and the generation of a table is its slot
 * Agreement, for the operator
 *   GROUP_ADD|SET|DEL|GET     a group is born inactive: it answers nothing; SET says which keys
 *                             are valid from now on: those it names, and no others
 *   STATS_GET                 dump of all counters of the namespace
 * Agreement, for the agent that owns the journal (only from the attached port)
 *   JOURNAL_ATTACH            become the owner; the reply tells the attach epoch
 *   JOURNAL_DURABLE           everything up to LSN is on disk; also "I am alive"
 *   JOURNAL_FAIL              the flush failed: fence every group (rule S4)
 *   JOURNAL_SETTLE            the agent ends in order: no group answers any more before its record
 *                             is on disk, until the next attachment (rule S2); -EAGAIN: again
 *   GROUP_LOAD                give the module recovered records of one group
 *   GROUP_ACTIVATE            recovery is complete: the group may answer (S3)
 *   GROUP_PREPARE             open a ballot: phase 1, once the promise is durable (S11)
 *   GROUP_LEAD                phase 1 is won: assign slots from SLOT on; FOUND is the highest slot
 *                             that it found something in, SLOT - 1: none
 *   GROUP_RESIGN              stop leading; nothing is lost. The agent has taken the group over
 *   GROUP_TRANSFER            hand leadership over to RECEIVER; EVENT_LEADER tells how it ended
 *   GROUP_MOVE                a change of members is applied: write it down, and end the epoch
 *   GROUP_PROPOSE             append values; the reply tells the first slot and how many
 *   GROUP_SEND                send a LEARN_REQ or LEARN datagram to a member
 *   GROUP_READ                ask for a read index; the reply tells the number of a ROUND of the
 *                             BALLOT that leads, EVENT_READ answers. Many may ask for one round
 * From the module to the attached port, unicast, in order; one datagram may hold several
 *   EVENT_APPEND              records to make durable
 *   EVENT_DECIDED             the commit index moved
 *   EVENT_RECV                a datagram that the agent decides on
 *   EVENT_LEADER              a leader appeared, was lost, or preempted us
 *   EVENT_GROUP_GONE          the group was deleted
 *   EVENT_READ                a quorum said that BALLOT still leads, after ROUND was given out: who
 *                             has that number or a lower one, of that ballot, reads what is true
 *                             now where all slots up to SLOT are applied. After a loss of
 *                             leadership none comes (S8)
 * Multicast group "config": after every change the object as GET shows it, in a
 * message whose command is the *_ADD, *_SET or *_DEL that changed it. A BACKEND_SET that nobody
 * asked for has LEFT 0: its deadline has passed.
 */
#ifndef _UAPI_LINUX_PAXSTEER_H
#define _UAPI_LINUX_PAXSTEER_H

#include <linux/types.h>
#include <linux/paxsteer_stats.h>

#define PXS_GENL_NAME		"paxsteer"
#define PXS_GENL_VERSION	1
#define PXS_MCGRP_CONFIG	"config"

/* Limits. Exceeding one is refused with -ERANGE or -E2BIG and changes nothing. */
#define PXS_NAME_MAX		31	/* bytes of a service's name, without the NUL */
#define PXS_SERVICES_MAX	1024	/* services of a namespace */
#define PXS_BACKENDS_MAX	65535	/* backends of a service; of some fewer: */
#define PXS_BACKENDS_MANY	4096	/* mode local, bound, fails, slow start, fill ketama */
#define PXS_BACKENDS_FEW	1024	/* mode request, or a group agrees on the service */
#define PXS_WEIGHT_MAX		65535
#define PXS_SEED_LEN		16
#define PXS_CLUSTER_LEN		16
#define PXS_KEY_LEN		32	/* bytes of a cluster key */
#define PXS_MEMBERS_MAX		7	/* members of a group */
#define PXS_MEMBER_ID_MAX	63	/* member ids are 1..63 */
#define PXS_GROUPS_MAX		1024	/* groups of a namespace; ids are 1..2^31-1 */
#define PXS_VALUE_MAX		16384	/* bytes of one value */
#define PXS_APPEND_MAX		32768	/* bytes of records in one EVENT_APPEND */
#define PXS_LOOKUP_KEY_MAX	512
#define PXS_TUNNEL_PORT_DEFAULT	6080	/* gue's, as IANA gave it */
#define PXS_BOUND_MIN		1010	/* thousandths of the fair share */
#define PXS_BOUND_MAX		10000
#define PXS_SLOW_START_MAX	3600	/* seconds */
#define PXS_PASSIVE_FAILS_MAX	1000
#define PXS_PASSIVE_SECONDS_MAX	3600
#define PXS_PASSIVE_SECONDS_DEFAULT	10
#define PXS_DEADLINE_MAX	604800	/* seconds, of a drain */
#define PXS_REQUEST_CLIENTS_MAX	16384	/* connections of clients to a service of mode request */
#define PXS_HEALTH_REASON_MAX	63	/* bytes of why a check failed, without the NUL */

enum pxs_cmd {
	PXS_CMD_UNSPEC,
	PXS_CMD_SERVICE_ADD,
	PXS_CMD_SERVICE_SET,
	PXS_CMD_SERVICE_DEL,
	PXS_CMD_SERVICE_GET,
	PXS_CMD_BACKEND_ADD,
	PXS_CMD_BACKEND_SET,
	PXS_CMD_BACKEND_DEL,
	PXS_CMD_BACKEND_GET,
	PXS_CMD_TABLE_GET,
	PXS_CMD_LOOKUP,
	PXS_CMD_GROUP_ADD,
	PXS_CMD_GROUP_DEL,
	PXS_CMD_GROUP_GET,
	PXS_CMD_STATS_GET,
	PXS_CMD_JOURNAL_ATTACH,
	PXS_CMD_JOURNAL_DURABLE,
	PXS_CMD_JOURNAL_FAIL,
	PXS_CMD_GROUP_LOAD,
	PXS_CMD_GROUP_ACTIVATE,
	PXS_CMD_GROUP_PREPARE,
	PXS_CMD_GROUP_LEAD,
	PXS_CMD_GROUP_RESIGN,
	PXS_CMD_GROUP_PROPOSE,
	PXS_CMD_GROUP_SEND,
	PXS_CMD_EVENT_APPEND,
	PXS_CMD_EVENT_DECIDED,
	PXS_CMD_EVENT_RECV,
	PXS_CMD_EVENT_LEADER,
	PXS_CMD_EVENT_GROUP_GONE,
	PXS_CMD_GROUP_SET,
	PXS_CMD_GROUP_TRANSFER,
	PXS_CMD_GROUP_READ,
	PXS_CMD_EVENT_READ,
	PXS_CMD_JOURNAL_SETTLE,
	PXS_CMD_AGREED_SET,
	PXS_CMD_AGREED_GET,
	PXS_CMD_GROUP_TRIM,
	PXS_CMD_GROUP_MOVE,
	__PXS_CMD_MAX
};
#define PXS_CMD_MAX (__PXS_CMD_MAX - 1)

/* How a request reaches its backend. */
enum pxs_mode {
	PXS_MODE_NAT = 1,	/* destination rewritten; replies must pass this host */
	PXS_MODE_LOCAL = 2,	/* a socket of this host, bound to the backend's address and port */
	/* to a neighbour that has the service's address, too, and answers the client itself */
	PXS_MODE_DSR = 3,
	/* the same, to a backend anywhere, which unpacks it: IP in IP, either family in either */
	PXS_MODE_TUNNEL_IPIP = 4,
	/* the same in generic UDP encapsulation (variant 0), to PXS_A_SERVICE_TUNNEL_PORT */
	PXS_MODE_TUNNEL_GUE = 5,
	/*
	 * TCP: clients' connections end here, each request on them goes to the owner of its key by
	 * a connection of this host; keys memcached (text) and redis only
	 */
	PXS_MODE_REQUEST = 6,
};

/* How the table is filled from the backends. */
enum pxs_fill {
	/* capped weighted rendezvous: exact weights, history-free */
	PXS_FILL_RENDEZVOUS = 1,
	PXS_FILL_MAGLEV = 2,		/* Maglev, NSDI 2016, section 3.4; ROWS must be a prime */
	/* hash slots of a Redis cluster: keys by CRC16, in 16384 rows, in ranges by order of id */
	PXS_FILL_REDIS_SLOTS = 3,
	/* jump consistent hash, Lamping and Veach 2014; buckets in order of id */
	PXS_FILL_JUMP = 4,
	/* ring of libmemcached's weighted ketama: keys by MD5; a row is a point; ROWS 0 */
	PXS_FILL_KETAMA = 5,
	/* IPVS' scheduler mh: same owners in the same rows; ROWS one of its primes, 251..131071 */
	PXS_FILL_IPVS_MH = 6,
	PXS_FILL_MAGLEV_ENVOY = 7,	/* Envoy's: backends are called ADDR:PORT */
	PXS_FILL_MAGLEV_KATRAN = 8,	/* katran's version 2: a backend's hash is its id */
	PXS_FILL_MAGLEV_CILIUM = 9,	/* Cilium's: SEED begins with its 12 bytes */
	PXS_FILL_STICKY = 10,	/* even, least moves from the table before; depends on history */
};

/* What of a request is hashed. */
enum pxs_key_rule {
	PXS_KEY_SOURCE = 1,	/* source address */
	PXS_KEY_TUPLE = 2,	/* protocol, source and destination address and port */
	PXS_KEY_PAYLOAD = 3,	/* KEY_LEN bytes of the payload from KEY_OFFSET on; UDP only */
	/* first key of a memcached request, text or binary; UDP, or text with mode request */
	PXS_KEY_MEMCACHED = 4,
	PXS_KEY_DNS = 5,	/* name that a DNS query asks for, in lower case; UDP only */
	/* hash tag or all of the first key of a Redis request; UDP, or mode request */
	PXS_KEY_REDIS = 6,
	/* host of an HTTP/1 request, in lower case and without port; UDP only */
	PXS_KEY_HTTP_HOST = 7,
	PXS_KEY_HTTP_PATH = 8,	/* path of an HTTP/1 request, without query; UDP only */
	/* first KEY_LEN bytes of the connection id a QUIC packet is for; UDP only */
	PXS_KEY_QUIC = 9,
};

enum pxs_backend_state {
	PXS_BACKEND_UP = 1,	/* serves */
	PXS_BACKEND_DRAIN = 2,	/* keeps the connections it has till DEADLINE, gets no new one */
	PXS_BACKEND_DOWN = 3,	/* its rows go to their second choice, without a rebuild */
};

/*
 * What health checks say of a backend, beside its state, which is the operator's: it serves
 * while its state is up and its health is not bad. Neither ever changes the other.
 */
enum pxs_health {
	PXS_HEALTH_UNCHECKED = 1,	/* nobody has said anything */
	PXS_HEALTH_GOOD = 2,
	PXS_HEALTH_BAD = 3,	/* as if down: rows go to their second choice, no rebuild */
};

/* Whose row made a backend the chosen one. */
enum pxs_choice {
	PXS_CHOICE_FIRST = 0,	/* the row's first choice */
	PXS_CHOICE_SECOND = 1,	/* its second choice: the first is unfit */
	PXS_CHOICE_PROBE = 2,	/* another row's: first and second choice are both unfit */
	PXS_CHOICE_NONE = 3,	/* nobody with weight is fit */
};

/* Why a backend is passed over. One that drains owns no row: it is nobody's choice anyway. */
enum pxs_unfit {
	PXS_UNFIT_DOWN = 1,	/* its state is down */
	PXS_UNFIT_DRAIN = 2,	/* its state is drain */
	PXS_UNFIT_BAD = 3,	/* its health is bad */
	PXS_UNFIT_FULL = 4,	/* its load is above the service's bound */
	PXS_UNFIT_FAILED = 5,	/* the kernel saw it fail: see PXS_A_SERVICE_PASSIVE_FAILS */
};

/* Attributes of a service. */
enum pxs_service_attr {
	PXS_A_SERVICE_UNSPEC,
	/* string, 1..31 of [A-Za-z0-9_.-]; unique in the namespace */
	PXS_A_SERVICE_NAME,		/* string */
	PXS_A_SERVICE_PROTO,		/* u8: IPPROTO_TCP or IPPROTO_UDP; fixed once added */
	PXS_A_SERVICE_ADDR,		/* binary 4 or 16: what clients address; fixed once added */
	PXS_A_SERVICE_PORT,		/* u16, network order, 1..65535; fixed once added */
	PXS_A_SERVICE_MODE,		/* u8 enum pxs_mode; default nat; fixed once added */
	PXS_A_SERVICE_FILL,		/* u8 enum pxs_fill; default rendezvous */
	PXS_A_SERVICE_KEY,		/* u8 enum pxs_key_rule; default tuple */
	PXS_A_SERVICE_KEY_OFFSET,	/* u16, 0..511; only with key payload */
	/*
	 * u16; key payload: 1..250, offset + length <= 512; key quic: 1..20, default 8;
	 * with no other
	 */
	PXS_A_SERVICE_KEY_LEN,		/* u16 */
	/* binary 16; default random: give it where directors must agree */
	PXS_A_SERVICE_SEED,		/* binary */
	/*
	 * u32; 0 (default) sizes by rule; rendezvous, jump: power of two 256..131072; maglev: prime
	 * up to 131071
	 */
	PXS_A_SERVICE_ROWS,		/* u32 */
	/* u16, thousandths above the fair share, 0..1000; default 20; rendezvous only */
	PXS_A_SERVICE_CAP,		/* u16 */
	/* u8, 1..32 or 1..128: bits of the address that count; default all; only with key source */
	PXS_A_SERVICE_KEY_PREFIX,	/* u8 */
	/* u64, out: number of the table in force; 0 = no table yet */
	PXS_A_SERVICE_GENERATION,	/* u64 */
	PXS_A_SERVICE_DIGEST,		/* u64, out: digest of the table in force */
	PXS_A_SERVICE_NBACKENDS,	/* u32, out */
	PXS_A_SERVICE_STATS,		/* nest of enum pxs_steer_stat, out */
	PXS_A_SERVICE_PAD,
	/*
	 * u16, seconds, 0..3600; default 0 = off: in which the weight of a backend grows that
	 * begins to serve while another one has served for that long; not with the fills jump,
	 * redis-slots and ipvs-mh, of which a small change of weight moves too much
	 */
	PXS_A_SERVICE_SLOW_START,	/* u16 */
	/*
	 * u16, thousandths of the fair share, 1010..10000, or 0 (default) = off: who has more load
	 * is full, and what is new for it goes to the next in line. Load: local, what waits in the
	 * socket's queue; otherwise new requests of the last second
	 */
	PXS_A_SERVICE_BOUND,		/* u16 */
	/*
	 * u16, network order, 1..65535: the backends' UDP port with mode tunnel gue, and of no
	 * other mode; default 6080; fixed once added
	 */
	PXS_A_SERVICE_TUNNEL_PORT,	/* u16 */
	/*
	 * u32: the group that agrees on its changes, the one that the namespace follows; 0
	 * (default): the operator makes them; fixed once added
	 */
	PXS_A_SERVICE_GROUP,		/* u32 */
	/* u64, in: the slot in which this change was agreed, above all that were made before */
	PXS_A_SERVICE_AGREED,		/* u64 */
	PXS_A_SERVICE_HELD,		/* u8, out: 1: it does not steer yet; see AGREED_SET */
	/*
	 * u16, 0..1000, 0 (default) = off: so many failures that the kernel sees in so many
	 * PASSIVE_SECONDS, and no success among them, take a backend out for as long; never more
	 * than half of them. Modes local and request, and nat with UDP
	 */
	PXS_A_SERVICE_PASSIVE_FAILS,	/* u16 */
	PXS_A_SERVICE_PASSIVE_SECONDS,	/* u16, 1..3600; default 10 */
	__PXS_A_SERVICE_MAX
};
#define PXS_A_SERVICE_MAX (__PXS_A_SERVICE_MAX - 1)

/* Attributes of the group that a namespace follows. */
enum pxs_agreed_attr {
	PXS_A_AGREED_UNSPEC,
	/*
	 * u32, 0..2^31-1: another one can be followed only after 0, which leaves the services as
	 * they are, steering, to the operator
	 */
	PXS_A_AGREED_GROUP,		/* u32 */
	/*
	 * u8, 0 (default) or 1: services of the group that are added do not steer before it is set
	 * to 0: who has been away catches up first
	 */
	PXS_A_AGREED_HELD,		/* u8 */
	PXS_A_AGREED_SLOT,		/* u64, out: of the last change that was made or refused */
	/* u64, out: of all outcomes up to SLOT: equal where equal changes had equal results */
	PXS_A_AGREED_DIGEST,		/* u64 */
	PXS_A_AGREED_PAD,
	__PXS_A_AGREED_MAX
};
#define PXS_A_AGREED_MAX (__PXS_A_AGREED_MAX - 1)

/*
 * Attributes of a backend. A backend is named by SERVICE, ADDR and PORT; one that was given as a
 * descriptor by SERVICE and SOCKET.
 */
enum pxs_backend_attr {
	PXS_A_BACKEND_UNSPEC,
	PXS_A_BACKEND_SERVICE,		/* string: the service's name */
	PXS_A_BACKEND_ADDR,		/* binary 4 or 16, of the service's family */
	PXS_A_BACKEND_PORT,		/* u16, network order, 1..65535 */
	/*
	 * u64: identity that is hashed; default derived from address and port; unique in the
	 * service
	 */
	PXS_A_BACKEND_ID,		/* u64 */
	PXS_A_BACKEND_WEIGHT,		/* u32, 0..65535; default 1; 0 owns no rows */
	PXS_A_BACKEND_STATE,		/* u8 enum pxs_backend_state; default up */
	PXS_A_BACKEND_INDEX,		/* u16, out: number that rows of TABLE_GET use */
	PXS_A_BACKEND_ROWS,		/* u32, out: rows whose first choice it is */
	PXS_A_BACKEND_STATS,		/* nest of enum pxs_steer_stat, out */
	PXS_A_BACKEND_PAD,
	PXS_A_BACKEND_HEALTH,		/* u8 enum pxs_health: unchecked when added; SET only */
	/* string, printable ASCII, only with health bad: why; out: while it is bad */
	PXS_A_BACKEND_REASON,		/* string */
	/* u32, out: thousandths; the weight, or, in a slow start, what of it counts so far */
	PXS_A_BACKEND_EFFECTIVE,	/* u32 */
	PXS_A_BACKEND_LOAD,		/* u32, out: requests, when last asked; 0 without a bound */
	PXS_A_BACKEND_FULL,		/* u8, out: 1 while its load is above the bound */
	/* u64, in: the slot in which this change was agreed; not with a HEALTH, which is local */
	PXS_A_BACKEND_AGREED,		/* u64 */
	/*
	 * u32, in: ADD to a service of mode local, in place of ADDR and PORT: a descriptor that the
	 * caller has open, of a bound UDP or a listening TCP socket of the service's namespace
	 */
	PXS_A_BACKEND_FD,		/* u32 */
	/* u64: what SO_COOKIE says of the socket that was given as a descriptor */
	PXS_A_BACKEND_SOCKET,		/* u64 */
	PXS_A_BACKEND_FAILED,		/* u8, out: 1 while it is out by what the kernel saw */
	/*
	 * u32, seconds, 0..604800, only with state drain: from then on it has nothing any more of
	 * what it keeps; 0 (default) = none. Counts from when it is said; ends with the state; out:
	 * as it was said, if there is one
	 */
	PXS_A_BACKEND_DEADLINE,		/* u32 */
	/* u32, out, with DEADLINE: milliseconds that are left; 0: it has passed */
	PXS_A_BACKEND_LEFT,		/* u32 */
	/*
	 * nest of ADDR, PORT, ID, WEIGHT, STATE and DEADLINE, in: ADD, as often as is wanted: one
	 * more backend of the service. All are added, and one table is built, or none is; not with
	 * FD or AGREED
	 */
	PXS_A_BACKEND_ALSO,		/* nest */
	__PXS_A_BACKEND_MAX
};
#define PXS_A_BACKEND_MAX (__PXS_A_BACKEND_MAX - 1)

/* One page of a table. */
enum pxs_table_attr {
	PXS_A_TABLE_UNSPEC,
	PXS_A_TABLE_SERVICE,		/* string, in */
	PXS_A_TABLE_FIRST_ROW,		/* u32, in and out; default 0 */
	PXS_A_TABLE_GENERATION,		/* u64, out: equal in all pages of one table */
	PXS_A_TABLE_DIGEST,		/* u64, out */
	PXS_A_TABLE_FILL,		/* u8, out */
	PXS_A_TABLE_NROWS,		/* u32, out */
	PXS_A_TABLE_ROWS,		/* binary, out: struct pxs_table_row[], at most 4096 */
	PXS_A_TABLE_PAD,
	__PXS_A_TABLE_MAX
};
#define PXS_A_TABLE_MAX (__PXS_A_TABLE_MAX - 1)

struct pxs_table_row {
	__u16 first;		/* backend index; 0xffff: nobody */
	__u16 second;
};

/* A question about steering: KEY, or SADDR and SPORT for the rules source and tuple. */
enum pxs_lookup_attr {
	PXS_A_LOOKUP_UNSPEC,
	PXS_A_LOOKUP_SERVICE,		/* string, in */
	/* binary 1..512, in: the key as the service's rule finds it in a request */
	PXS_A_LOOKUP_KEY,		/* binary */
	PXS_A_LOOKUP_SADDR,		/* binary 4 or 16, in */
	PXS_A_LOOKUP_SPORT,		/* u16, network order, in */
	PXS_A_LOOKUP_HASH,		/* u64, out */
	PXS_A_LOOKUP_ROW,		/* u32, out */
	PXS_A_LOOKUP_FIRST,		/* u16, out: backend index */
	PXS_A_LOOKUP_SECOND,		/* u16, out */
	PXS_A_LOOKUP_CHOSEN,		/* u16, out: after liveness; absent when nobody serves */
	PXS_A_LOOKUP_ADDR,		/* binary, out: of the chosen one */
	PXS_A_LOOKUP_PORT,		/* u16, network order, out */
	PXS_A_LOOKUP_GENERATION,	/* u64, out */
	PXS_A_LOOKUP_PAD,
	PXS_A_LOOKUP_CHOICE,		/* u8 enum pxs_choice, out: what the chosen one is */
	/* u8 enum pxs_unfit, out: why the first choice is passed over; absent where it serves */
	PXS_A_LOOKUP_FIRST_UNFIT,	/* u8 */
	/* u8 enum pxs_unfit, out: the same of the second choice, also where nobody asks it */
	PXS_A_LOOKUP_SECOND_UNFIT,	/* u8 */
	/* u64, out: the socket of the chosen one, if it was given as a descriptor */
	PXS_A_LOOKUP_SOCKET,		/* u64 */
	__PXS_A_LOOKUP_MAX
};
#define PXS_A_LOOKUP_MAX (__PXS_A_LOOKUP_MAX - 1)

enum pxs_group_state {
	PXS_GROUP_INACTIVE = 1,	/* added, not loaded: answers nothing (S3) */
	PXS_GROUP_ACTIVE = 2,
	/* the journal failed, or lacks what was answered: answers nothing (S4, S2) */
	PXS_GROUP_FENCED = 3,
	PXS_GROUP_MOVED = 4,	/* its epoch ended, or it was removed: answers nothing */
};

enum pxs_role {
	PXS_ROLE_FOLLOWER = 1,
	PXS_ROLE_CANDIDATE = 2,	/* a ballot is open, phase 1 not won */
	PXS_ROLE_LEADER = 3,
};

enum pxs_durability {
	PXS_DURABILITY_DISK = 1,	/* S1: an answer waits until its record is on disk */
	/*
	 * S2: it does not. A member that stopped without writing down what it had answered must not
	 * vote again: it is fenced when its journal is loaded.
	 */
	PXS_DURABILITY_MEMORY = 2,
};

/*
 * Attributes of a group. A ballot is one u64: round << 8 | member id, so that
 * comparing numbers compares ballots; 0 is "none".
 */
enum pxs_group_attr {
	PXS_A_GROUP_UNSPEC,
	PXS_A_GROUP_ID,			/* u32, 1..2^31-1 */
	PXS_A_GROUP_CLUSTER,		/* binary 16: the cluster's UUID */
	PXS_A_GROUP_KEY,		/* binary 32: the cluster's key, which signs; never shown */
	PXS_A_GROUP_KEY_ID,		/* u8: which key; default 1 (ADD) */
	PXS_A_GROUP_EPOCH,		/* u64, configuration epoch, >= 1; default 1 */
	PXS_A_GROUP_SELF,		/* u8: which member is this node */
	PXS_A_GROUP_MEMBER,		/* nest of enum pxs_member_attr; 2 to 7 times */
	PXS_A_GROUP_DURABILITY,		/* u8 enum pxs_durability; default disk */
	/* u32: slots in flight, power of two 64..65536; default 4096 */
	PXS_A_GROUP_WINDOW,		/* u32 */
	PXS_A_GROUP_HEARTBEAT_MS,	/* u32, 10..10000; default 100 */
	/* u32, >= 3 heartbeats, <= 60000; default 1000: silence after which a leader is lost */
	PXS_A_GROUP_ELECTION_MS,	/* u32 */
	PXS_A_GROUP_STATE,		/* u8 enum pxs_group_state, out */
	PXS_A_GROUP_ROLE,		/* u8 enum pxs_role, out */
	PXS_A_GROUP_LEADER,		/* u8 member id of the leader last heard, out; 0 = none */
	PXS_A_GROUP_PROMISED,		/* u64 ballot, out; in GROUP_PREPARE/LEAD see BALLOT */
	PXS_A_GROUP_COMMIT,		/* u64: every slot up to it is decided and known here */
	PXS_A_GROUP_NEXT_SLOT,		/* u64, out: leader's next slot */
	PXS_A_GROUP_ATTACH_EPOCH,	/* u64, in: from JOURNAL_ATTACH; agent commands carry it */
	PXS_A_GROUP_BALLOT,		/* u64 ballot (PREPARE, LEAD, replies, EVENT_*) */
	/* u64: first slot of LEAD and PREPARE; slot of a reply or event */
	PXS_A_GROUP_SLOT,		/* u64 */
	/* binary 1..16384 (PROPOSE): 1 to 64 times; they get consecutive slots, in order */
	PXS_A_GROUP_VALUE,		/* binary */
	PXS_A_GROUP_NOOP,		/* flag (PROPOSE): a no-op instead of VALUE */
	PXS_A_GROUP_RECORDS,		/* binary: journal records (LOAD) */
	/* binary: struct pxs_wire_hdr and body (EVENT_RECV; SEND ignores what the module fills) */
	PXS_A_GROUP_DATAGRAM,		/* binary */
	/* u8 member id (SEND, TRANSFER; PREPARE: ask only this member, default all) */
	PXS_A_GROUP_RECEIVER,		/* u8 */
	/* u64 (EVENT_DECIDED): valid once records up to it have been seen */
	PXS_A_GROUP_LSN,		/* u64 */
	PXS_A_GROUP_EVENT,		/* u8 enum pxs_leader_event (EVENT_LEADER) */
	PXS_A_GROUP_STATS,		/* nest of enum pxs_group_stat, out */
	PXS_A_GROUP_REASON,		/* string, out: why it is fenced, or moved */
	PXS_A_GROUP_PAD,
	PXS_A_GROUP_COUNT,		/* u32, out: values that PROPOSE took, the first ones */
	PXS_A_GROUP_ALSO_KEY,		/* binary 32: accepted too, does not sign; never shown */
	PXS_A_GROUP_ALSO_KEY_ID,	/* u8: which key; goes with ALSO_KEY, not KEY_ID's */
	/* u64 (LEAD): highest slot with an entry in a promise; at least SLOT - 1 */
	PXS_A_GROUP_FOUND,		/* u64 */
	PXS_A_GROUP_ROUND,		/* u64, out (READ, EVENT_READ): from 1 on */
	/* u64, out: highest commit index that any member told; COMMIT where nothing is missing */
	PXS_A_GROUP_KNOWN,		/* u64 */
	PXS_A_GROUP_TRIM,		/* u64, out: slots up to it may be gone here; 0: none are */
	/* u64, out: what is lacking here is, below this slot, in others' checkpoints only; 0: no */
	PXS_A_GROUP_TRIMMED,		/* u64 */
	PXS_A_GROUP_HELD,		/* u64, out: all members have this much; 0: not heard */
	/* flag (TRIM): SLOT is that of a peer's checkpoint, durable here, behind which we go on */
	PXS_A_GROUP_CHECKPOINT,		/* flag */
	PXS_A_GROUP_CONFIG,		/* binary: a pxs_wire_config: MOVE, PROPOSE */
	/*
	 * u32, 0..1000; default 0: a leader asks a quorum for each read. Else it may hold a lease,
	 * on the ground that clocks of members differ in rate by at most so many per mille; see
	 * LEASES in paxsteerd.conf(5)
	 */
	PXS_A_GROUP_LEASE_DRIFT,	/* u32 */
	/*
	 * u8: so many voters are a quorum of phase 1 (promises), at least a majority; with PHASE2
	 * more than there are voters. Default of both, which go together: a majority
	 */
	PXS_A_GROUP_PHASE1,		/* u8 */
	PXS_A_GROUP_PHASE2,		/* u8, 1..majority: of phase 2 (accepts, reads, leases) */
	__PXS_A_GROUP_MAX
};
#define PXS_A_GROUP_MAX (__PXS_A_GROUP_MAX - 1)

enum pxs_member_attr {
	PXS_A_MEMBER_UNSPEC,
	PXS_A_MEMBER_ID,		/* u8, 1..63 */
	PXS_A_MEMBER_INCARNATION,	/* u64, not 0: identity of its journal (S3, S10) */
	PXS_A_MEMBER_ADDR,		/* binary 4 or 16 */
	PXS_A_MEMBER_PORT,		/* u16, network order */
	PXS_A_MEMBER_LEARNER,		/* flag: does not vote; such members come last */
	PXS_A_MEMBER_COMMIT,		/* u64, out: as heard in this epoch; 0: not */
	__PXS_A_MEMBER_MAX
};
#define PXS_A_MEMBER_MAX (__PXS_A_MEMBER_MAX - 1)

enum pxs_leader_event {
	PXS_LEADER_LOST = 1,		/* silence for ELECTION_MS: BALLOT is the last one heard */
	PXS_LEADER_SEEN = 2,		/* BALLOT now leads */
	/* our ballot was refused: BALLOT is the higher one; or no quorum answers: it is ours */
	PXS_LEADER_PREEMPTED = 3,
	PXS_LEADER_RESUMED = 4,		/* BALLOT is ours: who was to take over did not in time */
};

/* The journal link. */
enum pxs_journal_attr {
	PXS_A_JOURNAL_UNSPEC,
	PXS_A_JOURNAL_INCARNATION,	/* u64, in (ATTACH): identity of the journal directory */
	/* u64, in (ATTACH): first LSN that the journal lacks, >= 1 */
	PXS_A_JOURNAL_NEXT_LSN,		/* u64 */
	PXS_A_JOURNAL_ATTACH_EPOCH,	/* u64: out (ATTACH); in (DURABLE, FAIL); out (APPEND) */
	/* u64: in (DURABLE): everything up to it is on disk; out (ATTACH): last LSN staged */
	PXS_A_JOURNAL_LSN,		/* u64 */
	PXS_A_JOURNAL_FIRST_LSN,	/* u64, out (APPEND) */
	PXS_A_JOURNAL_COUNT,		/* u32, out (APPEND): records */
	PXS_A_JOURNAL_RECORDS,		/* binary, out (APPEND): records as they go to disk */
	PXS_A_JOURNAL_REASON,		/* string, in (FAIL): shown by GROUP_GET and monitor */
	PXS_A_JOURNAL_PAD,
	PXS_A_JOURNAL_LAZY,		/* flag, out (APPEND): nobody waits for the disk */
	__PXS_A_JOURNAL_MAX
};
#define PXS_A_JOURNAL_MAX (__PXS_A_JOURNAL_MAX - 1)

/* STATS_GET: one message with the namespace's own counters (objects carry theirs). */
enum pxs_stats_attr {
	PXS_A_STATS_UNSPEC,
	PXS_A_STATS_NET,		/* nest of enum pxs_net_stat */
	PXS_A_STATS_PAD,
	__PXS_A_STATS_MAX
};
#define PXS_A_STATS_MAX (__PXS_A_STATS_MAX - 1)

#endif /* _UAPI_LINUX_PAXSTEER_H */
