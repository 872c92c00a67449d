#!/bin/sh
# The documents agree with the tables: every command and every address is told in docs/ or the README, links
# lead somewhere, decisions have their four parts, the glossary its three columns.
#
#   docs.sh ROOT
set -eu
cd "$1"
bad=0
complain() {
    echo "$*"
    bad=1
}

pages=$(find README*.md CONTRIBUTING.md SECURITY.md docs -name '*.md' 2>/dev/null | LC_ALL=C sort)

# Rows of COMMANDS and ROUTES open with the word they are about.
if [ -f pds/cli/command.c ]; then
    for command in $(sed -n '/^const struct command COMMANDS/,/^};/s/^ *{"\([a-z]*\)".*/\1/p' pds/cli/command.c); do
        # shellcheck disable=SC2086 # words on purpose
        grep -qE "traboule $command\b" $pages || complain "no page tells \"traboule $command\""
    done
fi
if [ -f pds/api/route.c ] && [ -f docs/api.md ]; then
    sed -n 's/^ *{"\([A-Z]*\)", *"\([^"]*\)".*/\1 \2/p' pds/api/route.c >"${TMPDIR:-/tmp}/routes.$$"
    while read -r method path; do
        grep -qF "\`$method $path\`" docs/api.md || complain "docs/api.md lacks \`$method $path\`"
    done <"${TMPDIR:-/tmp}/routes.$$"
    rm -f "${TMPDIR:-/tmp}/routes.$$"
fi

for page in $pages; do
    folder=$(dirname "$page")
    for link in $(grep -oE '\]\([^)# ]+' "$page" | sed 's/^](//' | grep -vE '^[a-z]+:' || true); do
        [ -e "$folder/$link" ] || complain "$page: there is no $link"
    done
done

for page in docs/decisions/[0-9]*.md; do
    [ -e "$page" ] || continue
    for part in Context Options Choice Consequences; do
        grep -q "^## $part" "$page" || complain "$page: no part \"$part\""
    done
done
twice=$(find docs/decisions -name '[0-9]*.md' 2>/dev/null | sed 's|.*/\([0-9]*\)-.*|\1|' | sort | uniq -d)
[ -z "$twice" ] || complain "two decisions have the number $twice"

# | **term** | French | one line |
if [ -f docs/glossary.md ]; then
    awk -F '|' '/^\| \*\*/ { for (i = 2; i <= 4; i++) if ($i ~ /^ *$/ || NF != 5) { print "docs/glossary.md:" FNR ": a row has three columns"; bad = 1; break }
                             if (tolower($2) in seen) { print "docs/glossary.md:" FNR ": told twice:" $2; bad = 1 }
                             seen[tolower($2)] = 1 }
                END { exit bad }' docs/glossary.md || bad=1
fi
exit $bad
