#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/crypto/seal.h"
#include "pds/crypto/sealfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = SEALFILE_CHUNK_BYTES, SEALED_CHUNK = CHUNK + SEAL_EXTRA_BYTES, MOST = 4 * CHUNK };

/* A blob on disk and what was put into it. */
struct blob {
    struct tempdir *dir;
    struct blob_key *key;
    int fd;
    size_t size;
    uint8_t plain[MOST];
    uint8_t out[MOST];
};

static struct blob *blob_new(size_t size, size_t piece)
{
    AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;
    struct blob *b = mem_new(sizeof *b);

    assert_non_null(b);
    b->dir = tempdir_new();
    b->key = blob_key_new();
    b->size = size;
    assert_non_null(b->key);
    random_bytes(b->key->bytes, KEY_BYTES);
    random_bytes(b->plain, size);
    b->fd = open(tempdir_path(b->dir, "blob"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(b->fd >= 0);
    assert_ok(sealfile_writer_new(b->fd, b->key, &w));
    for (size_t at = 0; at < size; at += piece)
        assert_ok(sealfile_write(w, b->plain + at, piece < size - at ? piece : size - at));
    assert_ok(sealfile_finish(w));
    return b;
}

static void blob_free(struct blob *b)
{
    close(b->fd);
    blob_key_free(b->key);
    tempdir_free(b->dir);
    mem_free(b);
}
static void blob_freep(struct blob **b) { blob_free(*b); }

static off_t blob_bytes(const struct blob *b) { return lseek(b->fd, 0, SEEK_END); }

static void get_sealed(const struct blob *b, size_t chunk, uint8_t out[static SEALED_CHUNK])
{
    assert_int_equal(pread(b->fd, out, SEALED_CHUNK, (off_t)(chunk * SEALED_CHUNK)), SEALED_CHUNK);
}

static void put_sealed(const struct blob *b, size_t chunk, const uint8_t bytes[static SEALED_CHUNK])
{
    assert_int_equal(pwrite(b->fd, bytes, SEALED_CHUNK, (off_t)(chunk * SEALED_CHUNK)), SEALED_CHUNK);
}

/* All of it read back; the first failure when it is damaged. */
static enum err read_all(struct blob *b)
{
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    size_t got = 0;
    enum err e;

    if ((e = sealfile_reader_new(b->fd, b->key, &r)))
        return e;
    if ((e = sealfile_read(r, 0, b->out, MOST, &got)))
        return e;
    assert_int_equal(sealfile_size(r), b->size);
    assert_int_equal(got, b->size);
    assert_int_equal(memcmp(b->out, b->plain, b->size), 0);
    return ERR_OK;
}

static void assert_chunk_named(enum err e, size_t chunk)
{
    char wanted[32];

    assert_int_equal(e, ERR_CORRUPT);
    (void)snprintf(wanted, sizeof wanted, "chunk %zu of a blob", chunk);
    if (!strstr(err_story(), wanted))
        fail_msg("\"%s\" does not name %s", err_story(), wanted);
}

static const size_t SIZES[] = {0,         1,         CHUNK - 1,     CHUNK,         CHUNK + 1,
                               2 * CHUNK, 3 * CHUNK, 3 * CHUNK + 1, 2 * CHUNK - 1, 200000};

static void blobs_of_any_size_read_back(void **state)
{
    static const size_t PIECES[] = {1000, CHUNK, CHUNK + 1, MOST};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++)
        for (size_t j = 0; j < COUNT_OF(PIECES); j++) {
            AUTO(blob_freep) struct blob *b = blob_new(SIZES[i], PIECES[j]);
            size_t chunks = SIZES[i] == 0 ? 1 : (SIZES[i] + CHUNK - 1) / CHUNK;

            assert_int_equal(blob_bytes(b), SIZES[i] + chunks * SEAL_EXTRA_BYTES);
            assert_ok(read_all(b));
        }
}

static void blob_written_byte_by_byte_reads_back(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(CHUNK + 3, 1);

    (void)state;
    assert_ok(read_all(b));
}

static void blob_reads_from_any_place(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(3 * CHUNK + 100, MOST);
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    uint64_t random = test_seed();

    (void)state;
    assert_ok(sealfile_reader_new(b->fd, b->key, &r));
    for (int i = 0; i < 2000; i++) {
        size_t from = (size_t)test_between(&random, 0, (int64_t)b->size + 10);
        size_t len = (size_t)test_between(&random, 0, i % 2 ? 300 : 2 * CHUNK);
        size_t wanted = from >= b->size ? 0 : len < b->size - from ? len : b->size - from;
        size_t got = 77;

        assert_ok(sealfile_read(r, from, b->out, len, &got));
        assert_int_equal(got, wanted);
        assert_int_equal(memcmp(b->out, b->plain + (wanted ? from : 0), wanted), 0);
    }
}

static void blob_reads_nothing_past_its_end(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(10, MOST);
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    size_t got = 77;

    (void)state;
    assert_ok(sealfile_reader_new(b->fd, b->key, &r));
    assert_ok(sealfile_read(r, 10, b->out, 5, &got));
    assert_int_equal(got, 0);
    assert_ok(sealfile_read(r, UINT64_MAX, b->out, 5, &got));
    assert_int_equal(got, 0);
}

static void blob_shows_flipped_bits_and_names_the_chunk(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(2 * CHUNK + 50, MOST);
    off_t bytes = blob_bytes(b);

    (void)state;
    for (off_t at = 0; at < bytes; at += at % SEALED_CHUNK < SEALED_CHUNK - 48 ? 9973 : 1) {
        uint8_t byte;
        assert_int_equal(pread(b->fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(b->fd, &byte, 1, at), 1);
        assert_chunk_named(read_all(b), (size_t)at / SEALED_CHUNK);
        byte ^= (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(b->fd, &byte, 1, at), 1);
    }
    assert_ok(read_all(b));
}

static void blob_shows_each_cut(void **state)
{
    static const int PLACES[] = {-SEAL_EXTRA_BYTES, -1, 0, 1, SEAL_EXTRA_BYTES, SEAL_EXTRA_BYTES + 1};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++)
        for (size_t j = 0; j < COUNT_OF(PLACES); j++) {
            AUTO(blob_freep) struct blob *b = blob_new(SIZES[i], MOST);
            off_t bytes = blob_bytes(b);

            for (off_t edge = bytes / SEALED_CHUNK * SEALED_CHUNK; edge >= 0; edge -= SEALED_CHUNK)
                if (edge + PLACES[j] >= 0 && edge + PLACES[j] < bytes) {
                    assert_int_equal(ftruncate(b->fd, edge + PLACES[j]), 0);
                    assert_err(read_all(b), ERR_CORRUPT);
                    assert_non_null(strstr(err_story(), "chunk "));
                }
        }
}

static void blob_shows_a_cut_at_a_chunk_s_edge(void **state)
{
    (void)state;
    for (size_t left = 0; left < 3; left++) {
        AUTO(blob_freep) struct blob *b = blob_new(3 * CHUNK, MOST);
        assert_int_equal(ftruncate(b->fd, (off_t)(left * SEALED_CHUNK)), 0);
        assert_chunk_named(read_all(b), left ? left - 1 : 0);
    }
}

static void blob_shows_bytes_added(void **state)
{
    static uint8_t sealed[SEALED_CHUNK];
    AUTO(blob_freep) struct blob *b = blob_new(2 * CHUNK, MOST);
    off_t bytes = blob_bytes(b);

    (void)state;
    get_sealed(b, 1, sealed);
    for (size_t more = 1; more <= SEALED_CHUNK; more += more < 64 ? 1 : 13103) {
        assert_int_equal(ftruncate(b->fd, bytes), 0);
        assert_int_equal(pwrite(b->fd, sealed, more, bytes), (ssize_t)more);
        assert_chunk_named(read_all(b), 2);
    }
    assert_int_equal(ftruncate(b->fd, bytes), 0);
    put_sealed(b, 2, sealed); /* the last chunk once more */
    assert_chunk_named(read_all(b), 2);
    assert_int_equal(ftruncate(b->fd, bytes), 0);
    assert_ok(read_all(b));
}

static void blob_shows_chunks_swapped(void **state)
{
    static uint8_t one[SEALED_CHUNK], two[SEALED_CHUNK];
    AUTO(blob_freep) struct blob *b = blob_new(3 * CHUNK, MOST);

    (void)state;
    get_sealed(b, 0, one);
    get_sealed(b, 1, two);
    put_sealed(b, 0, two);
    put_sealed(b, 1, one);
    assert_chunk_named(read_all(b), 0);
    put_sealed(b, 0, one);
    assert_chunk_named(read_all(b), 1);
    put_sealed(b, 1, two);
    assert_ok(read_all(b));
}

static void blob_opens_under_its_own_key_only(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(100, MOST);

    (void)state;
    b->key->bytes[0] ^= 1;
    assert_chunk_named(read_all(b), 0);
}

static void blob_that_shrinks_while_read_is_damage(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(3 * CHUNK, MOST);
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    size_t got = 77;

    (void)state;
    assert_ok(sealfile_reader_new(b->fd, b->key, &r));
    assert_int_equal(ftruncate(b->fd, SEALED_CHUNK + 100), 0);
    assert_chunk_named(sealfile_read(r, CHUNK + 5, b->out, 10, &got), 1);
    assert_int_equal(got, 77);
    assert_ok(sealfile_read(r, 0, b->out, 10, &got));
}

/* A chunk that failed is not taken for one that is held. */
static void blob_fails_again_after_a_failure(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(3 * CHUNK, MOST);
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    size_t got = 77;

    (void)state;
    assert_int_equal(pwrite(b->fd, "damage", 6, SEALED_CHUNK + 9), 6);
    assert_ok(sealfile_reader_new(b->fd, b->key, &r));
    for (int i = 0; i < 3; i++)
        assert_chunk_named(sealfile_read(r, CHUNK, b->out, 10, &got), 1);
    assert_ok(sealfile_read(r, 2 * CHUNK, b->out, 10, &got));
    assert_memory_equal(b->out, b->plain + 2 * CHUNK, 10);
}

static void blob_says_what_the_system_refuses(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(100, MOST);
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;
    int write_only = open(tempdir_path(b->dir, "blob"), O_WRONLY | O_CLOEXEC);
    int ends[2];

    (void)state;
    assert_true(write_only >= 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_not_equal(sealfile_reader_new(write_only, b->key, &r), ERR_OK);
    assert_int_not_equal(sealfile_reader_new(-1, b->key, &r), ERR_OK);
    assert_int_not_equal(sealfile_writer_new(ends[1], b->key, &w), ERR_OK);
    assert_null(r);
    assert_null(w);
    close(write_only);
    close(ends[0]);
    close(ends[1]);
}

/* What could not be written is not written later, in another place. */
static void writer_that_failed_stays_failed(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(0, MOST);
    int read_only = open(tempdir_path(b->dir, "blob"), O_RDONLY | O_CLOEXEC);

    (void)state;
    for (size_t piece = 1000; piece <= 2 * CHUNK + 1; piece += 2 * CHUNK - 999) {
        AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;
        enum err e = ERR_OK;

        assert_ok(sealfile_writer_new(read_only, b->key, &w));
        for (int i = 0; i < 100 && !e; i++)
            e = sealfile_write(w, b->plain, piece);
        assert_int_not_equal(e, ERR_OK);
        assert_err(sealfile_write(w, b->plain, 1), e);
        assert_err(sealfile_finish(w), e);
    }
    close(read_only);
}

static void writer_that_cannot_end_says_so(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(0, MOST);
    AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;
    int read_only = open(tempdir_path(b->dir, "blob"), O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_ok(sealfile_writer_new(read_only, b->key, &w));
    assert_ok(sealfile_write(w, "abc", 3));
    assert_int_not_equal(sealfile_finish(w), ERR_OK);
    close(read_only);
}

static void writer_takes_nothing_after_the_end(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(5, MOST);
    AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;

    (void)state;
    assert_ok(sealfile_writer_new(b->fd, b->key, &w));
    assert_ok(sealfile_write(w, b->plain, 5));
    assert_ok(sealfile_finish(w));
    assert_err(sealfile_write(w, b->plain, 1), ERR_CONFLICT);
    assert_err(sealfile_finish(w), ERR_CONFLICT);
    assert_ok(read_all(b));
}

static void sealfile_survives_each_failing_allocation(void **state)
{
    AUTO(blob_freep) struct blob *b = blob_new(5, MOST);
    AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = NULL;
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, sealfile_reader_new(b->fd, b->key, &r)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(r);
        assert_int_equal(mem_live(), live);
    }
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, sealfile_writer_new(b->fd, b->key, &w)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(w);
        assert_int_equal(mem_live(), live);
    }
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_of_any_size_read_back),
        cmocka_unit_test(blob_written_byte_by_byte_reads_back),
        cmocka_unit_test(blob_reads_from_any_place),
        cmocka_unit_test(blob_reads_nothing_past_its_end),
        cmocka_unit_test(blob_shows_flipped_bits_and_names_the_chunk),
        cmocka_unit_test(blob_shows_each_cut),
        cmocka_unit_test(blob_shows_a_cut_at_a_chunk_s_edge),
        cmocka_unit_test(blob_shows_bytes_added),
        cmocka_unit_test(blob_shows_chunks_swapped),
        cmocka_unit_test(blob_opens_under_its_own_key_only),
        cmocka_unit_test(blob_that_shrinks_while_read_is_damage),
        cmocka_unit_test(blob_fails_again_after_a_failure),
        cmocka_unit_test(blob_says_what_the_system_refuses),
        cmocka_unit_test(writer_that_failed_stays_failed),
        cmocka_unit_test(writer_that_cannot_end_says_so),
        cmocka_unit_test(writer_takes_nothing_after_the_end),
        cmocka_unit_test(sealfile_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
