// SPDX-License-Identifier: GPL-2.0
/*
 * ipvs.c - a line of `ipvsadm -Sn`, taken apart
 *
 * ipvsadm writes the short options; the long ones are what people write by hand into the files
 * that they give to `ipvsadm -R`.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ipvs.h"
#include "parse.h"

enum takes { FLAG, VALUE, MAYBE };	/* MAYBE: a number, if one follows */
enum belongs { SERVICE = 1, SERVER = 2, BOTH = 3 };

static const struct option {
	const char *brief, *full;
	enum takes takes;
	enum belongs belongs;
} options[IPVS_OPTIONS] = {
	[IPVS_ADD_SERVICE] = { "-A", "--add-service", FLAG, SERVICE },
	[IPVS_ADD_SERVER] = { "-a", "--add-server", FLAG, SERVER },
	[IPVS_TCP] = { "-t", "--tcp-service", VALUE, BOTH },
	[IPVS_UDP] = { "-u", "--udp-service", VALUE, BOTH },
	[IPVS_SCTP] = { "--sctp-service", NULL, VALUE, BOTH },
	[IPVS_FWMARK] = { "-f", "--fwmark-service", VALUE, BOTH },
	[IPVS_IPV6] = { "-6", "--ipv6", FLAG, BOTH },
	[IPVS_SCHEDULER] = { "-s", "--scheduler", VALUE, SERVICE },
	[IPVS_PERSISTENT] = { "-p", "--persistent", MAYBE, SERVICE },
	[IPVS_NETMASK] = { "-M", "--netmask", VALUE, SERVICE },
	[IPVS_PE] = { "--pe", NULL, VALUE, SERVICE },
	[IPVS_OPS] = { "-o", "--ops", FLAG, SERVICE },
	[IPVS_FLAGS] = { "-b", "--sched-flags", VALUE, SERVICE },
	[IPVS_SERVER] = { "-r", "--real-server", VALUE, SERVER },
	[IPVS_GATEWAY] = { "-g", "--gatewaying", FLAG, SERVER },
	[IPVS_IPIP] = { "-i", "--ipip", FLAG, SERVER },
	[IPVS_MASQ] = { "-m", "--masquerading", FLAG, SERVER },
	[IPVS_WEIGHT] = { "-w", "--weight", VALUE, SERVER },
	[IPVS_UPPER] = { "-x", "--u-threshold", VALUE, SERVER },
	[IPVS_LOWER] = { "-y", "--l-threshold", VALUE, SERVER },
	[IPVS_TUN_TYPE] = { "--tun-type", NULL, VALUE, SERVER },
	[IPVS_TUN_PORT] = { "--tun-port", NULL, VALUE, SERVER },
	[IPVS_TUN_NOCSUM] = { "--tun-nocsum", NULL, FLAG, SERVER },
	[IPVS_TUN_CSUM] = { "--tun-csum", NULL, FLAG, SERVER },
	[IPVS_TUN_REMCSUM] = { "--tun-remcsum", NULL, FLAG, SERVER },
};

const char *ipvs_option_name(unsigned int option)
{
	return options[option].brief;
}

static unsigned int find(const char *word)
{
	unsigned int i;

	for (i = 0; i < IPVS_OPTIONS; i++)
		if (!strcmp(word, options[i].brief) ||
		    (options[i].full && !strcmp(word, options[i].full)))
			break;
	return i;
}

static int number(const char *s)
{
	uint64_t val;

	return parse_u64(s, 0, UINT64_MAX, &val);
}

/* Do the options go together? */
static int check(const struct ipvs_line *l, char *why, size_t room)
{
	bool service = l->value[IPVS_ADD_SERVICE], server = l->value[IPVS_ADD_SERVER];
	enum belongs line = service ? SERVICE : SERVER;
	unsigned int i;

	if (service == server) {
		snprintf(why, room, "one of -A and -a is needed");
		return -1;
	}
	if (ipvs_service_of(l) == IPVS_OPTIONS) {
		snprintf(why, room, "one of -t, -u, --sctp-service and -f is needed");
		return -1;
	}
	for (i = 0; i < IPVS_OPTIONS; i++) {
		if (l->value[i] && !(options[i].belongs & line)) {
			snprintf(why, room, "%s does not go with %s", options[i].brief,
				 service ? "-A" : "-a");
			return -1;
		}
	}
	if (server && !l->value[IPVS_SERVER]) {
		snprintf(why, room, "-r is missing");
		return -1;
	}
	if (!!l->value[IPVS_GATEWAY] + !!l->value[IPVS_IPIP] + !!l->value[IPVS_MASQ] > 1) {
		snprintf(why, room, "only one of -g, -i and -m is possible");
		return -1;
	}
	return 0;
}

int ipvs_parse(int n, char **words, struct ipvs_line *l, char *why, size_t room)
{
	unsigned int option;
	int i;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < n; i++) {
		option = find(words[i]);
		if (option == IPVS_OPTIONS) {
			snprintf(why, room, "\"%s\" is not an option of what ipvsadm -Sn prints",
				 words[i]);
			return -1;
		}
		if (l->value[option]) {
			snprintf(why, room, "%s is given twice", words[i]);
			return -1;
		}
		l->value[option] = "";
		if (options[option].takes == FLAG ||
		    (options[option].takes == MAYBE && (i + 1 == n || number(words[i + 1]))))
			continue;
		if (++i == n) {
			snprintf(why, room, "%s: a value is missing", words[i - 1]);
			return -1;
		}
		l->value[option] = words[i];
	}
	return check(l, why, room);
}

unsigned int ipvs_service_of(const struct ipvs_line *l)
{
	unsigned int i, found = IPVS_OPTIONS;

	for (i = IPVS_TCP; i <= IPVS_FWMARK; i++) {
		if (!l->value[i])
			continue;
		if (found != IPVS_OPTIONS)
			return IPVS_OPTIONS;
		found = i;
	}
	return found;
}

int ipvs_netmask(const char *s, bool v6, unsigned int *bits)
{
	struct in_addr addr;
	uint32_t mask;
	uint64_t val;

	if (v6) {
		if (parse_u64(s, 1, 128, &val))
			return -1;
		*bits = (unsigned int)val;
		return 0;
	}
	if (inet_pton(AF_INET, s, &addr) != 1)
		return -1;
	mask = ntohl(addr.s_addr);
	/* Ones and then zeros: the complement is one less than a power of two. */
	*bits = ~mask & (~mask + 1) ? 0 : (unsigned int)__builtin_popcount(mask);
	return 0;
}
