// SPDX-License-Identifier: GPL-2.0
/*
 * twophase.c - a transaction with keys in several groups: who does what next
 */
#include "twophase.h"

/* --- the rules ------------------------------------------------------------------- */

static u32 count(const enum pxs_tx_state *state, u32 n, enum pxs_tx_state what)
{
	u32 i, found = 0;

	for (i = 0; i < n; i++)
		found += state[i] == what;
	return found;
}

enum pxs_tx_act pxs_tx_coordinate(enum pxs_tx_state own, const enum pxs_tx_state *other, u32 n,
				  bool late, enum pxs_tx_reason *reason)
{
	if (own == PXS_TX_DONE)
		return count(other, n, PXS_TX_DONE) == n ? PXS_TX_END : PXS_TX_WAIT;
	if (own != PXS_TX_READY)
		return PXS_TX_WAIT;
	if (count(other, n, PXS_TX_READY) == n)
		return PXS_TX_COMMIT;
	if (count(other, n, PXS_TX_CHANGED))
		*reason = PXS_TX_WAS_CHANGED;
	else
		*reason = count(other, n, PXS_TX_FULL) ? PXS_TX_WAS_FULL : PXS_TX_WAS_LATE;
	return *reason != PXS_TX_WAS_LATE || late ? PXS_TX_ABORT : PXS_TX_WAIT;
}

enum pxs_tx_act pxs_tx_participate(enum pxs_tx_state coordinator, bool turn, enum pxs_tx_state own)
{
	if (own == PXS_TX_GONE)
		return coordinator == PXS_TX_READY && turn ? PXS_TX_PREPARE : PXS_TX_WAIT;
	if (own != PXS_TX_READY || coordinator == PXS_TX_READY)
		return PXS_TX_WAIT;
	return coordinator == PXS_TX_DONE ? PXS_TX_COMMIT : PXS_TX_ABORT;
}

enum pxs_tx_state pxs_tx_decide(enum pxs_tx_state own, bool commit)
{
	if (own != PXS_TX_READY)
		return own;
	return commit ? PXS_TX_DONE : PXS_TX_GONE;
}

/* --- whose part is what ---------------------------------------------------------- */

static bool can_split(const struct pxs_command *cmd)
{
	return cmd->run == pxs_cmd_del || cmd->run == pxs_cmd_exists ||
	       cmd->run == pxs_cmd_mget || cmd->run == pxs_cmd_mset || pxs_tx_wants_none(cmd);
}

bool pxs_tx_splits(const struct pxs_command *cmd, u32 argc)
{
	return can_split(cmd) && !pxs_cmd_lacks_value(cmd, argc);
}

bool pxs_tx_depends(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
		    const struct pxs_str *argv, bool among)
{
	bool may = cmd->run == pxs_cmd_rename || cmd->run == pxs_cmd_renamenx ||
		   (among && pxs_tx_wants_none(cmd) && pxs_tx_splits(cmd, argc));
	u32 i = may ? pxs_cmd_next_key(cmd, argc, 0) : 0, first = i;

	while (i && pxs_shards_of_key(m, argv[i]) == pxs_shards_of_key(m, argv[first]))
		i = pxs_cmd_next_key(cmd, argc, i);
	return i;
}

static u32 part_of_split(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
			 const struct pxs_str *argv, u32 index, struct pxs_str *to)
{
	u32 i, step = (u32)cmd->step, n = 1;

	to[0] = argv[0];
	for (i = (u32)cmd->first; i + step <= argc; i += step) {
		if (pxs_shards_of_key(m, argv[i]) != index)
			continue;
		memcpy(to + n, argv + i, step * sizeof(*to));
		n += step;
	}
	return n > 1 ? n : 0;
}

u32 pxs_tx_part(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
		const struct pxs_str *argv, u32 index, u32 first, struct pxs_str *to)
{
	u32 owner = first;

	/* In the order of the arguments a word without its value stays with who says so. */
	if (pxs_tx_splits(cmd, argc))
		return part_of_split(m, cmd, argc, argv, index, to);
	if (cmd->first && (u32)cmd->first < argc)
		owner = pxs_shards_of_key(m, argv[cmd->first]);
	if (owner != index)
		return 0;
	memcpy(to, argv, argc * sizeof(*to));
	return argc;
}

/* --- one answer of several --------------------------------------------------------- */

static bool first_line(struct pxs_str s, u32 *len, s64 *n)
{
	const u8 *end = s.len ? memchr(s.data, '\n', s.len) : NULL;

	if (!end || end - s.data < 2)
		return false;
	*len = (u32)(end - s.data) + 1;
	*n = 0;
	return pxs_str_int((struct pxs_str){ s.data + 1, *len - 3 }, n) ||
	       !memchr("$*%~=!", s.data[0], 6);
}

u32 pxs_tx_value(struct pxs_str s)
{
	u64 left = 1;		/* values yet to be stepped over */
	u32 pos = 0, len;
	s64 n;

	while (left--) {
		if (!first_line((struct pxs_str){ s.data + pos, s.len - pos }, &len, &n))
			return 0;
		switch (s.data[pos]) {
		case '*':
		case '~':
			left += n > 0 ? (u64)n : 0;
			break;
		case '%':
			left += n > 0 ? 2 * (u64)n : 0;
			break;
		case '$':
		case '=':
		case '!':
			if (n >= 0 && (u64)n + 2 > s.len - pos - len)
				return 0;
			len += n >= 0 ? (u32)n + 2 : 0;
			break;
		}
		pos += len;
	}
	return pos;
}

/* An error of a part is the answer: the others have done theirs. */
static const struct pxs_str *error_in(const struct pxs_shards *m, const struct pxs_str *answer)
{
	u32 i;

	for (i = 0; i < m->n; i++)
		if (answer[i].len && answer[i].data[0] == '-')
			return &answer[i];
	return NULL;
}

/* Of one that wants none of its keys there, what was not done anywhere was not done. */
static bool join_numbers(const struct pxs_shards *m, const struct pxs_command *cmd,
			 const struct pxs_str *answer, struct pxs_reply *out)
{
	s64 n, sum = 0, least = INT64_MAX;
	u32 i, len;

	for (i = 0; i < m->n; i++) {
		if (!answer[i].len)
			continue;
		if (answer[i].data[0] != ':' || !first_line(answer[i], &len, &n))
			return false;
		sum += n;
		least = min(least, n);
	}
	pxs_reply_int(out, pxs_tx_wants_none(cmd) ? least : sum);
	return true;
}

/* Each value in the place of its key. */
static bool join_values(const struct pxs_shards *m, u32 argc, const struct pxs_str *argv,
			const struct pxs_str *answer, struct pxs_reply *out)
{
	struct pxs_str rest[PXS_SHARDS_MAX];
	u32 i, at, len;
	s64 n;

	for (i = 0; i < m->n; i++) {
		rest[i] = answer[i];
		if (!answer[i].len)
			continue;
		if (answer[i].data[0] != '*' || !first_line(answer[i], &len, &n))
			return false;
		rest[i] = (struct pxs_str){ answer[i].data + len, answer[i].len - len };
	}
	pxs_reply_array(out, argc - 1);
	for (i = 1; i < argc; i++) {
		at = pxs_shards_of_key(m, argv[i]);
		len = pxs_tx_value(rest[at]);
		if (!len)
			return false;
		pxs_reply_raw(out, rest[at].data, len);
		rest[at].data += len;
		rest[at].len -= len;
	}
	return true;
}

bool pxs_tx_join(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
		 const struct pxs_str *argv, const struct pxs_str *answer, struct pxs_reply *out)
{
	const struct pxs_str *error = error_in(m, answer);

	if (error) {
		pxs_reply_raw(out, error->data, error->len);
		out->errors++;
		return true;
	}
	if (cmd->run == pxs_cmd_mget)
		return join_values(m, argc, argv, answer, out);
	if (cmd->run != pxs_cmd_mset)
		return join_numbers(m, cmd, answer, out);
	pxs_reply_status(out, "OK");
	return true;
}
