#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# planted.sh - can the simulator fail? Plant one bug after another and see
#
# Each bug is a replacement in a copy of the sources; the tree is not touched. For each,
# one line: after how many schedules it was caught, in how much processor time, by which
# rule. Ends with "N passed, N failed"; a bug that is not caught within LIMIT schedules
# is a failure.
#
#   planted.sh [NAME...]     only these
#   LIMIT=20000              schedules to try

set -u
cd "$(dirname "$0")/../.." || exit 2
LIMIT=${LIMIT:-20000}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
only=" $* "

# replace FILE OLD NEW: just one place must hold OLD
replace()
{
	python3 - "$@" <<'PY'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if text.count(old) != 1:
	sys.exit("%s: %d places hold: %s" % (path, text.count(old), old))
open(path, "w").write(text.replace(old, new))
PY
}

# plant NAME FILE OLD NEW
plant()
{
	local name=$1 file=$2 seed why start

	[ "$only" = "  " ] || [[ $only == *" $name "* ]] || return 0
	rm -rf "$work/t"
	mkdir -p "$work/t/selftests" "$work/t/kmod"
	cp -r agent uapi "$work/t/" && cp -r kmod/core "$work/t/kmod/" &&
		cp -r selftests/sim "$work/t/selftests/" || exit 2
	if ! replace "$work/t/$file" "$3" "$4" ||
	   ! make -s -C "$work/t/selftests/sim" EXTRA=-Wno-error >"$work/log" 2>&1; then
		tail -n 3 "$work/log"
		echo "not ok - $name: it cannot be planted any more"
		failed=$((failed + 1))
		return
	fi
	start=$(date +%s)
	"$work/t/build/sim/sim" -n "$LIMIT" >"$work/out" 2>/dev/null
	seed=$(sed -n 's/^FAILED seed \([0-9]*\):.*/\1/p' "$work/out" | head -n 1)
	why=$(sed -n 's/^FAILED seed [0-9]*: //p' "$work/out" | head -n 1)
	if [ -z "$seed" ] && grep -q ' passed, ' "$work/out"; then
		echo "not ok - $name: not caught in $LIMIT schedules"
		failed=$((failed + 1))
		return
	fi
	printf 'ok - %-28s %6s schedules %4d s  %s\n' "$name" "${seed:-crash}" \
		$(($(date +%s) - start)) "$why"
	passed=$((passed + 1))
}

core=kmod/core

plant answer-before-durable $core/group.c \
	'if (p->lsn > durable)' 'if (p->lsn > durable + 1000)'
plant repeat-before-durable $core/acceptor.c \
	'return s->lsn <= durable(g) ? PXS_ACCEPT_DURABLE : PXS_ACCEPT_PENDING;' \
	'return PXS_ACCEPT_DURABLE;'
plant promise-repeat-before-durable $core/acceptor.c \
	'if (g->promised_lsn <= durable(g)) {' 'if (g->promised_lsn) {'
plant accept-does-not-promise $core/acceptor.c \
	$'\tif (ballot > g->promised) {\n\t\t/* An' $'\tif (0) {\n\t\t/* An'
plant accept-below-promise $core/acceptor.c \
	$'\tif (ballot < g->promised) {\n\t\t*higher' $'\tif (0) {\n\t\t*higher'
plant recovery-forgets-promise $core/acceptor.c \
	'if (r->ballot > g->promised) {' 'if (0) {'
plant recovery-forgets-accept $core/acceptor.c \
	'return r->type == PXS_RECORD_ACCEPT ? load_slot(g, r) : 0;' 'return 0;'
plant accept-record-is-no-promise $core/acceptor.c \
	'if (r->ballot > g->promised) {' \
	'if (r->type == PXS_RECORD_PROMISE && r->ballot > g->promised) {'
plant vote-twice $core/leader.c \
	's->voters |= 1ull << from;' 's->voters = s->voters << 1 | 1;'
plant own-vote-early $core/leader.c \
	$'\ts->sent_ms = now;\n\t*slot' \
	$'\ts->voters |= 1ull << g->conf.self;\n\ts->sent_ms = now;\n\t*slot'
plant vote-of-another-ballot $core/leader.c \
	'if (!g->lead_ballot || ballot != g->lead_ballot)' 'ballot = g->lead_ballot; if (!ballot)'
plant small-quorum $core/quorum.h 'return nmembers / 2u + 1;' 'return nmembers / 2u;'
plant first-not-highest agent/elect.c \
	'(s->value && !decided && en->ballot <= s->ballot)' '(s->value && !decided)'
plant last-not-highest agent/elect.c \
	'(s->value && !decided && en->ballot <= s->ballot)' '0'
plant promise-of-any-ballot agent/elect.c \
	'e->role != PXS_ROLE_CANDIDATE || m->ballot != e->ballot || member < 0' \
	'(((struct pxs_msg *)m)->ballot = e->ballot, e->role != PXS_ROLE_CANDIDATE) || member < 0'
plant late-promise-reopens agent/elect.c \
	$'\te->ballot = 0;\n\te->ask = 0;' $'\te->ask = 0;'
plant fill-without-quorum agent/elect.c \
	'return pxs_quorum_met(votes, e->conf.nmembers);' '(void)votes; return true;'
plant lead-without-quorum agent/elect.c \
	'if (!pxs_quorum_reached(&e->complete) ||' 'if (!pxs_quorum_reached(&e->promised) ||'
plant one-page-is-all agent/elect.c \
	$'\tif (!m->arg) {\n\t\te->cover' $'\tif (1) {\n\t\te->cover'
plant damaged-counts agent/elect.c \
	'if (s->faulty && (!s->value || s->ballot < s->faulty_ballot))' 'if (0)'
plant damaged-is-empty $core/acceptor.c \
	$'\tbool faulty = r->flags & PXS_ENTRY_FAULTY;' \
	$'\tbool faulty = r->flags & PXS_ENTRY_FAULTY;\n\tif (faulty) return 0;'
plant behind-damage-votes $core/group.h \
	'return g->mute_until > g->commit;' 'return g->mute_until == 1;'
plant prepare-before-durable $core/group.c \
	'pxs_park(g, lsn, PXS_WIRE_PREPARE, ballot, slot, g->conf.self);' \
	'pxs_out_send(g, out, PXS_WIRE_PREPARE, all & ~self, ballot, slot);'
plant stale-acknowledgement $core/stage.c 'epoch != s->epoch' '(epoch && 0)'
plant resent-nothing $core/stage.c \
	$'\ts->sent_lsn = s->durable_lsn;\n\ts->sent = s->tail;' $'\ts->sent = s->tail;'
plant commit-of-any-ballot $core/group.c 's->ballot != m->ballot ||' '0 ||'
plant stale-leader-goes-on $core/acceptor.c \
	'if (g->lead_ballot && !(same && s->ballot == g->lead_ballot))' 'if (0)'
plant resign-forgotten agent/elect.c \
	$'\te->resign = true;\n\te->started = true;' $'\te->started = true;'
plant proposals-out-of-order agent/elect.c \
	$'e->wait = true;\n\t\tif (type == PXS_ELECT_PREPARE)' \
	$'e->next += type == PXS_ELECT_PROPOSE, e->wait = true;\n\t\tif (type == PXS_ELECT_PREPARE)'
plant no-learning $core/group.c 'recv_learn(g, m, body, now, out);' ';'
plant no-resending $core/leader.c $'\tresend(g, now, out);\n}' $'\t(void)resend;\n}'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
