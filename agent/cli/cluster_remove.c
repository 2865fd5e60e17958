// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_remove.c - `paxsteer cluster remove`: one member fewer, for good
 */
#include "cluster_change.h"

#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "cluster_lead.h"
#include "cluster_plan.h"
#include "cluster_view.h"
#include "parse.h"
#include "where.h"
#include "words.h"

#define SECONDS		60u
#define SECONDS_MAX	3600u
#define LOOK_MS		250u
#define NEXT_MAX	256u

struct removal {
	struct cli *cli;
	struct where where;
	uint64_t id, seconds, epoch;
	unsigned int voters;	/* that stay */
	char password[CLUSTER_PASSWORD_MAX + 2];
	bool begun;		/* it was seen in the group */
	bool gone;
	char trouble[CLUSTER_CHANGE_WORDS];
};

static int refuse_self(const struct removal *r, const struct cluster_view *v)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		if (v->group[i] && cluster_number(v->group[i], "self") != r->id)
			return CLI_OK;
	cli_error(r->cli, "member %" PRIu64 " is the one whose daemon is asked: run this on the machine of another one",
		  r->id);
	return CLI_REFUSED;
}

/* Is it there, and will the others go on without it? Return: an exit status. */
static int look(struct removal *r)
{
	const char *password = *r->password ? r->password : NULL;
	struct cluster_voice voice[PXS_MEMBERS_MAX];
	struct cluster_row row[PXS_MEMBERS_MAX];
	char why[CLUSTER_PLAN_WORDS];
	struct cluster_view v;
	const char *kept;
	unsigned int i, n, phase1 = 0;
	int ret = cluster_view_take(r->cli, &r->where, &v);

	if (ret)
		goto out;
	n = cluster_view_rows(&v, r->where.group, password, row);
	r->epoch = cluster_number(v.best, "epoch");
	r->gone = true;
	r->voters = 0;
	for (i = 0; i < n; i++) {
		voice[i] = (struct cluster_voice){
			.id = row[i].id, .votes = row[i].votes, .answers = !*row[i].why,
		};
		r->gone = r->gone && row[i].id != r->id;
		r->voters += row[i].votes && row[i].id != r->id;
	}
	if (r->begun && r->gone)
		goto out;
	r->begun = true;
	kept = cluster_view_kept(&v);
	if (json_is_false(json_object_get(v.best, "majorities")))
		phase1 = (unsigned int)cluster_number(v.best, "phase1");
	if (cluster_plan_remove(voice, n, r->id, phase1, why))
		kept = why;
	if (kept) {
		cli_error(r->cli, "%s", kept);
		ret = CLI_REFUSED;
	} else {
		ret = refuse_self(r, &v);
	}
out:
	cluster_view_free(&v);
	return ret;
}

static int change(struct removal *r)
{
	const struct pxs_log_member m = {
		.change = PXS_LOG_MEMBER_REMOVE, .id = (unsigned int)r->id,
	};
	int ret = cluster_lead_here(r->cli, &r->where, *r->password ? r->password : NULL, r->id);
	int err;

	if (ret)
		return ret;
	err = cluster_lead_change(&r->where, &m, r->trouble);
	if (!err)
		*r->trouble = 0;
	if (!err || cluster_lead_again(err))
		return CLI_OK;
	cli_error(r->cli, "%s", r->trouble);
	return CLI_REFUSED;
}

static int show_done(const struct removal *r)
{
	struct out *o = r->cli->out;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_num(o, "removed", "removed", r->id);
	out_num(o, "epoch", "epoch", r->epoch);
	out_num(o, "voters", "voters", r->voters);
	out_str(o, NULL, "next", "on its machine: systemctl disable --now paxsteerd; its journal never comes back, so remove that and its configuration before it joins anew");
	if (r->voters < 3)
		out_str(o, NULL, "beware", "two members vote: if either stops, nothing goes on. Add one");
	out_close(o);
	return CLI_OK;
}

static int follow(struct removal *r)
{
	uint64_t end = cluster_now_ms() + r->seconds * 1000;
	int ret;

	for (;;) {
		ret = look(r);
		if (ret)
			return ret;
		if (r->gone)
			return show_done(r);
		if (cluster_now_ms() >= end) {
			cli_error(r->cli, "member %" PRIu64 " is not removed after %" PRIu64 " s: %s",
				  r->id, r->seconds, *r->trouble ? r->trouble : "not seen yet");
			return CLI_REFUSED;
		}
		ret = change(r);
		if (ret)
			return ret;
		if (*r->trouble)
			cluster_pause(LOOK_MS);
	}
}

int cluster_remove(struct cli *cli, int argc, char **argv)
{
	struct removal r = { .cli = cli, .seconds = SECONDS };
	const char *id = NULL, *path = NULL;
	const struct word words[] = {
		{ .name = "password-file", .text = &path },
		{ .name = "timeout", .number = &r.seconds, .min = 1, .max = SECONDS_MAX },
		{ }
	};
	int ret = where_take(cli, &argc, &argv, &r.where);

	if (!ret)
		ret = words_take(cli, words, argc, argv, &id);
	if (!ret && !id)
		ret = cli_usage_error(cli, "ID is missing");
	if (!ret && parse_u64(id, 1, PXS_MEMBER_ID_MAX, &r.id))
		ret = cli_usage_error(cli, "ID: \"%s\" is not 1..%u", id, PXS_MEMBER_ID_MAX);
	if (!ret)
		ret = cluster_password_read(cli, path, r.password, sizeof(r.password));
	if (!ret)
		ret = follow(&r);
	explicit_bzero(r.password, sizeof(r.password));
	return ret;
}
