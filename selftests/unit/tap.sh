# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# tap.sh - results of a test in bash that run.sh counts
#
# To be read by it; results_end is its last command, and its exit status.

n=0
failed=0
# What the command that was tried said: shown where a result is not good.
said=/dev/null

# result OK NAME: 0 is good
result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
		return
	fi
	sed 's/^/# /' "$said"
	echo "not ok $n - $2"
	failed=$((failed + 1))
}

results_end()
{
	echo "1..$n"
	[ $failed = 0 ]
}
