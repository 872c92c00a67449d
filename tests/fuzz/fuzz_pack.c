/* An archive as anyone may have made it: its names are labels, and its ceilings hold. */
#include "tests/harness/bytes.h"
#include "pds/archive/pack.h"
#include "pds/base/auto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 1 << 20, ENTRIES_MAX = 64 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_name(struct str name)
{
    must(name.len > 0 && name.ptr[0] != '/' && str_is_utf8(name));
    for (struct str part; str_split(&name, '/', &part);)
        must(part.len > 0 && !str_eq(part, STR("..")) && !memchr(part.ptr, '\\', part.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pack_limits LIMITS = {.bytes = BYTES_MAX, .entries = ENTRIES_MAX, .ratio = 200};
    AUTO(pack_reader_freep) struct pack_reader *r = NULL;
    struct bytes s = {.text = {(const char *)data, size}};
    static uint8_t bytes[5000];
    size_t entries = 0, total = 0;
    struct str name;
    int64_t told;

    if (pack_reader_new(1u << PACK_TAR | 1u << PACK_ZIP, &LIMITS, bytes_get, &s, &r))
        return 0;
    while (!pack_next(r, &name, &told)) {
        size_t got = 1;

        check_name(name);
        must(++entries <= ENTRIES_MAX);
        if (entries % 3 == 0) /* passed over */
            continue;
        while (got > 0 && !pack_read(r, bytes, sizeof bytes, &got)) {
            must((total += got) <= BYTES_MAX);
            if (got == 0)
                break;
        }
    }
    return 0;
}
