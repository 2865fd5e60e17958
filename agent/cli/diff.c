// SPDX-License-Identifier: GPL-2.0
/*
 * diff.c - the command "table diff": what a change would move, before it is made
 *
 * The table in force is read from the kernel; the one after the change is built here, by the code
 * that the module is made of. That both would build the same is checked first, by the digest of
 * the table in force. Tables of unlike size are compared at places of the space of hashes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "table.h"

/* In front of the above "table.h" in every path is this directory: the core's by its own name. */
#include "../../kmod/core/key.h"
#include "../../kmod/core/table.h"

#define PLACES_BITS	20
#define PLACES		(1u << PLACES_BITS)
#define SHARE_UNIT	1000000000ULL	/* of shares that are no whole rows */

/* A service as it is or would be: what a table is built from, and who serves. */
struct side {
	struct pxs_table_config cfg;
	struct table_backend *backend;	/* by index, TABLE_NOBODY of them */
	struct pxs_table_backend *in;
	unsigned int end;
	struct pxs_table *built;	/* or the rows of the kernel: */
	const struct pxs_table_row *row;
	uint32_t nrows;
	uint32_t *serves;		/* places, by index; the last one: nobody in particular */
};

struct diff {
	struct cli *cli;
	struct table now;
	struct side was, is;
	uint32_t *gained, *lost;	/* places, by index */
	uint32_t moved;			/* places with another one who serves */
};

static uint64_t key_of(struct nlattr **tb)
{
	struct pxs_key_spec spec = {
		.rule = (uint8_t)nlq_uint(tb[PXS_A_SERVICE_KEY]),
		.offset = (uint16_t)nlq_uint(tb[PXS_A_SERVICE_KEY_OFFSET]),
		.len = (uint16_t)nlq_uint(tb[PXS_A_SERVICE_KEY_LEN]),
		.prefix = (uint8_t)nlq_uint(tb[PXS_A_SERVICE_KEY_PREFIX]),
	};

	return pxs_key_word(&spec);
}

static int on_service(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct pxs_table_config *cfg = arg;

	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	if (!tb[PXS_A_SERVICE_SEED] || nla_len(tb[PXS_A_SERVICE_SEED]) != PXS_SEED_LEN) {
		cli_error(cli, "the kernel shows no seed: without it no table can be built");
		return CLI_NO_KERNEL;
	}
	pxs_seed_from_bytes(&cfg->seed, nla_data(tb[PXS_A_SERVICE_SEED]));
	cfg->fill = (uint8_t)nlq_uint(tb[PXS_A_SERVICE_FILL]);
	cfg->key = key_of(tb);
	cfg->proto = (uint8_t)nlq_uint(tb[PXS_A_SERVICE_PROTO]);
	cfg->cap = (uint16_t)nlq_uint(tb[PXS_A_SERVICE_CAP]);
	cfg->nrows = (uint32_t)nlq_uint(tb[PXS_A_SERVICE_ROWS]);
	return CLI_OK;
}

static int read_service(struct diff *d)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_SERVICE_GET);

	nlq_put_str(msg, PXS_A_SERVICE_NAME, d->now.service);
	return nlq_get(d->cli, msg, on_service, &d->was.cfg);
}

/* By socket, where that is what names it, else by address and port. */
static bool is_at(const struct table_backend *b, const struct endpoint *ep)
{
	if (ep->socket || b->ep.socket)
		return b->ep.socket == ep->socket;
	return b->ep.len == ep->len && b->ep.port == ep->port &&
	       !memcmp(b->ep.addr, ep->addr, ep->len);
}

static struct table_backend *find(struct side *s, const struct endpoint *ep, unsigned int *index)
{
	unsigned int i;

	for (i = 0; i < s->end; i++) {
		struct table_backend *b = &s->backend[i];

		if (b->known && is_at(b, ep)) {
			*index = i;
			return b;
		}
	}
	return NULL;
}

/* With the lowest index that is free, as the module does it. */
static struct table_backend *add(struct side *s, const struct endpoint *ep)
{
	uint8_t addr[16] = { 0 };
	unsigned int i = 0;

	while (i < PXS_BACKENDS_MAX && s->backend[i].known)
		i++;
	if (i == PXS_BACKENDS_MAX)
		return NULL;
	if (i >= s->end)
		s->end = i + 1;
	memcpy(addr, ep->addr, ep->len);
	s->backend[i] = (struct table_backend){
		.ep = *ep, .weight = 1, .state = PXS_BACKEND_UP, .health = PXS_HEALTH_UNCHECKED,
		.id = pxs_table_default_id(addr, ep->port), .known = true,
	};
	return &s->backend[i];
}

static int take_word(struct args *a, const char *what, const struct names *names,
		     unsigned int *val)
{
	const char *word = args_next(a, what);
	uint64_t value;

	if (!word)
		return CLI_USAGE;
	if (parse_name(word, names->name, names->n, &value))
		return cli_usage_error(a->cli, "%s: \"%s\" is none", what, word);
	*val = (unsigned int)value;
	return CLI_OK;
}

/* What follows a backend that is added or set, as long as it is one of these words. */
static int take_options(struct args *a, struct table_backend *b, bool is_new)
{
	while (a->argc) {
		const char *word = a->argv[0];
		uint64_t deadline;	/* moves no row: who drains has none, before or after */
		int ret;

		if (strcmp(word, "weight") && strcmp(word, "state") && strcmp(word, "deadline") &&
		    strcmp(word, is_new ? "id" : "health"))
			return CLI_OK;
		args_next(a, word);
		if (!strcmp(word, "weight"))
			ret = args_u64(a, "weight", 0, PXS_WEIGHT_MAX, &b->weight);
		else if (!strcmp(word, "id"))
			ret = args_u64(a, "id", 0, UINT64_MAX, &b->id);
		else if (!strcmp(word, "state"))
			ret = take_word(a, "state", &names_backend_state, &b->state);
		else if (!strcmp(word, "deadline"))
			ret = args_u64(a, "deadline", 0, PXS_DEADLINE_MAX, &deadline);
		else
			ret = take_word(a, "health", &names_health, &b->health);
		if (ret)
			return ret;
	}
	return CLI_OK;
}

static int take_backend(struct diff *d, struct args *a)
{
	const char *verb = args_next(a, "backend: add, set or del");
	const char *word = verb ? args_next(a, "backend: ADDR:PORT") : NULL;
	bool is_new = verb && !strcmp(verb, "add");
	struct endpoint ep = { .len = 0 };
	struct table_backend *b;
	unsigned int index;

	if (!word)
		return CLI_USAGE;
	if (!is_new && strcmp(verb, "set") && strcmp(verb, "del"))
		return cli_usage_error(d->cli, "backend: \"%s\" is not add, set or del", verb);
	if (!is_new && !strcmp(word, "socket")) {
		if (args_u64(a, "socket", 1, UINT64_MAX, &ep.socket))
			return CLI_USAGE;
		word = a->argv[-1];
	} else if (parse_endpoint(word, true, &ep)) {
		return cli_usage_error(d->cli, "backend: \"%s\" is not ADDR:PORT or [ADDR6]:PORT",
				       word);
	}
	b = find(&d->is, &ep, &index);
	if (is_new && b)
		return cli_usage_error(d->cli, "backend: \"%s\" is there already", word);
	if (!is_new && !b)
		return cli_usage_error(d->cli, "backend: the service has no \"%s\"", word);
	if (!strcmp(verb, "del")) {
		b->known = false;
		return CLI_OK;
	}
	b = is_new ? add(&d->is, &ep) : b;
	if (!b)
		return cli_usage_error(d->cli, "backend: the service has %d, that is the limit",
				       PXS_BACKENDS_MAX);
	return take_options(a, b, is_new);
}

static int take_seed(struct args *a, struct pxs_seed *seed)
{
	const char *word = args_next(a, "seed");
	uint8_t bytes[PXS_SEED_LEN];

	if (!word)
		return CLI_USAGE;
	if (parse_hex(word, bytes, sizeof(bytes)))
		return cli_usage_error(a->cli, "seed: \"%s\" is not 32 hex digits", word);
	pxs_seed_from_bytes(seed, bytes);
	return CLI_OK;
}

static int take_cap(struct args *a, uint16_t *cap)
{
	const char *word = args_next(a, "cap");
	uint64_t value;

	if (!word)
		return CLI_USAGE;
	if (parse_permille(word, &value))
		return cli_usage_error(a->cli, "cap: \"%s\" is not 0..1000 (thousandths) or %s",
				       word, "0%..100%");
	*cap = (uint16_t)value;
	return CLI_OK;
}

static int take_change(struct diff *d, struct args *a)
{
	const char *word = args_next(a, "CHANGE");
	struct pxs_table_config *cfg = &d->is.cfg;
	unsigned int fill;
	uint64_t rows;
	int ret;

	if (!strcmp(word, "backend"))
		return take_backend(d, a);
	if (!strcmp(word, "seed"))
		return take_seed(a, &cfg->seed);
	if (!strcmp(word, "cap"))
		return take_cap(a, &cfg->cap);
	if (!strcmp(word, "fill")) {
		ret = take_word(a, "fill", &names_fill, &fill);
		if (!ret)
			cfg->fill = (uint8_t)fill;
		return ret;
	}
	if (strcmp(word, "rows"))
		return cli_usage_error(d->cli, "unknown keyword \"%s\", expected %s", word,
				       "backend, fill, rows, cap or seed");
	ret = args_u64(a, "rows", 0, PXS_ROWS_MAX, &rows);
	if (!ret)
		cfg->nrows = (uint32_t)rows;
	return ret;
}

static bool alloc_side(struct side *s)
{
	s->backend = calloc(TABLE_NOBODY, sizeof(*s->backend));
	s->in = calloc(TABLE_NOBODY, sizeof(*s->in));
	s->serves = calloc(TABLE_NOBODY + 1, sizeof(*s->serves));
	return s->backend && s->in && s->serves;
}

static void free_side(struct side *s)
{
	free(s->backend);
	free(s->in);
	free(s->serves);
	free(s->built);
}

/* What drains owns no row. */
static uint64_t weight_of(const struct table_backend *b)
{
	return b->known && b->state != PXS_BACKEND_DRAIN ? b->weight : 0;
}

static void configure(struct side *s)
{
	unsigned int i;

	while (s->end && !s->backend[s->end - 1].known)
		s->end--;
	for (i = 0; i < s->end; i++) {
		const struct table_backend *b = &s->backend[i];
		struct pxs_table_backend *in = &s->in[i];

		in->id = b->id;
		in->weight = (uint32_t)weight_of(b);
		in->port = b->ep.port;
		in->family = b->ep.len == 4 ? 4 : 6;
		memcpy(in->addr, b->ep.addr, b->ep.len);
	}
	s->cfg.nbackends = s->end;
	s->cfg.backends = s->in;
}

/* Return: an exit status; nobody with weight: no table, which is none. */
static int build(struct diff *d, struct side *s)
{
	struct pxs_table_build b;
	const char *why = NULL;
	void *scratch;
	int err = pxs_table_plan(&s->cfg, &why);

	if (!err) {
		s->built = malloc(pxs_table_size(&s->cfg));
		scratch = malloc(pxs_table_scratch(&s->cfg));
		if (!s->built || !scratch) {
			free(scratch);
			cli_error(d->cli, "out of memory");
			return CLI_NO_KERNEL;
		}
		err = pxs_table_start(&b, &s->cfg, s->built, scratch, 0, &why);
		while (!err && pxs_table_step(&b, PXS_TABLE_BUDGET))
			;
		free(scratch);
	}
	if (err)
		return cli_usage_error(d->cli, "after the change there is no table: %s", why);
	s->row = s->built->rows;
	s->nrows = s->built->nrows;
	return CLI_OK;
}

/* The table in force: built again where that is possible, which proves that we build alike. */
static int rebuild_now(struct diff *d)
{
	struct side *s = &d->was;
	int ret;

	configure(s);
	s->row = d->now.row;
	s->nrows = d->now.nrows;
	if (s->cfg.fill == PXS_FILL_STICKY)
		return CLI_OK;
	ret = build(d, s);
	if (ret || s->built->digest == d->now.digest)
		return ret;
	cli_error(d->cli, "the module fills tables in another way than this program: %s",
		  "they are of different versions");
	return CLI_NO_KERNEL;
}

static int build_next(struct diff *d, struct pxs_table_past *past, uint64_t *ids)
{
	unsigned int i;

	configure(&d->is);
	if (d->is.cfg.fill == PXS_FILL_STICKY && d->now.fill != PXS_FILL_KETAMA) {
		for (i = 0; i < d->was.end; i++)
			ids[i] = d->was.backend[i].id;
		past->rows = d->now.row;
		past->nrows = d->now.nrows;
		past->nbackends = d->was.end;
		past->ids = ids;
		d->is.cfg.past = past;
	}
	return build(d, &d->is);
}

/* The index that serves the hashes at @place, or TABLE_NOBODY: who is live of many. */
static unsigned int server_at(const struct side *s, uint32_t place)
{
	const uint64_t hash = (uint64_t)place << (64 - PLACES_BITS) | 1ULL << (63 - PLACES_BITS);
	const struct pxs_table_row *row;

	if (s->built)
		row = &s->row[pxs_table_row_of(s->built, hash)];
	else
		row = &s->row[((hash >> 32) * s->nrows) >> 32];
	if (row->first < s->end && table_serves(&s->backend[row->first]))
		return row->first;
	if (row->second < s->end && table_serves(&s->backend[row->second]))
		return row->second;
	return TABLE_NOBODY;
}

static bool is_same(const struct diff *d, unsigned int was, unsigned int is)
{
	return was == is && (was == TABLE_NOBODY ||
			     d->was.backend[was].id == d->is.backend[is].id);
}

static void compare(struct diff *d)
{
	unsigned int was, is;
	uint32_t i;

	for (i = 0; i < PLACES; i++) {
		was = server_at(&d->was, i);
		is = server_at(&d->is, i);
		d->was.serves[was]++;
		d->is.serves[is]++;
		if (is_same(d, was, is))
			continue;
		d->moved++;
		d->lost[was]++;
		d->gained[is]++;
	}
}

/* Of those that serve. */
static double sum_of_weights(const struct side *s)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < s->end; i++)
		if (table_serves(&s->backend[i]))
			sum += (double)weight_of(&s->backend[i]);
	return sum;
}

/* The share that its weight asks for, of that sum; in SHARE_UNIT. */
static double wanted(const struct side *s, unsigned int index, double sum)
{
	if (index >= s->end || !sum || !table_serves(&s->backend[index]))
		return 0;
	return (double)weight_of(&s->backend[index]) / sum * SHARE_UNIT;
}

/* What any two tables with such shares differ by at least. */
static uint64_t least(const struct diff *d)
{
	unsigned int i, end = d->was.end > d->is.end ? d->was.end : d->is.end;
	double was = sum_of_weights(&d->was), is = sum_of_weights(&d->is), more, sum = 0;

	for (i = 0; i < end; i++) {
		more = wanted(&d->is, i, is) - wanted(&d->was, i, was);
		/* another one in the place of one that went */
		if (!is_same(d, i, i))
			more = wanted(&d->is, i, is);
		sum += more > 0 ? more : 0;
	}
	return (uint64_t)(sum + 0.5);
}

static void put_backend(struct out *o, const struct diff *d, unsigned int i, bool was, bool is)
{
	const struct table_backend *b = is ? &d->is.backend[i] : &d->was.backend[i];
	bool both = was && is;

	out_object(o, NULL, NULL, OUT_ROW);
	out_endpoint(o, "address", &b->ep);
	out_str(o, "change", "change", !was ? "added" : !is ? "deleted" : NULL);
	out_str(o, "state", "state", name_of(&names_backend_state, b->state));
	out_str(o, "health", "health", name_of(&names_health, b->health));
	out_num(o, "weight_before", "weight", was ? d->was.backend[i].weight : 0);
	out_num(o, "weight", "new weight", is ? b->weight : 0);
	out_share(o, "share_before", "share", was ? d->was.serves[i] : 0, PLACES);
	out_share(o, "share", "new share", is ? d->is.serves[i] : 0, PLACES);
	out_share(o, "gained", "gained", both || is ? d->gained[i] : 0, PLACES);
	out_share(o, "lost", "lost", both || was ? d->lost[i] : 0, PLACES);
	out_close(o);
}

static void put_backends(struct out *o, const struct diff *d)
{
	unsigned int i, end = d->was.end > d->is.end ? d->was.end : d->is.end;
	bool was, is;

	out_list(o, "backends", OUT_TABLE);
	for (i = 0; i < end; i++) {
		was = i < d->was.end && d->was.backend[i].known;
		is = i < d->is.end && d->is.backend[i].known;
		if (was && is && !is_same(d, i, i)) {
			put_backend(o, d, i, true, false);
			was = false;
		}
		if (was || is)
			put_backend(o, d, i, was, is);
	}
	out_close(o);
}

static void put_side(struct out *o, const char *key, const struct side *s, uint64_t digest)
{
	char text[96];

	snprintf(text, sizeof(text), "%s, %u rows, digest 0x%016" PRIx64,
		 name_of(&names_fill, s->cfg.fill), s->nrows, digest);
	out_str(o, NULL, key, text);
	out_object(o, key, NULL, OUT_NONE);
	out_str(o, "fill", "fill", name_of(&names_fill, s->cfg.fill));
	out_num(o, "rows", "rows", s->nrows);
	out_hex(o, "digest", "digest", digest);
	out_close(o);
}

static void put(const struct diff *d)
{
	struct out *o = d->cli->out;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_str(o, "service", "service", d->now.service);
	out_num(o, "generation", "generation", d->now.generation);
	put_side(o, "before", &d->was, d->now.digest);
	put_side(o, "after", &d->is, d->is.built->digest);
	out_num(o, "moved_rows", "moved rows",
		((uint64_t)d->moved * d->is.nrows + PLACES / 2) >> PLACES_BITS);
	out_share(o, "moved", "moved", d->moved, PLACES);
	out_share(o, "minimum", "minimum", least(d), SHARE_UNIT);
	put_backends(o, d);
	out_close(o);
}

static int run(struct diff *d, struct args *a)
{
	struct pxs_table_past past = { 0 };
	uint64_t *ids;
	int ret;

	d->gained = calloc(2 * (TABLE_NOBODY + 1), sizeof(*d->gained));
	if (!d->gained || !alloc_side(&d->was) || !alloc_side(&d->is)) {
		cli_error(d->cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	d->lost = d->gained + TABLE_NOBODY + 1;
	ret = read_service(d);
	if (!ret)
		ret = table_read(d->cli, &d->now);
	if (ret)
		return ret;
	d->is.cfg = d->was.cfg;
	d->was.end = d->now.end;
	d->is.end = d->now.end;
	memcpy(d->was.backend, d->now.backend, TABLE_NOBODY * sizeof(*d->was.backend));
	memcpy(d->is.backend, d->now.backend, TABLE_NOBODY * sizeof(*d->is.backend));
	while (!ret && a->argc)
		ret = take_change(d, a);
	if (!ret)
		ret = rebuild_now(d);
	if (ret)
		return ret;
	ids = calloc(d->was.end + 1, sizeof(*ids));
	if (!ids)
		return CLI_NO_KERNEL;
	ret = build_next(d, &past, ids);
	if (!ret)
		compare(d);
	free(ids);
	return ret;
}

int table_diff(struct cli *cli, int argc, char **argv)
{
	struct diff d = { .cli = cli, .now = { .service = argc ? argv[0] : NULL } };
	struct nl_msg *check = nlq_msg(PXS_CMD_TABLE_GET);
	struct args a = { cli, argc, argv };
	int ret;

	ret = args_service(&a, check, PXS_A_TABLE_SERVICE);
	nlmsg_free(check);
	if (!ret && !a.argc)
		ret = cli_usage_error(cli, "CHANGE is missing: backend, fill, rows, cap or seed");
	if (!ret)
		ret = run(&d, &a);
	if (!ret)
		put(&d);
	table_free(&d.now);
	free_side(&d.was);
	free_side(&d.is);
	free(d.gained);
	return ret;
}
