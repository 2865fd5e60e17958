#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# soak.sh - a group of three under one fault after another, for an hour
#
#     n1 ── sw ── n2      n1, n2: members in the kernel; n3: in its daemon; each
#           │             journal on an ext4 of its own, on a disk that can be made
#           n3            slow and be filled up
#
# In blocks of five minutes. Two clients append to group 1 and three follow; a third appends to
# group 2, each value once however often it must ask (`append once`). Meanwhile faults are drawn,
# one or two at a time, each for some seconds: an agent is killed, or the leader's; a member is
# paused, isolated, hears nothing, is not heard; datagrams are lost, late, out of order, doubled; a
# disk is slow, or full; the clock leaps. When they are over there must be a leader that commits. A
# block ends when all have applied all: all logs are equal, what was acknowledged stands in its slot
# and in no other, the history of the block is linearizable (selftests/lin), and group 2 has each
# value once. Then what all have is trimmed, and the next block begins.
#
#   make soak [SECONDS=3600] [SEED=N]     in a virtual machine
#   PXS_SECONDS, PXS_SEED, PXS_FAULTS     how long, which choices, and of which faults (all)
#
# shellcheck disable=SC2034  # cluster.sh reads C_...

. "$(dirname "$0")/lib.sh"
C_GROUPS=2
C_ELECTION=5000	# emulated machines are slow, and one is the host of all three
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip tc mkfs.ext4 dmsetup losetup fallocate lin

SECONDS_ALL=${PXS_SECONDS:-3600}
SEED=${PXS_SEED:-$((10#$(date +%N) % 30000 + 1))}
BLOCK=$((SECONDS_ALL < 300 ? SECONDS_ALL : 300))
FAULTS=${PXS_FAULTS:-agent leader pause isolate deaf mute lossy reorder double slow full clock}
KIND=(- kernel kernel user)
SEGMENT=1048576
DISK_MB=256
AT=$T_DIR/block
HISTORY=$AT/history
RANDOM=$SEED
mkdir -p "$AT"
declare -A DRAWN=()
BAD=0 LOST=0 VALUES=0 FIRST=1 FIRST2=1 WORST=0

# --- disks that can be slow, and full ------------------------------------------------

table() { echo "0 $((DISK_MB * 2048)) delay ${LOOP[$1]} 0 0 ${LOOP[$1]} 0 $2"; }
disk_delay()	# disk_delay I MS: of every write and flush
{
	dmsetup suspend "pxs-soak$1" && dmsetup reload "pxs-soak$1" --table "$(table "$1" "$2")" &&
		dmsetup resume "pxs-soak$1"
}
slow_disk()
{
	local i=$1
	truncate -s ${DISK_MB}M "$T_DIR/disk$i" &&
		LOOP[i]=$(losetup -f --show "$T_DIR/disk$i") || bail losetup
	at_exit "{ umount -l '$C_DIR/disk$i'; dmsetup remove --retry pxs-soak$i
		losetup -d ${LOOP[i]}; } 2>/dev/null"
	mkdir -p "$C_DIR/disk$i" "$C_DIR/n$i" &&
		dmsetup create "pxs-soak$i" --table "$(table "$i" 0)" &&
		mkfs.ext4 -q -O ^has_journal "/dev/mapper/pxs-soak$i" &&
		mount -o noatime "/dev/mapper/pxs-soak$i" "$C_DIR/disk$i" || bail "no disk for $i"
	mkdir "$C_DIR/disk$i/journal" && mount --bind "$C_DIR/disk$i/journal" "$C_DIR/n$i" ||
		bail "cannot bind $C_DIR/n$i"
	# Before the disk below it: last made, first gone.
	T_EXIT=("umount -l '$C_DIR/n$i'" "${T_EXIT[@]}")
}

# --- faults: begin and end of each, for member I -------------------------------------

# Both ends of I's cable: what it sends, and what is sent to it.
both() { netem_at "pxs-n$1" eth0 "${@:2}" && netem_at pxs-sw "p$1" "${@:2}"; }
netem_at() { tc -n "$1" qdisc replace dev "$2" root netem "${@:3}"; }
plain()
{
	tc -n "pxs-n$1" qdisc del dev eth0 root
	tc -n pxs-sw qdisc del dev "p$1" root
} 2>/dev/null

agent_begin() { cluster_kill "$1"; }
agent_end() { cluster_start "$1" "${KIND[$1]}"; }
# An agent that is off as well has no process.
pause_begin() { [ -z "${C_PID[$1]}" ] || kill -STOP "${C_PID[$1]}"; }
pause_end() { [ -z "${C_PID[$1]}" ] || kill -CONT "${C_PID[$1]}"; }
isolate_begin() { cluster_cut "$1"; }
isolate_end() { cluster_heal "$1"; }
deaf_begin() { netem_at pxs-sw "p$1" loss 100%; }
deaf_end() { plain "$1"; }
mute_begin() { netem_at "pxs-n$1" eth0 loss 100%; }
mute_end() { plain "$1"; }
lossy_begin() { both "$1" loss 20%; }
lossy_end() { plain "$1"; }
reorder_begin() { both "$1" delay 20ms 20ms reorder 30% 50%; }
reorder_end() { plain "$1"; }
double_begin() { both "$1" duplicate 30%; }
double_end() { plain "$1"; }
slow_begin() { disk_delay "$1" $((50 + RANDOM % 400)); }
slow_end() { disk_delay "$1" 0; }
full_begin()
{
	local room
	room=$(df --output=avail -B1 "$C_DIR/disk$1" | tail -n 1)
	fallocate -l $((room - SEGMENT / 2)) "$C_DIR/disk$1/ballast"
}
full_end() { rm -f "$C_DIR/disk$1/ballast"; }
# Of the whole machine; up to an hour to and fro.
clock_begin() { date -s "@$(($(date +%s) + RANDOM % 7200 - 3600))" >/dev/null; }
clock_end() { clock_begin; }

# --- what must be so ------------------------------------------------------------------

KEPT=8192	# slots that the log of group 1 keeps, whatever is trimmed: two windows
SPAN=65536	# that of group 2: who reads each value once reads so many before (PXS_LOG_SPAN)
log_at() { paxsteer log -S "$(cluster_socket "$1")" "${@:2}"; }
hashes() { log_at "$1" tail from "$FIRST" hash; }
commits() { cluster_log append timeout 20000 history "$HISTORY" "mark-$FIRST-$(uptime_s)"; }
wrong() { BAD=$((BAD + 1)); fail "$@"; cluster_logs 20; }
hashes_equal()
{
	local i
	for i in 1 2 3; do hashes $i >"$AT/log$i" || return 1; done
	cmp -s "$AT/log1" "$AT/log2" && cmp -s "$AT/log1" "$AT/log3"
}

# draw: sets FAULT and WHO of which no fault is under way
draw()
{
	local kinds
	read -r -a kinds <<<"$FAULTS"
	FAULT=${kinds[RANDOM % ${#kinds[@]}]} WHO=$((1 + RANDOM % 3))
	DRAWN[$FAULT]=$((${DRAWN[$FAULT]:-0} + 1))
	[ "$FAULT" != leader ] || { FAULT=agent && cluster_find_leader && WHO=$LEADER; }
}

# One or two faults, at two members or at one; all are over when it returns.
trouble()
{
	local first first_who t0

	draw
	first=$FAULT first_who=$WHO
	"${first}_begin" "$first_who" || wrong "fault $first at $first_who" || return
	FAULT=
	# Two of three that are out is a standstill, and that is tried as well.
	if [ $((RANDOM % 3)) = 0 ]; then
		draw
		[ "$FAULT$WHO" != "$first$first_who" ] || FAULT=
		[ -z "$FAULT" ] || "${FAULT}_begin" "$WHO"
	fi
	sleep $((3 + RANDOM % 12))	# a fault lasts: no wait for anything
	[ -z "$FAULT" ] || "${FAULT}_end" "$WHO"
	"${first}_end" "$first_who"
	t0=$SECONDS
	if ! wait_until 120 commits; then
		wrong "there is a leader that commits" "seed $SEED" \
			"after $first at $first_who, $FAULT at $WHO"
		return 1
	fi
	[ $((SECONDS - t0)) -le "$WORST" ] || WORST=$((SECONDS - t0))
}

clients()
{
	local i how
	for i in 1 2 3; do
		start "follow$i" paxsteer log -S "$(cluster_socket $i)" tail from "$FIRST" follow \
			hash history "$HISTORY"
		FOLLOW+=("$START_PID")
	done
	LOADS=()
	for i in a b c; do
		how=(append count 100000000 seconds "$BLOCK" outstanding 4 size 40
			prefix "$1$i" keep-going timeout 60000)
		if [ $i = c ]; then
			how=(group 2 "${how[@]}" once)
		else
			how+=(quiet acked-file "$AT/acked" history "$HISTORY")
		fi
		start "$i" paxsteer log -S "$(cluster_sockets)" "${how[@]}"
		LOADS+=("$START_PID")
	done
}

# once_each I: member I has each value of the third client once, in group 2
once_each()
{
	local n
	n=$(sed -n 's/.*appended \([0-9]*\) of .*/\1/p' "$T_DIR/c.log")
	log_at "$1" group 2 tail from "$FIRST2" once |
		awk '{ print $2 }' | grep "^${2}c[0-9]*\." >"$AT/once"
	sort -u "$AT/once" | wc -l >"$AT/different"
	[ "$(wc -l <"$AT/once") $(<"$AT/different")" = "$n $n" ] && [ "$n" -gt 0 ]
}

# What they are told is judged when all has been applied everywhere.
judge()
{
	local i last last2 out n

	wait_until 300 cluster_even 1 2 3 || wrong "block $1: all members apply all"
	wait_until 60 hashes_equal || wrong "block $1: all logs are equal" "$(wc -l "$AT"/log?)"
	out=$(awk 'NR == FNR { have[$1] = $2; next }
		have[$1] != $2 { print "lost: " $0 }' "$AT/log1" "$AT/acked")
	n=$(grep -c . <<<"$out")
	LOST=$((LOST + n))
	[ "$n" = 0 ] || wrong "block $1: each acknowledged value is in its slot" "${out:0:2000}"
	# Values differ, so that one that is there twice was taken twice.
	out=$(awk '{ print $2 }' "$AT/log1" | sort | uniq -d)
	[ -z "$out" ] || wrong "block $1: no value is there twice" "${out:0:500}"
	for i in 1 2 3; do
		wait_until 60 once_each $i "$1" ||
			wrong "block $1: member $i has each value of group 2 once" \
				"$(<"$T_DIR/c.log")" \
				"$(wc -l <"$AT/once") there, $(<"$AT/different") different ones"
		log_at $i tail from "$FIRST" hash noops | lin_entries $i >>"$HISTORY"
	done
	out=$(lin "$HISTORY" 2>&1)
	[[ $out =~ ^ok: ]] || wrong "block $1: the history is linearizable" "${out:0:2000}"
	VALUES=$((VALUES + $(wc -l <"$AT/acked")))
	last=$(cluster_get 1 applied)
	diag "block $1, $(($(uptime_s) - BEGUN)) of $SECONDS_ALL s: $VALUES values" \
		"  a leader that commits at most $WORST s after a fault; $out"
	diag "  faults so far: $(for i in "${!DRAWN[@]}"; do echo "$i ${DRAWN[$i]}"; done | sort |
		paste -sd,)"
	FIRST=$((last + 1))
	last2=$(cluster_log group 2 read-index)
	FIRST2=$((last2 + 1))
	trim 1 "$last" $KEPT && trim 2 "$last2" $SPAN
}

# trim GROUP SLOT KEPT: of what all have
trim()
{
	local i
	[ "$2" -gt "$3" ] || return 0
	for i in 1 2 3; do
		log_at $i group "$1" trim to $(($2 - $3)) >/dev/null ||
			wrong "member $i trims group $1 to $2 - $3"
	done
}

# block NUMBER: false if something is wrong
block()
{
	local end p

	rm -f "$AT"/*
	: >"$AT/acked"
	FOLLOW=()
	clients "$1"
	end=$(($(uptime_s) + BLOCK - 15))
	while [ "$(uptime_s)" -lt "$end" ] && [ $BAD = 0 ]; do trouble; done
	# Not stopped: they would not tell what became of what they had asked for.
	for p in "${LOADS[@]}"; do
		wait "$p" || wrong "block $1: a client ends with $?" "$(cat "$T_DIR"/[ab].log)"
	done
	for p in "${FOLLOW[@]}"; do stop "$p"; done
	judge "$1"
	[ $BAD = 0 ]
}

export DM_DISABLE_UDEV=1	# nobody answers here
modprobe -q -a loop ext4 dm-delay sch_netem || bail "no dm-delay or netem"
cluster_hosts 3
mkdir -p "$C_DIR"
for i in 1 2 3; do slow_disk $i; done
cluster_init v4 $SEGMENT
# A stopped process ends nobody's wait.
at_exit 'kill -CONT "${C_PID[@]}" 2>/dev/null'
for i in 1 2 3; do cluster_start $i "${KIND[i]}"; done
cluster_wait_leader 60 || bail "no leader" "$(cluster_logs)"
diag "soak: $SECONDS_ALL s, seed $SEED, faults: $FAULTS"
BEGUN=$(uptime_s) b=0
while [ $(($(uptime_s) - BEGUN)) -lt "$SECONDS_ALL" ]; do
	b=$((b + 1))
	block $b || break
	pass "block $b"
done
for i in 1 2 3; do
	cluster_kill $i TERM
	ok "journal $i" paxsteer journal verify "$C_DIR/n$i"
done
took=$(($(uptime_s) - BEGUN))
echo "bar: soak-seconds $took wanted >=$SECONDS_ALL" \
	"$([ $took -ge "$SECONDS_ALL" ] && echo met || echo missed)"
echo "bar: soak-values-lost $LOST wanted 0 $([ $LOST = 0 ] && echo met || echo missed)"
echo "bar: soak-bad $BAD wanted 0 $([ $BAD = 0 ] && echo met || echo missed)"
done_testing
