#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# member_kernel.sh - members change where phase 2 runs in the module
#
#     n1 ── sw ── n2      n1, n2, n3 begin, in the kernel; n4 comes, with its datapath in user
#           │             space; one of the first three goes
#      n3 ──┴── n4
#
# Under load; an agent is killed on the way to other members, and its module waits for the next.
#
# limit: 600
# kernels: 6.1
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip mkfs.ext4

KIND=(- kernel kernel kernel user)
C_DIR=$T_DIR/disk
member() { paxsteer member -S "$(cluster_sockets)" "$@"; }
show() { paxsteer -j member -S "$(cluster_socket "$1")" show 2>/dev/null; }
in_epoch() { local e; e=$(value_of "$(show "$1")" epoch) && [ "$e" -ge "$2" ]; }
in_module() { on "n$1" paxsteer -j group show 1 | json "$2"; }
all_in() { local i; for i in "${@:2}"; do in_epoch "$i" "$1" || return 1; done; }

cluster_hosts 4
cluster_disk "$C_DIR" 256M
cluster_init v4 1048576
for i in 1 2 3; do sed -i '/member 4/d' "$C_DIR/n$i.conf"; done
sed -i '/member 4/s/ }/ learner = true }/' "$C_DIR/n4.conf"
for i in 1 2 3; do cluster_start $i "${KIND[i]}"; done
cluster_wait_leader 60 || bail "no leader" "$(cluster_logs)"
ok "values are appended" cluster_log append count 200 size 100 outstanding 16 quiet
cluster_append load count 1000000 seconds 40 size 64 outstanding 4 prefix k keep-going quiet \
	acked-file "$T_DIR/acked"
load=$START_PID

inc=$(paxsteer -j journal show "$C_DIR/n4" | json 'd["incarnation"]')
is "a learner is added" "$(member add 4 10.77.0.4:7400 incarnation "$inc")" "epoch 2"
cluster_start 4 user
ok "it goes by it" wait_until 60 in_epoch 4 2
ok "and all the others" wait_until 60 all_in 2 1 2 3
module_epoch() { [ "$(in_module 1 'd[0]["epoch"]')" = 2 ]; }
ok "the module has the epoch" wait_until 30 module_epoch
is "and the roles" "$(in_module 1 '" ".join(m["role"] for m in d[0]["members"])')" \
	"voter voter voter learner"
has_it() { [ "$(($(cluster_get 4 applied) + 200))" -ge "$(cluster_get 1 commit)" ]; }
ok "it catches up" wait_until 60 has_it
promoted() { [[ $(member promote 4 2>&1) =~ epoch|votes ]]; }
ok "it votes" wait_until 60 promoted
ok "all go by it" wait_until 60 all_in 3 1 2 3 4

# --- an agent dies of a change: its module may have ended the epoch, or not ---
cluster_wait_leader 60 || fail "a leader of four"
gone=$((LEADER % 3 + 1))
stays=$((gone % 3 + 1))
[ "$stays" != "$LEADER" ] || stays=$((stays % 3 + 1))
member remove $gone timeout 60000 >"$T_DIR/change" 2>&1 &
change=$!
cluster_kill $stays
wait $change
like "a member is removed" "$(<"$T_DIR/change")" "epoch 4"
cluster_start $stays kernel
ok "who was killed comes to it" wait_until 60 in_epoch $stays 4
removed() { [ "$(cluster_get "$gone" state)" = removed ]; }
ok "who was removed knows" wait_until 60 removed
module_removed() { [[ $(in_module $gone 'd[0]["state"] + ": " + d[0]["reason"]') =~ \
	"moved: removed from the group" ]]; }
ok "its module says so" wait_until 30 module_removed

# --- all of it is there ---
stop $load
cluster_wait_leader 60 || fail "a leader at the end" "$(cluster_logs)"
ok "they go on" cluster_log append last
rest=()
for i in 1 2 3 4; do [ $i = $gone ] || rest+=("$i"); done
ok "the members are even" wait_until 60 cluster_even "${rest[@]}"
ok "their logs are equal" cluster_same_logs "${rest[@]}"
ok "nothing acknowledged is missing" cluster_acked "$T_DIR/acked" 4
diag "$(wc -l <"$T_DIR/acked") values acknowledged"
for i in "${rest[@]}"; do
	[ $i = 4 ] || is "member $i: no refusal of the module" \
		"$(grep -c 'GROUP_.*:' "$T_DIR/agent$i.log")" 0
done

# --- an address that its host does not have ends nothing: another change puts it right ---
inc=$(paxsteer -j journal show "$C_DIR/n$stays" | json 'd["incarnation"]')
move_to() { [[ $(member set "$stays" "$1:7400" incarnation "$inc") == epoch* ]]; }
ok "an address that is not there" wait_until 60 move_to 10.77.0.99
elsewhere() { [ "$(value_of "$(show "$stays")" listens)" = "10.77.0.$stays:7400" ]; }
ok "the member listens where it did" wait_until 60 elsewhere
ok "it gets its own again" wait_until 60 move_to "10.77.0.$stays"
ok "and goes by that" wait_until 60 in_epoch "$stays" 6
cluster_wait_leader 60 || fail "a leader of those" "$(cluster_logs)"
ok "values are appended" cluster_log append "all of them"
ok "it has them" wait_until 60 cluster_even "${rest[@]}"
done_testing
