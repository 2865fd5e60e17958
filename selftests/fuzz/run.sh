#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh - run fuzz targets, several at a time, and say what came of it
#
#   run.sh -o OUT [-s SECONDS] [-c FILE] [-j JOBS] [-n INPUTS] TARGET...
#
# FILE says how many inputs each target gets; without it, or with SECONDS used up, time ends it.
# One line of TAP a target; an input that fails is kept in OUT/found. A target that stays
# far below what it is wanted to run has gone blind: INPUTS is the bound for all together.

set -u
here=$(dirname "$(readlink -f "$0")")
out='' seconds=10 jobs=2 inputs=0 counts=/dev/null
while getopts o:s:c:j:n: opt; do
	case $opt in
	o) out=$OPTARG ;;
	s) seconds=$OPTARG ;;
	c) counts=$OPTARG ;;
	j) jobs=$OPTARG ;;
	n) inputs=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$out" ] && [ $# -gt 0 ] || { sed -n '3,10s/^# \{0,1\}//p' "$0"; exit 2; }

mkdir -p "$out/found" "$out/log" "$out/seeds"
/usr/bin/python3 "$here/seeds.py" "$out/seeds" || exit 2
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)" pxs-fuzz.XXXXXX) || exit 2
trap 'rm -rf "$work"' EXIT
export FUZZ_DIR=$work
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:handle_abort=1:quarantine_size_mb=16
export LSAN_OPTIONS=suppressions=$here/leaks.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1

# one TARGET: its corpus first, all of it, then whatever grows from it
one()
{
	local t=$1 log=$out/log/$1.log corpus=$out/corpus/$1 dirs=() runs

	runs=$(awk -v t="$t" '$1 == t { print $2 }' "$counts")

	mkdir -p "$corpus"
	[ ! -d "$out/seeds/$t" ] || dirs+=("$out/seeds/$t")
	[ ! -d "$here/regress/$t" ] || dirs+=("$here/regress/$t")
	[ ! -f "$here/$t.dict" ] || dirs+=(-dict="$here/$t.dict")
	"$out/fuzz_$t" -seed="${FUZZ_SEED:-1}" -runs="${runs:--1}" -max_total_time="$seconds" \
		-timeout=10 -rss_limit_mb=2048 -max_len=4096 \
		-print_final_stats=1 -close_fd_mask=3 -artifact_prefix="$out/found/$t-" \
		"$corpus" "${dirs[@]}" >"$log" 2>&1 </dev/null
	echo $? >"$work/$t.rc"
}

running=0
for t; do
	[ "$running" -lt "$jobs" ] || { wait -n; running=$((running - 1)); }
	one "$t" &
	running=$((running + 1))
	echo "# $t: begun, at most $seconds s" >&2
done
wait

passed=0 failed=0 total=0
for t; do
	log=$out/log/$t.log
	n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
	edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1)
	n=${n:-0}
	total=$((total + n))
	if [ "$(cat "$work/$t.rc")" = 0 ] && [ "$n" -gt 0 ]; then
		rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log" | tail -n 1)
		echo "ok - $t: $n inputs, $rate/s, ${edges#cov: } edges covered"
		passed=$((passed + 1))
	else
		grep -E 'ERROR|FUZZ_CHECK|runtime error|SUMMARY|unit written|^    #[0-9] ' "$log" |
			head -n 20 | cut -c1-160 | sed 's/^/# /'
		echo "not ok - $t: after $n inputs; $log"
		failed=$((failed + 1))
	fi
done

# bar NAME VALUE BOUND IS-MET
bar() { echo "bar: $1 $2 wanted $3 $( (($4)) && echo met || echo missed)"; }
bar fuzz-failures $failed 0 "$failed == 0"
bar fuzz-inputs $total ">=$inputs" "$total >= $inputs"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
