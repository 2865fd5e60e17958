#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# redis_suite.sh - Redis's own tests against a store of three daemons on loopback
#
#   REDIS_SRC=DIR selftests/redis_suite.sh [UNIT...]
#
# DIR holds the sources of Redis 7.0 (its folder tests and its script runtest); nothing is fetched,
# and nothing in DIR is written to. The units are those about commands that a store has; what is
# excused in each, and why, stands in redis_suite.list (docs/redis.md): those tests are left out,
# for many would leave the connection in a state that fails the next one. All others must pass.
# EXCUSE=0 leaves out nothing, to see what the list is for. No root, no module, no namespaces.

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=store_group.sh disable=SC1091
. "$(dirname "$0")/store_group.sh"
LIST=$(dirname "$0")/redis_suite.list
[ -n "${REDIS_SRC:-}" ] || { echo "1..0 # SKIP REDIS_SRC is not set: no sources of Redis"; exit 4; }
need paxsteer paxsteerd redis-cli tclsh
[ -x "$REDIS_SRC/runtest" ] || bail "$REDIS_SRC: no sources of Redis: there is no runtest"

# It writes beside itself.
mkdir -p "$T_DIR/redis"
cp -r "$REDIS_SRC/tests" "$REDIS_SRC/runtest" "$T_DIR/redis"
mkdir -p "$T_DIR/redis/src" "$T_DIR/redis/tests/tmp"
version=$(sed -n 's/^#define REDIS_VERSION "\(.*\)"/\1/p' "$REDIS_SRC/src/version.h")
diag "Redis $version"

store_init
for i in 1 2 3; do store_start $i; done
wait_leader "start"

# excused UNIT: titles of its tests that are left out
excused() { awk -F '\t' -v unit="$1" '$1 == unit { print $3 }' "$LIST"; }
# counted WORD: how many tests of the unit at hand ended so
counted() { sed '/^\*\*\*/,$d' "$T_DIR/out" | grep -c "^\[$1\]"; }

run_unit()	# run_unit UNIT: in a process of its own, so that one that hangs hides no other
{
	local left_out=$T_DIR/excused ended
	excused "$1" >"$left_out"
	[ "${EXCUSE:-1}" != 0 ] || : >"$left_out"
	(cd "$T_DIR/redis" && timeout 300 ./runtest --host 127.0.0.1 --port "$(store_port "$L")" \
		--single "$1" --cluster-mode --singledb --ignore-encoding --ignore-digest \
		--durable --skipfile "$left_out" \
		--tags "-needs:repl -needs:debug -needs:save -needs:config-maxmemory") \
		</dev/null 2>&1 | sed 's/\x1b\[[0-9;]*m//g' >"$T_DIR/out"
	if [ "$(counted err)$(counted exception)" = 00 ] && grep -q 'All tests passed' "$T_DIR/out"
	then
		ended="$(counted ok) passed, $(counted skip) excused"
		ended+=", $(counted ignore) not from outside"
		pass "$1: $ended"
	else
		fail "$1" "$(sed -n '/^\*\*\*/,$p' "$T_DIR/out" | head -n 60)" \
			"$(tail -n 3 "$T_DIR/out")"
	fi
	# What is left out and is not there hides the next mistake of that name.
	is "$1: each that is excused is there" "$(counted skip)" "$(wc -l <"$left_out")"
}

UNITS=("$@")
[ $# -gt 0 ] || UNITS=(unit/type/string unit/type/incr unit/type/hash unit/expire unit/keyspace
	unit/scan unit/multi unit/protocol unit/quit unit/info-command
	unit/introspection unit/introspection-2 unit/other)
for u in "${UNITS[@]}"; do run_unit "$u"; done
even "Redis's tests"
done_testing
