#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 240
#
# store_cross.sh - transactions over the groups of one store: three daemons on loopback
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3, +61..63, +71..73 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13
#
# Member N leads group N at first. What is answered; then clients move money between accounts of
# different groups, some with WATCH, while leaders are killed and started again: the sum never
# changes, for anybody who looks, no key stays locked, the members' stores are equal. No root, no
# module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd redis-cli python3
# shellcheck disable=SC2034  # store_group.sh reads it
S_GROUPS="2 3"
SECONDS_OF_LOAD=${PXS_SHORT:+10}
SECONDS_OF_LOAD=${SECONDS_OF_LOAD:-30}
transfer() { python3 "$TOP/selftests/store_transfer.py" --ports "$(ports)" "$@"; }
# at_rest I: no key is locked, nothing is under way
# moves I N: member I has seen so many transactions committed since it began
moves() { [ "$(store_info "$1" cross_committed 2>/dev/null || echo 0)" -gt "$2" ]; }
at_rest() { [ "$(store_info "$1" 'cross_\(records\|locks\)' | words)" = "0 0" ]; }

store_init
for i in 1 2 3; do store_start $i; done
place start
declare -A K=()
for n in $(seq 60); do
	for i in 1 2 3; do
		[ "$(redis $i SET k$n $n)" != OK ] || K[$i]="${K[$i]:-} k$n"
	done
done
read -r A A2 _ <<<"${K[1]}"
read -r B _ <<<"${K[2]}"
read -r C _ <<<"${K[3]}"

# --- what is answered ---
is "MSET over groups" "$(redis 1 MSET "$B" b "$A" a "$C" c)" OK
is "MGET" "$(redis 1 MGET "$C" none "$A" "$B" | words)" "c  a b"
is "each has its own" "$(redis 1 GET "$A") $(redis 2 GET "$B") $(redis 3 GET "$C")" "a b c"
is "EXISTS and TOUCH" "$(redis 1 EXISTS "$A" "$B" no) $(redis 2 TOUCH "$C" "$B")" "2 2"
is "DEL and UNLINK" "$(redis 1 DEL "$A" "$C" no) $(redis 2 UNLINK "$C" "$B")" "2 1"
is "EXEC over groups" \
	"$(say_all 1 MULTI "SET $A 1" "INCR $B" "MGET $A $B $C" "HSET $C f v" EXEC | words)" \
	"OK QUEUED QUEUED QUEUED QUEUED OK 1 1 1 1"
like "who leads the first group in order is asked" "$(redis 3 MSET "$C" 1 "$A" 1)" \
	"^MOVED $(redis 3 CLUSTER KEYSLOT "$A") 127.0.0.1:$(store_port 1)"
is "redis-cli -c asks him" "$(redis 3 -c MSET "$B" 1 "$A" 1)" OK
is "READONLY reads each for itself" "$(say 3 READONLY "EXISTS $A $B $C")" 3
is "MSETNX over groups" \
	"$(redis 1 MSETNX "$A" x "{$B}n" y) $(redis 1 MSETNX "{$A}x" x "{$B}x" y)" "0 1"
is "nothing or all" "$(redis 1 MGET "{$B}n" "{$A}x" "{$B}x" | words)" " x y"
is "MSETNX over groups among others" \
	"$(say_all 1 MULTI "MSETNX {$A}y x {$B}x y" "INCR $A" EXEC | words)" "OK QUEUED QUEUED 0 2"
is "RENAME over groups, there and back" \
	"$(redis 1 RENAME "$A" "{$B}r") $(redis 1 RENAME "{$B}r" "$A")" "OK OK"
is "RENAME of what is not there, and onto what is" \
	"$(redis 1 RENAME "{$A}y" "$B" 2>&1) $(redis 1 RENAMENX "$A" "$B")" "ERR no such key 0"
is "what is watched over groups is as it was" \
	"$(say_all 1 "WATCH $A $B $C" MULTI "INCR $A" "INCR $B" EXEC | words)" \
	"OK OK QUEUED QUEUED 3 2"
is "in a group that is but watched it has changed" \
	"$(say_all 1 "WATCH $A $C" "MSET $A2 1 $C 1" MULTI "INCR $A" EXEC | words)" \
	"OK OK OK QUEUED"
is "nothing was done" "$(redis 1 GET "$A")" 3
like "who leads the first group in order is asked to watch" "$(redis 3 WATCH "$C" "$A")" \
	"^MOVED $(redis 3 CLUSTER KEYSLOT "$A") 127.0.0.1:$(store_port 1)"
large=$(head -c 30000 /dev/zero | tr '\0' x)
is "large values" "$(redis 1 MSET "$A2" "$large" "$B" "$large")" OK
is "come whole" "$(redis 1 MGET "$B" "$A2" | tr -d '\n' | wc -c)" 60000
ok "nothing stays behind" wait_until 30 at_rest 1
like "INFO counts" "$(store_info 1 cross_committed)" '^[12][0-9]$'

# --- leaders die ---
transfer --seconds 300 --stop "$S_DIR/over" >"$S_DIR/transfers" 2>&1 &
load=$!
ok "transfers are under way" wait_until 30 moves 1 40
round=0
end=$((SECONDS + SECONDS_OF_LOAD))
while kill -0 $load 2>/dev/null && [[ $round -lt 3 || $SECONDS -lt $end ]]; do
	victim=$((round % 3 + 1))
	round=$((round + 1))
	store_kill $victim
	ok "kill $round: group $victim has another leader" wait_until 30 leader_of $victim
	store_start $victim
	wait_until 10 hand_over $victim $victim >/dev/null 2>&1
	wait_until 5 moves $victim 10
done
touch "$S_DIR/over"
wait $load
is "the sum never changed" "$?" 0
ok "each group has lost its leader meanwhile" [ $round -ge 3 ]
like "some with WATCH" "$(cat "$S_DIR/transfers")" "watched [1-9]"
diag "$round kills: $(words <"$S_DIR/transfers")"
for g in 1 2 3; do ok "group $g has a leader" wait_until 30 leader_of $g; done
start_ns=$(date +%s%N)
for i in 1 2 3; do ok "member $i: no key stays locked" wait_until 30 at_rest $i; done
diag "after $((($(date +%s%N) - start_ns) / 1000000)) ms"
ok "the sum, in one read" transfer --only-look --seconds 20
even() { ok "$1: the members' stores are equal" wait_until 60 store_even 1 2 3; }
even "after the transfers"

# --- all die at once, with transactions under way ---
place again
transfer --seconds 300 --stop "$S_DIR/over2" >"$S_DIR/transfers2" 2>&1 &
load=$!
before=$(store_info 1 cross_committed)
ok "again: transfers are under way" wait_until 30 moves 1 $((before + 40))
is "a checkpoint meanwhile" "$(redis 1 SAVE)" OK
ok "they still are" kill -0 $load
for i in 1 2 3; do store_kill $i; done
rm "$S_DIR/j1/store-1/data.mdb" "$S_DIR/j1/store-1-2/data.mdb" "$S_DIR/j1/store-1-3/data.mdb"
for i in 1 2 3; do store_start $i; done
for g in 1 2 3; do ok "again: group $g has a leader" wait_until 60 leader_of $g; done
before=$(store_info 1 cross_committed)
ok "again: and they go on" wait_until 30 moves 1 $((before + 20))
touch "$S_DIR/over2"
wait $load
is "again: the sum never changed" "$?" 0
diag "$(words <"$S_DIR/transfers2")"
for i in 1 2 3; do ok "again, member $i: no key stays locked" wait_until 30 at_rest $i; done
ok "again: the sum, in one read" transfer --only-look --seconds 20
even "again"
done_testing
