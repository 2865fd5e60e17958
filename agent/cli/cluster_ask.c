// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_ask.c - how is a member? Asked of its store, as any Redis client would
 */
#include "cluster_ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX	8192u
#define WHAT_MAX	320u	/* a command */
#define QUESTION_MAX	(CLUSTER_PASSWORD_MAX + WHAT_MAX + 48)

/* --- what it says ------------------------------------------------------------ */

static int find_number(const char *text, const char *name, uint64_t *n)
{
	char mark[24], *end;
	const char *at;
	uint64_t value;
	int base;

	snprintf(mark, sizeof(mark), "\n%s:", name);
	at = strstr(text, mark);
	if (!at)
		return -1;
	at += strlen(mark);
	base = at[0] == '0' && at[1] == 'x' ? 16 : 10;
	errno = 0;
	value = strtoull(at, &end, base);
	if (errno || *at < '0' || *at > '9' || (*end != '\r' && *end != '\n'))
		return -1;
	*n = value;
	return 0;
}

/* The answers that are OK. */
static const char *skip_ok(const char *text)
{
	while (*text == '+') {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text;
}

/* Another machine's words, for a terminal: what could do something there is a question mark. */
static void take_error(const char *text, char *why)
{
	snprintf(why, CLUSTER_WHY_MAX, "%.*s", (int)strcspn(text + 1, "\r\n"), text + 1);
	for (; *why; why++)
		if (*why < ' ' || *why > '~')
			*why = '?';
}

/* "...,name=NUMBER" in a line. */
static int find_field(const char *line, const char *name, uint64_t *n)
{
	size_t len = strlen(name), end = strcspn(line, "\r\n");
	const char *at = line;

	while (at && (size_t)(at - line) < end) {
		at++;
		if (!strncmp(at, name, len) && at[len] == '=' && at[len + 1] >= '0' &&
		    at[len + 1] <= '9') {
			*n = strtoull(at + len + 1, NULL, 10);
			return 0;
		}
		at = strchr(at, ',');
	}
	return -1;
}

/* Lines "groupN:leader=...": a daemon that does not say how far it is says nothing here. */
static void take_parts(const char *text, struct cluster_answer *a)
{
	struct cluster_part p;
	const char *at = text;
	char *colon;

	while ((at = strstr(at, "\ngroup")) && a->n < CLUSTER_PARTS_MAX) {
		at += strlen("\ngroup");
		p = (struct cluster_part){ .group = strtoull(at, &colon, 10) };
		if (!p.group || *colon != ':' || find_field(colon, "leader", &p.leader) ||
		    find_field(colon, "commit", &p.commit))
			continue;
		find_field(colon, "epoch", &p.epoch);
		find_field(colon, "borrows_slot", &p.borrows_slot);
		find_field(colon, "borrows_size", &p.borrows_size);
		find_field(colon, "borrows_bytes", &p.borrows_bytes);
		a->part[a->n++] = p;
	}
}

bool cluster_answer_turn(struct cluster_answer *a, uint64_t group)
{
	unsigned int i;

	if (a->now.group == group)
		return true;
	for (i = 0; i < a->n; i++) {
		if (a->part[i].group != group)
			continue;
		a->now = a->part[i];
		return true;
	}
	return false;
}

void cluster_answer_parse(const char *text, struct cluster_answer *a)
{
	*a = (struct cluster_answer){ 0 };
	text = skip_ok(text);
	if (*text == '-')
		take_error(text, a->why);
	else if (find_number(text, "group", &a->now.group) ||
		 find_number(text, "leader", &a->now.leader) ||
		 find_number(text, "commit", &a->now.commit))
		strcpy(a->why, "answers, but not as a store of paxsteerd does");
	if (*a->why)
		return;
	find_number(text, "member", &a->member);
	find_number(text, "incarnation", &a->incarnation);
	a->tells_prefixes = !find_number(text, "prefixes", &a->prefixes);
	find_number(text, "epoch", &a->now.epoch);
	find_number(text, "borrows_slot", &a->now.borrows_slot);
	find_number(text, "borrows_size", &a->now.borrows_size);
	find_number(text, "borrows_bytes", &a->now.borrows_bytes);
	take_parts(text, a);
}

/* --- asking ------------------------------------------------------------------ */

struct talk {
	int fd;
	uint64_t end;		/* ms */
};

uint64_t cluster_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Return: 0 or -errno. */
static int await(const struct talk *t, short events)
{
	struct pollfd p = { .fd = t->fd, .events = events };
	uint64_t now = cluster_now_ms();
	int n = now < t->end ? poll(&p, 1, (int)(t->end - now)) : 0;

	return n > 0 ? 0 : n ? -errno : -ETIMEDOUT;
}

static int dial(struct talk *t, const struct endpoint *e)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(e->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
	socklen_t len = sizeof(int);
	int ret, fault = 0;

	memcpy(&v4.sin_addr, e->addr, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, e->addr, sizeof(v6.sin6_addr));
	t->fd = socket(e->len == 4 ? AF_INET : AF_INET6,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return -errno;
	ret = e->len == 4 ? connect(t->fd, (struct sockaddr *)&v4, sizeof(v4)) :
			    connect(t->fd, (struct sockaddr *)&v6, sizeof(v6));
	if (ret && errno != EINPROGRESS)
		return -errno;
	ret = await(t, POLLOUT);
	if (!ret && getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &fault, &len))
		fault = errno;
	return ret ? ret : -fault;
}

static int say(const struct talk *t, const char *text, size_t len)
{
	ssize_t n;
	int err;

	for (; len; text += n, len -= (size_t)n) {
		err = await(t, POLLOUT);
		if (err)
			return err;
		n = send(t->fd, text, len, MSG_NOSIGNAL);
		if (n < 0)
			return -errno;
	}
	return 0;
}

/* All that comes until the other side ends. */
static int listen_to(const struct talk *t, char *text)
{
	size_t len = 0;
	ssize_t n = 1;
	int err = 0;

	while (!err && n > 0 && len < ANSWER_MAX - 1) {
		err = await(t, POLLIN);
		if (err)
			break;
		n = recv(t->fd, text + len, ANSWER_MAX - 1 - len, 0);
		if (n < 0)
			err = -errno;
		else
			len += (size_t)n;
	}
	text[len] = 0;
	return err;
}

/* Say @what, and then goodbye. Return: 0 or -errno. */
static int converse(const struct endpoint *store, const char *password, unsigned int ms,
		    const char *what, char *answer)
{
	struct talk t = { .fd = -1, .end = cluster_now_ms() + ms };
	char question[QUESTION_MAX] = "";
	int err;

	if (password)
		snprintf(question, sizeof(question), "*2\r\n$4\r\nAUTH\r\n$%zu\r\n%s\r\n",
			 strlen(password), password);
	strcat(question, what);
	strcat(question, "\r\nQUIT\r\n");
	err = dial(&t, store);
	if (!err)
		err = say(&t, question, strlen(question));
	if (!err)
		err = listen_to(&t, answer);
	explicit_bzero(question, sizeof(question));
	if (t.fd >= 0)
		close(t.fd);
	return err;
}

void cluster_ask(const struct endpoint *store, const char *password, unsigned int ms,
		 struct cluster_answer *a)
{
	char answer[ANSWER_MAX];
	int err = converse(store, password, ms, "INFO paxsteer", answer);

	if (!err) {
		cluster_answer_parse(answer, a);
		return;
	}
	*a = (struct cluster_answer){ 0 };
	snprintf(a->why, sizeof(a->why), "%s", strerror(-err));
}

/* @what is done, and answered with OK, or refused. */
static int order(const struct endpoint *store, const char *password, unsigned int ms,
		 const char *what, char *why)
{
	char answer[ANSWER_MAX];
	const char *at;
	int err = converse(store, password, ms, what, answer);

	if (err) {
		snprintf(why, CLUSTER_WHY_MAX, "%s", strerror(-err));
		return -1;
	}
	at = skip_ok(answer);
	if (*at == '-')
		take_error(at, why);
	else if (at == answer)
		strcpy(why, "answers, but not as a store of paxsteerd does");
	return *at == '-' || at == answer ? -1 : 0;
}

int cluster_ask_lead(const struct endpoint *store, const char *password, unsigned int ms,
		     uint64_t group, uint64_t member, char *why)
{
	char what[WHAT_MAX];

	snprintf(what, sizeof(what), "PAXSTEER LEADER %" PRIu64 " %" PRIu64, member, group);
	return order(store, password, ms, what, why);
}

int cluster_ask_change(const struct endpoint *store, const char *password, unsigned int ms,
		       const char *mandate, char *why)
{
	char what[WHAT_MAX];

	snprintf(what, sizeof(what), "PAXSTEER MEMBER %s", mandate);
	return order(store, password, ms, what, why);
}
