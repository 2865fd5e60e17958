#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_checkpoint.sh - checkpoints of a store, and what is made again from them
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13
#
# Members are killed at random moments under load; another boot id stands for a machine that
# stopped, files that are cut off or overwritten for a disk that rots. Each comes back with what
# the others have, by digest, and has read little of the log. No root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli
HERE=$(dirname "$0")
log_says() { grep -q "$2" "$T_DIR/store$1.log"; }
files() { echo "$S_DIR/j$1/store-1"; }
other_boot() { echo 00000000-0000-0000-0000-000000000000 >"$(files "$1")/written-in-boot"; }

# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='checkpoint-entries = 500 checkpoint-seconds = 0'
store_init
for i in 1 2 3; do store_start $i; done
wait_leader "start"

# --- on command ---
redis "$L" SET greeting hello >/dev/null
redis "$L" HSET h a 1 b 2 >/dev/null
redis "$L" SET later x EX 1000 >/dev/null
even "before the first"
is "none was taken yet" "$(store_info $F checkpoint) $(redis $F LASTSAVE)" "0 0"
slot=$(redis $F PAXSTEER CHECKPOINT)
is "PAXSTEER CHECKPOINT says its slot" "$slot" "$(store_info $F applied)"
is "and INFO does" "$(store_info $F checkpoint)" "$slot"
ok "its file is there" [ -s "$(files $F)/checkpoint" ]
like "LASTSAVE says when" "$(($(date +%s) - $(redis $F LASTSAVE)))" '^[0-9]{1,2}$'
is "SAVE, with nothing new" "$(redis $F SAVE)" OK
redis "$L" SET greeting again >/dev/null
is "BGSAVE" "$(redis "$L" BGSAVE)" "Background saving started"
saved() { [ "$(store_info "$L" rdb_changes_since_last_save)" -eq 0 ]; }
ok "is done soon" wait_until 30 saved

# --- after a machine that stopped: from the checkpoint, and the log behind it ---
even "before the machine stops"
before=$(store_info $F applied)
store_kill $F
other_boot $F
store_start $F
ok "after another boot it is restored" wait_until 30 log_says $F \
	"restored from the checkpoint of slot $slot, 3 keys"
even "restored"
is "the log was read from there on" "$(store_info $F opened)" "$slot"
ok "it has all" [ "$(store_info $F applied)" -ge "$before" ]

# --- random moments, under load ---
seconds=15
[ "${PXS_SHORT:-0}" != 1 ] || seconds=8
start load python3 "$HERE/store_load.py" --ports "$(ports)" --seconds $seconds \
	--until "$S_DIR/over" --history "$S_DIR/history"
load=$START_PID
applied=0
is_near() { [ $(($(store_info "$1" applied) - $(store_info "$1" checkpoint))) -lt 500 ]; }
serves() { [ -n "$(store_info "$1" opened)" ] && [ "$(store_info "$1" loading)" = 0 ]; }
moved()
{
	[ "$(store_info "$1" applied)" -ge $((applied + 700)) ] &&
		[ "$(store_info "$1" checkpoint)" -gt 0 ]
}
rounds=0 restored=0
while kill -0 "$load" 2>/dev/null && [ $rounds -lt 6 ]; do
	victim=$((RANDOM % 3 + 1))
	applied=$(store_info $victim applied)
	wait_until 30 moved $victim || break
	sleep 0.$((RANDOM % 400 + 100))
	was=$(store_info $victim checkpoint)
	store_kill $victim
	[ $((RANDOM % 3)) = 0 ] || other_boot $victim
	store_start $victim
	wait_until 30 serves $victim || { fail "member $victim comes back"; break; }
	rounds=$((rounds + 1))
	load_may_end
	opened=$(store_info $victim opened)
	if [ "$was" -gt 0 ] && [ "$opened" -ge "$was" ]; then
		restored=$((restored + 1))
	else
		diag "member $victim: opened at slot $opened, checkpoint of slot $was"
	fi
done
load_may_end
wait "$load"
is "the load goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
ok "members were killed $rounds times" [ $rounds -ge 1 ]
is "and each time it was not the whole log that was read" $restored $rounds
even "killed at random moments"
judge_load "$S_DIR/history"
for i in 1 2 3; do
	ok "member $i: checkpoints by the number of entries" wait_until 30 is_near $i
done

# --- a disk that rots ---
wait_leader "before a disk rots"
redis $F PAXSTEER CHECKPOINT >/dev/null
slot=$(store_info $F checkpoint)
store_kill $F TERM
truncate -s $(($(stat -c %s "$(files $F)/data.mdb") / 8192 * 4096)) "$(files $F)/data.mdb"
store_start $F
ok "files that were cut off are not used" wait_until 30 log_says $F \
	"the store is damaged: it is made again"
even "cut off"
is "but the checkpoint is" "$(store_info $F opened)" "$slot"

store_kill $F
other_boot $F
size=$(stat -c %s "$(files $F)/checkpoint")
printf '\377\000\377' |
	dd of="$(files $F)/checkpoint" bs=1 seek=$((size / 2)) conv=notrunc status=none
store_start $F
ok "nor is a checkpoint that is damaged" wait_until 30 log_says $F "its checkpoint is damaged"
even "made again from the log alone"
is "which was read from its beginning" "$(store_info $F opened)" 0
like "the next one is whole" "$(redis $F PAXSTEER CHECKPOINT)" '^[0-9]+$'
store_kill $F
other_boot $F
store_start $F
ok "and used" wait_until 30 log_says $F "restored from the checkpoint of slot"
even "whole again"

# --- another's, and one of a journal that has lost something ---
store_kill $F TERM
cp "$(files "$L")/checkpoint" "$(files $F)/checkpoint.good" 2>/dev/null
mv "$(files $F)/checkpoint" "$S_DIR/kept"
mv "$(files $F)/checkpoint.good" "$(files $F)/checkpoint"
rm "$(files $F)/data.mdb"
refused "another member's checkpoint" "is the store of another" paxsteerd -c "$S_DIR/$F.conf"
mv "$S_DIR/kept" "$(files $F)/checkpoint"
store_start $F
even "its own"

# --- one that cannot be written ---
mkdir "$(files $F)/checkpoint.new"
redis "$L" SET greeting last >/dev/null
even "before it fails"
is "a checkpoint that fails says why" "$(redis $F PAXSTEER CHECKPOINT 2>&1)" \
	"ERR the checkpoint has failed: Is a directory"
is "and INFO does" "$(store_info $F checkpoint_error)" "Is a directory"
rmdir "$(files $F)/checkpoint.new"
like "the next goes well" "$(redis $F PAXSTEER CHECKPOINT)" '^[0-9]+$'

# --- a clean end ---
for i in 1 2 3; do
	kill -TERM "${S_PID[i]}"
	wait "${S_PID[i]}"
	is "member $i ends cleanly" $? 0
done
done_testing
