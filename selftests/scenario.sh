# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # T_DIR, C_PID are lib.sh's and cluster.sh's
#
# scenario.sh - what every group of three must survive, whatever its members are made of
#
# scenario NAME DATAPATH1 DATAPATH2 DATAPATH3: election, 500 values, the leader's agent
# killed under load, its return, the leader's cable cut and put back; after each step the
# logs are equal and every acknowledged value stands in its slot. What those who append and those
# who follow saw is a history, which the checker of selftests/lin judges. Source lib.sh and
# cluster.sh first; call cluster_init first. Leaves the group running, LEADER set.

S_KIND=()
S_HISTORY=

# scenario_append ARGS...: through the leader, into the history
scenario_append() { cluster_log append history "$S_HISTORY" "$@"; }

# All that was seen, and what the members hold in the end.
scenario_history()
{
	local i out

	for i in 1 2 3; do
		paxsteer log -S "$(cluster_socket "$i")" tail hash noops | lin_entries "$i"
	done >>"$S_HISTORY"
	out=$(lin "$S_HISTORY" 2>&1)
	like "$1: the history is linearizable" "$out" '^ok: [0-9]+ operations'
	diag "$1: $out"
}

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
	out=$(scenario_append first 2>&1)
	is "$name: a value gets the first slot" "$out" 1
	ok "$name: 500 values, 16 outstanding" \
		scenario_append count 500 outstanding 16 size 64 quiet
	scenario_even "$name: then"
}

scenario_kill()
{
	local name=$1 old=$LEADER acked=$T_DIR/acked i load p loads=() follow=()

	rm -f "$acked"
	for i in 1 2 3; do
		start "follow$i" paxsteer log -S "$(cluster_socket "$i")" tail follow hash \
			history "$S_HISTORY"
		follow+=("$START_PID")
	done
	for load in k l; do
		start "load-$load" paxsteer log -S "$(cluster_sockets)" append count 1000000 \
			outstanding 4 seconds 10 size 32 prefix $load keep-going timeout 60000 \
			acked-file "$acked" history "$S_HISTORY" quiet
		loads+=("$START_PID")
	done
	ok "$name: values are acknowledged" wait_until 30 test -s "$acked"
	cluster_kill "$old"
	leader_is_there "$name: leader killed: another member leads" wait_until 60 somebody_leads_but "$old"
	ok "$name: it commits without the dead one" scenario_append after-kill
	cluster_start "$old" "${S_KIND[$old]}"
	for p in "${loads[@]}"; do
		wait "$p"
		is "$name: a load under way goes on" $? 0
	done
	for p in "${follow[@]}"; do stop "$p"; done
	diag "$name: $(wc -l <"$acked") values acknowledged around the kill"
	leader_is_there "$name: it returns and a leader stands" cluster_wait_leader 60
	ok "$name: and commits" wait_until 30 scenario_append after-return
	scenario_even "$name: after the kill"
	ok "$name: every acknowledged value is in its slot" cluster_acked "$acked" "$LEADER"
}

# over PID: it has ended
over() { ! kill -0 "$1" 2>/dev/null; }

scenario_cut()
{
	local name=$1 old cut

	cluster_wait_leader 60
	old=$LEADER
	cluster_cut "$old"
	# It still believes that it leads: what becomes of these nobody knows yet.
	start cut paxsteer log -S "$(cluster_socket "$old")" append count 4 outstanding 4 prefix cut \
		history "$S_HISTORY" quiet
	cut=$START_PID
	leader_is_there "$name: leader isolated: the others elect" wait_until 60 somebody_leads_but "$old"
	ok "$name: and commit" paxsteer log -S "$(cluster_socket "$LEADER")" append isolated \
		history "$S_HISTORY"
	cluster_heal "$old"
	leader_is_there "$name: after healing one leads" cluster_wait_leader 60
	ok "$name: and commits after healing" wait_until 30 scenario_append healed
	ok "$name: who asked the isolated leader is answered" wait_until 60 over "$cut"
	scenario_even "$name: after healing"
	cluster_wait_leader 60
}

scenario()
{
	local failed=$T_FAILED step

	S_KIND=('' "${@:2:3}")
	S_HISTORY=$T_DIR/history
	rm -f "$S_HISTORY"
	for step in scenario_elect scenario_kill scenario_cut scenario_history; do
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
