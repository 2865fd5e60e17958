#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_dsr.sh - dsr: this host passes requests on, the backends answer past it
#
#     c ──── r ──┬── d            r: router and switch of one network, 10.1.0.254
#                ├── b1           d: director, 10.1.0.1, VIP on lo
#                ├── b2           bI: 10.1.0.1I, VIP on lo, silent; default route over r
#                └── b3
#
# PXS_SHORT=1: UDP over IPv4 and TCP over IPv6 only.
# check-kernels: 6.1
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip python3
. "$(dirname "$0")/director.sh"

TOLD=$(prog told) || bail "selftests/told.c does not build"
HERE=$(cd "$(dirname "$0")" && pwd)
SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers
NARROW=1300
SHORT=${PXS_SHORT:-0}

be() { if [ "$FAMILY" = v4 ]; then echo "10.1.0.1$1:$2"; else echo "[fd01::1$1]:$2"; fi; }
client() { if [ "$FAMILY" = v4 ]; then echo "10.3.0.2:$1"; else echo "[fd03::2]:$1"; fi; }
addr() { local at; at=$("$@" 0); at=${at%:0}; at=${at#[}; echo "${at%]}"; }

# member HOST ADDRS: on the network, which r is the switch of
member()
{
	host "$1"
	link "$1" eth0 "$2" r "to-$1" ""
	ip -n pxs-r link set "to-$1" master br0
	default_route "$1" 10.1.0.254 fd01::fe
}

vip_on() { printf 'addr add %s dev lo\n' 192.0.2.1/32 2001:db8::1/128 | ip -n "pxs-$1" -batch -; }

lay()
{
	local i

	host c
	host r
	on r sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n pxs-r -batch - <<-END || bail "no bridge"
		link add br0 type bridge
		link set br0 up
		addr add 10.1.0.254/24 dev br0
		addr add fd01::fe/64 dev br0 nodad
	END
	link c eth0 10.3.0.2/24,fd03::2/64 r c0 10.3.0.1/24,fd03::1/64
	default_route c 10.3.0.1 fd03::1
	member d 10.1.0.1/24,fd01::1/64
	vip_on d
	# It is no router, and need not be one.
	on d sysctl -q -w net.ipv4.ip_forward=0
	D_N=$1
	for ((i = 1; i <= D_N; i++)); do
		member "b$i" "10.1.0.1$i/24,fd01::1$i/64"
		on "b$i" sysctl -q -w net.ipv4.conf.all.arp_ignore=1 \
			net.ipv4.conf.all.arp_announce=2
		vip_on "b$i"
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
	ok "$FAMILY: $name: all answered" answers "$@"
	agrees "$FAMILY: $name: each by the backend that lookup names" "$s" "$how" "$ANSWERS"
}

mtu_to_backends()
{
	local i

	for ((i = 1; i <= D_N; i++)); do
		echo "route add $(addr be "$i") dev eth0 mtu $1"
	done | ip -n pxs-d -batch -
}

no_mtu_to_backends()
{
	local i

	for ((i = 1; i <= D_N; i++)); do echo "route del $(addr be "$i")"; done |
		ip -n pxs-d -batch -
}

knows() { ip -n "pxs-$1" route get "$(addr client)" | grep -q "mtu $NARROW"; }

too_big()
{
	mtu_to_backends $NARROW
	is "$FAMILY: a request too large for the way to the backend: the client is told" \
		"$(on c "$TOLD" "$(vip 7000)" 1400 1200 | sed 's/by [^ ]* //')" \
		"$(printf '%s\n' "1400 told EMSGSIZE $NARROW" "1200 answered $NARROW")"
	is "$FAMILY: which is counted" "$(service_stat u too_big)" 1
	ip -n pxs-c route flush cache
	ip -n pxs-c -6 route flush cache
	no_mtu_to_backends
}

# A reply of 1400 bytes is too large behind r: r tells the VIP, so d, which tells the backend.
too_big_a_reply()
{
	local i

	ip -n pxs-c link set eth0 mtu $NARROW && ip -n pxs-r link set c0 mtu $NARROW
	on c bash -c 'head -c 1290 /dev/zero | tr "\0" k >/dev/udp/'"$(addr vip)"/7000
	knows_one() { for ((i = 1; i <= D_N; i++)); do knows "b$i" && return; done; false; }
	ok "$FAMILY: a reply too large for the path to the client: its backend learns it" \
		wait_until 20 knows_one
	ok "$FAMILY: which is counted" [ "$(service_stat u icmp_replies)" -ge 1 ]
	ip -n pxs-r link set c0 mtu 1500 && ip -n pxs-c link set eth0 mtu 1500
}

hops()
{
	local before

	before=$(service_stat u no_route)
	is "$FAMILY: no hop left behind the director: the client is told" \
		"$(on c python3 "$HERE/dsr_hop.py" "$(addr vip)" 7000 2)" EHOSTUNREACH
	is "$FAMILY: which is counted" "$(service_stat u no_route)" $((before + 1))
	is "$FAMILY: one is enough" \
		"$(on c python3 "$HERE/dsr_hop.py" "$(addr vip)" 7000 3)" answered
}

sources()
{
	local before

	[ $FAMILY = v4 ] || return
	before=$(service_stat u no_route)
	ip -n pxs-c addr add 10.9.0.1/32 dev lo
	ip -n pxs-d route add unreachable 10.9.0.0/16
	on d sysctl -q -w net.ipv4.conf.all.rp_filter=1
	refused "$FAMILY: a source that rp_filter refuses is refused" "no answer" \
		on c "$TRAFFIC" -t 300 -b 10.9.0.1:0 udp "$(vip 7000)"
	is "$FAMILY: which is counted" "$(service_stat u no_route)" $((before + 1))
	ok "$FAMILY: others are not" on c "$TRAFFIC" udp "$(vip 7000)"
	on d sysctl -q -w net.ipv4.conf.all.rp_filter=0
}

# A socket of this host may have the service's address: what it asks this host is its own affair.
errors_over_lo()
{
	is "$FAMILY: an error about what a socket on the director sent there finds it" \
		"$(on d python3 "$HERE/dsr_lo.py" "$(addr vip)" 7000 2>&1)" ECONNREFUSED
}

# A neighbour is needed: a gateway would send it back to us.
behind_a_gateway()
{
	local far

	if [ $FAMILY = v4 ]; then far=10.99.0.1:7000; else far="[fd99::1]:7000"; fi
	pxs service add g udp "$(vip 7000)" mode dsr
	ok "$FAMILY: a backend behind a gateway" pxs backend add g "$far"
	refused "$FAMILY: gets nothing" "no answer" on c "$TRAFFIC" -t 1000 udp "$(vip 7000)"
	is "$FAMILY: which is counted" "$(refusals g)" "[0,1,0]"
	is "$FAMILY: nor does anybody" "$(service_stat g packets)" 0
	pxs service del g
}

udp()
{
	servers_at_vip udp
	keys 60 >"$T_DIR/keys"
	ok "$FAMILY: add a service" \
		pxs service add u udp "$(vip 7000)" mode dsr key payload 4:6 seed $SEED rows 1024
	refused "$FAMILY: a backend with another port is refused" "port must be the service's" \
		pxs backend add u "$(be 1 7001)"
	ok "$FAMILY: add backends" add_backends u 7000
	ask "by key" u key -n 60 -o 4 -k "$T_DIR/keys"
	is "$FAMILY: all backends serve" "$(by_backend "$ANSWERS" | wc -l)" "$D_N"
	is "$FAMILY: counters of backends" "$(counted u requests)" "$(by_backend "$ANSWERS")"
	ask "4000 bytes, fragments" u key -n 20 -o 4 -k "$T_DIR/keys" -s 4000
	ask "16 requests in a packet" u key -n 32 -o 4 -k "$T_DIR/keys" -s 100 -G
	on c ethtool -K eth0 tx off >/dev/null 2>&1
	ask "checksum computed by the sender" u key -n 10 -o 4 -k "$T_DIR/keys"
	on c ethtool -K eth0 tx on >/dev/null 2>&1
	is "$FAMILY: nothing was refused" "$(refusals u)" "[0,0,0]"
	too_big
	hops
	sources
	ok "$FAMILY: key source" pxs service set u key source
	too_big_a_reply
	errors_over_lo
	pxs save >"$T_DIR/saved"
	pxs service del u
	ok "$FAMILY: restore" pxs restore "$T_DIR/saved"
	is "$FAMILY: is the same" "$(pxs save)" "$(cat "$T_DIR/saved")"
	ask "after restore" u from -n 10 -f
	pxs service del u
	behind_a_gateway
	stop_backends >/dev/null
}

# hold NAME N: connections that are pinged until end_load
hold()
{
	start_on c "$1" "$TRAFFIC" -n "$2" -H tcp "$(vip 7000)"
	HELD=$START_PID
	ok "$FAMILY: $2 connections are held" wait_until 60 grep -q "^held $2" "$T_DIR/$1.log"
}

to() { grep -cF " $1" "$ANSWERS"; }

effective() { pxs -j backend show t | jq ".[] | select(.index == 2) | .effective_weight"; }
has_all() { [ "$(effective)" = 1 ]; }

# The last one out and in again, until those who serve are seasoned; then it takes an hour.
ramps()
{
	pxs service set t slow-start 1 && pxs backend set t "$(be 3 7000)" state down &&
		pxs backend set t "$(be 3 7000)" state up &&
		pxs service set t slow-start 3600 && [ "$(effective)" != 1 ]
}

# Behind extension headers the stack does not know where TCP's header is: we do.
behind_extension_headers()
{
	[ $FAMILY = v6 ] || return
	pxs service add x tcp "$(vip 7300)" mode dsr && pxs backend add x "$(be 1 7300)"
	is "$FAMILY: segments in one packet, behind an extension header" \
		"$(on d python3 "$HERE/gso_ext.py" "$(addr client)" "$(addr vip)" 7300)" \
		received
	is "$FAMILY: are not too big" "$(refusals x)" "[0,0,0]"
	is "$FAMILY: and go on" "$(service_stat x packets)" 1
	pxs service del x
}

# Tables change by themselves, and nobody moves who came while one ramped.
slow_start()
{
	local since
	since=$(uptime_s)
	ok "$FAMILY: one comes back slowly" wait_until 30 ramps
	hold ramp 20
	is "$FAMILY: it ramps still" "$(has_all && echo full)" ""
	ok "$FAMILY: the rest takes a moment" pxs service set t slow-start \
		$(($(uptime_s) - since + 2 * ${PXS_SLOW:-1}))
	ok "$FAMILY: until it has its weight" wait_until 30 has_all
	end_load "$FAMILY: connections from while it ramped echo to the end" "$HELD" ramp
	ok "$FAMILY: slow start off" pxs service set t slow-start 0
}

why() { pxs lookup t from "$(addr client)" | sed -n 's/^why  *//p'; }
says() { [ "$(why)" = "$1" ]; }
spilled() { [ "$(service_stat t spilled)" -ge "$1" ]; }

# All connections are for one backend, and more than its share.
bound()
{
	ok "$FAMILY: a bound" pxs service set t key source bound 1.25
	load flow tcp "$(vip 7000)"
	ok "$FAMILY: what is new spills" wait_until 30 spilled 20
	hold spill 20
	end_load "$FAMILY: no connection that spilled is lost" "$LOAD_PID" flow
	ok "$FAMILY: when it is over, lookup says the first choice" \
		wait_until 20 says "first choice"
	end_load "$FAMILY: those who spilled stay where they are" "$HELD" spill
	is "$FAMILY: there was room for all who spilled" "$(service_stat t not_kept)" 0
}

tcp()
{
	local first second

	servers_at_vip tcp
	ok "$FAMILY: add a TCP service" \
		pxs service add t tcp "$(vip 7000)" mode dsr seed $SEED rows 1024
	ok "$FAMILY: add backends" add_backends t 7000
	ask "by tuple" t from -n 30
	is "$FAMILY: a connection is counted once" \
		"$(counted t requests)" "$(by_backend "$ANSWERS")"
	is "$FAMILY: a long transfer" \
		"$(on c python3 "$HERE/bulk.py" "$(addr vip)" 7000 1000000)" whole
	hold first 60
	first=$HELD
	is "$FAMILY: nothing is kept where nothing changed" "$(service_stat t kept)" 0
	behind_extension_headers
	ok "$FAMILY: one drains" pxs backend set t "$(be 2 7000)" state drain
	ask "one drains" t from -n 20
	is "$FAMILY: it gets no new one" "$(to "$(be 2 7000)")" 0
	hold second 30
	second=$HELD
	ok "$FAMILY: it is back, another weighs more" pxs -b - <<-END
	backend set t $(be 2 7000) state up
	backend set t $(be 1 7000) weight 3
	END
	ask "other weights" t from -n 20
	ok "$FAMILY: one is down" pxs backend set t "$(be 3 7000)" state down
	ask "one is down" t from -n 20
	is "$FAMILY: it gets no new one then" "$(to "$(be 3 7000)")" 0
	ok "$FAMILY: the rows go to a new fill" pxs service set t fill maglev rows 0
	hold third 30
	ok "$FAMILY: all is up" pxs backend set t "$(be 3 7000)" state up
	end_load "$FAMILY: connections from before echo to the end" "$first" first
	end_load "$FAMILY: those from while one drained, too" "$second" second
	end_load "$FAMILY: and those from while one was down" "$HELD" third
	ok "$FAMILY: some were kept" [ "$(service_stat t kept)" -gt 0 ]
	is "$FAMILY: there was room for all" "$(service_stat t not_kept)" 0
	drain_deadline t 1 "$(be 2 7000)"
	slow_start
	bound
	pxs service del t
	stop_backends >/dev/null
}

# A backend that is the director itself: a socket there that has the service's address.
itself()
{
	local at=10.1.0.1:7000

	[ $FAMILY = v4 ] || at="[fd01::1]:7000"
	start_on d "self-$FAMILY" "$BACKEND" udp "$(vip 7000)"
	wait_until 20 grep -q ready "$T_DIR/self-$FAMILY.log" || bail "no server on d"
	pxs service add u udp "$(vip 7000)" mode dsr
	ok "$FAMILY: the director is its own backend" pxs backend add u $at
	ok "$FAMILY: and answers" on c "$TRAFFIC" udp "$(vip 7000)"
	pxs service del u
	stop "$START_PID"
}

# Ways that are kept hold no device back.
device_goes()
{
	for FAMILY in v4 v6; do
		servers_at_vip udp
		pxs service add "u$FAMILY" udp "$(vip 7000)" mode dsr
		add_backends "u$FAMILY" 7000
		ok "$FAMILY: every way is in use" on c "$TRAFFIC" -n 30 -f udp "$(vip 7000)"
		stop_backends >/dev/null
	done
	# On a slow kernel, long; where it is held, for ever.
	ok "a device goes with all of them" timeout 60 ip -n pxs-r link del to-d
	ok "services are there" pxs service show uv6
}

lay 3
for FAMILY in v4 v6; do
	[ "$SHORT" = 1 ] && [ $FAMILY = v6 ] || udp
	[ "$SHORT" = 1 ] && [ $FAMILY = v4 ] || tcp
	itself
done
device_goes
done_testing
