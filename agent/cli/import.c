// SPDX-License-Identifier: GPL-2.0
/*
 * import.c - the object "import": another balancer's configuration as lines for restore
 *
 * Reads what `ipvsadm -Sn` prints. Nothing is printed before all is understood; what has no
 * equivalent here is said on stderr, with the line it stands in, and left out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "ipvs.h"
#include "parse.h"
#include "save.h"

#define WORDS_MAX	64
#define SPEC_MAX	96	/* "-t [ADDR6]:PORT" and more */

static const char usage[] =
	"Usage: paxsteer import ipvs [FILE]\n"
	"FILE: what ipvsadm -Sn prints; - (default) is standard input\n"
	"Prints lines for `paxsteer restore`. What has no equivalent is named on stderr.\n";

/* A service that was read. Its servers may come later, between those of others. */
struct virtual {
	char spec[SPEC_MAX];		/* as it was written */
	char name[PXS_NAME_MAX + 1];
	struct endpoint at;
	bool skipped;
	bool tunnels;			/* see mode */
	char mode[32];			/* as its first server is reached */
	char head[128], tail[64];	/* its line without the mode */
	char *servers;			/* their lines; NULL: none */
	size_t len;			/* of them, bytes */
};

struct import {
	struct cli *cli;
	struct virtual *service;
	size_t n;
	FILE *f;			/* the lines made, in the end */
};

/* As in `service add`, or NULL: neither TCP nor UDP. */
static const char *proto_of(unsigned int option)
{
	return option == IPVS_TCP ? "tcp" : option == IPVS_UDP ? "udp" : NULL;
}

static void spec_of(const struct ipvs_line *l, char *spec)
{
	unsigned int option = ipvs_service_of(l);

	snprintf(spec, SPEC_MAX, "%s %s%s", ipvs_option_name(option), l->value[option],
		 l->value[IPVS_IPV6] ? " -6" : "");
}

static struct virtual *find(struct import *im, const char *spec)
{
	size_t i;

	for (i = 0; i < im->n; i++)
		if (!strcmp(im->service[i].spec, spec))
			return &im->service[i];
	return NULL;
}

/* tcp-192.0.2.1-80: a name may hold no colon, and not all of a long IPv6 address. */
static void make_name(const struct import *im, struct virtual *v, const char *proto)
{
	char host[INET6_ADDRSTRLEN], name[2 * INET6_ADDRSTRLEN], *colon;

	inet_ntop(v->at.len == 16 ? AF_INET6 : AF_INET, v->at.addr, host, sizeof(host));
	while ((colon = strchr(host, ':')))
		*colon = '_';
	snprintf(name, sizeof(name), "%s-%s-%u", proto, host, (unsigned int)v->at.port);
	if (strlen(name) > PXS_NAME_MAX)
		snprintf(name, sizeof(name), "%s6-%u-line%u", proto, (unsigned int)v->at.port,
			 im->cli->line);
	snprintf(v->name, sizeof(v->name), "%.*s", PXS_NAME_MAX, name);
}

/* ADDR:PORT with the port 0: IPVS then takes every port. */
static bool every_port(const char *word)
{
	const char *colon = strrchr(word, ':');

	return colon && !strcmp(colon, ":0");
}

/* Why a service can't be one here, or NULL. */
static const char *obstacle(const struct ipvs_line *l)
{
	unsigned int option = ipvs_service_of(l);

	if (option == IPVS_FWMARK)
		return "a service by firewall mark";
	if (option == IPVS_SCTP)
		return "an SCTP service";
	if (every_port(l->value[option]))
		return "a service of every port";
	return NULL;
}

static void no_equivalent(struct cli *cli, const struct ipvs_line *l, unsigned int option)
{
	const char *value = l->value[option];

	if (value)
		cli_error(cli, "warning: %s%s%s has no equivalent: left out",
			  ipvs_option_name(option), *value ? " " : "", value);
}

/*
 * Is the flag among those of -b? Words that are neither it nor harmless are warned of.
 * The fallback flags ask for what always happens here.
 */
static bool hashes_port(struct cli *cli, const char *flags)
{
	char copy[128], *rest = copy, *word;
	bool port = false;

	snprintf(copy, sizeof(copy), "%s", flags ? flags : "");
	while ((word = strsep(&rest, ","))) {
		if (!strcmp(word, "sh-port") || !strcmp(word, "mh-port"))
			port = true;
		else if (*word && strcmp(word, "sh-fallback") && strcmp(word, "mh-fallback"))
			cli_error(cli, "warning: -b %s has no equivalent: left out", word);
	}
	return port;
}

/* What of -p and -M becomes of the key. Return: an exit status. */
static int persistence(struct cli *cli, const struct ipvs_line *l, bool v6, char *key, size_t room)
{
	const char *mask = l->value[IPVS_NETMASK];
	unsigned int whole = v6 ? 128 : 32, bits = whole;

	if (mask && ipvs_netmask(mask, v6, &bits))
		return cli_usage_error(cli, "-M: \"%s\" is not a netmask", mask);
	if (!bits) {
		cli_error(cli, "warning: -M %s has no equivalent: the whole address counts", mask);
		bits = whole;
	}
	if (bits == whole)
		snprintf(key, room, "source");
	else
		snprintf(key, room, "source/%u", bits);
	cli_error(cli, "warning: -p has no timeout here: key %s, a client stays with its backend",
		  key);
	return CLI_OK;
}

/* Key and fill for scheduler and persistence. Return: an exit status. */
static int method(struct cli *cli, const struct ipvs_line *l, bool v6, char *text, size_t room)
{
	const char *sched = l->value[IPVS_SCHEDULER] ? l->value[IPVS_SCHEDULER] : "wlc";
	bool mh = !strcmp(sched, "mh"), sh = !strcmp(sched, "sh");
	bool port = hashes_port(cli, l->value[IPVS_FLAGS]);
	char key[32];
	int ret;

	snprintf(key, sizeof(key), (mh || sh) && !port ? "source" : "tuple");
	if (l->value[IPVS_PERSISTENT]) {
		ret = persistence(cli, l, v6, key, sizeof(key));
		if (ret)
			return ret;
	} else {
		no_equivalent(cli, l, IPVS_NETMASK);
	}
	if (mh)
		cli_error(cli, "warning: -s mh: fill maglev, key %s: another hash, clients move once",
			  key);
	else
		cli_error(cli, "warning: -s %s becomes consistent hashing, fill rendezvous, key %s",
			  sched, key);
	snprintf(text, room, "key %s fill %s", key, mh ? "maglev" : "rendezvous");
	return CLI_OK;
}

/* Once all was read: the servers of each say how it is reached. */
static void print_services(const struct import *im)
{
	const struct virtual *v;
	size_t i;

	for (i = 0; i < im->n; i++) {
		v = &im->service[i];
		if (v->skipped)
			continue;
		fprintf(im->f, "%s mode %s %s\n", v->head, *v->mode ? v->mode : "nat", v->tail);
		fprintf(im->f, "%s", v->servers ? v->servers : "");
	}
}

static void free_services(struct import *im)
{
	while (im->n)
		free(im->service[--im->n].servers);
	free(im->service);
}

static int add_service(struct import *im, const struct ipvs_line *l)
{
	unsigned int option = ipvs_service_of(l);
	const char *why = obstacle(l), *word = l->value[option];
	char at[PARSE_ENDPOINT_LEN];
	struct cli *cli = im->cli;
	struct virtual *v;
	int ret;

	v = realloc(im->service, (im->n + 1) * sizeof(*v));
	if (!v) {
		cli_error(cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	im->service = v;
	v += im->n;
	*v = (struct virtual){ .skipped = why };
	spec_of(l, v->spec);
	if (find(im, v->spec))
		return cli_usage_error(cli, "\"%s\" was added before", v->spec);
	if (!why && parse_endpoint(word, true, &v->at))
		return cli_usage_error(cli, "%s: \"%s\" is not ADDR:PORT: save it by ipvsadm -Sn",
				       ipvs_option_name(option), word);
	im->n++;
	if (why) {
		cli_error(cli, "warning: %s (%s) has no equivalent: left out", v->spec, why);
		return CLI_OK;
	}
	ret = method(cli, l, v->at.len == 16, v->tail, sizeof(v->tail));
	if (ret)
		return ret;
	no_equivalent(cli, l, IPVS_PE);
	make_name(im, v, proto_of(option));
	snprintf(v->head, sizeof(v->head), "service add %s %s %s", v->name, proto_of(option),
		 format_endpoint(at, &v->at));
	return CLI_OK;
}

/* Return: an exit status. */
static int weight_of(struct cli *cli, const struct ipvs_line *l, uint64_t *weight)
{
	const char *word = l->value[IPVS_WEIGHT];

	*weight = 1;
	if (word && parse_u64(word, 0, INT32_MAX, weight))
		return cli_usage_error(cli, "-w: \"%s\" is not a number of 0..%d", word, INT32_MAX);
	if (*weight <= PXS_WEIGHT_MAX)
		return CLI_OK;
	cli_error(cli, "warning: -w %s has no equivalent: the greatest weight is %d", word,
		  PXS_WEIGHT_MAX);
	*weight = PXS_WEIGHT_MAX;
	return CLI_OK;
}

static bool is_gue(const struct ipvs_line *l)
{
	const char *type = l->value[IPVS_TUN_TYPE];

	return l->value[IPVS_IPIP] && type && !strcmp(type, "gue");
}

/* As `service add` takes it. Return: the option that says so; -1: a port that is none. */
static int mode_of(struct cli *cli, const struct ipvs_line *l, char *mode, size_t room)
{
	const char *type = l->value[IPVS_TUN_TYPE], *word = l->value[IPVS_TUN_PORT];
	uint64_t port = PXS_TUNNEL_PORT_DEFAULT;

	if (l->value[IPVS_MASQ]) {
		snprintf(mode, room, "nat");
		return IPVS_MASQ;
	}
	/* ipvsadm's own default is -g. */
	if (!l->value[IPVS_IPIP]) {
		snprintf(mode, room, "dsr");
		return IPVS_GATEWAY;
	}
	snprintf(mode, room, "tunnel ipip");
	if (is_gue(l)) {
		if (word && parse_u64(word, 1, 65535, &port)) {
			cli_usage_error(cli, "--tun-port: \"%s\" is not a number of 1..65535", word);
			return -1;
		}
		snprintf(mode, room, "tunnel gue tunnel-port %" PRIu64, port);
	} else if (type && strcmp(type, "ipip")) {
		cli_error(cli, "warning: --tun-type %s has no equivalent: mode %s", type, mode);
	}
	return IPVS_IPIP;
}

/* IPVS has a mode a server, here a service has one: that of its first. */
static int settle_mode(struct import *im, struct virtual *v, const struct ipvs_line *l)
{
	char mode[sizeof(v->mode)];
	int option = mode_of(im->cli, l, mode, sizeof(mode));

	if (option < 0)
		return CLI_USAGE;
	if (!*v->mode) {
		strcpy(v->mode, mode);
		v->tunnels = option == IPVS_IPIP;
	}
	if (strcmp(v->mode, mode))
		cli_error(im->cli, "warning: %s after others: mode %s, as its service's first server",
			  ipvs_option_name((unsigned int)option), v->mode);
	return CLI_OK;
}

/* Nor did IPVS change it. */
static void settle_port(struct import *im, const struct virtual *v, struct endpoint *ep)
{
	if (!ep->port)
		ep->port = v->at.port;
	if (!strcmp(v->mode, "nat") || ep->port == v->at.port)
		return;
	cli_error(im->cli, "warning: -r with port %u: mode %s changes no port", ep->port, v->mode);
	ep->port = v->at.port;
}

static void warn_of_server(struct cli *cli, const struct ipvs_line *l)
{
	unsigned int i;

	for (i = IPVS_UPPER; i < IPVS_TUN_TYPE; i++)
		no_equivalent(cli, l, i);
	if (!is_gue(l))
		no_equivalent(cli, l, IPVS_TUN_PORT);
	no_equivalent(cli, l, IPVS_TUN_NOCSUM);
	/* gue has sums always. */
	if (!is_gue(l))
		no_equivalent(cli, l, IPVS_TUN_CSUM);
	no_equivalent(cli, l, IPVS_TUN_REMCSUM);
}

static int keep_server(struct import *im, struct virtual *v, const struct endpoint *ep,
		       uint64_t weight)
{
	char line[PXS_NAME_MAX + PARSE_ENDPOINT_LEN + 64], at[PARSE_ENDPOINT_LEN], *servers;
	int len = snprintf(line, sizeof(line), "backend add %s %s weight %" PRIu64 "\n", v->name,
			   format_endpoint(at, ep), weight);

	servers = realloc(v->servers, v->len + (size_t)len + 1);
	if (!servers) {
		cli_error(im->cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	v->servers = servers;
	strcpy(servers + v->len, line);
	v->len += (size_t)len;
	return CLI_OK;
}

static int add_server(struct import *im, const struct ipvs_line *l)
{
	const char *word = l->value[IPVS_SERVER];
	char spec[SPEC_MAX];
	struct cli *cli = im->cli;
	struct virtual *v;
	struct endpoint ep;
	uint64_t weight;

	spec_of(l, spec);
	v = find(im, spec);
	if (!v)
		return cli_usage_error(cli, "\"%s\" was not added before", spec);
	if (v->skipped) {
		cli_error(cli, "warning: -r %s is left out, as its service is", word);
		return CLI_OK;
	}
	if (parse_endpoint(word, false, &ep))
		return cli_usage_error(cli, "-r: \"%s\" is not ADDR:PORT: save it by ipvsadm -Sn",
				       word);
	if (weight_of(cli, l, &weight))
		return CLI_USAGE;
	if (settle_mode(im, v, l))
		return CLI_USAGE;
	if (ep.len != v->at.len && !v->tunnels) {
		cli_error(cli, "warning: -r %s, of another family than its service, is left out",
			  word);
		return CLI_OK;
	}
	settle_port(im, v, &ep);
	warn_of_server(cli, l);
	return keep_server(im, v, &ep, weight);
}

static int take_line(struct import *im, char *text)
{
	char *words[WORDS_MAX], why[256];
	int n = parse_words(text, words, WORDS_MAX);
	struct ipvs_line l;

	if (n < 0)
		return cli_usage_error(im->cli, "a quote is not closed, or more than %d words",
				       WORDS_MAX);
	if (!n)
		return CLI_OK;
	if (ipvs_parse(n, words, &l, why, sizeof(why)))
		return cli_usage_error(im->cli, "%s", why);
	return l.value[IPVS_ADD_SERVICE] ? add_service(im, &l) : add_server(im, &l);
}

static int read_all(struct import *im, FILE *f, const char *name)
{
	struct cli *cli = im->cli;
	char *line = NULL;
	int ret = CLI_OK;
	size_t room = 0;

	cli->batch = name;
	for (cli->line = 1; !ret && getline(&line, &room, f) >= 0; cli->line++)
		ret = take_line(im, line);
	if (!ret && ferror(f))
		ret = cli_usage_error(cli, "cannot read: %s", strerror(errno));
	if (!ret)
		print_services(im);
	free(line);
	return ret;
}

static int ipvs(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	const char *path = argc ? args_next(&a, "FILE") : "-";
	struct cli inner = *cli;
	struct import im = { .cli = &inner };
	char *text = NULL;
	size_t len;
	FILE *f;
	int ret = args_end(&a);

	if (ret)
		return ret;
	f = batch_open(cli, path);
	if (!f)
		return CLI_USAGE;
	im.f = open_memstream(&text, &len);
	ret = im.f ? read_all(&im, f, f == stdin ? "stdin" : path) : CLI_NO_KERNEL;
	if (f != stdin)
		fclose(f);
	if (!im.f || fclose(im.f)) {
		cli_error(cli, "out of memory");
		ret = CLI_NO_KERNEL;
	}
	if (!ret)
		save_print(cli->out, text);
	free_services(&im);
	free(text);
	return ret;
}

int import_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "ipvs", .run = ipvs },
		{ }
	};

	if (!argc)
		return cli_usage_error(cli, "what to import is missing: ipvs");
	return cli_dispatch(cli, commands, usage, argc, argv);
}
