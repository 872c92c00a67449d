/* keys.json as anyone may have left it. What reads is written and read again, and its cheap slots are
 * tried; a passphrase never is, since the file may ask for 4 GiB and 64 passes. */
#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/random.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void start_once(void)
{
    static bool started;

    if (started)
        return;
    must(random_start() == ERR_OK);
    json_start();
    started = true;
}

static void try_slots(const struct keyfile *k)
{
    static const uint8_t KEY[KEY_BYTES] = {1};
    static const char CODE[] = "008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY";
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    struct store_key *root = NULL;

    must(secret_text_new(CODE, strlen(CODE), &code) == ERR_OK);
    must(keyfile_open_keyfile(k, KEY, &root) == ERR_WRONG_KEY);
    must(keyfile_open_recovery(k, code, &root) == ERR_WRONG_KEY);
    must(root == NULL);
}

static void write_and_read(const struct keyfile *k)
{
    AUTO(keyfile_freep) struct keyfile *again = NULL;
    struct buf text, same;

    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    buf_init(&same, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&text, k);
    must(buf_err(&text) == ERR_OK);
    must(keyfile_parse((struct str){text.data, text.len}, &again) == ERR_OK);
    keyfile_write(&same, again);
    must(same.len == text.len && memcmp(same.data, text.data, text.len) == 0);
    buf_done(&text);
    buf_done(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(keyfile_freep) struct keyfile *k = NULL;
    enum err e;

    start_once();
    e = keyfile_parse((struct str){(const char *)data, size}, &k);
    must((e == ERR_OK) == (k != NULL));
    must(e == ERR_OK || e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
    if (e == ERR_OK) {
        write_and_read(k);
        try_slots(k);
    }
    return 0;
}
