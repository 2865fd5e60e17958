// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_config.c - the daemon's configuration file
 *
 * The input is the text. Nothing is opened by name: the first letter of key-file chooses one
 * of four keys.
 */
#include <confuse.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "fuzz.h"

static const char *text;
static int fuzz_open(const char *path, int flags);

#define open(path, flags)		fuzz_open(path, flags)
#define cfg_parse(cfg, file)		cfg_parse_buf(cfg, text)
#include "config.c"
#include "store_config.c"
#include "keyfile.c"

static int key_fd[4];

static int fuzz_open(const char *path, int flags)
{
	(void)flags;
	if (!*path)
		return openat(AT_FDCWD, "", O_RDONLY);
	lseek(key_fd[path[0] & 3], 0, SEEK_SET);
	return dup(key_fd[path[0] & 3]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const keys[] = {
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"00",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	};
	u32 i;

	(void)argc;
	(void)argv;
	pxs_report_level((enum pxs_level)0);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		key_fd[i] = memfd_create("key", MFD_CLOEXEC);
		if (key_fd[i] < 0 || write(key_fd[i], keys[i], strlen(keys[i])) < 0 ||
		    fchmod(key_fd[i], i == 3 ? 0644 : 0600))
			abort();
	}
	return 0;
}

static void check_section(const struct pxs_health_section *h)
{
	u8 request[PXS_PROBE_REQUEST_MAX];
	struct pxs_probe p = { .conf = &h->probe, .at = "10.0.0.1:1" };

	FUZZ_CHECK(*h->service && h->probe.kind);
	FUZZ_CHECK(h->timing.timeout_ms <= h->timing.interval_ms);
	FUZZ_CHECK(h->timing.rise && h->timing.fall);
	FUZZ_CHECK(h->probe.kind->request(&p, request) <= sizeof(request));
}

static void check_config(const struct pxs_config *c)
{
	u32 i;

	FUZZ_CHECK(c->socket && c->ngroups <= PXS_GROUPS_MAX);
	FUZZ_CHECK(c->ngroups ? c->journal && c->keys.count : c->nhealth);
	FUZZ_CHECK(pxs_config_health_same(c, c));
	for (i = 0; i < c->nhealth; i++)
		check_section(&c->health[i]);
	for (i = 0; i < c->ngroups; i++)
		FUZZ_CHECK(!pxs_group_check_conf(&c->group[i].conf));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pxs_address address;
	struct pxs_config c;
	char *copy;

	if (size > 4096)
		return 0;
	copy = malloc(size + 1);
	FUZZ_CHECK(copy);
	memcpy(copy, data, size);
	copy[size] = 0;
	text = copy;
	if (!pxs_config_load(&c, "fuzz")) {
		check_config(&c);
		pxs_config_free(&c);
	}
	pxs_address_parse(copy, &address);
	free(copy);
	return 0;
}
