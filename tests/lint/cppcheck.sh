#!/bin/sh
# cppcheck over the sources; a false report is silenced where it stands, with the reason.
#
#   cppcheck.sh ROOT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"

folders=
for folder in pds consent connectors demo; do
    [ -d $folder ] && folders="$folders $folder"
done
# A frame may lend its variables to what it calls (autoVariables); jansson's loops are told as what they are.
# shellcheck disable=SC2086 # words on purpose
cppcheck --quiet -j 2 --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --suppress=autoVariables \
    --include="$here/cppcheck.h" -D__GNUC__ -D_GNU_SOURCE -I. $folders
