#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_tcp.sh - TCP by nat: a connection goes where "paxsteer lookup" says, and stays there
#
# Every backend greets a connection with its name and echoes. Connections are opened one
# after the other, held open through changes of the table, and pinged all the while.
#
# check-kernels: 6.1
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
. "$(dirname "$0")/director.sh"

SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers

# ask HOST NAME TRAFFIC-ARGS...: all connect, each to the one that lookup names
ask()
{
	local h=$1 name=$2

	shift 2
	connect() { on "$h" "$TRAFFIC" "$@" tcp "$(vip 7000)" >"$ANSWERS"; }
	ok "$FAMILY: $name: all connect" connect "$@"
	agrees "$FAMILY: $name: each to the backend that lookup names" t from "$ANSWERS"
}

by_flow()
{
	ok "$FAMILY: add a service" pxs service add t tcp "$(vip 7000)" seed $SEED rows 4096
	ok "$FAMILY: add backends" add_backends t 7000
	ask c "by tuple" -n 60
	is "$FAMILY: all backends serve" "$(by_backend "$ANSWERS" | wc -l)" "$D_N"
	is "$FAMILY: a connection is counted once" \
		"$(counted t requests)" "$(by_backend "$ANSWERS")"
	stop_backends >"$T_DIR/seen"
	is "$FAMILY: servers saw what the counters say" "$(counted t requests)" "$(<"$T_DIR/seen")"
	start_backends tcp 7000
	ask d "a client on the director" -n 20
	ok "$FAMILY: fill maglev" pxs service set t fill maglev rows 4099
	ask c "maglev" -n 40
	ok "$FAMILY: fill rendezvous again" pxs service set t fill rendezvous rows 4096
}

by_source()
{
	local i binds=()

	for i in 2 3 4 5 6 7 8 9; do
		binds+=(-b "$(client 0 | sed "s/2\(]*:0\)/$i\1/")")
	done
	ok "$FAMILY: key source" pxs service set t key source
	ask c "by source" -n 24 "${binds[@]}"
	is "$FAMILY: a source stays with one" \
		"$(sed 's/:[0-9]* / /' "$ANSWERS" | sort -u | wc -l)" 8
	ok "$FAMILY: key tuple again" pxs service set t key tuple
}

# to BACKEND: how many of the answers name it
to() { grep -cF " $1" "$ANSWERS"; }

# What is open stays open and where it is, whatever happens to the table.
held()
{
	local before victim

	start_on c held "$TRAFFIC" -n 120 -H tcp "$(vip 7000)"
	HELD=$START_PID
	ok "$FAMILY: 120 connections are held" wait_until 60 grep -q '^held 120' "$T_DIR/held.log"
	before=$(table t digest)
	victim=$(be 2 7000)
	ok "$FAMILY: the backend with held ones drains" pxs backend set t "$victim" state drain
	ask c "one drains" -n 40
	is "$FAMILY: it gets no new one" "$(to "$victim")" 0
	ok "$FAMILY: it is back" pxs backend set t "$victim" state up
	ok "$FAMILY: weights change" pxs backend set t "$(be 1 7000)" weight 5
	ask c "other weights" -n 40
	ok "$FAMILY: a backend is removed" pxs backend del t "$(be 3 7000)"
	ask c "one removed" -n 40
	is "$FAMILY: it gets no new one after that" "$(to "$(be 3 7000)")" 0
	ok "$FAMILY: another is down" pxs backend set t "$victim" state down
	ask c "one is down" -n 40
	is "$FAMILY: nor does it" "$(to "$victim")" 0
	end_load "$FAMILY: every held connection echoes to the end" "$HELD" held
	ok "$FAMILY: all is as it was" pxs -b - <<-END
	backend set t $victim state up
	backend set t $(be 1 7000) weight 1
	backend add t $(be 3 7000)
	END
	is "$FAMILY: the digest too" "$(table t digest)" "$before"
}

# New connections all the while: changes of the table lose none.
replacement()
{
	local gen i state

	gen=$(table t generation)
	load load tcp "$(vip 7000)"
	for ((i = 1; i <= 8; i++)); do
		state=up
		[ $((i % 2)) = 0 ] || state=drain
		echo "backend set t $(be $((i % 4 + 1)) 7000) weight $((i % 3 + 2))"
		echo "backend set t $(be $(((i - 1) / 2 % 4 + 1)) 7000) state $state"
	done >"$T_DIR/changes"
	while read -r i; do echo "$i" | pxs -b - || fail "$i"; done <"$T_DIR/changes"
	end_load "$FAMILY: changes under load lose no connection" "$LOAD_PID" load
	is "$FAMILY: each change made a table" $(($(table t generation) - gen)) 16
	for i in 1 2 3 4; do echo "backend set t $(be $i 7000) state down"; done | pxs -b -
	refused "$FAMILY: nobody is up: no connection" "connect|no answer" \
		on c "$TRAFFIC" -t 300 tcp "$(vip 7000)"
	ok "$FAMILY: which is counted" [ "$(service_stat t no_backend)" -ge 1 ]
	ok "$FAMILY: end" pxs service del t
}

director_hosts 4
for i in 3 4 5 6 7 8 9; do
	printf 'addr add %s dev eth0\n' 10.1.0.$i/24 fd01::$i/64
done | ip -n pxs-c -batch -
for FAMILY in v4 v6; do
	start_backends tcp 7000
	by_flow
	by_source
	held
	[ $FAMILY = v6 ] || drain_deadline t 1 "$(be 2 7000)" "$(be 4 7000)"
	replacement
	stop_backends >/dev/null
done
done_testing
