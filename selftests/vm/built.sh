# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# built.sh - the kernels that are built here, from Debian's own source
#
#   debug   6.1 with KASAN, lockdep, kmemleak, UBSAN, ODEBUG, fault injection, gcov (debug.config)
#   uml     sid's newest as a program of this machine: no emulation (uml.config)
#
# A part of kernels.sh, which sources it. Each is built once, about ten minutes on two idle
# cores, and kept in the cache under the hash of its fragment and the version of its source;
# the prepared tree stays, because the module is built against it.

BUILT_LABELS=(debug uml)

# sid's packages, with an index of their own: nothing of sid gets into this machine's apt.
sid_apt()
{
	local r=$STORE/sid-apt cmd=$1

	shift
	"$cmd" -q -o Dir::Etc::sourcelist="$r/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$r/lists" -o Dir::Cache="$r/cache" \
		-o Dir::State::status=/dev/null -o APT::Sandbox::User=root \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none "$@"
}

sid_update()
{
	local r=$STORE/sid-apt key=/usr/share/keyrings/debian-archive-keyring.gpg

	[ -z "$(find "$r/updated" -mtime -$MAX_AGE_DAYS 2>/dev/null)" ] || return 0
	mkdir -p "$r/lists/partial" "$r/cache/archives/partial"
	echo "deb [signed-by=$key] $(mirror) sid main" >"$r/sources.list"
	sid_apt apt-get update >"$r/log" 2>&1 && touch "$r/updated"
}

# The package that holds a label's source.
source_package()
{
	if [ "$1" = debug ]; then
		echo linux-source-6.1
	else
		sid_apt apt-cache depends linux-source 2>/dev/null |
			sed -n 's/^ *Depends: \(linux-source-[0-9].*\)$/\1/p' | head -n1
	fi
}

source_apt() { if [ "$1" = debug ]; then shift; "$@"; else shift; sid_apt "$@"; fi; }

# What a build depends on: not what the fragment's comments say. Without a network the last one
# is good enough.
built_key()
{
	local v

	v=$(source_apt "$1" apt-cache show "$(source_package "$1")" 2>/dev/null |
		sed -n 's/^Version: //p' | head -n1)
	{ grep -E '^(# )?CONFIG_' "$HERE/$1.config" && echo "${v:-unknown}"; } | sha256sum | cut -c1-12
}

built_source()
{
	local label=$1 dir=$2 pkg tar

	pkg=$(source_package "$label")
	[ -n "$pkg" ] || { say FAIL "$label: apt knows no source"; return 1; }
	tar=/usr/src/$pkg.tar.xz
	mkdir -p "$dir/src" "$dir/deb"
	if [ ! -f "$tar" ]; then
		say GET "$label: $pkg"
		(cd "$dir/deb" && source_apt "$label" apt-get download "$pkg" >log 2>&1) ||
			{ cat "$dir/deb/log" >&2; return 1; }
		dpkg -x "$dir"/deb/*.deb "$dir/deb" || return 1
		tar=$dir/deb$tar
	fi
	say UNPACK "$label"
	tar -xJf "$tar" -C "$dir/src" --strip-components=1 || return 1
	rm -rf "$dir/deb"
}

# built_make LABEL DIR ARGS...: in the tree that belongs to DIR. As nice as the caller is: to be
# nicer still is to wait for ever where somebody else is nice too.
built_make()
{
	local label=$1 dir=$2 arch=()

	shift 2
	[ "$label" = debug ] || arch=(ARCH=um SUBARCH=x86_64)
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$dir/src" O="$dir/obj" "${arch[@]}" "$@"
}

# A line that Kconfig dropped in silence would be a proof that proves nothing.
built_config()
{
	local label=$1 dir=$2 fragment=$HERE/$1.config line missing=0

	built_make "$label" "$dir" tinyconfig >/dev/null || return 1
	(cd "$dir/obj" && "$dir/src/scripts/kconfig/merge_config.sh" -m -O . .config "$fragment") \
		>"$dir/merge.log" || return 1
	built_make "$label" "$dir" olddefconfig >/dev/null || return 1
	while read -r line; do
		grep -qxF "$line" "$dir/obj/.config" && continue
		say FAIL "$label: the configuration has no $line"
		missing=1
	done < <(grep -E '^CONFIG_' "$fragment")
	[ $missing = 0 ]
}

built_info()
{
	local label=$1 dir=$2

	printf 'VER=%s\nKDIR=%s\nROOT=%s\nCHROOT=\n' "$3" "$dir/obj" "$dir"
	if [ "$label" = debug ]; then
		# ACPI's programs take so long here that the kernel stops them half-way. Without it
		# processors come from the table of sockets, and the clock from a timer whose port
		# must be named: else there is one processor and a clock of 4 ms, and no race is seen.
		# Four levels of page tables: while the kernel asks the processor what it can do, it
		# does not know of a fifth, and KASAN takes each address for a wild one. On a slow
		# machine every tick fell into its report of the one before: it never came up.
		echo "VMLINUZ=$dir/obj/arch/x86/boot/bzImage"
		echo "APPEND=acpi=off pmtmr=0x608 no5lvl reboot=t kasan_multi_shot"
		# How many times slower than a kernel that looks for nothing: patience for tests.
		echo "SLOW=6"
	else
		echo "VMLINUZ=$dir/linux"
		echo "ARCH=um"
	fi
}

# A tree is not relocatable: it is built in the place where it will live.
built_build()
{
	local label=$1 dir=$2 targets=(bzImage modules) ver BOOT_MODULES=overlay

	# What was interrupted goes on where it was.
	[ -f "$dir/unpacked" ] || { built_source "$label" "$dir" && touch "$dir/unpacked"; } ||
		return 1
	mkdir -p "$dir/obj" && built_config "$label" "$dir" || return 1
	[ "$label" = debug ] || targets=(linux modules)
	say BUILD "$label: about ten minutes on two idle cores; log: $dir/build.log"
	built_make "$label" "$dir" -j"$(nproc)" "${targets[@]}" >"$dir/build.log" 2>&1 ||
		{ tail -n 20 "$dir/build.log" >&2; return 1; }
	ver=$(cat "$dir/obj/include/config/kernel.release")
	built_make "$label" "$dir" INSTALL_MOD_PATH="$dir" DEPMOD=true modules_install \
		>>"$dir/build.log" 2>&1 || return 1
	rm -f "$dir/lib/modules/$ver"/{build,source}
	[ "$label" = debug ] || strip -o "$dir/linux" "$dir/obj/linux" || return 1
	# What building a module against it does not need.
	find "$dir/obj" -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
	find "$dir/obj" \( -name '*.a' -o -name 'vmlinux*' -o -name linux \) \
		! -name vmlinux.symvers -type f -delete
	prepare_modules "$dir" "$ver" && prepare_initrd "$dir" "$dir" "$ver" || return 1
	built_info "$label" "$dir" "$ver" >"$dir/info.new" && mv "$dir/info.new" "$dir/info"
}

fetch_built()
{
	local label=$1 final

	[ "$label" = debug ] || sid_update || ready "$label" ||
		{ say FAIL "$label: no index of sid"; return 1; }
	final=$STORE/$label-$(built_key "$label")
	if [ ! -f "$final/info" ]; then
		[ -f "$final/unpacked" ] || rm -rf --one-file-system "$final"
		mkdir -p "$final"
		built_build "$label" "$final" || return 1
	else
		# Built long ago, perhaps, but described as of today.
		built_info "$label" "$final" "$(sed -n 's/^VER=//p' "$final/info")" \
			>"$final/info.new" && mv "$final/info.new" "$final/info"
	fi
	ln -sfn "$(basename "$final")" "$STORE/$label"
	say OK "$label: $(get "$label" VER)"
}
