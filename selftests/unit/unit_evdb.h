/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_evdb.h - tables of eventual keys, one for each of three members, in a temporary directory
 *
 * SEED draws others, SCALE=10 ten times as many.
 */
#ifndef UNIT_EVDB_H
#define UNIT_EVDB_H

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "../../agent/store/evdb.h"

#define NODES	3u

static char base[200];

struct node {
	struct pxs_evdb db;
	struct pxs_confirm confirm[NODES];	/* by the other's index; its own says nothing */
	struct pxs_horizon marks;
	u64 round[NODES];		/* of the answer that it had last from each other one */
	/* The answer that it waits for from each other one. */
	struct answer {
		bool under_way;
		u64 table, cursor, head, round;
		u8 *data;
		u32 len;
	} from[NODES];
};

static struct node node[NODES];
static u64 now, seed;
static u32 scale;

static inline void path_of(u32 i, char *path)
{
	sprintf(path, "%s/%u", base, i);
}

static inline int open_node(u32 i, const struct pxs_evdb_owner *owner)
{
	u8 members[PXS_EVDB_PEERS] = { 0 };
	char path[256];
	u32 j, n = 0;

	path_of(i, path);
	for (j = 0; j < NODES; j++)
		if (j != i)
			members[n++] = (u8)(j + 1);
	return pxs_evdb_open(&node[i].db, path, owner, members, false, 1 << 20);
}

static inline struct pxs_evdb_owner owner_of(u32 i)
{
	return (struct pxs_evdb_owner){ .group = 1, .member = (u8)(i + 1), .incarnation = 7 };
}

static inline void make(u32 i)
{
	struct pxs_evdb_owner owner = owner_of(i);

	CHECK_EQ(-open_node(i, &owner), 0);
}

static inline void close_node(u32 i)
{
	u32 j;

	for (j = 0; j < NODES; j++)
		free(node[i].from[j].data);
	pxs_evdb_close(&node[i].db);
	memset(&node[i], 0, sizeof(node[i]));
}

static inline void lose(u32 i)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };
	char path[256], name[300];
	u32 f;

	if (node[i].db.env)
		close_node(i);
	path_of(i, path);
	for (f = 0; f < ARRAY_SIZE(files); f++) {
		snprintf(name, sizeof(name), "%s/%s", path, files[f]);
		unlink(name);
	}
	rmdir(path);
}

/* Run @what in a transaction, again with a larger map if need be. */
typedef void (*what_t)(struct pxs_evtx *tx, void *ctx);

static inline void change(u32 i, what_t what, void *ctx)
{
	struct pxs_evtx tx;
	int err;

	do {
		CHECK_EQ(-pxs_evdb_begin(&node[i].db, &tx, true), 0);
		what(&tx, ctx);
		err = pxs_evdb_commit(&tx);
	} while (err == -EXFULL && !pxs_evdb_grow(&node[i].db));
	CHECK_EQ(-err, 0);
	pxs_evdb_publish(&node[i].db);
}

static inline void do_write(struct pxs_evtx *tx, void *ctx)
{
	struct pxs_element *e = ctx;

	pxs_evdb_write(tx, e, now);
}

static inline void do_merge(struct pxs_evtx *tx, void *ctx)
{
	pxs_evdb_merge(tx, ctx);
}

/* @field "": the whole. @value NULL: dead. */
static inline struct pxs_element element(const char *key, const char *field, const char *value)
{
	struct pxs_element e = { .key = pxs_str(key), .dead = !value };

	if (*field) {
		e.kind = PXS_LWW_FIELD;
		e.field = pxs_str(field);
	}
	if (value)
		e.value = pxs_str(value);
	return e;
}

static inline struct pxs_element put(u32 i, const char *key, const char *field, const char *value)
{
	struct pxs_element e = element(key, field, value);

	change(i, do_write, &e);
	return e;
}

static inline const char *read_at(u32 i, const char *key, const char *field)
{
	struct pxs_str f = pxs_str(field);
	static char text[64];
	struct pxs_element e;
	struct pxs_evtx tx;

	text[0] = 0;
	CHECK_EQ(-pxs_evdb_begin(&node[i].db, &tx, false), 0);
	if (pxs_evdb_get(&tx, pxs_str(key), *field ? &f : NULL, &e))
		snprintf(text, sizeof(text), "%.*s", e.dead ? 4 : (int)e.value.len,
			 e.dead ? "dead" : (const char *)e.value.data);
	CHECK_EQ(-tx.err, 0);
	pxs_evdb_abort(&tx);
	return text;
}

static inline void digest_of(u32 i, u8 *digest)
{
	struct pxs_evtx tx;

	CHECK_EQ(-pxs_evdb_begin(&node[i].db, &tx, false), 0);
	pxs_evdb_digest(&tx, now, digest);
	CHECK_EQ(-tx.err, 0);
	pxs_evdb_abort(&tx);
}

static inline bool same(u32 i, u32 j)
{
	u8 a[16], b[16];

	digest_of(i, a);
	digest_of(j, b);
	return !memcmp(a, b, 16);
}

static inline void begin(void)
{
	u32 i;

	now = 1000000;
	for (i = 0; i < NODES; i++) {
		lose(i);
		make(i);
	}
}

static inline void end(void)
{
	u32 i;

	for (i = 0; i < NODES; i++)
		lose(i);
}

static void evdb_setup(void)
{
	const char *tmp = getenv("TMPDIR"), *s = getenv("SEED"), *more = getenv("SCALE");

	seed = s ? strtoull(s, NULL, 0) : 11;
	scale = more ? (u32)atoi(more) : 1;
	snprintf(base, sizeof(base), "%s/pxs-evdb-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(base))
		abort();
}

#endif /* UNIT_EVDB_H */
