// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_recover.c - opening a journal directory with anything in its files
 *
 * As fuzz_scan.c, through files, with the identity and the hint: recover, and once more.
 * In a directory of its own below $FUZZ_DIR or /tmp, best a tmpfs.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "journal_maker.h"
#include "recover.h"
#include "report.h"

static char dir[256];

struct seen {
	const struct maker *m;
	u64 n;
	u32 sum;
};

static void remove_dir(void)
{
	char path[300];
	u32 i;

	for (i = 1; i <= MAKER_SEGMENTS; i++) {
		snprintf(path, sizeof(path), "%s/%016x.pxs", dir, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/identity", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/hint", dir);
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *top = getenv("FUZZ_DIR");

	(void)argc;
	(void)argv;
	pxs_report_level((enum pxs_level)0);
	snprintf(dir, sizeof(dir), "%s/pxs-fuzz-XXXXXX", top ? top : "/tmp");
	if (!mkdtemp(dir)) {
		perror(dir);
		exit(2);
	}
	atexit(remove_dir);
	return 0;
}

static void put_file(const char *name, const void *data, size_t len)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static void put_identity(struct input *in)
{
	struct pxs_journal_identity j = {
		.magic = cpu_to_le64(PXS_JOURNAL_ID_MAGIC),
		.version = cpu_to_le32(PXS_JOURNAL_VERSION),
		.incarnation = cpu_to_le64(MAKER_INC),
		.member = cpu_to_le32(1),
		.segment_size = cpu_to_le32(MAKER_SEGMENT),
	};
	u8 how = take8(in);

	if (how == 0xfe)	/* another size: what it says must be checked before it is used */
		j.segment_size = cpu_to_le32(take32(in));
	j.crc = cpu_to_le32(pxs_crc32c(0, &j, sizeof(j)));
	if (how == 0xff)
		((u8 *)&j)[take8(in) % sizeof(j)] ^= take8(in);
	put_file("identity", &j, sizeof(j));
}

/* Bytes of the input, mostly with the sum that belongs to them. */
static bool put_hint(struct input *in)
{
	char text[512];
	u8 how = take8(in);
	size_t len = take8(in), n = 0;

	if (!(how & 1))
		return false;
	if (how & 2)
		n = (size_t)sprintf(text, "paxsteer-hint 1\nincarnation 0x%llx\n", MAKER_INC);
	len = min(len, in->n);
	take(in, text + n, len);
	n += len;
	if (how & 4)
		n += (size_t)sprintf(text + n, "crc 0x%08x\n", pxs_crc32c(0, text, n));
	put_file("hint", text, n);
	return true;
}

static void put_segments(const struct maker *m)
{
	char name[PXS_SEGMENT_NAME_LEN], path[300];
	u32 i;

	for (i = 0; i < MAKER_SEGMENTS; i++) {
		pxs_segment_name(i + 1, name);
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (i < m->count)
			put_file(name, m->segment[i], MAKER_SEGMENT);
		else
			unlink(path);
	}
}

static int take_record(void *ctx, const struct pxs_record *r, u64 pos)
{
	struct seen *s = ctx;

	(void)pos;
	FUZZ_CHECK(r->lsn == s->n + 1);
	s->n++;
	s->sum = pxs_crc32c(s->sum, &r->flags, 1);
	s->sum = pxs_crc32c(s->sum, r->data, r->len);
	maker_check(s->m, r);
	return 0;
}

static int recover(const struct maker *m, struct pxs_recovery *r, struct seen *seen, bool look)
{
	struct pxs_scan_sink sink = { .ctx = seen, .record = take_record };
	int err;

	*seen = (struct seen){ .m = m };
	err = look ? pxs_recover_look(r, dir, &sink) : pxs_recover(r, dir, false, &sink);
	FUZZ_CHECK(err <= 0);
	FUZZ_CHECK(!err || r->error[0]);
	if (!err)
		pxs_recovery_close(r);
	return err;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, min(size, (size_t)4096) };
	struct pxs_recovery *r = calloc(2, sizeof(*r));
	struct seen looked, first, second;
	struct maker m;
	int err;

	FUZZ_CHECK(r);
	put_identity(&in);
	if (!put_hint(&in)) {
		char path[300];

		snprintf(path, sizeof(path), "%s/hint", dir);
		unlink(path);
	}
	maker_run(&m, &in);
	put_segments(&m);
	err = recover(&m, &r[0], &looked, true);
	FUZZ_CHECK(recover(&m, &r[0], &first, false) == err);
	if (!err) {
		FUZZ_CHECK(looked.n == first.n && looked.sum == first.sum);
		FUZZ_CHECK(r[0].scan.next_lsn > r[0].hint.lsn);
		FUZZ_CHECK(!recover(&m, &r[1], &second, false));
		FUZZ_CHECK(second.n == first.n && second.sum == first.sum);
		FUZZ_CHECK(!r[1].scan.cut_from && !r[1].scan.cut_spare);
		FUZZ_CHECK(r[1].scan.offset == r[0].scan.offset);
		FUZZ_CHECK(r[1].scan.prev == r[0].scan.prev);
	}
	maker_free(&m);
	free(r);
	return 0;
}
