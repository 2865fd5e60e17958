#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# gcov_save.sh - save the module's line counters, in the machine, for coverage.sh
#
# They outlive the module. A counter's place below gcov/ is that of its object file.
set -e
echo 1..1
cd /sys/kernel/debug/gcov
dir=$(find . -path '*/kmod/main.gcda' | head -n1)
dir=${dir%/kmod/main.gcda}
mkdir -p /tmp/gcda
(cd "$dir" && find . -name '*.gcda') | while read -r f; do
	mkdir -p "/tmp/gcda/${f%/*}"
	# debugfs tells no sizes: read to the end.
	cat "$dir/$f" >"/tmp/gcda/$f"
done
tar -cf "$PXS_OUT/gcda.tar" -C /tmp/gcda .
echo "ok 1 - $(find /tmp/gcda -name '*.gcda' | wc -l) files of counters"
