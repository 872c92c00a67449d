#!/bin/sh
# Each header compiles alone and has the guard that its path tells: pds/base/err.h has BASE_ERR_H.
#
#   headers.sh ROOT [CC]
set -eu
cd "$1"
cc=${2:-cc}

list=$(find pds consent connectors demo tests/harness -name '*.h' 2>/dev/null | LC_ALL=C sort)
bad=0

printf '%s\n' "$list" | xargs awk '
FNR == 1 {
    if (file != "" && last != "#endif") { print file ": does not end with #endif"; bad = 1 }
    file = FILENAME
    n = split(FILENAME, part, "/")
    guard = toupper(part[n - 1] "_" part[n])
    gsub(/[^A-Z0-9]/, "_", guard)
    found = 0
}
!found && /^#/ {
    found = 1
    if ($0 != "#ifndef " guard) { print FILENAME ":" FNR ": the guard is not " guard; bad = 1 }
    else if ((getline line) <= 0 || line != "#define " guard) { print FILENAME ":" FNR + 1 ": the guard is not defined"; bad = 1 }
}
{ last = $0 }
END {
    if (last != "#endif") { print file ": does not end with #endif"; bad = 1 }
    exit bad
}' || bad=1

printf '%s\n' "$list" | xargs -P 2 -n 12 sh -c '
cc=$1
shift
for header in "$@"; do
    printf "#include \"%s\"\n" "$header" | "$cc" -std=c17 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1 ||
        { echo "$header: does not compile alone" && exit 1; }
done' sh "$cc" || bad=1
exit $bad
