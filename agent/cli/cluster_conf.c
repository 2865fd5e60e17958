// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_conf.c - what one machine of a new cluster needs: where it is, and what stands in it
 */
#include "cluster_conf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
	char *to;
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->to + t->n, CLUSTER_TEXT_MAX - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n += (size_t)n;
	if (t->n >= CLUSTER_TEXT_MAX)
		t->n = CLUSTER_TEXT_MAX - 1;
}

/* --- paths ------------------------------------------------------------------- */

/* The daemon reads a path between quotes, in which it would find escapes and variables. */
static int check_path(const char *what, const char *path, char *error)
{
	const char *at;

	if (*path != '/') {
		snprintf(error, BUNDLE_ERROR_MAX, "%s: \"%.80s\" does not begin with /", what, path);
		return -1;
	}
	if (strlen(path) > CLUSTER_DIR_MAX) {
		snprintf(error, BUNDLE_ERROR_MAX, "%s: is longer than %u bytes", what, CLUSTER_DIR_MAX);
		return -1;
	}
	for (at = path; *at; at++) {
		if (*at > ' ' && *at < 0x7f && !strchr("\"'\\$", *at))
			continue;
		snprintf(error, BUNDLE_ERROR_MAX, "%s: \"%.80s\" has a blank, a quote, \\, $ or worse",
			 what, path);
		return -1;
	}
	return 0;
}

static void join(char *to, const char *dir, const char *name)
{
	snprintf(to, CLUSTER_PATH_MAX, "%s/%s", dir, name);
}

int cluster_paths_make(struct cluster_paths *p, char *error)
{
	if (check_path("etc", p->etc, error) || check_path("journal", p->journal, error) ||
	    (p->socket && check_path("socket", p->socket, error)))
		return -1;
	if (!p->units && !strcmp(p->etc, CLUSTER_ETC))
		p->units = CLUSTER_UNITS;
	if (p->units && check_path("units", p->units, error))
		return -1;
	join(p->conf, p->etc, "paxsteerd.conf");
	join(p->key, p->etc, "cluster.key");
	join(p->password, p->etc, "store.password");
	join(p->bundle, p->etc, "cluster.bundle");
	if (p->units) {
		join(p->unit_dir, p->units, "paxsteerd.service.d");
		join(p->unit, p->units, "paxsteerd.service.d/cluster.conf");
	}
	return 0;
}

/* --- texts ------------------------------------------------------------------- */

static void put_members(struct text *t, const struct bundle *b)
{
	char address[PARSE_ENDPOINT_LEN], store[PARSE_ENDPOINT_LEN];
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		const struct bundle_member *m = &b->member[i];

		put(t, "\tmember %u { address = \"%s\" incarnation = \"0x%016" PRIx64
		    "\" store = \"%s\"%s }\n", m->id, format_endpoint(address, &m->address),
		    m->incarnation, format_endpoint(store, &m->store),
		    m->learner ? " learner = true" : "");
	}
}

/* The store's section is in the first group's, and names the others. */
static void put_store(struct text *t, const struct bundle *b, unsigned int self,
		      const struct cluster_paths *p)
{
	char store[PARSE_ENDPOINT_LEN];
	unsigned int i;

	put(t, "\tstore {\n\t\tlisten        = \"%s\"\n\t\tpassword-file = \"%s\"\n",
	    format_endpoint(store, &b->member[self].store), p->password);
	for (i = 1; b->groups > 1 && i <= b->groups; i++)
		put(t, "%s%u%s", i == 1 ? "\t\tgroups        = {" : ", ", i,
		    i == b->groups ? "}\n" : "");
	put(t, "\t}\n");
}

static void put_group(struct text *t, const struct bundle *b, unsigned int group, unsigned int self,
		      const struct cluster_paths *p)
{
	put(t, "group %u {\n\tself = %u\n", group, b->member[self].id);
	if (b->key_id != BUNDLE_KEY_ID)
		put(t, "\tkey-id = %u\n", b->key_id);
	put_members(t, b);
	if (group == 1)
		put_store(t, b, self, p);
	put(t, "}\n");
}

size_t cluster_conf_format(const struct bundle *b, unsigned int self,
			   const struct cluster_paths *p, char *to)
{
	struct text t = { .to = to };
	unsigned int i;
	char uuid[37];

	put(&t, "# Made by `paxsteer cluster`; see paxsteerd.conf(5).\n");
	put(&t, "node {\n\tcluster  = \"%s\"\n\tkey-file = \"%s\"\n\tjournal  = \"%s\"\n",
	    format_uuid(uuid, b->cluster), p->key, p->journal);
	if (p->socket)
		put(&t, "\tsocket   = \"%s\"\n", p->socket);
	put(&t, "\tdatapath = \"%s\"\n}\n", b->user ? "user" : "kernel");
	for (i = 1; i <= b->groups; i++)
		put_group(&t, b, i, self, p);
	return t.n;
}

static bool is_loopback(const struct endpoint *e)
{
	static const uint8_t one[16] = { [15] = 1 };

	return e->len == 4 ? e->addr[0] == 127 : !memcmp(e->addr, one, sizeof(one));
}

size_t cluster_unit_format(const struct bundle *b, char *to)
{
	struct text t = { .to = to };
	bool local = true;
	unsigned int i;

	for (i = 0; i < b->n; i++)
		local = local && is_loopback(&b->member[i].store);
	put(&t, "# Made by `paxsteer cluster`: the daemon has a store, and so clients.\n[Service]\n"
	    "RestrictAddressFamilies=AF_INET AF_INET6\n");
	if (!local)
		put(&t, "# Whoever has the password; name members and clients here for less.\n"
		    "IPAddressAllow=any\n");
	if (local)
		put(&t, "# Stores have loopback addresses.\nIPAddressAllow=localhost\n");
	for (i = 0; local && b->user && i < b->n; i++) {
		struct endpoint host = b->member[i].address;
		char address[PARSE_ENDPOINT_LEN];

		host.port = 0;
		put(&t, "IPAddressAllow=%s\n", format_endpoint(address, &host));
	}
	return t.n;
}
