/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scope.h - how large the world is that SPIN walks through
 *
 * Only #defines: Promela's preprocessor reads this file as well. The Makefile sets what
 * differs from here; each set is a program of its own.
 */
#ifndef MODEL_SCOPE_H
#define MODEL_SCOPE_H

#define MEMBERS		3

/* Sizes of quorums. Without any in the scope the group has none said either: majorities. */
#ifdef PHASE1
#define CONF_PHASE1	PHASE1
#define CONF_PHASE2	PHASE2
#else
#define CONF_PHASE1	0
#define CONF_PHASE2	0
#define PHASE1		2	/* so many promise */
#define PHASE2		2	/* so many accept */
#endif
#ifndef BALLOTS
#define BALLOTS		3	/* 1, 2, 3...; ballot b belongs to member OWNER(b) */
#endif
#ifndef SLOTS
#define SLOTS		1
#endif
#ifndef WINDOW
#define WINDOW		64	/* the smallest that is shipped; 8: each commit is staged */
#endif
#ifndef OWNERS
#define OWNERS		MEMBERS	/* 2: ballots 1 and 3 are one member's */
#endif
#ifndef COUNT
#define COUNT		1	/* leaders count votes, and commit */
#endif
#ifndef LEARN
#define LEARN		1	/* followers hear of it: heartbeats, LEARN */
#endif

#define OWNER(b)	(((b) - 1) % OWNERS)

#endif /* MODEL_SCOPE_H */
