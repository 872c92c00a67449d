/* Any bytes as datapackage.json or documents.json: members come whole, and a text that the JSON reader takes
 * too gives the same. */
#include "tests/harness/bytes.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/portable/member.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Where the whole text is JSON, each value is the one that stands there. */
static void compare(const json_t *whole, const struct member *m, size_t *place, char *key)
{
    const json_t *there = json_object_get(whole, m->key);

    if (strcmp(key, m->key) != 0)
        *place = 0;
    (void)memcpy(key, m->key, sizeof m->key);
    must(there != NULL);
    must(m->element == json_is_array(there));
    must(json_equal(m->value, m->element ? json_array_get(there, (*place)++) : there));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long live = mem_live();
    struct bytes in = {.text = {(const char *)data, size},
                       .piece = size && data[size - 1] % 4 == 0 ? 1 + (size_t)data[size - 1] : SIZE_MAX};
    struct member m;
    json_t *whole = NULL;
    char key[MEMBER_KEY_BYTES] = "";
    size_t place = 0;
    enum err e;

    json_start();
    if (json_read((struct str){(const char *)data, size}, MIB, &whole))
        whole = NULL;
    member_init(&m, bytes_get, &in);
    while (!(e = member_next(&m))) {
        must(m.value && *m.key);
        if (whole)
            compare(whole, &m, &place, key);
    }
    must(e == ERR_NOT_FOUND || e == ERR_INVALID || e == ERR_TOO_LARGE);
    member_done(&m);
    json_decref(whole);
    must(mem_live() == live);
    return 0;
}
