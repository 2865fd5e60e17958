/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resp_write.h - answers in RESP2 or RESP3
 *
 * An answer gathers in a buffer that grows up to a limit; beyond it, or without memory, it
 * has failed: nothing more is added, and whoever owns it closes the connection.
 */
#ifndef PXS_STORE_RESP_WRITE_H
#define PXS_STORE_RESP_WRITE_H

#include "str.h"

struct pxs_reply {
	u8 *buf;
	u32 len;
	u32 room;
	u32 limit;
	u8 proto;		/* 2 or 3 */
	bool quiet;		/* nobody waits for this answer: it is not written */
	bool failed;
	u32 errors;		/* errors in it */
	bool again;		/* it says that nothing was executed, for a key was locked */
	bool changed;		/* ... for a condition does not hold (condition.h) */
};

void pxs_reply_init(struct pxs_reply *o, u8 proto, u32 limit);
void pxs_reply_free(struct pxs_reply *o);

/* Will anybody read what is added to it? Else it need not be made, and nothing bounds it. */
static inline bool pxs_reply_wanted(const struct pxs_reply *o)
{
	return !o->quiet && !o->failed;
}

void pxs_reply_raw(struct pxs_reply *o, const void *data, u32 len);
void pxs_reply_status(struct pxs_reply *o, const char *word);
void pxs_reply_int(struct pxs_reply *o, s64 n);
void pxs_reply_bulk(struct pxs_reply *o, const void *data, u32 len);
void pxs_reply_str(struct pxs_reply *o, struct pxs_str s);
/* Bytes @from to @to of it, as GETRANGE counts them: from the end where negative. */
void pxs_reply_range(struct pxs_reply *o, struct pxs_str s, s64 from, s64 to);
void pxs_reply_text(struct pxs_reply *o, const char *text);
void pxs_reply_number(struct pxs_reply *o, s64 n);		/* as a bulk string */
void pxs_reply_null(struct pxs_reply *o);
void pxs_reply_null_array(struct pxs_reply *o);
void pxs_reply_array(struct pxs_reply *o, u32 n);
void pxs_reply_map(struct pxs_reply *o, u32 pairs);	/* RESP2: an array of twice as many */
void pxs_reply_set(struct pxs_reply *o, u32 n);		/* RESP2: an array */
/* What was written from @mid on, not much, goes in front of what was written from @at on. */
void pxs_reply_front(struct pxs_reply *o, u32 at, u32 mid);
/* RESP2: a bulk string. */
void pxs_reply_verbatim(struct pxs_reply *o, const char *text, u32 len);

/*
 * A whole answer that was made as RESP3, in the words of this one. @exec: a nothing in its
 * place is that of EXEC, an array.
 */
void pxs_reply_again(struct pxs_reply *o, struct pxs_str answer, bool exec);

/* "-ERR words": a line break in the words becomes a space, as Redis does it. */
void pxs_reply_error(struct pxs_reply *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void pxs_reply_wrong_type(struct pxs_reply *o);
void pxs_reply_syntax(struct pxs_reply *o);
void pxs_reply_not_int(struct pxs_reply *o);
void pxs_reply_not_float(struct pxs_reply *o);
void pxs_reply_arity(struct pxs_reply *o, const char *command);

#endif /* PXS_STORE_RESP_WRITE_H */
