// SPDX-License-Identifier: GPL-2.0
/*
 * store_config.c - the section "store" of a group
 *
 * As in config.c, a validator sees each value as soon as it was read, and so has its line.
 */
#include "store_config.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "config_parts.h"
#include "keyfile.h"
#include "report.h"

const cfg_opt_t pxs_store_options[] = {
	CFG_INT_LIST("groups", "{}", CFGF_NONE),
	CFG_STR_LIST("listen", "{127.0.0.1:6379}", CFGF_NONE),
	CFG_STR("directory", NULL, CFGF_NODEFAULT),
	CFG_STR("password-file", NULL, CFGF_NODEFAULT),
	CFG_STR("consistency", "strong", CFGF_NONE),
	CFG_INT("read-wait", 5000, CFGF_NONE),
	CFG_INT("sessions", 1000, CFGF_NONE),
	CFG_INT("session-age", 3600, CFGF_NONE),
	CFG_INT("sagas", 10000, CFGF_NONE),
	CFG_INT("saga-age", 86400, CFGF_NONE),
	CFG_INT("maxclients", 1000, CFGF_NONE),
	CFG_INT("maxmemory", 256, CFGF_NONE),
	CFG_INT("request-limit", 8192, CFGF_NONE),
	CFG_INT("client-memory", 256, CFGF_NONE),
	CFG_INT("checkpoint-entries", 100000, CFGF_NONE),
	CFG_INT("checkpoint-seconds", 300, CFGF_NONE),
	CFG_INT("checkpoint-rate", 64, CFGF_NONE),
	CFG_STR_LIST("eventual", "{}", CFGF_NONE),
	CFG_INT("eventual-memory", 256, CFGF_NONE),
	CFG_INT("eventual-drift", 60000, CFGF_NONE),
	CFG_INT("eventual-rate", 64, CFGF_NONE),
	CFG_END()
};

/* --- levels ------------------------------------------------------------------ */

static const char *const words[] = { "strong", "bounded", "session", "eventual" };

/* The decimal number in front of *@text, and the blanks behind it, stepped over. */
static bool take_number(const char **text, u64 most, u64 *n)
{
	const char *at = *text;

	for (*n = 0; *at >= '0' && *at <= '9' && *n <= most; at++)
		*n = 10 * *n + (u64)(*at - '0');
	if (at == *text || *n > most || (*at && *at != ' '))
		return false;
	*text = at + strspn(at, " ");
	return true;
}

static const char *parse_bounds(const char *text, struct pxs_read_level *level)
{
	u64 ms;

	if (!take_number(&text, PXS_LEVEL_MS_MAX, &ms))
		return "needs milliseconds behind bounded, 0..3600000";
	level->ms = (u32)ms;
	if (*text && !take_number(&text, ~0ull / 20, &level->entries))
		return "needs a number of entries behind the milliseconds";
	return *text ? "takes milliseconds and entries, no more" : NULL;
}

const char *pxs_level_parse(const char *text, struct pxs_read_level *level)
{
	struct pxs_read_level l = { .entries = ~0ull };
	size_t len = strcspn(text, " ");
	const char *wrong = NULL;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && !strncasecmp(words[i], text, len))
			break;
	if (i == ARRAY_SIZE(words))
		return "is not strong, bounded, session or eventual";
	l.kind = (enum pxs_consistency)i;
	text += len + strspn(text + len, " ");
	if (l.kind == PXS_BOUNDED)
		wrong = parse_bounds(text, &l);
	else if (*text)
		wrong = "takes numbers only behind bounded";
	if (!wrong)
		*level = l;
	return wrong;
}

void pxs_level_format(const struct pxs_read_level *level, char *text, size_t size)
{
	if (level->kind != PXS_BOUNDED)
		snprintf(text, size, "%s", words[level->kind]);
	else if (level->entries == ~0ull)
		snprintf(text, size, "%s %u", words[level->kind], level->ms);
	else
		snprintf(text, size, "%s %u %" PRIu64, words[level->kind], level->ms,
			 level->entries);
}

/* --- values as they are read -------------------------------------------------- */

int pxs_store_check_address(cfg_t *cfg, cfg_opt_t *opt)
{
	struct pxs_address a;

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!pxs_address_parse(cfg_opt_getnstr(opt, 0), &a))
		return 0;
	cfg_error(cfg, "%s: \"%s\" is not ADDRESS:PORT or [ADDRESS]:PORT", opt->name,
		  cfg_opt_getnstr(opt, 0));
	return -1;
}

/*
 * "ADDRESS:PORT" or "ADDRESS:PORT LEVEL". Return: NULL, or what is wrong; level->kind is left
 * alone where there is none.
 */
static const char *parse_listen(const char *text, struct pxs_address *a,
				struct pxs_read_level *level)
{
	size_t len = strcspn(text, " ");
	char address[128];

	if (len >= sizeof(address))
		return "is too long";
	memcpy(address, text, len);
	address[len] = 0;
	if (pxs_address_parse(address, a))
		return "is not ADDRESS:PORT or [ADDRESS]:PORT";
	text += len + strspn(text + len, " ");
	return *text ? pxs_level_parse(text, level) : NULL;
}

/* Called for each element of the list. */
static int check_listen(cfg_t *cfg, cfg_opt_t *opt)
{
	u32 n = cfg_opt_size(opt);
	struct pxs_read_level level;
	struct pxs_address a;
	const char *wrong;

	if (n > PXS_STORE_LISTEN_MAX) {
		cfg_error(cfg, "listen: has more than %u addresses", PXS_STORE_LISTEN_MAX);
		return -1;
	}
	wrong = parse_listen(cfg_opt_getnstr(opt, n - 1), &a, &level);
	if (!wrong)
		return 0;
	cfg_error(cfg, "listen: \"%s\" %s", cfg_opt_getnstr(opt, n - 1), wrong);
	return -1;
}

/* Likewise. */
static int check_groups(cfg_t *cfg, cfg_opt_t *opt)
{
	u32 i, n = cfg_opt_size(opt);
	long id = cfg_opt_getnint(opt, n - 1);

	if (n > PXS_STORE_GROUPS_MAX) {
		cfg_error(cfg, "groups: has more than %u groups", PXS_STORE_GROUPS_MAX);
		return -1;
	}
	if (id < 1 || id > 0x7fffffff) {
		cfg_error(cfg, "groups: %ld is out of range: 1..2147483647", id);
		return -1;
	}
	for (i = 0; i + 1 < n; i++) {
		if (cfg_opt_getnint(opt, i) != id)
			continue;
		cfg_error(cfg, "groups: group %ld is there twice", id);
		return -1;
	}
	return 0;
}

static int check_consistency(cfg_t *cfg, cfg_opt_t *opt)
{
	struct pxs_read_level level;
	const char *wrong;

	if (pxs_config_once(cfg, opt))
		return -1;
	wrong = pxs_level_parse(cfg_opt_getnstr(opt, 0), &level);
	if (!wrong)
		return 0;
	cfg_error(cfg, "consistency: \"%s\" %s", cfg_opt_getnstr(opt, 0), wrong);
	return -1;
}

static int check_read_wait(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 10, 600000);
}

static int check_sessions(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 100000);
}

static int check_session_age(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, 31536000);
}

static int check_sagas(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 1000000);
}

static int check_saga_age(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, 31536000);
}

static int check_maxclients(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, 10000);
}

static int check_maxmemory(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 1 << 20);
}

static int check_request_limit(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 32, 65536);
}

static int check_client_memory(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 16, 65536);
}

static int check_checkpoint_entries(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 1000000000);
}

static int check_checkpoint_seconds(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 604800);
}

static int check_checkpoint_rate(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, 65536);
}

/* Called for each element of the list. */
static int check_eventual(cfg_t *cfg, cfg_opt_t *opt)
{
	struct pxs_prefixes p = { 0 };
	const char *wrong = NULL;
	u32 i, n = cfg_opt_size(opt);

	for (i = 0; i < n && !wrong; i++)
		wrong = pxs_prefix_add(&p, cfg_opt_getnstr(opt, i));
	if (!wrong)
		return 0;
	cfg_error(cfg, "eventual: \"%s\" %s", cfg_opt_getnstr(opt, i - 1), wrong);
	return -1;
}

static int check_eventual_drift(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 100, 86400000);
}

void pxs_store_config_checks(cfg_t *cfg)
{
	static const struct {
		const char *name;
		cfg_validate_callback_t check;
	} checks[] = {
		{ "group|member|store", pxs_store_check_address },
		{ "group|store|groups", check_groups },
		{ "group|store|listen", check_listen },
		{ "group|store|directory", pxs_config_path },
		{ "group|store|password-file", pxs_config_path },
		{ "group|store|consistency", check_consistency },
		{ "group|store|read-wait", check_read_wait },
		{ "group|store|sessions", check_sessions },
		{ "group|store|session-age", check_session_age },
		{ "group|store|sagas", check_sagas },
		{ "group|store|saga-age", check_saga_age },
		{ "group|store|maxclients", check_maxclients },
		{ "group|store|maxmemory", check_maxmemory },
		{ "group|store|request-limit", check_request_limit },
		{ "group|store|client-memory", check_client_memory },
		{ "group|store|checkpoint-entries", check_checkpoint_entries },
		{ "group|store|checkpoint-seconds", check_checkpoint_seconds },
		{ "group|store|checkpoint-rate", check_checkpoint_rate },
		{ "group|store|eventual", check_eventual },
		{ "group|store|eventual-memory", check_maxmemory },
		{ "group|store|eventual-drift", check_eventual_drift },
		{ "group|store|eventual-rate", check_checkpoint_rate },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(checks); i++)
		cfg_set_validate_func(cfg, checks[i].name, checks[i].check);
}

/* --- loading ----------------------------------------------------------------- */

static bool is_loopback(const struct pxs_address *a)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->storage;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->storage;

	if (a->storage.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* One line of a file that others cannot read. */
static int read_password(const char *file, const char *where, const char *path, char **password)
{
	char text[PXS_PASSWORD_MAX + 3];
	size_t len;
	int err;

	err = pxs_keyfile_text(file, where, "password-file", path, text, sizeof(text));
	if (err)
		return err;
	len = strcspn(text, "\n");
	if (len && len <= PXS_PASSWORD_MAX && (!text[len] || !text[len + 1])) {
		*password = strndup(text, len);
		err = *password ? 0 : -ENOMEM;
	} else {
		pxs_err("%s: %s: password-file %s: must hold one line of 1..%u bytes", file, where,
			path, PXS_PASSWORD_MAX);
		err = -EINVAL;
	}
	explicit_bzero(text, sizeof(text));
	return err;
}

static int load_listen(const struct pxs_config *c, struct pxs_store_config *s, cfg_t *store)
{
	u32 i;

	s->nlisten = cfg_size(store, "listen");
	if (!s->nlisten) {
		pxs_err("%s:%d: store: listen is empty", c->file, store->line);
		return -EINVAL;
	}
	for (i = 0; i < s->nlisten; i++) {
		const char *text = cfg_getnstr(store, "listen", i);

		s->listen_text[i] = strdup(text);
		if (!s->listen_text[i])
			return -ENOMEM;
		s->level[i] = s->consistency;
		parse_listen(text, &s->listen[i], &s->level[i]);
		if (s->password || is_loopback(&s->listen[i]))
			continue;
		pxs_err("%s:%d: store: listen: %s is not a loopback address, and there is no password-file",
			c->file, store->line, text);
		return -EINVAL;
	}
	return 0;
}

/* The group's members are voters first, each kind in the order of the file: by id, then. */
static const char *where_of(cfg_t *group, u8 id)
{
	u32 i;

	for (i = 0; i < cfg_size(group, "member"); i++)
		if (strtoul(cfg_title(cfg_getnsec(group, "member", i)), NULL, 10) == id)
			return cfg_getstr(cfg_getnsec(group, "member", i), "store");
	return NULL;
}

static int load_members(const struct pxs_store_config *s, struct pxs_group_config *g, cfg_t *group)
{
	const char *text;
	u32 i;

	for (i = 0; i < g->conf.nmembers; i++) {
		text = where_of(group, g->conf.member[i].id);
		if (!text && s->eventual.n) {
			pxs_err("group %u: store: eventual: member %u has no address `store`: all members must have one",
				g->conf.id, g->conf.member[i].id);
			return -EINVAL;
		}
		if (text && strlen(text) >= PXS_WHERE_TEXT) {
			pxs_err("group %u: member %u: store: is too long", g->conf.id,
				g->conf.member[i].id);
			return -EINVAL;
		}
		g->file_where[i].id = g->conf.member[i].id;
		g->file_where[i].incarnation = g->conf.member[i].incarnation;
		strcpy(g->file_where[i].text, text ? text : "");
		strcpy(g->where[i], g->file_where[i].text);
	}
	return 0;
}

static int load(const struct pxs_config *c, struct pxs_store_config *s, struct pxs_group_config *g,
		cfg_t *store)
{
	const char *password = cfg_getstr(store, "password-file");
	const char *directory = cfg_getstr(store, "directory");
	char where[32];
	int err;
	u32 i;

	snprintf(where, sizeof(where), "group %u: store", g->conf.id);
	s->ngroups = cfg_size(store, "groups");
	for (i = 0; i < s->ngroups; i++)
		s->group[i] = (u32)cfg_getnint(store, "groups", i);
	pxs_level_parse(cfg_getstr(store, "consistency"), &s->consistency);
	s->read_wait = (u32)cfg_getint(store, "read-wait");
	s->sessions = (u32)cfg_getint(store, "sessions");
	s->session_age = (u32)cfg_getint(store, "session-age");
	s->sagas = (u32)cfg_getint(store, "sagas");
	s->saga_age = (u32)cfg_getint(store, "saga-age");
	s->maxclients = (u32)cfg_getint(store, "maxclients");
	s->maxmemory = (u64)cfg_getint(store, "maxmemory") << 20;
	s->request_limit = (u32)cfg_getint(store, "request-limit") << 10;
	s->client_memory = (u64)cfg_getint(store, "client-memory") << 20;
	s->checkpoint_entries = (u64)cfg_getint(store, "checkpoint-entries");
	s->checkpoint_seconds = (u32)cfg_getint(store, "checkpoint-seconds");
	s->checkpoint_rate = (u64)cfg_getint(store, "checkpoint-rate") << 20;
	for (i = 0; i < cfg_size(store, "eventual"); i++)
		pxs_prefix_add(&s->eventual, cfg_getnstr(store, "eventual", i));
	pxs_prefixes_seal(&s->eventual);
	s->eventual_memory = (u64)cfg_getint(store, "eventual-memory") << 20;
	s->eventual_drift = (u32)cfg_getint(store, "eventual-drift");
	s->eventual_rate = (u64)cfg_getint(store, "eventual-rate") << 20;
	if (directory)
		s->directory = strdup(directory);
	else if (asprintf(&s->directory, "%s/store-%u", c->journal, g->conf.id) < 0)
		s->directory = NULL;
	if (!s->directory)
		return -ENOMEM;
	err = password ? read_password(c->file, where, password, &s->password) : 0;
	return err ? err : load_listen(c, s, store);
}

int pxs_store_config_load(const struct pxs_config *c, struct pxs_group_config *g, cfg_t *group)
{
	u32 n = cfg_size(group, "store");
	cfg_t *store;
	int err;

	if (!n)
		return 0;
	store = cfg_getnsec(group, "store", 0);
	if (n > 1) {
		pxs_err("%s:%d: group %u: store: is given twice", c->file,
			cfg_getnsec(group, "store", 1)->line, g->conf.id);
		return -EINVAL;
	}
	g->store = calloc(1, sizeof(*g->store));
	if (!g->store)
		return -ENOMEM;
	err = load(c, g->store, g, store);
	g->eventual = g->store->eventual.digest;
	return err ? err : load_members(g->store, g, group);
}

void pxs_store_config_free(struct pxs_store_config *s)
{
	u32 i;

	if (!s)
		return;
	for (i = 0; i < PXS_STORE_LISTEN_MAX; i++)
		free(s->listen_text[i]);
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s->directory);
	free(s);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_level(const struct pxs_read_level *a, const struct pxs_read_level *b)
{
	return a->kind == b->kind && a->ms == b->ms && a->entries == b->entries;
}

bool pxs_store_config_same(const struct pxs_store_config *a, const struct pxs_store_config *b)
{
	u32 i;

	if (!a || !b)
		return a == b;
	if (a->ngroups != b->ngroups ||
	    memcmp(a->group, b->group, a->ngroups * sizeof(*a->group)) || a->part != b->part ||
	    a->nlisten != b->nlisten || !same_text(a->directory, b->directory) ||
	    !same_text(a->password, b->password) ||
	    !same_level(&a->consistency, &b->consistency) || a->read_wait != b->read_wait ||
	    a->sessions != b->sessions || a->session_age != b->session_age ||
	    a->sagas != b->sagas || a->saga_age != b->saga_age ||
	    a->maxclients != b->maxclients || a->maxmemory != b->maxmemory ||
	    a->request_limit != b->request_limit || a->client_memory != b->client_memory ||
	    a->checkpoint_entries != b->checkpoint_entries ||
	    a->checkpoint_seconds != b->checkpoint_seconds ||
	    a->checkpoint_rate != b->checkpoint_rate ||
	    a->eventual.digest != b->eventual.digest ||
	    a->eventual_memory != b->eventual_memory ||
	    a->eventual_drift != b->eventual_drift || a->eventual_rate != b->eventual_rate)
		return false;
	for (i = 0; i < a->nlisten; i++)
		if (strcmp(a->listen_text[i], b->listen_text[i]))
			return false;
	return true;
}
