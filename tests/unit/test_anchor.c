#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/fs.h"
#include "pds/crypto/random.h"
#include "pds/vault/anchor_internal.h"
#include "pds/vault/db_internal.h"

#include <string.h>

static const uint8_t ID[STORE_ID_BYTES] = "anchors";

struct fixture {
    struct tempdir *dir;
    struct anchor_key *key;
    struct anchor anchor;
};

static enum err open_again(struct fixture *f)
{
    anchor_close(&f->anchor);
    return anchor_open(&f->anchor, sqlite3_vfs_find("unix-excl"), tempdir_path(f->dir, "lock"), f->key, ID);
}

static void put_file(struct fixture *f, const void *bytes, size_t len)
{
    anchor_close(&f->anchor);
    assert_ok(fs_replace(tempdir_path(f->dir, "lock"), bytes, len));
}

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new()};
    assert_ok(random_start());
    assert_ok(db_start());
    f.key = anchor_key_new();
    assert_non_null(f.key);
    put_file(&f, "", 0);
    assert_ok(open_again(&f));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    anchor_close(&f->anchor);
    anchor_key_free(f->key);
    tempdir_free(f->dir);
    return 0;
}

static void read_file(struct fixture *f, uint8_t out[static ANCHOR_SLOTS * ANCHOR_SLOT_BYTES])
{
    struct buf b;

    buf_init(&b, ANCHOR_SLOTS * ANCHOR_SLOT_BYTES);
    assert_ok(fs_read(tempdir_path(f->dir, "lock"), ANCHOR_SLOTS * ANCHOR_SLOT_BYTES, &b));
    memset(out, 0, ANCHOR_SLOTS * ANCHOR_SLOT_BYTES);
    memcpy(out, b.data, b.len);
    buf_done(&b);
}

static void write_state(struct fixture *f, uint64_t generation, uint64_t frames)
{
    assert_int_equal(anchor_write(&f->anchor, (struct anchor_state){generation, frames}), SQLITE_OK);
}

static void anchor_keeps_its_last_state(void **state)
{
    struct fixture *f = *state;

    assert_false(f->anchor.known);
    assert_false(f->anchor.broken);
    for (uint64_t i = 1; i <= 9; i++) {
        write_state(f, 3, i);
        if (i % 2 == 0)
            assert_int_equal(anchor_sync(&f->anchor), SQLITE_OK);
        assert_ok(open_again(f));
        assert_true(f->anchor.known);
        assert_int_equal(f->anchor.now.generation, 3);
        assert_int_equal(f->anchor.now.frames, i);
    }
}

/* A power cut may leave what was written since the last sync in pieces; what was synced stays whole. */
static void anchor_never_writes_over_what_is_synced(void **state)
{
    struct fixture *f = *state;
    uint8_t synced[ANCHOR_SLOTS * ANCHOR_SLOT_BYTES], now[ANCHOR_SLOTS * ANCHOR_SLOT_BYTES];
    int changed = 0;

    write_state(f, 1, 5);
    assert_int_equal(anchor_sync(&f->anchor), SQLITE_OK);
    read_file(f, synced);
    for (uint64_t i = 6; i < 12; i++)
        write_state(f, 1, i);
    read_file(f, now);
    for (int i = 0; i < ANCHOR_SLOTS; i++)
        changed +=
            memcmp(synced + i * ANCHOR_SLOT_BYTES, now + i * ANCHOR_SLOT_BYTES, ANCHOR_SLOT_BYTES) != 0;
    assert_int_equal(changed, 1);
    memset(now + (memcmp(synced, now, ANCHOR_SLOT_BYTES) ? 0 : ANCHOR_SLOT_BYTES), 0xa5, ANCHOR_SLOT_BYTES);
    put_file(f, now, sizeof now);
    assert_ok(open_again(f));
    assert_int_equal(f->anchor.now.frames, 5);
}

static void anchor_tells_a_broken_file_from_an_empty_one(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[ANCHOR_SLOTS * ANCHOR_SLOT_BYTES] = {0};

    put_file(f, bytes, sizeof bytes);
    assert_ok(open_again(f));
    assert_false(f->anchor.known || f->anchor.broken);
    bytes[700] = 1;
    put_file(f, bytes, sizeof bytes);
    assert_ok(open_again(f));
    assert_true(f->anchor.broken);
    put_file(f, "x", 1);
    assert_ok(open_again(f));
    assert_true(f->anchor.broken);
}

static void anchor_of_a_newer_format_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[ANCHOR_SLOTS * ANCHOR_SLOT_BYTES];

    write_state(f, 1, 1);
    anchor_close(&f->anchor);
    read_file(f, bytes);
    bytes[11] = 2;
    put_file(f, bytes, sizeof bytes);
    assert_err(open_again(f), ERR_UNSUPPORTED);
}

static void anchor_of_another_key_or_store_is_broken(void **state)
{
    struct fixture *f = *state;

    write_state(f, 1, 1);
    f->key->bytes[0] ^= 1;
    assert_ok(open_again(f));
    assert_true(f->anchor.broken);
}

#define WITH_ANCHOR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ANCHOR(anchor_keeps_its_last_state),
        WITH_ANCHOR(anchor_never_writes_over_what_is_synced),
        WITH_ANCHOR(anchor_tells_a_broken_file_from_an_empty_one),
        WITH_ANCHOR(anchor_of_a_newer_format_is_refused),
        WITH_ANCHOR(anchor_of_another_key_or_store_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
