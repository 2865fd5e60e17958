#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lifecycle.sh - everything comes and goes under traffic, over and over
#
#     g ── hub ── x          x: a namespace with services and a group, made and removed while
#                            g sends to all of them, before, meanwhile and afterwards
#     c ── d ── b1, b2       requests while interfaces, processors, memory and the module go
#     n1 ── sw ── n2, n3     a group of three, appending, while its agents die
#
#   PXS_ROUNDS=200           how often: ten times as many namespaces, a tenth of the memory
#                            pressure (default: a few); give the runner time: VM_ARGS="-t 20000"
#   PXS_PARTS="namespaces modules interfaces processors memory agents"
#                            only these (default: all; memory, which is slow to fill in
#                            emulation, only with PXS_ROUNDS)
#
# check-kernels: 6.1
# limit: 600
# shellcheck disable=SC2034  # cluster.sh and director.sh read C_DIR, FAMILY

. "$(dirname "$0")/lib.sh"
need_module
need jq ip mkfs.ext4 python3
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/director.sh"
FAMILY=v4
PARTS=${PXS_PARTS:-namespaces modules interfaces processors ${PXS_ROUNDS:+memory} agents}
declare -A COUNTS=()

# rounds PART FEW TENTHS COMMAND: do it so often, and say how far it got
rounds()
{
	local part=$1 n=$2 r t0=$SECONDS
	[ -z "${PXS_ROUNDS:-}" ] || n=$(((PXS_ROUNDS * $3 + 9) / 10))
	shift 3
	COUNTS[$part]=0
	for ((r = 1; r <= n; r++)); do
		if ! "$@" "$r"; then
			fail "$part: round $r of $n" "$*" "${WHY:-}"
			return 1
		fi
		COUNTS[$part]=$r
		[ $((r * 10 / n)) = $(((r - 1) * 10 / n)) ] ||
			diag "$part: $r of $n, $((SECONDS - t0)) s"
	done
	pass "$part: $n rounds"
}

# flood HOST NAME TRAFFIC-ARGS...: requests whose answers nobody counts on
flood()
{
	local h=$1 n=$2
	shift 2
	start_on "$h" "$n" "$TRAFFIC" -l "$@"
	FLOODS+=("$START_PID")
}
end_floods()
{
	local p
	for p in "${FLOODS[@]}"; do stop "$p" KILL; done
	FLOODS=()
}
FLOODS=()

# --- namespaces -------------------------------------------------------------------
X_MAC=02:00:00:00:00:02

x_config()
{
	cat <<-END
	service add l udp 10.9.0.2:7000 mode local bound 1.25 passive 1000/1 slow-start 30
	service add u udp 10.9.0.2:7001 bound 1.25 passive 1000/1 slow-start 30
	service add t tcp 10.9.0.2:7000
	service add f tcp 10.9.0.2:7002 mode dsr
	service add g udp 10.9.0.2:7002 mode tunnel ipip
	backend add l 10.9.0.2:7101
	backend add u 10.9.0.1:7001
	backend add u 10.9.0.1:7002 state drain deadline 3600
	backend add t 10.9.0.1:7001
	backend add f 10.9.0.1:7002
	backend add g [fd09::1]:7002
	group add 1 cluster $C_UUID key-file $T_DIR/x.key self 1 \
member 1 10.9.0.2:7400 incarnation 1 member 2 10.9.0.1:7400 incarnation 2 \
member 3 10.9.0.3:7400 incarnation 3
	END
}

x_up()
{
	ip netns add pxs-x && ip -n pxs-hub -batch - <<-END && ip -n pxs-x -batch - <<-END2
	link add px type veth peer name eth0 address $X_MAC netns pxs-x
	link set px master br0 up
	END
	addr add 10.9.0.2/24 dev eth0
	addr add fd09::2/64 dev eth0 nodad
	link set lo up
	link set eth0 up
	END2
}

# Every other round there is no time between the last command and the end.
namespace_round()
{
	# What is left of the last one goes a little later than its name.
	wait_until 60 unplugged hub px || { WHY="the last one's cable is still there"; return 1; }
	x_up && x_config | paxsteer -n pxs-x -b - || return 1
	if [ $(($1 % 2)) = 0 ]; then
		wait_until 20 x_hears || { WHY="no request arrived"; return 1; }
	fi
	ip netns del pxs-x
}

x_hears() { [ "$(paxsteer -n pxs-x -j -s service show u | jq '.[0].stats.requests')" -gt 0 ]; }

namespaces()
{
	host g
	host hub
	ip -n pxs-hub link add br0 type bridge
	ip -n pxs-hub link set br0 up
	link g eth0 10.9.0.1/24,fd09::1/64 hub pg ""
	ip -n pxs-hub link set pg master br0
	# So that sending goes on while nobody is there.
	ip -n pxs-g neigh add 10.9.0.2 lladdr $X_MAC dev eth0 nud permanent
	head -c 32 /dev/urandom >"$T_DIR/x.key"
	flood g x-local -t 5 udp 10.9.0.2:7000
	flood g x-nat -t 5 udp 10.9.0.2:7001
	flood g x-tcp -t 50 tcp 10.9.0.2:7000
	flood g x-dsr -t 50 tcp 10.9.0.2:7002
	flood g x-tunnel -t 5 udp 10.9.0.2:7002
	flood g x-group -t 5 -s 200 udp 10.9.0.2:7400
	rounds namespaces 6 100 namespace_round
	end_floods
	ok "namespaces: none is left" wait_until 60 unplugged hub px
}

# --- the director -----------------------------------------------------------------
d_config()
{
	pxs -b - <<-END
	service add u udp $(vip 7000) key payload 4:6 bound 1.25 passive 1000/1 slow-start 30
	service add t tcp $(vip 7000)
	service add l udp $(vip 7100) mode local bound 1.25 passive 1000/1 slow-start 30
	service add f tcp $(vip 7200) mode dsr
	service add g udp [2001:db8::1]:7200 mode tunnel gue
	backend add l $(vip 7101)
	backend add u $(be 1 7009) state drain deadline 3600
	END
	add_backends u 7000
	add_backends t 7001
	add_backends f 7200
	FAMILY=v6 add_backends g 7200
	# That of the last time has lived until now, without a module.
	[ -z "${GIVEN:-}" ] || stop "$GIVEN"
	give_socket given l udp "$(vip 7102)"
	GIVEN=$START_PID
}

director()
{
	[ -z "${DIRECTOR:-}" ] || return 0
	DIRECTOR=1
	director_hosts 2
	start_backends udp 7000
	start_backends tcp 7001
	start_on d local "$BACKEND" udp "$(vip 7101)"
	wait_until 20 grep -q ready "$T_DIR/local.log" || bail "no local server"
	keys 50 >"$T_DIR/keys"
	d_config
}

d_floods()
{
	flood c d-udp -t 50 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	flood c d-local -t 50 udp "$(vip 7100)"
	flood c d-tcp -t 500 tcp "$(vip 7000)"
	# Nobody answers these: but the ways to backends are in use.
	flood c d-dsr -t 50 tcp "$(vip 7200)"
	flood c d-tunnel -t 5 udp "[2001:db8::1]:7200"
}

# All that should work, works again.
d_works()
{
	on c "$TRAFFIC" -n 20 -t 1000 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)" &&
		on c "$TRAFFIC" -n 4 -t 2000 tcp "$(vip 7000)" &&
		on c "$TRAFFIC" -n 4 -t 1000 udp "$(vip 7100)"
}

d_recovers() { wait_until 60 d_works || { WHY=$(d_works 2>&1 | tail -n 3); return 1; }; }

# rmmod waits for nobody: a dump or a datagram on its way is a reason to try again.
module_round()
{
	wait_until 20 rmmod paxsteer && insmod "$PXS_KO" && d_config && d_recovers
}

modules()
{
	director
	d_floods
	rounds modules 1 10 module_round
	end_floods
}

# The cable of a backend and that of the client, in turn.
interface_round()
{
	case $(($1 % 2)) in
	0)	ip -n pxs-d link del b2 && lay_backend 2 ;;
	1)	ip -n pxs-d link del c0 && lay_client ;;
	esac
	d_recovers
}

interfaces()
{
	director
	d_floods
	rounds interfaces 2 10 interface_round
	end_floods
}

CPU=/sys/devices/system/cpu/cpu1/online

online() { echo "$1" >$CPU; }

processor_round()
{
	wait_until 60 online 0 || { WHY="it can't be switched off"; return 1; }
	d_works >/dev/null 2>&1
	wait_until 60 online 1 || { WHY="it does not come back"; return 1; }
	d_recovers
}

processors()
{
	director
	if [ ! -w $CPU ]; then
		skip "processors" "the second one can't be switched off here"
		return
	fi
	d_floods
	rounds processors 1 10 processor_round
	end_floods
}

# A process that takes all memory but an eighth, page cache included, says so, and waits for its
# end. With less the machine only reads its programs again and again.
# shellcheck disable=SC2016  # python's
HOG='
import sys, time
def of(name):
    for line in open("/proc/meminfo"):
        if line.startswith(name):
            return int(line.split()[1])
keep, have = of("MemTotal") // 8, []
while of("MemAvailable") > keep:
    have.append(b"x" * (4 << 20))    # written, not only promised
print("full", flush=True)
while True:
    time.sleep(1)
'

memory_round()
{
	local hog rc=0
	start hog python3 -c "$HOG"
	hog=$START_PID
	if ! wait_until 400 grep -q full "$T_DIR/hog.log"; then
		WHY="memory does not fill"
		rc=1
	elif ! d_recovers; then
		rc=1
	fi
	stop "$hog" KILL
	[ $rc = 0 ] && d_recovers
}

memory()
{
	director
	d_floods
	rounds memory 1 1 memory_round
	end_floods
}

# --- a group ----------------------------------------------------------------------
group_up()
{
	local i
	cluster_disk "$T_DIR/disk" 256M
	C_DIR=$T_DIR/disk/c
	cluster_hosts 3
	cluster_init v4
	for i in 1 2 3; do cluster_start "$i" kernel; done
	cluster_wait_leader 60 || { cluster_logs; bail "no leader"; }
}

append()
{
	cluster_append append count 100000000 outstanding 8 seconds 100000 keep-going prefix p. \
		acked-file "$T_DIR/acked" quiet
	APPEND=$START_PID
}

acked() { wc -l <"$T_DIR/acked"; }
more_acked() { [ "$(acked)" -gt "$1" ]; }

# One agent dies, by turns; the group goes on, and the dead one comes back.
agent_round()
{
	local i=$(($1 % 3 + 1))
	cluster_kill "$i"
	wait_until 90 more_acked "$(acked)" ||
		{ WHY="nothing is acknowledged without $i"; return 1; }
	cluster_start "$i" kernel
	wait_until 90 more_acked "$(acked)" || { WHY="nothing is acknowledged with $i"; return 1; }
	wait_until 90 cluster_status "$i" || { WHY="agent $i does not come back"; return 1; }
}

agents()
{
	local i
	group_up
	touch "$T_DIR/acked"
	append
	wait_until 60 more_acked 0 || bail "nothing is acknowledged"
	rounds agents 1 10 agent_round
	stop "$APPEND"
	ok "agents: a leader" cluster_wait_leader 60
	ok "agents: all members have applied all" wait_until 120 cluster_even 1 2 3
	ok "agents: all logs are equal" cluster_same_logs 1 2 3
	diag "agents: $(acked) values acknowledged"
	for i in 1 2 3; do
		ok "agents: every acknowledged value is in its slot on member $i" \
			cluster_acked "$T_DIR/acked" "$i"
	done
	for i in 1 2 3; do cluster_kill "$i"; done
}

# bar PART: as often as was wanted?
declare -A WANTED=([namespaces]=2000 [modules]=200)
bar()
{
	local n=${COUNTS[$1]:-0} met=missed
	[ "$n" -lt "${WANTED[$1]}" ] || met=met
	echo "bar: lifecycle-$1 $n wanted ${WANTED[$1]} $met"
}

for part in $PARTS; do
	"$part"
	[ -z "${PXS_ROUNDS:-}" ] || [ -z "${WANTED[$part]:-}" ] || bar "$part"
done
done_testing
