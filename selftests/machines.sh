# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # lib.sh sets T_DIR, the test S_PORT and reads PID
#
# machines.sh - directories that stand for machines of a cluster on this host
#
# What `paxsteer cluster` makes for machine I lies in $D/I. Its ports begin at S_PORT, which a test
# sets first. No root, no module.

D=$T_DIR/cluster
declare -A PID
mkdir -p "$D"
port() { echo $((S_PORT + 30 + $1)); }
word() { echo "$1=127.0.0.1:$((S_PORT + 20 + $1)),$(port "$1")"; }
machine()	# machine I: words for its files
{
	MACHINE=(etc "$D/$1/etc" journal "$D/$1/state/journal" socket "$D/$1/sock"
		user "$(id -un)" segment-size 1048576)
	mkdir -p "$D/$1"
}
join() { machine "$2"; paxsteer cluster join "$1" self "$2" "${MACHINE[@]}" "${@:3}"; }
client() { local i=$1; shift; redis-cli -p "$(port "$i")" "$@" 2>&1; }
# Machine I's daemon begins.
run() { start "node$1" paxsteerd -c "$D/$1/etc/paxsteerd.conf"; PID[$1]=$START_PID; }
# dies N COMMAND...: it has said N lines, and dies by the next; who hears it is there already.
# They are in $D/said
dies()
{
	local n line pid
	rm -f "$D/fifo"
	mkfifo "$D/fifo"
	"${@:2}" 2>"$D/fifo" >/dev/null &
	pid=$!
	exec 3<"$D/fifo"
	for ((n = 0; n < $1; n++)); do IFS= read -r line <&3 && echo "$line"; done >"$D/said"
	exec 3<&-
	wait $pid
}

# --- a store of several groups --------------------------------------------------------

# How many transactions over groups member I has committed; more I N; even I...: all have the same
committed() { client "$1" INFO paxsteer | tr -d '\r' | sed -n 's/^cross_committed://p'; }
more() { [ "$(committed "$1")" -gt "$2" ]; }
even()
{
	local i want
	want=$(client "$1" PAXSTEER DIGEST)
	for i; do [ "$(client "$i" PAXSTEER DIGEST)" = "$want" ] || return; done
	[[ $want =~ [0-9a-f]{32} ]]
}
