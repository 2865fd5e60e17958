#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh OUT LENGTH - crash states and single blocks, summed up
#
# Called by the Makefile. Ends with "N passed, N failed, 0 skipped".

set -u -o pipefail
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
bad=0
for run in "states -l $2" blocks; do
	# shellcheck disable=SC2086  # a program and its arguments
	"$1"/$run | tee -a "$log"
	rc=${PIPESTATUS[0]}
	# A program that died without a verdict.
	[ "$rc" = 0 ] || [ "$rc" = 1 ] || { echo "not ok - $run: exit status $rc" | tee -a "$log"; }
	[ "$rc" = 0 ] || bad=1
done
echo "$(grep -c '^ok ' "$log") passed, $(grep -c '^not ok ' "$log") failed, 0 skipped"
exit $bad
