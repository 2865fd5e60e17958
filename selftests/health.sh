#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# health.sh - the agent checks backends: who dies gets nothing, who is back gets its keys back
#
#     c ──── d ──┬── b1       u: UDP by key to b1..b3, port 7000, each checked by a TCP
#            │   ├── b2          connection to port 7001
#     paxsteerd  └── b3       On d itself, mode local: memcached over TCP and UDP, Redis with
#     on d                       a password, HTTP, DNS, each by its own check; mode nat: DNS
#
# check-kernels: newest
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip memcached redis-server redis-cli python3
. "$(dirname "$0")/director.sh"

SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers
SOCKET=$T_DIR/sock
HERE=192.0.2.1
THERE=10.1.0.1	# another address of d

serve()	# I: the two servers of backend I
{
	start_on "b$1" "udp$1" "$BACKEND" udp "$(be "$1" 7000)"
	UDP_PID[$1]=$START_PID
	start_on "b$1" "tcp$1" "$BACKEND" tcp "$(be "$1" 7001)"
	TCP_PID[$1]=$START_PID
	wait_until 30 grep -q ready "$T_DIR/udp$1.log" &&
		wait_until 30 grep -q ready "$T_DIR/tcp$1.log" || bail "no servers on b$1"
}

die() { stop "${TCP_PID[$1]}"; stop "${UDP_PID[$1]}"; }

agent()	# NAME
{
	start_on d "$1" paxsteerd -c "$T_DIR/conf"
	AGENT_PID=$START_PID
}

# said NAME WORDS: is it in the agent's log?
said() { grep -qF -- "$2" "$T_DIR/$1.log"; }

# field SERVICE ADDR FIELD; health_is SERVICE ADDR WORD
field() { pxs -j backend show "$1" | jq -r ".[] | select(.addr == \"$2\").$3"; }
health_is() { [ "$(field "$1" "$2" health)" = "$3" ]; }
# Why it is bad: the last failure, which may follow another one.
reason() { [[ $(field "$1" "$2" reason) =~ $3 ]]; }
why() { ok "and why: $3" wait_until 30 reason "$1" "$2" "^$3"; }
becomes() { ok "$1" wait_until 30 health_is "$2" "$3" "$4"; }

ask()	# NAME: all are answered, each by whom lookup names
{
	ok "$1: all answered" eval "on c '$TRAFFIC' -n 60 -o 4 -k '$T_DIR/keys' \
		udp '$(vip 7000)' >'$ANSWERS'"
	agrees "$1: each by the backend that lookup names" u key "$ANSWERS"
}

from() { grep -cF " $(be "$1" 7000)" "$ANSWERS"; }

director_hosts 3
cat >"$T_DIR/dns.py" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind((sys.argv[1], 53))
	while True:
	    q, peer = s.recvfrom(512)
	    s.sendto(q[:2] + b"\x81\x83" + q[4:], peer)
END
# An emulated machine may stall: a check that only came late must not count.
pace='interval = 1500 timeout = 1500 fall = 2 rise = 1'
cat >"$T_DIR/conf" <<-END
	node { socket = "$SOCKET" }
	health u { check = "tcp" port = 7001 interval = 700 timeout = 700 fall = 3 }
	health mt { check = "memcached" $pace }
	health mu { check = "memcached" $pace }
	health red { check = "redis" password-file = "$T_DIR/password" $pace }
	health locked { check = "redis" $pace }
	health noauth { check = "redis" noauth = "good" $pace }
	health web { check = "http" path = "/here" status = "200" $pace }
	health web404 { check = "http" path = "/nowhere" $pace }
	health ns { check = "dns" name = "www.example.org" rcode = "nxdomain" $pace }
	health nat { check = "dns" name = "www.example.org" rcode = "nxdomain" $pace }
	health one { check = "tcp" backends = "$HERE:6379" $pace }
END
keys 60 >"$T_DIR/keys"
pxs service add u udp "$(vip 7000)" key payload 4:6 seed $SEED rows 256
add_backends u 7000
{
	echo "service add mt tcp $HERE:21211 mode local"
	echo "backend add mt $HERE:11211"
	echo "service add mu udp $HERE:21211 mode local key memcached"
	echo "backend add mu $HERE:11211"
	for s in red:26379 locked:26380 noauth:26381 one:26382; do
		echo "service add ${s%:*} tcp $HERE:${s#*:} mode local"
		echo "backend add ${s%:*} $HERE:6379"
	done
	echo "backend add one 10.2.1.2:6378"
	for s in web:28080 web404:28081; do
		echo "service add ${s%:*} tcp $HERE:${s#*:} mode local"
		echo "backend add ${s%:*} $HERE:8080"
	done
	echo "service add ns udp $HERE:2053 mode local key dns"
	echo "backend add ns $HERE:53"
	echo "service add nat udp $HERE:2054 key dns"
	echo "backend add nat $THERE:53"
} >"$T_DIR/batch"
ok "services" pxs -b "$T_DIR/batch"

for i in 1 2 3; do serve $i; done
mkdir "$T_DIR/www" && : >"$T_DIR/www/here"
chmod -R a+rX "$T_DIR"
echo secret >"$T_DIR/password"
chmod 600 "$T_DIR/password"
start_on d memcached memcached -u nobody -m 16 -t 1 -U 11211 -p 11211 -l $HERE
MEMCACHED_PID=$START_PID
start_on d redis redis-server --port 6379 --bind $HERE --save "" --requirepass secret \
	--dir "$T_DIR"
REDIS_PID=$START_PID
start_on d http python3 -m http.server -b $HERE -d "$T_DIR/www" 8080
start_on d dns python3 "$T_DIR/dns.py" $HERE
start_on d dns-nat python3 "$T_DIR/dns.py" $THERE
for p in 11211 6379 8080; do
	wait_until 30 on d bash -c "exec 3<>/dev/tcp/$HERE/$p" || bail "nobody listens at $p"
done
named() { [ "$(on d ss -Huln "sport = 53" | wc -l)" = 2 ]; }
wait_until 30 named || bail "no DNS servers"
start monitor paxsteer -n pxs-d -j monitor
is_heard() { pxs service set one cap 20 && [ -s "$T_DIR/monitor.log" ]; }
wait_until 30 is_heard || bail "no monitor"

is "nothing is checked at first" "$(pxs -j backend show | jq -r '[.[].health] | unique[]')" \
	unchecked
agent agent1
wait_until 30 said agent1 "checking 13 backends of 11 services" ||
	bail "the agent does not begin: $(cat "$T_DIR/agent1.log")"

# Each protocol, by real servers: what is good, and what is not, says why.
for s in mt mu red noauth web ns one; do
	becomes "$s: good" $s $HERE good
done
becomes "nat, a backend on the director: good" nat $THERE good
becomes "a page that is not there: bad" web404 $HERE bad
why web404 $HERE "http: status: 404"
becomes "Redis without its password: bad" locked $HERE bad
why locked $HERE "redis: PING: -NOAUTH"
is "a backend that no section names is left alone" "$(field one 10.2.1.2 health)" unchecked
for i in 1 2 3; do becomes "backend $i: good" u 10.2.$i.2 good; done
on d redis-cli -h $HERE -a secret config set requirepass other >/dev/null 2>&1
stop "$MEMCACHED_PID"
becomes "memcached ends: TCP" mt $HERE bad
why mt $HERE "memcached connect: Connection refused"
becomes "memcached ends: UDP" mu $HERE bad
why mu $HERE "memcached: Connection refused"
becomes "Redis changes its password" red $HERE bad
why red $HERE "redis: AUTH: -WRONGPASS"
kill -STOP "$REDIS_PID"
becomes "Redis hangs" noauth $HERE bad
why noauth $HERE "redis: nothing for 1500 ms"
kill -CONT "$REDIS_PID"
becomes "and goes on" noauth $HERE good

# A server dies and comes back: its rows go elsewhere and return, the table stays.
ask "all are up"
cp "$ANSWERS" "$T_DIR/first"
ok "backend 2 serves" [ "$(from 2)" -gt 0 ]
digest=$(table u digest)
die 2
becomes "a server dies" u 10.2.2.2 bad
why u 10.2.2.2 "tcp connect: Connection refused"
is "the operator's word is another" "$(field u 10.2.2.2 state)" up
ask "one is bad"
is "it gets nothing" "$(from 2)" 0
is "what was elsewhere stays" \
	"$(grep -vF " $(be 2 7000)" "$T_DIR/first" | diff - "$ANSWERS" | grep -c '^<')" 0
is "the table is the same" "$(table u digest)" "$digest"
# The failure that turned it may have been another one than the last.
ok "the agent says so" wait_until 30 said agent1 "10.2.2.2:7000 is down (health: tcp"
status_says() { [ "$(paxsteer -j log -S "$SOCKET" status | jq -r '.health[] |
	select(.backend == "10.2.2.2:7000") | .service + " " + .check + " " + .health + " " +
	.reason')" = "$1" ]; }
ok "its status, too" wait_until 30 status_says "u tcp bad tcp connect: Connection refused"

# The agent dies: what it said stays, and the next one goes on from there.
stop "$AGENT_PID" KILL
serve 2
is "no agent: bad stays bad" "$(field u 10.2.2.2 health)" bad
agent agent2
becomes "the next agent sees it come back" u 10.2.2.2 good
ok "and says so" wait_until 10 said agent2 "10.2.2.2:7000 is up (health: tcp)"
ok "it had taken the verdict over" [ "$(grep -c '10.2.2.2:7000 is down' "$T_DIR/agent2.log")" = 0 ]
ask "it is back"
is "every key is where it was" "$(diff "$T_DIR/first" "$ANSWERS")" ""

# An operator's word: checks go on, and never bring back what was set down.
pxs backend set u "$(be 3 7000)" state down
die 3
becomes "down, and its server dies" u 10.2.3.2 bad
serve 3
becomes "down, and its server is back" u 10.2.3.2 good
is "the operator's down stays" "$(field u 10.2.3.2 state)" down
ask "an operator set one down"
is "it gets nothing" "$(from 3)" 0
pxs backend set u "$(be 3 7000)" state drain
pxs backend set u "$(be 3 7000)" health bad
ok "health set by hand is heard" wait_until 20 said agent2 \
	"10.2.3.2:7000: health was set to bad"
becomes "and found wrong" u 10.2.3.2 good
is "what drains goes on to drain" "$(field u 10.2.3.2 state)" drain
pxs backend set u "$(be 3 7000)" state up

# Backends come and go while checks run, and more than can be heard while the agent is held up.
pxs backend add u 10.2.1.2:7009 weight 0
checked() { paxsteer -j log -S "$SOCKET" status | jq -e ".health | map(.backend) | index(\"$1\")"; }
ok "a new backend is checked" wait_until 20 checked 10.2.1.2:7009
pxs backend del u 10.2.1.2:7009
unchecked() { ! checked "$1"; }
ok "a deleted one is not" wait_until 20 unchecked 10.2.1.2:7009
kill -STOP "$AGENT_PID"
for ((i = 0; i < 2500; i++)); do echo "backend set u $(be 1 7000) health good"; done |
	pxs -b -
pxs backend del mt $HERE:11211
pxs backend add u 10.2.1.2:7010 weight 0
kill -CONT "$AGENT_PID"
ok "changes that were lost are noticed" wait_until 20 said agent2 "more changes than were read"
ok "a backend that came meanwhile" wait_until 20 checked 10.2.1.2:7010
went() { paxsteer -j log -S "$SOCKET" status | jq -e '.health | all(.service != "mt")'; }
ok "one that went meanwhile" wait_until 30 went
pxs service del u
ok "a service goes" eval "wait_until 20 unchecked 10.2.1.2:7000"
is "the daemon is well" "$(kill -0 "$AGENT_PID" && grep -c -e 'not taken' -e 'does not take' \
	"$T_DIR/agent2.log")" 0
stop "$AGENT_PID"
heard_of() { jq -r "select(.event == \"backend-set\").backend | select(.addr == \"10.2.2.2\") |
	$1" "$T_DIR/monitor.log"; }
is "monitor heard of it" "$(heard_of .health | uniq | head -n 3)" "$(printf 'good\nbad\ngood')"
like "and why" "$(heard_of '.reason // ""')" "tcp connect: Connection refused"
done_testing
