// SPDX-License-Identifier: GPL-2.0
/*
 * lookup.c - the object "lookup": which backend a key or a flow gets, and why
 *
 * Asks the kernel to decide as it would for a packet; nothing is sent and nothing counted.
 */
#include <arpa/inet.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"

static const char usage[] =
	"Usage: paxsteer lookup SERVICE { key STRING | hex HEX | from ADDR[:PORT] }\n"
	"ADDR[:PORT] := 192.0.2.1 | 192.0.2.1:1024 | 2001:db8::1 | [2001:db8::1]:1024\n";

static int take_key(struct args *a, struct nl_msg *msg)
{
	const char *word = args_next(a, "key STRING");
	size_t len = word ? strlen(word) : 0;

	if (!word)
		return CLI_USAGE;
	if (!len || len > PXS_LOOKUP_KEY_MAX)
		return cli_usage_error(a->cli, "key: has %zu bytes, must be 1..%d", len,
				       PXS_LOOKUP_KEY_MAX);
	nlq_put(msg, PXS_A_LOOKUP_KEY, word, len);
	return CLI_OK;
}

static int take_hex(struct args *a, struct nl_msg *msg)
{
	const char *word = args_next(a, "hex HEX");
	uint8_t key[PXS_LOOKUP_KEY_MAX];
	size_t len;

	if (!word)
		return CLI_USAGE;
	if (parse_hex_any(word, key, sizeof(key), &len))
		return cli_usage_error(a->cli, "hex: \"%s\" is not 1..%d pairs of hex digits",
				       word, PXS_LOOKUP_KEY_MAX);
	nlq_put(msg, PXS_A_LOOKUP_KEY, key, len);
	return CLI_OK;
}

static int take_from(struct args *a, struct nl_msg *msg)
{
	const char *word = args_next(a, "from ADDR[:PORT]");
	struct endpoint ep;

	if (!word)
		return CLI_USAGE;
	if (parse_endpoint(word, false, &ep))
		return cli_usage_error(a->cli, "from: \"%s\" is not an address or ADDR:PORT",
				       word);
	nlq_put(msg, PXS_A_LOOKUP_SADDR, ep.addr, ep.len);
	if (ep.port)
		nlq_put_u16(msg, PXS_A_LOOKUP_SPORT, htons(ep.port));
	return CLI_OK;
}

static void put_index(struct out *o, const char *key, const struct nlattr *a)
{
	if (a && nlq_uint(a) != 0xffff)
		out_num(o, key, key, nlq_uint(a));
	else
		out_str(o, key, key, NULL);
}

/* "SUBJECT is down", "SUBJECT drains", ... behind *text, which has room for @len bytes. */
static void say_unfit(char *text, size_t len, const char *subject, const struct nlattr *unfit)
{
	static const char *const said[] = {
		[PXS_UNFIT_DOWN] = "is down",
		[PXS_UNFIT_DRAIN] = "drains",
		[PXS_UNFIT_BAD] = "fails its check",
		[PXS_UNFIT_FULL] = "is full",
		[PXS_UNFIT_FAILED] = "failed",
	};
	uint64_t reason = unfit ? nlq_uint(unfit) : 0;
	size_t used = strlen(text);

	if (!reason)
		return;
	snprintf(text + used, len - used, "%s %s %s", strchr(text, ':') ? "," : ":", subject,
		 reason < sizeof(said) / sizeof(*said) ? said[reason] : "does not serve");
}

/* Why the chosen one: a sentence in text, its parts in JSON. */
static void put_why(struct out *o, struct nlattr **tb)
{
	static const char *const said[] = {
		[PXS_CHOICE_FIRST] = "first choice",
		[PXS_CHOICE_SECOND] = "second choice",
		[PXS_CHOICE_PROBE] = "choice of another row",
		[PXS_CHOICE_NONE] = "nobody serves",
	};
	unsigned int choice = (unsigned int)nlq_uint(tb[PXS_A_LOOKUP_CHOICE]);
	struct nlattr *first = tb[PXS_A_LOOKUP_FIRST_UNFIT];
	struct nlattr *second = tb[PXS_A_LOOKUP_SECOND_UNFIT];
	char text[128] = "?";

	if (choice < sizeof(said) / sizeof(*said))
		snprintf(text, sizeof(text), "%s", said[choice]);
	if (choice != PXS_CHOICE_FIRST)
		say_unfit(text, sizeof(text), "the first", first);
	if (choice == PXS_CHOICE_PROBE || choice == PXS_CHOICE_NONE)
		say_unfit(text, sizeof(text), "the second", second);
	out_str(o, NULL, "why", text);
	out_str(o, "choice", NULL, name_of(&names_choice, choice));
	out_str(o, "first_unfit", NULL,
		first ? name_of(&names_unfit, (unsigned int)nlq_uint(first)) : NULL);
	out_str(o, "second_unfit", NULL,
		second ? name_of(&names_unfit, (unsigned int)nlq_uint(second)) : NULL);
}

static int show(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_LOOKUP_MAX + 1];
	struct out *o = cli->out;
	struct endpoint ep;

	(void)arg;
	nlq_parse(msg, tb, PXS_A_LOOKUP_MAX);
	out_object(o, NULL, NULL, OUT_PAIRS);
	if (nlq_endpoint(tb[PXS_A_LOOKUP_ADDR], tb[PXS_A_LOOKUP_PORT], &ep)) {
		ep.socket = nlq_uint(tb[PXS_A_LOOKUP_SOCKET]);
		out_endpoint(o, "backend", &ep);
	} else {
		out_str(o, "addr", "backend", NULL);
	}
	put_why(o, tb);
	put_index(o, "chosen", tb[PXS_A_LOOKUP_CHOSEN]);
	put_index(o, "first", tb[PXS_A_LOOKUP_FIRST]);
	put_index(o, "second", tb[PXS_A_LOOKUP_SECOND]);
	out_num(o, "row", "row", nlq_uint(tb[PXS_A_LOOKUP_ROW]));
	out_hex(o, "hash", "hash", nlq_uint(tb[PXS_A_LOOKUP_HASH]));
	out_num(o, "generation", "generation", nlq_uint(tb[PXS_A_LOOKUP_GENERATION]));
	out_close(o);
	return CLI_OK;
}

/* key, hex or from, exactly one of them. */
static int take_question(struct args *a, struct nl_msg *msg)
{
	const char *word = args_next(a, "key, hex or from");

	if (!word)
		return CLI_USAGE;
	if (!strcmp(word, "key"))
		return take_key(a, msg);
	if (!strcmp(word, "hex"))
		return take_hex(a, msg);
	if (!strcmp(word, "from"))
		return take_from(a, msg);
	return cli_usage_error(a->cli, "unknown keyword \"%s\", expected key, hex or from", word);
}

int lookup_run(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	struct nl_msg *msg;
	int ret;

	/* A service of the name "help" can be asked for: it then has more words after it. */
	if (argc == 1 && !strcmp(argv[0], "help")) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	msg = nlq_msg(PXS_CMD_LOOKUP);
	ret = args_service(&a, msg, PXS_A_LOOKUP_SERVICE);
	if (!ret)
		ret = take_question(&a, msg);
	if (!ret)
		ret = args_end(&a);
	if (!ret)
		return nlq_get(cli, msg, show, NULL);
	nlmsg_free(msg);
	return ret;
}
