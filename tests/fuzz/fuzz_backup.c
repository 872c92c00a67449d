/* What an age file may hold in the place of a backup: sealed here, so that the bytes come to the reader of
 * the tar and of the manifest. */
#include "tests/harness/bytes.h"
#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/crypto/random.h"
#include "pds/portable/backup_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 4 * 1024 * 1024 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t BASE_POINT[AGE_RECIPIENT_BYTES] = {9};
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(age_reader_freep) struct age_reader *r = NULL;
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    AUTO(buf_done) struct buf file;
    struct bytes s;
    struct age_keys keys = {0};

    must(random_start() == ERR_OK);
    json_start();
    buf_init(&file, FILE_MAX);
    must(!age_writer_new(BASE_POINT, bytes_put, &file, &w) && !age_write(w, data, size) && !age_finish(w));
    keys.file_key = age_file_key(w);
    s = (struct bytes){.text = {file.data, file.len}};
    must(age_reader_new(&keys, bytes_get, &s, &r) == ERR_OK);
    if (backup_walk(r, NULL, NULL, &m) == ERR_OK)
        must(m.count > 0 && strcmp(m.entries[0].path, BACKUP_DATABASE) == 0);
    return 0;
}
