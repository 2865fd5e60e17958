/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ipvs.h - a line of `ipvsadm -Sn`, taken apart
 *
 * Pure: the words point into the line. What the options mean here is import.c's to say.
 */
#ifndef PXS_CLI_IPVS_H
#define PXS_CLI_IPVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ipvs_option {
	IPVS_ADD_SERVICE, IPVS_ADD_SERVER, IPVS_TCP, IPVS_UDP, IPVS_SCTP, IPVS_FWMARK, IPVS_IPV6,
	IPVS_SCHEDULER, IPVS_PERSISTENT, IPVS_NETMASK, IPVS_PE, IPVS_OPS, IPVS_FLAGS, IPVS_SERVER,
	IPVS_GATEWAY, IPVS_IPIP, IPVS_MASQ, IPVS_WEIGHT, IPVS_UPPER, IPVS_LOWER, IPVS_TUN_TYPE,
	IPVS_TUN_PORT, IPVS_TUN_NOCSUM, IPVS_TUN_CSUM, IPVS_TUN_REMCSUM,
	IPVS_OPTIONS
};

/* By option: NULL where it was not given, "" for a flag, otherwise its value. */
struct ipvs_line {
	const char *value[IPVS_OPTIONS];
};

/* As it is written: "-t". */
const char *ipvs_option_name(unsigned int option);

/* Return: 0; -1 and why, which names the word. */
int ipvs_parse(int n, char **words, struct ipvs_line *l, char *why, size_t room);

/* Which of the options that name a service was given; IPVS_OPTIONS if none or several. */
unsigned int ipvs_service_of(const struct ipvs_line *l);

/* "255.255.255.0" or "64" as bits; 0 where it is not a prefix. Return: 0, -1 if it is no mask. */
int ipvs_netmask(const char *s, bool v6, unsigned int *bits);

#endif /* PXS_CLI_IPVS_H */
