// SPDX-License-Identifier: GPL-2.0
/*
 * hint.c - the file "hint" of a journal directory
 *
 * Text, so that an operator can read it; its last line is a CRC-32C of what stands
 * above. Blocking calls: at start, at exit, and in the helper thread.
 */
#include "hint.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "crc32c.h"
#include "replace.h"

#define HINT_TEMP	PXS_HINT_FILE ".new"
#define HINT_LINE	96
#define HINT_ROOM	((PXS_GROUPS_MAX + 4) * HINT_LINE)

struct pxs_hint_group *pxs_hint_group(struct pxs_hint *h, u32 id)
{
	u32 i;

	for (i = 0; i < h->count; i++)
		if (h->group[i].id == id)
			return &h->group[i];
	if (h->count == PXS_GROUPS_MAX)
		return NULL;
	h->group[h->count] = (struct pxs_hint_group){ .id = id };
	return &h->group[h->count++];
}

static int parse_line(const char *line, struct pxs_hint *h)
{
	struct pxs_hint_group *g;
	unsigned int id;
	u64 commit;

	if (sscanf(line, "incarnation 0x%" SCNx64, &h->incarnation) == 1 ||
	    sscanf(line, "lsn %" SCNu64, &h->lsn) == 1)
		return 0;
	if (sscanf(line, "group %u commit %" SCNu64, &id, &commit) != 2)
		return -EBADMSG;
	g = pxs_hint_group(h, id);
	if (!g)
		return -EBADMSG;
	g->commit = commit;
	return 0;
}

static int parse(char *text, struct pxs_hint *h)
{
	char *line, *end, *sum;
	unsigned int crc;

	sum = strstr(text, "crc 0x");
	if (!sum || sscanf(sum, "crc 0x%x", &crc) != 1 ||
	    pxs_crc32c(0, text, (size_t)(sum - text)) != crc)
		return -EBADMSG;
	*sum = 0;
	if (strncmp(text, "paxsteer-hint 1\n", 16))
		return -EBADMSG;
	for (line = text + 16; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return -EBADMSG;
		*end = 0;
		if (parse_line(line, h))
			return -EBADMSG;
	}
	return 0;
}

int pxs_hint_read(int dirfd, u64 incarnation, struct pxs_hint *h)
{
	char *text;
	ssize_t n;
	int fd, err;

	memset(h, 0, sizeof(*h));
	h->incarnation = incarnation;
	fd = openat(dirfd, PXS_HINT_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	text = malloc(HINT_ROOM);
	if (!text) {
		close(fd);
		return -ENOMEM;
	}
	n = read(fd, text, HINT_ROOM - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (!err) {
		text[n] = 0;
		err = parse(text, h);
	}
	free(text);
	if (!err && h->incarnation != incarnation)
		err = -EBADMSG;
	if (err) {
		memset(h, 0, sizeof(*h));
		h->incarnation = incarnation;
	}
	return err;
}

static size_t format(const struct pxs_hint *h, char *text)
{
	size_t len;
	u32 i;

	len = (size_t)sprintf(text, "paxsteer-hint 1\nincarnation 0x%016" PRIx64 "\nlsn %" PRIu64 "\n",
			      h->incarnation, h->lsn);
	for (i = 0; i < h->count; i++)
		len += (size_t)sprintf(text + len, "group %u commit %" PRIu64 "\n",
				       h->group[i].id, h->group[i].commit);
	len += (size_t)sprintf(text + len, "crc 0x%08x\n", pxs_crc32c(0, text, len));
	return len;
}

int pxs_hint_write(int dirfd, const struct pxs_hint *h)
{
	char *text = malloc(HINT_ROOM);
	int err;

	if (!text)
		return -ENOMEM;
	err = pxs_replace(dirfd, HINT_TEMP, PXS_HINT_FILE, text, format(h, text));
	free(text);
	return err;
}
