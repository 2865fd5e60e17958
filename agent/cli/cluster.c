// SPDX-License-Identifier: GPL-2.0
/*
 * cluster.c - `paxsteer cluster`: a new cluster with a store
 *
 * init makes everything up: the cluster's id, key and password, and an incarnation for each member.
 * It makes the first machine's files, and a bundle of which join makes the others'. Neither starts
 * a daemon, and neither asks one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bundle.h"
#include "cli.h"
#include "cluster_change.h"
#include "cluster_conf.h"
#include "cluster_files.h"
#include "cluster_status.h"
#include "identity.h"
#include "scan.h"
#include "words.h"

#include <linux/paxsteer_journal.h>

#define HOURS		24u	/* that a bundle is good for */
#define HOURS_MAX	720u
#define WORDS_MAX	64
#define UNIT		"paxsteerd"

static const char usage[] =
	"Usage: paxsteer cluster init self ID MEMBER MEMBER MEMBER [MEMBER MEMBER] [OPTION...]\n"
	"           [groups N] [datapath kernel|user] [bundle FILE] [valid HOURS]\n"
	"       paxsteer cluster join BUNDLE|- self ID [OPTION...]\n"
	"       paxsteer cluster status [-S SOCKETS] [group N] [password-file FILE]\n"
	"       paxsteer cluster add [-S SOCKETS] MEMBER [learner] [etc DIR] [bundle FILE]\n"
	"           [valid HOURS] [datapath kernel|user] [timeout SECONDS]\n"
	"       paxsteer cluster remove [-S SOCKETS] ID [voters N] [etc DIR]\n"
	"           [password-file FILE] [timeout SECONDS]\n"
	"       paxsteer cluster rebalance [-S SOCKETS] [voters N] [dry-run] [etc DIR]\n"
	"           [password-file FILE] [timeout SECONDS]\n"
	"MEMBER := ID=ADDRESS[:PORT][,[ADDRESS:]STOREPORT]   the same on all machines\n"
	"OPTION := etc DIR | journal DIR | socket PATH | units DIR | user NAME | segment-size BYTES\n"
	"          where things are on this machine, and whom paxsteerd runs as\n"
	"SOCKETS := SOCKET[,SOCKET...]                       of the daemons here\n"
	"  init    on the first machine: its files, and a bundle for the others\n"
	"          groups N: 1..16, each with a log and a leader of its own, and its share of the keys\n"
	"  join    on each other machine, with that bundle; - is standard input\n"
	"then `systemctl enable --now paxsteerd` on each\n"
	"  add     on a machine of the cluster: a bundle for one more, with which it joins and is started\n"
	"          meanwhile; ends when that member votes, and goes on where it was when run again\n"
	"  remove  a member, for good: dead, or alive and at work\n"
	"  rebalance  each member leads about as many groups; keys do not move between groups\n"
	"          voters N: 2..5 members vote in each group, each in about as many, and the others learn\n";

struct cluster_args {
	struct bundle bundle;
	unsigned int self;	/* index of this machine's member */
	struct cluster_paths paths;
	uint64_t id, hours, groups, segment_size;
	const char *datapath, *bundle_file, *user;
};

static uint64_t now(void)
{
	return (uint64_t)time(NULL);
}

/* --- words ------------------------------------------------------------------- */

/* What init and join have in common; @more: room for what they have not. */
static void set_words(struct cluster_args *a, struct word *words, const struct word *more)
{
	const struct word common[] = {
		{ .name = "self", .number = &a->id, .min = 1, .max = PXS_MEMBER_ID_MAX },
		{ .name = "etc", .text = &a->paths.etc },
		{ .name = "journal", .text = &a->paths.journal },
		{ .name = "socket", .text = &a->paths.socket },
		{ .name = "units", .text = &a->paths.units },
		{ .name = "user", .text = &a->user },
		{ .name = "segment-size", .number = &a->segment_size, .min = PXS_SEGMENT_MIN,
		  .max = PXS_SEGMENT_MAX },
	};

	memcpy(words, common, sizeof(common));
	words += sizeof(common) / sizeof(common[0]);
	while ((*words++ = *more++).name)
		;
}

/* Are the words good together, and where will things be? Return: an exit status. */
static int check_words(struct cli *cli, struct cluster_args *a)
{
	char error[BUNDLE_ERROR_MAX];

	if (!a->id)
		return cli_usage_error(cli, "self is missing: which member is this machine?");
	if (a->segment_size % PXS_JOURNAL_BLOCK)
		return cli_usage_error(cli, "segment-size: must be a multiple of %u",
				       PXS_JOURNAL_BLOCK);
	if (cluster_paths_make(&a->paths, error))
		return cli_usage_error(cli, "%s", error);
	return CLI_OK;
}

/* Members are not names with values: they go into the bundle, what is left to @rest. */
static int take_members(struct cli *cli, struct cluster_args *a, int argc, char **argv,
			char **rest, int *n)
{
	struct bundle_member m;
	char error[BUNDLE_ERROR_MAX];
	int i;

	if (argc > WORDS_MAX)
		return cli_usage_error(cli, "too many words");
	for (i = 0; i < argc; i++) {
		if (*argv[i] < '0' || *argv[i] > '9' || !strchr(argv[i], '=')) {
			rest[(*n)++] = argv[i];
			continue;
		}
		if (bundle_member_parse(argv[i], &m, error))
			return cli_usage_error(cli, "%s", error);
		if (a->bundle.n == BUNDLE_BEGIN_MAX)
			return cli_usage_error(cli, "more than %u members: a cluster begins with 3 or 5",
					       BUNDLE_BEGIN_MAX);
		a->bundle.member[a->bundle.n++] = m;
	}
	if (bundle_members_check(&a->bundle, error))
		return cli_usage_error(cli, "%s", error);
	return CLI_OK;
}

/* --- making ------------------------------------------------------------------ */

static struct cluster_file *add_file(struct cluster_files *f, const char *path, const char *text,
				     size_t len, mode_t mode)
{
	struct cluster_file *file = &f->file[f->n++];

	*file = (struct cluster_file){ .path = path, .text = text, .len = len, .mode = mode };
	return file;
}

/* The files of this machine; @bundle: what init writes for the others, or empty. */
static int make_files(struct cli *cli, struct cluster_args *a, const char *bundle)
{
	const struct bundle *b = &a->bundle;
	const struct cluster_paths *p = &a->paths;
	char key[2 * BUNDLE_KEY_LEN + 2], password[2 * BUNDLE_PASSWORD_LEN + 2];
	char conf[CLUSTER_TEXT_MAX], unit[CLUSTER_TEXT_MAX], error[CLUSTER_REASON_MAX];
	const struct pxs_identity id = {
		.incarnation = b->member[a->self].incarnation, .member = b->member[a->self].id,
		.segment_size = (u32)a->segment_size,
	};
	struct pxs_identity identity = id;
	struct cluster_files f = {
		.dir = { p->etc, p->units ? p->unit_dir : NULL }, .journal = p->journal,
		.identity = &identity,
	};
	int ret;

	memcpy(identity.cluster, b->cluster, sizeof(identity.cluster));
	if (cluster_owner(a->user, &f.uid, &f.gid, error)) {
		cli_error(cli, "%s", error);
		return CLI_USAGE;
	}
	strcat(format_hex(key, b->key, sizeof(b->key)), "\n");
	strcat(format_hex(password, b->password, sizeof(b->password)), "\n");
	add_file(&f, p->key, key, strlen(key), 0600)->daemons = true;
	add_file(&f, p->password, password, strlen(password), 0600)->daemons = true;
	if (p->units)
		add_file(&f, p->unit, unit, cluster_unit_format(b, unit), 0644);
	if (*bundle)
		add_file(&f, a->bundle_file, bundle, strlen(bundle), 0600);
	add_file(&f, p->conf, conf, cluster_conf_format(b, a->self, p, conf), 0644);
	ret = cluster_files_make(&f, error);
	if (ret)
		cli_error(cli, "%s", error);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(password, sizeof(password));
	return ret ? CLI_REFUSED : CLI_OK;
}

static void show_made(struct cli *cli, const struct cluster_args *a, bool first)
{
	const struct bundle *b = &a->bundle;
	char text[PARSE_ENDPOINT_LEN];
	struct out *o = cli->out;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_str(o, "cluster", "cluster", format_uuid(text, b->cluster));
	out_num(o, "member", "member", b->member[a->self].id);
	out_str(o, "store", "store", format_endpoint(text, &b->member[a->self].store));
	out_str(o, "config", "config", a->paths.conf);
	out_str(o, "password_file", "password-file", a->paths.password);
	out_str(o, "journal", "journal", a->paths.journal);
	if (a->paths.units)
		out_str(o, "unit", "unit", a->paths.unit);
	if (first) {
		out_str(o, "bundle", "bundle", a->bundle_file);
		out_num(o, "hours", "good-for-hours", a->hours);
	}
	out_str(o, NULL, "next", first ?
		"join on each other machine, with the bundle (it holds the key: scp, then delete it)" :
		"systemctl enable --now " UNIT);
	out_close(o);
}

/* --- init -------------------------------------------------------------------- */

/* Everything that is made up, once for the cluster. */
static int draw(struct bundle *b, char *error)
{
	unsigned int i, j;

	if (cluster_draw(b->cluster, sizeof(b->cluster), error) ||
	    cluster_draw(b->key, sizeof(b->key), error) ||
	    cluster_draw(b->password, sizeof(b->password), error))
		return -1;
	/* RFC 4122: version 4, random */
	b->cluster[6] = (uint8_t)((b->cluster[6] & 0x0f) | 0x40);
	b->cluster[8] = (uint8_t)((b->cluster[8] & 0x3f) | 0x80);
	for (i = 0; i < b->n; i++) {
		uint64_t *new = &b->member[i].incarnation;

		if (cluster_draw(new, sizeof(*new), error))
			return -1;
		for (j = 0; j < i && b->member[j].incarnation != *new; j++)
			;
		if (!*new || j < i)
			i--;
	}
	return 0;
}

static int init(struct cli *cli, struct cluster_args *a)
{
	char text[BUNDLE_TEXT_MAX], error[CLUSTER_REASON_MAX];
	int ret;

	if (bundle_joins(&a->bundle, a->id, 0, &a->self, error))
		return cli_usage_error(cli, "self: member %" PRIu64 " is not among the members", a->id);
	if (draw(&a->bundle, error)) {
		cli_error(cli, "%s", error);
		return CLI_REFUSED;
	}
	a->bundle.until = now() + a->hours * 3600;
	a->bundle.key_id = BUNDLE_KEY_ID;
	a->bundle.groups = (unsigned int)a->groups;
	a->bundle.member[a->self].joined = now();
	bundle_format(&a->bundle, text);
	ret = make_files(cli, a, text);
	explicit_bzero(text, sizeof(text));
	if (!ret)
		show_made(cli, a, true);
	return ret;
}

static int cluster_init(struct cli *cli, int argc, char **argv)
{
	struct cluster_args a = {
		.paths = { .etc = CLUSTER_ETC, .journal = CLUSTER_JOURNAL }, .hours = HOURS,
		.groups = 1, .segment_size = PXS_SEGMENT_DEFAULT,
	};
	const struct word more[] = {
		{ .name = "groups", .number = &a.groups, .min = 1, .max = BUNDLE_GROUPS_MAX },
		{ .name = "datapath", .text = &a.datapath },
		{ .name = "bundle", .text = &a.bundle_file },
		{ .name = "valid", .number = &a.hours, .min = 1, .max = HOURS_MAX },
		{ }
	};
	struct word words[WORDS_MAX];
	char *rest[WORDS_MAX];
	int n = 0, ret = take_members(cli, &a, argc, argv, rest, &n);

	set_words(&a, words, more);
	if (!ret)
		ret = words_take(cli, words, n, rest, NULL);
	if (!ret)
		ret = check_words(cli, &a);
	if (ret)
		return ret;
	a.bundle.user = a.datapath && !strcmp(a.datapath, "user");
	if (a.datapath && !a.bundle.user && strcmp(a.datapath, "kernel"))
		return cli_usage_error(cli, "datapath: \"%s\" is neither kernel nor user", a.datapath);
	if (!a.bundle_file)
		a.bundle_file = a.paths.bundle;
	ret = init(cli, &a);
	explicit_bzero(&a.bundle, sizeof(a.bundle));
	return ret;
}

/* --- join -------------------------------------------------------------------- */

/* Of copies we cannot know, but this one makes the member once. */
static int mark(struct cli *cli, const struct cluster_args *a, struct bundle *marked)
{
	char text[BUNDLE_TEXT_MAX], error[CLUSTER_REASON_MAX];
	size_t len;
	int ret;

	marked->member[a->self].joined = now();
	len = bundle_format(marked, text);
	ret = cluster_bundle_replace(a->bundle_file, text, len, error);
	explicit_bzero(text, sizeof(text));
	if (ret)
		cli_error(cli, "%s: the bundle must say that the member was made of it: copy it to where it can be written",
			  error);
	return ret ? CLI_REFUSED : CLI_OK;
}

static int join(struct cli *cli, struct cluster_args *a)
{
	bool input = !strcmp(a->bundle_file, "-");
	struct bundle marked = a->bundle;
	char text[BUNDLE_TEXT_MAX], error[CLUSTER_REASON_MAX];
	int ret = input ? CLI_OK : mark(cli, a, &marked);

	if (ret)
		return ret;
	ret = make_files(cli, a, "");
	/* Nothing was made, so nothing can vote: the mark may go. */
	if (ret && !input &&
	    cluster_bundle_replace(a->bundle_file, text, bundle_format(&a->bundle, text), error))
		cli_error(cli, "%s", error);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&marked, sizeof(marked));
	if (!ret)
		show_made(cli, a, false);
	return ret;
}

static int load(struct cli *cli, struct cluster_args *a)
{
	char text[BUNDLE_TEXT_MAX], error[CLUSTER_REASON_MAX];
	size_t len;
	int ret;

	if (cluster_bundle_read(a->bundle_file, text, sizeof(text), &len, error)) {
		cli_error(cli, "%s", error);
		return CLI_USAGE;
	}
	ret = bundle_parse(text, len, &a->bundle, error);
	if (!ret)
		ret = bundle_joins(&a->bundle, a->id, now(), &a->self, error);
	explicit_bzero(text, sizeof(text));
	return ret ? cli_usage_error(cli, "%s: %s", a->bundle_file, error) : CLI_OK;
}

static int cluster_join(struct cli *cli, int argc, char **argv)
{
	struct cluster_args a = {
		.paths = { .etc = CLUSTER_ETC, .journal = CLUSTER_JOURNAL },
		.segment_size = PXS_SEGMENT_DEFAULT,
	};
	const struct word none[] = { { } };
	struct word words[WORDS_MAX];
	int ret;

	set_words(&a, words, none);
	ret = words_take(cli, words, argc, argv, &a.bundle_file);
	if (!ret && !a.bundle_file)
		ret = cli_usage_error(cli, "BUNDLE is missing");
	if (!ret)
		ret = check_words(cli, &a);
	if (!ret)
		ret = load(cli, &a);
	if (!ret)
		ret = join(cli, &a);
	explicit_bzero(&a.bundle, sizeof(a.bundle));
	return ret;
}

int cluster_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "init", .run = cluster_init },
		{ .name = "join", .run = cluster_join },
		{ .name = "status", .run = cluster_status },
		{ .name = "add", .run = cluster_add },
		{ .name = "remove", .run = cluster_remove },
		{ .name = "rebalance", .run = cluster_rebalance },
		{ }
	};

	if (!argc) {
		fputs(usage, stderr);
		return CLI_USAGE;
	}
	return cli_dispatch(cli, commands, usage, argc, argv);
}
