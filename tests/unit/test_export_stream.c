/* An export that is read as it is made: whole, cut by its reader, cut by a lock, failing at once. */
#include "tests/harness/portable.h"

#include "pds/base/clock.h"
#include "pds/portable/export_stream.h"

/* Enough records that the zip is longer than what the stream holds. */
static void fill(struct tmpstore *t)
{
    AUTO(import_freep) struct import *m = NULL;
    const struct dataset *d = NULL;
    uint64_t seed = 1;

    assert_ok(dataset_find(STR("water.consumption"), &d));
    assert_ok(import_new(t->vault, STR("x"), TMPSTORE_NOW, &m));
    for (int n = 0; n < 36000; n++) {
        struct record r = {
            .start_at = PORTABLE_START + n * 1800, .quality = RECORD_MEASURED, .present = 1, .line = n};

        r.end_at = r.start_at + 1800;
        r.values[0] = test_between(&seed, 0, 1000000000);
        assert_ok(import_add(m, d, "eau", STR("1"), "curve", &r));
    }
    assert_ok(import_close(m, TMPSTORE_NOW));
}

static enum err read_all(struct export_stream *x, struct buf *out)
{
    char piece[5000];
    size_t got = 0;
    enum err e;

    do {
        e = export_stream_read(x, piece, sizeof piece, &got);
        if (e == ERR_BUSY)
            continue;
        if (e)
            return e;
        buf_add(out, piece, got);
    } while (e == ERR_BUSY || got);
    return buf_err(out);
}

static void it_is_the_export(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(export_stream_freep) struct export_stream *x = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(buf_done) struct buf zip;
    char one[PORTABLE_DIGEST], other[PORTABLE_DIGEST];
    size_t got = 1;
    char last;

    (void)state;
    fill(a);
    buf_init(&zip, 64 * MIB);
    assert_ok(export_stream_new(a->store, TMPSTORE_NOW, &x));
    assert_ok(export_stream_wait(x, 60000));
    assert_ok(read_all(x, &zip));
    assert_true(zip.len > EXPORT_STREAM_BYTES);
    assert_ok(export_stream_read(x, &last, 1, &got));
    assert_int_equal(got, 0);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &answer));
    portable_digest(a, one);
    portable_digest(b, other);
    assert_string_equal(one, other);
}

static void a_reader_that_goes_ends_it(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct export_stream *x = NULL;

    (void)state;
    fill(t);
    assert_ok(export_stream_new(t->store, TMPSTORE_NOW, &x));
    export_stream_free(x); /* at once */
    x = NULL;
    assert_ok(export_stream_new(t->store, TMPSTORE_NOW, &x));
    assert_ok(export_stream_wait(x, 60000));
    export_stream_free(x); /* with the stream full */
    export_stream_free(NULL);
}

static void a_lock_ends_it_though_nobody_reads(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(export_stream_freep) struct export_stream *x = NULL;
    AUTO(buf_done) struct buf zip;

    (void)state;
    fill(t);
    buf_init(&zip, 64 * MIB);
    assert_ok(export_stream_new(t->store, TMPSTORE_NOW, &x));
    assert_ok(export_stream_wait(x, 60000));
    store_shut(t->store);
    assert_err(read_all(x, &zip), ERR_LOCKED);
}

static void a_failure_comes_before_the_first_byte(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(export_stream_freep) struct export_stream *x = NULL;
    char byte;
    size_t got = 0;

    (void)state;
    store_shut(t->store);
    assert_ok(export_stream_new(t->store, TMPSTORE_NOW, &x));
    assert_err(export_stream_wait(x, 60000), ERR_LOCKED);
    assert_err(export_stream_read(x, &byte, 1, &got), ERR_LOCKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_export),
        cmocka_unit_test(a_reader_that_goes_ends_it),
        cmocka_unit_test(a_lock_ends_it_though_nobody_reads),
        cmocka_unit_test(a_failure_comes_before_the_first_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
