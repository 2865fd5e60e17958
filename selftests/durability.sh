#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# durability.sh - a group that waits for memory beside one that waits for the disk (S2)
#
#     n1 ── sw ── n2      n1, n2: members in the kernel; n3: in its daemon; all three
#           │             of group 1 (memory) and group 2 (disk), on one journal each
#           n3
#
# While the disk takes its time group 1 does not wait for it, and group 2 does. A member that
# dies and is remembered by its module, or ends in order, votes again; one that forgot is fenced,
# in group 1 only. When a quorum forgot nothing is decided any more.
#
# limit: 600
# kernels: 6.12
# shellcheck disable=SC2034  # cluster.sh reads C_DIR

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
need_module
need python3 ip mkfs.ext4 dmsetup losetup

KIND=(- kernel kernel user)
C_DIR=$T_DIR/disk

# of_group I GROUP FIELD: from log status
of_group()
{
	cluster_status "$1" 2>/dev/null |
		json "[g for g in d['groups'] if g['group'] == $2][0]['$3']" 2>/dev/null
}
is_of() { [ "$(of_group "${@:1:3}")" = "$4" ]; }
leads() { is_of "$1" "$2" ready True; }
leader_of()	# leader_of GROUP: sets LEADER
{
	local i
	for i in 1 2 3; do
		[ -n "${C_PID[i]}" ] && leads "$i" "$1" && LEADER=$i && return 0
	done
	return 1
}
append() { cluster_log group "$1" append "${@:2}"; }
in_module() { on "n$1" paxsteer -j group show "$2" | json "d[0]['$3']"; }
says()		# says I WORD: the last record about durability in its journal, of group 1
{
	local last
	last=$(paxsteer -j journal dump "$C_DIR/n$1" group 1 | grep '"type":"durability"' |
		tail -n 1)
	[ "$(value_of "$last" durability)" = "$2" ]
}
all_say() { says 1 "$1" && says 2 "$1" && says 3 "$1"; }
# disk_delay MS: of every write, and every flush
disk_delay()
{
	dmsetup suspend "$DM" && dmsetup reload "$DM" --table "$(table "$1")" &&
		dmsetup resume "$DM"
}
table() { echo "0 $((128 * 2048)) delay $LOOP 0 0 $LOOP 0 $1"; }
p50() { paxsteer -j log -S "$(cluster_sockets)" group "$1" append count 5 size 64 quiet; }
start_all() { local i; for i in 1 2 3; do cluster_start $i "${KIND[i]}"; done; }
ended() { ! kill -0 "$1" 2>/dev/null; }
leader_is_there()
{
	if wait_until 60 leader_of "$2"; then pass "$1"; else fail "$1"; fi
}

# What netlink says of each value of DURABILITY. n3 has no group in the module.
durabilities()
{
	on n3 /usr/bin/python3 - "$TOP/selftests" <<-'E'
	import struct, sys
	sys.path.insert(0, sys.argv[1])
	from netlink import C, Genl, attr, u8, u32, u64

	def a(name, data):
	    return attr(C["PXS_A_" + name], data)

	g = Genl()
	for value in 0, 1, 2, 3, 255:
	    group = [(C["PXS_A_GROUP_ID"], u32(9)), (C["PXS_A_GROUP_CLUSTER"], bytes(16)),
	             (C["PXS_A_GROUP_KEY"], bytes(32)), (C["PXS_A_GROUP_SELF"], u8(1)),
	             (C["PXS_A_GROUP_DURABILITY"], u8(value))]
	    for i in 1, 2, 3:
	        group.append((C["PXS_A_GROUP_MEMBER"] | 0x8000,
	                      a("MEMBER_ID", u8(i)) + a("MEMBER_INCARNATION", u64(i)) +
	                      a("MEMBER_PORT", struct.pack(">H", 7500)) +
	                      a("MEMBER_ADDR", bytes([127, 0, 0, i]))))
	    print(value, g.do("GROUP_ADD", group))
	    g.do("GROUP_DEL", [(C["PXS_A_GROUP_ID"], u32(9))])
	E
}

export DM_DISABLE_UDEV=1	# nobody answers here
modprobe -q -a loop ext4 dm-delay || { echo "1..0 # SKIP no dm-delay"; exit 4; }
truncate -s 128M "$T_DIR/disk.ext4"
DM=pxs-durability-$$
LOOP=$(losetup -f --show "$T_DIR/disk.ext4") || bail losetup
at_exit "{ umount -l '$C_DIR'; dmsetup remove --retry $DM; losetup -d $LOOP; } 2>/dev/null"
dmsetup create "$DM" --table "$(table 0)" &&
	mkfs.ext4 -q -O ^has_journal "/dev/mapper/$DM" && mkdir -p "$C_DIR" &&
	mount -o noatime "/dev/mapper/$DM" "$C_DIR" || bail "cannot make a slow disk"
cluster_hosts 3
cluster_init v4 1048576
for i in 1 2 3; do
	# The same group once more, for the disk.
	sed -n '/^group/,$p' "$C_DIR/n$i.conf" | sed 's/group 1/group 2/' >"$T_DIR/group2"
	sed -i 's/^group 1 {/&\n\tdurability = "memory"/' "$C_DIR/n$i.conf"
	cat "$T_DIR/group2" >>"$C_DIR/n$i.conf"
done

out=$(durabilities 2>&1)
for i in 0 3 255; do
	like "DURABILITY $i is refused with words" "$(grep "^$i " <<<"$out")" \
		"Invalid argument 'DURABILITY must be disk or memory'"
done
is "disk and memory are taken" "$(grep -Ec "^[12] (None|0) ''" <<<"$out")" 2
start_all
leader_is_there "the memory group elects" 1
leader_is_there "the disk group elects" 2
for i in 1 2 3; do
	ok "member $i shows memory" wait_until 30 is_of $i 1 durability memory
	ok "... and disk where it is disk" wait_until 30 is_of $i 2 durability disk
done
is "the module shows it" "$(in_module 1 1 durability) $(in_module 1 2 durability)" "memory disk"
ok "values are appended" append 1 count 100 outstanding 8 size 64 quiet
ok "all have applied all: daemons that nobody waits for are told, too" \
	wait_until 30 cluster_even 1 2 3
ok "... and to the disk group" append 2 count 10 size 64 quiet
ok "all disks know that memory is enough" wait_until 30 all_say memory

# Half a second for a write, and as much for a flush. (A leader gives way after 2 s.)
ok "the disk becomes slow" disk_delay 500
# Who waits for it is never as fast as that, and who does not is now and then.
fast() { local us; us=$(value_of "$(p50 1)" p50_us) && [ "$us" -lt 500000 ]; }
ok "the memory group does not wait for the disk" wait_until 30 fast
disk_time() { disk=$(value_of "$(p50 2)" p50_us); }
wait_until 60 disk_time
ok "the disk group does: $disk us" [ "${disk:-0}" -ge 500000 ]
ok "the disk becomes fast" disk_delay 0

# Remembered by the module.
cluster_kill 1
cluster_start 1 kernel
ok "a daemon that dies is followed by another: the module has kept all" \
	wait_until 30 is_of 1 1 state active
leader_is_there "... and there is a leader" 1
ok "... and values are appended" append 1 count 20 size 64 quiet

# In order: what the module knew is gone then, and on disk.
for i in 1 2 3; do cluster_kill $i TERM; done
for i in 1 2 3; do ok "member $i ends in order" says $i disk; done
for i in 1 2; do on n$i paxsteer group del 1; done
start_all
leader_is_there "after that everybody votes again" 1
ok "... and values are appended" append 1 after-order
for i in 1 2 3; do ok "member $i is active" wait_until 30 is_of $i 1 state active; done
ok "all have applied all" wait_until 60 cluster_even 1 2 3
ok "the logs are equal" cluster_same_logs 1 2 3
ok "nothing is lost" [ "$(cluster_dump 2 | wc -l)" -ge 126 ]
ok "all disks know that memory is enough again" wait_until 30 all_say memory

# Memory that is lost: a daemon that was the datapath.
cluster_kill 3
cluster_start 3 user
ok "a daemon that was the memory forgot: fenced" wait_until 30 is_of 3 1 state fenced
like "... and says what to do" "$(cat "$T_DIR/agent3.log")" \
	"group 1: durability memory: .*must not vote again; give it a new journal"
ok "its disk group goes on" wait_until 30 is_of 3 2 state active
leader_is_there "the others are a quorum" 1
ok "... and go on" append 1 without-3

# A quorum forgot. The module says why.
cluster_kill 1
on n1 paxsteer group del 1
cluster_start 1 kernel
ok "a module that lost the group forgot: fenced" wait_until 30 is_of 1 1 state fenced
module_fenced() { [ "$(in_module 1 1 state)" = fenced ]; }
ok "... in the module, too" wait_until 30 module_fenced
like "... with the reason" "$(in_module 1 1 reason)" "durability memory: .*must not vote again"
refused "one of three decides nothing" "no leader|unknown|no answer" \
	append 1 must-not timeout 4000
leader_is_there "the disk group has all its members" 2
ok "... and goes on" append 2 disk-goes-on
# Another word in the configuration gives no memory back.
cluster_kill 1 TERM
on n1 paxsteer group del 1
sed -i 's/durability = "memory"/durability = "disk"/' "$C_DIR/n1.conf"
cluster_start 1 kernel
ok "the configuration does not excuse it" wait_until 30 is_of 1 1 state fenced
done_testing
