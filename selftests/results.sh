#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# results.sh - write selftests/RESULTS.md: what ran, how much, on which kernel, what was found
#
# Reads what check.sh left in build/check: STEP.sum (one line: passed failed skipped seconds
# date commit) and STEP.log. A step that did not run here is not in the page.

set -u
cd "$(dirname "$0")/.." || exit 2
LOGS=build/check
OUT=selftests/RESULTS.md

[ -n "$(find $LOGS -name '*.sum' 2>/dev/null)" ] || {
	echo "results.sh: nothing ran yet: make check" >&2
	exit 1
}

# Names of the steps that ran, in that order.
ran()
{
	find $LOGS -name '*.sum' -printf '%T@ %f\n' | sort -n | sed 's/^[^ ]* //; s/\.sum$//'
}

steps()
{
	local name p f s secs date commit

	echo '| step | passed | failed | skipped | seconds | when | tree |'
	echo '| --- | ---: | ---: | ---: | ---: | --- | --- |'
	for name in $(ran); do
		read -r p f s secs date commit <"$LOGS/$name.sum"
		echo "| $name | $p | $f | $s | $secs | $date | $commit |"
	done
}

# The bounds that a log reports, and the kernels that it names.
bars()
{
	local name

	echo '| step | bound | value | wanted | |'
	echo '| --- | --- | ---: | ---: | --- |'
	for name in $(ran); do
		sed -nE 's/^[# ]*bar: ([^ ]+) (.*) wanted (.*) (m.*)$/\1 | \2 | \3 | \4 |/p' \
			"$LOGS/$name.log" | sed "s/^/| $name | /"
	done
}

kernels()
{
	grep -hoE '^# kernel [^ ,]+' $LOGS/*.log | sort -u | sed 's/^# kernel /- /'
}

found()
{
	local what by guard words commit

	echo '| what | found by | guarded by | fix |'
	echo '| --- | --- | --- | --- |'
	grep -v '^#' selftests/found.list | while IFS='|' read -r what by guard words; do
		words=$(echo "$words" | sed 's/^ *//; s/ *$//')
		commit=$(git log --format=%h --fixed-strings --grep="$words" | tail -n 1)
		echo "|$what|$by|$guard| ${commit:-?} |"
	done
}

cat >$OUT <<END
# What ran

Written by \`make results\` from the logs of this machine: $(nproc) cores, Linux $(uname -r).
Virtual machines are emulated by QEMU (TCG): their times say nothing about hardware.

$(steps)

Kernels in virtual machines:

$(kernels)

## Bounds

$(bars)

## Found on the way

$(found)
END
echo "  wrote $OUT: $(grep -c '' $OUT) lines"
