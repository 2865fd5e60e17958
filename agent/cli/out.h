/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out.h - everything that is shown, once, as text or JSON
 *
 * Values are put with a JSON key and a text title into frames that nest: lists hold objects,
 * objects hold values, objects and lists. A NULL key leaves a value out of JSON, a NULL title
 * out of text. The outermost frame prints when it closes.
 *
 *	out_list(o, NULL, OUT_TABLE);			[			NAME  ROWS
 *	out_object(o, NULL, NULL, OUT_ROW);		  {
 *	out_str(o, "name", "name", "web");		    "name": "web",	web    256
 *	out_num(o, "rows", "rows", 256);		    "rows": 256
 *	out_close(o);					  }
 *	out_close(o);					]
 */
#ifndef PXS_CLI_OUT_H
#define PXS_CLI_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct out;
struct endpoint;
struct json_t;
struct names;
struct nlattr;

/* How a frame looks as text. */
enum out_style {
	OUT_NONE,	/* not at all */
	OUT_TABLE,	/* list: a line of titles in capitals, then a line per object */
	OUT_BLOCKS,	/* list: its objects are OUT_PAIRS, an empty line between them */
	OUT_ROW,	/* object in OUT_TABLE: a line */
	OUT_CELLS,	/* object in OUT_ROW: its values are cells of that line */
	OUT_DETAIL,	/* object in OUT_ROW: an indented line below: title value title value */
	OUT_PAIRS,	/* object: a line per value: title, value */
	OUT_LINE,	/* object: one line: title value title value */
};

struct out *out_new(FILE *f, bool json, bool pretty);
void out_free(struct out *o);

void out_list(struct out *o, const char *key, enum out_style style);
void out_object(struct out *o, const char *key, const char *title, enum out_style style);
void out_close(struct out *o);

/* JSON that was made elsewhere, outside of any frame. val stays the caller's. */
void out_whole(struct out *o, const struct json_t *val);

void out_str(struct out *o, const char *key, const char *title, const char *val);
void out_num(struct out *o, const char *key, const char *title, uint64_t val);

/* A number that is an identity, not a quantity: 0x and 16 digits; in JSON a string. */
void out_hex(struct out *o, const char *key, const char *title, uint64_t val);

/* part of whole: text as percent, JSON as a fraction; 0 where whole is 0. */
void out_share(struct out *o, const char *key, const char *title, uint64_t part, uint64_t whole);

/* count in ns nanoseconds, by the second: text with one decimal. */
void out_rate(struct out *o, const char *key, const char *title, uint64_t count, uint64_t ns);

/* Thousandths: text with three decimals. */
void out_milli(struct out *o, const char *key, const char *title, uint64_t val);

/* ns nanoseconds as seconds: text with three decimals. */
void out_seconds(struct out *o, const char *key, const char *title, uint64_t ns);

/* The time, UTC in microseconds, RFC 3339: sorts, and two hosts can be compared. */
void out_now(struct out *o, const char *key, const char *title);

/* Text ADDR:PORT under title; JSON "addr" and, where not 0, "port". A socket's cookie as well. */
void out_endpoint(struct out *o, const char *title, const struct endpoint *ep);

/* Text ROUND.MEMBER; JSON {"round": , "member": }, null for none. */
void out_ballot(struct out *o, const char *key, const char *title, uint64_t ballot);

/* A nest of u64 counters, as an object of its own. */
void out_stats(struct out *o, const char *key, const char *title, enum out_style style,
	       const struct nlattr *nest, const struct names *names);

#endif /* PXS_CLI_OUT_H */
