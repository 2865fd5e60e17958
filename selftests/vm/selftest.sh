#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftest.sh - does the VM runner notice? (runs on the host)
#
# Each case is something that must not pass for success: a failing test, one without
# results, an unfinished plan, a hang, a kernel warning, an oops, a panic, a module that
# can't be unloaded. One good case shows that the others fail for their own reason.
#
#   selftest.sh [--short | CASE...]
#   KERNEL=debug selftest.sh [debug]    the classes that only it notices, as well (or only they)

set -u
HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
KERNEL=${KERNEL:-6.1}
D=$(mktemp -d "$TOP/build/vm-selftest.XXXXXX")
trap 'rm -rf "$D"' EXIT
n=0 bad=0
only=("$@")
# Enough to know that the runner's eyes are open.
[ "${1:-}" != --short ] || only=("good tests pass" "failing test" "no result" "kernel warning"
	"module can't be unloaded" panic)

script() { printf '#!/bin/sh\n%s\n' "$2" >"$D/$1.sh"; chmod +x "$D/$1.sh"; }

wanted()
{
	local o

	[ ${#only[@]} -gt 0 ] || return 0
	for o in "${only[@]}"; do
		[ "$o" != "$1" ] || return 0
	done
	return 1
}

boot()
{
	local t0=$SECONDS

	"$HERE/run" -k "$KERNEL" "$@" >"$D/log" 2>&1
	BOOT_RC=$? BOOT_S=$((SECONDS - t0))
}

# judge NAME RC PATTERN: the last boot ended with RC and said PATTERN.
judge()
{
	local name=$1 want=$2 pattern=$3

	n=$((n + 1))
	if [ $BOOT_RC = "$want" ] && grep -Eq "$pattern" "$D/log"; then
		echo "ok $n - $name ($BOOT_S s)"
	else
		bad=$((bad + 1))
		sed 's/^/# /' "$D/log" | tail -n 40
		echo "not ok $n - $name (exit $BOOT_RC, wanted $want and /$pattern/)"
	fi
}

# expect NAME RC PATTERN ARGS...: the runner must exit with RC and say PATTERN.
expect()
{
	wanted "$1" || return 0
	boot "${@:4}"
	judge "$1" "$2" "$3"
}

mkdir -p "$D/fault"
cp "$HERE"/fault/* "$D/fault/"
info=$("$HERE/kernels.sh" info "$KERNEL")
kdir=$(sed -n 's/^KDIR=//p' <<<"$info") arch=$(sed -n 's/^ARCH=//p' <<<"$info")
make -s -C "$kdir" ${arch:+ARCH="$arch" SUBARCH=x86_64} M="$D/fault" modules >"$D/log" 2>&1 ||
	{ cat "$D/log"; exit 1; }
# Built under the name paxsteer: loaded before and unloaded after each test.
M=(--module "$D/fault/paxsteer.ko")

script good 'echo 1..2; echo "ok 1 - a"; echo "ok 2 - b # SKIP no reason"'
script bad 'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"'
script mute 'exit 0'
script short 'echo 1..3; echo "ok 1 - a"'
script status 'echo 1..1; echo "ok 1 - a"; exit 3'
script before 'echo 1..1; echo "ok 1 - a"; echo b >/proc/sysrq-trigger; sleep 60'
script slow 'echo 1..1; sleep 1000; echo "ok 1 - a"'
script kill9 'echo 1..1; echo "ok 1 - a"; sync; kill -9 $$'
expect "good tests pass" 0 '^1 passed, 0 failed, 1 skipped' "${M[@]}" "$D/good.sh"
# Races need two, and timers a clock that is finer than the tick.
# shellcheck disable=SC2016  # the machine's shell expands
expect "two processors and a clock" 0 '^1 passed' "${M[@]}" -- sh -c '[ "$(nproc)" = 2 ] &&
	! grep -q jiffies /sys/devices/system/clocksource/clocksource0/current_clocksource'
expect "a skip fails where none may be" 1 'may not be' "${M[@]}" --no-skip "$D/good.sh"
expect "failing test" 1 'failed: bad: 2 - b' "${M[@]}" "$D/bad.sh" "$D/good.sh"
expect "no result" 1 'printed no result' "${M[@]}" "$D/mute.sh"
expect "unfinished plan" 1 'planned 3 results, gave 1' "${M[@]}" "$D/short.sh"
expect "exit status" 1 'exit status 3' "${M[@]}" "$D/status.sh"
expect "time limit, and the next test runs" 1 '^1 passed, 1 failed, 1 skipped' \
	"${M[@]}" -t 5 "$D/slow.sh" "$D/good.sh"
expect "failing command" 1 'exit status 7' "${M[@]}" -- sh -c 'exit 7'
expect "kernel warning" 1 'kernel: .*WARNING: CPU' "${M[@]}" --params what=warn "$D/good.sh"
expect "oops" 1 'kernel: .*BUG: kernel NULL pointer' "${M[@]}" --params what=null -- true
expect "sleep while atomic" 1 'kernel: .*(scheduling while atomic|sleeping function called)' \
	"${M[@]}" --params what=atomic -- true
expect "module can't be unloaded" 1 'module does not unload' "${M[@]}" --params what=stuck -- true
expect "module can't be loaded" 1 'module does not load' "${M[@]}" --params what=refuse -- true
expect "panic" 1 'machine died' "${M[@]}" --params what=panic -- true
expect "tests after a crash did not run" 1 'good: did not run' "${M[@]}" "$D/before.sh" "$D/good.sh"
expect "hang" 1 'machine hangs' "${M[@]}" --smp 1 -t 5 --params what=hang -- true
expect "no end" 1 'end: machine does not power off' "${M[@]}" --smp 1 --params what=stay -- true
# What only a kernel for finding mistakes notices: one mistake after the other in one machine, as
# it takes half a minute to come up; each must be seen in the log of its own test. What lockdep
# sees comes first: any other report makes it stop looking.
if grep -qs '^CONFIG_KASAN=y' "$kdir/.config" && wanted debug; then
	planted=()
	for what in order shift timer beyond after-free leak; do
		# shellcheck disable=SC2016  # the machine's shell expands
		script $what 'echo 1..1; rmmod paxsteer; insmod "$PXS_KO" what='$what'; echo ok 1'
		planted+=("$D/$what.sh")
	done
	boot "${M[@]}" "${planted[@]}"
	judge "lockdep: ABBA" 1 '^not ok - order: kernel: .*possible circular locking'
	judge "UBSAN: shift" 1 '^not ok - shift: kernel: .*UBSAN: shift-out-of-bounds'
	judge "ODEBUG: timer" 1 '^not ok - timer: kernel: .*ODEBUG: free active'
	judge "KASAN: beyond the end" 1 '^not ok - beyond: kernel: .*KASAN: slab-out-of-bounds'
	judge "KASAN: after free" 1 '^not ok - after-free: kernel: .*KASAN: (slab-)?use-after-free'
	# As many as were planted: the machine itself leaks nothing.
	judge "kmemleak" 1 '^not ok - kmemleak: kernel: .*: 8 new suspected memory leaks'
fi
expect "died, where that is allowed" 0 'as allowed' \
	"${M[@]}" --allow-crash -- sh -c 'echo b >/proc/sysrq-trigger; sleep 60'
echo "1..$n"
[ $n -gt 0 ] && [ $bad = 0 ]
