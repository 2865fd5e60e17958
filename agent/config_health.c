// SPDX-License-Identifier: GPL-2.0
/*
 * config_health.c - the sections "health" of the daemon's configuration file
 *
 * One section a service. An option that belongs to another kind of check is refused: it would
 * do nothing, and somebody thinks that it does.
 */
#include <ctype.h>
#include <stdio.h>

#include "config_parts.h"
#include "keyfile.h"
#include "report.h"

static const struct {
	const char *word;
	u16 rcode;
} rcodes[] = {
	{ "any", PXS_PROBE_ANY_RCODE }, { "noerror", 0 }, { "formerr", 1 }, { "servfail", 2 },
	{ "nxdomain", 3 }, { "notimp", 4 }, { "refused", 5 },
};

static const struct {
	const char *option, *kind;
} belongs[] = {
	{ "path", "http" }, { "host", "http" }, { "status", "http" },
	{ "user", "redis" }, { "password-file", "redis" }, { "noauth", "redis" },
	{ "name", "dns" }, { "rcode", "dns" },
};

static int check_kind(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);

	if (pxs_config_once(cfg, opt))
		return -1;
	if (pxs_probe_kind(text))
		return 0;
	cfg_error(cfg, "check: \"%s\" is none of tcp, http, memcached, redis, dns", text);
	return -1;
}

static int check_port(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, 65535);
}

static int check_interval(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, PXS_HEALTH_INTERVAL_MIN, PXS_HEALTH_INTERVAL_MAX);
}

static int check_timeout(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, PXS_HEALTH_TIMEOUT_MIN, PXS_HEALTH_INTERVAL_MAX);
}

static int check_count(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 1, PXS_HEALTH_COUNT_MAX);
}

static int check_jitter(cfg_t *cfg, cfg_opt_t *opt)
{
	return pxs_config_range(cfg, opt, 0, PXS_HEALTH_JITTER_MAX);
}

/*
 * Addresses between spaces or commas, into @to, which has room for @room. Return: how many, or
 * -EINVAL and in @bad the one that is none.
 */
static int parse_backends(const char *text, struct pxs_address *to, u32 room, char bad[64])
{
	struct pxs_address a;
	u32 n = 0;
	int len;

	for (text += strspn(text, " ,"); *text; text += strspn(text, " ,")) {
		len = (int)strcspn(text, " ,");
		snprintf(bad, 64, "%.*s", len, text);
		if (len > 63 || pxs_address_parse(bad, &a))
			return -EINVAL;
		if (n < room)
			to[n] = a;
		n++;
		text += len;
	}
	return (int)n;
}

static int check_backends(cfg_t *cfg, cfg_opt_t *opt)
{
	char bad[64] = "";

	if (pxs_config_once(cfg, opt))
		return -1;
	if (parse_backends(cfg_opt_getnstr(opt, 0), NULL, 0, bad) > 0)
		return 0;
	cfg_error(cfg, "backends: \"%s\" is not ADDRESS:PORT or [ADDRESS]:PORT", bad);
	return -1;
}

/* Goes into a request as it is: nothing that ends a line, or a word. */
static int check_word(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0), *c;

	if (pxs_config_once(cfg, opt))
		return -1;
	for (c = text; isgraph((unsigned char)*c); c++)
		;
	if (*text && !*c && strlen(text) <= PXS_PROBE_WORD_MAX)
		return 0;
	cfg_error(cfg, "%s: is not 1..%d printable characters without spaces", opt->name,
		  PXS_PROBE_WORD_MAX);
	return -1;
}

static int check_http_path(cfg_t *cfg, cfg_opt_t *opt)
{
	if (check_word(cfg, opt))
		return -1;
	if (*cfg_opt_getnstr(opt, 0) == '/')
		return 0;
	cfg_error(cfg, "path: \"%s\" does not begin with /", cfg_opt_getnstr(opt, 0));
	return -1;
}

/* "204" or "200-399". */
static int parse_status(const char *text, u16 *low, u16 *high)
{
	unsigned int a, b;
	int end = 0;

	if (strspn(text, "0123456789") == 3 && sscanf(text, "%3u%n", &a, &end) == 1 &&
	    !text[end])
		b = a;
	else if (strlen(text) != 7 || strspn(text, "0123456789-") != 7 || text[3] != '-' ||
		 sscanf(text, "%3u-%3u%n", &a, &b, &end) != 2 || text[end])
		return -EINVAL;
	if (a < 100 || b > 599 || a > b)
		return -EINVAL;
	*low = (u16)a;
	*high = (u16)b;
	return 0;
}

static int check_status(cfg_t *cfg, cfg_opt_t *opt)
{
	u16 low, high;

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!parse_status(cfg_opt_getnstr(opt, 0), &low, &high))
		return 0;
	cfg_error(cfg, "status: \"%s\" is neither a status of 100..599 nor a range such as 200-399",
		  cfg_opt_getnstr(opt, 0));
	return -1;
}

static int check_noauth(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!strcmp(text, "good") || !strcmp(text, "bad"))
		return 0;
	cfg_error(cfg, "noauth: \"%s\" is neither good nor bad", text);
	return -1;
}

static int check_dns_name(cfg_t *cfg, cfg_opt_t *opt)
{
	if (check_word(cfg, opt))
		return -1;
	if (pxs_probe_dns_name(cfg_opt_getnstr(opt, 0)))
		return 0;
	cfg_error(cfg, "name: \"%s\" is not a DNS name", cfg_opt_getnstr(opt, 0));
	return -1;
}

static int parse_rcode(const char *text, u16 *rcode)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rcodes); i++) {
		if (strcmp(rcodes[i].word, text))
			continue;
		*rcode = rcodes[i].rcode;
		return 0;
	}
	return -EINVAL;
}

static int check_rcode(cfg_t *cfg, cfg_opt_t *opt)
{
	u16 rcode;

	if (pxs_config_once(cfg, opt))
		return -1;
	if (!parse_rcode(cfg_opt_getnstr(opt, 0), &rcode))
		return 0;
	cfg_error(cfg, "rcode: \"%s\" is none of any, noerror, formerr, servfail, nxdomain, notimp, refused",
		  cfg_opt_getnstr(opt, 0));
	return -1;
}

cfg_opt_t *pxs_config_health_options(void)
{
	static cfg_opt_t options[] = {
		CFG_STR("check", NULL, CFGF_NODEFAULT),
		CFG_STR("backends", NULL, CFGF_NODEFAULT),
		CFG_INT("port", 0, CFGF_NODEFAULT),
		CFG_INT("interval", 2000, CFGF_NONE),
		CFG_INT("timeout", 1000, CFGF_NODEFAULT),
		CFG_INT("rise", 2, CFGF_NONE),
		CFG_INT("fall", 3, CFGF_NONE),
		CFG_INT("jitter", 10, CFGF_NONE),
		CFG_STR("path", NULL, CFGF_NODEFAULT),
		CFG_STR("host", NULL, CFGF_NODEFAULT),
		CFG_STR("status", NULL, CFGF_NODEFAULT),
		CFG_STR("user", NULL, CFGF_NODEFAULT),
		CFG_STR("password-file", NULL, CFGF_NODEFAULT),
		CFG_STR("noauth", NULL, CFGF_NODEFAULT),
		CFG_STR("name", NULL, CFGF_NODEFAULT),
		CFG_STR("rcode", NULL, CFGF_NODEFAULT),
		CFG_END()
	};

	return options;
}

void pxs_config_health_checks(cfg_t *cfg)
{
	static const struct {
		const char *name;
		cfg_validate_callback_t check;
	} checks[] = {
		{ "health|check", check_kind },
		{ "health|backends", check_backends },
		{ "health|port", check_port },
		{ "health|interval", check_interval },
		{ "health|timeout", check_timeout },
		{ "health|rise", check_count },
		{ "health|fall", check_count },
		{ "health|jitter", check_jitter },
		{ "health|path", check_http_path },
		{ "health|host", check_word },
		{ "health|status", check_status },
		{ "health|user", check_word },
		{ "health|password-file", pxs_config_path },
		{ "health|noauth", check_noauth },
		{ "health|name", check_dns_name },
		{ "health|rcode", check_rcode },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(checks); i++)
		cfg_set_validate_func(cfg, checks[i].name, checks[i].check);
}

/* Where it was given, else what @otherwise says. */
static const char *text_of(cfg_t *section, const char *option, const char *otherwise)
{
	return cfg_size(section, option) ? cfg_getstr(section, option) : otherwise;
}

static int refuse_others(const struct pxs_config *c, cfg_t *section, const char *where,
			 const struct pxs_probe_kind *kind)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(belongs); i++) {
		if (!cfg_size(section, belongs[i].option) || !strcmp(belongs[i].kind, kind->name))
			continue;
		pxs_err("%s:%d: %s: %s belongs to check = \"%s\"", c->file, section->line, where,
			belongs[i].option, belongs[i].kind);
		return -EINVAL;
	}
	return 0;
}

/* The first line of the file; longer than a password may be is refused. */
static int load_password(const struct pxs_config *c, cfg_t *section, const char *where,
			 struct pxs_probe_conf *probe)
{
	const char *path = cfg_size(section, "password-file") ?
			   cfg_getstr(section, "password-file") : NULL;
	char text[PXS_PROBE_WORD_MAX + 2];
	size_t len;
	int err;

	if (!path)
		return 0;
	err = pxs_keyfile_text(c->file, where, "password-file", path, text, sizeof(text));
	if (err)
		return err;
	len = strcspn(text, "\n");
	if (len && len <= PXS_PROBE_WORD_MAX) {
		memcpy(probe->password, text, len);
	} else {
		pxs_err("%s: %s: password-file %s: its first line is not 1..%d bytes", c->file,
			where, path, PXS_PROBE_WORD_MAX);
		err = -EINVAL;
	}
	explicit_bzero(text, sizeof(text));
	return err;
}

static int load_probe(const struct pxs_config *c, cfg_t *section, const char *where,
		      struct pxs_probe_conf *p)
{
	p->kind = pxs_probe_kind(cfg_getstr(section, "check"));
	if (refuse_others(c, section, where, p->kind))
		return -EINVAL;
	if (cfg_size(section, "user") && !cfg_size(section, "password-file")) {
		pxs_err("%s:%d: %s: user needs a password-file", c->file, section->line, where);
		return -EINVAL;
	}
	snprintf(p->path, sizeof(p->path), "%s", text_of(section, "path", "/"));
	snprintf(p->host, sizeof(p->host), "%s", text_of(section, "host", ""));
	parse_status(text_of(section, "status", "200-399"), &p->status_min, &p->status_max);
	snprintf(p->user, sizeof(p->user), "%s", text_of(section, "user", ""));
	p->noauth_good = !strcmp(text_of(section, "noauth", "bad"), "good");
	snprintf(p->name, sizeof(p->name), "%s", text_of(section, "name", "."));
	parse_rcode(text_of(section, "rcode", "any"), &p->rcode);
	return load_password(c, section, where, p);
}

static int load_backends(struct pxs_health_section *h, cfg_t *section)
{
	const char *text = text_of(section, "backends", "");
	char bad[64];
	int n = parse_backends(text, NULL, 0, bad);

	if (n <= 0)
		return n;
	h->backend = calloc((size_t)n, sizeof(*h->backend));
	if (!h->backend)
		return -ENOMEM;
	h->nbackends = (u32)n;
	parse_backends(text, h->backend, h->nbackends, bad);
	return 0;
}

static int load_section(struct pxs_config *c, struct pxs_health_section *h, cfg_t *section)
{
	const char *title = cfg_title(section);
	struct pxs_health_conf *t = &h->timing;
	char where[PXS_NAME_MAX + 16];

	if (!*title || strlen(title) > PXS_NAME_MAX ||
	    title[strspn(title, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")]) {
		pxs_err("%s:%d: health \"%s\": is not a service's name", c->file, section->line,
			title);
		return -EINVAL;
	}
	snprintf(h->service, sizeof(h->service), "%s", title);
	snprintf(where, sizeof(where), "health \"%s\"", title);
	if (pxs_config_want(c, section, where, "check"))
		return -EINVAL;
	h->port = cfg_size(section, "port") ? (u16)cfg_getint(section, "port") : 0;
	t->interval_ms = (u32)cfg_getint(section, "interval");
	t->timeout_ms = cfg_size(section, "timeout") ? (u32)cfg_getint(section, "timeout") :
						       min(t->interval_ms, 1000u);
	t->rise = (u32)cfg_getint(section, "rise");
	t->fall = (u32)cfg_getint(section, "fall");
	t->jitter = (u32)cfg_getint(section, "jitter");
	if (t->timeout_ms > t->interval_ms) {
		pxs_err("%s:%d: %s: timeout %u is longer than interval %u", c->file, section->line,
			where, t->timeout_ms, t->interval_ms);
		return -EINVAL;
	}
	return load_probe(c, section, where, &h->probe) ?: load_backends(h, section);
}

int pxs_config_health_load(struct pxs_config *c, cfg_t *cfg)
{
	u32 i, n = cfg_size(cfg, "health");
	int err = 0;

	if (n > PXS_SERVICES_MAX) {
		pxs_err("%s: has %u sections health; a namespace has at most %u services", c->file,
			n, PXS_SERVICES_MAX);
		return -EINVAL;
	}
	if (!n)
		return 0;
	c->health = calloc(n, sizeof(*c->health));
	if (!c->health)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		c->nhealth++;
		err = load_section(c, &c->health[i], cfg_getnsec(cfg, "health", i));
	}
	return err;
}

void pxs_config_health_free(struct pxs_config *c)
{
	u32 i;

	for (i = 0; i < c->nhealth; i++) {
		explicit_bzero(&c->health[i].probe, sizeof(c->health[i].probe));
		free(c->health[i].backend);
	}
	free(c->health);
	c->health = NULL;
	c->nhealth = 0;
}

bool pxs_config_health_same(const struct pxs_config *a, const struct pxs_config *b)
{
	u32 i;

	if (a->nhealth != b->nhealth)
		return false;
	for (i = 0; i < a->nhealth; i++) {
		const struct pxs_health_section *x = &a->health[i], *y = &b->health[i];

		/* All of it was zeroed first, what is behind a string as well. */
		if (memcmp(x, y, offsetof(struct pxs_health_section, backend)) ||
		    (x->nbackends && memcmp(x->backend, y->backend,
					    x->nbackends * sizeof(*x->backend))))
			return false;
	}
	return true;
}
