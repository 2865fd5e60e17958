/* SPDX-License-Identifier: GPL-2.0 */
/*
 * names.h - the words for the numbers of <linux/paxsteer.h>
 *
 * Indexed by the enum's value; NULL where a value has no word. The same words are keywords of
 * the command line, values in its output, and names of attributes in the kernel's complaints.
 */
#ifndef PXS_CLI_NAMES_H
#define PXS_CLI_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/paxsteer.h>

struct names {
	const char *const *name;
	unsigned int n;
};

extern const struct names names_mode;
extern const struct names names_tunnel;
extern const struct names names_fill;
extern const struct names names_key;
extern const struct names names_backend_state;
extern const struct names names_health;
extern const struct names names_choice;
extern const struct names names_unfit;
extern const struct names names_group_state;
extern const struct names names_role;
extern const struct names names_durability;
extern const struct names names_proto;		/* IPPROTO_TCP, IPPROTO_UDP */
extern const struct names names_command;	/* "service-add", ... */

extern const struct names names_steer_stat;
extern const struct names names_group_stat;
extern const struct names names_net_stat;

/* The word for a value, or "?" for one that this program doesn't know yet. */
const char *name_of(const struct names *names, unsigned int value);

/*
 * The word for an attribute of a command. member: the attribute stands in a nest, the only one
 * in a request being a group's member. Return: NULL if unknown.
 */
const char *name_of_attr(uint8_t cmd, unsigned int type, bool member);

#endif /* PXS_CLI_NAMES_H */
