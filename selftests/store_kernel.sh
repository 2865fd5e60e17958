#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# store_kernel.sh - a store of two groups whose logs are the module's, at all three members
#
#     n1 ── sw ── n2     pxs-n1, n2, n3: a member of both groups each, the store at 10.77.0.I:6379;
#           │            clients on the same hosts
#           n3
#
# The other store_* tests have the datapath in user space. Here: a transaction over both groups;
# a member that was away while the logs were trimmed takes another's checkpoint; agents die, and
# what was answered is there.
#
# check-kernels: 6.1

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need_module
need mkfs.ext4 python3 redis-cli
# shellcheck source=cluster.sh disable=SC1091
. "$(dirname "$0")/cluster.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
# shellcheck disable=SC2034  # cluster.sh's
C_GROUPS=2 C_ELECTION=5000	# a slow machine is no reason for another leader
export REDISCLI_AUTH=a-word-of-this-test

# What store_group.sh does with stores on loopback, with these.
redis() { on "n$1" redis-cli -h "10.77.0.$1" "${@:2}"; }
sockets() { cluster_sockets; }
to_member()	# to_member WHY I: it leads both
{
	local g
	for g in 1 2; do
		ok "$1: member $2 leads group $g" wait_until 60 hand_over "$2" $g || return
	done
}
# fill FIRST COUNT: keys of 4 KiB
fill()
{
	local i value
	printf -v value '%04096d' 7
	for ((i = $1; i < $1 + $2; i++)); do echo "SET key$i $value"; done |
		redis 1 | grep -cx OK
}
trim()	# trim I: a checkpoint, and all goes that may, of both groups
{
	local g slot i=0
	for slot in $(redis "$1" PAXSTEER CHECKPOINT); do
		g=$((++i))
		[[ $slot =~ ^[0-9]+$ ]] || return 1
		[ "$slot" -gt 128 ] || continue
		paxsteer log -S "$(cluster_socket "$1")" group $g trim to $((slot - 128)) force ||
			return 1
	done
}
says() { grep -q "$2" "$T_DIR/agent$1.log"; }

cluster_hosts 3
cluster_disk "$C_DIR" 512M
cluster_init v4
echo "$REDISCLI_AUTH" >"$C_DIR/word"
chmod 600 "$C_DIR/word"
for i in 1 2 3; do
	awk -v store="store { listen = \"10.77.0.$i:6379\" groups = {1, 2}
		password-file = \"$C_DIR/word\" checkpoint-entries = 0 checkpoint-seconds = 0 }" '
		/^group/ { g = $2; print; print "window = 64"; next }
		g == 2 { sub(/:7400"/, ":7401\"") }
		g == 1 && $1 == "member" { sub(/}$/, "store = \"10.77.0." $2 ":6379\" }") }
		g == 1 && /^}/ { print store }
		{ print }' "$C_DIR/n$i.conf" >"$C_DIR/conf" && mv "$C_DIR/conf" "$C_DIR/n$i.conf"
done
for i in 1 2 3; do cluster_start $i; done
to_member "at first" 1

# --- both groups ---
is "keys of both groups are written" "$(fill 0 40)" 40
both=$(printf '%s\n' MULTI "INCRBY "{a,b,c,d,e,f}" 5" "MGET a f" EXEC |
	redis 1 | tail -n 8 | words)
is "a transaction" "$both" "5 5 5 5 5 5 5 5"
like "is one over both" "$(redis 1 INFO paxsteer)" 'cross_committed:1'
even "at first"

# --- one that was away ---
cluster_kill 3
is "written without it" "$(fill 40 500)" 500
for i in 1 2; do ok "member $i trims" trim $i; done
cluster_start 3
ok "who was away knows what it lacks" wait_until 60 says 3 "are in no log any more"
ok "it takes a checkpoint" wait_until 60 says 3 "goes on from member"
even "it was away"

# --- agents die ---
cluster_kill 1
to_member "member 1 is dead" 2
is "what was answered is there" "$(redis 2 MGET a b c f | words)" "5 5 5 5"
is "and nothing else" "$(redis 2 DBSIZE)" 546
is "and more is taken" "$(redis 2 INCR a)" 6
cluster_start 1
even "it comes back"
for i in 1 2 3; do cluster_kill $i TERM; done
for i in 1 2 3; do ok "member $i's journal is whole" paxsteer journal verify "$C_DIR/n$i"; done
done_testing
