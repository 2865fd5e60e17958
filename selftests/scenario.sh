# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # T_DIR, C_PID are lib.sh's and cluster.sh's
#
# scenario.sh - what every group of three must survive, whatever its members are made of
#
# scenario NAME DATAPATH1 DATAPATH2 DATAPATH3: election, 500 values, the leader's agent
# killed under load, its return, the leader's cable cut and put back; after each step the
# logs are equal and every acknowledged value stands in its slot. Source lib.sh and
# cluster.sh first; call cluster_init first. Leaves the group running, LEADER set.

S_KIND=()

# Everybody has everything, and the same.
scenario_even()
{
	ok "$1: all members have applied all" wait_until 60 cluster_even 1 2 3
	ok "$1: all logs are equal" cluster_same_logs 1 2 3
}

# somebody_leads_but I
somebody_leads_but()
{
	local i
	for i in 1 2 3; do [ "$i" != "$1" ] && cluster_leads "$i" && LEADER=$i && return 0; done
	return 1
}

# Not by ok(): that runs in a subshell, and LEADER would be lost.
leader_is_there()
{
	if "${@:2}"; then pass "$1"; else fail "$1"; fi
}

scenario_elect()
{
	local name=$1 i out

	for i in 1 2 3; do cluster_start "$i" "${S_KIND[$i]}"; done
	leader_is_there "$name: a leader is elected" cluster_wait_leader 60
	out=$(cluster_log append first 2>&1)
	is "$name: a value gets the first slot" "$out" 1
	ok "$name: 500 values, 16 outstanding" \
		cluster_log append count 500 outstanding 16 size 64 quiet
	scenario_even "$name: then"
}

scenario_kill()
{
	local name=$1 old=$LEADER acked=$T_DIR/acked load

	rm -f "$acked"
	cluster_log append count 1000000 outstanding 8 seconds 10 size 32 prefix k keep-going \
		acked-file "$acked" quiet >"$T_DIR/load.log" 2>&1 &
	load=$!
	T_PIDS+=("$load")
	ok "$name: values are acknowledged" wait_until 30 test -s "$acked"
	cluster_kill "$old"
	leader_is_there "$name: leader killed: another member leads" wait_until 60 somebody_leads_but "$old"
	ok "$name: it commits without the dead one" cluster_log append after-kill
	cluster_start "$old" "${S_KIND[$old]}"
	wait "$load"
	diag "$name: $(wc -l <"$acked") values acknowledged around the kill"
	leader_is_there "$name: it returns and a leader stands" cluster_wait_leader 60
	ok "$name: and commits" wait_until 30 cluster_log append after-return
	scenario_even "$name: after the kill"
	ok "$name: every acknowledged value is in its slot" cluster_acked "$acked" "$LEADER"
}

scenario_cut()
{
	local name=$1 old

	cluster_wait_leader 60
	old=$LEADER
	cluster_cut "$old"
	leader_is_there "$name: leader isolated: the others elect" wait_until 60 somebody_leads_but "$old"
	ok "$name: and commit" paxsteer log -S "$(cluster_socket "$LEADER")" append isolated
	cluster_heal "$old"
	leader_is_there "$name: after healing one leads" cluster_wait_leader 60
	ok "$name: and commits after healing" wait_until 30 cluster_log append healed
	scenario_even "$name: after healing"
	cluster_wait_leader 60
}

scenario()
{
	local failed=$T_FAILED step

	S_KIND=('' "${@:2:3}")
	for step in scenario_elect scenario_kill scenario_cut; do
		$step "$1"
		[ "$T_FAILED" -eq "$failed" ] && continue
		cluster_logs 12
		return 1
	done
}

# The group ends, in agents and kernels.
scenario_end()
{
	local i

	for i in 1 2 3; do
		cluster_kill "$i" TERM
		[ "${S_KIND[$i]}" = user ] || on "n$i" paxsteer group del 1
	done
}
