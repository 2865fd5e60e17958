// SPDX-License-Identifier: GPL-2.0
/*
 * test_director.c - a log of changes, made in a module that is a script
 *
 * The module keeps its slot and digest by kmod/core/agreed.c, as the real one does, and answers
 * each change with what the test says. The log is an array; the group is what the test says of it.
 */
#define _GNU_SOURCE

#include "fetch.h"
#include "link.h"
#include "propose.h"
#include "unit.h"

static int fake_call(struct pxs_link *l, struct nl_msg *msg,
		     void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx);
static int fake_resolve(const char *family);
static void fake_fetch(struct pxs_fetch *f, u64 first, u64 last);
static u32 fake_propose(struct pxs_replica *r, struct pxs_proposal *p);

#define pxs_link_call(...)	fake_call(__VA_ARGS__)
#define pxs_link_resolve(...)	fake_resolve(__VA_ARGS__)
#define pxs_fetch_run(...)	fake_fetch(__VA_ARGS__)
#define pxs_propose(...)	fake_propose(__VA_ARGS__)
#include "director.c"

#include "agreed.h"

#define FAMILY		29
#define GROUP		5
#define LOG_MAX		16
#define VALUE_MAX	64

static struct {
	struct pxs_agreed a;
	int family;		/* -ENOENT: it is not loaded */
	int outcome;		/* of the next changes */
	int before;		/* not 0: refused with it before it is looked at */
	u64 table;		/* digest */
	u32 made;		/* changes */
	u64 last;		/* slot of the last one */
	u8 cmd;
} module;

static struct {
	u8 data[VALUE_MAX];
	u32 len;
	bool noop, faulty;
} entry[LOG_MAX + 1];

static struct pxs_datapath dp;
static struct pxs_node node;
static struct pxs_replica replica;
static struct pxs_director d;
static struct pxs_proposal *proposed;
static u64 known;		/* commit index that the datapath heard of */
static struct {
	u32 n;
	bool known;
	u64 slot;
	int err;
	char words[64];
} told;

/* --- the module -------------------------------------------------------------- */

static void answer_standing(void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 1, 0, FAMILY, 0, 0, PXS_CMD_AGREED_GET, PXS_GENL_VERSION);
	nla_put_u32(msg, PXS_A_AGREED_GROUP, module.a.group);
	nla_put_u8(msg, PXS_A_AGREED_HELD, module.a.held);
	nla_put_u64(msg, PXS_A_AGREED_SLOT, module.a.slot);
	nla_put_u64(msg, PXS_A_AGREED_DIGEST, module.a.digest);
	reply(ctx, nlmsg_hdr(msg));
	nlmsg_free(msg);
}

static int take_follow(struct nlattr **tb)
{
	const char *why;
	int err = pxs_agreed_follow(&module.a, nla_get_u32(tb[PXS_A_AGREED_GROUP]), &why);

	if (!err)
		module.a.held = nla_get_u8(tb[PXS_A_AGREED_HELD]);
	return err;
}

static int take_change(struct pxs_link *l, u8 cmd, u64 slot)
{
	const char *why;
	int err = pxs_agreed_begin(&module.a, slot, &why);

	snprintf(l->words, sizeof(l->words), "%s", module.outcome ? "the module's words" : "");
	if (err)
		return err;
	module.made++;
	module.cmd = cmd;
	module.last = slot;
	pxs_agreed_end(&module.a, module.outcome, module.table);
	return module.outcome;
}

static int fake_call(struct pxs_link *l, struct nl_msg *msg,
		     void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	u8 cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;
	struct nlattr *tb[64 + 1];
	int err = 0;

	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, tb, 64, NULL));
	if (module.family < 0 || l->family != module.family)
		err = -ENOENT;
	else if (cmd == PXS_CMD_AGREED_GET)
		answer_standing(reply, ctx);
	else if (cmd == PXS_CMD_AGREED_SET)
		err = take_follow(tb);
	else if (module.before)
		err = module.before;
	else
		err = take_change(l, cmd, nla_get_u64(tb[cmd <= PXS_CMD_SERVICE_GET ?
							 PXS_A_SERVICE_AGREED :
							 PXS_A_BACKEND_AGREED]));
	nlmsg_free(msg);
	return err;
}

static int fake_resolve(const char *family)
{
	CHECK_STR(family, PXS_GENL_NAME);
	return module.family;
}

/* --- the group ----------------------------------------------------------------- */

static void fake_fetch(struct pxs_fetch *f, u64 first, u64 last)
{
	u64 slot;

	for (slot = first; slot <= last; slot++) {
		struct pxs_fetched v = {
			.slot = slot, .data = entry[slot].data, .len = entry[slot].len,
			.noop = entry[slot].noop, .faulty = entry[slot].faulty,
		};

		if (!f->take(f->ctx, &v))
			break;
	}
	f->done(f->ctx, 0);
}

static u32 fake_propose(struct pxs_replica *r, struct pxs_proposal *p)
{
	CHECK(r == &replica);
	CHECK(!proposed);
	proposed = p;
	return 0;
}

static int fake_status(struct pxs_datapath *unused, u32 group, struct pxs_group_status *st)
{
	(void)unused;
	CHECK_EQ(group, GROUP);
	memset(st, 0, sizeof(*st));
	st->known = known;
	return 0;
}

static void begin(void)
{
	static const struct pxs_datapath_ops ops = { .status = fake_status };

	memset(&module, 0, sizeof(module));
	memset(entry, 0, sizeof(entry));
	memset(&node, 0, sizeof(node));
	memset(&d, 0, sizeof(d));
	memset(&told, 0, sizeof(told));
	known = 0;
	proposed = NULL;
	module.family = FAMILY;
	dp.ops = &ops;
	node.dp = &dp;
	node.config.datapath = PXS_DATAPATH_USER;
	node.loop.now = 1000;
	replica = (struct pxs_replica){ .id = GROUP };
	d.node = &node;
	d.replica = &replica;
	d.fetch.take = take;
	d.fetch.done = fetched;
	d.fetch.ctx = &d;
}

/* The slots up to @slot are decided, and applied by the replica. */
static void applied(u64 slot)
{
	replica.applied = slot;
	replica.commit = slot;
}

static void put_change(u64 slot, u8 cmd)
{
	pxs_change_begin(entry[slot].data, cmd);
	entry[slot].len = PXS_CHANGE_HDR;
	applied(slot);
}

static void put_noop(u64 slot)
{
	entry[slot].noop = true;
	applied(slot);
}

static void put_check(u64 slot, u64 of, u64 digest)
{
	pxs_change_check(entry[slot].data, of, digest);
	entry[slot].len = PXS_CHANGE_CHECK_LEN;
	applied(slot);
}

static void follow_leader(u64 commit)
{
	replica.elect.leader = 2;
	known = commit;
}

static void lead(void)
{
	replica.elect.role = PXS_ROLE_LEADER;
	replica.elect.leader = 1;
	replica.elect.next = 1;
	replica.elect.last = 0;
}

static void go(void)
{
	while (director_hook(&d.hook))
		;
}

static void tick(void)
{
	director_tick(&d.ticker, node.loop.now);
}

static void on_told(struct pxs_director_wait *w, bool k, u64 slot, int err, const char *words)
{
	(void)w;
	told.n++;
	told.known = k;
	told.slot = slot;
	told.err = err;
	snprintf(told.words, sizeof(told.words), "%s", words);
}

/* --- tests ------------------------------------------------------------------------ */

static void changes_are_made_in_order_once(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	put_noop(2);
	put_change(3, PXS_CMD_BACKEND_ADD);
	go();
	CHECK_EQ(module.made, 2);
	CHECK_EQ(module.last, 3);
	CHECK_EQ(module.cmd, PXS_CMD_BACKEND_ADD);
	CHECK_EQ(d.applied, 3);
	go();
	CHECK_EQ(module.made, 2);
	put_change(4, PXS_CMD_SERVICE_DEL);
	go();
	CHECK_EQ(module.made, 3);
	CHECK_EQ(d.slot, 4);
	CHECK_EQ(d.digest, module.a.digest);
}

static void it_goes_on_where_the_module_stands(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	put_change(2, PXS_CMD_BACKEND_ADD);
	put_change(3, PXS_CMD_BACKEND_ADD);
	module.a = (struct pxs_agreed){ .group = GROUP, .slot = 2, .digest = 9 };
	go();
	CHECK_EQ(module.made, 1);
	CHECK_EQ(module.last, 3);
	/* Packets go on meanwhile: it was not held, and is not now. */
	CHECK(!d.held);
}

static void held_until_caught_up(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	put_change(2, PXS_CMD_BACKEND_ADD);
	go();
	CHECK_EQ(module.made, 2);
	CHECK(module.a.held);
	follow_leader(4);
	go();
	CHECK(module.a.held);
	put_change(3, PXS_CMD_BACKEND_ADD);
	go();
	CHECK(module.a.held);
	put_noop(4);
	go();
	CHECK(!module.a.held);
	CHECK(!d.held);
}

static void what_comes_later_holds_nobody(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	follow_leader(1);
	go();
	CHECK(!module.a.held);
	known = 9;
	go();
	CHECK(!module.a.held);
}

static void a_leader_that_is_not_ready_knows_too_little(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	lead();
	replica.elect.last = 7;
	go();
	CHECK(module.a.held);
	replica.elect.next = 8;
	go();
	CHECK(!module.a.held);
}

static void refusals_are_told_and_done(void)
{
	struct pxs_director_wait w = { .done = on_told };

	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	module.outcome = -EEXIST;
	pxs_director_await(&d, 1, &w);
	go();
	CHECK_EQ(told.n, 1);
	CHECK(told.known);
	CHECK_EQ(told.slot, 1);
	CHECK(told.err == -EEXIST);
	CHECK_STR(told.words, "the module's words");
	CHECK_EQ(d.applied, 1);
	CHECK_EQ(module.a.slot, 1);
}

static void success_is_told(void)
{
	struct pxs_director_wait w = { .done = on_told }, other = { .done = on_told };

	begin();
	pxs_director_await(&d, 1, &w);
	pxs_director_await(&d, 2, &other);
	put_change(1, PXS_CMD_SERVICE_ADD);
	go();
	CHECK_EQ(told.n, 1);
	CHECK_EQ(told.slot, 1);
	CHECK(told.known);
	CHECK_EQ(told.err, 0);
	CHECK(d.waits == &other);
}

static void nobody_waits_for_ever(void)
{
	struct pxs_director_wait w = { .done = on_told }, late = { .done = on_told };

	begin();
	module.family = -ENOENT;
	put_change(1, PXS_CMD_SERVICE_ADD);
	pxs_director_await(&d, 1, &w);
	go();
	tick();
	CHECK_EQ(told.n, 0);
	node.loop.now += PXS_DIRECTOR_PATIENCE_MS;
	tick();
	CHECK_EQ(told.n, 1);
	CHECK(!told.known);
	CHECK(!d.waits);
	/* Made by an agent before this one. */
	d.applied = 5;
	pxs_director_await(&d, 5, &late);
	CHECK_EQ(told.n, 2);
	CHECK(!told.known);
}

static void what_did_not_happen_is_tried_again(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	module.outcome = -ENOMEM;
	go();
	CHECK_EQ(module.made, 1);
	CHECK_EQ(module.a.slot, 0);
	CHECK_EQ(d.applied, 0);
	module.outcome = 0;
	go();
	CHECK_EQ(module.made, 1);	/* not at once */
	node.loop.now += RETRY_MS;
	go();
	CHECK_EQ(module.made, 2);
	CHECK_EQ(module.a.slot, 1);
	CHECK_EQ(d.applied, 1);
}

static void what_no_module_takes_is_passed_over(void)
{
	struct pxs_director_wait w = { .done = on_told };

	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	module.before = -ERANGE;
	pxs_director_await(&d, 1, &w);
	go();
	CHECK_EQ(d.applied, 1);
	CHECK_EQ(module.a.slot, 0);
	CHECK(told.known && told.err == -ERANGE);
	module.before = 0;
	put_change(2, PXS_CMD_SERVICE_ADD);
	go();
	CHECK_EQ(module.last, 2);
}

static void a_module_that_is_new_gets_all(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	put_change(2, PXS_CMD_BACKEND_ADD);
	follow_leader(2);
	go();
	CHECK_EQ(module.made, 2);
	CHECK(!module.a.held);
	memset(&module.a, 0, sizeof(module.a));
	put_change(3, PXS_CMD_BACKEND_ADD);
	go();
	node.loop.now += RETRY_MS;
	go();
	CHECK_EQ(module.made, 5);
	CHECK_EQ(module.a.group, GROUP);
	CHECK_EQ(module.a.slot, 3);
	CHECK(!module.a.held);
}

static void and_needs_no_change_for_that(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	go();
	memset(&module.a, 0, sizeof(module.a));
	module.family++;
	node.loop.now += LOOK_MS;
	tick();
	node.loop.now += RETRY_MS;
	go();
	CHECK_EQ(module.made, 2);
}

static void another_groups_module_is_left_alone(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	module.a.group = GROUP + 1;
	go();
	CHECK(!d.synced);
	CHECK_EQ(module.made, 0);
	CHECK_EQ(module.a.group, GROUP + 1);
	CHECK(d.complained);
}

static void values_that_are_no_change(void)
{
	begin();
	memcpy(entry[1].data, "hello, world", 12);
	entry[1].len = 12;
	put_change(2, PXS_CMD_SERVICE_ADD);
	go();
	CHECK_EQ(d.applied, 2);
	CHECK_EQ(module.last, 2);
	/* A later version's: nobody can tell what it would do. */
	put_change(3, PXS_CMD_SERVICE_ADD);
	entry[3].data[4]++;
	put_change(4, PXS_CMD_SERVICE_ADD);
	go();
	CHECK(d.stopped);
	CHECK_EQ(d.applied, 2);
	CHECK_EQ(module.last, 2);
}

static void a_damaged_record_is_waited_for(void)
{
	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	entry[1].faulty = true;
	go();
	CHECK_EQ(module.made, 0);
	CHECK_EQ(d.applied, 0);
	entry[1].faulty = false;
	node.loop.now += RETRY_MS;
	go();
	CHECK_EQ(module.made, 1);
}

static void the_leader_proposes_a_check(void)
{
	struct pxs_change c;
	const char *why;

	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	go();
	tick();
	CHECK(!proposed);	/* it does not lead */
	lead();
	tick();
	CHECK_FATAL(proposed);
	CHECK(!pxs_change_parse(proposed->value, proposed->len, &c, &why));
	CHECK_EQ(c.slot, 1);
	CHECK_EQ(c.digest, module.a.digest);
	tick();			/* one at a time: fake_propose() looks */
	proposed->done(proposed, 0, 2);
	proposed = NULL;
	put_check(2, 1, module.a.digest);
	go();
	CHECK_EQ(d.checked, 1);
	tick();
	CHECK(!proposed);
	CHECK_EQ(d.diverged, 0);
	CHECK_EQ(module.made, 1);
}

static void who_differs_says_so(void)
{
	u64 first;

	begin();
	put_change(1, PXS_CMD_SERVICE_ADD);
	go();
	first = module.a.digest;
	put_change(2, PXS_CMD_BACKEND_ADD);
	go();
	put_check(3, 1, first);
	go();
	CHECK_EQ(d.diverged, 0);
	put_check(4, 2, module.a.digest ^ 1);
	go();
	CHECK_EQ(d.diverged, 2);
	/* It goes on. */
	put_change(5, PXS_CMD_BACKEND_ADD);
	go();
	CHECK_EQ(module.last, 5);
}

static void another_logs_module_is_found_by_the_leader(void)
{
	begin();
	module.a = (struct pxs_agreed){ .group = GROUP, .slot = 8, .digest = 9 };
	put_change(1, PXS_CMD_SERVICE_ADD);
	go();
	tick();
	CHECK(!d.stopped);
	lead();
	replica.elect.last = 8, replica.elect.next = 9;	/* found, and not decided anew yet */
	d.checked = 8;
	tick();
	CHECK(!d.stopped);
	lead();
	tick();
	CHECK(d.stopped && !proposed);
}

int main(void)
{
	RUN(changes_are_made_in_order_once);
	RUN(it_goes_on_where_the_module_stands);
	RUN(held_until_caught_up);
	RUN(what_comes_later_holds_nobody);
	RUN(a_leader_that_is_not_ready_knows_too_little);
	RUN(refusals_are_told_and_done);
	RUN(success_is_told);
	RUN(nobody_waits_for_ever);
	RUN(what_did_not_happen_is_tried_again);
	RUN(what_no_module_takes_is_passed_over);
	RUN(a_module_that_is_new_gets_all);
	RUN(and_needs_no_change_for_that);
	RUN(another_groups_module_is_left_alone);
	RUN(values_that_are_no_change);
	RUN(a_damaged_record_is_waited_for);
	RUN(the_leader_proposes_a_check);
	RUN(who_differs_says_so);
	RUN(another_logs_module_is_found_by_the_leader);
	return unit_done();
}
