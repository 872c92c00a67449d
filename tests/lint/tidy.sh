#!/bin/sh
# clang-tidy over every source that the build compiles: its mistakes, and no function past 60 lines.
#
#   tidy.sh ROOT BUILD [FILE…]     BUILD holds compile_commands.json; FILE: these alone
set -eu
cd "$1"
build=$2
shift 2

if [ $# -gt 0 ]; then
    printf '%s\n' "$@"
else
    sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$build/compile_commands.json" | LC_ALL=C sort -u
fi | grep '\.c$' | grep -v "^$build/" | xargs -P 2 -n 4 clang-tidy --quiet -p "$build" 2>"$build/tidy.txt" || {
    grep -v 'warnings generated\|Suppressed\|Use -header-filter' "$build/tidy.txt" >&2 || true
    exit 1
}
