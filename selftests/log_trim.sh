#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# log_trim.sh - logs are trimmed, journals lose the segments that nobody needs
#
#     paxsteerd 1, 2, 3 on loopback (members.sh); group 1 keeps 256 slots (its window is 64), of
#     group 2 an operator says what goes
#
# No root, no module. What is refused, what a reader is told, that it is all the same after kill -9,
# that a member that was away catches up as long as nobody forces what it lacks, and that one for
# which that was forced says so.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"
need paxsteer paxsteerd python3

status() { paxsteer -j log -S "$D/$1.sock" status 2>/dev/null; }
# get I GROUP FIELD; journal I FIELD
get() { status "$1" | json "d['groups'][$2 - 1]['$3']" 2>/dev/null; }
journal() { status "$1" | json "d['journal']['$2']" 2>/dev/null; }
at_least() { local v; v=$("${@:2}") && [ "$v" -ge "$1" ]; }
all_have() { local i; for i in 1 2 3; do at_least "$2" get $i "$1" applied || return 1; done; }
fill()	# fill GROUP COUNT
{
	log group "$1" append count "$2" size 1000 outstanding 64 quiet >/dev/null
}
silent() { "$@" >/dev/null; }
trim() { paxsteer log -S "$D/$1.sock" group 2 trim to "${@:2}"; }
files() { find "$D/j$1" -name '*.pxs' | wc -l; }
hashes() { paxsteer log -S "$D/$1.sock" group "$2" tail from "$3" hash noops; }
# top GROUP: all that was acknowledged stands up to there
top() { log group "$1" read-index; }
even()	# even NAME GROUP FROM: the three logs are equal from there on
{
	local i last
	last=$(top "$2")
	wait_until 60 all_have "$2" "$last" || fail "$1: all reach slot $last"
	for i in 1 2 3; do hashes $i "$2" "$3" | awk '$1 <= last' last="$last" >"$D/h$i"; done
	for i in 2 3; do ok "$1: member $i has the log of member 1" cmp "$D/h1" "$D/h$i"; done
	is "$1: and whole" "$(wc -l <"$D/h1")" $((last - $3 + 1))
}

members_make 262144
for i in 1 2 3; do
	group=$(sed -n '/^group 1/,$p' "$D/$i.conf")
	{
		sed 's/^group 1 {/& window = 64 retain = 256/' "$D/$i.conf"
		sed 's/^group 1 {/group 2 { window = 64/' <<<"$group"
	} >"$D/conf" && mv "$D/conf" "$D/$i.conf"
done
sed 's/retain = 256/retain = 127/' "$D/1.conf" >"$D/bad.conf"
refused "less than two windows" "group 1: retain must be 0 or at least two windows" \
	paxsteerd -c "$D/bad.conf" --check
for i in 1 2 3; do run $i; done
wait_until 60 leader || bail "no leader"

# --- by itself ---
first() { at_least "$1" get "$2" 1 first_slot; }
fill 1 4000
is "group 2 has a log of its own" "$(log group 2 append one)" 1
for i in 1 2 3; do
	ok "member $i trims by itself" wait_until 60 first 3000 $i
	ok "and keeps what it is to" at_least $(($(get $i 1 first_slot) + 255)) get $i 1 applied
done
segments_few() { [ "$(files "$1")" -le 8 ]; }
for i in 1 2 3; do
	ok "member $i has lost segments" wait_until 30 at_least 10 journal $i first_segment
	ok "its files are as few" wait_until 30 segments_few $i
done
refused "a reader is told" "no slot below [0-9]* any more" hashes 1 1 5
# It may be trimmed once more between question and question.
from_first() { silent hashes 1 1 "$(get 1 1 first_slot)"; }
ok "from the first slot on there is all" wait_until 30 from_first
like "of the journal: where it begins" "$(status 1)" '"first_segment"'

# --- asked for ---
fill 2 999
wait_until 30 all_have 2 1000 || fail "group 2: 1000 slots"
refused "not what is not there" "slot 5000 is not applied here" trim 1 5000
refused "not the last two windows" "the last 128 slots are kept" trim 1 900
refused "not slot 0" "to: must be 1" trim 1 0
refused "not of a group that is not there" "no such group" \
	paxsteer log -S "$D/1.sock" group 3 trim to 5
knows() { at_least 1000 get "$1" 2 held; }
for i in 1 2; do wait_until 30 knows $i || fail "member $i knows what all have"; done
is "what is wanted no more" "$(trim 1 500)" "$D/1.sock: the first slot is 501"
is "once more" "$(trim 1 400)" "$D/1.sock: the first slot is 501"
is "as JSON" "$(paxsteer -j log -S "$D/2.sock" group 2 trim to 500 | json 'd["first_slot"]')" 501
refused "a reader is told, of group 2" "no slot below 501 any more" hashes 1 2 500
is "another member has it" "$(hashes 3 2 500 | head -n 1 | cut -d' ' -f1)" 500
is "the library goes on there" "$(paxsteer log -S "$D/1.sock,$D/3.sock" group 2 \
	tail from 500 count 1 hash | cut -d' ' -f1)" 500

# --- after a crash ---
for i in 1 2 3; do stop "${PID[$i]}" KILL; done
like "offline: the journal's beginning" "$(paxsteer -j journal show "$D/j1")" '"first_segment":'
ok "and it is whole" paxsteer journal verify "$D/j1"
like "the records are told" "$(paxsteer journal dump "$D/j1" group 2)" "type trim slot 500 .*ballot"
for i in 1 2 3; do run $i; done
wait_until 60 leader || fail "a leader after the crash"
up() { [ -n "$(get 1 2 first_slot)" ]; }
wait_until 60 up || fail "member 1 is up"
is "the trim point is known" "$(get 1 2 first_slot)" 501
refused "a reader is told, after it" "no slot below 501 any more" hashes 1 2 500
fill 2 100
even "after the crash" 2 501

# --- a member that was away ---
wait_until 60 leader || fail "a leader before one goes away"
stay=$(leader)
away=$((stay % 3 + 1))
last=$(top 1)
limit=$((last - 128 + 1))
wait_until 60 all_have 1 "$last" || fail "all have group 1 up to slot $last"
wait_until 30 at_least "$last" get "$stay" 1 held || fail "member $stay knows that"
stop "${PID[$away]}" KILL
fill 1 3000
wait_until 30 first $limit "$stay" || fail "member $stay trims what all have"
# In the module it lives on for a moment, and may hold what it will lack: a window (held.h).
[ "${PXS_DATAPATH:-user}" = user ] || slack=64
ok "nothing is trimmed that it may lack" \
	[ "$(get "$stay" 1 first_slot)" -le $((limit + ${slack:-0})) ]
run $away
even "it is back" 1 "$(get "$stay" 1 applied | awk '{ print $1 - 200 }')"
ok "and then it is trimmed" wait_until 60 first $((limit + 2000)) "$stay"

# --- and one that others did not wait for ---
stop "${PID[$away]}" KILL
fill 2 2000
top=$(top 2)
for i in 1 2 3; do
	[ $i = "$away" ] || wait_until 60 at_least "$top" get $i 2 applied ||
		fail "group 2: member $i reaches slot $top"
done
refused "who is away would miss it" "force, if that is meant" trim "$stay" $((top - 200))
for i in 1 2 3; do
	[ $i = "$away" ] || ok "member $i is forced" silent trim $i $((top - 200)) force
done
run $away
lacks() { [ "$(get "$away" 2 lacks_up_to)" = $((top - 200)) ]; }
ok "it says what it lacks" wait_until 60 lacks
# Who follows hears of the last slots after the client has.
ok "the others go on" fill 2 10
ok "and both apply it" wait_until 60 at_least $((top + 10)) get "$stay" 2 applied
done_testing
