#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh - what the main path costs today, all cases in one machine and one run
#
#   make bench [KERNEL=6.1] [ROUNDS=7]
#
# Each round measures every case once, one right after the other; what counts are the ratios
# within a round and their spread. Under emulation times mean nothing in themselves.

cd "$(dirname "$0")/.." || exit 2
ROUNDS=${ROUNDS:-7}
if [ "${1:-}" != --inside ]; then
	exec selftests/vm/run --kernel "${KERNEL:-6.1}" --mem 2G --timeout 900 --name bench \
		--env ROUNDS="$ROUNDS" -- selftests/bench.sh --inside
fi

. selftests/lib.sh
. selftests/cluster.sh
. selftests/director.sh
need_module
MS=500
RESULTS=$T_DIR/results

RTT=$(prog rtt) || bail "selftests/rtt.c does not build"

# row SECTION ROUND CASE RATE P50 P99 [LOST]
row()
{
	echo "${*:1:6}" >>"$RESULTS"
	[ "${7:-0}" = 0 ] || diag "$1 $3, round $2: $7 requests lost"
}

# rtt SECTION ROUND CASE ADDRESS
rtt()
{
	local out
	out=$(on c "$RTT" -t $MS "$4") || { fail "$1: $3 answers"; return; }
	# shellcheck disable=SC2086  # words
	row "$1" "$2" "$3" $out
}

module_in() { [ -d /sys/module/paxsteer ] || insmod "$PXS_KO"; }
module_out() { [ ! -d /sys/module/paxsteer ] || rmmod paxsteer; }

# A request from the client to a server and back; the director forwards, or is the server.
bench_steer()
{
	local i r

	director_hosts 3
	start_backends udp 7000
	start_on d local "$BACKEND" udp "$(vip 7002)" "$(vip 7003)" "$(vip 7004)" "$(vip 7005)"
	wait_until 20 grep -q ready "$T_DIR/local.log" || bail "no local server"
	# A server of nobody's: what the hooks cost others.
	start_on b1 other "$BACKEND" udp "$(be 1 7005)"
	wait_until 20 grep -q ready "$T_DIR/other.log" || bail "no other server"
	for ((r = 1; r <= ROUNDS; r++)); do
		module_out
		rtt forwarded "$r" no_module "$(be 1 7000)"
		rtt to_a_local_socket "$r" no_module "$(vip 7002)"
		module_in
		rtt forwarded "$r" module_unconfigured "$(be 1 7000)"
		pxs service add nat udp "$(vip 7000)" key payload 0:8 mode nat
		add_backends nat 7000
		pxs service add local udp "$(vip 7001)" key payload 0:8 mode local
		for i in 7002 7003 7004; do pxs backend add local "$(vip $i)"; done
		rtt forwarded "$r" not_for_the_service "$(be 1 7005)"
		rtt forwarded "$r" nat_by_key "$(vip 7000)"
		rtt to_a_local_socket "$r" not_for_the_service "$(vip 7005)"
		rtt to_a_local_socket "$r" local_by_key "$(vip 7001)"
		diag "steering: round $r of $ROUNDS"
	done
	module_in
}

# The command with -j says what it measured.
append()
{
	local out

	out=$(paxsteer -j log -S "$(cluster_sockets)" append count 1000000 seconds 2 \
		outstanding "$4" size 64 quiet 2>&1) || { fail "$1: $3 appends" "$out"; return; }
	row "$1" "$2" "$3" "$(value_of "$out" per_second)" "$(value_of "$out" p50_us)" \
		"$(value_of "$out" p99_us)"
}

# Three members on one machine and one file system: both datapaths share all of it.
bench_append()
{
	local r i kind

	cluster_hosts 3
	cluster_disk "$T_DIR/disk" 512M
	for kind in kernel user; do
		C_DIR=$T_DIR/disk/$kind
		cluster_init v4
	done
	for ((r = 1; r <= ROUNDS; r++)); do
		for kind in user kernel; do
			C_DIR=$T_DIR/disk/$kind
			for i in 1 2 3; do cluster_start "$i" "$kind"; done
			cluster_wait_leader 60 || bail "$kind: no leader"
			append append,_1_outstanding "$r" "$kind" 1
			append append,_16_outstanding "$r" "$kind" 16
			for i in 1 2 3; do
				cluster_kill "$i" TERM
				[ $kind = user ] || on "n$i" paxsteer group del 1
			done
		done
		diag "append: round $r of $ROUNDS"
	done
}

bench_steer
bench_append
echo "# kernel $(uname -r), $(nproc) processors, $ROUNDS rounds of $MS ms (steering), 2 s (append)"
echo "# steering: UDP, 64 bytes, one request outstanding, client - director - server in namespaces"
echo "# append: three members in namespaces, 64 bytes, O_DIRECT journal on ext4 on a loop device"
grep -q hypervisor /proc/cpuinfo && echo "# in a virtual machine; emulated unless it has KVM:" \
	"absolute times mean nothing, ratios of one round do"
/usr/bin/python3 selftests/bench_table.py <"$RESULTS" | tee "${PXS_OUT:-$T_DIR}/bench.txt"
is "every case was measured in every round" \
	"$(wc -l <"$RESULTS")" $((ROUNDS * 11))
done_testing
