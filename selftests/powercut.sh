#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154  # PXS_* come from the runner
#
# powercut.sh - the machine loses power under load, again and again; nothing acknowledged is lost
#
#     host                       one machine, one disk (ext4)
#     ──── kill -9 ──────────>   n1 ── sw ── n2   three kernel members, a journal each,
#     ack list  <─── 9p ──────         │          all on that disk
#                                      n3
#
# Each round boots the machine on the same disk image, recovers the group, compares what
# it holds with what the host knows, appends values, and dies: QEMU gets SIGKILL at a
# random moment under load or, every fourth time, while it recovers. An acknowledgement
# counts only once it reached the host. Checked after each boot, on the host:
#   - the three members hold the same log;
#   - every value ever acknowledged stands in its slot;
#   - what an earlier boot showed as decided stands where it stood.
# The disk has a volatile write cache (volatile_disk.py): what was not flushed is lost
# with the power, or only a part of it survives, in any order.
#
# 20 rounds, PXS_SHORT=1: 4; PXS_ROUNDS=N. PXS_SEED=N repeats the choice of moments.
#
# By the hundred: PXS_STATE=DIR keeps disk, lists and count there, and a run that was
# interrupted, at whatever moment, goes on when it is started again (killing this script
# is one more power cut). After PXS_DISK_ROUNDS=25 rounds a last boot ends in peace and
# verifies the journals; then a new disk and a new cluster begin, as a log only grows.
#
#     PXS_STATE=/var/tmp/powercut PXS_ROUNDS=200 selftests/powercut.sh
#
# runs-on: host
# limit: 7200

cd "$(dirname "$0")/.." || exit 2

# --- in the machine -------------------------------------------------------------
# Nothing that comes after it would mean anything.
give_up()
{
	local i

	cluster_logs 30
	for i in 1 2 3; do diag "group at $i:" "$(on "n$i" paxsteer -j -s group show)"; done
	bail "the group did not come back"
}

guest()
{
	. selftests/lib.sh
	. selftests/cluster.sh
	C_DIR=/run/powercut
	mkdir -p $C_DIR
	modprobe -q -a virtio_blk nbd ext4
	mount -o noatime /dev/vda $C_DIR || bail "the disk does not mount"
	at_exit "umount -l $C_DIR"
	cluster_hosts 3
	C_FAMILY=v4
	if [ -e $C_DIR/made ]; then cluster_config; else
		rm -rf $C_DIR/n* $C_DIR/key
		cluster_init v4 1048576
		touch $C_DIR/made
		sync
	fi
	echo recovering >"$PXS_OUT/stage"
	for i in 1 2 3; do cluster_start "$i" kernel; done
	ok "a leader is elected" cluster_wait_leader 150
	[ $T_FAILED -eq 0 ] || give_up
	ok "it commits" wait_until 60 timeout 60 paxsteer log -S "$(cluster_sockets)" \
		append "round $PXS_ROUND"
	[ $T_FAILED -eq 0 ] || give_up
	ok "all members have applied all" wait_until 150 cluster_even 1 2 3
	[ $T_FAILED -eq 0 ] || give_up
	for i in 1 2 3; do cluster_hashes "$i" >"$PXS_OUT/log.$i"; done
	echo shown >"$PXS_OUT/stage"
	if [ "$PXS_LAST" = 1 ]; then
		for i in 1 2 3; do cluster_kill "$i" TERM; done
		for i in 1 2 3; do
			ok "journal $i is sound" paxsteer journal verify "$C_DIR/n$i"
			on "n$i" paxsteer group del 1
		done
		done_testing
	fi
	echo loading >"$PXS_OUT/stage"
	cluster_log append count 10000000 outstanding 16 size 200 keep-going quiet \
		prefix "r$PXS_ROUND." seconds 600 acked-file "$PXS_OUT/acked"
	fail "the load ended before the power was cut"
	exit 1
}

if [ "${1:-}" = guest ]; then
	guest
fi

# --- on the host ------------------------------------------------------------------
short=20
[ "${PXS_SHORT:-0}" != 1 ] || short=4
ROUNDS=${PXS_ROUNDS:-$short}
PER_DISK=${PXS_DISK_ROUNDS:-25}
KERNEL=${KERNEL:-6.1}
RUN=''
DISK=''
DIR=${PXS_STATE:-}
if [ -z "$DIR" ]; then
	mkdir -p build/vm
	DIR=$(mktemp -d build/vm/powercut.XXXXXX) || exit 2
fi
mkdir -p "$DIR/out" && DIR=$(realpath "$DIR") || exit 2
exec 8>"$DIR/lock"
# The lock goes to every child: a run that was killed leaves a machine that still writes.
flock -n 8 || {
	echo "# $DIR is in use: waiting for the run, or its machine, to end"
	flock -w 1500 8 || { echo "Bail out! $DIR is in use by another run"; exit 2; }
}
[ ! -e "$DIR/failed" ] || { echo "Bail out! $DIR is kept: $(cat "$DIR/failed")"; exit 2; }
# The seed of the first start holds for all later ones.
[ -s "$DIR/seed" ] || echo "${PXS_SEED:-$(($$ % 32768))}" >"$DIR/seed"
PXS_SEED=$(cat "$DIR/seed")
# shellcheck disable=SC2317  # called by the trap
cleanup()
{
	[ -z "$RUN" ] || { kill "$RUN" && wait "$RUN"; } 2>/dev/null
	[ -z "$DISK" ] || { kill -9 "$DISK" && wait "$DISK"; } 2>/dev/null
	[ -n "${PXS_KEEP:-}${PXS_STATE:-}" ] || rm -rf "$DIR"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# put NAME: standard input becomes the file, as a whole or not at all
put() { cat >"$DIR/$1.new" && mv "$DIR/$1.new" "$DIR/$1"; }

bad()
{
	echo "not ok $round - $*"
	echo "round $round failed: $*" | put failed
	tail -n 80 "$DIR/round.log" | sed 's/^/# /'
	mkdir -p build/vm
	cp "$DIR/round.log" build/vm/powercut.log
	echo "bar: powercut-rounds $((round - 1)) wanted $ROUNDS missed"
	echo "1..$ROUNDS"
	exit 1
}

# wait_stage NAME...: the guest is at one of these, or the machine ended. On a busy machine
# a boot may take minutes; the runner knows when it is too long.
wait_stage()
{
	local s
	while kill -0 "$RUN" 2>/dev/null; do
		s=$(cat "$DIR/out/stage" 2>/dev/null)
		case " $* " in *" $s "*) return 0 ;; esac
		sleep 0.1
	done
	return 1
}

# No stage was reached. A machine that did not even come up says nothing of its disk: start again.
no_stage()
{
	[ -s "$DIR/out/stage" ] || {
		tail -n 20 "$DIR/round.log" | sed 's/^/# /'
		echo "Bail out! round $round: the machine did not come up"
		exit 2
	}
	bad "$@"
}

# The logs of this boot against what was acknowledged and what earlier boots showed.
judge_logs()
{
	local i
	for i in 2 3; do
		cmp -s "$DIR/out/log.1" "$DIR/out/log.$i" || bad "logs 1 and $i differ:" \
			"$(diff "$DIR/out/log.1" "$DIR/out/log.$i" | head -n 6)"
	done
	awk 'NR == FNR { have[$1] = $2 " " $3; next }
		have[$1] != $2 " " $3 { print "acknowledged " $0 ", there: " have[$1]; bad = 1 }
		END { exit bad }' "$DIR/out/log.1" "$DIR/acked" >"$DIR/lost" ||
		bad "acknowledged values are lost: $(wc -l <"$DIR/lost"): $(head -n 3 "$DIR/lost")"
	awk 'NR == FNR { have[$1] = $0; next }
		have[$1] != $0 { print "was " $0 ", is " have[$1]; bad = 1 }
		END { exit bad }' "$DIR/out/log.1" "$DIR/known" >"$DIR/moved" ||
		bad "what was decided changed: $(wc -l <"$DIR/moved"): $(head -n 3 "$DIR/moved")"
	put known <"$DIR/out/log.1"
}

power_cut()
{
	kill -9 "$(cat "$DIR/pid")"
	wait "$RUN" || bad "the machine's run failed before the cut"
	RUN=
	wait "$DISK" || bad "the disk failed: $(cat "$DIR/disk.log")"
	DISK=
}

# boot LAST: LAST=1 is the round that ends in peace
boot()
{
	local crash=()
	[ "$1" = 1 ] || crash=(--allow-crash)
	rm -f "$DIR/out"/* "$DIR/pid" "$DIR/sock"
	python3 selftests/volatile_disk.py "$DIR/disk" "$DIR/sock" "$((PXS_SEED + round))" \
		2>"$DIR/disk.log" &
	DISK=$!
	until [ -S "$DIR/sock" ]; do
		kill -0 "$DISK" || bad "no disk: $(cat "$DIR/disk.log")"
		sleep 0.05
	done
	selftests/vm/run -k "$KERNEL" --disk "nbd:unix:$DIR/sock" --out "$DIR/out" \
		--pidfile "$DIR/pid" --name powercut --timeout 900 \
		--env "PXS_ROUND=$round" --env "PXS_LAST=$1" "${crash[@]}" \
		-- selftests/powercut.sh guest >"$DIR/round.log" 2>&1 &
	RUN=$!
}

# Everything that is of one cluster; "disk-begun" comes last and says that all of it is there.
new_disk()
{
	rm -f "$DIR/disk-begun" "$DIR/disk" "$DIR/out"/*
	put acked </dev/null
	put known </dev/null
	truncate -s 1G "$DIR/disk"
	# This disk tears between any two sectors; ext4's superblock has two, and with a checksum
	# over both it would not mount any more. What ext4 makes of that is not the question here.
	mkfs.ext4 -q -O ^metadata_csum "$DIR/disk" || exit 2
	echo "$round" | put disk-begun
}

# What reached the host counts, even if the script died before it was written down.
# The last line may be half there; a line that is taken twice does no harm.
take_acked()
{
	new=0
	[ -s "$DIR/out/acked" ] || return 0
	grep -E '^[0-9]+ [0-9a-f]{16} [0-9]+$' "$DIR/out/acked" >"$DIR/new"
	new=$(wc -l <"$DIR/new")
	cat "$DIR/acked" "$DIR/new" | put acked
	rm "$DIR/out/acked"
}

cut_round()
{
	local t=$SECONDS delay what

	RANDOM=$((PXS_SEED + round))
	delay=$((RANDOM % 4000))
	boot 0
	if [ $((round % 4)) = 3 ]; then
		what=recovering
		wait_stage recovering || no_stage "the machine did not get as far as recovering"
	else
		what=loading
		wait_stage loading || no_stage "the group did not recover"
		judge_logs
		until [ -s "$DIR/out/acked" ]; do
			kill -0 "$RUN" 2>/dev/null || bad "nothing is acknowledged"
			sleep 0.05
		done
	fi
	sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
	power_cut
	take_acked
	echo "ok $round - cut $delay ms into $what; $new more acknowledged," \
		"$(wc -l <"$DIR/acked") in all, $(wc -l <"$DIR/known") slots seen;" \
		"$(tail -n 1 "$DIR/disk.log"); $((SECONDS - t)) s"
}

# The last boot of a disk ends in peace.
end_disk()
{
	local n

	boot 1
	wait_stage shown || no_stage "the group did not recover"
	judge_logs
	wait "$RUN" || bad "the last boot failed"
	wait "$DISK"
	DISK=
	RUN=
	n=$(wc -l <"$DIR/acked")
	echo "# after round $round: all $n acknowledged values in place, journals verified"
	echo "$n" | put "values.$(cat "$DIR/disk-begun")"
	rm -f "$DIR/disk-begun"
}

for c in python3 mkfs.ext4; do
	command -v $c >/dev/null || { echo "1..0 # SKIP no $c"; exit 4; }
done
first=$(($(cat "$DIR/rounds" 2>/dev/null || echo 0) + 1))
echo "# power cut: $ROUNDS rounds, seed $PXS_SEED, kernel $KERNEL"
[ $first = 1 ] || echo "# $((first - 1)) rounds were done before"
# Only a run that was interrupted left something here.
[ ! -e "$DIR/disk-begun" ] || take_acked
for ((round = first; round <= ROUNDS; round++)); do
	[ -e "$DIR/disk-begun" ] || new_disk
	cut_round
	echo "$round" | put rounds
	[ $((round % PER_DISK)) != 0 ] || end_disk
done
round=$ROUNDS
[ ! -e "$DIR/disk-begun" ] || end_disk
n=$(awk '{ n += $1 } END { print n + 0 }' "$DIR"/values.*)
echo "ok $((ROUNDS + 1)) - all $n acknowledged values in place after $ROUNDS power cuts"
echo "bar: powercut-rounds $ROUNDS wanted $ROUNDS met"
echo "bar: powercut-values-lost 0 wanted 0 met"
echo "1..$((ROUNDS - first + 2))"
