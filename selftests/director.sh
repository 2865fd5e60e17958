# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # T_DIR is lib.sh's
#
# director.sh - a client, a director and its backends, for tests and the demo
#
#     c ──────────── d ──┬── b1       c: 10.1.0.2, fd01::2; default route over d
#     client  director   ├── b2       d: VIP 192.0.2.1, 2001:db8::1 on lo; forwards
#                        └── b3 ...   bI: 10.2.I.2, fd02:I::2; default route over d
#
# Source lib.sh first. FAMILY=v4|v6 chooses what vip, be and client say.

FAMILY=${FAMILY:-v4}
D_N=0 D_PIDS=()
BACKEND=$(prog backend) || bail "selftests/backend.c does not build"
TRAFFIC=$(prog traffic) || bail "selftests/traffic.c does not build"

# lay_client, lay_backend I: their cables to the director
lay_client()
{
	link c eth0 10.1.0.2/24,fd01::2/64 d c0 10.1.0.1/24,fd01::1/64
	default_route c 10.1.0.1 fd01::1
}

lay_backend()
{
	link "b$1" eth0 "10.2.$1.2/24,fd02:$1::2/64" d "b$1" "10.2.$1.1/24,fd02:$1::1/64"
	default_route "b$1" "10.2.$1.1" "fd02:$1::1"
}

# director_hosts N
director_hosts()
{
	local i
	D_N=$1
	host c
	host d
	lay_client
	on d sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	printf 'addr add %s dev lo\n' 192.0.2.1/32 2001:db8::1/128 | ip -n pxs-d -batch -
	for ((i = 1; i <= D_N; i++)); do
		host "b$i"
		lay_backend "$i"
	done
}

default_route()
{
	printf 'route add default via %s\n' "$2" "$3" | ip -n "pxs-$1" -batch -
}

# vip PORT, be I PORT, client PORT: ADDR:PORT of this family
vip() { if [ "$FAMILY" = v4 ]; then echo "192.0.2.1:$1"; else echo "[2001:db8::1]:$1"; fi; }
be() { if [ "$FAMILY" = v4 ]; then echo "10.2.$1.2:$2"; else echo "[fd02:$1::2]:$2"; fi; }
client() { if [ "$FAMILY" = v4 ]; then echo "10.1.0.2:$1"; else echo "[fd01::2]:$1"; fi; }

# pxs ARGS...: the command on the director
pxs() { paxsteer -n pxs-d "$@"; }

# start_backends udp|tcp PORT: a server on each backend; their pids in D_PIDS
start_backends()
{
	local i
	D_PIDS=()
	for ((i = 1; i <= D_N; i++)); do
		start_on "b$i" "be$i" "$BACKEND" "$1" "$(be "$i" "$2")"
		D_PIDS+=("$START_PID")
	done
	backends_ready
}

backends_ready()
{
	local i

	for ((i = 1; i <= D_N; i++)); do
		wait_until 20 grep -q ready "$T_DIR/be$i.log" ||
			bail "backend $i does not start: $(cat "$T_DIR/be$i.log")"
	done
}

# servers_at_vip udp|tcp: one on each backend, at the VIP, called by the backend's own address;
# their pids are added to D_PIDS
servers_at_vip()
{
	local i

	for ((i = 1; i <= D_N; i++)); do
		start_on "b$i" "be$i" "$BACKEND" -n "$(be "$i" 7000)" "$1" "$(vip 7000)"
		D_PIDS+=("$START_PID")
	done
	backends_ready
}

# refusals SERVICE: what forwarding it counted of them
refusals()
{
	pxs -j service show "$1" | jq -c '.[0].stats | [.errors, .no_route, .too_big]'
}

# give_socket NAME SERVICE PROTO ADDR:PORT [OPTIONS]: by a process on the director, START_PID, that
# lives until it is stopped; it says the socket's name in $T_DIR/NAME.log
give_socket()
{
	start_on d "$1" "$TOP/selftests/given.py" serve "${@:2}"
	wait_until 60 grep -q ready "$T_DIR/$1.log" ||
		bail "$1 is not given: $(cat "$T_DIR/$1.log")"
}

# stop_backends: end them; "ADDR:PORT COUNT" of each that got anything, sorted, is printed. Not in
# $(...): a subshell can't wait for them
stop_backends()
{
	local p
	for p in "${D_PIDS[@]}"; do stop "$p"; done
	D_PIDS=()
	cat "$T_DIR"/be*.log | grep -v ready | sort
}

# add_backends SERVICE PORT [OPTIONS]: all of them
add_backends()
{
	local i s=$1 p=$2
	shift 2
	for ((i = 1; i <= D_N; i++)); do
		echo "backend add $s $(be "$i" "$p") $*"
	done | pxs -b -
}

# keys N: one a line, of 6 bytes
keys() { seq -f 'k%05g' 1 "$1"; }

# lookups SERVICE key|from FILE: "NAME BACKEND" for each name in FILE, as the module answers
lookups()
{
	sed "s/^/lookup $1 $2 /" "$3" | pxs -b - | sed -n 's/^backend  *\([^ ]*\).*/\1/p' |
		paste -d' ' "$3" -
}

# agrees NAME SERVICE key|from ANSWERS: each answer came from where lookup says
agrees()
{
	local name=$1
	cut -d' ' -f1 "$4" >"$T_DIR/names"
	lookups "$2" "$3" "$T_DIR/names" >"$T_DIR/wanted" 2>&1
	if [ ! -s "$4" ]; then
		fail "$name" "no answers"
	elif diff "$T_DIR/wanted" "$4" >"$T_DIR/diff"; then
		pass "$name"
	else
		fail "$name" "$(wc -l <"$4") answers, lookup (<) and answers (>) differ:" \
			"$(head -n 20 "$T_DIR/diff")"
	fi
}

# by_backend FILE: "BACKEND COUNT" of "NAME BACKEND" lines, sorted
by_backend() { cut -d' ' -f2 "$1" | sort | uniq -c | awk '{ print $2, $1 }' | sort; }

# counted SERVICE STAT: "BACKEND COUNT" of each backend with any, sorted
counted()
{
	pxs -j backend show "$1" | jq -r ".[] | select(.stats.$2 > 0) |
		(if .addr | contains(\":\") then \"[\(.addr)]\" else .addr end) +
		\":\(.port) \(.stats.$2)\"" | sort
}

# service_stat SERVICE STAT, table SERVICE FIELD
service_stat() { pxs -j service show "$1" | jq -r ".[0].stats.$2"; }
table() { pxs -j table show "$1" | jq -r ".$2"; }

# failed_are SERVICE [BACKEND...]: they are out by what the kernel saw, and no others
failed_are()
{
	[ "$(pxs -j backend show "$1" | jq -r '.[] | select(.failed) |
		(if .addr | contains(":") then "[\(.addr)]" else .addr end) + ":\(.port)"')" = \
		"$(printf '%s\n' "${@:2}")" ]
}

# load NAME TRAFFIC-ARGS...: traffic -l from the client until end_load; its pid is LOAD_PID
# shellcheck disable=SC2034  # for the test
load()
{
	local name=$1
	shift
	start_on c "$name" "$TRAFFIC" -l "$@"
	LOAD_PID=$START_PID
	wait_until 20 grep -q running "$T_DIR/$name.log"
}

# end_load TEST PID NAME: stop it; it must have lost nothing
end_load()
{
	kill -TERM "$2"
	if wait "$2"; then
		pass "$1"
		diag "$(tail -n 1 "$T_DIR/$3.log")"
	else
		fail "$1" "$(tail -n 12 "$T_DIR/$3.log")"
	fi
}

# deadline SERVICE INDEX CONDITION: is it true, in jq's words, of the backend?
deadline() { pxs -j backend show "$1" | jq -e ".[] | select(.index == $2) | $3"; }

# passed SERVICE N: of so many backends the deadline has
passed() { pxs -j backend show "$1" | jq -e "[.[] | select(.left == 0)] | length == $2"; }

# drain_deadline SERVICE INDEX BACKEND [OTHER]: TCP at VIP:7000; of the connections to the backend all
# echo while it drains and none behind the deadline, nor of those to the other, which drains with
# that deadline alone; the rest does not notice
drain_deadline()
{
	local svc=$1 index=$2 backend=$3 other=${4:-} fifo=$T_DIR/drain.fifo log=$T_DIR/drained.log
	local had host wanted ends=1

	[ -z "$other" ] || ends=2
	host=$(vip 7000) host=${host%:7000} host=${host#[} host=${host%]}
	answers() { [ "$(wc -l <"$log")" -ge "$1" ]; }
	rm -f "$fifo" && mkfifo "$fifo"
	exec 8<>"$fifo"
	on c "$TOP/selftests/tcp_drain.py" "$host" 7000 60 <"$fifo" >"$log" 2>&1 8>&- &
	wait_until 60 answers 1 || bail "no connections: $(cat "$log")"
	had=$(head -n 1 "$log")
	ok "$FAMILY: the backend has some of the connections" grep -qF "$backend " <<<"$had"
	ok "$FAMILY: it drains" pxs backend set "$svc" "$backend" state drain deadline 600
	ok "$FAMILY: time is left" deadline "$svc" "$index" '.left > 0 and .left <= 600'
	echo >&8
	wait_until 60 answers 2
	is "$FAMILY: all connections go on" "$(sed -n 2p "$log")" "$had"
	ok "$FAMILY: another deadline" pxs -b - <<-END
	backend set $svc $backend deadline 1
	${other:+backend set $svc $other state drain deadline 1}
	END
	ok "$FAMILY: it passes" wait_until 30 passed "$svc" $ends
	echo >&8
	wait_until 90 answers 3
	wanted=$(awk -v a="$backend" -v b="$other" '{ for (i = 1; i < NF; i += 3)
		if ($i == a || $i == b) { $(i + 2) = $(i + 1); $(i + 1) = 0 } print }' <<<"$had")
	is "$FAMILY: it has none any more, the others have theirs" "$(sed -n 3p "$log")" "$wanted"
	is "$FAMILY: it drains still" "$(pxs -j backend show "$svc" |
		jq -c ".[$index] | [.state, .rows, .deadline]")" '["drain",0,1]'
	ok "$FAMILY: it is back" pxs -b - <<-END
	backend set $svc $backend state up
	${other:+backend set $svc $other state up}
	END
	ok "$FAMILY: without a deadline" deadline "$svc" "$index" ".left == null"
	exec 8>&-
}
