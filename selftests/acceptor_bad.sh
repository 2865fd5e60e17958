#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# acceptor_bad.sh - the module with a journal that is not the group's: no vote, no answer
#
#     n1 ── sw ── n2      n2, n3: kernel members with their agents; n1: the group is in the
#           │             module, and what attaches has another incarnation (by hand, as
#           n3            the agent would refuse it before)
#
# GROUP_ACTIVATE is refused with -EKEYREJECTED, n1 says nothing, and with n3 off the group
# cannot commit. Then the right journal makes n1 a member; a copy of it from before, put in
# its place while the module runs on, is refused again. (Journals that the agent refuses by
# itself: agent_bad.sh.)
#
# limit: 600
# kernels: 6.1
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip mkfs.ext4

stat_of() { on n1 paxsteer -j -s group show | json "d[0]['stats'].get('$1', 0)"; }
state_of() { on n1 paxsteer -j group show | json "d[0]['state']"; }
ended() { ! kill -0 "$1"; }

# The group as the agent would add it.
add_group()
{
	local i members=()
	for i in 1 2 3; do
		members+=(member "$i" "$(cluster_address "$i")" incarnation "${C_INC[i]}")
	done
	on n1 paxsteer group add 1 cluster "$C_UUID" key-file "$C_DIR/key" self 1 \
		"${members[@]}" heartbeat "$C_HEARTBEAT" election "$C_ELECTION"
}

# stranger INCARNATION NEXT_LSN: attach, and hold on
stranger()
{
	start stranger python3 "$TOP/selftests/acceptor_bad.py" pxs-n1 "$1" "$2"
	STRANGER=$START_PID
	wait_until 30 grep -q activate: "$T_DIR/stranger.log"
}

C_DIR=$T_DIR/disk
cluster_disk "$C_DIR" 128M
cluster_hosts 3
cluster_init v4 1048576

# --- another incarnation (S3) ---
ok "the group is added" add_group
stranger 0x1234 1
out=$(cat "$T_DIR/stranger.log")
like "activate with another incarnation: EKEYREJECTED" "$out" "activate: 129 "
like "with the reason" "$out" "the journal's incarnation is not the one of SELF"
is "the group stays inactive" "$(state_of)" inactive
for i in 2 3; do cluster_start $i kernel; done
ok "the two others elect" cluster_wait_leader 60
ok "and commit" cluster_log append count 20 size 100 quiet
asked() { [ "$(stat_of not_active)" -gt 0 ]; }
ok "they ask this member, too" wait_until 30 asked
is "it promises nothing" "$(stat_of promises)" 0
is "it accepts nothing" "$(stat_of accepts)" 0
is "it sends nothing" "$(stat_of tx)" 0
cluster_wait_leader 60
off=$((5 - LEADER))
cluster_kill $off
on "n$off" paxsteer group del 1
refused "with another member off nothing commits: it has no vote" "time|unknown|no answer|leader" \
	cluster_log append must-not timeout 5000

# --- the right journal, while the module remembers the wrong one ---
stop "$STRANGER"
cluster_start 1 kernel
ok "the module refuses to change journals" wait_until 30 ended "${C_PID[1]}"
like "with the reason" "$(cat "$T_DIR/agent1.log")" \
	"Key was rejected|not the journal that was attached before"
on n1 paxsteer group del 1
cluster_start 1 kernel
ok "with the right one it is a member" wait_until 90 cluster_log append now timeout 5000
ok "and votes" [ "$(stat_of accepts)" -gt 0 ]
ok "a copy of its journal" cp -a "$C_DIR/n1" "$C_DIR/copy"
ok "it goes on" cluster_log append count 50 size 100 quiet timeout 60000

# --- a journal from a backup: its own, but older than its votes ---
cluster_kill 1
mv "$C_DIR/n1" "$C_DIR/real"
mv "$C_DIR/copy" "$C_DIR/n1"
cluster_start 1 kernel
ok "an older copy is refused" wait_until 30 ended "${C_PID[1]}"
like "with the reason" "$(cat "$T_DIR/agent1.log")" "restored from a copy, or lost what was durable"
rm -rf "$C_DIR/n1"
mv "$C_DIR/real" "$C_DIR/n1"
cluster_start 1 kernel
ok "the real one goes on" wait_until 90 cluster_log append after timeout 5000
cluster_start $off kernel
ok "all members have all" wait_until 90 cluster_even 1 2 3
ok "all logs are equal" cluster_same_logs 1 2 3
[ $T_FAILED -eq 0 ] || cluster_logs 12
for i in 1 2 3; do
	cluster_kill $i TERM
	on "n$i" paxsteer group del 1
done
done_testing
