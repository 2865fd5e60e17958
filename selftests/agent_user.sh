#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# agent_user.sh - three daemons with the datapath in user space, on loopback
#
# No root, no module, no namespaces: see members.sh. Values are appended, the key is rotated,
# leadership is handed over, and the leader's process is killed under load, another member leads,
# the killed one comes back, and all logs are equal and hold every acknowledged value in its place.
# What all clients saw, those that append and those that follow, is a history: the history checker
# (selftests/lin) judges it.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"
need paxsteer paxsteerd python3

declare -a FOLLOW

append() { log append history "$D/history" "$@"; }
dump() { paxsteer log -S "$D/$1.sock" tail hash noops; }
all_equal()	# all_equal NAME: the three logs, up to what the leader has applied
{
	local last i
	wait_until 60 leader || { fail "$1: a leader"; return; }
	last=$(log read-index)
	for i in 1 2 3; do
		wait_until 120 applied $i "$last" || fail "$1: member $i reaches slot $last"
		dump $i >"$D/all" || fail "$1: member $i reads its log"
		# Another leader may add slots that hold nothing.
		head -n "$last" "$D/all" >"$D/dump$i"
	done
	is "$1: a line for each slot" "$(wc -l <"$D/dump1")" "$last"
	ok "$1: member 2 has the log of member 1" cmp "$D/dump1" "$D/dump2"
	ok "$1: member 3 has the log of member 1" cmp "$D/dump1" "$D/dump3"
}
# values PREFIX: of 64 bytes, one a line, until load_may_end: a load goes on for as long as all that
# is to happen under it takes, on whatever machine
values()
{
	local n=1
	while [ ! -e "$D/over" ] && seq -f "$1%063.0f" $n $((n + 99)); do n=$((n + 100)); done
}
load_may_end() { : >"$D/over"; }
missing()	# acknowledged values that do not stand in their slots
{
	awk 'NR == FNR { h[$1] = $2; next } h[$1] != $2 { n++ } END { print n + 0 }' \
		"$D/dump1" "$D/acked"
}

members_make

# --- what must be refused ---
refused "a journal is not made twice" "empty directory" \
	paxsteer journal init "$D/j1" cluster $UUID member 1
refused "the daemon makes no journal" "journal init" \
	paxsteerd -c <(sed "s|$D/j1|$D/nowhere|" "$D/1.conf" | sed 's/nowhere/j1\/../') --no-wait
chmod 644 "$D/key"
refused "a key that others may read" "key-file.*others may read" paxsteerd -c "$D/1.conf" --check
chmod 600 "$D/key"
sed 's/heartbeat = 100/heartbeat = 5/' "$D/1.conf" >"$D/bad.conf"
refused "a bad value, with file and line" "bad.conf:2: heartbeat: 5 is not in 10..10000" \
	paxsteerd -c "$D/bad.conf" --check
sed "s|$D/j1|$D/j2|" "$D/1.conf" >"$D/bad.conf"
refused "the journal of another member" "belongs to member 2" paxsteerd -c "$D/bad.conf" --no-wait
sed "s/$UUID/00000000-0000-0000-0000-000000000001/" "$D/1.conf" >"$D/bad.conf"
refused "the journal of another cluster" "belongs to cluster" paxsteerd -c "$D/bad.conf" --no-wait
sed "0,/$(<"$D/inc1")/s//0x0000000000000123/" "$D/1.conf" >"$D/bad.conf"
refused "a journal of another incarnation" "has incarnation" paxsteerd -c "$D/bad.conf" --no-wait

# --- agreement ---
for i in 1 2 3; do run $i; done
if ! wait_until 60 leader; then
	fail "a leader" "$(tail -n 5 "$T_DIR"/agent?.log)"
	done_testing
fi
pass "a leader: member $(leader)"
refused "a second daemon on the same journal" "owned by another process" \
	paxsteerd -c "$D/1.conf" --no-wait
start second paxsteerd -c "$D/1.conf"
waits() { grep -q "owned by another process" "$T_DIR/second.log"; }
ended() { ! kill -0 "$START_PID" 2>/dev/null; }
ok "... or it waits" wait_until 60 waits
kill -TERM "$START_PID"
ok "... and can be ended meanwhile" wait_until 30 ended
stop "$START_PID" KILL
is "the first value has slot 1" "$(paxsteer -j log -S "$D/1.sock,$D/2.sock,$D/3.sock" \
	append first history "$D/history" | json '[d["slot"], d["repeated"]]')" "[1, False]"
out=$(paxsteer -j -p log -S "$D/1.sock" tail count 1 follow)
like "its hash, as JSON has hashes, and indented" "$out" $'\n  "hash": "0x[0-9a-f]{16}"'
printf 'two\nthree\n' | append - >"$D/slots"
is "lines of standard input" "$(sort -n "$D/slots" | tr '\n' ' ')" "2 3 "
tail_full() { timeout 60 paxsteer log -S "$D/1.sock" tail "$@" >/dev/full; }
ok "member 1 has them" wait_until 60 applied 1 3
refused "a log that cannot be written anywhere" "cannot write the output" tail_full count 3
refused "nor be followed there" "cannot write the output" tail_full follow
out=$(append count 10000 size 100 outstanding 64 acked-file "$D/acked" 2>&1)
like "10000 values" "$out" "appended 10000 of 10000"
diag "$out"
# Values at each boundary of what a slot takes, and of how many slots a value does.
large() { head -c "$1" /dev/zero | tr '\0' z; }
sizes="16384 16385 32704 32705 49056 49057 65408 65409 65536"
for n in $sizes; do large "$n"; echo; done >"$D/large"
ok "the largest values" append - <"$D/large"
# By whoever is asked, who may have to hear of them first.
large_read()
{
	[ "$(log tail | awk 'length($0) > 10000 { print length($2) }' | sort -n |
		tr '\n' ' ')" = "$sizes " ]
}
ok "they are read as they were written" wait_until 60 large_read
refused "a value one byte too large" "too large" append - < <(large 65537)
refused "a group that is not there" "no such group|no leader" log group 2 append timeout 500 x
all_equal "at rest"
is "no acknowledged value is missing" "$(missing)" 0

# --- the key is rotated under load: nobody is refused, nothing is lost ---
has_keys()	# (python is slow to start, and the load is not to end before the rotation)
{
	[[ $(paxsteer -j log -S "$D/$1.sock" status) == *"\"key_id\":$2,\"also_key_id\":$3,"* ]]
}
dropped()	# datagrams refused for their key, by all members
{
	local i n=0
	for i in 1 2 3; do n=$((n + $(field $i bad_key) + $(field $i bad_tag))); done
	echo $n
}
take_keys()	# take_keys I KEY ID [ALSO-KEY ID]: its daemon has taken them
{
	rotate_conf "$D/$1.conf" "${@:2}"
	kill -HUP "${PID[$1]}"
	wait_until 30 has_keys "$1" "$3" "${5:-null}"
}
rotate_new "$D/key2"
rotate_new "$D/key3"
old=$(leader)
ballot=$(field "$old" ballot)
rm -f "$D/over"
values r | paxsteer -j log -S "$D/$old.sock" append - outstanding 8 acked-file "$D/acked" \
	history "$D/history" >"$D/load" 2>"$D/load.err" &
load=$!
while read -r -a keys; do
	for i in 1 2 3; do
		ok "member $i: key ${keys[1]} signs, ${keys[3]:-no other} is accepted" \
			take_keys $i "${keys[@]}"
	done
	[ "${keys[3]:-}" != 1 ] || ok "the load is under way so far" kill -0 $load
done < <(rotate_steps "$D/key" "$D/key2")
load_may_end
wait $load
is "and lost nothing" "$?/$(json 'd["unknown"] + d["refused"]' <"$D/load")" 0/0
diag "$(<"$D/load")" "$(<"$D/load.err")"
is "no datagram was refused in between" "$(dropped)" 0
is "and the leader leads on" "$(field "$old" ballot)" "$ballot"
off=$((old % 3 + 1))
refused_more() { [ "$(field "$old" bad_key)" -gt 0 ]; }
ok "a member with quite another key" take_keys $off "$D/key3" 3
ok "is not heard, and counted" wait_until 30 refused_more
ok "until it has the right one" take_keys $off "$D/key2" 2
cp "$D/$off.conf" "$D/good.conf"
log_says() { grep -q "$1" "$T_DIR/agent$off.log"; }
rotate_conf "$D/$off.conf" "$D/key3" 2
kill -HUP "${PID[off]}"
ok "an id in use cannot name another key" wait_until 30 log_says "a key id in use names another"
sed -i 's/heartbeat = 100/heartbeat = 5/' "$D/$off.conf"
kill -HUP "${PID[off]}"
ok "a wrong file changes nothing" wait_until 30 log_says "not taken; everything stays"
restarts=0
restarts_said() { [ "$(grep -c "that needs a restart" "$T_DIR/agent$off.log")" = $restarts ]; }
for edit in 's/election = 1000/election = 1500/' 's/heartbeat/durability = "memory" &/' \
	's/heartbeat/epoch = 9 &/'; do
	sed "$edit" "$D/good.conf" >"$D/$off.conf"
	kill -HUP "${PID[off]}"
	restarts=$((restarts + 1))
	ok "what needs a restart is said: $edit" wait_until 30 restarts_said
done
if [ ! -d /sys/module/paxsteer ]; then
	{ cat "$D/good.conf"; echo 'health web { check = "tcp" interval = 700 timeout = 500 }'; } \
		>"$D/$off.conf"
	kill -HUP "${PID[off]}"
	ok "checks wait for a module" wait_until 30 log_says "nothing is checked until it is"
	ok "by the changed file" wait_until 30 log_says "checks go on by the changed file"
fi
cp "$D/good.conf" "$D/$off.conf"
kill -HUP "${PID[off]}"
ok "all keys are as they were" has_keys $off 2 null
all_equal "after the rotation"
is "no acknowledged value is missing after it" "$(missing)" 0

# --- leadership is handed over, under load ---
transfer() { log transfer to "$1"; }
leads() { [[ $(paxsteer -j log -S "$D/$1.sock" status) == *'"ready":true'* ]]; }
old=$(leader)
new=$((old % 3 + 1))
third=$((new % 3 + 1))
refused "to nobody of the group" "no such member" transfer 9
refused "by who does not lead: it names who does" "does not lead; leader: member $old" \
	paxsteer log -S "$D/$new.sock" transfer to $new
is "to the leader itself: nothing to do" "$(transfer "$old")" "member $old leads"
rm -f "$D/over"
values h | paxsteer -j log -S "$D/1.sock,$D/2.sock,$D/3.sock" append - outstanding 8 keep-going \
	acked-file "$D/acked" timeout 60000 history "$D/history" >"$D/load" 2>"$D/load.err" &
load=$!
for i in $new $third $old $new; do
	is "member $i is to lead" "$(transfer $i)" "member $i leads"
	ok "and leads" wait_until 30 leads $i
	[ $i != "$third" ] || ok "the load was under way so far" kill -0 $load
done
load_may_end
wait $load
is "and no value has an unknown fate" "$?/$(json 'd["unknown"]' <"$D/load")" 0/0
diag "$(<"$D/load")" "$(<"$D/load.err")"
stop "${PID[third]}" KILL
refused "to a member that is dead" "leads on" transfer $third
ok "the leader leads on" leads $new
ok "and values are appended" append on
run $third
all_equal "after the transfers"
is "no acknowledged value is missing after them" "$(missing)" 0

# --- the leader dies under load ---
old=$(leader)
before=$(field "$old" applied)
for i in 1 2 3; do
	start "follow$i" paxsteer log -S "$D/$i.sock" tail from "$before" follow hash \
		history "$D/history"
	FOLLOW[i]=$START_PID
done
rm -f "$D/over"
values b | paxsteer -j log -S "$D/1.sock,$D/2.sock,$D/3.sock" append - outstanding 8 keep-going \
	acked-file "$D/acked" timeout 60000 history "$D/history" >"$D/load" 2>"$D/load.err" &
load=$!
values c | append - outstanding 4 keep-going acked-file "$D/acked" timeout 60000 quiet &
second=$!
wait_until 60 applied "$old" $((before + 500)) || fail "the load moves"
stop "${PID[old]}" KILL
# Otherwise nothing of what follows was tested.
ok "the load was under way when the leader died" kill -0 $load
at_kill=$(wc -l <"$D/acked")
more_acked() { [ "$(wc -l <"$D/acked")" -ge $((at_kill + 100)) ]; }
ok "values are appended after it" wait_until 60 more_acked
load_may_end
wait $load
is "the load goes on without the leader" $? 0
wait $second
is "and so does a second client" $? 0
gap=$(json 'd["longest_gap_us"] // 1000' <"$D/load")
diag "$(<"$D/load")" "$(<"$D/load.err")"
ok "the leader's death was felt: a gap of $gap ms" [ "$gap" -ge 300 ]
another() { new=$(leader) && [ "$new" != "$old" ]; }
wait_until 60 another
is "another member leads: ${new:-none} after $old" $? 0
run "$old"
for i in 1 2 3; do
	[ "$i" = "$old" ] || ok "who follows member $i is not cut off" kill -0 "${FOLLOW[i]}"
	stop "${FOLLOW[i]}"
done
all_equal "after the leader's death"
is "no acknowledged value is missing after it" "$(missing)" 0

# --- all die, all come back ---
for i in 1 2 3; do stop "${PID[i]}" KILL; done
for i in 1 2 3; do run $i; done
all_equal "after the death of all"
is "no acknowledged value is missing after that" "$(missing)" 0
ok "and it goes on" append again

# --- was all that allowed? ---
for i in 1 2 3; do
	dump $i | lin_entries $i >>"$D/history"
	fetched=$(grep -c "^t${FOLLOW[i]} " "$D/history")
	ok "who follows member $i has seen values: $fetched" [ "$fetched" -ge 100 ]
done
out=$(lin "$D/history" 2>&1)
like "the history is linearizable" "$out" '^ok: [0-9]+ operations'
diag "$out"

# --- a clean end ---
for i in 1 2 3; do
	kill -TERM "${PID[i]}"
	wait "${PID[i]}"
	is "member $i ends cleanly" $? 0
	ok "journal $i verifies" paxsteer journal verify "$D/j$i"
done
done_testing
