/* What a holder of the key can read out of a store's files: each page of vault.db and each frame of its log,
 * of whatever generation, opened as docs/vault-format.md tells and searched for texts. */
#ifndef HARNESS_IMAGE_H
#define HARNESS_IMAGE_H
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/seal.h"
#include "pds/crypto/secret.h"

#include <string.h>

enum {
    IMAGE_PAGE_BYTES = 4096,
    IMAGE_PLAIN_BYTES = IMAGE_PAGE_BYTES - SEAL_EXTRA_BYTES,
    IMAGE_LOG_HEADER_BYTES = 80,
    IMAGE_FRAME_HEADER_BYTES = 72,
    IMAGE_FRAME_BYTES = IMAGE_FRAME_HEADER_BYTES + IMAGE_PAGE_BYTES,
    IMAGE_FILE_MAX = 256 * 1024 * 1024,
    IMAGE_GROWTH = 4096 /* pages that only the log has */
};

struct image {
    struct buf db, log;
    struct page_key *key;
    uint8_t bound[STORE_ID_BYTES + 16];
    const char *const *texts; /* closed by NULL */
    size_t opened;
};

static inline bool image_open(struct image *i, const uint8_t *sealed, uint32_t number,
                              uint8_t page[static IMAGE_PLAIN_BYTES])
{
    uint8_t *at = i->bound + STORE_ID_BYTES;

    memset(at, 0, 16);
    at[3] = 1; /* a page */
    for (int b = 0; b < 4; b++)
        at[4 + b] = (uint8_t)(number >> (24 - 8 * b));
    return seal_page_open(i->key, sealed, IMAGE_PLAIN_BYTES, i->bound, sizeof i->bound, page) == ERR_OK;
}

static inline size_t image_search(struct image *i, const uint8_t *page)
{
    size_t count = 0;

    i->opened++;
    for (const char *const *text = i->texts; *text; text++)
        for (const uint8_t *at = page, *end = page + IMAGE_PLAIN_BYTES;
             (at = memmem(at, (size_t)(end - at), *text, strlen(*text))); at++)
            count++;
    return count;
}

static inline void image_read(const char *dir, const char *name, struct buf *out)
{
    char path[FS_PATH_BYTES];
    enum err e;

    buf_init(out, IMAGE_FILE_MAX);
    assert_ok(fs_join(path, dir, name));
    e = fs_read(path, IMAGE_FILE_MAX, out);
    assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
}

/* How often any of the texts stands in what can be opened, and how many pages those are. A frame's page
 * number is sealed, but is soon guessed. */
static inline size_t image_scan(const char *dir, const struct store_key *root, const uint8_t *store_id,
                                const char *const texts[], size_t *opened)
{
    struct image i = {.key = page_key_new(), .texts = texts};
    uint8_t page[IMAGE_PLAIN_BYTES];
    size_t count = 0, frames;
    uint32_t pages;

    keyring_page(root, i.key);
    memcpy(i.bound, store_id, STORE_ID_BYTES);
    image_read(dir, "vault.db", &i.db);
    image_read(dir, "vault.db-wal", &i.log);
    pages = (uint32_t)(i.db.len / IMAGE_PAGE_BYTES);
    for (uint32_t n = 1; n <= pages; n++)
        if (image_open(&i, (const uint8_t *)i.db.data + (size_t)(n - 1) * IMAGE_PAGE_BYTES, n, page))
            count += image_search(&i, page);
    frames =
        i.log.len < IMAGE_LOG_HEADER_BYTES ? 0 : (i.log.len - IMAGE_LOG_HEADER_BYTES) / IMAGE_FRAME_BYTES;
    for (size_t f = 0; f < frames; f++) {
        const uint8_t *sealed = (const uint8_t *)i.log.data + IMAGE_LOG_HEADER_BYTES + f * IMAGE_FRAME_BYTES +
                                IMAGE_FRAME_HEADER_BYTES;

        for (uint32_t n = 1; n <= pages + IMAGE_GROWTH; n++)
            if (image_open(&i, sealed, n, page)) {
                count += image_search(&i, page);
                break;
            }
    }
    *opened = i.opened;
    assert_true(i.opened == 0 || i.opened >= pages || frames > 0);
    buf_done(&i.db);
    buf_done(&i.log);
    page_key_free(i.key);
    return count;
}

static inline size_t image_count(const char *dir, const struct store_key *root, const uint8_t *store_id,
                                 const char *const texts[])
{
    size_t opened = 0, count = image_scan(dir, root, store_id, texts, &opened);

    assert_true(opened > 0); /* the right key, or the count says nothing */
    return count;
}
#endif
