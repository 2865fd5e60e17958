#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_local.sh - mode local: sockets of this host get the requests that are theirs
#
# Four servers on the director itself, each on a port of its own; clients ask one address
# and port, from another host and from the director, UDP by key and TCP by flow.
#
# check-kernels: 6.1 newest debug
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
. "$(dirname "$0")/director.sh"

SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers

# servers PROTO: on the director
servers()
{
	start_on d "servers-$1-$FAMILY" "$BACKEND" "$1" "$(vip 7001)" "$(vip 7002)" "$(vip 7003)" \
		"$(vip 7004)"
	SERVERS=$START_PID
	wait_until 20 grep -q ready "$T_DIR/servers-$1-$FAMILY.log" || bail "no $1 servers"
}

local_backends()
{
	local i
	for i in 7001 7002 7003 7004; do echo "backend add l $(vip $i)"; done | pxs -b -
}

# ask HOST NAME key|from PROTO TRAFFIC-ARGS...
ask()
{
	local h=$1 name=$2 how=$3 proto=$4

	shift 4
	request() { on "$h" "$TRAFFIC" "$@" "$proto" "$(vip 7000)" >"$ANSWERS"; }
	ok "$FAMILY $proto: $name: all answered" request "$@"
	agrees "$FAMILY $proto: $name: each by the socket that lookup names" l "$how" "$ANSWERS"
}

to() { grep -cF " $1" "$ANSWERS"; }

udp()
{
	servers udp
	ok "$FAMILY udp: add a service" pxs service add l udp "$(vip 7000)" mode local \
		key payload 4:6 seed $SEED rows 4096
	ok "$FAMILY udp: add sockets" local_backends
	ask c "by key" key udp -n 100 -o 4 -k "$T_DIR/keys"
	is "$FAMILY udp: all serve" "$(by_backend "$ANSWERS" | wc -l)" 4
	is "$FAMILY udp: counters" "$(counted l requests)" "$(by_backend "$ANSWERS")"
	is "$FAMILY udp: replies are counted" "$(service_stat l replies)" 100
	ask c "4000 bytes, fragments" key udp -n 20 -o 4 -k "$T_DIR/keys" -s 4000
	ask c "16 requests in a packet" key udp -n 32 -o 4 -k "$T_DIR/keys" -s 100 -G
	# Only a key in the payload wants to see packets before they are routed: again with it.
	ok "$FAMILY udp: the key is not in the payload any more" pxs service set l key tuple
	ok "$FAMILY udp: and is again" pxs service set l key payload 4:6
	ask c "16 requests, then" key udp -n 32 -o 4 -k "$T_DIR/keys" -s 100 -G
	ask d "a client here" key udp -n 60 -o 4 -k "$T_DIR/keys"
	ask d "there, 4000 bytes" key udp -n 20 -s 4000 -o 4 -k "$T_DIR/keys"
	ok "$FAMILY udp: a socket drains" pxs backend set l "$(vip 7002)" state drain
	ask c "one drains" key udp -n 60 -o 4 -k "$T_DIR/keys"
	is "$FAMILY udp: it gets nothing" "$(to "$(vip 7002)")" 0
	ok "$FAMILY udp: it is back" pxs backend set l "$(vip 7002)" state up
	ok "$FAMILY udp: a backend without a socket" pxs backend add l "$(vip 7009)" weight 65535
	refused "$FAMILY udp: is not answered for by another" "no answer" \
		on c "$TRAFFIC" -t 300 -n 4 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	ok "$FAMILY udp: and counted" [ "$(service_stat l no_socket)" -ge 1 ]
	ok "$FAMILY udp: end" pxs service del l
	refused "$FAMILY udp: then nobody answers" "no answer|refused" \
		on c "$TRAFFIC" -t 300 udp "$(vip 7000)"
	stop "$SERVERS"
}

tcp()
{
	local before

	servers tcp
	ok "$FAMILY tcp: add a service" pxs service add l tcp "$(vip 7000)" mode local \
		seed $SEED rows 4096
	ok "$FAMILY tcp: add sockets" local_backends
	ask c "by tuple" from tcp -n 60
	is "$FAMILY tcp: all serve" "$(by_backend "$ANSWERS" | wc -l)" 4
	is "$FAMILY tcp: counters" "$(counted l requests)" "$(by_backend "$ANSWERS")"
	ask d "a client here" from tcp -n 20
	start_on c "held-$FAMILY" "$TRAFFIC" -n 60 -H tcp "$(vip 7000)"
	HELD=$START_PID
	ok "$FAMILY tcp: 60 connections are held" \
		wait_until 60 grep -q '^held 60' "$T_DIR/held-$FAMILY.log"
	before=$(table l digest)
	ok "$FAMILY tcp: a socket drains" pxs backend set l "$(vip 7003)" state drain
	ask c "one drains" from tcp -n 40
	is "$FAMILY tcp: it gets nothing new" "$(to "$(vip 7003)")" 0
	ok "$FAMILY tcp: another is removed" pxs backend del l "$(vip 7001)"
	ask c "one is removed" from tcp -n 40
	is "$FAMILY tcp: nor does it" "$(to "$(vip 7001)")" 0
	end_load "$FAMILY tcp: held connections echo to the end" "$HELD" "held-$FAMILY"
	ok "$FAMILY tcp: both are back" pxs -b - <<-END
	backend set l $(vip 7003) state up
	backend add l $(vip 7001)
	END
	is "$FAMILY tcp: the digest is as before" "$(table l digest)" "$before"
	ok "$FAMILY tcp: end" pxs service del l
	stop "$SERVERS"
}

director_hosts 0
keys 100 >"$T_DIR/keys"
for FAMILY in v4 v6; do
	udp
	tcp
done
done_testing
