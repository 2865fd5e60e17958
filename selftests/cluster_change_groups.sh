#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 120
#
# cluster_change_groups.sh - `paxsteer cluster add` and `remove`, of a store of three groups
#
#     paxsteerd 1..3 ── 127.0.0.1:S_PORT+21..24 ── paxsteerd 4 comes, 3 goes     datapath user
#     store 1..4 at 127.0.0.1:S_PORT+31..34        their files below $D/1 .. $D/4
#
# Clients move money between accounts of different groups meanwhile: the sum never changes. Both
# commands are killed half way, and go on when they are run again. A command dies by writing where
# nobody reads: before its next step, never at a time that this test would have to hit. No root, no
# module.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need paxsteer paxsteerd python3 redis-cli
take_ports
# shellcheck disable=SC2034  # machines.sh reads it
S_PORT=$T_PORTS
# shellcheck source=machines.sh disable=SC1091
. "$(dirname "$0")/machines.sh"
# At machine 1, be it the leader of a group or not.
at() { paxsteer ${JSON:-} cluster "$1" -S "$D/1/sock" "${@:2}"; }
add() { at add "$(word "$1")" etc "$D/1/etc" "${@:2}"; }
remove() { at remove "$1" password-file "$D/1/etc/store.password" "${@:2}"; }
# who G: the members of group G, by machine 1
who()
{
	paxsteer -j member -S "$D/1/sock" group "$1" show |
		json '" ".join(sorted("%d:%s" % (m["id"], m["role"][0]) for m in d["members"]))'
}
whos() { echo "$(who 1), $(who 2), $(who 3)"; }
# are MEMBERS: machine 1 knows that, whose member may follow
are() { [ "$(whos)" = "$1" ]; }
files() { (cd "$D" && find [1-4]/etc -type f -exec md5sum {} + | sort); }
all() { files; whos; }
no()	# no NAME REGEX COMMAND...
{
	local before
	before=$(all)
	refused "$@"
	is "and nothing has changed" "$(all)" "$before"
}
leads() { [[ $(client "$1" PAXSTEER BARRIER "$2") =~ ^[0-9]+$ ]]; }

machine 1
paxsteer cluster init self 1 "$(word 1)" "$(word 2)" "$(word 3)" groups 3 datapath user \
	"${MACHINE[@]}" bundle "$D/bundle" >/dev/null || bail "init"
for i in 2 3; do join "$D/bundle" $i >/dev/null || bail "join"; done
for i in 1 2 3; do run $i; done
REDISCLI_AUTH=$(<"$D/1/etc/store.password")
export REDISCLI_AUTH
start load python3 "$(dirname "$0")/store_transfer.py" --seconds 100 --stop "$D/stop" \
	--ports "$(port 1),$(port 2),$(port 3),$(port 4)"
load=$START_PID
ok "transfers are under way" wait_until 60 more 1 20

# --- 4 comes ---
out=$(add 4 timeout 0 2>&1)
is "add ends with 2, when the machine is not there in time" $? 2
like "and says what is to be done there" "$out" "member 4 is not reached.*cluster join - self 4"
like "its bundle is for all groups" "$(<"$D/1/etc/member4.bundle")" \
	"paxsteer-bundle 4.*groups 3.*adds 4"
ok "join" join "$D/1/etc/member4.bundle" 4
is "it begins as a learner in each" "$(grep -c learner "$D/4/etc/paxsteerd.conf")" 3
run 4
one() { add 4 timeout 0 >/dev/null 2>&1; [[ $(who 1) == *4:l* ]]; }
ok "one step is to add it to group 1" wait_until 30 one
is "and to no other" "$(who 2), $(who 3)" "1:v 2:v 3:v, 1:v 2:v 3:v"
dies 1 add 4
is "the command is killed half way" "$(kill -l $?)" PIPE
like "it was about to do more" "$(<"$D/said")" "^member 4 in group 2 answers, and is being added"
[[ $(whos) != *4:v* ]] && say="in none"
is "it votes in no group before it is in all" "${say:-$(whos)}" "in none"
mv "$D/1/etc/member4.bundle" "$D/aside"
like "without the bundle the first groups say who it is" "$(add 4 timeout 0 2>&1)" \
	"after 0 s: member 4 in group [123] .*goes on from here"
mv "$D/aside" "$D/1/etc/member4.bundle"
like "add goes on until it votes in all" "$(add 4 timeout 60 2>"$D/said")" \
	"member +4.*role +voter.*cluster rebalance.*GROUP"
like "and says what it does, and where" "$(<"$D/said")" "member 4 in group 3 .*is being promoted"
v4="1:v 2:v 3:v 4:v"
ok "so it is" wait_until 30 are "$v4, $v4, $v4"
ok "the bundle is gone" [ ! -e "$D/1/etc/member4.bundle" ]
is "add once more finds it done" "$(JSON=-j add 4 | json '[g["group"] for g in d["groups"]]')" \
	"[1, 2, 3]"

like "a member's store says how it is in each group" \
	"$(at status group 2 password-file "$D/1/etc/store.password")" \
	"group +2.* 4 +127.0.0.1:[0-9]+ +voter +(leader|follower) "

# --- 3 goes, who leads one of them ---
sockets=$D/1/sock,$D/2/sock,$D/3/sock,$D/4/sock
give() { paxsteer log -S "$sockets" group 2 transfer to 3; leads 3 2; }
ok "member 3 leads group 2" wait_until 30 give
dies 1 remove 3
is "the command is killed half way" "$(kill -l $?)" PIPE
is "it was about to do more" "$(<"$D/said")" "member 3 in group 3 is being demoted"
is "it has left no group before it votes in no other" "$(grep -o '3:.' <<<"$(who 1)")" 3:v
dies 2 remove 3
is "and again, when it has left one" "$(kill -l $?)" PIPE
first() { [ "$(who 1)" = "1:v 2:v 4:v" ]; }
ok "the first" wait_until 30 first
no "who is half gone does not come back" \
	"group [12]: member 3 is in group [23], and not in group [12]: it was being removed" add 3
like "remove goes on until it is in none" "$(JSON=-j remove 3 2>"$D/said")" '"removed": ?3'
like "and says what it does, and where" "$(<"$D/said")" "member 3 in group 3 is being removed"
v3="1:v 2:v 4:v"
ok "so it is" wait_until 30 are "$v3, $v3, $v3"
no "remove, once more" "group 1: no member 3 is in the group, which has 1, 2, 4" remove 3
no "nobody removes itself" "run this on the machine of another one" remove 1
stop "${PID[3]}"

# --- nothing is lost ---
before=$(committed 4)
ok "the newest member's transactions go on" wait_until 30 more 4 "$before"
touch "$D/stop"
wait "$load"
is "the sum never changed" $? 0
diag "$(<"$T_DIR/load.log")"
ok "the members' stores are equal" wait_until 60 even 1 2 4
stop "${PID[4]}" KILL
no "who is needed stays, in each group" \
	"group 1: of the 2 members that would vote 1 answer.*not reached: 4" remove 2
like "who is dead does not" "$(remove 4 2>&1)" "removed +4.*voters +2.*beware"
ok "in no group" wait_until 30 are "1:v 2:v, 1:v 2:v, 1:v 2:v"

# --- a machine with a group that is no part of the store ---
stop "${PID[1]}"
more=$(sed '/^group 2 {/,/^}/!d; s/^group 2/group 9/' "$D/1/etc/paxsteerd.conf")
echo "$more" >>"$D/1/etc/paxsteerd.conf"
run 1
there() { paxsteer member -S "$D/1/sock" group 9 show; }
ok "machine 1 is in another group, too" wait_until 30 there
no "members change by hand there" "this node is in several groups, .* see .paxsteer member." add 4
done_testing
