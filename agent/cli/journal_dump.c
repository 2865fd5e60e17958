// SPDX-License-Identifier: GPL-2.0
/*
 * journal_dump.c - `paxsteer journal dump`: the records of a journal, one a line
 *
 * What is left of a member, whether or not a daemon can start on it: records are shown as they
 * are read, so those before a place that can't be read are seen, and then the place is named.
 */
#include <stdlib.h>

#include "cli.h"
#include "group.h"
#include "journal_dump.h"
#include "names.h"
#include "recover.h"
#include "value.h"
#include "words.h"

struct dump {
	struct cli *cli;
	uint64_t group, slot;	/* only of these; 0: of all */
	uint64_t from;		/* LSN */
	uint64_t left;		/* records to show */
	bool values;
};

static const char *type_of(u8 type)
{
	static const char *const words[] = {
		[PXS_RECORD_PROMISE] = "promise",
		[PXS_RECORD_ACCEPT] = "accept",
		[PXS_RECORD_DECIDED] = "learned",
		[PXS_RECORD_COMMIT] = "commit",
		[PXS_RECORD_CONFIG] = "config",
		[PXS_RECORD_DURABILITY] = "durability",
		[PXS_RECORD_TRIM] = "trim",
	};

	return type < ARRAY_SIZE(words) && words[type] ? words[type] : "?";
}

static void put_value(struct dump *d, const struct pxs_record *r)
{
	struct out *o = d->cli->out;
	char *text;

	if (r->flags & PXS_ENTRY_FAULTY) {
		out_str(o, "value", "value", "damaged");
		return;
	}
	if (r->flags & PXS_ENTRY_NOOP) {
		out_str(o, "value", "value", "no-op");
		return;
	}
	out_num(o, "bytes", "bytes", r->len);
	out_hex(o, "hash", "hash", value_hash(r->data, r->len));
	text = d->values ? value_text(r->data, r->len) : NULL;
	if (text)
		out_str(o, "text", "text", text);
	free(text);
}

static int put_record(void *ctx, const struct pxs_record *r, u64 pos)
{
	bool has_value = r->type == PXS_RECORD_ACCEPT || r->type == PXS_RECORD_DECIDED;
	struct dump *d = ctx;
	struct out *o = d->cli->out;

	if (r->lsn < d->from || (d->group && r->group != d->group) ||
	    (d->slot && (r->slot != d->slot || !has_value)))
		return 0;
	if (!d->left--)
		return -ECANCELED;
	out_object(o, NULL, NULL, OUT_LINE);
	out_num(o, "lsn", "lsn", r->lsn);
	out_num(o, "segment", "segment", pxs_pos_segment(pos));
	out_num(o, "offset", "offset", pxs_pos_offset(pos));
	out_num(o, "group", "group", r->group);
	out_str(o, "type", "type", type_of(r->type));
	if (r->type == PXS_RECORD_CONFIG)
		out_num(o, "epoch", "epoch", r->slot);
	else if (r->type == PXS_RECORD_DURABILITY)
		out_str(o, "durability", "durability",
			name_of(&names_durability, (unsigned int)r->slot));
	else if (r->type != PXS_RECORD_PROMISE)
		out_num(o, "slot", "slot", r->slot);
	if (r->type == PXS_RECORD_TRIM)
		out_str(o, "durability", "durability",
			name_of(&names_durability, r->flags & PXS_TRIM_MEMORY ?
						   PXS_DURABILITY_MEMORY : PXS_DURABILITY_DISK));
	if (r->type == PXS_RECORD_PROMISE || r->type == PXS_RECORD_TRIM || has_value)
		out_ballot(o, "ballot", "ballot", r->ballot);
	if (has_value)
		put_value(d, r);
	out_close(o);
	return ferror(stdout) ? -ECANCELED : 0;	/* nobody reads any more */
}

int journal_dump(struct cli *cli, int argc, char **argv)
{
	struct dump d = { .cli = cli, .left = UINT64_MAX };
	const struct word words[] = {
		{ .name = "group", .number = &d.group, .min = 1, .max = INT32_MAX },
		{ .name = "slot", .number = &d.slot, .min = 1, .max = PXS_SLOT_MAX },
		{ .name = "from", .number = &d.from, .min = 1 },
		{ .name = "count", .number = &d.left, .min = 1 },
		{ .name = "values", .flag = &d.values },
		{ }
	};
	struct pxs_scan_sink sink = { .ctx = &d, .record = put_record };
	struct pxs_recovery r;
	int ret;

	if (!argc)
		return cli_usage_error(cli, "DIR is missing");
	ret = words_take(cli, words, argc - 1, argv + 1, NULL);
	if (ret)
		return ret;
	switch (pxs_recover_look(&r, argv[0], &sink)) {
	case 0:
		pxs_recovery_close(&r);
		return CLI_OK;
	case -ECANCELED:
		return CLI_OK;
	default:
		cli_error(cli, "%s", r.error);
		return CLI_REFUSED;
	}
}
