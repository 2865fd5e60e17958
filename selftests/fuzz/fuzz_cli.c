// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_cli.c - the words of a command line
 *
 * The input is a line as a batch has it, words with quotes, and then what stands in the file
 * that it names, if any. It is taken apart, and the command it names is run up to the point where
 * the kernel or a daemon would be asked, or a file would be touched: those are stubs, which say
 * no.
 */
#include <unistd.h>

#include "cli.h"
#include "cluster_files.h"
#include "fuzz.h"
#include "io.h"
#include "loghist.h"
#include "logload.h"
#include "nlq.h"
#include "parse.h"
#include "recover.h"

/* In place of libnl's: no kernel is asked. */
int genl_connect(struct nl_sock *sk)
{
	(void)sk;
	return -NLE_NOACCESS;
}

int pxs_io_dial(const char *path)
{
	(void)path;
	return -ENOENT;
}

/* Nobody comes: time goes on to when a wait ends, or else to what the library set its clock for. */
static u64 now, rings = UINT64_MAX;

u64 pxs_io_now(void)
{
	return now;
}

void pxs_io_alarm(struct pxs_io_watch *w, u64 ms)
{
	(void)w;
	rings = ms;
}

int pxs_io_wait(struct pxs_io_watch *w, int timeout_ms)
{
	u64 end = timeout_ms < 0 ? rings : now + (u64)timeout_ms;

	(void)w;
	FUZZ_CHECK(end != UINT64_MAX);
	now = max(now, end);
	return 0;
}

int logload_run(struct logload *l)
{
	(void)l;
	return -ENOENT;
}

/* What a command reads is what follows the first line, be it called as it may. */
static const u8 *file;
static size_t file_size;

FILE *batch_open(struct cli *cli, const char *path)
{
	(void)cli;
	(void)path;
	return file_size ? fmemopen((void *)file, file_size, "r") : NULL;
}

/* "history FILE" would make one, anywhere. */
int loghist_open(struct loghist *h, const char *path, u32 group)
{
	(void)path;
	*h = LOGHIST_NONE;
	h->group = group;
	return 0;
}

/* "acked-file FILE" would make a file anywhere, too; nothing else is made. */
static bool harmless(const u8 *line, size_t size)
{
	return !memmem(line, size, "acked", 5);
}

int pxs_identity_create(const char *dir, struct pxs_identity *id, char *error, size_t room)
{
	(void)id;
	snprintf(error, room, "%s: fuzz", dir);
	return -EROFS;
}

int cluster_owner(const char *user, uid_t *uid, gid_t *gid, char *error)
{
	(void)error;
	*uid = user ? 1 : 0;
	*gid = 0;
	return 0;
}

int cluster_draw(void *bytes, size_t len, char *error)
{
	static u8 last;

	(void)error;
	memset(bytes, ++last, len);
	return 0;
}

int cluster_bundle_read(const char *path, char *text, size_t size, size_t *len, char *error)
{
	(void)path;
	(void)error;
	*len = min(size, file_size);
	memcpy(text, file ? (const char *)file : "", *len);
	return 0;
}

int cluster_bundle_replace(const char *path, const char *text, size_t len, char *error)
{
	(void)path;
	(void)error;
	FUZZ_CHECK(len == strlen(text));
	return 0;
}

int cluster_bundle_make(const char *path, const char *text, size_t len, char *error)
{
	return cluster_bundle_replace(path, text, len, error);
}

int cluster_secret_read(const char *path, char *text, size_t *len, char *error)
{
	return cluster_bundle_read(path, text, CLUSTER_SECRET_MAX - 1, len, error);
}

int cluster_files_make(const struct cluster_files *f, char *error)
{
	unsigned int i;

	for (i = 0; i < f->n; i++)
		FUZZ_CHECK(f->file[i].path && f->file[i].len == strlen(f->file[i].text));
	strcpy(error, "fuzz");
	return -1;
}

int pxs_recover_look(struct pxs_recovery *r, const char *dir, const struct pxs_scan_sink *sink)
{
	(void)sink;
	snprintf(r->error, sizeof(r->error), "%s: fuzz", dir);
	return -ENOENT;
}

int pxs_recover_look_identity(const char *dir, struct pxs_recovery *r)
{
	return pxs_recover_look(r, dir, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (!freopen("/dev/null", "r", stdin))	/* "log append -" */
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct cli cli = { 0 };
	char *words[128], *line;
	int n;

	if (size > 2048)
		return 0;
	line = malloc(size + 1);
	FUZZ_CHECK(line);
	memcpy(line, data, size);
	line[size] = 0;
	file = memchr(data, '\n', size);
	file_size = file ? (size_t)(data + size - ++file) : 0;
	if (file)
		line[file - data - 1] = 0;
	n = parse_words(line, words, 128);
	if (n > 0 && harmless(data, size)) {
		cli.json = data[0] & 1;
		FUZZ_CHECK(cli_run(&cli, n, words) >= 0);
		nlq_close(&cli);
	}
	free(line);
	return 0;
}
