#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_shards.sh - one store of three groups: three daemons on loopback
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3, +61..63, +71..73 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13
#
# Member N leads group N. Where keys are and who is asked for them, what is answered about all
# groups, what stays within one; a member dies and another leads its group; made again from a
# checkpoint and the log; other groups than those that the data was made for are refused. No
# root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd redis-cli redis-server python3
# shellcheck disable=SC2034  # store_group.sh reads it
S_GROUPS="2 3"
KEYS=60

store_init
for i in 1 2 3; do store_start $i; done

# --- the same replies as Redis, with all groups at one member ---
start redis redis-server --port $((S_PORT + 20)) --save '' --databases 1
ok "redis-server" wait_until 30 redis-cli -p $((S_PORT + 20)) PING
for g in 1 2 3; do
	ok "group $g has a leader" wait_until 60 leader_of $g
	ok "member 1 leads group $g" wait_until 60 hand_over 1 $g
done
corpus()	# corpus ARGS...
{
	python3 "$(dirname "$0")/store_redis.py" --redis 127.0.0.1:$((S_PORT + 20)) \
		--store "127.0.0.1:$(store_port 1)" --sequences "${PXS_SEQUENCES:-400}" "$@"
}
ok "replies are a real Redis's" corpus
ok "also where keys are of several groups" corpus --spread
flushed() { [ "$(redis 1 FLUSHALL)" = OK ]; }
ok "nothing is left of that" wait_until 30 flushed

place start

# --- where keys are ---
declare -A OF=() COUNT=([1]=0 [2]=0 [3]=0)
for n in $(seq $KEYS); do
	for i in 1 2 3; do
		[ "$(redis $i SET k$n $n)" = OK ] || continue
		OF[$n]=$i COUNT[$i]=$((COUNT[$i] + 1))
	done
done
is "each key is of one group" "$((COUNT[1] + COUNT[2] + COUNT[3])) ${#OF[@]}" "$KEYS $KEYS"
counts() { [ "$(say "$1" READONLY DBSIZE)" = $KEYS ]; }
for i in 1 2 3; do
	ok "group $i has a share" [ "${COUNT[$i]}" -ge $((KEYS / 6)) ]
	is "member $i counts what it leads" "$(redis $i DBSIZE)" "${COUNT[$i]}"
	ok "and all, if it need not lead" wait_until 30 counts $i
done
# of GROUP [N]: the number of its Nth key
of()
{
	local n
	for n in $(seq $KEYS); do [ "${OF[$n]}" = "$1" ] && echo "$n"; done | sed -n "${2:-1}p"
}
A=$(of 1) B=$(of 2) C=$(of 3)
like "another member says who leads the group" "$(redis 1 GET "k$B")" \
	"^MOVED [0-9]+ 127.0.0.1:$(store_port 2)"
is "with the key's slot" "$(redis 1 GET "k$B" | cut -d' ' -f2)" \
	"$(redis 1 CLUSTER KEYSLOT "k$B")"
got=$(for n in $(seq $KEYS); do redis 1 -c GET k$n; done | words)
is "redis-cli -c finds each" "$got" "$(seq $KEYS | words)"
is "READONLY reads each anywhere" "$(say 3 READONLY "GET k$A")" "$A"
scan()	# scan I [FIRST]: all that SCAN finds, in one connection each
{
	local cursor=0 out
	while out=$(printf '%s\nSCAN %s COUNT 7\n' "${2:-PING}" "$cursor" | redis "$1"); do
		out=$(tail -n +2 <<<"$out")
		tail -n +2 <<<"$out" | sed '/^$/d'
		cursor=$(head -n1 <<<"$out")
		[ "$cursor" != 0 ] || break
	done | sort -u
}
all() { seq -f "k%g" $KEYS | sort; }
is "SCAN walks what the member leads" "$(scan 2 | wc -l)" "${COUNT[2]}"
is "or all groups" "$(scan 2 READONLY)" "$(all)"
is "KEYS likewise" "$(say_all 2 READONLY 'KEYS *' | tail -n +2 | sort)" "$(all)"
like "RANDOMKEY is one of those that it leads" "$(redis 2 GET "$(redis 2 RANDOMKEY)")" '^[0-9]+$'

# --- CLUSTER tells the truth ---
redis 2 CLUSTER SLOTS >"$S_DIR/slots"
n=$(grep -c '^127.0.0.1$' "$S_DIR/slots")
ok "CLUSTER SLOTS names members" [ "$n" -ge 9 ]
is "each of the three, for each range" "$(sed -n '/^127.0.0.1$/{n;p}' "$S_DIR/slots" | sort |
	uniq -c | awk '{ print $1 * 3, $2 }' | words)" \
	"$n $(store_port 1) $n $(store_port 2) $n $(store_port 3)"
redis 3 CLUSTER NODES >"$S_DIR/nodes"
is "CLUSTER NODES: three masters" "$(grep -c 'master - 0 0 0 connected [0-9]' "$S_DIR/nodes")" 3
is "who have all slots" "$(tr ' ' '\n' <"$S_DIR/nodes" |
	awk -F- '/^[0-9]+-[0-9]+$/ { n += $2 - $1 + 1 } END { print n }')" 16384
like "CLUSTER INFO" "$(redis 1 CLUSTER INFO | tr -d '\r' | words)" \
	"cluster_state:ok .*cluster_slots_ok:16384 .*cluster_size:3"

# --- within one group ---
is "MSETNX over groups" "$(redis 1 MSETNX "k$A" x "k$B" y)" 0
is "nothing was done" "$(redis 1 GET "k$A") $(redis 2 GET "k$B")" "$A $B"
is "MSET within one" "$(redis 1 MSET "k$A" x "k$(of 1 2)" y)" OK
is "keys with one tag" "$(redis 1 -c MSET "{k$B}1" a "{k$B}2" b)" OK
is "are of its group" "$(redis 2 MGET "{k$B}1" "{k$B}2" "k$B" | words)" "a b $B"
is "EXEC within one group" "$(say_all 2 MULTI "INCR {k$B}n" "INCR {k$B}n" EXEC | words)" \
	"OK QUEUED QUEUED 1 2"
like "what depends on another group, and on the transaction" \
	"$(say 2 MULTI "INCR {k$B}n" "RENAME {k$B}n k$A" EXEC)" "^CROSSSLOT "
is "does nothing" "$(redis 2 GET "{k$B}n")" 2
like "what is watched elsewhere is for who leads there" \
	"$(say 2 READONLY "WATCH k$A" READWRITE MULTI "INCR {k$B}n" EXEC)" "^MOVED "
is "what is watched in it counts" \
	"$(say_all 2 "WATCH {k$B}n" "INCR {k$B}n" MULTI "INCR {k$B}n" EXEC | words)" \
	"OK 3 OK QUEUED"
like "no command about all groups in a transaction" "$(say 2 MULTI DBSIZE)" \
	"^ERR Command not allowed"
is "a pipeline over groups keeps its order" \
	"$(say_all 2 READONLY "GET k$A" "GET k$B" "GET k$C" DBSIZE | words)" \
	"OK x $B $C $((KEYS + 3))"

# --- levels ---
token=$(say 2 "SET k$B 2nd" "PAXSTEER TOKEN")
like "a token names groups" "$token" '^2:[0-9]+$'
is "read your writes at another member" "$(say 1 "PAXSTEER TOKEN $token" "GET k$B")" 2nd
like "a token of a group that is not there" "$(redis 1 PAXSTEER TOKEN 9:1)" "^ERR a token "
is "bounded 0, of a group that another leads" \
	"$(say 1 'PAXSTEER CONSISTENCY bounded 0' "GET k$C")" "$C"
like "a version names its group" "$(say_all 3 "GET k$C" 'PAXSTEER VERSION' | words)" \
	"^$C [0-9]+ [0-9]+ 3$"
id=$(redis 2 PAXSTEER SESSION NEW "k$B")
like "a session, of a key's group" "$id" '^[0-9]+$'
run() { redis 2 PAXSTEER SESSION RUN "$id" "$@"; }
is "a number is used once" "$(run 1 INCR "{k$B}n") $(run 1 INCR "{k$B}n")" "4 4"
like "it is not for other groups" "$(run 2 INCR "k$A")" "^CROSSSLOT "
like "a session of no group" \
	"$(redis 2 PAXSTEER SESSION RUN $((id | 15)) 1 INCR "k$B")" "^NOSESSION "
saga() { redis 3 PAXSTEER SAGA "$@"; }
like "a saga, with its keys" \
	"$(saga BEGIN "{k$C}saga" STEP a DO 2 INCR "{k$C}s" UNDO 2 DECR "{k$C}s")" '^[0-9]+$'
ended() { [ "$(saga STATUS "{k$C}saga" | sed -n '/^state/{n;p}')" = 'done' ]; }
ok "is done" wait_until 30 ended
is "once" "$(redis 3 GET "{k$C}s")" 1
like "over groups" \
	"$(saga BEGIN "{k$C}saga2" STEP a DO 2 INCR "k$A" UNDO 2 DECR "k$A")" "^CROSSSLOT "

# --- a member dies ---
is "SAVE" "$(redis 1 SAVE)" OK
like "PAXSTEER CHECKPOINT: a slot of each group" "$(redis 1 PAXSTEER CHECKPOINT | words)" \
	'^[0-9]+ [0-9]+ [0-9]+$'
redis 2 SET "k$B" last >/dev/null
store_kill 2
ok "another leads its group" wait_until 60 leader_of 2
is "and has its keys" "$(redis "$(leader_of 2)" GET "k$B")" last
store_start 2
even() { ok "$1: the members' stores are equal" wait_until 60 store_even 1 2 3; }
even "after its return"
for i in 1 2 3; do store_kill $i; done
rm "$S_DIR/j1/store-1/data.mdb" "$S_DIR/j1/store-1-3/data.mdb"
for i in 1 2 3; do store_start $i; done
place "after the death of all"
even "made again from checkpoints and the log"
is "DBSIZE" "$(say 1 READONLY DBSIZE)" $((KEYS + 4))
is "FLUSHALL, at each" "$(for i in 1 2 3; do redis $i FLUSHALL; done | words)" "OK OK OK"
is "leaves nothing" "$(for i in 1 2 3; do redis $i DBSIZE; done | words)" "0 0 0"
redis 1 SET "k$A" 1 >/dev/null

# --- other groups than before ---
for i in 1 2 3; do store_kill $i TERM; done
other() { sed "s/groups = {1, 2, 3}/groups = $1/" "$S_DIR/1.conf" >"$S_DIR/other.conf"; }
no_start() { refused "$1" "$2" timeout 20 paxsteerd -c "$S_DIR/other.conf"; }
other '{1, 2}'
no_start "fewer groups" "store-1(-2)?: its keys were shared among other groups: give those in"
sed 's/groups = {1, 2, 3}//' "$S_DIR/1.conf" >"$S_DIR/other.conf"
no_start "one group alone" 'its keys are one part of a store of several groups'
other '{1, 2, 4}'
no_start "a group that is not there" 'groups: group 4: there is no such group'
other '{2, 3}'
no_start "without the home" 'group 1 itself is not among them'
other '{1, 2, 2}'
no_start "a group twice" 'groups: group 2 is there twice'
other '{1, 0}'
no_start "no group" 'groups: 0 is out of range'
sed '/^group 2/s/$/ store { listen = "127.0.0.1:1" }/' "$S_DIR/1.conf" >"$S_DIR/other.conf"
no_start "a part with a section of its own" 'groups: group 2: it has a section store of its own'
store_start 1
ok "as it was" wait_until 30 redis 1 PING
store_kill 1 TERM
done_testing
