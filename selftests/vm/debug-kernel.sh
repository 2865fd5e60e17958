# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# debug-kernel.sh - the kernel "debug": 6.1 with KASAN, lockdep, kmemleak, UBSAN, ODEBUG, failslab
#
# A part of kernels.sh, which sources it. Built once from Debian's own source, about ten
# minutes on two idle cores, and kept in the cache under the hash of the fragment and the
# version of the source; the prepared tree stays, because the module is built against it.

DEBUG_FRAGMENT=$HERE/debug.config

# The source package's version, as apt or the unpacked tree knows it.
debug_key()
{
	local v

	v=$(apt-cache show linux-source-6.1 2>/dev/null | sed -n 's/^Version: //p' | head -n1)
	{ cat "$DEBUG_FRAGMENT" && echo "${v:-unknown}"; } | sha256sum | cut -c1-12
}

debug_source()
{
	local dir=$1 tar=/usr/src/linux-source-6.1.tar.xz

	mkdir -p "$dir/src"
	if [ ! -f "$tar" ]; then
		say GET "debug: linux-source-6.1"
		download "$dir/deb" linux-source-6.1 || return 1
		dpkg -x "$dir"/deb/*.deb "$dir/deb"
		tar=$dir/deb/usr/src/linux-source-6.1.tar.xz
	fi
	say UNPACK "debug"
	tar -xJf "$tar" -C "$dir/src" --strip-components=1 || return 1
	rm -rf "$dir/deb"
}

# A line that Kconfig dropped in silence would be a proof that proves nothing.
debug_config()
{
	local src=$1 obj=$2 line missing=0

	make -s -C "$src" O="$obj" tinyconfig >/dev/null || return 1
	(cd "$obj" && "$src/scripts/kconfig/merge_config.sh" -m -O . .config "$DEBUG_FRAGMENT") \
		>"$obj/merge.log" || return 1
	make -s -C "$src" O="$obj" olddefconfig >/dev/null || return 1
	while read -r line; do
		grep -qxF "$line" "$obj/.config" && continue
		say FAIL "debug: the configuration has no $line"
		missing=1
	done < <(grep -E '^CONFIG_' "$DEBUG_FRAGMENT")
	[ $missing = 0 ]
}

# debug_build DIR FINAL: a tree that will live in FINAL is built there, as it is not relocatable.
debug_build()
{
	local dir=$1 obj=$1/obj ver

	debug_source "$dir" && mkdir -p "$obj" && debug_config "$dir/src" "$obj" || return 1
	say BUILD "debug: about ten minutes on two idle cores; log: $dir/build.log"
	nice make -s -j"$(nproc)" -C "$dir/src" O="$obj" bzImage modules >"$dir/build.log" 2>&1 ||
		{ tail -n 20 "$dir/build.log" >&2; return 1; }
	ver=$(cat "$obj/include/config/kernel.release")
	make -s -C "$dir/src" O="$obj" INSTALL_MOD_PATH="$dir" DEPMOD=true modules_install \
		>>"$dir/build.log" 2>&1 || return 1
	rm -f "$dir/lib/modules/$ver"/{build,source}
	# What building a module against it does not need.
	find "$obj" -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
	find "$obj" \( -name '*.a' -o -name 'vmlinux*' \) ! -name vmlinux.symvers -type f -delete
	prepare_modules "$dir" "$ver" && prepare_initrd "$dir" "$dir" "$ver" || return 1
	cat >"$dir/info" <<-EOF
	VER=$ver
	KDIR=$obj
	VMLINUZ=$obj/arch/x86/boot/bzImage
	ROOT=$dir
	CHROOT=
	EOF
}

fetch_debug()
{
	local final

	final=$STORE/debug-$(debug_key)
	if [ -f "$final/info" ]; then
		ln -sfn "$(basename "$final")" "$STORE/debug"
		say OK "debug: $(get debug VER)"
		return 0
	fi
	rm -rf --one-file-system "$final"
	mkdir -p "$final"
	debug_build "$final" || return 1
	ln -sfn "$(basename "$final")" "$STORE/debug"
	say OK "debug: $(get debug VER)"
}
