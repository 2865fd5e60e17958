/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io.h - every system call of the library, so that tests can stand in for the world
 */
#ifndef PXS_LIB_IO_H
#define PXS_LIB_IO_H

#include <sys/types.h>

#include "platform.h"

u64 pxs_io_now(void);		/* milliseconds of a clock that only goes forward */
int pxs_io_random(void *to, size_t len);	/* 0 or -errno */

/* A stream to the socket at @path that does not block. Return: the fd, or -errno. */
int pxs_io_dial(const char *path);
/* Bytes, or -errno: -EAGAIN for later. */
ssize_t pxs_io_send(int fd, const void *data, size_t len);
ssize_t pxs_io_recv(int fd, void *to, size_t len);
void pxs_io_close(int fd);

/* One fd to poll, which is readable when a stream is or the alarm rings. 0 or -errno. */
struct pxs_io_watch {
	int epoll;
	int timer;
};

int pxs_io_watch_init(struct pxs_io_watch *w);
void pxs_io_watch_exit(struct pxs_io_watch *w);
int pxs_io_watch_add(struct pxs_io_watch *w, int fd);
void pxs_io_watch_writable(struct pxs_io_watch *w, int fd, bool too);
/* Ring at @ms of pxs_io_now(); 0: at once; UINT64_MAX: never. */
void pxs_io_alarm(struct pxs_io_watch *w, u64 ms);
int pxs_io_wait(struct pxs_io_watch *w, int timeout_ms);

#endif /* PXS_LIB_IO_H */
