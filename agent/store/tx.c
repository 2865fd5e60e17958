// SPDX-License-Identifier: GPL-2.0
/*
 * tx.c - MULTI, EXEC, DISCARD, WATCH
 *
 * What stands between MULTI and EXEC goes into the log as one entry, with the versions of
 * the keys that were watched: it is executed whole, or not at all, when it is applied.
 */
#include "store.h"

#include <stdio.h>

void pxs_tx_drop(struct pxs_request *queued)
{
	struct pxs_request *r;

	while ((r = queued)) {
		queued = r->next;
		free(r);
	}
}

/* Forget the commands; keys stay watched. */
static void drop_queue(struct pxs_conn *c)
{
	pxs_tx_drop(c->queued);
	c->queued = NULL;
	c->queued_last = &c->queued;
	pxs_late_drop(&c->late);
	c->queued_count = 0;
	c->queued_bytes = 0;
	c->queued_patterns = 0;
	c->multi = false;
	c->multi_failed = false;
}

void pxs_tx_free_watches(struct pxs_watch *watch, u32 watches)
{
	u32 i;

	for (i = 0; i < watches; i++)
		free((void *)watch[i].key.data);
	free(watch);
}

void pxs_tx_unwatch(struct pxs_conn *c)
{
	pxs_tx_free_watches(c->watch, c->watches);
	c->watch = NULL;
	c->watches = 0;
	c->watch_bytes = 0;
}

void pxs_tx_end(struct pxs_conn *c)
{
	drop_queue(c);
	pxs_tx_unwatch(c);
}

void pxs_tx_take(struct pxs_conn *c, struct pxs_cross *to)
{
	to->exec = true;
	to->queued = c->queued;
	to->watch = c->watch;
	to->watches = c->watches;
	to->bytes = c->queued_bytes + c->watch_bytes;
	c->taken_bytes += to->bytes;
	c->queued = NULL;
	c->watch = NULL;
	c->watches = 0;
	pxs_tx_end(c);
}

void pxs_tx_multi(struct pxs_request *r)
{
	if (r->conn->multi) {
		pxs_reply_error(&r->out, "ERR MULTI calls can not be nested");
		return;
	}
	r->conn->multi = true;
	pxs_reply_status(&r->out, "OK");
}

void pxs_tx_discard(struct pxs_request *r)
{
	if (!r->conn->multi) {
		pxs_reply_error(&r->out, "ERR DISCARD without MULTI");
		return;
	}
	pxs_tx_end(r->conn);
	pxs_reply_status(&r->out, "OK");
}

/* --- WATCH ------------------------------------------------------------------- */

static bool watch_key(struct pxs_conn *c, struct pxs_db *db, struct pxs_str key)
{
	struct pxs_watch *grown;
	struct pxs_rec rec;
	u8 *copy;
	u32 i;

	for (i = 0; i < c->watches; i++)
		if (pxs_str_equal(c->watch[i].key, key))
			return true;
	if (c->watches == PXS_TX_WATCHES_MAX)
		return false;
	grown = realloc(c->watch, (c->watches + 1) * sizeof(*grown));
	copy = malloc(key.len + 1);
	if (grown)
		c->watch = grown;
	if (!grown || !copy) {
		free(copy);
		return false;
	}
	memcpy(copy, key.data, key.len);
	grown[c->watches].key = (struct pxs_str){ copy, key.len };
	grown[c->watches].version = pxs_db_find(db, key, &rec) ? rec.version :
				    PXS_WATCH_ABSENT | db->state.applied;
	c->watches++;
	c->watch_bytes += sizeof(*grown) + key.len + 1;
	return true;
}

void pxs_tx_watch_in(struct pxs_store *s, struct pxs_request *r)
{
	u32 i;

	for (i = 1; i < r->argc; i++) {
		if (pxs_set_of_key(s, r->argv[i]) != s || watch_key(r->conn, &s->db, r->argv[i]))
			continue;
		pxs_reply_error(&r->out, "ERR more than %u keys are watched", PXS_TX_WATCHES_MAX);
		return;
	}
}

static bool has_key(const struct pxs_store *s, const struct pxs_request *r)
{
	u32 i = 1;

	while (i < r->argc && pxs_set_of_key(s, r->argv[i]) != s)
		i++;
	return i < r->argc;
}

/*
 * Each group at a moment of its own. An old version is safe: EXEC fails then where it would not
 * with a new one.
 */
void pxs_tx_watch(struct pxs_request *r)
{
	struct pxs_store *s;
	u32 i, n = 0;

	for (i = 0; i < pxs_set_count(r->store) && !r->out.len; i++) {
		s = pxs_set_at(r->store, i);
		if (!has_key(s, r))
			continue;
		pxs_store_look(s, r);
		n++;
	}
	if (n > 1)
		r->conn->version.slot = 0;	/* there is no such thing of several */
	if (!r->out.len)
		pxs_reply_status(&r->out, "OK");
}

/* --- between MULTI and EXEC -------------------------------------------------- */

static struct pxs_request *copy_of(struct pxs_request *r)
{
	struct pxs_request *instead, *copy = malloc(r->bytes);
	u32 i;

	if (!copy)
		return NULL;
	memcpy(copy, r, r->bytes);
	memset(&copy->out, 0, sizeof(copy->out));
	copy->next = NULL;
	for (i = 0; i < r->argc; i++)
		copy->argv[i].data = (u8 *)copy + (r->argv[i].data - (const u8 *)r);
	if (!(r->cmd->flags & PXS_CF_LATE))
		return copy;
	instead = pxs_late_keep(r->conn, copy, r->conn->queued_count);
	if (!instead)
		free(copy);
	return instead;
}

void pxs_tx_queue(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	struct pxs_request *copy;
	u32 patterns;

	r->queued = true;

	/* As many bytes as an entry holds at most need not be kept. */
	if (c->queued_count == PXS_TX_COMMANDS_MAX ||
	    c->queued_bytes + r->bytes > PXS_CONN_BYTES_MAX) {
		c->multi_failed = true;
		pxs_reply_error(&r->out, "ERR transaction too large");
		return;
	}
	/* Matching takes the product of two lengths, and it is where entries are applied. */
	patterns = pxs_cmd_pattern(r->cmd, r->argc, r->argv);
	c->queued_patterns += patterns;
	if (patterns && c->queued_patterns > PXS_TX_PATTERNS_MAX) {
		c->multi_failed = true;
		pxs_reply_error(&r->out, "ERR patterns of a transaction have more than %u bytes",
				PXS_TX_PATTERNS_MAX);
		return;
	}
	copy = copy_of(r);
	if (!copy) {
		c->multi_failed = true;
		pxs_reply_error(&r->out, "ERR out of memory");
		return;
	}
	*c->queued_last = copy;
	c->queued_last = &copy->next;
	c->queued_count++;
	c->queued_bytes += r->bytes;
	pxs_reply_status(&r->out, "QUEUED");
}

/* Of the string at @key, as it is here now. */
static u64 length_of(struct pxs_store *s, struct pxs_str key)
{
	struct pxs_rec rec;
	u64 len = 0;

	s = pxs_set_of_key(s, key);
	pxs_store_settle(s);
	if (pxs_db_begin(&s->db, false))
		return 0;
	if (pxs_db_find(&s->db, key, &rec))
		len = rec.value.len;
	pxs_db_abort(&s->db);
	return len;
}

/*
 * A few bytes may stand for a string of 4 MiB, which every member writes in one transaction with
 * all the others, and keeps in memory until then. A string may be one that was made before, here,
 * so it counts as long as the longest.
 */
bool pxs_tx_too_large(struct pxs_request *exec)
{
	u64 sum = 0, longest = 0, writes;
	const struct pxs_request *q;

	for (q = exec->conn->queued; q; q = q->next) {
		writes = 0;
		if (pxs_cmd_writes(q->cmd, q->argc, q->argv, 1))
			writes = pxs_cmd_writes(q->cmd, q->argc, q->argv,
						max(longest, length_of(exec->store, q->argv[1])));
		sum += writes;
		if (q->cmd->flags & PXS_CF_WRITE)
			longest = min(max(max(longest, writes), (u64)q->bytes),
				      (u64)PXS_STRING_MAX);
	}
	if (sum <= PXS_TX_WRITES_MAX)
		return false;
	pxs_reply_error(&exec->out,
			"EXECABORT Transaction discarded because of: its APPEND, EXPIRE, RENAME and SETRANGE write more than %u bytes",
			PXS_TX_WRITES_MAX);
	return true;
}

static bool submit(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	struct pxs_request *q;
	struct pxs_args *args;
	u32 n = 0;

	args = malloc((c->queued_count + 1) * sizeof(*args));
	if (!args) {
		pxs_reply_error(&r->out, "ERR out of memory");
		return true;
	}
	for (q = c->queued; q; q = q->next)
		args[n++] = (struct pxs_args){ q->argc, q->argv };
	pxs_submit(r->store, r, PXS_STORE_EXEC, args, n);
	free(args);
	return false;	/* under way, or refused and done */
}

bool pxs_tx_exec(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	bool over = true;

	if (!c->multi) {
		pxs_reply_error(&r->out, "ERR EXEC without MULTI");
		return true;
	}
	if (c->multi_failed) {
		pxs_reply_error(&r->out,
				"EXECABORT Transaction discarded because of previous errors.");
	} else if (!pxs_tx_too_large(r) && pxs_session_may_write(r)) {
		if (pxs_lock_wait(r))
			return false;
		over = submit(r);
	}
	pxs_tx_end(c);
	return over;
}
