#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 400
#
# store.sh - a replicated store that speaks the Redis protocol: three daemons on loopback
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13; redis-server at S_PORT+20, to compare with
#
# redis-cli, redis-benchmark and python3-redis as they are; replies compared with a real Redis,
# byte for byte (PXS_SEQUENCES=100000 for more); clients that misbehave; the leader killed under
# load, and the history of all clients judged by selftests/lin; everything killed and replayed;
# expiry, a full store, a full disk, a machine that stopped. The members' digests are equal after
# each. No root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli redis-server redis-benchmark
HERE=$(dirname "$0")
log_says() { grep -q "$2" "$T_DIR/store$1.log"; }
restart() { store_kill "$1" "${2:-TERM}"; store_start "$1"; }

# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='request-limit = 16384'
store_init

# --- what is in the log before there is a store is foreign ---
for i in 1 2 3; do
	grep -v '^store ' "$S_DIR/$i.conf" | sed 's/ store = "[^"]*"//' >"$S_DIR/plain$i.conf"
	start "plain$i" paxsteerd -c "$S_DIR/plain$i.conf"
	S_PID[i]=$START_PID
done
append() { paxsteer log -S "$S_DIR/1.sock,$S_DIR/2.sock,$S_DIR/3.sock" append "$@"; }
ok "values of a log without a store" wait_until 60 append foreign
append again >/dev/null
for i in 1 2 3; do store_kill $i TERM; done

for i in 1 2 3; do store_start $i; done
wait_leader "start"
is "values from before it are foreign, and skipped" "$(store_info "$L" foreign)" 2
refused "a log that has a store takes nothing else" "store's: use a Redis client" append x

# --- clients as they are ---
is "SET" "$(redis "$L" SET greeting 'hello world')" OK
is "GET" "$(redis "$L" GET greeting)" "hello world"
is "HSET" "$(redis "$L" -3 HSET h a 1 b 2)" 2
is "redis-cli -3" "$(redis "$L" -3 --no-raw HGETALL h | tr '\n' ' ')" \
	'1# "a" => "1" 2# "b" => "2" '
like "a member that does not lead says who does" "$(redis $F SET greeting x 2>&1)" \
	"^MOVED [0-9]+ 127.0.0.1:$(store_port "$L")"
like "reads too, as they are strong" "$(redis $F GET greeting 2>&1)" "^MOVED"
is "redis-cli -c follows" "$(redis $F -c GET greeting)" "hello world"
say() { printf '%s\n' "$@" | redis $F | tail -n1; }
# Who follows applies it after the client was answered.
there() { [ "$(say READONLY 'GET greeting')" = "hello world" ]; }
ok "READONLY reads what is there" wait_until 30 there
is "so does PAXSTEER CONSISTENCY eventual" \
	"$(say 'PAXSTEER CONSISTENCY eventual' 'GET greeting')" "hello world"
token=$(printf 'SET greeting new\nPAXSTEER TOKEN\n' | redis "$L" | tail -n1)
is "a session reads its writes at another node" \
	"$(say "PAXSTEER TOKEN $token" 'GET greeting')" new
is "a key's slot" "$(redis $F CLUSTER KEYSLOT '{user}.x')" 5474
is "CLUSTER SLOTS: the leader first" "$(redis $F CLUSTER SLOTS | sed -n 4p)" "$(store_port "$L")"
ok "python3-redis: pipelines, transactions, a cluster client" \
	/usr/bin/python3 - "$(store_port "$L")" "$(store_port $F)" <<'END'
import sys
import redis
r = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
p = r.pipeline(transaction=False)
for i in range(200):
    p.set(f"py{i}", i)
    p.get(f"py{i}")
assert p.execute() == [x for i in range(200) for x in (True, str(i))]
def move(pipe):
    n = int(pipe.get("py1"))
    pipe.multi()
    pipe.set("py1", n - 1)
    pipe.incr("py2")
assert r.transaction(move, "py1", "py2") == [True, 3]
with r.pipeline() as pipe:
    pipe.watch("py3")
    r.set("py3", "changed")
    pipe.multi()
    pipe.set("py3", "lost")
    try:
        pipe.execute()
        raise AssertionError("a watched key had changed")
    except redis.WatchError:
        pass
assert r.get("py3") == "changed"
assert set(r.scan_iter(match="py*", count=7)) == {f"py{i}" for i in range(200)}
c = redis.RedisCluster(host="127.0.0.1", port=int(sys.argv[2]), decode_responses=True)
assert c.set("py4", "by cluster") and c.get("py4") == "by cluster"
END
out=$(redis-benchmark -p "$(store_port "$L")" -q -n 3000 -c 20 -P 8 -t set,get,incr,hset 2>&1 |
	tr '\r' '\n' | grep -a 'per second')
is "redis-benchmark runs" "$(wc -l <<<"$out")" 4
diag "$out"
ok "who is connected; who shall not be; who wants no answers" \
	/usr/bin/python3 "$HERE/store_clients.py" --port "$(store_port "$L")"
even "clients"

# --- the same replies as Redis ---
start redis redis-server --port $((S_PORT + 20)) --save '' --databases 1
wait_until 30 redis-cli -p $((S_PORT + 20)) PING
if out=$(python3 "$HERE/store_redis.py" --redis 127.0.0.1:$((S_PORT + 20)) \
	--store "127.0.0.1:$(store_port "$L")" --sequences "${PXS_SEQUENCES:-1500}"); then
	pass "replies are a real Redis's"
else
	fail "replies are a real Redis's"
fi
echo "$out"

# --- expiry is decided by the log ---
redis "$L" SET short x PX 300 >/dev/null
keys=$(redis "$L" DBSIZE)
gone()
{
	local out
	out=$(printf 'READONLY\nEXISTS short\nDBSIZE\n' | redis "$1" | tr '\n' ' ')
	[ "$out" = "OK 0 $((keys - 1)) " ]
}
for i in 1 2 3; do
	ok "an expired key goes at member $i, though nobody writes" wait_until 30 gone $i
done
even "expiry"

# --- the leader dies under load ---
redis "$L" SET kept acknowledged >/dev/null
before=$(store_info "$L" applied)
start load python3 "$HERE/store_load.py" --ports "$(ports)" --seconds 8 \
	--until "$S_DIR/over" --history "$S_DIR/history"
load=$START_PID
first=$before
moved() { [ "$(store_info "$L" applied)" -ge $((before + 100)) ]; }
ok "the load moves" wait_until 30 moved
old=$L
store_kill "$old"
ok "the load was under way when the leader died" kill -0 "$load"
wait_leader "after the leader's death"
ok "another member leads: $L after $old" [ "$L" != "$old" ]
is "what was acknowledged is there" "$(redis "$L" GET kept)" acknowledged
store_start "$old"
load_may_end
wait "$load"
is "the load goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
even "the leader's death"
judge_load "$S_DIR/history" k "$first"

# --- commands that are larger than a value of the log ---
large() { /usr/bin/python3 "$HERE/store_large.py" --ports "$(ports)" --acked "$S_DIR/acked" "$@"; }
ok "large values are what was sent, or refused" large sizes
even "large values"
echo 0 >"$S_DIR/acked"
rm -f "$S_DIR/over"
start large /usr/bin/python3 "$HERE/store_large.py" --ports "$(ports)" --acked "$S_DIR/acked" \
	--seconds 6 --until "$S_DIR/over" load
load=$START_PID
some() { [ "$(<"$S_DIR/acked")" -gt 5 ]; }
ok "large values are written" wait_until 30 some
store_kill "$L"
ok "while the leader dies" kill -0 "$load"
load_may_end
wait "$load"
is "and go on to their end" $? 0
for i in 1 2 3; do [ -n "${S_PID[i]}" ] || store_start $i; done
wait_leader "after large values"
even "the leader died amid large values"
is "what is there is whole, and new" "$(large check 2>&1 | sed 's/[0-9]\+/N/g')" \
	"value N of N acknowledged at least"

# --- the leader is cut off under load: it must notice, or say nothing ---
: >"$S_DIR/cut"
start cables python3 "$HERE/udp_cut.py" "$S_PORT" "$S_DIR/cut"
# shellcheck disable=SC2034  # store_group.sh reads it
S_CABLES=yes
for i in 1 2 3; do
	store_config $i >"$S_DIR/$i.conf"
	restart $i
done
wait_leader "with cables"
rm -f "$S_DIR/over"
before=$(store_info "$L" applied)
start load python3 "$HERE/store_load.py" --ports "$(ports)" --seconds 9 --clients 15 \
	--prefix c --until "$S_DIR/over" --history "$S_DIR/history2"
load=$START_PID
first=$before
ok "the load moves" wait_until 30 moved
old=$L
echo "$old" >"$S_DIR/cut"
leads_elsewhere() { find_leader && [ "$L" != "$old" ]; }
ok "another member leads" wait_until 30 leads_elsewhere
ok "the load was under way so far" kill -0 "$load"
: >"$S_DIR/cut"
load_may_end
wait "$load"
is "and goes on to its end" $? 0
diag "$(<"$T_DIR/load.log")"
even "the leader was cut off"
judge_load "$S_DIR/history2" c "$first"

# --- all die, all come back ---
for i in 1 2 3; do store_kill $i; done
for i in 1 2 3; do store_start $i; done
wait_leader "after the death of all"
is "nothing acknowledged is missing" "$(redis "$L" GET kept)" acknowledged
even "the death of all"

# --- a machine stopped while the store was in use, and another's files ---
store_kill $F
echo 00000000-0000-0000-0000-000000000000 >"$S_DIR/j$F/store-1/written-in-boot"
store_start $F
ok "after another boot the store is made again" wait_until 30 log_says $F "made again from the log"
even "made again"
store_kill $F TERM
ok "a clean end leaves no mark" [ ! -e "$S_DIR/j$F/store-1/written-in-boot" ]
cp -r "$S_DIR/j$L/store-1" "$S_DIR/stolen"
sed "s|^store {|store { directory = \"$S_DIR/stolen\"|" "$S_DIR/$F.conf" >"$S_DIR/bad.conf"
rm -f "$S_DIR/stolen/written-in-boot"
refused "another member's store" "is the store of another" paxsteerd -c "$S_DIR/bad.conf"
store_start $F

# --- a leader that was away: it may think that it leads, but must not answer so ---
wait_leader "before the leader is stopped"
redis "$L" SET kept old >/dev/null
old=$L
kill -STOP "${S_PID[old]}"
pid=${S_PID[old]} S_PID[old]=
if wait_until 30 find_leader && redis "$L" SET kept new >/dev/null; then
	exec 5<>"/dev/tcp/127.0.0.1/$(store_port "$old")"
	printf 'GET kept\r\nSET kept older\r\nGET kept\r\n' >&5
	kill -CONT "$pid"
	S_PID[old]=$pid
	mapfile -t -n 3 -u 5 answer
	like "a leader that was away reads nothing old" "${answer[0]}" "^-(MOVED|CLUSTERDOWN)"
	like "and writes nothing" "${answer[1]}" "^-(MOVED|CLUSTERDOWN|UNCERTAIN)"
	exec 5>&-
	is "the new one's value stands" "$(redis "$L" GET kept)" new
else
	fail "another leader while the first is stopped"
	kill -CONT "$pid"
	S_PID[old]=$pid
fi
even "a leader that was away"

# --- a password ---
echo 'open sesame' >"$S_DIR/password"
chmod 600 "$S_DIR/password"
wait_leader "before the password"
sed -i "s|^store {|store { password-file = \"$S_DIR/password\"|" "$S_DIR/$F.conf"
restart $F
answers() { redis $F PING >/dev/null 2>&1; }
wait_until 30 answers
is "who has not said it gets nothing" "$(redis $F GET kept)" \
	"NOAUTH Authentication required."
like "the wrong one" "$(redis $F AUTH 'open' 2>&1)" "^WRONGPASS"
right()
{
	[ "$(printf 'READONLY\nGET kept\n' | redis $F --no-auth-warning -a 'open sesame' |
		tail -n1)" = new ]
}
ok "the right one" wait_until 30 right
is "in HELLO, too" \
	"$(printf 'HELLO 2 AUTH default "open sesame"\nPING\n' | redis $F | tail -n1)" PONG
is "a stranger asks for little" \
	"$(printf '*11\r\n' | timeout 30 bash -c "exec 5<>/dev/tcp/127.0.0.1/$(store_port $F)
		cat >&5; cat <&5")" $'-ERR Protocol error: unauthenticated multibulk length\r'

# --- clients that do what they should not; a store that is full ---
# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='maxclients = 40 maxmemory = 1 client-memory = 16 request-limit = 1024'
for i in 1 2 3; do
	store_config $i >"$S_DIR/$i.conf"
	restart $i
done
wait_leader "with limits"
redis "$L" FLUSHALL >/dev/null
python3 "$HERE/store_bad.py" --port "$(store_port "$L")" --maxclients 40 >"$S_DIR/bad"
while IFS= read -r line; do
	case $line in
	"ok "*) pass "bad client: ${line#*- }" ;;
	"not ok "*) fail "bad client: ${line#*- }" ;;
	*) echo "$line" ;;
	esac
done <"$S_DIR/bad"
is "of them, all were tried" "$(grep -c '^ok' "$S_DIR/bad")" 36
redis "$L" FLUSHALL >/dev/null
out=$(python3 - <<'END' | redis "$L" | sort | uniq -c | sed 's/^ *//'
for i in range(150):
    print(f"SET full{i} {'x' * 10000}")
END
)
like "a full store says so" "$out" \
	"[0-9]+ OK.*[0-9]+ OOM command not allowed when used memory > 'maxmemory'\."
even "full"
is "what takes away is not refused" "$(redis "$L" DEL full1 full2 full3)" 3
is "and then there is room" "$(redis "$L" SET full1 x)" OK
even "not full"

# --- a disk that is full: the store's file may not grow, the journal's may ---
for i in 1 2 3; do
	sed -i 's/maxmemory = 1/maxmemory = 100/' "$S_DIR/$i.conf"
	store_kill $i TERM
done
for i in 1 2 3; do
	# Of its own: the members' files need not be of one size.
	size=$(stat -c %s "$S_DIR/j$i/store-1/data.mdb")
	start "store$i" bash -c \
		"trap '' XFSZ; ulimit -f $((size / 1024 + 1024)); exec paxsteerd -c $S_DIR/$i.conf"
	S_PID[i]=$START_PID
done
wait_leader "with little room on the disk"
redis "$L" SET kept before >/dev/null
python3 - <<'END' 2>/dev/null | timeout 60 redis-cli -p "$(store_port "$L")" >"$S_DIR/room" 2>&1 &
for i in range(900):
    print(f"SET disk{i} {'x' * 100000}")
END
filler=$!
ok "a full disk is said" wait_until 40 log_says "$L" "writes are refused until it goes on"
# A transaction that did not fit is tried again with less in it, so it is full only step by step.
refuses() { [[ $(redis "$L" SET kept after 2>&1) == "MISCONF the store cannot apply"* ]]; }
ok "and writes are refused" wait_until 30 refuses
kill $filler 2>/dev/null
wait $filler 2>/dev/null
acked=$(grep -c '^OK' "$S_DIR/room")
diag "$acked of them were acknowledged"
for i in 1 2 3; do restart $i; done
wait_leader "with room again"
out=$(for ((i = 0; i < acked; i++)); do echo "STRLEN disk$i"; done | redis "$L" | sort | uniq -c)
is "nothing of what was acknowledged is missing" "$(tr -s ' ' <<<"$out")" " $acked 100000"
even "room again"

# --- a clean end ---
for i in 1 2 3; do
	kill -TERM "${S_PID[i]}"
	wait "${S_PID[i]}"
	is "member $i ends cleanly" $? 0
done
done_testing
