#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_bound.sh - bounded load: what is new for a full backend goes to the next in line
#
#     c ──── d ──┬── b1       d also has four local servers, one of which stops reading;
#                └── b2, b3   b1..b3 serve by nat, and all requests have one key
#
# check-kernels: 6.12
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
. "$(dirname "$0")/director.sh"

SEED=000102030405060708090a0b0c0d0e0f
LIFE=(-t 120000)

# why QUESTION, says WORDS QUESTION: what lookup says of it
why() { pxs lookup "$@" | sed -n 's/^why  *//p'; }
says() { local want=$1; shift; [ "$(why "$@")" = "$want" ]; }
owner_of() { pxs -j lookup "$@" | jq -r '"\(.addr):\(.port)"'; }
all_share() { [ "$(counted u requests | wc -l)" = 3 ]; }
stat_is() { [ "$(service_stat "$1" "$2")" -ge "$3" ]; }

# full SERVICE: addresses of who is full
full() { pxs -j backend show "$1" | jq -r '.[] | select(.full == 1) | "\(.addr):\(.port)"'; }

is_full() { [ "$(full "$1")" = "$2" ]; }

# local_servers PROTO: each a process of its own, so that one can be stopped
local_servers()
{
	local p
	for p in 7001 7002 7003 7004; do
		start_on d "$1-$p" "$BACKEND" "$1" "$(vip $p)"
		eval "PID_$p=\$START_PID"
		wait_until 20 grep -q ready "$T_DIR/$1-$p.log" || bail "no $1 server"
	done
	for p in 7001 7002 7003 7004; do echo "backend add l $(vip $p)"; done | pxs -b -
}

pid_of() { local v="PID_${1##*:}"; echo "${!v}"; }

# A reader that stops: its queue grows, its keys spill, and come back when it reads again.
local_udp()
{
	local stuck
	ok "udp: a service with a bound" pxs service add l udp "$(vip 7000)" mode local \
		key payload 4:6 seed $SEED rows 4096 bound 1.25
	is "udp: it is shown" "$(pxs -j service show l | jq '.[0].bound')" 1.25
	local_servers udp
	stuck=$(owner_of l key k00001)
	is "udp: nobody is full" "$(full l)" ""
	kill -STOP "$(pid_of "$stuck")"
	yes k00001 | head -n 30 >"$T_DIR/hot"
	refused "udp: its reader stops" "no answer" \
		on c "$TRAFFIC" -t 20 -n 30 -o 4 -k "$T_DIR/hot" udp "$(vip 7000)"
	ok "udp: its keys spill" wait_until 20 says 'second choice: the first is full' l key k00001
	is "udp: it alone is full" "$(full l)" "$stuck"
	ok "udp: all keys are answered" \
		on c "$TRAFFIC" -n 60 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	ok "udp: what spilled is counted" stat_is l spilled 1
	is "udp: none of it as a failure" "$(service_stat l second)" 0
	kill -CONT "$(pid_of "$stuck")"
	ok "udp: it reads again, and they come back" wait_until 20 says 'first choice' l key k00001
	is "udp: nobody is full any more" "$(full l)" ""
	ok "udp: end" pxs service del l
}

# The same of a listener that does not accept; who is connected stays.
local_tcp()
{
	local stuck from
	ok "tcp: a service with a bound" pxs service add l tcp "$(vip 7000)" mode local \
		key source seed $SEED bound 1.25
	local_servers tcp
	from="${CLIENT%:*}"
	stuck=$(owner_of l from "$from")
	start_on c held "$TRAFFIC" -H -n 10 "${LIFE[@]}" tcp "$(vip 7000)"
	ok "tcp: 10 connections are held" wait_until 20 grep -q 'held 10' "$T_DIR/held.log"
	kill -STOP "$(pid_of "$stuck")"
	# The handshake needs no accept(): the greeting is what does not come.
	refused "tcp: its listener stops" "no answer|lost" \
		on c "$TRAFFIC" -t 20 -n 20 tcp "$(vip 7000)"
	ok "tcp: what is new spills" wait_until 20 says 'second choice: the first is full' \
		l from "$from"
	ok "tcp: new connections are served" on c "$TRAFFIC" -n 5 tcp "$(vip 7000)"
	kill -CONT "$(pid_of "$stuck")"
	ok "tcp: it accepts again, and they come back" \
		wait_until 20 says 'first choice' l from "$from"
	stop "$START_PID"
	like "tcp: those who were connected stayed" "$(tail -n 1 "$T_DIR/held.log")" \
		'lost 0 bad 0'
	ok "tcp: end" pxs service del l
}

# Requests of one key: without a bound all on one, with it no more than the bound.
nat_rate()
{
	local hot total
	start_backends udp 7000
	ok "nat: a service without a bound" pxs service add u udp "$(vip 7000)" key payload 4:6 \
		seed $SEED rows 4096
	ok "nat: backends" add_backends u 7000
	hot=$(owner_of u key k00001)
	load hot -o 4 -n 30 -k "$T_DIR/hot" udp "$(vip 7000)"
	ok "nat: requests of one key" stat_is u requests 1
	is "nat: go to one backend" "$(counted u requests | wc -l)" 1
	ok "nat: a bound" pxs service set u bound 1.25
	ok "nat: it spills" wait_until 30 stat_is u spilled 200
	ok "nat: all backends share" wait_until 30 all_share
	end_load "nat: the load ends, nothing was lost" "$LOAD_PID" hot
	total=$(pxs -j backend show u | jq 'map(.stats.spilled) | add')
	is "nat: counted with backends, too" "$total" "$(service_stat u spilled)"
	ok "nat: when it is over they come back" wait_until 20 says 'first choice' u key k00001
	is "nat: to whom they came from" "$(owner_of u key k00001)" "$hot"
	ok "nat: no bound any more" pxs service set u bound 0
	is "nat: nobody is full" "$(full u)" ""
}

# ramps: b3 has begun anew, while the others have served for a second, and takes an hour from now on
ramps()
{
	pxs service set u slow-start 1 && pxs backend set u "$(be 3 7000)" state down &&
		pxs backend set u "$(be 3 7000)" state up &&
		pxs service set u slow-start 3600 &&
		pxs -j backend show u |
		jq -e '[.[] | select(.effective_weight < 0.1)] | length == 1'
}

# Whoever ramps is full at the bound of what it has ramped to: spared, as its rows are.
slow_start()
{
	local i n
	ok "slow start: a bound" pxs service set u bound 2
	ok "slow start: b3 begins" wait_until 30 ramps
	keys 1000 >"$T_DIR/many"
	lookups u key "$T_DIR/many" >"$T_DIR/owners"
	for i in 1 2 3; do
		n=$((i < 3 ? 13 : 4))
		awk -v be="$(be $i 7000)" '$2 == be { print $1 }' "$T_DIR/owners" | head -n 1 |
			xargs -r -I KEY yes KEY | head -n $n
	done >"$T_DIR/mix"
	is "slow start: all have keys" "$(wc -l <"$T_DIR/mix")" 30
	load slow -o 4 -n 30 -k "$T_DIR/mix" udp "$(vip 7000)"
	ok "slow start: far below a third of all, it is full" \
		wait_until 30 is_full u "$(be 3 7000)"
	end_load "slow start: nothing was lost" "$LOAD_PID" slow
	ok "slow start: no bound any more" pxs service set u bound 0 slow-start 0
}

director_hosts 3
keys 60 >"$T_DIR/keys"
CLIENT=$(client 0)
local_udp
local_tcp
nat_rate
slow_start
ok "a bound while its namespace goes" pxs service set u bound 1.25
stop_all
ip netns del pxs-d
ok "gone" wait_until 60 unplugged c eth0
done_testing
