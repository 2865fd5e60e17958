// SPDX-License-Identifier: GPL-2.0
/*
 * entry.c - what the store writes into a group's log
 *
 * An entry is checked whole before anything of it is taken: the walk cannot fail then.
 */
#include "entry.h"

#include "command.h"
#include "condition.h"

#define HDR	((u32)sizeof(struct pxs_store_entry_hdr))
#define PART	((u32)sizeof(struct pxs_store_part))

#define PART_VERSION		((u8)4)	/* that has parts */
#define CONDITIONS_VERSION	((u8)7)	/* ... and conditions */

u64 pxs_store_entry_size(const struct pxs_watch *watch, u32 nwatches,
			 const struct pxs_args *command, u32 ncommands)
{
	u64 size = HDR;
	u32 i, j;

	for (i = 0; i < nwatches; i++)
		size += 8 + 4 + watch[i].key.len;
	for (i = 0; i < ncommands; i++) {
		size += 4;
		for (j = 0; j < command[i].argc; j++)
			size += 4 + (u64)command[i].argv[j].len;
	}
	return size;
}

static u8 *put_32(u8 *to, u32 n)
{
	__le32 le = cpu_to_le32(n);

	memcpy(to, &le, sizeof(le));
	return to + sizeof(le);
}

static u8 *put_str(u8 *to, struct pxs_str s)
{
	to = put_32(to, s.len);
	if (s.len)
		memcpy(to, s.data, s.len);
	return to + s.len;
}

bool pxs_store_entry_conditional(struct pxs_str commands)
{
	struct pxs_entry_walk w = { commands.data, commands.len, 0 };
	struct pxs_str name;
	u32 argc;

	while (w.pos < w.len) {
		argc = pxs_store_entry_command(&w);
		name = pxs_store_entry_arg(&w);
		while (--argc)
			pxs_store_entry_arg(&w);
		if (pxs_condition_find(name))
			return true;
	}
	return false;
}

/* ... that knows these commands, and does with them what is meant. */
static u8 version_of_command(const struct pxs_args *a)
{
	const struct pxs_command *cmd = pxs_cmd_find(a->argv[0]);

	if (cmd && cmd->run == pxs_cmd_flushall && pxs_cmd_flushall_good(a->argc, a->argv))
		return PXS_STORE_FLUSH_VERSION;
	return cmd && cmd->flags & PXS_CF_V4 ? 4 : 1;
}

/* The lowest version whose programs apply it rightly; of commands as bytes, see put_bytes. */
static u8 version_of(const struct pxs_store_entry *e, const struct pxs_watch *watch,
		     const struct pxs_args *command)
{
	u8 version = 1;
	u32 i;

	for (i = 0; command && i < e->ncommands; i++)
		if (pxs_condition_find(command[i].argv[0]))
			return CONDITIONS_VERSION;
	if (e->kind >= PXS_STORE_TX)
		return 6;
	if (e->kind == PXS_STORE_MAP)
		return 5;
	/* Who does not know a command answers so and changes nothing: members would differ. */
	for (i = 0; i < e->ncommands; i++)
		version = max(version, version_of_command(&command[i]));
	if (version > 1)
		return version;
	if (e->kind == PXS_STORE_SAGA || e->kind == PXS_STORE_SAGA_STEP)
		return 4;
	for (i = 0; i < e->nwatches; i++)
		if (watch[i].version & PXS_WATCH_ABSENT)
			return 3;
	return e->once || e->kind == PXS_STORE_SESSION ? 2 : 1;
}

static u8 *put_head(u8 *to, const struct pxs_store_entry *e, u8 version)
{
	struct pxs_store_entry_hdr h = {
		.magic = cpu_to_le32(PXS_STORE_MAGIC),
		.version = version,
		.kind = e->kind,
		.watches = htole16((u16)e->nwatches),
		.commands = cpu_to_le32(e->ncommands),
		.flags = cpu_to_le32(e->once ? PXS_STORE_EXACTLY_ONCE : 0),
		.client = cpu_to_le64(e->client),
		.seq = cpu_to_le64(e->seq),
		.time = cpu_to_le64(e->time),
		.memory = cpu_to_le64(e->memory),
	};

	memcpy(to, &h, sizeof(h));
	return to + sizeof(h);
}

void pxs_store_entry_put_bytes(u8 *buf, const struct pxs_store_entry *e, struct pxs_str commands)
{
	pxs_assert(e->kind >= PXS_STORE_TX);
	buf = put_head(buf, e, pxs_store_entry_conditional(commands) ? CONDITIONS_VERSION :
		       version_of(e, NULL, NULL));
	if (commands.len)
		memcpy(buf, commands.data, commands.len);
}

void pxs_store_entry_put(u8 *buf, const struct pxs_store_entry *e, const struct pxs_watch *watch,
			 const struct pxs_args *command)
{
	__le64 version;
	u32 i, j;

	buf = put_head(buf, e, version_of(e, watch, command));
	for (i = 0; i < e->nwatches; i++) {
		version = cpu_to_le64(watch[i].version);
		memcpy(buf, &version, sizeof(version));
		buf = put_str(buf + sizeof(version), watch[i].key);
	}
	for (i = 0; i < e->ncommands; i++) {
		buf = put_32(buf, command[i].argc);
		for (j = 0; j < command[i].argc; j++)
			buf = put_str(buf, command[i].argv[j]);
	}
}

/* --- parts ------------------------------------------------------------------- */

static u32 part_bytes(u64 size, u32 part)
{
	return (u32)min(size - (u64)part * PXS_STORE_PART_BYTES, (u64)PXS_STORE_PART_BYTES);
}

u32 pxs_store_part_size(u64 size, u32 part)
{
	return HDR + PART + part_bytes(size, part);
}

void pxs_store_part_put(u8 *buf, const struct pxs_store_entry *e, const u8 *whole, u64 size)
{
	struct pxs_store_entry_hdr h;
	struct pxs_store_part p = {
		.index = cpu_to_le32(e->part), .parts = cpu_to_le32(e->parts),
	};

	memcpy(&h, whole, sizeof(h));
	h = (struct pxs_store_entry_hdr){
		.magic = h.magic,
		.version = max(h.version, PART_VERSION),
		.kind = PXS_STORE_PART,
		.client = cpu_to_le64(e->client),
		.seq = cpu_to_le64(e->seq),
	};
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + HDR, &p, sizeof(p));
	memcpy(buf + HDR + PART, whole + (u64)e->part * PXS_STORE_PART_BYTES,
	       part_bytes(size, e->part));
}

/* --- reading ----------------------------------------------------------------- */

/* Step over @n bytes. Return: they are there. */
static bool skip(struct pxs_entry_walk *w, u32 n)
{
	if (w->len - w->pos < n)
		return false;
	w->pos += n;
	return true;
}

static bool get_32(struct pxs_entry_walk *w, u32 *n)
{
	__le32 le;

	if (!skip(w, sizeof(le)))
		return false;
	memcpy(&le, w->data + w->pos - sizeof(le), sizeof(le));
	*n = le32_to_cpu(le);
	return true;
}

static bool check_str(struct pxs_entry_walk *w)
{
	u32 len;

	return get_32(w, &len) && skip(w, len);
}

static bool check(struct pxs_entry_walk w, const struct pxs_store_entry *e)
{
	u32 i, j, argc;

	for (i = 0; i < e->nwatches; i++)
		if (!skip(&w, 8) || !check_str(&w))
			return false;
	for (i = 0; i < e->ncommands; i++) {
		if (!get_32(&w, &argc) || !argc)
			return false;
		for (j = 0; j < argc; j++)
			if (!check_str(&w))
				return false;
	}
	return w.pos == w.len;
}

/* Nobody has written a condition where it is not one. */
static bool conditions_hold(struct pxs_entry_walk w, u32 ncommands, bool may)
{
	struct pxs_str argv[PXS_CONDITION_WORDS];
	u32 i, j, argc;

	for (i = 0; i < ncommands; i++) {
		argc = pxs_store_entry_command(&w);
		for (j = 0; j < argc; j++)
			argv[min(j, PXS_CONDITION_WORDS - 1)] = pxs_store_entry_arg(&w);
		if (pxs_condition_find(argv[0]) && !(may && pxs_condition_good(argc, argv)))
			return false;
	}
	return true;
}

/* Its commands were checked otherwise. */
static bool check_conditions(struct pxs_entry_walk w, const struct pxs_store_entry *e)
{
	if (e->kind != PXS_STORE_TX && e->kind != PXS_STORE_TX_PREPARE)
		return true;
	return conditions_hold(w, e->ncommands, e->version >= CONDITIONS_VERSION);
}

static bool kind_holds(const struct pxs_store_entry *e, u8 version)
{
	switch (e->kind) {
	case PXS_STORE_BARRIER:
		return !e->ncommands && !e->nwatches && !e->once;
	case PXS_STORE_SESSION:
		return version > 1 && !e->ncommands && !e->nwatches && !e->once;
	case PXS_STORE_SAGA:
		return version > 3 && e->ncommands == 1 && !e->nwatches && !e->once;
	case PXS_STORE_SAGA_STEP:
		return version > 3 && !e->ncommands && !e->nwatches && !e->once;
	case PXS_STORE_MAP:
		return version > 4 && e->ncommands == 1 && !e->nwatches && !e->once;
	case PXS_STORE_TX:
	case PXS_STORE_TX_PREPARE:
		return version > 5 && e->ncommands && !e->nwatches && !e->once;
	case PXS_STORE_TX_COMMIT:
	case PXS_STORE_TX_ABORT:
	case PXS_STORE_TX_END:
	case PXS_STORE_TX_FORGET:
		return version > 5 && !e->ncommands && !e->nwatches && !e->once;
	case PXS_STORE_PART:
		return version >= PART_VERSION && !e->ncommands && !e->nwatches && !e->once;
	case PXS_STORE_COMMAND:
		return e->ncommands == 1 && !e->nwatches;
	default:
		return e->kind == PXS_STORE_EXEC;
	}
}

static bool get_part(struct pxs_entry_walk *w, struct pxs_store_entry *e)
{
	if (!get_32(w, &e->part) || !get_32(w, &e->parts) || e->parts < 2 ||
	    e->parts > PXS_STORE_PARTS_MAX || e->part >= e->parts)
		return false;
	return w->pos < w->len && w->len - w->pos <= PXS_STORE_PART_BYTES;
}

int pxs_store_entry_get(const void *data, u32 len, struct pxs_store_entry *e,
			struct pxs_entry_walk *w)
{
	struct pxs_store_entry_hdr h;

	if (len < HDR)
		return -ENOMSG;
	memcpy(&h, data, sizeof(h));
	if (le32_to_cpu(h.magic) != PXS_STORE_MAGIC)
		return -ENOMSG;
	if (!h.version || h.version > PXS_STORE_VERSION)
		return -EPROTO;
	*e = (struct pxs_store_entry){
		.kind = h.kind,
		.version = h.version,
		.once = le32_to_cpu(h.flags) & PXS_STORE_EXACTLY_ONCE,
		.nwatches = le16toh(h.watches),
		.ncommands = le32_to_cpu(h.commands),
		.client = le64_to_cpu(h.client),
		.seq = le64_to_cpu(h.seq),
		.time = le64_to_cpu(h.time),
		.memory = le64_to_cpu(h.memory),
	};
	*w = (struct pxs_entry_walk){ .data = data, .len = len, .pos = HDR };
	if (le32_to_cpu(h.flags) > (h.version > 1 ? PXS_STORE_EXACTLY_ONCE : 0) ||
	    !kind_holds(e, h.version) ||
	    !(e->kind == PXS_STORE_PART ? get_part(w, e) :
	      check(*w, e) && check_conditions(*w, e)))
		return -ENOMSG;
	return 0;
}

struct pxs_str pxs_store_entry_arg(struct pxs_entry_walk *w)
{
	struct pxs_str s = { NULL, 0 };

	if (get_32(w, &s.len) && skip(w, s.len))
		s.data = w->data + w->pos - s.len;
	pxs_assert(s.data);
	return s;
}

void pxs_store_entry_watch(struct pxs_entry_walk *w, struct pxs_watch *watch)
{
	__le64 le;

	pxs_assert(skip(w, sizeof(le)));
	memcpy(&le, w->data + w->pos - sizeof(le), sizeof(le));
	watch->version = le64_to_cpu(le);
	watch->key = pxs_store_entry_arg(w);
}

u32 pxs_store_entry_command(struct pxs_entry_walk *w)
{
	u32 argc = 0;

	pxs_assert(get_32(w, &argc));
	return argc;
}
