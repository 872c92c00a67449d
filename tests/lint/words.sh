#!/bin/sh
# No sentence left for later, no word that the glossary avoids.
#
#   words.sh ROOT
set -eu
cd "$1"
bad=0

list=$(find . \( -path ./.git -o -path ./build -o -name node_modules -o -path ./tests/fuzz/corpus -o -path ./tests/lint -o -path ./tests/vectors \
    -o -name package-lock.json -o -name LICENSE -o -name '*.csv' -o -name '*.svg' \) -prune -o -type f -print | LC_ALL=C sort)

# Write the sentence that tells the limit, or open an issue.
if printf '%s\n' "$list" | xargs grep -nIwE 'TODO|FIXME|XXX|HACK|WIP'; then
    bad=1
fi

# docs/glossary.md: the part "Words we do not use" has rows "| avoid | say |".
[ ! -f docs/glossary.md ] || avoided=$(awk -F '|' '
    /^## /{ on = /Words we do not use/ }
    on && /^\|/ && $2 !~ /^ *(-+|avoid) *$/ { gsub(/^ +| +$/, "", $2); print $2 }' docs/glossary.md | paste -sd '|')
if [ -n "${avoided:-}" ] && printf '%s\n' "$list" | grep -v '^\./docs/glossary\.md$' | grep -E '\.(c|h|md|js|json|sql|html)$' |
    xargs grep -nIiwE "$avoided"; then
    echo "docs/glossary.md says what to write instead"
    bad=1
fi
exit $bad
