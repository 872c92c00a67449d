#include "tests/harness/bytes.h"
#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/archive/pack_internal.h"
#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/limits.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BOTH = 1u << PACK_TAR | 1u << PACK_ZIP, MAX_BYTES = 8 * 1024 * 1024 };

static const struct pack_limits WIDE = {.bytes = MAX_BYTES, .entries = 1000, .ratio = 200};

/* Read an archive to its end: "name=size;" of each entry into out. */
static enum err list(struct bytes *s, unsigned formats, const struct pack_limits *limits, struct buf *out)
{
    AUTO(pack_reader_freep) struct pack_reader *r = NULL;
    uint8_t bytes[3000];
    struct str name;
    int64_t size;
    enum err e;

    if ((e = pack_reader_new(formats, limits, bytes_get, s, &r)))
        return e;
    while (!(e = pack_next(r, &name, &size))) {
        size_t total = 0, got = 1;

        buf_add(out, name.ptr, name.len);
        while (got > 0) {
            if ((e = pack_read(r, bytes, sizeof bytes, &got)))
                return e;
            total += got;
        }
        if (size >= 0)
            assert_int_equal(size, total);
        buf_printf(out, "=%zu;", total);
    }
    return e == ERR_NOT_FOUND ? buf_err(out) : e;
}

static enum err list_bytes(const struct buf *archive, const struct pack_limits *limits, struct buf *out)
{
    struct bytes s = {.text = {archive->data, archive->len}};

    return list(&s, BOTH, limits, out);
}

struct thing {
    const char *name, *text;
};
static const struct thing THINGS[] = {
    {"manifest.json", "{}"},
    {"files/0123456789abcdef", "bytes\n"},
    {"documents/Facture d'\xc3\xa9t\xc3\xa9 \xe2\x80\x94 n\xc2\xb0 1.pdf", "%PDF"},
    {"empty", ""},
};

static enum err write_things(enum pack_format format, bool sized, struct buf *out)
{
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    enum err e;

    if ((e = pack_writer_new(format, bytes_put, out, &w)))
        return e;
    for (size_t i = 0; i < COUNT_OF(THINGS); i++) {
        size_t len = strlen(THINGS[i].text);

        if ((e = pack_begin(w, THINGS[i].name, sized ? (int64_t)len : -1, 1700000000)) ||
            (e = pack_write(w, THINGS[i].text, len)) || (e = pack_end(w)))
            return e;
    }
    return pack_finish(w);
}

static void what_is_written_is_read(void **state)
{
    static const struct {
        enum pack_format format;
        bool sized;
    } ROWS[] = {{PACK_TAR, true}, {PACK_ZIP, true}, {PACK_ZIP, false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        for (size_t piece = 0; piece < 3; piece++) {
            AUTO(buf_done) struct buf archive, told;
            struct bytes s;

            buf_init(&archive, MAX_BYTES);
            buf_init(&told, 4096);
            assert_ok(write_things(ROWS[i].format, ROWS[i].sized, &archive));
            s = (struct bytes){.text = {archive.data, archive.len}, .piece = piece};
            assert_ok(list(&s, 1u << ROWS[i].format, &WIDE, &told));
            assert_string_equal(told.data, "manifest.json=2;files/0123456789abcdef=6;"
                                           "documents/Facture d'\xc3\xa9t\xc3\xa9 \xe2\x80\x94 n\xc2\xb0 "
                                           "1.pdf=4;empty=0;");
        }
    }
}

static void long_names_and_large_entries_pass(void **state)
{
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    AUTO(buf_done) struct buf archive, told;
    char name[3 * 200 + 3], wanted[sizeof name + 16];
    uint8_t block[70000];

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    name[200] = name[401] = '/';
    memset(block, 'b', sizeof block);
    buf_init(&archive, MAX_BYTES);
    buf_init(&told, 4096);
    assert_ok(pack_writer_new(PACK_TAR, bytes_put, &archive, &w));
    assert_ok(pack_begin(w, name, 10 * (int64_t)sizeof block, 0));
    for (int i = 0; i < 10; i++)
        assert_ok(pack_write(w, block, sizeof block));
    assert_ok(pack_end(w));
    assert_ok(pack_finish(w));
    assert_ok(list_bytes(&archive, &WIDE, &told));
    (void)snprintf(wanted, sizeof wanted, "%s=700000;", name);
    assert_string_equal(told.data, wanted);
}

static void writer_holds_to_sizes_and_order(void **state)
{
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    AUTO(buf_done) struct buf archive;

    (void)state;
    buf_init(&archive, MAX_BYTES);
    assert_ok(pack_writer_new(PACK_TAR, bytes_put, &archive, &w));
    assert_err(pack_write(w, "a", 1), ERR_INTERNAL);
    assert_err(pack_end(w), ERR_INTERNAL);
    assert_err(pack_begin(w, "unsized", -1, 0), ERR_INTERNAL);
    assert_err(pack_begin(w, "../up", 1, 0), ERR_INVALID);
    assert_ok(pack_begin(w, "a", 2, 0));
    assert_err(pack_begin(w, "b", 2, 0), ERR_INTERNAL);
    assert_err(pack_write(w, "abc", 3), ERR_INTERNAL);
    assert_ok(pack_write(w, "a", 1));
    assert_err(pack_end(w), ERR_INTERNAL);
    assert_err(pack_finish(w), ERR_INTERNAL);
    pack_writer_free(NULL);
}

static enum err refuse(void *context, const void *bytes, size_t len)
{
    int *calls = context;

    (void)bytes;
    (void)len;
    (*calls)++;
    return err_set(ERR_FULL, "no space in the sink");
}

static void a_failing_sink_is_told_and_not_asked_again(void **state)
{
    static const enum pack_format FORMATS[] = {PACK_TAR, PACK_ZIP};
    static uint8_t block[200000];

    (void)state;
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        struct pack_writer *w = NULL;
        int calls = 0;
        enum err e;

        for (uint32_t at = 0, mixed = 1; at < sizeof block; at++) /* a zip does not make it small */
            block[at] = (uint8_t)((mixed = mixed * 1664525u + 1013904223u) >> 24);
        assert_ok(pack_writer_new(FORMATS[i], refuse, &calls, &w));
        if (!(e = pack_begin(w, "a", sizeof block, 0))) /* a tar is written at once */
            e = pack_write(w, block, sizeof block);
        assert_int_equal(e, ERR_FULL);
        assert_non_null(strstr(err_story(), "no space in the sink"));
        pack_writer_free(w);
        assert_int_equal(calls, 1);
    }
}

/* A tar entry, to the byte (POSIX.1-1988 ustar). */
static void add_tar(struct buf *out, const char *name, char type, const char *link, size_t size)
{
    char head[512] = {0};
    unsigned sum = 0;

    (void)snprintf(head, 101, "%s", name);
    (void)snprintf(head + 100, 8, "0000600");
    (void)snprintf(head + 108, 8, "0000000");
    (void)snprintf(head + 116, 8, "0000000");
    (void)snprintf(head + 124, 12, "%011zo", size);
    (void)snprintf(head + 136, 12, "00000000000");
    memset(head + 148, ' ', 8); /* the sum's own place */
    head[156] = type;
    (void)snprintf(head + 157, 100, "%s", link);
    (void)snprintf(head + 257, 6, "ustar");
    head[263] = head[264] = '0';
    for (size_t i = 0; i < sizeof head; i++)
        sum += (unsigned char)head[i];
    (void)snprintf(head + 148, 8, "%06o", sum);
    buf_add(out, head, sizeof head);
    for (size_t i = 0; i < (size + 511) / 512 * 512; i++)
        buf_char(out, 'x');
}

static void tar_entries_that_are_refused(void **state)
{
    static const struct {
        const char *what, *name, *link;
        char type;
        enum err wanted;
    } ROWS[] = {
        {"plain", "a", "", '0', ERR_OK},
        {"old plain", "a", "", '\0', ERR_OK},
        {"in a folder", "a/b/c", "", '0', ERR_OK},
        {"a folder", "a/", "", '5', ERR_OK},
        {"the folder itself", "./", "", '5', ERR_OK},
        {"absolute", "/etc/passwd", "", '0', ERR_INVALID},
        {"up", "../a", "", '0', ERR_INVALID},
        {"up within", "a/../../b", "", '0', ERR_INVALID},
        {"up at the end", "a/..", "", '0', ERR_INVALID},
        {"itself", "./a", "", '0', ERR_INVALID},
        {"an empty part", "a//b", "", '0', ERR_INVALID},
        {"a drive", "C:a", "", '0', ERR_INVALID},
        {"backslash", "..\\a", "", '0', ERR_INVALID},
        {"a line end", "a\nb", "", '0', ERR_INVALID},
        {"escape", "a\033[2Jb", "", '0', ERR_INVALID},
        {"not UTF-8", "a\xff", "", '0', ERR_INVALID},
        {"no name", "", "", '0', ERR_INVALID},
        {"a folder up", "../", "", '5', ERR_INVALID},
        {"hard link", "a", "b", '1', ERR_INVALID},
        {"symbolic link", "a", "/etc", '2', ERR_INVALID},
        {"character device", "a", "", '3', ERR_INVALID},
        {"block device", "a", "", '4', ERR_INVALID},
        {"pipe", "a", "", '6', ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf archive, told;
        static const char END[1024];
        enum err e;

        buf_init(&archive, MAX_BYTES);
        buf_init(&told, 4096);
        add_tar(&archive, ROWS[i].name, ROWS[i].type, ROWS[i].link, 0);
        buf_add(&archive, END, sizeof END);
        e = list_bytes(&archive, &WIDE, &told);
        assert_row(ROWS[i].what, e == ROWS[i].wanted);
    }
}

static void folders_are_passed_over(void **state)
{
    AUTO(buf_done) struct buf archive, told;

    (void)state;
    buf_init(&archive, MAX_BYTES);
    buf_init(&told, 4096);
    add_tar(&archive, "files/", '5', "", 0);
    add_tar(&archive, "files/a", '0', "", 700);
    assert_ok(list_bytes(&archive, &WIDE, &told));
    assert_string_equal(told.data, "files/a=700;");
}

static void the_same_name_twice_is_refused(void **state)
{
    AUTO(buf_done) struct buf archive, told;

    (void)state;
    buf_init(&archive, MAX_BYTES);
    buf_init(&told, 4096);
    for (int i = 0; i < 200; i++) { /* the table of names grows meanwhile */
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        add_tar(&archive, name, '0', "", 0);
    }
    assert_ok(list_bytes(&archive, &WIDE, &told));
    add_tar(&archive, "n7", '0', "", 0);
    buf_clear(&told);
    assert_err(list_bytes(&archive, &WIDE, &told), ERR_INVALID);
}

static void ceilings_hold(void **state)
{
    AUTO(buf_done) struct buf archive, told;
    struct pack_limits limits = WIDE;

    (void)state;
    buf_init(&archive, MAX_BYTES);
    buf_init(&told, 4096);
    for (int i = 0; i < 4; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        add_tar(&archive, name, '0', "", 1000);
    }
    limits.entries = 4;
    assert_ok(list_bytes(&archive, &limits, &told));
    limits.entries = 3;
    assert_err(list_bytes(&archive, &limits, &told), ERR_TOO_LARGE);
    limits = (struct pack_limits){.bytes = 4000, .entries = 4};
    assert_ok(list_bytes(&archive, &limits, &told));
    limits.bytes = 3999;
    assert_err(list_bytes(&archive, &limits, &told), ERR_TOO_LARGE);
}

/* A zip of one entry of zeros, its size told before or after. */
static void zip_of_zeros(struct buf *out, size_t size, bool sized)
{
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    static const uint8_t ZEROS[65536];

    assert_ok(pack_writer_new(PACK_ZIP, bytes_put, out, &w));
    assert_ok(pack_begin(w, "bomb", sized ? (int64_t)size : -1, 0));
    for (size_t at = 0; at < size; at += sizeof ZEROS)
        assert_ok(pack_write(w, ZEROS, sizeof ZEROS));
    assert_ok(pack_end(w));
    assert_ok(pack_finish(w));
}

static void what_is_packed_too_hard_is_refused(void **state)
{
    static const struct {
        const char *what;
        size_t size;
        uint64_t bytes;
        unsigned ratio;
        bool sized, skip;
        enum err wanted;
    } ROWS[] = {
        {"no limit", 4 * MIB, MAX_BYTES, 0, true, false, ERR_OK},
        {"below a MiB the ratio does not matter", MIB, MAX_BYTES, 200, true, false, ERR_OK},
        {"above", 4 * MIB, MAX_BYTES, 200, true, false, ERR_TOO_LARGE},
        {"above, size not told", 4 * MIB, MAX_BYTES, 200, false, false, ERR_TOO_LARGE},
        {"above, passed over", 4 * MIB, MAX_BYTES, 200, false, true, ERR_TOO_LARGE},
        {"bytes", 4 * MIB, 4 * MIB - 1, 0, true, true, ERR_TOO_LARGE},
        {"bytes, size not told", 4 * MIB, 4 * MIB - 1, 0, false, true, ERR_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf archive, told;
        AUTO(pack_reader_freep) struct pack_reader *r = NULL;
        struct pack_limits limits = {.bytes = ROWS[i].bytes, .entries = 9, .ratio = ROWS[i].ratio};
        struct bytes s;
        struct str name;
        int64_t size;
        enum err e;

        buf_init(&archive, MAX_BYTES);
        buf_init(&told, 4096);
        zip_of_zeros(&archive, ROWS[i].size, ROWS[i].sized);
        s = (struct bytes){.text = {archive.data, archive.len}};
        if (!ROWS[i].skip) {
            e = list(&s, BOTH, &limits, &told);
        } else { /* nobody reads the entry: its bytes count all the same */
            assert_ok(pack_reader_new(BOTH, &limits, bytes_get, &s, &r));
            while (!(e = pack_next(r, &name, &size)))
                continue;
        }
        assert_row(ROWS[i].what, e == ROWS[i].wanted);
    }
}

static void add_stored(struct pack_writer *w, const char *name, const void *bytes, size_t len)
{
    assert_ok(pack_begin_stored(w, name, (int64_t)len, 0));
    assert_ok(pack_write(w, bytes, len));
    assert_ok(pack_end(w));
}

/* Zeros, another zip, nothing: what is stored is never packed too hard, and what follows is packed again. */
static void what_is_stored_comes_back_whatever_it_is(void **state)
{
    static const struct pack_limits LIMITS = {.bytes = MAX_BYTES, .entries = 9, .ratio = 200};
    static uint8_t zeros[4 * MIB];
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    AUTO(pack_writer_freep) struct pack_writer *tar = NULL;
    AUTO(buf_done) struct buf inner, archive, told, wanted;
    size_t before;

    (void)state;
    buf_init(&inner, MAX_BYTES);
    buf_init(&archive, MAX_BYTES);
    buf_init(&told, 4096);
    buf_init(&wanted, 4096);
    assert_ok(write_things(PACK_ZIP, false, &inner));
    assert_ok(pack_writer_new(PACK_ZIP, bytes_put, &archive, &w));
    add_stored(w, "zeros", zeros, sizeof zeros);
    add_stored(w, "a.zip", inner.data, inner.len);
    add_stored(w, "empty", "", 0);
    assert_err(pack_begin_stored(w, "x", -1, 0), ERR_INTERNAL);
    before = archive.len;
    assert_ok(pack_begin(w, "packed", MIB, 0));
    assert_ok(pack_write(w, zeros, MIB));
    assert_ok(pack_end(w));
    assert_ok(pack_finish(w));
    assert_true(archive.len - before < 65536);
    assert_ok(list_bytes(&archive, &LIMITS, &told));
    buf_printf(&wanted, "zeros=%zu;a.zip=%zu;empty=0;packed=%zu;", sizeof zeros, inner.len, (size_t)MIB);
    assert_string_equal(told.data, wanted.data);
    assert_ok(pack_writer_new(PACK_TAR, bytes_put, &inner, &tar));
    assert_err(pack_begin_stored(tar, "x", 1, 0), ERR_INTERNAL);
}

static void what_is_no_archive_is_unsupported(void **state)
{
    static const char *const ROWS[] = {"", "hello", "\x1f\x8b\x08", "7z\xbc\xaf\x27\x1c", "%PDF-1.7"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf archive, told;

        buf_init(&archive, 4096);
        buf_init(&told, 4096);
        buf_text(&archive, ROWS[i]);
        assert_row(ROWS[i], list_bytes(&archive, &WIDE, &told) == ERR_UNSUPPORTED);
    }
}

static void only_the_formats_asked_for_are_read(void **state)
{
    AUTO(buf_done) struct buf tar, zip, told;
    struct bytes s;

    (void)state;
    buf_init(&tar, MAX_BYTES);
    buf_init(&zip, MAX_BYTES);
    buf_init(&told, 4096);
    assert_ok(write_things(PACK_TAR, true, &tar));
    assert_ok(write_things(PACK_ZIP, true, &zip));
    s = (struct bytes){.text = {tar.data, tar.len}};
    assert_err(list(&s, 1u << PACK_ZIP, &WIDE, &told), ERR_UNSUPPORTED);
    s = (struct bytes){.text = {zip.data, zip.len}};
    assert_err(list(&s, 1u << PACK_TAR, &WIDE, &told), ERR_UNSUPPORTED);
}

/* An entry whose every bit matters to what comes out. */
static void write_noise(enum pack_format format, bool sized, struct buf *out)
{
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    uint64_t random = 7;
    uint8_t noise[2000];

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(test_random(&random) % 60);
    assert_ok(pack_writer_new(format, bytes_put, out, &w));
    assert_ok(pack_begin(w, "noise", sized ? (int64_t)sizeof noise : -1, 0));
    assert_ok(pack_write(w, noise, sizeof noise));
    assert_ok(pack_end(w));
    assert_ok(pack_finish(w));
}

static void a_cut_or_changed_zip_never_passes_for_whole(void **state)
{
    (void)state;
    for (int sized = 0; sized < 2; sized++) {
        AUTO(buf_done) struct buf zip, told;
        size_t end;

        buf_init(&zip, MAX_BYTES);
        buf_init(&told, 1 << 20);
        write_noise(PACK_ZIP, sized, &zip);
        end = zip.len - 150; /* behind the entry stands the directory, which is not read */
        for (size_t len = 1; len < end; len += 7) {
            struct bytes s = {.text = {zip.data, len}};
            enum err e = list(&s, BOTH, &WIDE, &told);

            assert_true(e == ERR_INVALID || e == ERR_UNSUPPORTED);
        }
        for (size_t at = 100; at < end; at += 11) { /* in the packed bytes: their checksum differs */
            zip.data[at] ^= 1;
            assert_err(list_bytes(&zip, &WIDE, &told), ERR_INVALID);
            zip.data[at] ^= 1;
        }
        assert_ok(list_bytes(&zip, &WIDE, &told));
    }
}

static void a_failing_source_is_told(void **state)
{
    AUTO(buf_done) struct buf tar, told;
    struct bytes s;

    (void)state;
    buf_init(&tar, MAX_BYTES);
    buf_init(&told, 4096);
    assert_ok(write_things(PACK_TAR, true, &tar));
    s = (struct bytes){.text = {tar.data, tar.len}, .piece = 512, .fail_at = 1024};
    assert_err(list(&s, BOTH, &WIDE, &told), ERR_IO);
    assert_non_null(strstr(err_story(), "the source fails"));
}

static void survives_each_failing_allocation(void **state)
{
    AUTO(buf_done) struct buf tar, told;
    struct bytes s;
    enum err e;

    (void)state;
    buf_init(&tar, MAX_BYTES);
    buf_init(&told, 4096);
    FAIL_EACH_ALLOCATION (e, (buf_clear(&tar), write_things(PACK_TAR, true, &tar))) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    FAIL_EACH_ALLOCATION (e, (buf_clear(&told), s = (struct bytes){.text = {tar.data, tar.len}},
                              list(&s, BOTH, &WIDE, &told))) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(long_names_and_large_entries_pass),
        cmocka_unit_test(writer_holds_to_sizes_and_order),
        cmocka_unit_test(a_failing_sink_is_told_and_not_asked_again),
        cmocka_unit_test(tar_entries_that_are_refused),
        cmocka_unit_test(folders_are_passed_over),
        cmocka_unit_test(the_same_name_twice_is_refused),
        cmocka_unit_test(ceilings_hold),
        cmocka_unit_test(what_is_packed_too_hard_is_refused),
        cmocka_unit_test(what_is_stored_comes_back_whatever_it_is),
        cmocka_unit_test(what_is_no_archive_is_unsupported),
        cmocka_unit_test(only_the_formats_asked_for_are_read),
        cmocka_unit_test(a_cut_or_changed_zip_never_passes_for_whole),
        cmocka_unit_test(a_failing_source_is_told),
        cmocka_unit_test(survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
