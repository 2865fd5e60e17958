#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# client_lib.sh - libpaxsteer as a user has it, against three daemons in user space
#
# Installed to a prefix of its own, found by pkg-config, used by the example and by client_lib.c.
# The leader is killed with thousands of proposals under way and comes back: each counts exactly
# once, and the reader has seen every slot once and in order. See members.sh for the daemons.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"
need paxsteer paxsteerd python3 pkg-config gcc

COUNT=${COUNT:-30000}
ALL=$D/1.sock,$D/2.sock,$D/3.sock

# --- installed ---
ROOT=$T_DIR/root
ok "make install" make -s -C "$TOP" install DESTDIR="$ROOT" PREFIX=/usr
ok "completion is where bash looks for it" grep -q "complete -F _paxsteer paxsteer" \
	"$ROOT/usr/share/bash-completion/completions/paxsteer"
export PKG_CONFIG_PATH=$ROOT/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$ROOT
export LD_LIBRARY_PATH=$ROOT/usr/lib
build()	# build NAME SOURCE [FLAG...]
{
	# shellcheck disable=SC2046  # words
	gcc -std=c11 -Wall -Wextra -Werror -o "$T_DIR/$1" "$2" "${@:3}" \
		$(pkg-config --cflags --libs libpaxsteer)
}
ok "the example builds by pkg-config" build example "$TOP/agent/lib/example/append.c"
ok "and with the static library" build example-static "$TOP/agent/lib/example/append.c" -static
ok "the other example" build example-read "$TOP/agent/lib/example/read.c"
ok "and this test's program" build client_lib "$TOP/selftests/client_lib.c" -D_GNU_SOURCE
like "by its soname" "$(readelf -d "$T_DIR/example")" 'NEEDED.*libpaxsteer\.so\.0\]'
# The two lists say the same, or nothing is public that is not in the header.
nm -D --defined-only "$ROOT/usr/lib/libpaxsteer.so.0" | sed -n 's/.* T \([a-z_]*\).*/\1/p' |
	sort >"$T_DIR/shared"
nm --defined-only "$ROOT/usr/lib/libpaxsteer.a" | sed -n 's/.* [A-TV-Z] \([a-z_]*\).*/\1/p' |
	sort >"$T_DIR/static"
grep -oE '\bpxs_log_[a-z_]+\(' "$ROOT/usr/include/paxsteer.h" | tr -d '(' | sort -u >"$T_DIR/said"
# Functions are declared at the start of a line; others are only mentioned.
grep -E '^(int|void|struct|const|unsigned)' "$ROOT/usr/include/paxsteer.h" |
	grep -oE '\bpxs_log_[a-z_]+\(' | tr -d '(' | sort -u >"$T_DIR/declared"
ok "the shared library has what the header declares" cmp "$T_DIR/shared" "$T_DIR/declared"
ok "and the static one" cmp "$T_DIR/static" "$T_DIR/declared"
ok "the header speaks of nothing else" cmp "$T_DIR/said" "$T_DIR/declared"
ok "C++ takes the header" g++ -x c++ -fsyntax-only -Wall -Werror "$ROOT/usr/include/paxsteer.h"

# --- three members ---
members_make
for i in 1 2 3; do run $i; done
wait_until 60 leader || bail "no leader"
old=$(leader)
other=$((old % 3 + 1))
printf 'one\ntwo\nthree\n' >"$T_DIR/lines"
is "the example appends and reads" "$("$T_DIR/example" "$ALL" <"$T_DIR/lines" |
	cut -d' ' -f2 | sort | tr '\n' ' ')" "one three two "
is "and goes on where the log is, by the static library" \
	"$(echo four | "$T_DIR/example-static" "$ALL" | tail -n 1 | cut -d' ' -f2)" four
refused "only members that do not lead: it says so" "no leader of group 1 at these sockets" \
	paxsteer log -S "$D/$other.sock" append timeout 300 x
is "a member that does not lead is passed over" \
	"$(paxsteer log -S "$D/$other.sock,$D/$old.sock" append five)" 5
is "by the command, once" "$(log append once six)" 6
ok "every member has it" eval 'for i in 1 2 3; do wait_until 30 applied $i 6 || exit 1; done'
like "who does not ask sees the id as well" "$(log tail from 6 count 1 hash)" '^6 [0-9a-f]+ 59$'
is "who asks does not" "$(log tail from 6 count 1 once)" "6 six"

is "the read index is the last slot" "$(log read-index)" 6
refused "of the leader only" "no leader at these sockets" \
	paxsteer log -S "$D/$other.sock" read-index timeout 300
is "a member that does not lead is passed over for it, too" \
	"$(paxsteer -j log -S "$D/$other.sock,$D/$old.sock" read-index)" '{"group":1,"slot":6}'
is "the other example shows all that is true now, by whatever member" \
	"$("$T_DIR/example-read" "$D/$other.sock,$D/$old.sock" | tail -n 1)" "6 six"
refused "a word too many" "read-index" paxsteer log read-index now
refused "a time-out of nothing" "timeout" paxsteer log read-index timeout 0

# --- the leader is killed with all credit used ---
t0=$(date +%s%3N)
start load "$T_DIR/client_lib" "$ALL" "$COUNT" "${PID[old]}"
load=$START_PID
killed() { grep -q killed "$T_DIR/load.log"; }
ok "the leader is killed half way" wait_until 60 killed
stop "${PID[old]}" KILL
new_leader() { [ "$(leader)" != "" ] && [ "$(leader)" != "$old" ]; }
ok "another member leads" wait_until 60 new_leader
run "$old"
wait "$load"
is "each value counts once, slots come once and in order" $? 0
ms=$(($(date +%s%3N) - t0))
said=$(tail -n 1 "$T_DIR/load.log")
diag "$(head -n 5 "$T_DIR/load.log")" "$said in $ms ms"
like "all are appended, none is unknown" "$said" "^appended $COUNT unknown 0 refused 0 "
like "there was back-pressure" "$said" "no-credit [1-9]"
# Otherwise nothing of this was tested: thousands were under way.
like "some were sent again" "$said" "repeated [1-9]"

# --- every reader sees the same, wherever it starts ---
last=$(log read-index)
from=$((last / 2))
for i in 1 2 3; do
	wait_until 60 applied $i "$last" || fail "member $i reaches slot $last"
	# Another leader may add slots that hold nothing.
	paxsteer log -S "$D/$i.sock" tail once hash noops | head -n "$last" >"$D/once$i"
done
ok "member 2 shows what member 1 does" cmp "$D/once1" "$D/once2"
ok "member 3 too" cmp "$D/once1" "$D/once3"
is "a line for each slot" "$(wc -l <"$D/once1")" "$last"
paxsteer log -S "$D/1.sock" tail from $from once hash noops |
	head -n $((last - from + 1)) >"$D/half"
ok "who starts in the middle sees the same" cmp "$D/half" <(tail -n +"$from" "$D/once1")
diag "copies in the log: $(grep -c ' =$' "$D/once1")"

for i in 1 2 3; do
	stop "${PID[i]}"
done
ok "make uninstall" make -s -C "$TOP" uninstall DESTDIR="$ROOT" PREFIX=/usr
is "leaves nothing" "$(find "$ROOT" -not -type d)" ""
done_testing
