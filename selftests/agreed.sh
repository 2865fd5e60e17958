#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# agreed.sh - three directors and one log: the same tables at the same slot on each
#
#     c ──┐          n1, n2, n3: members of group 1 and directors of 192.0.2.1
#     n1 ─┼─ sw      n4: comes in the place of n3
#     n2 ─┤          c: a client, which sends by way of the director that it is told
#     n3 ─┤
#     n4 ─┘
#
# check-kernels: newest
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip mkfs.ext4
. "$(dirname "$0")/cluster.sh"

VIP=192.0.2.1
TABLES=()
DIRECTORS=(1 2 3)

# on_n I ARGS...: the command on a director, which knows all daemons
on_n() { PAXSTEER_SOCKETS=$(cluster_sockets) paxsteer -n "pxs-n$1" "${@:2}"; }

# standing I: where its module is; service I FIELD
standing() { on_n "$1" -j agreed show | jq -c '[.group, .held, .slot, .digest]'; }
service() { on_n "$1" -j service show web | jq -rc ".[0] | $2"; }
slot() { on_n "$1" -j agreed show | jq .slot; }

# all_of I: where it stands, and with what
all_of() { echo "$(standing "$1") $(service "$1" '[.seed, .digest, .generation, .held]')"; }

# equal: all stand at one slot with one digest, steer, and have one table
equal()
{
	local i
	TABLES=()
	for i in "${DIRECTORS[@]}"; do
		TABLES[i]=$(all_of "$i")
	done
	[[ ${TABLES[*]} == *'[1,0,'* ]] &&
		[ "$(printf '%s\n' "${TABLES[@]}" | uniq | wc -l)" = 1 ]
}

# stands_as WHAT: member 3's entry of TABLES
stands_as() { equal && [ "${TABLES[3]}" = "$1" ]; }

all_equal()
{
	if wait_until 30 equal; then pass "$1"; else fail "$1" "${TABLES[@]}"; fi
}

# requests I: that it steered; ask I: one more comes by
requests() { service "$1" .stats.requests; }
ask()
{
	on c ip route replace $VIP via "10.77.0.$1" &&
		on c bash -c "echo question >/dev/udp/$VIP/7000"
}
ask_itself() { on "n$1" bash -c "echo question >/dev/udp/$VIP/7000"; }
steers_itself() { ask_itself "$1" && [ "$(requests "$1")" -gt 0 ]; }
steers() { ask "$1" && [ "$(requests "$1")" -gt 0 ]; }

tables_is() { [ "$(cluster_get "$1" tables)" = "$2" ]; }
said() { grep -qF -- "$2" "$T_DIR/agent$1.log"; }

cluster_hosts 4
cluster_join c 9
cluster_disk "$T_DIR/cluster" 128M
cluster_init
for i in 1 2 3 4; do
	on n$i sysctl -qw net.ipv4.ip_forward=1
	ip -n pxs-n$i addr add $VIP/32 dev lo
	sed -i 's/^group 1 {/&\n\ttables = true/' "$C_DIR/n$i.conf"
	if [ $i = 4 ]; then
		sed -i '/member 4/s/ }/ learner = true }/' "$C_DIR/n4.conf"
	else
		sed -i '/member 4/d' "$C_DIR/n$i.conf"
	fi
done

sed 's/tables = true/& durability = "memory"/' "$C_DIR/n1.conf" >"$T_DIR/bad.conf"
refused "tables in memory" "tables: need durability disk" paxsteerd --check -c "$T_DIR/bad.conf"
refused "without a daemon" "its daemon is not there" \
	on_n 1 service add web udp $VIP:7000 group 1
is "nothing is there then" "$(on_n 1 -j service show)" "[]"

for i in 1 2 3; do cluster_start $i; done
cluster_wait_leader 60 || bail "no leader: $(cat "$T_DIR"/agent*.log)"

# One change, three directors.
ok "service add" on_n 1 service add web udp $VIP:7000 group 1
for i in 1 2 3; do
	ok "backend $i" on_n $i backend add web 10.77.0.$((20 + i)):7000
done
all_equal "the same table on all"
is "generation is the slot" "$(service 2 .generation)" "$(slot 2)"
ok "a change of weight" on_n 2 backend set web 10.77.0.22:7000 weight 3
all_equal "and again"
is "generation is the slot, again" "$(service 3 .generation)" "$(slot 3)"
for i in 1 2 3; do ok "director $i steers" wait_until 10 steers $i; done

# What all refuse is an outcome too; what cannot be meant alike is not in the log at all.
before=$(slot 1)
refused "what the kernel says comes back" "a backend with this address and port" \
	on_n 1 backend add web 10.77.0.22:7000
all_equal "a refusal is the same on all"
ok "and has its slot" [ "$(slot 1)" -gt "$before" ]
before=$(slot 1)
refused "slow start" "no slow start where a group agrees" on_n 3 service set web slow-start 5
refused "another group" "no such group" on_n 1 service add x udp $VIP:7001 group 7
refused "a value that is no change" "not a change of steering tables" \
	paxsteer log -S "$(cluster_sockets)" append hello
refused "without the daemon nobody changes it" "its daemon is not there" \
	env PAXSTEER_SOCKETS="$T_DIR/none" paxsteer -n pxs-n1 service del web
ok "health is each host's own" on_n 1 backend set web 10.77.0.22:7000 health bad
is "and only there" "$(on_n 2 -j backend show web | jq -r '[.[].health] | unique[]')" unchecked
ok "a service of the operator" on_n 1 service add own udp $VIP:7002
like "save has it, and what is agreed not" "$(on_n 1 save)" "^service add own [^
]*$"
ok "it goes as it came" on_n 1 service del own

# An agent that starts again goes on where the module stands.
all_equal "equal before"
was=${TABLES[3]}
cluster_kill 3 TERM
cluster_start 3
ok "an agent starts again" wait_until 60 tables_is 3 steering
ok "nothing is made twice" stands_as "$was"
cluster_wait_leader 60
ok "a change" on_n 1 backend del web 10.77.0.21:7000
all_equal "reaches all"

# Away, and with nothing left: it catches up before it steers.
cluster_kill 3 TERM
ok "leave" on_n 3 agreed leave
is "the service stays, the operator's" "$(service 3 .group)" null
ok "so it can be deleted" on_n 3 service del web
cluster_cut 3
cluster_wait_leader 60
ok "a change meanwhile" on_n 1 backend add web 10.77.0.24:7000
# Else what its module heard before it was cut off would do.
forgotten() { [ "$(on_n 3 -j group show | jq '.[0].leader')" = null ]; }
wait_until 60 forgotten || bail "the module of n3 still hears a leader"
cluster_start 3
held() { [ "$(service 3 .held)" = 1 ] && [ "$(service 3 .backends)" -gt 0 ]; }
ok "it has made what its journal has" wait_until 60 held
ok "and is held" wait_until 30 tables_is 3 held
# Its cable is out: only it can ask itself.
for i in 1 2 3; do ask_itself 3; done
is "nothing is steered" "$(requests 3)" 0
cluster_heal 3
all_equal "it catches up"
ok "and steers" wait_until 10 steers_itself 3
ok "that it did is in its messages" wait_until 30 said 3 "caught up with slot"

# One comes, with nothing, and makes all that was decided before it came; another one goes.
member() { paxsteer member -S "$(cluster_sockets)" "$@"; }
promoted() { [[ $(member promote 4 2>&1) =~ epoch|votes ]]; }
gone() { [[ $(member remove 3 2>&1) =~ epoch|"no member" ]]; }
removed() { [ "$(cluster_get 3 state)" = removed ]; }
cluster_wait_leader 60
is "a learner is added" "$(member add 4 10.77.0.4:7400 incarnation "${C_INC[4]}")" "epoch 2"
cluster_start 4
ok "it has made all of it, and steers" wait_until 60 tables_is 4 steering
DIRECTORS=(1 2 3 4)
all_equal "as all others do"
ok "requests come by it" wait_until 10 steers 4
ok "it votes" wait_until 60 promoted
all_equal "equal before one goes"
was=${TABLES[3]}
ok "one is removed" wait_until 60 gone
ok "and knows" wait_until 60 removed
cluster_wait_leader 60
DIRECTORS=(1 2 4)
ok "a change then" on_n 1 backend add web 10.77.0.25:7000
all_equal "reaches those who are left"
is "who was removed has its tables" "$(all_of 3)" "$was"
ok "says that they are old" wait_until 10 said 3 "is not one of its directors any more"
is "and in its status" "$(cluster_get 3 tables)" removed

# Different outcomes are found.
ok "somebody is in the way on one host" on_n 2 service add clash udp 192.0.2.2:1
cluster_wait_leader 60
on_n 1 service add clash udp 192.0.2.3:1 group 1 >/dev/null 2>&1
# Whoever leads, host 2 differs from it, or it from both others.
differs()
{
	local i
	for i in "${DIRECTORS[@]}"; do
		[ "$(cluster_get "$i" tables_diverged)" -gt 0 ] && return 0
	done
	return 1
}
ok "directors that differ say so" wait_until 30 differs
ok "in words" wait_until 30 grep -qF 'have different outcomes' "$T_DIR"/agent[124].log

# A module that is loaded anew has nothing: with the datapath elsewhere, the directors still notice.
cluster_kill 3 TERM
for i in "${DIRECTORS[@]}"; do
	cluster_kill "$i" TERM
	on_n "$i" group del 1 || fail "the module lets group 1 go"
done
on_n 3 group del 1
for i in "${DIRECTORS[@]}"; do cluster_start "$i" user; done
ok "a leader whose datapath is elsewhere" cluster_wait_leader 60
has_web()
{
	local i
	for i in "${DIRECTORS[@]}"; do [ "$(service "$i" .backends)" -gt 0 ] || return 1; done
}
ok "and directors" wait_until 30 has_web
unloaded() { rmmod paxsteer; }
ok "the module goes" wait_until 30 unloaded
ok "and comes back" insmod "$PXS_KO"
ok "and they make the services anew" wait_until 60 has_web
done_testing
