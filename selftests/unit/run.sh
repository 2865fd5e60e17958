#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run unit test programs, show their TAP, sum up: the last line is "N passed, N failed".
# A program that ends badly, or whose plan and results differ, is one more failure.
set -u

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
passed=0
failed=0

for prog in "$@"; do
	echo "# ${prog##*/}"
	"$prog" >"$out" 2>&1
	status=$?
	cat "$out"
	ok=$(grep -c '^ok ' "$out")
	bad=$(grep -c '^not ok ' "$out")
	plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$out")
	passed=$((passed + ok))
	failed=$((failed + bad))
	if [ "${plan:-none}" != $((ok + bad)) ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
		echo "not ok - ${prog##*/} ended with status $status, plan ${plan:-none}"
		failed=$((failed + 1))
	fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
