#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftest.sh - does the VM runner notice? (runs on the host)
#
# Each case is something that must not pass for success: a failing test, one without
# results, an unfinished plan, a hang, a kernel warning, an oops, a panic, a module that
# can't be unloaded. One good case shows that the others fail for their own reason.
#
#   selftest.sh [--short | CASE...]    KERNEL=debug: the classes that only it notices, as well

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

# expect NAME RC PATTERN ARGS...: the runner must exit with RC and say PATTERN.
expect()
{
	local name=$1 want=$2 pattern=$3 rc t0

	shift 3
	wanted "$name" || return 0
	n=$((n + 1))
	t0=$SECONDS
	"$HERE/run" -k "$KERNEL" "$@" >"$D/log" 2>&1
	rc=$?
	if [ $rc = "$want" ] && grep -Eq "$pattern" "$D/log"; then
		echo "ok $n - $name ($((SECONDS - t0)) s)"
	else
		bad=$((bad + 1))
		sed 's/^/# /' "$D/log" | tail -n 40
		echo "not ok $n - $name (exit $rc, wanted $want and /$pattern/)"
	fi
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
# What only a kernel for finding mistakes notices, each in a machine of its own.
if grep -qs '^CONFIG_KASAN=y' "$kdir/.config"; then
	expect "KASAN: beyond the end" 1 'kernel: .*KASAN: slab-out-of-bounds' \
		"${M[@]}" --params what=beyond -- true
	expect "KASAN: after free" 1 'kernel: .*KASAN: (slab-)?use-after-free' \
		"${M[@]}" --params what=after-free -- true
fi
if grep -qs '^CONFIG_PROVE_LOCKING=y' "$kdir/.config"; then
	expect "lockdep: ABBA" 1 'kernel: .*possible circular locking' \
		"${M[@]}" --params what=order -- true
	expect "kmemleak" 1 'kernel: .*unreferenced object' "${M[@]}" --params what=leak -- true
	expect "UBSAN: shift" 1 'kernel: .*UBSAN: shift-out-of-bounds' \
		"${M[@]}" --params what=shift -- true
	expect "ODEBUG: timer" 1 'kernel: .*ODEBUG: free active' \
		"${M[@]}" --params what=timer -- true
fi
expect "died, where that is allowed" 0 'as allowed' \
	"${M[@]}" --allow-crash -- sh -c 'echo b >/proc/sysrq-trigger; sleep 60'
echo "1..$n"
[ $n -gt 0 ] && [ $bad = 0 ]
