#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_member_groups.sh - a member of a store of three groups is replaced under load
#
#     paxsteerd 1, 2, 3 ── one store of groups 1, 2, 3 ── paxsteerd 4 comes, 1 goes
#     store 1..4 at 127.0.0.1:S_PORT+11..14
#
# Clients move money between accounts of different groups meanwhile: the sum never changes. All logs
# were trimmed, so who comes takes a checkpoint of each group. In which order members come and go is
# held to: who leads one group must have all of them. No root, no module.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd redis-cli python3
# shellcheck disable=SC2034  # store_group.sh reads them
S_GROUPS="2 3" S_STORE='checkpoint-entries = 0 checkpoint-seconds = 0'
SOCKETS=$(sockets),$S_DIR/4.sock
member() { local g=$1; shift; paxsteer member -S "$SOCKETS" group "$g" "$@" 2>&1; }
transfer()
{
	python3 "$TOP/selftests/store_transfer.py" --ports "$(ports),$(store_port 4)" "$@"
}
moves() { [ "$(store_info "$1" cross_committed 2>/dev/null || echo 0)" -gt "$2" ]; }
state() { paxsteer -j log -S "$S_DIR/$1.sock" status | json "d['groups'][$2 - 1]['state']"; }
log_says() { [ "$(grep -c "$2" "$T_DIR/store$1.log")" -ge "$3" ]; }
who()
{
	paxsteer -j member -S "$S_DIR/$1.sock" group "$2" show |
		json '" ".join(sorted("%d:%s" % (m["id"], m["role"]) for m in d["members"]))'
}
knows_to_be_removed()
{
	[[ $(redis "$1" GET x 2>&1) == "CLUSTERDOWN this member was removed"* ]]
}

# So that a log may be trimmed down to a few slots.
windows() { sed 's/^group . {/& window = 64/'; }
# The newcomer's file: itself a learner beside the others in each group.
newcomer()
{
	paxsteer -j journal init "$S_DIR/j4" cluster $S_UUID member 4 segment-size 4194304 |
		json 'd["incarnation"]' >"$S_DIR/inc4" || bail "journal init"
	store_config 4 | windows | awk -v inc="$(<"$S_DIR/inc4")" '{ print }
		/^member 3 / {
			match($0, /127.0.0.1:[0-9]+/)
			port = substr($0, RSTART + 10, RLENGTH - 10) + 1
			printf "member 4 { address = \"127.0.0.1:%d\" ", port
			print "incarnation = \"" inc "\" learner = true }"
		}' >"$S_DIR/4.conf"
}
# add G: member 4 is added there
add()
{
	local port=$((S_PORT + 4))
	[ "$1" = 1 ] || port=$((S_PORT + 44 + 10 * $1))
	member "$1" add 4 "127.0.0.1:$port" incarnation "$(<"$S_DIR/inc4")" \
		store "$(store_port 4)"
}

store_init
for i in 1 2 3; do store_config $i | windows >"$S_DIR/$i.conf"; done
for i in 1 2 3; do store_start $i; done
place start
seq 0 899 | sed 's/.*/SET fill& &/' | redis-cli -c -p "$(store_port 1)" >/dev/null
wait_until 30 store_even 1 2 3 || fail "all have applied all"
for i in 1 2 3; do
	mapfile -t slots < <(redis $i PAXSTEER CHECKPOINT)
	for g in 1 2 3; do
		paxsteer log -S "$S_DIR/$i.sock" group $g trim to $((slots[g - 1] - 128)) \
			force >/dev/null || fail "member $i trims group $g"
	done
done
transfer --seconds 120 --stop "$S_DIR/stop" >"$S_DIR/transfers" 2>&1 &
load=$!
ok "transfers are under way" wait_until 30 moves 1 40

# --- 4 comes ---
newcomer
store_start 4
like "added to group 1" "$(add 1)" "^epoch"
like "and to group 3" "$(add 3)" "^epoch"
like "it does not vote before it is in group 2, too" "$(member 1 promote 4 force)" \
	"member 4 is not in group 2, .* add it there first"
like "so it is added there" "$(add 2)" "^epoch"
ok "it takes a checkpoint of each" wait_until 60 log_says 4 "goes on from member" 3
for g in 1 2 3; do
	ok "it votes in group $g, when it has the rest" wait_until 60 member $g promote 4
done

# --- 1 goes, who leads one of them ---
like "nobody leaves one group who votes in another" "$(member 2 remove 1)" \
	"member 1 votes in group [13], .* demote it there first"
for g in 1 2 3; do ok "demoted in group $g" wait_until 30 member $g demote 1; done
ok "removed from group 2" wait_until 30 member 2 remove 1
ok "it knows, and answers nothing that may be old" wait_until 30 knows_to_be_removed 1
for g in 1 3; do ok "removed from group $g" wait_until 30 member $g remove 1; done
# are I GROUP MEMBERS: member I knows that, who may follow
are() { [ "$(who "$1" "$2")" = "$3" ]; }
for g in 1 2 3; do
	ok "group $g" wait_until 30 are 2 $g "2:voter 3:voter 4:voter"
done
lead4() { paxsteer log -S "$SOCKETS" group "$1" transfer to 4 && leads 4 "$1"; }
for g in 1 2; do ok "member 4 leads group $g" wait_until 60 lead4 $g; done
before=$(store_info 4 cross_committed)
ok "and its transactions go on" wait_until 30 moves 4 $((before + 40))

# --- nothing is lost ---
touch "$S_DIR/stop"
wait "$load"
is "the sum never changed" $? 0
diag "$(words <"$S_DIR/transfers")"
at_rest() { [ "$(store_info "$1" 'cross_\(records\|locks\)' | words)" = "0 0" ]; }
for i in 2 3 4; do ok "member $i: no key stays locked" wait_until 30 at_rest $i; done
ok "the members' stores are equal" wait_until 60 store_even 2 3 4
lacking()
{
	seq 0 899 | sed 's/.*/GET fill&/' | redis-cli -c -p "$(store_port 4)" |
		sed '/^->/d' | diff - <(seq 0 899) | grep -c '^[<>]'
}
is "of what was there before nothing is lacking" "$(lacking)" 0
for i in 2 3 4; do store_kill $i; done
for i in 2 3 4; do store_start $i; done
ok "they go on after a crash of all" wait_until 60 member 1 demote 2
ok "by what their journals say" wait_until 30 are 3 1 "2:learner 3:voter 4:voter"
ok "with the same sum" transfer --only-look --seconds 20
ok "and equal stores" wait_until 60 store_even 2 3 4
for i in 1 2 3 4; do store_kill $i TERM; done
for i in 1 2 3 4; do
	ok "the journal of member $i is whole" paxsteer journal verify "$S_DIR/j$i"
done
done_testing
