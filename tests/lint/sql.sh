#!/bin/sh
# Prepares every SQL_* constant of the sources against the migrated schema.
#
#   sql.sh ROOT [CC]     needs the sqlite3 program
set -eu
cd "$1"
cc=${2:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for step in pds/vault/migrations/*.sql; do
    sqlite3 -bail "$work/schema.db" <"$step" || { echo "$step: does not run" && exit 1; }
done

# The preprocessor puts macros in; what is left of a constant is one or more string literals.
: >"$work/list"
grep -lrE --include='*.c' 'SQL_[A-Z0-9_]+\[\]' pds consent connectors 2>/dev/null | LC_ALL=C sort >"$work/files" || true
while read -r file; do
    "$cc" -E -P -std=c17 -D_GNU_SOURCE -I. "$file" | tr '\n' ' ' | awk -v file="$file" '
    {
        text = $0
        while (match(text, /[^A-Za-z0-9_]SQL_[A-Z0-9_]+\[\][ ]*=[ ]*/)) {
            name = substr(text, RSTART + 1, RLENGTH - 1)
            sub(/\[.*/, "", name)
            text = substr(text, RSTART + RLENGTH)
            sql = ""
            while (match(text, /^[ ]*"([^"\\]|\\.)*"/)) {
                literal = substr(text, RSTART, RLENGTH)
                text = substr(text, RSTART + RLENGTH)
                sub(/^[ ]*"/, "", literal)
                sub(/"$/, "", literal)
                gsub(/\\n|\\t/, " ", literal)
                gsub(/\\"/, "\"", literal)
                sql = sql literal
            }
            sub(/;[ ]*$/, "", sql)
            if (sql ~ /^[ ]*$/) { print file "\t" name "\t"; continue }
            print file "\t" name "\tEXPLAIN " sql ";"
        }
    }' >>"$work/list"
done <"$work/files"

[ -s "$work/list" ] || { echo "no SQL_* constant found: is this lint still right?" && exit 1; }
cut -f3 "$work/list" | sqlite3 "$work/schema.db" >/dev/null 2>"$work/errors" || true
[ ! -s "$work/errors" ] || {
    # "Parse error near line 3: no such column: x": each statement is one line.
    awk -F '\t' 'NR == FNR { at[FNR] = $1 ": " $2; next }
        match($0, /line [0-9]+/) { print at[substr($0, RSTART + 5, RLENGTH - 5)] ": " $0; next }
        { print }' "$work/list" "$work/errors"
    exit 1
}
echo "$(wc -l <"$work/list") statements"
