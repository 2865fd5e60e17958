#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernels.sh - the kernels paxsteer is built for and tested on
#
# A label (6.1, 6.12, newest) stands for Debian's current kernel of that line. For
# each this script keeps, in a cache outside the tree, what building and booting
# need: headers, a compiler that fits them, the kernel image and its modules. No
# package is installed; everything is downloaded by apt, from the mirrors this
# machine already uses, and unpacked. Versions are asked of apt, never written down.
#
#   $CACHE/kernels/<label>-<version>/info    shell variables, written last
#   $CACHE/kernels/<label>                   link to the version in use
#
# A half-finished download leaves only a *.tmp directory, which the next run removes.

set -eu -o pipefail
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
CACHE=${PAXSTEER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/paxsteer}
STORE=$CACHE/kernels
LABELS=(6.1 6.12 newest)
MAX_AGE_DAYS=14		# after this "newest" is looked up again

# What the tests load in the VM; unpacked (busybox insmod reads no .xz, and unpacking
# in an emulated machine is slow). The first line is what mounting the root needs.
BOOT_MODULES="virtio_pci virtio_blk virtio_console 9pnet_virtio 9p overlay ext4"
TEST_MODULES="nf_conntrack nf_nat nf_defrag_ipv4 nf_defrag_ipv6 udp_tunnel ip6_udp_tunnel
	libcrc32c crc32c_generic veth dummy tun ifb bridge macvlan vxlan ipip fou ip_gre
	sch_netem sch_tbf sch_ingress act_mirred cls_u32 cls_matchall nf_tables nft_chain_nat
	nft_ct nft_masq nft_nat nft_redir nft_reject nft_reject_inet nft_limit nft_log nft_compat
	nft_numgen nft_hash nft_counter loop
	xt_conntrack xt_MASQUERADE xt_mark xt_tcpudp ip_vs ip_vs_rr ip_vs_mh ip_vs_sh ip_tables
	iptable_filter iptable_nat af_packet tcp_diag udp_diag inet_diag unix_diag nfnetlink
	nf_conntrack_netlink
	nlmon dm_flakey dm_log_writes dm_mod netconsole pktgen blake2s_generic sit tcp_bbr null_blk"

say() { printf '  %-8s %s\n' "$1" "$2" >&2; }
die() { printf 'kernels.sh: %s\n' "$*" >&2; exit 1; }

usage()
{
	cat <<-EOF
	usage: kernels.sh COMMAND
	  list               labels, versions and whether they are ready
	  fetch [LABEL...]   get headers, compiler, image and modules (default: all)
	  info LABEL         print VER, KDIR, VMLINUZ, ROOT, CHROOT as shell variables
	  build LABEL [ARGS] build the module into build/modules/<version>/ (ARGS go to make)
	  matrix [LABEL...]  build for all, warnings are errors, print one line each
	  prune              remove cached versions no label points to
	  mirror             the Debian archive that this machine uses
	labels: ${LABELS[*]}, and debug and uml, which are built here (make debug-kernel,
	make uml-kernel); cache: $CACHE
	EOF
}

check_label()
{
	local l

	for l in "${LABELS[@]}" "${BUILT_LABELS[@]}"; do
		[ "$l" = "$1" ] && return 0
	done
	die "unknown kernel '$1' (known: ${LABELS[*]} ${BUILT_LABELS[*]})"
}

ready() { [ -f "$STORE/$1/info" ]; }

# For building alone, 6.1's headers package will do, without network or cache.
installed_headers()
{
	local d

	[ "$1" = 6.1 ] || return 1
	for d in /lib/modules/6.1.*-[0-9]*-amd64/build; do
		case $d in
		*cloud*|*rt*) ;;
		*)	[ -d "$d/include" ] && echo "$d" ;;
		esac
	done | sort -V | tail -n1 | grep .
}

buildable() { ready "$1" || installed_headers "$1" >/dev/null; }

# Print one variable of a label's info file.
get()
{
	local d

	if ! ready "$1" && d=$(installed_headers "$1"); then
		case $2 in
		VER)	basename "${d%/build}" ;;
		KDIR)	echo "$d" ;;
		esac
		return 0
	fi
	ready "$1" || die "kernel $1 is not in the cache: make toolchains KERNELS=$1"
	sed -n "s/^$2=//p" "$STORE/$1/info"
}

# --- resolving ---------------------------------------------------------------

# The real package behind a meta package, e.g. linux-headers-amd64.
depends_on()
{
	apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \\($2\\)\$/\\1/p" | head -n1
}

resolve()
{
	local pkg=

	case $1 in
	6.1)
		pkg=$(depends_on linux-headers-amd64 'linux-headers-6\.1\..*') ;;
	6.12)
		pkg=$(depends_on linux-headers-6.12-amd64 'linux-headers-6\.12\..*')
		[ -n "$pkg" ] ||
			pkg=$(apt-cache search --names-only '^linux-headers-6\.12\..*deb12-amd64$' |
				cut -d' ' -f1 | sort -V | tail -n1) ;;
	esac
	printf '%s' "${pkg#linux-headers-}"
}

# The archive this machine uses for Debian itself: "URI" of the first Debian source.
mirror()
{
	# shellcheck disable=SC2016  # apt expands
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN)' 'Created-By: Packages' |
		awk '$2 ~ /security|updates|backports/ { next }
			$3 == "Debian" || $2 == "bookworm" { print $1; exit }'
}

# --- fetching ----------------------------------------------------------------

download()
{
	local dir=$1

	shift
	mkdir -p "$dir"
	# The packages' dependencies are not wanted: no initramfs is made, no boot loader touched.
	(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download "$@" >"$dir/log" 2>&1) ||
		{ cat "$dir/log" >&2; return 1; }
}

# Unpack the modules the VM uses and index them all.
prepare_modules()
{
	local root=$1 ver=$2 m path

	depmod -b "$root" "$ver" || return 1
	for m in $BOOT_MODULES $TEST_MODULES; do
		modprobe -d "$root" -S "$ver" --show-depends "$m" 2>/dev/null || true
	done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r path; do
		case $path in
		*.xz) xz -d -f -q "$path" ;;
		*.zst) zstd -q -d --rm -f "$path" ;;
		esac
	done
	depmod -b "$root" "$ver"
}

# The first cpio of the VM: busybox, the modules that reach the root, /init.
prepare_initrd()
{
	local dir=$1 root=$2 ver=$3 tree m path n=0

	tree=$dir/initrd.d
	mkdir -p "$tree"/{bin,lib,dev,proc,sys,mnt,pxs}
	cp /bin/busybox "$tree/bin/busybox" || return 1
	for m in $BOOT_MODULES; do
		modprobe -d "$root" -S "$ver" --show-depends "$m" || return 1
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$dir/boot.order" || return 1
	while read -r path; do
		n=$((n + 1))
		cp "$path" "$tree/lib/$(printf %02d "$n")-$(basename "$path")" || return 1
	done <"$dir/boot.order"
	(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) | gzip -1 >"$dir/initrd.gz"
	rm -rf "$tree"
}

fetch_debian12()
{
	local label=$1 ver=$2 dir=$3 common kdir

	common=${ver%-amd64}-common
	say GET "$label: image and modules of $ver"
	download "$dir/deb" "linux-image-$ver" || return 1
	if [ -d "/lib/modules/$ver/build/include" ]; then
		kdir=/lib/modules/$ver/build
	else
		say GET "$label: headers of $ver"
		# shellcheck disable=SC2046  # one word per package
		download "$dir/deb" "linux-headers-$ver" "linux-headers-$common" \
			$(depends_on "linux-headers-$ver" 'linux-kbuild-.*') || return 1
		kdir=$STORE/$label-$ver/usr/src/linux-headers-$ver
	fi
	say UNPACK "$label"
	find "$dir/deb" -name '*.deb' -exec dpkg -x {} "$dir" \;
	rm -rf "$dir/deb" "$dir/boot/System.map-$ver"
	# Header packages are not relocatable: point them to where they will be.
	if [ -f "$dir/usr/src/linux-headers-$ver/Makefile" ]; then
		sed -i "s#/usr/src/#$STORE/$label-$ver/usr/src/#g" \
			"$dir/usr/src/linux-headers-$ver/Makefile"
		relink "$dir/usr/src/linux-headers-$ver" "$STORE/$label-$ver"
		relink "$dir/usr/src/linux-headers-$common" "$STORE/$label-$ver"
	fi
	rm -f "$dir/lib/modules/$ver/build" "$dir/lib/modules/$ver/source"
	prepare_modules "$dir" "$ver" || return 1
	prepare_initrd "$dir" "$dir" "$ver" || return 1
	cat >"$dir/info" <<-EOF
	VER=$ver
	KDIR=$kdir
	VMLINUZ=$STORE/$label-$ver/boot/vmlinuz-$ver
	ROOT=$STORE/$label-$ver
	CHROOT=
	EOF
}

# Absolute links inside a header tree (scripts, tools -> /usr/lib/linux-kbuild-*).
relink()
{
	local l to

	find "$1" -maxdepth 1 -type l | while read -r l; do
		to=$(readlink "$l")
		case $to in
		/usr/*) ln -sfn "$2$to" "$l" ;;
		esac
	done
}

# Runs inside mmdebstrap, as its customize hook: "$1" is the new root.
newest_hook()
{
	local r=$1 pkg ver p

	pkg=$(chroot "$r" apt-cache depends linux-headers-amd64 |
		sed -n 's/^ *Depends: \(linux-headers-[0-9].*\)$/\1/p' | head -n1)
	[ -n "$pkg" ] || die "newest: linux-headers-amd64 names no version"
	ver=${pkg#linux-headers-}
	say GET "newest: headers and compiler of $ver"
	chroot "$r" apt-get -q -y --no-install-recommends install "$pkg" >&2
	say GET "newest: image and modules"
	for p in linux-binary linux-modules linux-image; do
		chroot "$r" apt-cache show "$p-$ver" >/dev/null 2>&1 || continue
		chroot "$r" sh -c 'cd /var/tmp && exec apt-get -q -o APT::Sandbox::User=root \
			download "$1"' sh "$p-$ver" >&2
		dpkg -x "$r"/var/tmp/"$p"-*.deb "$r/kernel"
		rm -f "$r"/var/tmp/"$p"-*.deb
	done
	printf '%s\n' "$ver" >"$r/kernel.version"
}

fetch_newest()
{
	local dir=$1 url ver mode=unshare

	url=$(mirror)
	[ -n "$url" ] || { say FAIL "newest: no Debian mirror in the apt sources"; return 1; }
	command -v mmdebstrap >/dev/null || { say FAIL "newest: mmdebstrap is missing"; return 1; }
	[ "$(id -u)" = 0 ] && mode=root
	say GET "newest: base system and compiler of sid (about a minute)"
	mmdebstrap --mode="$mode" --variant=apt --components=main \
		--aptopt='Acquire::Check-Valid-Until "false"' --include=make,gcc \
		--customize-hook="'$HERE/kernels.sh' newest-hook \"\$1\"" \
		sid "$dir/root" "$url" >"$CACHE/newest.log" 2>&1 ||
		{ tail -n 20 "$CACHE/newest.log" >&2; return 1; }
	ver=$(cat "$dir/root/kernel.version")
	mkdir -p "$dir/lib" "$dir/boot" "$dir/root/src"
	# linux-binary puts vmlinuz beside the modules; older layouts under /boot.
	mv "$dir"/root/kernel/usr/lib/modules "$dir/lib/" 2>/dev/null ||
		mv "$dir"/root/kernel/lib/modules "$dir/lib/" || return 1
	# The list of what is built in comes in a package of its own, with the headers.
	cp -n -t "$dir/lib/modules/$ver/" "$dir/root/usr/lib/modules/$ver"/modules.* || return 1
	find "$dir/lib/modules/$ver/vmlinuz" "$dir/root/kernel/boot/vmlinuz-$ver" 2>/dev/null |
		head -n1 | xargs -r -I{} mv {} "$dir/boot/vmlinuz-$ver"
	[ -f "$dir/boot/vmlinuz-$ver" ] || { say FAIL "newest: $ver has no vmlinuz"; return 1; }
	rm -rf "$dir/root/kernel" "$dir/lib/modules/$ver/build" "$dir/lib/modules/$ver/source"
	prepare_modules "$dir" "$ver" || return 1
	prepare_initrd "$dir" "$dir" "$ver" || return 1
	cat >"$dir/info" <<-EOF
	VER=$ver
	KDIR=/usr/src/linux-headers-$ver
	VMLINUZ=$STORE/newest-$ver/boot/vmlinuz-$ver
	ROOT=$STORE/newest-$ver
	CHROOT=$STORE/newest-$ver/root
	EOF
}

# Make the label point at a finished directory; atomic, so a running build is not torn.
publish()
{
	local label=$1 tmp=$2 final=$3

	rm -rf "$final"
	mv "$tmp" "$final"
	ln -sfn "$(basename "$final")" "$STORE/$label.new"
	mv -T "$STORE/$label.new" "$STORE/$label"
}

fetch_one()
{
	local label=$1 ver tmp=$STORE/$1.tmp

	if [[ " ${BUILT_LABELS[*]} " = *" $label "* ]]; then
		fetch_built "$label"
		return
	fi
	if [ "$label" = newest ]; then
		if ready newest && [ -z "$(find "$STORE/newest/info" -mtime +$MAX_AGE_DAYS)" ]; then
			say OK "newest: $(get newest VER)"
			return 0
		fi
	else
		ver=$(resolve "$label")
		# No network or no index: what the cache has is good enough.
		if ready "$label" && { [ -z "$ver" ] || [ "$ver" = "$(get "$label" VER)" ]; }; then
			say OK "$label: $(get "$label" VER)"
			return 0
		fi
		[ -n "$ver" ] || { say FAIL "$label: apt knows none (apt-get update?)"; return 1; }
	fi
	rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp"
	if [ "$label" = newest ]; then
		fetch_newest "$tmp" || return 1
		ver=$(sed -n 's/^VER=//p' "$tmp/info")
	else
		fetch_debian12 "$label" "$ver" "$tmp" || return 1
	fi
	publish "$label" "$tmp" "$STORE/$label-$ver"
	say OK "$label: $ver"
}

cmd_fetch()
{
	local label rc=0

	[ $# -gt 0 ] || set -- "${LABELS[@]}"
	mkdir -p "$STORE"
	for label; do
		check_label "$label"
		# Two runs at once: the second waits, then finds the work done.
		(flock 9; fetch_one "$label") 9>"$STORE/$label.lock" && continue
		say FAIL "$label: not available"
		rc=1
	done
	return $rc
}

# shellcheck source=selftests/vm/built.sh
. "$HERE/built.sh"

# --- building ----------------------------------------------------------------

# Copy the module's sources to a directory of their own, keeping times so that make's
# dependency tracking works, and forget files that no longer exist.
stage()
{
	local dir=$1 f

	mkdir -p "$dir"
	(cd "$TOP" && find Kbuild kmod uapi -type f \( -name '*.[chS]' -o -name Kbuild \) \
		-exec cp -u --preserve=timestamps --parents -t "$dir" {} +)
	(cd "$dir" && find kmod uapi -type f -name '*.[chS]') | while read -r f; do
		[ -f "$TOP/$f" ] || rm -f "$dir/$f"
	done
}

# in_chroot ROOT DIR CMD...: run CMD in ROOT with DIR as /src. The mounts live in a
# private namespace and vanish with it; 7.x objtool wants /proc.
in_chroot()
{
	local root=$1 dir=$2 map=()

	shift 2
	[ "$(id -u)" = 0 ] || map=(--user --map-root-user --map-auto)
	unshare "${map[@]}" --mount --pid --fork --kill-child sh -c '
		root=$1 dir=$2
		shift 2
		mount -t proc proc "$root/proc" &&
		mount --bind "$dir" "$root/src" &&
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C chroot "$root" "$@"
	' sh "$root" "$dir" "$@"
}

# kbuild LABEL DIR [ARGS]: run Kbuild of that kernel over the sources staged in DIR.
kbuild()
{
	local label=$1 dir=$2 chroot kdir arch

	shift 2
	chroot=$(get "$label" CHROOT)
	kdir=$(get "$label" KDIR)
	arch=$(get "$label" ARCH)
	if [ -n "$chroot" ]; then
		in_chroot "$chroot" "$dir" make --no-print-directory -C "$kdir" M=/src "$@"
	else
		env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory -C "$kdir" M="$dir" \
			${arch:+ARCH="$arch" SUBARCH=x86_64} "$@"
	fi
}

cmd_build()
{
	local label=$1 ver dir

	shift
	check_label "$label"
	buildable "$label" || cmd_fetch "$label"
	ver=$(get "$label" VER)
	dir=${PXS_STAGE:-$TOP/build/modules/$ver}
	mkdir -p "$dir"
	(
		flock 9
		[ -z "${PXS_FRESH:-}" ] || rm -rf --one-file-system "${dir:?}"/*
		stage "$dir"
		kbuild "$label" "$dir" -j"$(nproc)" KCFLAGS=-Werror "$@" modules
	) 9>"$dir.lock"
}

# Compiler chatter that says nothing about our code.
NOT_OURS='Skipping BTF generation|the compiler differs|You are using:|The kernel was built'

cmd_matrix()
{
	local label ver log t0 pass=0 fail=0 skip=0

	[ $# -gt 0 ] || set -- "${LABELS[@]}"
	mkdir -p "$TOP/build/modules"
	for label; do
		check_label "$label"
		log=$TOP/build/modules/$label.log
		t0=$SECONDS
		if ! buildable "$label" && ! cmd_fetch "$label"; then
			# Only 6.1 comes from this machine's own release: the others need a network.
			if [ "$label" = 6.1 ]; then
				echo "not ok - module for $label: no headers"
				fail=$((fail + 1))
			else
				echo "ok - module for $label # SKIP headers not available"
				skip=$((skip + 1))
			fi
			continue
		fi
		ver=$(get "$label" VER)
		if (cmd_build "$label") >"$log" 2>&1 &&
		   ! grep -Ei 'warning|error:' "$log" | grep -Evq "$NOT_OURS"; then
			echo "ok - module for $label ($ver), $((SECONDS - t0)) s"
			pass=$((pass + 1))
		else
			grep -Ei -A3 'warning|error' "$log" | grep -Ev "$NOT_OURS" |
				sed 's/^/# /' | head -n 60 || true
			tail -n 5 "$log" | sed 's/^/# /'
			echo "not ok - module for $label ($ver), log in build/modules/$label.log"
			fail=$((fail + 1))
		fi
	done
	echo "$pass passed, $fail failed, $skip skipped"
	[ $fail = 0 ]
}

cmd_list()
{
	local l

	for l in "${LABELS[@]}"; do
		if ready "$l"; then
			printf '%-8s %s\n' "$l" "$(get "$l" VER)"
		else
			printf '%-8s (not fetched)\n' "$l"
		fi
	done
}

cmd_info()
{
	check_label "$1"
	ready "$1" || cmd_fetch "$1"
	cat "$STORE/$1/info"
}

cmd_prune()
{
	local d l keep

	for d in "$STORE"/*-*/; do
		d=${d%/} keep=
		[ "$(basename "$d")" != sid-apt ] || continue
		for l in "${LABELS[@]}" "${BUILT_LABELS[@]}"; do
			[ "$(readlink "$STORE/$l" 2>/dev/null)" = "$(basename "$d")" ] && keep=1
		done
		[ -n "$keep" ] || { say RM "$(basename "$d")"; rm -rf --one-file-system "$d"; }
	done
}

cmd=${1:-help}
[ $# -eq 0 ] || shift
case $cmd in
list)		cmd_list ;;
fetch)		cmd_fetch "$@" ;;
info)		[ $# = 1 ] || die "info LABEL"; cmd_info "$1" ;;
build)		[ $# -ge 1 ] || die "build LABEL"; cmd_build "$@" ;;
matrix)		cmd_matrix "$@" ;;
prune)		cmd_prune ;;
mirror)		mirror ;;
newest-hook)	newest_hook "$1" ;;
help|-h|--help)	usage ;;
*)		usage >&2; exit 2 ;;
esac
