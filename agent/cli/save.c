// SPDX-License-Identifier: GPL-2.0
/*
 * save.c - the object "save": the steering configuration as the lines that make it
 *
 * Every option that tables are made of is written out, also where it has its default, so that
 * another version makes the same tables of it; the others where they are not off. Services
 * and backends come in dumps of their own. They belong together if the services before and after
 * the backends are the same ones; otherwise all is read again. What a group agrees on is left
 * out: its log brings it back, and knows better. So is a socket that a process gave as a
 * descriptor: no line can make one, and a comment says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "save.h"

#define TRIES		8

/* An attribute more: does `service add` take it, and does save have to print it? */
_Static_assert(PXS_A_SERVICE_MAX == 26 && PXS_A_SERVICE_PAD == 18,
	       "service_line() knows the attributes up to key prefix, slow start, bound, tunnel port, group and passive");
_Static_assert(PXS_A_BACKEND_MAX == 22 && PXS_A_BACKEND_PAD == 10,
	       "on_backend() knows the attributes up to state, and left; health is checked anew, also is of ADD");

static const char usage[] =
	"Usage: paxsteer save [service NAME]\n"
	"The lines hold the services' seeds: keep them private.\n";

struct entry {
	char *line;
	uint64_t generation;
	uint64_t backends, seen;	/* that it has, and that came */
	bool agreed;			/* it comes of its group's log: not saved */
};

struct saving {
	const char *service;		/* NULL: all */
	struct entry *entry;
	size_t n, at;			/* at: whose backends come */
	size_t again;			/* entries that the second dump showed unchanged */
	size_t sockets;			/* backends that no line can make */
	FILE *f;
	char *text;
	size_t len;
	bool changed;
};

static int no_memory(struct cli *cli)
{
	cli_error(cli, "out of memory");
	return CLI_NO_KERNEL;
}

/* Of a newer kernel: a line that leaves it out would make something else. */
static bool known(struct cli *cli, const char *what, const struct names *names, uint64_t value)
{
	if (value < names->n && names->name[value])
		return true;
	cli_error(cli, "%s %" PRIu64 " is not known to this program", what, value);
	return false;
}

static const char *word_of(const struct names *names, const struct nlattr *a)
{
	return name_of(names, (unsigned int)nlq_uint(a));
}

/* Return: the line that adds the service, NULL and a message if it cannot be told. */
static char *service_line(struct cli *cli, struct nlattr **tb)
{
	char at[PARSE_ENDPOINT_LEN], seed[2 * PXS_SEED_LEN + 1], key[64], cap[32] = "";
	uint64_t slow_start = nlq_uint(tb[PXS_A_SERVICE_SLOW_START]);
	uint64_t bound = nlq_uint(tb[PXS_A_SERVICE_BOUND]);
	uint64_t fails = nlq_uint(tb[PXS_A_SERVICE_PASSIVE_FAILS]);
	char ramp[40] = "", most[56] = "", port[32] = "", passive[56] = "";
	struct endpoint ep;
	char *line = NULL;

	if (!known(cli, "mode", &names_mode, nlq_uint(tb[PXS_A_SERVICE_MODE])) ||
	    !known(cli, "fill", &names_fill, nlq_uint(tb[PXS_A_SERVICE_FILL])) ||
	    !known(cli, "key", &names_key, nlq_uint(tb[PXS_A_SERVICE_KEY])) ||
	    !known(cli, "protocol", &names_proto, nlq_uint(tb[PXS_A_SERVICE_PROTO])))
		return NULL;
	if (!nlq_endpoint(tb[PXS_A_SERVICE_ADDR], tb[PXS_A_SERVICE_PORT], &ep) ||
	    !tb[PXS_A_SERVICE_SEED] || nla_len(tb[PXS_A_SERVICE_SEED]) != PXS_SEED_LEN) {
		cli_error(cli, "the kernel shows a service without address or seed");
		return NULL;
	}
	format_hex(seed, nla_data(tb[PXS_A_SERVICE_SEED]), PXS_SEED_LEN);
	service_key_text(tb, key, sizeof(key));
	if (tb[PXS_A_SERVICE_CAP])
		snprintf(cap, sizeof(cap), " cap %" PRIu64, nlq_uint(tb[PXS_A_SERVICE_CAP]));
	if (tb[PXS_A_SERVICE_TUNNEL_PORT])
		snprintf(port, sizeof(port), " tunnel-port %u",
			 ntohs((uint16_t)nlq_uint(tb[PXS_A_SERVICE_TUNNEL_PORT])));
	if (slow_start)
		snprintf(ramp, sizeof(ramp), " slow-start %" PRIu64, slow_start);
	if (bound)
		snprintf(most, sizeof(most), " bound %" PRIu64 ".%03" PRIu64, bound / 1000,
			 bound % 1000);
	if (fails)
		snprintf(passive, sizeof(passive), " passive %" PRIu64 "/%" PRIu64, fails,
			 nlq_uint(tb[PXS_A_SERVICE_PASSIVE_SECONDS]));
	if (asprintf(&line,
		     "service add %s %s %s mode %s%s key %s fill %s rows %" PRIu64 "%s%s%s%s seed %s",
		     nlq_str(tb[PXS_A_SERVICE_NAME]),
		     word_of(&names_proto, tb[PXS_A_SERVICE_PROTO]), format_endpoint(at, &ep),
		     word_of(&names_mode, tb[PXS_A_SERVICE_MODE]), port, key,
		     word_of(&names_fill, tb[PXS_A_SERVICE_FILL]),
		     nlq_uint(tb[PXS_A_SERVICE_ROWS]), cap, ramp, most, passive, seed) < 0) {
		no_memory(cli);
		return NULL;
	}
	return line;
}

static int on_service(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct saving *s = arg;
	struct entry *grown;
	char *line;

	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	line = service_line(cli, tb);
	if (!line)
		return CLI_NO_KERNEL;
	grown = realloc(s->entry, (s->n + 1) * sizeof(*grown));
	if (!grown) {
		free(line);
		return no_memory(cli);
	}
	s->entry = grown;
	s->entry[s->n++] = (struct entry){
		.line = line,
		.generation = nlq_uint(tb[PXS_A_SERVICE_GENERATION]),
		.backends = nlq_uint(tb[PXS_A_SERVICE_NBACKENDS]),
		.agreed = nlq_uint(tb[PXS_A_SERVICE_GROUP]),
	};
	return CLI_OK;
}

/* Is the service still as it was before the backends were read? */
static int on_service_again(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct saving *s = arg;
	char *line;

	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	line = service_line(cli, tb);
	if (!line)
		return CLI_NO_KERNEL;
	if (s->again == s->n || strcmp(line, s->entry[s->again].line) ||
	    s->entry[s->again].generation != nlq_uint(tb[PXS_A_SERVICE_GENERATION]))
		s->changed = true;
	else
		s->again++;
	free(line);
	return CLI_OK;
}

/* "service add NAME ...": is it of that name? */
static bool is_of(const struct entry *e, const char *name)
{
	const char *at = e->line + strlen("service add ");
	size_t len = strlen(name);

	return !strncmp(at, name, len) && at[len] == ' ';
}

static void put_next(struct saving *s)
{
	const struct entry *e = &s->entry[s->at++];

	if (!e->agreed)
		fprintf(s->f, "%s\n", e->line);
}

/* Print the services up to and with that of the name; backends come in the same order. */
static bool go_to(struct saving *s, const char *name)
{
	while (s->at < s->n && (!s->at || !is_of(&s->entry[s->at - 1], name)))
		put_next(s);
	return s->at && is_of(&s->entry[s->at - 1], name);
}

/* " deadline N" of what is left, so that it goes on where it is restored; one that passed is due. */
static const char *deadline(char *buf, size_t len, struct nlattr **tb)
{
	uint64_t left = (nlq_uint(tb[PXS_A_BACKEND_LEFT]) + 999) / 1000;

	*buf = '\0';
	if (tb[PXS_A_BACKEND_LEFT])
		snprintf(buf, len, " deadline %" PRIu64, left ? left : 1);
	return buf;
}

static int on_backend(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	char at[PARSE_ENDPOINT_LEN], until[32];
	struct saving *s = arg;
	struct endpoint ep;

	nlq_parse(msg, tb, PXS_A_BACKEND_MAX);
	if (!go_to(s, nlq_str(tb[PXS_A_BACKEND_SERVICE]))) {
		s->changed = true;
		return CLI_OK;
	}
	if (!known(cli, "state", &names_backend_state, nlq_uint(tb[PXS_A_BACKEND_STATE])))
		return CLI_NO_KERNEL;
	if (!nlq_backend(tb, &ep)) {
		cli_error(cli, "the kernel shows a backend without address");
		return CLI_NO_KERNEL;
	}
	s->entry[s->at - 1].seen++;
	if (s->entry[s->at - 1].agreed)
		return CLI_OK;
	if (ep.socket) {
		s->sockets++;
		fprintf(s->f, "# not saved, its process has to give it again: backend of %s %s weight %" PRIu64 " id 0x%016" PRIx64 "\n",
			nlq_str(tb[PXS_A_BACKEND_SERVICE]), format_endpoint(at, &ep),
			nlq_uint(tb[PXS_A_BACKEND_WEIGHT]), nlq_uint(tb[PXS_A_BACKEND_ID]));
		return CLI_OK;
	}
	fprintf(s->f, "backend add %s %s weight %" PRIu64 " id 0x%016" PRIx64 " state %s%s\n",
		nlq_str(tb[PXS_A_BACKEND_SERVICE]), format_endpoint(at, &ep),
		nlq_uint(tb[PXS_A_BACKEND_WEIGHT]), nlq_uint(tb[PXS_A_BACKEND_ID]),
		word_of(&names_backend_state, tb[PXS_A_BACKEND_STATE]),
		deadline(until, sizeof(until), tb));
	return CLI_OK;
}

static int ask_services(struct cli *cli, struct saving *s, nlq_fn *fn)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_GET);

	if (!s->service)
		return nlq_dump(cli, msg, fn, s);
	nlq_put_str(msg, PXS_A_SERVICE_NAME, s->service);
	return nlq_get(cli, msg, fn, s);
}

static int ask_backends(struct cli *cli, struct saving *s)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_GET);

	if (s->service)
		nlq_put_str(msg, PXS_A_BACKEND_SERVICE, s->service);
	return nlq_dump(cli, msg, on_backend, s);
}

static void forget(struct saving *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->entry[i].line);
	free(s->entry);
}

/* One try. On CLI_OK without s->changed the text is whole. */
static int save_once(struct cli *cli, struct saving *s)
{
	size_t i;
	int ret;

	s->f = open_memstream(&s->text, &s->len);
	if (!s->f)
		return no_memory(cli);
	ret = ask_services(cli, s, on_service);
	if (!ret)
		ret = ask_backends(cli, s);
	if (!ret)
		ret = ask_services(cli, s, on_service_again);
	while (s->at < s->n)
		put_next(s);
	for (i = 0; i < s->n; i++)
		s->changed |= s->entry[i].seen != s->entry[i].backends;
	s->changed |= s->again != s->n;
	if (fclose(s->f) && !ret)
		ret = no_memory(cli);
	forget(s);
	return ret;
}

int save_text(struct cli *cli, const char *service, char **text, size_t *sockets)
{
	struct saving s;
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++) {
		s = (struct saving){ .service = service };
		ret = save_once(cli, &s);
		if (!ret && !s.changed) {
			*text = s.text;
			if (sockets)
				*sockets = s.sockets;
			return CLI_OK;
		}
		free(s.text);
		if (ret)
			return ret;
	}
	cli_error(cli, "the configuration changes too fast to be saved");
	return CLI_NO_KERNEL;
}

void save_print(struct out *o, char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) && rest) {
		out_object(o, NULL, NULL, OUT_LINE);
		out_str(o, "command", "", line);
		out_close(o);
	}
}

int save_run(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *check = nlq_msg(PXS_CMD_SERVICE_GET);
	struct args a = { cli, argc, argv };
	const char *service = NULL;
	int ret = CLI_OK;
	char *text;

	if (argc == 1 && !strcmp(argv[0], "help")) {
		nlmsg_free(check);
		fputs(usage, stdout);
		return CLI_OK;
	}
	if (argc && strcmp(args_next(&a, "service"), "service"))
		ret = cli_usage_error(cli, "unknown keyword \"%s\", expected service", argv[0]);
	if (!ret && argc) {
		service = a.argc ? a.argv[0] : NULL;
		ret = args_service(&a, check, PXS_A_SERVICE_NAME);
	}
	nlmsg_free(check);
	if (!ret)
		ret = args_end(&a);
	if (!ret)
		ret = save_text(cli, service, &text, NULL);
	if (ret)
		return ret;
	save_print(cli->out, text);
	free(text);
	return CLI_OK;
}
