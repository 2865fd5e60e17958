/* SPDX-License-Identifier: GPL-2.0 */
/*
 * command.h - the commands, in one table
 *
 * A command on data is a function of the state, its arguments, the time and the slot; it
 * runs in a transaction, on every member alike, and only where a client waits is its
 * answer read. A command on the connection or the server is a number: session.c knows it.
 */
#ifndef PXS_STORE_COMMAND_H
#define PXS_STORE_COMMAND_H

#include "db.h"
#include "resp_write.h"

#define PXS_CF_WRITE	0x01	/* goes through the log */
#define PXS_CF_READ	0x02	/* reads data */
#define PXS_CF_GROWS	0x04	/* refused when the store is full */
#define PXS_CF_FAST	0x08	/* for COMMAND */
#define PXS_CF_NOAUTH	0x10	/* before AUTH too */
#define PXS_CF_NOMULTI	0x20	/* runs at once between MULTI and EXEC */
#define PXS_CF_STALE	0x40	/* while the store is being read from the log too */
#define PXS_CF_TIME	0x100	/* tells what time it is, in some way */
#define PXS_CF_SAGA	0x200	/* PAXSTEER SAGA (cmd_saga.h): an entry of its own kind */
#define PXS_CF_V4	0x400	/* writes, and programs before entries of version 4 lack it */
#define PXS_CF_LATE	0x800	/* in a transaction: executed when it is answered (tx_late.h) */
#define PXS_CF_PURE	0x80	/* neither data nor connection: may stand in a transaction */

#define PXS_TX_WRITES_MAX	(128u << 20)	/* of an entry: sum of pxs_cmd_writes() */

#define PXS_COMMANDS_MAX	128u	/* of the table */

/* What session.c does itself. */
enum pxs_local {
	PXS_LOCAL_NONE = 0,
	PXS_LOCAL_AUTH,
	PXS_LOCAL_BGSAVE,
	PXS_LOCAL_CLIENT,
	PXS_LOCAL_CLUSTER,
	PXS_LOCAL_COMMAND,
	PXS_LOCAL_CONFIG,
	PXS_LOCAL_DISCARD,
	PXS_LOCAL_EXEC,
	PXS_LOCAL_FUNCTION,
	PXS_LOCAL_HELLO,
	PXS_LOCAL_INFO,
	PXS_LOCAL_LASTSAVE,
	PXS_LOCAL_MULTI,
	PXS_LOCAL_PAXSTEER,
	PXS_LOCAL_QUIT,
	PXS_LOCAL_READONLY,
	PXS_LOCAL_READWRITE,
	PXS_LOCAL_RESET,
	PXS_LOCAL_SAVE,
	PXS_LOCAL_UNWATCH,
	PXS_LOCAL_WAIT,
	PXS_LOCAL_WATCH,
};

/* A command while it runs. */
struct pxs_run {
	struct pxs_db *db;
	struct pxs_reply *out;
	const struct pxs_command *cmd;
	u32 argc;
	const struct pxs_str *argv;
	u64 now;		/* milliseconds of the epoch, as the log says */
};

struct pxs_command {
	const char *name;	/* lower case */
	int arity;		/* with the name; negative: at least */
	u32 flags;
	int first;		/* of its keys; 0: none */
	int last;		/* negative: from the end */
	int step;
	void (*run)(struct pxs_run *x);
	enum pxs_local local;
};

const struct pxs_command *pxs_cmd_find(struct pxs_str name);
const struct pxs_command *pxs_cmd_at(u32 i);	/* NULL: there are no more */
u32 pxs_cmd_count(void);
u32 pxs_cmd_index(const struct pxs_command *cmd);	/* PXS_COMMANDS_MAX: not of the table */

/* Does it take so many arguments, the name included? */
bool pxs_cmd_arity_ok(const struct pxs_command *cmd, u32 argc);

/* Where its next key is, behind argument @i; of 0 the first one. 0: there is none. */
u32 pxs_cmd_next_key(const struct pxs_command *cmd, u32 argc, u32 i);

/* Its keys have a value each, and the last one has none. */
bool pxs_cmd_lacks_value(const struct pxs_command *cmd, u32 argc);

/* FLUSHALL, which is in @argv: has it nothing behind it but what may be? */
bool pxs_cmd_flushall_good(u32 argc, const struct pxs_str *argv);

/* Bytes of the pattern that SCAN, HSCAN or KEYS in @argv match with; 0: none, as of others. */
u32 pxs_cmd_pattern(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv);

/*
 * Bytes of the string that a command which need not bring them writes: of @old bytes there, at the
 * first of its keys. 0: it writes none; what other commands write they bring.
 */
u64 pxs_cmd_writes(const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv, u64 old);

/* "ERR unknown command ..." */
void pxs_cmd_unknown(struct pxs_reply *o, u32 argc, const struct pxs_str *argv);

/* --- for the functions --- */

/* Find a key of @type. Return: 1; 0: not there; -1: of another type, and said so. */
int pxs_cmd_find_type(struct pxs_run *x, struct pxs_str key, u8 type, struct pxs_rec *rec);

/* The argument as a number, or the error. */
bool pxs_cmd_int(struct pxs_run *x, u32 i, s64 *n);

/* Error in Redis's words where @a and @b bytes make too long a string. */
bool pxs_cmd_fits(struct pxs_run *x, u64 a, u64 b);

/* SCAN's cursor. */
bool pxs_cmd_cursor(struct pxs_run *x, struct pxs_str s, u64 *cursor);

void pxs_cmd_bad_expire(struct pxs_run *x);

/* Does @cmd know what @word behind it means? One that takes no such words does. */
bool pxs_cmd_has_sub(const struct pxs_command *cmd, struct pxs_str word);

/* The words behind @cmd, each as "client|list", in lower case. */
void pxs_cmd_subs(const struct pxs_command *cmd, void (*see)(void *ctx, const char *name),
		  void *ctx);

/* @word behind @cmd is none that it knows: HELP, or the error (cmd_help.c). */
void pxs_cmd_other_sub(struct pxs_reply *o, const struct pxs_command *cmd, u32 argc,
		       struct pxs_str word);

void pxs_cmd_append(struct pxs_run *x);
void pxs_cmd_dbsize(struct pxs_run *x);
void pxs_cmd_decr(struct pxs_run *x);
void pxs_cmd_decrby(struct pxs_run *x);
void pxs_cmd_del(struct pxs_run *x);
void pxs_cmd_echo(struct pxs_run *x);
void pxs_cmd_exists(struct pxs_run *x);
void pxs_cmd_expire(struct pxs_run *x);
void pxs_cmd_expireat(struct pxs_run *x);
void pxs_cmd_expiretime(struct pxs_run *x);
void pxs_cmd_flushall(struct pxs_run *x);
void pxs_cmd_get(struct pxs_run *x);
void pxs_cmd_getdel(struct pxs_run *x);
void pxs_cmd_getex(struct pxs_run *x);
void pxs_cmd_getrange(struct pxs_run *x);
void pxs_cmd_getset(struct pxs_run *x);
void pxs_cmd_hdel(struct pxs_run *x);
void pxs_cmd_hexists(struct pxs_run *x);
void pxs_cmd_hget(struct pxs_run *x);
void pxs_cmd_hgetall(struct pxs_run *x);
void pxs_cmd_hincrby(struct pxs_run *x);
void pxs_cmd_hincrbyfloat(struct pxs_run *x);
void pxs_cmd_hkeys(struct pxs_run *x);
void pxs_cmd_hlen(struct pxs_run *x);
void pxs_cmd_hmget(struct pxs_run *x);
void pxs_cmd_hmset(struct pxs_run *x);
void pxs_cmd_hrandfield(struct pxs_run *x);
void pxs_cmd_hscan(struct pxs_run *x);
void pxs_cmd_hset(struct pxs_run *x);
void pxs_cmd_hsetnx(struct pxs_run *x);
void pxs_cmd_hstrlen(struct pxs_run *x);
void pxs_cmd_hvals(struct pxs_run *x);
void pxs_cmd_incr(struct pxs_run *x);
void pxs_cmd_incrby(struct pxs_run *x);
void pxs_cmd_incrbyfloat(struct pxs_run *x);
void pxs_cmd_keys(struct pxs_run *x);
void pxs_cmd_memory(struct pxs_run *x);
void pxs_cmd_mget(struct pxs_run *x);
void pxs_cmd_mset(struct pxs_run *x);
void pxs_cmd_msetnx(struct pxs_run *x);
void pxs_cmd_object(struct pxs_run *x);
void pxs_cmd_persist(struct pxs_run *x);
void pxs_cmd_pexpire(struct pxs_run *x);
void pxs_cmd_pexpireat(struct pxs_run *x);
void pxs_cmd_pexpiretime(struct pxs_run *x);
void pxs_cmd_ping(struct pxs_run *x);
void pxs_cmd_psetex(struct pxs_run *x);
void pxs_cmd_pttl(struct pxs_run *x);
void pxs_cmd_randomkey(struct pxs_run *x);
void pxs_cmd_rename(struct pxs_run *x);
void pxs_cmd_renamenx(struct pxs_run *x);
void pxs_cmd_scan(struct pxs_run *x);
void pxs_cmd_select(struct pxs_run *x);
void pxs_cmd_set(struct pxs_run *x);
void pxs_cmd_setex(struct pxs_run *x);
void pxs_cmd_setnx(struct pxs_run *x);
void pxs_cmd_setrange(struct pxs_run *x);
void pxs_cmd_strlen(struct pxs_run *x);
void pxs_cmd_time(struct pxs_run *x);
void pxs_cmd_ttl(struct pxs_run *x);
void pxs_cmd_type(struct pxs_run *x);
void pxs_cmd_unwatch(struct pxs_run *x);

#endif /* PXS_STORE_COMMAND_H */
