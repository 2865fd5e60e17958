// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_status.c - `paxsteer cluster status`: every member of a group, one a line, and, of a
 * store of several groups, who votes in each of these
 *
 * What the leader has heard of one that does not answer is shown beside the reason.
 */
#include "cluster_status.h"

#include <string.h>

#include "cli.h"
#include "cluster_view.h"
#include "cluster_voting.h"
#include "where.h"
#include "words.h"

static void show(struct out *o, const struct cluster_row *r, uint64_t most)
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

static void show_group(struct out *o, const struct cluster_view *v)
{
	char text[CLUSTER_VOTING_TEXT];
	uint64_t votes = 0, learns = 0;
	json_t *member;
	size_t i;

	json_array_foreach(json_object_get(v->best, "members"), i, member)
		if (cluster_votes(member))
			votes |= 1ull << (cluster_number(member, "id") & 63);
		else
			learns |= 1ull << (cluster_number(member, "id") & 63);
	out_object(o, NULL, NULL, OUT_ROW);
	out_num(o, "group", "group", v->now);
	out_num(o, "epoch", "epoch", cluster_number(v->best, "epoch"));
	if (cluster_number(v->best, "leader"))
		out_num(o, "leader", "leader", cluster_number(v->best, "leader"));
	else
		out_str(o, "leader", "leader", NULL);
	out_str(o, "voters", "voters", cluster_voting_text(votes, text));
	out_str(o, "learners", "learners", learns ? cluster_voting_text(learns, text) : NULL);
	out_close(o);
}

/* As the daemons here know it; the other members were asked about one group. */
static void show_groups(struct out *o, struct cluster_view *v)
{
	unsigned int i;

	if (v->nparts < 2)
		return;
	out_list(o, "groups", OUT_TABLE);
	for (i = 0; i < v->nparts; i++)
		if (!cluster_view_turn(v, v->part[i]))
			show_group(o, v);
	out_close(o);
}

/* Return: an exit status. */
static int show_all(struct cli *cli, struct cluster_view *v, const char *password)
{
	struct cluster_row row[PXS_MEMBERS_MAX];
	unsigned int i, n = cluster_view_rows(v, password, row), silent = 0;
	uint64_t most = 0, leader = 0;
	struct out *o = cli->out;

	for (i = 0; i < n; i++) {
		most = row[i].commit > most ? row[i].commit : most;
		silent += !!*row[i].why;
		if (row[i].state && !strcmp(row[i].state, "leader"))
			leader = row[i].id;
	}
	out_object(o, NULL, NULL, OUT_PAIRS);
	out_num(o, "group", "group", v->now);
	out_num(o, "epoch", "epoch", cluster_number(v->best, "epoch"));
	if (leader)
		out_num(o, "leader", "leader", leader);
	else
		out_str(o, "leader", "leader", NULL);
	out_list(o, "members", OUT_TABLE);
	for (i = 0; i < n; i++)
		show(o, &row[i], most);
	out_close(o);
	show_groups(o, v);
	out_close(o);
	return leader && !silent ? CLI_OK : CLI_REFUSED;
}

int cluster_status(struct cli *cli, int argc, char **argv)
{
	const char *path = NULL;
	const struct word words[] = {
		{ .name = "password-file", .text = &path },
		{ }
	};
	char password[CLUSTER_PASSWORD_MAX + 2];
	struct cluster_view v = { 0 };
	struct where w;
	int ret = where_take(cli, &argc, &argv, &w);

	if (!ret)
		ret = words_take(cli, words, argc, argv, NULL);
	if (!ret)
		ret = cluster_password_read(cli, path, password, sizeof(password));
	if (ret)
		return ret;
	ret = cluster_view_take(cli, &w, &v);
	if (!ret)
		ret = show_all(cli, &v, *password ? password : NULL);
	cluster_view_free(&v);
	explicit_bzero(password, sizeof(password));
	return ret;
}
