// SPDX-License-Identifier: GPL-2.0
/*
 * failnth.c - one system call in which the Nth allocation fails
 *
 * A shared library for failslab.py. Between arming and disarming nothing runs but the
 * call itself, so whatever is counted belongs to it. Needs CONFIG_FAULT_INJECTION.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int nth_fd = -1;

/* Return: 0, or an errno. Once per thread. */
int failnth_open(void)
{
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return nth_fd < 0 ? errno : 0;
}

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth_fd, text, (size_t)len, 0) != len)
		abort();
}

/*
 * Return: what was left to count: 0 when the failure happened. Copies from and to user space are
 * counted as well, and these calls make one each: when the failure is theirs, it was not the
 * call's. The counter is at 0 then, and nothing fails the second time.
 */
static unsigned int disarm(void)
{
	char text[16] = "";
	ssize_t len = pread(nth_fd, text, sizeof(text) - 1, 0);

	if (len < 0 && errno == EFAULT)
		return 1;
	if (len <= 0)
		abort();
	if (pwrite(nth_fd, "0", 1, 0) != 1 && pwrite(nth_fd, "0", 1, 0) != 1)
		abort();
	return (unsigned int)strtoul(text, NULL, 10);
}

/*
 * Each does its call with the allocation number *n failing (0: none), leaves in *n what
 * was left to count, and returns what the call returned, or a negative errno.
 */
#define FAILNTH(call) ({ long ret, err; arm(*n); ret = (call); err = errno; \
			 *n = disarm(); ret < 0 ? -err : ret; })

long failnth_send(unsigned int *n, int fd, const void *buf, size_t len)
{
	return FAILNTH(send(fd, buf, len, 0));
}

long failnth_recv(unsigned int *n, int fd, void *buf, size_t len, int flags)
{
	return FAILNTH(recv(fd, buf, len, flags));
}

long failnth_write(unsigned int *n, int fd, const void *buf, size_t len)
{
	return FAILNTH(write(fd, buf, len));
}

long failnth_unshare(unsigned int *n, int flags)
{
	return FAILNTH(unshare(flags));
}

long failnth_load_module(unsigned int *n, int fd, const char *params)
{
	return FAILNTH(syscall(SYS_finit_module, fd, params, 0));
}
