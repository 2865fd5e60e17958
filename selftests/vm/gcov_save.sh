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
# debugfs tells no sizes: cp reads to the end. One process: a new one takes a second there.
cp -R "${dir%/kmod/main.gcda}" /tmp/gcda
find /tmp/gcda -name '*.gcno' -delete
[ -z "$(find /tmp/gcda -name '*.gcda' -empty)" ]
tar -cf "$PXS_OUT/gcda.tar" -C /tmp/gcda .
echo "ok 1 - $(find /tmp/gcda -name '*.gcda' | wc -l) files of counters"
