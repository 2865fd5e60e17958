// SPDX-License-Identifier: GPL-2.0
/*
 * journal.c - `paxsteer journal`: make a journal directory, look into one, verify it
 *
 * Needs neither daemon nor module. The daemon never makes a journal by itself: an empty
 * directory where a journal used to be must not become a member that forgot its votes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "journal_dump.h"
#include "recover.h"

static const char usage[] =
	"Usage: paxsteer journal init DIR cluster UUID member N [segment-size BYTES]\n"
	"       paxsteer journal show DIR\n"
	"       paxsteer journal verify DIR\n"
	"       paxsteer journal dump DIR [group N] [slot N] [from LSN] [count N] [values]\n";

static int take_number(struct cli *cli, const char *name, const char *text, u32 low, u32 high,
		       u32 *value)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || n < low || n > high)
		return cli_usage_error(cli, "%s: \"%s\" is not a number in %u..%u", name, text, low,
				       high);
	*value = (u32)n;
	return CLI_OK;
}

static int take_init(struct cli *cli, struct pxs_identity *id, int argc, char **argv)
{
	bool cluster = false;
	int i, j, ret = CLI_OK;

	id->segment_size = PXS_SEGMENT_DEFAULT;
	for (i = 0; i < argc && !ret; i += 2) {
		if (i + 1 == argc)
			return cli_usage_error(cli, "%s: a value is missing", argv[i]);
		for (j = 0; j < i; j += 2)
			if (!strcmp(argv[i], argv[j]))
				return cli_usage_error(cli, "%s: is given twice", argv[i]);
		if (!strcmp(argv[i], "cluster")) {
			cluster = !pxs_uuid_parse(argv[i + 1], id->cluster);
			if (!cluster)
				ret = cli_usage_error(cli, "cluster: \"%s\" is not a UUID", argv[i + 1]);
		} else if (!strcmp(argv[i], "member")) {
			ret = take_number(cli, "member", argv[i + 1], 1, PXS_MEMBER_ID_MAX,
					  &id->member);
		} else if (!strcmp(argv[i], "segment-size")) {
			ret = take_number(cli, "segment-size", argv[i + 1], PXS_SEGMENT_MIN,
					  PXS_SEGMENT_MAX, &id->segment_size);
			if (!ret && id->segment_size % PXS_JOURNAL_BLOCK)
				ret = cli_usage_error(cli, "segment-size: must be a multiple of %u",
						      PXS_JOURNAL_BLOCK);
		} else {
			return cli_usage_error(cli, "\"%s\" is not understood", argv[i]);
		}
	}
	if (!ret && !cluster)
		return cli_usage_error(cli, "cluster is missing");
	if (!ret && !id->member)
		return cli_usage_error(cli, "member is missing");
	return ret;
}

static int journal_init(struct cli *cli, int argc, char **argv)
{
	struct pxs_identity id = { 0 };
	char error[512];
	int ret;

	if (!argc)
		return cli_usage_error(cli, "DIR is missing");
	ret = take_init(cli, &id, argc - 1, argv + 1);
	if (ret)
		return ret;
	if (pxs_identity_create(argv[0], &id, error, sizeof(error))) {
		cli_error(cli, "%s", error);
		return CLI_REFUSED;
	}
	out_object(cli->out, NULL, NULL, OUT_LINE);
	out_hex(cli->out, "incarnation", "incarnation", id.incarnation);
	out_close(cli->out);
	return CLI_OK;
}

struct tally {
	u64 records[__PXS_RECORD_MAX];
	u64 faulty;
	u64 last_slot;
};

static int count_record(void *ctx, const struct pxs_record *r, u64 pos)
{
	struct tally *t = ctx;

	(void)pos;
	t->records[r->type]++;
	t->faulty += !!(r->flags & PXS_ENTRY_FAULTY);
	if (r->slot > t->last_slot && r->type != PXS_RECORD_CONFIG &&
	    r->type != PXS_RECORD_DURABILITY)
		t->last_slot = r->slot;
	return 0;
}

static void show(struct cli *cli, const struct pxs_recovery *r, const struct tally *t)
{
	struct out *o = cli->out;
	u64 first = max(r->scan.floor.segment, (u64)1);
	char uuid[37];

	pxs_uuid_format(r->id.cluster, uuid);
	out_object(o, NULL, NULL, OUT_PAIRS);
	out_str(o, "cluster", "cluster", uuid);
	out_num(o, "member", "member", r->id.member);
	out_hex(o, "incarnation", "incarnation", r->id.incarnation);
	out_num(o, "segment_size", "segment-size", r->id.segment_size);
	out_num(o, "segments", "segments", r->scan.segment ? r->scan.segment - first + 1 : 0);
	out_num(o, "first_segment", "first-segment", first);
	out_num(o, "batches", "batches", r->scan.batches);
	out_num(o, "first_lsn", "first-lsn", max(r->scan.floor.first_lsn, (u64)1));
	out_num(o, "last_lsn", "last-lsn", r->scan.next_lsn - 1);
	out_num(o, "confirmed_lsn", "confirmed-lsn", r->hint.lsn);
	out_num(o, "promises", "promises", t->records[PXS_RECORD_PROMISE]);
	out_num(o, "accepts", "accepts", t->records[PXS_RECORD_ACCEPT]);
	out_num(o, "learned", "learned", t->records[PXS_RECORD_DECIDED]);
	out_num(o, "commits", "commits", t->records[PXS_RECORD_COMMIT]);
	out_num(o, "trims", "trims", t->records[PXS_RECORD_TRIM]);
	out_num(o, "last_slot", "last-slot", t->last_slot);
	out_num(o, "damaged_values", "damaged-values", r->scan.faulty);
	out_num(o, "damaged_batches", "damaged-batches", r->scan.damaged);
	out_str(o, "tail", "tail", r->scan.cut_from ? "torn" : "clean");
	out_close(o);
}

static int look(struct cli *cli, int argc, char **argv, bool verify)
{
	struct tally t = { 0 };
	struct pxs_scan_sink sink = { .ctx = &t, .record = count_record };
	struct pxs_recovery r;

	if (argc != 1)
		return cli_usage_error(cli, argc ? "\"%s\" is not understood" : "DIR is missing",
				       argc ? argv[1] : "");
	if (pxs_recover_look(&r, argv[0], &sink)) {
		cli_error(cli, "%s", r.error);
		return CLI_REFUSED;
	}
	pxs_recovery_close(&r);
	show(cli, &r, &t);
	if (!verify || !(r.scan.faulty || r.scan.damaged))
		return CLI_OK;
	cli_error(cli, "%s: damaged: %" PRIu64 " batches, %" PRIu64 " values; the daemon learns the values again from the other members, or says why it does not start",
		  argv[0], r.scan.damaged, r.scan.faulty);
	return CLI_REFUSED;
}

static int journal_show(struct cli *cli, int argc, char **argv)
{
	return look(cli, argc, argv, false);
}

static int journal_verify(struct cli *cli, int argc, char **argv)
{
	return look(cli, argc, argv, true);
}

int journal_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "init", .run = journal_init },
		{ .name = "show", .run = journal_show },
		{ .name = "verify", .run = journal_verify },
		{ .name = "dump", .run = journal_dump },
		{ }
	};

	if (!argc) {
		fputs(usage, stderr);
		return CLI_USAGE;
	}
	return cli_dispatch(cli, commands, usage, argc, argv);
}
