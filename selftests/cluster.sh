# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # T_DIR is lib.sh's; LEADER and C_* are the test's
#
# cluster.sh - a group of members, each on a host of its own, for tests and the demo
#
#     n1 ── sw ── n2        pxs-n1, pxs-n2 ...: members, 10.77.0.I and fd77::I, port 7400
#           │               pxs-sw: a bridge, so that any cable can be cut
#           n3 ...
#
# Source lib.sh first.

C_UUID=6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11
C_DIR=${C_DIR:-$T_DIR/cluster}
C_N=0
C_PID=()
C_INC=()
LEADER=0
C_HEARTBEAT=${C_HEARTBEAT:-200}
C_ELECTION=${C_ELECTION:-2000}
C_LEASE=${C_LEASE:-0}	# lease-drift
C_GROUPS=${C_GROUPS:-1}	# groups 1 to so many, all at the same addresses

# cluster_hosts N: members' hosts, joined by a bridge
cluster_hosts()
{
	local i
	C_N=$1
	host sw
	ip -n pxs-sw link add br0 type bridge
	ip -n pxs-sw link set br0 up
	for ((i = 1; i <= C_N; i++)); do cluster_join "n$i" "$i"; done
}

# cluster_join NAME NUMBER: one more host at the bridge
cluster_join()
{
	host "$1"
	link "$1" eth0 "10.77.0.$2/24,fd77::$2/64" sw "p$2" ""
	ip -n pxs-sw link set "p$2" master br0
}

# cluster_cut I / cluster_heal I: pull the cable of a host out, put it back
cluster_cut() { ip -n pxs-sw link set "p$1" down; }
cluster_heal() { ip -n pxs-sw link set "p$1" up; }

# cluster_disk DIR SIZE [NAME]: an ext4 of its own, as tmpfs knows no O_DIRECT on old kernels
cluster_disk()
{
	local image
	image=$T_DIR/${3:-disk}.ext4
	modprobe -q -a loop ext4
	truncate -s "$2" "$image" && mkfs.ext4 -q -O ^has_journal "$image" && mkdir -p "$1" &&
		mount -o loop,noatime "$image" "$1" || bail "cannot make a disk at $1"
	at_exit "umount -l '$1'"
}

# cluster_init [v4|v6] [SEGMENT]: journals and key of a new cluster
cluster_init()
{
	local i
	C_FAMILY=${1:-v4}
	mkdir -p "$C_DIR"
	head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$C_DIR/key"
	chmod 600 "$C_DIR/key"
	for ((i = 1; i <= C_N; i++)); do
		paxsteer journal init "$C_DIR/n$i" cluster "$C_UUID" member "$i" \
			segment-size "${2:-4194304}" >/dev/null || bail "journal init $i"
	done
	cluster_config
}

cluster_address()
{
	if [ "$C_FAMILY" = v6 ]; then echo "[fd77::$1]:7400"; else echo "10.77.0.$1:7400"; fi
}

# cluster_config: configuration files for the journals that are there
cluster_config()
{
	local g i members=
	for ((i = 1; i <= C_N; i++)); do
		C_INC[i]=$(paxsteer -j journal show "$C_DIR/n$i" | json 'd["incarnation"]')
		members+=$(printf '\tmember %d { address = "%s" incarnation = "%s" }' \
			"$i" "$(cluster_address "$i")" "${C_INC[i]}")$'\n'
	done
	for ((i = 1; i <= C_N; i++)); do
		cat >"$C_DIR/n$i.conf" <<-END
		node {
			cluster = "$C_UUID"
			key-file = "$C_DIR/key"
			journal = "$C_DIR/n$i"
			socket = "$(cluster_socket "$i")"
		}
		END
		for ((g = 1; g <= C_GROUPS; g++)); do
			printf 'group %d {\n\tself = %d\n\theartbeat = %d\n' $g "$i" "$C_HEARTBEAT"
			printf '\telection = %d\n\tlease-drift = %d\n%s}\n' "$C_ELECTION" "$C_LEASE" \
				"$members"
		done >>"$C_DIR/n$i.conf"
	done
}

cluster_socket() { echo "$C_DIR/n$1.sock"; }

# cluster_sockets: of all members, for the command
cluster_sockets()
{
	local i s=
	for ((i = 1; i <= C_N; i++)); do s+=,$(cluster_socket "$i"); done
	echo "${s#,}"
}

# cluster_start I [kernel|user]
cluster_start()
{
	start "agent$1" ip netns exec "pxs-n$1" paxsteerd --config "$C_DIR/n$1.conf" \
		--datapath "${2:-kernel}"
	C_PID[$1]=$START_PID
}

# cluster_kill I [SIGNAL]: end a member's agent (SIGKILL by default)
cluster_kill()
{
	stop "${C_PID[$1]}" "${2:-KILL}"
	C_PID[$1]=
}

# cluster_status I: what member I says of the group, as JSON
cluster_status() { paxsteer -j log -S "$(cluster_socket "$1")" status; }

# value_of TEXT FIELD: of an object in compact JSON without inner objects (python is slow to start)
value_of()
{
	[[ $1 =~ \"$2\":\ ?(\"([^\"]*)\"|([^,}]*)) ]] || return 1
	echo "${BASH_REMATCH[2]}${BASH_REMATCH[3]}"
}

# cluster_get I FIELD: of its group; cluster_journal I FIELD: of its journal
cluster_get()
{
	local s
	s=$(cluster_status "$1" 2>/dev/null) && value_of "${s#*\"groups\"}" "$2"
}

cluster_journal()
{
	local s
	s=$(cluster_status "$1" 2>/dev/null) && s=${s#*\"journal\"} && value_of "${s%%\}*}" "$2"
}

# cluster_leads I: member I leads and is ready
cluster_leads()
{
	local s
	[ -n "${C_PID[$1]:-}" ] && s=$(cluster_status "$1" 2>/dev/null) || return 1
	s=${s#*\"groups\"}
	[ "$(value_of "$s" role)" = leader ] && [ "$(value_of "$s" ready)" = true ]
}

# cluster_leader: prints the id of the member that leads and is ready; fails without one
cluster_leader()
{
	local i
	for ((i = 1; i <= C_N; i++)); do
		cluster_leads "$i" && echo "$i" && return 0
	done
	return 1
}

# cluster_find_leader: sets LEADER; cluster_wait_leader [SECONDS]
cluster_find_leader()
{
	local l
	l=$(cluster_leader) && LEADER=$l
}
cluster_wait_leader() { wait_until "${1:-30}" cluster_find_leader; }

# cluster_log ARGS...: paxsteer log with all sockets
cluster_log() { paxsteer log -S "$(cluster_sockets)" "$@"; }

# cluster_append NAME ARGS...: appending in the background; START_PID is the command's own, so that
# stopping it stops it (a function's would be its shell's)
cluster_append()
{
	local name=$1
	shift
	start "$name" paxsteer log -S "$(cluster_sockets)" append "$@"
}

# cluster_caught_up I SLOT: member I has applied it
cluster_caught_up()
{
	local a
	a=$(cluster_get "$1" applied) && [ "${a:-0}" -ge "$2" ]
}

# cluster_dump I: all values of a member's log, one a line; cluster_hashes I: "slot hash length"
cluster_dump() { paxsteer log -S "$(cluster_socket "$1")" tail from 1; }
cluster_hashes() { paxsteer log -S "$(cluster_socket "$1")" tail from 1 hash; }

# cluster_even I...: the members have applied the same, all that any of them knows as decided
cluster_even()
{
	local i c top=0
	for i; do
		c=$(cluster_get "$i" commit) || return 1
		[ "$c" -le "$top" ] || top=$c
	done
	for i; do cluster_caught_up "$i" "$top" || return 1; done
}

# cluster_same_logs I...: and their logs are equal, sooner or later: what nobody waits for any more
# may still be decided while one is read
cluster_same_logs() { wait_until 30 cluster_equal "$@"; }
cluster_equal()
{
	local i want
	want=$(cluster_hashes "$1" | sha256sum)
	for i; do [ "$(cluster_hashes "$i" | sha256sum)" = "$want" ] || return 1; done
}

# cluster_acked FILE I: each "slot hash length" that was acknowledged stands in I's log, or will:
# who followed, or follows since, applies after the client was answered
cluster_acked() { wait_until 30 cluster_holds "$@" || cluster_holds "$@"; }
cluster_holds()
{
	cluster_hashes "$2" >"$T_DIR/hashes" || return 1
	awk 'NR == FNR { have[$1] = $2; next }
		have[$1] != $2 { print "lost: " $0 " there: " have[$1]; bad = 1 }
		END { exit bad || NR == FNR }' "$T_DIR/hashes" "$1"
}

# cluster_logs: the agents' last words, for a failure
cluster_logs()
{
	local i
	for ((i = 1; i <= C_N; i++)); do
		diag "agent $i:" "$(tail -n "${1:-5}" "$T_DIR/agent$i.log" 2>/dev/null)"
	done
}
