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

# reads_see_acked ACKED-FILE: what was acknowledged before a read index was asked for is not above it
reads_see_acked()
{
	local i before index

	for i in 1 2 3 4 5 6 7 8; do
		before=$(awk '$1 > top { top = $1 } END { print top + 0 }' "$1")
		index=$(cluster_log read-index) || return 1
		if [ "$index" -lt "$before" ]; then
			echo "read index $index; slot $before was acknowledged before"
			return 1
		fi
	done
}

# reads_alone SLOT: five reads of SLOT or later, for which a leader wrote nothing (a new one would);
# READS and LEASED are how many asked a quorum and how many a lease answered, LOW is one too low
reads_alone()
{
	local lsn index i

	cluster_find_leader && lsn=$(cluster_journal "$LEADER" last_lsn) &&
		READS=$(cluster_get "$LEADER" read_rounds) &&
		LEASED=$(cluster_get "$LEADER" lease_reads) || return
	for i in 1 2 3 4 5; do
		index=$(cluster_log read-index) || return
		[ "$index" -ge "$1" ] || LOW=$index
	done
	READS=$(($(cluster_get "$LEADER" read_rounds) - READS))
	LEASED=$(($(cluster_get "$LEADER" lease_reads) - LEASED))
	[ "$(cluster_journal "$LEADER" last_lsn)" = "$lsn" ]
}

# Of reads that come at once, those behind the first round's end: on a slow machine a lease that one
# begins is over before the next program has started.
lease_answers()
{
	local before pids=() i

	cluster_find_leader && before=$(cluster_get "$LEADER" lease_reads) || return
	for i in 1 2 3 4 5 6; do
		cluster_log read-index >/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cluster_get "$LEADER" lease_reads)" -gt "$before" ]
}

# The read index is exact while nothing happens, costs no record, and holds under load.
scenario_read()
{
	local name=$1 acked=$T_DIR/acked-read slot load LOW=

	rm -f "$acked"
	slot=$(scenario_append read 2>&1)
	is "$name: the read index is the slot of what was appended last" \
		"$(cluster_log read-index)" "$slot"
	is "$name: in JSON" "$(paxsteer -j log -S "$(cluster_sockets)" read-index)" \
		"{\"group\":1,\"slot\":$slot}"
	refused "$name: no member that follows tells one" "no leader at these sockets" \
		paxsteer log -S "$(cluster_socket $((LEADER % 3 + 1)))" read-index timeout 300
	leader_is_there "$name: nothing was written for it" wait_until 60 reads_alone "$slot"
	is "$name: no read index was lower" "$LOW" ""
	diag "$name: 5 reads, $READS rounds, $LEASED answered by a lease"
	if [ "$C_LEASE" = 0 ]; then
		is "$name: a quorum was asked each time" "$READS $LEASED" "5 0"
	else
		ok "$name: the lease answers, without a question" wait_until 60 lease_answers
	fi
	cluster_append read count 1000000 outstanding 8 seconds 2 size 32 quiet \
		acked-file "$acked" history "$S_HISTORY"
	load=$START_PID
	wait_until 30 test -s "$acked"
	ok "$name: under load it holds what was acknowledged" reads_see_acked "$acked"
	wait "$load"
	is "$name: and the load goes on" $? 0
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
	local name=$1 old cut read index

	cluster_wait_leader 60
	old=$LEADER
	cluster_cut "$old"
	# It still believes that it leads: what becomes of these nobody knows yet.
	start cut paxsteer log -S "$(cluster_socket "$old")" append count 4 outstanding 4 prefix cut \
		history "$S_HISTORY" quiet
	cut=$START_PID
	start cut-read paxsteer log -S "$(cluster_socket "$old")" read-index timeout 3000
	read=$START_PID
	leader_is_there "$name: leader isolated: the others elect" wait_until 60 somebody_leads_but "$old"
	ok "$name: and commit" paxsteer log -S "$(cluster_socket "$LEADER")" append isolated \
		history "$S_HISTORY"
	# It would miss what was just appended.
	wait "$read"
	is "$name: the isolated leader tells no read index" $(($? != 0)) 1
	index=$(paxsteer log -S "$(cluster_socket "$LEADER")" read-index)
	ok "$name: its successor does" test "${index:-0}" -ge "$(cluster_get "$LEADER" applied)"
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
	for step in scenario_elect scenario_read scenario_kill scenario_cut scenario_history; do
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
