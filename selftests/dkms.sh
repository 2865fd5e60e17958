#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs-on: host
#
# dkms.sh - DKMS builds, installs and removes the module for a named kernel
#
#   KVER=6.1.0-N-amd64 dkms.sh     (default: the newest kernel with headers installed)
#
# Nothing is loaded. Everything it made is removed again, also when it fails half-way; an
# installation that was there before is left alone, and the test skipped.

set -u
TOP=$(cd "$(dirname "$0")/.." && pwd)
NAME=paxsteer
VERSION=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$TOP/dkms.conf")
KVER=${KVER:-$(for d in /lib/modules/*/build/Makefile; do
	[ -e "$d" ] && basename "${d%/build/Makefile}"; done | grep -v cloud | sort -V | tail -n1)}
LOG=$(mktemp)
n=0 bad=0

skip() { echo "1..0 # SKIP $*"; exit 4; }

check()
{
	local what=$1

	shift
	n=$((n + 1))
	if "$@" >"$LOG" 2>&1; then
		echo "ok $n - $what"
	else
		sed 's/^/# /' "$LOG" | tail -n 40
		echo "not ok $n - $what"
		bad=$((bad + 1))
	fi
}

quiet_make() { make -s -C "$TOP" "$@" KVER="$KVER"; }

# DKMS compresses as the distribution does; any of these is the module.
installed_file() { find "/lib/modules/$KVER/updates/dkms" -name "$NAME.ko*" 2>/dev/null | grep .; }
is_installed() { installed_file && dkms status "$NAME/$VERSION" | grep -q "$KVER.*installed"; }
same_version() { [ "$(modinfo -k "$KVER" -F version "$NAME")" = "$VERSION" ]; }
same_kernel() { modinfo -k "$KVER" -F vermagic "$NAME" | grep -q "^$KVER "; }
has_alias() { modinfo -k "$KVER" -F alias "$NAME" | grep -q "family-$NAME"; }
modprobe_finds() { modprobe -S "$KVER" --show-depends "$NAME" | grep "updates/dkms/$NAME.ko"; }

nothing_left()
{
	! installed_file && [ ! -e "/usr/src/$NAME-$VERSION" ] && [ ! -e "/var/lib/dkms/$NAME" ] &&
		! grep -q "$NAME" "/lib/modules/$KVER/modules.dep"
}

bad_kernel_refused()
{
	! make -s -C "$TOP" dkms-install KVER=0.0.0-none && [ ! -e "/usr/src/$NAME-$VERSION" ]
}

[ "$(id -u)" = 0 ] || skip "needs root"
command -v dkms >/dev/null || skip "dkms is not installed"
[ -n "$KVER" ] || skip "no kernel headers installed"
[ ! -e "/var/lib/dkms/$NAME" ] && [ ! -e "/usr/src/$NAME-$VERSION" ] ||
	skip "$NAME is installed with DKMS here already"
trap 'quiet_make dkms-remove >/dev/null 2>&1; rm -f "$LOG"' EXIT

echo "# kernel $KVER"
check "an unknown kernel is refused, and nothing stays" bad_kernel_refused
check "add, build, install" quiet_make dkms-install
check "installed for the kernel asked for" is_installed
check "version is that of dkms.conf" same_version
check "built for that kernel" same_kernel
check "carries the alias of its netlink family" has_alias
check "modprobe would find it" modprobe_finds
check "installing again replaces it" quiet_make dkms-install
check "still installed once" is_installed
check "remove" quiet_make dkms-remove
check "nothing is left" nothing_left
check "removing what is not there is no error" quiet_make dkms-remove
echo "1..$n"
[ $bad = 0 ]
