/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nlq.h - requests to the family "paxsteer"
 *
 * A request is built with nlq_msg() and nla_put*(), then handed to nlq_do(), nlq_get() or
 * nlq_dump(), which free it, print what went wrong, and return an exit status. The socket is
 * opened by the first of them, so that a wrong command line is told without asking the kernel.
 */
#ifndef PXS_CLI_NLQ_H
#define PXS_CLI_NLQ_H

#include <stdint.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "cli.h"

struct names;

/* Called for each message of an answer. Return: an exit status; not CLI_OK ends the walk. */
typedef int nlq_fn(struct cli *cli, struct nl_msg *msg, void *arg);

/* Never NULL: ends the program when there is no memory. */
struct nl_msg *nlq_msg(uint8_t cmd);
struct nl_msg *nlq_msg_of(uint8_t cmd, size_t size);	/* with room for so many bytes */

/* nla_put*() into a request made by nlq_msg() cannot fail: its buffer holds every request. */
void nlq_put(struct nl_msg *msg, int type, const void *data, size_t len);
void nlq_put_u8(struct nl_msg *msg, int type, uint8_t val);
void nlq_put_u16(struct nl_msg *msg, int type, uint16_t val);
void nlq_put_u32(struct nl_msg *msg, int type, uint32_t val);
void nlq_put_u64(struct nl_msg *msg, int type, uint64_t val);
void nlq_put_str(struct nl_msg *msg, int type, const char *s);
struct nlattr *nlq_nest(struct nl_msg *msg, int type);

/* Change something: the answer is an acknowledgement. */
int nlq_do(struct cli *cli, struct nl_msg *msg);

/* The same, but a refusal is not printed, and no group asked: whoever tries says it otherwise. */
int nlq_try(struct cli *cli, struct nl_msg *msg);

/* Ask for one object. Fails with CLI_NO_KERNEL if the kernel acknowledges without an answer. */
int nlq_get(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg);

/* Ask for all objects; fn is called after the whole dump has come, and was consistent. */
int nlq_dump(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg);

/*
 * Join the multicast group "config", call fn for each of its messages, until fn returns other
 * than CLI_OK or the module goes away (CLI_NO_KERNEL). lost: called when messages were lost.
 */
int nlq_listen(struct cli *cli, nlq_fn *fn, void (*lost)(struct cli *cli), void *arg);

void nlq_close(struct cli *cli);

/* Reading answers: attributes that are absent or too short read as 0, "" or false. */
void nlq_parse(struct nl_msg *msg, struct nlattr **tb, int max);
void nlq_parse_nest(const struct nlattr *nest, struct nlattr **tb, int max);
uint8_t nlq_cmd(struct nl_msg *msg);
uint64_t nlq_uint(const struct nlattr *a);
const char *nlq_str(const struct nlattr *a);

struct endpoint;
bool nlq_endpoint(const struct nlattr *addr, const struct nlattr *port, struct endpoint *ep);

/* Of a backend's attributes: where it is, and which socket if it was given as a descriptor. */
bool nlq_backend(struct nlattr **tb, struct endpoint *ep);

#endif /* PXS_CLI_NLQ_H */
