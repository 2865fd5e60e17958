#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# planted.sh - can the checker's tests fail? Plant one bug after another in a copy and see
#
# Each bug is a replacement. It must be noticed by the random histories (against brute force)
# or by the hand-made ones; which, is printed. One TAP line each.
#
#   planted.sh [NAME...]     only these
#   ROUNDS=800              random histories of each kind

set -u
cd "$(dirname "$0")/../.." || exit 2
ROUNDS=${ROUNDS:-800}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
n=0 failed=0
only=" $* "
export CFLAGS='-O0 -Wno-error'

build() { make -s -C "$1/selftests/lin" "$1/build/lin/lin" "$1/build/lin/random"; }

# What notices: "random: TEST..." or else "files: N"; nothing if all is well.
notices()
{
	# exec: no word of the shell when it ends badly
	(exec timeout 60 "$1/build/lin/random" "$ROUNDS") >"$work/out" 2>&1
	case $? in
	0)	;;
	1)	echo "random: $(sed -n 's/^not ok [0-9]* - //p' "$work/out" | tr '\n' ' ')"
		return ;;
	*)	echo "random: it ends badly"
		return ;;
	esac
	LIN=$1/build/lin/lin timeout 60 "$1/selftests/lin/test_files.sh" >"$work/out" 2>&1 ||
		echo "files: $(grep -c '^not ok' "$work/out")"
}

result()	# GOOD NAME DETAILS
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		printf 'ok %d - %-28s %s\n' $n "$2" "$3"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2: $3"
	fi
}

# plant NAME FILE OLD NEW
plant()
{
	local by

	[ "$only" = "  " ] || [[ $only == *" $1 "* ]] || return 0
	rm -rf "$work/t"
	cp -a "$work/base" "$work/t"
	if ! selftests/mutants/replace.py "$work/t/selftests/lin/$2" "$3" "$4" >"$work/log" 2>&1 ||
	   ! build "$work/t" >"$work/log" 2>&1; then
		result 1 "$1" "it cannot be planted any more: $(tail -n 1 "$work/log")"
		return
	fi
	by=$(notices "$work/t")
	[ -n "$by" ]
	result $? "$1" "${by:-nothing notices}"
}

# Built where the copies will lie: what is planted is all that is compiled again.
mkdir -p "$work/t/selftests"
cp -a selftests/lin selftests/unit "$work/t/selftests/" && build "$work/t" || exit 2
cp -a "$work/t" "$work/base"
by=$(notices "$work/base")
[ -z "$by" ]
result $? nothing-planted "${by:-nothing notices}"

# --- order.h, slotorder.c: real time ---
plant order-never-kept order.h 'return f->pos <= s.high;' 'return true;'
plant reads-do-not-count order.h '{ 2 * slot + 1, 2 * slot + 1 }' '{ 0, UINT64_MAX }'
plant fetch-proves-nothing order.h '{ 2 * slot + 1, UINT64_MAX }' '{ 0, UINT64_MAX }'
plant read-is-a-write order.h '{ 2 * slot + 1, 2 * slot + 1 }' '{ 2 * slot, 2 * slot }'
plant top-is-the-last order.h 'if (s.low <= o->top.pos)' 'if (0)'
plant same-moment-is-before slotorder.c 'return (int)x->returns - (int)y->returns;' \
	'return (int)y->returns - (int)x->returns;'
plant unknown-returns-at-once slotorder.c \
	$'\t\tif (op->ret != LIN_NEVER)\n\t\t\te[(*n)++] = (struct event){ op->ret,' \
	$'\t\te[(*n)++] = (struct event){ op->ret != LIN_NEVER ? op->ret : op->call,'
plant unknown-is-not-ordered slotorder.c $'\tif (lin_mutates(op)) {' \
	$'\tif (op->outcome == LIN_UNKNOWN)\n\t\treturn false;\n\tif (lin_mutates(op)) {'
plant recent-is-not-late slotorder.c 'op->call > back ? op->call - back : 0' 'op->call'
plant near-off-by-one slotorder.c '2 * op->bound;' '2 * op->bound + 2;'
plant session-of-everybody slotorder.c 'return lin_order_call(own);' 'return lin_order_call(all);'
plant session-of-nobody slotorder.c 'lin_order_return(&own[op->client], s, e[i].op);' ';'
# --- slotlog.c: what stands in the log ---
plant slot-given-twice slotlog.c 'if (op[l->claim[i]].slot != op[l->claim[i - 1]].slot)' 'if (1)'
plant members-may-differ slotlog.c 'if (slot_of(x) != slot_of(y) || !cmp(x, y))' 'if (1)'
plant lost-is-fine slotlog.c $'\t\tif (!l->entries)\n' $'\t\tif (1)\n'
plant another-value-is-fine slotlog.c 'if (!cmp(&op[l->seen[k]], &op[c]))' 'if (1)'
plant strangers-are-fine slotlog.c 'stranger(l, there[i], v);' 'good = true;'
plant unknown-matched-twice slotlog.c 'l->slot[asked[k++]]' 'l->slot[asked[k]]'
plant unknown-in-any-order slotlog.c 'ORDER(x->call, y->call);' 'ORDER(y->call, x->call);'
plant unknown-never-there slotlog.c \
	'l->slot[asked[k++]] = slot_of(&op[there[i]]);' 'k++;'
plant loose-is-ignored slotlog.c 'l->loose = !l->entries && matched < m;' 'l->loose = false;'
plant replay-believes-reads slotlog.c 'return op->value == before;' 'return true;'
plant replay-believes-cas slotlog.c \
	'return (before == op->old) == (op->outcome == LIN_DONE);' 'return true;'
plant keys-are-mixed slotlog.c 'if (!i || op[at[i].op].key != op[at[i - 1].op].key) {' 'if (!i) {'
plant unknown-fetch-believed slotlog.c '!o->value || o->outcome != LIN_DONE' '!o->value'
# --- slotcheck.c, main.c ---
plant slots-not-needed slotcheck.c \
	$'\t\tlin_set(v, LIN_UNDECIDED, "an operation does not tell its slot");' \
	$'\t\tcontinue;'
plant first-log-only slotcheck.c 'good && first < h->ops' 'good && !first'
plant unchecked-is-ok main.c $'\tif (n)\n' $'\tif (0)\n'
# --- wgl.c, memo.c: the search ---
plant no-real-time wgl.c $'\t\tif (s->node[i].returns) {' $'\t\tif (i == LIST) {'
plant memo-forgets-the-state wgl.c 's->key[n++] = s->state;' 's->key[n++] = 0;'
plant memo-forgets-the-unknown wgl.c 's->key[n++] = s->unknown[i];' 's->key[n++] = 0;'
plant memo-forgets-the-known wgl.c 's->key[n++] = s->known[i];' 's->key[n++] = 0;'
plant memo-trusts-the-hash memo.c \
	'&& !memcmp(&m->store[at], words, n * sizeof(*words)))' ')'
plant state-not-taken-back wgl.c $'\ts->state = f.state;\n' ''
plant return-not-taken-back wgl.c $'\t\trelink_node(s, c->back);\n' ''
plant forced-is-a-choice-lost wgl.c '{ call, forced, s->state }' '{ call, true, s->state }'
plant writes-are-forced wgl.c 'return op->kind == LIN_READ || op->outcome == LIN_DIFFERS;' \
	'return true;'
plant unknown-must-happen wgl.c 'return c->op->outcome != LIN_UNKNOWN;' 'return true;'
plant unknown-never-happens wgl.c '!bsearch(&op->arg, read' '!!bsearch(&op->arg, read'
plant unread-with-cas wgl.c 'op->outcome == LIN_UNKNOWN && !cas &&' 'op->outcome == LIN_UNKNOWN &&'
plant limit-means-ok wgl.c $'\t\t\treturn LIN_UNDECIDED;\n\t\tif (s->node[i].returns)' \
	$'\t\t\treturn LIN_OK;\n\t\tif (s->node[i].returns)'
plant full-memo-means-known wgl.c 'if (known == MEMO_FULL)' 'if (0)'
plant reach-too-short wgl.c 'c->reach = s->call[mid].bit + 1;' 'c->reach = c->bit + 1;'
# --- shrink.c: explanations ---
plant written-value-left-out shrink.c '!bsearch(&op->arg, read' '!!bsearch(&op->arg, read'
plant shrinks-to-good shrink.c 'if (i && is_bad(s, rest, n)) {' 'if (i && n) {'

echo "1..$n"
[ $failed = 0 ]
