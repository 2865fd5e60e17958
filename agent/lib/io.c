// SPDX-License-Identifier: GPL-2.0
/*
 * io.c - every system call of the library
 */
#include "io.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

u64 pxs_io_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

int pxs_io_random(void *to, size_t len)
{
	ssize_t n = getrandom(to, len, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int pxs_io_dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Of this family it is done at once, or fails: with EAGAIN when many wait. */
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

ssize_t pxs_io_send(int fd, const void *data, size_t len)
{
	ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

ssize_t pxs_io_recv(int fd, void *to, size_t len)
{
	ssize_t n = recv(fd, to, len, 0);

	return n < 0 ? -errno : n;
}

void pxs_io_close(int fd)
{
	close(fd);
}

int pxs_io_watch_init(struct pxs_io_watch *w)
{
	struct epoll_event e = { .events = EPOLLIN };
	int err;

	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->epoll >= 0 && w->timer >= 0 && !epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &e))
		return 0;
	err = -errno;
	pxs_io_watch_exit(w);
	return err;
}

void pxs_io_watch_exit(struct pxs_io_watch *w)
{
	if (w->epoll >= 0)
		close(w->epoll);
	if (w->timer >= 0)
		close(w->timer);
}

int pxs_io_watch_add(struct pxs_io_watch *w, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

void pxs_io_watch_writable(struct pxs_io_watch *w, int fd, bool too)
{
	struct epoll_event e = { .events = EPOLLIN | (too ? EPOLLOUT : 0) };

	epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &e);
}

void pxs_io_alarm(struct pxs_io_watch *w, u64 ms)
{
	struct itimerspec at = { 0 };

	/* All zeroes would be "never"; a time that is over rings at once. */
	if (ms != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(ms / 1000);
		at.it_value.tv_nsec = (long)(ms % 1000) * 1000000 + 1;
	}
	timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

int pxs_io_wait(struct pxs_io_watch *w, int timeout_ms)
{
	struct pollfd p = { .fd = w->epoll, .events = POLLIN };

	return poll(&p, 1, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}
