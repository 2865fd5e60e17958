#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netlink.sh - good and bad requests to the family "paxsteer"
#
#     pxs-a: all objects        pxs-b: sees none of them
#
# Bad requests are made by hand in netlink_cases.py: each has its own words, points at its
# attribute, and leaves everything as it was. Unloads the module at its end.
#
# check-kernels: 6.1 debug

. "$(dirname "$0")/lib.sh"
need_module
need python3 ip setpriv unshare

pa() { paxsteer -n pxs-a "$@"; }
pb() { paxsteer -n pxs-b "$@"; }
cases() { on "$1" python3 "$TOP/selftests/netlink_cases.py" "$2" >"$T_DIR/cases" 2>&1; }
count() { pa -j "$@" | json 'len(d)'; }

# report NAME: each line of $T_DIR/cases as a result; there must be some, and an end
report()
{
	local rc=$? line n=0
	while read -r line; do
		case $line in
		ok\ *) pass "${line#ok }"; n=$((n + 1)) ;;
		not\ ok\ *) fail "${line#not ok }"; n=$((n + 1)) ;;
		*) diag "$line" ;;
		esac
	done <"$T_DIR/cases"
	ok "$1: $n cases" [ $rc = 0 -a $n -ge "$2" ]
}

# Loading does nothing: no hook, no reference, no socket, nobody sees a difference.
refs() { cut -d' ' -f1-3 /proc/modules | grep '^paxsteer '; }
like "loaded, with no user" "$(refs)" " 0\$"
host a
host b
like "nor with namespaces" "$(refs)" " 0\$"
is "nothing is configured" "$(pa -j service show; pa -j backend show; pa -j group show)" \
	"$(printf '[]\n[]\n[]')"

cat >"$T_DIR/good" <<-END
	service add u udp 192.0.2.1:1
	service add k udp 192.0.2.1:2 key payload 4:4 rows 512 cap 1000
	service add t tcp 192.0.2.1:1 mode local key source
	service add m udp 192.0.2.1:3 fill maglev key memcached
	service add d udp 192.0.2.1:53 key dns
	service add q udp 192.0.2.1:443 key quic 20
	service add net udp 192.0.2.1:6 key source/32
	service add net6 udp [2001:db8::1]:6 key source/128
	service add r udp 192.0.2.1:7 fill redis-slots key redis
	service add j udp 192.0.2.1:8 fill jump
	service add ket udp 192.0.2.1:9 fill ketama key memcached
	service add six udp [2001:db8::1]:1 key source seed ffffffffffffffffffffffffffffffff
	service add A-Za_z.0-9-and-so-on-31-of-them tcp [2001:db8::1]:65535 rows 131072 cap 0
	service add empty udp 192.0.2.1:4 fill maglev rows 131071
	service add many udp 192.0.2.1:5 fill maglev rows 7
	service add dsr udp 192.0.2.3:53 mode dsr
	service add gue udp 192.0.2.4:53 mode tunnel gue
	service add ipip tcp 192.0.2.4:53 mode tunnel ipip
	backend add gue 10.0.0.1:53
	backend add gue [fd00::1]:53
	backend add ipip [fd00::1]:53
	backend add u 10.0.0.1:1001
	backend add u 10.0.0.2:65535 weight 65535 id 77
	backend add u 10.0.0.3:1001 weight 0 state down
	backend add k 10.0.0.9:9 state drain
	backend add k 10.0.0.8:9
	backend add t 10.0.0.1:1001 id 0xffffffffffffffff
	backend add m 10.0.0.5:1
	backend add d 10.0.0.6:1
	backend add ket 10.0.1.1:11211 weight 600
	backend add ket 10.0.1.2:11211 weight 300
	backend add ket 10.0.1.3:11211 weight 200
	backend add ket 10.0.1.4:11211 weight 350
	backend add ket 10.0.1.5:11211 weight 1000
	backend add ket 10.0.1.6:11211 weight 800
	backend add ket 10.0.1.7:11211 weight 950
	backend add ket 10.0.1.8:11211 weight 100
	backend add r 10.0.2.1:6379
	backend add r 10.0.2.2:6379 weight 2
	backend add j 10.0.3.1:1
	backend add j 10.0.3.2:1
	backend add six [fd00::1]:1
	backend add many 10.1.0.1:1
	backend add many 10.1.0.2:1
	backend add many 10.1.0.3:1
END
ok "all that is good is taken" pa -b "$T_DIR/good"
is "services are there" "$(count service show)" 18
is "backends are there" "$(count backend show)" 27
for s in u k t m six A-Za_z.0-9-and-so-on-31-of-them; do
	ok "service $s can be shown by itself" [ "$(count service show $s)" = 1 ]
done

# Owners that others name: vectors of libmemcached's test, and of CLUSTER KEYSLOT.
owner() { pa -j lookup "$1" key "$2" | json 'd["addr"]'; }
is "ketama: a key goes where libmemcached sends it" \
	"$(owner ket 'SVa_]_V41)') $(owner ket '30C1*Z*S/_') $(owner ket 'P1[Ma3=K1/')" \
	"10.0.1.7 10.0.1.2 10.0.1.8"
is "ketama: 1264 points" "$(pa -j table show ket | json 'd["rows"]')" 1264
is "ketama: shares are of the ring" "$(pa -j table show ket | json 'all(
	abs(b["share"] - b["weight"] / 4300) < 0.03 for b in d["backends"])')" True
is "redis-slots: a row is a slot" "$(pa -j lookup r key 'foo{hash_tag}' | json 'd["row"]')" 2515
is "redis-slots: ranges by weight" "$(pa -j table show r | json 'sorted(
	b["rows"] for b in d["backends"])')" "[5461, 10923]"

# Fills that others have: as many rows as they, and what Envoy's own test expects.
owners() { pa -j table show fill rows | json '[
	[b["addr"] for b in d["backends"] if b["index"] == r["first"]][0] for r in d["table"]]'; }
six() { for i in 0 1 2 3 4 5; do pa backend add fill 127.0.0.1:9$i || return; done; }
for f in ipvs-mh:4093 maglev-envoy:65537 maglev-katran:65537 maglev-cilium:16381; do
	pa service add fill udp 192.0.2.1:10 fill ${f%:*}
	six
	is "${f%:*}: rows by rule" "$(pa -j table show fill | json 'd["rows"]')" ${f#*:}
	pa service del fill
done
pa service add fill udp 192.0.2.1:10 fill maglev-envoy rows 7
six
is "maglev-envoy: rows as Envoy's test has them" \
	"$(pa -j table show fill rows | json '[r["first"] for r in d["table"]]')" \
	"[2, 4, 0, 1, 5, 0, 3]"
pa service del fill

# Health flips a bit of the table in force and leaves it, and the operator's state, alone.
health() { pa -j backend show r | json 'next("%s %s %s" % (b["state"], b["health"], b["reason"])
	for b in d if b["addr"] == "10.0.2.1")'; }
r_table() { pa -j table show r | json 'd["generation"], d["digest"]'; }
is "health: a backend is unchecked at first" "$(health)" "up unchecked None"
was=$(r_table)
# A slot near either end: one of them is this backend's, whichever id is lower.
k=a
[ "$(owner r a)" = 10.0.2.1 ] || k=b
is "health: who is first" "$(owner r $k)" 10.0.2.1
pa backend set r 10.0.2.1:6379 health bad
is "health: bad, it is not chosen" "$(owner r $k)" 10.0.2.2
pa backend set r 10.0.2.1:6379 state down
pa backend set r 10.0.2.1:6379 health good
is "health: good, but down: an operator's state stays" "$(health) $(owner r $k)" \
	"down good None 10.0.2.2"
pa backend set r 10.0.2.1:6379 health bad
pa backend set r 10.0.2.1:6379 state up
is "health: up, but bad" "$(health) $(owner r $k)" "up bad None 10.0.2.2"
pa backend add r 10.0.2.3:6379 weight 0
pa backend set r 10.0.2.2:6379 weight 3
is "health: bad in the next table, too" "$(owner r $k)" 10.0.2.2
pa backend set r 10.0.2.2:6379 weight 2
pa backend del r 10.0.2.3:6379
is "health: is not saved" "$(pa save service r | grep -cw -e health -e bad)" 0
pa backend set r 10.0.2.1:6379 health unchecked
is "health: unchecked serves" "$(owner r $k)" 10.0.2.1
is "health: the table is as it was" "$(r_table | cut -d, -f2)" "$(cut -d, -f2 <<<"$was")"

# Sticky goes on from the table in force, also when an index is used anew.
pa service add fill udp 192.0.2.1:10 fill sticky rows 1024
for i in 1 2 3 4; do pa backend add fill 10.0.4.$i:1; done
moves() { python3 -c 'import sys
was, now = map(eval, sys.argv[1:3])
moved = [(a, b) for a, b in zip(was, now) if a != b and sys.argv[3] not in (a, b)]
print(len(moved), sorted(map(now.count, set(now))))' "$@"; }
was=$(owners)
pa backend del fill 10.0.4.2:1
now=$(owners)
is "sticky: only the rows of who went move" "$(moves "$was" "$now" 10.0.4.2)" "0 [341, 341, 342]"
pa backend add fill 10.0.4.5:1
was=$now now=$(owners)
is "sticky: only to who came" "$(moves "$was" "$now" 10.0.4.5)" "0 [256, 256, 256, 256]"
pa backend set fill 10.0.4.5:1 weight 2
was=$now now=$(owners)
is "sticky: and to who weighs more" "$(moves "$was" "$now" 10.0.4.5)" "0 [205, 205, 205, 409]"
pa service del fill

cases a refused
report "bad requests" 100
is "services are still there" "$(count service show)" 18

# The same words reach who uses the command, with the keyword.
refused "command: a name that is taken" "a service has this name \(name\)" \
	pa service add u udp 192.0.2.7:1
refused "command: another family" "another family.*\(addr\)" pa backend add u '[fd00::2]:1'
refused "command: weight" "weight.*0..65535" pa backend add u 10.3.0.1:1 weight 65536
refused "command: rows" "power of two.*\(rows\)" pa service set u rows 1000
refused "command: key" "need protocol UDP, or mode request \(key\)" \
	pa service add x tcp 192.0.2.7:1 key memcached
refused "command: unknown service" "no service has this name" pa table show nope
refused "command: unknown backend" "no backend with this address" pa backend del u 10.3.0.1:1

# Strangers and other namespaces. They must be able to reach the command.
chmod 755 "$T_DIR"
install -m 755 "$(command -v paxsteer)" "$T_DIR/paxsteer"
cases a strangers
report "without CAP_NET_ADMIN" 20
refused "in a user namespace of one's own" CAP_NET_ADMIN \
	on a setpriv --reuid 65534 --clear-groups unshare -Ur "$T_DIR/paxsteer" service show
refused "and a network namespace of one's own" CAP_NET_ADMIN \
	setpriv --reuid 65534 --clear-groups unshare -Urn \
	"$T_DIR/paxsteer" service add x udp 192.0.2.1:1
is "another namespace sees nothing" "$(pb -j service show)" "[]"
refused "and can't delete" "no service has this name" pb service del u
ok "it may use the same names" pb service add u tcp 192.0.2.1:1
ok "and delete its own" pb service del u
is "which changes nothing here" "$(count service show)" 18
host c
ip -n pxs-c link set lo down
ok "a namespace that had no interface up ever" paxsteer -n pxs-c service add u udp 192.0.2.1:1
ip netns add pxs-raw && T_HOSTS+=(raw)
ok "nor lo" paxsteer -n pxs-raw service add u udp 192.0.2.1:1

# Monitor: all changes, in order, and nothing for what was refused.
start monitor paxsteer -n pxs-a -j monitor
M_PID=$START_PID
heard() { pa service set u cap 21; [ -s "$T_DIR/monitor.log" ]; }
ok "monitor listens" wait_until 20 heard
pa service set u cap 33
pa service set u rows 3 2>/dev/null
pa backend set u 10.0.0.1:1001 weight 9
pa backend del u 10.0.0.3:1001
pb service add other udp 192.0.2.1:77
pa service del u
ended() { grep -q service-del "$T_DIR/monitor.log"; }
wait_until 20 ended
is "monitor shows each change, no other" "$(python3 -c 'import json, sys
for e in map(json.loads, open(sys.argv[1])):
	o = e.get("service") or e.get("backend")
	if o.get("cap") != 21:
		print(e["event"], o.get("cap", o.get("weight")))' "$T_DIR/monitor.log")" \
	"$(printf 'service-set 33\nbackend-set 9\nbackend-del 0\nservice-del 33')"
stop "$M_PID"

# Limits, and dumps of many messages.
for i in $(seq 500); do echo "service add s$i udp 198.51.100.$((i % 250)):$((i + 1))"; done |
	sed 's/100\.0:/100.250:/' >"$T_DIR/batch"
ok "500 services" pa -b "$T_DIR/batch"
is "are all shown, once" "$(pa -j service show | json 'len({s["name"] for s in d
	if s["name"][0] == "s" and s["name"] != "six"})')" 500
for i in $(seq 507); do echo "service add r$i udp 198.51.101.1:$i"; done >"$T_DIR/batch"
ok "up to 1024" pa -b "$T_DIR/batch"
refused "one more is refused" "1024 services: that is the limit" pa service add x udp 192.0.2.9:1
backends()
{
	for i in $(seq "$2"); do
		echo "backend add $1 10.4.$((i / 250)).$((i % 250 + 1)):1${3-}"
	done
}
ok "room for one" pa service del r1
ok "of mode request" pa service add r1 tcp 198.51.101.1:1 mode request key redis
backends r1 1025 " weight 0" >"$T_DIR/batch"
refused "a backend too many is refused, and its line named" \
	"batch:1025: backend add: with mode request a service has up to 1024 backends" \
	pa -b "$T_DIR/batch"
is "those before it are all shown, once" \
	"$(pa -j backend show r1 | json 'len({b["addr"] for b in d})')" 1024
is "each with an index of its own" \
	"$(pa -j backend show r1 | json 'len({b["index"] for b in d})')" 1024
backends s1 40 >"$T_DIR/batch"
ok "40 backends with weight" pa -b "$T_DIR/batch"
is "make one table" "$(pa -j table show s1 | json 'd["generation"], len(d["backends"])')" "(1, 40)"
{
	backends s1 9 | sed 's/10\.4/10.5/'
	echo backend add s1 10.4.0.2:1
	echo backend add s1 10.6.0.1:1
} >"$T_DIR/batch"
refused "one of eleven is there already" "batch:10: backend add: the service has a backend" \
	pa -b "$T_DIR/batch"
is "what is before it stays, what is behind it is not done" \
	"$(pa -j backend show s1 | json 'len(d), any(b["addr"] == "10.6.0.1" for b in d)')" \
	"(49, False)"
refused "forced, the rest is done" "batch:10: backend add: the service has a backend" pa -force \
	-b "$T_DIR/batch"
is "but for what is there" "$(pa -j backend show s1 | json 'len(d)')" 50

# It goes, with all of this, and comes by itself when it is asked for.
ok "the module goes" wait_until 20 rmmod paxsteer
refused "it is gone" "No such file" ls /sys/module/paxsteer
is "asking for the family loads it" "$(pa -j service show)" "[]"
ok "it is there" [ -d /sys/module/paxsteer ]
done_testing
