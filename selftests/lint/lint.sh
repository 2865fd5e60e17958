#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh - the rules of the house that a machine can check
#
# Each step prints one line of TAP; what it found is printed above it. A tool that is
# missing is a named skip. Ends with "N passed, N failed, N skipped".
#
#   lint.sh [STEP...]     only these steps (lint.sh --list names them)
#   KERNEL=6.1            the headers that sparse, W=1 and the analyzer use

set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 2
KERNEL=${KERNEL:-6.1}
CACHE=${PAXSTEER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/paxsteer}
CC=${CC:-gcc}
MAX_LINE=100 MAX_FUNCTION=70 MAX_FILE=600
LOG=$(mktemp -d) || exit 2
trap 'rm -rf "$LOG"' EXIT

STEPS=(spdx lines functions files layers core-freestanding core-division core-stack shell uncalled
	spec planted checkpatch warnings sparse analyzer cppcheck)

# Sources, tracked or not: what somebody is about to commit is checked as well.
sources()
{
	git ls-files -co --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}
c_files() { sources '*.c' '*.h'; }
core_c() { sources 'kmod/core/*.c'; }
scripts()
{
	sources | while read -r f; do
		! head -c 40 "$f" | grep -aqE '^#!.*[/ ](ba|da)?sh\b' || echo "$f"
	done
}

# Steps return 0 (good), 1 (bad) or 4 (skip, the reason is the last line printed).

step_spdx()
{
	local f rc=0

	for f in $(c_files) $(scripts) $(sources '*.py' '*.yaml' '*.mk' '*Makefile' '*Kbuild'); do
		head -n 2 "$f" | grep -q 'SPDX-License-Identifier: ' && continue
		echo "$f: no SPDX line"
		rc=1
	done
	for f in $(sources 'uapi/*.h'); do
		head -n 1 "$f" | grep -q 'Linux-syscall-note' && continue
		echo "$f: uapi without the syscall note"
		rc=1
	done
	return $rc
}

# As in the kernel, a message is not split: a line may be as long as its string makes it.
step_lines()
{
	local f rc=0

	for f in $(c_files) $(scripts); do
		# A character is a column, whatever UTF-8 makes of it.
		expand "$f" | LC_ALL=C sed 's/[\x80-\xbf]//g' | awk -v f="$f" -v max=$MAX_LINE '
			length <= max { next }
			f ~ /\.[ch]$/ { gsub(/"([^"\\]|\\.)*"/, "\"\"") }
			length > max { print f ":" NR ": " length " columns"; bad = 1 }
			END { exit bad }' || rc=1
		grep -nE '[[:space:]]+$' "$f" | sed "s|^|$f: blank at the end: |" | grep . && rc=1
	done
	return $rc
}

# Kernel style puts a function's braces in column one. Longer ones are named, with a
# reason, in lint/long-functions ("file function lines").
step_functions()
{
	local f rc=0

	for f in $(sources '*.c' '*.h'); do
		awk -v f="$f" -v max=$MAX_FUNCTION -v known=selftests/lint/long-functions '
			BEGIN {
				while ((getline l < known) > 0)
					if (l !~ /^#/ && split(l, w, " ") == 3)
						ok[w[1] " " w[2]] = w[3]
			}
			/^[a-zA-Z_].*\(/ {
				name = $0
				sub(/\(.*/, "", name)
				sub(/.*[ *]/, "", name)
			}
			/^\{/ { start = NR }
			/^\}/ && start {
				n = NR - start - 1
				limit = (f " " name) in ok ? ok[f " " name] : max
				if (n > limit) {
					printf "%s:%d: %s() has %d lines, limit %d\n",
					       f, start, name, n, limit
					bad = 1
				}
				start = 0
			}
			END { exit bad }' "$f" || rc=1
	done
	return $rc
}

step_files()
{
	local f n rc=0

	for f in $(c_files) $(scripts); do
		n=$(wc -l <"$f")
		[ "$n" -lt $MAX_FILE ] || { echo "$f: $n lines, split before $MAX_FILE"; rc=1; }
	done
	return $rc
}

CORE_MAY_NOT='printf|printk|pr_info|pr_err|pr_warn|malloc|calloc|free|kmalloc|kzalloc|kfree'
CORE_MAY_NOT+='|time|clock_gettime|ktime_get|ktime_get_ns|get_random_bytes|get_random_u32|rand'
CORE_MAY_NOT+='|abort'

# uapi <- kmod/core <- (kmod | agent) <- selftests
step_layers()
{
	local f n inc inc_re='#[[:space:]]*include[[:space:]]*' rc=0

	# What a core file may include: its neighbours, and uapi.
	for f in $(sources 'kmod/core/*.c' 'kmod/core/*.h'); do
		[ "$f" = kmod/core/platform.h ] && continue
		grep -nE '__KERNEL__|CONFIG_[A-Z]' "$f" | sed "s|^|$f:|" | grep . && rc=1
		while IFS=: read -r n inc; do
			case $inc in
			'"'*/*)	;;
			'"'*)	[ -f "kmod/core/$(tr -d '"' <<<"$inc")" ] && continue ;;
			'<'*)	[ -f "uapi/$(tr -d '<>' <<<"$inc")" ] && continue ;;
			esac
			echo "$f:$n: the core includes $inc"
			rc=1
		done < <(grep -nE "^[[:space:]]*$inc_re" "$f" |
			 sed -E 's/^([0-9]+):.*include[[:space:]]*([<"][^>"]*[>"]).*/\1:\2/')
	done
	# The kernel shell knows nothing of the agent, the agent nothing of the kernel shell.
	sources 'kmod/*.c' 'kmod/*.h' | grep -vx kmod/core/platform.h |
		xargs -r grep -nE "$inc_re.*(agent/|selftests/|<(stdio|stdlib|unistd)\\.h>)" && rc=1
	sources 'agent/*.c' 'agent/*.h' |
		xargs -r grep -nHE "$inc_re\"([^\"]*/)?kmod/" | grep -v 'kmod/core/' && rc=1
	sources 'uapi/*.h' | xargs -r grep -nHE "$inc_re\"" && rc=1
	# Time, memory and output are the shell's business.
	for f in $(core_c); do
		grep -nwE "($CORE_MAY_NOT)[[:space:]]*\\(" "$f" |
			grep -vE '^[0-9]+:[[:space:]]*(\*|/\*)' | sed "s|^|$f:|" | grep . && rc=1
	done
	return $rc
}

step_core_freestanding()
{
	local f rc=0 n=0

	for f in $(core_c); do
		n=$((n + 1))
		$CC -std=gnu11 -O2 -Wall -Wextra -Werror -Wvla -ffreestanding -Iuapi \
			-c "$f" -o "$LOG/x.o" || rc=1
	done
	[ $n -gt 0 ] || { echo "kmod/core has no .c files"; return 4; }
	return $rc
}

# On a 32-bit machine a 64-bit division is a call of libgcc, which a kernel has not: the
# compiler itself shows where one is. pxs_div64() in platform.h is the only place, and
# only the files of lint/division (control paths) may use it.
step_core_division()
{
	local f rc=0 n=0 inc=$LOG/inc

	mkdir -p "$inc/gnu"
	: >"$inc/gnu/stubs-32.h"
	for f in $(core_c); do
		n=$((n + 1))
		$CC -m32 -std=gnu11 -O1 -fno-inline -ffreestanding -Iuapi -I"$inc" \
			-isystem "/usr/include/$($CC -print-multiarch)" -c "$f" -o "$LOG/x.o" || {
			rc=1
			continue
		}
		objdump -dr "$LOG/x.o" | awk -v f="$f" '
			/^[0-9a-f]+ <.*>:$/ { fn = $2; gsub(/[<>:]/, "", fn) }
			/R_386.*__u?(div|mod|divmod)di[34]/ && fn !~ /^pxs_div64/ {
				print f ": 64-bit division in " fn "()"; bad = 1 }
			END { exit bad }' || rc=1
		if grep -q 'pxs_div64' "$f" && ! grep -qx "$f" selftests/lint/division; then
			echo "$f: pxs_div64() outside a control path (selftests/lint/division)"
			rc=1
		fi
	done
	[ $n -gt 0 ] || { echo "kmod/core has no .c files"; return 4; }
	return $rc
}

# The kernel's stack is 16 KiB for everybody on it.
step_core_stack()
{
	local f rc=0

	for f in $(core_c); do
		$CC -std=gnu11 -O2 -ffreestanding -Iuapi -Werror=frame-larger-than=1024 \
			-c "$f" -o "$LOG/x.o" || rc=1
	done
	return $rc
}

# Each planted bug still finds its place.
step_planted() { selftests/mutants/run --look; }

step_shell()
{
	command -v shellcheck >/dev/null || { echo "shellcheck is missing"; return 4; }
	# SC1090, SC1091: sourced files are found at run time.
	# shellcheck disable=SC2046  # file names without blanks
	shellcheck -x -S warning -e SC1090,SC1091 $(scripts)
}

# Tests that nobody runs: functions named only where they are. The name of some that are called is
# made of a variable.
step_uncalled()
{
	local made='^(step|build|run|after)_|_(begin|end)$'

	{ sources '*.sh' '*.list'; scripts; } | sort -u | xargs cat >"$LOG/all"
	tr -c '[:alnum:]_' '\n' <"$LOG/all" | sort | uniq -u >"$LOG/once"
	! sed -nE 's/^[[:space:]]*([a-zA-Z0-9_]+)\(\).*/\1/p' "$LOG/all" | grep -xFf "$LOG/once" |
		grep -vE "$made" | sed 's/$/() is called by nobody/' | grep .
}

step_spec()
{
	local checker

	checker=$(sources 'uapi/check-spec*' | head -n1)
	[ -n "$checker" ] || { echo "uapi/check-spec is not there"; return 4; }
	if [ -x "$checker" ]; then
		"$checker"
	else
		/usr/bin/python3 "$checker"
	fi
}

# checkpatch is in no headers package: take its three files out of the source package.
fetch_checkpatch()
{
	local dir=$CACHE/checkpatch

	[ -f "$dir/scripts/checkpatch.pl" ] && return 0
	mkdir -p "$dir.tmp"
	if [ -f /usr/src/linux-source-6.1.tar.xz ]; then
		cat /usr/src/linux-source-6.1.tar.xz
	else
		(cd "$dir.tmp" && apt-get -qq -o APT::Sandbox::User=root \
			download linux-source-6.1) >&2 || return 1
		dpkg-deb --fsys-tarfile "$dir.tmp"/*.deb | tar -xO ./usr/src/linux-source-6.1.tar.xz
	fi | tar -xJ -C "$dir.tmp" --strip-components=1 --wildcards '*/scripts/checkpatch.pl' \
		'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch' || return 1
	rm -f "$dir.tmp"/*.deb
	rm -rf "$dir"
	mv "$dir.tmp" "$dir"
}

# What checkpatch says about kernel code only, or that is wrong for ours. Everywhere: no patch
# headers, version tests in compat/. User space: its own allocators, types and headers.
CP_NOT='FILE_PATH_CHANGES,LINUX_VERSION_CODE,GIT_COMMIT_ID,EMAIL_SUBJECT,TYPO_SPELLING'
# Width is step_lines' business: it knows our log functions.
CP_NOT+=',LONG_LINE,LONG_LINE_STRING,LONG_LINE_COMMENT'
CP_NOT_COMPAT="$CP_NOT,SPACING,CONSTANT_COMPARISON,CAMELCASE,MACRO_ARG_REUSE"
CP_NOT_USER="$CP_NOT,PREFER_KERNEL_TYPES,NEW_TYPEDEFS,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE"
CP_NOT_USER+=',AVOID_EXTERNS,SSCANF_TO_KSTRTO,NAKED_SSCANF,STRCPY,STRLCPY,STRNCPY,CONST_STRUCT'
CP_NOT_USER+=',ENOSYS,CAMELCASE,PREFER_FALLTHROUGH,ALLOC_SIZEOF_STRUCT,MACRO_ARG_REUSE'
CP_NOT_USER+=',UNCOMMENTED_DEFINITION,MACRO_ARG_PRECEDENCE,INCLUDE_LINUX'
CP_NOT_USER+=',BIT_MACRO,MINMAX,SUSPECT_COMMA_SEMICOLON,ARCH_INCLUDE_LINUX,USE_FUNC'
CP_NOT_USER+=',EMBEDDED_FUNCTION_NAME,LINE_SPACING'
# Macros that are lists of initializers; the command has no ARRAY_SIZE().
CP_NOT_USER+=',COMPLEX_MACRO,ARRAY_SIZE'
# Tests: what is expected may be long text; a check may end its test.
CP_NOT_TEST="$CP_NOT_USER,SPLIT_STRING,STRING_FRAGMENTS,MACRO_WITH_FLOW_CONTROL"
CP_NOT_TEST+=',QUOTED_WHITESPACE_BEFORE_NEWLINE,PARENTHESIS_ALIGNMENT'

# checkpatch IGNORED: the files on standard input
checkpatch()
{
	xargs -r perl "$CACHE/checkpatch/scripts/checkpatch.pl" --no-tree --strict --show-types \
		--terse --quiet --no-summary "--max-line-length=$MAX_LINE" --ignore "$1" -f
}

step_checkpatch()
{
	local rc=0

	fetch_checkpatch || { echo "checkpatch.pl: no linux-source-6.1 to take it from"; return 4; }
	sources 'kmod/*.c' 'kmod/*.h' | grep -vE '^kmod/(compat/|trace\.h|core/platform\.h)' |
		checkpatch "$CP_NOT" || rc=1
	# TRACE_EVENT() has a layout of its own.
	sources kmod/trace.h | checkpatch "$CP_NOT,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT" || rc=1
	# The idiom of netlink headers: "#define X_MAX (__X_MAX - 1)" right below its enum.
	sources 'uapi/*.h' | checkpatch "$CP_NOT,LINE_SPACING" || rc=1
	sources 'kmod/compat/*.h' | checkpatch "$CP_NOT_COMPAT" || rc=1
	# platform.h is half user space.
	sources kmod/core/platform.h 'agent/*.c' 'agent/*.h' | checkpatch "$CP_NOT_USER" || rc=1
	sources 'selftests/*.c' 'selftests/*.h' | checkpatch "$CP_NOT_TEST" || rc=1
	return $rc
}

# build NAME [ARGS]: the module, from nothing, in a directory of its own.
build()
{
	local name=$1

	shift
	PXS_FRESH=1 PXS_STAGE=$LOG/$name selftests/vm/kernels.sh build "$KERNEL" -k "$@" 2>&1
}

step_warnings()
{
	build w1 W=1e >"$LOG/w1.log" && return 0
	grep -A3 -E 'error|warning' "$LOG/w1.log"
	return 1
}

# Where sparse can't run the kernel's build only mentions it: count what was checked.
step_sparse()
{
	local checked objects rc=0

	command -v sparse >/dev/null || { echo "sparse is missing"; return 4; }
	build sparse C=2 CF="-D__CHECK_ENDIAN__ -Wsparse-error" >"$LOG/sparse.log" || rc=1
	grep -E '(warning|error):' "$LOG/sparse.log" && rc=1
	checked=$(grep -c '^ *CHECK ' "$LOG/sparse.log")
	objects=$(grep '^paxsteer-y' Kbuild | grep -oE '[a-z0-9_]+\.o\b' | wc -l)
	echo "checked $checked of $objects files"
	[ "$checked" -ge "$objects" ] && [ "$objects" -gt 0 ] || rc=1
	return $rc
}

# Bounded: unbounded it needs minutes for nested loops (rendezvous.c). It takes any function of
# another file for one that may return 0 with nothing set; -Wmaybe-uninitialized is on anyway.
ANALYZER='-fanalyzer --param=analyzer-bb-explosion-factor=2'
ANALYZER+=' -Wno-analyzer-use-of-uninitialized-value'

step_analyzer()
{
	build analyzer KCFLAGS="-Werror $ANALYZER" >"$LOG/an.log" && return 0
	grep -A8 -E 'error|warning' "$LOG/an.log"
	return 1
}

step_cppcheck()
{
	command -v cppcheck >/dev/null || { echo "cppcheck is missing"; return 4; }
	[ -n "$(sources 'agent/*.c')" ] || { echo "agent has no .c files"; return 4; }
	sources 'agent/*.c' | xargs cppcheck --quiet --std=c11 \
		--enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppress=missingIncludeSystem --suppress=invalidPrintfArgType_uint \
		--include=selftests/lint/cppcheck.h -D__x86_64__ -Iuapi -Ikmod -Iagent
}

[ "${1:-}" != --list ] || { printf '%s\n' "${STEPS[@]}"; exit 0; }
[ $# -gt 0 ] || set -- "${STEPS[@]}"
pass=0 fail=0 skip=0 number=0
echo "1..$#"
for step; do
	number=$((number + 1))
	declare -F "step_${step//-/_}" >/dev/null || { echo "no step '$step'" >&2; exit 2; }
	t0=$SECONDS
	"step_${step//-/_}" >"$LOG/out" 2>&1
	rc=$?
	case $rc in
	0)	echo "ok $number - $step ($((SECONDS - t0)) s)"; pass=$((pass + 1)) ;;
	4)	echo "ok $number - $step # SKIP $(tail -n 1 "$LOG/out")"; skip=$((skip + 1)) ;;
	*)	head -n 60 "$LOG/out" | sed 's/^/# /'
		[ "$(wc -l <"$LOG/out")" -le 60 ] || echo "# ... $(wc -l <"$LOG/out") lines in all"
		echo "not ok $number - $step"
		fail=$((fail + 1)) ;;
	esac
done
echo "$pass passed, $fail failed, $skip skipped"
[ $fail = 0 ]
