#!/bin/sh
# A stem names one file of the tree (main apart), and each unit test names a stem that exists.
#
#   stems.sh ROOT
set -eu
cd "$1"
bad=0

for end in c h; do
    twice=$(find pds consent connectors demo -name "*.$end" ! -name "main.$end" 2>/dev/null | sed 's|.*/||' | LC_ALL=C sort | uniq -d)
    for name in $twice; do
        echo "$name: in more than one folder"
        bad=1
    done
done

for test in tests/unit/*.c; do
    [ -e "$test" ] || continue
    stem=${test##*/}
    case $stem in
    test_*.c) stem=${stem#test_} stem=${stem%.c} ;;
    *) echo "$test: is not named test_<stem>.c" && bad=1 && continue ;;
    esac
    [ -n "$(find pds consent connectors demo \( -name "$stem.c" -o -name "$stem.h" \) 2>/dev/null)" ] ||
        { echo "$test: there is no $stem.c" && bad=1; }
done
exit $bad
