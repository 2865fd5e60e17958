// SPDX-License-Identifier: GPL-2.0
/*
 * journal_dump.c - `paxsteer journal dump`: the records of a journal, one a line
 *
 * What is left of a member, whether or not a daemon can start on it: records are shown as they
 * are read, so those before a place that can't be read are seen, and then the place is named.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "group.h"
#include "journal_dump.h"
#include "recover.h"
#include "value.h"

struct dump {
	struct cli *cli;
	u64 group, slot;	/* only of these; 0: of all */
	u64 from;		/* LSN */
	u64 left;		/* records to show */
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
	else if (r->type != PXS_RECORD_PROMISE)
		out_num(o, "slot", "slot", r->slot);
	if (r->type == PXS_RECORD_PROMISE || has_value)
		out_ballot(o, "ballot", "ballot", r->ballot);
	if (has_value)
		put_value(d, r);
	out_close(o);
	return ferror(stdout) ? -ECANCELED : 0;	/* nobody reads any more */
}

static int take_words(struct dump *d, struct args *a)
{
	const struct {
		const char *name;
		u64 *val, max;
	} words[] = {
		{ "group", &d->group, INT32_MAX },
		{ "slot", &d->slot, PXS_SLOT_MAX },
		{ "from", &d->from, INT64_MAX },
		{ "count", &d->left, INT64_MAX },
	};
	unsigned int i, given = 0;
	char *word;
	int ret;

	while (a->argc) {
		word = args_next(a, "keyword");
		for (i = 0; i < ARRAY_SIZE(words) && strcmp(words[i].name, word); i++)
			;
		if (i == ARRAY_SIZE(words) && strcmp(word, "values"))
			return cli_usage_error(a->cli, "unknown keyword \"%s\", expected group, slot, from, count or values",
					       word);
		if (given >> i & 1)
			return cli_usage_error(a->cli, "%s: is given twice", word);
		given |= 1u << i;
		if (i == ARRAY_SIZE(words)) {
			d->values = true;
			continue;
		}
		ret = args_u64(a, words[i].name, 1, words[i].max, words[i].val);
		if (ret)
			return ret;
	}
	return CLI_OK;
}

int journal_dump(struct cli *cli, int argc, char **argv)
{
	struct dump d = { .cli = cli, .left = UINT64_MAX };
	struct pxs_scan_sink sink = { .ctx = &d, .record = put_record };
	struct args a = { cli, argc, argv };
	char *dir = args_next(&a, "DIR");
	struct pxs_recovery r;
	int ret;

	ret = dir ? take_words(&d, &a) : CLI_USAGE;
	if (ret)
		return ret;
	switch (pxs_recover_look(&r, dir, &sink)) {
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
