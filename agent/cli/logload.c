// SPDX-License-Identifier: GPL-2.0
/*
 * logload.c - appending many values with several in flight
 *
 * The library sends again what is certainly not appended because a member does not lead. What it
 * calls unknown is never sent again here: it may be in the log already.
 */
#include "logload.h"

#include <inttypes.h>
#include <unistd.h>

#include "value.h"

struct flight {
	struct run *run;
	bool used;
	u64 call_us;
	u64 hash;
	u32 len;
	char *value;
	struct pxs_log_id id;
};

struct run {
	struct logload *l;
	struct pxs_log *log;
	bool drained;		/* no more values to send */
	int err;		/* why to stop: -errno */
	struct flight *flight;
	u32 in_flight;
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

	if (r->end_us && loghist_now_us() >= r->end_us)
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
		if (!r->flight[i].used)
			return &r->flight[i];
	return NULL;
}

/* The first trouble ends the run. */
static void stop(struct run *r, int err, const char *words)
{
	if (r->err)
		return;
	r->err = err;
	snprintf(r->l->error, sizeof(r->l->error), "%s", words);
}

/* The last word on a value. */
static void forget(struct run *r, struct flight *f, enum loghist_outcome outcome, u64 slot)
{
	struct logload *l = r->l;

	loghist_append(&l->history, f->call_us, outcome, f->hash, f->len, slot);
	if (l->history.err)
		stop(r, l->history.err, strerror(-l->history.err));
	free(f->value);
	memset(f, 0, sizeof(*f));
	r->in_flight--;
}

static void acknowledged(struct run *r, struct flight *f, const struct pxs_log_result *result)
{
	struct logload *l = r->l;
	u64 now = loghist_now_us();
	char line[64];
	int n;

	l->acked++;
	l->slot = result->slot;
	l->repeated = result->repeated;
	if (l->last_us && now - l->last_us > l->longest_gap_us)
		l->longest_gap_us = now - l->last_us;
	l->last_us = now;
	if (l->samples < LOGLOAD_SAMPLES_MAX)
		l->sample[l->samples++] = (u32)(now - f->call_us);
	if (l->acked_fd >= 0) {
		n = snprintf(line, sizeof(line), "%" PRIu64 " %016" PRIx64 " %u\n", result->slot,
			     f->hash, f->len);
		if (write(l->acked_fd, line, (size_t)n) != n)
			stop(r, -EIO, "acked-file: cannot be written");
	}
	if (l->slots)
		fprintf(l->slots, "%" PRIu64 "%s\n", result->slot,
			result->repeated ? " or before" : "");
	forget(r, f, LOGHIST_APPENDED, result->slot);
}

static void propose(struct run *r, struct flight *f);

static void ended(void *ctx, const struct pxs_log_result *result)
{
	struct flight *f = ctx;
	struct run *r = f->run;
	struct logload *l = r->l;

	switch (result->error) {
	case PXS_LOG_OK:
		acknowledged(r, f, result);
		return;
	case PXS_LOG_UNKNOWN:
		l->unknown++;
		if (!l->keep_going)
			stop(r, -EREMOTEIO, result->words);
		forget(r, f, LOGHIST_UNKNOWN, 0);
		return;
	case PXS_LOG_BUSY:
		if (l->keep_going && !r->err) {
			propose(r, f);
			return;
		}
		break;
	case PXS_LOG_UNREACHABLE:
		stop(r, -ENOENT, result->words);
		break;
	case PXS_LOG_NOT_LEADER:
		stop(r, -EAGAIN, l->no_leader);
		break;
	default:
		break;
	}
	l->refused++;
	stop(r, -EREMOTEIO, result->words);
	forget(r, f, LOGHIST_REFUSED, 0);
}

static void propose(struct run *r, struct flight *f)
{
	struct pxs_log_result refusal = {
		.error = pxs_log_propose(r->log, f->value, f->len, r->l->once ? &f->id : NULL, 0,
					 ended, f),
	};

	if (!refusal.error)
		return;
	refusal.words = pxs_log_strerror(refusal.error);
	stop(r, -EREMOTEIO, refusal.words);
	ended(f, &refusal);
}

static void send_more(struct run *r)
{
	struct flight *f;
	ssize_t n;

	while (!r->err && !r->drained && r->in_flight < r->l->outstanding) {
		n = next_value(r);
		if (n < 0) {
			r->drained = true;
			return;
		}
		f = free_flight(r);
		f->value = malloc((size_t)n + 1);
		if (!f->value || (r->l->once && pxs_log_make_id(r->log, &f->id))) {
			stop(r, -ENOMEM, strerror(ENOMEM));
			free(f->value);
			f->value = NULL;
			return;
		}
		memcpy(f->value, r->line, (size_t)n);
		f->used = true;
		f->run = r;
		f->call_us = loghist_now_us();
		f->len = (u32)n;
		f->hash = value_hash(r->line, (size_t)n);
		r->in_flight++;
		r->l->sent++;
		propose(r, f);
	}
}

/* Return: 0 or -errno with l->error. */
static int find_leader(struct run *r)
{
	struct logload *l = r->l;
	int error = pxs_log_connect(r->log);

	if (!error) {
		l->first_us = loghist_now_us();
		r->end_us = l->seconds ? l->first_us + l->seconds * 1000000 : 0;
		return 0;
	}
	stop(r, error == PXS_LOG_UNREACHABLE ? -ENOENT : -EAGAIN,
	     error == PXS_LOG_NOT_LEADER ? l->no_leader : pxs_log_strerror(error));
	return r->err;
}

int logload_run(struct logload *l)
{
	struct run r = { .l = l };

	snprintf(l->no_leader, sizeof(l->no_leader),
		 "no leader of group %u at these sockets within %u ms", l->group, l->timeout_ms);
	r.log = pxs_log_open(l->sockets, l->group);
	r.flight = calloc(l->outstanding, sizeof(*r.flight));
	l->sample = malloc(LOGLOAD_SAMPLES_MAX * sizeof(*l->sample));
	if (!r.log || !r.flight || !l->sample)
		stop(&r, -ENOMEM, strerror(ENOMEM));
	if (!r.err && !pxs_log_set_timeout(r.log, l->timeout_ms))
		find_leader(&r);
	send_more(&r);
	while (!r.err && r.in_flight) {
		pxs_log_wait(r.log, -1);
		send_more(&r);
	}
	pxs_log_close(r.log);	/* says of what is left how it ended */
	free(r.flight);
	free(r.line);
	return r.err;
}
