/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bundle.h - a cluster in one text: what `cluster init` and `cluster add` tell `cluster join`
 *
 *	paxsteer-bundle 1
 *	cluster UUID
 *	until SECONDS
 *	datapath kernel|user
 *	key HEX
 *	password HEX
 *	member ID ADDRESS:PORT store ADDRESS:PORT incarnation HEX joined SECONDS
 *	...						3 or 5 of them
 *	sum HEX
 *
 * Version 2 is that of `cluster add`, for one member beside those that there are. It has
 *
 *	adds ID key-id N
 *	member ID ADDRESS:PORT store ADDRESS:PORT incarnation HEX joined SECONDS role voter|learner
 *	...						3 to 7 of them, ID among them
 *
 * Version 3 is that of `cluster init` for a store of several groups. Behind the password it has
 *
 *	groups N			ids 1..N, each with the same members at the same addresses
 *
 * Version 4 is that of `cluster add` for such a store: "groups", and then what version 2 has.
 *
 * One word apart, in this order, every line with its end. Seconds are those of the epoch. It holds
 * the cluster's key and the store's password: nobody else may read it.
 *
 * An incarnation must never be used by two journals: they would be one member with two memories,
 * whose votes could choose two values for one slot. So "joined" says when a member was made of
 * this very file, and after "until" no member is made of any copy.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#ifndef PXS_CLI_BUNDLE_H
#define PXS_CLI_BUNDLE_H

#include "parse.h"

#define BUNDLE_VERSION		1u	/* of init */
#define BUNDLE_VERSION_ADD	2u
#define BUNDLE_VERSION_GROUPS	3u
#define BUNDLE_VERSION_ADD_GROUPS 4u
#define BUNDLE_TEXT_MAX		2048u	/* bytes, with a 0 */
#define BUNDLE_BEGIN_MAX	5u	/* a group begins with 3 or 5 */
#define BUNDLE_MEMBERS_MAX	7u	/* and grows to 7 */
#define BUNDLE_GROUPS_MAX	16u	/* as a store has at most */
#define BUNDLE_ERROR_MAX	256u
#define BUNDLE_KEY_LEN		32u
#define BUNDLE_PASSWORD_LEN	16u	/* bytes drawn; the password is twice as many hex digits */
#define BUNDLE_PORT		7400u
#define BUNDLE_STORE_PORT	6379u
#define BUNDLE_KEY_ID		1u	/* of a new cluster, and the daemon's default */

struct bundle_member {
	uint8_t id;			/* 1..63 */
	struct endpoint address;	/* of datagrams between members */
	struct endpoint store;		/* where its store listens, and is told to be */
	uint64_t incarnation;		/* not 0 */
	uint64_t joined;		/* when its journal was made of this file; 0: not yet */
	bool learner;			/* it does not vote, or not yet */
};

struct bundle {
	uint8_t cluster[16];
	uint64_t until;			/* nobody joins later */
	bool user;			/* datapath user, otherwise kernel */
	uint8_t adds;			/* the one member that is made of it; 0: a new cluster */
	uint8_t key_id;			/* which of the cluster's keys it is */
	uint8_t key[BUNDLE_KEY_LEN];
	uint8_t password[BUNDLE_PASSWORD_LEN];
	unsigned int groups;		/* of the store: 1..BUNDLE_GROUPS_MAX */
	unsigned int n;
	struct bundle_member member[BUNDLE_MEMBERS_MAX];
};

/*
 * "ID=ADDRESS[:PORT][,STORE]": STORE is a port at the same address, or ADDRESS:PORT.
 * Return: 0, or -1 with the reason in @error (BUNDLE_ERROR_MAX bytes). So do all below.
 */
int bundle_member_parse(const char *word, struct bundle_member *m, char *error);

/* Do the members make a cluster? Incarnations are not looked at. */
int bundle_members_check(const struct bundle *b, char *error);

/* May member @id, *at being its index, be made at @now, in seconds of the epoch? */
int bundle_joins(const struct bundle *b, uint64_t id, uint64_t now, unsigned int *at, char *error);

/* The same address and port? */
bool bundle_same_place(const struct endpoint *a, const struct endpoint *b);

int bundle_parse(const char *text, size_t len, struct bundle *b, char *error);

/* Into BUNDLE_TEXT_MAX bytes, whose length is returned. */
size_t bundle_format(const struct bundle *b, char *text);

#endif /* PXS_CLI_BUNDLE_H */
