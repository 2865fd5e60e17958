#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# acceptor_kernel.sh - kernel members: they elect, commit, survive their agents and cables
#
#     n1 ── sw ── n2      three members, the module on each, an agent on each,
#           │             journals on an ext4 of its own
#           n3
#
# Over IPv4, then over IPv6, where the leader may have a lease.
#
# check-kernels: newest
# limit: 600
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/scenario.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
need_module
need python3 ip mkfs.ext4

# The module's own counters: the datagrams were not handled by the agent.
kernel_worked()
{
	local s
	s=$(on "n$1" paxsteer -j group show) && [ "$(value_of "$s" accepts)" -ge 500 ]
}

# has_keys I ID ALSO-ID: in the module
has_keys()
{
	local s
	s=$(on "n$1" paxsteer -j group show) && [ "$(value_of "$s" key_id)" = "$2" ] &&
		[ "$(value_of "$s" also_key_id)" = "$3" ]
}

take_keys()	# take_keys I KEY ID [ALSO-KEY ID]
{
	rotate_conf "$C_DIR/n$1.conf" "${@:2}"
	kill -HUP "${C_PID[$1]}"
	wait_until 30 has_keys "$1" "$3" "${5:-null}"
}

dropped()
{
	local i s n=0
	for i in 1 2 3; do
		s=$(on "n$i" paxsteer -j group show)
		n=$((n + $(value_of "$s" bad_key) + $(value_of "$s" bad_tag)))
	done
	echo $n
}

# From one key to another, step by step, under load.
rotate()
{
	local i load keys

	rotate_new "$C_DIR/key2"
	rm -f "$T_DIR/acked"
	cluster_append rotate count 1000000 seconds 5 outstanding 4 size 32 quiet \
		acked-file "$T_DIR/acked" history "$S_HISTORY"
	load=$START_PID
	while read -r -a keys; do
		for i in 1 2 3; do
			ok "member $i: key ${keys[1]} signs, ${keys[3]:-no other} is accepted" \
				take_keys $i "${keys[@]}"
		done
	done < <(rotate_steps "$C_DIR/key" "$C_DIR/key2")
	wait "$load"
	is "a load under way during the rotation loses nothing" $? 0
	is "no member refused a datagram" "$(dropped)" 0
	ok "every acknowledged value is in its slot" cluster_acked "$T_DIR/acked" "$LEADER"
	refused "an id in use cannot name another key" "a key id in use" \
		on n1 paxsteer group set 1 key-file "$C_DIR/key" key-id 2
	ok "and the keys are as they were" has_keys 1 2 null
}

# Leadership goes where it is told to, under load; not to a member whose agent is gone, though its
# module goes on answering.
hand_over()
{
	local to dead load

	cluster_wait_leader 60
	to=$((LEADER % 3 + 1))
	dead=$((to % 3 + 1))
	rm -f "$T_DIR/acked"
	# Values of two slots: none may be acknowledged whose second one the next leader lacks.
	cluster_append handover count 1500 seconds 4 outstanding 4 size 20000 keep-going quiet \
		acked-file "$T_DIR/acked"
	load=$START_PID
	ok "values are acknowledged" wait_until 30 test -s "$T_DIR/acked"
	is "leadership is handed over" "$(cluster_log transfer to $to)" "member $to leads"
	leader_is_there "and there is a leader" cluster_wait_leader 30
	is "it is the one" "$LEADER" $to
	wait "$load"
	is "a load under way goes on" $? 0
	cluster_kill $dead
	refused "to a member without an agent" "this one leads on" cluster_log transfer to $dead
	ok "the leader leads on" wait_until 30 cluster_leads $to
	ok "and commits the largest values" cluster_log append count 10 size 65536 outstanding 4 \
		acked-file "$T_DIR/acked" quiet
	cluster_start $dead kernel
	ok "all members have applied all" wait_until 60 cluster_even 1 2 3
	ok "every acknowledged value is in its slot" cluster_acked "$T_DIR/acked" "$LEADER"
}

run_family()
{
	C_DIR=$T_DIR/disk/$1
	cluster_init "$1"
	scenario "$1" kernel kernel kernel || return
	ok "$1: the kernel counts its accepts" kernel_worked "$LEADER"
	if [ "$1" = v4 ]; then
		rotate
		hand_over
	fi
	scenario_end
}

cluster_disk "$T_DIR/disk" 256M
cluster_hosts 3
run_family v4
C_LEASE=200
run_family v6
done_testing
