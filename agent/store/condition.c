// SPDX-License-Identifier: GPL-2.0
/*
 * condition.c - what must be so, or a transaction over several groups is not done
 */
#include "condition.h"

enum { WATCH, ABSENT };

static const char watch_name[] = "\0watch", absent_name[] = "\0absent";

static const struct {
	struct pxs_str name;
	struct pxs_command cmd;
} conditions[] = {
	[WATCH] = {
		{ (const u8 *)watch_name, sizeof(watch_name) - 1 },
		{ .name = watch_name, .arity = (int)PXS_CONDITION_WORDS, .first = 2, .last = 2,
		  .step = 1 },
	},
	[ABSENT] = {
		{ (const u8 *)absent_name, sizeof(absent_name) - 1 },
		{ .name = absent_name, .arity = -2, .first = 1, .last = -1, .step = 1 },
	},
};

const struct pxs_command *pxs_condition_find(struct pxs_str name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++)
		if (pxs_str_equal(name, conditions[i].name))
			return &conditions[i].cmd;
	return NULL;
}

bool pxs_condition_good(u32 argc, const struct pxs_str *argv)
{
	const struct pxs_command *cmd = pxs_condition_find(argv[0]);

	return cmd && pxs_cmd_arity_ok(cmd, argc) &&
	       (cmd != &conditions[WATCH].cmd || argv[1].len == sizeof(__le64));
}

bool pxs_watch_changed(struct pxs_db *db, const struct pxs_watch *watch)
{
	struct pxs_rec rec;

	if (pxs_db_find(db, watch->key, &rec))
		return watch->version != rec.version;
	if (watch->version & PXS_WATCH_ABSENT)
		return pxs_db_gone(db, watch->key) > (watch->version & ~PXS_WATCH_ABSENT);
	return watch->version;
}

static bool all_absent(struct pxs_db *db, u32 argc, const struct pxs_str *argv)
{
	struct pxs_rec rec;
	u32 i;

	for (i = 1; i < argc; i++)
		if (pxs_db_find(db, argv[i], &rec))
			return false;
	return true;
}

bool pxs_condition_holds(struct pxs_db *db, u32 argc, const struct pxs_str *argv)
{
	struct pxs_watch watch;
	__le64 version;

	if (pxs_condition_find(argv[0]) == &conditions[ABSENT].cmd)
		return all_absent(db, argc, argv);
	memcpy(&version, argv[1].data, sizeof(version));
	watch = (struct pxs_watch){ le64_to_cpu(version), argv[2] };
	return !pxs_watch_changed(db, &watch);
}

void pxs_condition_watch(const struct pxs_watch *watch, __le64 *version,
			 struct pxs_str argv[PXS_CONDITION_WORDS])
{
	*version = cpu_to_le64(watch->version);
	argv[0] = conditions[WATCH].name;
	argv[1] = (struct pxs_str){ (const u8 *)version, sizeof(*version) };
	argv[2] = watch->key;
}

struct pxs_str pxs_condition_absent(void)
{
	return conditions[ABSENT].name;
}
