#!/bin/sh
# Each lint passes a small clean tree and fails the same tree with one mistake planted in it.
#
#   selftest.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# A tree of two modules, correct in every way.
plant() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree" && cd "$work/tree"
    mkdir -p pds/base pds/vault/migrations pds/api pds/cli pds/web docs/decisions tests/unit demo build
    cp "$here/../../.clang-format" "$here/../../.clang-tidy" .
    printf 'pds/base:\npds/vault: pds/base\npds/api: pds/base pds/vault\npds/cli: pds/base\npds/store: pds/vault\ndemo: pds/base\n' >uses
    cat >pds/base/word.h <<'END'
/* A word. */
#ifndef BASE_WORD_H
#define BASE_WORD_H
#include <stddef.h>

size_t word_length(const char *word);
#endif
END
    cat >pds/base/word.c <<'END'
#include "pds/base/word.h"

#include <string.h>

size_t word_length(const char *word) { return strlen(word); /* not strcpy(), nor "strcpy()" */ }
END
    cat >pds/vault/thing.c <<'END'
#include "pds/base/word.h"

#include <sqlite3.h>

static const char SQL_FIND[] = "SELECT name "
                               "FROM thing WHERE number = ?1";

size_t thing_length(void);
size_t thing_length(void) { return word_length(SQL_FIND) + (size_t)sqlite3_libversion_number(); }
END
    echo 'CREATE TABLE thing (number INTEGER PRIMARY KEY, name TEXT) STRICT;' >pds/vault/migrations/001_thing.sql
    echo 'int main(void);' >tests/unit/test_word.c
    printf 'const struct command COMMANDS[] = {\n    {"init", "STORE", "make"},\n};\n' >pds/cli/command.c
    printf 'const struct route ROUTES[] = {\n    {"GET", "/health", 0},\n};\n' >pds/api/route.c
    echo '# Addresses: `GET /health`, [and back](README.md)' >docs/api.md
    echo 'Type traboule init STORE.' >docs/README.md
    printf '# 1\n## Context\n## Options\n## Choice\n## Consequences\n' >docs/decisions/0001-x.md
    printf '| **word** | mot | one line |\n\n## Words we do not use\n| avoid | say |\n|---|---|\n| widget | thing |\n' >docs/glossary.md
    printf '#!/bin/sh\necho "$HOME"\n' >demo/run
    printf '[{"directory": "%s",\n  "command": "cc -I. -c pds/base/word.c",\n  "file": "%s/pds/base/word.c"}]\n' \
        "$PWD" "$PWD" >build/compile_commands.json
}

compile() { # the library of pds/base
    rm -f build/*.o build/*.a
    for file in pds/base/*.c; do cc -I. -c "$file" -o "build/$(basename "$file" .c).o"; done
    ar rc build/libpds_base.a build/*.o
}

run() { # LINT: as tests.cmake runs it
    case $1 in
    layers) "$here/layers.sh" "$work/tree" "$work/tree/uses" ;;
    allocations) compile && node "$here/allocations.mjs" "$work/tree" "$work/tree/build" ;;
    tidy) "$here/tidy.sh" "$work/tree" "$work/tree/build" "$work/tree/pds/base/word.c" ;;
    *) "$here/$1.sh" "$work/tree" ;;
    esac >"$work/said" 2>&1
}

# LINT WHAT TEXT: planting the mistake by a script on standard input must fail it, with TEXT told.
must_fail() {
    plant
    sh -eu -s
    if run "$1"; then
        echo "$1 lets pass: $2"
        bad=1
    elif ! grep -q -- "$3" "$work/said"; then
        echo "$1 fails for another reason than $2:"
        cat "$work/said"
        bad=1
    fi
}

plant
for lint in layers sizes headers banned sql words stems docs format shell allocations cppcheck tidy; do
    run $lint || { echo "$lint refuses a clean tree:" && cat "$work/said" && bad=1; }
done

must_fail layers "a module it does not use" "pds/base does not use pds/vault" <<'END'
echo '#include "pds/vault/other.h"' >>pds/base/word.c
END
must_fail layers "an internal header elsewhere" "stays in its folder" <<'END'
echo 'int x;' >pds/base/word_internal.h
echo '  #  include "pds/base/word_internal.h"' >>pds/vault/thing.c
END
must_fail layers "SQLite outside the vault" "belongs to pds/vault" <<'END'
echo '#include <sqlite3.h>' >>pds/base/word.c
END
must_fail layers "a library that nobody owns" "has no owner" <<'END'
echo '#include <openssl/evp.h>' >>pds/base/word.c
END
must_fail layers "a header that is not there" "there is no pds/base/none.h" <<'END'
echo '#include "pds/base/none.h"' >>pds/vault/thing.c
END
must_fail layers "a short path" "not the path on disk" <<'END'
echo '#include "word.h"' >>pds/base/word.c
END
must_fail layers "an app that reaches the store" "consent/enforce.h" <<'END'
mkdir pds/store && printf 'int x;\n' >pds/store/record.h
sed -i 's|^pds/api:.*|pds/api: pds/base pds/store|' uses
echo '#include "pds/store/record.h"' >pds/api/app_record.c
END
must_fail layers "a folder without a module" "no module()" <<'END'
mkdir pds/extra && echo 'int x;' >pds/extra/extra.c
END
must_fail sizes "601 lines" "longer than 600" <<'END'
seq 601 | sed 's|.*|/* & */|' >pds/base/long.c
END
must_fail headers "a header that needs another" "does not compile alone" <<'END'
printf '#ifndef BASE_NEEDY_H\n#define BASE_NEEDY_H\nsize_t needy(void);\n#endif\n' >pds/base/needy.h
END
must_fail headers "another guard" "the guard is not BASE_OTHER_H" <<'END'
printf '#ifndef OTHER_H\n#define OTHER_H\n#endif\n' >pds/base/other.h
END
must_fail banned "strcpy" "strcpy(): no length" <<'END'
echo 'void f(char *a) { strcpy(a, "x"); }' >>pds/base/word.c
END
must_fail banned "malloc outside the allocator" "one allocator" <<'END'
echo 'void *f(void) { return malloc(1); }' >>pds/base/word.c
END
must_fail banned "markup from text" "innerHTML" <<'END'
echo 'node.innerHTML = text;' >pds/web/page.js
END
must_fail sql "a column that is not there" "thing.c: SQL_FIND" <<'END'
sed -i 's/SELECT name/SELECT title/' pds/vault/thing.c
END
must_fail sql "a migration that does not run" "001_thing.sql" <<'END'
echo 'CREATE TABEL x (y);' >>pds/vault/migrations/001_thing.sql
END
must_fail words "a sentence left for later" "word.c" <<'END'
echo "/* TO""DO: the rest */" >>pds/base/word.c
END
must_fail words "a word the glossary avoids" "instead" <<'END'
echo '/* the widget */' >>pds/base/word.c
END
must_fail stems "a stem twice" "in more than one folder" <<'END'
echo 'int x;' >pds/vault/word.c
END
must_fail stems "a test of nothing" "there is no nothing.c" <<'END'
echo 'int x;' >tests/unit/test_nothing.c
END
must_fail docs "a command nobody tells" "traboule lose" <<'END'
sed -i 's/^};/    {"lose", "STORE", "lose it"},\n};/' pds/cli/command.c
END
must_fail docs "an address nobody tells" "GET /nowhere" <<'END'
sed -i 's|^};|    {"GET", "/nowhere", 0},\n};|' pds/api/route.c
END
must_fail docs "a link to nothing" "there is no gone.md" <<'END'
echo '[gone](gone.md)' >>docs/api.md
END
must_fail docs "a decision without its parts" 'no part "Choice"' <<'END'
sed -i '/Choice/d' docs/decisions/0001-x.md
END
must_fail docs "a word without its French" "three columns" <<'END'
sed -i 's/| mot |/|  |/' docs/glossary.md
END
must_fail format "a careless layout" "word.c" <<'END'
echo 'int   f( void ) ;' >>pds/base/word.c
END
must_fail shell "an unquoted name" "SC2086" <<'END'
printf '#!/bin/sh\nrm $1\n' >demo/run
END
must_fail allocations "an allocation that no test lets fail" "word_copy allocates" <<'END'
for folder in crypto vault audit; do mkdir -p pds/$folder; done && mkdir -p connectors/files
sed -i 's|^#endif|#define MUST_CHECK\nMUST_CHECK int word_copy(const char *word);\n&|' pds/base/word.h
echo 'void *mem_new(size_t n); int word_copy(const char *word) { return mem_new(word_length(word)) != 0; }' >>pds/base/word.c
END
must_fail cppcheck "a read past the end" "word.c" <<'END'
echo 'int f(void) { int a[2] = {0, 0}; return a[2]; }' >>pds/base/word.c
END
must_fail tidy "a function of 70 lines" "readability-function-size" <<'END'
{ echo 'int f(int x); int f(int x) {' && seq 70 | sed 's/.*/x += &;/' && echo 'return x; }'; } >>pds/base/word.c
END

exit $bad
