#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_paxos.sh - what an appended value costs: kernel and user datapath, disk and memory, etcd
#
#     n1 ── sw ── n2 ...     each host with a disk of its own, and on it a kernel member, a user
#           │                member (each of disk group 1 and memory group 2, with one journal)
#           n3 ...           and two of etcd, one with its files on the disk, one in memory
#
#   make bench-paxos [KERNEL=6.1] [ROUNDS=5] [MS=2000] [DISK_US=500]
#                           3 and 5 members, 64 B to 16 KiB, 1 to 256 outstanding: hours
#   PXS_SHORT=1 make bench-paxos       3 members, 64 B, three rounds: minutes
#   MEMBERS="3" SIZES="64 1024" FLIGHTS="1 64" CASES="kernel_disk etcd_disk": only these
#
# One machine and one client (paxload.c) for all. Each round measures every case once, one right
# after the other; what counts are the ratios within a round. A disk is null_blk: memory whose
# every request, be it a write or a flush, takes DISK_US microseconds. A machine's own disk would
# be as fast as ever beside a processor that emulation made many times slower. bench_paxos.py
# measures; bench_paxos_report.py makes of it tables, a line "bar: NAME VALUE wanted BOUND
# met|missed" for each bound, and a figure. A missed bar is no failure.
#
# shellcheck disable=SC2034  # cluster.sh reads C_*

cd "$(dirname "$0")/.." || exit 2
if [ "${PXS_SHORT:-0}" = 1 ]; then
	ROUNDS=${ROUNDS:-3} MS=${MS:-800} MEMBERS=${MEMBERS:-3} SIZES=${SIZES:-64}
	FLIGHTS=${FLIGHTS:-1 64 256}
	CASES=${CASES:-kernel_memory user_memory kernel_disk user_disk etcd_disk}
else
	ROUNDS=${ROUNDS:-5} MS=${MS:-2000} MEMBERS=${MEMBERS:-3 5} SIZES=${SIZES:-64 1024 16384}
	FLIGHTS=${FLIGHTS:-1 4 16 64 256}
	CASES=${CASES:-kernel_memory user_memory etcd_memory kernel_disk user_disk etcd_disk}
fi
DISK_US=${DISK_US:-500}

outside()
{
	local out rc=0 v options=() limit=14400 mem=6G

	KERNEL=${KERNEL:-6.1}
	out=build/vm/bench-paxos.$KERNEL
	rm -rf "$out"
	mkdir -p "$out"
	make -s -C selftests ../build/selftests/paxload || exit 2
	[ "${PXS_SHORT:-0}" = 0 ] || limit=1500 mem=3G
	for v in ROUNDS MS MEMBERS SIZES FLIGHTS CASES DISK_US; do
		options+=(--env "$v=${!v}")
	done
	# Emulated, an instruction that moves a block (ERMS) takes a turn for each of its bytes, and
	# it is the kernel that would use it.
	selftests/vm/run --kernel "$KERNEL" --cpu max,-erms --mem $mem --timeout $limit \
		--name bench-paxos --out "$out" "${options[@]}" \
		-- selftests/bench_paxos.sh --inside || rc=1
	/usr/bin/python3 selftests/bench_paxos_report.py "$out" | tee "$out/report" || rc=1
	exit $rc
}

[ "${1:-}" = --inside ] || outside

. selftests/lib.sh
. selftests/cluster.sh
. selftests/null_disk.sh
need_module
need python3 ip mkfs.ext4

RTT=$(prog rtt) || bail "selftests/rtt.c does not build"
BACKEND=$(prog backend) || bail "selftests/backend.c does not build"
LOAD=$PXS_BUILD/selftests/paxload
[ -x "$LOAD" ] || bail "no $LOAD"
# What idles is to disturb what is measured as little as can be, and elections come slowly on a
# slow machine.
C_HEARTBEAT=1000 C_ELECTION=10000

wants() { [[ " $CASES " = *" $1"* ]]; }

# --- the members -------------------------------------------------------------------
# A memory group beside the disk group, and ports of its own for the second cluster.
add_memory()	# add_memory PORT
{
	local i text

	for ((i = 1; i <= C_N; i++)); do
		text=$(sed -n '/^group/,$p' "$C_DIR/n$i.conf")
		text=${text/group 1 \{/group 2 \{$'\n\t'durability = \"memory\"}
		echo "$text" >>"$C_DIR/n$i.conf"
		sed -i "s/:7400\"/:$1\"/" "$C_DIR/n$i.conf"
	done
}

both_lead() { cluster_log group 1 append ready quiet && cluster_log group 2 append ready quiet; }

# start_cluster KIND PORT: prints its part of the description
start_cluster()
{
	local i

	C_DIR=$T_DIR/$1
	mkdir -p "$C_DIR"
	for ((i = 1; i <= C_N; i++)); do
		mkdir -p "$DISKS/n$i/$1"
		ln -sfn "$DISKS/n$i/$1" "$C_DIR/n$i"
	done
	cluster_init v4 16777216 >&2
	add_memory "$2"
	for ((i = 1; i <= C_N; i++)); do cluster_start "$i" "$1"; done
	wait_until 120 both_lead >&2 || bail "$1: no leader"
	printf '"%s": {"sockets": "%s", "pids": [%s]},\n' "$1" "$(cluster_sockets)" \
		"$(IFS=,; echo "${C_PID[*]}")" >>"$T_DIR/what.json"
	PIDS+=("${C_PID[@]}")
}

# start_etcd NAME PORT DIRECTORY: of the first host; %n stands for a host
start_etcd()
{
	local i all="" pids=() at urls=()

	command -v etcd >/dev/null ||
		{ diag "etcd is not here (package etcd-server): left out"; return; }
	for ((i = 1; i <= C_N; i++)); do
		at=http://10.77.0.$i
		all+=,m$i=$at:$(($2 + 1))
		urls+=("\"10.77.0.$i:$2\"")
	done
	for ((i = 1; i <= C_N; i++)); do
		at=http://10.77.0.$i
		start "$1$i" ip netns exec "pxs-n$i" etcd --name "m$i" \
			--data-dir "${3//%n/n$i}" --log-level error --heartbeat-interval 1000 \
			--election-timeout 10000 --quota-backend-bytes 8589934592 \
			--listen-client-urls "$at:$2" --advertise-client-urls "$at:$2" \
			--listen-peer-urls "$at:$(($2 + 1))" \
			--initial-advertise-peer-urls "$at:$(($2 + 1))" \
			--initial-cluster "${all#,}" --initial-cluster-state new
		pids+=("$START_PID")
	done
	PIDS+=("${pids[@]}")
	printf '"%s": {"pids": [%s], "at": [%s]},\n' "$1" "$(IFS=,; echo "${pids[*]}")" \
		"$(IFS=,; echo "${urls[*]}")" >>"$T_DIR/what.json"
}

# section MEMBERS SIZE: everything at once, idle but for what is measured
section()
{
	local p

	PIDS=() C_N=$1
	echo '{' >"$T_DIR/what.json"
	! wants kernel || start_cluster kernel 7400
	! wants user || start_cluster user 7500
	! wants etcd_disk || start_etcd etcd_disk 2379 "$DISKS/%n/etcd"
	! wants etcd_memory || start_etcd etcd_memory 2479 "$T_DIR/etcd/%n"
	start_on n2 echo "$BACKEND" udp 10.77.0.2:7600
	PIDS+=("$START_PID")
	cat >>"$T_DIR/what.json" <<-END
	"members": $1, "size": $2, "load": "$LOAD", "disk": "$DISKS/n0/block",
	"rtt": ["$RTT", "-t", "300", "10.77.0.2:7600"]}
	END
	on n1 /usr/bin/python3 selftests/bench_paxos.py "$T_DIR/what.json" "$RESULTS"
	is "$1 members, $2 bytes: every case was measured in every round" $? 0
	diag "$1 members, $2 bytes: stopping"
	# Nobody needs their files any more, and etcd takes its leave from each of the others.
	for p in "${PIDS[@]}"; do stop "$p" KILL; done
	for ((p = 1; p <= C_N; p++)); do
		! wants kernel || for g in 1 2; do on "n$p" paxsteer group del $g; done
		rm -rf "${DISKS:?}/n$p"/{kernel,user,etcd}
	done
	rm -rf "${T_DIR:?}"/{kernel,user,etcd}
}

RESULTS=$PXS_OUT/results
: >"$RESULTS"
{
	echo "kernel $(uname -r)"
	echo "processors $(nproc)"
	echo "rounds $ROUNDS"
	echo "ms $MS"
	echo "disk_us $DISK_US"
	echo "short ${PXS_SHORT:-0}"
	echo "etcd $(etcd --version 2>/dev/null | sed -n 's/^etcd Version: //p')"
	if grep -q hypervisor /proc/cpuinfo; then echo "virtual 1"; else echo "virtual 0"; fi
} >"$PXS_OUT/machine"
most=0
for n in $MEMBERS; do ((n <= most)) || most=$n; done
cluster_hosts "$most"
disks "$most"
began=$(date +%s) rtc=$(</sys/class/rtc/rtc0/since_epoch)
for n in $MEMBERS; do
	for size in $SIZES; do section "$n" "$size"; done
done
took=$(($(date +%s) - began)) rtc=$(($(</sys/class/rtc/rtc0/since_epoch) - rtc))
# Of a machine that lives too fast or too slowly no time is worth anything.
ok "the clock counts seconds ($took, $rtc by the real time clock)" \
	test $((took * 20)) -le $((rtc * 21 + 40)) -a $((rtc * 20)) -le $((took * 21 + 40))
done_testing
