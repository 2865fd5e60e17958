#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# planted.sh - can the fuzzers find anything? Plant one bug after another and see
#
# Each bug is a replacement in a copy of the sources. For each, one line: after how many
# inputs and seconds its target failed. A bug that is not found within LIMIT seconds is a
# failure; what earlier runs of the fuzzer learned (build/fuzz/corpus) is not used.
#
#   planted.sh [NAME...]     only these
#   LIMIT=60                 seconds for each

set -u
cd "$(dirname "$0")/../.." || exit 2
LIMIT=${LIMIT:-60}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
only=" $* "

# What the targets are made of; times are kept, so that only what is planted is compiled.
copy()
{
	rm -rf "$work/t"
	mkdir -p "$work/t/selftests" "$work/t/kmod" "$work/t/build"
	cp -a agent uapi "$work/t/" && cp -a kmod/core "$work/t/kmod/" &&
		cp -a selftests/fuzz selftests/sim "$work/t/selftests/" &&
		cp -a "$work/objects" "$work/t/build/fuzz"
}

# What the target said: a rule of its own, or a sanitizer.
why()
{
	sed -n 's/^FUZZ_CHECK //p; s/^SUMMARY: \([^ ]* [^ ]*\).* in \(.*\)/\1 in \2/p' "$1" |
		head -n 1
}

# plant NAME TARGET FILE OLD NEW
plant()
{
	local name=$1 target=$2 file=$3 start log n

	[ "$only" = "  " ] || [[ $only == *" $name "* ]] || return 0
	copy || exit 2
	if ! selftests/mutants/replace.py "$work/t/$file" "$4" "$5" ||
	   ! make -s -j2 -C "$work/t/selftests/fuzz" T="$target" all >"$work/log" 2>&1; then
		tail -n 5 "$work/log"
		echo "not ok - $name: it cannot be planted any more"
		failed=$((failed + 1))
		return
	fi
	start=$SECONDS
	if "$work/t/selftests/fuzz/run.sh" -o "$work/t/build/fuzz" -s "$LIMIT" -j 1 \
			"$target" >"$work/out" 2>/dev/null; then
		echo "not ok - $name: not found by $target in $LIMIT s"
		failed=$((failed + 1))
		return
	fi
	log=$work/t/build/fuzz/log/$target.log
	n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
	printf 'ok - %-26s %-8s %7s inputs %3d s  %s\n' "$name" "$target" "${n:-?}" \
		$((SECONDS - start)) "$(why "$log")"
	passed=$((passed + 1))
}

make -s -j2 -C selftests/fuzz OUT="$work/objects" all >"$work/log" 2>&1 ||
	{ tail "$work/log"; exit 2; }
rm -f "$work"/objects/*.d "$work"/objects/*/*.d

core=kmod/core

plant entry-behind-the-end wire $core/wire.c 'size > room || !entry_flags_ok' '!entry_flags_ok'
plant header-not-whole wire $core/wire.c \
	'if (m->len > PXS_WIRE_BODY_MAX || size - PXS_WIRE_HDR_LEN != m->len)' 'if (0)'
plant payload-too-short key $core/key.c 'if (s.len < (u32)spec->offset + spec->len)' 'if (0)'
plant binary-key-too-long key $core/key.c \
	'if (s.len < MC_BINARY_HDR_LEN + extras_len + key_len)' 'if (0)'
plant answer-before-durable group $core/group.c \
	'if (p->lsn > durable)' 'if (p->lsn > durable + 1000)'
plant promise-forgotten group $core/acceptor.c 'if (r->ballot > g->promised) {' 'if (0) {'
plant parked-without-room group $core/acceptor.c \
	'g->parked_head - g->parked_tail + n <= 2 * (u64)g->conf.window' '(void)g, (void)n, true'
plant value-freed-early group $core/acceptor.c \
	$'s->flags & PXS_SLOT_DECIDED));\n\tpxs_value_put(v);' \
	$'s->flags & PXS_SLOT_DECIDED));\n\tpxs_value_put(v);\n\tpxs_value_put(v);'
plant batch-behind-the-end scan agent/batch.c \
	'if (!info->count || info->bytes > room - PXS_BATCH_HDR_LEN)' 'if (!info->count)'
plant confirmed-is-cut scan agent/scan.c 'if (confirmed >= s->next_lsn)' 'if (0)'
plant damaged-taken-whole scan $core/record.c \
	'if (le32_to_cpu(j.crc) != pxs_crc32c(0, r->data, r->len))' 'if (0)'
plant salvage-in-any-order scan agent/scan.c \
	$'fault == PXS_RECORD_BAD_VALUE) &&\n\t\t    r.lsn == w->s->next_lsn' \
	'fault == PXS_RECORD_BAD_VALUE)'
plant tail-not-cut recover agent/recover.c 'err = zero_range(d, d->file[last].fd, pxs_pos' \
	'err = 0 && zero_range(d, d->file[last].fd, pxs_pos'
plant spare-not-cleared recover agent/recover.c 'if (!err && s->cut_spare)' 'if (0)'
plant sum-of-hint-believed recover agent/hint.c 'if (!sum || sscanf(sum' 'if (sscanf(sum'
plant refusal-length-believed link agent/link.c \
	'if (quoted < NLMSG_HDRLEN || quoted > (u32)nlmsg_datalen(nlh))' 'if (0)'
plant short-number link agent/kernel_group.c \
	'return attr && nla_len(attr) >= (int)sizeof(u32) ?' 'return attr ?'
plant string-without-end show agent/cli/nlq.c \
	"if (!a || nla_len(a) < 1 || !memchr(nla_data(a), '\\0', (size_t)nla_len(a)))" 'if (!a)'
plant request-not-whole client agent/client.c \
	'if (c->in_len - pos - HDR < len)' 'if (c->in_len - pos < len)'
plant answer-too-large lib agent/lib/conn.c \
	'most < 0 || le32_to_cpu(h->len) > most' 'most < 0'
plant answer-not-whole lib agent/lib/conn.c \
	'if (c->in_len - c->in_pos - HDR < m->len)' 'if (c->in_len - c->in_pos < m->len)'
plant any-slot-delivered lib agent/lib/subscribe.c 'm->arg != s->next || !s->left' '!s->left'
plant span-too-long cli agent/cli/parse.c \
	'if (!colon || (size_t)(colon - s) >= sizeof(head))' 'if (!colon)'
plant bulk-not-whole resp agent/store/resp_read.c \
	'if (r->len - r->pos < (u64)r->bulk + 2)' 'if (r->len - r->pos < (u64)r->bulk)'
plant field-forgotten resp agent/store/db_hash.c \
	'drop_item(db, rec->hash, place, field);' 'if (0) drop_item(db, rec->hash, place, field);'
plant host-too-long config agent/config.c '|| len >= sizeof(host))' ')'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
