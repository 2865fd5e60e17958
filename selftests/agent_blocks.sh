#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# agent_blocks.sh - one member's journal damaged block by block: the cluster's log stays equal
#
#     paxsteerd 1 ── 127.0.0.1:PORT+1..3 ── paxsteerd 2, 3      datapath in user space
#
# Members 2 and 3 go on all the while. Member 1 is killed, one 4 KiB block of one of its
# files is flipped (one bit), zeroed or made unreadable, and it is started again. Either it
# refuses, with the file and the place and nothing changed on disk; or it is a member that
# forgot no record and has everything, equal to the others. Then the block is put right
# again. A row for each file and fault is printed.
#
# PXS_SHORT=1: one of the three faults for each block, in turn.
# limit: 900

# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=rotate.sh disable=SC1091
. "$(dirname "$0")/rotate.sh"
need paxsteer paxsteerd python3 gcc
# shellcheck source=members.sh disable=SC1091
. "$(dirname "$0")/members.sh"

J=$D/j1
gcc -shared -fPIC -O2 -o "$T_DIR/unreadable.so" "$TOP/selftests/unreadable.c" -ldl ||
	bail "cannot build unreadable.c"

# Of those that are not damaged; and without Python, as it is asked often.
log() { paxsteer log -S "$D/2.sock,$D/3.sock" "$@"; }
# field I NAME: of its group
field()
{
	local s
	s=$(paxsteer -j log -S "$D/$1.sock" status 2>/dev/null) || return 1
	s=${s#*\"groups\"}
	[[ $s =~ \"$2\":\"?([^\",}]*) ]] && echo "${BASH_REMATCH[1]}"
}
dump() { paxsteer log -S "$D/$1.sock" tail from 1 hash noops; }
top() { [ "$(field 2 ready)" = true ] && field 2 applied || field 3 applied; }
running() { kill -0 "${PID[1]}" 2>/dev/null; }
answers() { ! running || [ -n "$(field 1 applied)" ]; }
# As long as the others are told what 1 lacks, its log is not yet theirs.
equal()
{
	dump 1 >"$D/dump1" && dump "$1" >"$D/dump" &&
		head -n "$(wc -l <"$D/dump1")" "$D/dump" | cmp -s - "$D/dump1"
}
# Within a tick after a batch nothing on disk says that it was confirmed.
marked()
{
	local s
	s=$(paxsteer -j log -S "$D/1.sock" status 2>/dev/null) &&
		[[ $s =~ \"durable_lsn\":([0-9]+),\"marked_lsn\":([0-9]+) ]] &&
		[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}
last_lsn()
{
	[[ $(paxsteer -j journal show "$J") =~ \"last_lsn\":\ ?([0-9]+) ]] &&
		echo "${BASH_REMATCH[1]}"
}
remembers()	# remembers LSN: what the agent said of its recovery
{
	[[ $(<"$T_DIR/agent1.log") =~ LSN\ 1\ to\ ([0-9]+)\ recovered ]] &&
		[ "${BASH_REMATCH[1]}" -ge "$1" ]
}
sums() { (cd "$J" && sha256sum -- *); }

damage()	# damage FAULT FILE BLOCK
{
	case $1 in
	flipped) python3 "$TOP/selftests/journal_bytes.py" flip "$J/$2" \
		$(($3 * 4096 + ($3 * 37 + 11) % $(block_size "$2" "$3"))) ;;
	zeroed) dd if=/dev/zero of="$J/$2" bs="$(block_size "$2" "$3")" seek="$3" count=1 \
		conv=notrunc status=none ;;
	esac
}
block_size()
{
	local s
	s=$(stat -c %s "$J/$1")
	echo $((s < 4096 ? s : 4096))
}

# The bytes that were there, where they still are the damaged ones: they may be rewritten.
repair()	# repair FILE BLOCK
{
	local bs part=(bs=4096 skip="$2" count=1 status=none)
	bs=$(block_size "$1" "$2")
	cmp -s <(dd if="$J/$1" "${part[@]}") <(dd if="$D/damaged/$1" "${part[@]}") || return 0
	dd if="$D/saved/$1" of="$J/$1" bs="$bs" skip="$2" seek="$2" count=1 conv=notrunc status=none
}

refusal()
{
	local why
	why=$(tail -n 1 "$T_DIR/agent1.log")
	[[ $why =~ segment\ [0-9a-f]{16}|identity|had\ been\ confirmed ]] || {
		BAD+=("$1: refused without saying where: $why")
		return
	}
	[ "$(sums)" = "$2" ] || BAD+=("$1: refused, and changed something")
}

# one FAULT FILE BLOCK: sets OUTCOME
one()
{
	local name="$2 block $3 $1" before lsn last=0
	local env=()
	rm -rf "$D/saved" "$D/damaged"
	cp -a "$J" "$D/saved"
	lsn=$(last_lsn)
	damage "$@"
	cp -a "$J" "$D/damaged"
	before=$(sums)
	[ "$1" != unreadable ] || env=(env LD_PRELOAD="$T_DIR/unreadable.so"
		UNREADABLE_FILE="j1/$2" UNREADABLE_AT=$(($3 * 4096)))
	rm -f "$D/1.sock"
	run 1 "${env[@]}"
	log append "$name" >>"$D/slots" || BAD+=("$name: the others do not commit")
	wait_until 30 answers || BAD+=("$name: neither up nor down")
	if ! running; then
		OUTCOME=refused
		refusal "$name" "$before"
		wait "${PID[1]}" && BAD+=("$name: refused with exit status 0")
	else
		OUTCOME=member
		remembers "$lsn" || BAD+=("$name: it forgot what it had, up to LSN $lsn")
		last=$(top)
		wait_until 60 applied 1 "$last" || BAD+=("$name: it does not catch up with $last")
		wait_until 30 equal 2 || wait_until 30 equal 3 || BAD+=("$name: its log differs")
		[ "$(wc -l <"$D/dump1")" -ge "$last" ] || BAD+=("$name: its log is short")
		wait_until 30 marked || BAD+=("$name: its end is not marked")
		stop "${PID[1]}" KILL
	fi
	[ "$1" = unreadable ] || repair "$2" "$3"
}

members_make 65536
for i in 2 3; do run $i; done
wait_until 60 log append first timeout 2000 || bail "no leader"
run 1
ok "values of all sizes" log append count 12 size 5000 outstanding 3 quiet timeout 60000
ok "and single ones" log append count 5 size 10 outstanding 1 quiet timeout 60000
wait_until 60 applied 1 "$(top)" || bail "member 1 has not everything"
stop "${PID[1]}"
FILES=(identity hint)
for f in "$J"/*.pxs; do FILES+=("${f##*/}"); done
FAULTS=(flipped zeroed unreadable)
declare -A SUM=()
BAD=()
turn=0
echo "# $(printf '%s ' "${FILES[@]}")"
for f in "${FILES[@]}"; do
	blocks=$((($(stat -c %s "$J/$f") + 4095) / 4096))
	t=$SECONDS
	for ((b = 0; b < blocks; b++)); do
		turn=$((turn + 1))
		for ((k = 0; k < 3; k++)); do
			[ "${PXS_SHORT:-0}" != 1 ] || [ $((turn % 3)) -eq $k ] || continue
			one "${FAULTS[k]}" "$f" $b
			SUM[$f ${FAULTS[k]} $OUTCOME]=$((${SUM[$f ${FAULTS[k]} $OUTCOME]:-0} + 1))
		done
	done
	echo "# $f: $blocks blocks, $((SECONDS - t)) s, ${#BAD[@]} bad so far"
done
printf '# %-24s %-12s %8s %8s\n' file "a block" member refused
cells=0
for f in "${FILES[@]}"; do
	for k in "${FAULTS[@]}"; do
		m=${SUM[$f $k member]:-0} r=${SUM[$f $k refused]:-0}
		cells=$((cells + m + r))
		printf '# %-24s %-12s %8d %8d\n' "$f" "$k" "$m" "$r"
	done
done
if [ ${#BAD[@]} -eq 0 ]; then
	pass "$cells cells, none bad"
else
	fail "$cells cells, ${#BAD[@]} bad" "${BAD[@]:0:10}"
fi
run 1
ok "put right, it is a member" wait_until 60 applied 1 "$(top)"
# Those two may lack what the one of them that leads has just applied.
ok "all logs are equal" wait_until 60 equal 2
ok "and equal" wait_until 60 equal 3
ok "every value of a cell is there" \
	[ "$(awk 'NR == FNR { s[$1]; next } $1 in s' "$D/slots" "$D/dump1" | wc -l)" = "$cells" ]
ok "journal 1 is sound" paxsteer journal verify "$J"
echo "bar: cluster-single-blocks-bad ${#BAD[@]} wanted 0" \
	"$([ ${#BAD[@]} -eq 0 ] && echo met || echo missed)"
done_testing
