#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154  # PXS_* come from the env file
#
# guest.sh - process 1 of the test machine, after the root is there
#
# Runs the jobs that run wrote to /run/pxs/jobs, one after the other, each in a cgroup
# of its own with a time limit and a freshly loaded module, and reports to the host on
# a virtio port. A line that begins with the run's marker is for the runner; all else is
# the tests' own output. /dev/kmsg gets the same marks, so the kernel's log can be cut
# by test.

set -u
. /run/pxs/env
export PATH="$PXS_BUILD:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export HOME=/root LC_ALL=C.UTF-8 TMPDIR=/tmp TERM=${PXS_TERM:-dumb}

mark() { printf '%s %s\n' "$PXS_MARK" "$*"; printf '<6>pxs: %s' "$*" >/dev/kmsg; }

setup()
{
	hostname paxsteer-vm
	ip link set lo up
	sysctl -q -w kernel.printk_devkmsg=on kernel.core_pattern=core 2>/dev/null
	ulimit -c 0
	mkdir -p /etc/modprobe.d
	# "modprobe paxsteer", and autoloading by the family's name, find the module under test.
	cat >/etc/modprobe.d/paxsteer.conf <<-EOF
	alias net-pf-16-proto-16-family-paxsteer paxsteer
	install paxsteer /sbin/modprobe -a -q $PXS_DEPS; /sbin/insmod $PXS_KO \$CMDLINE_OPTS
	EOF
	mkdir -p /run/sysctl.d
	dmesg -n 8
}

# Some switches of the kernel (static keys) are patched into its text when their first user comes
# and when the last one goes. QEMU 7.2 with several processors may leave one of them running the
# breakpoint that stood there in between, for ever (seen on 6.1, and on 7.x without this module:
# the stalled processor is in asm_exc_int3). So let there always be a user of those that tests
# would toggle.
keep_hooks()
{
	local point

	{
		echo "table inet keep {"
		for point in prerouting input forward output postrouting; do
			echo "chain $point { type filter hook $point priority 0; policy accept; }"
		done
		echo "}"
	} | nft -f -
}

# Sockets whose datagrams the kernel takes (UDP_ENCAP, L2TP), as those of groups are.
keep_encap()
{
	python3 -c '
import os, signal, socket
keep = [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
for s in keep:
    s.setsockopt(socket.IPPROTO_UDP, 100, 3)
if not os.fork():
    signal.pause()'
}

keep_switches()
{
	[ "$(nproc)" -gt 1 ] || return 0
	keep_hooks || echo "pxs: no hooks to keep" >/dev/kmsg
	keep_encap || echo "pxs: no encapsulation to keep" >/dev/kmsg
}

load()
{
	[ "$PXS_LOAD" = 1 ] || return 0
	[ -d /sys/module/paxsteer ] && return 0
	# shellcheck disable=SC2086  # a list
	modprobe -a -q $PXS_DEPS
	# shellcheck disable=SC2086  # parameters
	insmod "$PXS_KO" ${PXS_PARAMS:-}
}

# The module must be gone within 10 s of its last user; a stuck reference is a failure.
unload()
{
	local n=0

	[ -d /sys/module/paxsteer ] || return 0
	while ! rmmod paxsteer 2>/tmp/rmmod.err; do
		n=$((n + 1))
		[ $n -lt 100 ] || { sed 's/^/# /' /tmp/rmmod.err; return 1; }
		sleep 0.1
	done
}

# Whatever a test left behind must not disturb the next.
sweep()
{
	local cg=$1 ns

	echo 1 >"$cg/cgroup.kill"
	while grep -q 'populated 1' "$cg/cgroup.events"; do
		sleep 0.05
	done
	rmdir "$cg"
	for ns in $(ip netns list 2>/dev/null | cut -d' ' -f1); do
		echo "# left behind: netns $ns"
		ip netns delete "$ns"
	done
}

run_job()
{
	local name=$1 limit=$2 dir=$3 cmd=$4 cg rc

	cg=/sys/fs/cgroup/job
	mkdir "$cg"
	mark "begin $name"
	if ! load; then
		mark "fail $name module does not load"
	fi
	export PXS_TEST=$name
	# shellcheck disable=SC2016  # the inner shell expands
	setsid -w bash -c '
		echo $$ >"$1/cgroup.procs"
		cd "$2" && exec timeout -k 10 "$3" bash -c "$4"
	' job "$cg" "$dir" "$limit" "$cmd" </dev/null &
	wait $!
	rc=$?
	sweep "$cg"
	unload || mark "fail $name module does not unload"
	mark "end $name $rc"
}

# What nobody points to any more, at the end, with the module gone: "begin" gives the scan a
# log of its own. An object is reported when it is older than 5 s and did not change between
# two scans.
leaks()
{
	local f=/sys/kernel/debug/kmemleak

	[ -w $f ] || return 0
	printf '<6>pxs: begin kmemleak' >/dev/kmsg
	echo "# scanning for leaks"
	sleep 6
	if ! echo scan >$f || ! echo scan >$f; then
		# It switches itself off when it runs out of memory: then it proves nothing.
		printf '<3>pxs: BUG: kmemleak is off' >/dev/kmsg
		return
	fi
	sed 's/^/<3>/' $f >/tmp/leaks
	while read -r line; do
		printf '%s' "$line" >/dev/kmsg
	done </tmp/leaks
	echo "# $(grep -c 'unreferenced object' /tmp/leaks) leaked objects"
}

# Without ACPI there is no power to turn off, but the runner takes a restart for an end.
off()
{
	if grep -qw acpi=off /proc/cmdline; then
		busybox reboot -f
	else
		busybox poweroff -f
	fi
	sleep 60
}

shell()
{
	load
	cd "$PXS_TOP" || cd /
	echo "# kernel $(uname -r), $(ls -d /sys/module/paxsteer 2>&1)" >/dev/ttyS0
	echo "# results: /run/pxs/out is $PXS_OUTDIR on the host; exit or ^D powers off" >/dev/ttyS0
	stty -F /dev/ttyS0 rows "${PXS_ROWS:-24}" cols "${PXS_COLS:-80}" sane
	TERM=${PXS_TERM:-linux} setsid -w bash -c 'exec bash -i <>/dev/ttyS0 >&0 2>&1' &
	wait $!
}

power_off()
{
	sync
	mark "done $(cat /proc/sys/kernel/tainted)"
	exec 1>&- 2>&-
	off
}

setup
keep_switches
if [ "$PXS_SHELL" = 1 ]; then
	shell
	off
fi
exec >/dev/pxs-out 2>&1
mark "up $(uname -r)"
while IFS=$'\t' read -r -u 4 name limit dir cmd; do
	run_job "$name" "$limit" "$dir" "$cmd"
done 4</run/pxs/jobs
leaks
power_off
