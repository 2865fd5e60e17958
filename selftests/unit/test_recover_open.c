// SPDX-License-Identifier: GPL-2.0
/*
 * test_recover_open.c - who may open a journal directory, and how many files that takes
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <sys/resource.h>

#include "unit_journal.h"

/* S6: one owner at a time. The lock belongs to the open file, so the same process counts. */
static void second_owner_is_refused(void)
{
	struct pxs_recovery first, second;

	new_dir("lock");
	CHECK_EQ(recover(&first), 0);
	CHECK(pxs_recover(&second, dir, false, &sink) == -EWOULDBLOCK);
	CHECK(strstr(second.error, "owned by another process"));
	pxs_recovery_close(&first);
	CHECK_EQ(recover(&second), 0);
	pxs_recovery_close(&second);
	remove_dir();
}

/* A segment alone, as a write in flight would hold it after its process died. */
static void locked_segment_is_refused(void)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	struct pxs_recovery r;
	int fd;

	new_dir("seglock");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(1, 10);
	CHECK(settle());
	close_writer();
	pxs_segment_name(1, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK_EQ(pxs_own_file(fd, name, true), 0);
	CHECK(pxs_recover(&r, dir, false, &sink) == -EWOULDBLOCK);
	CHECK(strstr(r.error, name));
	close(fd);
	CHECK_EQ(recover(&r), 0);
	pxs_recovery_close(&r);
	remove_dir();
}

/* Is it refused while somebody has segment @number locked? */
static bool refused_while_locked(u64 number)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	struct pxs_recovery r;
	int fd, err;

	pxs_segment_name(number, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK_EQ(pxs_own_file(fd, name, true), 0);
	recovered = 0;
	err = pxs_recover(&r, dir, false, &sink);
	pxs_recovery_close(&r);
	close(fd);
	return err == -EWOULDBLOCK && strstr(r.error, name);
}

/* A long journal has more segments than a process may have open files. */
static void more_segments_than_files(void)
{
	struct rlimit limit, few;
	struct pxs_recovery r;

	new_dir("many");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	while (journal.segment <= 100 && !failed) {
		append(4, 15000);
		CHECK_FATAL(settle());
	}
	close_writer();
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	few = (struct rlimit){ .rlim_cur = 64, .rlim_max = limit.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, told);
	CHECK(r.fd >= 0);
	pxs_recovery_close(&r);
	recovered = 0;
	CHECK_EQ(pxs_recover_look(&r, dir, &sink), 0);
	CHECK_EQ(recovered, told);
	pxs_recovery_close(&r);
	/* Where a write may be in flight nothing is read before that ended. */
	CHECK(refused_while_locked(journal.segment));
	CHECK_EQ(recovered, 0);
	CHECK(refused_while_locked(journal.segment - 1));
	CHECK(refused_while_locked(journal.segment / 2));
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	remove_dir();
}

/* Of a directory that cannot be read any further, after so many names; 0: all can. */
static unsigned int names;

struct dirent *readdir(DIR *d)
{
	static struct dirent *(*real)(DIR *d);

	if (names && !--names) {
		errno = EIO;
		return NULL;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	return real(d);
}

/* Its last segments would be missing, and votes with them: the end of the log would seem torn. */
static void half_a_directory_is_refused(void)
{
	struct pxs_identity id = { .member = 2, .segment_size = SEGMENT };
	struct pxs_recovery r;
	char error[512];
	unsigned int i;

	new_dir("half");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	while (journal.segment <= 3 && !failed) {
		append(4, 15000);
		CHECK_FATAL(settle());
	}
	close_writer();
	for (i = 1; i <= 5; i++) {
		names = i;
		CHECK(refusal(&r) == -EIO);
		CHECK(strstr(r.error, strerror(EIO)));
		CHECK_EQ(names, 0);
	}
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, told);
	pxs_recovery_close(&r);
	/* Nor is it empty: who makes a journal in it would take its name away from another. */
	names = 1;
	CHECK(pxs_identity_create(dir, &id, error, sizeof(error)) == -ENOTEMPTY);
	CHECK(!access(dir, F_OK));
	remove_dir();
}

static void identity_is_checked(void)
{
	struct pxs_identity id = { .member = 1, .segment_size = SEGMENT };
	struct pxs_recovery r;
	char error[512], path[4200], byte;
	int fd;

	new_dir("identity");
	CHECK(pxs_identity_create(dir, &id, error, sizeof(error)) == -ENOTEMPTY);
	snprintf(path, sizeof(path), "%s/identity", dir);
	fd = open(path, O_RDWR);
	CHECK(pread(fd, &byte, 1, 20) == 1);
	byte ^= 0x7f;
	CHECK(pwrite(fd, &byte, 1, 20) == 1);
	CHECK(refusal(&r) == -EBADMSG);
	CHECK(strstr(r.error, "damaged"));
	CHECK(!ftruncate(fd, 10));
	CHECK(refusal(&r) == -EBADMSG);
	close(fd);
	CHECK(!unlink(path));
	CHECK(refusal(&r) == -ENOENT);
	CHECK(strstr(r.error, "journal init"));
	remove_dir();
}

/* `paxsteer cluster` gives a journal an incarnation that others know already. */
static void incarnation_is_given(void)
{
	struct pxs_identity id = { .member = 2, .segment_size = SEGMENT, .incarnation = 0x1234 };
	struct pxs_identity was = { 0 };
	char error[512], path[4200];
	int fd;

	new_dir("given");
	CHECK(pxs_identity_place(dir, &id, error, sizeof(error)) == -ENOTEMPTY);
	snprintf(path, sizeof(path), "%s/identity", dir);
	CHECK(!unlink(path));
	CHECK_EQ(pxs_identity_place(dir, &id, error, sizeof(error)), 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	CHECK_EQ(pxs_identity_read(fd, &was, error, sizeof(error)), 0);
	close(fd);
	CHECK_EQ(was.incarnation, 0x1234);
	CHECK_EQ(was.member, 2);
	remove_dir();
}

int main(void)
{
	pxs_report_level(0);	/* what is provoked here is not worth reading */
	RUN(second_owner_is_refused);
	RUN(locked_segment_is_refused);
	RUN(more_segments_than_files);
	RUN(half_a_directory_is_refused);
	RUN(identity_is_checked);
	RUN(incarnation_is_given);
	return unit_done();
}
