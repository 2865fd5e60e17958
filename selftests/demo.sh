#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - the guided tour: agreement in the kernel, steering by key, and what happens
# when a leader dies and a backend is drained. In a throw-away VM unless HOST=1.
#
#   client ── d1 ─┬─ c1 c2 c3      d1, d2: directors; c1..c3: memcached
#             d2 ─┘
#   n1 ── sw ── n2                 n1..n3: members of a group: kernel acceptor and agent
#         │
#         n3

cd "$(dirname "$0")/.." || exit 2
if [ "${1:-}" != --inside ] && [ "${HOST:-}" != 1 ]; then
	exec selftests/vm/run --kernel "${KERNEL:-6.1}" --mem 1536M --timeout 300 --name demo \
		-- selftests/demo.sh --inside
fi

. selftests/lib.sh
. selftests/cluster.sh
need_module
need python3 ip memcached

T0=$(date +%s%3N)
now() { echo $(($(date +%s%3N) - T0)); }
say() { printf '\n# [%6d ms] %s\n' "$(now)" "$*"; }
show() { printf '#     %s\n' "$@"; }

VIP=10.78.9.9
SEED=00112233445566778899aabbccddeeff

# --- steering ----------------------------------------------------------------------

topology()
{
	local i
	cluster_hosts 3
	cluster_join client 9
	host d1
	host d2
	host csw
	link client eth1 10.78.0.2/24 d1 eth0 10.78.0.1/24
	ip -n pxs-csw link add br0 type bridge
	ip -n pxs-csw link set br0 up
	for i in d1:1 d2:2 c1:11 c2:12 c3:13; do
		[ -e "/run/netns/pxs-${i%:*}" ] || host "${i%:*}"
		link "${i%:*}" cache0 "10.79.0.${i#*:}/24" csw "p${i#*:}" ""
		ip -n pxs-csw link set "p${i#*:}" master br0
	done
	on d1 sysctl -q -w net.ipv4.ip_forward=1
	ip -n pxs-d1 addr add $VIP/32 dev lo
	ip -n pxs-client route add default via 10.78.0.1
	for i in 1 2 3; do ip -n "pxs-c$i" route add default via 10.79.0.1; done
}

caches_up()
{
	local i
	for i in 1 2 3; do
		start "memcached$i" ip netns exec "pxs-c$i" memcached -u nobody -U 11211 -p 11211 \
			-l "10.79.0.1$i" -m 16 -t 1
	done
	for i in 1 2 3; do
		wait_until 20 on "c$i" bash -c "exec 3<>/dev/tcp/10.79.0.1$i/11211" ||
			bail "memcached $i does not answer"
	done
}

# The same configuration on both directors, in another order: the tables must be equal.
directors_up()
{
	local i
	paxsteer -n pxs-d1 service add cache udp $VIP:11211 key memcached mode nat seed $SEED
	paxsteer -n pxs-d2 service add cache udp $VIP:11211 key memcached mode nat seed $SEED
	for i in 1 2 3; do paxsteer -n pxs-d1 backend add cache "10.79.0.1$i:11211"; done
	for i in 3 1 2; do paxsteer -n pxs-d2 backend add cache "10.79.0.1$i:11211"; done
}

digest() { paxsteer -n "pxs-$1" -j table show cache | json 'd["digest"]'; }

# Keys 0..N-1: set and get each through the VIP; then ask each cache itself who has what.
cat >"$T_DIR/client.py" <<'PY'
import socket, sys, time
vip, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
def ask(n, text):
    frame = n.to_bytes(2, "big") + b"\0\0\0\1\0\0"
    s.sendto(frame + text, (vip, 11211))
    while True:
        data, peer = s.recvfrom(65536)
        assert peer == (vip, 11211), peer
        if data[:2] == frame[:2]:
            return data[8:]
t = time.time()
for i in range(first, first + count):
    assert ask(2 * i & 65535, b"set key:%d 0 0 4\r\nv%03d\r\n" % (i, i % 1000)) == b"STORED\r\n"
    got = ask(2 * i + 1 & 65535, b"get key:%d\r\n" % i)
    assert got == b"VALUE key:%d 0 4\r\nv%03d\r\nEND\r\n" % (i, i % 1000), got
print("%d requests, 0 errors, %d ms" % (2 * count, (time.time() - t) * 1000))
PY
cat >"$T_DIR/owners.py" <<'PY'
import socket, sys
addr, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
f = socket.create_connection((addr, 11211)).makefile("rwb")
for i in range(first, first + count):
    f.write(b"get key:%d\r\n" % i); f.flush()
    line = f.readline()
    if line.startswith(b"VALUE"):
        f.readline(); f.readline()
        print("key:%d %s:11211" % (i, addr))
PY

# steer_keys FIRST COUNT: each key must be exactly where lookup says
steer_keys()
{
	local i out
	out=$(on client python3 "$T_DIR/client.py" $VIP "$1" "$2" 2>&1) ||
		{ fail "memcached requests through the director" "$out"; return; }
	pass "memcached requests through the director: $out"
	for i in 1 2 3; do on "c$i" python3 "$T_DIR/owners.py" "10.79.0.1$i" "$1" "$2"; done |
		sort >"$T_DIR/stored"
	for ((i = $1; i < $1 + $2; i++)); do echo "lookup cache key key:$i"; done >"$T_DIR/batch"
	paxsteer -n pxs-d1 -j -b "$T_DIR/batch" | python3 -c '
import json, sys
first = int(sys.argv[1])
for i, line in enumerate(sys.stdin):
    d = json.loads(line)
    print("key:%d %s:%d" % (first + i, d["addr"], d["port"]))' "$1" | sort >"$T_DIR/looked-up"
	if cmp -s "$T_DIR/stored" "$T_DIR/looked-up"; then
		pass "each of $2 keys is on the backend that lookup names, and nowhere else"
	else
		fail "each key is on the backend that lookup names" \
			"$(diff "$T_DIR/stored" "$T_DIR/looked-up" | head -n 10)"
	fi
}

steering()
{
	say "steering: memcached requests by key, over UDP, to three caches"
	caches_up
	directors_up
	is "two directors, filled in another order, have equal tables" "$(digest d1)" "$(digest d2)"
	show "digest $(digest d1)"
	steer_keys 0 100
	paxsteer -n pxs-d1 backend show cache | sed 's/^/#     /'

	say "a backend is drained: its keys move, the others stay"
	paxsteer -n pxs-d1 table show cache rows >"$T_DIR/rows.before" 2>/dev/null
	paxsteer -n pxs-d1 backend set cache 10.79.0.12:11211 state drain
	paxsteer -n pxs-d2 backend set cache 10.79.0.12:11211 state drain
	steer_keys 1000 100
	if grep -q '10.79.0.12' "$T_DIR/stored"; then fail "the drained backend gets nothing"
	else pass "the drained backend gets nothing"; fi
	is "both directors changed alike" "$(digest d1)" "$(digest d2)"
}

# --- agreement ---------------------------------------------------------------------

acked_present()
{
	paxsteer log -S "$(cluster_socket "$2")" tail from 1 hash >"$T_DIR/dump"
	awk 'NR == FNR { have[$1] = $2; next } have[$1] != $2 { print "lost: " $0; bad = 1 }
		END { exit bad || !FNR }' "$T_DIR/dump" "$1"
}

agreement()
{
	local i first t commit out

	say "agreement: three kernel acceptors, three agents with journals"
	cluster_init v4
	for i in 1 2 3; do cluster_start "$i" kernel; done
	cluster_wait_leader 60 || { cluster_logs; bail "no leader"; }
	first=$LEADER
	show "member $first leads"
	ok "300 values, each acknowledged when a quorum has it on disk" \
		cluster_log append count 300 outstanding 16 size 64 quiet

	say "the leader's agent is killed (SIGKILL) under load"
	cluster_log append count 1000000 outstanding 8 seconds 15 size 32 keep-going \
		acked-file "$T_DIR/acked" quiet >"$T_DIR/load.log" 2>&1 &
	LOAD=$!
	wait_until 10 test -s "$T_DIR/acked" || fail "values are acknowledged"
	t=$(now)
	cluster_kill "$first"
	if cluster_wait_leader 60; then
		pass "member $LEADER took over from member $first after $(($(now) - t)) ms"
	else
		fail "a new leader took over"
		return
	fi
	cluster_start "$first" kernel
	wait $LOAD
	commit=$(cluster_get "$LEADER" commit)
	for i in 1 2 3; do
		wait_until 60 cluster_caught_up "$i" "$commit" || fail "member $i caught up"
	done
	out=$(acked_present "$T_DIR/acked" "$LEADER") &&
		pass "all $(wc -l <"$T_DIR/acked") acknowledged values are in their slots" ||
		fail "acknowledged values are in their slots" "$out"
	cluster_dump 1 >"$T_DIR/log1"
	for i in 2 3; do
		cluster_dump "$i" >"$T_DIR/log$i"
		ok "the logs of members 1 and $i are equal" cmp "$T_DIR/log1" "$T_DIR/log$i"
	done
	show "commit index $commit, $(wc -l <"$T_DIR/log1") values"
	on "n$LEADER" paxsteer group show | sed -n '1,8p' | sed 's/^/#     /'
}

say "topology: 3 members, 2 directors, 3 caches, 1 client, each a network namespace"
topology
agreement
steering
[ $T_FAILED -eq 0 ] || cluster_logs
say "done in $(($(now) / 1000)) s"
done_testing
