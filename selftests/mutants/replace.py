#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""replace.py FILE OLD NEW - plant a bug: just one place of FILE must hold OLD"""
import sys

path, old, new = sys.argv[1:]
with open(path, encoding="utf-8") as f:
    text = f.read()
if text.count(old) != 1:
    sys.exit("%s: %d places hold: %s" % (path, text.count(old), old))
with open(path, "w", encoding="utf-8") as f:
    f.write(text.replace(old, new))
