#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh - the model checkers' runs, one after the other
#
#   run.sh --short | --full   what "make check" and "make model" run
#   run.sh NAME...            by name
#   run.sh --build NAME       only build it
#   run.sh --list             names, form, what they cover
#
# One line of TAP and some bars for each; a SPIN run must be complete, must have met every
# kind of event, and fit into its depth; a CBMC run must prove every property, the bounds
# of its loops among them. Without CBMC its runs are skipped by name. Ends with
# "N passed, N failed, N skipped".

set -u -o pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
OUT=${OUT:-$TOP/build/model}
passed=0 failed=0 skipped=0

# name, form (short, full, never: by name only), events, scope: see scope.h and world.c
SPIN=(
"acceptors short 87  -DBALLOTS=3 -DCOUNT=0 -DLEARN=0"
"votes     short 93  -DBALLOTS=3 -DCOUNT=1 -DLEARN=0"
"owners    short 93  -DBALLOTS=3 -DCOUNT=1 -DLEARN=0 -DOWNERS=2"
"flexible  full  93  -DBALLOTS=3 -DCOUNT=1 -DLEARN=0 -DPHASE1=3 -DPHASE2=1"
"slots     full  91  -DBALLOTS=2 -DCOUNT=0 -DLEARN=0 -DSLOTS=2"
)
# Loops over the window end with it.
LOOPS="--unwindset pxs_window_advance.0:5,pxs_acceptor_commit.0:5,pxs_acceptor_answer.0:5"
# name, form, harness in cbmc/, loop bound, files of kmod/core (-: it includes them), options
CBMC=(
"cbmc-quorum  short quorum 9 quorum"
"cbmc-append  short stage  5 record -DEVENT=0"
"cbmc-durable full  stage  5 record -DEVENT=1"
"cbmc-attach  full  stage  5 record -DEVENT=2"
"cbmc-send    short stage  5 record -DEVENT=3"
"cbmc-fail    short stage  5 record -DEVENT=4"
"cbmc-learn   short acceptor 9 - -DEVENT=2 $LOOPS"
"cbmc-commit  short acceptor 9 - -DEVENT=3 $LOOPS"
# Not finished: never seen to end (prepare: 18 minutes of CPU), so they are run by name only.
"cbmc-prepare never acceptor 9 - -DEVENT=0 $LOOPS"
"cbmc-accept  never acceptor 9 - -DEVENT=1 $LOOPS"
)

say() { printf '%s\n' "$*"; }

ok()
{
	say "ok - $*"
	passed=$((passed + 1))
}

not_ok()
{
	say "not ok - $1"
	failed=$((failed + 1))
}

bar() { say "bar: $1 $2 wanted $3 $4"; }

# Names of the kinds of events that this scope must have met at least once.
kinds()
{
	local k="stand lead propose prepare accept refuse durable crash agent"

	[[ " $* " == *" -DCOUNT=0 "* ]] || k+=" accepted"
	[[ " $* " == *" -DLEARN=0 "* ]] || k+=" heartbeat learn learn-req"
	echo "$k"
}

# The number behind a word in pan's report.
after_word() { sed -n "s/.* $1 \([0-9]*\).*/\1/p" "$2" | head -n 1; }

build_spin()
{
	mkdir -p "$OUT/$1"
	make -s -C "$HERE" "$OUT/$1/pan" OUT="$OUT" NAME="$1" EVENTS="$3" SCOPE="${*:4}"
}

run_spin()
{
	local name=$1 scope="${*:4}" dir=$OUT/$1 log=$OUT/$1/pan.log
	local errors states depth secs mb why="" k

	mkdir -p "$dir"
	if ! build_spin "$@" >"$log" 2>&1; then
		sed 's/^/# /' "$log" | tail -n 10
		not_ok "spin $name: it can't be built"
		return
	fi
	rm -f "$dir"/*.trail
	(cd "$dir" && TIMEFORMAT='cpu %U' && time ./pan -m2000000 -w25) >"$log" 2>&1
	errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$log")
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored$/\1/p' "$log")
	depth=$(sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' "$log")
	mb=$(sed -n 's/^ *\([0-9]*\).*total actual memory usage.*/\1/p' "$log")
	secs=$(sed -n 's/^cpu //p' "$log" | tail -n 1)
	if [ "${errors:-1}" != 0 ]; then
		why=$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' "$log" | head -n 1)
		[ -n "$why" ] || why="pan ended early: $(tail -n 1 "$log")"
	elif grep -qE 'Search not completed|max search depth too small|out of memory' "$log"; then
		why="not exhaustive"
	fi
	for k in $(kinds "$scope"); do
		[ -n "$why" ] || [ "$(after_word "$k" "$log")" != 0 ] ||
			why="no event of the kind $k was met: the model shows nothing"
	done
	say "# spin $name: $(grep -h '^model: [0-9]' "$log" | sed 's/^model: //')"
	if [ -z "$why" ]; then
		ok "spin $name: $states states, depth $depth, $secs s CPU, $mb MB;" \
			"3 members, ${scope//-D/}"
		bar "spin-$name-violations" 0 0 met
	else
		not_ok "spin $name: $why (make -C selftests/model trace W=$name)"
		bar "spin-$name-violations" 1 0 missed
	fi
}

CHECKS=(--bounds-check --pointer-check --signed-overflow-check --conversion-check
	--unwinding-assertions --slice-formula --sat-solver cadical)

run_cbmc()
{
	local name=$1 bound=$4 core=$5 dir=$OUT/$1 log=$OUT/$1/cbmc.log
	local f secs all files=("$HERE/cbmc/$3.c") why=""

	mkdir -p "$dir"
	for f in ${core//,/ }; do
		[ "$f" = - ] || files+=("$TOP/kmod/core/$f.c")
	done
	(TIMEFORMAT='cpu %U' && time "$HERE/cbmc.sh" run "${files[@]}" "${@:6}" -I"$HERE/cbmc" \
		-I"$TOP/uapi" -I"$TOP/kmod/core" --unwind "$bound" "${CHECKS[@]}") >"$log" 2>&1
	secs=$(sed -n 's/^cpu //p' "$log" | tail -n 1)
	all=$(sed -n 's/^\*\* [0-9]* of \([0-9]*\) failed.*/\1/p' "$log" | tail -n 1)
	if ! grep -qx 'VERIFICATION SUCCESSFUL' "$log"; then
		why=$(grep ': FAILURE$' "$log" | head -n 2 |
			sed 's/^\[[^]]*\] line [0-9]* //; s/: FAILURE$//' | paste -sd';')
		[ -n "$why" ] || why="cbmc ended early: $(tail -n 2 "$log" | paste -sd' ')"
	fi
	if [ -z "$why" ]; then
		ok "cbmc ${name#cbmc-}: $all properties hold, loops at most $bound," \
			"$secs s CPU ${6:-}"
		bar "$name-properties-failed" 0 0 met
	else
		not_ok "cbmc ${name#cbmc-}: $why"
		bar "$name-properties-failed" "$(grep -c ': FAILURE$' "$log")" 0 missed
	fi
}

have_cbmc()
{
	[ -z "${cbmc:-}" ] || return "$cbmc"
	"$HERE/cbmc.sh" fetch
	cbmc=$?
	return "$cbmc"
}

list()
{
	printf 'spin %s\n' "${SPIN[@]}"
	[ ${#CBMC[@]} -eq 0 ] || printf 'cbmc %s\n' "${CBMC[@]}"
}

# Is a line of a table wanted? $1 its name, $2 its form.
wanted()
{
	local w

	for w in "${asked[@]}"; do
		case $w in
		--full)	[ "$2" != never ] && return 0 ;;
		--short) [ "$2" = short ] && return 0 ;;
		"$1")	return 0 ;;
		esac
	done
	return 1
}

asked=("$@")
build=
case ${1:-} in
--build) build=1 ;;
--list)	list; exit 0 ;;
'')	sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
for line in "${SPIN[@]}"; do
	# shellcheck disable=SC2086  # words
	set -- $line
	wanted "$1" "$2" || continue
	if [ -n "$build" ]; then
		build_spin "$@"
		exit
	fi
	run_spin "$@"
done
for line in "${CBMC[@]}"; do
	# shellcheck disable=SC2086  # words
	set -- $line
	wanted "$1" "$2" || continue
	[ -z "$build" ] || exit 0
	if have_cbmc; then
		run_cbmc "$@"
	else
		say "ok - cbmc $1 # SKIP cbmc is not in Debian 12 and could not be fetched"
		skipped=$((skipped + 1))
	fi
done
[ $((passed + failed + skipped)) -gt 0 ] || { echo "run.sh: nothing of that name" >&2; exit 2; }
say "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
