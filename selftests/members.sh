# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # T_DIR is lib.sh's; PID is the test's, too
#
# members.sh - three daemons with the datapath in user space, on loopback, for tests
#
#     paxsteerd 1 ── 127.0.0.1:PORT+1..3 ── paxsteerd 2, 3        sockets: $D/1.sock ...
#
# Group 1, or groups 1 to M_GROUPS, all at the same addresses.
# No root, no module, no namespaces. Source lib.sh and rotate.sh first.
#
# PXS_DATAPATH=kernel, in a virtual machine: each of them on a host of its own (cluster.sh: n1,
# n2, n3), with the datapath in the module.

UUID=0d6c8a54-5f3b-4c55-9c1e-6a4d9f0b7a11
take_ports
PORT=$T_PORTS
D=$T_DIR/agents
M_GROUPS=1 M_HEARTBEAT=100 M_ELECTION=1000
M_DATAPATH=${PXS_DATAPATH:-user}
declare -a PID M_IP=('' 127.0.0.1 127.0.0.1 127.0.0.1)
if [ "$M_DATAPATH" = kernel ]; then
	need_module
	# shellcheck source=cluster.sh disable=SC1091
	. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
	cluster_hosts 3
	cluster_disk "$D" 512M
	M_IP=('' 10.77.0.1 10.77.0.2 10.77.0.3)
fi
mkdir -p "$D"

config()	# config I: of member I, for the journals that are there
{
	local g j
	printf 'node { cluster = "%s" key-file = "%s" journal = "%s" socket = "%s" %s }\n' \
		$UUID "$D/key" "$D/j$1" "$D/$1.sock" "datapath = \"$M_DATAPATH\""
	for ((g = 1; g <= M_GROUPS; g++)); do
		printf 'group %d { self = %d heartbeat = %d election = %d\n' $g "$1" \
			$M_HEARTBEAT $M_ELECTION
		for j in 1 2 3; do
			printf 'member %d { address = "%s:%d" incarnation = "%s" }\n' \
				$j "${M_IP[j]}" $((PORT + j)) "$(<"$D/inc$j")"
		done
		echo '}'
	done
}

# run I [COMMAND...]: start member I, by that command
run()
{
	local where=(start)
	[ "$M_DATAPATH" = user ] || where=(start_on "n$1")
	"${where[@]}" "agent$1" "${@:2}" paxsteerd -c "$D/$1.conf"
	PID[$1]=$START_PID
}
log() { paxsteer log -S "$D/1.sock,$D/2.sock,$D/3.sock" "$@"; }
field()
{
	paxsteer -j log -S "$D/$1.sock" status 2>/dev/null |
		json "d['groups'][0]['$2']" 2>/dev/null
}
leader()
{
	local i
	for i in 1 2 3; do
		[ "$(field $i ready)" = True ] && echo $i && return 0
	done
	return 1
}
applied() { [ "$(field "$1" applied)" -ge "$2" ]; }

members_make()	# members_make [SEGMENT-SIZE]: key, journals, configuration files
{
	local i
	rotate_new "$D/key"
	for i in 1 2 3; do
		paxsteer -j journal init "$D/j$i" cluster $UUID member $i segment-size "${1:-4194304}" |
			json 'd["incarnation"]' >"$D/inc$i" || bail "journal init"
	done
	for i in 1 2 3; do config $i >"$D/$i.conf"; done
}
