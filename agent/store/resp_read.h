/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resp_read.h - requests as clients write them: RESP arrays of bulk strings, or a line
 *
 * hiredis has a reader that this tree could link with. It reads answers, not requests: every type
 * of RESP3 nested nine deep, with a calloc() of as many elements as a header claims, no limit
 * on the length of a string, and errors in its own words. Requests are one flat array, limits
 * are what keeps a server alive, and clients know Redis's words: so this is a strict reader of
 * its own, in the spirit of Redis's networking.c.
 *
 * Bytes go in as they come; requests come out whole. The arguments point into the buffer and
 * are valid until the next call.
 */
#ifndef PXS_STORE_RESP_READ_H
#define PXS_STORE_RESP_READ_H

#include "str.h"

#define PXS_RESP_LINE_MAX	(64u << 10)	/* an inline request, a header */
#define PXS_RESP_ARGS_MAX	(1024 * 1024)	/* arguments of one request */
#define PXS_RESP_STRANGER_ARGS	10		/* ... of a client that must authenticate first */
#define PXS_RESP_STRANGER_BULK	16384
#define PXS_RESP_ERROR_LEN	80

enum pxs_resp {
	PXS_RESP_MORE,		/* no whole request is there yet */
	PXS_RESP_REQUEST,	/* argc and argv are; argc 0: an empty line, answered by nothing */
	PXS_RESP_ERROR,		/* error has the words; nothing more can be read */
};

struct pxs_reader {
	u8 *buf;
	u32 len;		/* bytes in buf */
	u32 room;
	u32 pos;		/* of what was not looked at yet */
	u32 start;		/* of the request at hand */
	u32 limit;		/* bytes of one request */
	u32 bulk_limit;		/* bytes of one argument */
	bool stranger;
	s64 multi;		/* arguments still to come; 0: a new request */
	s64 bulk;		/* length of the one at hand; -1: its header is due */
	u32 argc;
	u32 args_room;
	struct pxs_str *argv;
	u32 *at;		/* where each stands: buf may move while more comes */
	char error[PXS_RESP_ERROR_LEN];
};

void pxs_reader_init(struct pxs_reader *r, u32 limit, u32 bulk_limit);
void pxs_reader_free(struct pxs_reader *r);

/*
 * Where the next bytes go, and how many fit (*room > 0); say how many came by adding to
 * r->len. NULL: no memory. What was taken before is thrown away by this.
 */
u8 *pxs_reader_space(struct pxs_reader *r, u32 *room);

enum pxs_resp pxs_reader_next(struct pxs_reader *r);

/*
 * Is the request at hand a line of HTTP's? Any web page can have a browser send such lines to an
 * address of its machine, with commands behind them: Redis takes neither POST nor "Host:", which
 * every request of HTTP/1.1 has, and ends the connection.
 */
bool pxs_reader_is_http(const struct pxs_reader *r);

#endif /* PXS_STORE_RESP_READ_H */
