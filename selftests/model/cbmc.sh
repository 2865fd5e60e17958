#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# cbmc.sh - the bounded model checker, which Debian 12 does not have
#
#   cbmc.sh fetch      get it into the cache, if it is not there; 4: can't be had
#   cbmc.sh version    of the one in the cache; 4: there is none
#   cbmc.sh run ARGS   run it
#
# It is in the release after ours (trixie), with a libc of its own. Nothing is installed:
# apt downloads the packages, by a configuration and lists of their own, from the mirror
# that this machine uses anyway, with the archive's signature checked; they are unpacked
# into the cache, and the program runs with the dynamic linker that came with it.

set -eu -o pipefail
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${PAXSTEER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/paxsteer}
STORE=$CACHE/cbmc
SUITE=trixie
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
PACKAGES=(cbmc libc6 libgcc-s1 libstdc++6 minisat zlib1g)
SKIP=4

say() { printf '  %-8s %s\n' "$1" "$2" >&2; }

ready() { [ -f "$STORE/info" ]; }

# Debian's multi-arch folder of this machine.
triplet() { dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu"; }

run()
{
	local lib ld

	lib=$STORE/root/usr/lib/$(triplet)
	for ld in "$lib"/ld-linux*.so.* "$STORE"/root/usr/lib64/ld-*.so.*; do
		[ ! -x "$ld" ] || break
	done
	exec "$ld" --library-path "$lib:$STORE/root/usr/lib" "$STORE/root/usr/bin/cbmc" "$@"
}

fetch()
{
	local tmp=$STORE.tmp url apt

	url=$("$HERE/../vm/kernels.sh" mirror)
	[ -n "$url" ] || { say FAIL "cbmc: no Debian mirror in the apt sources"; return 1; }
	[ -f $KEYRING ] || { say FAIL "cbmc: no $KEYRING"; return 1; }
	rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/deb" "$tmp/root"
	echo "deb [signed-by=$KEYRING] $url $SUITE main" >"$tmp/sources.list"
	apt=(apt-get -q
		-o "Dir::Etc::sourcelist=$tmp/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$tmp/lists" -o "Dir::Cache=$tmp/cache"
		-o Dir::State::status=/dev/null -o APT::Sandbox::User=root)
	say GET "cbmc: list of $SUITE"
	"${apt[@]}" update >"$tmp/log" 2>&1 || { tail -n 5 "$tmp/log" >&2; return 1; }
	say GET "cbmc: ${PACKAGES[*]}"
	(cd "$tmp/deb" && "${apt[@]}" download "${PACKAGES[@]}") >"$tmp/log" 2>&1 ||
		{ tail -n 5 "$tmp/log" >&2; return 1; }
	find "$tmp/deb" -name '*.deb' -exec dpkg -x {} "$tmp/root" \;
	rm -rf "$tmp/lists" "$tmp/cache" "$tmp/deb" "$tmp/sources.list"
	rm -rf --one-file-system "$STORE"
	mv -T "$tmp" "$STORE"
	(run --version) >"$STORE/version" 2>&1 ||
		{ say FAIL "cbmc: it does not run here: $(head -n 1 "$STORE/version")"; return 1; }
	cp "$STORE/version" "$STORE/info"
}

case ${1:-} in
fetch)
	ready && exit 0
	mkdir -p "$CACHE"
	# Two at once: the second waits, then finds the work done.
	(flock 9; ready || fetch) 9>"$STORE.lock" || exit $SKIP
	say OK "cbmc $(cat "$STORE/info")" ;;
version)
	ready || exit $SKIP
	cat "$STORE/info" ;;
run)
	ready || { say FAIL "cbmc is not in the cache: cbmc.sh fetch"; exit $SKIP; }
	shift
	run "$@" ;;
*)	sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
