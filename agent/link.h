/* SPDX-License-Identifier: GPL-2.0 */
/*
 * link.h - the netlink socket between the agent and the module
 *
 * One socket for everything, because the module knows the attached agent by its port:
 * requests go out on it, answers and events come in on it. A request is answered within
 * its own system call; events that stand before the answer keep their order and are
 * handed over by the loop later.
 */
#ifndef PXS_AGENT_LINK_H
#define PXS_AGENT_LINK_H

#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "loop.h"

struct pxs_link_queued;

struct pxs_link {
	struct pxs_loop *loop;
	struct nl_sock *sock;
	int fd;
	int family;		/* of the module, and of messages; below 0: it is not loaded */
	bool later;		/* which is no error; set before opening */
	u64 sent, received;	/* messages */
	struct pxs_op op;
	struct pxs_hook hook;
	struct pxs_link_queued *queue;
	struct pxs_link_queued **queue_end;
	u8 *event_buf;
	u8 *call_buf;
	char words[256];	/* what the kernel said about the last refusal; may be "" */
	/* An event; a refusal of something posted comes as NLMSG_ERROR. */
	void (*event)(void *ctx, struct nlmsghdr *nlh);
	/* The socket cannot be used any more. */
	void (*broken)(void *ctx, int err);
	/*
	 * Events were lost for want of room (ENOBUFS): read the state anew. Set before opening; for
	 * a link that listens to a multicast group and asks nothing.
	 */
	void (*overrun)(void *ctx);
	void *ctx;
};

/* Return: 0 or -errno, said why. */
int pxs_link_open(struct pxs_link *l, struct pxs_loop *loop);
void pxs_link_close(struct pxs_link *l);

/* An empty request; NULL without memory. */
struct nl_msg *pxs_link_msg(struct pxs_link *l, u8 cmd);

/* The same, with room for @bytes of values or records, their attributes' headers included. */
struct nl_msg *pxs_link_msg_of(struct pxs_link *l, u8 cmd, size_t bytes);

/*
 * Send @msg (freed here; NULL is -ENOMEM) and take its answer. @reply (may be NULL: only
 * an acknowledgement is expected) gets the answering message.
 * Return: 0 or -errno as the kernel said, l->words then.
 */
int pxs_link_call(struct pxs_link *l, struct nl_msg *msg,
		  void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx);

/* The same for a dump: @reply gets each message of it. -EINTR: it changed meanwhile, ask again. */
int pxs_link_dump(struct pxs_link *l, struct nl_msg *msg,
		  void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx);

/* The number of a family now. Return: that, -ENOENT: the kernel does not know it, or -EIO. */
int pxs_link_resolve(const char *family);

/* Listen to a multicast group of a family (by name) from now on. */
int pxs_link_join(struct pxs_link *l, const char *family, const char *group);

/* Throw away what came and was not read. */
void pxs_link_drain(struct pxs_link *l);

/* Send @msg (freed here); nobody waits, a refusal comes as an event. */
int pxs_link_post(struct pxs_link *l, struct nl_msg *msg);

#endif /* PXS_AGENT_LINK_H */
