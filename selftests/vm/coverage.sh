#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh - which lines of the module the kselftests run (runs on the host)
#
#   coverage.sh [TEST...]    all that belong to the kernel; KERNEL=debug (or uml)
#   PXS_STATE=DIR            keeps there what each test gave: a run that was interrupted goes on,
#                            and a test runs again when the module, the agent, a test or what
#                            tests use has changed
#
# The module is built with gcov's counters, for a kernel that keeps them (debug.config and
# uml.config do), over loading and unloading. Each test has a machine of its own; what they
# counted is added up. Counting changes nothing else: on the debug kernel this is also the run in
# which none of its checks may report anything, and a scan for leaks ends each test.

set -u -o pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
KERNEL=${KERNEL:-debug}
STAGE=$TOP/build/modules/coverage.$KERNEL
WANTED=85

cd "$TOP" || exit 1
kdir=$("$HERE/kernels.sh" info "$KERNEL" | sed -n 's/^KDIR=//p')
grep -qs '^CONFIG_GCOV_KERNEL=y' "$kdir/.config" || {
	echo "coverage.sh: $KERNEL counts no lines; KERNEL=debug or uml does" >&2
	exit 2
}
command -v gcov-tool >/dev/null || { echo "coverage.sh: gcov-tool is missing" >&2; exit 2; }
PXS_STAGE=$STAGE "$HERE/kernels.sh" build "$KERNEL" -s GCOV_PROFILE=y || exit 1
make -s agent || exit 1
OUT=${PXS_STATE:-$TOP/build/vm/coverage.$KERNEL}
[ -n "${PXS_STATE:-}" ] || rm -rf "$OUT"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
rm -rf "$OUT/sum"
if [ $# -eq 0 ]; then
	mapfile -t tests < <("$TOP/selftests/check.sh" --long --tests "$KERNEL")
	set -- "${tests[@]}"
fi

# What a result of TEST is good for: these sources.
sources=$({
	find Kbuild kmod uapi agent selftests/bpf selftests/lin selftests/vm -type f
	find selftests -maxdepth 1 -type f
} | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum)
key() { { echo "$sources"; cat "$1"; } | sha256sum; }

# one NAME TEST: gcov_save.sh is the machine's last job: it saves what all before it counted.
one()
{
	rm -rf "${OUT:?}/$1"
	mkdir "$OUT/$1"
	"$HERE/run" -k "$KERNEL" -m 3G --module "$STAGE/paxsteer.ko" --out "$OUT/$1" "$2" \
		"$HERE/gcov_save.sh" 2>&1 | tee "$OUT/$1/log"
	echo "${PIPESTATUS[0]}" >"$OUT/$1/rc"
	[ -f "$OUT/$1/gcda.tar" ] || { echo "coverage.sh: no counters came back" >&2; exit 1; }
	mkdir "$OUT/$1/gcda" && tar -xf "$OUT/$1/gcda.tar" -C "$OUT/$1/gcda" || exit 1
	key "$2" >"$OUT/$1/key"
}

bad=0 reports=0 pass=0 fail=0 skip=0
for t; do
	[ -f "$t" ] || t=selftests/$t.sh
	n=$(basename "$t" .sh)
	if [ -f "$OUT/$n/key" ] && [ "$(key "$t")" = "$(<"$OUT/$n/key")" ]; then
		echo "# $n: ran before: $(tail -n 1 "$OUT/$n/log")"
	else
		one "$n" "$t"
	fi
	[ "$(<"$OUT/$n/rc")" = 0 ] || bad=1
	reports=$((reports + $(grep -c '^not ok - .*: kernel: ' "$OUT/$n/log")))
	read -r p f s < <(tail -n 1 "$OUT/$n/log" | tr -cd '0-9 ')
	pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
	if [ -d "$OUT/sum" ]; then
		gcov-tool merge -o "$OUT/more" "$OUT/sum" "$OUT/$n/gcda" && rm -rf "$OUT/sum" &&
			mv "$OUT/more" "$OUT/sum" || exit 1
	else
		cp -a "$OUT/$n/gcda" "$OUT/sum"
	fi
done
cp -a "$OUT/sum/." "$STAGE/"
python3 "$HERE/coverage.py" "$STAGE" "$TOP" $WANTED
echo "bar: kernel-reports $reports wanted 0 $([ "$reports" = 0 ] && echo met || echo missed)"
echo "$pass passed, $fail failed, $skip skipped"
[ $bad = 0 ]
