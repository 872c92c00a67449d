#!/bin/sh
# Holds every #include to the module's USES in CMakeLists.txt, *_internal.h to their folder, and headers of
# third parties to the one module that owns them. An app's handlers may not reach the store.
#
#   layers.sh ROOT USES     USES has a line a module: "pds/vault: pds/base pds/crypto"
set -eu
cd "$1"
uses=$2

roots=
for folder in pds consent connectors demo; do
    [ -d $folder ] && roots="$roots $folder"
done
# shellcheck disable=SC2086 # words on purpose
find $roots -name '*.[ch]' | LC_ALL=C sort | xargs awk -v uses="$uses" '
function told(text) { print FILENAME ":" FNR ": " text; bad = 1 }
BEGIN {
    while ((getline line < uses) > 0) {
        n = split(line, word, /[: ]+/)
        is_module[word[1]] = 1
        for (i = 2; i <= n; i++) if (word[i] != "") may[word[1], word[i]] = 1
    }
    # Who owns a header of others; * is everybody. What has no row must be of the C library or Linux.
    owner["sodium.h"] = "pds/crypto"
    owner["cpuid.h"] = owner["immintrin.h"] = "pds/crypto"
    owner["sqlite3.h"] = "pds/vault"
    owner["microhttpd.h"] = "pds/httpd"
    owner["jansson.h"] = "*"
    owner["expat.h"] = "connectors/files"
    owner["archive.h"] = owner["archive_entry.h"] = "pds/archive"
    owner["curl/curl.h"] = "connectors/kit"
    known = " aio.h arpa/inet.h assert.h complex.h ctype.h dirent.h dlfcn.h elf.h endian.h errno.h fcntl.h fenv.h float.h" \
        " fnmatch.h ftw.h glob.h grp.h iconv.h ifaddrs.h inttypes.h iso646.h langinfo.h libgen.h limits.h link.h locale.h" \
        " malloc.h math.h net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h regex.h sched.h semaphore.h" \
        " setjmp.h signal.h spawn.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h" \
        " stdnoreturn.h string.h strings.h syslog.h termios.h threads.h time.h uchar.h unistd.h wchar.h wctype.h "
}
FNR == 1 {
    module = FILENAME
    sub(/\/[^\/]*$/, "", module)
    if (FILENAME == "pds/main.c") module = "pds/cli"
    if (!(module in is_module)) told("no module() of CMakeLists.txt has this folder")
}
/^[ \t]*#[ \t]*include/ {
    text = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", text)
    if (text ~ /^"[^"]*"/) {
        split(text, part, "\"")
        path = part[2]
        folder = path
        if (!sub(/\/[^\/]*$/, "", folder)) { told("\"" path "\" is not the path on disk"); next }
        if (folder ~ /^tests\//) { told("the program may not include tests: " path); next }
        if (folder != module && !((module, folder) in may)) told(module " does not use " folder ": " path)
        if (path ~ /_internal\.h$/ && folder != module) told(path " stays in its folder")
        if (FILENAME ~ /^pds\/api\/app_/ && folder == "pds/store") told("an app reaches data through consent/enforce.h: " path)
        if ((getline line < path) < 0) told("there is no " path)
        close(path)
    } else if (text ~ /^<[^>]*>/) {
        split(text, part, /[<>]/)
        name = part[2]
        if (name in owner) {
            if (owner[name] != "*" && owner[name] != module) told("<" name "> belongs to " owner[name])
        } else if (name !~ /^(sys|linux|asm)\// && index(known, " " name " ") == 0)
            told("<" name "> has no owner: name one in tests/lint/layers.sh")
    } else
        told("an #include that this lint cannot read")
}
END { exit bad }
'
