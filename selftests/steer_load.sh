#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_load.sh - slow start: who begins late begins with little, and ends with its share
#
#     c ──── d ──┬── b1       requests to VIP:7000 by key, while weights ramp
#                └── b2, b3
#
# check-kernels: 6.12
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip
. "$(dirname "$0")/director.sh"

SEED=000102030405060708090a0b0c0d0e0f
SECONDS_UP=8

# effective I: the effective weight of backend I in thousandths
effective()
{
	pxs -j backend show s | jq --arg a "10.2.$1.2" \
		'.[] | select(.addr == $a) | .effective_weight * 1000 | round'
}

generation() { pxs -j service show s | jq '.[0].generation'; }
digest() { pxs -j service show s | jq -r '.[0].digest'; }
is_whole() { [ "$(digest)" = "$WHOLE" ]; }
full() { [ "$(effective "$1")" = 1000 ]; }

# What the announcement of the last change says of its backend: it is of the moment of the change.
announced() { tail -n 1 "$T_DIR/monitor.log" | jq '.backend.effective_weight * 1000 | round'; }
lines() { [ "$(wc -l <"$T_DIR/monitor.log")" -gt "$1" ]; }
is_heard() { pxs service set s cap 20 && lines 0; }

# change COMMAND...: and wait until it was announced
change()
{
	local n
	n=$(wc -l <"$T_DIR/monitor.log")
	pxs "$@" && wait_until 20 lines "$n"
}

# begins_slowly COMMAND...: it works, and the backend of weight 1 begins with less than a third
begins_slowly() { change "$@" && [ "$(announced)" -lt 333 ]; }

all_out() { for i in 1 2 3; do change backend set s "$(be $i 7000)" state down || return 1; done; }

# Nobody has served long enough: take it out and put it in again until somebody has.
ramps_when_added()
{
	change backend del s "$(be 3 7000)" && begins_slowly backend add s "$(be 3 7000)"
}

# watch_ramp I FILE: its effective weights, one a line, none twice in a row; full yet?
watch_ramp()
{
	local e
	e=$(effective "$1") && [ -n "$e" ] || return
	[ "$e" = "$(tail -n 1 "$2")" ] || echo "$e" >>"$2"
	[ "$e" = 1000 ]
}

all_answered() { on c "$TRAFFIC" -n 60 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"; }

director_hosts 3
start_backends udp 7000
keys 60 >"$T_DIR/keys"

ok "a service with slow start" pxs service add s udp "$(vip 7000)" key payload 4:6 seed $SEED \
	rows 4096 slow-start $SECONDS_UP
is "it is shown" "$(pxs -j service show s | jq '.[0].slow_start')" $SECONDS_UP
start monitor paxsteer -n pxs-d -j monitor
MONITOR=$START_PID
ok "changes are heard" wait_until 20 is_heard
ok "three backends" add_backends s 7000
ok "the last one is heard" wait_until 20 grep -q "10.2.3.2" "$T_DIR/monitor.log"
for i in 1 2 3; do
	ok "set up together, b$i has its weight at once" full $i
done
WHOLE=$(digest)

ok "b3 begins with little when it is added to those who have served for long" \
	wait_until 30 ramps_when_added
BEFORE=$(generation)
like "who serves has all of its weight" "$(effective 1) $(effective 2)" '^1000 1000$'
ok "requests are answered meanwhile" all_answered
: >"$T_DIR/ramp"
ok "it has all of its weight in the end" wait_until 60 watch_ramp 3 "$T_DIR/ramp"
ok "its weight only grows" sort -n -C "$T_DIR/ramp"
ok "the table at the end is the one without slow start" wait_until 10 is_whole
ok "it came in steps" test $(($(generation) - BEFORE)) -ge 3

ok "b3 down" change backend set s "$(be 3 7000)" state down
ok "comes back slowly" begins_slowly backend set s "$(be 3 7000)" state up
ok "out and in again, it begins anew" change backend set s "$(be 3 7000)" health bad
ok "after a failed check, too" begins_slowly backend set s "$(be 3 7000)" health good
ok "and after weight 0" change backend set s "$(be 3 7000)" weight 0
ok "slowly" begins_slowly backend set s "$(be 3 7000)" weight 1
ok "and after a drain" change backend set s "$(be 3 7000)" state drain
ok "slowly" begins_slowly backend set s "$(be 3 7000)" state up
ok "another weight meanwhile" change backend set s "$(be 3 7000)" weight 4
ok "is one of which as much counts" test "$(announced)" -lt 4000
ok "slow start off, in the midst of it" change service set s slow-start 0
is "all of the weight counts at once" "$(effective 3)" 4000
ok "and back" change backend set s "$(be 3 7000)" weight 1
is "the table of before" "$(digest)" "$WHOLE"

ok "on again" change service set s slow-start 3600
ok "all out" all_out
ok "nobody is seasoned: the first comes back" change backend set s "$(be 1 7000)" state up
ok "with all of its weight" full 1
ok "the next one, too" change backend set s "$(be 2 7000)" state up
ok "with all of it" full 2
ok "a shorter slow start" change service set s slow-start 3
ok "a ramp is under way" wait_until 30 ramps_when_added
ok "its service can go" change service del s
ok "a service anew" change service add s udp "$(vip 7000)" key payload 4:6 slow-start 3
ok "a backend" change backend add s "$(be 1 7000)"
ok "and one that ramps" change backend add s "$(be 3 7000)"
ok "sooner or later, for it is taken out and put in" wait_until 30 ramps_when_added
stop "$MONITOR"
ip netns del pxs-d
ok "its namespace can go" wait_until 60 unplugged c eth0
done_testing
