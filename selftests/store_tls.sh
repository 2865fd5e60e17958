#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
# limit: 200
#
# store_tls.sh - the store behind stunnel, as docs/tls.md says
#
#     redis-cli ──────── 127.0.2.I:S_PORT ┐               ┌ store I at 127.0.1.I:S_PORT
#     other members' questions ────────── ┤ stunnel ═TLS═ ┤
#     redis-cli --tls ═══════════════════ ┘ 127.0.3.I:S_PORT
#
# Both sides show a certificate of one CA. Clients that know nothing of TLS use it, with MOVED, and
# so do members; nothing goes past it; who has no certificate, one of another CA, or another's
# name, gets nowhere.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
need paxsteer paxsteerd python3 redis-cli stunnel4 openssl
# shellcheck disable=SC2154  # store_group.sh's
C=$S_DIR/tls
mkdir "$C"
run_quiet() { "$@" >>"$C/log" 2>&1 || bail "$* $(tail -n 3 "$C/log")"; }

# --- certificates: the commands of docs/tls.md ---
authority()	# authority NAME: a CA
{
	run_quiet openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
		-subj "/CN=$1" -keyout "$C/$1.key" -out "$C/$1.pem"
}
certificate()	# certificate CA NAME ADDRESS
{
	run_quiet openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-subj "/CN=$2" -addext "subjectAltName=IP:$3" -keyout "$C/$2.key" -out "$C/$2.csr"
	run_quiet openssl x509 -req -in "$C/$2.csr" -CA "$C/$1.pem" -CAkey "$C/$1.key" -days 825 \
		-copy_extensions copy -out "$C/$2.pem"
}
authority ca
authority other
for i in 1 2 3; do certificate ca node$i 127.0.3.$i; done
certificate ca client 127.0.2.1
certificate other stranger 127.0.2.1

# tunnel NAME: a stunnel of $C/NAME.conf, which comes from standard input
tunnel()
{
	{ printf 'foreground = yes\npid =\nsslVersionMin = TLSv1.2\nsyslog = no\n'; cat; } \
		>"$C/$1.conf"
	start "stunnel-$1" stunnel4 "$C/$1.conf"
	TUNNEL=$START_PID
}
identity()	# identity NAME: what it shows, and what it wants to see
{
	printf 'cert = %s\nkey = %s\n' "$C/$1.pem" "$C/$1.key"
	printf 'CAfile = %s\nverifyChain = yes\n' "$C/ca.pem"
}
server()	# server I
{
	# shellcheck disable=SC2154  # store_group.sh's
	tunnel node$1 <<-END
		[store]
		accept = 127.0.3.$1:$S_PORT
		connect = 127.0.1.$1:$S_PORT
		$(identity node$1)
	END
}
client()	# client [LEADER OTHER]: or one that takes OTHER's name for LEADER's
{
	local i
	for i in 1 2 3; do
		cat <<-END
			[store-$i]
			client = yes
			accept = 127.0.2.$i:$S_PORT
			connect = 127.0.3.$i:$S_PORT
			checkIP = 127.0.3.$([ $i = "${1:-}" ] && echo "$2" || echo $i)
			$(identity client)
		END
	done >"$C/services"
	tunnel client <"$C/services"
}

# shellcheck disable=SC2034  # store_group.sh reads it
S_STORE='read-wait = 1500'
store_init
for i in 1 2 3; do
	sed -i "s/listen = \"[^\"]*\"/listen = \"127.0.1.$i:$S_PORT\"/" "$S_DIR/$i.conf"
	for j in 1 2 3; do
		sed -i "s/store = \"127.0.0.1:$(store_port $j)\"/store = \"127.0.2.$j:$S_PORT\"/" \
			"$S_DIR/$i.conf"
	done
done
redis() { local i=$1; shift; redis-cli -h 127.0.2.$i -p "$S_PORT" "$@"; }
tls()	# tls I WHO CA COMMAND...: redis-cli with TLS, and a certificate (none: -)
{
	local i=$1 ca=$3 own=()
	[ "$2" = - ] || own=(--cert "$C/$2.pem" --key "$C/$2.key")
	shift 3
	timeout 30 redis-cli -h "127.0.3.$i" -p "$S_PORT" --tls --cacert "$C/$ca.pem" \
		"${own[@]}" "$@" 2>&1
}
for i in 1 2 3; do server $i; done
client
for i in 1 2 3; do store_start $i; done
wait_leader start

# --- who may come ---
is "redis-cli --tls" "$(tls "$L" client ca SET k 1)" OK
is "reads what it wrote" "$(tls "$L" client ca GET k)" 1
gone='closed|reset|alert|failed|I/O error'
like "without a certificate nobody is answered" "$(tls "$L" - ca GET k)" "$gone"
like "nor with one of another CA" "$(tls "$L" stranger ca GET k)" "$gone"
like "a client does not take a server of another CA" "$(tls "$L" client other GET k)" \
	'certificate verify failed'
like "nor is who speaks clear text" \
	"$(timeout 30 redis-cli -h "127.0.3.$L" -p "$S_PORT" GET k 2>&1)" "$gone"
refused "the store itself listens on its own address only" 'refused' \
	redis-cli -h 127.0.0.1 -p "$S_PORT" PING

# --- clients and members that know nothing of TLS ---
moved() { [[ $(redis $F SET k 2 2>&1) == *MOVED* ]]; }
wait_until 30 moved
like "MOVED names the near end of the leader's tunnel" "$(redis $F SET k 2 2>&1)" \
	"^(\(error\) )?MOVED [0-9]+ 127.0.2.$L:$S_PORT"
is "and a cluster client follows it" "$(redis $F -c SET k 2)" OK
bound0() { printf 'PAXSTEER CONSISTENCY bounded 0\nGET k\n' | redis "$1" | sed '/^$/d' | tail -n1; }
before=$(store_info $F asked)
asks() { [ "$(bound0 $F)" = 2 ]; }
ok "a member that follows asks the leader by way of it" wait_until 30 asks
ok "and has asked" [ "$(store_info $F asked)" -gt "$before" ]

# --- a certificate of the right CA, but another member's ---
stop "$TUNNEL"
client "$L" $F
there() { [ "$(redis $F READONLY 2>/dev/null)" = OK ]; }
ok "another tunnel" wait_until 30 there
like "who is not who it should be is not spoken to" "$(redis "$L" GET k 2>&1)" "$gone"
stop "$TUNNEL"

# --- without it nothing goes past it ---
like "without the tunnel a bounded read has no leader to ask" \
	"$(printf 'PAXSTEER CONSISTENCY bounded 0\nGET k\n' |
		redis-cli -h 127.0.1.$F -p "$S_PORT" | sed '/^$/d' | tail -n1)" '^TRYAGAIN'
client
ok "with it, it has" wait_until 30 asks
done_testing
