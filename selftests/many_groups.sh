#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# many_groups.sh - a node with a thousand groups: one socket, one journal, one set of timers
#
# Three daemons of members.sh with PXS_GROUPS groups (1000; PXS_SHORT=1: 200). Each group has a
# leader, takes values beside all others in flushes that they share, and another leader when the
# process of its own is killed; all logs are equal then. What a group costs that nobody asks for
# anything is measured: time of a processor, memory, datagrams.
#
#   PXS_DATAPATH=kernel      in a virtual machine; as emulation is slow, with heartbeats of a
#                            second, values to 50 of the groups, no bars of time
#
# limit: 900
# shellcheck disable=SC2034  # members.sh reads M_...

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
need paxsteer paxsteerd python3

N=${PXS_GROUPS:-$([ "${PXS_SHORT:-}" = 1 ] && echo 200 || echo 1000)}
IDLE=10			# seconds in which nothing is asked
MOST=1024		# groups of a node
ASKED=$N
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"
if [ "$M_DATAPATH" = kernel ]; then
	M_HEARTBEAT=1000 M_ELECTION=10000
	ASKED=$((N < 50 ? N : 50))
fi
members_make
configure() { M_GROUPS=$1; for i in 1 2 3; do config $i >"$D/$i.conf"; done; }

# status I EXPRESSION: of member I's status d, with its groups g
status()
{
	paxsteer -j log -S "$D/$1.sock" status 2>/dev/null |
		json "(lambda g: $2)(d['groups'])" 2>/dev/null || echo 0
}
# leads I...: how many groups they lead and may answer for
leads()
{
	local i n=0
	for i in "$@"; do n=$((n + $(status "$i" "sum(x['ready'] for x in g)"))); done
	echo $n
}
all_lead() { [ "$(leads "$@")" = "$N" ]; }
# have_applied I...: in all groups all that any of the three knows to be decided
have_applied()
{
	local i
	for i in 1 2 3; do
		status "$i" "' '.join(str(max(x['known'], x['commit'])) for x in g)"
	done >"$D/known"
	for i in "$@"; do
		status "$i" "' '.join(str(x['applied']) for x in g)"
	done >"$D/applied"
	python3 - "$D/known" "$D/applied" "$N" <<-'END'
		import sys
		known, applied = ([list(map(int, l.split())) for l in open(p)]
				  for p in sys.argv[1:3])
		most = [max(c) for c in zip(*known)]
		sys.exit(len(most) != int(sys.argv[3]) or any(a != most for a in applied))
	END
}
# each_group AT ARGS...: `log -S AT group N ARGS` for each that is asked, 16 at once; lines
# "N OUTPUT"
each_group()
{
	# shellcheck disable=SC2016  # of the shells that it starts
	seq 1 $((N / ASKED)) "$N" | xargs -P 16 -n 1 bash -c '
		g=${!#}; o=$(paxsteer log -S "$1" group "$g" "${@:2:$#-2}" 2>&1) || o="failed: $o"
		echo "$g" $o' each "$@" | sort -n
}
stats_of_three() { cat "/proc/${PID[1]}/$1" "/proc/${PID[2]}/$1" "/proc/${PID[3]}/$1"; }
ticks() { stats_of_three stat | awk '{ sub(/.*\) /, ""); n += $12 + $13 } END { print n }'; }
memory() { stats_of_three status | awk '/VmRSS/ { n += $2 } END { print n }'; }
datagrams() { awk '/^Udp: [0-9]/ { print $5 }' /proc/net/snmp; }
flushes() { status "$1" "d['journal']['flushes']"; }
bar()
{
	echo "bar: many-groups-$1 $2 wanted <=$3 $([ "$2" -le "$3" ] && echo met || echo missed)"
}

configure $((MOST + 1))
refused "a node has not more than $MOST groups" "has $((MOST + 1)) groups; a node has 1..$MOST" \
	paxsteerd -c "$D/1.conf" --check
configure "$N"
t0=$SECONDS
for i in 1 2 3; do run $i; done
if ! wait_until 120 all_lead 1 2 3; then
	fail "each group has a leader" "$(leads 1 2 3) of $N" "$(tail -n 5 "$T_DIR"/agent?.log)"
	done_testing
fi
pass "each group has a leader"
diag "$N groups, led after $((SECONDS - t0)) s by 1, 2, 3: $(leads 1), $(leads 2), $(leads 3)"

# --- nothing is asked ---
t=$(ticks) d=$(datagrams) f=$(flushes 1) ms=$(date +%s%3N)
sleep $IDLE
t=$(($(ticks) - t)) d=$(($(datagrams) - d)) ms=$(($(date +%s%3N) - ms))
us=$((t * 1000000000 / ($(getconf CLK_TCK) * ms * N * 3)))
kib=$(($(memory) / N / 3))
is "groups of which nothing is asked flush nothing" "$(flushes 1)" "$f"
is "and keep their leaders" "$(leads 1 2 3)" "$N"
diag "in $ms ms: $t ticks of a processor, $d datagrams; $(memory) KiB in three processes"

# --- values ---
f=$(flushes 1) all=$D/1.sock,$D/2.sock,$D/3.sock
each_group "$all" append count 4 outstanding 4 >"$D/slots"
is "each group takes four values" "$(grep -c 'appended 4 of 4' "$D/slots")" "$ASKED"
f=$(($(flushes 1) - f))
diag "$((ASKED * 4)) values of $ASKED groups: $f flushes at member 1"

# --- a process is killed that leads some, or all ---
for victim in 1 2 3; do [ "$(leads $victim)" -ge $((N / 3)) ] && break; done
others=$(echo 1 2 3 | tr -d "$victim")
stop "${PID[$victim]}" KILL
t0=$SECONDS
# shellcheck disable=SC2086  # words
if wait_until 120 all_lead $others; then
	pass "the other two lead all groups"
	diag "after $((SECONDS - t0)) s"
else
	fail "the other two lead all groups" "$(leads $others) of $N"
fi
each_group "$all" append five >"$D/slots"
is "and take values" "$(grep -cE '^[0-9]+ [0-9]+$' "$D/slots")" "$ASKED"
run $victim
ok "who was killed has all of them again" wait_until 120 have_applied 1 2 3
for i in 1 2 3; do each_group "$D/$i.sock" tail hash >"$D/log$i"; done
five='^[0-9]+( [0-9]+ [0-9a-f]{16} [0-9]+){5}$'
is "each group has five values" "$(grep -cE "$five" "$D/log1")" "$ASKED"
ok "member 2 has the logs of member 1" cmp "$D/log1" "$D/log2"
ok "member 3 has the logs of member 1" cmp "$D/log1" "$D/log3"

if [ "${PXS_DATAPATH:-}" != kernel ]; then
	# Two followers are told in each heartbeat, and answer; others send here as well.
	bar datagrams-per-idle-group $((d * 1000 / ms / N)) $((4 * 1000 / M_HEARTBEAT * 11 / 10))
	bar us-per-idle-group-and-second $us 500
fi
bar kib-per-group $kib 512
bar percent-of-a-flush-per-value $((f * 100 / (ASKED * 4))) 100
done_testing
