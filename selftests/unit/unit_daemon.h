/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_daemon.h - daemons as the client library sees them: sockets that answer as they are told
 *
 * Everything runs in one thread: pump() lets the handle and the daemons take turns until
 * something holds.
 */
#ifndef UNIT_DAEMON_H
#define UNIT_DAEMON_H

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "handle.h"
#include "unit.h"

#define DAEMONS		3
#define CONNS		8
#define LOG_MAX		64

/* What a daemon does with an APPEND; 0..99: an ERROR of that number. */
enum {
	DO_APPEND = 100,
	DO_NOTHING,		/* and stays silent */
	DO_HANG_UP,		/* takes it, and dies without a word */
	DO_APPEND_HANG_UP,	/* the same, and it is in the log */
};

struct conn {
	int fd;
	u8 in[65536];
	u32 len;
	bool reads, follows;
	u64 next, left, id;
};

struct daemon {
	char path[64];
	int listener;
	struct conn conn[CONNS];
	bool ready, no_group, deaf, mute;	/* deaf: reads nothing; mute: says not who leads */
	u32 leader;
	int how;
	u32 appends;		/* seen */
	u64 die_after;		/* values sent to a reader, then it hangs up; 0: never */
	int index_how;		/* the first INDEX: ERROR of that number, DO_HANG_UP; 0: applied */
	u32 indexes;		/* seen */
	int read_how;		/* what a READ ends with, behind what else was asked: ERROR; or 0 */
	u32 reads;		/* seen */
	u64 trim;		/* slots up to it are gone */
	const u8 *nonsense;	/* said to whoever connects */
	u32 nonsense_len;
};

static struct daemon daemon_[DAEMONS];
static char dir[32], sockets[256];
/* The log that they share. */
static u8 entry[LOG_MAX + 1][PXS_VALUE_MAX];
static u32 entry_len[LOG_MAX + 1];
static u8 entry_flags[LOG_MAX + 1];
static u64 applied;

static void hang_up(struct conn *c)
{
	close(c->fd);
	c->fd = -1;
	c->len = 0;
	c->reads = false;
}

static void daemon_up(struct daemon *d)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, d->path);
	unlink(d->path);
	d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(d->listener, (struct sockaddr *)&sun, sizeof(sun)) || listen(d->listener, 16))
		abort();
}

static void daemon_down(struct daemon *d)
{
	int i;

	for (i = 0; i < CONNS; i++)
		if (d->conn[i].fd >= 0)
			hang_up(&d->conn[i]);
	if (d->listener >= 0)
		close(d->listener);
	d->listener = -1;
	unlink(d->path);
}

/* Three daemons; the first leads; an empty log. */
static struct pxs_log *begin(void)
{
	int i, j;

	strcpy(dir, "/tmp/pxs-unit.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	memset(daemon_, 0, sizeof(daemon_));
	memset(entry_flags, 0, sizeof(entry_flags));
	applied = 0;
	sockets[0] = 0;
	for (i = 0; i < DAEMONS; i++) {
		snprintf(daemon_[i].path, sizeof(daemon_[i].path), "%s/%d", dir, i);
		for (j = 0; j < CONNS; j++)
			daemon_[i].conn[j].fd = -1;
		daemon_[i].how = i ? PXS_CLIENT_NOT_LEADER : DO_APPEND;
		daemon_[i].ready = !i;
		daemon_[i].leader = 1;
		daemon_up(&daemon_[i]);
		strcat(strcat(sockets, i ? "," : ""), daemon_[i].path);
	}
	return pxs_log_open(sockets, 1);
}

static void finish_test(struct pxs_log *log)
{
	int i;

	pxs_log_close(log);
	for (i = 0; i < DAEMONS; i++)
		daemon_down(&daemon_[i]);
	rmdir(dir);
}

static inline void lead(int who)
{
	int i;

	for (i = 0; i < DAEMONS; i++) {
		daemon_[i].ready = i == who;
		daemon_[i].how = i == who ? DO_APPEND : PXS_CLIENT_NOT_LEADER;
		daemon_[i].leader = (u32)who + 1;
	}
}

static void say(struct conn *c, u8 type, u8 flags, u64 id, u64 arg, u64 arg2, const void *body,
		u32 len)
{
	struct pxs_client_hdr h = {
		.len = cpu_to_le32(len), .type = type, .flags = flags, .group = cpu_to_le32(1),
		.id = cpu_to_le64(id), .arg = cpu_to_le64(arg), .arg2 = cpu_to_le64(arg2),
	};

	send(c->fd, &h, sizeof(h), MSG_NOSIGNAL);
	if (len)
		send(c->fd, body, len, MSG_NOSIGNAL);
}

static void add_entry(const void *value, u32 len, u8 flags)
{
	if (++applied > LOG_MAX)
		abort();	/* the library sends without end */
	memcpy(entry[applied], value, len);
	entry_len[applied] = len;
	entry_flags[applied] = flags;
}

static void on_append(struct daemon *d, struct conn *c, u64 id, const u8 *body, u32 len)
{
	d->appends++;
	if (d->how == DO_APPEND || d->how == DO_APPEND_HANG_UP)
		add_entry(body, len, 0);
	if (d->how == DO_APPEND)
		say(c, PXS_CLIENT_APPENDED, 0, id, applied, 0, NULL, 0);
	else if (d->how < DO_APPEND)
		say(c, PXS_CLIENT_ERROR, 0, id, (u64)d->how, d->leader, "so it is", 8);
	else if (d->how != DO_NOTHING)
		hang_up(c);
}

static void on_index(struct daemon *d, struct conn *c, u64 id)
{
	int how = d->indexes++ ? 0 : d->index_how;

	if (how == DO_HANG_UP)
		hang_up(c);
	else if (how)
		say(c, PXS_CLIENT_ERROR, 0, id, (u64)how, d->leader, "so it is", 8);
	else
		say(c, PXS_CLIENT_INDEX_IS, 0, id, applied, 0, NULL, 0);
}

static void on_request(struct daemon *d, struct conn *c, const struct pxs_client_hdr *h,
		       const u8 *body)
{
	u64 id = le64_to_cpu(h->id);

	if (d->no_group && h->type != PXS_CLIENT_STATUS) {
		say(c, PXS_CLIENT_ERROR, 0, id, PXS_CLIENT_NO_GROUP, 0, "no", 2);
	} else if (h->type == PXS_CLIENT_WHO && !d->mute) {
		say(c, PXS_CLIENT_MEMBER, d->ready, id, applied, d->leader, NULL, 0);
	} else if (h->type == PXS_CLIENT_APPEND) {
		on_append(d, c, id, body, le32_to_cpu(h->len));
	} else if (h->type == PXS_CLIENT_STATUS) {
		say(c, PXS_CLIENT_STATUS_IS, 0, id, 0, 0, "{\"groups\":[]}", 13);
	} else if (h->type == PXS_CLIENT_INDEX) {
		on_index(d, c, id);
	} else if (h->type == PXS_CLIENT_TRANSFER) {
		say(c, PXS_CLIENT_LEADS, 0, id, le64_to_cpu(h->arg), 0, NULL, 0);
	} else if (h->type == PXS_CLIENT_READ) {
		d->reads++;
		c->reads = true;
		c->follows = h->flags & PXS_CLIENT_FOLLOW;
		c->id = id;
		c->next = le64_to_cpu(h->arg);
		c->left = h->arg2 ? le64_to_cpu(h->arg2) : UINT64_MAX;
	}
}

/* One thread reads and writes: a daemon that waited for room would do so for ever. */
static bool has_room(const struct conn *c)
{
	int queued;

	return ioctl(c->fd, TIOCOUTQ, &queued) || queued < 65536;
}

static void feed_reader(struct daemon *d, struct conn *c)
{
	u64 sent = 0;

	if (c->next <= d->trim) {
		say(c, PXS_CLIENT_ERROR, 0, c->id, PXS_CLIENT_TRIMMED, 0, "gone", 4);
		c->reads = false;
		return;
	}
	if (d->read_how) {
		say(c, PXS_CLIENT_ERROR, 0, c->id, (u64)d->read_how, 0, "no", 2);
		c->reads = false;
		return;
	}
	for (; c->left && c->next <= applied; c->next++, c->left--) {
		if (d->die_after && sent++ == d->die_after) {
			hang_up(c);
			return;
		}
		if (!has_room(c))
			return;
		say(c, PXS_CLIENT_VALUE, entry_flags[c->next], c->id, c->next, 0, entry[c->next],
		    entry_len[c->next]);
	}
	if (!c->follows || !c->left) {
		say(c, PXS_CLIENT_END, 0, c->id, applied, 0, NULL, 0);
		c->reads = false;
	}
}

static void serve_conn(struct daemon *d, struct conn *c)
{
	struct pxs_client_hdr h;
	ssize_t n = -1;
	u32 size;

	if (!d->deaf)
		n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, MSG_DONTWAIT);
	if (!n) {
		hang_up(c);
		return;
	}
	c->len += n > 0 ? (u32)n : 0;
	while (c->fd >= 0 && c->len >= sizeof(h)) {
		memcpy(&h, c->in, sizeof(h));
		size = (u32)sizeof(h) + le32_to_cpu(h.len);
		if (c->len < size)
			break;
		on_request(d, c, &h, c->in + sizeof(h));
		if (c->fd < 0)
			break;
		c->len -= size;
		memmove(c->in, c->in + size, c->len);
	}
	if (c->fd >= 0 && c->reads)
		feed_reader(d, c);
}

static void serve(struct daemon *d)
{
	int i, fd;

	for (i = 0; i < CONNS; i++) {
		if (d->conn[i].fd >= 0) {
			serve_conn(d, &d->conn[i]);
			continue;
		}
		fd = d->listener >= 0 ? accept(d->listener, NULL, NULL) : -1;
		if (fd < 0)
			continue;
		d->conn[i].fd = fd;
		if (d->nonsense)
			send(fd, d->nonsense, d->nonsense_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

/* Take turns until @until holds; false: it does not, in ten seconds. */
static bool pump(struct pxs_log *log, bool (*until)(void))
{
	u64 end = pxs_io_now() + 10000;
	int i;

	while (!until()) {
		if (pxs_io_now() >= end)
			return false;
		pxs_log_wait(log, 1);
		for (i = 0; i < DAEMONS; i++)
			serve(&daemon_[i]);
	}
	return true;
}

#endif /* UNIT_DAEMON_H */
