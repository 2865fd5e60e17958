# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # T_DIR is lib.sh's; the arrays are the test's too
#
# store_group.sh - three daemons with a store each, the datapath in user space, on loopback
#
#     paxsteerd 1 ── 127.0.0.1:S_PORT+1..3 ── paxsteerd 2, 3
#     store 1..3 at 127.0.0.1:S_PORT+11..13
#     with S_GROUPS="2 3", one store of groups 1, 2, 3: these at S_PORT+40+10*GROUP+MEMBER
#
# Source lib.sh first. No root, no module, no namespaces.

S_UUID=5e0fca11-1c7b-4a52-8a37-7b5f1f0c2d11
S_DIR=$T_DIR/group
take_ports
S_PORT=$T_PORTS
declare -a S_PID
S_STORE=		# more of the section store
S_NODE=			# more of the section node
S_GROUPS=		# more groups that are one store with group 1
S_CABLES=		# not empty: members send by way of udp_cut.py
mkdir -p "$S_DIR"

store_port() { echo $((S_PORT + 10 + $1)); }

store_config()	# store_config I
{
	local g j port groups=
	printf 'node { cluster = "%s" key-file = "%s" journal = "%s" socket = "%s" %s }\n' \
		$S_UUID "$S_DIR/key" "$S_DIR/j$1" "$S_DIR/$1.sock" "datapath = \"user\" $S_NODE"
	printf 'group 1 { self = %d heartbeat = 100 election = 1000\n' "$1"
	for j in 1 2 3; do
		port=$((S_PORT + j))
		[ -z "$S_CABLES" ] || [ $j = "$1" ] || port=$((S_PORT + 30 + 3 * $1 + j))
		printf 'member %d { address = "127.0.0.1:%d" incarnation = "%s" store = "127.0.0.1:%d" }\n' \
			$j $port "$(<"$S_DIR/inc$j")" "$(store_port $j)"
	done
	[ -z "$S_GROUPS" ] || groups="groups = {1, ${S_GROUPS// /, }}"
	printf 'store { listen = "127.0.0.1:%d" %s %s }\n}\n' "$(store_port "$1")" "$groups" \
		"$S_STORE"
	for g in $S_GROUPS; do
		printf 'group %d { self = %d heartbeat = 100 election = 1000\n' "$g" "$1"
		for j in 1 2 3; do
			printf 'member %d { address = "127.0.0.1:%d" incarnation = "%s" }\n' \
				$j $((S_PORT + 40 + 10 * g + j)) "$(<"$S_DIR/inc$j")"
		done
		printf '}\n'
	done
}

store_init()	# journals, key and configuration
{
	local i
	head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$S_DIR/key"
	chmod 600 "$S_DIR/key"
	for i in 1 2 3; do
		paxsteer -j journal init "$S_DIR/j$i" cluster $S_UUID member $i segment-size 4194304 |
			json 'd["incarnation"]' >"$S_DIR/inc$i" || bail "journal init"
	done
	for i in 1 2 3; do store_config $i >"$S_DIR/$i.conf"; done
}

store_start() { start "store$1" paxsteerd -c "$S_DIR/$1.conf"; S_PID[$1]=$START_PID; }
store_kill() { stop "${S_PID[$1]}" "${2:-KILL}"; S_PID[$1]=; }

# redis I ARGS...: one command at member I's store
redis() { local i=$1; shift; redis-cli -p "$(store_port "$i")" "$@"; }

store_info() { redis "$1" INFO | tr -d '\r' | sed -n "s/^$2://p"; }

# store_leader: prints the member that leads and answers
store_leader()
{
	local i
	for i in 1 2 3; do
		[ -n "${S_PID[$i]:-}" ] && [[ $(redis $i EXISTS no 2>/dev/null) == [01] ]] &&
			echo $i && return 0
	done
	return 1
}

# store_even I...: the members have applied the same, and their digests are equal
store_even()
{
	local i want
	want=$(redis "$1" PAXSTEER DIGEST | tr '\n' ' ') || return 1
	[[ $want =~ ^([0-9]+\ )+[0-9a-f]{32} ]] || return 1
	for i; do [ "$(redis "$i" PAXSTEER DIGEST | tr '\n' ' ')" = "$want" ] || return 1; done
}

# --- for the tests that keep L, the leader, F and O, the others ---

# Load goes on until who starts it says that all has happened that is to happen under it, however
# slow the machine is: --until "$S_DIR/over"; load_may_end
load_may_end() { : >"$S_DIR/over"; }
ports() { echo "$(store_port 1),$(store_port 2),$(store_port 3)"; }
find_leader() { L=$(store_leader) || return 1; F=$((L % 3 + 1)) O=$((F % 3 + 1)); }
# follows I: member I, if it runs, knows who leads; it hears of that later than who is elected
follows() { [ -z "${S_PID[$1]:-}" ] || [[ $(redis "$1" GET no 2>&1) == *MOVED* ]]; }
find_all() { find_leader && follows $F && follows $O; }
wait_leader()
{
	wait_until 60 find_all && return
	fail "$1: a leader" "$(tail -n 4 "$T_DIR"/store?.log)"
	done_testing
}
even() { ok "$1: the members' stores are equal" wait_until 60 store_even 1 2 3; }

# judge_load FILE [PREFIX [FIRST]]: of store_load.py, which wrote FILE; with what the members' logs
# hold, from slot FIRST on (what is older may be trimmed)
judge_load()
{
	local i out
	for i in 1 2 3; do
		ok "the log of member $i" python3 "$TOP/selftests/store_load.py" --member $i \
			--entries "$S_DIR/$i.sock" ${2:+--prefix "$2"} --first "${3:-1}" \
			--history "$1"
	done
	out=$(lin "$1" 2>&1)
	like "every client saw what its level promises" "$out" '^ok: [0-9]+ operations'
	diag "$out"
}

# --- of a store of groups 1, 2 and 3 (S_GROUPS="2 3") ---

# say_all I COMMAND...: on one connection; say: the last answer
say_all() { local i=$1; shift; printf '%s\n' "$@" | redis "$i" | sed '/^$/d'; }
say() { say_all "$@" | tail -n1; }
words() { tr '\n' ' ' | sed 's/ *$//'; }
sockets() { echo "$S_DIR/1.sock,$S_DIR/2.sock,$S_DIR/3.sock"; }
# leads I GROUP: member I does
leads() { [[ $(redis "$1" PAXSTEER BARRIER "$2" 2>/dev/null) =~ ^[0-9]+$ ]]; }
leader_of() { local i; for i in 1 2 3; do leads $i "$1" && echo $i && return; done; false; }
# hand_over I GROUP: member I leads it from now on
hand_over()
{
	leads "$1" "$2" && return
	paxsteer log -S "$(sockets)" group "$2" transfer to "$1" && leads "$1" "$2"
}
# knows_places I: member I has heard that member G leads group G, for each
knows_places()
{
	[ "$(redis "$1" INFO paxsteer | grep -c '^group\([1-3]\):leader=\1,')" = 3 ]
}
place()
{
	local g
	for g in 1 2 3; do
		ok "$1: group $g has a leader" wait_until 60 leader_of $g
		ok "$1: member $g leads it" wait_until 60 hand_over $g $g
	done
	for g in 1 2 3; do ok "$1: member $g knows that" wait_until 60 knows_places $g; done
}
