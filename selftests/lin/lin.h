/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lin.h - a history checker: was what the clients saw allowed?
 *
 * A history is a list of operations, each with the time of its call and of its return, as
 * one clock tells them. Where replies carry slots (positions in a replicated log) it is
 * checked in O(n log n), see slotcheck.c; registers are also searched as a black box that
 * trusts no slot, see wgl.c. An operation of unknown outcome may have taken effect at any
 * time after its call, or never.
 *
 * Histories as text: see text.c. A program that makes operations itself fills struct lin_op
 * and calls lin_add(); numbers of clients, keys and logs should be small, they index arrays.
 * To check while it happens, without any history: see order.h.
 */
#ifndef LIN_H
#define LIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LIN_NEVER	UINT64_MAX	/* ret: nobody knows whether it took effect */
#define LIN_SLOT_MAX	(UINT64_MAX / 4)

enum lin_kind {
	LIN_APPEND,	/* a log: put @arg at its end; @slot is where it stands */
	LIN_FETCH,	/* a log: what stands in slot @arg? @value; 0: nothing, yet */
	LIN_WRITE,	/* a register: @arg is its value now */
	LIN_READ,	/* a register: @value, as of @slot */
	LIN_CAS,	/* a register: @arg, if it was @old */
	LIN_ENTRY,	/* no operation: member @client holds @arg in @slot at the end; 0: no-op */
};

enum lin_outcome {
	LIN_UNKNOWN,
	LIN_DONE,
	LIN_REFUSED,	/* certainly had no effect */
	LIN_DIFFERS,	/* LIN_CAS: the value was another one */
};

/* What a read promises; everything else is LIN_STRONG. */
enum lin_level {
	LIN_STRONG,	/* linearizable */
	LIN_RECENT,	/* at most @bound units of time behind */
	LIN_NEAR,	/* at most @bound slots behind */
	LIN_SESSION,	/* not behind what its client has seen or written */
	LIN_EVENTUAL,	/* some state that there was */
};

struct lin_op {
	uint64_t call, ret;
	uint64_t arg, old, value;	/* 0: none */
	uint64_t slot;			/* 0: not told */
	uint64_t bound;
	uint32_t client, key, log;
	uint32_t line;			/* of the text, or any number of the caller's */
	uint8_t kind, outcome, level;
	bool cas;			/* LIN_CAS, and the LIN_ENTRY of one */
	bool empty;			/* LIN_READ: as of slot 0, nothing was there yet */
};

struct lin_names;

struct lin_history {
	struct lin_op *op;
	uint32_t ops, room;
	struct lin_names *names;	/* of text; NULL: numbers name themselves */
};

enum lin_result {
	LIN_OK,
	LIN_BAD,
	LIN_UNDECIDED,	/* not within the limits, or the history does not tell enough */
};

/* Why, and the few operations that show it. */
struct lin_verdict {
	enum lin_result result;
	char why[400];
	uint32_t *op;		/* indices into the history, in the order of their calls */
	uint32_t ops;
};

struct lin_limits {
	uint64_t steps;		/* of a search, for one key */
	uint64_t bytes;		/* of its memory */
};

#define LIN_LIMITS	((struct lin_limits){ .steps = 200000000, .bytes = 1ull << 30 })

/* history.c */
void lin_init(struct lin_history *h);
void lin_free(struct lin_history *h);
void lin_add(struct lin_history *h, const struct lin_op *op);
bool lin_mutates(const struct lin_op *op);
bool lin_is_register(const struct lin_op *op);
void lin_set(struct lin_verdict *v, enum lin_result result, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void lin_witness(struct lin_verdict *v, uint32_t op);
void lin_verdict_free(struct lin_verdict *v);
/* Memory or the end: what runs out here has no way to go on. */
void *lin_alloc(void *old, size_t n, size_t size);

/* text.c: Return: 0, or the number of the line that makes no sense, with the reason */
uint32_t lin_read(struct lin_history *h, FILE *in, char *why, size_t room);
/* "c1 [100, 200] append 1 a ok slot 7": in one line, without the newline */
void lin_print(const struct lin_history *h, uint32_t op, char *buf, size_t room);
const char *lin_key_name(const struct lin_history *h, uint32_t key, char *buf, size_t room);

/* slotcheck.c: all logs; a log whose operations carry no slots is passed over */
void lin_slotcheck(const struct lin_history *h, struct lin_verdict *v);
/* Return: operations of such logs; registers, which can be searched, only if asked for. */
uint32_t lin_slotless(const struct lin_history *h, bool registers);
/* At the end all members hold the same log. */
void lin_converged(const struct lin_history *h, struct lin_verdict *v);

/* registers.c: all registers, each for itself */
void lin_wgl(const struct lin_history *h, const struct lin_limits *limits,
	     struct lin_verdict *v);
/* wgl.c: one register. @idx: indices of its operations; *steps: what it took. */
enum lin_result lin_wgl_key(const struct lin_history *h, const uint32_t *idx, uint32_t n,
			    const struct lin_limits *limits, uint64_t *steps);

/* shrink.c: leave of a bad history of one register what shows that it is bad */
uint32_t lin_shrink(const struct lin_history *h, uint32_t *idx, uint32_t n,
		    const struct lin_limits *limits);

#endif /* LIN_H */
