/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe.h - one check of a backend, as bytes: what to send, and is the answer good?
 *
 * Pure: no I/O. A kind of check is a struct pxs_probe_kind in a file of its own. For a
 * stream the judge gets everything that came so far, again with each piece; a verdict other
 * than MORE holds for every longer answer, too. For datagrams it gets one at a time, and MORE
 * is "not the answer". What a backend says may end up in a reason: printable ASCII only.
 */
#ifndef PXS_AGENT_PROBE_H
#define PXS_AGENT_PROBE_H

#include <linux/paxsteer.h>

#include "platform.h"

#define PXS_PROBE_REQUEST_MAX	1024	/* bytes to send */
#define PXS_PROBE_ANSWER_MAX	1024	/* bytes of an answer that are looked at */
#define PXS_PROBE_WORD_MAX	255	/* bytes of a path, host, user, password or DNS name */
#define PXS_PROBE_ANY_RCODE	0xffff

enum pxs_probe_verdict {
	PXS_PROBE_MORE,
	PXS_PROBE_GOOD,
	PXS_PROBE_BAD,
};

/* What a check asks; a kind uses its own part. Strings are never NULL. */
struct pxs_probe_conf {
	const struct pxs_probe_kind *kind;
	char path[PXS_PROBE_WORD_MAX + 1];	/* http */
	char host[PXS_PROBE_WORD_MAX + 1];	/* http; "": the backend's address */
	u16 status_min, status_max;		/* http */
	char user[PXS_PROBE_WORD_MAX + 1];	/* redis; "": the default user */
	char password[PXS_PROBE_WORD_MAX + 1];	/* redis; "": no AUTH */
	bool noauth_good;			/* redis: -NOAUTH is a sign of life */
	char name[PXS_PROBE_WORD_MAX + 1];	/* dns */
	u16 rcode;				/* dns; or PXS_PROBE_ANY_RCODE */
};

/* One check, as far as bytes depend on it. */
struct pxs_probe {
	const struct pxs_probe_conf *conf;
	char at[64];		/* ADDR:PORT that is asked */
	u16 id;			/* of this check: an answer to another one is none */
	bool datagram;
};

struct pxs_probe_kind {
	const char *name;
	bool udp;	/* always by datagram; memcached goes by the service's protocol */
	/* Return: bytes put into @to (PXS_PROBE_REQUEST_MAX); 0: connecting is all. */
	u32 (*request)(const struct pxs_probe *p, u8 *to);
	/* @why gets a reason with BAD. Not called where connecting is all. */
	enum pxs_probe_verdict (*judge)(const struct pxs_probe *p, const u8 *answer, u32 len,
					char why[PXS_HEALTH_REASON_MAX + 1]);
};

extern const struct pxs_probe_kind pxs_probe_tcp;
extern const struct pxs_probe_kind pxs_probe_http;
extern const struct pxs_probe_kind pxs_probe_memcached;
extern const struct pxs_probe_kind pxs_probe_redis;
extern const struct pxs_probe_kind pxs_probe_dns;

/* Return: the kind called @name, or NULL. */
const struct pxs_probe_kind *pxs_probe_kind(const char *name);

/* Can @name be asked for? Labels of 1..63 bytes, 253 in all; "." is the root. */
bool pxs_probe_dns_name(const char *name);

/*
 * For judges. Compare an answer with the text that it must begin with. Return: GOOD when it
 * does, MORE when it may yet, BAD when it does not.
 */
enum pxs_probe_verdict pxs_probe_begins(const u8 *answer, u32 len, const char *with);

/* "@what: " and the answer's first line, what is not printable as '?'. Return: BAD. */
enum pxs_probe_verdict pxs_probe_bad(char why[PXS_HEALTH_REASON_MAX + 1], const char *what,
				     const u8 *answer, u32 len);

#endif /* PXS_AGENT_PROBE_H */
