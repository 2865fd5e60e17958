#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_request.sh - TCP by request: this module beside twemproxy (nutcracker), in one machine
#
#   make bench-request [KERNEL=6.1] [ROUNDS=5] [NUTCRACKER=/usr/sbin/nutcracker]
#
# In a virtual machine. Debian's package nutcracker is not among deps.sh's: nothing else needs it.
#
#     redis-benchmark ──┬── :7000 the module ──┬── redis 127.0.0.11:6379
#                       ├── :7001 nutcracker ──┼── redis 127.0.0.12:6379
#                       └── redis itself       └── redis 127.0.0.13:6379
#
# All on one host, so clients and servers cost the same whatever is between. Each round runs every
# case once, in turn: random keys, GET, 20 connections, one and 16 requests in flight on each.
# Requests a second, and processor time of the whole host a request; ratios are of each round, the
# median of them with the least and the greatest.

. "$(dirname "$0")/lib.sh"
[ "${1:-}" = inside ] || {
	cd "$TOP" || exit 2
	exec selftests/vm/run --kernel "${KERNEL:-6.1}" --mem 2G --timeout 900 \
		--name bench-request --env "ROUNDS=${ROUNDS:-5}" \
		--env "NUTCRACKER=${NUTCRACKER:-nutcracker}" -- selftests/bench_request.sh inside
}
need_module
NUTCRACKER=${NUTCRACKER:-nutcracker}
need redis-server redis-benchmark "$NUTCRACKER"
ROUNDS=${ROUNDS:-5}
N=${N:-20000}

listens() { on d bash -c "exec 3<>/dev/tcp/$1/$2"; }

host d
for i in 1 2 3; do
	start_on d "redis$i" redis-server --port 6379 --bind "127.0.0.1$i" --save "" --dir "$T_DIR"
done
cat >"$T_DIR/nutcracker.yml" <<-END
	r:
	  listen: 127.0.0.1:7001
	  hash: fnv1a_64
	  distribution: ketama
	  redis: true
	  servers:
	   - 127.0.0.11:6379:1
	   - 127.0.0.12:6379:1
	   - 127.0.0.13:6379:1
END
start_on d nutcracker "$NUTCRACKER" -c "$T_DIR/nutcracker.yml" -o "$T_DIR/nutcracker.out" \
	-s 22223
paxsteer -n pxs-d service add r tcp 127.0.0.1:7000 mode request key redis
for i in 1 2 3; do paxsteer -n pxs-d backend add r "127.0.0.1$i:6379"; done
wait_until 30 listens 127.0.0.13 6379 || bail "no redis"
wait_until 30 listens 127.0.0.1 7001 || bail "no nutcracker: $(cat "$T_DIR"/nutcracker.{log,out})"

# Clock ticks that processors were not idle.
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

# measure CASE ADDR PORT DEPTH: "CASE DEPTH RATE TICKS-A-MILLION"
measure()
{
	local before after rate

	before=$(busy)
	rate=$(on d redis-benchmark -h "$2" -p "$3" -n "$N" -c 20 -P "$4" -r 100000 -t get --csv \
		2>/dev/null | sed -n 's/^"GET","\([0-9.]*\)".*/\1/p')
	after=$(busy)
	[ -n "$rate" ] || bail "$1: redis-benchmark said nothing"
	echo "$1 $4 $rate $(((after - before) * 1000000 / N))"
}

for ((r = 0; r <= ROUNDS; r++)); do
	for depth in 1 16; do
		measure ours 127.0.0.1 7000 $depth
		measure twemproxy 127.0.0.1 7001 $depth
		measure direct 127.0.0.11 6379 $depth
	done >>"$T_DIR/$((r > 0))"		# the first round is for caches
done
python3 - "$T_DIR/1" <<'END'
import statistics
import sys

seen = {}
for line in open(sys.argv[1]):
    case, depth, rate, ticks = line.split()
    seen.setdefault((case, int(depth)), []).append((float(rate), float(ticks)))
for depth in 1, 16:
    for case in 'direct', 'twemproxy', 'ours':
        v = seen[case, depth]
        print('# depth %2d %-9s %8.0f requests/s, %6.0f ticks of CPU a million' %
              (depth, case, statistics.median(x[0] for x in v), statistics.median(x[1] for x in v)))
    for what, at, bar in ('rate', 0, '>= 1'), ('cpu', 1, '<= 1'):
        each = sorted(o[at] / t[at] for o, t in zip(seen['ours', depth], seen['twemproxy', depth]))
        mid = statistics.median(each)
        print('# ours / twemproxy, %s, depth %d: %.2f (%.2f..%.2f)' %
              (what, depth, mid, each[0], each[-1]))
        print('bar: request_%s_depth_%d %.2f wanted %s %s' %
              (what, depth, mid, bar, 'met' if eval('%f %s' % (mid, bar)) else 'missed'))
END
