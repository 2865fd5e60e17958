// SPDX-License-Identifier: GPL-2.0
/*
 * node.c - the daemon's parts put together
 *
 * Start: own the journal, recover it, set the datapath up, attach, load, activate.
 * Then events go round: the datapath's records to the journal, the journal's durable
 * point to the datapath, everything else to the replicas.
 */
#include "node.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "director.h"
#include "report.h"
#include "trim.h"

#define KEEPALIVE_MS	200
#define HINT_MS		5000
#define ATTACH_RETRY_MS	50

#define from(p, member) \
	((struct pxs_node *)((char *)(p) - offsetof(struct pxs_node, member)))

struct pxs_replica *pxs_node_replica(struct pxs_node *n, u32 group)
{
	u32 i;

	for (i = 0; i < n->nreplicas; i++)
		if (n->replica[i].id == group)
			return &n->replica[i];
	return NULL;
}

static void give_up(struct pxs_node *n)
{
	n->exit_code = 1;
	n->loop.stop = true;
}

/* --- events of the datapath ------------------------------------------------ */

static void index_records(struct pxs_node *n, u64 known, u32 count, const u8 *records, u32 bytes)
{
	struct pxs_replica *r;
	struct pxs_record rec;
	u32 pos = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		pxs_record_peek(records + pos, bytes - pos, &rec);
		pos += pxs_record_size(rec.len);
		r = rec.lsn < known ? NULL : pxs_node_replica(n, rec.group);
		if (!r || !pxs_replica_record(r, &rec, 0))
			continue;
		pxs_err("group %u: no memory for slot %" PRIu64, rec.group, rec.slot);
		give_up(n);
		return;
	}
}

static void on_append(void *ctx, u64 first_lsn, u32 count, const u8 *records, u32 bytes, bool lazy)
{
	struct pxs_node *n = ctx;
	u64 known = n->journal.next_lsn;
	int err;

	if (n->sealed || n->deaf)
		return;
	err = pxs_journal_append(&n->journal, first_lsn, count, records, bytes, lazy);
	if (!err) {
		index_records(n, known, count, records, bytes);
		return;
	}
	if (err == -EIO)
		return;		/* fenced, and said so */
	/* The module keeps what is not confirmed: start again, and it sends it again (S6). */
	pxs_err("records from LSN %" PRIu64 " on: %s; LSN %" PRIu64 " is due; stopping, to attach anew",
		first_lsn, err == -ERANGE ? "some before them are missing" : strerror(-err), known);
	n->deaf = true;
	give_up(n);
}

static void on_decided(void *ctx, u32 group, u64 commit, u64 lsn)
{
	struct pxs_replica *r = pxs_node_replica(ctx, group);

	if (r)
		pxs_replica_decided(r, commit, lsn);
}

static void on_recv(void *ctx, u32 group, const struct pxs_msg *m, const u8 *body)
{
	struct pxs_replica *r = pxs_node_replica(ctx, group);

	if (r && r->started && !r->gone)
		pxs_replica_recv(r, m, body);
}

static void on_leader(void *ctx, u32 group, u8 event, u64 ballot)
{
	struct pxs_replica *r = pxs_node_replica(ctx, group);

	if (r && r->started && !r->gone)
		pxs_replica_leader(r, event, ballot);
}

static void on_read(void *ctx, u32 group, u64 ballot, u64 round, u64 index)
{
	struct pxs_replica *r = pxs_node_replica(ctx, group);

	if (r && r->started && !r->gone)
		pxs_index_reads_answered(r, ballot, round, index);
}

static void on_gone(void *ctx, u32 group)
{
	struct pxs_replica *r = pxs_node_replica(ctx, group);

	if (!group) {
		pxs_err("the datapath is gone (was the module unloaded?): stopping");
		give_up(ctx);
		return;
	}
	if (!r || r->gone)
		return;
	pxs_warn("group %u was deleted in the datapath: it does nothing any more", group);
	pxs_replica_stop(r);
}

/* --- events of the journal ------------------------------------------------- */

static void on_placed(void *ctx, const struct pxs_record *rec, u64 pos)
{
	struct pxs_replica *r = pxs_node_replica(ctx, rec->group);

	if (!r)
		return;
	if (!r->first_pos)
		r->first_pos = pos;
	if (rec->type == PXS_RECORD_ACCEPT || rec->type == PXS_RECORD_DECIDED)
		pxs_slots_place(&r->slots, rec->slot, rec->lsn, pos);
	else if (rec->type == PXS_RECORD_TRIM || rec->type == PXS_RECORD_COMMIT)
		pxs_trim_placed(r, rec, pos);
}

static void remove_segments(struct pxs_node *n)
{
	u64 first = ~0ull;
	u32 i;

	for (i = 0; i < n->nreplicas; i++)
		first = min(first, pxs_trim_needs(&n->replica[i]));
	pxs_journal_remove(&n->journal, first);
}

static void on_durable(void *ctx, u64 lsn)
{
	struct pxs_node *n = ctx;
	bool trimmed = false;
	u32 i;

	n->dp->ops->durable(n->dp, lsn);
	n->keepalive = n->loop.now;
	for (i = 0; i < n->nreplicas; i++) {
		pxs_replica_durable(&n->replica[i], lsn);
		trimmed |= pxs_trim_durable(&n->replica[i], lsn);
	}
	if (trimmed)
		remove_segments(n);
}

static void on_failed(void *ctx, const char *reason)
{
	struct pxs_node *n = ctx;
	u32 i;

	n->dp->ops->fail(n->dp, reason);
	for (i = 0; i < n->nreplicas; i++)
		pxs_replica_stop(&n->replica[i]);
}

/* --- the hint -------------------------------------------------------------- */

static void fill_hint(struct pxs_node *n)
{
	struct pxs_hint_group *g;
	u32 i;

	n->hint.incarnation = n->journal.id.incarnation;
	n->hint.lsn = n->journal.durable;
	for (i = 0; i < n->nreplicas; i++) {
		g = pxs_hint_group(&n->hint, n->replica[i].id);
		if (g)
			g->commit = max(g->commit, n->replica[i].hint_commit);
	}
}

static int hint_run(struct pxs_job *job)
{
	struct pxs_node *n = from(job, hint_job);

	return pxs_hint_write(n->journal.dirfd, &n->hint);
}

static void hint_done(struct pxs_job *job, int res)
{
	(void)job;
	if (res)
		pxs_debug("writing the hint: %s", strerror(-res));
}

void pxs_node_hint_now(struct pxs_node *n)
{
	if (n->hint_job.busy || n->journal.failed)
		return;
	fill_hint(n);
	if (n->hint.lsn > n->hinted_lsn)
		pxs_hint_write(n->journal.dirfd, &n->hint);
}

/* --- going round ----------------------------------------------------------- */

static bool restore_late(struct pxs_node *n, struct pxs_replica *r)
{
	if (r->gone || !r->restore_lsn || n->journal.durable < r->restore_lsn)
		return false;
	r->restore_lsn = 0;
	if (pxs_restore(r))
		give_up(n);
	return true;
}

static bool node_hook(struct pxs_hook *hook)
{
	struct pxs_node *n = from(hook, hook);
	bool did = false;
	u32 i;

	for (i = 0; i < n->nreplicas; i++) {
		did |= restore_late(n, &n->replica[i]);
		did |= pxs_replica_step(&n->replica[i]);
	}
	return did;
}

static void node_tick(struct pxs_ticker *t, u64 now)
{
	struct pxs_node *n = from(t, ticker);
	u32 i;

	for (i = 0; i < n->nreplicas; i++)
		pxs_replica_tick(&n->replica[i], now);
	if (now - n->keepalive >= KEEPALIVE_MS && !n->journal.failed) {
		n->dp->ops->durable(n->dp, n->journal.durable);
		n->keepalive = now;
	}
	if (now >= n->hint_due && !n->hint_job.busy && !n->journal.failed) {
		n->hint_due = now + HINT_MS;
		if (n->journal.durable == n->hinted_lsn)
			return;
		fill_hint(n);
		n->hinted_lsn = n->hint.lsn;
		pxs_worker_give(&n->worker, &n->hint_job);
	}
}

/* --- start ----------------------------------------------------------------- */

static int recovered_record(void *ctx, const struct pxs_record *rec, u64 pos)
{
	struct pxs_replica *r = pxs_node_replica(ctx, rec->group);
	struct pxs_node *n = ctx;

	if (r)
		return pxs_replica_record(r, rec, pos);
	n->foreign_group = rec->group;
	return -EKEYREJECTED;
}

static void recovered_segment(void *ctx, u64 segment, u64 lsn)
{
	(void)ctx;
	if (segment % 16 == 0)
		pxs_info("recovering: segment %" PRIu64 ", LSN %" PRIu64, segment, lsn);
}

/* Is this journal the one that the configuration means? (S3) */
static int check_identity(struct pxs_node *n, const struct pxs_identity *id)
{
	const struct pxs_group_conf *conf;
	char have[37], want[37];
	u32 i;

	if (memcmp(id->cluster, n->config.cluster, sizeof(id->cluster))) {
		pxs_uuid_format(id->cluster, have);
		pxs_uuid_format(n->config.cluster, want);
		pxs_err("%s: the journal belongs to cluster %s, %s says %s", n->config.journal, have,
			n->config.file, want);
		return -EKEYREJECTED;
	}
	for (i = 0; i < n->config.ngroups; i++) {
		conf = &n->config.group[i].conf;
		if (conf->member[conf->self].id != id->member) {
			pxs_err("%s: the journal belongs to member %u, %s: group %u: self is %u",
				n->config.journal, id->member, n->config.file, conf->id,
				conf->member[conf->self].id);
			return -EKEYREJECTED;
		}
		if (conf->member[conf->self].incarnation != id->incarnation) {
			pxs_err("%s: the journal has incarnation 0x%016" PRIx64 ", %s: group %u: member %u has 0x%016" PRIx64 ": with another journal this is another member, and does not vote",
				n->config.journal, id->incarnation, n->config.file, conf->id,
				id->member, conf->member[conf->self].incarnation);
			return -EKEYREJECTED;
		}
	}
	return 0;
}

static void use_hint(struct pxs_node *n, struct pxs_recovery *rec)
{
	struct pxs_hint_group *g;
	u32 i;

	if (rec->hint_error == -EBADMSG)
		pxs_warn("%s/%s is damaged or of another journal: not used", n->config.journal,
			 PXS_HINT_FILE);
	else if (rec->hint_error && rec->hint_error != -ENOENT)
		pxs_warn("%s/%s: %s: not used", n->config.journal, PXS_HINT_FILE,
			 strerror(-rec->hint_error));
	n->hint = rec->hint;
	n->hinted_lsn = rec->hint.lsn;
	for (i = 0; i < n->nreplicas; i++) {
		g = pxs_hint_group(&rec->hint, n->replica[i].id);
		if (g && g->commit > n->replica[i].recovered)
			n->replica[i].recovered = g->commit;
	}
}

/*
 * The loop, which reads signals, does not run yet: who asks us to end while we wait, or recover,
 * ends us there and then. Nothing was begun by then that would have to be ended in order.
 */
static void heed_signals(sigset_t *before)
{
	sigset_t end;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigprocmask(SIG_UNBLOCK, &end, before);
}

static void leave_signals(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

static int open_journal(struct pxs_node *n, bool wait)
{
	struct pxs_scan_sink sink = {
		.ctx = n,
		.record = recovered_record,
		.progress = recovered_segment,
		.ended = pxs_members_recovered,
	};
	struct pxs_recovery rec;
	sigset_t before;
	int err;

	err = pxs_recover_look_identity(n->config.journal, &rec);
	if (!err)
		err = check_identity(n, &rec.id);
	else
		pxs_err("%s", rec.error);
	if (err)
		return err;
	heed_signals(&before);
	err = pxs_recover(&rec, n->config.journal, wait, &sink);
	leave_signals(&before);
	if (err && n->foreign_group)
		pxs_err("%s: the journal holds records of group %u, which %s does not have: it is another group's journal, or the group is missing there",
			n->config.journal, n->foreign_group, n->config.file);
	else if (err)
		pxs_err("%s", rec.error);
	if (err)
		return err;
	use_hint(n, &rec);
	pxs_info("%s: LSN 1 to %" PRIu64 " recovered, %" PRIu64 " damaged values", n->config.journal,
		 rec.scan.next_lsn - 1, rec.scan.faulty);
	n->journal_events = (struct pxs_journal_events){
		.ctx = n,
		.placed = on_placed,
		.durable = on_durable,
		.failed = on_failed,
	};
	err = pxs_journal_open(&n->journal, &n->loop, &n->worker, &rec, n->config.flush,
			       &n->journal_events);
	pxs_recovery_close(&rec);
	return err;
}

/* A former agent may still be attached while the kernel clears its socket away. */
static int attach(struct pxs_node *n, u64 *last_lsn)
{
	struct timespec pause = { .tv_nsec = ATTACH_RETRY_MS * 1000000 };
	sigset_t before;
	bool said = false;
	int err;

	for (;;) {
		err = n->dp->ops->attach(n->dp, n->journal.id.incarnation, n->journal.next_lsn,
					 last_lsn);
		if (err != -EBUSY)
			break;
		if (!said)
			pxs_notice("another agent is attached to the datapath: waiting for it to end");
		said = true;
		heed_signals(&before);
		nanosleep(&pause, NULL);
		leave_signals(&before);
	}
	if (err == -ESTALE)
		pxs_err("the module holds or has confirmed other records than this journal (it ends with LSN %" PRIu64 "): it was restored from a copy, or lost what was durable",
			n->journal.next_lsn - 1);
	else if (err)
		pxs_err("attach: %s", strerror(-err));
	return err;
}

/*
 * A group that was deleted while the stage still held records of it: they come again, and go to
 * the journal behind all that was recovered. What is restored must have them, or journal and
 * window would disagree about a slot's newest record. Until then the group answers nothing.
 */
static int restore_after(struct pxs_node *n, struct pxs_replica *r, u64 last_lsn)
{
	if (last_lsn < n->journal.next_lsn)
		return pxs_restore(r);
	pxs_info("group %u: the module still holds LSN %" PRIu64 " to %" PRIu64 ": they come first",
		 r->id, n->journal.next_lsn, last_lsn);
	r->restore_lsn = last_lsn;
	return 0;
}

static int start_replica(struct pxs_node *n, struct pxs_replica *r, u64 last_lsn)
{
	struct pxs_group_status st;
	int err;

	err = n->dp->ops->status(n->dp, r->id, &st);
	if (err) {
		pxs_err("group %u: %s", r->id, strerror(-err));
		return err;
	}
	if (st.state == PXS_GROUP_INACTIVE)
		return restore_after(n, r, last_lsn);
	if (st.state == PXS_GROUP_MOVED) {
		pxs_err("group %u: goes over to other members, and nobody said to which", r->id);
		return -EIO;
	}
	if (st.state == PXS_GROUP_FENCED) {
		pxs_err("group %u is fenced in the module (paxsteer group show says why); after a look at the disk: paxsteer group del %u, and start again",
			r->id, r->id);
		pxs_replica_stop(r);
		return 0;
	}
	/*
	 * The module outlived a former agent, and may have committed since the attachment: which
	 * records that rests on is in the EVENT_DECIDED that follows each attachment, not here.
	 */
	pxs_info("group %u: taken over active: commit index %" PRIu64, r->id, st.commit);
	pxs_replica_start(r, st.promised, st.commit);
	return 0;
}

static int open_datapath(struct pxs_node *n)
{
	n->dp_events = (struct pxs_datapath_events){
		.ctx = n,
		.append = on_append,
		.decided = on_decided,
		.recv = on_recv,
		.leader = on_leader,
		.read = on_read,
		.gone = on_gone,
	};
	if (n->config.datapath == PXS_DATAPATH_USER)
		return pxs_datapath_user(&n->loop, &n->dp_events, &n->dp);
	return pxs_datapath_kernel(&n->loop, &n->dp_events, &n->dp);
}

/*
 * A former agent may have died on the way to other members: the journal, or the stage, has them. Or
 * while it loaded the group, and the journal has got records since by which there are others: a
 * group that is not active has said nothing to anybody (S3), so it may go.
 */
static int add_group(struct pxs_node *n, struct pxs_replica *r)
{
	struct pxs_group_status st;

	if (!n->dp->ops->status(n->dp, r->id, &st) &&
	    (st.state == PXS_GROUP_MOVED ||
	     (st.state == PXS_GROUP_INACTIVE && st.epoch < r->config->conf.epoch)))
		n->dp->ops->group_del(n->dp, r->id);
	return pxs_member_add(r);
}

/* Attach first: a module without groups forgets what a journal that failed left behind. */
static int open_groups(struct pxs_node *n)
{
	u64 last_lsn;
	u32 i;
	int err;

	err = attach(n, &last_lsn);
	for (i = 0; i < n->nreplicas && !err; i++)
		if (!n->replica[i].gone)
			err = add_group(n, &n->replica[i]);
	for (i = 0; i < n->nreplicas && !err; i++)
		if (!n->replica[i].gone)
			err = start_replica(n, &n->replica[i], last_lsn);
	return err;
}

int pxs_node_open(struct pxs_node *n, bool wait)
{
	u32 i;
	int err;

	n->replica = calloc(n->config.ngroups, sizeof(*n->replica));
	if (!n->replica)
		return -ENOMEM;
	for (i = 0; i < n->config.ngroups; i++) {
		err = pxs_replica_init(&n->replica[i], n, &n->config.group[i]);
		if (err)
			return err;
		n->nreplicas++;
	}
	err = pxs_worker_start(&n->worker, &n->loop);
	if (err) {
		pxs_err("helper thread: %s", strerror(-err));
		return err;
	}
	err = open_journal(n, wait);
	if (err) {
		pxs_worker_stop(&n->worker);
		return err;
	}
	n->opened = true;
	for (i = 0; i < n->nreplicas; i++)
		pxs_member_adopt(&n->replica[i]);
	err = open_datapath(n);
	if (!err)
		err = open_groups(n);
	if (err)
		return err;
	n->hint_job.run = hint_run;
	n->hint_job.done = hint_done;
	n->ticker.tick = node_tick;
	pxs_loop_add_ticker(&n->loop, &n->ticker);
	n->hook.run = node_hook;
	pxs_loop_add_hook(&n->loop, &n->hook);
	remove_segments(n);	/* what the former life did not come to */
	return 0;
}

void pxs_node_close(struct pxs_node *n)
{
	u32 i;

	if (n->quiet)
		n->quiet(n);
	if (n->opened)
		pxs_worker_stop(&n->worker);
	if (n->opened && n->dp && !n->exit_code)
		pxs_node_hint_now(n);
	pxs_loop_exit(&n->loop);	/* nothing is in flight any more */
	if (n->let_go)
		n->let_go(n);
	pxs_directors_stop(n);
	for (i = 0; i < n->nreplicas; i++)
		pxs_replica_exit(&n->replica[i]);
	free(n->replica);
	if (n->dp)
		n->dp->ops->close(n->dp);
	if (n->opened)
		pxs_journal_close(&n->journal);
}
