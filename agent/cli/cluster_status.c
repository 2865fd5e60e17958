// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_status.c - `paxsteer cluster status`: every member of a group, one a line
 *
 * What the leader has heard of one that does not answer is shown beside the reason.
 */
#include "cluster_status.h"

#include <string.h>

#include "cli.h"
#include "cluster_view.h"
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
