#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_ports.sh - services and backends come and go on ports that are alike
#
#     c ──── d ──┬── b1       u: VIP:7000 -> bI:7000, by nat; l: VIP:7512, local. The others'
#                └── b2       ports have the same low byte, by which packets are let pass unread.
#
# limit: 600
# check-kernels: newest

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
. "$(dirname "$0")/director.sh"

# asked NAME PORT [HOST]: requests are answered, from where they were sent to
asked() { ok "$FAMILY: $1" on "${3:-c}" "$TRAFFIC" -n 20 -f udp "$(vip "$2")"; }

# silent NAME PORT
silent() { refused "$FAMILY: $1" "no answer" on c "$TRAFFIC" -t 300 udp "$(vip "$2")"; }

# server HOST NAME ADDR:PORT; its pid in START_PID
server()
{
	start_on "$1" "$2" "$BACKEND" udp "$3"
	wait_until 20 grep -q ready "$T_DIR/$2.log" || bail "$2 does not start"
}

add_u()
{
	pxs service add u udp "$(vip 7000)" key tuple rows 256 && add_backends u 7000
}

# Nobody, or only somebody with another port, who comes and goes.
others()
{
	asked "before any service a socket of the director answers" 7768
	ok "$FAMILY: a service" add_u
	asked "it is answered for" 7000
	asked "for the director itself, too" 7000 d
	asked "the socket still answers" 7768
	ok "$FAMILY: another with such a port" pxs service add o udp "$(vip 7256)" key tuple
	ok "$FAMILY: and such a backend" pxs backend add o "$(be 1 7256)"
	asked "with it" 7000
	asked "nor is the socket disturbed" 7768
	ok "$FAMILY: the backend goes" pxs backend del o "$(be 1 7256)"
	asked "without it" 7000
	ok "$FAMILY: and comes" pxs backend add o "$(be 1 7256)"
	ok "$FAMILY: the service goes with it" pxs service del o
	asked "without them" 7000
	asked "without them, for the director itself" 7000 d
	is "$FAMILY: all replies came through the service" "$(service_stat u replies)" \
		"$(service_stat u requests)"
}

# What is refused leaves nothing behind and takes nothing away.
refused_ones()
{
	refused "$FAMILY: the same once more" "a service has" \
		pxs service add o udp "$(vip 7000)" key tuple
	refused "$FAMILY: a backend of another's" "a backend of another service" \
		pxs -b - <<-END
			service add o udp $(vip 7256)
			backend add o $(be 1 7000)
		END
	ok "$FAMILY: which goes" pxs service del o
	asked "after what was refused" 7000
}

# One backend of several with a port goes; the service's port is no longer anybody's.
ends()
{
	ok "$FAMILY: one backend goes" pxs backend del u "$(be 1 7000)"
	asked "the other answers" 7000
	ok "$FAMILY: a service with such a port" pxs service add o udp "$(vip 7256)" key tuple
	ok "$FAMILY: the first goes" pxs service del u
	silent "nobody has its port" 7000
	ok "$FAMILY: the other goes" pxs service del o
	silent "nor then" 7000
	asked "the socket answers to the end" 7768
	ok "$FAMILY: the service is back" add_u
	asked "and answered for" 7000
	ok "$FAMILY: and gone" pxs service del u
}

# Requests to sockets of this host, several in a packet: cut apart before they are delivered.
local_ones()
{
	keys 40 >"$T_DIR/keys"
	ok "$FAMILY: a local service" pxs -b - <<-END
		service add l udp $(vip 7512) key payload 4:6 mode local rows 256
		backend add l $(vip 7768)
		backend add l $(vip 8024)
	END
	asked "it is answered for" 7512
	ok "$FAMILY: 16 requests in a packet" on c "$TRAFFIC" -n 32 -o 4 -k "$T_DIR/keys" \
		-s 100 -G udp "$(vip 7512)"
	ok "$FAMILY: a remote one beside it" add_u
	asked "which is answered for" 7000
	ok "$FAMILY: and goes" pxs service del u
	asked "the local one stays" 7512
	ok "$FAMILY: 16 requests in a packet, then" on c "$TRAFFIC" -n 32 -o 4 -k "$T_DIR/keys" \
		-s 100 -G udp "$(vip 7512)"
	ok "$FAMILY: it goes" pxs service del l
	silent "it is gone" 7512
	asked "its sockets are asked by themselves" 8024
}

director_hosts 2
for FAMILY in v4 v6; do
	start_backends udp 7000
	server d here1 "$(vip 7768)"
	here=("$START_PID")
	server d here2 "$(vip 8024)"
	here+=("$START_PID")
	others
	refused_ones
	ends
	local_ones
	stop_backends >/dev/null
	for p in "${here[@]}"; do stop "$p"; done
done
done_testing
