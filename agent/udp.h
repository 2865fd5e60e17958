/* SPDX-License-Identifier: GPL-2.0 */
/*
 * udp.h - the sockets of the user datapath, one for each own address
 */
#ifndef PXS_AGENT_UDP_H
#define PXS_AGENT_UDP_H

#include "config.h"
#include "loop.h"

struct pxs_udp {
	struct pxs_udp *next;
	struct pxs_loop *loop;
	struct pxs_address address;
	int fd;
	struct pxs_op op;
	void (*receive)(void *ctx, u8 *buf, size_t size);
	void *ctx;
	u8 *buf;
};

/* The socket bound to @address, found in or added to @list. Return: 0 or -errno. */
int pxs_udp_get(struct pxs_udp **list, struct pxs_loop *loop, const struct pxs_address *address,
		void (*receive)(void *ctx, u8 *buf, size_t size), void *ctx,
		struct pxs_udp **udp);

/* Return: 0 or -errno; a full socket is -EAGAIN: the datagram is lost, as any may be. */
int pxs_udp_send(struct pxs_udp *udp, const struct pxs_address *to, const void *buf, size_t size);

/* After the loop has ended. */
void pxs_udp_close_all(struct pxs_udp **list);

#endif /* PXS_AGENT_UDP_H */
