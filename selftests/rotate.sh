# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# rotate.sh - the keys that a member's configuration file names, for tests
#
# The file is written anew and the daemon told by SIGHUP, as an operator does it.

# rotate_new FILE: make a key
rotate_new()
{
	head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$1"
	chmod 600 "$1"
}

# rotate_conf CONF KEY ID [ALSO-KEY ID]: which keys it names, and no others
rotate_conf()
{
	sed -i -E "s|key-file = \"[^\"]*\"( also-key-file = \"[^\"]*\")?|key-file = \"$2\"${4:+ also-key-file = \"$4\"}|
		s|^(group [0-9]+ \{)( key-id = [0-9]+ also-key-id = [0-9]+)?|\1 key-id = $3 also-key-id = ${5:-0}|" \
		"$1"
}

# rotate_steps OLD NEW: what the three steps of a rotation from key 1 to key 2 say, one a line
rotate_steps()
{
	echo "$1 1 $2 2"
	echo "$2 2 $1 1"
	echo "$2 2"
}
