#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# unload.sh - the module is unloaded under load, and leaves nothing
#
# UDP by nat and by local sockets, one of them given by a process, TCP, TCP by request, dsr and a
# tunnel, through which nobody answers, and a group of three with appends running; then rmmod.
# Loaded again the module knows nothing, until it is configured; the agents' journals still hold
# what was acknowledged.
#
# check-kernels: 6.12 newest
# limit: 600
# shellcheck disable=SC2034  # cluster.sh and director.sh read C_DIR, FAMILY

. "$(dirname "$0")/lib.sh"
need_module
need jq ip mkfs.ext4
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/director.sh"
FAMILY=v4
ROUNDS=3

configure()
{
	pxs -b - <<-END
	service add u udp $(vip 7000) key payload 4:6 bound 1.25 passive 1000/1 slow-start 30
	service add t tcp $(vip 7000)
	service add l udp $(vip 7100) mode local bound 1.25 passive 1000/1 slow-start 30
	service add f tcp $(vip 7200) mode dsr
	service add g udp [2001:db8::1]:7200 mode tunnel gue
	service add q tcp $(vip 7300) mode request key redis
	backend add l $(vip 7101)
	backend add u $(be 1 7009) state drain deadline 3600
	END
	add_backends u 7000
	add_backends t 7001
	add_backends f 7200
	FAMILY=v6 add_backends g 7200
	add_backends q 7001
}

# Everything that a client may notice goes through the module while it is there.
load_all()
{
	load udp -t 300 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	LOADS=("$LOAD_PID")
	load local -t 300 udp "$(vip 7100)"
	LOADS+=("$LOAD_PID")
	load tcp -t 300 tcp "$(vip 7000)"
	LOADS+=("$LOAD_PID")
	start_on c dsr "$TRAFFIC" -l -t 50 tcp "$(vip 7200)"
	LOADS+=("$START_PID")
	start_on c tunnel "$TRAFFIC" -l -t 5 udp "[2001:db8::1]:7200"
	LOADS+=("$START_PID")
	start_on c request "$TOP/selftests/steer_request.py" whenever 192.0.2.1 7300 4
	LOADS+=("$START_PID")
}

agents_up()
{
	local i
	for i in 1 2 3; do cluster_start "$i" kernel; done
	if cluster_wait_leader 60; then pass "$1"; else fail "$1" "$(cluster_logs)"; fi
}

agents_end()
{
	local i
	for i in 1 2 3; do cluster_kill "$i"; done
}

gone() { [ ! -d /sys/module/paxsteer ]; }
unload() { rmmod paxsteer; }
reload() { insmod "$PXS_KO"; }

director_hosts 2
start_backends udp 7000
start_backends tcp 7001
start_on d local "$BACKEND" udp "$(vip 7101)"
wait_until 20 grep -q ready "$T_DIR/local.log" || bail "no local server"
keys 50 >"$T_DIR/keys"
cluster_disk "$T_DIR/disk" 256M
C_DIR=$T_DIR/disk/c
cluster_hosts 3
cluster_init v4
touch "$T_DIR/acked"

for ((r = 1; r <= ROUNDS; r++)); do
	is "round $r: a fresh module has no service" "$(pxs -j service show)" "[]"
	refused "round $r: and steers nothing" "no answer" on c "$TRAFFIC" -t 200 udp "$(vip 7000)"
	ok "round $r: services" configure
	# It stays its process's, whatever becomes of the module.
	[ $r != 1 ] || give_socket given l udp "$(vip 7102)"
	agents_up "round $r: a leader"
	cluster_append append count 1000000 outstanding 8 seconds 60 keep-going prefix "r$r." \
		acked-file "$T_DIR/acked.$r" quiet
	APPEND=$START_PID
	load_all
	ok "round $r: values are acknowledged" wait_until 30 test -s "$T_DIR/acked.$r"
	ok "round $r: the module is unloaded under load" wait_until 20 unload
	ok "round $r: and is gone" gone
	for p in "${LOADS[@]}" "$APPEND"; do stop "$p"; done
	agents_end
	cat "$T_DIR/acked.$r" >>"$T_DIR/acked"
	ok "round $r: it is loaded again" reload
done
is "a fresh module has no group" "$(on n1 paxsteer -j group show)" "[]"
ok "services" configure
ok "requests are steered" on c "$TRAFFIC" -n 20 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
ok "connections are steered" on c "$TRAFFIC" -n 5 tcp "$(vip 7000)"
agents_up "a leader"
ok "values are appended" cluster_log append count 50 outstanding 8 quiet
ok "all members have applied all" wait_until 60 cluster_even 1 2 3
diag "$(wc -l <"$T_DIR/acked") values acknowledged in $ROUNDS rounds"
for i in 1 2 3; do
	ok "every acknowledged value is in its slot on member $i" cluster_acked "$T_DIR/acked" "$i"
done
agents_end
done_testing
