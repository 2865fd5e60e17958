#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_member.sh - all members of a group with a store are replaced, one by one, under load
#
#     paxsteerd 1, 2, 3 ── 127.0.0.1:S_PORT+1..6 ── paxsteerd 4, 5, 6 come, 1, 2, 3 go
#     store 1..6 at 127.0.0.1:S_PORT+11..16
#
# The log is trimmed in between, so who comes takes another member's checkpoint; so does one that
# was away while the members changed, and that is first told who they are. No root, no module.
# No acknowledged write is lost, strong reads stay linearizable; who was removed answers nothing.
# Nor is any of its eventual writes lost, up to the one that it refuses.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
ALL=1,2,3,4,5,6
SOCKETS=$(printf '%s,' "$S_DIR"/{1..6}.sock)
member() { paxsteer member -S "${SOCKETS%,}" "$@"; }
show() { paxsteer -j member -S "$S_DIR/$1.sock" show 2>/dev/null; }
epoch() { show "$1" | json 'd["epoch"]'; }
in_epoch() { [ "$(epoch "$1")" -ge "$2" ]; }
who() { show "$1" | json '" ".join(sorted("%d:%s" % (m["id"], m["role"]) for m in d["members"]))'; }
status() { paxsteer -j log -S "$S_DIR/$1.sock" status | json "d['groups'][0]['$2']"; }
log_says() { grep -q "$2" "$T_DIR/store$1.log"; }
lead()	# the member that leads and answers
{
	local i
	for i in ${ALL//,/ }; do
		[ -n "${S_PID[$i]:-}" ] && [[ $(redis "$i" EXISTS no 2>/dev/null) == [01] ]] &&
			echo "$i" && return 0
	done
	return 1
}
newcomer()	# newcomer I VOTER...: its journal and file: itself a learner beside those
{
	local i=$1 j
	shift
	paxsteer -j journal init "$S_DIR/j$i" cluster $S_UUID member "$i" segment-size 4194304 |
		json 'd["incarnation"]' >"$S_DIR/inc$i" || bail "journal init"
	store_config "$i" | sed "s/^group 1 {/& window = 64/" | grep -v '^member\|^}\|^store' \
		>"$S_DIR/$i.conf"
	for j in "$@" "$i"; do
		printf 'member %d { address = "127.0.0.1:%d" incarnation = "%s" ' \
			"$j" $((S_PORT + j)) "$(<"$S_DIR/inc$j")"
		printf 'store = "127.0.0.1:%d" %s }\n' "$(store_port "$j")" \
			"$([ "$j" != "$i" ] || echo learner = true)"
	done >>"$S_DIR/$i.conf"
	store_config "$i" | grep -A1 '^store' >>"$S_DIR/$i.conf"
}
add_mute()
{
	member add "$1" "127.0.0.1:$((S_PORT + $1))" incarnation "$(<"$S_DIR/inc$1")" "${@:2}"
}
add() { add_mute "$1" store "$(store_port "$1")"; }
# note I: what the log of member I has beyond what was noted before
note()
{
	python3 "$HERE/store_load.py" --entries "$S_DIR/$1.sock" --member 1 \
		--first $(($(wc -l <"$S_DIR/entries") + 1)) --history "$S_DIR/entries"
}
trim()	# trim I...: checkpoints, and all goes that may
{
	local i slot
	for i; do
		note "$i"
		slot=$(redis "$i" PAXSTEER CHECKPOINT)
		paxsteer log -S "$S_DIR/$i.sock" group 1 trim to $((slot - 128)) force >/dev/null ||
			fail "member $i trims"
	done
}
# fill FIRST LAST: keys
fill() { seq "$1" "$2" | sed 's/.*/SET fill& &/' | redis "$(lead)" >/dev/null; }
removed() { [ "$(status "$1" state)" = removed ]; }
# write_until_refused I: eventual keys, cache:I:1 ...; $S_DIR/wroteI counts those acknowledged
write_until_refused()
{
	local n=0 answer
	while answer=$(redis "$1" SET "cache:$1:$((n + 1))" "$n" 2>&1) && [ "$answer" = OK ]; do
		echo $((++n)) >"$S_DIR/wrote$1"
	done
	echo "$answer" >"$S_DIR/refused$1"
}
wrote() { [ "$(cat "$S_DIR/wrote$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
# has_all I OLD: all eventual keys that OLD has acknowledged
has_all()
{
	local n
	n=$(<"$S_DIR/wrote$2")
	[ "$(seq "$n" | sed "s/.*/EXISTS cache:$2:&/" | redis "$1" | grep -c '^1$')" = "$n" ]
}
eventual() { redis "$1" INFO eventual | tr -d '\r' | sed -n "s/^$2://p"; }
digest() { redis "$1" PAXSTEER EVENTUAL DIGEST | tr '\n' ' '; }
even_eventual() { [ "$(digest 4)" = "$(digest 5)" ] && [ "$(digest 5)" = "$(digest 6)" ]; }
no_marks()
{
	local i
	for i in 4 5 6; do [ "$(eventual $i eventual_marks)" = 0 ] || return 1; done
}
borrows() { wait_until 30 log_says "$1" "goes on from member"; }
replace()	# replace OLD NEW VOTER...: who votes now
{
	local old=$1 new=$2
	shift 2
	newcomer "$new" "$@"
	store_start "$new"
	ok "member $new is there" wait_until 30 redis "$new" PING
	like "it takes no eventual writes yet" "$(redis "$new" SET cache:early x)" \
		"^CLUSTERDOWN this member is not in the group yet"
	like "and is not added, if none could ask it for them" "$(add_mute "$new" 2>&1)" \
		'the store has eventual keys'
	like "member $new is added" "$(add "$new")" "^epoch"
	ok "member $new takes a checkpoint: the log begins later" borrows "$new"
	ok "member $new votes, when it has the rest" wait_until 30 member promote "$new"
	write_until_refused "$old" &
	ok "member $old takes eventual writes" wait_until 30 wrote "$old" 5
	like "member $old is removed" "$(member remove "$old")" "^epoch"
	wait $!
	like "and takes no more" "$(<"$S_DIR/refused$old")" "^CLUSTERDOWN this member was removed"
	for i in "$new" "$@"; do
		[ "$i" = "$old" ] || [ -z "${S_PID[$i]:-}" ] ||
			ok "what it took is at member $i" wait_until 30 has_all "$i" "$old"
	done
	diag "member $old took $(<"$S_DIR/wrote$old") eventual writes"
}
gone()	# gone I: it says so, and answers nothing that may be old
{
	local level out
	ok "member $1 knows that it was removed" wait_until 30 removed "$1"
	for level in strong 'bounded 60000' session eventual; do
		out=$(printf 'PAXSTEER CONSISTENCY %s\nGET fill0\n' "$level" | redis "$1" |
			sed '/^$/d' | tail -n1)
		like "which answers no $level read" "$out" "^CLUSTERDOWN this member was removed"
	done
}

# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='checkpoint-entries = 0 checkpoint-seconds = 0 read-wait = 1500 eventual = {"cache:"}'
store_init
: >"$S_DIR/entries"
sed -i 's/^group 1 {/& window = 64/' "$S_DIR"/?.conf
for i in 1 2 3; do store_start $i; done
wait_leader start
fill 0 399
first=$F second=$O third=$L
wait_until 60 store_even 1 2 3 || fail "all have applied all"
trim 1 2 3
start load python3 "$HERE/store_load.py" --seconds 120 --stop "$S_DIR/stop" --pause 0.01 \
	--clients 15 --keys 6 \
	--ports "$(for i in ${ALL//,/ }; do store_port "$i"; done | paste -sd,)" \
	--history "$S_DIR/history"
load=$START_PID

replace "$first" 4 1 2 3
gone "$first"
like "where its store listens is known" "$(member show)" "store 127.0.0.1:$(store_port 4)"

# --- one is away while the members change twice and the log is trimmed ---
store_kill "$third"
wait_until 60 lead >/dev/null || fail "a leader without member $third"
fill 400 699
trim "$second" 4
replace "$second" 5 "$second" "$third" 4
gone "$second"
wait_until 60 lead >/dev/null || fail "a leader"
trim 4 5
top=$(epoch "$(lead)")
store_start "$third"
ok "who was away takes a checkpoint" borrows "$third"
ok "and is in epoch $top" wait_until 30 in_epoch "$third" "$top"
epochs() { grep -o ': epoch [0-9]*: ' "$T_DIR/store$third.log" | tr -dc '0-9\n'; }
is "over the ones between" "$(epochs | tail -n 1)" "$top"
is "and not through them" "$(epochs | grep -c "^$((top - 1))$")" 0

# --- who leads goes ---
trim 4 5
replace "$third" 6 4 5 "$third"
gone "$third"
wait_until 60 lead >/dev/null || fail "a leader at the end"
is "three vote, all of them new" "$(who "$(lead)")" "4:voter 5:voter 6:voter"

# --- nothing is lost ---
touch "$S_DIR/stop"
wait "$load"
is "the load goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
ok "the members' stores are equal" wait_until 60 store_even 4 5 6
note 4
cat "$S_DIR/entries" >>"$S_DIR/history"
out=$(lin "$S_DIR/history" 2>&1)
like "every client saw what its level promises" "$out" '^ok: [0-9]+ operations'
diag "$out"
ok "and wrote much" [ "$(grep -c ' write .* ok ' "$S_DIR/history")" -gt 200 ]
lacking()
{
	seq 0 699 | sed 's/.*/GET fill&/' | redis "$(lead)" | diff - <(seq 0 699) | grep -c '^[<>]'
}
is "of what was there before nothing is lacking" "$(lacking)" 0
ok "their eventual keys are equal, too" wait_until 30 even_eventual
for i in "$first" "$second" "$third"; do ok "with those of member $i" has_all 4 "$i"; done
redis 5 DEL "cache:$first:1" "cache:$third:1" >/dev/null
ok "marks go, by those who are members now" wait_until 60 no_marks
is "and nothing comes back" "$(redis 6 EXISTS "cache:$first:1" "cache:$third:1")" 0
L=$(lead)
for i in 4 5 6; do
	[ $i = "$L" ] ||
		like "member $i, by what the log says, tells who leads" \
			"$(redis $i GET fill0 2>&1)" "^MOVED [0-9]+ 127.0.0.1:$(store_port "$L")$"
done
for i in 4 5 6; do store_kill $i; done
for i in 4 5 6; do store_start $i; done
ok "they go on after a crash of all" wait_until 60 lead
new_ones() { [ "$(who "$1")" = "4:voter 5:voter 6:voter" ]; }
for i in 4 5 6; do ok "member $i, by what its journal says" wait_until 30 new_ones $i; done
ok "with equal stores" wait_until 60 store_even 4 5 6
for i in "$third" 4 5 6; do store_kill "$i" TERM; done
for i in "$third" 4 5 6; do
	ok "the journal of member $i is whole" paxsteer journal verify "$S_DIR/j$i"
done
done_testing
