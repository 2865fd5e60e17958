#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_icmp.sh - ICMP errors about steered datagrams reach those that they concern
#
#     c ──── r ──── d ──── b1      client, router, director with the VIP, backend. One cable at
#                                  a time is narrow: d-b1 for requests, c-r for replies
#
# check-kernels: 6.1
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
. "$(dirname "$0")/director.sh"

TOLD=$(prog told) || bail "selftests/told.c does not build"
NARROW=1300

# A router between client and director, where director.sh has none.
lay_client()
{
	host r
	on r sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	link c eth0 10.1.0.2/24,fd01::2/64 r c0 10.1.0.1/24,fd01::1/64
	link r eth0 10.3.0.2/24,fd03::2/64 d r0 10.3.0.1/24,fd03::1/64
	default_route c 10.1.0.1 fd01::1
	default_route r 10.3.0.1 fd03::1
	routes_to_client add
}

# routes_to_client add|del: what was learned of the path goes with them
routes_to_client()
{
	printf "route $1 %s via %s\n" 10.1.0.0/24 10.3.0.2 fd01::/64 fd03::2 |
		ip -n pxs-d -batch -
}

# mtu N HOST DEV HOST DEV: of both ends of a cable
mtu() { ip -n "pxs-$2" link set "$3" mtu "$1" && ip -n "pxs-$4" link set "$5" mtu "$1"; }

director() { if [ "$FAMILY" = v4 ]; then echo "10.3.0.1:$1"; else echo "[fd03::1]:$1"; fi; }
addr() { local at; at=$("$@" 0); at=${at%:0}; at=${at#[}; echo "${at%]}"; }

# asks HOST ADDR:PORT SIZE...: as told.c says
asks() { on "$1" "$TOLD" "$2" "${@:3}"; }

# send_large: a datagram whose answer does not fit; nobody waits for it
send_large()
{
	on c bash -c 'head -c 1400 /dev/zero >/dev/udp/'"$(addr vip)"/7000
}

# knows HOST: it has learned how narrow the path to the client is
knows() { ip -n "pxs-$1" route get "$(addr client)" | grep -q "mtu $NARROW"; }

too_large_a_request()
{
	mtu $NARROW d b1 b1 eth0
	is "$FAMILY: a request too large for the path behind the director: the client is told" \
		"$(asks c "$(vip 7000)" 1400 1400 1200)" \
		"$(printf '%s\n' "1400 told EMSGSIZE by $(addr director) $NARROW" \
			"1400 refused EMSGSIZE $NARROW" "1200 answered $NARROW")"
	mtu 1500 d b1 b1 eth0
	is "$FAMILY: which is counted" "$(service_stat u icmp_requests)" 1
	is "$FAMILY: for the backend, too" "$(counted u icmp_requests)" "$(be 1 7000) 1"
}

# told_by_client TO OF: ICMP to address TO that its datagram did not reach port 7000 of OF
told_by_client()
{
	on c python3 - "$@" <<-'END'
	import socket, struct, sys
	to, of = (socket.inet_aton(a) for a in sys.argv[1:])
	quote = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28, 1, 0, 64, 17, 0, to, of)
	quote += struct.pack('!HHHH', 5555, 7000, 8, 0)
	total = sum(struct.unpack('!18H', b'\3\3' + bytes(6) + quote))
	while total >> 16:
	    total = (total & 0xffff) + (total >> 16)
	raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	raw.sendto(struct.pack('!BBHI', 3, 3, total ^ 0xffff, 0) + quote, (sys.argv[1], 0))
	END
}

heard_of_requests() { [ "$(service_stat u icmp_requests)" = "$1" ]; }

# What anybody could say in his own name is no failure of the backend.
said_by_another()
{
	ok "$FAMILY: another host says it" told_by_client "$(addr director)" "$(addr be 1)"
	ok "$FAMILY: which is heard" wait_until 20 heard_of_requests 4
	is "$FAMILY: and is no failure" "$(service_stat u unreachable)" 2
}

nobody_listens()
{
	stop_backends >/dev/null
	like "$FAMILY: a backend without a server: the client is told, as if by the service" \
		"$(asks c "$(vip 7000)" 100)" "^100 told ECONNREFUSED by $(addr vip) "
	like "$FAMILY: a client on the director, too" \
		"$(asks d "$(vip 7000)" 100)" "^100 told ECONNREFUSED by $(addr vip) "
	is "$FAMILY: which is counted" "$(service_stat u icmp_requests)" 3
	like "$FAMILY: who asks the backend itself is told of the backend" \
		"$(asks d "$(be 1 7000)" 100)" "^100 told ECONNREFUSED by $(addr be 1) "
	is "$FAMILY: which is not counted" "$(service_stat u icmp_requests)" 3
	is "$FAMILY: two say that the backend failed" "$(service_stat u unreachable)" 2
	[ "$FAMILY" = v6 ] || said_by_another
	start_backends udp 7000
}

# Whom nobody has ever heard of: this host says so itself, to clients here as to others.
host_is_gone()
{
	local gone was

	gone=$(be 1 7000 | sed 's/2\(]*:7000\)$/77\1/')
	was=$(service_stat u unreachable)
	on d sysctl -q -w net.ipv4.neigh.b1.retrans_time_ms=100 \
		net.ipv6.neigh.b1.retrans_time_ms=100
	ok "$FAMILY: a backend whose host is gone" pxs -b - <<-END
	backend set u $(be 1 7000) state down
	backend add u $gone
	END
	like "$FAMILY: the client is told" \
		"$(asks c "$(vip 7000)" 100)" "^100 told EHOSTUNREACH by $(addr director) "
	is "$FAMILY: which is a failure" "$(service_stat u unreachable)" $((was + 1))
	like "$FAMILY: a client on the director is told" \
		"$(asks d "$(vip 7000)" 100)" "^100 told EHOSTUNREACH by "
	is "$FAMILY: which is one, too" "$(counted u unreachable)" "$(printf '%s\n' \
		"$(be 1 7000) $was" "$gone 2")"
	ok "$FAMILY: the other is back" pxs -b - <<-END
	backend del u $gone
	backend set u $(be 1 7000) state up
	END
}

too_large_a_reply()
{
	mtu $NARROW c eth0 r c0
	send_large
	ok "$FAMILY: a reply that is too large: the director learns it" wait_until 20 knows d
	is "$FAMILY: which is counted" "$(service_stat u icmp_replies)" 1
	send_large
	ok "$FAMILY: and tells the backend when it sends the next one" wait_until 20 knows b1
	is "$FAMILY: which is counted for it" "$(counted u icmp_replies)" "$(be 1 7000) 1"
	ok "$FAMILY: from then on large replies arrive" \
		on c "$TRAFFIC" -n 3 -s 1400 udp "$(vip 7000)"
	mtu 1500 c eth0 r c0
}

nat()
{
	start_backends udp 7000
	ok "$FAMILY: add a service" pxs service add u udp "$(vip 7000)" key payload 0:4
	ok "$FAMILY: add a backend" add_backends u 7000
	ok "$FAMILY: it answers" on c "$TRAFFIC" -s 1400 udp "$(vip 7000)"
	too_large_a_request
	nobody_listens
	host_is_gone
	too_large_a_reply
	stop_backends >/dev/null
	pxs service del u
}

local_sockets()
{
	start_on d "local-$FAMILY" "$BACKEND" udp "$(vip 7001)"
	wait_until 20 grep -q ready "$T_DIR/local-$FAMILY.log" || bail "no server on d"
	ok "$FAMILY local: add a service" pxs service add l udp "$(vip 7000)" mode local
	ok "$FAMILY local: add a socket" pxs backend add l "$(vip 7001)"
	routes_to_client del
	routes_to_client add
	ok "$FAMILY local: nothing is known of the path" on c "$TRAFFIC" -s 1400 udp "$(vip 7000)"
	mtu $NARROW c eth0 r c0
	send_large
	ok "$FAMILY local: a reply that is too large: the host learns it" wait_until 20 knows d
	is "$FAMILY local: which is counted" "$(service_stat l icmp_replies)" 1
	ok "$FAMILY local: from then on large replies arrive" \
		on c "$TRAFFIC" -n 3 -s 1400 udp "$(vip 7000)"
	mtu 1500 c eth0 r c0
	pxs service del l
	stop "$START_PID"
}

director_hosts 1
for FAMILY in v4 v6; do
	nat
	local_sockets
done
done_testing
