#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 150
#
# cluster_voters.sh - `paxsteer cluster rebalance voters N`: some vote in a group, others learn
#
#     paxsteerd 1..5 ── three groups ── 6 comes, 5 goes     datapath user
#     store 1..6 at 127.0.0.1:S_PORT+31..36, their files below $D/1 .. $D/6
#
# Clients move money between accounts of different groups meanwhile: the sum never changes. All is
# asked for at machine 1, which does not vote in all groups. No root, no module.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need paxsteer paxsteerd python3 redis-cli
take_ports
# shellcheck disable=SC2034  # machines.sh reads it
S_PORT=$T_PORTS
# shellcheck source=machines.sh disable=SC1091
. "$(dirname "$0")/machines.sh"
at() { paxsteer ${JSON:-} cluster "$1" -S "$D/1/sock" "${@:2}"; }
secrets() { at "$@" etc "$D/1/etc" password-file "$D/1/etc/store.password"; }
rebalance() { secrets rebalance "$@"; }
remove() { secrets remove "$@"; }
# The groups by machine 1: "1,2,3 2,3,4 ..."
voters()
{
	JSON=-j at status password-file "$D/1/etc/store.password" |
		json '" ".join(g["voters"] for g in d["groups"])'
}
# balanced MEMBERS N: N of them vote in each group, and each of them in as many as another
balanced()
{
	python3 - "$1" "$2" "$(voters)" <<-'PY'
		import sys
		members, n = sys.argv[1].split(), int(sys.argv[2])
		groups = [g.split(",") for g in sys.argv[3].split()]
		load = [sum(m in g for g in groups) for m in members]
		sys.exit(not (all(len(g) == n for g in groups) and sum(load) == 3 * n and
			      max(load) - min(load) < 2))
	PY
}
# mandate WORDS...: with the tag of who holds the key
mandate()
{
	python3 - "$(<"$D/1/etc/cluster.key")" "$(paxsteer -j log -S "$D/1/sock" status |
		json 'd["journal"]["cluster"]')" "$*" <<-'PY'
		import hashlib, sys
		key, cluster, words = sys.argv[1:]
		tag = hashlib.blake2s(b"PXSMAND1" + bytes.fromhex(cluster.replace("-", "")) +
				      words.encode(), key=bytes.fromhex(key), digest_size=16)
		print(words, tag.hexdigest())
	PY
}
epoch() { paxsteer -j member -S "$D/1/sock" group 1 show | json 'd["epoch"]'; }

machine 1
paxsteer cluster init self 1 "$(word 1)" "$(word 2)" "$(word 3)" "$(word 4)" "$(word 5)" \
	groups 3 datapath user "${MACHINE[@]}" bundle "$D/bundle" >/dev/null || bail "init"
for i in 2 3 4 5; do join "$D/bundle" $i >/dev/null || bail "join"; done
for i in 1 2 3 4 5; do run $i; done
REDISCLI_AUTH=$(<"$D/1/etc/store.password")
export REDISCLI_AUTH
start load python3 "$(dirname "$0")/store_transfer.py" --seconds 120 --stop "$D/stop" \
	--ports "$(port 1),$(port 2),$(port 3),$(port 4),$(port 5)"
load=$START_PID
ok "transfers are under way" wait_until 60 more 1 20

# --- all vote in all; then three in each ---
all="1,2,3,4,5"
is "all vote in all groups" "$(voters)" "$all $all $all"
like "what it would do is said" "$(rebalance voters 3 dry-run)" \
	"voters +3 in each group: 6 changes, and fewer will not do.*GROUP +MEMBER +CHANGE.*demote"
is "and not done" "$(voters)" "$all $all $all"
refused "more than there are members" "there are 5 members|must be 2..5" rebalance voters 6
refused "nor is there a sixth voter" "5 members vote.*cluster rebalance voters" \
	at add "$(word 6)" etc "$D/1/etc" timeout 0
dies 2 rebalance voters 3
is "the command is killed half way" "$(kill -l $?)" PIPE
like "and goes on" "$(rebalance voters 3 2>"$D/said")" "voters +3 in each group: [1-5] changes"
like "it says what it does" "$(<"$D/said")" "1 of [1-5]: member . in group . is being demoted"
ok "three vote in each, each member in one group or two" balanced "1 2 3 4 5" 3
is "then there is nothing to do" "$(JSON=-j rebalance voters 3 | json 'd["changes"]')" 0
spread()
{
	[ "$(JSON=-j rebalance | json 'len(set(g["leader"] for g in d["groups"]))')" = 3 ]
}
ok "each group is led by another member" wait_until 30 spread

# --- what a learner does not do ---
v=$(voters)
learner=$(for i in 1 2 3 4 5; do [[ ${v%% *} == *$i* ]] || echo $i; done | head -1)
sockets=$D/1/sock,$D/2/sock,$D/3/sock,$D/4/sock,$D/5/sock
refused "it is not handed the lead" "that member is a learner" \
	paxsteer log -S "$sockets" transfer to "$learner"
like "nor by a store" "$(for i in {1..5}; do client $i PAXSTEER LEADER "$learner" 1; done)" \
	"learner: it does not lead"
like "it sends who writes to who leads" \
	"$(for k in {a..z}; do client "$learner" SET $k 1; done)" "MOVED"
like "and reads what others wrote" "$(printf 'READONLY\nDBSIZE\n' | client "$learner")" \
	"OK.*[1-9]"
nodes()
{
	[ "$(client "$learner" CLUSTER NODES |
		awk '/connected/ { n++ } /master/ { m++ } END { print n, m }')" = "5 3" ]
}
ok "all are nodes of the cluster, three are masters" wait_until 30 nodes

# --- changes from afar: by who holds the key, and once ---
# ask WORDS...: of who leads group 1, by machine 1
ask() { client "$(JSON=-j at status | json 'd["groups"][0]["leader"]')" PAXSTEER MEMBER "$@"; }
begin()
{
	mandate 1 "$(epoch)" promote "$learner" >"$D/words"
	# shellcheck disable=SC2046
	[ "$(ask $(<"$D/words"))" = OK ]
}
ok "with the key's tag it is begun" wait_until 30 begin
four() { v=$(voters); [[ ${v%% *} == *"$learner"* ]]; }
ok "and done" wait_until 30 four
words=$(<"$D/words")
over() { [[ $(ask "$@") == *"changed meanwhile"* ]]; }
# shellcheck disable=SC2086
ok "it is good for one epoch" wait_until 30 over $words
# shellcheck disable=SC2086
like "not with another tag" "$(ask ${words%?}x)" "NOPERM"
rebalance voters 3 >/dev/null 2>&1
ok "one of the four goes again" balanced "1 2 3 4 5" 3

like "nor other words" "$(ask 1 2 elect 3 tag)" "^ERR PAXSTEER MEMBER GROUP EPOCH"
like "nor of a group that is none" "$(ask 9 1 promote 3 tag)" "^ERR there is no such group"

# --- one more member ---
at add "$(word 6)" etc "$D/1/etc" timeout 0 >/dev/null 2>&1
ok "6 joins" join "$D/1/etc/member6.bundle" 6
run 6
out=$(at add "$(word 6)" etc "$D/1/etc" timeout 60 2>/dev/null)
like "it is a learner in all, and it is said what would move" "$out" \
	"role +learner.*rebalance voters 3.: 2 changes, by which it votes in 1 of 3 groups"
ok "nobody's vote has moved" balanced "1 2 3 4 5" 3
like "add once more finds that" \
	"$(at add "$(word 6)" etc "$D/1/etc" timeout 60 2>&1)" "role +learner"
is "what moves to it moves" "$(JSON=-j rebalance voters 3 2>"$D/said" | json 'd["changes"]')" 2
like "one is promoted" "$(grep being "$D/said" | head -1)" \
	"1 of 2: member 6 in group . is being promoted"
like "before another one is demoted" "$(grep being "$D/said" | tail -1)" \
	"2 of 2: member . in group . is being demoted"
ok "each votes in as many groups" balanced "1 2 3 4 5 6" 3

# --- one fewer, that votes ---
like "5 goes" "$(remove 5 2>"$D/said")" "removed +5"
like "and another one votes in its place, first" \
	"$(grep -c promoted "$D/said") $(grep -n 'promoted\|demoted' "$D/said" | head -1)" \
	"^[12] .*promoted"
gone() { [[ $(voters) != *5* ]]; }
ok "it votes nowhere" wait_until 30 gone
rebalance voters 3 >/dev/null 2>&1
ok "three vote in each" balanced "1 2 3 4 6" 3

# --- nothing is lost ---
touch "$D/stop"
wait "$load"
is "the sum never changed" $? 0
diag "$(<"$T_DIR/load.log")"
ok "the members' stores are equal" wait_until 60 even 1 2 3 4 6

# --- one that is away ---
stop "${PID[4]}" KILL
before=$(voters)
refused "nothing is begun then" "nothing went on for 1 s: member 4 does not answer" \
	rebalance voters 4 timeout 1
like "dry-run says so, too" "$(rebalance voters 4 dry-run)" \
	"beware +does not answer: member 4.*GROUP +MEMBER +CHANGE"
is "nobody's vote has moved" "$(voters)" "$before"
done_testing
