/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_cross.h - clients of three groups that are one store, and their transactions over them
 *
 * What each group's leader proposes is decided when the test says, in the order that it says.
 */
#ifndef UNIT_CROSS_H
#define UNIT_CROSS_H

#include "unit_set.h"

#define GONE	"-TRYAGAIN a key is in a transaction over several groups: nothing was executed\r\n"

/* All leaders look. */
static inline void look(void)
{
	u32 i;

	for (i = 0; i < GROUPS; i++)
		store[i]->cross.due = true;
	for (i = 0; i < GROUPS; i++)
		pxs_cross_step(store[i]);
	for (i = 0; i < GROUPS; i++)
		read_stale(store[i]);
}

static inline bool decide_any(void)
{
	bool did = false;
	u32 i;

	for (i = 0; i < GROUPS; i++)
		while (queued(i)) {
			decide_in(i);
			did = true;
		}
	return did;
}

/* Everything goes on until nothing is left to do. */
static inline void run_all(void)
{
	u32 i;

	for (i = 0; i < 20; i++) {
		look();
		if (!decide_any())
			break;
	}
	CHECK(i < 20);
	for (i = 0; i < GROUPS; i++) {
		CHECK_EQ(store[i]->db.state.locks, 0);
		CHECK_EQ(store[i]->db.state.crosses, 0);
		CHECK(!store[i]->shares.first && !store[i]->crossed.first &&
		      !store[i]->locked.first);
	}
}

/* Nothing is held for an answer that was given. */
static inline void over(void)
{
	got();
	CHECK_EQ(client->held, 0);
	end_test();
}

/* One command and its answer, from the logs. */
static inline const char *ask(const char *format, const char *a, const char *b)
{
	CHECK_STR(say_of(format, a, b), "");
	run_all();
	return got();
}

static inline const char *value_of(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s",
		 say_of("READONLY\r\nGET %s\r\nREADWRITE\r\n", name, "") + 5);
	*strrchr(text, '+') = 0;
	return text;
}

/* The transaction is prepared in groups 1 and 2, and not decided. */
static inline void prepare(const char *command)
{
	CHECK_STR(say_of(command, key[0][0], key[1][0]), "");
	decide_in(0);
	look();
	CHECK_EQ(queued(1), 1);
	decide_in(1);
	CHECK_EQ(store[0]->db.state.locks, 1);
	CHECK_EQ(store[1]->db.state.locks, 1);
}

/* Other clients, that are not the one of say(). */
static struct pxs_conn *others[2];

static inline const char *say_other(u32 n, const char *format, const char *a, const char *b)
{
	struct pxs_conn *first = client;
	const char *answer;

	if (!others[n]) {
		others[n] = pxs_conn_new(&s, -1, &config.consistency);
		others[n]->eof = true;
		others[n]->sending = true;
	}
	client = others[n];
	answer = format ? say_of(format, a, b) : got();
	client = first;
	return answer;
}

static inline const char *say_second(const char *format, const char *a, const char *b)
{
	return say_other(0, format, a, b);
}

static inline void end_second(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (others[i])
			pxs_conn_free(others[i]);
		others[i] = NULL;
	}
	over();
}

#endif /* UNIT_CROSS_H */
