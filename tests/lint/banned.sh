#!/bin/sh
# No source calls what banned.txt names; no page puts text in as markup or code.
#
#   banned.sh ROOT
set -eu
list=$(cd "$(dirname "$0")" && pwd)/banned.txt
cd "$1"
bad=0

find pds consent connectors demo -name '*.[ch]' 2>/dev/null | LC_ALL=C sort | xargs awk -v list="$list" '
function matches(file, pattern) {
    gsub(/[.]/, "[.]", pattern)
    gsub(/[*]/, ".*", pattern)
    return pattern != "" && file ~ ("^" pattern "$")
}
BEGIN {
    while ((getline line < list) > 0) {
        if (line ~ /^#/) continue
        split(line, part, /[ ]*[|][ ]*/)
        why[part[1]] = part[2]
        may[part[1]] = part[3]
    }
}
FNR == 1 { inside = 0 }
{
    line = $0
    gsub(/\\./, "", line)              # escapes in strings
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
    if (inside) { if (!sub(/^.*\*\//, "", line)) next; inside = 0 }
    if (sub(/\/\*.*/, "", line)) inside = 1
    sub(/\/\/.*/, "", line)
    while (match(line, /[A-Za-z_][A-Za-z0-9_]*[ ]*\(/)) {
        name = substr(line, RSTART, RLENGTH - 1)
        before = RSTART > 1 ? substr(line, RSTART - 1, 1) : ""
        sub(/[ ]+$/, "", name)
        line = substr(line, RSTART + RLENGTH)
        if (name in why && before != "." && before != ">" && !matches(FILENAME, may[name])) {
            print FILENAME ":" FNR ": " name "(): " why[name]
            bad = 1
        }
    }
}
END { exit bad }' || bad=1

# Text reaches a page as text; nothing runs that was not shipped.
for folder in pds/web consent; do
    [ -d $folder ] || continue
    if grep -rnE --include='*.js' --include='*.mjs' --include='*.html' \
        'innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(|new Function\(|javascript:' $folder |
        grep -v 'assemble\.mjs:'; then
        bad=1
    fi
done
exit $bad
