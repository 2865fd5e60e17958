#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_request.sh - mode request: each request of a TCP connection goes to the owner of its key
#
#     pxs-d: clients ─── 127.0.0.1:7000 (r), [::1]:7000 (r6) ───┬── 127.0.0.11:6379, [::1]:6381
#                        the module listens                     ├── 127.0.0.12:6379, [::1]:6382
#                        127.0.0.1:7100 (m) ── memcached        └── 127.0.0.13:6379, [::1]:6383
#     pxs-c: clients ─── 10.9.0.1:7000 (e), at the end
#
# Real Redis and memcached. Thousands of pipelined requests whose replies are checked in order; keys
# are where "paxsteer lookup" says; the table changes under load, a backend is killed under load,
# the service and the namespace go under load.
#
# kernels: 6.1 6.12 newest
# check-kernels: 6.1
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip memcached redis-server redis-cli redis-benchmark python3

SEED=000102030405060708090a0b0c0d0e0f
CLIENT=$TOP/selftests/steer_request.py
N=2000 MB=3 ASKED=100
[ "${PXS_SHORT:-}" = 1 ] && N=300 MB=1 ASKED=40
declare -A PID

pxs() { paxsteer -n pxs-d "$@"; }
stat() { pxs -j service show "$1" | jq -r ".[0].stats.$2"; }
above() { [ "$(stat "$1" "$2")" -gt "$3" ]; }
listens() { on d bash -c "exec 3<>/dev/tcp/$1/$2"; }

redis_up()
{
	start_on d "redis$1" redis-server --port 6379 --bind "127.0.0.1$1" --save "" \
		--protected-mode no --dir "$T_DIR"
	PID[$1]=$START_PID
	wait_until 30 listens "127.0.0.1$1" 6379 || bail "no redis $1: $(cat "$T_DIR/redis$1.log")"
}

# finished NAME PID: what was started in the background ended well
finished()
{
	wait "$2"
	is "$1" "$?" 0
}

# client WHAT ARGS...: steer_request.py, at r
client() { on d "$CLIENT" "$1" 127.0.0.1 7000 "${@:2}"; }

host d
for i in 1 2 3; do
	redis_up $i
	start_on d "redis6$i" redis-server --port "638$i" --bind ::1 --save "" \
		--protected-mode no --dir "$T_DIR"
	start_on d "memcached$i" memcached -u nobody -m 64 -t 1 -p 11211 -l "127.0.0.1$i"
done
for i in 1 2 3; do
	wait_until 30 listens ::1 "638$i" || bail "no redis at ::1"
	wait_until 30 listens "127.0.0.1$i" 11211 || bail "no memcached $i"
done

# --- what is refused ----------------------------------------------------------
refused "needs TCP" "needs protocol TCP" pxs service add x udp 127.0.0.1:7000 mode request key redis
refused "needs a key" "needs the key redis or memcached" \
	pxs service add x tcp 127.0.0.1:7000 mode request
refused "no key of the payload with other modes" "or mode request" \
	pxs service add x tcp 127.0.0.1:7000 mode nat key redis
refused "an address that is taken" "a socket has this address" \
	pxs service add x tcp 127.0.0.11:6379 mode request key redis
is "nothing of them is left" "$(pxs -j service show)" "[]"

ok "service" pxs service add r tcp 127.0.0.1:7000 mode request key redis seed $SEED rows 4096
refused "its protocol is fixed" "the key is fixed" pxs service set r key memcached
refused "address and port are in use now" "in use" on d python3 -c \
	'import socket; s = socket.socket(); s.bind(("127.0.0.1", 7000)); s.listen()'
like "without a backend, an error" "$(on d redis-cli -p 7000 get a 2>&1)" "no backend can serve"
for i in 1 2 3; do echo "backend add r 127.0.0.1$i:6379"; done | pxs -b -
is "mode is shown and saved" "$(pxs save | grep -c 'mode request key redis')" 1

# --- order, keys, framing -----------------------------------------------------
ok "$N requests in one go: replies in order" client order "$N"
on d "$CLIENT" owned 127.0.0.11 6379 k | sed 's/$/ 127.0.0.11/' >"$T_DIR/owned"
on d "$CLIENT" owned 127.0.0.12 6379 k | sed 's/$/ 127.0.0.12/' >>"$T_DIR/owned"
on d "$CLIENT" owned 127.0.0.13 6379 k | sed 's/$/ 127.0.0.13/' >>"$T_DIR/owned"
is "each key is at one backend" \
	"$(cut -d' ' -f1 "$T_DIR/owned" | sort -u | wc -l) $(wc -l <"$T_DIR/owned")" "$N $N"
is "all have some" "$(cut -d' ' -f2 "$T_DIR/owned" | sort -u | wc -l)" 3
shuf -n 40 --random-source=/dev/zero "$T_DIR/owned" >"$T_DIR/some"
sed 's/\(.*\) .*/lookup r key \1/' "$T_DIR/some" | pxs -j -b - | jq -r '.. | .addr? // empty' \
	>"$T_DIR/named"
is "each where lookup says" "$(cut -d' ' -f2 "$T_DIR/some" | paste - "$T_DIR/named" |
	awk '$1 == $2' | wc -l)" 40
ok "requests of several keys" client several
ok "a byte at a time" client bytewise
ok "values of $MB MB" client huge "$MB"
ok "half-closed, malformed and QUIT: answered, then the end" client halfclose "$N"
ok "redis-benchmark" on d redis-benchmark -q -p 7000 -n "$N" -c 10 -P 8 -r 1000 -t set,get,mset
is "nothing failed of all that" "$(stat r lost) $(stat r connect_failed) $(stat r second)" "0 0 0"

ok "IPv6 service" pxs service add r6 tcp '[::1]:7000' mode request key redis seed $SEED
for i in 1 2 3; do echo "backend add r6 [::1]:638$i"; done | pxs -b -
ok "IPv6: replies in order" on d "$CLIENT" order ::1 7000 100
ok "IPv6: end" pxs service del r6

# --- memcached ----------------------------------------------------------------
ok "memcached: service" pxs service add m tcp 127.0.0.1:7100 mode request key memcached
for i in 1 2 3; do echo "backend add m 127.0.0.1$i:11211"; done | pxs -b -
ok "memcached: pipelined, split, noreply, large" on d "$CLIENT" memcached 127.0.0.1 7100 300
is "memcached: all have some" "$(pxs -j backend show m | jq '[.[].stats.requests > 50] | all')" true
ok "memcached: end" pxs service del m

# --- a client who does not read -------------------------------------------------
mkfifo "$T_DIR/go"
exec 9<>"$T_DIR/go"
before=$(stat r replies)
on d "$CLIENT" slow 127.0.0.1 7000 "$ASKED" <"$T_DIR/go" >"$T_DIR/slow.out" 2>"$T_DIR/slow.err" &
slow=$!
wait_until 30 grep -q asked "$T_DIR/slow.out"
ok "others are served meanwhile" client bytewise
waits=$((ASKED + 10 - ($(stat r replies) - before)))
ok "half of what he asked for, or more, waits at the backends" [ "$waits" -gt $((ASKED / 2)) ]
echo go >&9
finished "then he gets it all, in order" "$slow"
diag "$(cat "$T_DIR/slow.err")"

# --- the table changes under load -----------------------------------------------
client load 4 "$T_DIR/stop" 'cannot be' >"$T_DIR/load.out" 2>&1 &
loader=$!
rounds() { [ "$(stat r requests)" -gt $(($1 + 200)) ]; }
for change in "set r 127.0.0.12:6379 weight 3" "set r 127.0.0.13:6379 state drain" \
	"set r 127.0.0.11:6379 state down" "set r 127.0.0.11:6379 state up" \
	"set r 127.0.0.13:6379 state up" "del r 127.0.0.12:6379" "add r 127.0.0.12:6379"; do
	# shellcheck disable=SC2086
	pxs backend $change || fail "change: $change"
	now=$(stat r requests)
	wait_until 20 rounds "$now" || fail "no requests after $change"
done
touch "$T_DIR/stop"
finished "changes under load" "$loader"
is "no error in them" "$(cut -d' ' -f2 "$T_DIR/load.out")" 0
is "nothing was lost" "$(stat r lost)" 0

# --- the deadline of a drain --------------------------------------------------------
ok "a drain ends what waits there, and only that" client drained "$T_DIR/owned" 127.0.0.13 \
	paxsteer backend set r 127.0.0.13:6379 state drain deadline 1
is "that is counted" "$(stat r lost)" 1
ok "it is back" pxs backend set r 127.0.0.13:6379 state up

# --- who is to blame where no connection is made -------------------------------------
ok "passive: service" pxs service add q tcp 127.0.0.1:7200 mode request key redis seed $SEED \
	rows 4096 passive 1/3600
for b in 192.0.2.77 127.0.0.11; do echo "backend add q $b:6379"; done | pxs -b -
on d ip route add prohibit 192.0.2.77
ask() { printf 'get k%d\n' {1..20} | on d redis-cli -p 7200 >/dev/null; }
ask
ok "a rule of this host: counted of the service" above q connect_failed 0
is "and not of the backend" "$(pxs -j backend show q | jq '.[0].stats.connect_failed')" 0
on d ip route replace unreachable 192.0.2.77
is_out() { ask; [ "$(pxs -j backend show q | jq '.[0].failed and true')" = true ]; }
ok "no way to its host: it is out" wait_until 60 is_out
ok "passive: end" pxs service del q

# --- a backend is killed ----------------------------------------------------------
rm "$T_DIR/stop"
client load 4 "$T_DIR/stop" 'the connection to the backend ended' >"$T_DIR/load.out" 2>&1 &
loader=$!
now=$(stat r requests)
wait_until 20 rounds "$now"
kill -9 "${PID[2]}"
wait_until 20 above r second 100
ok "who had asked it is told, who asks then is served by others" \
	wait_until 20 above r connect_failed 0
redis_up 2
now=$(pxs -j backend show r | jq '.[1].stats.requests')
back() { [ "$(pxs -j backend show r | jq '.[1].stats.requests')" -gt $((now + 50)) ]; }
ok "it is asked again when it is back" wait_until 20 back
touch "$T_DIR/stop"
finished "no other errors" "$loader"
like "errors were those of the lost, if any" "$(cat "$T_DIR/load.out")" '^[0-9]+ [0-9]{1,3}$'

# --- the end ------------------------------------------------------------------------
# many_ask: clients with requests on their way, from another host
many_ask()
{
	pxs service add e tcp 10.9.0.1:7000 mode request key redis
	for i in 1 2 3; do echo "backend add e 127.0.0.1$i:6379"; done | pxs -b -
	start_on c ended "$CLIENT" ended 10.9.0.1 7000 20
	wait_until 20 above e requests 200
}

host c
link c eth0 10.9.0.2/24 d c0 10.9.0.1/24
many_ask
asking=$START_PID
ok "service deleted under load" pxs service del e
finished "its clients' connections end" "$asking"
# Of one that ended in order its last state stays a minute.
none_left() { ! on d ss -Htn state connected sport = :7000 | grep -q 10.9.0.2; }
ok "no connection is left of it" wait_until 90 none_left
many_ask
asking=$START_PID
stop_all "$asking"
ip netns del pxs-d
ok "the namespace goes under load" wait_until 60 unplugged c eth0
finished "its clients' connections end, too" "$asking"
unheld() { [ "$(cat /sys/module/paxsteer/refcnt)" = 0 ]; }
ok "the module is held by nothing" wait_until 30 unheld
done_testing
