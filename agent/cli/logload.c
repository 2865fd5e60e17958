// SPDX-License-Identifier: GPL-2.0
/*
 * logload.c - appending many values with several in flight
 *
 * A value whose answer is "not leader" was not appended and is sent again to the new
 * leader. One whose outcome is unknown is never sent again: it may be in the log already.
 */
#include "logload.h"

#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "value.h"

struct flight {
	u64 id;		/* 0: free */
	u64 call_us;	/* first sent */
	u64 start_us;	/* last sent */
	u64 hash;
	u32 len;
	char *value;
	bool resend;
};

struct run {
	struct logload *l;
	struct logconn conn;
	bool connected;
	bool drained;		/* no more values to send */
	bool broken;		/* the connection is of no use any more */
	struct flight *flight;
	u32 in_flight;
	u32 to_resend;
	u64 next_id;
	u64 end_us;
	char *line;
	size_t line_room;
};

static int by_value(const void *a, const void *b)
{
	const u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

u32 logload_quantile(struct logload *l, double part)
{
	if (!l->samples)
		return 0;
	qsort(l->sample, l->samples, sizeof(*l->sample), by_value);
	return l->sample[(u32)(part * (l->samples - 1))];
}

void logload_free(struct logload *l)
{
	free(l->sample);
	l->sample = NULL;
}

/* The next value. Return: its length, or -1 at the end. */
static ssize_t next_value(struct run *r)
{
	struct logload *l = r->l;
	size_t room = l->size + 64;
	ssize_t n;

	if (r->end_us && logconn_now_us() >= r->end_us)
		return -1;
	if (l->value) {
		if (l->sent)
			return -1;
		free(r->line);
		r->line = strndup(l->value, l->value_len);
		return r->line ? (ssize_t)l->value_len : -1;
	}
	if (!l->count) {
		n = getline(&r->line, &r->line_room, l->input);
		if (n > 0 && r->line[n - 1] == '\n')
			n--;
		return n;
	}
	if (l->sent >= l->count)
		return -1;
	if (r->line_room < room) {
		free(r->line);
		r->line = malloc(room);
		r->line_room = room;
	}
	if (!r->line)
		return -1;
	n = snprintf(r->line, room, "%.*s%" PRIu64 ".", LOGLOAD_PREFIX_MAX,
		     l->prefix ? l->prefix : "", l->sent + 1);
	if (n < (ssize_t)l->size) {
		memset(r->line + n, 'x', l->size - (size_t)n);
		n = l->size;
	}
	return n;
}

static struct flight *free_flight(struct run *r)
{
	u32 i;

	for (i = 0; i < r->l->outstanding; i++)
		if (!r->flight[i].id)
			return &r->flight[i];
	return NULL;
}

static int send_flight(struct run *r, struct flight *f)
{
	f->resend = false;
	f->start_us = logconn_now_us();
	if (!f->call_us)
		f->call_us = f->start_us;
	return logconn_put(&r->conn, PXS_CLIENT_APPEND, 0, r->l->group, f->id, 0, 0, f->value,
			   f->len);
}

static int send_more(struct run *r)
{
	struct flight *f;
	ssize_t n;
	u32 i;

	for (i = 0; r->to_resend && i < r->l->outstanding; i++) {
		f = &r->flight[i];
		if (!f->id || !f->resend)
			continue;
		r->to_resend--;
		if (send_flight(r, f))
			return -ENOMEM;
	}
	while (!r->drained && r->in_flight < r->l->outstanding) {
		n = next_value(r);
		if (n < 0) {
			r->drained = true;
			break;
		}
		f = free_flight(r);
		f->id = ++r->next_id;
		f->len = (u32)n;
		f->hash = value_hash(r->line, (size_t)n);
		f->value = malloc((size_t)n + 1);
		if (!f->value)
			return -ENOMEM;
		memcpy(f->value, r->line, (size_t)n);
		r->in_flight++;
		r->l->sent++;
		if (send_flight(r, f))
			return -ENOMEM;
	}
	return logconn_flush(&r->conn);
}

/* The last word on a value. */
static void record(struct run *r, const struct flight *f, enum loghist_outcome outcome, u64 slot)
{
	struct logload *l = r->l;

	loghist_append(&l->history, f->call_us, outcome, f->hash, f->len, slot);
	if (l->history.err && !l->error[0])
		snprintf(l->error, sizeof(l->error), "history: %s", strerror(-l->history.err));
}

static void forget(struct run *r, struct flight *f)
{
	free(f->value);
	memset(f, 0, sizeof(*f));
	r->in_flight--;
}

static void acknowledged(struct run *r, struct flight *f, u64 slot)
{
	struct logload *l = r->l;
	u64 now = logconn_now_us();
	char line[64];
	int n;

	l->acked++;
	if (l->last_us && now - l->last_us > l->longest_gap_us)
		l->longest_gap_us = now - l->last_us;
	l->last_us = now;
	if (l->samples < LOGLOAD_SAMPLES_MAX)
		l->sample[l->samples++] = (u32)(now - f->start_us);
	if (l->acked_fd >= 0) {
		n = snprintf(line, sizeof(line), "%" PRIu64 " %016" PRIx64 " %u\n", slot, f->hash,
			     f->len);
		if (write(l->acked_fd, line, (size_t)n) != n)
			snprintf(l->error, sizeof(l->error), "acked-file: %s", strerror(errno));
	}
	record(r, f, LOGHIST_APPENDED, slot);
	if (l->slots)
		fprintf(l->slots, "%" PRIu64 "\n", slot);
}

/* Return: 0 or -errno to stop. */
static int answered(struct run *r, const struct logmsg *m)
{
	struct logload *l = r->l;
	struct flight *f = NULL;
	u32 i;

	for (i = 0; i < l->outstanding && !f; i++)
		if (r->flight[i].id == m->id)
			f = &r->flight[i];
	if (!f || !m->id)
		return -EPROTO;
	if (m->type == PXS_CLIENT_APPENDED) {
		acknowledged(r, f, m->arg);
		forget(r, f);
		return l->error[0] ? -EIO : 0;
	}
	if (m->type != PXS_CLIENT_ERROR)
		return -EPROTO;
	if (m->arg == PXS_CLIENT_NOT_LEADER || (m->arg == PXS_CLIENT_BUSY && l->keep_going)) {
		f->resend = true;
		r->to_resend++;
		r->broken = true;
		return 0;
	}
	snprintf(l->error, sizeof(l->error), "%.*s", (int)min(m->len, 120u), m->body);
	if (m->arg == PXS_CLIENT_UNKNOWN)
		l->unknown++;
	else
		l->refused++;
	record(r, f, m->arg == PXS_CLIENT_UNKNOWN ? LOGHIST_UNKNOWN : LOGHIST_REFUSED, 0);
	forget(r, f);
	if (m->arg == PXS_CLIENT_UNKNOWN && l->keep_going) {
		l->error[0] = 0;
		return 0;
	}
	return -EREMOTEIO;
}

/* What was sent and not answered before the connection went is unknown. */
static int lost_connection(struct run *r)
{
	struct logload *l = r->l;
	u64 unknown = l->unknown;
	u32 i;

	logconn_close(&r->conn);
	r->connected = false;
	r->broken = false;
	for (i = 0; i < l->outstanding; i++) {
		if (!r->flight[i].id || r->flight[i].resend)
			continue;
		l->unknown++;
		record(r, &r->flight[i], LOGHIST_UNKNOWN, 0);
		forget(r, &r->flight[i]);
	}
	if (l->unknown == unknown || l->keep_going)
		return 0;
	snprintf(l->error, sizeof(l->error),
		 "the connection was lost; %" PRIu64 " outcomes are unknown", l->unknown - unknown);
	return -ECONNRESET;
}

static int find_leader(struct run *r)
{
	struct logload *l = r->l;
	int ret = logconn_leader(&r->conn, l->paths, l->group, l->timeout_ms);

	if (ret >= 0) {
		r->connected = true;
		return 0;
	}
	snprintf(l->error, sizeof(l->error), ret == -ENOENT ? "no daemon answers at the socket" :
		 "no leader of group %u at these sockets within %u ms", l->group, l->timeout_ms);
	return ret;
}

static int round_trip(struct run *r)
{
	struct pollfd p = { .fd = r->conn.fd };
	struct logmsg m = { 0 };
	int err;

	err = r->broken ? 0 : send_more(r);
	if (err == -ENOMEM)
		return err;
	if (err)
		return lost_connection(r);
	/* After "not leader": what else is on its way is still answered, one way or the other. */
	if (r->broken && r->in_flight == r->to_resend)
		return lost_connection(r);
	if (!r->in_flight)
		return 0;
	p.events = POLLIN | (r->conn.out_len ? POLLOUT : 0);
	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		return -errno;
	if (p.revents & POLLOUT && logconn_flush(&r->conn))
		return lost_connection(r);
	if (!(p.revents & (POLLIN | POLLHUP | POLLERR)))
		return 0;
	err = logconn_fill(&r->conn, false);
	if (err && err != -EAGAIN)
		return lost_connection(r);
	while (logconn_next(&r->conn, &m)) {
		err = answered(r, &m);
		if (err)
			return err;
	}
	return 0;
}

int logload_run(struct logload *l)
{
	struct run r = { .l = l, .conn.fd = -1 };
	int err = 0;
	u32 i;

	r.flight = calloc(l->outstanding, sizeof(*r.flight));
	l->sample = malloc(LOGLOAD_SAMPLES_MAX * sizeof(*l->sample));
	if (!r.flight || !l->sample)
		err = -ENOMEM;
	while (!err && (!r.drained || r.in_flight)) {
		if (!r.connected) {
			err = find_leader(&r);
			if (!l->first_us && !err) {
				l->first_us = logconn_now_us();
				r.end_us = l->seconds ? l->first_us + l->seconds * 1000000 : 0;
			}
			continue;
		}
		err = round_trip(&r);
	}
	for (i = 0; r.flight && i < l->outstanding; i++) {
		if (r.flight[i].id) {
			l->unknown += !r.flight[i].resend;
			record(&r, &r.flight[i], r.flight[i].resend ? LOGHIST_REFUSED :
			       LOGHIST_UNKNOWN, 0);
		}
		free(r.flight[i].value);
	}
	if (!err)
		err = l->history.err;
	logconn_close(&r.conn);
	free(r.flight);
	free(r.line);
	if (err && !l->error[0])
		snprintf(l->error, sizeof(l->error), "%s", strerror(-err));
	return err;
}
