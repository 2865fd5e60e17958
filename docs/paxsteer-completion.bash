# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of the command `paxsteer`: objects, commands, keywords, and the names of services
# that are there (asked for in silence: without the right to ask there are none).

_paxsteer_services()
{
	paxsteer -j service show 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4
}

_paxsteer()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i=1 words=
	local object command

	while [[ ${COMP_WORDS[i]} == -* && $i -lt $COMP_CWORD ]]; do
		[[ ${COMP_WORDS[i]} == -[nb] || ${COMP_WORDS[i]} == -netns ||
			${COMP_WORDS[i]} == -batch ]] && i=$((i + 1))
		i=$((i + 1))
	done
	object=${COMP_WORDS[i]} command=${COMP_WORDS[i + 1]}
	case $((COMP_CWORD - i)) in
	0)	words='service backend table agreed lookup group cluster member log journal stats monitor save
			restore import help
			-json -pretty -statistics -netns -batch -force -Version' ;;
	1)	case $object in
		service | backend) words='add set del show help' ;;
		group) words='add set del show help' ;;
		table) words='show plot diff help' ;;
		agreed) words='show leave help' ;;
		stats) words='show -w help' ;;
		lookup) words=$(_paxsteer_services) ;;
		cluster) words='init join status add remove rebalance help' ;;
		member) words='show add promote demote set remove quorum group -S' ;;
		log) words='append tail status transfer read-index trim group -S' ;;
		journal) words='init show verify dump' ;;
		save) words='service' ;;
		import) words='ipvs' ;;
		restore) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
		esac ;;
	*)	case $object.$command.$prev in
		service.*.mode) words='nat local dsr tunnel request' ;;
		service.*.tunnel) words='ipip gue' ;;
		service.*.fill) words='rendezvous maglev redis-slots jump ketama ipvs-mh
			maglev-envoy maglev-katran maglev-cilium sticky' ;;
		service.*.key) words='source tuple memcached dns redis http-host http-path quic
			payload' ;;
		backend.*.state) words='up drain down' ;;
		backend.*.health) words='unchecked good bad' ;;
		group.*.durability) words='disk memory' ;;
		group.*.key-file | group.*.also-key-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
		service.set."$command" | service.del."$command" | service.show."$command" | \
			backend.*."$command" | table.*."$command") words=$(_paxsteer_services) ;;
		service.*) words='mode tunnel-port group fill key seed rows cap slow-start bound passive' ;;
		backend.*) words='fd socket weight id state deadline health' ;;
		table.diff.backend) words='add set del' ;;
		table.diff.fill) words='rendezvous maglev redis-slots jump ketama ipvs-mh
			maglev-envoy maglev-katran maglev-cilium sticky' ;;
		table.diff.*) words='backend socket fill rows cap seed weight id state deadline health' ;;
		table.plot.svg) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
		table.plot.*) words='svg' ;;
		table.*) words='rows' ;;
		stats.*) words='-w count' ;;
		lookup.*) words='key hex from' ;;
		save.service.service) words=$(_paxsteer_services) ;;
		restore.*) words='flush' ;;
		import.*) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
		cluster.join.join | cluster.*.etc | cluster.*.journal | cluster.*.socket | \
			cluster.*.units | cluster.*.bundle | cluster.*.password-file)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
		cluster.*.datapath) words='kernel user' ;;
		cluster.*.user) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		cluster.init.*) words='self etc journal socket units user segment-size groups datapath
			bundle valid' ;;
		cluster.join.*) words='self etc journal socket units user segment-size' ;;
		cluster.status.*) words='-S group password-file' ;;
		cluster.add.*) words='-S learner etc bundle valid datapath timeout' ;;
		cluster.remove.*) words='-S voters etc password-file timeout' ;;
		cluster.rebalance.*) words='-S voters dry-run etc password-file timeout' ;;
		journal.*."$command") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
		journal.dump.*) words='group slot from count values' ;;
		journal.init.*) words='cluster member segment-size' ;;
		log.append.*) words='count size prefix outstanding seconds timeout keep-going quiet once
			acked-file history' ;;
		log.transfer.*) words='to timeout' ;;
		log.read-index.*) words='timeout' ;;
		log.trim.*) words='to force timeout' ;;
		member.promote.*) words='force timeout' ;;
		member.add.* | member.set.*) words='incarnation store timeout' ;;
		member.quorum.*) words='phase1 phase2 majority timeout' ;;
		member.*) words='timeout' ;;
		log.tail.*) words='from count follow hash noops once history' ;;
		group.add.*) words='cluster key-file self member incarnation key-id also-key-file
			also-key-id epoch window heartbeat election durability learner
			lease-drift phase1 phase2' ;;
		group.set.*) words='key-file key-id also-key-file also-key-id' ;;
		esac ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _paxsteer paxsteer
