// SPDX-License-Identifier: GPL-2.0
/*
 * wires.c - connections: between nodes, and of clients that write eventual keys
 *
 * In place of TCP. Bytes take their time, come in pieces, and wait while one of the two nodes is
 * cut off, or while one direction alone is. The end of a process is seen on the other side; that
 * of a machine is not, unless something is sent to it when it is up again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim_store.h"

#define FIRST_FD	1000000
#define WIRES		48u
#define WAY_MAX		(64u << 10)	/* bytes under way: no more is taken */

struct way {
	u8 *bytes;
	u32 len, room;
	u64 due;
};

struct ss_wire {
	bool used;
	bool open;		/* who asks has it */
	bool silent;		/* one of the machines is gone: nobody says so */
	struct ss_node *from;	/* NULL: a client, that is never cut off */
	struct ss_node *to;	/* NULL: not connected */
	struct pxs_conn *conn;	/* over there; NULL: not yet, or no more */
	struct way there, back;
};

static struct ss_wire wire[WIRES];
static bool dark[SS_NODES];	/* down, the machine too */

int __wrap_socket(int domain, int type, int protocol);
int __real_close(int fd);
int __wrap_close(int fd);

static struct ss_wire *take_wire(struct ss_node *from)
{
	u32 i = 0;

	while (i < WIRES && wire[i].used)
		i++;
	pxs_assert(i < WIRES);
	wire[i].used = true;
	wire[i].open = true;
	wire[i].silent = false;
	wire[i].from = from;
	wire[i].to = NULL;
	wire[i].conn = NULL;
	wire[i].there.len = 0;
	wire[i].back.len = 0;
	wire[i].there.due = 0;
	wire[i].back.due = 0;
	return &wire[i];
}

int __wrap_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	return FIRST_FD + (int)(take_wire(sim.at) - wire);
}

int __wrap_close(int fd)
{
	if (fd < FIRST_FD)
		return __real_close(fd);
	ss_wire_close(&wire[fd - FIRST_FD]);
	return 0;
}

void ss_wire_close(struct ss_wire *w)
{
	w->open = false;
	w->used = w->conn;
}

/* --- bytes ------------------------------------------------------------------------------ */

static u64 delay(const struct ss_wire *w)
{
	if (!w->from || sim.calm)
		return ss_random(2 * SS_STEP_MS);
	return ss_chance(40) ? ss_random(1500) : ss_random(5 * SS_STEP_MS);
}

/* Nobody is cut off. */
static bool flows(const struct ss_wire *w)
{
	return !w->from || (sim.now >= w->from->cut && sim.now >= w->to->cut);
}

static void put(struct ss_wire *w, struct way *way, const u8 *bytes, u32 len)
{
	if (way->len + len > way->room) {
		way->room = 2 * (way->len + len);
		way->bytes = realloc(way->bytes, way->room);
		if (!way->bytes)
			abort();
	}
	memcpy(way->bytes + way->len, bytes, len);
	way->len += len;
	way->due = max(way->due, sim.now + delay(w));
}

static u32 get(const struct ss_wire *w, struct way *way, u8 *to, u32 room)
{
	u32 len = min(way->len, room);

	if (!len || sim.now < way->due || !flows(w))
		return 0;
	if (ss_chance(300))
		len = 1 + (u32)ss_random(len);
	memcpy(to, way->bytes, len);
	way->len -= len;
	memmove(way->bytes, way->bytes + len, way->len);
	return len;
}

static u32 some_of(u32 len)
{
	return ss_chance(200) ? 1 + (u32)ss_random(len) : len;
}

/* --- connecting ------------------------------------------------------------------------- */

/* As listen.c accepts one. */
static void accept_at(struct ss_wire *w, struct ss_node *n)
{
	struct pxs_store *s = ss_store(n, 0);
	struct ss_node *at = sim.at;

	sim.at = n;
	w->conn = pxs_conn_new(s, -1, &s->config->consistency);
	pxs_place_take(w->conn);
	sim.at = at;
	w->to = n;
}

struct ss_wire *ss_wire_open(struct ss_node *n)
{
	struct ss_wire *w = take_wire(NULL);

	accept_at(w, n);
	return w;
}

static bool do_connect(struct ss_wire *w, const struct ss_sqe *q, int *res)
{
	const struct sockaddr_in *to = (const void *)q->to;

	if (!w->to) {
		w->to = &sim.node[ntohs(to->sin_port) - 7000];
		w->there.due = sim.now + delay(w);
	}
	if (sim.now < w->there.due || !flows(w) || (!w->to->up && dark[w->to->i]))
		return false;
	*res = -ECONNREFUSED;
	if (w->to->up) {
		accept_at(w, w->to);
		*res = 0;
	}
	return true;
}

/* --- the side that asks ------------------------------------------------------------------- */

static bool do_send(struct ss_wire *w, const struct ss_sqe *q, int *res)
{
	if (!w->conn && !w->silent) {
		*res = -ECONNRESET;
	} else if (!w->conn && w->to->up && flows(w)) {
		*res = -ECONNRESET;
	} else {
		if (w->there.len > WAY_MAX)
			return false;
		*res = (int)some_of(q->len);
		if (w->conn)
			put(w, &w->there, q->to, (u32)*res);
	}
	return true;
}

static bool do_recv(struct ss_wire *w, const struct ss_sqe *q, int *res)
{
	*res = (int)get(w, &w->back, q->to, q->len);
	if (*res)
		return true;
	if (w->conn || w->silent || w->back.len || !flows(w))
		return false;
	*res = ss_chance(500) ? 0 : -ECONNRESET;
	return true;
}

/* --- the side that is asked --------------------------------------------------------------- */

static bool served_send(struct ss_wire *w, const struct ss_sqe *q, int *res)
{
	if (w->conn->dead || (!w->open && (!w->silent || w->from->up))) {
		*res = -EPIPE;
		return true;
	}
	if (w->back.len > WAY_MAX)
		return false;
	*res = (int)some_of(q->len);
	if (w->open)
		put(w, &w->back, q->to, (u32)*res);
	return true;
}

/* What is alive over there asks now and then whether the other one is. */
static bool served_recv(struct ss_wire *w, const struct ss_sqe *q, int *res)
{
	*res = 0;
	if (w->conn->dead)
		return true;
	*res = (int)get(w, &w->there, q->to, q->len);
	if (*res)
		return true;
	if (w->open || !flows(w))
		return false;
	if (w->silent) {
		*res = -ETIMEDOUT;
		return w->from->up && ss_chance(20);
	}
	return !w->there.len;
}

bool ss_wire_op(const struct ss_sqe *q, int *res)
{
	struct ss_wire *w;
	u32 i;

	if (q->fd >= FIRST_FD) {
		w = &wire[q->fd - FIRST_FD];
		if (q->opcode == IORING_OP_CONNECT)
			return do_connect(w, q, res);
		return q->opcode == IORING_OP_SEND ? do_send(w, q, res) : do_recv(w, q, res);
	}
	for (i = 0; i < WIRES; i++) {
		w = &wire[i];
		if (w->used && w->conn && q->op == &w->conn->send_op)
			return served_send(w, q, res);
		if (w->used && w->conn && q->op == &w->conn->recv_op)
			return served_recv(w, q, res);
	}
	/* A client that has hung up. */
	*res = q->opcode == IORING_OP_SEND ? (int)q->len : 0;
	return true;
}

/* --- clients' ------------------------------------------------------------------------------ */

void ss_wire_put(struct ss_wire *w, const void *bytes, u32 len)
{
	put(w, &w->there, bytes, len);
}

u32 ss_wire_get(struct ss_wire *w, void *to, u32 room)
{
	return get(w, &w->back, to, room);
}

bool ss_wire_over(const struct ss_wire *w)
{
	return !w->conn && !w->back.len;
}

/* --- ends ----------------------------------------------------------------------------------- */

void ss_wires_freed(const struct pxs_conn *conn)
{
	u32 i;

	for (i = 0; i < WIRES; i++) {
		if (!wire[i].used || wire[i].conn != conn)
			continue;
		wire[i].conn = NULL;
		wire[i].used = wire[i].open;
		/* Some of what was on its way never comes. */
		wire[i].back.len = (u32)ss_random(wire[i].back.len + 1);
	}
}

void ss_wires_died(const struct ss_node *n, bool power)
{
	u32 i;

	dark[n->i] = power;
	for (i = 0; i < WIRES; i++)
		if (wire[i].used && wire[i].from && (wire[i].from == n || wire[i].to == n))
			wire[i].silent |= power;
}

void ss_wires_heal(void)
{
	u32 i;

	for (i = 0; i < WIRES; i++) {
		wire[i].there.due = min(wire[i].there.due, sim.now);
		wire[i].back.due = min(wire[i].back.due, sim.now);
	}
}

void ss_wires_free(void)
{
	u32 i;

	for (i = 0; i < WIRES; i++) {
		free(wire[i].there.bytes);
		free(wire[i].back.bytes);
	}
	memset(wire, 0, sizeof(wire));
	memset(dark, 0, sizeof(dark));
}
