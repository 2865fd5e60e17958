#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 300
#
# store_saga.sh - sagas end all done or all undone: three daemons on loopback
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13
#
# Sagas by hand, with redis-cli in RESP2 and RESP3; what is left behind by a leader that dies is
# finished by the next one, though no client asks; transfers by many clients, of which some cannot
# end well, while leaders die: no money is made or lost, each is whole, and the members' stores,
# sagas included, are equal. No root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
ORPHANS_MS=5000		# 8000 steps; paxsteerd(8): begun within a second of the election
saga() { redis "$L" PAXSTEER SAGA "$@" 2>&1 | sed '/^$/d'; }
# state ID WANT: STATUS says so
state() { [ "$(saga STATUS "$1" | sed -n 2p)" = "$2" ]; }
ms() { date +%s%3N; }

ok "the judge of sagas knows good from bad" python3 "$HERE/store_saga.py" --self-test
# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='sagas = 20000'
store_init
for i in 1 2 3; do store_start $i; done
wait_leader start

# --- by hand ---
redis "$L" MSET alice 100 bob 0 >/dev/null
pay=(STEP debit CHECK MIN alice 30 DO 3 DECRBY alice 30 UNDO 3 INCRBY alice 30
	STEP credit DO 3 INCRBY bob 30 UNDO 3 DECRBY bob 30)
like "BEGIN says its slot" "$(saga BEGIN pay-1 "${pay[@]}")" '^[0-9]+$'
ok "it is done" wait_until 30 state pay-1 'done'
is "and has happened" "$(redis "$L" MGET alice bob | tr '\n' ' ')" "70 30 "
slot=$(saga STATUS pay-1 | sed -n '/^slot$/{n;p}')
is "the same again is the same one" "$(saga BEGIN pay-1 "${pay[@]}")" "$slot"
like "another one of this id is not" "$(saga BEGIN pay-1 STEP x WAIT)" "^REUSED"
saga BEGIN trip "${pay[@]}" STEP hotel WAIT UNDO 4 HSET cancel trip hotel \
	STEP train DO 2 INCR never >/dev/null
ok "a step outside is waited for" wait_until 30 state trip waiting
is "what was done so far is seen" "$(redis "$L" MGET alice bob | tr '\n' ' ')" "40 60 "
is "it fails" "$(saga FAIL trip hotel full)" 1
ok "and all is undone" wait_until 30 state trip undone
is "last step first" "$(saga HISTORY trip | grep -xE 'undid|hotel|debit|credit' | tail -n6 |
	tr '\n' ' ')" "undid hotel undid credit undid debit "
is "with its reason" "$(saga STATUS trip | sed -n '/^reason$/{n;p}')" full
is "what is outside was told" "$(redis "$L" HGET cancel trip)" hotel
is "the money is back" "$(redis "$L" MGET alice bob | tr '\n' ' ')" "70 30 "
saga BEGIN slow TIMEOUT 400 "${pay[@]}" STEP hotel WAIT >/dev/null
ok "nobody answers: the deadline turns it, though nobody writes" wait_until 30 state slow undone
like "LIST" "$(saga LIST 0 STATE undone | tr '\n' ' ')" '^0 trip undone slow undone $'
like "RESP3: STATUS is a map" "$(redis "$L" -3 --no-raw PAXSTEER SAGA STATUS pay-1 | head -n1)" \
	'^ *1# "state" => "done"'
like "a member that does not lead says who does" \
	"$(redis $F PAXSTEER SAGA BEGIN x STEP a WAIT 2>&1)" \
	"^MOVED [0-9]+ 127.0.0.1:$(store_port "$L")"
eventual()
{
	[ "$(printf 'READONLY\nPAXSTEER SAGA STATUS slow\n' | redis $F | sed -n 3p)" = undone ]
}
ok "eventual reads of it are answered anywhere" wait_until 30 eventual
like "not between MULTI and EXEC" "$(printf 'MULTI\nPAXSTEER SAGA ABORT slow\nEXEC\n' |
	redis "$L" | tr '\n' ' ')" 'ERR Command not allowed inside a transaction *EXECABORT'
like "not as a number of a session" \
	"$(redis "$L" PAXSTEER SESSION RUN 1 1 PAXSTEER SAGA ABORT slow 2>&1)" \
	"^ERR PAXSTEER SESSION RUN"
like "what is none" "$(saga HOP x)" "^ERR PAXSTEER SAGA BEGIN"
like "too few words" "$(saga BEGIN x STEP)" "^ERR wrong number of arguments"
like "what is wrong in it is said" "$(saga BEGIN x STEP a DO 5 INCR a)" \
	"^ERR saga: at 'DO', word 7: there are fewer words"
even "by hand"

# --- the leader dies with many under way, and nobody asks any more ---
redis "$L" MSET alice 100000 bob 0 >/dev/null
begun=$(for ((i = 0; i < 400; i++)); do
	steps=" STEP gate WAIT"
	for n in {1..20}; do steps+=" STEP $n DO 2 INCR marks UNDO 2 DECR marks"; done
	[ $((i % 3)) != 0 ] || steps+=" STEP no CHECK EXISTS never DO 2 INCR ended"
	echo "PAXSTEER SAGA BEGIN o$i ${pay[*]} $steps"
done | redis "$L" | grep -c '^[0-9]')
is "400 are begun" "$begun" 400
waiting() { [ "$(saga LIST 0 STATE waiting COUNT 1000 | grep -c '^waiting$')" = 400 ]; }
ok "and wait" wait_until 30 waiting
exec 5<>"/dev/tcp/127.0.0.1/$(store_port "$L")"
for ((i = 0; i < 400; i++)); do printf 'PAXSTEER SAGA DONE o%d gate\r\n' $i; done >"$S_DIR/gates"
cat "$S_DIR/gates" >&5
mapfile -t -n 400 -u 5 answers
old=$L
store_kill "$old"
exec 5>&-
is "the gates are opened" "$(printf '%s\n' "${answers[@]}" | sort | uniq -c | tr -d ' \r')" "400:1"
left=$(store_info $F sagas_live)
ok "$left of them are not over" [ "$left" -ge 50 ]
wait_leader "after the leader's death"
since=$(ms)
over() { [ "$(store_info "$L" sagas_live)" = 0 ]; }
ok "the next one finishes them" wait_until 30 over
took=$(($(ms) - since))
diag "$took ms after the election"
ok "within the stated time" [ $took -le $ORPHANS_MS ]
redis "$L" MGET alice bob marks ended >"$S_DIR/out"
is "those that could are done, the others are undone" "$(tr '\n' ' ' <"$S_DIR/out")" \
	"$((100000 - 266 * 30)) $((266 * 30)) $((266 * 20))  "
store_start "$old"
even "orphans"

# --- transfers under load, while leaders die ---
start load python3 "$HERE/store_saga.py" --ports "$(ports)" --seconds "${PXS_SECONDS:-9}" \
	--until "$S_DIR/over" --history "$S_DIR/sagas"
load=$START_PID
more() { [ "$(store_info "$L" sagas)" -ge $((many + 50)) ]; }
for round in 1 2; do
	wait_leader "round $round"
	many=$(store_info "$L" sagas)
	ok "round $round: the load moves" wait_until 30 more
	old=$L
	store_kill "$old"
	ok "round $round: the load was under way when the leader died" kill -0 "$load"
	wait_leader "round $round: after the leader's death"
	store_start "$old"
done
load_may_end
wait "$load"
is "the load goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
wait_leader "after the load"
ok "none is left" wait_until 30 over
out=$(python3 "$HERE/store_saga.py" --ports "$(ports)" --judge "$S_DIR/sagas")
like "each is whole, and no money was made or lost" "$out" '^ok: [0-9]+ sagas, [1-9]'
diag "$out"
even "the load"

# --- all die, all come back ---
saga BEGIN last STEP wait WAIT STEP after DO 2 INCR after >/dev/null
ok "one waits" wait_until 30 state last waiting
for i in 1 2 3; do store_kill $i; done
echo 00000000-0000-0000-0000-000000000000 >"$S_DIR/j$F/store-1/written-in-boot"
for i in 1 2 3; do store_start $i; done
wait_leader "after the death of all"
ok "it waits still" wait_until 30 state last waiting
is "and goes on" "$(saga DONE last wait)" 1
ok "to its end" wait_until 30 state last 'done'
is "once" "$(redis "$L" GET after)" 1
even "made again from the log, sagas and all"
for i in 1 2 3; do store_kill $i TERM; done
done_testing
