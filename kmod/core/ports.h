/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ports.h - may anybody have this port? Asked before a packet is read
 *
 * Most packets that pass the hooks are nobody's here. How many have a port is counted by its low
 * byte: none is an answer for most packets, in a few instructions; any other number means that a
 * hash table must be asked. Never a wrong no: who is counted before it can be found in that table,
 * and until it cannot any more, is not missed.
 */
#ifndef PXS_CORE_PORTS_H
#define PXS_CORE_PORTS_H

#include "platform.h"

/* All 0: nobody. Written by one at a time, read by packets: one word, which is new or old. */
struct pxs_ports {
	u32 users[256];
};

/* Ports in host order. Before what has the port can be found. */
static inline void pxs_ports_add(struct pxs_ports *ports, u16 port)
{
	u32 *users = &ports->users[port & 0xff];

	WRITE_ONCE(*users, *users + 1);
}

/* After it cannot be found any more. As often as it was added. */
static inline void pxs_ports_del(struct pxs_ports *ports, u16 port)
{
	u32 *users = &ports->users[port & 0xff];

	WRITE_ONCE(*users, *users - 1);
}

/* Packet path, any context. Return: false when nobody has it. True may be another's. */
static inline bool pxs_ports_has(const struct pxs_ports *ports, u16 port)
{
	return READ_ONCE(ports->users[port & 0xff]);
}

#endif /* PXS_CORE_PORTS_H */
