#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# wire_fuzz.sh - a million malformed datagrams to a member of a group (PXS_SHORT=1: a quarter)
#
#     n1 ── sw ── n2       three members with an idle leader; x sends to a follower what
#           │  └── x       nobody may believe: random, cut, lengthened, flipped, and
#           n3             signed with the cluster's key but lying in one thing
#
# Half of them over IPv4, half over IPv6. Each one is counted as dropped, by the counter
# that names the reason where the sender knows it (wire_fuzz.c); the group and its journal
# stay as they are; the sender hears nothing; memory does not grow; the kernel says nothing
# (the VM runner reads its log); and afterwards the group works. PXS_SEED=N repeats a run,
# PXS_DATAGRAMS=N changes its length.
#
# check-kernels: 6.1
# limit: 600
# shellcheck disable=SC2034  # cluster.sh reads C_*

. "$(dirname "$0")/lib.sh"
C_HEARTBEAT=500 C_ELECTION=10000
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip mkfs.ext4
FUZZ=$(prog_core wire_fuzz "$TOP"/kmod/core/{wire,auth}.c) || bail "wire_fuzz.c does not build"
SEED=${PXS_SEED:-$(date +%s)}
# A million once; the other kernels, whose receive path is the same core, get a taste.
case ${PXS_KERNEL:-6.1} in
6.12|newest)	N=100000 ;;
*)		N=1000000 ;;
esac
[ "${PXS_SHORT:-0}" != 1 ] || N=$((N / 4))
N=$((${PXS_DATAGRAMS:-$N} / 2))
diag "PXS_SEED=$SEED"

DROPS="bad_length bad_magic bad_version bad_type no_group bad_cluster bad_sender bad_receiver \
	bad_key bad_tag bad_epoch bad_incarnation bad_body replay not_active"

# counters FILE: of the victim; lines "NAME VALUE". The namespace's are read before the group's, and
# honest datagrams come all the time: "balance", those that are neither good nor dropped, tells a
# reading that one of them parted from all others.
counters()
{
	on "n$V" paxsteer -j stats | json '"\n".join(f"{k} {v}" for k, v in
		{**d["namespace"], **d["groups"][0]["stats"]}.items())' >"$1.all" &&
	awk -v drops="$DROPS" 'BEGIN { n = split(drops, a); for (i in a) is[a[i]] = 1 }
		$1 == "rx_datagrams" { s += $2 }
		$1 == "rx" || is[$1] { s -= $2 }
		{ print }
		END { printf "balance %d\n", s }' "$1.all" >"$1"
}

# before: the reading that most of five agree with, so that it is one of a single moment.
before()
{
	local i

	for i in 1 2 3 4 5; do
		counters "$T_DIR/before.$i" || return
	done
	awk '$1 == "balance" && ++n[$2] == 3 { print FILENAME }' "$T_DIR"/before.[1-5] |
		xargs -rI{} cp {} "$T_DIR/before"
	[ -s "$T_DIR/before" ]
}

# rose NAME...: by how much these rose, in all
rose()
{
	awk -v names="$*" 'BEGIN { n = split(names, a); for (i in a) is[a[i]] = 1 }
		is[$1] { s += NR == FNR ? -$2 : $2 }
		END { printf "%d\n", s }' "$T_DIR/before" "$T_DIR/after"
}

counted()
{
	counters "$T_DIR/after" && [ "$(rose balance)" = 0 ]
}

# Each reason rose by at least what was sent for it; "any" may have raised them further.
reasons()
{
	local name sent bad=0

	while read -r name sent; do
		[ "$name" = any ] && continue
		[ "$sent" -gt $((N / 100)) ] && [ "$(rose "$name")" -ge "$sent" ] && continue
		echo "$name: sent $sent, counted $(rose "$name")"
		bad=1
	done <"$T_DIR/sent"
	return $bad
}

# What must stay: the group, its log and its records on disk.
kept()
{
	on "n$V" paxsteer -j group show | json '[{k: v for k, v in g.items() if k != "stats"}
		for g in d]'
	cluster_journal "$V" durable_lsn
	sha256sum "$C_DIR/n$V"/*.pxs
	on "n$V" cat /proc/net/udp /proc/net/udp6 | awk '/:1CE8 / { print "socket drops " $NF }'
}

# What x was sent, of any protocol that could be an answer.
heard()
{
	on x cat /proc/net/snmp | awk '/^(Icmp|Udp): [0-9]/ { print $1, $2, $3 }'
	on x awk '/^(Icmp6InDestUnreachs|Udp6InDatagrams|Udp6NoPorts) / { print }' /proc/net/snmp6
}

# Memory of the kernel that nobody can take back, in KiB.
memory() { awk '/^(SUnreclaim|Percpu|VmallocUsed):/ { n += $2 } END { print n }' /proc/meminfo; }

flood()
{
	local to=10.77.0.$V

	[ "$1" = v4 ] || to=fd77::$V
	on x "$FUZZ" "$to" 7400 "$C_DIR/key" "$C_UUID" "$V:${C_INC[V]}" "$LEADER:${C_INC[LEADER]}" \
		"$SEED" "$N" >"$T_DIR/sent"
}

run_family()
{
	local i m0 m1 t0=$SECONDS

	C_DIR=$T_DIR/disk/$1
	cluster_init "$1"
	for i in 1 2 3; do cluster_start "$i" kernel; done
	cluster_wait_leader 60 || { fail "$1: a leader" "$(cluster_logs)"; return; }
	ok "$1: values before" cluster_log append count 200 outstanding 16 size 100 quiet
	wait_until 30 cluster_even 1 2 3 || fail "$1: all members have applied all"
	V=$((LEADER % 3 + 1))
	N=2000 flood "$1"	# fills caches
	kept >"$T_DIR/kept"
	heard >"$T_DIR/heard"
	rm -f "$T_DIR/before"
	before || fail "$1: counters of one moment" "$(grep -H balance "$T_DIR"/before.[1-5])"
	m0=$(memory)
	t0=$SECONDS
	ok "$1: $N malformed datagrams are sent" flood "$1"
	t0=$((SECONDS - t0))
	ok "$1: every datagram is counted, as dropped or as processed" wait_until 30 counted
	m1=$(memory)
	given_back() { [ $(($(memory) - m0)) -lt 2048 ]; }
	# shellcheck disable=SC2086  # a list
	is "$1: dropped are those that were sent, all of them" "$(rose $DROPS)" "$N"
	ok "$1: for the reasons that they gave" reasons
	diag "$1: $t0 s; $(rose rx_datagrams) came, $(rose rx) were good;" \
		"$(for i in $DROPS; do echo "$i $(rose "$i"),"; done | tr '\n' ' ')"
	is "$1: group, journal and sockets are as before" \
		"$(kept | diff "$T_DIR/kept" - 2>&1)" ""
	is "$1: the sender heard nothing" "$(heard | diff "$T_DIR/heard" -)" ""
	# What was freed last may still be on its way.
	ok "$1: no memory is lost: $m0, then $m1 KiB" wait_until 30 given_back
	ok "$1: the group works" cluster_log append count 50 outstanding 16 quiet
	ok "$1: all members have applied all" wait_until 30 cluster_even 1 2 3
	ok "$1: all logs are equal" cluster_same_logs 1 2 3
	[ "$T_FAILED" -eq 0 ] || cluster_logs
	for i in 1 2 3; do
		cluster_kill "$i" TERM
		on "n$i" paxsteer group del 1
	done
}

cluster_disk "$T_DIR/disk" 256M
cluster_hosts 3
cluster_join x 9
run_family v4
run_family v6
done_testing
