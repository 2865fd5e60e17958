// SPDX-License-Identifier: GPL-2.0
/*
 * replay_log.c - what dm-log-writes saw, done again to a disk image; and two journals compared
 *
 *   replay_log list LOG                  a line for each entry: number, kind, bytes, mark
 *   replay_log apply LOG FROM TO IMAGE [without N | torn N BYTES]
 *                                        entries FROM to TO - 1; N not, or its first BYTES
 *   replay_log same JOURNAL LSN FINAL    batches up to LSN are in JOURNAL as in FINAL
 *
 * The log's format: a super block {magic, version, entries; sector size}, then for each
 * entry one sector {sector, sectors, flags, data length} with a mark's text behind it, and
 * the data. What was not flushed is logged when the next flush completes, so the order is
 * that in which things may become durable.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/paxsteer_journal.h>

#define MAGIC	0x6a736677736872ull
#define FLUSH	1u
#define FUA	2u
#define DISCARD	4u
#define MARK	8u

struct super {
	uint64_t magic;
	uint64_t version;
	uint64_t entries;
	uint32_t sector;
};

struct entry {
	uint64_t sector;
	uint64_t sectors;
	uint64_t flags;
	uint64_t data_len;
};

static struct super super;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void read_at(int fd, void *buf, size_t len, uint64_t at)
{
	if (pread(fd, buf, len, (off_t)at) != (ssize_t)len)
		die("read");
}

static int open_log(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	read_at(fd, &super, sizeof(super), 0);
	if (super.magic != MAGIC || super.version != 1) {
		fprintf(stderr, "%s: not a log of dm-log-writes\n", path);
		exit(2);
	}
	return fd;
}

/* Return: where the next entry is. */
static uint64_t read_entry(int fd, uint64_t at, struct entry *e)
{
	read_at(fd, e, sizeof(*e), at);
	at += super.sector;
	if (!(e->flags & (DISCARD | MARK)))
		at += e->sectors * super.sector;
	return at;
}

static int list(const char *log)
{
	int fd = open_log(log);
	uint64_t at = super.sector, next;
	char mark[480];
	struct entry e;
	uint64_t i;

	for (i = 0; i < super.entries; i++, at = next) {
		next = read_entry(fd, at, &e);
		memset(mark, 0, sizeof(mark));
		if (e.flags & MARK && e.data_len < sizeof(mark))
			read_at(fd, mark, e.data_len, at + sizeof(e));
		printf("%llu %s%s%s %llu %s\n", (unsigned long long)i,
		       e.flags & MARK ? "mark" : e.flags & DISCARD ? "discard" :
		       e.sectors ? "write" : "flush",
		       e.flags & FLUSH && e.sectors ? "+flush" : "", e.flags & FUA ? "+fua" : "",
		       (unsigned long long)(e.sectors * super.sector), mark);
	}
	close(fd);
	return 0;
}

static void apply_entry(int fd, uint64_t at, const struct entry *e, int image, uint64_t limit)
{
	uint64_t len = e->sectors * super.sector;
	char *buf;

	if (e->flags & MARK || !len)
		return;
	if (len > limit)
		len = limit;
	buf = calloc(1, len + 1);
	if (!buf)
		die("memory");
	if (!(e->flags & DISCARD))
		read_at(fd, buf, len, at + super.sector);
	if (pwrite(image, buf, len, (off_t)(e->sector * super.sector)) != (ssize_t)len)
		die("write");
	free(buf);
}

static int apply(char **a, int n)
{
	int fd = open_log(a[0]), image = open(a[3], O_WRONLY);
	uint64_t from = strtoull(a[1], NULL, 10), to = strtoull(a[2], NULL, 10);
	uint64_t special = n > 5 ? strtoull(a[5], NULL, 10) : UINT64_MAX;
	uint64_t limit = n > 6 ? strtoull(a[6], NULL, 10) : 0;
	uint64_t at = super.sector, next, i;
	struct entry e;

	if (image < 0)
		die(a[3]);
	for (i = 0; i < super.entries && i < to; i++, at = next) {
		next = read_entry(fd, at, &e);
		if (i >= from)
			apply_entry(fd, at, &e, image, i == special ? limit : UINT64_MAX);
	}
	close(fd);
	return close(image) ? 2 : 0;
}

static uint8_t *load(const char *dir, unsigned int segment, size_t *size)
{
	uint8_t *buf = malloc(1 << 20);
	char path[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%016x.pxs", dir, segment);
	fd = open(path, O_RDONLY);
	if (!buf || fd < 0) {
		free(buf);
		return NULL;
	}
	n = read(fd, buf, 1 << 20);
	close(fd);
	*size = n < 0 ? 0 : (size_t)n;
	return buf;
}

/* Return: batches found equal, or -1. */
static int same_segment(const uint8_t *have, const uint8_t *want, size_t size, uint64_t lsn)
{
	struct pxs_journal_batch h;
	size_t at = PXS_JOURNAL_BLOCK, len;
	int n = 0;

	for (; at < size; at += (len + PXS_JOURNAL_BLOCK - 1) / PXS_JOURNAL_BLOCK *
				PXS_JOURNAL_BLOCK, n++) {
		memcpy(&h, want + at, sizeof(h));
		if (h.magic != PXS_JOURNAL_BATCH_MAGIC || h.first_lsn + h.count - 1 > lsn)
			break;
		len = sizeof(h) + h.bytes;
		/* A mark says nothing new: it may be lost. */
		if (!h.count)
			continue;
		if (!have || memcmp(have + at, want + at, len))
			return -1;
	}
	return n;
}

static int same(const char *dir, uint64_t lsn, const char *final)
{
	uint8_t *have, *want;
	size_t size = 0, have_size = 0;
	unsigned int segment;
	int n = 0;

	for (segment = 1; n >= 0; segment++) {
		want = load(final, segment, &size);
		if (!want)
			return 0;
		have = load(dir, segment, &have_size);
		n = same_segment(have_size == size ? have : NULL, want, size, lsn);
		free(want);
		free(have);
	}
	printf("segment %u differs below LSN %llu\n", segment - 1, (unsigned long long)lsn);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "list"))
		return list(argv[2]);
	if (argc >= 6 && !strcmp(argv[1], "apply"))
		return apply(argv + 2, argc - 2);
	if (argc == 5 && !strcmp(argv[1], "same"))
		return same(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
	fprintf(stderr, "usage: replay_log list|apply|same ...\n");
	return 2;
}
