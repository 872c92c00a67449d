#!/bin/sh
# No source past 600 lines. (Functions are held to 60 by clang-tidy.)
#
#   sizes.sh ROOT
set -eu
cd "$1"

find pds consent connectors demo tests \( -name node_modules -o -path tests/fuzz/corpus \) -prune -o \
    \( -name '*.[ch]' -o -name '*.js' -o -name '*.mjs' -o -name '*.css' -o -name '*.sh' \) -type f -print 2>/dev/null |
    xargs awk 'FNR > 600 && !(FILENAME in seen) { seen[FILENAME] = 1; print FILENAME ": longer than 600 lines"; bad = 1 }
               END { exit bad }'
