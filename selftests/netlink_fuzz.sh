#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netlink_fuzz.sh - more than 10,000 broken netlink messages
#
#     pxs-a: objects that must stay, and a group       pxs-b: only what the messages make
#
# nl_fuzz.c breaks good requests of every command; all must be answered. What no message
# names stays as it was, the kernel says nothing (the VM runner reads its log), and the
# memory comes back. PXS_SEED=N repeats a run, PXS_MESSAGES=N makes it longer. Unloads
# the module.
#
# check-kernels: 6.1

. "$(dirname "$0")/lib.sh"
need_module
need python3 ip
FUZZ=$(prog nl_fuzz) || bail "nl_fuzz.c does not build"
SEED=${PXS_SEED:-$(date +%s)}
N=${PXS_MESSAGES:-8000}
diag "PXS_SEED=$SEED"

# What must stay: all of the objects called keep, the group's configuration.
kept()
{
	paxsteer -n pxs-a -j service show | json '[s for s in d if s["name"][:4] == "keep"]'
	for s in keep1 keep2; do
		paxsteer -n pxs-a -j backend show $s
		paxsteer -n pxs-a -j table show $s
	done
	paxsteer -n pxs-a -j group show 1073741999 | json '[{k: g[k] for k in ("id", "cluster",
		"self", "epoch", "window", "members", "durability")} for g in d]'
}

# fuzz HOST SEED N
fuzz()
{
	on "$1" "$FUZZ" "$2" "$3" >"$T_DIR/fuzz" 2>&1
	local rc=$?
	diag "$(cat "$T_DIR/fuzz")"
	return $rc
}

# Memory of the kernel in KiB. Caches may keep a little: it must not grow from run to run.
memory()
{
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|Percpu|VmallocUsed|KernelStack):/ { n += $2 } END { print n }' \
		/proc/meminfo
}

refused_some()
{
	local a r
	a=$(sed -n 's/.* acks \([0-9]*\) .*/\1/p' "$T_DIR/fuzz")
	r=$(sed -n 's/.* refused \([0-9]*\)$/\1/p' "$T_DIR/fuzz")
	[ "${a:-0}" -gt $((N / 20)) ] && [ "${r:-0}" -gt $((N / 3)) ]
}

host a
host b
printf '%064d\n' 7 >"$T_DIR/key"
cat >"$T_DIR/keep" <<-END
	service add keep1 udp 192.0.2.1:1 key payload 4:6 rows 1024
	service add keep2 tcp [2001:db8::1]:1 mode local fill maglev rows 251
	backend add keep1 10.0.0.1:1001
	backend add keep1 10.0.0.2:1001 weight 9 state drain
	backend add keep2 [fd00::1]:2 id 5
	group add 1073741999 cluster 6a1f0c52-9d0e-4a3b-8f53-0b7a2a6f1e11 key-file $T_DIR/key \
self 1 member 1 127.0.0.1:9001 incarnation 1 member 2 127.0.0.1:9002 incarnation 2 \
member 3 127.0.0.1:9003 incarnation 3
END
ok "objects that must stay" paxsteer -n pxs-a -b "$T_DIR/keep"
kept >"$T_DIR/before"
ok "each message is answered" fuzz a "$SEED" "$N"
ok "by errors, and by acks" refused_some
kept >"$T_DIR/after"
is "what no message names is unchanged" "$(diff "$T_DIR/before" "$T_DIR/after")" ""
ok "where there is nothing: each is answered" fuzz b $((SEED + 1)) "$N"
ok "by errors, and by acks" refused_some
ok "requests work as before" paxsteer -n pxs-b service add keep1 udp 192.0.2.99:1
# Of a dump that nobody read to its end the kernel lets go a little later.
ok "the module goes" wait_until 20 rmmod paxsteer

# Three times the same, from load to unload: the first fills caches, the others add nothing.
: >"$T_DIR/memory"
for _ in 1 2 3; do
	modprobe paxsteer && fuzz b "$SEED" $((N / 4)) >/dev/null && wait_until 20 rmmod paxsteer &&
		memory >>"$T_DIR/memory"
done
mapfile -t m <"$T_DIR/memory"
is "three rounds of load, messages and unload" ${#m[@]} 3
# What was freed last may still be on its way.
given_back() { m[2]=$(memory); [ $((m[2] - m[0])) -lt 512 ]; }
ok "take no memory: ${m[*]} KiB" wait_until 60 given_back
done_testing
