#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# failslab.sh - every allocation fails once, on the paths of configuration and of packets
#
#     c ── c0 ┐ d ┌ b0 ── b      a director whose client and server are failslab.py, by tun:
#                                a packet is received in the system call that writes it,
#                                where allocations are counted
#     n1, n2, n3                 members of a group; their cable is failslab.py, too
#
#   PXS_PARTS="relay config packets load group"    only these (default: all)
#
# Whether memory is leaked, or used after it was freed, the kernel says (vm/run looks).
#
# A failed vmalloc() leaves a trace in the kernel's log even if its caller copes with that.
#
# kernels: debug uml
# log-may-say: Call Trace|vmalloc error|page allocation failure
# limit: 1800
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
need_module
need python3 ip mkfs.ext4 gcc
. "$(dirname "$0")/cluster.sh"
F=/sys/kernel/debug
DEPTH=${PXS_DEPTH:-64}
VALUES=${PXS_VALUES:-600}
[ -d $F/failslab ] || { echo "1..0 # SKIP no fault injection in this kernel"; exit 4; }

FAILNTH=$PXS_BUILD/selftests/failnth.so
if [ ! -f "$FAILNTH" ]; then
	FAILNTH=$T_DIR/failnth.so
	gcc -O2 -D_GNU_SOURCE -shared -fPIC -o "$FAILNTH" "$TOP/selftests/failnth.c" ||
		bail "failnth.c does not build"
fi
export FAILNTH
failslab() { python3 -u "$TOP/selftests/failslab.py" "$@"; }

# Allocations that may wait fail as well, and quietly: the log is for other things.
for f in failslab fail_page_alloc; do
	echo N >$F/$f/ignore-gfp-wait
	echo 0 >$F/$f/verbose
done
[ ! -d $F/fail_usercopy ] || echo 0 >$F/fail_usercopy/verbose
[ ! -d $F/fail_futex ] || echo 0 >$F/fail_futex/verbose
echo N >$F/fail_page_alloc/ignore-gfp-highmem
echo 0 >$F/fail_page_alloc/min-order

# report NAME COMMAND...: each result it prints is one of ours, at once: it takes minutes
report()
{
	local name=$1 line rc=none
	shift
	while read -r line; do
		case $line in
		ok\ -*) pass "${line#ok - }" ;;
		not\ ok\ -*) fail "${line#not ok - }" ;;
		exit\ *) rc=${line#exit } ;;
		*) diag "$line" ;;
		esac
	done < <("$@" 2>&1; echo "exit $?")
	is "$name: to its end" "$rc" 0
}

# --- configuration, packets, loading --------------------------------------------
director()
{
	host d
	on d sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	report "$1" on d python3 -u "$TOP/selftests/failslab.py" "$2"
	ip netns del pxs-d
}

config() { director "configuration" config; }
packets() { director "packets" steer; }

# Its socket is made by a worker: it is this cache's next one that fails, whose ever.
relay()
{
	if [ ! -w /sys/kernel/slab/sock_inode_cache/failslab ]; then
		diag "relay: not before Linux 6.2, where no single cache may fail"
		return
	fi
	host d
	paxsteer -n pxs-d service add r tcp 127.0.0.1:7000 mode request key redis
	report "relay" failslab accept pxs-d 127.0.0.1 7000
	paxsteer -n pxs-d service del r
	ip netns del pxs-d
}

load()
{
	rmmod paxsteer
	report "module" failslab load "$PXS_KO"
	insmod "$PXS_KO" || bail "the module does not load any more"
}

# --- a group ----------------------------------------------------------------------
members()
{
	local i
	C_N=3
	for i in 1 2 3; do host "n$i"; done
	start cable python3 -u "$TOP/selftests/failslab.py" cable "$DEPTH" pxs-n1 pxs-n2 pxs-n3
	CABLE=$START_PID
	wait_until 30 grep -q ready "$T_DIR/cable.log" || bail "no cable: $(cat "$T_DIR/cable.log")"
	for i in 1 2 3; do
		ip -n "pxs-n$i" addr add "10.77.0.$i/24" dev eth0
		ip -n "pxs-n$i" link set eth0 up
	done
	cluster_disk "$T_DIR/disk" 128M
	C_DIR=$T_DIR/disk/c
	cluster_init v4
	for i in 1 2 3; do cluster_start "$i" kernel; done
}

group()
{
	local i total deepest

	members
	if cluster_wait_leader 120; then pass "a leader"; else fail "a leader" "$(cluster_logs)"; fi
	kill -USR1 "$CABLE"
	cluster_log append count "$VALUES" outstanding 8 seconds 240 keep-going quiet \
		acked-file "$T_DIR/acked" >"$T_DIR/append" 2>&1
	kill -USR2 "$CABLE"
	diag "$(tail -n 2 "$T_DIR/append")"
	ok "values were acknowledged while allocations failed" test -s "$T_DIR/acked"
	ok "then a leader" cluster_wait_leader 120
	ok "values are appended" cluster_log append count 20 outstanding 4 quiet
	ok "all members have applied all" wait_until 120 cluster_even 1 2 3
	ok "all logs are equal" cluster_same_logs 1 2 3
	for i in 1 2 3; do
		ok "every acknowledged value is in its slot on member $i" \
			cluster_acked "$T_DIR/acked" "$i"
	done
	for i in 1 2 3; do cluster_kill "$i" TERM; done
	kill -TERM "$CABLE"
	wait "$CABLE"
	read -r _ total _ deepest <<<"$(tail -n 1 "$T_DIR/cable.log")"
	diag "$(head -n 2 "$T_DIR/cable.log" | tail -n 1)"
	ok "datagrams: ${total:-0} failures while they were received" test "${total:-0}" -gt 100
	ok "datagrams: the deepest path has ${deepest:-?} allocations, fewer than were tried" \
		test "${deepest:-$DEPTH}" -lt "$DEPTH"
}

for part in ${PXS_PARTS:-relay config packets load group}; do "$part"; done
done_testing
