#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test_config.sh - the daemon's configuration file: every mistake is named, with its line
#
# PAXSTEERD names the program. Each line of the table below changes a good file by one sed
# command and says the words that must follow; nothing is made or changed (--check).

set -u
PAXSTEERD=${PAXSTEERD:-paxsteerd}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$(dirname "$0")/../unit/tap.sh"
# shellcheck disable=SC2034  # tap.sh reads it
said=$tmp/err

printf '%064d\n' 1 >"$tmp/key"
printf '%063d\n' 1 >"$tmp/short"
printf '%065d\n' 1 >"$tmp/long"
printf 'one\ntwo\n' >"$tmp/lines"
echo >"$tmp/empty"
printf 'word\0more\n' >"$tmp/zero"
chmod 600 "$tmp/key" "$tmp/short" "$tmp/long" "$tmp/lines" "$tmp/empty" "$tmp/zero"
cp "$tmp/key" "$tmp/open"
chmod 644 "$tmp/open"
mkfifo -m 600 "$tmp/fifo"
mkdir -m 700 "$tmp/dir"

cat >"$tmp/good.conf" <<-END
	node {
		cluster = "01234567-89ab-cdef-0123-456789abcdef"
		key-file = "$tmp/key"
		journal = "$tmp/journal"
		socket = "$tmp/sock"
		datapath = "user"
	}
	group 1 {
		self = 1
		heartbeat = 100
		election = 1000
		member 1 { address = "127.0.0.1:7001" incarnation = "1" }
		member 2 { address = "127.0.0.1:7002" incarnation = "2" }
		member 3 { address = "127.0.0.1:7003" incarnation = "0x3" }
	}
END

cat >"$tmp/health" <<-END
	health "cache" {
		check = "redis"
		backends = "10.0.0.1:6379, [fd00::1]:6379"
		port = 6380
		interval = 2000
		timeout = 2000
		password-file = "$tmp/word"
		noauth = "bad"
	}
	health web.1 { check = http path = "/alive" host = "w.example" status = "200-299"
		jitter = 0 }
	health ns { check = "dns" name = "www.example.org." rcode = "nxdomain" rise = 100 fall = 1 }
	health mc { check = memcached interval = 100 }
	health any { check = tcp }
END
cat "$tmp/health" >>"$tmp/good.conf"
printf '%0256d\n' 1 >"$tmp/word256"
printf '%0255d\nmore\n' 1 >"$tmp/word255"
printf '\n' >"$tmp/noword"
echo secret >"$tmp/word"
chmod 600 "$tmp/word256" "$tmp/word255" "$tmp/noword" "$tmp/word"

for i in '01 1' '2 2'; do
	sed "1,/^}/d; /^health/,\$d; s/^group 1/group ${i% *}/; s/self = 1/self = ${i#* }/" \
		"$tmp/good.conf" >"$tmp/group${i% *}"
done

"$PAXSTEERD" -c "$tmp/good.conf" --check >"$tmp/err" 2>&1
result $? 'a good file is good'
store="listen = { '127.0.0.1:6379 bounded 100 5', '[::]:6379 eventual' }"
store+=" password-file = '$tmp/key' maxclients = 10"
store+=" read-wait = 100 sessions = 0 session-age = 1"
store+=" sagas = 0 saga-age = 31536000"
store+=" checkpoint-entries = 0 checkpoint-seconds = 604800 checkpoint-rate = 65536"
store+=" eventual = { 'a:', 'b:' } eventual-memory = 0 eventual-drift = 100 eventual-rate = 0"
store+=" directory = '$tmp/store' consistency = eventual maxmemory = 0 request-limit = 32"
sed "s|heart.*|store { $store client-memory = 16 }|; s|incarnation = |store = '127.0.0.1:1' &|" \
	"$tmp/good.conf" >"$tmp/store.conf"
"$PAXSTEERD" -c "$tmp/store.conf" --check >"$tmp/err" 2>&1
result $? 'a good store is good'

while IFS='|' read -r edit words; do
	edit=${edit//LONG/$(printf '%0108d' 0)}
	edit=${edit//WORD/$(printf '%0256d' 0)}
	edit=${edit//NINE/$(printf '"127.0.0.1:%d",' {1..8})"127.0.0.1:9"}
	sed "${edit//@/$tmp}" "$tmp/good.conf" >"$tmp/bad.conf"
	if cmp -s "$tmp/good.conf" "$tmp/bad.conf"; then
		echo 'the edit changes nothing' >"$tmp/err"
		result 1 "$edit"
		continue
	fi
	timeout 20 "$PAXSTEERD" -c "$tmp/bad.conf" --check >"$tmp/out" 2>"$tmp/err"
	rc=$?
	[ $rc -gt 0 ] && [ $rc -lt 100 ] && grep -qF -- "${words//@/$tmp}" "$tmp/err" &&
		[ ! -s "$tmp/out" ]
	result $? "$edit: $words"
done <<'END'
/cluster/d|node: cluster is missing
/key-file/d|node: key-file is missing
/journal/d|node: journal is missing
/self/d|group 1: self is missing
s/address = "127.0.0.1:7002"//|member 2: address is missing
s/incarnation = "2"//|member 2: incarnation is missing
s/cluster =/clutser =/|bad.conf:2: no such option 'clutser'
s/self =/sefl =/|bad.conf:9: no such option 'sefl'
s/^node/nodes/|no such option 'nodes'
s/cluster = ".*"/cluster = "1"/|bad.conf:2: cluster: "1" is not a UUID
s/datapath = "user"/datapath = "users"/|bad.conf:6: datapath: "users" is neither kernel nor user
s/datapath.*/flush = "no"/|bad.conf:6: flush: "no" is neither fdatasync nor dsync
s/datapath.*/cache = 0/|bad.conf:6: cache: 0 is not in 1..4095
s/datapath.*/cache = 4096/|bad.conf:6: cache: 4096 is not in 1..4095
s/datapath.*/cache = many/|bad.conf:6: invalid integer value for option 'cache'
s/datapath.*/cache = 99999999999999999999/|bad.conf:6: integer value for option 'cache'
s/self = 1/self = 64/|bad.conf:9: self: 64 is not in 1..63
s/self = 1/self = 4/|group 1: self
s/heartbeat = 100/heartbeat = 9/|bad.conf:10: heartbeat: 9 is not in 10..10000
s/election = 1000/election = 29/|bad.conf:11: election: 29 is not in 30..60000
s/election = 1000/lease-drift = 1001/|bad.conf:11: lease-drift: 1001 is not in 0..1000
s/election = 1000/lease-drift = 1 lease-drift = 1/|bad.conf:11: lease-drift: is given twice
s/heartbeat = 100/durability = "tape"/|bad.conf:10: durability: "tape" is neither disk nor memory
s/heartbeat = 100/durability = disk durability = memory/|bad.conf:10: durability: is given twice
s/heartbeat = 100/tables = true tables = true/|bad.conf:10: tables: is given twice
s/heartbeat = 100/tables = maybe/|bad.conf:10: invalid boolean value for option 'tables'
s/heartbeat = 100/tables = true durability = memory/|group 1: tables: need durability disk
s/heartbeat = 100/tables = true store { listen = "127.0.0.1:1" }/|tables: the log is the store's
s/heartbeat = 100/tables = true retain = 8192/|group 1: tables: need retain 0
s/heartbeat = 100/window = 100/|bad.conf:10: window: 100 is not a power of two
s/heartbeat = 100/window = 131072/|bad.conf:10: window: 131072 is not in 64..65536
s/heartbeat = 100/epoch = 0/|bad.conf:10: epoch: 0 is not in 1..
s/heartbeat = 100/key-id = 256/|bad.conf:10: key-id: 256 is not in 0..255
s/heartbeat = 100/also-key-id = -1/|bad.conf:10: also-key-id: -1 is not in 0..255
s,key-file.*,&\nalso-key-file = "@/none",|also-key-file @/none: No such file
s,key-file.*,&\nalso-key-file = "@/open",|also-key-file @/open: others may read it
s,key-file.*,&\nalso-key-file = "@/short",|also-key-file @/short: must hold 64 hex digits
s,key-file.*,&\nalso-key-file = "",|bad.conf:4: also-key-file: is empty
s,key-file.*,&\nalso-key-file = "@/key",;s/heartbeat/key-id = 2 &/|group 1: the two keys have
s/127.0.0.1:7002/127.0.0.1/|address: "127.0.0.1" is not ADDRESS:PORT
s/127.0.0.1:7002/127.0.0.1:0/|address: "127.0.0.1:0" is not ADDRESS:PORT
s/127.0.0.1:7002/127.0.0.1:65536/|address: "127.0.0.1:65536" is not
s/127.0.0.1:7002/:7002/|address: ":7002" is not
s/127.0.0.1:7002/[::1:7002/|address: "[::1:7002" is not
s/127.0.0.1:7002/localhost:7002/|address: "localhost:7002" is not
s/incarnation = "2"/incarnation = "0"/|incarnation: "0" is not a number above 0
s/incarnation = "2"/incarnation = "-2"/|incarnation: "-2" is not a number
s/incarnation = "2"/incarnation = " 2"/|incarnation: " 2" is not a number
s/incarnation = "2"/incarnation = "0x10000000000000000"/|is not a number above 0
s/^group 1/group 0/|group "0": is not a number in 1..2147483647
s/^group 1/group x/|group "x": is not a number
s/member 2/member 64/|member "64": is not a number in 1..63
s/member 2/member 1/|bad.conf:13: found duplicate title '1'
s/member 2/member 01/|group 1: member
s/member 2.*//|group 1: has 2 members, 0 of them learners; a group begins
s/^group.*//;/^self/,$d|has 0 groups
s/journal =.*/&\njournal = "x"/|bad.conf:5: journal: is given twice
s/cluster =.*/& &/|bad.conf:2: cluster: is given twice
s/heartbeat = 100/heartbeat = 100 heartbeat = 200/|bad.conf:10: heartbeat: is given twice
s/incarnation = "2"/incarnation = "2" incarnation = "4"/|bad.conf:13: incarnation: is given twice
s/^group/node { flush = "dsync" }\n&/|bad.conf:8: node: is given twice
/^node/,/^}/d|node is missing
$r @/group01|group 1: is there twice
$r @/group2|a node has one member id
s,@/key,@/none,|key-file @/none: No such file
s,@/key,@/open,|key-file @/open: others may read it
s,@/key,@/short,|key-file @/short: must hold 64 hex digits
s,@/key,@/long,|key-file @/long: must hold 64 hex digits
s,@/key,@/fifo,|key-file @/fifo: is not a file
s,@/key,@/dir,|key-file @/dir: is not a file
s,@/key,,|key-file: is empty
s,@/journal,,|journal: is empty
s,@/sock,,|socket: is empty
s,@/sock,@/LONG,|socket: the path is longer than 107 bytes
s/check = "redis"//|health "cache": check is missing
s/check = "redis"/check = "icmp"/|bad.conf:17: check: "icmp" is none of tcp, http, memcached, redis
s/check = "redis"/& check = "tcp"/|bad.conf:17: check: is given twice
s/health "cache"/health "a b"/|health "a b": is not a service's name
s/health "cache"/health ""/|health "": is not a service's name
s/health "cache"/health "01234567890123456789012345678901"/|is not a service's name
s/health ns/health cache/|found duplicate title 'cache'
s/10.0.0.1:6379, //;s/fd00::1/fd00::g/|bad.conf:18: backends: "[fd00::g]:6379" is not ADDRESS:PORT
s/10.0.0.1:6379/10.0.0.1:0/|backends: "10.0.0.1:0" is not ADDRESS:PORT
s/backends = .*/backends = " , "/|bad.conf:18: backends: "" is not ADDRESS:PORT
s/\[fd00/fd00/|backends: "fd00::1]:6379" is not
s/port = 6380/backends = "10.0.0.1:1"/|bad.conf:19: backends: is given twice
s/port = 6380/port = 0/|bad.conf:19: port: 0 is not in 1..65535
s/port = 6380/port = 65536/|bad.conf:19: port: 65536 is not in 1..65535
s/interval = 2000/interval = 99/|bad.conf:20: interval: 99 is not in 100..600000
s/interval = 2000/interval = 600001/|interval: 600001 is not in 100..600000
s/timeout = 2000/timeout = 9/|bad.conf:21: timeout: 9 is not in 10..600000
s/timeout = 2000/timeout = 2001/|health "cache": timeout 2001 is longer than interval 2000
s/rise = 100/rise = 101/|rise: 101 is not in 1..100
s/rise = 100/rise = 0/|rise: 0 is not in 1..100
s/fall = 1/fall = 0/|fall: 0 is not in 1..100
s/fall = 1/fall = 101/|fall: 101 is not in 1..100
s/jitter = 0/jitter = -1/|jitter: -1 is not in 0..50
s/jitter = 0/jitter = 51/|jitter: 51 is not in 0..50
s/jitter = 0/jittre = 0/|no such option 'jittre'
s,"/alive","alive",|path: "alive" does not begin with /
s,"/alive","",|path: is not 1..255 printable characters
s,"/alive","/a b",|path: is not 1..255 printable characters
s,"/alive","/WORD",|path: is not 1..255 printable characters
s,"w.example","w\\nexample",|host: is not 1..255 printable characters
s,"200-299","99",|status: "99" is neither a status of 100..599 nor a range
s,"200-299","600",|status: "600" is neither
s,"200-299","300-299",|status: "300-299" is neither
s,"200-299","200-",|status: "200-" is neither
s,"200-299","2000",|status: "2000" is neither
s,"200-299","200 299",|status: "200 299" is neither
s/"www.example.org."/"www..org"/|name: "www..org" is not a DNS name
s/"www.example.org."/"WORD"/|name: is not 1..255 printable
s/"nxdomain"/"nxd"/|rcode: "nxd" is none of any, noerror
s/noauth = "bad"/noauth = "yes"/|noauth: "yes" is neither good nor bad
s/noauth = "bad"/path = "\/"/|health "cache": path belongs to check = "http"
s/rise = 100/user = "x"/|health "ns": user belongs to check = "redis"
s/jitter = 0/rcode = "any"/|health "web.1": rcode belongs to check = "dns"
s,password-file.*,user = "x",|health "cache": user needs a password-file
s,password-file.*,password-file = "",|password-file: is empty
s,password-file.*,password-file = "@/none",|health "cache": password-file @/none: No such file
s,password-file.*,password-file = "@/open",|health "cache": password-file @/open: others may read it
s,password-file.*,password-file = "@/dir",|health "cache": password-file @/dir: is not a file
s,password-file.*,password-file = "@/word256",|password-file @/word256: its first line is not 1..255
s,password-file.*,password-file = "@/noword",|password-file @/noword: its first line is not 1..255
/^group/,/^}/d|node: cluster is for groups, and there is none
s/heart.*/store { lisen = "127.0.0.1:1" }/|bad.conf:10: no such option 'lisen'
s/heart.*/store { listen = "127.0.0.1" }/|bad.conf:10: listen: "127.0.0.1" is not ADDRESS:PORT
s/heart.*/store { listen = {"[::1]:1", "localhost:1"} }/|bad.conf:10: listen: "localhost:1" is not
s/heart.*/store { listen = {} }/|bad.conf:10: store: listen is empty
s/heart.*/store { listen = "0.0.0.0:6379" }/|0.0.0.0:6379 is not a loopback address, and there is no
s/heart.*/store { listen = "[fd00::1]:6379" }/|listen: [fd00::1]:6379 is not a loopback address
s/heart.*/store { listen = {NINE} }/|bad.conf:10: listen: has more than 8 addresses
s/heart.*/store { directory = "" }/|bad.conf:10: directory: is empty
s/heart.*/store { consistency = "weak" }/|bad.conf:10: consistency: "weak" is not strong
s/heart.*/store { consistency = "bounded" }/|bad.conf:10: consistency: "bounded" needs milli
s/heart.*/store { consistency = "bounded 1 x" }/|consistency: "bounded 1 x" needs a number
s/heart.*/store { listen = "127.0.0.1:1 weak" }/|:10: listen: "127.0.0.1:1 weak" is not strong
s/heart.*/store { read-wait = 9 }/|bad.conf:10: read-wait: 9 is not in 10..600000
s/heart.*/store { sessions = 100001 }/|bad.conf:10: sessions: 100001 is not in 0..100000
s/heart.*/store { session-age = 0 }/|bad.conf:10: session-age: 0 is not in 1..31536000
s/heart.*/store { sagas = 1000001 }/|bad.conf:10: sagas: 1000001 is not in 0..1000000
s/heart.*/store { saga-age = 0 }/|bad.conf:10: saga-age: 0 is not in 1..31536000
s/heart.*/store { maxclients = 0 }/|bad.conf:10: maxclients: 0 is not in 1..10000
s/heart.*/store { maxclients = 10001 }/|bad.conf:10: maxclients: 10001 is not in 1..10000
s/heart.*/store { maxclients = 5 maxclients = 6 }/|bad.conf:10: maxclients: is given twice
s/heart.*/store { maxmemory = -1 }/|bad.conf:10: maxmemory: -1 is not in 0..1048576
s/heart.*/store { request-limit = 31 }/|bad.conf:10: request-limit: 31 is not in 32..65536
s/heart.*/store { client-memory = 15 }/|bad.conf:10: client-memory: 15 is not in 16..65536
s/heart.*/store { checkpoint-entries = -1 }/|:10: checkpoint-entries: -1 is not in 0..1000000000
s/heart.*/store { checkpoint-seconds = 604801 }/|checkpoint-seconds: 604801 is not in 0..604800
s/heart.*/store { checkpoint-rate = 65537 }/|checkpoint-rate: 65537 is not in 0..65536
s/heart.*/store { eventual = "" }/|bad.conf:10: eventual: "" is not 1..32 bytes long
s/heart.*/store { eventual = "a b" }/|bad.conf:10: eventual: "a b" has other bytes than letters
s/heart.*/store { eventual = {"a:", "a:b"} }/|eventual: "a:b" begins with another one
s/heart.*/store { eventual = {"a:b", "a:"} }/|eventual: "a:" begins with another one, or another
s/heart.*/store { eventual = {a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q} }/|"q" is one more than 16
s/heart.*/store { eventual = "a:" }/|store: eventual: member 1 has no address `store`: all members
s/heart.*/store { eventual-memory = -1 }/|bad.conf:10: eventual-memory: -1 is not in 0..1048576
s/heart.*/store { eventual-drift = 99 }/|bad.conf:10: eventual-drift: 99 is not in 100..86400000
s/heart.*/store { eventual-rate = 65537 }/|bad.conf:10: eventual-rate: 65537 is not in 0..65536
s,heart.*,store { password-file = "@/none" },|password-file @/none: No such file
s,heart.*,store { password-file = "@/open" },|store: password-file @/open: others may read it
s,heart.*,store { password-file = "@/dir" },|group 1: store: password-file @/dir: is not a file
s,heart.*,store { password-file = "@/zero" },|password-file @/zero: holds a byte of zero
s,heart.*,store { password-file = "@/lines" },|@/lines: must hold one line of 1..512
s,heart.*,store { password-file = "@/empty" },|password-file @/empty: must hold one line
s/heart.*/store { }\nstore { }/|bad.conf:11: group 1: store: is given twice
s/incarnation = "2"/& store = "127.0.0.1"/|bad.conf:13: store: "127.0.0.1" is not ADDRESS:PORT
s/incarnation = "2"/& store = "[::1]:1" store = "[::1]:2"/|bad.conf:13: store: is given twice
END

# Nothing but checks: with or without a section node.
cp "$tmp/health" "$tmp/checks.conf"
"$PAXSTEERD" -c "$tmp/checks.conf" --check >"$tmp/err" 2>&1
result $? 'health checks need no node and no group'
{ echo "node { socket = \"$tmp/sock\" }"; sed "s,$tmp/word,$tmp/word255," "$tmp/health"; } \
	>"$tmp/checks.conf"
"$PAXSTEERD" -c "$tmp/checks.conf" --check >"$tmp/err" 2>&1
result $? 'a password may have 255 bytes'

refuses_file()
{
	"$PAXSTEERD" -c "$1" --check >"$tmp/out" 2>"$tmp/err"
	[ $? != 0 ] && grep -qF -- "$2" "$tmp/err"
	result $? "$1: $2"
}

refuses_file "$tmp/none.conf" 'No such file'
refuses_file "$tmp/dir" "$tmp/dir: is a directory"
refuses_file /dev/null '/dev/null: node is missing'
head -c 3000 /dev/urandom >"$tmp/noise.conf"
refuses_file "$tmp/noise.conf" 'noise.conf'
[ ! -e "$tmp/journal" ] && [ ! -e "$tmp/sock" ]
result $? 'nothing was made'

results_end
