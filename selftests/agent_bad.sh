#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# agent_bad.sh - journals that are not this member's, or not whole: refused, and untouched
#
# A member's journal is filled by a real group of three (datapath in user space, loopback).
# Then a copy of it is spoilt in one way after the other. The daemon must refuse it with
# that reason, `paxsteer journal verify` as well, and not a byte of it may change. A
# daemon that does not start has no socket: it does not vote.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need paxsteer paxsteerd python3

UUID=0d6c8a54-5f3b-4c55-9c1e-6a4d9f0b7a11
take_ports
PORT=$T_PORTS
D=$T_DIR/agents
mkdir -p "$D"

init()	# init DIR MEMBER [UUID]: prints the incarnation
{
	paxsteer -j journal init "$1" cluster "${3:-$UUID}" member "$2" segment-size 65536 |
		json 'd["incarnation"]'
}

config()	# config JOURNAL MEMBER GROUP
{
	local j
	printf 'node { cluster = "%s" key-file = "%s" journal = "%s" socket = "%s" %s }\n' \
		$UUID "$D/key" "$1" "$1.sock" 'datapath = "user"'
	printf 'group %d { self = %d heartbeat = 100 election = 1000\n' "$3" "$2"
	for j in 1 2 3; do
		printf 'member %d { address = "127.0.0.1:%d" incarnation = "%s" }\n' \
			$j $((PORT + j)) "$(<"$D/inc$j")"
	done
	echo '}'
}

bytes() { python3 "$TOP/selftests/journal_bytes.py" "$@"; }
sums() { (cd "$1" && sha256sum -- * && ls -ln --time-style=+ .); }

# bad NAME REGEX [CONFIG]: the daemon refuses $J, and leaves it as it is
bad()
{
	local before conf=${3:-$D/bad.conf}
	before=$(sums "$J")
	refused "$1" "$2" timeout 20 paxsteerd -c "$conf" --no-wait
	is "$1: nothing was changed" "$(sums "$J")" "$before"
	ok "$1: and it votes for nothing" [ ! -S "$J.sock" ]
}

# both NAME REGEX: so does the command
both()
{
	bad "$@"
	refused "$1: the command" "$2" paxsteer journal verify "$J"
}

# fresh: $J is a good copy again
fresh()
{
	rm -rf "$J"
	cp -a "$D/j1" "$J"
}

J=$D/bad
head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$D/key"
chmod 600 "$D/key"
for i in 1 2 3; do init "$D/j$i" $i >"$D/inc$i" || bail "journal init"; done
for i in 1 2 3; do config "$D/j$i" $i 1 >"$D/$i.conf"; done
config "$J" 1 1 >"$D/bad.conf"
for i in 1 2 3; do
	start "agent$i" paxsteerd -c "$D/$i.conf"
	PID[i]=$START_PID
done
S=$D/j1.sock,$D/j2.sock,$D/j3.sock
wait_until 60 paxsteer log -S "$S" append first timeout 2000 || bail "no group"
ok "a journal of several segments" \
	paxsteer log -S "$S" append count 40 size 6000 outstanding 2 quiet timeout 60000
level()
{
	[ "$(paxsteer -j log -S "$D/j1.sock" status | json "d['groups'][0]['applied']")" -ge 41 ]
}
wait_until 60 level || fail "member 1 has all"
paxsteer log -S "$D/j1.sock" tail hash >"$D/tail" || fail "log tail"
for i in 1 2 3; do stop "${PID[i]}"; done
ok "it is sound" paxsteer journal verify "$D/j1"
segments=("$D"/j1/*.pxs)
ok "and has ${#segments[@]} segments" [ ${#segments[@]} -ge 4 ]

# --- its records, one a line ---

# dumped EXPR WORD...: is EXPR true of the records (d) that are dumped, and of the log's tail (t)?
dumped()
{
	local expr=$1

	shift
	paxsteer -j journal dump "$D/j1" "$@" >"$D/dump" || return
	python3 - "$expr" "$D/dump" "$D/tail" <<-'E'
		import json, sys
		d = [json.loads(line) for line in open(sys.argv[2])]
		t = {int(w[0]): w[1] for w in map(str.split, open(sys.argv[3]))}
		values = [r for r in d if r["type"] in ("accept", "learned")]
		last = {r["slot"]: r.get("hash", "")[2:] for r in values}
		sys.exit(not eval(sys.argv[1]))
	E
}

lsn=$(paxsteer -j journal show "$D/j1" | json 'd["last_lsn"]')
ok "a dump has every record, in order" \
	dumped "[r['lsn'] for r in d] == list(range(1, $lsn + 1))"
ok "and for each slot what the log's tail shows" \
	dumped 'len(t) >= 41 and all(last[s] == t[s] for s in t)'
ok "from an LSN on, so many" dumped '[r["lsn"] for r in d] == [5, 6, 7]' from 5 count 3
slot=$(awk 'END { print $1 }' "$D/tail")
ok "of one slot" dumped "d and {r['slot'] for r in d} == {$slot}" slot "$slot"
ok "of another group" dumped 'not d' group 2
ok "with its value" dumped 'any(r.get("text") == "first" for r in d)' values

# The tests below mean something only if a good one is taken.
fresh
start good paxsteerd -c "$D/bad.conf" --no-wait
ok "a good copy is taken" wait_until 30 test -S "$J.sock"
stop "$START_PID"
rm -f "$J.sock"

# --- another journal (S3) ---
fresh; rm -rf "$J"; init "$J" 1 00000000-0000-0000-0000-000000000001 >/dev/null
bad "another cluster's" "belongs to cluster 00000000-0000-0000-0000-000000000001"
rm -rf "$J"; cp -a "$D/j2" "$J"
bad "another member's" "belongs to member 2"
rm -rf "$J"; init "$J" 1 >/dev/null
bad "a new one in the old one's place" "has incarnation .* does not vote"
fresh; config "$J" 1 2 >"$D/group.conf"
bad "another group's" "holds records of group 1, which .*group.conf does not have" "$D/group.conf"
fresh; rm "$J/identity"
both "without identity" "no journal here"
rm -rf "$J"
bad_missing=$(timeout 20 paxsteerd -c "$D/bad.conf" --no-wait 2>&1)
like "no directory" "$bad_missing" "No such file"
ok "and none is made" [ ! -e "$J" ]

# --- identity ---
fresh; bytes version "$J/identity" 2
both "another version" "has version 2, this program reads version 1"
fresh; bytes flip "$J/identity" 30
both "a damaged identity" "identity is damaged"
fresh; truncate -s 20 "$J/identity"
both "a short identity" "not that of a paxsteer journal"
fresh; : >"$J/identity"
both "an empty identity" "not that of a paxsteer journal"
fresh; bytes flip "$J/identity" 0
both "no identity at all" "not that of a paxsteer journal"

# --- segments ---
one=$J/0000000000000001.pxs two=$J/0000000000000002.pxs three=$J/0000000000000003.pxs
fresh; bytes version "$two" 7
both "a segment of another version" "0000000000000002: version 7, this program reads version 1"
fresh; cp "$D/j2/0000000000000002.pxs" "$two"
both "a segment of another member's journal" "0000000000000002: of incarnation $(<"$D/inc2")"
fresh; cp "$one" "$two"
both "a segment twice" "its header is that of segment 0000000000000001"
fresh; rm "$two"
both "a segment is missing" "0000000000000002 is missing"
fresh; rm "$one"
both "the first segment is missing" "0000000000000001 is missing"
fresh; truncate -s 61440 "$two"
both "a short segment" "has 61440 bytes instead of 65536"
fresh; bytes zero "$three" 0
both "a segment without header" "0000000000000003 offset 0: its header is damaged"

# --- damage (S5) ---
at=$(bytes batches "$two" | awk 'NR == 1 { print $1 }')
fresh; bytes flip "$two" $((at + 48 + 30))
both "a damaged record in the middle" "damage in the middle of the journal; LSN [0-9]+ to [0-9]+"
fresh; bytes flip "$two" $((at + 48 + 30))
ok "a dump shows what stands before" eval '
	paxsteer journal dump "$J" >"$D/dump" 2>"$D/err"
	[ $? = 2 ] && grep -q "^lsn 1 " "$D/dump" && ! grep -q "segment 2 " "$D/dump" &&
		grep -q "damage in the middle" "$D/err"'
fresh; bytes zero "$two" "$at"
both "a block in the middle is gone" "damage in the middle|had been confirmed"
fresh; rm "$J"/*.pxs
both "all segments are gone" "is empty, but everything up to LSN [0-9]+ had been confirmed"
last=$(for s in "$J"/*.pxs "$D"/j1/*.pxs; do
	[ ! -e "$s" ] || [ -z "$(bytes batches "$s")" ] || basename "$s"
done | sort | tail -n 1)
fresh; bytes batches "$J/$last" | while read -r at _; do bytes zero "$J/$last" "$at"; done
both "the end is gone" "the journal ends before LSN|damage in the middle|does not follow"
done_testing
