#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154  # D, PID are members.sh's
#
# bench_recovery.sh - how long a daemon needs to come back behind a long log
#
#   make bench-recovery [VALUES=1000000] [SIZE=100] [ROUNDS=5]
#
# Three daemons on loopback, datapath in user space; VALUES are appended, all end in order. Then,
# each round once and in turn, of member 1's journal: its files are read and thrown away,
# `paxsteer journal verify` judges every record, and the daemon starts, until it says that its group
# is active. The files are in the page cache, so all three are about the processor, and none about
# the disk. Ratios are of each round: the median of them, with the least and the greatest.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"
need paxsteer paxsteerd python3
VALUES=${VALUES:-1000000} SIZE=${SIZE:-100} ROUNDS=${ROUNDS:-5}

now() { date +%s%N; }
active() { grep -q 'group 1: active' "$T_DIR/agent1.log"; }

# Each sets took, in ns.
plain_read()
{
	local t
	t=$(now)
	cat "${SEGMENTS[@]}" >/dev/null
	took=$(($(now) - t))
}

verify()
{
	local t
	t=$(now)
	paxsteer journal verify "$D/j1" >"$T_DIR/verify" || bail "verify: $(<"$T_DIR/verify")"
	took=$(($(now) - t))
}

recover()
{
	local t
	t=$(now)
	run 1
	while ! active; do
		kill -0 "${PID[1]}" 2>/dev/null || bail "$(<"$T_DIR/agent1.log")"
		sleep 0.002
	done
	took=$(($(now) - t))
	stop "${PID[1]}"
}

members_make 16777216
for i in 1 2 3; do run $i; done
wait_until 60 leader >/dev/null || bail "no leader"
log append count "$VALUES" size "$SIZE" outstanding 256 quiet || bail "the values are not appended"
last=$(log read-index)
for i in 1 2 3; do
	wait_until 120 applied $i "$last" || bail "member $i does not reach slot $last"
done
for i in 1 2 3; do stop "${PID[$i]}"; done

# The one that is made in advance has no record.
segments=$(paxsteer -j journal verify "$D/j1" | json 'd["segments"]')
mapfile -t -n "$segments" SEGMENTS < <(printf '%s\n' "$D"/j1/*.pxs)
for ((round = 1; round <= ROUNDS; round++)); do
	row=
	for what in plain_read verify recover; do
		$what
		row+=" $took"
	done
	echo "$row" >>"$T_DIR/rounds"
	diag "round $round of $ROUNDS: ns:$row"
done
bytes=$(cat "${SEGMENTS[@]}" | wc -c)
python3 - "$T_DIR/rounds" "$bytes" "$last" <<'END'
import statistics
import sys

rounds = [[int(x) for x in line.split()] for line in open(sys.argv[1])]
size, slots = int(sys.argv[2]), int(sys.argv[3])
print("%d slots, a journal of %.1f MB, %d rounds, page cache warm" %
      (slots, size / 1e6, len(rounds)))
print("%-12s %10s %10s %26s" % ("", "ms", "MB/s", "times a plain read"))
for i, name in enumerate(("plain read", "verify", "recovery")):
    ns = statistics.median(r[i] for r in rounds)
    ratio = sorted(r[i] / r[0] for r in rounds)
    print("%-12s %10.0f %10.0f %10.1f (%.1f to %.1f)" %
          (name, ns / 1e6, size / ns * 1e3, statistics.median(ratio), ratio[0], ratio[-1]))
print("recovery: %.2f us a slot" % (statistics.median(r[2] for r in rounds) / 1e3 / slots))
END
