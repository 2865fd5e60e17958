#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# cli.sh - the command `paxsteer` against the real module
#
#	paxsteer ----- generic netlink ----- paxsteer.ko	in this namespace
#	paxsteer -n cli-$$ -----------------^			in another one
#
# Run it in a VM (selftests/vm/run cli): it unloads the module at the end.
#
# check-kernels: 6.12
# limit: 600

set -u
PAXSTEER=${PAXSTEER:-paxsteer}
n=0
failed=0
ns=cli-$$
other=cli-other-$$
tmp=$(mktemp -d) || exit 1
monitor=

cleanup()
{
	[ -z "$monitor" ] || kill "$monitor" 2>/dev/null
	ip netns del "$ns" 2>/dev/null
	ip netns del "$other" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 4; }
[ -d /sys/module/paxsteer ] || { echo "1..0 # SKIP the module is not loaded"; exit 4; }

result()	# STATUS NAME
{
	n=$((n + 1))
	[ "$1" = 0 ] && { echo "ok $n - $2"; return; }
	echo "not ok $n - $2"
	failed=$((failed + 1))
	sed 's/^/# /' "$tmp/err" 2>/dev/null
}

# NAME ARGUMENTS...: must work, silently
does()
{
	local name=$1
	shift
	"$PAXSTEER" "$@" >"$tmp/out" 2>"$tmp/err" && [ ! -s "$tmp/err" ] && [ ! -s "$tmp/out" ]
	result $? "$name"
}

# STATUS "WORDS" ARGUMENTS...
refuses()
{
	local want=$1 words=$2 got
	shift 2
	"$PAXSTEER" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$want" ] && grep -qF -- "$words" "$tmp/err" && [ ! -s "$tmp/out" ]
	result $? "$* -> $want: $words"
}

# NAME "PYTHON EXPRESSION over x" ARGUMENTS...: what -j shows
json()
{
	local name=$1 expr=$2
	shift 2
	"$PAXSTEER" -j "$@" >"$tmp/out" 2>"$tmp/err" &&
		python3 -c "import json,sys; x = json.load(sys.stdin); sys.exit(not ($expr))" \
			<"$tmp/out" 2>>"$tmp/err"
	set -- $? "$@"
	[ "$1" = 0 ] || head -c 2000 "$tmp/out" >>"$tmp/err"
	result "$1" "$name"
}

seed=000102030405060708090a0b0c0d0e0f

# What was added is what is shown.
json 'no service to begin with' 'x == []' service show
does 'add a service' service add cache udp 192.0.2.1:11211 key payload 4:8 cap 5% rows 1024 \
	seed $seed
json 'its attributes come back' "[x[0][k] for k in ('name','proto','addr','port','mode','key',
	'key_offset','key_len','fill','rows','cap','seed','generation','digest')] == ['cache','udp',
	'192.0.2.1',11211,'nat','payload',4,8,'rendezvous',1024,50,'$seed',0,None]" \
	service show cache
does 'abbreviated, v6, maglev, local' se a web tcp '[2001:db8::1]:80' mode local fill maglev \
	rows 65537
json 'a dump has both' "[s['name'] for s in x] == ['cache', 'web'] and x[1]['cap'] is None and
	x[1]['addr'] == '2001:db8::1'" service
does 'change a service' service set cache key memcached cap 20
json 'the change shows, the rest stays' "x[0]['key'] == 'memcached' and x[0]['cap'] == 20 and
	x[0]['seed'] == '$seed' and 'key_len' not in x[0]" service show cache

# The kernel's words, and the keyword they are about.
refuses 2 '(name): File exists' service add cache udp 192.0.2.9:1
refuses 2 '(rows), must be 0..131072: Numerical result out of range' \
	service add x udp 192.0.2.9:1 rows 131073
refuses 2 '(key offset), must be 0..511' service add x udp 192.0.2.9:1 key payload 512:1
refuses 2 "(name): Invalid argument" service add 'a b' udp 192.0.2.9:1
refuses 2 '(name): No such file' service set nope cap 1
refuses 2 '(name): No such file' service del nope
refuses 2 '(service): No such file' backend add nope 10.0.0.1:1
refuses 2 '(addr)' backend add cache '[2001:db8::5]:1'
refuses 2 '(service): No data available' table show cache
refuses 2 'No such file' backend show nope

# Backends, table, lookup tell one story.
does 'add a backend' backend add cache 10.0.0.1:11211
does 'add a heavier one' backend add cache 10.0.0.2:11211 weight 2
does 'add one with an id' backend add cache 10.0.0.3:11211 id 0xfedcba9876543210
json 'backends come back' "[(b['addr'], b['weight'], b['state']) for b in x] ==
	[('10.0.0.1', 1, 'up'), ('10.0.0.2', 2, 'up'), ('10.0.0.3', 1, 'up')] and
	x[2]['id'] == '0xfedcba9876543210'" backend show cache
json 'a table adds up' "sum(b['rows'] for b in x['backends']) == x['rows'] == 1024 and
	abs(sum(b['share'] for b in x['backends']) - 1) < 1e-9 and 'table' not in x and
	sum(b['second'] for b in x['backends']) == 1024 and
	abs(x['most_of_fair'] - max(b['rows'] * 4 / b['weight'] for b in x['backends']) / 1024)
		< 0.001" table show cache
json 'its rows are all there' "[r['row'] for r in x['table']] == list(range(1024)) and
	all(sum(r['first'] == b['index'] for r in x['table']) == b['rows']
		for b in x['backends'])" \
	table show cache rows
does 'add a backend to the large table' backend add web '[2001:db8::2]:80'
json 'a table of many pages, one backend' "len(x['table']) == 65537 and
	all(r['first'] == 0 and r['second'] is None for r in x['table'])" table show web rows
"$PAXSTEER" -j table show cache rows >"$tmp/table"
json 'lookup agrees with the table' "(t := json.load(open('$tmp/table'))) and
	t['table'][x['row']]['first'] == x['first'] == x['chosen'] and
	t['table'][x['row']]['second'] == x['second'] and t['generation'] == x['generation'] and
	[b['addr'] for b in t['backends'] if b['index'] == x['chosen']] == [x['addr']]" \
	lookup cache key user:42
first=$("$PAXSTEER" -j lookup cache key user:42 |
	python3 -c 'import json,sys; x = json.load(sys.stdin)
print("%s:%d" % (x["addr"], x["port"]))')
why()	# WORDS: what lookup says of user:42
{
	"$PAXSTEER" lookup cache key user:42 >"$tmp/out" 2>"$tmp/err" &&
		[ "$(sed -n 's/^why  *//p' "$tmp/out")" = "$1" ]
	set -- $? "$1"
	[ "$1" = 0 ] || cat "$tmp/out" >>"$tmp/err"
	result "$1" "lookup says: $2"
}
json 'lookup says why' "x['choice'] == 'first' and x['first_unfit'] is None and
	x['second_unfit'] is None" lookup cache key user:42
why 'first choice'
does 'its backend goes down' backend set cache "$first" state down
json 'the second choice serves' "x['chosen'] == x['second'] != x['first'] and
	x['choice'] == 'second' and x['first_unfit'] == 'down' and x['second_unfit'] is None" \
	lookup cache hex "$(printf user:42 | od -An -tx1 | tr -d ' \n')"
why 'second choice: the first is down'
second=$("$PAXSTEER" -j lookup cache key user:42 |
	python3 -c 'import json,sys; x = json.load(sys.stdin)
print("%s:%d" % (x["addr"], x["port"]))')
does 'the second fails its check' backend set cache "$second" health bad
json 'another row decides' "x['chosen'] not in (x['first'], x['second'], None) and
	x['choice'] == 'other' and x['first_unfit'] == 'down' and x['second_unfit'] == 'bad'" \
	lookup cache key user:42
why 'choice of another row: the first is down, the second fails its check'
for i in 1 2 3; do "$PAXSTEER" backend set cache 10.0.0.$i:11211 state down; done
json 'nobody serves' "x['chosen'] is None and x['choice'] == 'nobody' and
	x['first_unfit'] == x['second_unfit'] == 'down'" lookup cache key user:42
why 'nobody serves: the first is down, the second is down'
for i in 1 2 3; do "$PAXSTEER" backend set cache 10.0.0.$i:11211 state up; done
json 'up is not enough' "x['choice'] == 'first' and x['second_unfit'] == 'bad'" \
	lookup cache key user:42
does 'and it is checked again' backend set cache "$second" health unchecked
does 'one that drains leaves its rows' backend set cache "$first" state drain
json 'and is no choice any more' "x['choice'] == 'first' and x['first_unfit'] is None" \
	lookup cache key user:42
does 'and comes back' backend set cache "$first" state up
json 'a tuple is looked up' "x['chosen'] == 0" lookup web from '[2001:db8::9]:1024'
refuses 2 '(missing: key)' lookup cache from 1.2.3.4
refuses 2 '(missing: from port)' lookup web from 2001:db8::9

# Drawn, and watched: on a terminal and elsewhere.
json 'a plot tells of the same shares' "[b['share'] * x['rows'] for b in x['backends']] ==
	[b['rows'] for b in json.load(open('$tmp/table'))['backends']] and
	sum(b['wanted'] for b in x['backends']) == 1" table plot cache
does 'a plot as a file' table plot cache svg "$tmp/plot.svg"
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$tmp/plot.svg" \
	2>"$tmp/err"
result $? 'is well-formed'
json 'an interval in JSON' "x['interval'] > 0 and len(x['backends']) == 4 and
	x['services'][0]['packets_per_second'] == 0" stats -w 0.1 count 1
TERM=vt100 script -qec "$PAXSTEER stats -w 0.1 count 1; $PAXSTEER table plot cache" /dev/null \
	</dev/null >"$tmp/out" 2>"$tmp/err" && grep -q $'^\e\\[H\e\\[J' "$tmp/out" &&
	grep -q $'\e\\[3[123]m###' "$tmp/out"
result $? 'a terminal is cleared, and bars have colours'

# Saved, and restored in another namespace: the same bytes, the same tables.
ip netns add "$other" && ip -n "$other" link set lo up
does 'a backend of each state' backend add cache 10.0.0.4:11211 weight 0 state down
does 'and one that drains' backend set cache 10.0.0.3:11211 state drain
does 'a source with a prefix' service add net tcp 192.0.2.7:80 key source/24 fill jump rows 512
does 'and one of ids' service add quic udp 192.0.2.8:443 key quic 20 mode local
does 'its backend' backend add quic 127.0.0.1:4433
digests()	# [-n NETNS]
{
	"$PAXSTEER" "$@" -j service | grep -o '"name":"[^"]*"\|"digest":[^,]*'
}
"$PAXSTEER" save >"$tmp/saved" 2>"$tmp/err" &&
	"$PAXSTEER" -n "$other" restore "$tmp/saved" >"$tmp/out" 2>>"$tmp/err" &&
	[ ! -s "$tmp/out" ] &&
	"$PAXSTEER" -n "$other" save 2>>"$tmp/err" | cmp "$tmp/saved" - 2>>"$tmp/err" &&
	[ "$(wc -l <"$tmp/saved")" = 10 ] && [ "$(digests)" = "$(digests -n "$other")" ]
result $? 'restored in another namespace: the same configuration and digests'
refuses 2 'say flush to replace' -n "$other" restore "$tmp/saved"
{ grep -v '^service add web' "$tmp/saved" && echo 'backend add cache 192.0.2.1:11211'; } |
	sed '/^backend add web/d' >"$tmp/bad"
refuses 2 "$tmp/bad:$(wc -l <"$tmp/bad"): backend add:" -n "$other" restore "$tmp/bad" flush
"$PAXSTEER" -n "$other" save 2>"$tmp/err" | cmp "$tmp/saved" - &&
	[ "$(digests)" = "$(digests -n "$other")" ]
result $? 'a refused restore puts back what was there'
sed -i '$d' "$tmp/bad"
does 'flush replaces' -n "$other" restore "$tmp/bad" flush
"$PAXSTEER" -n "$other" save 2>"$tmp/err" | cmp "$tmp/bad" -
result $? 'by what the file says'
"$PAXSTEER" -b "$tmp/saved" >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] && grep -q 'saved:1: service add' "$tmp/err"
result $? 'a batch takes the same lines, and adds'
ip netns del "$other"
does 'the state of before' backend del cache 10.0.0.4:11211
does 'again' backend set cache 10.0.0.3:11211 state up
does 'and again' service del net
does 'and again' service del quic

# Many: dumps of several messages, batches.
for i in $(seq 1 300); do
	echo "backend add cache 10.1.$((i / 250)).$((i % 250 + 1)):11211"
done >"$tmp/batch"
does 'a batch of 300' -b "$tmp/batch"
json 'a dump of many messages' "len(x) == 303 and len({b['addr'] for b in x}) == 303" \
	backend show cache
json 'a dump of all services' "len(x) == 304" backend
printf 'service add %s\n' 'good udp 192.0.2.3:1' 'cache udp 192.0.2.4:1' 'bad udp 192.0.2.5:1' \
	>"$tmp/batch"
refuses 2 "$tmp/batch:2: service add:" -b "$tmp/batch"
json 'it stopped there' "[s['name'] for s in x] == ['cache', 'web', 'good']" service

# Groups. The key must not come back.
key=00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef
echo $key >"$tmp/key"
group=(group add 7 cluster 01234567-89ab-cdef-0123-456789abcdef key-file "$tmp/key" self 1)
members=(member 1 127.0.0.1:7001 incarnation 0x1a member 2 127.0.0.1:7002 incarnation 0x2b
	member 3 127.0.0.1:7003 incarnation 0x8000000000000000)
ip link set lo up
refuses 2 'heartbeat), must be 10..10000' "${group[@]}" "${members[@]}" heartbeat 9
refuses 2 'lease-drift), must be 0..1000' "${group[@]}" "${members[@]}" lease-drift 1001
refuses 2 '2 to 5 members that vote' "${group[@]}" member 1 127.0.0.1:7001 incarnation 1
refuses 2 'phase1 and phase2 together' "${group[@]}" "${members[@]}" phase1 2 phase2 1
refuses 2 'phase1 and phase2 are said together' "${group[@]}" "${members[@]}" phase1 3
refuses 2 'phase2 is more than a majority' "${group[@]}" "${members[@]}" phase1 3 phase2 3
does 'add a group' "${group[@]}" "${members[@]}" epoch 3 window 128 heartbeat 50 election 500 \
	lease-drift 200 phase1 3 phase2 1
json 'it comes back, inactive' "[x[0][k] for k in ('id','cluster','state','self','epoch','window',
	'heartbeat_ms','election_ms','lease_drift','phase1','phase2','leader','promised',
	'durability','reason')] == [7,'01234567-89ab-cdef-0123-456789abcdef','inactive',
	1,3,128,50,500,200,3,1,
	None,None,'disk',None] and
	[(m['id'], m['addr'], m['port'], m['incarnation']) for m in x[0]['members']] ==
	[(1,'127.0.0.1',7001,'0x000000000000001a'),(2,'127.0.0.1',7002,'0x000000000000002b'),
	(3,'127.0.0.1',7003,'0x8000000000000000')]" group show 7
{ "$PAXSTEER" -s group; "$PAXSTEER" -j group; } >"$tmp/out"
grep -q 01234567 "$tmp/out" && ! grep -qi "${key:0:16}" "$tmp/out"
result $? 'the key is not shown'
refuses 2 'File exists' "${group[@]}" "${members[@]}"
json 'stats have every object' "x['namespace']['rx_datagrams'] == 0 and len(x['services']) == 3 and
	len(x['backends']) == 304 and [g['id'] for g in x['groups']] == [7] and
	x['groups'][0]['stats']['rx'] == 0" stats
does 'delete the group' group del 7
does 'a memory group' "${group[@]}" "${members[@]}" durability memory
json 'it says so' "x[0]['durability'] == 'memory'" group show 7
does 'delete it' group del 7
refuses 2 '(id)' group show 7

# Another namespace is another world; strangers see nothing.
ip netns add "$ns" && ip -n "$ns" link set lo up
json 'another namespace is empty' 'x == []' -n "$ns" service 2>/dev/null
does 'add a service there' -n "$ns" service add cache udp 192.0.2.1:53
"$PAXSTEER" -j -n "$ns" service >"$tmp/out" 2>"$tmp/err" && grep -q '"port":53' "$tmp/out"
result $? 'it is there, not here'
setpriv --reuid 65534 --clear-groups --bounding-set=-all "$PAXSTEER" service \
	>"$tmp/out" 2>"$tmp/err"
[ $? = 3 ] && grep -q CAP_NET_ADMIN "$tmp/err" && [ ! -s "$tmp/out" ]
result $? 'without CAP_NET_ADMIN: status 3'
unshare -Urn "$PAXSTEER" service >"$tmp/out" 2>"$tmp/err"
[ $? = 3 ] && grep -q CAP_NET_ADMIN "$tmp/err"
result $? 'in a user namespace: status 3'

# Monitor: each change, in order, as the object is; then the module goes.
"$PAXSTEER" -j monitor >"$tmp/events" 2>"$tmp/err" &
monitor=$!
# Columns: sk, protocol (16 is generic), port, groups. A process's further sockets have its pid in
# the lower 22 bits of their port.
listens()
{
	awk -v pid=$monitor '$2 == 16 && $3 % 4194304 == pid && $4 != "00000000" { found = 1 }
		END { exit !found }' /proc/net/netlink
}
for _ in $(seq 600); do
	listens && break
	sleep 0.1
done
listens
result $? 'the monitor listens'
does 'a change to see' service set good cap 7
does 'another' backend add good 10.0.0.9:1 weight 3
does 'another' backend set good 10.0.0.9:1 state drain
does 'with a deadline' backend set good 10.0.0.9:1 deadline 1
for _ in $(seq 600); do
	[ "$(wc -l <"$tmp/events")" -ge 5 ] && break
	sleep 0.1
done
json 'it has passed' "[(b['state'], b['deadline'], b['left']) for b in x
	if b['addr'] == '10.0.0.9'] == [('drain', 1, 0)]" \
	backend show good
does 'another' service del good
for _ in $(seq 600); do
	[ "$(wc -l <"$tmp/events")" -ge 6 ] && break
	sleep 0.1
done
python3 - "$tmp/events" 2>"$tmp/err" <<'END'
import json, re, sys
ev = [json.loads(line) for line in open(sys.argv[1])]
assert [e['event'] for e in ev][:3] == ['service-set', 'backend-add', 'backend-set'], ev
assert ev[-1]['event'] == 'service-del' and ev[-1]['service']['name'] == 'good', ev
assert ev[0]['service']['cap'] == 7 and ev[1]['backend']['weight'] == 3, ev
assert ev[2]['backend']['state'] == 'drain' and ev[2]['backend']['service'] == 'good', ev
assert len(ev) == 6 and [e['event'] for e in ev][3:5] == 2 * ['backend-set'], ev
assert ev[2]['backend']['left'] is None and 0 < ev[3]['backend']['left'] <= 1, ev
assert ev[4]['backend']['left'] == 0 and ev[4]['backend']['state'] == 'drain', ev
assert all(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', e['time']) for e in ev), ev
END
result $? 'monitor shows each change, in order'
rmmod paxsteer
for _ in $(seq 600); do
	kill -0 "$monitor" 2>/dev/null || break
	sleep 0.1
done
wait "$monitor"
[ $? = 3 ]
result $? 'monitor ends when the module goes'
monitor=

echo "1..$n"
[ $failed = 0 ]
