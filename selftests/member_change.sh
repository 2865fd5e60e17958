#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# member_change.sh - a group's members change under load: 3 to 5, and back to 3
#
#     paxsteerd 1, 2, 3 on loopback (members.sh) begin; 4 and 5 come, the leader is killed at a
#     change, two others go, one of these comes back with a new journal; quorums change sizes
#
# No root, no module. No acknowledged value is lost, the logs are equal, what may not be is refused,
# and the journal knows the members after a restart, whatever the configuration file says.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"
need paxsteer paxsteerd python3

ALL=$D/1.sock,$D/2.sock,$D/3.sock,$D/4.sock,$D/5.sock
member() { paxsteer member -S "$ALL" "$@"; }
log() { paxsteer log -S "$ALL" "$@"; }
show() { paxsteer -j member -S "$D/$1.sock" show 2>/dev/null; }
in_epoch() { [ "$(show "$1" | json 'd["epoch"]')" -ge "$2" ]; }
epoch() { show "$1" | json 'd["epoch"]'; }
who()	# who I: ID:ROLE of each member, as member I says
{
	show "$1" | json '" ".join(sorted("%d:%s" % (m["id"], m["role"]) for m in d["members"]))'
}
leader()
{
	local i
	for i in 1 2 3 4 5; do
		[ "$(field $i ready)" = True ] && echo $i && return 0
	done
	return 1
}
add() { member add "$1" "127.0.0.1:$((PORT + $1))" incarnation "$(<"$D/inc$1")"; }
newcomer()	# newcomer I VOTER...: its journal and file: itself a learner beside those
{
	local i=$1 j
	shift
	paxsteer -j journal init "$D/j$i" cluster $UUID member "$i" | json 'd["incarnation"]' \
		>"$D/inc$i" || bail "journal init"
	config "$i" | grep -v "^member\|^}" >"$D/$i.conf"
	for j in "$@" "$i"; do
		printf 'member %d { address = "127.0.0.1:%d" incarnation = "%s" %s }\n' "$j" \
			$((PORT + j)) "$(<"$D/inc$j")" "$([ "$j" != "$i" ] || echo learner = true)"
	done >>"$D/$i.conf"
	echo '}' >>"$D/$i.conf"
}
catches_up()	# catches_up I: it has what the leader had
{
	local l top
	l=$(leader) && top=$(field "$l" applied) && applied "$1" "$top"
}
leads_in()	# leads_in EPOCH: who leads is in it
{
	local l
	l=$(leader) && [ "$(epoch "$l")" = "$1" ]
}
log_says() { grep -q "$2" "$T_DIR/agent$1.log"; }
hashes() { paxsteer log -S "$D/$1.sock" tail hash noops; }
even()	# even NAME I...
{
	local name=$1 i last first=$2
	shift
	last=$(field "$(leader)" applied)
	for i; do
		wait_until 60 applied "$i" "$last" || fail "$name: member $i reaches $last"
		hashes "$i" | head -n "$last" >"$D/h$i"
		ok "$name: member $i has the log of member $first" cmp "$D/h$first" "$D/h$i"
	done
}

members_make
for i in 4 5; do newcomer $i 1 2 3; done
for i in 1 2 3; do run $i; done
wait_until 60 leader || bail "no leader"
wait_until 60 in_epoch 1 1 || bail "member 1 is not up"
is "the file's members, epoch 1" "$(epoch 1) $(who 1)" "1 1:voter 2:voter 3:voter"
log append count 400 size 100 outstanding 16 quiet >/dev/null
start load paxsteer log -S "$ALL" append count 1000000 seconds 12 size 64 \
	outstanding 8 prefix m keep-going quiet acked-file "$D/acked"
load=$START_PID

# --- refused, and nothing changes ---
refused "a member that is not there" "no member 9 in the group" member remove 9
refused "one that votes already" "member 1 votes" member promote 1
refused "one that is there already" "member 2 is there" \
	member add 2 127.0.0.1:1 incarnation 0x17
refused "two members at one address" "the same address and port" \
	member add 4 "127.0.0.1:$((PORT + 1))" incarnation 0x17
refused "two members with one journal" "incarnation given twice" \
	member add 4 127.0.0.1:1 incarnation "$(<"$D/inc1")"
refused "a voter with another journal" "with another incarnation is another member" \
	member set 1 "127.0.0.1:$((PORT + 1))" incarnation 0x17
refused "no incarnation" "incarnation is missing" member add 4 127.0.0.1:1
refused "a group that is not there" "no such group|no leader" member group 7 remove 1
ok "it is as it was" wait_until 60 leads_in 1

# --- 3 to 5 ---
is "a learner is added" "$(add 4)" "epoch 2"
refused "it lacks too much to vote" "it has slots up to 0 of" member promote 4
run 4
ok "it catches up from the others" wait_until 30 catches_up 4
ok "and knows that it is a member" wait_until 30 in_epoch 4 2
is "which does not vote" "$(who 4)" "1:voter 2:voter 3:voter 4:learner"
# Load goes on, and it may lack too much for a moment; what is refused begins no epoch.
votes() { [ "$(member promote "$1" 2>&1)" = "epoch $2" ]; }
ok "it votes" wait_until 30 votes 4 3
run 5
is "another" "$(add 5)" "epoch 4"
ok "catches up" wait_until 30 catches_up 5
ok "is in the epoch" wait_until 30 in_epoch 5 4

# --- the leader dies of a change ---
old=$(leader)
member promote 5 timeout 3000 >"$D/change" 2>&1 &
change=$!
stop "${PID[$old]}" KILL
wait $change
wait_until 60 leader || fail "a leader after the change" "$(tail -n 3 "$T_DIR"/agent?.log)"
promoted() { [[ $(who "$(leader)") == *5:voter* ]] || member promote 5; }
ok "it is made, or can be made again" wait_until 30 promoted
diag "$(<"$D/change")"
run "$old"
top=$(epoch "$(leader)")
for i in 1 2 3 4 5; do ok "member $i is in epoch $top" wait_until 30 in_epoch $i "$top"; done
is "five vote" "$(who "$old")" "1:voter 2:voter 3:voter 4:voter 5:voter"
is "who was killed has it from its journal" "$(field "$old" members_of)" journal

# --- two of five are away ---
lead=$(leader)
a=$((lead % 5 + 1)) b=$(((lead + 1) % 5 + 1))
stop "${PID[$a]}" KILL
stop "${PID[$b]}" KILL
ok "three of five go on" log append once "three of five"
run $a
run $b

# --- and back to 3: the leader goes, and another ---
gone=$(leader)
top=$(epoch "$gone")
like "the leader is removed" "$(member remove "$gone")" "epoch $((top + 1))"
removed() { [ "$(field "$1" state)" = removed ]; }
ok "it knows" wait_until 30 removed "$gone"
ok "and says so" wait_until 30 log_says "$gone" "removed from the group"
wait_until 60 leader || fail "a leader among the four"
other=$((gone % 5 + 1))
[ "$other" != "$(leader)" ] || other=$((other % 5 + 1))
like "another is removed" "$(member remove "$other")" "epoch $((top + 2))"
stop "${PID[$gone]}" TERM
run "$gone"
ok "who was removed stays so, whatever its file says" wait_until 30 removed "$gone"
three=()
for i in 1 2 3 4 5; do [ $i = "$gone" ] || [ $i = "$other" ] || three+=("$i"); done
for i in "${three[@]}"; do
	ok "member $i is in epoch $((top + 2))" wait_until 30 in_epoch "$i" $((top + 2))
done
refused "not what is removed" "no member $gone in the group" member remove "$gone"

# --- a member comes back with a new journal (S3) ---
stop "${PID[$gone]}" KILL
rm -rf "$D/j$gone"
newcomer "$gone" "${three[@]}"
run "$gone"
is "it is added, by its new incarnation" "$(add "$gone")" "epoch $((top + 3))"
ok "and catches up" wait_until 30 in_epoch "$gone" $((top + 3))

# --- sizes of quorums: one of the three accepts, all of them promise ---
is "quorums of three and one" "$(member quorum phase1 3 phase2 1)" "epoch $((top + 4))"
for i in "${three[@]}"; do
	ok "member $i is in epoch $((top + 4))" wait_until 30 in_epoch "$i" $((top + 4))
done
like "which it says" "$(paxsteer member -S "$D/${three[0]}.sock")" "phase1 3 phase2 1"
wait_until 60 leader || fail "a leader with other quorums"
lead=$(leader)
away=()
for i in "${three[@]}"; do [ "$i" = "$lead" ] || away+=("$i"); done
for i in "${away[@]}"; do stop "${PID[$i]}" KILL; done
ok "one of three goes on" log append once "one of three"
ok "and needs nobody to read" paxsteer log -S "$D/$lead.sock" read-index
for i in "${away[@]}"; do run "$i"; done
refused "majorities could miss what one has" "phase2 larger first" member quorum majority
refused "two sizes that miss each other" "phase1 and phase2 together" \
	member quorum phase1 2 phase2 1
refused "fewer than are needed to lead" "phase1 is more than there are voters" \
	member remove "${away[0]}"
refused "one size" "either phase1 N and phase2 N, or majority" member quorum phase1 3
is "back, first phase 2" "$(member quorum phase1 3 phase2 2)" "epoch $((top + 5))"
is "then majorities" "$(member quorum majority)" "epoch $((top + 6))"
for i in "${three[@]}" "$gone"; do
	ok "member $i is in epoch $((top + 6))" wait_until 30 in_epoch "$i" $((top + 6))
done

# --- nothing is lost ---
wait $load
even "at the end" "${three[@]}" "$gone"
diag "$(tail -n 2 "$T_DIR/load.log")" "$(wc -l <"$D/acked") values acknowledged"
is "no acknowledged value is missing" \
	"$(awk 'NR == FNR { h[$1] = $2; next } h[$1] != $2 { n++ } END { print n + 0 }' \
		"$D/h${three[0]}" "$D/acked")" 0
ok "and there were many" test "$(wc -l <"$D/acked")" -ge 500
for i in "${three[@]}"; do stop "${PID[$i]}" KILL; done
for i in "${three[@]}"; do run "$i"; done
ok "all of it again after a crash of all" wait_until 60 leader
ok "the members are those of the journals" wait_until 60 leads_in $((top + 6))
like "the journal shows it" "$(paxsteer journal dump "$D/j${three[0]}")" "type config"
done_testing
