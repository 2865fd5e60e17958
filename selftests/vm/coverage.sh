#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh - which lines of the module the kselftests run (runs on the host)
#
#   coverage.sh [TEST...]    all that belong to the kernel; KERNEL=debug (or uml)
#
# The module is built with gcov's counters, for a kernel that keeps them (debug.config and
# uml.config do), over loading and unloading; they are collected when the last test is over.
# Counting changes nothing else: on the debug kernel this is also the run in which none of its
# checks may report anything.

set -u -o pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
KERNEL=${KERNEL:-debug}
STAGE=$TOP/build/modules/coverage.$KERNEL
OUT=$TOP/build/vm/coverage.$KERNEL
WANTED=85

cd "$TOP" || exit 1
kdir=$("$HERE/kernels.sh" info "$KERNEL" | sed -n 's/^KDIR=//p')
grep -qs '^CONFIG_GCOV_KERNEL=y' "$kdir/.config" || {
	echo "coverage.sh: $KERNEL counts no lines; KERNEL=debug or uml does" >&2
	exit 2
}
PXS_STAGE=$STAGE "$HERE/kernels.sh" build "$KERNEL" -s GCOV_PROFILE=y || exit 1
make -s agent || exit 1
rm -rf "$OUT"
mkdir -p "$OUT"
if [ $# -eq 0 ]; then
	mapfile -t tests < <("$TOP/selftests/check.sh" --long --tests "$KERNEL")
	set -- "${tests[@]}"
fi
# gcov_save.sh is the last job: it saves what all before it counted.
"$HERE/run" -k "$KERNEL" -m 3G --module "$STAGE/paxsteer.ko" --out "$OUT" "$@" \
	"$HERE/gcov_save.sh" | tee "$OUT/log"
rc=${PIPESTATUS[0]}
[ -f "$OUT/gcda.tar" ] || { echo "coverage.sh: no counters came back" >&2; exit 1; }
tar -xf "$OUT/gcda.tar" -C "$STAGE" || exit 1
python3 "$HERE/coverage.py" "$STAGE" "$TOP" $WANTED
reports=$(grep -c '^not ok - .*: kernel: ' "$OUT/log")
echo "bar: kernel-reports $reports wanted 0 $([ "$reports" = 0 ] && echo met || echo missed)"
[ "$rc" = 0 ]
