#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kfunc.sh - XDP and tc programs ask the module who serves a key
#
#     c ──── d ──┬── b1     on d's end of c's cable: bpf/lookup.bpf.c, which answers by XDP with
#                └── b2, b3   the backend of the key, or marks the packet with it in tc
#
# Kernels before 6.9 have no such functions for modules of others; on those the module goes without.
#
# kernels: 6.12 newest
# check-kernels: newest
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip nft ethtool tc python3
. "$(dirname "$0")/director.sh"
CLANG=$(command -v clang || command -v clang-14) || bail "no clang for BPF programs"
SEED=000102030405060708090a0b0c0d0e0f

# program NAME KEY-BYTES
program()
{
	"$CLANG" -O2 -g -target bpf -Wall -Wextra -Werror -DPORT=7000 -DKEY="$2" -I"$TOP/uapi" \
		-I"/usr/include/$(uname -m)-linux-gnu" -c "$TOP/selftests/bpf/lookup.bpf.c" \
		-o "$T_DIR/$1.o" || bail "lookup.bpf.c does not build"
}

# In compatibility with the generic kind, which works at any device. A program takes another's
# place, and another device has one all the time, because the kernel writes into its own code when
# the first one comes and when the last one goes. Once, in some hundred runs, a request found no
# program that had just come: suspected is QEMU 7.2, which may keep what it translates while
# another processor writes.
xdp() { on d ip -force link set dev "${DEV:-c0}" xdpgeneric "$@"; }
bare() { local a=${1%:*}; a=${a#[}; echo "${a%]}"; }
ASK=$TOP/selftests/kfunc_ask.py
ask() { on c python3 "$ASK" "$@" "$(bare "$(vip 0)")" 7000; }
# The first answer; where there is none, what became of the request.
first() { ask "$T_DIR/key" 2>&1 || lost; }
lost()
{
	pxs -j service show u | jq -c '.[0].stats'
	on d ip -s link show dev c0
	on c ip -6 neigh
	on c nstat -as | grep -iE 'err|drop'
}
refs() { cat /sys/module/paxsteer/refcnt; }
unused() { [ "$(refs)" = 0 ]; }

answered() { [ "$(on c cat /sys/class/net/eth0/statistics/rx_packets)" -gt "$1" ]; }

# asked NAME: all keys, as lookup answers
asked()
{
	ask "$T_DIR/keys" >"$T_DIR/answers" 2>"$T_DIR/ask.err" || diag "$(cat "$T_DIR/ask.err")"
	agrees "$FAMILY: $1" u key "$T_DIR/answers"
}

by_xdp()
{
	xdp obj "$T_DIR/keyed.o" sec xdp || bail "the verifier refuses: $(dmesg | tail -n 3)"
	is "$FAMILY: no service" "$(first)" "k00001 error ENOENT"
	pxs service add u udp "$(vip 7000)" mode nat key payload 0:6 seed $SEED rows 4096
	is "$FAMILY: no table" "$(first)" "k00001 error ENODATA"
	add_backends u 7000 weight 0
	is "$FAMILY: nobody has weight" "$(first)" "k00001 error ENODATA"
	for i in 1 2 3; do pxs backend set u "$(be $i 7000)" weight 100; done
	asked "each key as lookup says"
	is "$FAMILY: by all three" "$(by_backend "$T_DIR/answers" | wc -l)" 3
	pxs backend set u "$(be 2 7000)" state down
	asked "one is down"
	is "$FAMILY: by the other two" "$(by_backend "$T_DIR/answers" | wc -l)" 2
	for i in 1 3; do pxs backend set u "$(be $i 7000)" state down; done
	is "$FAMILY: all are down" "$(first)" "k00001 error EHOSTUNREACH"
	for i in 1 2 3; do pxs backend set u "$(be $i 7000)" state up; done
	is "$FAMILY: a sum that comes out as 0 is sent as 65535" "$(ask --zero "$T_DIR/key" 2>&1)" \
		"$(first)"
	is "$FAMILY: nothing is counted" "$(service_stat u requests)" 0
}

# A service that hashes addresses has no keys, and the other way round.
by_address()
{
	xdp obj "$T_DIR/flow.o" sec xdp
	is "$FAMILY: a key is missing" "$(first)" "k00001 error ENOKEY"
	pxs service del u
	pxs service add u udp "$(vip 7000)" mode nat key source seed $SEED rows 4096
	add_backends u 7000
	is "$FAMILY: by the client's address" "$(first)" \
		"k00001 $(pxs lookup u from "$(client 5)" | sed -n 's/^backend  *\([^ ]*\).*/\1/p')"
	xdp obj "$T_DIR/keyed.o" sec xdp
	is "$FAMILY: a key too many" "$(first)" "k00001 error ENOKEY"
	xdp off
	pxs service del u
}

# marked INDEX: requests with this mark
marked() { on d nft -j list chain inet marks pre | jq "[.nftables[].rule? | values | .expr |
	select(.[1].match.right == $1) | .[2].counter.packets][0]"; }

all_came() { on d nft -j list chain inet marks pre |
	jq -e "[.. | .counter? | .packets? // empty] | add == $(wc -l <"$T_DIR/keys")"; }

by_tc()
{
	local i
	pxs service add u udp "$(vip 7000)" mode nat key payload 0:6 seed $SEED rows 4096
	add_backends u 7000
	{
		echo "table inet marks {"
		echo "chain pre { type filter hook prerouting priority -400; policy accept;"
		for i in 1 2 3; do echo "udp dport 7000 meta mark $i counter drop"; done
		echo "udp dport 7000 counter drop"
		printf '}\n}\n'
	} | on d nft -f -
	on d tc qdisc add dev c0 clsact
	ok "$FAMILY: tc takes it" \
		on d tc filter add dev c0 ingress bpf da obj "$T_DIR/keyed.o" sec tc
	ok "$FAMILY: the module is in use" eval '! unused && ! rmmod paxsteer 2>/dev/null'
	ask --send 1 "$T_DIR/keys"
	ok "$FAMILY: all have come" wait_until 30 all_came
	lookups u key "$T_DIR/keys" >"$T_DIR/names"
	by_backend "$T_DIR/names" >"$T_DIR/wanted"
	for i in 1 2 3; do echo "$(be $i 7000) $(marked $i)"; done | sort >"$T_DIR/got"
	is "$FAMILY: marked by tc as lookup says" "$(cat "$T_DIR/got")" "$(cat "$T_DIR/wanted")"
	on d tc qdisc del dev c0 clsact
	on d nft delete table inet marks
	pxs service del u
}

director_hosts 3
on c ethtool -K eth0 tx off >/dev/null || bail "no checksums of the client's own"
keys 200 >"$T_DIR/keys"
keys 1 >"$T_DIR/key"
program keyed 6
program flow 0
on d ip link add other type dummy
DEV=other xdp obj "$T_DIR/flow.o" sec xdp || bail "the verifier refuses: $(dmesg | tail -n 3)"
for FAMILY in v4 v6; do
	by_xdp
	by_address
	by_tc
done
DEV=other xdp off
ok "nobody uses the module any more" wait_until 10 unused

# The namespace goes while its device still asks.
FAMILY=v4
xdp obj "$T_DIR/keyed.o" sec xdp
pxs service add u udp "$(vip 7000)" mode nat key payload 0:6 seed $SEED rows 4096
add_backends u 7000
start_on c sender python3 "$ASK" --send 1000000 "$T_DIR/keys" "$(bare "$(vip 0)")" 7000
sender=$START_PID
ok "requests go on" wait_until 10 answered 2000
ip netns del pxs-d
ok "the namespace goes meanwhile" wait_until 30 unused
stop "$sender"
done_testing
