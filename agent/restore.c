// SPDX-License-Identifier: GPL-2.0
/*
 * restore.c - giving the datapath back what the journal holds of a group
 *
 * Of each slot only the newest record counts, and slots well below the commit index are
 * not needed: a member that lacks them asks the agent. What is sent, in this order: the
 * members, if the log has changed them; the highest promise; what answers waited for; the
 * commit index; the newest records of the slots about and above it, by LSN; the commit index
 * once more.
 *
 * If a record at or below the commit index is damaged, the member restarts from the
 * slot before it and learns the rest again (S5); the core stays mute until it has.
 *
 * Blocking reads: the group answers nothing yet.
 */
#include "replica.h"

#include <inttypes.h>
#include <unistd.h>

#include "durability.h"
#include "node.h"
#include "report.h"

#define LOAD_MAX	32768u	/* bytes of records in one GROUP_LOAD */

struct load {
	struct pxs_replica *r;
	u8 *buf;		/* records to send */
	u32 bytes;
	u8 *record;		/* one, as read */
	int fd;
	u64 segment;
	u64 start;		/* commit index to begin with */
	u64 sent;
};

struct wanted {
	u64 slot;
	u64 lsn;
};

static int flush(struct load *l)
{
	struct pxs_datapath *dp = l->r->node->dp;
	int err;

	if (!l->bytes)
		return 0;
	err = dp->ops->load(dp, l->r->id, l->buf, l->bytes);
	l->bytes = 0;
	if (err)
		pxs_err("group %u: loading recovered records: %s", l->r->id, strerror(-err));
	return err;
}

static int put(struct load *l, struct pxs_record *rec, const void *data)
{
	int err;

	rec->group = l->r->id;
	if (l->bytes + pxs_record_size(rec->len) > LOAD_MAX) {
		err = flush(l);
		if (err)
			return err;
	}
	l->bytes += pxs_record_put(l->buf + l->bytes, rec, data);
	l->sent++;
	return 0;
}

static int put_commit(struct load *l, u64 commit)
{
	struct pxs_record rec = { .type = PXS_RECORD_COMMIT, .slot = commit };

	return commit ? put(l, &rec, NULL) : 0;
}

static int open_segment(struct load *l, u64 segment)
{
	if (l->fd >= 0 && l->segment == segment)
		return 0;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = pxs_journal_open_segment(&l->r->node->journal, segment);
	l->segment = segment;
	return l->fd < 0 ? l->fd : 0;
}

/*
 * The record that @at tells of. A group that is added late is restored long after its
 * records were found, or written: they may have rotted since. Return: 0, -EBADMSG if
 * so, or why it cannot be read.
 */
static int read_record(struct load *l, const struct pxs_slot_at *at, u64 slot,
		       struct pxs_record *rec)
{
	u32 offset = pxs_pos_offset(at->pos);
	ssize_t n;
	int err;

	err = open_segment(l, pxs_pos_segment(at->pos));
	if (err)
		goto report;
	n = pread(l->fd, l->record, pxs_record_size(PXS_VALUE_MAX), offset);
	if (n < 0) {
		err = -errno;
		goto report;
	}
	if (pxs_record_get(l->record, (size_t)n, rec) == PXS_RECORD_OK && rec->lsn == at->lsn &&
	    rec->slot == slot)
		return 0;
	err = -EBADMSG;
report:
	pxs_err("group %u: segment %016" PRIx64 " offset %u: reading slot %" PRIu64 " again: %s",
		l->r->id, pxs_pos_segment(at->pos), offset, slot, strerror(-err));
	return err;
}

/*
 * A damaged slot above the start is loaded as faulty (S5). One below it is left out: it
 * is decided, and who asks for it is told by the agent. A faulty one may have been learned only, at
 * a ballot that this member never promised: so it is not given as accepted, which promises, too.
 * What was promised by accepting is in the record of it that load_all() gives.
 */
static int put_faulty(struct load *l, struct pxs_slot_at *at, u64 slot)
{
	struct pxs_record rec = {
		.type = PXS_RECORD_DECIDED,
		.flags = PXS_ENTRY_FAULTY,
		.slot = slot,
		.ballot = at->ballot,
		.lsn = at->lsn,
	};

	at->pos |= PXS_SLOTS_FAULTY;
	return slot > l->start ? put(l, &rec, NULL) : 0;
}

static int put_slot(struct load *l, u64 slot)
{
	struct pxs_slot_at *at = pxs_slots_at(&l->r->slots, slot);
	struct pxs_record rec;
	int err = -EBADMSG;

	if (!(at->pos & PXS_SLOTS_FAULTY))
		err = read_record(l, at, slot, &rec);
	if (err == -EBADMSG)
		return put_faulty(l, at, slot);
	if (err)
		return err;
	if (slot <= l->start)
		rec.type = PXS_RECORD_DECIDED;	/* so the window can show it to who asks */
	return put(l, &rec, rec.data);
}

static int by_lsn(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return x->lsn < y->lsn ? -1 : x->lsn > y->lsn;
}

/* Slots above @floor that have a record, by LSN; of those beyond what fits, only the last. */
static int put_slots(struct load *l, u64 floor)
{
	struct pxs_slots *s = &l->r->slots;
	u64 end = min(s->last, floor + 2 * (u64)l->r->config->conf.window);
	struct pxs_slot_at *at;
	struct wanted *list;
	u64 slot, n = 0, i;
	int err = 0;

	if (s->last <= floor)
		return 0;
	list = malloc((end - floor + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (slot = floor + 1; slot <= end; slot++) {
		at = pxs_slots_at(s, slot);
		if (at)
			list[n++] = (struct wanted){ .slot = slot, .lsn = at->lsn };
	}
	if (end < s->last)
		list[n++] = (struct wanted){ .slot = s->last,
					     .lsn = pxs_slots_at(s, s->last)->lsn };
	qsort(list, n, sizeof(*list), by_lsn);
	for (i = 0; i < n && !err; i++)
		err = put_slot(l, list[i].slot);
	free(list);
	return err;
}

/*
 * Where may this member start? At the commit index that the journal proves, or before
 * the first slot that is damaged.
 */
static int find_start(struct pxs_replica *r, u64 *start)
{
	struct pxs_slot_at *at;
	u64 slot;

	for (slot = r->trim + 1; slot <= r->recovered; slot++) {
		at = pxs_slots_at(&r->slots, slot);
		if (!at) {
			pxs_err("group %u: the journal says that slots up to %" PRIu64 " are decided, but holds nothing of slot %" PRIu64,
				r->id, r->recovered, slot);
			return -EBADMSG;
		}
		if (at->pos & PXS_SLOTS_FAULTY) {
			pxs_warn("group %u: the record of slot %" PRIu64 " is damaged: this and later slots up to %" PRIu64 " are learned again from the other members",
				 r->id, slot, r->recovered);
			break;
		}
	}
	*start = slot - 1;
	return 0;
}

static int load_all(struct load *l)
{
	struct pxs_replica *r = l->r;
	u64 start = l->start;
	struct pxs_record promise = {
		.type = PXS_RECORD_PROMISE, .ballot = r->promised, .lsn = r->promised_lsn,
	};
	struct pxs_record durability = {
		.type = PXS_RECORD_DURABILITY, .slot = PXS_DURABILITY_MEMORY, .lsn = r->memory_lsn,
	};
	struct pxs_record trim = {
		.type = PXS_RECORD_TRIM, .flags = r->memory ? PXS_TRIM_MEMORY : 0, .slot = r->trim,
	};
	struct pxs_record config = {
		.type = PXS_RECORD_CONFIG, .slot = r->members.now.epoch,
		.ballot = r->members.now.slot, .len = r->members.now.len,
		.lsn = r->members.now.lsn,
	};
	u64 behind = r->config->conf.window / 8;
	int err = 0;

	if (r->members.now.epoch)
		err = put(l, &config, r->members.now.value);
	if (!err && r->promised)
		err = put(l, &promise, NULL);
	if (!err && r->memory)
		err = put(l, &durability, NULL);
	if (!err && r->trim)
		err = put(l, &trim, NULL);
	if (!err)
		err = put_commit(l, start);
	if (!err)
		err = put_slots(l, start > behind ? start - behind : 0);
	if (!err)
		err = put_commit(l, r->recovered);
	return err ? err : flush(l);
}

int pxs_restore(struct pxs_replica *r)
{
	struct load l = { .r = r, .fd = -1 };
	struct pxs_datapath *dp = r->node->dp;
	int err;

	err = pxs_member_enter(r);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = find_start(r, &l.start);
	if (err)
		return err;
	l.buf = malloc(LOAD_MAX);
	l.record = malloc(pxs_record_size(PXS_VALUE_MAX));
	err = l.buf && l.record ? load_all(&l) : -ENOMEM;
	if (l.fd >= 0)
		close(l.fd);
	free(l.buf);
	free(l.record);
	if (err)
		return err;
	err = dp->ops->activate(dp, r->id, l.start);
	/* Nothing that another start could mend; the node's other groups need not suffer. */
	if (err == -ENOTRECOVERABLE) {
		pxs_err("group %u: %s; fenced", r->id, PXS_FORGOT);
		pxs_replica_stop(r);
		return 0;
	}
	if (err) {
		pxs_err("group %u: activate: %s%s", r->id, strerror(-err),
			err == -ERANGE ? ": the window is smaller than the one that wrote the journal" : "");
		return err;
	}
	pxs_info("group %u: active%s: commit index %" PRIu64 ", promised %" PRIu64 ".%u, %" PRIu64 " records loaded",
		 r->id, r->config->conf.memory ? ", durability memory" : "", l.start,
		 pxs_ballot_round(r->promised), pxs_ballot_member(r->promised), l.sent);
	pxs_replica_decided(r, l.start, 0);
	pxs_replica_start(r, r->promised, l.start);
	pxs_member_entered(r);
	return 0;
}
