// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_invite.c - the bundle of which one more member of a running cluster is made
 */
#include "cluster_invite.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster_conf.h"
#include "cluster_view.h"
#include "where.h"

static int __attribute__((format(printf, 2, 3))) wrong(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, CLUSTER_REASON_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

static uint64_t now(void)
{
	return (uint64_t)time(NULL);
}

bool cluster_invite_there(const struct cluster_invite *v)
{
	return !access(v->file, F_OK);
}

bool cluster_invite_over(const struct cluster_invite *v)
{
	return v->until && now() > v->until;
}

void cluster_invite_end(const struct cluster_invite *v)
{
	unlink(v->file);
}

/* Of the cluster that the daemon is in. */
static int cluster_of(const struct cluster_view *view, uint8_t uuid[16])
{
	json_t *journal = json_object_get(view->status[view->at], "journal");
	const char *text = json_string_value(json_object_get(journal, "cluster"));

	return text && !parse_uuid(text, uuid) ? 0 : -1;
}

/* --- one that is there --------------------------------------------------------- */

static int check(struct cluster_invite *v, const struct cluster_view *view,
		 const struct bundle *b, char *error)
{
	uint8_t cluster[16];
	unsigned int i;

	if (b->adds != v->new.id)
		return wrong(error, "%s: is not for member %u", v->file, v->new.id);
	for (i = 0; b->member[i].id != b->adds; i++)
		;
	if (!bundle_same_place(&b->member[i].address, &v->new.address) ||
	    !bundle_same_place(&b->member[i].store, &v->new.store))
		return wrong(error, "%s: is for member %u at another address, or store", v->file,
			     b->adds);
	if (cluster_of(view, cluster) || memcmp(cluster, b->cluster, sizeof(cluster)))
		return wrong(error, "%s: is of another cluster", v->file);
	v->new.incarnation = b->member[i].incarnation;
	v->until = b->until;
	return 0;
}

int cluster_invite_read(struct cluster_invite *v, const struct cluster_view *view, char *error)
{
	char text[BUNDLE_TEXT_MAX], why[BUNDLE_ERROR_MAX];
	struct bundle b;
	size_t len;
	int ret = cluster_bundle_read(v->file, text, sizeof(text), &len, error);

	if (ret)
		return ret;
	if (bundle_parse(text, len, &b, why))
		ret = wrong(error, "%s: %s", v->file, why);
	else
		ret = check(v, view, &b, error);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&b, sizeof(b));
	return ret;
}

/* --- a new one ----------------------------------------------------------------- */

static int take_secrets(const struct cluster_invite *v, struct bundle *b, char *error)
{
	char path[CLUSTER_PATH_MAX], text[CLUSTER_SECRET_MAX];
	size_t len;
	int ret;

	snprintf(path, sizeof(path), "%s/cluster.key", v->etc);
	ret = cluster_secret_read(path, text, &len, error);
	if (!ret && parse_key((const uint8_t *)text, len, b->key))
		ret = wrong(error, "%s: is no key", path);
	if (ret)
		goto out;
	snprintf(path, sizeof(path), "%s/store.password", v->etc);
	ret = cluster_secret_read(path, text, &len, error);
	if (ret)
		goto out;
	text[strcspn(text, "\n")] = 0;
	if (parse_hex(text, b->password, sizeof(b->password)))
		ret = wrong(error, "%s: is not a password that `paxsteer cluster` made, %u hex digits",
			    path, 2 * BUNDLE_PASSWORD_LEN);
out:
	explicit_bzero(text, sizeof(text));
	return ret;
}

static int take_member(struct bundle *b, json_t *member, char *error)
{
	const char *address = json_string_value(json_object_get(member, "address"));
	const char *store = json_string_value(json_object_get(member, "store"));
	const char *incarnation = json_string_value(json_object_get(member, "incarnation"));
	struct bundle_member *m = &b->member[b->n];
	uint64_t id = cluster_number(member, "id");

	if (b->n + 1 >= BUNDLE_MEMBERS_MAX)
		return wrong(error, "the group has %u members, the most that there can be",
			     BUNDLE_MEMBERS_MAX);
	*m = (struct bundle_member){
		.id = (uint8_t)id, .learner = !cluster_votes(member), .joined = now(),
	};
	if (!address || parse_endpoint(address, true, &m->address) || !incarnation ||
	    parse_u64(incarnation, 1, UINT64_MAX, &m->incarnation))
		return wrong(error, "member %" PRIu64 ": the daemon does not say where it is", id);
	if (!store || parse_endpoint(store, true, &m->store))
		return wrong(error, "member %" PRIu64 ": where its store is, is not known: `paxsteer member set` says it",
			     id);
	b->n++;
	return 0;
}

static int draw(struct bundle *b, uint64_t *incarnation, char *error)
{
	unsigned int i;

	do {
		if (cluster_draw(incarnation, sizeof(*incarnation), error))
			return -1;
		for (i = 0; i < b->n && b->member[i].incarnation != *incarnation; i++)
			;
	} while (!*incarnation || i < b->n);
	return 0;
}

/*
 * Of a store of several groups the bundle has one list of members, for all of them. Who votes may
 * differ: whoever joins learns that from the logs.
 */
static int alike(json_t *one, json_t *other, char *error)
{
	static const char *const fields[] = { "address", "incarnation", "store" };
	uint64_t a = cluster_number(one, "group"), b = cluster_number(other, "group"), id;
	json_t *member, *there, *x, *y;
	size_t i, k;

	json_array_foreach(json_object_get(one, "members"), i, member) {
		id = cluster_number(member, "id");
		there = cluster_member(other, id);
		if (!there)
			return wrong(error, "member %" PRIu64 " is in group %" PRIu64 ", and not in group %"
				     PRIu64 ": finish that change first", id, a, b);
		for (k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			x = json_object_get(member, fields[k]);
			y = json_object_get(there, fields[k]);
			if (x != y && !json_equal(x, y))
				return wrong(error, "member %" PRIu64 ": %s: is not the same in groups %"
					     PRIu64 " and %" PRIu64 ": see `paxsteer member`", id,
					     fields[k], a, b);
		}
	}
	if (cluster_number(one, "key_id") != cluster_number(other, "key_id"))
		return wrong(error, "groups %" PRIu64 " and %" PRIu64 " have different keys", a, b);
	return 0;
}

static int check_groups(const struct cluster_view *view, char *error)
{
	struct where w = { 0 };
	unsigned int i;
	json_t *other;

	for (i = 0; i < view->nparts; i++) {
		w.group = view->part[i];
		other = where_group(&w, view->status[view->at]);
		if (json_is_integer(json_object_get(other, "also_key_id")))
			return wrong(error, "the group has two keys: its key is being changed; finish that first");
		if (view->nparts > 1 && view->part[i] != i + 1)
			return wrong(error, "the groups of the store are not 1 to %u, as those of `paxsteer cluster init`: see `paxsteer member`",
				     view->nparts);
		if (alike(view->best, other, error) || alike(other, view->best, error))
			return -1;
	}
	return 0;
}

static int fill(struct cluster_invite *v, const struct cluster_view *view, struct bundle *b,
		char *error)
{
	json_t *status = view->status[view->at], *member;
	const char *datapath = json_string_value(json_object_get(status, "datapath"));
	char why[BUNDLE_ERROR_MAX];
	size_t i;

	if (check_groups(view, error))
		return -1;
	if (cluster_of(view, b->cluster))
		return wrong(error, "the daemon does not say which cluster it is in");
	datapath = v->datapath ? v->datapath : datapath;
	b->user = datapath && !strcmp(datapath, "user");
	b->key_id = (uint8_t)cluster_number(view->best, "key_id");
	b->adds = v->new.id;
	b->groups = view->nparts;
	v->until = now() + v->hours * 3600;
	b->until = v->until;
	json_array_foreach(json_object_get(view->best, "members"), i, member)
		if (take_member(b, member, error))
			return -1;
	if (draw(b, &v->new.incarnation, error) || take_secrets(v, b, error))
		return -1;
	b->member[b->n] = v->new;
	b->member[b->n++].learner = true;
	return bundle_members_check(b, why) ? wrong(error, "%s", why) : 0;
}

int cluster_invite_make(struct cluster_invite *v, const struct cluster_view *view, char *error)
{
	struct bundle b = { 0 };
	char text[BUNDLE_TEXT_MAX];
	int ret = fill(v, view, &b, error);

	if (!ret)
		ret = cluster_bundle_make(v->file, text, bundle_format(&b, text), error);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&b, sizeof(b));
	return ret;
}
