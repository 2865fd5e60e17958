// SPDX-License-Identifier: GPL-2.0
/*
 * watches.c - transactions that keys are watched for
 *
 * WATCH and GET of some keys, of any groups, then EXEC of APPENDs to some, which may be the same:
 * if it is done, what was read is what was there when it was done. Some ask the node that they are
 * at for versions and values, however old: that is safe, it fails more often.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define WATCHED_MAX	3u

void ss_watch_begin(struct ss_client *c)
{
	struct ss_op *op = c->op;
	u32 i, at = ss_list(), watched = 1 + (u32)ss_random(WATCHED_MAX);
	u32 appends = 1 + (u32)ss_random(2);

	c->weak = ss_chance(500);
	op->exec = true;
	op->n = watched + appends;
	for (i = 0; i < watched; i++)
		op->access[i] = (struct ss_access){ .key = (at + i) % sim.lists };
	if (ss_chance(500))
		at += ss_list();
	for (i = 0; i < appends; i++)
		op->access[watched + i] = (struct ss_access){ .key = (at + i) % sim.lists,
							      .append = true };
}

static void say(struct ss_client *c, const char *word, const char *key)
{
	const char *const words[] = { word, key };

	ss_client_say(c, key ? 2 : 1, words);
}

void ss_watch_say(struct ss_client *c)
{
	const char *words[1 + WATCHED_MAX] = { "WATCH" };
	const struct ss_op *op = c->op;
	u32 i;

	c->watching = true;
	c->extra = 1 + c->weak;
	if (c->weak)
		say(c, "READONLY", NULL);
	for (i = 0; !op->access[i].append; i++)
		words[1 + i] = sim.key[op->access[i].key];
	ss_client_say(c, 1 + i, words);
	for (i = 0; !op->access[i].append; i++)
		say(c, "GET", words[1 + i]);
	if (c->weak)
		say(c, "READWRITE", NULL);
}

static void give_up(struct ss_client *c, const char *answer)
{
	if (ss_go_there(c, answer) && c->tries < SS_TRIES)
		ss_ask_again(c);
	else
		ss_op_end(c, SS_NOT_DONE);
}

bool ss_watch_answered(struct ss_client *c)
{
	struct ss_access *a = c->op->access;
	u32 i, at = 0;
	s64 number;

	c->watching = false;
	pxs_reply_raw(&c->in, "", 1);	/* so that it is a text */
	for (i = 0; i < c->want; i++) {
		if (c->in.buf[at] == '-') {
			give_up(c, (const char *)c->in.buf + at);
			return false;
		}
		if (i < c->extra || a->append) {
			free(ss_take(c, &at, &number));
			continue;
		}
		free(a->text);
		a->text = ss_take(c, &at, &number);
		if (!a->text)
			a->text = calloc(1, 1);
		a++;
	}
	c->want = 0;
	c->in.len = 0;
	return true;
}

void ss_watch_done(struct ss_client *c, u32 at)
{
	struct ss_op *op = c->op;
	s64 number;
	u32 i;

	if (c->in.buf[at + 1] == '-') {
		sim.stat.changed++;
		ss_op_end(c, SS_NOT_DONE);
		return;
	}
	at = ss_first_of_array(c, at);
	for (i = 0; i < op->n; i++) {
		if (!op->access[i].append)
			continue;
		if (c->in.buf[at] != ':')
			ss_fail("client %u: APPEND is answered %.30s", c->i, c->in.buf + at);
		free(ss_take(c, &at, &number));
		op->access[i].at = (u32)number / SS_TOKEN;
	}
	sim.stat.watched++;
	ss_op_end(c, SS_DONE);
}
