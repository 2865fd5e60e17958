// SPDX-License-Identifier: GPL-2.0
/*
 * names.c - the words for the numbers of <linux/paxsteer.h>
 *
 * Constant tables, nothing else. A value added to an enum of the header without a word here does
 * not compile.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "names.h"

#define NAMES(which) { .name = which, .n = sizeof(which) / sizeof((which)[0]) }
#define COMPLETE(which, max) \
	_Static_assert(sizeof(which) / sizeof((which)[0]) == (max) + 1, #which " lacks a word")

static const char *const mode[] = {
	[PXS_MODE_NAT] = "nat",
	[PXS_MODE_LOCAL] = "local",
	[PXS_MODE_DSR] = "dsr",
	[PXS_MODE_TUNNEL_IPIP] = "tunnel ipip",
	[PXS_MODE_TUNNEL_GUE] = "tunnel gue",
	[PXS_MODE_REQUEST] = "request",
};

/* What follows "tunnel". */
static const char *const tunnel[] = {
	[PXS_MODE_TUNNEL_IPIP] = "ipip",
	[PXS_MODE_TUNNEL_GUE] = "gue",
};

static const char *const fill[] = {
	[PXS_FILL_RENDEZVOUS] = "rendezvous",
	[PXS_FILL_MAGLEV] = "maglev",
	[PXS_FILL_REDIS_SLOTS] = "redis-slots",
	[PXS_FILL_JUMP] = "jump",
	[PXS_FILL_KETAMA] = "ketama",
	[PXS_FILL_IPVS_MH] = "ipvs-mh",
	[PXS_FILL_MAGLEV_ENVOY] = "maglev-envoy",
	[PXS_FILL_MAGLEV_KATRAN] = "maglev-katran",
	[PXS_FILL_MAGLEV_CILIUM] = "maglev-cilium",
	[PXS_FILL_STICKY] = "sticky",
};

static const char *const key[] = {
	[PXS_KEY_SOURCE] = "source",
	[PXS_KEY_TUPLE] = "tuple",
	[PXS_KEY_PAYLOAD] = "payload",
	[PXS_KEY_MEMCACHED] = "memcached",
	[PXS_KEY_DNS] = "dns",
	[PXS_KEY_REDIS] = "redis",
	[PXS_KEY_HTTP_HOST] = "http-host",
	[PXS_KEY_HTTP_PATH] = "http-path",
	[PXS_KEY_QUIC] = "quic",
};

static const char *const backend_state[] = {
	[PXS_BACKEND_UP] = "up",
	[PXS_BACKEND_DRAIN] = "drain",
	[PXS_BACKEND_DOWN] = "down",
};

static const char *const health[] = {
	[PXS_HEALTH_UNCHECKED] = "unchecked",
	[PXS_HEALTH_GOOD] = "good",
	[PXS_HEALTH_BAD] = "bad",
};

static const char *const choice[] = {
	[PXS_CHOICE_FIRST] = "first",
	[PXS_CHOICE_SECOND] = "second",
	[PXS_CHOICE_PROBE] = "other",
	[PXS_CHOICE_NONE] = "nobody",
};

static const char *const unfit[] = {
	[PXS_UNFIT_DOWN] = "down",
	[PXS_UNFIT_DRAIN] = "drain",
	[PXS_UNFIT_BAD] = "bad",
	[PXS_UNFIT_FULL] = "full",
	[PXS_UNFIT_FAILED] = "failed",
};

static const char *const group_state[] = {
	[PXS_GROUP_INACTIVE] = "inactive",
	[PXS_GROUP_ACTIVE] = "active",
	[PXS_GROUP_FENCED] = "fenced",
	[PXS_GROUP_MOVED] = "moved",
};

static const char *const role[] = {
	[PXS_ROLE_FOLLOWER] = "follower",
	[PXS_ROLE_CANDIDATE] = "candidate",
	[PXS_ROLE_LEADER] = "leader",
};

static const char *const durability[] = {
	[PXS_DURABILITY_DISK] = "disk",
	[PXS_DURABILITY_MEMORY] = "memory",
};

static const char *const proto[] = {
	[IPPROTO_TCP] = "tcp",
	[IPPROTO_UDP] = "udp",
};

static const char *const command[] = {
	[PXS_CMD_SERVICE_ADD] = "service-add",
	[PXS_CMD_SERVICE_SET] = "service-set",
	[PXS_CMD_SERVICE_DEL] = "service-del",
	[PXS_CMD_SERVICE_GET] = "service-get",
	[PXS_CMD_BACKEND_ADD] = "backend-add",
	[PXS_CMD_BACKEND_SET] = "backend-set",
	[PXS_CMD_BACKEND_DEL] = "backend-del",
	[PXS_CMD_BACKEND_GET] = "backend-get",
	[PXS_CMD_TABLE_GET] = "table-get",
	[PXS_CMD_LOOKUP] = "lookup",
	[PXS_CMD_GROUP_ADD] = "group-add",
	[PXS_CMD_GROUP_DEL] = "group-del",
	[PXS_CMD_GROUP_GET] = "group-get",
	[PXS_CMD_STATS_GET] = "stats-get",
	[PXS_CMD_JOURNAL_ATTACH] = "journal-attach",
	[PXS_CMD_JOURNAL_DURABLE] = "journal-durable",
	[PXS_CMD_JOURNAL_FAIL] = "journal-fail",
	[PXS_CMD_GROUP_LOAD] = "group-load",
	[PXS_CMD_GROUP_ACTIVATE] = "group-activate",
	[PXS_CMD_GROUP_PREPARE] = "group-prepare",
	[PXS_CMD_GROUP_LEAD] = "group-lead",
	[PXS_CMD_GROUP_RESIGN] = "group-resign",
	[PXS_CMD_GROUP_PROPOSE] = "group-propose",
	[PXS_CMD_GROUP_SEND] = "group-send",
	[PXS_CMD_EVENT_APPEND] = "event-append",
	[PXS_CMD_EVENT_DECIDED] = "event-decided",
	[PXS_CMD_EVENT_RECV] = "event-recv",
	[PXS_CMD_EVENT_LEADER] = "event-leader",
	[PXS_CMD_EVENT_GROUP_GONE] = "event-group-gone",
	[PXS_CMD_GROUP_SET] = "group-set",
	[PXS_CMD_GROUP_TRANSFER] = "group-transfer",
	[PXS_CMD_GROUP_READ] = "group-read",
	[PXS_CMD_EVENT_READ] = "event-read",
	[PXS_CMD_JOURNAL_SETTLE] = "journal-settle",
	[PXS_CMD_AGREED_SET] = "agreed-set",
	[PXS_CMD_AGREED_GET] = "agreed-get",
	[PXS_CMD_GROUP_TRIM] = "group-trim",
	[PXS_CMD_GROUP_MOVE] = "group-move",
};
COMPLETE(command, PXS_CMD_MAX);

static const char *const steer_stat[] = {
	[PXS_STEER_STAT_PACKETS] = "packets",
	[PXS_STEER_STAT_BYTES] = "bytes",
	[PXS_STEER_STAT_REQUESTS] = "requests",
	[PXS_STEER_STAT_REPLIES] = "replies",
	[PXS_STEER_STAT_FALLBACKS] = "fallbacks",
	[PXS_STEER_STAT_SECOND] = "second",
	[PXS_STEER_STAT_NO_BACKEND] = "no_backend",
	[PXS_STEER_STAT_NO_SOCKET] = "no_socket",
	[PXS_STEER_STAT_ERRORS] = "errors",
	[PXS_STEER_STAT_ICMP_REQUESTS] = "icmp_requests",
	[PXS_STEER_STAT_ICMP_REPLIES] = "icmp_replies",
	[PXS_STEER_STAT_PAD] = NULL,
	[PXS_STEER_STAT_SPILLED] = "spilled",
	[PXS_STEER_STAT_KEPT] = "kept",
	[PXS_STEER_STAT_NOT_KEPT] = "not_kept",
	[PXS_STEER_STAT_TOO_BIG] = "too_big",
	[PXS_STEER_STAT_NO_ROUTE] = "no_route",
	[PXS_STEER_STAT_CLIENTS] = "clients",
	[PXS_STEER_STAT_CLIENTS_REFUSED] = "clients_refused",
	[PXS_STEER_STAT_REFUSED] = "refused",
	[PXS_STEER_STAT_CROSSED] = "crossed",
	[PXS_STEER_STAT_BAD_REQUESTS] = "bad_requests",
	[PXS_STEER_STAT_CONNECT_FAILED] = "connect_failed",
	[PXS_STEER_STAT_LOST] = "lost",
	[PXS_STEER_STAT_UNREACHABLE] = "unreachable",
	[PXS_STEER_STAT_FAILED] = "failed",
};
COMPLETE(steer_stat, PXS_STEER_STAT_MAX);

static const char *const group_stat[] = {
	[PXS_GROUP_STAT_RX] = "rx",
	[PXS_GROUP_STAT_TX] = "tx",
	[PXS_GROUP_STAT_TX_ERRORS] = "tx_errors",
	[PXS_GROUP_STAT_BAD_CLUSTER] = "bad_cluster",
	[PXS_GROUP_STAT_BAD_SENDER] = "bad_sender",
	[PXS_GROUP_STAT_BAD_RECEIVER] = "bad_receiver",
	[PXS_GROUP_STAT_BAD_KEY] = "bad_key",
	[PXS_GROUP_STAT_BAD_TAG] = "bad_tag",
	[PXS_GROUP_STAT_BAD_EPOCH] = "bad_epoch",
	[PXS_GROUP_STAT_BAD_INCARNATION] = "bad_incarnation",
	[PXS_GROUP_STAT_BAD_BODY] = "bad_body",
	[PXS_GROUP_STAT_REPLAY] = "replay",
	[PXS_GROUP_STAT_NOT_ACTIVE] = "not_active",
	[PXS_GROUP_STAT_NO_CREDIT] = "no_credit",
	[PXS_GROUP_STAT_NO_MEMORY] = "no_memory",
	[PXS_GROUP_STAT_OUT_OF_WINDOW] = "out_of_window",
	[PXS_GROUP_STAT_REFUSED] = "refused",
	[PXS_GROUP_STAT_PROMISES] = "promises",
	[PXS_GROUP_STAT_ACCEPTS] = "accepts",
	[PXS_GROUP_STAT_REPEATS] = "repeats",
	[PXS_GROUP_STAT_DECIDED] = "decided",
	[PXS_GROUP_STAT_PROPOSED] = "proposed",
	[PXS_GROUP_STAT_RESENT] = "resent",
	[PXS_GROUP_STAT_FAULTY] = "faulty",
	[PXS_GROUP_STAT_TRIMMED] = "trimmed",
	[PXS_GROUP_STAT_PAD] = NULL,
	[PXS_GROUP_STAT_READ_ROUNDS] = "read_rounds",
	[PXS_GROUP_STAT_LEASE_READS] = "lease_reads",
	[PXS_GROUP_STAT_PUT_OFF] = "put_off",
};
COMPLETE(group_stat, PXS_GROUP_STAT_MAX);

static const char *const net_stat[] = {
	[PXS_NET_STAT_RX_DATAGRAMS] = "rx_datagrams",
	[PXS_NET_STAT_BAD_LENGTH] = "bad_length",
	[PXS_NET_STAT_BAD_MAGIC] = "bad_magic",
	[PXS_NET_STAT_BAD_VERSION] = "bad_version",
	[PXS_NET_STAT_BAD_TYPE] = "bad_type",
	[PXS_NET_STAT_NO_GROUP] = "no_group",
	[PXS_NET_STAT_STAGED] = "staged",
	[PXS_NET_STAT_STAGED_BYTES] = "staged_bytes",
	[PXS_NET_STAT_STAGE_FULL] = "stage_full",
	[PXS_NET_STAT_APPENDS] = "appends",
	[PXS_NET_STAT_APPEND_ERRORS] = "append_errors",
	[PXS_NET_STAT_DURABLE_LSN] = "durable_lsn",
	[PXS_NET_STAT_LAST_LSN] = "last_lsn",
	[PXS_NET_STAT_STALE_ACKS] = "stale_acks",
	[PXS_NET_STAT_PAD] = NULL,
};
COMPLETE(net_stat, PXS_NET_STAT_MAX);

static const char *const service_attr[] = {
	[PXS_A_SERVICE_NAME] = "name",
	[PXS_A_SERVICE_PROTO] = "proto",
	[PXS_A_SERVICE_ADDR] = "addr",
	[PXS_A_SERVICE_PORT] = "port",
	[PXS_A_SERVICE_MODE] = "mode",
	[PXS_A_SERVICE_FILL] = "fill",
	[PXS_A_SERVICE_KEY] = "key",
	[PXS_A_SERVICE_KEY_OFFSET] = "key offset",
	[PXS_A_SERVICE_KEY_LEN] = "key length",
	[PXS_A_SERVICE_SEED] = "seed",
	[PXS_A_SERVICE_ROWS] = "rows",
	[PXS_A_SERVICE_CAP] = "cap",
	[PXS_A_SERVICE_KEY_PREFIX] = "key prefix",
	[PXS_A_SERVICE_GENERATION] = "generation",
	[PXS_A_SERVICE_DIGEST] = "digest",
	[PXS_A_SERVICE_NBACKENDS] = "backends",
	[PXS_A_SERVICE_STATS] = "stats",
	[PXS_A_SERVICE_PAD] = NULL,
	[PXS_A_SERVICE_SLOW_START] = "slow-start",
	[PXS_A_SERVICE_BOUND] = "bound",
	[PXS_A_SERVICE_TUNNEL_PORT] = "tunnel-port",
	[PXS_A_SERVICE_GROUP] = "group",
	[PXS_A_SERVICE_AGREED] = "slot",
	[PXS_A_SERVICE_HELD] = "held",
	[PXS_A_SERVICE_PASSIVE_FAILS] = "passive",
	[PXS_A_SERVICE_PASSIVE_SECONDS] = "passive seconds",
};
COMPLETE(service_attr, PXS_A_SERVICE_MAX);

static const char *const backend_attr[] = {
	[PXS_A_BACKEND_SERVICE] = "service",
	[PXS_A_BACKEND_ADDR] = "addr",
	[PXS_A_BACKEND_PORT] = "port",
	[PXS_A_BACKEND_ID] = "id",
	[PXS_A_BACKEND_WEIGHT] = "weight",
	[PXS_A_BACKEND_STATE] = "state",
	[PXS_A_BACKEND_INDEX] = "index",
	[PXS_A_BACKEND_ROWS] = "rows",
	[PXS_A_BACKEND_STATS] = "stats",
	[PXS_A_BACKEND_PAD] = NULL,
	[PXS_A_BACKEND_HEALTH] = "health",
	[PXS_A_BACKEND_REASON] = "reason",
	[PXS_A_BACKEND_EFFECTIVE] = "effective weight",
	[PXS_A_BACKEND_LOAD] = "load",
	[PXS_A_BACKEND_FULL] = "full",
	[PXS_A_BACKEND_AGREED] = "slot",
	[PXS_A_BACKEND_FD] = "fd",
	[PXS_A_BACKEND_SOCKET] = "socket",
	[PXS_A_BACKEND_FAILED] = "failed",
	[PXS_A_BACKEND_DEADLINE] = "deadline",
	[PXS_A_BACKEND_LEFT] = "left",
	[PXS_A_BACKEND_ALSO] = "also",
};
COMPLETE(backend_attr, PXS_A_BACKEND_MAX);

static const char *const agreed_attr[] = {
	[PXS_A_AGREED_GROUP] = "group",
	[PXS_A_AGREED_HELD] = "held",
	[PXS_A_AGREED_SLOT] = "slot",
	[PXS_A_AGREED_DIGEST] = "digest",
	[PXS_A_AGREED_PAD] = NULL,
};
COMPLETE(agreed_attr, PXS_A_AGREED_MAX);

static const char *const table_attr[] = {
	[PXS_A_TABLE_SERVICE] = "service",
	[PXS_A_TABLE_FIRST_ROW] = "first row",
	[PXS_A_TABLE_GENERATION] = "generation",
	[PXS_A_TABLE_DIGEST] = "digest",
	[PXS_A_TABLE_FILL] = "fill",
	[PXS_A_TABLE_NROWS] = "rows",
	[PXS_A_TABLE_ROWS] = "table",
	[PXS_A_TABLE_PAD] = NULL,
};
COMPLETE(table_attr, PXS_A_TABLE_MAX);

static const char *const lookup_attr[] = {
	[PXS_A_LOOKUP_SERVICE] = "service",
	[PXS_A_LOOKUP_KEY] = "key",
	[PXS_A_LOOKUP_SADDR] = "from address",
	[PXS_A_LOOKUP_SPORT] = "from port",
	[PXS_A_LOOKUP_HASH] = "hash",
	[PXS_A_LOOKUP_ROW] = "row",
	[PXS_A_LOOKUP_FIRST] = "first",
	[PXS_A_LOOKUP_SECOND] = "second",
	[PXS_A_LOOKUP_CHOSEN] = "chosen",
	[PXS_A_LOOKUP_ADDR] = "addr",
	[PXS_A_LOOKUP_PORT] = "port",
	[PXS_A_LOOKUP_GENERATION] = "generation",
	[PXS_A_LOOKUP_PAD] = NULL,
	[PXS_A_LOOKUP_CHOICE] = "choice",
	[PXS_A_LOOKUP_FIRST_UNFIT] = "first unfit",
	[PXS_A_LOOKUP_SECOND_UNFIT] = "second unfit",
	[PXS_A_LOOKUP_SOCKET] = "socket",
};
COMPLETE(lookup_attr, PXS_A_LOOKUP_MAX);

static const char *const group_attr[] = {
	[PXS_A_GROUP_ID] = "id",
	[PXS_A_GROUP_CLUSTER] = "cluster",
	[PXS_A_GROUP_KEY] = "key",
	[PXS_A_GROUP_KEY_ID] = "key-id",
	[PXS_A_GROUP_EPOCH] = "epoch",
	[PXS_A_GROUP_SELF] = "self",
	[PXS_A_GROUP_MEMBER] = "member",
	[PXS_A_GROUP_DURABILITY] = "durability",
	[PXS_A_GROUP_WINDOW] = "window",
	[PXS_A_GROUP_HEARTBEAT_MS] = "heartbeat",
	[PXS_A_GROUP_ELECTION_MS] = "election",
	[PXS_A_GROUP_STATE] = "state",
	[PXS_A_GROUP_ROLE] = "role",
	[PXS_A_GROUP_LEADER] = "leader",
	[PXS_A_GROUP_PROMISED] = "promised",
	[PXS_A_GROUP_COMMIT] = "commit",
	[PXS_A_GROUP_NEXT_SLOT] = "next slot",
	[PXS_A_GROUP_ATTACH_EPOCH] = "attach epoch",
	[PXS_A_GROUP_BALLOT] = "ballot",
	[PXS_A_GROUP_SLOT] = "slot",
	[PXS_A_GROUP_VALUE] = "value",
	[PXS_A_GROUP_NOOP] = "noop",
	[PXS_A_GROUP_RECORDS] = "records",
	[PXS_A_GROUP_DATAGRAM] = "datagram",
	[PXS_A_GROUP_RECEIVER] = "receiver",
	[PXS_A_GROUP_REASON] = "reason",
	[PXS_A_GROUP_LSN] = "lsn",
	[PXS_A_GROUP_EVENT] = "event",
	[PXS_A_GROUP_STATS] = "stats",
	[PXS_A_GROUP_COUNT] = "count",
	[PXS_A_GROUP_ALSO_KEY] = "also-key",
	[PXS_A_GROUP_ALSO_KEY_ID] = "also-key-id",
	[PXS_A_GROUP_FOUND] = "found",
	[PXS_A_GROUP_ROUND] = "round",
	[PXS_A_GROUP_KNOWN] = "known",
	[PXS_A_GROUP_TRIM] = "trim",
	[PXS_A_GROUP_TRIMMED] = "trimmed",
	[PXS_A_GROUP_HELD] = "held",
	[PXS_A_GROUP_CHECKPOINT] = "checkpoint",
	[PXS_A_GROUP_CONFIG] = "config",
	[PXS_A_GROUP_LEASE_DRIFT] = "lease-drift",
	[PXS_A_GROUP_PHASE1] = "phase1",
	[PXS_A_GROUP_PHASE2] = "phase2",
};
COMPLETE(group_attr, PXS_A_GROUP_MAX);

static const char *const member_attr[] = {
	[PXS_A_MEMBER_ID] = "member id",
	[PXS_A_MEMBER_INCARNATION] = "incarnation",
	[PXS_A_MEMBER_ADDR] = "member address",
	[PXS_A_MEMBER_PORT] = "member port",
	[PXS_A_MEMBER_LEARNER] = "learner",
	[PXS_A_MEMBER_COMMIT] = "member commit",
};
COMPLETE(member_attr, PXS_A_MEMBER_MAX);

const struct names names_mode = NAMES(mode);
const struct names names_tunnel = NAMES(tunnel);
const struct names names_fill = NAMES(fill);
const struct names names_key = NAMES(key);
const struct names names_backend_state = NAMES(backend_state);
const struct names names_health = NAMES(health);
const struct names names_choice = NAMES(choice);
const struct names names_unfit = NAMES(unfit);
const struct names names_group_state = NAMES(group_state);
const struct names names_role = NAMES(role);
const struct names names_durability = NAMES(durability);
const struct names names_proto = NAMES(proto);
const struct names names_command = NAMES(command);
const struct names names_steer_stat = NAMES(steer_stat);
const struct names names_group_stat = NAMES(group_stat);
const struct names names_net_stat = NAMES(net_stat);

static const struct names names_agreed_attr = NAMES(agreed_attr);
static const struct names names_service_attr = NAMES(service_attr);
static const struct names names_backend_attr = NAMES(backend_attr);
static const struct names names_table_attr = NAMES(table_attr);
static const struct names names_lookup_attr = NAMES(lookup_attr);
static const struct names names_group_attr = NAMES(group_attr);
static const struct names names_member_attr = NAMES(member_attr);

static const char *find(const struct names *names, unsigned int value)
{
	return value < names->n ? names->name[value] : NULL;
}

const char *name_of(const struct names *names, unsigned int value)
{
	const char *name = find(names, value);

	return name ? name : "?";
}

const char *name_of_attr(uint8_t cmd, unsigned int type, bool member)
{
	if (member)
		return find(&names_member_attr, type);
	switch (cmd) {
	case PXS_CMD_SERVICE_ADD:
	case PXS_CMD_SERVICE_SET:
	case PXS_CMD_SERVICE_DEL:
	case PXS_CMD_SERVICE_GET:
		return find(&names_service_attr, type);
	case PXS_CMD_BACKEND_ADD:
	case PXS_CMD_BACKEND_SET:
	case PXS_CMD_BACKEND_DEL:
	case PXS_CMD_BACKEND_GET:
		return find(&names_backend_attr, type);
	case PXS_CMD_AGREED_SET:
		return find(&names_agreed_attr, type);
	case PXS_CMD_TABLE_GET:
		return find(&names_table_attr, type);
	case PXS_CMD_LOOKUP:
		return find(&names_lookup_attr, type);
	case PXS_CMD_GROUP_ADD:
	case PXS_CMD_GROUP_SET:
	case PXS_CMD_GROUP_DEL:
	case PXS_CMD_GROUP_GET:
	case PXS_CMD_GROUP_PROPOSE:
		return find(&names_group_attr, type);
	default:
		return NULL;
	}
}
