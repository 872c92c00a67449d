#!/bin/sh
# The command line under valgrind: no error, nothing lost. program_valgrind.sh PROGRAM FIXTURES
set -eu

program=$1 fixtures=$2
dir=$(mktemp -d)
trap 'rm -rf -- "$dir"' EXIT
umask 077
echo "a passphrase of nobody at all" >"$dir/passphrase"

watched() {
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect "$program" "$@" >"$dir/out" 2>"$dir/err" || {
        status=$?
        echo "traboule $1: exit $status"
        cat "$dir/err"
        return 1
    }
}

watched init "$dir/store" --passphrase-file "$dir/passphrase" --key-file "$dir/key" --kdf-memory-mib 64
for file in sections autumn meter-change bad-lines; do
    watched import "$dir/store" "$fixtures/$file.csv" --key-file "$dir/key" --json
done
for step in PT30M P1D P1M; do
    watched query "$dir/store" energy.electricity.consumption --step "$step" --key-file "$dir/key"
done
watched datasets "$dir/store" --key-file "$dir/key"
watched sources "$dir/store" --key-file "$dir/key" --json
watched imports "$dir/store" --key-file "$dir/key"
watched check "$dir/store" --passphrase-file "$dir/passphrase"
echo "12 commands, no error"
