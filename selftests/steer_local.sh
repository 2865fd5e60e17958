#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_local.sh - mode local: sockets of this host get the requests that are theirs
#
# Four servers on the director itself, each on a port of its own; clients ask one address
# and port, from another host and from the director, UDP by key and TCP by flow. Then the same of
# sockets that processes give as descriptors: two at the service's own address, one at any.
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
	# Then nobody else has put IPv6's together.
	ask c "4000 bytes, fragments, by tuple" from udp -f -n 20 -s 4000
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
	ok "$FAMILY udp: passive" pxs service set l passive 1/3600
	refused "$FAMILY udp: who has no socket fails" "no answer" \
		on c "$TRAFFIC" -t 300 -n 4 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	ok "$FAMILY udp: and is out" wait_until 60 failed_are l "$(vip 7009)"
	ask c "then" key udp -n 60 -o 4 -k "$T_DIR/keys"
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

declare -A COOKIE PID

# give PROTO NAME ADDR:PORT [OPTIONS]: a process and its socket; COOKIE[NAME], PID[NAME]
give()
{
	local proto=$1 name=$2
	shift 2
	give_socket "given-$name" l "$proto" "$@"
	PID[$name]=$START_PID
	COOKIE[$name]=$(sed -n 's/^ready //p' "$T_DIR/given-$name.log")
}

three_given()
{
	give "$1" a "$(vip 7000)" id 1
	give "$1" b "$(vip 7000)" id 2
	give "$1" any '[::]:7005'
}

stop_given()
{
	local name
	for name in "${!PID[@]}"; do stop "${PID[$name]}"; done
}

# ask_given HOST NAME key|from PROTO TRAFFIC-ARGS...: as ask, of sockets by their cookies
ask_given()
{
	local h=$1 name=$2 how=$3 proto=$4

	shift 4
	request() { on "$h" "$TRAFFIC" "$@" "$proto" "$(vip 7000)" >"$ANSWERS"; }
	ok "$FAMILY $proto given: $name: all answered" request "$@"
	cut -d' ' -f1 "$ANSWERS" | sed "s/^/lookup l $how /" | pxs -b - |
		sed -n 's/^backend .* socket //p' | paste -d' ' <(cut -d' ' -f1 "$ANSWERS") - \
		>"$T_DIR/wanted"
	ok "$FAMILY $proto given: $name: each by the socket that lookup names" \
		diff "$T_DIR/wanted" "$ANSWERS"
}

of_socket() { pxs -j backend show l | jq -r ".[] | select(.socket == $1) | .$2"; }
is_bad() { [ "$(of_socket "$1" health)" = bad ]; }

# A change that changes nothing, until somebody hears of it.
is_heard() { pxs backend set l socket "${COOKIE[a]}" weight 1 && [ -s "$T_DIR/monitor.log" ]; }

# What udp and tcp have in common, when three are given and have answered; "$@" asks
lose_one()
{
	local proto=$1
	shift
	is "$FAMILY $proto given: each has a name" \
		"$(pxs -j backend show l | jq -c '[.[].socket]')" \
		"[${COOKIE[a]},${COOKIE[b]},${COOKIE[any]}]"
	is "$FAMILY $proto given: counters" \
		"$(pxs -j backend show l | jq -r '.[] | "\(.socket) \(.stats.requests)"' | sort)" \
		"$(by_backend "$ANSWERS")"
	is "$FAMILY $proto given: save says what it leaves out" \
		"$(pxs save service l | grep -c '^# not saved, .* socket ')" 3
	start monitor paxsteer -n pxs-d monitor
	wait_until 60 is_heard || bail "no monitor"
	stop "${PID[b]}"
	"$@" "one is closed"
	ok "$FAMILY $proto given: it is bad" wait_until 60 is_bad "${COOKIE[b]}"
	is "$FAMILY $proto given: and why" "$(of_socket "${COOKIE[b]}" reason)" \
		"its socket is closed"
	ok "$FAMILY $proto given: monitor says so" wait_until 60 \
		grep -q "socket ${COOKIE[b]} .*its socket is closed" "$T_DIR/monitor.log"
	stop "$START_PID"
	refused "$FAMILY $proto given: it is so for good" "closed for good" \
		pxs backend set l socket "${COOKIE[b]}" health good
	ok "$FAMILY $proto given: it is removed" pxs backend del l socket "${COOKIE[b]}"
}

# An address of the director that is no service's
here() { if [ "$FAMILY" = v4 ]; then echo "10.1.0.1:$1"; else echo "[fd01::1]:$1"; fi; }

udp_given()
{
	local other='[fd01::1]'
	[ "$FAMILY" = v4 ] || other=10.1.0.1
	ok "$FAMILY udp given: a service" pxs service add l udp "$(vip 7000)" mode local \
		key payload 4:6 seed $SEED rows 4096
	three_given udp
	ask_keys() { ask_given c "$1" key udp -n 60 -o 4 -k "$T_DIR/keys"; }
	ask_keys "by key"
	is "$FAMILY udp given: replies are counted" "$(service_stat l replies)" 60
	lose_one udp ask_keys
	ok "$FAMILY udp given: one of both families is itself in the other" \
		on c "$TRAFFIC" -n 4 -t 2000 udp "$other:7005"
	ask_given d "a client here" key udp -n 30 -o 4 -k "$T_DIR/keys"
	refused "$FAMILY udp given: no fill by address" "\(fill\)" \
		pxs service set l fill maglev-envoy rows 0
	refused "$FAMILY udp given: no backend by address there" "reply a datagram is" \
		pxs backend add l "$(vip 7005)"
	ok "$FAMILY udp given: another host's port is its own" pxs -b - <<-END
	service add n udp $(vip 7010)
	backend add n $(be 1 7005)
	END
	give udp own "$(here 7008)"
	refused "$FAMILY udp given: this host's is not" "reply a datagram is" \
		pxs backend add n "$(here 7005)"
	refused "$FAMILY udp given: nor with that address" "reply a datagram is" \
		pxs backend add n "$(here 7008)"
	ok "$FAMILY udp given: a backend of nat is this host" pxs backend add n "$(here 7006)"
	refused "$FAMILY udp given: no socket where that is" "reply a datagram is" \
		on d timeout 60 "$TOP/selftests/given.py" serve l udp '[::]:7006'
	ok "$FAMILY udp given: one of mode local" pxs -b - <<-END
	service del n
	service add n udp $(vip 7010) mode local
	backend add n $(vip 7006)
	END
	refused "$FAMILY udp given: nor a socket where another's backend is" "reply a datagram is" \
		on d timeout 60 "$TOP/selftests/given.py" serve l udp '[::]:7006'
	ok "$FAMILY udp given: without the other" pxs service del n
	ok "$FAMILY udp given: end" pxs service del l
	stop_given
}

tcp_given()
{
	ok "$FAMILY tcp given: a service" pxs service add l tcp "$(vip 7000)" mode local \
		seed $SEED rows 4096
	three_given tcp
	ask_flows() { ask_given c "$1" from tcp -n 40; }
	ask_flows "by tuple"
	lose_one tcp ask_flows
	on d sysctl -q -w net.ipv4.tcp_syncookies=2
	ask_flows "SYN cookies"
	on d sysctl -q -w net.ipv4.tcp_syncookies=1
	ok "$FAMILY tcp given: end" pxs service del l
	stop_given
}

# What is no backend; and the processes that gave the others are gone
refusals_given()
{
	local line n=0

	pxs -b - <<-END
	service add u udp $(vip 7001) mode local
	service add t tcp $(vip 7001) mode local
	service add n udp $(vip 7002)
	END
	on d "$TOP/selftests/given.py" refuse u t 192.0.2.1 2001:db8::1 pxs-c >"$T_DIR/cases"
	while read -r line; do
		case $line in
		ok\ *) pass "given: ${line#ok }" ;;
		*) fail "given: $line" ;;
		esac
		n=$((n + 1))
	done <"$T_DIR/cases"
	is "given: cases" $n 13
	refused "given: no service of another mode" 'only services of mode local' \
		on d "$TOP/selftests/given.py" serve n udp "$(vip 7090)"
	ok "given: end" pxs -b - <<-END
	service del u
	service del t
	service del n
	END
}

# A namespace may end though a socket of it was given: it is let go when it is closed.
ends_given()
{
	host e
	link e eth0 10.9.0.2/24 d e0 10.9.0.1/24
	paxsteer -n pxs-e service add l udp 127.0.0.1:7000 mode local
	start_on e given-e "$TOP/selftests/given.py" serve l udp 127.0.0.1:7000
	wait_until 60 grep -q ready "$T_DIR/given-e.log" || bail "nothing is given"
	stop "$START_PID"
	ip netns del pxs-e
	ok "given: its namespace ends" wait_until 60 unplugged d e0
}

# The families differ in who takes what, the protocols in how: each once. make check has an hour:
# there, one of them on each kernel.
GIVEN="udp.v4 tcp.v6 refusals"
case ${PXS_SHORT:-0}.${PXS_KERNEL:-} in
1.6.1)		GIVEN="tcp.v6 refusals" ;;
1.newest)	GIVEN=udp.v4 ;;
1.debug)	GIVEN=udp.v4 ;;
esac
is_due() { [[ " $GIVEN " == *" $1 "* ]]; }

director_hosts 0
keys 100 >"$T_DIR/keys"
for FAMILY in v4 v6; do
	udp
	tcp
	! is_due "udp.$FAMILY" || udp_given
	! is_due "tcp.$FAMILY" || tcp_given
done
FAMILY=v4
! is_due refusals || refusals_given
ends_given
done_testing
