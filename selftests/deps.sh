#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deps.sh - what building and testing need from Debian 12
#
# As root, installs what is missing (and starts no service); otherwise, or with --list or
# --check, only names it. One line a purpose, so that a reader sees what is installed why.
# Kernels and compilers for other releases are not packages here: see vm/kernels.sh.

set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

PURPOSES=(
"module     build-essential linux-headers-amd64 libelf1 dwarves kmod"
"dkms       dkms openssl"
"agent      pkg-config libnl-3-dev libnl-genl-3-dev liburing-dev libb2-dev"
"agent      libjansson-dev libconfuse-dev liblmdb-dev"
"store      redis-server redis-tools python3-redis stunnel4 openssl systemd"
"unit       gcc-12 libasan8 libubsan1 libc6-dbg valgrind"
"fuzz       clang-14 libclang-rt-14-dev python3-minimal"
"model      spin gcc-12 apt debian-archive-keyring"
"lint       sparse shellcheck cppcheck perl binutils git python3-yaml python3-jsonschema"
"debugging  flex bison bc libelf-dev libssl-dev rsync kmod"
"machines   qemu-system-x86 busybox-static cpio xz-utils zstd mmdebstrap util-linux uidmap"
"traffic    memcached libmemcached-tools redis-server redis-tools nginx-light curl netcat-openbsd"
"traffic    dnsmasq-base dnsperf wrk"
"network    iproute2 nftables ipvsadm iputils-ping ethtool procps bc jq e2fsprogs python3-minimal"
"bench      etcd-server libnghttp2-dev"
"disks      dmsetup mount util-linux e2fsprogs"
)

usage()
{
	cat <<-EOF
	usage: deps.sh [--list | --check]
	  without option: install what is missing (root), else name it and fail
	  --list    the packages by purpose
	  --check   name what is missing; exit status 1 if anything is
	EOF
}

installed()
{
	# shellcheck disable=SC2016  # dpkg-query expands
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Print what is missing: all packages to standard output, by purpose to standard error.
missing()
{
	local line purpose p lack all=()

	for line in "${PURPOSES[@]}"; do
		read -r purpose line <<<"$line"
		lack=()
		for p in $line; do
			installed "$p" || lack+=("$p")
		done
		[ ${#lack[@]} -eq 0 ] || echo "  missing for $purpose: ${lack[*]}" >&2
		all+=("${lack[@]}")
	done
	printf '%s' "${all[*]}"
}

# Servers are wanted as programs, for the tests, not as services of this machine.
GUARD=/usr/sbin/policy-rc.d
guarded=
guard()
{
	[ ! -e $GUARD ] || return 0
	printf '#!/bin/sh\nexit 101\n' >$GUARD
	chmod 755 $GUARD
	guarded=1
}

unguard() { [ -z "$guarded" ] || rm -f $GUARD; }

install_missing()
{
	local packages=$1 unit

	trap unguard EXIT
	guard
	echo "  apt-get install: $packages"
	apt-get -q -y update >/dev/null
	# shellcheck disable=SC2086  # one word a package
	apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 --no-install-recommends \
		install $packages </dev/null
	for unit in memcached redis-server nginx; do
		case " $packages " in
		*" $unit"*)	systemctl --quiet disable $unit.service 2>/dev/null || true ;;
		esac
	done
}

case ${1:-} in
--list)	printf '%s\n' "${PURPOSES[@]}"; exit 0 ;;
-h|--help) usage; exit 0 ;;
''|--check) ;;
*)	usage >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null || {
	echo "deps.sh: this is not Debian; the packages wanted are:" >&2
	printf '  %s\n' "${PURPOSES[@]}" >&2
	exit 1
}
packages=$(missing)
if [ -z "$packages" ]; then
	echo "  all dependencies are installed"
elif [ "${1:-}" = --check ]; then
	exit 1
elif [ "$(id -u)" != 0 ]; then
	echo "deps.sh: not root; run: apt-get install --no-install-recommends $packages" >&2
	exit 1
else
	install_missing "$packages"
	packages=$(missing)
	[ -z "$packages" ] || { echo "deps.sh: still missing: $packages" >&2; exit 1; }
fi
