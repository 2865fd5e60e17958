// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_show.c - the kernel's answers to the command `paxsteer`, shown
 *
 * Input: which command, how it shows, then netlink messages, 16 bits of length before
 * each. libnl's socket is replaced; its reading of attributes is the real one.
 */
#include <netlink/genl/ctrl.h>
#include <netlink/handlers.h>
#include <netlink/socket.h>

#include "cli.h"
#include "fuzz.h"
#include "nlq.h"

#define FAMILY	29

static struct input script;
static nl_recvmsg_msg_cb_t callback[NL_CB_TYPE_MAX + 1];
static nl_recvmsg_err_cb_t error_callback;
static void *callback_arg;
static int dummy;

struct nl_sock *nl_socket_alloc(void)
{
	return (struct nl_sock *)&dummy;
}

void nl_socket_free(struct nl_sock *sk)
{
	(void)sk;
}

int nl_socket_get_fd(const struct nl_sock *sk)
{
	(void)sk;
	return -1;
}

int genl_connect(struct nl_sock *sk)
{
	(void)sk;
	return 0;
}

int genl_ctrl_resolve(struct nl_sock *sk, const char *name)
{
	(void)sk;
	(void)name;
	return FAMILY;
}

int nl_send_auto(struct nl_sock *sk, struct nl_msg *msg)
{
	(void)sk;
	(void)msg;
	return 1;
}

struct nl_cb *nl_cb_alloc(enum nl_cb_kind kind)
{
	(void)kind;
	return (struct nl_cb *)&dummy;
}

void nl_cb_put(struct nl_cb *cb)
{
	(void)cb;
}

int nl_cb_set(struct nl_cb *cb, enum nl_cb_type type, enum nl_cb_kind kind,
	      nl_recvmsg_msg_cb_t func, void *arg)
{
	(void)cb;
	(void)kind;
	callback[type] = func;
	callback_arg = arg;
	return 0;
}

int nl_cb_err(struct nl_cb *cb, enum nl_cb_kind kind, nl_recvmsg_err_cb_t func, void *arg)
{
	(void)cb;
	(void)kind;
	(void)arg;
	error_callback = func;
	return 0;
}

/* As recvmsgs() in libnl's nl.c hands a message on. */
static void hand_over(struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlmsgerr *e = nlmsg_data(nlh);

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		callback[NL_CB_DUMP_INTR](msg, callback_arg);
	if (nlh->nlmsg_type == NLMSG_DONE) {
		callback[NL_CB_FINISH](msg, callback_arg);
	} else if (nlh->nlmsg_type != NLMSG_ERROR) {
		callback[NL_CB_VALID](msg, callback_arg);
	} else if (nlh->nlmsg_len >= (u32)nlmsg_size(sizeof(*e))) {
		if (e->error)
			error_callback(NULL, e, callback_arg);
		else
			callback[NL_CB_ACK](msg, callback_arg);
	}
}

int nl_recvmsgs(struct nl_sock *sk, struct nl_cb *cb)
{
	size_t n = take16(&script);
	struct nlmsghdr *nlh;
	struct nl_msg *msg;
	u8 how = take8(&script);

	(void)sk;
	(void)cb;
	if (!script.n)
		return -NLE_AGAIN;
	n = max(n % 4096, sizeof(*nlh));
	nlh = calloc(1, n);
	FUZZ_CHECK(nlh);
	take(&script, nlh, n);
	nlh->nlmsg_len = (u32)n;
	if (!(how & 1))
		nlh->nlmsg_type = how & 2 ? NLMSG_DONE : how & 4 ? NLMSG_ERROR : FAMILY;
	msg = nlmsg_convert(nlh);
	free(nlh);
	FUZZ_CHECK(msg);
	hand_over(msg);
	nlmsg_free(msg);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char *const lines[][6] = {
		{ "service", "show" }, { "service", "show", "cache" },
		{ "backend", "show", "cache" }, { "table", "show", "cache" },
		{ "lookup", "cache", "key", "a" }, { "group", "show" }, { "group", "show", "1" },
		{ "stats", "show" }, { "service", "del", "cache" }, { "table", "show", "cache", "rows" },
		{ "lookup", "cache", "from", "10.0.0.1:80" }, { "save" },
		{ "save", "service", "cache" }, { "table", "plot", "cache" },
		{ "table", "plot", "cache", "svg", "-" },
	};
	struct cli cli = { 0 };
	char *words[6];
	u8 which, how;
	int n;

	script = (struct input){ data, size };
	which = take8(&script) % ARRAY_SIZE(lines);
	how = take8(&script);
	for (n = 0; n < 6 && lines[which][n]; n++)
		words[n] = strdup(lines[which][n]);
	cli.json = how & 1;
	cli.pretty = how & 2;
	cli.stats = how & 4;
	cli_run(&cli, n, words);
	nlq_close(&cli);
	while (n)
		free(words[--n]);
	return 0;
}
