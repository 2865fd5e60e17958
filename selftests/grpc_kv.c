// SPDX-License-Identifier: GPL-2.0
/*
 * grpc_kv.c - see grpc_kv.h
 *
 * A call is an HTTP/2 stream: a request with one message, an answer with one message and, behind
 * it, the field "grpc-status": 0 is success. A message is a byte (0: not compressed), its length
 * in four bytes, and a protocol buffer of etcd's rpc.proto: PutRequest, key = 1, value = 2, or
 * RangeRequest, key = 1.
 */
#include "grpc_kv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX 5

struct grpc {
	int fd;
	nghttp2_session *session;
};

struct call {
	void (*done)(void *ctx, const char *error);
	void *ctx;
	char status[16];
	size_t len, sent;
	uint8_t message[];
};

static void die(const char *what)
{
	fprintf(stderr, "grpc: %s\n", what);
	exit(1);
}

static void check(ssize_t ret)
{
	if (ret < 0)
		die(nghttp2_strerror((int)ret));
}

/* --- what libnghttp2 calls ------------------------------------------------- */

static ssize_t send_bytes(nghttp2_session *session, const uint8_t *data, size_t len, int flags,
			  void *user)
{
	struct grpc *g = user;
	ssize_t n = send(g->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)session;
	(void)flags;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die(strerror(errno));
	return n < 0 ? NGHTTP2_ERR_WOULDBLOCK : n;
}

static ssize_t read_message(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t room,
			    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct call *c = source->ptr;
	size_t n = c->len - c->sent < room ? c->len - c->sent : room;

	(void)session;
	(void)stream;
	(void)user;
	memcpy(buf, c->message + c->sent, n);
	c->sent += n;
	if (c->sent == c->len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *text, size_t len, uint8_t flags, void *user)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	(void)user;
	if (c && name_len == 11 && !memcmp(name, "grpc-status", 11))
		snprintf(c->status, sizeof(c->status), "%.*s", (int)len, (const char *)text);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, stream);
	char error[64];

	(void)user;
	if (!c)
		return 0;
	snprintf(error, sizeof(error), "etcd: status %s, HTTP/2 code %u",
		 *c->status ? c->status : "missing", code);
	c->done(c->ctx, strcmp(c->status, "0") || code ? error : NULL);
	free(c);
	return 0;
}

/* --- the connection -------------------------------------------------------- */

static int connect_to(const char *at)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *port = strchr(at, ':');
	char host[64] = "";
	int one = 1;
	int fd;

	if (!port || (size_t)(port - at) >= sizeof(host))
		die("ADDR:PORT is wanted");
	memcpy(host, at, (size_t)(port - at));
	to.sin_port = htons((uint16_t)atoi(port + 1));
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		die("ADDR:PORT is wanted");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		die(strerror(errno));
	return fd;
}

struct grpc *grpc_open(const char *at)
{
	struct grpc *g = calloc(1, sizeof(*g));
	nghttp2_session_callbacks *calls;

	if (!g || nghttp2_session_callbacks_new(&calls))
		die("no memory");
	g->fd = connect_to(at);
	nghttp2_session_callbacks_set_send_callback(calls, send_bytes);
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
	check(nghttp2_session_client_new(&g->session, calls, g));
	nghttp2_session_callbacks_del(calls);
	check(nghttp2_submit_settings(g->session, NGHTTP2_FLAG_NONE, NULL, 0));
	return g;
}

void grpc_close(struct grpc *g)
{
	if (!g)
		return;
	nghttp2_session_del(g->session);
	close(g->fd);
	free(g);
}

static uint8_t *varint(uint8_t *p, size_t n)
{
	for (; n > 127; n >>= 7)
		*p++ = (uint8_t)(n | 128);
	*p++ = (uint8_t)n;
	return p;
}

static uint8_t *field(uint8_t *p, int number, const void *data, size_t len)
{
	*p++ = (uint8_t)(number << 3 | 2);
	p = varint(p, len);
	memcpy(p, data, len);
	return p + len;
}

/* @value: NULL: there is none. */
static void submit(struct grpc *g, const char *path, const char *key, const void *value, size_t len,
		   void (*done)(void *ctx, const char *error), void *ctx)
{
	/* Two fields: a byte and a length of at most five each. */
	struct call *c = malloc(sizeof(*c) + PREFIX + 2 * 6 + GRPC_KEY_MAX + len);
	nghttp2_data_provider body = { .source.ptr = c, .read_callback = read_message };
	uint32_t bytes;
	uint8_t *p;

#define FIELD(n, v, len) { (uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, len, 0 }
#define TEXT(n, v) FIELD(n, v, sizeof(v) - 1)
	const nghttp2_nv head[] = {
		TEXT(":method", "POST"),
		TEXT(":scheme", "http"),
		FIELD(":path", path, strlen(path)),
		TEXT(":authority", "etcd"),
		TEXT("content-type", "application/grpc"),
		TEXT("te", "trailers"),
	};
#undef TEXT
#undef FIELD
	if (!c || strlen(key) > GRPC_KEY_MAX || len > GRPC_VALUE_MAX)
		die("a value that cannot be sent");
	memset(c, 0, sizeof(*c));
	c->done = done;
	c->ctx = ctx;
	p = field(c->message + PREFIX, 1, key, strlen(key));
	if (value)
		p = field(p, 2, value, len);
	c->len = (size_t)(p - c->message);
	bytes = htonl((uint32_t)(c->len - PREFIX));
	c->message[0] = 0;
	memcpy(c->message + 1, &bytes, sizeof(bytes));
	check(nghttp2_submit_request(g->session, NULL, head, sizeof(head) / sizeof(head[0]), &body,
				     c));
}

void grpc_put(struct grpc *g, const char *key, const void *value, size_t len,
	      void (*done)(void *ctx, const char *error), void *ctx)
{
	submit(g, "/etcdserverpb.KV/Put", key, value, len, done, ctx);
}

void grpc_get(struct grpc *g, const char *key, void (*done)(void *ctx, const char *error),
	      void *ctx)
{
	submit(g, "/etcdserverpb.KV/Range", key, NULL, 0, done, ctx);
}

void grpc_wait(struct grpc *g, int ms)
{
	struct pollfd p = { .fd = g->fd, .events = POLLIN };
	static uint8_t buf[1 << 16];
	ssize_t n;

	check(nghttp2_session_send(g->session));
	if (nghttp2_session_want_write(g->session))
		p.events |= POLLOUT;
	if (poll(&p, 1, ms) <= 0 || !(p.revents & ~POLLOUT))
		return;
	n = recv(g->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		die(n ? strerror(errno) : "etcd closed the connection");
	check(nghttp2_session_mem_recv(g->session, buf, (size_t)n));
}
