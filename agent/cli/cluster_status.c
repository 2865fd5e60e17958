// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_status.c - `paxsteer cluster status`: every member of a group, one a line
 *
 * Who the members are, a daemon says whose socket is given. How each of them is, it says itself:
 * its daemon, if its socket is given, too, or else its store, over the network. What the leader
 * has heard of one that does not answer is shown beside the reason.
 */
#include "cluster_status.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "cli.h"
#include "cluster_ask.h"
#include "cluster_conf.h"
#include "paxsteer.h"
#include "where.h"
#include "words.h"

#define ASK_MS		1000u

struct view {
	json_t *status[PXS_LOG_SOCKETS_MAX];	/* of each socket; NULL: no answer */
	json_t *group[PXS_LOG_SOCKETS_MAX];	/* in it */
	unsigned int n;
	json_t *best;		/* the leader's word, or any's */
	char why[256];		/* the last one that did not answer */
};

struct row {
	uint64_t id, commit;
	const char *address, *role, *state;
	char why[CLUSTER_WHY_MAX];	/* empty: it answered */
};

static uint64_t number(json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* --- the daemons ------------------------------------------------------------- */

static int ask_daemons(struct cli *cli, const struct where *w, struct view *v)
{
	struct pxs_log *log = pxs_log_open(w->sockets, (unsigned int)w->group);
	char *text;
	int err;

	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return errno == EINVAL || errno == E2BIG || errno == ENAMETOOLONG ? CLI_USAGE :
										    CLI_NO_KERNEL;
	}
	for (v->n = 0; v->n < PXS_LOG_SOCKETS_MAX; v->n++) {
		text = NULL;
		err = pxs_log_status(log, v->n, &text);
		if (err == PXS_LOG_INVALID)
			break;
		if (err)
			snprintf(v->why, sizeof(v->why), "%s", pxs_log_detail(log));
		else
			v->status[v->n] = json_loads(text, 0, NULL);
		free(text);
		v->group[v->n] = where_group(w, v->status[v->n]);
		if (v->group[v->n] && (!v->best || json_is_true(json_object_get(v->group[v->n],
										"ready"))))
			v->best = v->group[v->n];
	}
	pxs_log_close(log);
	if (v->best)
		return CLI_OK;
	cli_error(cli, "%s", *v->why ? v->why : "no such group on this node");
	return *v->why ? CLI_NO_KERNEL : CLI_REFUSED;
}

static void free_view(struct view *v)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		json_decref(v->status[i]);
}

static json_t *own_word(const struct view *v, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		if (v->group[i] && number(v->group[i], "self") == id)
			return v->group[i];
	return NULL;
}

/* --- each member ------------------------------------------------------------- */

static void ask_store(struct row *r, json_t *member, const char *password, uint64_t group)
{
	const char *text = json_string_value(json_object_get(member, "store"));
	struct cluster_answer a;
	struct endpoint store;

	if (!text || parse_endpoint(text, true, &store)) {
		snprintf(r->why, sizeof(r->why), "was not asked: give its socket");
		return;
	}
	cluster_ask(&store, password, ASK_MS, &a);
	memcpy(r->why, a.why, sizeof(r->why));
	if (*a.why || a.group != group)
		return;
	r->commit = a.commit;
	r->state = a.leader == r->id ? "leader" : "follower";
}

static void fill(struct row *r, const struct view *v, json_t *member, const char *password,
		 uint64_t group)
{
	json_t *own;

	*r = (struct row){
		.id = number(member, "id"), .commit = number(member, "commit"),
		.address = json_string_value(json_object_get(member, "address")),
		.role = json_string_value(json_object_get(member, "role")),
	};
	own = own_word(v, r->id);
	if (!own) {
		ask_store(r, member, password, group);
		return;
	}
	r->commit = number(own, "commit");
	r->state = json_string_value(json_object_get(own, "role"));
	if (strcmp(json_string_value(json_object_get(own, "state")) ?: "", "active"))
		r->state = json_string_value(json_object_get(own, "state"));
}

static void show(struct out *o, const struct row *r, uint64_t most)
{
	out_object(o, NULL, NULL, OUT_ROW);
	out_num(o, "id", "member", r->id);
	out_str(o, "address", "address", r->address);
	out_str(o, "role", "role", r->role);
	out_str(o, "state", "state", r->state);
	out_num(o, "commit", "commit", r->commit);
	out_num(o, "lag", "lag", most - r->commit);
	out_str(o, "reachable", "reachable", *r->why ? r->why : "yes");
	out_close(o);
}

/* Return: an exit status. */
static int show_all(struct cli *cli, const struct where *w, const struct view *v,
		    const char *password)
{
	struct row row[PXS_MEMBERS_MAX];
	uint64_t most = 0, leader = 0;
	unsigned int i, n = 0, silent = 0;
	struct out *o = cli->out;
	json_t *member;
	size_t k;

	json_array_foreach(json_object_get(v->best, "members"), k, member) {
		if (n == PXS_MEMBERS_MAX)
			break;
		fill(&row[n], v, member, password, w->group);
		most = row[n].commit > most ? row[n].commit : most;
		silent += !!*row[n].why;
		if (row[n].state && !strcmp(row[n].state, "leader"))
			leader = row[n].id;
		n++;
	}
	out_object(o, NULL, NULL, OUT_PAIRS);
	out_num(o, "group", "group", w->group);
	out_num(o, "epoch", "epoch", number(v->best, "epoch"));
	if (leader)
		out_num(o, "leader", "leader", leader);
	else
		out_str(o, "leader", "leader", NULL);
	out_list(o, "members", OUT_TABLE);
	for (i = 0; i < n; i++)
		show(o, &row[i], most);
	out_close(o);
	out_close(o);
	return leader && !silent ? CLI_OK : CLI_REFUSED;
}

/* --- the command ------------------------------------------------------------- */

/* One line. @path NULL: the usual file, which may well be somebody else's. */
static int read_password(struct cli *cli, const char *path, char *text, size_t size)
{
	FILE *f = fopen(path ? path : CLUSTER_ETC "/store.password", "re");

	*text = 0;
	if (!f && path) {
		cli_error(cli, "password-file %s: %s", path, strerror(errno));
		return CLI_USAGE;
	}
	if (f && fgets(text, (int)size, f))
		text[strcspn(text, "\n")] = 0;
	if (f)
		fclose(f);
	return CLI_OK;
}

int cluster_status(struct cli *cli, int argc, char **argv)
{
	const char *path = NULL;
	const struct word words[] = {
		{ .name = "password-file", .text = &path },
		{ }
	};
	char password[CLUSTER_PASSWORD_MAX + 2];
	struct view v = { 0 };
	struct where w;
	int ret = where_take(cli, &argc, &argv, &w);

	if (!ret)
		ret = words_take(cli, words, argc, argv, NULL);
	if (!ret)
		ret = read_password(cli, path, password, sizeof(password));
	if (ret)
		return ret;
	ret = ask_daemons(cli, &w, &v);
	if (!ret)
		ret = show_all(cli, &w, &v, *password ? password : NULL);
	free_view(&v);
	explicit_bzero(password, sizeof(password));
	return ret;
}
