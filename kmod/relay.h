/* SPDX-License-Identifier: GPL-2.0 */
/*
 * relay.h - TCP by request: clients' connections end here, their requests go on by others
 *
 * For services of mode request. What is in struct pxs_relay is for relay*.c alone.
 */
#ifndef PXS_RELAY_H
#define PXS_RELAY_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/net.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/paxsteer.h>

/* Why it may not listen. */
#define PXS_RELAY_TAKEN \
	"mode request listens here itself: a socket has this address and port"

struct pxs_refusal;
struct pxs_service;

struct pxs_relay {
	struct pxs_service *svc;	/* outlives it */
	struct socket *listener;
	void (*ready)(struct sock *sk);	/* what listener's data_ready was, and its children's */
	u8 proto;			/* enum pxs_request_proto */
	bool closing;			/* works do nothing any more */
	struct work_struct work;	/* accepts clients, frees those that ended */
	struct delayed_work tick;	/* wakes those who wait for a time, and work; clears out */
	/* Backends that could not be connected, by index: set and read by any client's work. */
	DECLARE_BITMAP(out, PXS_BACKENDS_FEW);
	spinlock_t lock;		/* guards the rest; process context only */
	struct list_head clients;	/* struct pxs_client */
	struct list_head ended;		/* the same, to be freed */
	u32 n;				/* in clients */
	u32 drained;			/* counts calls of pxs_relay_end(); read by works */
};

/* The workqueue, once for the module. Exit after the last namespace's. */
int pxs_relays_init(void);
void pxs_relays_exit(void);

/*
 * Under pxs_net.config. open takes the address, listen lets clients in; close ends all of them and
 * leaves no socket, work or timer. Errors: those of bind(), with *no filled in.
 */
struct pxs_relay *pxs_relay_open(struct pxs_service *svc, struct pxs_refusal *no);
int pxs_relay_listen(struct pxs_relay *relay);
void pxs_relay_close(struct pxs_relay *relay);

/* The deadline of a backend has passed: clients let go of what they have there. */
void pxs_relay_end(struct pxs_relay *relay);

#endif /* PXS_RELAY_H */
