// SPDX-License-Identifier: GPL-2.0
/*
 * rtt.c - requests per second and latency of a UDP service, for bench.sh
 *
 *	rtt [-t MS] [-k KEYS] [-w OUTSTANDING] ADDR:PORT
 *
 * For MS milliseconds (1000) keeps OUTSTANDING requests (1) of 64 bytes under way, each on a
 * socket of its own, with keys 0..KEYS-1 (1000) in their first eight bytes. An answer must end
 * with its request. Prints "RATE P50 P99 LOST": per second, microseconds, microseconds, count.
 * Exit status 1 when nothing was answered.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"

#define REQUEST 64
#define OUTSTANDING_MAX 64
#define SAMPLES_MAX 1000000
/* Far above any round trip here: what takes longer was lost. */
#define LOST_US 1000000

struct slot {
	char request[2 * REQUEST];
	uint64_t at;
};

static struct slot slots[OUTSTANDING_MAX];
static struct pollfd fds[OUTSTANDING_MAX];
static uint32_t samples[SAMPLES_MAX];
static unsigned long nsamples, sequence, lost;
static unsigned long keys = 1000;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void ask(int i)
{
	snprintf(slots[i].request, sizeof(slots[i].request), "%08lu%056lu", sequence % keys,
		 sequence);
	sequence++;
	slots[i].at = now_us();
	if (send(fds[i].fd, slots[i].request, REQUEST, 0) != REQUEST)
		program_error("send");
}

/* True: the answer to the open request was there; a late one to a lost request is ignored. */
static bool take(int i)
{
	char answer[2048];
	ssize_t n = recv(fds[i].fd, answer, sizeof(answer), MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != ECONNREFUSED)
		program_error("recv");
	if (n < REQUEST || memcmp(answer + n - REQUEST, slots[i].request, REQUEST))
		return false;
	if (nsamples < SAMPLES_MAX)
		samples[nsamples++] = (uint32_t)(now_us() - slots[i].at);
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(int outstanding, uint64_t us)
{
	uint64_t start = now_us(), end = start + us;
	int i;

	for (i = 0; i < outstanding; i++)
		ask(i);
	while (now_us() < end) {
		if (poll(fds, (nfds_t)outstanding, 100) < 0)
			program_error("poll");
		for (i = 0; i < outstanding; i++) {
			if (fds[i].revents && take(i)) {
				ask(i);
			} else if (now_us() - slots[i].at > LOST_US) {
				lost++;
				ask(i);
			}
		}
	}
	us = now_us() - start;
	if (!nsamples) {
		fprintf(stderr, "rtt: no answer\n");
		exit(1);
	}
	qsort(samples, nsamples, sizeof(*samples), by_value);
	printf("%.0f %u %u %lu\n", (double)nsamples * 1e6 / (double)us, samples[nsamples / 2],
	       samples[nsamples * 99 / 100], lost);
}

int main(int argc, char **argv)
{
	int opt, i, outstanding = 1;
	uint64_t us = 1000000;
	struct endpoint to;

	while ((opt = getopt(argc, argv, "t:k:w:")) != -1) {
		if (opt == 't')
			us = strtoull(optarg, NULL, 10) * 1000;
		else if (opt == 'k')
			keys = strtoul(optarg, NULL, 10);
		else if (opt == 'w')
			outstanding = atoi(optarg);
		else
			return 2;
	}
	if (optind + 1 != argc || !endpoint_parse(argv[optind], &to) || !keys ||
	    outstanding < 1 || outstanding > OUTSTANDING_MAX) {
		fprintf(stderr, "usage: rtt [-t MS] [-k KEYS] [-w 1..%d] ADDR:PORT\n",
			OUTSTANDING_MAX);
		return 2;
	}
	for (i = 0; i < outstanding; i++) {
		fds[i].events = POLLIN;
		fds[i].fd = socket(to.sa.sa_family, SOCK_DGRAM, 0);
		if (fds[i].fd < 0 || connect(fds[i].fd, &to.sa, to.len))
			program_error("connect");
	}
	measure(outstanding, us);
	return 0;
}
