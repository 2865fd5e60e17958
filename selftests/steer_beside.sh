#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_beside.sh - UDP by nat beside others who rewrite, forbid or wrap the same packets
#
#     c ──── d ──── b1        nftables on d sends its own requests for NOBODY to the VIP;
#                             IPsec policies on d forbid what comes from the VIP;
#                             nftables on d asks which card a request came from;
#     c ════ VXLAN ═══ b1     a tunnel whose outer packets are steered, checksums and all
#
# kernels: 6.1 newest
# check-kernels: 6.1
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip nft ethtool
. "$(dirname "$0")/director.sh"
modprobe -q -a xfrm_user vxlan nft_chain_nat || bail "no IPsec, VXLAN or NAT of nftables here"

bare() { local a=${1%:*}; a=${a#[}; echo "${a%]}"; }

replied() { [ "$(service_stat u replies)" = "$1" ]; }

nobody() { if [ $FAMILY = v4 ]; then echo 203.0.113.9; else echo 2001:db8:9::9; fi; }

# What nftables sends to the VIP comes back over lo with the route it has: to this host.
translated()
{
	local ip=ip at

	[ $FAMILY = v4 ] || ip=ip6
	at=$(nobody)
	ip -n pxs-d route add "$at" via "$(bare "$(client 0)")"
	on d nft -f - <<-END
		table $ip beside {
			chain out {
				type nat hook output priority -100;
				$ip daddr $at udp dport 7000 dnat to $(vip 7000)
			}
		}
	END
	[[ $at = *:* ]] && at="[$at]"
	# Its answer comes from the VIP, where nobody was asked: only that there is one counts.
	on d "$TRAFFIC" -t 100 udp "$at:7000" >/dev/null 2>&1
	ok "$FAMILY: the backend answers a request by way of nftables" wait_until 10 replied 1
	is "$FAMILY: which is counted" "$(service_stat u requests)" 1
	on d nft delete table $ip beside
}

policy()	# add|delete [ACTION...]
{
	ip -n pxs-d xfrm policy "$1" src "$(bare "$(vip 0)")" dst "$(bare "$(client 0)")" \
		dir out "${@:2}"
}

# The policy is for what leaves, and that comes from the VIP.
forbidden()
{
	ok "$FAMILY: answered" on c "$TRAFFIC" udp "$(vip 7000)"
	policy add action block
	refused "$FAMILY: a policy forbids the answers" "no answer" \
		on c "$TRAFFIC" -t 500 udp "$(vip 7000)"
	policy delete
	ok "$FAMILY: answered again" on c "$TRAFFIC" udp "$(vip 7000)"
}

all_from_card()
{
	on d nft -j list chain inet beside pre |
		jq -e '[.. | .counter? | .packets? // empty] | add == 16'
}

# What was one packet of several requests has the link header in each.
split_up()
{
	local card

	card=$(on c cat /sys/class/net/eth0/address)
	pxs service set u key payload 0:6
	on d nft -f - <<-END
		table inet beside {
			chain pre {
				type filter hook prerouting priority -300;
				ether saddr $card udp dport 7000 counter
			}
		}
	END
	ok "$FAMILY: 16 requests in a packet" on c "$TRAFFIC" -n 16 -G -s 100 \
		-k "$T_DIR/keys" udp "$(vip 7000)"
	ok "$FAMILY: each comes from the client's card" wait_until 10 all_from_card
	on d nft delete table inet beside
	pxs service set u key tuple
}

tunnel_end()	# HOST REMOTE ADDRESS OPTIONS...
{
	ip -n "pxs-$1" link add vx0 type vxlan id 9 remote "$2" dstport 4789 srcport 4789 4790 \
		nolearning "${@:4}"
	ip -n "pxs-$1" addr add "$3/24" dev vx0
	ip -n "pxs-$1" link set vx0 mtu 1400 up
}

# tunnel NAME OPTIONS...: c's frames go to the VIP, b1's to c
tunnel()
{
	local name="$FAMILY: tunnel, $1"
	shift
	tunnel_end c "$(bare "$(vip 0)")" 10.9.0.1 "$@"
	tunnel_end b1 "$(bare "$(client 0)")" 10.9.0.2 "$@"
	start_on b1 inside "$BACKEND" udp 10.9.0.2:7000
	wait_until 20 grep -q ready "$T_DIR/inside.log" || bail "no server in the tunnel"
	ok "$name: requests" on c "$TRAFFIC" -n 3 udp 10.9.0.2:7000
	ok "$name: 16 requests in a packet" on c "$TRAFFIC" -n 16 -G -s 100 \
		-k "$T_DIR/keys" udp 10.9.0.2:7000
	stop "$START_PID"
	ip -n pxs-c link del vx0
	ip -n pxs-b1 link del vx0
}

tunnels()
{
	local none=noudpcsum whole=udpcsum

	[ $FAMILY = v4 ] || none="udp6zerocsumtx udp6zerocsumrx" whole=noudp6zerocsumtx
	ok "$FAMILY: a tunnel is a service" \
		pxs service add vx udp "$(vip 4789)" key source
	ok "$FAMILY: with a backend" pxs backend add vx "$(be 1 4789)"
	# shellcheck disable=SC2086  # several words
	tunnel "no outer checksum" $none
	tunnel "an outer checksum" $whole
	pxs service del vx
}

director_hosts 1
keys 16 >"$T_DIR/keys"
on d sysctl -q -w net.ipv4.conf.lo.accept_local=1
# Who computes what is left to compute is the director: a cable that passes it on hides mistakes.
for dev in c0 b1; do on d ethtool -K $dev tx off gro off >/dev/null 2>&1; done
for FAMILY in v4 v6; do
	start_backends udp 7000
	pxs service add u udp "$(vip 7000)"
	pxs backend add u "$(be 1 7000)"
	translated
	forbidden
	split_up
	tunnels
	pxs service del u
	stop_backends >/dev/null
done
done_testing
