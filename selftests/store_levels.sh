#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 400
#
# store_levels.sh - what reads promise, and exactly once: three daemons on loopback
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3     by way of udp_cut.py
#     store 1..3 at 127.0.0.1:S_PORT+11..13
#
# Bounded reads, tokens, versions; a member that is cut off answers nothing old, at any level that
# promises more than eventual, and the history of clients of all levels is judged by
# selftests/lin; what is asked again with the same number happens once, though the leader dies,
# and everybody. No root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
# say I COMMAND...: on one connection; the last answer, or all of them
say_all() { local i=$1; shift; printf '%s\n' "$@" | redis "$i" | sed '/^$/d'; }
say() { say_all "$@" | tail -n1; }
run() { redis "$1" PAXSTEER SESSION RUN "${@:2}" 2>&1 | sed '/^$/d'; }

ok "the judge of what happens once knows good from bad" python3 "$HERE/store_once.py" --self-test
# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='read-wait = 1500' S_CABLES=yes
store_init
# shellcheck disable=SC2154  # store_group.sh's
sed -i 's/listen = "\(.*:[0-9]*\)"/listen = {"\1", "127.0.0.1:'$((S_PORT + 25))' bounded 500"}/' \
	"$S_DIR/1.conf"
: >"$S_DIR/cut"
start cables python3 "$HERE/udp_cut.py" "$S_PORT" "$S_DIR/cut"
for i in 1 2 3; do store_start $i; done
wait_leader start

# --- bounded reads ---
bounded300() { [ "$(say "$1" 'PAXSTEER CONSISTENCY bounded 300' 'GET k')" = "$2" ]; }
redis "$L" SET k 1 >/dev/null
for i in 1 2 3; do
	# What is so young may be there or not.
	ok "member $i answers a bounded read" wait_until 30 bounded300 $i 1
done
bound0() { say $F 'PAXSTEER CONSISTENCY bounded 0' 'GET k'; }
for n in 2 3 4 5 6; do
	redis "$L" SET k $n >/dev/null
	[ "$(bound0)" = $n ] || break
done
is "bounded 0 sees what was acknowledged, anywhere" "$(bound0)" 6
is "the level, as text" "$(say $F 'PAXSTEER CONSISTENCY bounded 300 7' 'PAXSTEER CONSISTENCY')" \
	"bounded 300 7"
like "what is no level" "$(say $F 'PAXSTEER CONSISTENCY bounded')" "^ERR consistency: needs "
is "a listener's own level" \
	"$(redis-cli -p $((S_PORT + 25)) PAXSTEER CONSISTENCY)" "bounded 500"
asked=$(store_info $F asked)
out=$(printf 'PAXSTEER CONSISTENCY bounded 60000\n%s' "$(yes 'GET k' | head -n 300)" |
	redis $F | grep -c '^6$')
is "300 reads within their bound" "$out" 300
ok "did not ask the leader 300 times" [ $(($(store_info $F asked) - asked)) -le 2 ]

# --- versions, tokens ---
out=$(say_all "$L" 'SET k 7' 'PAXSTEER VERSION' 'PAXSTEER TOKEN' | tr '\n' ' ')
like "a write tells its slot and age" "$out" "^OK ([0-9]+) [0-9]+ ([0-9]+) $"
is "the token is the slot" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
is "read your writes at another member" "$(say $F "PAXSTEER TOKEN ${BASH_REMATCH[1]}" 'GET k')" 7
slot=$(redis "$L" PAXSTEER BARRIER)
like "a barrier is a slot" "$slot" '^[0-9]+$'
is "and a token of all that was acknowledged" "$(say $F "PAXSTEER TOKEN $slot" 'GET k')" 7
like "a slot that does not come" "$(say $F "PAXSTEER TOKEN $((slot + 1000))" 'GET k')" \
	"^TRYAGAIN slot $((slot + 1000)) of the session is not here yet"

# --- a member that is cut off, under load ---
start load python3 "$HERE/store_load.py" --ports "$(ports)" --seconds 8 --clients 15 \
	--prefix f --until "$S_DIR/over" --history "$S_DIR/history"
load=$START_PID
before=$(store_info "$L" applied)
moved() { [ "$(store_info "$L" applied)" -ge $((before + 50)) ]; }
ok "the load moves" wait_until 30 moved
echo $F >"$S_DIR/cut"
is_cut() { [ "$(cat "$S_DIR/cut.done")" = "$F" ]; }
wait_until 30 is_cut || fail "member $F is cut off"
redis "$L" SET k 8 >/dev/null
aged() { [ "$(store_info $F age_ms)" -gt 300 ]; }
ok "what it knew grows old" wait_until 30 aged
like "who is cut off answers nothing old" \
	"$(say $F 'PAXSTEER CONSISTENCY bounded 300' 'GET k')" '^TRYAGAIN no quorum says'
out=$(say $F READONLY 'GET k')
is "but to who wants it" "$out" 7
like "says how old it is" \
	"$(say_all $F READONLY 'GET k' 'PAXSTEER VERSION' | tail -n1)" '^([4-9][0-9]{2}|[0-9]{4,})$'
is "another one goes on" "$(say $O 'PAXSTEER CONSISTENCY bounded 300' 'GET k')" 8
ok "the load was under way so far" kill -0 "$load"
: >"$S_DIR/cut"
ok "until it is back" wait_until 60 bounded300 $F 8
load_may_end
wait "$load"
is "the load goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
even "cut off"
judge_load "$S_DIR/history" f
ok "of them, bounded reads" [ "$(grep -c recent: "$S_DIR/history")" -gt 20 ]

# --- exactly once ---
wait_leader "before sessions"
id=$(redis "$L" PAXSTEER SESSION NEW)
like "a session" "$id" '^[0-9]+$'
is "a number is executed" "$(run "$L" "$id" 1 INCR once)" 1
is "and again gets the same answer" "$(run "$L" "$id" 1 INCR once)" 1
like "another command does not" "$(run "$L" "$id" 1 INCR other)" '^REUSED'
like "nor an unknown session" "$(run "$L" 999999 1 INCR other)" '^NOSESSION'
is "the next number" "$(run "$L" "$id" 2 INCR once)" 2
is "a cluster client is sent on, with its number" \
	"$(redis $F -c PAXSTEER SESSION RUN "$id" 2 INCR once)" 2
is "a transaction" "$(say_all "$L" MULTI 'INCR once' 'INCR two' \
	"PAXSTEER SESSION RUN $id 3 EXEC" | tail -n2 | tr '\n' ' ')" "3 1 "
is "again" "$(say_all "$L" MULTI 'INCR once' 'INCR two' \
	"PAXSTEER SESSION RUN $id 3 EXEC" | tail -n2 | tr '\n' ' ')" "3 1 "

# Its client is gone before it is answered, and then the leader is.
exec 5<>"/dev/tcp/127.0.0.1/$(store_port "$L")"
printf 'PAXSTEER SESSION RUN %s 4 INCR once\r\n' "$id" >&5
exec 5>&-
took() { [ "$(say $F READONLY 'GET once')" = 4 ]; }
ok "nobody heard the answer" wait_until 30 took
old=$L
store_kill "$old"
wait_leader "after the leader's death"
ok "another member leads" [ "$L" != "$old" ]
is "a retry there gets the first answer" "$(run "$L" "$id" 4 INCR once)" 4
is "and nothing happened twice" "$(redis "$L" GET once)" 4
is "nor to what came before" "$(run "$L" "$id" 1 INCR once)" 1
store_start "$old"
like "too old a number" "$(run "$L" "$id" 100 INCR once; run "$L" "$id" 4 INCR once)" '5.TOOOLD'
even "a session"

rm "$S_DIR/over"
start once python3 "$HERE/store_once.py" --ports "$(ports)" --seconds 6 \
	--until "$S_DIR/over" --history "$S_DIR/once"
load=$START_PID
before=$(store_info "$L" applied)
ok "the clients count" wait_until 30 moved
old=$L
store_kill "$old"
ok "they were at it when the leader died" kill -0 "$load"
wait_leader "after the leader's death, again"
store_start "$old"
load_may_end
wait "$load"
is "and they go on to their end" $? 0
diag "$(<"$T_DIR/once.log")"
out=$(python3 "$HERE/store_once.py" --check "$S_DIR/once")
like "each step happened once" "$out" '^ok: [0-9]+ steps'
even "counting"

for i in 1 2 3; do store_kill $i; done
for i in 1 2 3; do store_start $i; done
wait_leader "after the death of all"
is "sessions outlive everybody" "$(run "$L" "$id" 100 INCR once)" 5
even "the death of all"
for i in 1 2 3; do store_kill $i TERM; done
done_testing
