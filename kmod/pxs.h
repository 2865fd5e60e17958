/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pxs.h - map of the module: where things are, which lock comes first
 *
 * Arrows point down: netlink* -> service, group -> steer, transport -> core/.
 *
 *   main             init and exit ladder, nothing else
 *   pernet           struct pxs_net: all state there is belongs to one namespace
 *   netlink          the family: ops, policies' home, who may call, announcements
 *   netlink_service  attributes <-> services; netlink_backend, netlink_table: what they have
 *   netlink_group    attributes <-> groups, as an operator asks; netlink_agent: as an agent does
 *   netlink_member   ... the end of a configuration epoch
 *   netlink_journal  attributes <-> journal
 *   netlink_agreed   attributes <-> the group that a namespace follows
 *   service          services, their configuration, and by which address they are found
 *   backend          ... their backends, and whose replies come back
 *   backend_index    ... found by address, id and index
 *   plan             ... the table in force and all that packets need beside it, published
 *   agreed           ... which of them a group changes, where a namespace follows one
 *   ramp             slow start: weights that grow by themselves
 *   due              a work a namespace that runs at the earliest of several times
 *   tick             a work a namespace that looks at its services now and then
 *   load             bounded load: who is full, a look now and then
 *   passive          who is out for a while, by what was counted of him; likewise
 *   drain            deadlines of those who drain, and what ends then
 *   given            backends that are sockets given as descriptors
 *   endpoint         protocol, address and port: keys of the packet path's hash tables
 *   packet           what is read of an skb
 *   steer            netfilter hooks: find the service, read the key, pick a backend
 *   deliver_nat      ... whose address is written into the packet
 *   deliver_local    ... whose socket is given the packet
 *   forward          ... who is sent the packet as it is, and answers past this host
 *   deliver_dsr      ... as a neighbour
 *   deliver_tunnel   ... anywhere, inside another packet
 *   way              the route to who is forwarded to
 *   kfunc            the choice of a backend, for BPF programs
 *   relay            TCP by request: the listener of a service; ends clients' connections
 *   relay_client     ... one of them: requests out, replies back; a work each
 *   relay_link       ... its connections to backends
 *   relay_sock       ... kernel sockets that queue a work
 *   keep             connections stay where they are, of services that forward
 *   icmp             errors about what was steered, to those whom they concern
 *   group            agreement: acceptor, leader and all that is in core/
 *   transport        ... its datagrams between members
 *   journal          ... what its agent makes durable
 *   event            ... what its agent is told
 *   stats, trace     counters a CPU; tracepoints
 *
 * Locks, outermost first:
 *   genl (none: parallel_ops)
 *   pxs_net.config   mutex; every change of configuration of one namespace
 *   nf_conntrack's   mutex, inside nf_ct_iterate_cleanup_net(): drain's work, under config
 *   pxs_relay.lock   spinlock, process context; a list of clients. No work of a relay or client
 *                    takes config, which is held while they are waited for
 *   (locks of a group: see group.h; never taken with one of another group)
 *
 * Contexts:
 *   netlink ops              process, sleep, under pxs_net.config where the op says so
 *   load's work              the same, every 50 ms while a service has a bound
 *   ramp's work              process, sleeps, under pxs_net.config
 *   passive's work           the same, every 200 ms while a service wants it
 *   given's work             the same, every second while there is one, or when a packet found a
 *                            socket closed: hooks queue it
 *   drain's work             the same, when a deadline has passed; there it waits for RCU: nothing
 *                            that RCU readers or callbacks wait for may take config
 *   hooks, transport rx      softirq or process with bottom halves on: RCU read side only,
 *                            no lock, no sleeping; a packet's state is what one
 *                            rcu_dereference() of pxs_service.plan returned
 *   pernet init/exit         process, under the kernel's pernet_ops_rwsem
 */
#ifndef PXS_H
#define PXS_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/types.h>
#include <linux/errno.h>
#include <linux/paxsteer.h>

#define PXS_VERSION	"0.1"

#endif /* PXS_H */
