// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_lead.c - who leads is asked for changes: find it, or have it where it can be asked
 */
#include "cluster_lead.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cluster_change.h"
#include "cluster_conf.h"
#include "cluster_files.h"
#include "cluster_view.h"
#include "store/mandate.h"
#include "where.h"

#define POLL_MS		100u
#define ASK_AGAIN_MS	2000u
#define CHANGE_MS	30000u

void cluster_pause(unsigned int ms)
{
	poll(NULL, 0, (int)ms);
}

/* --- what is said ------------------------------------------------------------- */

void cluster_show_part(struct out *o, uint64_t group, uint64_t epoch)
{
	out_object(o, NULL, NULL, OUT_ROW);
	out_num(o, "group", "group", group);
	out_num(o, "epoch", "epoch", epoch);
	out_close(o);
}

int cluster_refuse(struct cli *cli, unsigned int n, uint64_t group, const char *why)
{
	if (n > 1)
		cli_error(cli, "group %" PRIu64 ": %s", group, why);
	else
		cli_error(cli, "%s", why);
	return CLI_REFUSED;
}

/* --- what is seen ------------------------------------------------------------- */

/* A member whose socket is given, and which may lead; 0: there is none. */
static uint64_t candidate(const struct cluster_view *v, uint64_t not)
{
	unsigned int i;
	uint64_t id;

	for (i = 0; i < v->n; i++) {
		id = cluster_number(v->group[i], "self");
		if (v->group[i] && id != not && cluster_votes(cluster_member(v->best, id)))
			return id;
	}
	return 0;
}

/* --- handing over -------------------------------------------------------------- */

/* Return: 0, or -1 with the reason: it is asked, and who leads then is to be seen. */
static int ask(const struct where *w, const char *password, const char *store, bool at_socket,
	       uint64_t to, char *why)
{
	struct pxs_log_result r = { 0 };
	struct endpoint at;
	struct pxs_log *log;

	if (!at_socket) {
		if (store && !parse_endpoint(store, true, &at))
			return cluster_ask_lead(&at, password, CLUSTER_ASK_MS, w->group, to, why);
		snprintf(why, CLUSTER_WHY_MAX, "its store's address is not known: give its daemon's socket");
		return -1;
	}
	log = pxs_log_open(w->sockets, (unsigned int)w->group);
	if (!log) {
		snprintf(why, CLUSTER_WHY_MAX, "%s", strerror(errno));
		return -1;
	}
	pxs_log_transfer(log, (unsigned int)to, &r);
	snprintf(why, CLUSTER_WHY_MAX, "%s", r.error ? r.words : "");
	pxs_log_close(log);
	return r.error ? -1 : 0;
}

/* One look. Return: 1: it is so, 0: not yet, -1: it never will be, after the reason. */
static int look(struct cli *cli, const struct where *w, const char *password, uint64_t not,
		uint64_t *asked, char *why)
{
	struct cluster_view v;
	uint64_t leader, to;
	json_t *m;
	unsigned int i;
	int ret = cluster_view_take(cli, w, &v) ? -1 : 0;

	for (i = 0; !ret && i < v.n; i++)
		if (cluster_leads(v.group[i]) && cluster_number(v.group[i], "self") != not)
			ret = 1;
	if (ret)
		goto out;
	to = candidate(&v, not);
	if (!to) {
		cli_error(cli, "no member that may lead has its daemon's socket among those given: run this on a machine of a voter%s, or give its socket, too (-S)",
			  not ? " that stays" : "");
		ret = -1;
		goto out;
	}
	leader = cluster_number(v.best, "leader");
	if (!leader)
		strcpy(why, "nobody leads");
	if (!leader || leader == to || (*asked && cluster_now_ms() - *asked < ASK_AGAIN_MS))
		goto out;
	*asked = cluster_now_ms();
	m = cluster_member(v.best, leader);
	ask(w, password, json_string_value(json_object_get(m, "store")),
	    cluster_view_own(&v, leader), to, why);
out:
	cluster_view_free(&v);
	return ret;
}

int cluster_lead_here(struct cli *cli, const struct where *w, const char *password, uint64_t not)
{
	uint64_t end = cluster_now_ms() + CLUSTER_LEAD_MS, asked = 0;
	char why[CLUSTER_WHY_MAX] = "";
	int ret;

	for (;;) {
		ret = look(cli, w, password, not, &asked, why);
		if (ret)
			return ret > 0 ? CLI_OK : CLI_REFUSED;
		if (cluster_now_ms() >= end)
			break;
		cluster_pause(POLL_MS);
	}
	cli_error(cli, "no member leads at the sockets given, and none that does hands over: %s",
		  *why ? why : "it was asked");
	return CLI_REFUSED;
}

int cluster_lead_give(struct cli *cli, const struct where *w, const char *password,
		      uint64_t leader, const char *store, uint64_t to)
{
	uint64_t end = cluster_now_ms() + CLUSTER_LEAD_MS, asked = 0, seen = leader;
	char why[CLUSTER_WHY_MAX] = "";
	struct cluster_view v;
	int ret;

	while (seen != to) {
		ret = cluster_view_take(cli, w, &v);
		if (!ret) {
			seen = cluster_number(v.best, "leader");
			if (seen == leader &&
			    (!asked || cluster_now_ms() - asked >= ASK_AGAIN_MS)) {
				asked = cluster_now_ms();
				ask(w, password, store, cluster_view_own(&v, leader), to, why);
			}
		}
		cluster_view_free(&v);
		if (ret)
			return ret;
		if (seen != to && cluster_now_ms() >= end) {
			cli_error(cli, "group %" PRIu64 ": member %" PRIu64 " does not hand over to member %"
				  PRIu64 "%s%s", w->group, leader, to, *why ? ": " : "", why);
			return CLI_REFUSED;
		}
		if (seen != to)
			cluster_pause(POLL_MS);
	}
	return CLI_OK;
}

/* --- changes -------------------------------------------------------------------- */

int cluster_lead_change(const struct where *w, const struct pxs_log_member *m, char *why)
{
	struct pxs_log *log = pxs_log_open(w->sockets, (unsigned int)w->group);
	struct pxs_log_result r;

	if (!log) {
		snprintf(why, CLUSTER_CHANGE_WORDS, "%s", strerror(errno));
		return PXS_LOG_UNREACHABLE;
	}
	pxs_log_set_timeout(log, CHANGE_MS);
	pxs_log_member(log, m, 0, &r);
	snprintf(why, CLUSTER_CHANGE_WORDS, "%s",
		 r.error == PXS_LOG_UNREACHABLE ? pxs_log_detail(log) : r.words);
	pxs_log_close(log);
	return r.error;
}

/* --- from afar -------------------------------------------------------------------- */

static const char *name_of(unsigned int change)
{
	return change == PXS_LOG_MEMBER_ADD ? "add" : change == PXS_LOG_MEMBER_PROMOTE ? "promote" :
	       change == PXS_LOG_MEMBER_DEMOTE ? "demote" : "remove";
}

/* Return: 0, or -1 with the reason. */
static int sign(const struct cluster_view *v, const struct cluster_means *means, char *mandate,
		char *why)
{
	json_t *journal = json_object_get(v->status[v->at], "journal");
	const char *uuid = json_string_value(json_object_get(journal, "cluster"));
	char path[CLUSTER_PATH_MAX], text[CLUSTER_SECRET_MAX];
	uint8_t cluster[16], key[BUNDLE_KEY_LEN];
	size_t len, words = strlen(mandate);
	int ret;

	snprintf(path, sizeof(path), "%s/cluster.key", means->etc);
	ret = cluster_secret_read(path, text, &len, why);
	if (!ret && (parse_key((const uint8_t *)text, len, key) || !uuid ||
		     parse_uuid(uuid, cluster))) {
		snprintf(why, CLUSTER_CHANGE_WORDS, "%s: is no key", path);
		ret = -1;
	}
	if (!ret) {
		pxs_mandate_sign(key, cluster, mandate, mandate + words + 1);
		mandate[words] = ' ';
	}
	explicit_bzero(text, sizeof(text));
	explicit_bzero(key, sizeof(key));
	return ret;
}

static int order_far(struct cluster_view *v, const char *store, const struct cluster_means *means,
		     const struct pxs_log_member *m, char *why)
{
	char mandate[PXS_MANDATE_WORDS + PXS_MANDATE_TAG], unsigned_why[CLUSTER_REASON_MAX];
	struct endpoint at;
	int n;

	if (!store || parse_endpoint(store, true, &at)) {
		strcpy(why, "the store of who leads is not known: give its daemon's socket");
		return PXS_LOG_BUSY;
	}
	n = snprintf(mandate, PXS_MANDATE_WORDS, "%" PRIu64 " %" PRIu64 " %s %u", v->now,
		     cluster_number(v->best, "epoch"), name_of(m->change), m->id);
	if (m->change == PXS_LOG_MEMBER_ADD)
		snprintf(mandate + n, PXS_MANDATE_WORDS - (size_t)n, " %s 0x%016" PRIx64 " %u",
			 m->address, m->incarnation, m->store_port);
	if (sign(v, means, mandate, unsigned_why)) {
		snprintf(why, CLUSTER_CHANGE_WORDS, "another machine's member leads, and does so for who holds the cluster's key (etc): %.200s; or run this on a machine of a voter, or give its socket, too (-S)",
			 unsigned_why);
		return PXS_LOG_INVALID;
	}
	*why = 0;
	if (!cluster_ask_change(&at, means->password, CLUSTER_ASK_MS, mandate, why))
		return 0;
	return strstr(why, "NOPERM") || strstr(why, "NOAUTH") ? PXS_LOG_INVALID : PXS_LOG_BUSY;
}

int cluster_lead_order(struct cluster_view *v, const struct where *w,
		       const struct cluster_means *means, const struct pxs_log_member *m,
		       char *why)
{
	uint64_t leader = cluster_number(v->best, "leader");
	json_t *member = cluster_member(v->best, leader);
	struct where here = *w;

	here.group = v->now;
	if (!leader) {
		strcpy(why, "nobody leads");
		return PXS_LOG_BUSY;
	}
	if (cluster_view_own(v, leader))
		return cluster_lead_change(&here, m, why);
	return order_far(v, json_string_value(json_object_get(member, "store")), means, m, why);
}

bool cluster_lead_near(const struct cluster_view *v, uint64_t not)
{
	return candidate(v, not);
}

/* Who goes leads, far from here: another one that votes and answers is to. */
static int hand_over(struct cli *cli, struct cluster_view *v, const struct where *w,
		     const struct cluster_means *means, uint64_t leader)
{
	json_t *own = cluster_member(v->best, leader), *member;
	struct cluster_answer a;
	const char *store;
	uint64_t id;
	size_t i;

	json_array_foreach(json_object_get(v->best, "members"), i, member) {
		id = cluster_number(member, "id");
		store = json_string_value(json_object_get(member, "store"));
		if (id == leader || !cluster_votes(member))
			continue;
		cluster_view_ask(v, id, store, means->password, &a);
		if (!*a.why)
			return cluster_lead_give(cli, w, means->password, leader,
						 json_string_value(json_object_get(own, "store")),
						 id);
	}
	cli_error(cli, "group %" PRIu64 ": no other member that votes answers", w->group);
	return CLI_REFUSED;
}

int cluster_lead_do(struct cli *cli, const struct where *w, const struct cluster_means *means,
		    uint64_t not, const struct pxs_log_member *m, char *why, int *err)
{
	struct cluster_view v;
	int ret = cluster_view_take(cli, w, &v);
	bool near = !ret && candidate(&v, not);

	*err = PXS_LOG_BUSY;
	if (!ret && !near && not && cluster_number(v.best, "leader") == not)
		ret = hand_over(cli, &v, w, means, not);
	else if (!ret && !near)
		*err = cluster_lead_order(&v, w, means, m, why);
	cluster_view_free(&v);
	if (!near || ret)
		return ret;
	ret = cluster_lead_here(cli, w, means->password, not);
	if (!ret)
		*err = cluster_lead_change(w, m, why);
	return ret;
}

bool cluster_lead_again(int error)
{
	return error == PXS_LOG_NOT_LEADER || error == PXS_LOG_BUSY || error == PXS_LOG_UNKNOWN;
}
