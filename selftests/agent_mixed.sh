#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# agent_mixed.sh - one group, some members in the kernel and some in the agent
#
#     n1 (kernel) ── sw ── n2 (user)
#                    │
#                    n3 (kernel, then user)
#
# The same scenario as acceptor_kernel.sh, with a majority in the kernel and then with a
# majority in user space. The core is one, so are the bytes.
#
# kernels: 6.1
# limit: 600
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/scenario.sh"
need_module
need python3 ip mkfs.ext4

datapath_of() { value_of "$(cluster_status "$1")" datapath; }

mixed()
{
	local name=$1 family=$2 i

	C_DIR=$T_DIR/disk/$family
	cluster_init "$family"
	scenario "$name" "${@:3}" || return
	for i in 1 2 3; do
		is "$name: member $i is ${S_KIND[i]}" "$(datapath_of "$i")" "${S_KIND[i]}"
	done
	scenario_end
}

cluster_disk "$T_DIR/disk" 256M
cluster_hosts 3
mixed "two kernel, one user" v4 kernel user kernel
mixed "one kernel, two user" v6 user user kernel
done_testing
