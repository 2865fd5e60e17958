#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_steer.sh - instructions per packet: forwarding, IPVS and this module side by side
#
#   make bench-steer [KERNEL=6.1] [ROUNDS=3] [PROFILE=0] [FAMILIES=v4] [CASES="forward|ours_nat"]
#
#     pktgen ── in0 ── d ── out0        d: a director each, so that nobody has the hooks of
#                                          another: plain, ipvs, ours
#     c ─────── eth0 ── s               s: sockets, without this module's hooks and with them:
#                                          one, ours; oneway sends and receives
#
# The machine runs twice. First QEMU counts instructions, and the clock goes on by 1 ns for each:
# times are counts. Then by the clock on the wall, whose times mean something as ratios only.
# Each round measures every case once. A pass of packets has PACKETS flows, a source port each;
# the same pass again finds them known. What misses its bar is explained by the instructions of
# each function (vm/profile.py).

cd "$(dirname "$0")/.." || exit 2
ROUNDS=${ROUNDS:-3}
FAMILIES=${FAMILIES:-v4 v6}
CASES=${CASES:-.*}
BACKENDS=10

# Address of the service, of backend I, of somebody else behind the director.
vip() { if [ "$1" = v4 ]; then echo 192.0.2.1; else echo 2001:db8::1; fi; }
be() { if [ "$1" = v4 ]; then echo "10.9.0.$2"; else echo "fd09::$2"; fi; }
at() { if [[ $1 = *:* ]]; then echo "[$1]:$2"; else echo "$1:$2"; fi; }

# CASE DIRECTOR PORT: where its packets go, to the VIP unless it is forwarding. A mode that this
# version has not is left out.
PACKET_CASES="
forward			plain	7000
ipvs_nat		ipvs	7000
ipvs_nat_each_packet	ipvs	7001
ipvs_dr			ipvs	7002
ipvs_dr_each_packet	ipvs	7003
ours_nat		ours	7000
ours_dsr		ours	7002
past_ours		ours	7009
"
# CASE SERVER PORT SOCKETS-PORTS...
REQUEST_CASES="
one_socket		one	7000	7000
reuseport		one	7001	7001 7001
local_hit		ours	7000	7001 7002
local_miss		ours	7009	7009
"

# --- outside: the machines ---------------------------------------------------------
# machine COUNT|CLOCK OPTIONS...
machine()
{
	local what=$1

	shift
	rm -rf "${OUT:?}/$what"
	mkdir -p "$OUT/$what"
	selftests/vm/run --kernel "$KERNEL" --timeout 1200 --name "bench-steer-$what" \
		--out "$OUT/$what" --env "WHAT=$what" --env "ROUNDS=$ROUNDS" \
		--env "FAMILIES=$FAMILIES" --env "CASES=$CASES" "$@" \
		-- selftests/bench_steer.sh --inside
}

outside()
{
	local dir rc=0 profiler options=()

	KERNEL=${KERNEL:-6.1}
	OUT=build/vm/bench-steer.$KERNEL
	dir=$(mktemp -d) || exit 2
	mkdir -p "$OUT"
	if [ "${PROFILE:-1}" = 1 ]; then
		options=(--monitor "$dir/monitor" --env PROFILE=1)
		/usr/bin/python3 selftests/vm/profile.py "$dir/monitor" "$OUT/count" &
		profiler=$!
	fi
	machine count --icount --env PACKETS=1000 "${options[@]}" || rc=1
	if [ -n "${profiler:-}" ]; then
		kill "$profiler"
		wait "$profiler"
	fi
	machine clock --smp 1 --env PACKETS=5000 || rc=1
	rm -rf "$dir"
	/usr/bin/python3 selftests/bench_steer.py "$OUT" || rc=1
	exit $rc
}

# packets DESTINATION PORT FIRST-SOURCE-PORT N: N packets from pktgen into in0 of the namespace
# that this runs in. Prints nanoseconds a packet and how many came out at out0.
packets()
{
	local line before after p=$3 n=$4 ends=("src_min 10.8.0.2" "dst_min $1")

	[[ $1 = *:* ]] && ends=("src6 fd08::2" "dst6 $1")
	pktgen kpktgend_0 rem_device_all "add_device in0"
	pktgen in0 "xmit_mode netif_receive" "flag UDPCSUM" "pkt_size 128" "delay 0" "count $n" \
		"dst_mac $(cat /sys/class/net/in0/address)" "${ends[@]}" "udp_dst_min $2" \
		"udp_dst_max $2" "udp_src_min $p" "udp_src_max $((p + n))"
	before=$(sent)
	profile_begin
	pktgen pgctrl start
	profile_end
	after=$(sent)
	line=$(</proc/net/pktgen/in0)
	[[ $line =~ OK:\ ([0-9]+)\( ]] || exit 1
	echo "$((BASH_REMATCH[1] * 1000 / n)) $((after - before))"
}

# pktgen FILE LINE...
pktgen()
{
	local line

	for line in "${@:2}"; do
		echo "$line" >"/proc/net/pktgen/$1" || exit 1
	done
}

sent()
{
	local name f

	while read -r name _ _ _ _ _ _ _ _ _ f _; do
		[ "$name" != out0: ] || echo "$f"
	done </proc/net/dev
}

# What lies between these is recorded by vm/profile.py on the host, under the name PROFILE_AS.
profile_begin()
{
	[ -n "${PROFILE_AS:-}" ] || return 0
	: >"$PXS_OUT/ask.$PROFILE_AS"
	until [ -e "$PXS_OUT/go.$PROFILE_AS" ]; do sleep 0.1; done
}

profile_end()
{
	[ -n "${PROFILE_AS:-}" ] || return 0
	: >"$PXS_OUT/end.$PROFILE_AS"
	while [ -e "$PXS_OUT/go.$PROFILE_AS" ]; do sleep 0.1; done
}

case ${1:-} in
--inside) ;;
--packets)
	shift
	packets "$@"
	exit ;;
*)	outside ;;
esac

# --- inside: the hosts -------------------------------------------------------------
. selftests/lib.sh
need_module
need ipvsadm ethtool jq
modprobe -a pktgen ip_vs_mh || bail "no pktgen or no ip_vs_mh here"
ONEWAY=$(prog oneway) || bail "selftests/oneway.c does not build"
RESULTS=$PXS_OUT/results
: >"$RESULTS"

# director NAME: between two cables to nobody
director()
{
	host "$1"
	on "$1" sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "pxs-$1" -batch - <<-END
		link add in0 type dummy
		link add out0 type dummy
		addr add 10.8.0.1/24 dev in0
		addr add fd08::1/64 dev in0 nodad
		addr add 10.9.0.1/24 dev out0
		addr add fd09::1/64 dev out0 nodad
		addr add 192.0.2.1/32 dev lo
		addr add 2001:db8::1/128 dev lo nodad
		link set in0 up
		link set out0 up
	END
	# Whole checksums, as from a network card.
	on "$1" ethtool -K in0 tx off >/dev/null
}

# ipvs FAMILY PORT KIND OPTIONS...
ipvs()
{
	local i service

	service=$(at "$(vip "$1")" "$2")
	on ipvs ipvsadm -A -u "$service" -s mh -b mh-port "${@:4}"
	for ((i = 2; i < 2 + BACKENDS; i++)); do
		on ipvs ipvsadm -a -u "$service" -r "$(at "$(be "$1" $i)" "$2")" "$3" -w 100
	done
}

# service HOST FAMILY PORT MODE BACKEND...
service()
{
	local be

	paxsteer -n "pxs-$1" service add "$2-$3" udp "$(at "$(vip "$2")" "$3")" key tuple \
		mode "$4" || return
	for be in "${@:5}"; do
		echo "backend add $2-$3 $be"
	done | paxsteer -n "pxs-$1" -batch -
}

directors()
{
	local f i nat dsr

	director plain
	director ipvs
	# An idle moment may be hours here, see vm/run --icount.
	on ipvs ipvsadm --set 0 0 1000000
	director ours
	for f in $FAMILIES; do
		ipvs $f 7000 -m
		ipvs $f 7001 -m -o
		ipvs $f 7002 -g
		ipvs $f 7003 -g -o
		nat=() dsr=()
		for ((i = 2; i < 2 + BACKENDS; i++)); do
			nat+=("$(at "$(be $f $i)" 7000)")
			dsr+=("$(at "$(be $f $i)" 7002)")
		done
		ok "$f: a service by nat" service ours $f 7000 nat "${nat[@]}"
		service ours $f 7002 dsr "${dsr[@]}" 2>/dev/null || without=ours_dsr
	done
}

# knows HOST OTHER ADDRESS...: for good. Nobody answers here, so that what is known of a neighbour
# gets old, and to send to it costs more: in some cases, not in others.
knows()
{
	local a mac

	mac=$(on "$2" cat /sys/class/net/eth0/address)
	for a in "${@:3}"; do
		echo "neigh replace $a lladdr $mac dev eth0 nud permanent"
	done | ip -n "pxs-$1" -batch -
}

# sockets NAME: a host with the VIP, and a client of its own
sockets()
{
	host "$1-c"
	host "$1-s"
	link "$1-c" eth0 10.8.0.2/24,fd08::2/64 "$1-s" eth0 10.8.0.1/24,fd08::1/64
	printf 'addr add %s dev lo\n' 192.0.2.1/32 2001:db8::1/128 | ip -n "pxs-$1-s" -batch -
	printf 'route add default via %s\n' 10.8.0.1 fd08::1 | ip -n "pxs-$1-c" -batch -
	knows "$1-c" "$1-s" 10.8.0.1 fd08::1
	knows "$1-s" "$1-c" 10.8.0.2 fd08::2
}

servers()
{
	local f v

	sockets one
	sockets ours
	for f in $FAMILIES; do
		v=$(vip $f)
		ok "$f: a local service" service ours-s $f 7000 local "$(at "$v" 7001)" \
			"$(at "$v" 7002)"
	done
}

# --- inside: measuring -------------------------------------------------------------
# packet_case FAMILY CASE DIRECTOR PORT PASS FIRST-PORT [N]
packet_case()
{
	local to

	to=$(vip "$1")
	[[ $2 = forward || $2 = past_ours ]] && to=$(be "$1" 2)
	on "$3" env "PROFILE_AS=${PROFILE_AS:-}" \
		selftests/bench_steer.sh --packets "$to" "$4" "$6" "${7:-$PACKETS}"
}

# request_case FAMILY CASE SERVER PORT SOCKET-PORTS...
request_case()
{
	local v p rc at=()

	v=$(vip "$1")
	for p in "${@:5}"; do at+=("$(at "$v" "$p")"); done
	profile_begin
	"$ONEWAY" -n "${N:-$PACKETS}" "pxs-$3-c" "pxs-$3-s" "$(at "$v" "$4")" "${at[@]}"
	rc=$?
	profile_end
	return $rc
}

# each_case CASES COMMAND...: called with FAMILY and the words of a line
each_case()
{
	local f name rest

	for f in $FAMILIES; do
		while read -r -u 3 name rest; do
			[[ $name =~ ^($CASES)$ && $name && $name != "$without" ]] || continue
			# shellcheck disable=SC2086  # words
			"${@:2}" $f $name $rest
		done 3<<<"$1"
	done
}

# Both passes of a case: flows that nobody knows, and the same again.
measure_packets()
{
	local out pass round=$1 first=$((1024 + $1 * (PACKETS + 1)))

	shift
	for pass in new old; do
		out=$(packet_case "$@" $pass $first) || { fail "$1 $2: pktgen runs"; return; }
		[ "${out#* }" = "$PACKETS" ] ||
			fail "$1 $2, $pass flows, round $round: all packets leave" "$out"
		echo "packet $2 $1 $pass $round $out" >>"$RESULTS"
	done
}

measure_request()
{
	local out round=$1

	shift
	out=$(request_case "$@") || { fail "$1 $2: requests arrive"; return; }
	echo "request $2 $1 old $round $out" >>"$RESULTS"
}

profile_packets() { PROFILE_AS=$2.$1 packet_case "$@" new 64000 10 >/dev/null; }
profile_request() { PROFILE_AS=$2.$1 N=10 request_case "$@" >/dev/null; }

without=''
directors
servers
{
	echo "kernel $(uname -r)"
	echo "mhz $(sed -n 's/^cpu MHz.*: //p' /proc/cpuinfo)"
	echo "clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
} >"$PXS_OUT/machine"
cp /proc/kallsyms "$PXS_OUT/kallsyms"
# What a machine does after it came up is done; with counted instructions this takes no time.
[ "$WHAT" != count ] || sleep 30
for ((round = 0; round < ROUNDS; round++)); do
	each_case "$PACKET_CASES" measure_packets $round
	each_case "$REQUEST_CASES" measure_request $round
	diag "round $((round + 1)) of $ROUNDS"
done
for f in $FAMILIES; do
	[[ ours_nat =~ ^($CASES)$ ]] || break
	# The module's counters are on, and count what was seen here.
	is "$f: every request to nat is counted" \
		"$(paxsteer -n pxs-ours -j service show $f-7000 | jq .[0].stats.requests)" \
		$((ROUNDS * 2 * PACKETS))
done
if [ "${PROFILE:-0}" = 1 ]; then
	each_case "$(grep -E '^(forward|ours_|ipvs_dr	)' <<<"$PACKET_CASES")" profile_packets
	each_case "$(grep -v reuseport <<<"$REQUEST_CASES")" profile_request
fi
done_testing
