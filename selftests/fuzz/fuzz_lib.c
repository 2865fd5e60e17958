// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_lib.c - what daemons, or who sits on their sockets, say to libpaxsteer
 *
 * The script is what the program asks for and what arrives: raw bytes, or answers of which some
 * fields are right. Stands in for io.c, so there are no sockets and time is the script's.
 */
#include "fuzz.h"
#include "handle.h"

#define DIALS	256		/* that succeed; a run must end */
#define FDS	64

static struct input script;
static struct pxs_log *log_;
static u64 now;
static u32 dials;
static bool fd_open[FDS];

/* Proposals: how often each has ended. */
static u8 ended[64];
static u32 proposals;
static u64 sub_next;
static bool subscribed, over;

u64 pxs_io_now(void)
{
	return now;
}

int pxs_io_random(void *to, size_t len)
{
	memset(to, 'r', len);
	return 0;
}

int pxs_io_dial(const char *path)
{
	u32 i;

	if (!script.n || ++dials > DIALS || (path[1] == 'b' && take8(&script) & 1))
		return -ECONNREFUSED;
	for (i = 0; fd_open[i]; i++)
		FUZZ_CHECK(i < PXS_LOG_SOCKETS_MAX + 2);
	fd_open[i] = true;
	return (int)i;
}

void pxs_io_close(int fd)
{
	FUZZ_CHECK(fd_open[fd]);
	fd_open[fd] = false;
}

ssize_t pxs_io_send(int fd, const void *data, size_t len)
{
	u8 how = take8(&script);

	(void)data;
	FUZZ_CHECK(fd_open[fd] && len);
	if (how == 1)
		return -EPIPE;
	if (how == 2)
		return -EAGAIN;
	return how == 3 ? 1 + (ssize_t)(len / 2) : (ssize_t)len;
}

/* An answer whose fields are right but for what the script says. */
static size_t answer(u8 *to, size_t room)
{
	static const u8 types[] = {
		PXS_CLIENT_MEMBER, PXS_CLIENT_APPENDED, PXS_CLIENT_VALUE, PXS_CLIENT_END,
		PXS_CLIENT_ERROR, PXS_CLIENT_STATUS_IS, PXS_CLIENT_LEADS, PXS_CLIENT_APPEND,
	};
	u8 what = take8(&script), wrong = take8(&script), len = 0;
	const struct pxs_flight *f = log_->sent.first;
	struct pxs_client_hdr h = {
		.type = types[what % 8], .flags = what >> 3, .group = cpu_to_le32(1),
		.arg = cpu_to_le64(log_->sub.next),
	};

	if (h.type == PXS_CLIENT_APPENDED || (h.type == PXS_CLIENT_ERROR && what & 128))
		h.id = cpu_to_le64(f ? f->id : 0);
	if (h.type == PXS_CLIENT_VALUE || h.type == PXS_CLIENT_END)
		h.id = cpu_to_le64(log_->sub.id);
	if (h.type == PXS_CLIENT_VALUE || h.type == PXS_CLIENT_STATUS_IS)
		len = take8(&script) % 100;
	if (h.type == PXS_CLIENT_LEADS && log_->call.wanted == PXS_CLIENT_INDEX_IS) {
		h.type = PXS_CLIENT_INDEX_IS;
		h.id = cpu_to_le64(log_->call.id);
	}
	if (h.type == PXS_CLIENT_ERROR)
		h.arg = cpu_to_le64(take8(&script) % 16);
	h.len = cpu_to_le32(len);
	if (wrong && wrong <= sizeof(h))
		((u8 *)&h)[wrong - 1] = take8(&script);
	FUZZ_CHECK(room >= sizeof(h));
	memcpy(to, &h, sizeof(h));
	len = (u8)min((size_t)len, room - sizeof(h));
	take(&script, to + sizeof(h), len);
	return sizeof(h) + len;
}

ssize_t pxs_io_recv(int fd, void *to, size_t len)
{
	u8 how = script.n ? take8(&script) : 1;
	size_t n;

	FUZZ_CHECK(fd_open[fd] && len);
	if (how < 32)
		return how == 1 ? 0 : how == 2 ? -ECONNRESET : -EAGAIN;
	if (how >= 128 && len >= 256)
		return (ssize_t)answer(to, len);
	n = min(len, (size_t)how - 31);
	take(&script, to, n);
	return (ssize_t)n;
}

int pxs_io_watch_init(struct pxs_io_watch *w)
{
	w->epoll = FDS;
	return 0;
}

void pxs_io_watch_exit(struct pxs_io_watch *w)
{
	(void)w;
}

int pxs_io_watch_add(struct pxs_io_watch *w, int fd)
{
	(void)w;
	FUZZ_CHECK(fd_open[fd]);
	return 0;
}

void pxs_io_watch_writable(struct pxs_io_watch *w, int fd, bool too)
{
	(void)w;
	(void)too;
	FUZZ_CHECK(fd_open[fd]);
}

void pxs_io_alarm(struct pxs_io_watch *w, u64 ms)
{
	(void)w;
	(void)ms;
}

/* Nobody waits: time goes on. */
int pxs_io_wait(struct pxs_io_watch *w, int timeout_ms)
{
	(void)w;
	(void)timeout_ms;
	now += script.n ? take8(&script) : 20000;
	return 0;
}

static void done(void *ctx, const struct pxs_log_result *r)
{
	u8 *times = ctx;

	FUZZ_CHECK(!(*times)++);
	FUZZ_CHECK(r->words && *r->words);
	FUZZ_CHECK(r->error ? !r->slot : r->slot && r->slot <= PXS_SLOT_MAX);
	FUZZ_CHECK(r->error >= 0 && r->error <= PXS_LOG_KEPT && r->leader <= PXS_MEMBER_ID_MAX);
}

static void value(void *ctx, const struct pxs_log_value *v)
{
	const u8 *data = v->data;
	u32 sum = 0;
	size_t i;

	(void)ctx;
	FUZZ_CHECK(subscribed && !over && v->slot == sub_next);
	FUZZ_CHECK(!v->len || data + v->len <= log_->sub.conn.in + log_->sub.conn.in_len);
	sub_next++;
	for (i = 0; i < v->len; i++)
		sum += data[i];
	__asm__ volatile("" : : "r"(sum));	/* what was handed out was read */
	if (v->len > 90)
		pxs_log_unsubscribe(log_), over = true;
}

static void end(void *ctx, int error, u64 applied)
{
	(void)ctx;
	FUZZ_CHECK(subscribed && !over && error >= 0 && applied <= PXS_SLOT_MAX);
	over = true;
}

static void propose(u8 how)
{
	struct pxs_log_id id = { .number = how, .base = how & 1 ? log_->known : how };
	u8 text[80] = "x";

	if (proposals == ARRAY_SIZE(ended))
		return;
	if (!pxs_log_propose(log_, text, 1 + how % 80, how & 2 ? &id : NULL,
			     how & 4 && how & 2 ? PXS_LOG_RETRY : 0, done, &ended[proposals]))
		proposals++;
}

static void subscribe(u8 how)
{
	sub_next = 1 + how % 8;
	if (pxs_log_subscribe(log_, sub_next, how & 64, how & 1 ? PXS_LOG_FOLLOW : 0, value, end,
			      NULL))
		return;
	subscribed = true;
	over = false;
}

static void blocking(u8 what)
{
	struct pxs_log_result r;
	char *json = NULL;
	uint64_t slot;

	if (what & 1 && !pxs_log_status(log_, what % 3, &json))
		free(json);
	if (what & 128 && !pxs_log_read_index(log_, &slot))
		FUZZ_CHECK(slot <= PXS_SLOT_MAX);
	else if (!(what & 1))
		pxs_log_transfer(log_, what % 64, &r);
}

static void check_conn(const struct pxs_conn *c)
{
	FUZZ_CHECK(c->in_room <= 65536 + PXS_CLIENT_BODY_MAX);
	FUZZ_CHECK(c->in_pos <= c->in_len && c->in_len <= c->in_room);
	FUZZ_CHECK(c->out_pos <= c->out_len && c->out_len <= c->out_room);
}

static void check_bounds(void)
{
	u32 i;

	for (i = 0; i < log_->npeers; i++)
		check_conn(&log_->peer[i].conn);
	check_conn(&log_->sub.conn);
	FUZZ_CHECK(log_->outstanding <= proposals);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 i;
	u8 op;

	script = (struct input){ data, size };
	now = 1000;
	dials = 0;
	proposals = 0;
	subscribed = false;
	memset(ended, 0, sizeof(ended));
	log_ = pxs_log_open("/a,/b,/c", 1);
	FUZZ_CHECK(log_);
	while (script.n) {
		op = take8(&script);
		if (op < 32)
			propose(take8(&script));
		else if (op < 48 && !log_->sub.active)
			subscribe(take8(&script));
		else if (op < 52)
			blocking(take8(&script));
		else
			pxs_log_wait(log_, -1);
		check_bounds();
	}
	for (i = 0; i < 64 && (log_->outstanding || log_->sub.active); i++)
		pxs_log_wait(log_, -1);
	FUZZ_CHECK(!log_->outstanding && !log_->sub.active);	/* with time, everything ends */
	pxs_log_close(log_);
	for (i = 0; i < proposals; i++)
		FUZZ_CHECK(ended[i] == 1);
	for (i = 0; i < FDS; i++)
		FUZZ_CHECK(!fd_open[i]);
	return 0;
}
