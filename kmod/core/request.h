/* SPDX-License-Identifier: GPL-2.0 */
/*
 * request.h - where a client's requests begin and end in its stream, and whose they are
 *
 * For services whose requests are steered each by itself. A cutter is told the bytes that a client
 * sent and says, piece by piece, what to do with them: send them to the owner of a key, send them
 * after the piece before, drop them, answer here. Pure; nothing is kept but struct pxs_cutter.
 *
 * What comes out does not depend on how the stream is cut into reads, except that a request that
 * is passed on whole may come in more pieces. A request's head, all up to its last key, must be
 * there at once: a caller must be able to hold PXS_REQUEST_HEAD_MAX bytes. All else streams.
 *
 * One request gives exactly one reply of its backend, or the cutter refuses it: a reply too many
 * would be taken for that of the next request. So commands are known by name (request_commands.c),
 * "noreply" is taken off memcached's, and whatever changes the state of a connection is refused.
 */
#ifndef PXS_CORE_REQUEST_H
#define PXS_CORE_REQUEST_H

#include "key_parse.h"
#include "platform.h"

#define PXS_REQUEST_HEAD_MAX	16384

enum pxs_request_proto {
	PXS_REQUEST_REDIS = 1,
	PXS_REQUEST_MEMCACHED = 2,
};

enum pxs_cut_what {
	PXS_CUT_MORE = 0,	/* nothing can be said: read more */
	PXS_CUT_BEGIN = 1,	/* to the owner of key and of all further keys; one reply comes */
	PXS_CUT_BODY = 2,	/* to where the last BEGIN went */
	PXS_CUT_SKIP = 3,	/* to nobody */
	PXS_CUT_ANSWER = 4,	/* to nobody: text is the reply, in its place */
	PXS_CUT_REFUSE = 5,	/* the same, and text is an error */
	PXS_CUT_BAD = 6,	/* the same, and nothing that follows can be understood: end */
	PXS_CUT_QUIT = 7,	/* end after all replies; text, if any, is the last one */
};

/* How replies are framed. */
enum pxs_reply_kind {
	PXS_REPLY_RESP = 0,
	PXS_REPLY_LINE = 1,	/* memcached: one line */
	PXS_REPLY_VALUES = 2,	/* memcached: values and END, or one line */
};

/* What becomes of the reply. A request with several keys is split: its parts are numbered. */
enum pxs_reply_use {
	PXS_USE_PASS = 0,	/* to the client */
	PXS_USE_DROP = 1,	/* nobody wants it */
	PXS_USE_VALUES = 2,	/* without END, but for the last part's */
	PXS_USE_ELEMENT = 3,	/* an array of one element, of which the client's is made */
	PXS_USE_SUM = 4,	/* a number to be added */
	PXS_USE_OK = 5,		/* an OK; one for all */
};

struct pxs_cut {
	u8 what;		/* enum pxs_cut_what */
	u8 reply;		/* BEGIN: enum pxs_reply_kind */
	u8 use;			/* BEGIN: enum pxs_reply_use */
	bool first, last;	/* BEGIN: of the parts of one request */
	u32 parts;		/* BEGIN: of ELEMENT, how many there are */
	u32 take;		/* bytes off the stream */
	u32 from, len;		/* of them, those to be sent */
	const char *before;	/* to be sent in front of them, or NULL; static */
	const char *after;	/* and behind */
	const char *text;	/* ANSWER, REFUSE, BAD, QUIT: static */
	struct pxs_slice key;	/* BEGIN */
	/* BEGIN: further keys, for pxs_cut_key() */
	u32 keys, keys_at;
	u8 keys_step;
	bool is_inline;
};

/* All zero but proto to begin with. A copy is a cutter of its own. The rest is private. */
struct pxs_cutter {
	u8 proto;		/* enum pxs_request_proto */
	u8 step;
	u8 command;		/* redis: index of the one whose keys are split */
	bool drop;		/* what is left of this request goes to nobody */
	bool first;		/* the next part is the request's first */
	bool cas;		/* memcached: gets */
	u32 left;		/* redis: arguments to come */
	u32 parts;		/* redis: keys to come */
	u32 all;		/* redis: keys there were */
	u64 bulk;		/* bytes of the argument or block under way, its end included */
};

/*
 * The next piece of the stream whose next bytes are @p[0..len). Advances @c: use a copy where the
 * piece may not be taken. A piece takes a byte at least unless it is MORE, BAD or QUIT.
 */
void pxs_cut_next(struct pxs_cutter *c, const u8 *p, u32 len, struct pxs_cut *cut);

/* The next of cut->keys further keys of a BEGIN; @p as it was there. Return: false: no more. */
bool pxs_cut_key(struct pxs_cut *cut, const u8 *p, struct pxs_slice *key);

/* Is what the last BEGIN began not whole yet? */
bool pxs_cutter_amid(const struct pxs_cutter *c);

/* Error replies in the protocol's words. */
const char *pxs_request_no_backend(u8 proto);
const char *pxs_request_lost(u8 proto);
const char *pxs_request_crossed(u8 proto);

/* --- for request*.c alone -------------------------------------------------- */

/* What redis' commands look like. */
enum pxs_command_shape {
	PXS_COMMAND_ONE,	/* its first argument is its only key */
	PXS_COMMAND_TWO,	/* its first two are */
	PXS_COMMAND_ALL,	/* all are */
	PXS_COMMAND_BUT_LAST,	/* all but the last are */
	PXS_COMMAND_PAIRS,	/* every other one, from the first on */
	PXS_COMMAND_FROM_2,	/* all from the second on */
	PXS_COMMAND_SECOND,	/* the second is the only one */
	PXS_COMMAND_COUNT_1,	/* the first says how many keys follow it */
	PXS_COMMAND_COUNT_2,	/* the second does */
	PXS_COMMAND_STORE,	/* the same, and the first is a key, too */
	PXS_COMMAND_STREAMS,	/* the first half of what follows the word STREAMS */
	PXS_COMMAND_MGET,	/* split: all are keys, values are wanted */
	PXS_COMMAND_SUM,	/* split: all are keys, a number is wanted */
	PXS_COMMAND_MSET,	/* split: pairs */
	PXS_COMMAND_PING,	/* answered here */
	PXS_COMMAND_QUIT,
	PXS_COMMAND_SELECT,
	PXS_COMMAND_COMMAND,
};

struct pxs_command {
	const char *name;
	u8 shape;		/* enum pxs_command_shape */
	const char *part;	/* split: what goes in front of a part's first key */
};

/* Return: index of a command, in any case, or -1. */
int pxs_command_find(const struct pxs_slice *name);
const struct pxs_command *pxs_command_at(u32 index);	/* NULL behind the last one */

void pxs_cut_redis(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut);
void pxs_cut_memcached(struct pxs_cutter *c, struct pxs_slice s, struct pxs_cut *cut);

static inline void pxs_cut_say(struct pxs_cut *cut, u8 what, u32 take, const char *text)
{
	cut->what = what;
	cut->take = take;
	cut->text = text;
}

/* Nothing can be said of @s: is there room for more of it? */
static inline void pxs_cut_more(const struct pxs_slice *s, struct pxs_cut *cut, const char *text)
{
	cut->what = PXS_CUT_MORE;
	if (s->len >= PXS_REQUEST_HEAD_MAX)
		pxs_cut_say(cut, PXS_CUT_BAD, 0, text);
}

#endif /* PXS_CORE_REQUEST_H */
