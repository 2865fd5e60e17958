#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# cluster_init.sh - a cluster by `paxsteer cluster init`, `join` and `status`, on loopback
#
#     paxsteerd 1 ── 127.0.0.1:PORT+1..3 ── paxsteerd 2, 3       datapath user
#     store 1..3 at 127.0.0.1:PORT+11..13                        its files below $D/1 .. $D/3
#
# What README's walk-through does on three machines, with other directories. Then the leader is
# killed, and all that a hand can get wrong is refused, with nothing made or changed. No root, no
# module.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need paxsteer paxsteerd python3 redis-cli systemd-analyze

take_ports
PORT=$T_PORTS
D=$T_DIR/cluster
mkdir -p "$D/units"
declare -a PID
store() { echo $((PORT + 10 + $1)); }
MEMBERS=()
for i in 1 2 3; do MEMBERS+=("$i=127.0.0.1:$((PORT + i)),$(store $i)"); done
cluster() { paxsteer cluster "$@"; }
place()	# place DIRECTORY: words for that machine
{
	PLACE=(etc "$1/etc" journal "$1/state/journal" socket "$1/sock" user "$(id -un)"
		segment-size 1048576)
	mkdir -p "$1"
}
init() { place "$1"; cluster init self 1 "${@:2}" datapath user "${PLACE[@]}" bundle "$D/bundle"; }
join() { place "$D/$2"; cluster join "$1" self "$2" "${PLACE[@]}" "${@:3}"; }
# What is there: names, modes and contents.
all() { (cd "$D" && find . -printf '%p %m ' -type f -exec md5sum {} \; 2>&1 | sort); }
sockets() { echo "$D/1/sock,$D/2/sock,$D/3/sock"; }
run() { start "node$1" paxsteerd -c "$D/$1/etc/paxsteerd.conf"; PID[$1]=$START_PID; }
redis()	# redis I ARGS...
{
	local i=$1
	shift
	REDISCLI_AUTH=$(<"$D/1/etc/store.password") redis-cli -p "$(store "$i")" "$@" 2>&1
}
status() { cluster status -S "$(sockets)" password-file "$D/1/etc/store.password"; }
# led: one leads, and answers. A member that has just come may not know of it yet.
led()
{
	[[ $(status) =~ leader\ +([1-9]) ]] || return
	L=${BASH_REMATCH[1]} F=$((L % 3 + 1))
	[[ $(redis "$L" EXISTS no) == [01] ]]
}
whole() { status && led; }
reads() { [ "$(redis "$1" -c GET greeting)" = "$2" ]; }

# --- a cluster ---
out=$(init "$D/1" "${MEMBERS[@]}" units "$D/units" 2>&1)
like "init" "$out" 'member +1.*config +.*/1/etc/paxsteerd.conf.*bundle +.*/bundle'
like "join, by the bundle's file" "$(join "$D/bundle" 2 2>&1)" 'member +2'
like "join, by standard input" "$(join - 3 <"$D/bundle" 2>&1)" 'member +3'
for i in 1 2 3; do
	ok "the daemon likes what member $i got" \
		paxsteerd -c "$D/$i/etc/paxsteerd.conf" --check
	is "its key, password and journal are its own" \
		"$(stat -c %a "$D/$i"/etc/{cluster.key,store.password} "$D/$i/state/journal" |
			tr '\n' ' ')" "600 600 700 "
	run $i
done
is "the bundle is nobody else's either" "$(stat -c %a "$D/bundle")" 600
if ! wait_until 60 whole; then
	fail "all are there, and one leads" "$(status 2>&1)" "$(tail -n 3 "$T_DIR"/node?.log)"
	done_testing
fi
pass "all are there, and one leads"
is "redis-cli writes" "$(redis "$L" SET greeting hello)" OK
ok "and reads, at any member" wait_until 30 reads $F hello
like "not without the password" "$(redis-cli -p "$(store "$L")" GET greeting 2>&1)" '^NOAUTH'
is "status, one line a member" \
	"$(status | awk '$1 ~ /^[1-3]$/ { print $1, $3, $NF }' | tr '\n' ';')" \
	"1 voter yes;2 voter yes;3 voter yes;"
like "with one socket the others' stores are asked" \
	"$(paxsteer -j cluster status -S "$D/$F/sock" password-file "$D/$F/etc/store.password" |
		json '"%s %s" % (d["leader"], [m["reachable"] for m in d["members"]])')" \
	"^$L \['yes', 'yes', 'yes'\]"
like "and say so without their password" \
	"$(cluster status -S "$D/$F/sock" password-file /dev/null 2>&1)" "NOAUTH"

# --- without its leader ---
stop "${PID[L]}" KILL
old=$L
gone() { led && [ "$L" != "$old" ]; }
wait_until 60 gone
is "another member leads" $? 0
is "what was written is there" "$(redis "$L" GET greeting)" hello
is "and more can be" "$(redis "$L" SET greeting again)" OK
out=$(status)
is "status ends with 2" $? 2
like "and says who is not there, and why" "$out" " $old +127.0.0.1:[0-9]+ +voter +- .*refused"
refused "nobody to ask" "No such file" cluster status -S "$D/none"
run "$old"
ok "it is back" wait_until 60 whole
ok "and has it" wait_until 30 reads "$old" again

# --- systemd ---
sed "s|/usr/sbin/paxsteerd|$(command -v paxsteerd)|" "$TOP/agent/paxsteerd.service" \
	>"$D/units/paxsteerd.service"
verify() { systemd-analyze verify --man=no "$D/units/paxsteerd.service"; }
is "systemd finds nothing wrong with unit and drop-in" "$(verify 2>&1)" ""
echo 'IPAddressAlow=any' >>"$D/units/paxsteerd.service.d/cluster.conf"
like "(and it would say so)" "$(verify 2>&1)" "IPAddressAlow"

# --- several groups ---
G=()
for i in 1 2 3; do G+=("$i=127.0.0.1:$((PORT + 20 + i)),$((PORT + 30 + i))"); done
place "$D/g1"
cluster init self 1 "${G[@]}" groups 3 datapath user "${PLACE[@]}" bundle "$D/gbundle" >/dev/null
is "init, of a store of three groups" $? 0
for i in 2 3; do
	place "$D/g$i"
	ok "join" cluster join "$D/gbundle" self $i "${PLACE[@]}"
done
for i in 1 2 3; do
	start "group$i" paxsteerd -c "$D/g$i/etc/paxsteerd.conf"
	GPID[i]=$START_PID
done
gredis()
{
	REDISCLI_AUTH=$(<"$D/g1/etc/store.password") redis-cli -c -p $((PORT + 31)) "$@" 2>&1
}
gset() { [ "$(gredis MSET one 1 two 2 three 3 four 4 five 5 six 6)" = OK ]; }
ok "a transaction over the groups" wait_until 60 gset
gleaders() { [ "$(gredis INFO paxsteer | grep -c '^group[1-3]:leader=[1-3],')" = 3 ]; }
ok "which each have a leader" wait_until 30 gleaders
for i in 1 2 3; do stop "${GPID[i]}"; done

# --- mistakes ---
X=$D/x
for i in 1 2 3; do stop "${PID[i]}"; done
before=$(all)
no()	# no NAME REGEX MEMBER...: init refuses
{
	refused "init: $1" "$2" cluster init self 1 "${@:3}" "${XPLACE[@]}" bundle "$X/bundle"
}
XPLACE=(etc "$X/etc" journal "$X/journal" user "$(id -un)")
A=1=10.0.0.1 B=2=10.0.0.2 C=3=10.0.0.3
no "two members" '2 members: a cluster begins with 3 or 5' $A $B
no "four members" '4 members: a cluster begins with 3 or 5' $A $B $C 4=10.0.0.4
no "six members" 'more than 5 members' $A $B $C 4=10.0.0.4 5=10.0.0.5 6=10.0.0.6
no "an id twice" 'member 2 is given twice' $A $B 2=10.0.0.3
no "an address twice" 'members 1 and 3 have the same address 10.0.0.1:7400' $A $B 3=10.0.0.1,1
no "a store twice" 'stores of members 1 and 3 have the same address 10.0.0.1:6379' $A $B \
	3=10.0.0.1:7401
no "mixed families" 'members 1 and 3 have addresses of different families' $A $B '3=[fd00::3]'
no "a name for an address" 'member 3: "node3" is not ADDRESS' $A $B 3=node3
no "an id too large" 'the id is not 1..63' $A $B 64=10.0.0.3
no "a machine that is no member" 'self: member 1 is not among the members' 4=10.0.0.4 $B $C
no "a word too much" '"datpath" is not understood' $A $B $C datpath user
no "too many groups" 'groups: .*1..16' $A $B $C groups 17
no "a datapath" '"users" is neither kernel nor user' $A $B $C datapath users
XPLACE=(etc x)
no "a directory that is none" 'etc: "x" does not begin with /' $A $B $C
XPLACE=(etc "$X/etc" journal "$X/journal" user nobody-of-this-name)
no "a user who is not there" 'user: ' $A $B $C
XPLACE=(etc "$D/1/etc" journal "$X/journal" user "$(id -un)")
no "a machine of a cluster" 'cluster.key: is there already' $A $B $C
XPLACE=(etc "$X" journal "$D/1/state/journal" user "$(id -un)")
no "a journal that is there" 'journal: is there already' $A $B $C
XPLACE=(etc "$D/bundle/etc" journal "$X/journal" user "$(id -un)")
no "a directory where none can be" 'Not a directory' $A $B $C
XPLACE=(etc "$X" journal /proc/none/journal user "$(id -un)")
no "a journal where none can be: what was made is gone" '/proc/none: ' $A $B $C
refused "init: no member" 'self is missing' cluster init $A $B $C

refused "a bundle makes a member once" 'member 2 was made of this bundle before' \
	cluster join "$D/bundle" self 2 etc "$X" journal "$X/journal"
refused "and the first one never" 'member 1 was made of this bundle before' \
	cluster join "$D/bundle" self 1 etc "$X" journal "$X/journal"
refused "an id that is not in it" 'member 4 is not in the bundle: it has 1, 2, 3' \
	cluster join "$D/bundle" self 4 etc "$X" journal "$X/journal"
bad()	# bad NAME REGEX COMMAND...: join refuses what the command makes of the bundle
{
	"${@:3}" <"$D/bundle" >"$T_DIR/bad"
	chmod 600 "$T_DIR/bad"
	refused "a bundle $1" "$2" cluster join "$T_DIR/bad" self 3 etc "$X" journal "$X/journal"
}
bad "cut short" 'line 10: sum: is cut off, or not there' head -n 9
bad "cut within a line" 'line 6: password: is cut off' head -c 180
bad "with another address" 'sum: the bundle was changed' sed "s/:$((PORT + 2)) /:1 /"
bad "with another key" 'sum: the bundle was changed' sed 's/^key .../key 000/'
bad "with a wrong key" 'line 5: key: is not 64 hex digits' sed 's/^key .*/key 00/'
bad "of another version" 'version: is 5, this program reads versions 1 to 4' sed '1s/1/5/'
bad "that is none" 'is no bundle' cat "$D/1/etc/paxsteerd.conf"
bad "that is too large" 'is larger than a bundle' head -c 4096 /dev/zero
cp "$D/bundle" "$T_DIR/open"
chmod 644 "$T_DIR/open"
refused "a bundle that others may read" 'others may read it' \
	cluster join "$T_DIR/open" self 3 etc "$X" journal "$X/journal"
refused "no bundle" 'No such file' cluster join "$T_DIR/none" self 3 etc "$X" journal "$X/journal"
cp -p "$D/bundle" "$T_DIR/copy"
refused "a join that fails" '/proc/none: ' cluster join "$T_DIR/copy" self 3 etc "$X" \
	journal /proc/none/journal user "$(id -un)"
ok "leaves the bundle as it was" cmp "$D/bundle" "$T_DIR/copy"
is "after all that nothing was made and nothing has changed" \
	"$(diff <(echo "$before") <(all))" ""
done_testing
