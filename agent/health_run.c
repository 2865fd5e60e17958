// SPDX-License-Identifier: GPL-2.0
/*
 * health_run.c - the thread that checks backends and tells the module
 *
 * A thread and a ring of its own: a call to the module waits while it builds a large table, and
 * votes must not wait for that. c->lock guards the list of targets and what STATUS shows of
 * them; only this thread changes them, so only it reads without the lock.
 *
 * Which backends there are, the module says: a dump at the start, announcements from then on,
 * and a dump again when announcements were lost. A verdict lives in the module. This thread goes
 * on from what it finds there, so it may end at any time.
 */
#include "health_run.h"

#include <netinet/in.h>
#include <netlink/genl/ctrl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "client_proto.h"
#include "health_services.h"
#include "probe_run.h"
#include "report.h"

#define FLIGHTS_MAX	256	/* checks at one time; more wait, which descriptors would not */
#define TELL_AGAIN_MS	1000
#define READ_AGAIN_MS	1000

/* A backend that is checked. */
struct target {
	struct pxs_checker *c;
	const struct pxs_health_section *section;
	struct pxs_address at;		/* of the backend */
	char text[64];			/* the same, to read */
	u8 proto;			/* of the service */
	struct pxs_health_check check;
	struct pxs_probe_run *run;	/* the check under way */
	char reason[PXS_HEALTH_REASON_MAX + 1];
	u64 good, failed;		/* checks, by their end */
	u64 tell;			/* when to tell the module; 0: it knows */
	u32 echoes;			/* verdicts it took, whose announcements are to come */
	bool seen;			/* in the dump that is read */
	bool void_said;
	bool gone;			/* off the list; freed when its check has ended */
};

struct pxs_checker {
	const struct pxs_config *config;
	pthread_t thread;
	struct pxs_loop loop;
	struct pxs_services services;
	struct pxs_op stop_op;
	u64 stop_word;
	int stop_fd;
	struct pxs_ticker ticker;

	pthread_mutex_t lock;
	pthread_cond_t started_cond;
	bool started;			/* or failed */
	int error;
	struct target **target;
	u32 ntargets, room;

	u32 turn;			/* who is asked first whether it is due */
	u32 flights;
	u64 read;			/* when to read all backends anew; 0: not to */
	bool own_fault_said;
	bool stopping;			/* what still ends says nothing */
};

static u64 random_u64(void)
{
	u64 v = 0;

	while (getrandom(&v, sizeof(v), 0) != sizeof(v))
		;
	return v;
}

static const char *kind_of(const struct target *t)
{
	return t->section->probe.kind->name;
}

/* --- verdicts ---------------------------------------------------------------- */

static void drop(struct pxs_checker *c, struct target *t)
{
	u32 i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; c->target[i] != t; i++)
		;
	c->target[i] = c->target[--c->ntargets];
	pthread_mutex_unlock(&c->lock);
	t->gone = true;
	if (t->run)
		pxs_probe_cancel(t->run);
	else
		free(t);
}

/* Return: false when the backend is gone, and @t with it. */
static bool tell(struct pxs_checker *c, struct target *t)
{
	int err = pxs_services_verdict(&c->services, t->section->service, &t->at,
				       t->check.verdict, t->reason);

	t->tell = 0;
	if (err == -ENOENT) {
		drop(c, t);
		return false;
	}
	if (err) {
		pxs_warn("health: backend %s %s: the module does not take it: %s",
			 t->section->service, t->text, strerror(-err));
		t->tell = c->loop.now + TELL_AGAIN_MS;
		return true;
	}
	t->echoes++;
	return true;
}

static void say(const struct target *t)
{
	if (t->check.verdict == PXS_HEALTH_BAD)
		pxs_warn("backend %s %s is down (health: %s)", t->section->service, t->text,
			 t->reason);
	else
		pxs_notice("backend %s %s is up (health: %s)", t->section->service, t->text,
			   kind_of(t));
}

static void probed(void *ctx, enum pxs_probe_end end, const char *why)
{
	struct target *t = ctx;
	bool changed = false, other = false;

	t->run = NULL;
	t->c->flights--;
	if (t->gone) {
		free(t);
		return;
	}
	if (t->c->stopping)
		return;
	pthread_mutex_lock(&t->c->lock);
	if (end == PXS_PROBE_VOID) {
		pxs_health_void(&t->check, &t->section->timing, t->c->loop.now);
	} else {
		changed = pxs_health_result(&t->check, &t->section->timing,
					    end == PXS_PROBE_WELL, t->c->loop.now);
		t->good += end == PXS_PROBE_WELL;
		t->failed += end == PXS_PROBE_ILL;
	}
	/* Why it is bad: the last failure. */
	if (end == PXS_PROBE_ILL) {
		other = strncmp(t->reason, why, sizeof(t->reason) - 1);
		snprintf(t->reason, sizeof(t->reason), "%s", why);
	} else if (changed) {
		t->reason[0] = 0;
	}
	pthread_mutex_unlock(&t->c->lock);
	if (end == PXS_PROBE_VOID && !t->void_said)
		pxs_warn("health: backend %s %s is not checked: %s", t->section->service, t->text,
			 why);
	t->void_said = end == PXS_PROBE_VOID;
	if (changed)
		say(t);
	/* It stays bad, but not for the reason that the module shows. */
	if (changed || (other && t->check.verdict == PXS_HEALTH_BAD))
		tell(t->c, t);
}

/* --- checks ------------------------------------------------------------------- */

static void begin_check(struct pxs_checker *c, struct target *t)
{
	const struct pxs_health_section *s = t->section;
	struct pxs_probe p = { .conf = &s->probe, .id = (u16)random_u64() };
	struct pxs_address to = t->at;
	int err;

	if (s->port)
		pxs_address_set_port(&to, htons(s->port));
	pxs_address_format(&to, p.at, sizeof(p.at));
	p.datagram = s->probe.kind->udp ||
		     (s->probe.kind == &pxs_probe_memcached && t->proto == IPPROTO_UDP);
	pxs_health_begin(&t->check, c->loop.now);
	t->run = pxs_probe_start(&c->loop, &p, &to, probed, t, &err);
	if (t->run) {
		c->flights++;
		return;
	}
	pxs_health_void(&t->check, &s->timing, c->loop.now);
	if (!c->own_fault_said)
		pxs_err("health: no socket for a check: %s", strerror(-err));
	c->own_fault_said = true;
}

static void tick_target(struct pxs_checker *c, struct target *t, u64 now)
{
	if (t->run && pxs_health_late(&t->check, &t->section->timing, now))
		pxs_probe_late(t->run, t->section->timing.timeout_ms);
	if (c->flights < FLIGHTS_MAX && pxs_health_due(&t->check, now))
		begin_check(c, t);
	if (t->tell && now >= t->tell)
		tell(c, t);	/* the last use of t: it may be gone */
}

static void tick_targets(struct pxs_checker *c, u64 now)
{
	u32 i, n = c->ntargets, first = c->turn;

	/* Who is dropped meanwhile makes another one wait for a tick, no more. */
	for (i = 0; i < n && c->ntargets; i++)
		tick_target(c, c->target[(first + i) % c->ntargets], now);
	c->turn = c->ntargets ? (first + 1) % c->ntargets : 0;
}

/* --- which backends there are ------------------------------------------------- */

static struct target *find(const struct pxs_checker *c, const char *service,
			   const struct pxs_address *at)
{
	u32 i;

	for (i = 0; i < c->ntargets; i++)
		if (!strcmp(c->target[i]->section->service, service) &&
		    !memcmp(&c->target[i]->at, at, sizeof(*at)))
			return c->target[i];
	return NULL;
}

static const struct pxs_health_section *section_of(const struct pxs_checker *c,
						   const struct pxs_backend_seen *b)
{
	const struct pxs_health_section *s;
	u32 i, k;

	for (i = 0; i < c->config->nhealth; i++) {
		s = &c->config->health[i];
		if (strcmp(s->service, b->service))
			continue;
		for (k = 0; k < s->nbackends; k++)
			if (!memcmp(&s->backend[k], &b->at, sizeof(b->at)))
				break;
		return s->nbackends && k == s->nbackends ? NULL : s;
	}
	return NULL;
}

static int make_room(struct pxs_checker *c)
{
	u32 room = c->room ? 2 * c->room : 64;
	struct target **grown;

	if (c->ntargets < c->room)
		return 0;
	pthread_mutex_lock(&c->lock);
	grown = realloc(c->target, room * sizeof(*grown));
	if (grown) {
		c->target = grown;
		c->room = room;
	}
	pthread_mutex_unlock(&c->lock);
	return grown ? 0 : -ENOMEM;
}

static void add(struct pxs_checker *c, const struct pxs_health_section *s,
		const struct pxs_backend_seen *b)
{
	struct target *t = calloc(1, sizeof(*t));

	if (!t || make_room(c)) {
		pxs_err("health: no memory to check another backend");
		free(t);
		c->read = c->loop.now + READ_AGAIN_MS;
		return;
	}
	t->c = c;
	t->section = s;
	t->at = b->at;
	t->proto = b->proto;
	t->seen = true;
	snprintf(t->reason, sizeof(t->reason), "%s", b->reason);
	pxs_address_format(&t->at, t->text, sizeof(t->text));
	pxs_health_init(&t->check, &s->timing, b->health, c->loop.now, random_u64());
	pthread_mutex_lock(&c->lock);
	c->target[c->ntargets++] = t;
	pthread_mutex_unlock(&c->lock);
	pxs_debug("health: checking backend %s %s: %s", s->service, t->text, kind_of(t));
}

/*
 * A backend as the module has it: new, or changed by somebody. What others announced before our
 * verdict, and we read after it, tells of the health before it: it is believed again behind the
 * announcement of the verdict itself.
 */
static void on_backend(void *ctx, const struct pxs_backend_seen *b)
{
	struct pxs_checker *c = ctx;
	const struct pxs_health_section *s = section_of(c, b);
	struct target *t = find(c, b->service, &b->at);

	if (!s) {
		if (b->dumped && b->health == PXS_HEALTH_BAD) {
			char text[64];

			pxs_address_format(&b->at, text, sizeof(text));
			pxs_warn("health: backend %s %s is down (health: %s), and no section checks it: paxsteer backend set %s %s health unchecked",
				 b->service, text, b->reason, b->service, text);
		}
		return;
	}
	if (b->own) {
		if (t && t->echoes)
			t->echoes--;
		return;
	}
	if (!t) {
		add(c, s, b);
		return;
	}
	t->seen = true;
	t->proto = b->proto ?: t->proto;
	if (t->tell || t->echoes || t->check.verdict == b->health)
		return;
	pxs_notice("backend %s %s: health was set to %s", t->section->service, t->text,
		   pxs_health_word(b->health));
	pthread_mutex_lock(&c->lock);
	pxs_health_adopt(&t->check, b->health);
	snprintf(t->reason, sizeof(t->reason), "%s", b->reason);
	pthread_mutex_unlock(&c->lock);
}

static void on_backend_gone(void *ctx, const char *service, const struct pxs_address *at)
{
	struct pxs_checker *c = ctx;
	struct target *t;
	u32 i;

	if (at) {
		t = find(c, service, at);
		if (t)
			drop(c, t);
		return;
	}
	/* All of a service, or all there are. Backwards: the last one takes the place. */
	for (i = c->ntargets; i > 0; i--)
		if (!service || !strcmp(c->target[i - 1]->section->service, service))
			drop(c, c->target[i - 1]);
}

static void on_lost(void *ctx)
{
	struct pxs_checker *c = ctx;

	if (!c->read)
		c->read = c->loop.now;
}

static void read_all(struct pxs_checker *c)
{
	u32 i;
	int err;

	c->read = 0;
	for (i = 0; i < c->ntargets; i++) {
		c->target[i]->seen = false;
		c->target[i]->echoes = 0;	/* thrown away, or lost */
	}
	err = pxs_services_read(&c->services);
	if (err) {
		if (err != -EINTR)
			pxs_warn("health: the module's services cannot be read: %s",
				 strerror(-err));
		c->read = c->loop.now + (err == -EINTR ? 1 : READ_AGAIN_MS);
		return;
	}
	for (i = c->ntargets; i > 0; i--)
		if (!c->target[i - 1]->seen)
			drop(c, c->target[i - 1]);
}

static void checker_tick(struct pxs_ticker *ticker, u64 now)
{
	struct pxs_checker *c = (struct pxs_checker *)((char *)ticker -
						       offsetof(struct pxs_checker, ticker));

	if (c->read && now >= c->read)
		read_all(c);
	tick_targets(c, now);
}

/* --- the thread ---------------------------------------------------------------- */

static void stopped(struct pxs_op *op, int res)
{
	struct pxs_checker *c = (struct pxs_checker *)((char *)op -
						       offsetof(struct pxs_checker, stop_op));

	(void)res;
	c->loop.stop = true;
}

static int open_all(struct pxs_checker *c)
{
	struct io_uring_sqe *sqe;
	int err;

	err = pxs_services_open(&c->services, &c->loop);
	if (err)
		return err;
	read_all(c);
	c->stop_op.done = stopped;
	sqe = pxs_loop_sqe(&c->loop);
	io_uring_prep_read(sqe, c->stop_fd, &c->stop_word, sizeof(c->stop_word), 0);
	pxs_loop_own(sqe, &c->stop_op);
	c->ticker.tick = checker_tick;
	pxs_loop_add_ticker(&c->loop, &c->ticker);
	return 0;
}

static void tell_started(struct pxs_checker *c, int err)
{
	pthread_mutex_lock(&c->lock);
	c->started = true;
	c->error = err;
	pthread_cond_signal(&c->started_cond);
	pthread_mutex_unlock(&c->lock);
}

/* What is in flight has memory of ours: wait for its cancellation. */
static void land_all(struct pxs_checker *c)
{
	u32 i;

	c->stopping = true;
	c->loop.tickers = NULL;
	for (i = 0; i < c->ntargets; i++)
		if (c->target[i]->run)
			pxs_probe_cancel(c->target[i]->run);
	while (c->flights && !pxs_loop_once(&c->loop))
		;
}

static void *checker_main(void *arg)
{
	struct pxs_checker *c = arg;
	int err;

	err = pxs_loop_init(&c->loop);
	if (err) {
		pxs_err("health: io_uring: %s", strerror(-err));
		tell_started(c, err);
		return NULL;
	}
	err = open_all(c);
	tell_started(c, err);
	if (!err) {
		pxs_loop_run(&c->loop);
		land_all(c);
	}
	pxs_loop_exit(&c->loop);
	pxs_services_close(&c->services);
	return NULL;
}

static void checker_free(struct pxs_checker *c)
{
	u32 i;

	for (i = 0; i < c->ntargets; i++)
		free(c->target[i]);
	free(c->target);
	close(c->stop_fd);
	pthread_cond_destroy(&c->started_cond);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int checker_run(struct pxs_checker *c)
{
	sigset_t all, old;
	int err;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&c->thread, NULL, checker_main, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	pthread_mutex_lock(&c->lock);
	while (!c->started)
		pthread_cond_wait(&c->started_cond, &c->lock);
	err = c->error;
	pthread_mutex_unlock(&c->lock);
	if (err)
		pthread_join(c->thread, NULL);
	return err;
}

int pxs_checker_start(struct pxs_checker **made, const struct pxs_config *config, bool later)
{
	struct pxs_checker *c;
	u32 n;
	int err;

	*made = NULL;
	if (!config->nhealth)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->config = config;
	c->services.ctx = c;
	c->services.backend = on_backend;
	c->services.gone = on_backend_gone;
	c->services.lost = on_lost;
	c->services.later = later;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->started_cond, NULL);
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	err = c->stop_fd < 0 ? -errno : checker_run(c);
	if (err) {
		checker_free(c);
		return err;
	}
	pthread_mutex_lock(&c->lock);
	n = c->ntargets;
	pthread_mutex_unlock(&c->lock);
	pxs_info("health: checking %u backends of %u services", n, config->nhealth);
	*made = c;
	return 0;
}

void pxs_checker_stop(struct pxs_checker *c)
{
	u64 one = 1;

	if (!c)
		return;
	while (write(c->stop_fd, &one, sizeof(one)) != sizeof(one))
		;
	pthread_join(c->thread, NULL);
	checker_free(c);
}

static bool is_bad(const struct target *t)
{
	return t->check.verdict == PXS_HEALTH_BAD;
}

static json_t *target_status(const struct target *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "service", json_string(t->section->service));
	json_object_set_new(o, "backend", json_string(t->text));
	json_object_set_new(o, "check", json_string(kind_of(t)));
	json_object_set_new(o, "health", json_string(pxs_health_word(t->check.verdict)));
	json_object_set_new(o, "good", json_integer((json_int_t)t->good));
	json_object_set_new(o, "failed", json_integer((json_int_t)t->failed));
	json_object_set_new(o, "reason", *t->reason ? json_string(t->reason) : json_null());
	return o;
}

json_t *pxs_checker_status(struct pxs_checker *c, u32 *n)
{
	json_t *list = json_array();
	u32 i, bad;

	*n = 0;
	if (!c)
		return list;
	pthread_mutex_lock(&c->lock);
	*n = c->ntargets;
	/* Who is bad comes first: an answer has no room for everybody. */
	for (bad = 2; bad-- > 0;) {
		for (i = 0; i < c->ntargets && json_array_size(list) < PXS_STATUS_CHECKS; i++)
			if (is_bad(c->target[i]) == bad)
				json_array_append_new(list, target_status(c->target[i]));
	}
	pthread_mutex_unlock(&c->lock);
	return list;
}
