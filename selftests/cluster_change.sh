#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# cluster_change.sh - `paxsteer cluster add`, `remove` and `rebalance`, on loopback
#
#     paxsteerd 1..3 ── 127.0.0.1:S_PORT+21..26 ── paxsteerd 4, 5, 6 come       datapath user
#     store 1..6 at 127.0.0.1:S_PORT+31..36        their files below $D/1 .. $D/6
#     and, for rebalance, the three of store_group.sh, with groups 1, 2, 3
#
# As an operator does it: each command at one machine, whose daemon it asks, be it the leader or
# not. Under load a member dies, another one comes in its place, the leader goes; the history is
# judged. What cannot be done is refused, and changes nothing. No root, no module.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
# shellcheck source=machines.sh disable=SC1091
. "$(dirname "$0")/machines.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
NL=$'\n'
ALL=1,2,3,4,5,6
# at I COMMAND...: as one types it at that machine
at() { paxsteer ${JSON:-} cluster "$2" -S "$D/$1/sock" "${@:3}"; }
asks() { at "$1" "$2" password-file "$D/$1/etc/store.password" "${@:3}"; }
add() { at "$1" add "$(word "$2")" etc "$D/$1/etc" "${@:3}"; }
# A small window, so that a short log can be trimmed; and it is trimmed when this test says so.
run()
{
	sed -i -e 's/^group 1 {$/& window = 64 retain = 65536/' \
		-e 's/^\tstore {$/& checkpoint-entries = 0 checkpoint-seconds = 0/' \
		"$D/$1/etc/paxsteerd.conf"
	start "node$1" paxsteerd -c "$D/$1/etc/paxsteerd.conf"
	PID[$1]=$START_PID
}
end() { stop "${PID[$1]}" "${2:-TERM}"; unset "PID[$1]"; }
log_status() { paxsteer -j log -S "$D/$1/sock" status | json "d['groups'][0]['$2']"; }
lead()	# the member that leads and answers
{
	local i
	for i in "${!PID[@]}"; do
		[[ $(client "$i" EXISTS no) == [01] ]] && echo "$i" && return
	done
	return 1
}
find_lead() { L=$(lead); }
# other THAN...: a member that runs, and is none of them
other()
{
	local i
	for i in $(printf '%s\n' "${!PID[@]}" | sort); do
		[[ " $* " == *" $i "* ]] || { echo "$i"; return; }
	done
}
who() { asks "$1" status | awk '$1 ~ /^[1-6]$/ { printf "%s:%s ", $1, $3 }'; }
# are I MEMBERS: member I knows that, who may follow; has_not I MEMBER
are() { [ "$(who "$1")" = "$2" ]; }
has_not() { [[ " $(who "$1")" != *" $2:"* ]]; }
# what may change when something is refused: files, and who the members are
all() { (cd "$D" && find [1-6]/etc -type f -exec md5sum {} + | sort); who "$1"; }

# --- three, with a log that was trimmed: who comes needs a checkpoint ---
machine 1
paxsteer cluster init self 1 "$(word 1)" "$(word 2)" "$(word 3)" datapath user "${MACHINE[@]}" \
	bundle "$D/bundle" >/dev/null || bail "init"
for i in 2 3; do join "$D/bundle" $i >/dev/null || bail "join"; done
for i in 1 2 3; do run $i; done
REDISCLI_AUTH=$(<"$D/1/etc/store.password")
export REDISCLI_AUTH
wait_until 60 find_lead || bail "no leader"
seq 0 399 | sed 's/.*/SET fill& &/' | client "$L" >/dev/null
trimmed()
{
	paxsteer log -S "$D/$1/sock" trim to $(($(client "$1" PAXSTEER CHECKPOINT) - 128)) force
}
# Who follows may not have applied so much yet.
for i in 1 2 3; do ok "member $i trims its log" wait_until 30 trimmed $i; done
FIRST=$(for i in 1 2 3; do log_status $i first_slot; done | sort -n | tail -n1)
[ "$FIRST" -gt 1 ] || fail "the log begins later"
start load python3 "$HERE/store_load.py" --seconds 120 --stop "$D/stop" --pause 0.01 \
	--clients 12 --keys 5 --history "$D/history" \
	--ports "$(for i in ${ALL//,/ }; do port "$i"; done | paste -sd,)"
load=$START_PID

# --- one dies, who led; another one comes, and the dead one goes ---
dead=$L
end "$dead" KILL
wait_until 60 find_lead || bail "no other leader"
X=$(other "$L")	# does not lead
out=$(add "$X" 4 timeout 0 2>&1)
is "add ends with 2, when the machine is not there in time" $? 2
like "and says what is to be done there" "$out" \
	"bundle $D/$X/etc/member4.bundle.*not reached at 127.0.0.1:$(port 4) \(Connection refused"
is "the bundle is nobody else's" "$(stat -c %a "$D/$X/etc/member4.bundle")" 600
cp -p "$D/$X/etc/member4.bundle" "$D/first"
before=$(all "$X")
add "$X" 4 timeout 0 >/dev/null 2>&1
is "the next try takes the same bundle, and changes nothing" "$before" "$(all "$X")"
refused "it makes no other member" "member 2 is there: the bundle is for member 4" \
	join "$D/first" 2
like "join" "$(join "$D/first" 4 units "$D/4" 2>&1)" 'member +4.*next +systemctl enable'
like "with what systemd needs" "$(<"$D/4/paxsteerd.service.d/cluster.conf")" "IPAddressAllow="
like "it begins as a learner" "$(grep -c learner "$D/4/etc/paxsteerd.conf")" 1
refused "a bundle makes a member once" "member 4 was made of this bundle before" \
	join "$D/first" 4

# A member of another cluster is at its address: neither key nor password is this one's.
machine o
paxsteer cluster init self 4 "$(word 4)" 8=127.0.0.1:8,8 9=127.0.0.1:9,9 datapath user \
	"${MACHINE[@]}" >/dev/null
run o
stranger() { [[ $(add "$X" 4 timeout 0 2>&1) == *"is not reached"*WRONGPASS* ]]; }
ok "a member of another cluster is not taken" wait_until 30 stranger
# A socket on which a ring waits lives longer than its process, unless that ends it.
taken() { [[ $(client 4 PING) == *NOAUTH* ]]; }
for _ in $(seq 20); do
	end o
	run o
	wait_until 10 taken || break
done
ok "an address is free when its daemon has ended" taken
end o

# What it takes for eventual, the others would have in the log.
sed -i 's/^\tstore {$/&\n\t\teventual = {"cache:"}/' "$D/4/etc/paxsteerd.conf"
run 4
reached() { [[ $(client 4 INFO paxsteer) == *incarnation:0x* ]]; }
ok "the new one answers" wait_until 30 reached
refused "with eventual prefixes of its own it is not taken" \
	"member 4 has other eventual prefixes than this one" add "$X" 4
end 4
sed -i '/eventual = /d' "$D/4/etc/paxsteerd.conf"
run 4

# Another bundle than the one that it was made of would be another journal.
rm "$D/$X/etc/member4.bundle"
ok "it answers again" wait_until 30 reached
refused "a member of another bundle is found out" "it was made of another bundle" add "$X" 4
cp -p "$D/first" "$D/$X/etc/member4.bundle"
like "add goes on, from a machine that does not lead, until the member votes" \
	"$(add "$X" 4 timeout 60 2>"$D/said")" $'member +4\nrole +voter'
like "and says what it does" "$(<"$D/said")" "answers, and is being added.*is being promoted"
like "it took a checkpoint" "$(<"$T_DIR/node4.log")" "goes on from member"
ok "the bundle is gone" [ ! -e "$D/$X/etc/member4.bundle" ]
like "add once more finds it done" "$(add "$X" 4 2>&1)" $'^member +4\nrole +voter'
like "remove, of the dead one" "$(asks "$X" remove "$dead" 2>&1)" \
	"removed +$dead.*voters +3.*on its machine: systemctl disable"
Y=$(other "$X" 4)
ok "status has who is left" wait_until 30 \
	are "$Y" "$(printf '%s:voter\n' "$X" "$Y" 4 | sort | tr '\n' ' ')"
refused "remove, once more" "no member $dead is in the group, which has" asks "$X" remove "$dead"

# --- two come at once, at two machines ---
add "$X" 5 timeout 60 >"$D/out5" 2>&1 &
five=$!
add "$Y" 6 learner timeout 60 >"$D/out6" 2>&1 &
six=$!
made() { [ -s "$D/$X/etc/member5.bundle" ] && [ -s "$D/$Y/etc/member6.bundle" ]; }
ok "two bundles, at two machines" wait_until 30 made
join - 5 <"$D/$X/etc/member5.bundle" >/dev/null
join - 6 <"$D/$Y/etc/member6.bundle" >/dev/null
run 5
run 6
wait $five
is "one becomes a voter" "$?: $(grep role "$D/out5" || cat "$D/out5")" "0: role    voter"
wait $six
is "and one a learner" "$?: $(grep role "$D/out6" || cat "$D/out6")" "0: role    learner"
both() { [[ $(who 4) == *"5:voter 6:learner"* ]]; }
ok "as status says" wait_until 30 both
refused "which was to be a learner votes" "member 5 votes already" add "$X" 5 learner timeout 1

# --- who leads goes, asked for by another one ---
wait_until 60 find_lead || bail "no leader"
old=$L Z=$(other "$L" 6)
refused "nobody removes itself" "run this on the machine of another one" asks "$old" remove "$old"
like "remove, of who leads" "$(asks "$Z" remove "$old" 2>&1)" "removed +$old"
knows() { [ "$(log_status "$old" state)" = removed ]; }
ok "it knows" wait_until 30 knows
like "and its status says so" "$(asks "$old" status 2>/dev/null)" \
	" $old +127.0.0.1:[0-9]+ [^$NL]*removed"
refused "and can do no more" "this machine's member was removed" add "$old" 1 timeout 1
end "$old"
like "its socket or a learner's alone do not help, without the key" \
	"$(asks 6 remove "$Z" 2>&1)" "run this on a machine of a voter"

# --- nothing is lost ---
touch "$D/stop"
wait "$load"
is "the load goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
wait_until 60 find_lead || bail "no leader at the end"
# One that was there from the beginning; who came has only what follows its checkpoint.
first=$X
[ -n "${PID[$X]:-}" ] || first=$Y
ok "the log" python3 "$HERE/store_load.py" --member 1 --entries "$D/$first/sock" \
	--first "$FIRST" --history "$D/history"
out=$(lin "$D/history" 2>&1)
like "every client saw what its level promises" "$out" '^ok: [0-9]+ operations'
diag "$out"
ok "and wrote much" [ "$(grep -c ' write .* ok ' "$D/history")" -gt 100 ]
is "of what was there before nothing is lacking" \
	"$(seq 0 399 | sed 's/.*/GET fill&/' | client "$L" | diff - <(seq 0 399) | wc -l)" 0

# --- what cannot be ---
no()	# no NAME REGEX COMMAND...
{
	before=$(all "$Z")
	refused "$@"
	is "and nothing has changed" "$(all "$Z")" "$before"
}
in_force=$(other 6)
etc=(etc "$D/$Z/etc")
no "add: an id that is there" "member $in_force is in the group, with another address" \
	at "$Z" add "$in_force=127.0.0.1:9,9" "${etc[@]}"
no "add: an address that is there" "have the same address" \
	at "$Z" add "9=127.0.0.1:$((S_PORT + 20 + in_force)),9" "${etc[@]}"
no "add: a store that is there" "stores of members .* have the same address" \
	at "$Z" add "9=127.0.0.1:9,$(port "$in_force")" "${etc[@]}"
no "add: a store elsewhere" "its store must be at its own address" \
	at "$Z" add 9=127.0.0.1:9,127.0.0.2:9 "${etc[@]}"
no "add: another family" "addresses of different families" at "$Z" add '9=[::1]:9' "${etc[@]}"
no "add: no key" "none/store.password: No such file" at "$Z" add 9=127.0.0.1:9 etc "$D/none"
cp -p "$D/first" "$D/$Z/etc/member9.bundle"
no "add: a bundle of another member" "is not for member 9" at "$Z" add 9=127.0.0.1:9,9 "${etc[@]}"
rm "$D/$Z/etc/member9.bundle"
no "remove: a member that is not there" "no member 9 is in the group" asks "$Z" remove 9
like "6 votes, when it is added once more without learner" "$(add "$Z" 6 timeout 60 2>&1)" \
	"role +voter"
# Now four vote. Without one of them there are three; without two there is no majority of those.
a=$(other "$Z") b=$(other "$Z" "$a") c=$(other "$Z" "$a" "$b")
like "four vote" "$a $b $c $Z" '^[1-6] [1-6] [1-6] [1-6]$'
end "$a" KILL
like "the dead one goes" "$(asks "$Z" remove "$a" 2>&1)" "voters +3"
ok "as member $Z knows" wait_until 30 has_not "$Z" "$a"
end "$b" KILL
no "remove: who is needed" "of the 2 members that would vote 1 answer.*not reached: $b" \
	asks "$Z" remove "$c"
like "who is dead is not" "$(asks "$Z" remove "$b" 2>&1)" "voters +2.*beware +two members vote"
ok "as member $Z knows, too" wait_until 30 has_not "$Z" "$b"
no "remove: of two" "2 members vote, and there must be 2" asks "$Z" remove "$c"
like "rebalance, with one group" "$(asks "$Z" rebalance)" "every member has all of them.*stays"
for i in "${!PID[@]}"; do end "$i"; done
refused "a daemon that is not there" "No such file|refused" asks "$Z" remove "$c"
ok "the journal of the newest member is whole" paxsteer journal verify "$D/6/state/journal"

# --- leaders of three groups ---
unset REDISCLI_AUTH
# shellcheck disable=SC2034  # store_group.sh reads it
S_GROUPS="2 3"
store_init
for i in 1 2 3; do store_start $i; done
for g in 1 2 3; do
	ok "group $g: member 2 leads" wait_until 60 hand_over 2 $g
done
balance() { paxsteer ${JSON:-} cluster rebalance -S "$S_DIR/1.sock" password-file /dev/null "$@"; }
leaders() { for g in 1 2 3; do leader_of $g; done | sort | tr '\n' ' '; }
# What it is told of a leader may be a little old.
dry_run() { out=$(balance dry-run 2>&1); [ "$(grep -c "$1" <<<"$out")" = "$2" ]; }
wait_until 30 dry_run 'would move' 2
is "a dry run says which leaders would move" $? 0
like "and that no key does" "$out" "^keys +do not move: every member has those of all groups"
is "and moves none" "$(leaders)" "2 2 2 "
is "rebalance moves two" \
	"$(JSON=-j balance | json '[g["outcome"] for g in d["groups"]].count("moved")')" 2
spread() { [ "$(leaders)" = "1 2 3 " ]; }
ok "so that each member leads one" wait_until 30 spread
ok "once more none would move" wait_until 30 dry_run stays 3
is "and none does" "$(balance | grep -c stays)" 3
refused "who has several addresses is not in one bundle" \
	"member 1: address: is not the same in groups 1 and 2: see .paxsteer member." \
	paxsteer cluster add -S "$S_DIR/1.sock" 4=127.0.0.1:9 etc "$D/1/etc"
refused "who is in no group is removed from none" "group 1: no member 9 is in the group" \
	paxsteer cluster remove -S "$S_DIR/1.sock" 9 password-file /dev/null
ok "and each member leads one as before" spread
leader() { redis 1 PAXSTEER LEADER "$@" 2>&1; }
like "a store hands over no group that it has not" "$(leader 1 9)" "no such group in this store"
like "to no member that there cannot be" "$(leader 64)" "a member's id is 1..63"
like "or is not" "$(leader 9 1)" "no such member in the group"
like "and none that its member does not lead" "$(leader 2 2)" "this member does not lead"
done_testing
