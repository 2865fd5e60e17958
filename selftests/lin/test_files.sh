#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test_files.sh - hand-made histories, and text that is none
#
# good/, bad/ and undecided/ hold them. A head line "# expect: WORDS" names what must be said,
# "# lines: N..." the lines of the file that must be shown as the reason, and no others. LIN
# names the program.

set -u
cd "$(dirname "$0")" || exit 1
LIN=${LIN:-lin}
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
. ../unit/tap.sh
# shellcheck disable=SC2034  # tap.sh reads it
said=$out

head_line() { sed -n "s/^# $2: *//p" "$1"; }

# says STATUS FILE: the status, the words and the lines
says()
{
	local words lines got

	"$LIN" "$2" >"$out" 2>&1
	got=$?
	words=$(head_line "$2" expect)
	lines=$(head_line "$2" lines)
	[ $got = "$1" ] || { echo "exit status $got, not $1" >>"$out"; return 1; }
	[ "$1" = 0 ] || [ -n "$words" ] || { echo "nothing is expected" >>"$out"; return 1; }
	grep -qF -- "$words" "$out" || { echo "not said: $words" >>"$out"; return 1; }
	[ -z "$lines" ] && return
	got=$(sed -n 's/^    line \([0-9]*\):.*/\1/p' "$out" | head -n "$(wc -w <<<"$lines")" |
		tr '\n' ' ')
	[ "$got" = "$lines " ] || { echo "shown: $got, not $lines" >>"$out"; return 1; }
}

for f in good/*.hist; do says 0 "$f"; result $? "$f"; done
for f in bad/*.hist; do says 1 "$f"; result $? "$f"; done
for f in undecided/*.hist; do says 3 "$f"; result $? "$f"; done

# malformed LINE|WORDS: line 2 is wrong, and the words say how
while IFS='|' read -r line words; do
	printf '# one line\n%s\n' "$line" | "$LIN" - >"$out" 2>&1
	[ $? = 2 ] && grep -qF -- "lin: -:2: $words" "$out"
	result $? "\"$line\" is no operation"
done <<'END'
a 1 2 append 1 x ok|a line has 8 or 9 words
a 1 2 append 1 x ok 1 strong more|a line has 8 or 9 words
a 1 2 push 1 x ok 1|"push" is not append, fetch
a x 2 append 1 x ok 1|"x" is not a number
a 5 2 append 1 x ok 1|"2" is before the call
a 1 99999999999999999999 append 1 x ok 1|"99999999999999999999" is too large
a 1 2 append 1 - ok 1|"-" is no value
a 1 2 append 1 x>y ok 1|"x>y" holds a >
a 1 2 append 1 x fine 1|"fine" is not one of this kind
a 1 2 append 1 x differs 1|"differs" is not one of this kind
a 1 2 append 1 x ? 1|"?" is ?, but there is a return
a 1 ? append 1 x ok 1|"ok" but no return
a 1 2 append 1 x ok 0|"0" begins with 1
a 1 2 append 1 x no 4|"4" of what had no effect is -
a 1 2 append 1 x ok 1 near:3|"near:3" is for reads
a 1 2 fetch 1 0 x -|"0" is no slot
a 1 2 fetch 1 1 x 1|"1" of a fetch is -
a 1 2 read k x y -|"x" of a read is -
a 1 2 read k - y 1 nearly|"nearly" is not strong
a 1 2 read k - y 1 session2|"session2" is not a level
a 1 2 read k - y 1 near:|"near:" is empty
a 1 2 cas k x ok 1|"x" is not OLD>NEW
a 1 2 cas k x>- ok 1|"x" is no value
1 1 2 entry 1 x - 1|"1" of an entry is -
1 - - entry 1 x ok 1|"ok" of an entry is -
1 - - entry 1 x - -|"-" of an entry is missing
END

# usage WORDS ARGUMENTS...
usage()
{
	"$LIN" "${@:2}" >"$out" 2>&1 </dev/null
	[ $? = 2 ] && grep -qF -- "$1" "$out"
	result $? "lin ${*:2}: $1"
}

usage 'Usage: lin'
usage 'Usage: lin' -m sideways good/levels.hist
usage 'cannot be opened' /nowhere
usage 'cannot be read' /
usage 'the history is empty' /dev/null

# Several files are one history; -c wants equal members; a limit never says ok.
"$LIN" good/unknown-is-there.hist bad/order-inverted.hist >"$out" 2>&1
[ $? = 1 ]
result $? 'two files are one history'
"$LIN" good/gap-of-a-noop.hist >"$out" 2>&1 && ! "$LIN" -c good/gap-of-a-noop.hist >"$out" 2>&1 &&
	grep -q 'not all members have this slot' "$out"
result $? '-c notices a member that is behind'
"$LIN" -l 0 good/register-search.hist >"$out" 2>&1
[ $? = 3 ] && grep -q 'ended at its limit' "$out"
result $? 'a search that ends at its limit is undecided'
"$LIN" -m search bad/acknowledged-and-lost.hist >"$out" 2>&1
[ $? = 3 ]
result $? 'what is not looked at is not ok'

results_end
