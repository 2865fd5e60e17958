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
#include "cluster_view.h"
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

bool cluster_lead_again(int error)
{
	return error == PXS_LOG_NOT_LEADER || error == PXS_LOG_BUSY || error == PXS_LOG_UNKNOWN;
}
