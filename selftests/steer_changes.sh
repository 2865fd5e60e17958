#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_changes.sh - real programs, and not one error while their tables change fifty times
#
#     c ──── d ──┬── b1, b2, b3   memcached by request and key (ketama), asked by libmemcached
#     └── r ─────┴── b4           nginx by flow, asked by wrk; Redis by flow, by redis-benchmark
#                                 DNS by the question's name, asked by dnsperf
#
# Weights change, servers drain and come back, one is added and removed, while all of these ask; and
# thousands of connections to Redis, by nat and by dsr (answers go by way of r), that were opened
# before stay with the servers that they had.
# libmemcached, with the servers' own list, sends each of 100,000 keys where the module does. Then
# floods of SYNs, of a million the first one: memory stays what it is, and clients are served.
#
# PXS_SHORT=1: fewer keys and SYNs.
#
# Not in "make check": it takes minutes for each kernel.
# check-kernels: none
# limit: 2400

. "$(dirname "$0")/lib.sh"
need_module
need jq ip memcached nginx redis-server redis-benchmark curl python3 dnsmasq dnsperf wrk
. "$(dirname "$0")/director.sh"
. "$(dirname "$0")/programs.sh"

SEED=000102030405060708090a0b0c0d0e0f
MEMCACHED=$TOP/selftests/libmemcached.py
SYNFLOOD=$(prog synflood) || bail "selftests/synflood.c does not build"
CHANGES=60 TABLES=50 HELD=2000
KEYS=100000 SYNS=100000 MANY=1000000
[ -z "${PXS_SHORT:-}" ] || KEYS=2000 SYNS=60000 MANY=60000
# Of connection tracking, which has a bound of its own, and gives up the oldest half-open ones.
TRACKED=4096
# In emulation they would leave nothing for who makes the changes. Their patience is a minute: wrk's
# two seconds and dnsperf's five are not enough there. What is lost is not sent again by dnsperf.
GIVES_WAY=(nice -n 19)

dns_up()
{
	local i FAMILY

	for i in 1 2 3 4; do
		start_on "b$i" "dns$i" dnsmasq --keep-in-foreground --conf-file=/dev/null \
			--user=root --pid-file= --no-resolv --no-hosts --bind-interfaces \
			--port=5353 \
			--listen-address="$(FAMILY=v4 address "$i"),$(FAMILY=v6 address "$i")" \
			"--address=/#/192.0.2.$((90 + i))" --log-facility=-
		wait_until 30 grep -q started "$T_DIR/dns$i.log" ||
			bail "no DNS on b$i: $(cat "$T_DIR/dns$i.log")"
	done
}

services()
{
	local i

	pxs -b - <<-END || return
	service add m tcp $(vip 11211) mode request key memcached fill ketama
	service add h tcp $(vip 8080) seed $SEED
	service add r tcp $(vip 6379) seed $SEED
	service add n udp $(vip 53) key dns seed $SEED
	service add d tcp $(vip 6380) mode dsr seed $SEED
	END
	for i in 1 2 3; do
		printf 'backend add %s\n' "m $(be $i 11211)" "h $(be $i 8080)" \
			"r $(be $i 6379)" "n $(be $i 5353)" "d $(be $i 6380)"
	done | pxs -b -
}

# Redis once more, at the VIP itself. Answers from there go past the director.
redis_at_vip()
{
	local i

	host r
	link r c1 10.3.0.1/24,fd03::1/64 c eth1 10.3.0.2/24,fd03::2/64
	on r sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	printf 'route add %s\n' "10.1.0.0/24 via 10.3.0.2" "fd01::/64 via fd03::2" |
		ip -n pxs-r -batch -
	for i in 1 2 3; do
		link "b$i" eth1 "10.4.$i.2/24,fd04:$i::2/64" r "b$i" "10.4.$i.1/24,fd04:$i::1/64"
		ip -n "pxs-b$i" -batch - <<-END
		addr add 192.0.2.1/32 dev lo
		addr add 2001:db8::1/128 dev lo
		rule add from 192.0.2.1 lookup 100
		route add default via 10.4.$i.1 table 100
		END
		printf '%s\n' "rule add from 2001:db8::1 lookup 100" \
			"route add default via fd04:$i::1 table 100" |
			ip -6 -n "pxs-b$i" -batch -
		start_on "b$i" "vip$i" redis-server --port 6380 --save "" --protected-mode no \
			--bind 192.0.2.1 2001:db8::1 --dir "$T_DIR"
		wait_until 30 on "b$i" redis-cli -h 192.0.2.1 -p 6380 set who "b$i" ||
			bail "no Redis at the VIP of b$i"
		on "b$i" redis-cli -p 6379 -h "10.2.$i.2" set who "b$i" >/dev/null
	done
}

# --- the programs, each until it is told to end: new connections all the while ----------------
BENCH_ENDS=$T_DIR/bench.ends
benchmarks()
{
	local n=0

	while [ ! -e "$BENCH_ENDS" ]; do
		on c "${GIVES_WAY[@]}" redis-benchmark -q -h "$(vip_address)" -n 200 -c 4 -k 0 \
			-t set,get || return
		n=$((n + 1))
	done
	echo "$n runs"
}

programs_begin()
{
	local host

	host=$(vip 8080)
	start_on c memcached "${GIVES_WAY[@]}" "$MEMCACHED" load "$(vip_address)" 11211 \
		"$T_DIR/keys"
	P_MEMCACHED=$START_PID
	start_on c wrk "${GIVES_WAY[@]}" wrk -t 1 -c 4 -d 3600 --timeout 60s \
		-H 'Connection: close' "http://$host/who"
	P_WRK=$START_PID
	start_on c dnsperf "${GIVES_WAY[@]}" dnsperf -s "$(vip_address)" -p 53 \
		-d "$T_DIR/names" -c 4 -q 8 -Q 100 -t 60 -l 3600
	P_DNSPERF=$START_PID
	rm -f "$BENCH_ENDS"
	benchmarks >"$T_DIR/benchmark.log" 2>&1 &
	P_BENCHMARK=$!
}

# ended NAME PID SIGNAL LOG CLEAN BAD: it ends well when told to; its words are so, and not so
ended()
{
	local name=$1 pid=$2 log=$T_DIR/$4.log

	[ -z "$3" ] || kill "-$3" "$pid"
	wait "$pid"
	is "$FAMILY: $name ends without an error" $? 0
	if grep -qE "$5" "$log" && ! grep -qE "$6" "$log"; then
		pass "$FAMILY: and has seen none"
	else
		fail "$FAMILY: and has seen none" "$(tail -n 20 "$log")"
	fi
	diag "$name: $(grep -E "$5" "$log" | tail -n 1)"
}

programs_end()
{
	touch "$BENCH_ENDS"
	ended libmemcached "$P_MEMCACHED" TERM memcached 'set and asked for' 'Traceback'
	ended wrk "$P_WRK" INT wrk 'requests in' 'Socket errors|Non-2xx'
	ended dnsperf "$P_DNSPERF" INT dnsperf 'Queries completed: ' \
		'Queries lost: +[1-9]|SERVFAIL|REFUSED|Warning|Error'
	ended redis-benchmark "$P_BENCHMARK" "" benchmark '^[0-9]+ runs' 'rror'
}

# held_begin NAME PORT: connections that were there before any change; held_end NAME
declare -A HELD_PIDS
held_begin()
{
	start_on c "held-$1" "${GIVES_WAY[@]}" "$CLIENT" hold "$(vip_address)" "$2" $HELD
	HELD_PIDS[$1]=$START_PID
	ok "$FAMILY: $HELD connections by $1" wait_until 240 grep -q "^held" "$T_DIR/held-$1.log"
}

held_end()
{
	kill "${HELD_PIDS[$1]}"
	wait "${HELD_PIDS[$1]}"
	is "$FAMILY: $1: each is still with the server that it had" $? 0
	diag "$1: $(tail -n 3 "$T_DIR/held-$1.log" | paste -sd' ')"
}

# --- changes ----------------------------------------------------------------------------
each()	# each BACKEND WORDS...: of all services
{
	local i=$1

	shift
	printf "backend set %s $*\n" "m $(be "$i" 11211)" "h $(be "$i" 8080)" \
		"r $(be "$i" 6379)" "n $(be "$i" 5353)" "d $(be "$i" 6380)"
}

# The fourth serves DNS and memcached, where a request is all that it has to end.
fourth() { printf "backend $1 %s ${2:-}\n" "m $(be 4 11211)" "n $(be 4 5353)"; }

# change N: one to each table, or to two of them
change()
{
	case $(($1 % 10)) in
	2)	each 3 state drain ;;
	4)	each 3 state up ;;
	5)	fourth add && each 1 weight 2 ;;
	7)	fourth set "state drain" && each 1 weight 1 ;;
	8)	fourth del && each 2 weight 3 ;;
	*)	each $((1 + $1 % 3)) weight $((1 + $1 * 7 % 5)) ;;
	esac | pxs -b -
}

# By service: h, m, n, r
seen()
{
	pxs -j service show | jq -r '[.[] | select(.name | test("^[mhrn]$"))] | sort_by(.name) |
		.[].stats.requests' | paste -sd' '
}
generations() { pxs -j service show | jq -r 'sort_by(.name) | .[].generation' | paste -sd' '; }
# Something of each of the programs has come since.
moved()
{
	local a b i

	read -ra a <<<"$BEFORE"
	read -ra b <<<"$(seen)"
	for i in 0 1 2 3; do [ "${b[$i]}" -gt $((a[i] + 2)) ] || return 1; done
}

# Not by ok(): it says how far it is.
changes()
{
	local name="$FAMILY: $CHANGES changes of tables, under load" n t0=$SECONDS

	for ((n = 1; n <= CHANGES; n++)); do
		BEFORE=$(seen)
		if ! change $n || ! wait_until 60 moved; then
			fail "$name" "change $n: $BEFORE, then $(seen)"
			return
		fi
		[ $((n % 10)) != 0 ] || diag "$FAMILY: $n changes, $((SECONDS - t0)) s"
	done
	pass "$name"
}

under_changes()
{
	local before after i a b

	keys 40 >"$T_DIR/keys"
	keys 300 | sed 's/$/.example. A/' >"$T_DIR/names"
	ok "$FAMILY: five services" services
	held_begin nat 6379
	held_begin dsr 6380
	programs_begin
	BEFORE="0 0 0 0"
	ok "$FAMILY: all four programs ask" wait_until 60 moved
	before=$(generations)
	changes
	after=$(generations)
	diag "$FAMILY: generations of d, h, m, n, r: $before, then $after"
	read -ra a <<<"$after"
	read -ra b <<<"$before"
	for i in 0 1 2 3 4; do
		[ $((a[i] - b[i])) -ge $TABLES ] ||
			fail "$FAMILY: a table has not changed $TABLES times" "$before" "$after"
	done
	programs_end
	held_end nat
	held_end dsr
	for i in m h r n d; do
		ok "$FAMILY: $i: all served" test "$(counted $i requests | wc -l)" -ge 3
	done
}

# --- libmemcached's own choice -------------------------------------------------------------
own_choice()
{
	local i servers=()

	for i in 1 2 3; do
		pxs backend set m "$(be $i 11211)" weight $i state up
		servers+=("$(be $i 11211)=$i")
	done
	pxs backend del m "$(be 4 11211)" 2>/dev/null
	keys $KEYS >"$T_DIR/keys"
	"$MEMCACHED" choices "$T_DIR/keys" "${servers[@]}" >"$T_DIR/choices"
	is "$FAMILY: libmemcached has chosen" "$(wc -l <"$T_DIR/choices")" $KEYS
	agrees "$FAMILY: and $KEYS keys are where it would send them" m key "$T_DIR/choices"
}

# --- floods -----------------------------------------------------------------------------------
# KiB that the kernel holds and cannot take back.
held() { awk '/^SUnreclaim|^Percpu/ { n += $2 } END { print n }' /proc/meminfo; }
asks_well()
{
	[ "$(on c curl -s -m 5 -o "$T_DIR/answer" -w '%{http_code}' \
		"http://$(vip 8080)/who")" = 200 ]
}

# Connections that have had an answer are not given up for new ones.
few_tracked() { [ "$(on d sysctl -n net.netfilter.nf_conntrack_count)" -lt $((TRACKED / 2)) ]; }

# flood NAME PORT N: ten times as many add nothing to what the first of them took
flood()
{
	local name=$1 port=$2 few=$(($3 / 10)) more=$(($3 - $3 / 10)) first

	is "$FAMILY: $name: $few SYNs" "$(on c "$SYNFLOOD" $few "$(vip_address)" "$port")" $few
	first=$(held)
	is "$FAMILY: $name: and $more more" \
		"$(on c "$SYNFLOOD" $more "$(vip_address)" "$port")" $more
	diag "$FAMILY: $name: $first KiB after the first $few, $(held) in the end"
	ok "$FAMILY: $name: memory is what it was" test "$(held)" -lt $((first + 2048))
	ok "$FAMILY: $name: a client is served" wait_until 30 asks_well
}

floods()
{
	local source=198.18.0.0/15 via=10.1.0.2 many=$MANY

	[ "$FAMILY" = v4 ] || source=2001:db8:f::/64 via=fd01::2 many=$SYNS
	ip -n pxs-d route add "$source" via "$via"
	ok "$FAMILY: connections that ended are forgotten" wait_until 60 few_tracked
	sysctl -q -w net.netfilter.nf_conntrack_max=$TRACKED
	flood nat 8080 "$many"
	flood dsr 6380 $SYNS
	flood "mode request" 11211 $SYNS
	sysctl -q -w net.netfilter.nf_conntrack_max="$WAS"
}

director_hosts 4
servers_up 4
dns_up
redis_at_vip
WAS=$(sysctl -n net.netfilter.nf_conntrack_max)
on d sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=2 \
	net.netfilter.nf_conntrack_tcp_timeout_close=2
for FAMILY in v4 v6; do
	under_changes
	own_choice
	floods
	ok "$FAMILY: services end" pxs -b - <<<"$(printf 'service del %s\n' m h r n d)"
done
done_testing
