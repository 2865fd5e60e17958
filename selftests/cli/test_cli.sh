#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test_cli.sh - the command line without a module: exit codes, messages, help, batches
#
# PAXSTEER names the program. Each line of a table below is one command, the exit status it must
# have, and words that its message must hold.

set -u
PAXSTEER=${PAXSTEER:-paxsteer}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$(dirname "$0")/../unit/tap.sh"

# STATUS "WORDS ON STDERR" ARGUMENTS...
refuses()
{
	local want=$1 words=$2 got ok=0
	shift 2

	"$PAXSTEER" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" = "$want" ] || { echo "# exit status $got, not $want"; ok=1; }
	grep -qF -- "$words" "$tmp/err" || { echo "# not said: $words"; ok=1; }
	[ ! -s "$tmp/out" ] || { echo "# something on stdout"; ok=1; }
	[ $ok = 0 ] || sed 's/^/# /' "$tmp/err"
	result $ok "paxsteer $* -> $want"
}

# "WORDS ON STDOUT" ARGUMENTS...
shows()
{
	local words=$1 ok=0
	shift

	"$PAXSTEER" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || ok=1
	grep -qF -- "$words" "$tmp/out" || { echo "# not shown: $words"; ok=1; }
	[ ! -s "$tmp/err" ] || { echo "# something on stderr"; ok=1; }
	result $ok "paxsteer $* shows \"$words\""
}

key=$tmp/key
printf '%064d\n' 1 >"$key"
printf 'short' >"$tmp/short"
head -c 100 /dev/zero >"$tmp/long"
uuid=01234567-89ab-cdef-0123-456789abcdef
long=0123456789012345678901234567890x
member=(member 1 10.0.0.1:7000 incarnation 0x1)
group=(group add 1 cluster "$uuid" key-file "$key" self 1)

# Help is asked for: stdout, 0.
shows 'Usage: paxsteer' help
shows 'Usage: paxsteer' --help
shows 'paxsteer ' -V
for object in service backend table group stats; do
	shows "Usage: paxsteer $object" $object help
done
shows 'Usage: paxsteer lookup' lookup help
shows 'Usage: paxsteer monitor' monitor help
shows 'Usage: paxsteer save' save help
shows 'Usage: paxsteer restore' restore help
shows 'Usage: paxsteer import' import help
shows 'Usage: paxsteer service' service add help
shows 'Usage: paxsteer service' serv help

# What is completed is in the help of its object, and in the line that names the object.
completed()	# completed OBJECT: the commands
{
	# shellcheck disable=SC2034  # bash's
	local COMP_WORDS=(paxsteer "$1" '') COMP_CWORD=2

	_paxsteer
	printf '%s\n' "${COMPREPLY[@]}" | grep -vxE 'help|-S|group'
}
# shellcheck source=../../docs/paxsteer-completion.bash
. "$(dirname "$0")/../../docs/paxsteer-completion.bash"
for object in service backend table agreed group cluster member log journal; do
	missing=
	for command in $(completed $object); do
		"$PAXSTEER" help | grep -wE "^ +$object " | grep -qwe "$command" ||
			missing+=" $command"
		"$PAXSTEER" $object help | grep -qwe "$command" || missing+=" $object:$command"
	done
	[ -z "$missing" ] || echo "# missing:$missing"
	[ -z "$missing" ] && [ -n "$command" ]
	result $? "$object: help names all commands"
done

# What cannot be written is an error, by whichever way it was to be shown.
for words in help --help -V 'service help' 'service add help' 'restore help'; do
	# shellcheck disable=SC2086  # words
	"$PAXSTEER" $words >/dev/full 2>"$tmp/err"
	[ $? = 1 ] && grep -qF 'cannot write the output: No space left on device' "$tmp/err"
	result $? "paxsteer $words >/dev/full fails, and says so"
done

# Objects and commands.
refuses 1 'Usage: paxsteer'
refuses 1 'unknown object "frob"' frob
refuses 1 'object "s" is ambiguous: service, stats, save' s
refuses 1 'unknown command "frob"' service frob
refuses 1 'command "s" is ambiguous: set, show' service s
refuses 1 'unknown object ""' ''
refuses 1 'unknown option "-x"' -x
refuses 1 'option -n: a value is missing' -n
refuses 1 'option -b: a value is missing' -b
refuses 1 'after -batch' -b "$key" service show
refuses 1 'network namespace "no such"' -n 'no such' service show
refuses 1 'not a name' -n ../etc service show

# Services.
refuses 1 'service add: NAME is missing' service add
refuses 1 'must be 1..31' service add $long udp 1.2.3.4:5
refuses 1 'must be 1..31' service add '' udp 1.2.3.4:5
refuses 1 'udp or tcp is missing' service add web
refuses 1 '"sctp" is not udp or tcp' service add web sctp 1.2.3.4:5
refuses 1 'ADDR:PORT is missing' service add web udp
refuses 1 '"1.2.3.4" is not ADDR:PORT' service add web udp 1.2.3.4
refuses 1 '"::1:53" is not ADDR:PORT' service add web udp ::1:53
refuses 1 'port of 1..65535' service add web udp 1.2.3.4:65536
refuses 1 'unknown keyword "fil", expected mode, tunnel-port, group, fill, key, seed, rows, cap' \
	service add web udp 1.2.3.4:5 fil maglev
refuses 1 'fill is missing' service add web udp 1.2.3.4:5 fill
for bound in 1 1.009 10.001 1.2345 .5 1. x 1.2.3 -1 99999999999; do
	refuses 1 "bound: \"$bound\" is not 1.01..10 or 0" \
		service add web udp 1.2.3.4:5 bound "$bound"
done
for passive in 0/1 1/0 3 1001/1 1/3601 x 1/x /1 1/ -1/1 '' 1/1/1; do
	refuses 1 "passive: \"$passive\" is not FAILS/SECONDS (1..1000/1..3600) or 0" \
		service add web udp 1.2.3.4:5 passive "$passive"
done
refuses 1 'slow-start' service set web slow-start 3601
fills='rendezvous, maglev, redis-slots, jump, ketama, ipvs-mh, maglev-envoy, maglev-katran,'
refuses 1 "fill: \"mag\" is not $fills maglev-cilium or sticky" \
	service add web udp 1.2.3.4:5 fill mag
refuses 1 'mode: "tun" is not nat, local, dsr, tunnel ipip, tunnel gue or request' \
	service add web udp 1.2.3.4:5 mode tun
refuses 1 'mode tunnel: "gre" is not ipip or gue' service add web udp 1.2.3.4:5 mode tunnel gre
refuses 1 'mode tunnel is missing' service add web udp 1.2.3.4:5 mode tunnel
refuses 1 'tunnel-port: "0" is not a number of 1..65535' \
	service add web udp 1.2.3.4:5 mode tunnel gue tunnel-port 0
for of in 0 2147483648 x; do
	refuses 1 "group: \"$of\" is not a number of 1..2147483647" \
		service add web udp 1.2.3.4:5 group $of
done
refuses 1 'unknown keyword "group"' service set web group 1
refuses 1 'unexpected "now"' agreed leave now
refuses 1 'rows is given twice' service add web udp 1.2.3.4:5 rows 256 rows 512
refuses 1 'rows: "4294967296" is not a number of 0..4294967295' \
	service add web udp 1.2.3.4:5 rows 4294967296
refuses 1 'rows: "-1" is not a number' service add web udp 1.2.3.4:5 rows -1
refuses 1 'cap: "1001" is not' service add web udp 1.2.3.4:5 cap 1001
refuses 1 'seed: "00" is not 32 hex digits' service add web udp 1.2.3.4:5 seed 00
refuses 1 'key payload: OFFSET:LEN is missing' service add web udp 1.2.3.4:5 key payload
refuses 1 'key payload: "4" is not OFFSET:LEN' service add web udp 1.2.3.4:5 key payload 4
refuses 1 'is not source, tuple, payload, memcached, dns, redis, http-host, http-path or quic' \
	service add web udp 1.2.3.4:5 key sip
refuses 1 'key source: "0" is not a prefix' service add web udp 1.2.3.4:5 key source/0
refuses 1 'key source: "129" is not a prefix' service add web udp 1.2.3.4:5 key source/129
refuses 1 'key quic: LEN is missing' service add web udp 1.2.3.4:5 key quic
refuses 1 'key quic: LEN: "21" is not a number of 1..20' service add web udp 1.2.3.4:5 key quic 21
refuses 1 'nothing to set' service set web
refuses 1 'unknown keyword "mode"' service set web mode nat
refuses 1 'NAME is missing' service del
refuses 1 'unexpected "b"' service del a b
refuses 1 'unexpected "b"' service show a b

# Backends.
refuses 1 'NAME is missing' backend add
refuses 1 'ADDR:PORT is missing' backend add web
refuses 1 'weight: "65536" is not a number of 0..65535' backend add web 1.2.3.4:5 weight 65536
refuses 1 'state: "off" is not up, drain or down' backend set web 1.2.3.4:5 state off
refuses 1 'deadline: "604801" is not a number of 0..604800' \
	backend set web 1.2.3.4:5 state drain deadline 604801
refuses 1 'deadline: "5m" is not a number' backend set web 1.2.3.4:5 deadline 5m
refuses 1 'nothing to set' backend set web 1.2.3.4:5
refuses 1 'unknown keyword "id", expected weight, state, deadline or health' \
	backend set web 1.2.3.4:5 id 7
refuses 1 'health: "down" is not unchecked, good or bad' backend set web 1.2.3.4:5 health down
refuses 1 'unknown keyword "health", expected weight, state, deadline or id' \
	backend add web 1.2.3.4:5 health good
refuses 1 'unexpected "x"' backend del web 1.2.3.4:5 x
refuses 1 'fd is missing' backend add web fd
refuses 1 'fd: "2147483648" is not a number of 0..2147483647' backend add web fd 2147483648
refuses 1 '"fd" is not ADDR:PORT' backend del web fd 3
refuses 1 '"socket" is not ADDR:PORT' backend add web socket 3
refuses 1 'socket: "0" is not a number of 1..18446744073709551615' backend del web socket 0

# Table, lookup, stats, monitor.
refuses 1 'NAME is missing' table show
refuses 1 'unknown keyword "row", expected rows' table show web row
refuses 1 'unexpected "x"' table show web rows x
refuses 1 'NAME is missing' table plot
refuses 1 'unknown keyword "png", expected svg' table plot web png x
refuses 1 'svg: FILE is missing' table plot web svg
refuses 1 'unexpected "y"' table plot web svg x y
refuses 1 'NAME is missing' lookup
refuses 1 'key, hex or from is missing' lookup web
refuses 1 'unknown keyword "kee"' lookup web kee x
refuses 1 'must be 1..512' lookup web key ''
refuses 1 'must be 1..512' lookup web key "$(printf '%0513d' 0)"
refuses 1 'hex: "123" is not' lookup web hex 123
refuses 1 'from: "1.2.3" is not an address' lookup web from 1.2.3
refuses 1 'unexpected "x"' lookup web key a x
refuses 1 'unexpected "x"' stats show x
refuses 1 'unexpected "x"' monitor x
refuses 1 '-w: SECONDS is missing' stats -w
refuses 1 '-w: "0" is not a number of seconds of 0.1..86400' stats -w 0
refuses 1 '-w: "0.01" is not a number' stats show -w 0.01
refuses 1 '-w: "86401" is not a number' stats -w 86401
refuses 1 'count: "0" is not a number' stats -w 1 count 0
refuses 1 'unexpected "x"' stats -w 1 count 1 x

# Save and restore; what a file may say is in test_save.c.
refuses 1 'expected service' save web
refuses 1 'NAME is missing' save service
refuses 1 'cannot open "/' restore "$tmp/none"
refuses 1 'cannot read' restore "$tmp"
refuses 1 'unexpected "b"' restore a b
echo 'service add web udp 1.2.3.4' >"$tmp/batch"
refuses 1 'batch:1: service add: "1.2.3.4" is not ADDR:PORT' restore "$tmp/batch" flush

# Groups. The key is never taken from the command line.
refuses 1 'ID is missing' group add
refuses 1 'ID: "0" is not a number of 1..2147483647' group add 0
refuses 1 'ID: "2147483648" is not' group del 2147483648
refuses 1 'cluster is missing' group add 1
refuses 1 'cluster: "1" is not a UUID' group add 1 cluster 1
refuses 1 'unknown keyword "key"' group add 1 cluster $uuid key 00
refuses 1 'No such file' group add 1 cluster $uuid key-file "$tmp/none"
refuses 1 'is not 64 hex digits or 32 bytes' group add 1 cluster $uuid key-file "$tmp/short"
refuses 1 'is not 64 hex digits or 32 bytes' group add 1 cluster $uuid key-file "$tmp/long"
refuses 1 'Is a directory' group add 1 cluster $uuid key-file "$tmp"
refuses 1 'self: "64" is not a number of 1..63' group add 1 self 64
refuses 1 'member is missing' "${group[@]}"
refuses 1 'member: "0" is not a number of 1..63' "${group[@]}" member 0
refuses 1 'expected incarnation' "${group[@]}" member 1 10.0.0.1:7000 inc 1
refuses 1 'incarnation: "0" is not a number of 1..' "${group[@]}" member 1 10.0.0.1:7000 \
	incarnation 0
refuses 1 'key-id: "256" is not' "${group[@]}" "${member[@]}" key-id 256
refuses 1 'also-key-id: "256" is not' "${group[@]}" "${member[@]}" also-key-id 256
refuses 1 'also-key-file: "' group set 1 also-key-file "$tmp/none"
refuses 1 'key-id is missing' group set 1 key-file "$tmp/key"
refuses 1 'key-file is missing' group set 1 key-id 1
refuses 1 'unknown keyword "window"' group set 1 window 64
refuses 1 'ID is missing' group set
refuses 1 'window: "x" is not' "${group[@]}" "${member[@]}" window x
refuses 1 'is missing' group add 1 "${member[@]}"
refuses 1 'member: a group has at most 7' "${group[@]}" "${member[@]}" "${member[@]}" \
	"${member[@]}" "${member[@]}" "${member[@]}" "${member[@]}" "${member[@]}" "${member[@]}"

# Journals.
refuses 1 'member: is given twice' journal init "$tmp/j" cluster $uuid member 1 member 2
refuses 1 'cluster: is given twice' journal init "$tmp/j" cluster $uuid cluster $uuid member 1
refuses 1 'segment-size: is given twice' journal init "$tmp/j" segment-size 65536 \
	cluster $uuid member 1 segment-size 65536

# The log: nothing is connected to before all is understood.
refuses 1 'unknown command "", try "log help"' log ''
refuses 1 'unknown command "frob", try "log help"' log frob
refuses 1 'command "tr" is ambiguous: transfer, trim' log tr to 2
refuses 1 'command "s" is ambiguous: show, set' member s
refuses 1 'unknown command ""' member ''
refuses 3 'No such file' member -S "$tmp/none" dem 2
refuses 3 'No such file' log -S "$tmp/none" ta
refuses 1 'to: MEMBER is missing' log transfer
refuses 1 'to: must be 1..63' log transfer to 64
refuses 1 '"2" is not understood' log transfer 2
refuses 3 'No such file' log -S "$tmp/none" transfer to 2
refuses 1 '-S: a value is missing' log -S
refuses 1 'group: a value is missing' log group
refuses 1 '-S: is given twice' log -S a -S b status
refuses 1 '-S: no socket' log -S , status
refuses 1 'is too long for a socket' log -S "$(printf '%0108d' 0)" status
refuses 1 'group: is given twice' log group 1 group 2 status
refuses 1 'group: must be 1..2147483647' log group 0 status
refuses 1 'group: must be 1..2147483647' log group 2147483648 status
refuses 1 'group: "x" is not a number' log group x status
refuses 1 '"x" is not understood' log status x
refuses 1 'give either VALUE' log append
refuses 1 'give either VALUE' log append x count 5
refuses 1 'give either VALUE' log append x seconds 5
refuses 1 'give either VALUE' log append x count 5 seconds 5
refuses 1 'VALUE: a value has at least one byte' log append ''
refuses 1 '"y" is not understood' log append x y
refuses 1 'count: a value is missing' log append count
refuses 1 'count: must be 1..' log append count 0
refuses 1 'count: must be 1..' log append count 99999999999999999999
refuses 1 'count: "-1" is not a number' log append count -1
refuses 1 'count: is given twice' log append count 5 count 6
refuses 1 'quiet: is given twice' log append x quiet quiet
refuses 1 'quiet: takes no value' log append x --quiet=1
refuses 1 'size: must be 0..65536' log append count 1 size 65537
refuses 1 'size: is for made values' log append x size 3
refuses 1 'prefix: is for made values' log append - prefix y
refuses 1 'prefix: has more than 32 bytes' log append count 1 prefix $long$long
refuses 1 'outstanding: must be 1..4096' log append count 1 outstanding 4097
refuses 1 'seconds: must be 1..31622400' log append seconds 31622401
refuses 1 'timeout: must be 1..3600000' log append x timeout 0
refuses 1 "acked-file $tmp/no/x: No such file" log append x acked-file "$tmp/no/x"
refuses 1 "history $tmp/no/x: No such file" log append x history "$tmp/no/x"
refuses 1 "history $tmp/no/x: No such file" log tail history "$tmp/no/x"
refuses 1 'from: must be 1..4611686018427387904' log tail from 0
refuses 1 'from: must be 1..4611686018427387904' log tail from 4611686018427387905
refuses 1 'count: must be 1..' log tail count 0
refuses 1 '"frob" is not understood' log tail frob

# A cluster: what is wrong with the words; selftests/cluster_init.sh has the rest.
three=("1=10.0.0.1" "2=10.0.0.2" "3=10.0.0.3")
refuses 1 'Usage: paxsteer cluster' cluster
refuses 1 'unknown command "frob"' cluster frob
refuses 1 'self is missing' cluster init "${three[@]}"
refuses 1 'self: must be 1..63' cluster init self 64 "${three[@]}"
refuses 1 'self: is given twice' cluster init self 1 self 1 "${three[@]}"
refuses 1 'valid: must be 1..720' cluster init self 1 valid 0 "${three[@]}"
refuses 1 'valid: must be 1..720' cluster init self 1 valid 721 "${three[@]}"
refuses 1 'segment-size: must be 65536..' cluster init self 1 segment-size 1 "${three[@]}"
refuses 1 'segment-size: must be a multiple of 4096' cluster init self 1 segment-size 65537 \
	"${three[@]}"
refuses 1 '0 members: a cluster begins with 3 or 5' cluster init self 1
refuses 1 'BUNDLE is missing' cluster join self 1
refuses 1 'self is missing' cluster join -
refuses 1 '-: is no bundle' cluster join - self 1
refuses 1 "$tmp: is not a file" cluster join "$tmp" self 1
refuses 1 '"x" is not understood' cluster join - x self 1
refuses 1 "password-file $tmp/none: No such file" cluster status password-file "$tmp/none"
refuses 3 "$tmp/none: No such file" cluster status -S "$tmp/none"
refuses 1 'MEMBER is missing' cluster add
refuses 1 'is not ADDRESS' cluster add 4=node
refuses 1 'the id is not 1..63' cluster add 64=10.0.0.4
refuses 1 'its store must be at its own address' cluster add 4=10.0.0.4,10.0.0.5:6379
refuses 1 'neither kernel nor user' cluster add 4=10.0.0.4 datapath users
refuses 1 'valid: must be 1..720' cluster add 4=10.0.0.4 valid 0
refuses 1 'timeout: must be 0..604800' cluster add 4=10.0.0.4 timeout 604801
refuses 1 'etc: "x" does not begin with /' cluster add 4=10.0.0.4 etc x
refuses 1 '"5=10.0.0.5" is not understood' cluster add 4=10.0.0.4 5=10.0.0.5
refuses 1 "$tmp/none/store.password: No such file" cluster add 4=10.0.0.4 etc "$tmp/none"
refuses 1 'ID is missing' cluster remove
refuses 1 'ID: "x" is not 1..63' cluster remove x
refuses 1 'ID: "64" is not 1..63' cluster remove 64
refuses 1 'timeout: must be 1..3600' cluster remove 4 timeout 0
refuses 3 "$tmp/none: No such file" cluster remove -S "$tmp/none" 4
refuses 1 '"x" is not understood' cluster rebalance x
refuses 1 'voters: must be 2..5' cluster rebalance voters 6
refuses 3 "$tmp/none: No such file" cluster rebalance -S "$tmp/none" dry-run

# Batches.
refuses 1 'cannot open "/' -b "$tmp/none"
refuses 1 'cannot read' -b "$tmp"
printf '# nothing\n\n  \n' >"$tmp/empty"
"$PAXSTEER" -b "$tmp/empty"
result $? 'an empty batch is fine'
printf 'help\nservice frob\nhelp\n' >"$tmp/batch"
"$PAXSTEER" -b "$tmp/batch" >"$tmp/out" 2>"$tmp/err"
[ $? = 1 ] && grep -qF "$tmp/batch:2: service: unknown command" "$tmp/err" &&
	[ "$(grep -c '^Usage' "$tmp/out")" = 1 ]
result $? 'a batch ends at the line that fails, and names it'
"$PAXSTEER" -force -b - <"$tmp/batch" >"$tmp/out" 2>"$tmp/err"
[ $? = 1 ] && grep -qF 'stdin:2:' "$tmp/err" && [ "$(grep -c '^Usage' "$tmp/out")" = 2 ]
result $? 'a forced batch goes on, and still fails'
printf "service del 'a b\n" >"$tmp/batch"
refuses 1 'batch:1: a quote is not closed' -b "$tmp/batch"

# Good commands get as far as the kernel; without the module that is status 3, and says why.
if [ -d /sys/module/paxsteer ]; then
	n=$((n + 1))
	echo "ok $n - without the module # SKIP it is loaded"
else
	no='the module is not loaded'
	refuses 3 "$no" service
	refuses 3 "$no" -j -p service show web
	refuses 3 "$no" se a web udp 1.2.3.4:53 mode local fill maglev key payload 0:4 cap 2.5% \
		rows 65537
	refuses 3 "$no" service add web tcp '[2001:db8::1]:80' seed 000102030405060708090a0b0c0d0e0f
	refuses 3 "$no" service set web key memcached
	refuses 3 "$no" b a web 1.2.3.4:53 weight 0 id 0xffffffffffffffff state drain
	refuses 3 "$no" table show web rows
	refuses 3 "$no" table plot web
	refuses 3 "$no" table plot web svg "$tmp/no/x.svg"
	refuses 3 "$no" save
	refuses 3 "$no" restore
	refuses 3 "$no" service add help udp 192.0.2.1:53	# a name like any other
	refuses 3 "$no" lookup web key k
	refuses 3 "$no" lookup web hex 00ff
	refuses 3 "$no" lookup web from 2001:db8::1
	refuses 3 "$no" "${group[@]}" "${member[@]}" window 64 heartbeat 10 election 100 \
		durability disk epoch 18446744073709551615 key-id 1 "${member[@]}" "${member[@]}" \
		"${member[@]}" "${member[@]}" "${member[@]}" "${member[@]}"
	refuses 3 "$no" group set 1 key-file "$tmp/key" key-id 255 also-key-file "$tmp/key" \
		also-key-id 0
	refuses 3 "$no" -j stats
	refuses 3 "$no" stats -w 86400 count 1
	refuses 3 "$no" monitor
fi

# The spec and the header: the checker must notice a difference of each kind.
if [ -n "${CHECK_SPEC:-}" ]; then
	spec=${CHECK_SPEC%/*}/paxsteer.yaml
	"$CHECK_SPEC" >"$tmp/out"
	result $? 'the spec agrees with the header'
	while IFS='|' read -r what edit words; do
		sed "$edit" "$spec" >"$tmp/spec.yaml"
		! cmp -s "$spec" "$tmp/spec.yaml" &&
			! "$CHECK_SPEC" --spec "$tmp/spec.yaml" >"$tmp/out" &&
				grep -qF "$words" "$tmp/out"
		result $? "check-spec notices $what"
	done <<-'END'
		another limit|s/value: 16384/value: 16385/|PXS_VALUE_MAX: 16385 in the spec
		another type|0,/type: u16/s//type: u32/|type u32 in the spec, u16 in the header
		another name|s/name: no-socket/name: no-sock/|STAT_NO_SOCKET: in the header, not
		another command|s/name: lookup$/name: look/|PXS_CMD_LOOK
		a command for everybody|0,/flags: \[ admin-perm \]/s//flags: [ ]/|not admin-perm
	END
fi

results_end
