#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# agent_full.sh - a disk fills up under load: votes stop, nothing else does
#
#     n1 ── sw ── n2      three kernel members, each journal on a small ext4 of its own
#           │             that a file of ballast fills and frees
#           n3
#
# A follower's disk is full: it stops to vote and says why, the others commit; with space
# it votes again (the third member is off then, so it must) and has everything. The same
# with the leader's. With two disks full nothing is acknowledged; what was acknowledged
# before is there after all agents were killed and the modules' groups deleted.
#
# limit: 900
# kernels: 6.12
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
C_ELECTION=5000	# a disk that is slow, or a machine, is no reason for another leader
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip mkfs.ext4
SEGMENT=1048576

# A disk of member I's own, with an empty directory of it in the journal's place.
small_disk()
{
	cluster_disk "$C_DIR/disk$1" 24M "disk$1"
	mkdir "$C_DIR/disk$1/journal" "$C_DIR/n$1"
	mount --bind "$C_DIR/disk$1/journal" "$C_DIR/n$1" || bail "cannot bind $C_DIR/n$1"
	# Before the disk below it: last made, first gone.
	T_EXIT=("umount -l '$C_DIR/n$1'" "${T_EXIT[@]}")
}

# No room for one more segment; what is prepared already can still be written.
fill() { fallocate -l "$(($(room "$1") - SEGMENT / 2))" "$C_DIR/disk$1/ballast"; }
empty() { rm -f "$C_DIR/disk$1/ballast"; }
room() { df --output=avail -B1 "$C_DIR/disk$1" | tail -n 1; }

is_full() { [ "$(cluster_journal "$1" state)" = full ]; }
is_ok() { [ "$(cluster_journal "$1" state)" = ok ]; }
durable() { cluster_journal "$1" durable_lsn; }
gone() { ! kill -0 "${C_PID[$1]}"; }
# Values that take SEGMENT and more of each journal.
load() { cluster_log append count "${2:-400}" size 8000 outstanding 8 quiet prefix "$1" \
	timeout 120000 acked-file "$T_DIR/acked" "${@:3}"; }
follower()
{
	local i
	for i in 1 2 3; do
		[ "$i" = "$LEADER" ] || [ "$i" = "${1:-0}" ] || { echo "$i"; return; }
	done
}

# says_why I: in status and in the log of the agent
says_why()
{
	local out
	out=$(paxsteer log -S "$(cluster_socket "$1")" status 2>&1)
	like "$2: the status says why" "$out" "state full reason No space left on device"
	like "$2: so does the agent's log" "$(cat "$T_DIR/agent$1.log")" \
		"cannot prepare the next journal segment: No space left on device"
	ok "$2: the agent goes on" kill -0 "${C_PID[$1]}"
	like "$2: its datapath is not fenced" "$out" "state active"
}

# Member I has no vote left to give: records wait, none becomes durable.
votes_no_more()
{
	local before
	before=$(durable "$1")
	load "$2" 50 >"$T_DIR/load.log" 2>&1
	is "$2: the others commit" $? 0
	is "$2: its durable point stands" "$(durable "$1")" "$before"
	ok "$2: it is still full" is_full "$1"
}

follower_full()
{
	local f other
	f=$(follower)
	other=$(follower "$f")
	fill "$f"
	load follower. >"$T_DIR/load.log" 2>&1
	is "follower full: the group commits all the while" $? 0
	ok "follower full: it stops" wait_until 60 is_full "$f"
	says_why "$f" "follower full"
	votes_no_more "$f" "follower full"
	empty "$f"
	ok "follower has room: it goes on by itself" wait_until 60 is_ok "$f"
	ok "follower has room: and has everything" wait_until 120 cluster_even 1 2 3
	ok "follower has room: all logs are equal" cluster_same_logs 1 2 3
	like "follower has room: the log says so" "$(cat "$T_DIR/agent$f.log")" \
		"the journal goes on"
	cluster_kill "$other"
	ok "follower has room: its vote counts, the third is off" \
		wait_until 90 cluster_log append voted timeout 5000
	cluster_start "$other" kernel
	ok "all are back" wait_until 120 cluster_even 1 2 3
}

leader_full()
{
	local old
	cluster_wait_leader 60 || fail "a leader"
	old=$LEADER
	fill "$old"
	load leader. 400 keep-going >"$T_DIR/load.log" 2>&1
	is "leader full: the group commits all the while" $? 0
	ok "leader full: it stops" wait_until 60 is_full "$old"
	says_why "$old" "leader full"
	diag "leader was $old, is $(cluster_leader)"
	votes_no_more "$old" "leader full"
	empty "$old"
	ok "leader has room: it has everything" wait_until 120 cluster_even 1 2 3
	ok "leader has room: all logs are equal" cluster_same_logs 1 2 3
}

two_full()
{
	local a b i acked
	cluster_wait_leader 60 || fail "a leader"
	a=$(follower)
	b=$(follower "$a")
	fill "$a"
	fill "$b"
	start load paxsteer log -S "$(cluster_sockets)" append count 100000 size 8000 \
		outstanding 8 quiet prefix two. timeout 600000 keep-going \
		acked-file "$T_DIR/acked"
	ok "two full: the first stops" wait_until 120 is_full "$a"
	ok "two full: the second stops" wait_until 120 is_full "$b"
	# What was decided before may still be on its way to the client.
	refused "two full: nothing is acknowledged" "time|unknown|no answer|leader" \
		cluster_log append must-not timeout 4000
	acked=$(wc -l <"$T_DIR/acked")
	refused "two full: for as long as it lasts" "time|unknown|no answer|leader" \
		cluster_log append must-not timeout 4000
	is "two full: nor is anything of the load" "$(wc -l <"$T_DIR/acked")" "$acked"
	ok "two full: the load still waits" kill -0 "$START_PID"
	for i in 1 2 3; do ok "two full: agent $i goes on" kill -0 "${C_PID[i]}"; done
	stop "$START_PID"
	# Only what the disks hold survives this.
	for i in 1 2 3; do
		cluster_kill "$i"
		on "n$i" paxsteer group del 1
	done
	empty "$a"
	empty "$b"
	for i in 1 2 3; do cluster_start "$i" kernel; done
	ok "room again, all begun anew: a leader" cluster_wait_leader 90
	ok "room again: it commits" wait_until 60 cluster_log append after timeout 5000
	ok "room again: all members have all" wait_until 120 cluster_even 1 2 3
	ok "room again: all logs are equal" cluster_same_logs 1 2 3
	ok "room again: what was acknowledged is there" cluster_acked "$T_DIR/acked" 1
}

C_DIR=$T_DIR/disk
mkdir "$C_DIR"
cluster_hosts 3
for i in 1 2 3; do small_disk "$i"; done
cluster_init v4 $SEGMENT
for i in 1 2 3; do cluster_start "$i" kernel; done
cluster_wait_leader 60 || bail "no leader"
for step in follower_full leader_full two_full; do
	failed=$T_FAILED
	$step
	[ "$T_FAILED" -eq "$failed" ] || { cluster_logs 15; break; }
done
diag "$(wc -l <"$T_DIR/acked") values were acknowledged"
for i in 1 2 3; do
	cluster_kill "$i" TERM
	on "n$i" paxsteer group del 1
	ok "journal $i verifies" paxsteer journal verify "$C_DIR/n$i"
done
done_testing
