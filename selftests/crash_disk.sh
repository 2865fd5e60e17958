#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# crash_disk.sh - an agent's journal on a disk that remembers each write: cut off everywhere
#
#     member 1 ── member 2       two of three members (the third never starts): what is
#        │                       acknowledged is durable on both
#     ext4 on dm-log-writes      member 1's journal; every write and flush is logged
#
# Values are appended one by one, each acknowledgement becomes a mark in the log, segments
# are rotated, the agent is killed and started again. Then the log is replayed to a copy of
# the disk: each prefix of it, each write left out that was not flushed yet, each torn at
# 512 and 4096 bytes. Each state is mounted (ext4 recovers itself), and the agent's recovery
# must find every slot acknowledged before that moment, in batches equal byte for byte to
# those that were written, no damage, and nothing else.
#
# PXS_CRASH_STATES=N: so many states, evenly spread (default 40; 0: all of them).
#
# limit: 900
# kernels: 6.1
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
C_ELECTION=5000	# a disk that is slow, or a machine, is no reason for another leader
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip mkfs.ext4 dmsetup losetup
export DM_DISABLE_UDEV=1	# nobody answers here
modprobe -q -a dm-log-writes loop ext4 || { echo "1..0 # SKIP no dm-log-writes"; exit 4; }
REPLAY=$(prog replay_log) || bail "cannot build replay_log"
WANTED=${PXS_CRASH_STATES:-40}
DM=pxs-log$$
SIZE=24	# MiB

mark() { dmsetup message $DM 0 mark "$1" || fail "mark $1"; }

# append TEXT SIZE: its slot is acknowledged, and the log says so
append()
{
	local slot
	slot=$(head -c "$2" /dev/zero | tr '\0' "$1" |
		cluster_log append - timeout 60000 2>"$T_DIR/append.err") ||
		{ fail "append $1" "$(cat "$T_DIR/append.err")"; return 1; }
	mark "ack-$slot"
}

make_disk()
{
	truncate -s ${SIZE}M "$T_DIR/disk.img"
	truncate -s 400M "$T_DIR/log.img"
	mkfs.ext4 -q -b 4096 -J size=4 -m 0 "$T_DIR/disk.img" || bail "mkfs.ext4"
	DATA=$(losetup -f --show "$T_DIR/disk.img") || bail losetup
	LOG=$(losetup -f --show "$T_DIR/log.img") || bail losetup
	at_exit "losetup -d $DATA $LOG"
	mkdir -p "$C_DIR/mnt" "$C_DIR/n1" "$T_DIR/state"
	# The journal is there before the log begins.
	mount -o noatime "$DATA" "$C_DIR/mnt" || bail "mount"
	mkdir "$C_DIR/mnt/journal"
	mount --bind "$C_DIR/mnt/journal" "$C_DIR/n1"
	cluster_init v4 65536
	umount "$C_DIR/n1" && umount "$C_DIR/mnt" || bail "umount"
	cp --sparse=always "$T_DIR/disk.img" "$T_DIR/base.img"
	dmsetup create $DM --table "0 $((SIZE * 2048)) log-writes $DATA $LOG" || bail "dmsetup"
	# Done already when all went well.
	T_EXIT=("{ umount -l '$C_DIR/n1' '$C_DIR/mnt'; dmsetup remove --retry $DM; } 2>/dev/null"
		"${T_EXIT[@]}")
	mount -o noatime /dev/mapper/$DM "$C_DIR/mnt" &&
		mount --bind "$C_DIR/mnt/journal" "$C_DIR/n1" || bail "mount"
}

# Single blocks, many blocks, rotation, a pause (a mark), a kill, a clean end.
workload()
{
	local i
	cluster_start 1 user
	cluster_start 2 user
	cluster_wait_leader 60 || bail "no leader"
	mark begin
	for i in a b c; do append $i 100 || return; done
	for i in d e f g h i; do append $i 15000 || return; done
	cluster_kill 1
	cluster_start 1 user
	wait_until 60 cluster_log append again timeout 5000 || fail "it goes on after the kill"
	for i in k l m; do append $i 9000 || return; done
	cluster_kill 1 TERM
	sync -f "$C_DIR/n1"
	mark end
	cluster_kill 2 TERM
}

# judge NAME ACKED: $T_DIR/try.img is what the disk holds
judge()
{
	local name=$1 acked=$2 out lsn slot
	if ! mount -o loop,noatime "$T_DIR/try.img" "$T_DIR/state" 2>"$T_DIR/err"; then
		BAD+=("$name: the file system is not mounted: $(cat "$T_DIR/err")")
		return
	fi
	if ! out=$(paxsteer -j journal verify "$T_DIR/state/journal" 2>&1); then
		BAD+=("$name: $out")
	else
		slot=$(value_of "$out" last_slot)
		lsn=$(value_of "$out" last_lsn)
		[ "$slot" -ge "$acked" ] ||
			BAD+=("$name: slot $acked was acknowledged, $slot is the last one here")
		out=$("$REPLAY" same "$T_DIR/state/journal" "$lsn" "$T_DIR/final") ||
			BAD+=("$name: $out")
	fi
	umount "$T_DIR/state"
}

# The states, a line each: kind, entries in all, entry that is special, acknowledged slot,
# and first, for sorting, the entries that stand before anything special.
states()
{
	awk '
		$2 == "mark" && $4 == "begin" { begun = 1 }
		$2 == "mark" && $4 ~ /^ack-/ {
			acked = substr($4, 5)
			print $1 + 1, "prefix", $1 + 1, 0, acked
		}
		!begun || $2 == "mark" || $2 == "discard" { next }
		/flush/ {
			# What was written before it is durable from here on.
			for (i in open)
				print i, "dropped", $1, i, acked
			delete open
		}
		$2 ~ /^write/ {
			print $1 + 1, "prefix", $1 + 1, 0, acked
			if ($2 !~ /fua/)
				open[$1] = 1
			if ($3 > 512)
				print $1, "torn512", $1 + 1, $1, acked
			if ($3 > 4096)
				print $1, "torn4096", $1 + 1, $1, acked
		}' "$T_DIR/entries" | sort -s -n -k 1,1 >"$T_DIR/states"
}

apply() { "$REPLAY" apply "$T_DIR/log.img" "$@"; }

# every state that is wanted
replay()
{
	local keep kind upto special acked at=0 n=0 total step
	total=$(wc -l <"$T_DIR/states")
	step=1
	[ "$WANTED" -eq 0 ] || step=$(((total + WANTED - 1) / WANTED))
	while read -r -u 5 keep kind upto special acked; do
		n=$((n + 1))
		[ $((n % step)) -eq 0 ] || continue
		COUNT[$kind]=$((${COUNT[$kind]:-0} + 1))
		# base.img holds the entries before $at; what is special is on the copy only.
		if [ "$keep" -gt $at ]; then
			apply $at "$keep" "$T_DIR/base.img" || return
			at=$keep
		fi
		cp --sparse=always "$T_DIR/base.img" "$T_DIR/try.img"
		case $kind in
		dropped) apply $at "$upto" "$T_DIR/try.img" without "$special" ;;
		torn*) apply $at "$upto" "$T_DIR/try.img" torn "$special" "${kind#torn}" ;;
		esac || return
		judge "$kind $special of $upto" "${acked:-0}"
		[ $((n / step % 25)) -ne 0 ] || echo "# $n of $total states, ${#BAD[@]} bad"
	done 5<"$T_DIR/states"
}

C_DIR=$T_DIR/cluster
cluster_hosts 3
make_disk
workload
if [ $T_FAILED -ne 0 ]; then
	cluster_logs 10
	for i in 1 2; do [ -z "${C_PID[i]}" ] || cluster_kill $i; done
	done_testing
fi
cp -a "$C_DIR/n1" "$T_DIR/final"
ok "the journal is sound" paxsteer journal verify "$T_DIR/final"
umount "$C_DIR/n1" && umount "$C_DIR/mnt" && dmsetup remove --retry $DM ||
	bail "cannot end the log"
"$REPLAY" list "$T_DIR/log.img" >"$T_DIR/entries" || bail "the log cannot be read"
states
ok "the log has marks" grep -q "mark 0 end" "$T_DIR/entries"
ok "several segments were begun" [ -e "$T_DIR/final/0000000000000003.pxs" ]
count() { grep -c -- "$1" "$T_DIR/entries"; }
diag "$(count .) entries: $(count ' write') writes, $(count flush) flushes," \
	"$(count ' mark .*ack') acknowledged"
declare -A COUNT=()
BAD=()
ok_replay=0
replay && ok_replay=1
is "the replay went through" $ok_replay 1
n=0
for kind in prefix dropped torn512 torn4096; do
	printf '# %-10s %6d states of %d\n' $kind "${COUNT[$kind]:-0}" \
		"$(grep -c " $kind " "$T_DIR/states")"
	n=$((n + ${COUNT[$kind]:-0}))
done
ok "all kinds of states were tried" [ ${#COUNT[@]} -ge 3 ]
if [ ${#BAD[@]} -eq 0 ]; then
	pass "$n crash states of $(wc -l <"$T_DIR/states"), none bad"
else
	fail "$n crash states, ${#BAD[@]} bad" "${BAD[@]:0:10}"
fi
echo "bar: crash-disk-states-bad ${#BAD[@]} wanted 0" \
	"$([ ${#BAD[@]} -eq 0 ] && echo met || echo missed)"
done_testing
