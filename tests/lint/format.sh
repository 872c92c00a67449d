#!/bin/sh
# C is laid out as .clang-format says.
#
#   format.sh ROOT
set -eu
cd "$1"

find pds consent connectors demo tests -name '*.[ch]' -not -path 'tests/fuzz/corpus/*' 2>/dev/null | LC_ALL=C sort |
    xargs clang-format --dry-run --Werror --style=file
