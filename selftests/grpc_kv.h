/* SPDX-License-Identifier: GPL-2.0 */
/*
 * grpc_kv.h - etcd's Put and Range (gRPC over HTTP/2, by libnghttp2), for paxload.c
 *
 * One connection, many requests on it at a time, as etcd's own clients do. What goes wrong with
 * the connection ends the program, with words: a benchmark has nothing better to do.
 */
#ifndef GRPC_KV_H
#define GRPC_KV_H

#include <stddef.h>
#include <stdint.h>

#define GRPC_VALUE_MAX 65536
#define GRPC_KEY_MAX 32

struct grpc;

/* Connect to "ADDR:PORT" (IPv4). Never NULL. */
struct grpc *grpc_open(const char *at);
void grpc_close(struct grpc *g);

/*
 * Put @len bytes (GRPC_VALUE_MAX at most), which are copied, under @key. @done is called once, by
 * grpc_wait(), with NULL, or with why etcd did not take it.
 */
void grpc_put(struct grpc *g, const char *key, const void *value, size_t len,
	      void (*done)(void *ctx, const char *error), void *ctx);

/* Read @key, linearizably. @done as above; what was read is not looked at. */
void grpc_get(struct grpc *g, const char *key, void (*done)(void *ctx, const char *error),
	      void *ctx);

/* Send and receive what can be; wait for that no longer than @ms milliseconds. */
void grpc_wait(struct grpc *g, int ms);

#endif /* GRPC_KV_H */
