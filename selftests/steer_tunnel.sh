#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_tunnel.sh - tunnel ipip, tunnel gue: requests go to backends anywhere inside other packets
#
#     c ──── r ──┬── d            r: router, every cable a network of its own
#                ├── b1           d: director, 10.1.0.1, fd01::1, VIP on lo
#                ├── b2           bI: 10.2.I.2, fd02:I::2, VIP on lo, unpacks by Linux's own
#                └── b3               tunnels; default route over r
#
# Inner and outer family, ipip and gue: all eight. PXS_SHORT=1: four of them.
# check-kernels: 6.12
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip python3
. "$(dirname "$0")/director.sh"
modprobe -q -a ipip sit ip6_tunnel fou || bail "no tunnels or no fou here"

TOLD=$(prog told) || bail "selftests/told.c does not build"
HERE=$(cd "$(dirname "$0")" && pwd)
SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers
NARROW=1400
OUTER=v4

be() { if [ "$OUTER" = v4 ]; then echo "10.2.$1.2:$2"; else echo "[fd02:$1::2]:$2"; fi; }
client() { if [ "$FAMILY" = v4 ]; then echo "10.3.0.2:$1"; else echo "[fd03::2]:$1"; fi; }
addr() { local at; at=$("$@" 0); at=${at%:0}; at=${at#[}; echo "${at%]}"; }

vip_on() { printf 'addr add %s dev lo\n' 192.0.2.1/32 2001:db8::1/128 | ip -n "pxs-$1" -batch -; }

# unpacks I: whatever comes for bI by ipip, or by gue at the ports 6080 and 7080
unpacks()
{
	ip -n "pxs-b$1" -batch - <<-END || bail "b$1 has no tunnels"
		link set tunl0 up
		link set sit0 up
		link add any6 type ip6tnl mode any local fd02:$1::2
		link set any6 up
		fou add port 6080 gue
		fou add port 7080 gue
	END
	printf 'fou add port %s gue\n' 6080 7080 | ip -n "pxs-b$1" -6 -batch - ||
		bail "b$1 has no fou of IPv6"
}

lay()
{
	local i

	host c
	host r
	on r sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	link c eth0 10.3.0.2/24,fd03::2/64 r c0 10.3.0.1/24,fd03::1/64
	default_route c 10.3.0.1 fd03::1
	host d
	link d eth0 10.1.0.1/24,fd01::1/64 r d0 10.1.0.254/24,fd01::fe/64
	default_route d 10.1.0.254 fd01::fe
	vip_on d
	# It is no router, and need not be one.
	on d sysctl -q -w net.ipv4.ip_forward=0
	D_N=$1
	for ((i = 1; i <= D_N; i++)); do
		host "b$i"
		link "b$i" eth0 "10.2.$i.2/24,fd02:$i::2/64" r "b$i" "10.2.$i.1/24,fd02:$i::1/64"
		default_route "b$i" "10.2.$i.1" "fd02:$i::1"
		vip_on "b$i"
		unpacks "$i"
	done
	printf 'route add %s via %s\n' 192.0.2.1/32 10.1.0.1 2001:db8::1/128 fd01::1 |
		ip -n pxs-r -batch -
}

# ask NAME SERVICE key|from TRAFFIC-ARGS...: all answered, each by the one that lookup names
ask()
{
	local name=$1 s=$2 how=$3 proto=udp

	shift 3
	[ "$s" = u ] || proto=tcp
	answers() { on c "$TRAFFIC" "$@" "$proto" "$(vip 7000)" >"$ANSWERS"; }
	ok "$WHAT: $name: all answered" answers "$@"
	agrees "$WHAT: $name: each by the backend that lookup names" "$s" "$how" "$ANSWERS"
}

datagrams() { on c "$TRAFFIC" "$@" udp "$(vip 7000)" >"$ANSWERS"; }

flush()
{
	ip -n "pxs-$1" route flush cache
	ip -n "pxs-$1" -6 route flush cache
}

# Bytes before a packet, and bytes of a datagram's own headers.
overhead()
{
	local n=20

	[ "$OUTER" = v4 ] || n=40
	[ "$KIND" = ipip ] || n=$((n + 12))
	echo $n
}

heads() { if [ "$FAMILY" = v4 ]; then echo 28; else echo 48; fi; }

# Everything but who sent it.
told() { on c "$TOLD" "$(vip 7000)" "$@" | sed 's/by [^ ]* //'; }

v6_fragments() { if [ "$FAMILY" = v4 ]; then echo 0; else echo 1; fi; }

# IPv6's routers fragment nothing: who made fragments of 1500 bytes is told what fits.
too_big_fragments()
{
	[ "$FAMILY" = v6 ] || return
	refused "$WHAT: fragments that are too large" "no answer" \
		on c "$TRAFFIC" -t 500 -s 4000 udp "$(vip 7000)"
	is "$WHAT: are refused" "$(refusals u)" "[0,0,1]"
}

too_big()
{
	local mtu=$((1500 - $(overhead))) large=$((1498 - $(heads))) fits

	fits=$((mtu - $(heads)))
	is "$WHAT: too large for the tunnel: the client is told what fits, and that does" \
		"$(told $large $fits)" \
		"$(printf '%s\n' "$large told EMSGSIZE $mtu" "$fits answered $mtu")"
	is "$WHAT: which is counted" "$(service_stat u too_big)" $((1 + $(v6_fragments)))
	flush c
}

# A router on the way to the backend tells the director, which tells the client of the next one.
narrow_way()
{
	local mtu=$((NARROW - $(overhead))) large=$((1430 - $(heads))) fits i

	fits=$((mtu - $(heads)))
	for ((i = 1; i <= D_N; i++)); do ip -n pxs-r link set "b$i" mtu $NARROW; done
	is "$WHAT: the way is narrow: from the second one on the client is told" \
		"$(told -$large $large $fits)" "$(printf '%s\n' "$large silence 1500" \
		"$large told EMSGSIZE $mtu" "$fits answered $mtu")"
	for ((i = 1; i <= D_N; i++)); do ip -n pxs-r link set "b$i" mtu 1500; done
	flush c
	flush d
}

# What is in the outer header: by a packet with 20 hops, one of which is behind the director.
header()
{
	local i proto=17 df=df gue seen=()

	for ((i = 1; i <= D_N; i++)); do
		start_on "b$i" "seen$i" python3 "$HERE/tunnel_seen.py" eth0 k00001
		seen[i]=$START_PID
		wait_until 20 grep -q listens "$T_DIR/seen$i.log" || bail "no tunnel_seen.py"
	done
	[ "$OUTER" = v4 ] || df=-
	[ "$KIND" = gue ] || { proto=4 && [ "$FAMILY" = v4 ]; } || proto=41
	is "$WHAT: hops, class and ECN of a packet" \
		"$(on c python3 "$HERE/dsr_hop.py" "$(addr vip)" 7000 20 0xba)" answered
	ok "$WHAT: are seen" wait_until 20 grep -hq outer "$T_DIR"/seen?.log
	gue=" 49152.. $PORT $GUE_WORD"
	[ "$KIND" = gue ] || gue=
	is "$WHAT: are those of the outer one, too" "$(sed -n 's/^outer //p' "$T_DIR"/seen?.log)" \
		"$proto ba 17 $df$gue"
	for ((i = 1; i <= D_N; i++)); do stop "${seen[i]}"; done
}

failed() { [ "$(service_stat u errors)" = "$1" ]; }

# An outer packet has no room for it.
too_large_for_any()
{
	[ "$WHAT" = "ipip, v4 in v4" ] || return
	refused "$WHAT: no room for a header before a packet of 64 KiB" "no answer" \
		on c "$TRAFFIC" -t 500 -s 65500 -o 4 udp "$(vip 7000)"
	ok "$WHAT: which is counted" wait_until 20 failed 1
}

udp()
{
	servers_at_vip udp
	ok "$WHAT: add a service" pxs service add u udp "$(vip 7000)" mode tunnel "$KIND" "$@" \
		key payload 4:6 seed $SEED rows 1024
	ok "$WHAT: add backends" add_backends u 7000
	ask "by key" u key -n 30 -o 4 -k "$T_DIR/keys"
	is "$WHAT: all backends serve" "$(by_backend "$ANSWERS" | wc -l)" "$D_N"
	is "$WHAT: counters of backends" "$(counted u requests)" "$(by_backend "$ANSWERS")"
	too_big_fragments
	ask "4000 bytes, fragments" u key -n 6 -o 4 -k "$T_DIR/keys" -s 4000
	ask "16 requests in a packet" u key -n 32 -o 4 -k "$T_DIR/keys" -s 100 -G
	header
	on c ethtool -K eth0 tx off >/dev/null 2>&1
	on d ethtool -K eth0 tx off >/dev/null 2>&1
	ask "checksums computed by senders" u key -n 6 -o 4 -k "$T_DIR/keys"
	on c ethtool -K eth0 tx on >/dev/null 2>&1
	ok "$WHAT: key source" pxs service set u key source
	ok "$WHAT: 16 requests go as one until they are sent: all answered" \
		datagrams -n 32 -o 4 -k "$T_DIR/keys" -s 1000 -G
	is "$WHAT: by one backend" "$(by_backend "$ANSWERS" | wc -l)" 1
	on d ethtool -K eth0 tx on >/dev/null 2>&1
	is "$WHAT: nothing else was refused" "$(refusals u)" "[0,0,$(v6_fragments)]"
	too_large_for_any
	flush c
	too_big
	narrow_way
	pxs save >"$T_DIR/saved"
	pxs service del u
	ok "$WHAT: restore" pxs restore "$T_DIR/saved"
	is "$WHAT: is the same" "$(pxs save)" "$(cat "$T_DIR/saved")"
	ask "after restore" u from -n 3 -f
	pxs service del u
	stop_backends >/dev/null
}

tcp()
{
	servers_at_vip tcp
	ok "$WHAT: add a TCP service" \
		pxs service add t tcp "$(vip 7000)" mode tunnel "$KIND" "$@" seed $SEED rows 1024
	ok "$WHAT: add backends" add_backends t 7000
	ask "by tuple" t from -n 10
	is "$WHAT: a long transfer" \
		"$(on c python3 "$HERE/bulk.py" "$(addr vip)" 7000 300000)" whole
	on d ethtool -K eth0 tx off >/dev/null 2>&1
	is "$WHAT: a long transfer, segmented here" \
		"$(on c python3 "$HERE/bulk.py" "$(addr vip)" 7000 300000)" whole
	on d ethtool -K eth0 tx on >/dev/null 2>&1
	start_on c held "$TRAFFIC" -n 20 -H tcp "$(vip 7000)"
	ok "$WHAT: connections are held" wait_until 60 grep -q "^held 20" "$T_DIR/held.log"
	ok "$WHAT: one drains" pxs backend set t "$(be 2 7000)" state drain
	ask "one drains" t from -n 10
	end_load "$WHAT: connections from before echo to the end" "$START_PID" held
	pxs service del t
	stop_backends >/dev/null
}

# combination KIND INNER OUTER [OPTIONS...]
combination()
{
	KIND=$1 FAMILY=$2 OUTER=$3 PORT=6080 GUE_WORD=00040000
	WHAT="$KIND, $FAMILY in $OUTER"
	shift 3
	[ "${1:-}" != tunnel-port ] || PORT=$2
	[ "$FAMILY" = v4 ] || GUE_WORD=00290000
	udp "$@"
	tcp "$@"
}

refusals_of_bad_input()
{
	FAMILY=v4 OUTER=v4
	pxs service add x udp 192.0.2.1:7001 mode tunnel ipip
	refused "a backend with another port" "port must be the service's.*\(port\)" \
		pxs backend add x 10.2.1.2:7002
	pxs service add y udp 192.0.2.1:7003 mode dsr
	refused "a backend of another family, of dsr" "another family than the service.*\(addr\)" \
		pxs backend add y "[fd02:1::2]:7003"
	refused "a port of the tunnel, of ipip" "only mode tunnel gue.*\(tunnel-port\)" \
		pxs service add z udp 192.0.2.1:7004 mode tunnel ipip tunnel-port 6080
	pxs service del x
	pxs service del y
}

lay 3
keys 30 >"$T_DIR/keys"
combination ipip v4 v4
combination ipip v6 v4
combination gue v4 v6
combination gue v6 v6 tunnel-port 7080
if [ "${PXS_SHORT:-0}" != 1 ]; then
	combination ipip v4 v6
	combination ipip v6 v6
	combination gue v4 v4 tunnel-port 7080
	combination gue v6 v4
fi
refusals_of_bad_input
done_testing
