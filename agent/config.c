// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - the daemon's configuration file
 *
 * libconfuse parses; here values are checked. libconfuse calls a validator as soon as
 * a value was read, which is what gives every complaint its line.
 */
#include "config_parts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "keyfile.h"
#include "report.h"
#include "store_config.h"

#define DEFAULT_SOCKET	"/run/paxsteer/paxsteerd.sock"

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char what[512];

	vsnprintf(what, sizeof(what), fmt, ap);
	if (cfg && cfg->filename)
		pxs_err("%s:%d: %s", cfg->filename, cfg->line, what);
	else
		pxs_err("%s", what);
}

/* libconfuse would take the last one silently; it leaves the high flags alone. */
#define GIVEN	(1 << 30)

int pxs_config_once(cfg_t *cfg, cfg_opt_t *opt)
{
	if (opt->flags & GIVEN) {
		cfg_error(cfg, "%s: is given twice", opt->name);
		return -1;
	}
	opt->flags |= GIVEN;
	return 0;
}

int pxs_config_path(cfg_t *cfg, cfg_opt_t *opt)
{
	if (pxs_config_once(cfg, opt))
		return -1;
	if (*cfg_opt_getnstr(opt, 0))
		return 0;
	cfg_error(cfg, "%s: is empty", opt->name);
	return -1;
}

static int check_socket(cfg_t *cfg, cfg_opt_t *opt)
{
	struct sockaddr_un sun;
	size_t most = sizeof(sun.sun_path) - 1;

	if (pxs_config_path(cfg, opt))
		return -1;
	if (strlen(cfg_opt_getnstr(opt, 0)) <= most)
		return 0;
	cfg_error(cfg, "socket: the path is longer than %zu bytes", most);
	return -1;
}

int pxs_config_range(cfg_t *cfg, cfg_opt_t *opt, long low, long high)
{
	long n = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);

	if (pxs_config_once(cfg, opt))
		return -1;
	if (n >= low && n <= high)
		return 0;
	cfg_error(cfg, "%s: %ld is not in %ld..%ld", opt->name, n, low, high);
	return -1;
}

static int check_self(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, PXS_MEMBER_ID_MAX);
}

static int check_window(cfg_t *cfg, cfg_opt_t *opt)
{
	long n = cfg_opt_getnint(opt, 0);

	if (pxs_config_range(cfg, opt, 64, 65536))
		return -1;
	if (!(n & (n - 1)))
		return 0;
	cfg_error(cfg, "window: %ld is not a power of two", n);
	return -1;
}

static int check_retain(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, INT64_MAX);
}

static int check_durability(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *word = cfg_opt_getnstr(opt, 0);

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!strcmp(word, "disk") || !strcmp(word, "memory"))
		return 0;
	cfg_error(cfg, "durability: \"%s\" is neither disk nor memory", word);
	return -1;
}

static int check_heartbeat(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 10, 10000);
}

static int check_election(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 30, 60000);
}

static int check_lease_drift(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, PXS_LEASE_DRIFT_MAX);
}

static int check_key_id(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 255);	/* key-id and also-key-id */
}

static int check_cache(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, 4095);
}

static int check_epoch(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, INT64_MAX);
}

static int check_cluster(cfg_t *cfg, cfg_opt_t *opt)
{
	u8 uuid[PXS_CLUSTER_LEN];

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!pxs_uuid_parse(cfg_opt_getnstr(opt, 0), uuid))
		return 0;
	cfg_error(cfg, "cluster: \"%s\" is not a UUID", cfg_opt_getnstr(opt, 0));
	return -1;
}

static int check_address(cfg_t *cfg, cfg_opt_t *opt)
{
	struct pxs_address a;

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!pxs_address_parse(cfg_opt_getnstr(opt, 0), &a))
		return 0;
	cfg_error(cfg, "address: \"%s\" is not ADDRESS:PORT or [ADDRESS]:PORT",
		  cfg_opt_getnstr(opt, 0));
	return -1;
}

int pxs_config_incarnation(const char *text, u64 *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || *end || !*value || *text < '0' || *text > '9')
		return -EINVAL;
	return 0;
}

static int check_incarnation(cfg_t *cfg, cfg_opt_t *opt)
{
	u64 value;

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!pxs_config_incarnation(cfg_opt_getnstr(opt, 0), &value))
		return 0;
	cfg_error(cfg, "incarnation: \"%s\" is not a number above 0, as `paxsteer journal init` prints it",
		  cfg_opt_getnstr(opt, 0));
	return -1;
}

static int check_datapath(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!strcmp(text, "kernel") || !strcmp(text, "user"))
		return 0;
	cfg_error(cfg, "datapath: \"%s\" is neither kernel nor user", text);
	return -1;
}

static int check_flush(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!strcmp(text, "fdatasync") || !strcmp(text, "dsync"))
		return 0;
	cfg_error(cfg, "flush: \"%s\" is neither fdatasync nor dsync", text);
	return -1;
}

int pxs_config_want(const struct pxs_config *c, cfg_t *section, const char *where,
		    const char *name)
{
	if (cfg_size(section, name))
		return 0;
	pxs_err("%s:%d: %s: %s is missing", c->file, section->line, where, name);
	return -EINVAL;
}

/* Which key is which, each group says: pxs_key.id is not set here. */
static int load_keys(struct pxs_config *c, cfg_t *node)
{
	const char *also = cfg_getstr(node, "also-key-file");
	int err;

	err = pxs_keyfile_read(c->file, "key-file", cfg_getstr(node, "key-file"),
			       c->keys.key[0].bytes);
	if (!err && also)
		err = pxs_keyfile_read(c->file, "also-key-file", also, c->keys.key[1].bytes);
	c->keys.count = also ? 2 : 1;
	return err;
}

static int load_node(struct pxs_config *c, cfg_t *node)
{
	static const char *const needed[] = { "cluster", "key-file", "journal" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needed); i++)
		if (pxs_config_want(c, node, "node", needed[i]))
			return -EINVAL;
	pxs_uuid_parse(cfg_getstr(node, "cluster"), c->cluster);
	c->journal = strdup(cfg_getstr(node, "journal"));
	c->socket = strdup(cfg_getstr(node, "socket"));
	if (!c->journal || !c->socket)
		return -ENOMEM;
	c->datapath = strcmp(cfg_getstr(node, "datapath"), "user") ? PXS_DATAPATH_KERNEL :
								     PXS_DATAPATH_USER;
	c->flush = strcmp(cfg_getstr(node, "flush"), "dsync") ? PXS_FLUSH_FDATASYNC :
								PXS_FLUSH_DSYNC;
	c->cache = (u32)cfg_getint(node, "cache") << 20;
	return load_keys(c, node);
}

/* Nothing but health checks: no group, so no journal, and perhaps not even a section. */
static int load_checker(struct pxs_config *c, cfg_t *node)
{
	static const char *const unused[] = { "cluster", "key-file", "also-key-file", "journal" };
	unsigned int i;

	for (i = 0; node && i < ARRAY_SIZE(unused); i++) {
		if (!cfg_size(node, unused[i]))
			continue;
		pxs_err("%s:%d: node: %s is for groups, and there is none", c->file, node->line,
			unused[i]);
		return -EINVAL;
	}
	c->socket = strdup(node ? cfg_getstr(node, "socket") : DEFAULT_SOCKET);
	return c->socket ? 0 : -ENOMEM;
}

static int load_nodes(struct pxs_config *c, cfg_t *cfg)
{
	u32 n = cfg_size(cfg, "node");
	bool checker = c->nhealth && !cfg_size(cfg, "group");

	if (!n && !checker) {
		pxs_err("%s: node is missing", c->file);
		return -EINVAL;
	}
	if (n > 1) {
		pxs_err("%s:%d: node: is given twice", c->file, cfg_getnsec(cfg, "node", 1)->line);
		return -EINVAL;
	}
	if (checker)
		return load_checker(c, n ? cfg_getnsec(cfg, "node", 0) : NULL);
	return load_node(c, cfg_getnsec(cfg, "node", 0));
}

int pxs_config_title(const struct pxs_config *c, cfg_t *section, const char *what, u32 high,
		     u32 *number)
{
	const char *title = cfg_title(section);
	char *end;
	unsigned long n = strtoul(title, &end, 10);

	if (*title >= '0' && *title <= '9' && !*end && n >= 1 && n <= high) {
		*number = (u32)n;
		return 0;
	}
	pxs_err("%s:%d: %s \"%s\": is not a number in 1..%u", c->file, section->line, what, title,
		high);
	return -EINVAL;
}

static int load_groups(struct pxs_config *c, cfg_t *cfg)
{
	u32 i, j;

	c->ngroups = cfg_size(cfg, "group");
	if (!c->ngroups && c->nhealth)
		return 0;
	if (!c->ngroups || c->ngroups > PXS_GROUPS_MAX) {
		pxs_err("%s: has %u groups; a node has 1..%u", c->file, c->ngroups, PXS_GROUPS_MAX);
		return -EINVAL;
	}
	c->group = calloc(c->ngroups, sizeof(*c->group));
	if (!c->group)
		return -ENOMEM;
	for (i = 0; i < c->ngroups; i++) {
		if (pxs_config_group_load(c, &c->group[i], cfg_getnsec(cfg, "group", i)))
			return -EINVAL;
		for (j = 0; j < i; j++) {
			if (c->group[j].conf.id == c->group[i].conf.id) {
				pxs_err("%s: group %u: is there twice", c->file, c->group[i].conf.id);
				return -EINVAL;
			}
			if (c->group[j].conf.member[c->group[j].conf.self].id ==
			    c->group[i].conf.member[c->group[i].conf.self].id)
				continue;
			pxs_err("%s: group %u: self is not the member that group %u says; a node has one member id",
				c->file, c->group[i].conf.id, c->group[j].conf.id);
			return -EINVAL;
		}
	}
	return pxs_store_config_share(c);
}

static cfg_opt_t member_options[] = {
	CFG_STR("address", NULL, CFGF_NODEFAULT),
	CFG_STR("incarnation", NULL, CFGF_NODEFAULT),
	CFG_BOOL("learner", cfg_false, CFGF_NONE),
	CFG_STR("store", NULL, CFGF_NODEFAULT),
	CFG_END()
};

static const struct {
	const char *name;
	cfg_validate_callback_t check;
} checks[] = {
	{ "node|cluster", check_cluster },
	{ "node|key-file", pxs_config_path },
	{ "node|also-key-file", pxs_config_path },
	{ "node|journal", pxs_config_path },
	{ "node|socket", check_socket },
	{ "node|datapath", check_datapath },
	{ "node|flush", check_flush },
	{ "node|cache", check_cache },
	{ "group|self", check_self },
	{ "group|epoch", check_epoch },
	{ "group|key-id", check_key_id },
	{ "group|also-key-id", check_key_id },
	{ "group|durability", check_durability },
	{ "group|tables", pxs_config_once },
	{ "group|retain", check_retain },
	{ "group|window", check_window },
	{ "group|heartbeat", check_heartbeat },
	{ "group|election", check_election },
	{ "group|lease-drift", check_lease_drift },
	{ "group|member|address", check_address },
	{ "group|member|incarnation", check_incarnation },
};

static cfg_t *make_parser(void)
{
	cfg_opt_t node[] = {
		CFG_STR("cluster", NULL, CFGF_NODEFAULT),
		CFG_STR("key-file", NULL, CFGF_NODEFAULT),
		CFG_STR("also-key-file", NULL, CFGF_NODEFAULT),
		CFG_STR("journal", NULL, CFGF_NODEFAULT),
		CFG_STR("socket", DEFAULT_SOCKET, CFGF_NONE),
		CFG_STR("datapath", "kernel", CFGF_NONE),
		CFG_STR("flush", "fdatasync", CFGF_NONE),
		CFG_INT("cache", 32, CFGF_NONE),
		CFG_END()
	};
	cfg_opt_t group[] = {
		CFG_INT("self", 0, CFGF_NODEFAULT),
		CFG_INT("epoch", 1, CFGF_NONE),
		CFG_INT("key-id", 1, CFGF_NONE),
		CFG_INT("also-key-id", 2, CFGF_NONE),
		CFG_STR("durability", "disk", CFGF_NONE),
		CFG_BOOL("tables", cfg_false, CFGF_NONE),
		CFG_INT("retain", -1, CFGF_NONE),
		CFG_INT("window", 4096, CFGF_NONE),
		CFG_INT("heartbeat", 100, CFGF_NONE),
		CFG_INT("election", 1000, CFGF_NONE),
		CFG_INT("lease-drift", 0, CFGF_NONE),
		CFG_SEC("member", member_options, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
		CFG_SEC("store", (cfg_opt_t *)pxs_store_options, CFGF_MULTI),
		CFG_END()
	};
	cfg_opt_t top[] = {
		CFG_SEC("node", node, CFGF_MULTI),	/* otherwise it would not know its file */
		CFG_SEC("group", group, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
		CFG_SEC("health", pxs_config_health_options(),
			CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
		CFG_END()
	};
	cfg_t *cfg = cfg_init(top, CFGF_NONE);
	unsigned int i;

	if (!cfg)
		return NULL;
	cfg_set_error_function(cfg, on_error);
	for (i = 0; i < ARRAY_SIZE(checks); i++)
		cfg_set_validate_func(cfg, checks[i].name, checks[i].check);
	pxs_config_health_checks(cfg);
	pxs_store_config_checks(cfg);
	return cfg;
}

int pxs_config_load(struct pxs_config *c, const char *file)
{
	struct stat st;
	cfg_t *cfg;
	int err = -EINVAL;

	memset(c, 0, sizeof(*c));
	c->file = strdup(file);
	cfg = make_parser();
	if (!cfg || !c->file) {
		if (cfg)
			cfg_free(cfg);
		return -ENOMEM;
	}
	/* libconfuse's scanner would end the process, without a name. */
	if (!stat(file, &st) && S_ISDIR(st.st_mode)) {
		pxs_err("%s: is a directory", file);
		cfg_free(cfg);
		pxs_config_free(c);
		return -EISDIR;
	}
	switch (cfg_parse(cfg, file)) {
	case CFG_FILE_ERROR:
		pxs_err("%s: %s", file, strerror(errno));
		break;
	case CFG_SUCCESS:
		err = pxs_config_health_load(c, cfg);
		if (!err)
			err = load_nodes(c, cfg);
		if (!err)
			err = load_groups(c, cfg);
		break;
	default:
		break;		/* on_error() has said it */
	}
	cfg_free(cfg);
	if (err)
		pxs_config_free(c);
	return err;
}

void pxs_config_free(struct pxs_config *c)
{
	u32 i;

	for (i = 0; c->group && i < c->ngroups; i++)
		pxs_store_config_free(c->group[i].store);
	free(c->file);
	free(c->journal);
	free(c->socket);
	if (c->group)
		explicit_bzero(c->group, c->ngroups * sizeof(*c->group));
	explicit_bzero(&c->keys, sizeof(c->keys));
	free(c->group);
	pxs_config_health_free(c);
	memset(c, 0, sizeof(*c));
}
