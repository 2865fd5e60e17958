#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# acceptor_kernel.sh - kernel members: they elect, commit, survive their agents and cables
#
#     n1 ── sw ── n2      three members, the module on each, an agent on each,
#           │             journals on an ext4 of its own
#           n3
#
# Over IPv4, then over IPv6.
#
# limit: 600
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/scenario.sh"
need_module
need python3 ip mkfs.ext4

# The module's own counters: the datagrams were not handled by the agent.
kernel_worked()
{
	local s
	s=$(on "n$1" paxsteer -j group show) && [ "$(value_of "$s" accepts)" -ge 500 ]
}

run_family()
{
	C_DIR=$T_DIR/disk/$1
	cluster_init "$1"
	scenario "$1" kernel kernel kernel || return
	ok "$1: the kernel counts its accepts" kernel_worked "$LEADER"
	scenario_end
}

cluster_disk "$T_DIR/disk" 256M
cluster_hosts 3
run_family v4
run_family v6
done_testing
