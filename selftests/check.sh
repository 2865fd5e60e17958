#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh - everything that can be shown on one machine, one step after the other
#
#   check.sh [--long] [STEP...]   only these (check.sh [--long] --list names them)
#   check.sh --tests KERNEL       the kselftests that belong to a kernel
#   PXS_CHECK_MINUTES=80          what is not begun by then fails by name (--long: 1440)
#
# A step says its results as "N passed, N failed, N skipped" or as TAP; its whole output
# goes to build/check/STEP.log and, indented, to the terminal. A skip is named at the end,
# and where a part is mandatory it is a failure.

set -u -o pipefail
cd "$(dirname "$0")/.." || exit 2
TOP=$PWD
LOGS=$TOP/build/check
TREE=$(git describe --always --dirty 2>/dev/null || echo -)
export LONG=0
[ "${1:-}" != --long ] || { LONG=1; shift; }
BUDGET=$((${PXS_CHECK_MINUTES:-$((LONG ? 1440 : 80))} * 60))

# name, limit in seconds, skips allowed (yes, no), command. Two steps whose limit ends in + may
# run side by side: one processor is enough for each, or it waits much. All others run alone, but
# for a step whose limit ends in ~: it takes only what those that run alone after it leave.
STEPS=(
"toolchains 900  yes toolchains"
"agent      300  no  make --no-print-directory agent"
"modules    600  yes make --no-print-directory matrix"
"unit       900+ no  make --no-print-directory unit"
"lint       900+ no  selftests/lint/lint.sh"
"runner     600+ no  selftests/vm/selftest.sh --short"
"dkms       600+ no  selftests/dkms.sh"
)
# Folders of tests that need no kernel: sim, cli, fuzz...
alone=() yields=()
for m in selftests/*/Makefile; do
	d=$(basename "${m%/Makefile}")
	grep -q '^check:' "$m" && [ "$d" != unit ] || continue
	limit=600+ skip=no
	case $d in
	# It has a process for each processor, and it counts inputs, not seconds.
	fuzz)	limit=1500~ ;;
	# It counts nanoseconds.
	tables) limit=600 ;;
	# The bounded model checker is not in Debian 12 and may be out of reach.
	model)	skip=yes ;;
	esac
	step="$d $limit $skip make --no-print-directory -C selftests/$d check"
	case $limit in
	*+)	STEPS+=("$step") ;;
	*~)	yields+=("$step") ;;
	*)	alone+=("$step") ;;
	esac
done

# Tests on this machine, or that start machines themselves: those beside the machines. A cluster on
# this machine runs alone: its members must not starve.
# --long: all of them on each kernel, and nothing is shortened.
whole=$((LONG * 10800))
machines=(
"vm-6.1     $((whole + 2700))+ no  tests_on 6.1"
"vm-6.12    $((whole + 2400))+ yes tests_on 6.12"
"vm-newest  $((whole + 2400))+ yes tests_on newest"
"demo 600+ no selftests/demo.sh"
)
clusters=()
for t in $(make -s -C selftests list-host); do
	limit=$(sed -n '1,40s/^# limit: *//p' "selftests/$t" | head -n1)
	step="no env PXS_SHORT=1 selftests/$t"
	case $t in
	dkms.sh) ;;
	powercut.sh) machines+=("powercut ${limit:-900}+ $step") ;;
	*)	clusters+=("$(basename "$t" .sh) ${limit:-900} $step") ;;
	esac
done
STEPS+=("${alone[@]}" "${yields[@]}" "${clusters[@]}" "${machines[@]}")

# What takes hours: the kernels that look for mistakes, and everything over and over. They are
# built once, in ten minutes each; user-mode Linux is sid's, and optional without a network. Redis's
# own tests need its sources (REDIS_SRC).
# Power cuts, planted bugs and the debug kernel go on where an earlier run was stopped.
if [ $LONG = 1 ]; then
	STEPS+=(
	"debug-kernel 7200 no selftests/vm/kernels.sh fetch debug"
	"runner-debug 7200 no env KERNEL=debug selftests/vm/selftest.sh"
	"vm-debug   36000 no env KERNEL=debug PXS_STATE=build/debug selftests/vm/coverage.sh"
	"uml-kernel 7200 yes optional_kernel uml"
	"vm-uml     7200 yes tests_on uml"
	"many-groups 7200 no env PXS_DATAPATH=kernel selftests/vm/run -m 3G many_groups"
	"soak       7200 no make --no-print-directory soak"
	"lifecycle-long 30000 no env PXS_ROUNDS=200 selftests/vm/run -m 2G -t 29000 lifecycle"
	"sim-long   30000 no make --no-print-directory sim N=1000000 SEED=1000001"
	"fuzz-long  30000 no make --no-print-directory fuzz SECONDS=600"
	"redis-suite 3600 yes selftests/redis_suite.sh"
	"powercut-long 30000 no env PXS_STATE=build/powercut PXS_ROUNDS=200 selftests/powercut.sh"
	"mutants    60000 no env MUTANTS_VM=1 PXS_STATE=build/mutants selftests/mutants/run"
	)
fi

# The value of a "# key: value" line at the head of a test.
tag() { sed -n "1,40s/^# $2: *//p" "$1" | head -n1; }

# Only 6.1 comes from this machine's own release: without it nothing is shown.
toolchains()
{
	local k

	for k in 6.1 6.12 newest; do
		if selftests/vm/kernels.sh fetch $k; then
			echo "ok - kernel $k"
		elif [ $k = 6.1 ]; then
			echo "not ok - kernel $k can't be fetched"
		else
			echo "ok - kernel $k # SKIP can't be fetched"
		fi
	done
}

optional_kernel()
{
	if selftests/vm/kernels.sh fetch "$1"; then
		echo "ok - kernel $1"
	else
		echo "ok - kernel $1 # SKIP can't be built here"
	fi
}

# The kselftests that belong to a kernel, as their heads say: here check-kernels, where it is said.
tests_of()
{
	local t k

	for t in $(make -s -C selftests list); do
		k=
		[ "$LONG" = 1 ] || k=$(tag "selftests/$t" check-kernels)
		[ -n "$k" ] || k=$(tag "selftests/$t" kernels)
		[ -n "$k" ] && [[ " $k " != *" $1 "* ]] && continue
		echo "selftests/$t"
	done
}

# All of them in one machine.
tests_on()
{
	local kernel=$1 tests

	[ "$LONG" = 1 ] || export PXS_SHORT=1
	if ! selftests/vm/kernels.sh info "$kernel" >/dev/null; then
		echo "ok - kselftests on $kernel # SKIP kernel not available"
		return 0
	fi
	selftests/vm/kernels.sh build "$kernel" -s || return 1
	mapfile -t tests < <(tests_of "$kernel")
	if [ ${#tests[@]} -eq 0 ]; then
		echo "not ok - no test for $kernel"
		return 1
	fi
	selftests/vm/run --kernel "$kernel" --mem 2G "${tests[@]}"
}

if [ "${1:-}" = --tests ]; then
	tests_of "${2:?}"
	exit
fi
if [ "${1:-}" = --list ]; then
	printf '%s\n' "${STEPS[@]}"
	exit 0
fi

# --- counting --------------------------------------------------------------------

# count LOG -> "passed failed skipped": the last line of sums if there is one, else TAP.
count()
{
	local sums

	sums=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped.*/\1 \2 \3/p' "$1" |
		tail -n1)
	if [ -n "$sums" ]; then
		echo "$sums"
		return
	fi
	awk '/^ok/ && /# [Ss][Kk][Ii][Pp]/ { s++; next }
		/^1\.\.0 # [Ss][Kk][Ii][Pp]/ { s++; next }
		/^ok/ { p++ }
		/^not ok/ { f++ }
		END { print p + 0, f + 0, s + 0 }' "$1"
}

# The names of what was skipped.
skips_of()
{
	if grep -q '^# skipped: ' "$1"; then
		grep '^# skipped: ' "$1"
	else
		grep -E '^(ok|1\.\.0).*# (SKIP|skip)' "$1"
	fi | sort -u
}

total_pass=0 total_fail=0 total_skip=0 table=() notes=() bad=()

# What stands around the first failure of a step, and the first remark of the kernel's: who has
# only the end of all this, has that too.
tell_failure()
{
	local log=$LOGS/$1.log

	echo "== $1, from build/check/$1.log:"
	grep -m1 -B 8 -A 50 -E '^not ok|[0-9] tests? failed|Error [0-9]+$' "$log" | sed 's/^/    /'
	grep -m1 -A 60 -E '^not ok - .*: kernel: ' "$log" | sed 's/^/    /'
}

add()
{
	local name=$1 p=$2 f=$3 s=$4 secs=$5

	total_pass=$((total_pass + p))
	total_fail=$((total_fail + f))
	total_skip=$((total_skip + s))
	table+=("$(printf '%-21s %6d passed %4d failed %4d skipped %6d s' \
		"$name" "$p" "$f" "$s" "$secs")")
}

# Begin a step: its output to the log and, with HOW in front of each line, to the terminal. Its
# exit status, limit and seconds go to the file .end beside the log. For the background, too.
do_step()
{
	local name=$1 limit=${2%[+~]} log=$LOGS/$1.log how="    " idle=()
	local t0=$SECONDS left=$((BUDGET - SECONDS)) kind=${2##*[0-9]}

	[ -z "$kind" ] || how="    $name: "
	shift 3
	[ "$limit" -le "$left" ] || limit=$left
	rm -f "$LOGS/$name.end"
	: >"$log"
	[ "$limit" -gt 10 ] || return
	# A function of this file, or a program; timeout gets the whole process group.
	if declare -F "$1" >/dev/null; then
		set -- bash -c "$(declare -f tag tests_of "$1"); \"\$@\"" step "$@"
	fi
	[ "$kind" != '~' ] || idle=(chrt --idle 0)
	"${idle[@]}" timeout -k 20 "$limit" "$@" </dev/null 2>&1 | tee "$log" | sed -u "s/^/$how/"
	echo "${PIPESTATUS[0]} $limit $((SECONDS - t0))" >"$LOGS/$name.end"
}

# Judge a step that ended, by what do_step left.
judge_step()
{
	local name=$1 may_skip=$3 log=$LOGS/$1.log rc limit secs p f s line

	if ! read -r rc limit secs 2>/dev/null <"$LOGS/$name.end"; then
		notes+=("$name: not begun, no time left")
		add "$name" 0 1 0 0
		return
	fi
	read -r p f s <<<"$(count "$log")"
	if [ "$rc" = 124 ] || [ "$rc" = 137 ]; then
		notes+=("$name: no end within $limit s")
		f=$((f + 1))
	elif [ "$rc" = 4 ] && [ "$s" -gt 0 ]; then
		:
	elif [ "$rc" != 0 ] && [ "$f" = 0 ]; then
		notes+=("$name: exit status $rc")
		f=1
	elif [ "$rc" = 0 ] && [ $((p + f + s)) = 0 ]; then
		# A step without tests of its own, such as a build.
		p=1
	fi
	if [ "$s" -gt 0 ]; then
		while read -r line; do
			notes+=("$name: $line")
		done < <(skips_of "$log")
		if [ "$may_skip" = no ]; then
			notes+=("$name: mandatory, its $s skipped count as failed")
			f=$((f + s)) s=0
		fi
	fi
	while read -r line; do
		notes+=("$name: $line")
	done < <(grep -E '^not ok' "$log" | head -n 20)
	[ "$f" = 0 ] || bad+=("$name")
	add "$name" "$p" "$f" "$s" "$secs"
	# For results.sh.
	echo "$p $f $s $secs $(date +%F) $TREE" >"$LOGS/$name.sum"
	echo "== $name: $p passed, $f failed, $s skipped, $secs s"
}

wanted=("$@")
selected()
{
	local w

	[ ${#wanted[@]} -gt 0 ] || return 0
	for w in "${wanted[@]}"; do
		[ "$w" = "$1" ] && return 0
	done
	return 1
}

mkdir -p "$LOGS"
for w in "${wanted[@]}"; do
	printf '%s\n' "${STEPS[@]}" | grep -q "^$w " && continue
	echo "check.sh: no step '$w'" >&2
	exit 2
done
step_count=0 step_number=0
for step in "${STEPS[@]}"; do
	selected "${step%% *}" && step_count=$((step_count + 1))
done
# The steps that run, by process.
declare -A running=()

# An interrupt reaches only what runs in front: end the others, each with its group.
# shellcheck disable=SC2317  # called by the trap
stop_all()
{
	local pid

	trap '' INT TERM
	for pid in "${!running[@]}"; do
		pkill -TERM -P "$pid"
	done
	wait
	exit 130
}
trap stop_all INT TERM

# Wait until at most so many run, besides those that yield if they may go on; judge those that
# ended.
wait_for()
{
	local most=$1 besides=$2 pid

	while [ $((${#running[@]} - (besides ? yielding : 0))) -gt "$most" ]; do
		wait -n -p pid
		# shellcheck disable=SC2086  # words
		judge_step ${running[$pid]}
		[[ ${running[$pid]} != *\ [0-9]*~\ * ]] || yielding=$((yielding - 1))
		unset "running[$pid]"
	done
}

yielding=0
for step in "${STEPS[@]}"; do
	selected "${step%% *}" || continue
	read -r name limit _ <<<"$step"
	case $limit in
	*+)	wait_for $((yielding ? 0 : 1)) 0 ;;
	*~)	wait_for 0 0 ;;
	*)	wait_for 0 1 ;;
	esac
	echo "== [$((++step_number))/$step_count] $name (at most ${limit%[+~]} s)"
	# shellcheck disable=SC2086  # words
	do_step $step &
	running[$!]=$step
	case $limit in
	*+)	;;
	*~)	yielding=$((yielding + 1)) ;;
	*)	wait_for 0 1 ;;
	esac
done
wait_for 0 0

for name in "${bad[@]}"; do tell_failure "$name"; done
echo
printf '%s\n' "${table[@]}"
for line in "${notes[@]}"; do
	printf '# %s\n' "$line"
done
printf '# %d min %d s; logs in build/check\n' $((SECONDS / 60)) $((SECONDS % 60))
echo "$total_pass passed, $total_fail failed, $total_skip skipped"
[ "$total_fail" = 0 ]
