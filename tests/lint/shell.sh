#!/bin/sh
# Scripts are as shellcheck wants them.
#
#   shell.sh ROOT
set -eu
cd "$1"

find .ci demo tests -name node_modules -prune -o -type f -print 2>/dev/null | LC_ALL=C sort |
    xargs grep -lE '^#!/bin/(ba)?sh' | xargs shellcheck
