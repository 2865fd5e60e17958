// SPDX-License-Identifier: GPL-2.0
/*
 * stats.c - how often which command was executed, and which errors were answered
 */
#include "stats.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "store.h"

void pxs_stats_clear(struct pxs_stats *s)
{
	memset(s, 0, sizeof(*s));
}

/* Sagas are of another table: they are PAXSTEER's. */
static struct pxs_stat *stat_of(struct pxs_stats *s, const struct pxs_command *cmd)
{
	u32 i = pxs_cmd_index(cmd);

	if (i == PXS_COMMANDS_MAX)
		i = pxs_cmd_index(pxs_cmd_find(pxs_str("paxsteer")));
	return &s->command[i];
}

void pxs_stats_begun(struct pxs_stats *s, struct pxs_request *r)
{
	const struct pxs_request *q;

	r->began = pxs_store_steady();
	if (r->cmd->local != PXS_LOCAL_EXEC || r->conn->multi_failed)
		return;
	for (q = r->conn->queued; q; q = q->next)
		if (q->queued)	/* else it stands for another one (tx_late.h) */
			stat_of(s, q->cmd)->calls++;
}

/* "ERR" of "-ERR words". A word of anything else is a client's, who could make up as many. */
static void count_error(struct pxs_stats *s, const struct pxs_reply *o)
{
	char word[PXS_STATS_WORD_MAX + 1];
	u32 n = 0, i;

	while (n < PXS_STATS_WORD_MAX && n + 1 < o->len && isupper(o->buf[n + 1])) {
		word[n] = (char)o->buf[n + 1];
		n++;
	}
	word[n] = 0;
	s->errors++;
	for (i = 0; i < s->words && strcmp(s->error[i].word, word); i++)
		;
	if (i == PXS_STATS_WORDS || !n)
		return;
	if (i == s->words) {
		strcpy(s->error[i].word, word);
		s->words++;
	}
	s->error[i].count++;
}

void pxs_stats_answered(struct pxs_stats *s, const struct pxs_request *r, u64 now)
{
	bool failed = r->out.len && r->out.buf[0] == '-';
	struct pxs_stat *st;

	if (failed)
		count_error(s, &r->out);
	if (!r->cmd || r->queued)
		return;
	st = stat_of(s, r->cmd);
	if (!r->began) {
		st->rejected++;
		return;
	}
	st->calls++;
	st->usec += (now - r->began) / 1000;
	st->failed += failed;
}

u32 pxs_stats_commands(const struct pxs_stats *s, char *to)
{
	const struct pxs_stat *st;
	u32 i, len = 0;

	for (i = 0; i < pxs_cmd_count(); i++) {
		st = &s->command[i];
		if (!st->calls && !st->rejected)
			continue;
		len += (u32)sprintf(to + len, "cmdstat_%s:calls=%" PRIu64 ",usec=%" PRIu64
				    ",usec_per_call=%.2f,rejected_calls=%" PRIu64
				    ",failed_calls=%" PRIu64 "\r\n", pxs_cmd_at(i)->name,
				    st->calls, st->usec,
				    st->calls ? (double)st->usec / (double)st->calls : 0,
				    st->rejected, st->failed);
	}
	return len;
}

u32 pxs_stats_errors(const struct pxs_stats *s, char *to)
{
	u32 i, len = 0;

	for (i = 0; i < s->words; i++)
		len += (u32)sprintf(to + len, "errorstat_%s:count=%" PRIu64 "\r\n",
				    s->error[i].word, s->error[i].count);
	return len;
}
