// SPDX-License-Identifier: GPL-2.0
/*
 * bundle.c - a cluster in one text: what `cluster init` and `cluster add` tell `cluster join`
 */
#include "bundle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"
#include <linux/paxsteer.h>

#define LINE_LEN	256u
#define WORDS		12u
#define SUM_LEN		16u

static int __attribute__((format(printf, 2, 3))) wrong(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, BUNDLE_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- members ----------------------------------------------------------------- */

/* Why nobody can be reached there; NULL: somebody may. */
static const char *address_fault(const struct endpoint *e)
{
	static const uint8_t zero[16];

	if (!memcmp(e->addr, zero, e->len))
		return "is no machine's address";
	if (e->len == 4 && e->addr[0] >= 224)
		return "is not one machine's address";
	if (e->len == 16 && e->addr[0] == 0xff)
		return "is not one machine's address";
	if (e->len == 16 && e->addr[0] == 0xfe && (e->addr[1] & 0xc0) == 0x80)
		return "is good on one link only";
	return NULL;
}

static int take_store(const char *text, struct bundle_member *m)
{
	uint64_t port;

	m->store = m->address;
	m->store.port = BUNDLE_STORE_PORT;
	if (!text)
		return 0;
	if (strspn(text, "0123456789") != strlen(text))
		return parse_endpoint(text, true, &m->store);
	if (parse_u64(text, 1, 65535, &port))
		return -1;
	m->store.port = (uint16_t)port;
	return 0;
}

int bundle_member_parse(const char *word, struct bundle_member *m, char *error)
{
	const char *eq = strchr(word, '='), *comma = eq ? strchr(eq, ',') : NULL;
	char id[8], address[LINE_LEN];
	size_t len = eq ? (size_t)(eq - word) : 0;
	const char *fault;
	uint64_t n;

	*m = (struct bundle_member){ 0 };
	if (!eq)
		return wrong(error, "\"%.80s\" is not ID=ADDRESS[:PORT][,STORE]", word);
	snprintf(id, sizeof(id), "%.*s", len < sizeof(id) ? (int)len : 0, word);
	if (strspn(id, "0123456789") != strlen(id) || parse_u64(id, 1, PXS_MEMBER_ID_MAX, &n))
		return wrong(error, "\"%.80s\": the id is not 1..%u", word, PXS_MEMBER_ID_MAX);
	m->id = (uint8_t)n;
	len = comma ? (size_t)(comma - eq) - 1 : strlen(eq + 1);
	snprintf(address, sizeof(address), "%.*s", len < sizeof(address) ? (int)len : 0, eq + 1);
	if (parse_endpoint(address, false, &m->address))
		return wrong(error, "member %u: \"%.80s\" is not ADDRESS or ADDRESS:PORT", m->id,
			     address);
	if (!m->address.port)
		m->address.port = BUNDLE_PORT;
	if (take_store(comma ? comma + 1 : NULL, m))
		return wrong(error, "member %u: store: \"%.80s\" is not PORT or ADDRESS:PORT", m->id,
			     comma ? comma + 1 : "");
	fault = address_fault(&m->address);
	if (!fault)
		fault = address_fault(&m->store);
	return fault ? wrong(error, "member %u: \"%.80s\" %s", m->id, eq + 1, fault) : 0;
}

bool bundle_same_place(const struct endpoint *a, const struct endpoint *b)
{
	return a->len == b->len && a->port == b->port && !memcmp(a->addr, b->addr, a->len);
}

static int check_count(const struct bundle *b, char *error)
{
	unsigned int i;

	if (!b->adds)
		return b->n == 3 || b->n == 5 ? 0 :
		       wrong(error, "%u members: a cluster begins with 3 or 5", b->n);
	if (b->n < 3 || b->n > BUNDLE_MEMBERS_MAX)
		return wrong(error, "%u members: with one more there are 3 to %u", b->n,
			     BUNDLE_MEMBERS_MAX);
	for (i = 0; i < b->n && b->member[i].id != b->adds; i++)
		;
	if (i == b->n || !b->member[i].learner)
		return wrong(error, "adds: member %u is not there as a learner", b->adds);
	return 0;
}

int bundle_members_check(const struct bundle *b, char *error)
{
	char text[PARSE_ENDPOINT_LEN];
	unsigned int i, j;

	if (check_count(b, error))
		return -1;
	for (i = 0; i < b->n; i++) {
		const struct bundle_member *m = &b->member[i];

		for (j = 0; j < i; j++) {
			const struct bundle_member *o = &b->member[j];

			if (m->id == o->id)
				return wrong(error, "member %u is given twice", m->id);
			if (bundle_same_place(&m->address, &o->address))
				return wrong(error, "members %u and %u have the same address %s", o->id,
					     m->id, format_endpoint(text, &m->address));
			if (bundle_same_place(&m->store, &o->store))
				return wrong(error, "the stores of members %u and %u have the same address %s",
					     o->id, m->id, format_endpoint(text, &m->store));
			if (m->address.len != o->address.len)
				return wrong(error, "members %u and %u have addresses of different families",
					     o->id, m->id);
		}
	}
	return 0;
}

int bundle_joins(const struct bundle *b, uint64_t id, uint64_t now, unsigned int *at, char *error)
{
	char list[64] = "";
	unsigned int i;

	for (i = 0; i < b->n && b->member[i].id != id; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%u", i ? ", " : "",
			 b->member[i].id);
	if (i == b->n)
		return wrong(error, "member %" PRIu64 " is not in the bundle: it has %s", id, list);
	if (b->adds && b->adds != id)
		return wrong(error, "member %" PRIu64 " is there: the bundle is for member %u", id,
			     b->adds);
	if (b->member[i].joined)
		return wrong(error, "member %" PRIu64 " was made of this bundle before; two journals of one member can lose what was acknowledged",
			     id);
	if (now > b->until)
		return wrong(error, "until: the bundle has ended %" PRIu64 " seconds ago, or this machine's clock is wrong",
			     now - b->until);
	*at = i;
	return 0;
}

/* --- text -------------------------------------------------------------------- */

/* By the cluster's key, which signs datagrams, too: none of those begins as a bundle does. */
static void sum_of(const struct bundle *b, const char *text, size_t len, uint8_t sum[SUM_LEN])
{
	struct pxs_tagger t;

	pxs_tag_init(&t, b->key);
	pxs_tag_update(&t, text, len);
	pxs_tag_final(&t, sum);
}

static unsigned int version_of(const struct bundle *b)
{
	if (b->adds)
		return b->groups > 1 ? BUNDLE_VERSION_ADD_GROUPS : BUNDLE_VERSION_ADD;
	return b->groups > 1 ? BUNDLE_VERSION_GROUPS : BUNDLE_VERSION;
}

size_t bundle_format(const struct bundle *b, char *text)
{
	char uuid[37], key[2 * BUNDLE_KEY_LEN + 1], password[2 * BUNDLE_PASSWORD_LEN + 1];
	char address[PARSE_ENDPOINT_LEN], store[PARSE_ENDPOINT_LEN], hex[2 * SUM_LEN + 1];
	uint8_t sum[SUM_LEN];
	unsigned int i;
	size_t n;

	n = (size_t)sprintf(text, "paxsteer-bundle %u\ncluster %s\nuntil %" PRIu64 "\ndatapath %s\n"
			    "key %s\npassword %s\n", version_of(b),
			    format_uuid(uuid, b->cluster), b->until, b->user ? "user" : "kernel",
			    format_hex(key, b->key, sizeof(b->key)),
			    format_hex(password, b->password, sizeof(b->password)));
	if (b->groups > 1)
		n += (size_t)sprintf(text + n, "groups %u\n", b->groups);
	if (b->adds)
		n += (size_t)sprintf(text + n, "adds %u key-id %u\n", b->adds, b->key_id);
	for (i = 0; i < b->n; i++) {
		const struct bundle_member *m = &b->member[i];

		n += (size_t)sprintf(text + n, "member %u %s store %s incarnation 0x%016" PRIx64
				     " joined %" PRIu64 "%s%s\n", m->id,
				     format_endpoint(address, &m->address),
				     format_endpoint(store, &m->store), m->incarnation, m->joined,
				     b->adds ? " role " : "",
				     !b->adds ? "" : m->learner ? "learner" : "voter");
	}
	sum_of(b, text, n, sum);
	n += (size_t)sprintf(text + n, "sum %s\n", format_hex(hex, sum, sizeof(sum)));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(password, sizeof(password));
	return n;
}

struct reader {
	const char *at, *end;
	unsigned int line;
	char *error;
	char text[LINE_LEN];	/* of the line, cut into */
	char *word[WORDS];
};

static bool at_line(const struct reader *r, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(r->end - r->at) > len && !memcmp(r->at, name, len) && r->at[len] == ' ';
}

/* The next line, which begins with @name and has @words words. */
static int next_line(struct reader *r, const char *name, unsigned int words)
{
	const char *nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
	size_t len = nl ? (size_t)(nl - r->at) : 0;
	unsigned int n = 0;
	char *at;

	r->line++;
	if (!nl)
		return wrong(r->error, "line %u: %s: is cut off, or not there", r->line, name);
	if (len >= sizeof(r->text))
		return wrong(r->error, "line %u: %s: is too long", r->line, name);
	if (!at_line(r, name))
		return wrong(r->error, "line %u: is not %s", r->line, name);
	memcpy(r->text, r->at, len);
	r->text[len] = 0;
	r->at = nl + 1;
	for (at = r->text; n < WORDS && at; n++) {
		r->word[n] = at;
		at = strchr(at, ' ');
		if (at)
			*at++ = 0;
	}
	if (at || n != words)
		return wrong(r->error, "line %u: %s: has not %u words", r->line, name, words);
	return 0;
}

static int bad_word(struct reader *r, const char *field, unsigned int i)
{
	return wrong(r->error, "line %u: %s: \"%.80s\" is wrong", r->line, field, r->word[i]);
}

/* A secret is not repeated. */
static int take_hex(struct reader *r, const char *name, uint8_t *bytes, size_t len)
{
	if (next_line(r, name, 2))
		return -1;
	if (parse_hex(r->word[1], bytes, len))
		return wrong(r->error, "line %u: %s: is not %zu hex digits", r->line, name, 2 * len);
	return 0;
}

static int take_version(struct reader *r, uint64_t *version)
{
	if (!at_line(r, "paxsteer-bundle"))
		return wrong(r->error, "is no bundle of `paxsteer cluster init` or `add`");
	if (next_line(r, "paxsteer-bundle", 2))
		return -1;
	if (parse_u64(r->word[1], 1, UINT32_MAX, version))
		return bad_word(r, "version", 1);
	if (*version > BUNDLE_VERSION_ADD_GROUPS)
		return wrong(r->error, "version: is %" PRIu64 ", this program reads versions %u to %u",
			     *version, BUNDLE_VERSION, BUNDLE_VERSION_ADD_GROUPS);
	return 0;
}

static int take_groups(struct reader *r, struct bundle *b)
{
	uint64_t n;

	if (next_line(r, "groups", 2))
		return -1;
	if (parse_u64(r->word[1], 2, BUNDLE_GROUPS_MAX, &n))
		return bad_word(r, "groups", 1);
	b->groups = (unsigned int)n;
	return 0;
}

static int take_adds(struct reader *r, struct bundle *b)
{
	uint64_t id, key_id;

	if (next_line(r, "adds", 4))
		return -1;
	if (parse_u64(r->word[1], 1, PXS_MEMBER_ID_MAX, &id))
		return bad_word(r, "adds", 1);
	if (strcmp(r->word[2], "key-id") || parse_u64(r->word[3], 0, UINT8_MAX, &key_id))
		return bad_word(r, "key-id", 3);
	b->adds = (uint8_t)id;
	b->key_id = (uint8_t)key_id;
	return 0;
}

static int take_member(struct reader *r, struct bundle *b)
{
	static const char *const fields[] = {
		[3] = "store", [5] = "incarnation", [7] = "joined", [9] = "role",
	};
	unsigned int most = b->adds ? BUNDLE_MEMBERS_MAX : BUNDLE_BEGIN_MAX;
	unsigned int words = b->adds ? 11 : 9;
	struct bundle_member *m = &b->member[b->n];
	unsigned int i;
	uint64_t id;

	if (b->n == most)
		return wrong(r->error, "line %u: has more than %u members", r->line + 1, most);
	if (next_line(r, "member", words))
		return -1;
	for (i = 3; i < words; i += 2)
		if (strcmp(r->word[i], fields[i]))
			return wrong(r->error, "line %u: %s: is missing", r->line, fields[i]);
	if (parse_u64(r->word[1], 1, PXS_MEMBER_ID_MAX, &id))
		return bad_word(r, "member", 1);
	m->id = (uint8_t)id;
	if (parse_endpoint(r->word[2], true, &m->address) || address_fault(&m->address))
		return bad_word(r, "address", 2);
	if (parse_endpoint(r->word[4], true, &m->store) || address_fault(&m->store))
		return bad_word(r, "store", 4);
	if (parse_u64(r->word[6], 1, UINT64_MAX, &m->incarnation))
		return bad_word(r, "incarnation", 6);
	if (parse_u64(r->word[8], 0, INT64_MAX, &m->joined))
		return bad_word(r, "joined", 8);
	m->learner = b->adds && !strcmp(r->word[10], "learner");
	if (b->adds && !m->learner && strcmp(r->word[10], "voter"))
		return bad_word(r, "role", 10);
	for (i = 0; i < b->n; i++)
		if (b->member[i].incarnation == m->incarnation)
			return wrong(r->error, "line %u: incarnation: is that of another member", r->line);
	b->n++;
	return 0;
}

static int take_all(struct reader *r, struct bundle *b)
{
	const char *text = r->at;
	uint8_t sum[SUM_LEN], want[SUM_LEN];
	uint64_t version = 0;
	size_t len;

	b->key_id = BUNDLE_KEY_ID;
	b->groups = 1;
	if (take_version(r, &version) || next_line(r, "cluster", 2))
		return -1;
	if (parse_uuid(r->word[1], b->cluster))
		return bad_word(r, "cluster", 1);
	if (next_line(r, "until", 2))
		return -1;
	if (parse_u64(r->word[1], 0, INT64_MAX, &b->until))
		return bad_word(r, "until", 1);
	if (next_line(r, "datapath", 2))
		return -1;
	b->user = !strcmp(r->word[1], "user");
	if (!b->user && strcmp(r->word[1], "kernel"))
		return bad_word(r, "datapath", 1);
	if (take_hex(r, "key", b->key, sizeof(b->key)) ||
	    take_hex(r, "password", b->password, sizeof(b->password)))
		return -1;
	if (version >= BUNDLE_VERSION_GROUPS && take_groups(r, b))
		return -1;
	if ((version == BUNDLE_VERSION_ADD || version == BUNDLE_VERSION_ADD_GROUPS) &&
	    take_adds(r, b))
		return -1;
	while (at_line(r, "member"))
		if (take_member(r, b))
			return -1;
	len = (size_t)(r->at - text);
	if (take_hex(r, "sum", sum, sizeof(sum)))
		return -1;
	if (r->at != r->end)
		return wrong(r->error, "line %u: something follows the sum", r->line + 1);
	sum_of(b, text, len, want);
	if (memcmp(sum, want, sizeof(sum)))
		return wrong(r->error, "sum: the bundle was changed, or is damaged");
	return bundle_members_check(b, r->error);
}

int bundle_parse(const char *text, size_t len, struct bundle *b, char *error)
{
	struct reader r = { .at = text, .end = text + len, .error = error };
	int ret;

	memset(b, 0, sizeof(*b));
	if (len >= BUNDLE_TEXT_MAX)
		return wrong(error, "is larger than a bundle of %u members", BUNDLE_MEMBERS_MAX);
	if (memchr(text, 0, len))
		return wrong(error, "holds a byte of zero");
	ret = take_all(&r, b);
	explicit_bzero(r.text, sizeof(r.text));
	if (ret)
		explicit_bzero(b, sizeof(*b));
	return ret;
}
