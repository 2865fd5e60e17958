# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# lib.sh - what the shell tests share: TAP, hosts, waiting, ending
#
# A test sources this, draws its topology, calls ok/is/like..., and ends with done_testing.
# Hosts are network namespaces named pxs-NAME; everything a test starts with start() is
# ended when it ends, and its hosts go with it. PXS_NO_SKIP=1 makes a skip a failure,
# PXS_FAIL_FAST=1 ends a test at its first one.

set -u
TOP=${PXS_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
PXS_BUILD=${PXS_BUILD:-$TOP/build}
export PATH="$PXS_BUILD:$PATH" LC_ALL=C.UTF-8

T_COUNT=0 T_FAILED=0 T_HOSTS=() T_EXIT=()
T_DIR=$(mktemp -d "${TMPDIR:-/tmp}/pxs-test.XXXXXX")

diag() { printf '%s\n' "$@" | sed 's/^/# /'; }

# pass NAME / fail NAME [WHY...]
pass() { T_COUNT=$((T_COUNT + 1)); echo "ok $T_COUNT - $1"; }
fail()
{
	T_COUNT=$((T_COUNT + 1)) T_FAILED=$((T_FAILED + 1))
	echo "not ok $T_COUNT - $1"
	[ $# -lt 2 ] || diag "${@:2}"
	[ -z "${PXS_FAIL_FAST:-}" ] || bail "the first failure ends it"
	return 0
}

skip()
{
	if [ "${PXS_NO_SKIP:-}" = 1 ]; then
		fail "$1" "skipped, where a skip is a failure: ${2:-}"
	else
		T_COUNT=$((T_COUNT + 1))
		echo "ok $T_COUNT - $1 # SKIP ${2:-}"
	fi
}

# ok NAME COMMAND...: the command succeeds
ok()
{
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "$*" "$out"; fi
}

# is NAME GOT WANTED, like NAME GOT REGEX
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi; }
like()
{
	if [[ $2 =~ $3 ]]; then pass "$1"; else fail "$1" "got: $2" "wanted to match: $3"; fi
}

# refused NAME REGEX COMMAND...: the command fails, and its words match
refused()
{
	local name=$1 regex=$2 out
	shift 2
	if out=$("$@" 2>&1); then
		fail "$name" "succeeded: $*" "$out"
	else
		like "$name" "$out" "$regex"
	fi
}

done_testing()
{
	echo "1..$T_COUNT"
	[ $T_FAILED -eq 0 ]
	exit $?
}

bail() { echo "Bail out! $*"; exit 1; }

# need COMMAND...: without them nothing here can run
need()
{
	local c
	for c; do
		command -v "$c" >/dev/null || {
			[ "${PXS_NO_SKIP:-}" = 1 ] && bail "needs $c"
			echo "1..0 # SKIP needs $c"
			exit 4
		}
	done
}

need_root() { [ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 4; }; }

need_module()
{
	need_root
	[ -d /sys/module/paxsteer ] || modprobe -q paxsteer 2>/dev/null ||
		{ echo "1..0 # SKIP needs the module"; exit 4; }
}

# Seconds of a clock that never leaps, as SECONDS does with the machine's time.
uptime_s()
{
	local now
	read -r now _ </proc/uptime
	echo "${now%.*}"
}

# wait_until SECONDS COMMAND...: poll a condition; never a blind sleep. On a slow kernel seconds
# are long, and in an emulated machine it is a minute at least: a limit says when to give up, not
# how fast a machine is that others use, too.
wait_until()
{
	# Not "n" or "end": the condition would see these, and not the test's own.
	local wait_until_n=$1 wait_until_end
	[ -z "${PXS_KERNEL:-}" ] || [ "$wait_until_n" -ge 60 ] || wait_until_n=60
	wait_until_end=$(($(uptime_s) + wait_until_n * ${PXS_SLOW:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(uptime_s)" -lt "$wait_until_end" ] || return 1
		sleep 0.05
	done
}

# start NAME COMMAND...: in the background, log in $T_DIR/NAME.log; $! is in START_PID
start()
{
	local log=$T_DIR/$1.log
	shift
	# Here, not in the child alone: who waits for a word must not find the last one's.
	: >"$log"
	"$@" >"$log" 2>&1 </dev/null &
	# shellcheck disable=SC2034  # for the test
	START_PID=$!
}

# start_on HOST NAME COMMAND...: the same on a host; START_PID is the command itself
start_on()
{
	local h=$1 n=$2
	shift 2
	start "$n" ip netns exec "pxs-$h" "$@"
}

# stop PID [SIGNAL]: end it and wait until it is gone
stop()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

# stop_all [PID]: at once, whatever runs but this one
stop_all()
{
	local p
	for p in $(jobs -pr); do [ "$p" = "${1:-}" ] || stop "$p" KILL; done
}

at_exit() { T_EXIT+=("$1"); }

cleanup()
{
	local rc=$? p h c left
	for c in "${T_EXIT[@]}"; do eval "$c"; done
	# Not all that ever ran: who ended is gone, and its number may be somebody else's by now.
	mapfile -t left < <(jobs -pr)
	for p in "${left[@]}"; do kill -9 "$p" 2>/dev/null; done
	for p in "${left[@]}"; do wait "$p" 2>/dev/null; done
	for h in "${T_HOSTS[@]}"; do ip netns del "pxs-$h" 2>/dev/null; done
	rm -rf "$T_DIR"
	exit $rc
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# on HOST COMMAND...
on() { local h=$1; shift; ip netns exec "pxs-$h" "$@"; }

# host NAME: a network namespace with lo up
host()
{
	ip netns add "pxs-$1" || bail "cannot make namespace pxs-$1"
	T_HOSTS+=("$1")
	ip -n "pxs-$1" link set lo up
	ip netns exec "pxs-$1" sh -c 'cd /proc/sys/net/ipv6/conf &&
		echo 0 >all/accept_dad && echo 0 >default/accept_dad'
}

# What one end of a cable needs, for ip -batch. Starting programs is what emulation is slow at.
end_of_cable()
{
	local a nodad
	for a in ${2//,/ }; do
		# Only IPv6 looks for duplicates.
		if [[ $a == *:* ]]; then nodad=nodad; else nodad=; fi
		echo "addr add $a dev $1 $nodad"
	done
	echo "link set $1 up"
}

# link A DEVA ADDRS B DEVB ADDRS: a cable; ADDRS are comma-separated, with prefix lengths
link()
{
	{
		echo "link add $2 type veth peer name $5 netns pxs-$4"
		end_of_cable "$2" "$3"
	} | ip -n "pxs-$1" -batch - || bail "cannot lay a cable at pxs-$1"
	end_of_cable "$5" "$6" | ip -n "pxs-$4" -batch - || bail "cannot lay a cable at pxs-$4"
}

# unplugged HOST DEVICE: its cable is gone with the namespace of its other end, and that goes when
# nothing holds it any more; its name is gone as soon as it is told to
unplugged()
{
	local links
	links=$(ip -n "pxs-$1" -o link) && [[ $links != *" $2@"* ]]
}

# take_ports: the first of 100 ports of this host into T_PORTS. No other test has them as long as
# this one or what it started runs, and they are below the range that the kernel takes for clients.
take_ports()
{
	local i file lock
	for ((i = 0; i < 200; i++)); do
		T_PORTS=$((12000 + ($$ + i) % 200 * 100))
		file=/tmp/pxs-ports.$T_PORTS
		# It may be another user's: to be made once, and then to be read.
		[ -e "$file" ] || : >"$file"
		exec {lock}<"$file" || continue
		! flock -n "$lock" || return 0
		exec {lock}<&-
	done
	bail "other tests have all ports"
}

# prog NAME [GCC-ARGUMENT...]: path of a test's own C program, selftests/NAME.c, built here
# if "make progs" did not; prog_core NAME [FILE...]: one that uses the core
prog()
{
	local bin=$PXS_BUILD/selftests/$1
	if [ ! -x "$bin" ]; then
		bin=$T_DIR/$1
		[ -x "$bin" ] ||
			gcc -O2 -I"$TOP/uapi" -o "$bin" "$TOP/selftests/$1.c" "${@:2}" >&2 ||
			return 1
	fi
	echo "$bin"
}

prog_core() { prog "$1" -I"$TOP/kmod/core" "${@:2}" -lb2; }

# lin ARGS...: the history checker, selftests/lin; built here if nobody did
lin()
{
	local bin=$TOP/build/lin

	# What make says of clocks that leap stands in nobody's way.
	make -s -C "$TOP/selftests/lin" >"$T_DIR/lin.make" 2>&1 || {
		bin=$T_DIR/lin
		make -s -C "$TOP/selftests/lin" OUT="$bin" >"$T_DIR/lin.make" 2>&1 ||
			{ cat "$T_DIR/lin.make" >&2; return 1; }
	}
	"$bin/lin" "$@"
}

# lin_entries MEMBER: a member's log ("tail hash noops") as entries of a history
lin_entries()
{
	awk -v m="$1" 'NF == 3 { print m, "- - entry 1", $2 ":" $3, "-", $1; next }
		{ print m, "- - entry 1 - -", $1 }'
}

# json EXPRESSION: evaluate over standard input as d
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
