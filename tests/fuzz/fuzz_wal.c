/* The files of a store as anyone may have left them, under a key that the fuzzer has. The first byte chooses:
 * the rest is (0) the log, (1) vault.db or (2) the anchor as it lies on the disk; (3) frames of a log, sealed
 * and added up rightly, or (4) changes of pages of vault.db, sealed rightly, so that what lies behind the
 * seals is reached too. */
#include "pds/base/fs.h"
#include "pds/crypto/random.h"
#include "pds/vault/bytes_internal.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/vault.h"
#include "pds/vault/wal_scan_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DB_BYTES_MAX = 4 << 20, FRAME_INPUT = 24, CHANGE_INPUT = 4, FRAMES_MAX = 64 };

static const uint8_t ID[STORE_ID_BYTES] = "a fuzzed store";
static char dir[] = "/tmp/traboule-fuzz-XXXXXX";
static struct store_key *key;
static struct buf clean_db;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char *path_of(const char *name)
{
    static char path[FS_PATH_BYTES];

    must(fs_join(path, dir, name) == ERR_OK);
    return path;
}

static void put_file(const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(path_of(name), "wb");

    must(f && (len == 0 || fwrite(bytes, 1, len, f) == len));
    must(fclose(f) == 0);
}

static void remove_all(void)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "lock"};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        (void)unlink(path_of(NAMES[i]));
    (void)rmdir(dir);
    buf_done(&clean_db);
    store_key_free(key);
}

static void start_once(void)
{
    if (key)
        return;
    must(random_start() == ERR_OK && mkdtemp(dir) && (key = store_key_new()));
    must(vault_create(dir, key, ID) == ERR_OK);
    buf_init(&clean_db, DB_BYTES_MAX);
    must(fs_read(path_of("vault.db"), DB_BYTES_MAX, &clean_db) == ERR_OK);
    (void)atexit(remove_all);
}

static struct vfs *sealer(void)
{
    struct vfs *v = NULL;

    must(vfs_open_unseen(dir, key, ID, &v) == ERR_OK);
    return v;
}

/* A log whose header and frames are sealed and added up as SQLite does. */
static void put_sealed_log(const uint8_t *data, size_t size)
{
    static uint8_t out[LOG_HEADER_SEALED_BYTES + FRAMES_MAX * FRAME_SEALED_BYTES];
    uint8_t header[LOG_HEADER_PLAIN_BYTES] = {0}, frame[FRAME_HEADER_PLAIN_BYTES], page[PAGE_BYTES];
    struct vfs *v = sealer();
    struct wal_sum sum = {.big_endian = size > 0 && data[0] & 1};
    uint32_t count = 0;

    bytes_put32(header, sum.big_endian ? LOG_MAGIC_BIG : LOG_MAGIC_LITTLE);
    bytes_put32(header + 4, 3007000);
    bytes_put32(header + 8, PAGE_BYTES);
    wal_sum_add(&sum, header, 24);
    bytes_put32(header + 24, sum.words[0]);
    bytes_put32(header + 28, sum.words[1]);
    bytes_put64(header + LOG_HEADER_BYTES, 1);
    vfs_seal_log_header(v, header, out);
    for (; size >= FRAME_INPUT && count < FRAMES_MAX; data += FRAME_INPUT, size -= FRAME_INPUT) {
        uint8_t *at = out + frame_place(++count);

        memset(page, 0, sizeof page);
        memcpy(page + (bytes_get32(data + 8) % (PAGE_PLAIN_BYTES - 12)), data + 12, 12);
        memset(frame, 0, sizeof frame);
        bytes_put32(frame, data[0]);     /* the page */
        bytes_put32(frame + 4, data[1]); /* of a commit */
        bytes_put64(frame + FRAME_HEADER_BYTES, data[2]);
        wal_sum_add(&sum, frame, 8);
        wal_sum_add(&sum, page, PAGE_BYTES);
        bytes_put32(frame + 16, sum.words[0]);
        bytes_put32(frame + 20, sum.words[1]);
        vfs_seal_frame_header(v, 1, count, frame, at);
        vfs_seal_page(v, data[0], page, at + FRAME_HEADER_SEALED_BYTES);
    }
    vfs_close(v);
    put_file("vault.db-wal", out, (size_t)frame_place(count + 1));
}

static void put_changed_db(const uint8_t *data, size_t size)
{
    uint8_t *db = malloc(clean_db.len);
    uint32_t pages = (uint32_t)(clean_db.len / PAGE_BYTES);
    struct vfs *v = sealer();

    must(db && pages > 0);
    memcpy(db, clean_db.data, clean_db.len);
    for (uint32_t i = 0; i < pages; i++)
        must(vfs_open_page(v, i + 1, db + (size_t)i * PAGE_BYTES, db + (size_t)i * PAGE_BYTES));
    for (; size >= CHANGE_INPUT; data += CHANGE_INPUT, size -= CHANGE_INPUT) {
        size_t at = (size_t)(data[1] << 8 | data[2]) % PAGE_PLAIN_BYTES;

        db[data[0] % pages * (size_t)PAGE_BYTES + at] = data[3];
    }
    for (uint32_t i = 0; i < pages; i++)
        vfs_seal_page(v, i + 1, db + (size_t)i * PAGE_BYTES, db + (size_t)i * PAGE_BYTES);
    vfs_close(v);
    put_file("vault.db", db, clean_db.len);
    free(db);
}

static void lay_out(const uint8_t *data, size_t size)
{
    put_file("vault.db", clean_db.data, clean_db.len);
    put_file("lock", "", 0);
    (void)unlink(path_of("vault.db-wal"));
    if (size == 0)
        return;
    switch (data[0] % 5) {
    case 0:
        put_file("vault.db-wal", data + 1, size - 1);
        return;
    case 1:
        put_file("vault.db", data + 1, size - 1);
        return;
    case 2:
        put_file("lock", data + 1, size - 1);
        return;
    case 3:
        put_sealed_log(data + 1, size - 1);
        return;
    default:
        put_changed_db(data + 1, size - 1);
    }
}

static void ignore_problem(void *context, const char *where, const char *what)
{
    (void)context;
    must(where && what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_check_report report;
    struct vault *v = NULL;
    enum err e;

    start_once();
    lay_out(data, size);
    e = vault_check_files(dir, key, ID, ignore_problem, NULL, &report);
    must(e == ERR_OK || e == ERR_WRONG_KEY || e == ERR_UNSUPPORTED);
    e = vault_open(dir, key, ID, &v);
    must((e == ERR_OK) == (v != NULL));
    if (e)
        return 0;
    e = vault_check(v, ignore_problem, NULL, &report);
    must(e != ERR_INTERNAL);
    vault_close(v);
    return 0;
}
