# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # T_DIR is lib.sh's; DISK_US is the benchmark's
#
# null_disk.sh - disks for benchmarks in an emulated machine
#
# null_blk: memory whose every request, be it a write or a flush, takes DISK_US microseconds. A
# machine's own disk would be as fast as ever beside a processor that emulation made many times
# slower. Source lib.sh first.

# null_disk NUMBER: formatted, at $DISKS/nNUMBER; memory is taken as it is written
null_disk()
{
	local at=/sys/kernel/config/nullb/nullb$1 dev=/dev/nullb$1

	mkdir "$at" && echo 1 >"$at/memory_backed" && echo 2 >"$at/irqmode" &&
		echo $((DISK_US * 1000)) >"$at/completion_nsec" && echo 64 >"$at/cache_size" &&
		echo 4096 >"$at/size" && echo 1 >"$at/discard" && echo 1 >"$at/power" &&
		mkfs.ext4 -q -O ^has_journal "$dev" && mkdir -p "$DISKS/n$1" &&
		mount -o noatime,discard "$dev" "$DISKS/n$1" || bail "cannot make disk $1"
	at_exit "umount -l '$DISKS/n$1'; echo 0 >$at/power; rmdir $at"
}

disks()	# disks N
{
	local i

	modprobe -q ext4
	modprobe null_blk nr_devices=0 || bail "no null_blk here"
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	DISKS=$T_DIR/disks
	for ((i = 0; i <= $1; i++)); do null_disk $i; done
}
