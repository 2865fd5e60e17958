#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_eventual.sh - eventual keys: three daemons on loopback, whose stores can be cut off
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13; I reaches J at S_PORT+60+3*I+J, by way of tcp_cut.py
#
# What is written at all three while they are cut off from each other, and one of them is killed;
# a deletion and a write that is late, deadlines, marks; a list that differs, a table that is
# lost, and one that is a copy; no quorum; what is refused. No root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
seconds=12
[ -z "${PXS_SHORT:-}" ] || seconds=5
say() { local i=$1; shift; printf '%s\n' "$@" | redis "$i" | sed '/^$/d' | tail -n1; }
info() { redis "$1" INFO eventual | tr -d '\r' | sed -n "s/^$2://p"; }
table() { echo "$S_DIR/j$1/store-1/eventual"; }
log_says() { grep -q "$2" "$T_DIR/store$1.log"; }
answers() { [ "$(redis "$1" EXISTS cache:no 2>/dev/null)" = 0 ]; }
restart() { store_start "$1"; wait_until 30 answers "$1" || bail "member $1 answers"; }
is_cut() { [ "$(cat "$S_DIR/cut.done")" = "$1" ]; }
# cut [I...]: these members can be reached by none, and reach none, when it returns
cut()
{
	echo "$*" >"$S_DIR/cut.new"
	mv "$S_DIR/cut.new" "$S_DIR/cut"
	wait_until 30 is_cut "$*" || bail "the cables are not cut"
}
holds() { [ "$(redis "$1" GET "$2")" = "$3" ]; }
is_gone() { [ "$(redis "$1" EXISTS "$2")" = 0 ]; }
digest() { redis "$1" PAXSTEER EVENTUAL DIGEST | tr '\n' ' '; }
# same I...: the eventual keys of these are equal
same()
{
	local i want
	want=$(digest "$1") || return 1
	[[ $want =~ ^[0-9]+\ [0-9a-f]{32} ]] || return 1
	for i; do [ "$(digest "$i")" = "$want" ] || return 1; done
}
no_marks() { local i; for i in 1 2 3; do [ "$(info $i eventual_marks)" = 0 ] || return 1; done; }
# lists I WORDS: member I has these prefixes from its next start on
lists() { sed -i "s/eventual = {[^}]*}/eventual = {$2}/" "$S_DIR/$1.conf"; }

ok "the judge knows good from bad" python3 "$HERE/store_eventual.py" --self-test
# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='eventual-memory = 8 eventual = {"cache:", "seen:"} password-file = "'$S_DIR/password'"'
echo secret >"$S_DIR/password"
chmod 600 "$S_DIR/password"
export REDISCLI_AUTH=secret
store_init
ways=()
for i in 1 2 3; do
	for j in 1 2 3; do
		[ $i != $j ] || continue
		port=$((S_PORT + 60 + 3 * i + j))
		ways+=("$port=$(store_port $j):$i-$j")
		sed -i "s/\(member $j .*store = \"127.0.0.1:\)[0-9]*/\1$port/" "$S_DIR/$i.conf"
	done
done
echo >"$S_DIR/cut"
start cables python3 "$HERE/tcp_cut.py" "$S_DIR/cut" "${ways[@]}"
wait_until 30 grep -q listening "$T_DIR/cables.log" || bail "tcp_cut.py"
for i in 1 2 3; do store_start $i; done
for i in 1 2 3; do wait_until 30 answers $i || bail "member $i answers"; done

# --- what is written anywhere is everywhere ---
for i in 1 2 3; do is "a write at member $i" "$(redis $i SET cache:$i v$i)" OK; done
redis 2 HSET seen:h f 1 g 2 >/dev/null
ok "they come to the same" wait_until 30 same 1 2 3
is "all of it" "$(redis 3 MGET cache:1 cache:2 cache:3 | tr '\n' ' ')" "v1 v2 v3 "
is "fields, too" "$(redis 1 HGETALL seen:h | tr '\n' ' ' | wc -w)" 4
like "an answer tells its version" "$(printf 'GET cache:2\nPAXSTEER VERSION\n' | redis 1 |
	tr '\n' ' ')" '^v2 [0-9]{13}\.[0-9]+@2 '
is "the list, in order" "$(redis 1 PAXSTEER EVENTUAL | tr '\n' ' ')" "cache: seen: "
is "and for CONFIG GET" "$(redis 1 CONFIG GET eventual | tail -n1)" "cache: seen:"
is "the keys that are there" "$(redis 1 PAXSTEER EVENTUAL SCAN 0 | sed 1d | sort | tr '\n' ' ')" \
	"cache:1 cache:2 cache:3 seen:h "

# --- much, and too much ---
for i in {1..300}; do printf 'SET cache:fill%d %04000d\n' "$i" "$i"; done |
	redis 1 --pipe >/dev/null
large() { head -c 3000000 /dev/zero | tr '\0' x | redis 2 -x SET "cache:large$1" 2>&1; }
is "large values" "$(large 1; large 2)" "$(printf 'OK\nOK')"
ok "they come to the same" wait_until 30 same 1 2 3
is "as long as they were" "$(redis 3 STRLEN cache:large2)" 3000000
like "too much" "$(large 3; large 4)" 'OOM command not allowed'
is "but to delete goes" "$(redis 2 DEL cache:large1 cache:large2 cache:large3)" 3

# --- what is refused ---
wait_leader start
mixed='Keys in request are eventual and strong ones'
rule='cannot be done on a key with an eventual prefix'
like "keys of both kinds" "$(redis "$L" MSET cache:1 a other b)" "$mixed"
is "do nothing" "$(redis "$L" GET other)$(redis 1 GET cache:1)" v1
like "nor do they with DEL" "$(redis "$L" DEL other cache:1)" "$mixed"
for c in 'INCR cache:1' 'APPEND cache:1 x' 'SETNX cache:1 x' 'GETSET cache:1 x' 'GETDEL cache:1' \
	'EXPIRE cache:1 5' 'HINCRBY seen:h f 1' 'SET cache:1 x NX' 'SET cache:1 x GET' \
	'RENAME cache:1 cache:2' 'WATCH cache:1' 'MSETNX cache:1 x'; do
	# shellcheck disable=SC2086
	like "$c" "$(redis "$L" $c)" "$rule"
done
id=$(redis "$L" PAXSTEER SESSION NEW)
like "a session's number" "$(redis "$L" PAXSTEER SESSION RUN "$id" 1 SET cache:1 x)" "$rule"
like "a saga" "$(redis "$L" PAXSTEER SAGA BEGIN s STEP one DO 3 SET cache:1 x)" "$rule"
like "a transaction" "$(say "$L" MULTI 'SET cache:1 x' EXEC)" '^EXECABORT'
like "FLUSHALL" "$(redis "$L" FLUSHALL)" 'would leave the eventual keys'
is "nothing of it was done" "$(redis 1 GET cache:1)" v1
like "a question of nobody" "$(redis 1 PAXSTEER FEED xyz)" "not by who has the cluster's key"
is "and is counted" "$(info 1 eventual_forged)" 1
is "strong keys are what they were" "$(redis "$L" INCR strong)" 1
is "and are not counted among these" "$(redis "$L" DBSIZE)" 1

# --- cut off from each other, and one is killed, under load ---
start load python3 "$HERE/store_eventual.py" load --ports "$(ports)" --seconds $seconds \
	--until "$S_DIR/over" --history "$S_DIR/history"
load=$START_PID
moved() { [ "$(info 1 eventual_writes)" -gt $((before + 20)) ]; }
before=$(info 1 eventual_writes)
ok "the load moves" wait_until 30 moved
cut 1 2 3
before=$(info 1 eventual_writes)
ok "and goes on while all are cut off" wait_until 30 moved
store_kill 3
ok "and one is killed" kill -0 "$load"
before=$(info 1 eventual_writes)
ok "the others go on" wait_until 30 moved
restart 3
load_may_end
wait "$load"
is "to the end" $? 0
diag "$(<"$T_DIR/load.log")"
ok "they differ by then" test "$(digest 1)" != "$(digest 2)"
cut
ok "and come to the same" wait_until 30 same 1 2 3
for i in 1 2 3; do
	python3 "$HERE/store_eventual.py" dump --port "$(store_port $i)" >"$S_DIR/state$i"
done
out=$(python3 "$HERE/store_eventual.py" check "$S_DIR/history" "$S_DIR"/state?)
like "the last writes, and none that was acknowledged is lost" "$out" '^ok: [0-9]+ commands'
diag "$out"
ok "no mark stays that all know of" wait_until 30 no_marks

# --- late, and over ---
redis 1 SET cache:late old >/dev/null
ok "everybody has it" wait_until 30 holds 2 cache:late old
cut 1
redis 1 SET cache:late older >/dev/null
redis 1 SET cache:later old >/dev/null
is "a deletion elsewhere" "$(redis 2 DEL cache:late cache:later)" 1
redis 3 SET cache:over x PX 400 >/dev/null
redis 3 HSET cache:twice f 1 >/dev/null
redis 1 SET cache:twice x >/dev/null
ok "a deadline" wait_until 30 is_gone 3 cache:over
ok "the mark stays for who is cut off" test "$(info 2 eventual_marks)" -gt 0
cut
ok "they come to the same" wait_until 30 same 1 2 3
is "writes before the deletion are gone" "$(redis 1 EXISTS cache:late cache:later)" 0
is "the last write says what a key is" "$(redis 3 TYPE cache:twice)" string
ok "all marks go" wait_until 30 no_marks
is "and nothing comes back" "$(redis 3 EXISTS cache:late cache:later cache:over)" 0
is "a deadline is told" "$(redis 1 SET cache:ttl x EX 100; redis 1 TTL cache:ttl)" \
	"$(printf 'OK\n100')"

# --- lists that differ ---
store_kill 3 TERM
lists 3 '"cache:"'
restart 3
redis 3 SET cache:alone x >/dev/null
ok "another list is said" wait_until 30 log_says 3 "its eventual prefixes are others"
ok "at both ends" wait_until 30 log_says 1 "its eventual prefixes are others"
like "and shown" "$(info 1 eventual_member3)" 'state=its eventual prefixes are others'
is "nothing is merged" "$(redis 1 EXISTS cache:alone)" 0
store_kill 3 TERM
lists 3 '"seen:", "cache:"'
restart 3
ok "with the same list it is" wait_until 30 holds 1 cache:alone x
ok "they come to the same" wait_until 30 same 1 2 3

# --- a table that is lost, and one that is a copy ---
store_kill 3 TERM
cp -r "$(table 3)" "$S_DIR/copy"
restart 3
redis 3 SET cache:since x >/dev/null
ok "it is told" wait_until 30 holds 1 cache:since x
ok "they come to the same" wait_until 30 same 1 2 3
store_kill 3 TERM
rm -r "$(table 3)"
cp -r "$S_DIR/copy" "$(table 3)"
store_start 3
ok "a copy that is old is found out" wait_until 30 log_says 3 "older than what others have of it"
like "and takes no writes" "$(redis 3 SET cache:1 x)" '^MISCONF'
store_kill 3
rm -r "$(table 3)"
restart 3
ok "a table that is lost is filled" wait_until 30 same 1 2 3
is "with what it had told" "$(redis 3 GET cache:since)" x

# --- a prefix that comes later, and no quorum ---
# Whoever led was killed above, perhaps.
wait_leader "after all this"
is "a strong key" "$(redis "$L" SET late:1 x)" OK
even "strong keys"
for i in 1 2 3; do
	store_kill $i TERM
	lists $i '"cache:", "seen:", "late:"'
done
restart 1
like "a strong key of a new prefix is neither" "$(redis 1 GET late:1)" 'was written as a strong one'
is "without a quorum" "$(redis 1 SET cache:1 w)$(redis 1 GET cache:1)" OKw
like "strong ones are not written" "$(redis 1 SET strong 2)" '^(CLUSTERDOWN|MOVED)'
for i in 2 3; do restart $i; done
ok "and all have it" wait_until 30 holds 3 cache:1 w
for i in 1 2 3; do store_kill $i TERM; done
done_testing
