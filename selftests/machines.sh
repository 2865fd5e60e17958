# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# machines.sh - directories that stand for machines of a cluster on this host
#
# What `paxsteer cluster` makes for machine I lies in $D/I. Its ports begin at S_PORT, which a test
# sets first. No root, no module.

# shellcheck disable=SC2154  # lib.sh sets T_DIR, the test S_PORT
D=$T_DIR/cluster
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
