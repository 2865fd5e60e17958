// SPDX-License-Identifier: GPL-2.0
/*
 * test_config_record.c - who the members are, as the journal says it: what a start makes of records
 * that were damaged, and of a configuration file that says something else
 *
 * A whole node with its datapath in the process, member 2 of three; its peers are not there. Each
 * record has a batch, and so a block, of its own.
 */
#define _GNU_SOURCE
#include <dirent.h>

#include "crc32c.h"
#include "membership.h"
#include "unit_node.h"

#define SELF	2

/* --- the journal ------------------------------------------------------------- */

/* The file's members, as of @epoch. */
static struct pxs_membership members(u64 epoch)
{
	struct pxs_membership m = { .epoch = epoch, .nmembers = 3 };
	u8 i;

	for (i = 0; i < 3; i++)
		m.member[i] = (struct pxs_wire_member){
			.id = i + 1, .family = 4, .port = cpu_to_be16((u16)port),
			.incarnation = cpu_to_be64(i + 1 == SELF ? incarnation : i + 1u),
			.addr = { 127, (u8)(getpid() >> 8), (u8)getpid(), i + 1 },
		};
	return m;
}

/* A CONFIG record: @m from epoch @slot on. */
static void put_config(u64 slot, const struct pxs_membership *m)
{
	static u8 buf[4096];
	u8 value[PXS_MEMBERSHIP_BYTES];
	struct pxs_record r = {
		.group = 1, .lsn = journal.next_lsn, .type = PXS_RECORD_CONFIG, .slot = slot,
		.ballot = 10 * slot, .len = pxs_membership_put(value, m),
	};
	u32 size = pxs_record_put(buf, &r, value);

	CHECK_EQ(pxs_journal_append(&journal, r.lsn, 1, buf, size, false), 0);
	CHECK(settle());
}

static void put_epoch(u64 epoch)
{
	struct pxs_membership m = members(epoch);

	put_config(epoch, &m);
}

/* Something that holds, so that what stands before it is damage and no torn tail. */
static void put_promise(void)
{
	static u8 buf[4096];
	struct pxs_record r = {
		.group = 1, .lsn = journal.next_lsn, .type = PXS_RECORD_PROMISE, .ballot = 0x102,
	};
	u32 size = pxs_record_put(buf, &r, NULL);

	CHECK_EQ(pxs_journal_append(&journal, r.lsn, 1, buf, size, false), 0);
	CHECK(settle());
}

/* One bit of the value of the @n-th record, counted from 1. */
static void rot(u32 n, u32 offset, u8 mask)
{
	spoil(1, n * PXS_JOURNAL_BLOCK + PXS_BATCH_HDR_LEN + PXS_RECORD_HDR_LEN + offset, mask);
}

/* Put behind the end what a write that was cut short leaves there. */
static void tear(u32 n)
{
	spoil(1, n * PXS_JOURNAL_BLOCK + 100, 0xff);
}

static void begin(const char *name)
{
	CHECK_FATAL(node_new_dir(name));
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
}

/* Of all that is in the directory, by name. */
static u64 sum_of_all(void)
{
	static u8 bytes[2 * SEGMENT];
	struct dirent **names;
	char path[8300];
	u64 sum = 0;
	ssize_t n;
	int i, fd, count = scandir(dir, &names, NULL, alphasort);

	CHECK(count > 2);
	for (i = 0; i < count; i++) {
		sum = sum * 31 + pxs_crc32c(0, names[i]->d_name, (u32)strlen(names[i]->d_name));
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
		if (n > 0)
			sum = sum * 31 + pxs_crc32c(0, bytes, (u32)n);
		close(fd);
		free(names[i]);
	}
	free(names);
	return sum;
}

/* --- the node ---------------------------------------------------------------- */

/* Start it, with a file of @epoch. Return: as pxs_node_open(). */
static int start(unsigned int epoch)
{
	if (!node_configure("disk", epoch) || pxs_loop_init(&node.loop))
		return -EINVAL;
	return pxs_node_open(&node, true);
}

static void stop(void)
{
	pxs_node_close(&node);
	pxs_config_free(&node.config);
}

/* It does not start, and leaves all as it is. */
static void refuses(unsigned int epoch, int err)
{
	u64 before = sum_of_all();

	CHECK_EQ(-start(epoch), err);
	CHECK(!node.opened);
	CHECK_EQ(sum_of_all(), before);
	stop();
}

/* It starts, by the members of @by. */
static void goes_by(unsigned int epoch, u64 by)
{
	CHECK_FATAL(!start(epoch));
	CHECK_EQ(node.config.group[0].conf.epoch, by);
	CHECK(!node.replica[0].gone);
	stop();
}

/* --- damage -------------------------------------------------------------------- */

/*
 * S5, S9: the bytes make sense all the same: who votes is another member than the others count, a
 * sum that does not hold is all there is to see. And with a torn tail, which is cut at any start.
 */
static void what_is_damaged_is_not_believed(void)
{
	begin("rot");
	put_epoch(2);
	put_promise();
	close_writer();
	rot(1, offsetof(struct pxs_wire_config, learners), 1);
	tear(3);
	refuses(1, EBADMSG);
	rot(1, offsetof(struct pxs_wire_config, learners), 1);
	goes_by(1, 2);
	node_remove_dir();
}

/* What does not make sense any more is no reason to go by the members before. */
static void what_cannot_be_read_is_not_passed_over(void)
{
	begin("count");
	put_epoch(2);
	put_epoch(3);
	put_promise();
	close_writer();
	rot(2, offsetof(struct pxs_wire_config, count), 0x80);
	refuses(1, EBADMSG);
	node_remove_dir();
}

/* Who finds itself removed gives its journal up: that must have been said. */
static void who_is_damaged_is_not_removed(void)
{
	begin("self");
	put_epoch(2);
	put_promise();
	close_writer();
	rot(1, sizeof(struct pxs_wire_config) + sizeof(struct pxs_wire_member), 0x40);
	refuses(1, EBADMSG);
	node_remove_dir();
}

/* Its sums hold, and it says of one epoch what its head says of another. */
static void an_epoch_is_that_of_the_head(void)
{
	struct pxs_membership m;

	begin("head");
	m = members(9);
	put_config(2, &m);
	close_writer();
	refuses(1, EBADMSG);
	node_remove_dir();
}

static void what_comes_later_counts(void)
{
	begin("later");
	put_epoch(2);
	put_epoch(3);
	put_promise();
	close_writer();
	rot(1, 0, 1);
	goes_by(1, 3);
	node_remove_dir();
}

/* A trim says it again: of one epoch there is one configuration, wherever it stands. */
static void what_is_said_twice_is_needed_once(void)
{
	u32 which;

	for (which = 1; which <= 2; which++) {
		begin(which == 1 ? "first" : "second");
		put_epoch(2);
		put_epoch(2);
		put_promise();
		close_writer();
		rot(which, 20, 1);
		goes_by(1, 2);
		node_remove_dir();
	}
}

/* The group does nothing here any more, whatever is left of its records. */
static void of_who_left_it_does_not_matter(void)
{
	struct pxs_scan s = { .floor.segment = 2 };

	begin("left");
	put_epoch(2);
	close_writer();
	CHECK_EQ(start(1), 0);
	node.replica[0].members.damaged.epoch = 2;
	CHECK_EQ(-pxs_members_recovered(&node, &s), EBADMSG);
	CHECK(strstr(s.error, "group 1"));
	CHECK(pxs_floor_leave(&s.floor, 1, 2));
	CHECK_EQ(pxs_members_recovered(&node, &s), 0);
	stop();
	node_remove_dir();
}

/* --- the file says something else ------------------------------------------------ */

/* S9: of one epoch there is one configuration, and what was decided is it. */
static void the_file_of_the_same_epoch_counts_no_more(void)
{
	const struct pxs_group_conf *c;
	struct pxs_membership m;

	begin("same");
	m = members(2);
	m.phase1 = 3;
	m.phase2 = 1;
	put_config(2, &m);
	close_writer();
	CHECK_EQ(start(2), 0);
	c = &node.config.group[0].conf;
	CHECK_EQ(c->epoch, 2);
	CHECK_EQ(pxs_group_phase1(c).enough, 3);
	CHECK_EQ(pxs_group_phase2(c).enough, 1);
	stop();
	goes_by(1, 2);
	node_remove_dir();
}

/* Members that nobody decided are not gone by where the log has others. */
static void a_file_of_a_later_epoch_is_refused(void)
{
	begin("later-file");
	put_epoch(2);
	close_writer();
	tear(2);
	refuses(3, EKEYREJECTED);
	goes_by(2, 2);
	node_remove_dir();
}

/* Who was removed has nothing to go by, whatever the file says. */
static void a_later_file_does_not_bring_back(void)
{
	struct pxs_membership m;
	unsigned int epoch;

	begin("removed");
	m = members(2);
	m.member[SELF - 1] = m.member[2];
	m.nmembers = 2;
	put_config(2, &m);
	close_writer();
	for (epoch = 1; epoch <= 3; epoch++) {
		CHECK_EQ(start(epoch), 0);
		CHECK(node.replica[0].gone);
		CHECK_EQ(node.replica[0].members.removed, 2);
		stop();
	}
	node_remove_dir();
}

/* The journal's address of this member is no address of this host: the file's has to do. */
static void where_the_file_says(void)
{
	struct pxs_group_status st = { 0 };
	struct pxs_membership m;
	char text[64], own[64];

	begin("elsewhere");
	m = members(2);
	memcpy(m.member[SELF - 1].addr, (const u8[]){ 192, 0, 2, 1 }, 4);
	put_config(2, &m);
	put_promise();
	close_writer();
	CHECK_FATAL(!start(1));
	CHECK(!node.dp->ops->status(node.dp, 1, &st));
	CHECK_EQ(st.state, PXS_GROUP_ACTIVE);
	CHECK_EQ(st.epoch, 2);
	CHECK(node.replica[0].members.elsewhere);
	pxs_address_format(&node.replica[0].members.listens, text, sizeof(text));
	snprintf(own, sizeof(own), "127.%u.%u.2:%u", (unsigned int)getpid() >> 8 & 255,
		 (unsigned int)getpid() & 255, port);
	CHECK_STR(text, own);
	stop();
	node_remove_dir();
}

int main(void)
{
	pxs_report_level(0);	/* what is provoked here is not worth reading */
	RUN(what_is_damaged_is_not_believed);
	RUN(what_cannot_be_read_is_not_passed_over);
	RUN(who_is_damaged_is_not_removed);
	RUN(an_epoch_is_that_of_the_head);
	RUN(what_comes_later_counts);
	RUN(what_is_said_twice_is_needed_once);
	RUN(of_who_left_it_does_not_matter);
	RUN(the_file_of_the_same_epoch_counts_no_more);
	RUN(a_file_of_a_later_epoch_is_refused);
	RUN(a_later_file_does_not_bring_back);
	RUN(where_the_file_says);
	return unit_done();
}
