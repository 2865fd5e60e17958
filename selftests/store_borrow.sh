#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_borrow.sh - a member that lacks what the logs have no more takes another's checkpoint
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13, and for one of them by way of tcp_flip.py, +21..23
#
# One was away, one has lost its store, one has a new journal. It is killed while the pieces come,
# and goes on where it was; a piece with a wrong bit is refused. Each time all have the same digest.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
log_says() { grep -q "$2" "$T_DIR/store$1.log"; }
files() { echo "$S_DIR/j$1/store-1"; }
status() { paxsteer -j log -S "$S_DIR/$1.sock" status | json "d['groups'][0]['$2']"; }
window() { sed -i 's/^group 1 {/& window = 64/' "$S_DIR"/?.conf; }
fill()	# fill FIRST COUNT: keys of 8 KiB
{
	python3 - "$1" "$2" <<-'PY' | redis-cli -p "$(store_port "$L")" --pipe >/dev/null
		import random, sys
		first, count = map(int, sys.argv[1:])
		for i in range(first, first + count):
		    key, value = "key%d" % i, "%x" % random.getrandbits(32768)
		    value = value.rjust(8192, "0")
		    sys.stdout.write("*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n" % (len(key), key))
		    sys.stdout.write("$8192\r\n%s\r\n" % value)
	PY
}
trim()	# trim I...: checkpoints, and all goes that may
{
	local i slot
	for i; do
		slot=$(redis "$i" PAXSTEER CHECKPOINT)
		paxsteer log -S "$S_DIR/$i.sock" group 1 trim to $((slot - 128)) force >/dev/null ||
			fail "member $i trims"
	done
}
# forget I: it has its files no more
forget() { store_kill "$1"; rm -r "$(files "$1")"; }
bytes() { stat -c %s "$(files "$1")/$2" 2>/dev/null || echo 0; }
some_came() { [ "$(bytes $F checkpoint.part)" -gt 500000 ]; }
shown() { [ "$(status $F borrows_bytes)" -gt 0 ]; }
own() { [ "$(store_info "$1" checkpoint)" -gt 0 ] && [ ! -e "$(files "$1")/checkpoint.peer" ]; }

# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='checkpoint-entries = 0 checkpoint-seconds = 0 checkpoint-rate = 1'
store_init
window
for i in 1 2 3; do store_start $i; done
wait_leader "start"

# --- one that was away ---
fill 0 20
even "at first"
store_kill $F
fill 20 800
redis "$L" HSET h a 1 b 2 >/dev/null
trim "$L" "$O"
fill 820 10
store_start $F
ok "who was away knows what it lacks" wait_until 30 log_says $F "are in no log any more"
ok "pieces of a checkpoint come" wait_until 30 some_came
store_kill $F
ok "not all of it is here, after kill -9" \
	[ "$(bytes $F checkpoint.part)" -lt "$(bytes "$L" checkpoint)" ]
store_start $F
ok "the rest is asked for" wait_until 30 log_says $F "are here already"
ok "and how far it is, is shown" wait_until 30 shown
ok "and it goes on" wait_until 30 log_says $F "goes on from member"
even "it was away"
is "nothing is lacking" "$(status $F lacks_up_to) $(status $F borrows_from)" "0 0"
ok "a checkpoint of its own takes the place" wait_until 30 own $F
is "the others never stood still" "$(redis "$L" SET after 1)" OK
store_kill $F
store_start $F
even "after another start"

# --- one that has lost its store, and a bit that turns on the way ---
for i in "$L" "$O"; do
	start "flip$i" python3 "$HERE/tcp_flip.py" $((S_PORT + 20 + i)) "$(store_port "$i")" 1
	wait_until 30 grep -q listening "$T_DIR/flip$i.log" || fail "tcp_flip.py"
	sed -i "s/\(member $i .*store = \"127.0.0.1:\)[0-9]*/\1$((S_PORT + 20 + i))/" \
		"$S_DIR/$F.conf"
done
forget $F
store_start $F
ok "a store that is lost comes back" wait_until 40 log_says $F "goes on from member"
even "it was lost"
ok "a bit was turned" grep -q turned "$T_DIR/flip$L.log" "$T_DIR/flip$O.log"
ok "and the piece refused" log_says $F "a piece of its checkpoint has a wrong tag"

# --- one with a new journal: another member, who has nothing ---
trim "$L" "$O"
N=$F
for i in 1 2 3; do store_kill $i TERM; done
rm -r "$S_DIR/j$N"
paxsteer -j journal init "$S_DIR/j$N" cluster $S_UUID member $N segment-size 4194304 |
	json 'd["incarnation"]' >"$S_DIR/inc$N" || bail "journal init"
for i in 1 2 3; do
	store_config $i >"$S_DIR/$i.conf"
	sed -i 's/^group 1 {/& epoch = 2/' "$S_DIR/$i.conf"
done
window
for i in 1 2 3; do store_start $i; done
wait_leader "with a new journal"
ok "a new journal: it takes a checkpoint" wait_until 40 log_says $N "goes on from member"
even "a new journal"
redis "$L" SET after 2 >/dev/null
even "and later"
is "what is there" "$(redis "$L" DBSIZE)" 832
for i in 1 2 3; do store_kill $i TERM; done
ok "its journal is whole" paxsteer journal verify "$S_DIR/j$N"
done_testing
