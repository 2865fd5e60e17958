// SPDX-License-Identifier: GPL-2.0
/*
 * args.c - positional words and "keyword value" pairs of a command
 *
 * Judges words one by one and says which is wrong and what was expected. Whether values fit
 * together, exist, or are unique is left to the kernel, who alone knows.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "queue.h"

#define KEYWORDS_MAX 64		/* bits of the set of those seen */

char *args_next(struct args *a, const char *what)
{
	if (!a->argc) {
		cli_usage_error(a->cli, "%s is missing", what);
		return NULL;
	}
	a->argc--;
	return *a->argv++;
}

int args_end(struct args *a)
{
	if (!a->argc)
		return CLI_OK;
	return cli_usage_error(a->cli, "unexpected \"%s\"", a->argv[0]);
}

/* "a, b or c" into buf. */
static void join(char *buf, size_t len, const char *word, bool last)
{
	size_t had = strlen(buf);

	snprintf(buf + had, len - had, "%s%s", !had ? "" : last ? " or " : ", ", word);
}

static int unknown_keyword(struct args *a, const struct arg *table, const char *word)
{
	char list[256] = "";
	unsigned int i;

	for (i = 0; table[i].name; i++)
		join(list, sizeof(list), table[i].name, !table[i + 1].name);
	return cli_usage_error(a->cli, "unknown keyword \"%s\", expected %s", word, list);
}

int args_name(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	const char *word = args_next(a, arg->name);
	const struct names *names = arg->names;
	char list[256] = "";
	unsigned int i;
	uint64_t val;

	if (!word)
		return CLI_USAGE;
	if (!parse_name(word, names->name, names->n, &val)) {
		nlq_put_u8(msg, arg->attr, (uint8_t)val);
		return CLI_OK;
	}
	for (i = 1; i < names->n; i++)
		if (names->name[i])
			join(list, sizeof(list), names->name[i], i + 1 == names->n);
	return cli_usage_error(a->cli, "%s: \"%s\" is not %s", arg->name, word, list);
}

int args_send(struct cli *cli, struct nl_msg *msg, int ret)
{
	if (!ret)
		return cli->queue ? queue_add(cli, msg) : nlq_do(cli, msg);
	nlmsg_free(msg);
	return ret;
}

int args_u64(struct args *a, const char *what, uint64_t min, uint64_t max, uint64_t *val)
{
	const char *word = args_next(a, what);

	if (!word)
		return CLI_USAGE;
	if (!parse_u64(word, min, max, val))
		return CLI_OK;
	return cli_usage_error(a->cli, "%s: \"%s\" is not a number of %" PRIu64 "..%" PRIu64,
			       what, word, min, max);
}

static int take_number(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	uint64_t max = arg->max ? arg->max : UINT64_MAX >> (64 - 8 * arg->bytes);
	uint64_t val;

	if (args_u64(a, arg->name, arg->min, max, &val))
		return CLI_USAGE;
	if (arg->bytes == 1)
		nlq_put_u8(msg, arg->attr, (uint8_t)val);
	else if (arg->bytes == 2)
		nlq_put_u16(msg, arg->attr, (uint16_t)val);
	else if (arg->bytes == 4)
		nlq_put_u32(msg, arg->attr, (uint32_t)val);
	else
		nlq_put_u64(msg, arg->attr, val);
	return CLI_OK;
}

static int take(struct args *a, struct nl_msg *msg, const struct arg *arg)
{
	if (arg->take)
		return arg->take(a, msg, arg);
	return arg->names ? args_name(a, msg, arg) : take_number(a, msg, arg);
}

int args_keywords(struct args *a, const struct arg *table, struct nl_msg *msg)
{
	uint64_t seen = 0;
	unsigned int i;
	char *word;
	int ret;

	while (a->argc) {
		word = args_next(a, "keyword");
		for (i = 0; table[i].name && strcmp(table[i].name, word); i++)
			;
		if (!table[i].name)
			return unknown_keyword(a, table, word);
		if (seen & 1ULL << i && !table[i].repeat)
			return cli_usage_error(a->cli, "%s is given twice", word);
		seen |= 1ULL << i;
		ret = take(a, msg, &table[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < KEYWORDS_MAX && table[i].name; i++)
		if (table[i].required && !(seen & 1ULL << i))
			return cli_usage_error(a->cli, "%s is missing", table[i].name);
	return CLI_OK;
}

int args_service(struct args *a, struct nl_msg *msg, int attr)
{
	const char *word = args_next(a, "NAME");
	size_t len = word ? strlen(word) : 0;

	if (!word)
		return CLI_USAGE;
	if (!len || len > PXS_NAME_MAX)
		return cli_usage_error(a->cli, "NAME: \"%s\" has %zu characters, must be 1..%d",
				       word, len, PXS_NAME_MAX);
	nlq_put_str(msg, attr, word);
	return CLI_OK;
}

int args_endpoint(struct args *a, struct nl_msg *msg, const char *what, int addr, int port)
{
	const char *word = args_next(a, what);
	struct endpoint ep;

	if (!word)
		return CLI_USAGE;
	if (parse_endpoint(word, true, &ep))
		return cli_usage_error(a->cli, "\"%s\" is not ADDR:PORT or [ADDR6]:PORT with a %s",
				       word, "port of 1..65535");
	nlq_put(msg, addr, ep.addr, ep.len);
	nlq_put_u16(msg, port, htons(ep.port));
	return CLI_OK;
}
