#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netns.sh - two network namespaces do not see each other
#
#     ca ── da ── ba      the same addresses, the same VIP, the same service name and the
#     cb ── db ── bb      same group id on both sides; what is done on one side must not
#                         be seen, heard, counted or felt on the other
#
# check-kernels: 6.1 debug
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
BACKEND=$(prog backend) || bail "selftests/backend.c does not build"
TRAFFIC=$(prog traffic) || bail "selftests/traffic.c does not build"
VIP=192.0.2.1:7000
UUID=6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11

# side X: client, director and backend. The backend's port tells the sides apart.
side()
{
	host "c$1"
	host "d$1"
	host "b$1"
	link "c$1" eth0 10.1.0.2/24 "d$1" c0 10.1.0.1/24
	link "b$1" eth0 10.2.0.2/24 "d$1" b0 10.2.0.1/24
	ip -n "pxs-c$1" route add default via 10.1.0.1
	ip -n "pxs-b$1" route add default via 10.2.0.1
	ip -n "pxs-d$1" addr add 192.0.2.1/32 dev lo
	on "d$1" sysctl -q -w net.ipv4.ip_forward=1
	start_on "b$1" "udp$1" "$BACKEND" udp "10.2.0.2:$2"
	start_on "b$1" "tcp$1" "$BACKEND" tcp "10.2.0.2:$2"
	wait_until 20 grep -q ready "$T_DIR/udp$1.log" || bail "no server on b$1"
	wait_until 20 grep -q ready "$T_DIR/tcp$1.log" || bail "no server on b$1"
}

pxs() { local d=$1; shift; paxsteer -n "pxs-d$d" "$@"; }

configure()
{
	pxs "$1" -b - <<-END
	service add s udp $VIP key source
	backend add s 10.2.0.2:$2
	service add t tcp $VIP
	backend add t 10.2.0.2:$2
	group add 1 cluster $UUID key-file $T_DIR/key \
self 1 member 1 10.1.0.1:9001 incarnation 0xa$1 \
member 2 10.1.0.2:9001 incarnation 0xb member 3 10.1.0.3:9001 incarnation 0xc
	END
}

answers() { on "c$1" "$TRAFFIC" "${@:2}" $VIP; }
requests() { pxs "$1" -j service show "$2" | jq ".[0].stats.requests"; }
everything()
{
	local what
	for what in service backend group; do pxs "$1" -j $what show | jq 'del(.[].stats)'; done
}

head -c 32 /dev/urandom >"$T_DIR/key"
side a 7001
side b 7002
ok "a is configured" configure a 7001
is "b has no service" "$(pxs b -j service show)" "[]"
is "b has no backend" "$(pxs b -j backend show)" "[]"
is "b has no group" "$(pxs b -j group show)" "[]"
refused "b does not know a's service" "No such|not found|unknown" pxs b service show s
refused "b can't delete a's service" "" pxs b service del s
refused "b can't delete a's group" "" pxs b group del 1
refused "on b nobody answers" "no answer" answers b -t 300 udp

start monitor-b paxsteer -n pxs-db -j monitor
MONITOR=$START_PID
ok "b takes the same names, addresses and numbers" configure b 7002
like "a answers with its own server" "$(answers a -n 5 udp)" "10.2.0.2:7001"
like "b answers with its own server" "$(answers b -n 3 udp)" "10.2.0.2:7002"
like "a's connections go to its own" "$(answers a -n 2 tcp)" "10.2.0.2:7001"
like "b's connections go to its own" "$(answers b -n 4 tcp)" "10.2.0.2:7002"
is "a counts its own" "$(requests a s) $(requests a t)" "5 2"
is "b counts its own" "$(requests b s) $(requests b t)" "3 4"

# Events: b hears of b's changes and of nothing else.
pxs a backend set s 10.2.0.2:7001 weight 77
pxs b backend set s 10.2.0.2:7002 weight 88
ok "b hears of its own change" wait_until 20 grep -q '"weight":88' "$T_DIR/monitor-b.log"
is "b hears nothing of a's" "$(grep -c '"weight":77\|7001' "$T_DIR/monitor-b.log")" 0
stop "$MONITOR"

# One side is removed under traffic.
before=$(everything b)
start_on cb load-b "$TRAFFIC" -l udp $VIP
LOAD_B=$START_PID
start_on ca load-a "$TRAFFIC" -l -t 200 udp $VIP
LOAD_A=$START_PID
start_on ca hold-a "$TRAFFIC" -n 20 -H tcp $VIP
for i in a b; do
	ok "traffic on $i" wait_until 20 grep -q running "$T_DIR/load-$i.log"
done
wait_until 20 grep -q held "$T_DIR/hold-a.log"
ok "a's director is removed under traffic" ip netns del pxs-da
is "b is as before" "$(everything b)" "$before"
wait_until 60 unplugged ca eth0 || fail "a's director is gone"
refused "on a nobody answers any more" "no answer|unreachable|bad" answers a -t 300 udp
kill -TERM "$LOAD_B"
if wait "$LOAD_B"; then
	pass "b lost nothing"
else
	fail "b lost nothing" "$(cat "$T_DIR/load-b.log")"
fi
stop "$LOAD_A"

# Coming and going of configured namespaces leaves nothing: the runner unloads the module.
for i in 1 2 3 4 5 6 7 8; do
	ip netns add pxs-x && ip -n pxs-x link set lo up && paxsteer -n pxs-x -b - <<-END &&
	service add s udp 127.0.0.1:7000 mode local
	service add t tcp 127.0.0.1:7000
	backend add s 127.0.0.1:7001
	backend add t 127.0.0.1:7001
	group add 1 cluster $UUID key-file $T_DIR/key self 1 member 1 127.0.0.1:9001 incarnation 1 \
member 2 127.0.0.1:9002 incarnation 2 member 3 127.0.0.1:9003 incarnation 3
	END
		ip netns del pxs-x || fail "namespace $i comes and goes"
done
is "configured namespaces come and go" "$(ip netns list | grep -c pxs-x)" 0

# IPv4 is not up in a namespace whose lo never was: configuring must not need it.
ip netns add pxs-x
ok "a namespace without lo takes a service" paxsteer -n pxs-x service add s udp 10.9.9.9:53
ok "and a backend" paxsteer -n pxs-x backend add s 10.9.9.8:53
refused "but no multicast address" "address" paxsteer -n pxs-x service add m udp 224.0.0.1:53
refused "nor the broadcast address" "address" \
	paxsteer -n pxs-x service add m udp 255.255.255.255:53
refused "nor none" "address" paxsteer -n pxs-x service add m udp 0.0.0.0:53
ip netns del pxs-x
done_testing
