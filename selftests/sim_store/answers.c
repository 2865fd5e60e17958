// SPDX-License-Identifier: GPL-2.0
/*
 * answers.c - what clients are answered
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

/* What an error says of what was asked. Others are not expected. */
static const struct {
	const char *word;
	enum ss_outcome outcome;
	bool kept;		/* of a session: it is the answer to this number for ever */
} errors[] = {
	{ "-MOVED ", SS_NOT_DONE, false },
	{ "-TRYAGAIN ", SS_NOT_DONE, false },
	{ "-CLUSTERDOWN ", SS_NOT_DONE, false },
	{ "-NOREPLICAS ", SS_NOT_DONE, false },
	{ "-LOADING ", SS_NOT_DONE, false },
	{ "-EXECABORT ", SS_NOT_DONE, false },
	{ "-OOM ", SS_NOT_DONE, true },
	{ "-UNCERTAIN ", SS_UNKNOWN, false },
};

static enum ss_outcome error_says(const struct ss_client *c, const char *answer, bool *kept)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		*kept = errors[i].kept;
		if (!strncmp(answer, errors[i].word, strlen(errors[i].word)))
			return errors[i].outcome;
	}
	ss_fail("client %u: %.*s", c->i, (int)strcspn(answer, "\r"), answer);
	return SS_UNKNOWN;
}

/* "-MOVED SLOT 127.0.0.1:7001": to node 1. Return: it says so. */
bool ss_go_there(struct ss_client *c, const char *answer)
{
	const char *colon = strchr(answer, ':');

	if (strncmp(answer, "-MOVED ", 7) || !colon)
		return false;
	c->there = atoi(colon + 1) - 7000;
	return true;
}

/* The same once more, where it is to be asked. */
void ss_ask_again(struct ss_client *c)
{
	c->want = 0;
	c->next = sim.now + ss_random(10);
	c->tries++;
}

/* --- reading an answer ---------------------------------------------------------------- */

/* The elements of an array of @n, or a value by itself if @n is 0. Return: @at goes behind it. */
char *ss_take(struct ss_client *c, u32 *at, s64 *number)
{
	struct pxs_str rest = { c->in.buf + *at, c->in.len - *at };
	u32 len = pxs_tx_value(rest);
	const char *text = (const char *)rest.data, *body = memchr(text, '\n', len);
	char *copy;

	*number = atoll(text + 1);
	*at += len;
	if (text[0] != '$' || *number < 0)
		return NULL;
	copy = malloc((size_t)*number + 1);
	if (!copy)
		abort();
	memcpy(copy, body + 1, (size_t)*number);
	copy[*number] = 0;
	return copy;
}

u32 ss_first_of_array(struct ss_client *c, u32 at)
{
	const u8 *end = memchr(c->in.buf + at, '\n', c->in.len - at);

	return (u32)(end - c->in.buf) + 1;
}

/* All answers but the last one are of no interest. */
static u32 last_answer(struct ss_client *c)
{
	u32 at = 0, i;

	for (i = 1; i < c->want; i++)
		at += pxs_tx_value((struct pxs_str){ c->in.buf + at, c->in.len - at });
	return at;
}

/* --- what it means -------------------------------------------------------------------- */

static void take_accesses(struct ss_client *c, u32 at)
{
	struct ss_op *op = c->op;
	struct ss_access *a;
	s64 number;
	u32 i;

	if (op->exec)
		at = ss_first_of_array(c, at);
	for (i = 0; i < op->n; i++) {
		a = &op->access[i];
		if (a->append && c->in.buf[at] != ':') {
			ss_fail("client %u: APPEND is answered %.30s", c->i, c->in.buf + at);
			return;
		}
		a->text = ss_take(c, &at, &number);
		if (a->append)
			a->at = (u32)number / SS_TOKEN;
		else if (!a->text)
			a->text = calloc(1, 1);
	}
}

/* What is not a value was refused: nothing is known of that key. Those not answered stay so. */
static void take_reads(struct ss_client *c)
{
	struct ss_op *op = c->op;
	u32 i, at = 0;
	s64 number;

	for (i = 0; i < c->reads; i++, op++) {
		if (c->in.buf[at] == '-')
			op->outcome = SS_NOT_DONE;
		op->access[0].text = ss_take(c, &at, &number);
		if (!op->access[0].text && !op->outcome)
			op->access[0].text = calloc(1, 1);
		if (i && !op->outcome)
			op->outcome = SS_DONE;
		op->ended = sim.order + 1;
	}
	ss_op_end(c, SS_DONE);
}

static void take_audit(struct ss_client *c, u32 at)
{
	s64 number, sum = 0;
	char *text;
	u32 i;

	at = ss_first_of_array(c, at);
	for (i = 0; i < SS_ACCOUNTS; i++) {
		text = ss_take(c, &at, &number);
		sum += text ? atoll(text) : 0;
		free(text);
	}
	if (sum)
		ss_fail("an audit by client %u finds %lld more in all accounts than there is",
			c->i, (long long)sum);
}

static void take_twins(struct ss_client *c, u32 at)
{
	char *text[SS_TWINS];
	s64 number;
	u32 i;

	at = ss_first_of_array(c, at);
	for (i = 0; i < SS_TWINS; i++)
		text[i] = ss_take(c, &at, &number);
	for (i = 1; i < SS_TWINS; i++)
		if (!text[i] != !text[0] || (text[0] && strcmp(text[i], text[0])))
			ss_fail("client %u reads twins that differ: %.8s and %.8s", c->i,
				text[0] ? text[0] : "none", text[i] ? text[i] : "none");
	for (i = 0; i < SS_TWINS; i++)
		free(text[i]);
}

static void done(struct ss_client *c, u32 at)
{
	switch (c->op->kind) {
	case SS_WATCH:
		ss_watch_done(c, at);
		return;
	case SS_ABSENT:
		ss_absent_answered(c, atoll((char *)c->in.buf + at + 1));
		break;
	case SS_MOVES:
		ss_move_answered(c, at);
		break;
	case SS_APPENDS:
		take_accesses(c, at);
		break;
	case SS_AUDIT:
		take_audit(c, at);
		break;
	case SS_READ_TWINS:
		take_twins(c, at);
		break;
	case SS_OTHER:
		if (!c->op->exec)
			break;
		c->session = (u64)atoll((char *)c->in.buf + at + 1);
		c->number = 0;
		break;
	default:
		break;
	}
	ss_op_end(c, SS_DONE);
}

/* The same number again and again, until there is an answer; and sometimes once more. */
static void once_answered(struct ss_client *c, const char *answer)
{
	struct ss_access *a = &c->op->access[0];
	u32 at = (u32)atoll(answer + 1) / SS_TOKEN;
	bool kept;

	c->want = 0;
	c->next = sim.now + ss_random(60);
	if (answer[0] == '-') {
		ss_go_there(c, answer);
		error_says(c, answer, &kept);
		if (kept)
			ss_op_end(c, SS_NOT_DONE);
		sim.stat.again++;
		return;
	}
	if (answer[0] != ':' || (c->op->outcome && a->at != at)) {
		ss_fail("client %u: number %llu of session %llu is answered %.12s, and was %u tokens",
			c->i, U(c->number), U(c->session), answer, a->at);
		return;
	}
	a->at = at;
	if (!c->op->outcome) {
		c->op->outcome = SS_DONE;
		c->op->ended = ++sim.order;
		sim.stat.done++;
		if (ss_chance(400))
			return;
	}
	ss_op_end(c, SS_DONE);
}

/* Likewise. */
static void saga_answered(struct ss_client *c, const char *answer)
{
	bool kept;

	c->want = 0;
	c->next = sim.now + ss_random(60);
	if (answer[0] != '-') {
		if (ss_saga_answered(c, (u64)atoll(answer + 1)))
			ss_op_end(c, SS_DONE);
		return;
	}
	ss_go_there(c, answer);
	error_says(c, answer, &kept);
	if (kept)
		ss_op_end(c, SS_NOT_DONE);
}

void ss_answered(struct ss_client *c)
{
	u32 at = last_answer(c);
	const char *answer;
	bool kept;

	pxs_reply_raw(&c->in, "", 1);	/* so that it is a text */
	answer = (const char *)c->in.buf + at;
	ss_trace("client %u: %.*s", c->i, (int)min((u32)strcspn(answer, "\r"), 100u), answer);
	if (c->op->kind == SS_ONCE)
		once_answered(c, answer);
	else if (c->op->kind == SS_SAGA)
		saga_answered(c, answer);
	else if (c->op->kind == SS_READS)
		take_reads(c);
	else if (ss_go_there(c, answer) && c->tries < SS_TRIES)
		ss_ask_again(c);
	else if (c->op->kind == SS_MOVES && !strncmp(answer, "-ERR no such key", 16))
		done(c, at);
	else if (answer[0] == '-')
		ss_op_end(c, error_says(c, answer, &kept));
	else
		done(c, at);
}
