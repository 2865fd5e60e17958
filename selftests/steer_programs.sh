#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steer_programs.sh - real memcached, nginx and Redis behind a director
#
# memcached by key over UDP: each key is on the server that "paxsteer lookup" names, and on
# no other. nginx by flow and by source, Redis by flow, over TCP; a megabyte through nginx
# arrives whole; redis-benchmark runs; one server drains and gets nothing new.
#
# check-kernels: newest
# limit: 600

. "$(dirname "$0")/lib.sh"
need_module
need jq ip memcached nginx redis-server redis-cli redis-benchmark curl python3
. "$(dirname "$0")/director.sh"
. "$(dirname "$0")/programs.sh"

SEED=000102030405060708090a0b0c0d0e0f
ANSWERS=$T_DIR/answers

memcached_by_key()
{
	local i

	keys 60 | sed "s/k/$FAMILY:user:/" >"$T_DIR/keys"
	ok "$FAMILY memcached: service" pxs service add m udp "$(vip 11211)" key memcached \
		seed $SEED rows 4096
	ok "$FAMILY memcached: servers" add_backends m 11211
	ok "$FAMILY memcached: every key is stored and read through the director" \
		on c "$CLIENT" store "$(vip_address)" 11211 "$T_DIR/keys"
	for i in 1 2 3; do
		on "b$i" "$CLIENT" owned "$(address "$i")" 11211 "$T_DIR/keys"
	done | sort >"$ANSWERS"
	is "$FAMILY memcached: each key is on one server" \
		"$(cut -d' ' -f1 "$ANSWERS" | sort -u | wc -l) $(wc -l <"$ANSWERS")" "60 60"
	agrees "$FAMILY memcached: on the one that lookup names" m key "$ANSWERS"
	is "$FAMILY memcached: all serve" "$(by_backend "$ANSWERS" | wc -l)" 3
	is "$FAMILY memcached: no key was unreadable" "$(service_stat m fallbacks)" 0
	ok "$FAMILY memcached: one drains" pxs backend set m "$(be 2 11211)" state drain
	sed -i 's/$/b/' "$T_DIR/keys"
	ok "$FAMILY memcached: other keys, through the director" \
		on c "$CLIENT" store "$(vip_address)" 11211 "$T_DIR/keys"
	is "$FAMILY memcached: the draining one has none of them" \
		"$(on b2 "$CLIENT" owned "$(address 2)" 11211 "$T_DIR/keys")" ""
	ok "$FAMILY memcached: end" pxs service del m
}

# connect SERVICE NAME CLIENT-ARGS...: each connection is answered by the one that lookup names
connect()
{
	local s=$1 name=$2

	shift 2
	ask() { on c "$CLIENT" "$@" >"$ANSWERS"; }
	ok "$FAMILY $name: all answered" ask "$@"
	agrees "$FAMILY $name: each by the server that lookup names" "$s" from "$ANSWERS"
}

nginx_by_flow()
{
	local sources=(10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5) got want

	[ "$FAMILY" = v4 ] || sources=(fd01::2 fd01::3 fd01::4 fd01::5)
	ok "$FAMILY nginx: service" pxs service add h tcp "$(vip 8080)" seed $SEED rows 4096
	ok "$FAMILY nginx: servers" add_backends h 8080
	connect h "nginx by flow" http "$(vip_address)" 8080 30
	is "$FAMILY nginx: all serve" "$(by_backend "$ANSWERS" | wc -l)" 3
	want=$(sha256sum <"$T_DIR/www/large")
	got=$(on c curl -s "http://$(vip 8080)/large" | sha256sum)
	is "$FAMILY nginx: a megabyte arrives as it was sent" "$got" "$want"
	ok "$FAMILY nginx: by source" pxs service set h key source
	connect h "nginx by source" http "$(vip_address)" 8080 12 "${sources[@]}"
	is "$FAMILY nginx: a source stays with one" \
		"$(sed 's/:[0-9]* / /' "$ANSWERS" | sort -u | wc -l)" 4
	ok "$FAMILY nginx: end" pxs service del h
}

redis_by_flow()
{
	local i

	for i in 1 2 3; do
		on "b$i" redis-cli -h "$(address "$i")" set who "$(be "$i" 6379)" >/dev/null
	done
	ok "$FAMILY redis: service" pxs service add r tcp "$(vip 6379)" seed $SEED rows 4096
	ok "$FAMILY redis: servers" add_backends r 6379
	connect r "redis by flow" redis "$(vip_address)" 6379 30
	is "$FAMILY redis: all serve" "$(by_backend "$ANSWERS" | wc -l)" 3
	ok "$FAMILY redis: redis-benchmark, 10 connections, pipelined" \
		on c redis-benchmark -q -h "$(vip_address)" -n 2000 -c 10 -P 4 -t set,get
	ok "$FAMILY redis: one drains" pxs backend set r "$(be 3 6379)" state drain
	connect r "redis, one drains" redis "$(vip_address)" 6379 20
	is "$FAMILY redis: it gets nothing new" "$(grep -cF " $(be 3 6379)" "$ANSWERS")" 0
	ok "$FAMILY redis: end" pxs service del r
}

director_hosts 3
for i in 3 4 5; do
	printf 'addr add %s dev eth0\n' 10.1.0.$i/24 fd01::$i/64
done | ip -n pxs-c -batch -
servers_up 3
for FAMILY in v4 v6; do
	memcached_by_key
	nginx_by_flow
	redis_by_flow
done
done_testing
