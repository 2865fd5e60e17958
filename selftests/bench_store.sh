#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_store.sh - what a command of the store costs: beside a single Redis and etcd
#
#     n1 ── sw ── n2        each host with a disk of its own, and on it a member of two stores (one
#           │               of group 1, one of groups 2, 3 and 4, all in one journal, the datapath
#           n3              in the kernel) and one of etcd; n1 with a Redis, too, which flushes
#                           before it answers (appendfsync always)
#
#   make bench-store [KERNEL=6.1] [ROUNDS=5] [CLIENTS="1 64"] [REQUESTS=2000] [DISK_US=500]
#   PXS_SHORT=1 make bench-store       three rounds, 300 requests: minutes
#
# Redis' own client, redis-benchmark, loads both kinds of store from the host of the server that
# it asks; etcd is loaded by paxload.c, with as many requests under way on one connection. Each
# round measures every case once; what counts are the ratios within a round. The disks are those
# of null_disk.sh. bench_store.py measures and reports.
#
# shellcheck disable=SC2034  # cluster.sh reads C_*

cd "$(dirname "$0")/.." || exit 2
if [ "${PXS_SHORT:-0}" = 1 ]; then
	ROUNDS=${ROUNDS:-3} REQUESTS=${REQUESTS:-300}
else
	ROUNDS=${ROUNDS:-5} REQUESTS=${REQUESTS:-2000}
fi
CLIENTS=${CLIENTS:-1 64}
DISK_US=${DISK_US:-500}

outside()
{
	local out rc=0 v options=()

	KERNEL=${KERNEL:-6.1}
	out=build/vm/bench-store.$KERNEL
	rm -rf "$out"
	mkdir -p "$out"
	make -s -C selftests ../build/selftests/paxload || exit 2
	for v in ROUNDS REQUESTS CLIENTS DISK_US; do options+=(--env "$v=${!v}"); done
	selftests/vm/run --kernel "$KERNEL" --mem 4G --timeout 7200 --name bench-store \
		--out "$out" "${options[@]}" -- selftests/bench_store.sh --inside || rc=1
	/usr/bin/python3 selftests/bench_store.py report "$out" | tee "$out/report" || rc=1
	exit $rc
}

[ "${1:-}" = --inside ] || outside

. selftests/lib.sh
. selftests/cluster.sh
. selftests/null_disk.sh
need_module
need python3 ip mkfs.ext4 redis-server redis-benchmark redis-cli

LOAD=$PXS_BUILD/selftests/paxload
[ -x "$LOAD" ] || bail "no $LOAD"
C_HEARTBEAT=1000 C_ELECTION=10000
PASSWORD=$T_DIR/password
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$PASSWORD"
chmod 600 "$PASSWORD"

on_host() { ip netns exec "pxs-n$1" "${@:2}"; }

# add_store FILE HOST BASE PORT GROUP...: to the configuration of a host, the groups made from BASE,
# the text of one; PORT: strong, PORT + 1: bounded, PORT + 2: eventual
add_store()
{
	local file=$1 i=$2 base=$3 port=$4 g
	shift 4

	for g; do
		sed -E -e "s/^group 1/group $g/" -e "s/:7400\"/:$((7400 + g))\"/" -e '$d' \
			-e "s/^(\tmember ([0-9]+) .*) \}/\1 store = \"10.77.0.\2:$port\" }/" \
			<<<"$base"
		[ "$g" != "$1" ] || cat <<-END
		store {
			listen = {"10.77.0.$i:$port", "10.77.0.$i:$((port + 1)) bounded 60000",
				"10.77.0.$i:$((port + 2)) eventual"}
			password-file = "$PASSWORD"
			maxmemory = 0
			groups = {$(IFS=,; echo "$*")}
		}
		END
		echo "}"
	done >>"$file"
}

# leads PORT GROUP: member 1 does. Of a store of one group it is not to be named.
leads()
{
	[[ $(on_host 1 redis-cli --no-auth-warning -a "$(<"$PASSWORD")" -h 10.77.0.1 -p "$1" \
		PAXSTEER BARRIER ${2#1} 2>/dev/null) =~ ^[0-9]+$ ]]
}

lead()
{
	leads "$1" "$2" && return
	paxsteer log -S "$(cluster_sockets)" group "$2" transfer to 1 >/dev/null 2>&1
	leads "$1" "$2"
}

start_stores()
{
	local i base

	for ((i = 1; i <= C_N; i++)); do
		mkdir -p "$C_DIR" "$DISKS/n$i/journal"
		ln -sfn "$DISKS/n$i/journal" "$C_DIR/n$i"
	done
	cluster_init v4 16777216 >&2
	for ((i = 1; i <= C_N; i++)); do
		base=$(sed -n '/^group/,$p' "$C_DIR/n$i.conf")
		sed -i '/^group/,$d' "$C_DIR/n$i.conf"
		add_store "$C_DIR/n$i.conf" "$i" "$base" 6379 1
		add_store "$C_DIR/n$i.conf" "$i" "$base" 6389 2 3 4
		cluster_start "$i" kernel
	done
	wait_until 120 lead 6379 1 || { cluster_logs; bail "no leader of group 1"; }
	for i in 2 3 4; do
		wait_until 120 lead 6389 $i || { cluster_logs; bail "no leader of group $i"; }
	done
}

start_redis()
{
	mkdir -p "$DISKS/n1/redis"
	start redis ip netns exec pxs-n1 redis-server --bind 10.77.0.1 --port 6400 --save "" \
		--appendonly yes --appendfsync always --dir "$DISKS/n1/redis" \
		--requirepass "$(<"$PASSWORD")"
	wait_until 30 on_host 1 redis-cli -h 10.77.0.1 -p 6400 PING >/dev/null || bail "no Redis"
}

start_etcd()
{
	local i all="" at

	ETCD=
	command -v etcd >/dev/null ||
		{ diag "etcd is not here (package etcd-server): left out"; return; }
	for ((i = 1; i <= C_N; i++)); do all+=,m$i=http://10.77.0.$i:2380; done
	for ((i = 1; i <= C_N; i++)); do
		at=http://10.77.0.$i
		start "etcd$i" ip netns exec "pxs-n$i" etcd --name "m$i" \
			--data-dir "$DISKS/n$i/etcd" --log-level error --heartbeat-interval 1000 \
			--election-timeout 10000 --quota-backend-bytes 8589934592 \
			--listen-client-urls "$at:2379" --advertise-client-urls "$at:2379" \
			--listen-peer-urls "$at:2380" --initial-advertise-peer-urls "$at:2380" \
			--initial-cluster "${all#,}" --initial-cluster-state new
		ETCD+=" $START_PID"
	done
}

{
	echo "kernel $(uname -r)"
	echo "processors $(nproc)"
	echo "rounds $ROUNDS"
	echo "requests $REQUESTS"
	echo "disk_us $DISK_US"
	echo "redis $(redis-server --version | sed -n 's/.* v=\([^ ]*\).*/\1/p')"
	echo "etcd $(etcd --version 2>/dev/null | sed -n 's/^etcd Version: //p')"
	if grep -q hypervisor /proc/cpuinfo; then echo "virtual 1"; else echo "virtual 0"; fi
} >"$PXS_OUT/machine"
cluster_hosts 3
disks 3
start_stores
start_redis
start_etcd
ETCD=$ETCD LOAD=$LOAD PASSWORD=$PASSWORD \
	/usr/bin/python3 selftests/bench_store.py measure "$PXS_OUT/results"
is "every case was measured in every round" $? 0
done_testing
