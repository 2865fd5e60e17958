#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_beside.sh - UDP by nat beside others who rewrite the same packets
#
#     c ──── d ──── b1        nftables on d sends its own requests for NOBODY to the VIP
#
# kernels: 6.1 6.12 newest
# limit: 200

. "$(dirname "$0")/lib.sh"
need_module
need jq ip nft
. "$(dirname "$0")/director.sh"
modprobe -q nft_chain_nat || bail "no NAT of nftables here"

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
	is "$FAMILY: a request by way of nftables is counted" "$(service_stat u requests)" 1
	ok "$FAMILY: and the backend answers" wait_until 10 replied 1
	on d nft delete table $ip beside
}

director_hosts 1
on d sysctl -q -w net.ipv4.conf.lo.accept_local=1
for FAMILY in v4 v6; do
	start_backends udp 7000
	pxs service add u udp "$(vip 7000)"
	pxs backend add u "$(be 1 7000)"
	translated
	pxs service del u
	stop_backends >/dev/null
done
done_testing
