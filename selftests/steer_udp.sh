#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_udp.sh - UDP by nat: each request goes where "paxsteer lookup" says
#
#     c ──── d ──┬── b1       requests to VIP:7000; every backend says its name in the
#            │   ├── b2       answer, the answer must come from the VIP and repeat the
#     d2     │   └── b3, b4   request; d itself is a client too; d2 has the same table
#
# limit: 600
# check-kernels: 6.1 newest

. "$(dirname "$0")/lib.sh"
need_module
need jq ip ethtool
. "$(dirname "$0")/director.sh"

SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers

answers()
{
	local h=$1
	shift
	on "$h" "$TRAFFIC" "$@" >"$ANSWERS"
}

# ask HOST NAME key|from TRAFFIC-ARGS...: all answered, all from where lookup says
ask()
{
	local h=$1 name=$2 how=$3
	shift 3
	ok "$FAMILY: $name: all answered" \
		answers "$h" "$@" udp "$(vip 7000)"
	agrees "$FAMILY: $name: each by the backend that lookup names" u "$how" "$ANSWERS"
}

by_key()
{
	keys 150 >"$T_DIR/keys"
	ok "$FAMILY: add a service" \
		pxs service add u udp "$(vip 7000)" key payload 4:6 seed $SEED rows 4096
	ok "$FAMILY: add backends" add_backends u 7000
	ask c "by key" key -n 150 -o 4 -k "$T_DIR/keys"
	cp "$ANSWERS" "$T_DIR/first"
	is "$FAMILY: all backends serve" "$(by_backend "$ANSWERS" | wc -l)" "$D_N"
	is "$FAMILY: counters of backends" "$(counted u requests)" "$(by_backend "$ANSWERS")"
	is "$FAMILY: replies are counted" "$(service_stat u replies)" 150
	is "$FAMILY: no key was unreadable" "$(service_stat u fallbacks)" 0
	ok "$FAMILY: a request without a key is answered" on c "$TRAFFIC" udp "$(vip 7000)"
	is "$FAMILY: and counted" "$(service_stat u fallbacks)" 1
	stop_backends >"$T_DIR/seen"
	is "$FAMILY: servers saw what the counters say" "$(counted u requests)" "$(<"$T_DIR/seen")"
	start_backends udp 7000
}

shapes()
{
	ask c "4000 bytes, fragments" key -n 40 -o 4 -k "$T_DIR/keys" -s 4000
	ask c "60000 bytes" key -n 4 -o 4 -k "$T_DIR/keys" -s 60000
	if [ $FAMILY = v4 ]; then
		ask c "without checksum" key -n 40 -o 4 -k "$T_DIR/keys" -N
	fi
	on c ethtool -K eth0 tx off >/dev/null 2>&1
	ask c "checksum computed by the sender" key -n 40 -o 4 -k "$T_DIR/keys"
	on c ethtool -K eth0 tx on >/dev/null 2>&1
	ask c "16 requests in a packet" key -n 64 -o 4 -k "$T_DIR/keys" -s 100 -G
	# In the order in which they came; by key they must still be right.
	ask d "a client on the director" key -n 40 -o 4 -k "$T_DIR/keys"
	ask d "there, 4000 bytes" key -n 20 -o 4 -k "$T_DIR/keys" -s 4000
	ask d "there, 16 in a packet" key -n 32 -o 4 -k "$T_DIR/keys" -s 100 -G
	ok "$FAMILY: connection tracking is switched on" pxs service add t tcp "$(vip 7000)"
	ask c "with it" key -n 40 -o 4 -k "$T_DIR/keys"
	ask d "with it, on the director" key -n 40 -o 4 -k "$T_DIR/keys"
	ok "$FAMILY: and off" pxs service del t
}

# Keys that are spelled in several ways: one name in any case, one id in either header.
protocols()
{
	local before
	before=$(service_stat u fallbacks)
	keys 50 | sed 's/$/.Example.ORG/' >"$T_DIR/domains"
	ok "$FAMILY: key dns" pxs service set u key dns
	ask c "by question name" key -n 100 -d -k "$T_DIR/domains"
	ask d "by question name, on the director" key -n 20 -d -k "$T_DIR/domains"
	is "$FAMILY: a name has one backend" \
		"$(sort -u "$ANSWERS" | cut -d' ' -f1 | sort | uniq -d)" ""
	keys 25 | sed 's/^/connection-/' >"$T_DIR/ids"
	ok "$FAMILY: key quic" pxs service set u key quic 17
	# Long and short header in turn; an odd number of ids, so each comes with both.
	ask c "by connection id" key -n 50 -q -k "$T_DIR/ids"
	is "$FAMILY: an id has one backend" \
		"$(sort -u "$ANSWERS" | cut -d' ' -f1 | sort | uniq -d)" ""
	is "$FAMILY: every key was readable" "$(service_stat u fallbacks)" "$before"
	echo abc >"$T_DIR/short"
	ok "$FAMILY: connections with shorter ids" on c "$TRAFFIC" -n 2 -q -k "$T_DIR/short" \
		udp "$(vip 7000)"
	is "$FAMILY: are steered by flow" "$(service_stat u fallbacks)" $((before + 2))
}

by_flow()
{
	ok "$FAMILY: key tuple" pxs service set u key tuple
	ask c "by tuple" from -n 60 -f
	ask d "by tuple, on the director" from -n 20 -f
	ok "$FAMILY: key memcached" pxs service set u key memcached
	ask c "by memcached's key" key -n 60 -m -k "$T_DIR/keys"
	protocols
	ok "$FAMILY: key source" pxs service set u key source
	# Names are ADDR:PORT: lookup from ADDR:PORT works for this key as well.
	local i binds=()
	for i in 2 3 4 5 6 7 8 9; do
		binds+=(-b "$(client 0 | sed "s/2\(]*:0\)/$i\1/")")
	done
	ask c "by source" from -n 24 -f "${binds[@]}"
	is "$FAMILY: a source stays with one" \
		"$(sed 's/:[0-9]* / /' "$ANSWERS" | sort -u | wc -l)" 8
	ok "$FAMILY: key payload again" pxs service set u key payload 4:6
}

all_backends()
{
	local i
	for i in 1 2 3 4; do echo "backend set u $(be $i 7000) $*"; done | pxs -b -
}

failure()
{
	local before
	before=$(table u digest)
	ok "$FAMILY: a backend goes down" pxs backend set u "$(be 2 7000)" state down
	ask c "one is down" key -n 150 -o 4 -k "$T_DIR/keys"
	is "$FAMILY: it gets nothing" "$(grep -cF " $(be 2 7000)" "$ANSWERS")" 0
	is "$FAMILY: what was elsewhere stays" \
		"$(grep -vF " $(be 2 7000)" "$T_DIR/first" | diff - "$ANSWERS" | grep -c '^<')" 0
	is "$FAMILY: the table is the same" "$(table u digest)" "$before"
	ok "$FAMILY: it comes back" pxs backend set u "$(be 2 7000)" state up
	ask c "after the flap" key -n 150 -o 4 -k "$T_DIR/keys"
	is "$FAMILY: every key is where it was" "$(diff "$T_DIR/first" "$ANSWERS")" ""
	ok "$FAMILY: a backend drains" pxs backend set u "$(be 3 7000)" state drain
	ask c "one drains" key -n 150 -o 4 -k "$T_DIR/keys"
	is "$FAMILY: it gets nothing new" "$(grep -cF " $(be 3 7000)" "$ANSWERS")" 0
	ok "$FAMILY: and is back" pxs backend set u "$(be 3 7000)" state up
	is "$FAMILY: the table is as before" "$(table u digest)" "$before"
	all_backends state down
	refused "$FAMILY: nobody is up: no answer" "no answer" \
		on c "$TRAFFIC" -t 300 -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	is "$FAMILY: which is counted" "$(service_stat u no_backend)" 1
	all_backends state up
}

failed_so_often() { [ "$(service_stat u failed)" = "$1" ]; }

# A server ends, and its host says so: ICMP takes it out, the operator or time bring it back. So
# many requests for it as are needed, and not one more.
passive()
{
	local before key

	before=$(service_stat u failed)
	key=$(grep -F " $(be 1 7000)" "$T_DIR/first" | head -n 1 | cut -d' ' -f1)
	for _ in 1 2 3; do echo "$key"; done >"$T_DIR/hot"
	ok "$FAMILY: failures are looked at" pxs service set u passive 3/3600
	stop "${D_PIDS[0]}"
	refused "$FAMILY: a server ended" "refused|no answer" \
		on c "$TRAFFIC" -t 300 -n 3 -o 4 -k "$T_DIR/hot" udp "$(vip 7000)"
	ok "$FAMILY: it is out" wait_until 60 failed_are u "$(be 1 7000)"
	like "$FAMILY: lookup says so" "$(pxs lookup u key "$key")" "the first failed"
	ask c "it is out" key -n 150 -o 4 -k "$T_DIR/keys"
	ok "$FAMILY: it is out no longer than that is wanted" pxs service set u passive 0
	ok "$FAMILY: but in" failed_are u
	ok "$FAMILY: for a second" pxs service set u passive 1/1
	refused "$FAMILY: still no server" "refused|no answer" \
		on c "$TRAFFIC" -t 300 -n 1 -o 4 -k "$T_DIR/hot" udp "$(vip 7000)"
	ok "$FAMILY: out again" wait_until 60 failed_so_often $((before + 2))
	start_on b1 be1 "$BACKEND" udp "$(be 1 7000)"
	D_PIDS[0]=$START_PID
	wait_until 60 grep -q ready "$T_DIR/be1.log" || bail "backend 1 does not start"
	ok "$FAMILY: it comes back by itself" wait_until 60 failed_are u
	ask c "it is back" key -n 150 -o 4 -k "$T_DIR/keys"
	is "$FAMILY: every key is again where it was" "$(diff "$T_DIR/first" "$ANSWERS")" ""
	ok "$FAMILY: no more looks" pxs service set u passive 0
}

# A table is replaced 20 times while requests run: none is lost.
replacement()
{
	local gen i state
	gen=$(table u generation)
	load load -o 4 -k "$T_DIR/keys" udp "$(vip 7000)"
	for ((i = 1; i <= 10; i++)); do
		state=up
		[ $((i % 2)) = 0 ] || state=drain
		echo "backend set u $(be $((i % 4 + 1)) 7000) weight $((i % 3 + 2))"
		echo "backend set u $(be $(((i - 1) / 2 % 4 + 1)) 7000) state $state"
	done | while read -r line; do
		echo "$line" | pxs -b - || echo "failed: $line"
	done >"$T_DIR/changes" 2>&1
	is "$FAMILY: 20 changes under load" "$(cat "$T_DIR/changes")" ""
	end_load "$FAMILY: no request was lost" "$LOAD_PID" load
	i=$(table u generation)
	is "$FAMILY: each change made a table" $((i - gen)) 20
}

two_directors()
{
	local i
	for i in 4 2 1 3; do
		echo "backend add u $(be $i 7000) weight $i"
	done >"$T_DIR/one"
	sort "$T_DIR/one" >"$T_DIR/two"
	pxs service del u
	ok "$FAMILY: service here" \
		pxs service add u udp "$(vip 7000)" key payload 4:6 seed $SEED rows 4096
	ok "$FAMILY: service there" \
		paxsteer -n pxs-d2 service add u udp "$(vip 7000)" seed $SEED rows 4096
	ok "$FAMILY: backends in one order" pxs -b "$T_DIR/one"
	ok "$FAMILY: and in another" paxsteer -n pxs-d2 -b "$T_DIR/two"
	i=$(paxsteer -n pxs-d2 -j table show u | jq -r .digest)
	ok "$FAMILY: another key's rule there, other digests" [ "$(table u digest)" != "$i" ]
	ok "$FAMILY: the same rule there" paxsteer -n pxs-d2 service set u key payload 4:6
	i=$(paxsteer -n pxs-d2 -j table show u | jq -r .digest)
	is "$FAMILY: the digests are equal" "$(table u digest)" "$i"
	ok "$FAMILY: another seed there" paxsteer -n pxs-d2 service set u seed "${SEED/0001/0002}"
	i=$(paxsteer -n pxs-d2 -j table show u | jq -r .digest)
	ok "$FAMILY: the digests differ" [ "$(table u digest)" != "$i" ]
	# Shares follow weights 1..4 within the cap of 2 % (and a row).
	is "$FAMILY: shares follow weights" "$(pxs -j table show u | jq '. as $t | [.backends[] |
		(.rows / $t.rows * 10 / .weight) | select(. > 1.03 or . < 0.9)] | length')" 0
	ask c "by weight" key -n 150 -o 4 -k "$T_DIR/keys"
	ok "$FAMILY: the heaviest gets most" [ "$(by_backend "$ANSWERS" | sort -k2 -n |
		tail -n 1 | cut -d' ' -f1)" = "$(be 4 7000)" ]
	paxsteer -n pxs-d2 service del u
	pxs service del u
}

director_hosts 4
host d2
for i in 3 4 5 6 7 8 9; do
	printf 'addr add %s dev eth0\n' 10.1.0.$i/24 fd01::$i/64
done | ip -n pxs-c -batch -
FAMILIES="v4 v6"
# make check has an hour: one family on each of its kernels, as steer_tcp.sh has both on all.
case ${PXS_SHORT:-0}.${PXS_KERNEL:-} in
1.6.1)		FAMILIES=v4 ;;
1.newest)	FAMILIES=v6 ;;
esac
for FAMILY in $FAMILIES; do
	start_backends udp 7000
	by_key
	shapes
	by_flow
	failure
	passive
	replacement
	two_directors
	stop_backends >/dev/null
done
done_testing
