#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tmpstore.h"

#include "pds/base/fs.h"
#include "pds/crypto/sha256.h"
#include "pds/store/blob.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int store_made(void **state)
{
    *state = tmpstore_new();
    return 0;
}

static int store_gone(void **state)
{
    tmpstore_free(*state);
    return 0;
}

/* Files of the folder; the name of the last is told when wanted. */
static size_t files(struct tmpstore *t, char *name)
{
    DIR *folder = opendir(tempdir_path(t->dir, "store/files"));
    const struct dirent *file;
    size_t count = 0;

    assert_non_null(folder);
    while ((file = readdir(folder))) {
        if (file->d_name[0] == '.')
            continue;
        if (name)
            (void)snprintf(name, 64, "store/files/%.50s", file->d_name);
        count++;
    }
    (void)closedir(folder);
    return count;
}

struct keep {
    struct blob_writer *writer;
    int64_t id;
    enum err then; /* what the write comes to */
};

static enum err keep_work(struct db *db, void *context)
{
    struct keep *k = context;
    enum err e = blob_keep(db, k->writer, &k->id);

    return e ? e : k->then;
}

static enum err drop_work(struct db *db, void *context) { return blob_drop(db, *(const int64_t *)context); }

static enum err put(struct tmpstore *t, const void *bytes, size_t len, int64_t *id)
{
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    struct keep k = {0};
    enum err e;

    if ((e = blob_writer_new(t->store, &w)) || (e = blob_write(w, bytes, len)) || (e = blob_finish(w)))
        return e;
    k.writer = w;
    if ((e = vault_write(t->vault, keep_work, &k)))
        return e;
    blob_kept(w);
    *id = k.id;
    return ERR_OK;
}

static enum err get(struct tmpstore *t, int64_t id, char *out, size_t size, size_t *got)
{
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    enum err e;

    if ((e = vault_read(t->vault, &reader.db)) || (e = blob_reader_new(t->store, reader.db, id, &r)))
        return e;
    return blob_read(r, 0, out, size, got);
}

static void what_is_put_in_comes_out_and_is_nowhere_in_clear(void **state)
{
    static const char TEXT[] = "carte d'identite de Camille";
    struct tmpstore *t = *state;
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    uint8_t digest[SHA256_BYTES];
    char out[100], name[64], sealed[400];
    struct keep k = {0};
    struct stat facts;
    size_t got = 0;
    int64_t id = 0;
    int fd;

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_write(w, TEXT, 10));
    assert_ok(blob_write(w, TEXT + 10, sizeof TEXT - 10));
    assert_int_equal(blob_written(w), sizeof TEXT);
    assert_ok(blob_finish(w));
    assert_err(blob_write(w, TEXT, 1), ERR_CONFLICT);
    assert_err(blob_finish(w), ERR_CONFLICT);
    sha256_of(TEXT, sizeof TEXT, digest);
    assert_memory_equal(blob_sha256(w), digest, sizeof digest);
    k.writer = w;
    assert_ok(vault_write(t->vault, keep_work, &k));
    blob_kept(w);
    id = k.id;
    assert_ok(get(t, id, out, sizeof out, &got));
    assert_int_equal(got, sizeof TEXT);
    assert_memory_equal(out, TEXT, got);
    assert_int_equal(files(t, name), 1);
    assert_int_equal(strlen(name), strlen("store/files/") + 32);
    assert_int_equal(stat(tempdir_path(t->dir, name), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_true((fd = open(tempdir_path(t->dir, name), O_RDONLY)) >= 0);
    got = (size_t)read(fd, sealed, sizeof sealed);
    assert_int_equal(got, sizeof TEXT + 40);
    assert_null(memmem(sealed, got, TEXT, 8));
    (void)close(fd);
}

static void an_empty_blob_is_one(void **state)
{
    struct tmpstore *t = *state;
    size_t got = 1;
    int64_t id = 0;
    char c;

    assert_ok(put(t, "", 0, &id));
    assert_ok(get(t, id, &c, 1, &got));
    assert_int_equal(got, 0);
}

static void a_writer_that_is_given_up_leaves_nothing(void **state)
{
    struct tmpstore *t = *state;
    struct blob_writer *w = NULL;
    struct keep k = {0};

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_write(w, "abc", 3));
    assert_int_equal(files(t, NULL), 1);
    k.writer = w;
    assert_err(vault_write(t->vault, keep_work, &k), ERR_INTERNAL); /* not at its end */
    blob_writer_free(w);
    assert_int_equal(files(t, NULL), 0);
    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_finish(w));
    assert_int_equal(files(t, NULL), 1);
    blob_writer_free(w);
    assert_int_equal(files(t, NULL), 0);
    blob_writer_free(NULL);
    blob_reader_free(NULL);
}

static void a_sweep_takes_what_has_no_row_and_no_writer(void **state)
{
    struct tmpstore *t = *state;
    struct blob_writer *w = NULL, *whole = NULL;
    int64_t id = 0;
    int fd;

    assert_ok(put(t, "kept", 4, &id));
    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_writer_new(t->store, &whole));
    assert_ok(blob_finish(whole));
    for (int i = 0; i < 600; i++) { /* more than one look */
        char name[80];
        (void)snprintf(name, sizeof name, "store/files/%032x%s", i, i % 2 ? ".new-AbCdEf" : "");
        fd = open(tempdir_path(t->dir, name), O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    fd = open(tempdir_path(t->dir, "store/files/README"), O_WRONLY | O_CREAT, 0600);
    (void)close(fd);
    assert_int_equal(files(t, NULL), 604);
    assert_ok(blob_sweep(t->store, t->vault));
    assert_int_equal(files(t, NULL), 4); /* what nobody made here is not ours to take */
    blob_writer_free(w);
    blob_writer_free(whole);
    assert_int_equal(files(t, NULL), 2);
}

static void an_opening_sweeps_and_makes_the_folder(void **state)
{
    struct tmpstore *t = *state;
    struct blob_writer *w = NULL;
    struct keep k = {.then = ERR_INVALID};

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_finish(w));
    k.writer = w;
    assert_err(vault_write(t->vault, keep_work, &k), ERR_INVALID);
    blob_writer_free(w);
    assert_int_equal(files(t, NULL), 1); /* whether the write happened is for a sweep to see */
    tmpstore_reopen(t);
    assert_int_equal(files(t, NULL), 0);
    assert_int_equal(rmdir(tempdir_path(t->dir, "store/files")), 0);
    tmpstore_reopen(t);
    assert_int_equal(files(t, NULL), 0);
}

static void a_dropped_blob_is_gone_and_its_file_too(void **state)
{
    struct tmpstore *t = *state;
    AUTO(reader_done) struct reader old = {t->vault, NULL};
    AUTO(blob_reader_freep) struct blob_reader *r = NULL, *late = NULL;
    int64_t id = 0, rows;
    char out[8];
    size_t got = 0;

    assert_ok(put(t, "secret", 6, &id));
    assert_ok(vault_read(t->vault, &old.db));
    assert_ok(db_number(old.db, "SELECT count(*) FROM blob", NO_PARAMS, &rows));
    assert_ok(blob_reader_new(t->store, old.db, id, &r));
    assert_ok(vault_write(t->vault, drop_work, &id));
    assert_ok(blob_sweep(t->store, t->vault));
    assert_int_equal(files(t, NULL), 0);
    assert_ok(blob_read(r, 0, out, sizeof out, &got)); /* who had it open goes on */
    assert_int_equal(got, 6);
    assert_err(blob_reader_new(t->store, old.db, id, &late), ERR_NOT_FOUND);
    assert_err(get(t, id, out, sizeof out, &got), ERR_NOT_FOUND);
    assert_err(vault_write(t->vault, drop_work, &id), ERR_NOT_FOUND);
}

static void files_stay_while_held(void **state)
{
    struct tmpstore *t = *state;
    int64_t id = 0;

    assert_ok(put(t, "secret", 6, &id));
    blob_hold(t->store);
    blob_hold(t->store);
    assert_ok(vault_write(t->vault, drop_work, &id));
    assert_ok(blob_sweep(t->store, t->vault));
    blob_unhold(t->store);
    assert_int_equal(files(t, NULL), 1);
    blob_unhold(t->store);
    assert_int_equal(files(t, NULL), 0);
}

enum { PUTS = 60 };

struct putting {
    struct tmpstore *t;
    int64_t ids[PUTS];
    atomic_bool done;
    enum err outcome;
};

static void *put_many(void *context)
{
    struct putting *p = context;

    for (size_t i = 0; i < PUTS && !p->outcome; i++)
        p->outcome = put(p->t, &i, sizeof i, &p->ids[i]);
    atomic_store(&p->done, true);
    return NULL;
}

/* Whatever a sweep sees first, the file or its row, the file stays. */
static void a_sweep_beside_writers_takes_nothing_of_theirs(void **state)
{
    struct tmpstore *t = *state;
    struct putting p = {.t = t};
    pthread_t thread;
    size_t got = 0, value = 0;

    assert_int_equal(pthread_create(&thread, NULL, put_many, &p), 0);
    while (!atomic_load(&p.done))
        assert_ok(blob_sweep(t->store, t->vault));
    (void)pthread_join(thread, NULL);
    assert_int_equal(p.outcome, ERR_OK);
    assert_int_equal(files(t, NULL), PUTS);
    for (size_t i = 0; i < PUTS; i++) {
        assert_ok(get(t, p.ids[i], (char *)&value, sizeof value, &got));
        assert_int_equal(value, i);
    }
}

static void reading_at_any_place(void **state)
{
    static const size_t SPOTS[] = {0, 1, 65535, 65536, 65537, 131072, 199999};
    struct tmpstore *t = *state;
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    enum { SIZE = 200000 };
    char *bytes = mem_new(SIZE), out[70000];
    uint64_t seed = test_seed();
    struct blob_row row;
    size_t got = 0;
    int64_t id = 0;

    assert_non_null(bytes);
    for (size_t i = 0; bytes && i < SIZE; i++)
        bytes[i] = (char)test_random(&seed);
    assert_ok(put(t, bytes, SIZE, &id));
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(blob_reader_new(t->store, reader.db, id, &r));
    assert_int_equal(blob_size(r), SIZE);
    for (size_t i = 0; i < COUNT_OF(SPOTS); i++) {
        size_t left = SIZE - SPOTS[i], want = left < sizeof out ? left : sizeof out;
        assert_ok(blob_read(r, SPOTS[i], out, sizeof out, &got));
        assert_int_equal(got, want);
        assert_memory_equal(out, bytes + SPOTS[i], got);
    }
    assert_ok(blob_read(r, SIZE, out, 1, &got));
    assert_int_equal(got, 0);
    assert_ok(blob_next(reader.db, 0, &row));
    assert_int_equal(row.id, id);
    assert_int_equal(row.size, SIZE);
    assert_err(blob_next(reader.db, row.id, &row), ERR_NOT_FOUND);
    mem_free(bytes);
}

struct seen {
    unsigned problems;
    char where[100], what[200];
};

static void see(void *context, const char *where, const char *what)
{
    struct seen *s = context;

    s->problems++;
    (void)snprintf(s->where, sizeof s->where, "%s", where);
    (void)snprintf(s->what, sizeof s->what, "%s", what);
}

static uint64_t check(struct tmpstore *t, struct seen *seen)
{
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    uint64_t count = 0;

    *seen = (struct seen){0};
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(blob_check_folder(t->store, see, seen));
    assert_ok(blob_check(t->store, reader.db, see, seen, &count));
    return count;
}

static void flip(struct tmpstore *t, const char *name, off_t at)
{
    int fd = open(tempdir_path(t->dir, name), O_RDWR);
    char c;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    (void)close(fd);
}

static void a_check_names_what_is_damaged(void **state)
{
    struct tmpstore *t = *state;
    struct seen seen;
    char name[64], out[8];
    int64_t id = 0, other;
    size_t got = 0;

    assert_ok(put(t, "a paper", 7, &id));
    assert_int_equal(files(t, name), 1);
    assert_ok(put(t, "another", 7, &other));
    assert_int_equal(check(t, &seen), 2);
    assert_int_equal(seen.problems, 0);
    flip(t, name, 3);
    assert_err(get(t, id, out, sizeof out, &got), ERR_CORRUPT);
    assert_int_equal(check(t, &seen), 2);
    assert_int_equal(seen.problems, 1);
    assert_string_equal(seen.where, name + strlen("store/"));
    flip(t, name, 3);
    assert_int_equal(chmod(tempdir_path(t->dir, name), 0644), 0);
    (void)check(t, &seen);
    assert_int_equal(seen.problems, 1);
    assert_int_equal(chmod(tempdir_path(t->dir, name), 0600), 0);
    assert_int_equal(mkdir(tempdir_path(t->dir, "store/files/stray"), 0700), 0);
    (void)check(t, &seen);
    assert_string_equal(seen.where, "files");
    assert_int_equal(rmdir(tempdir_path(t->dir, "store/files/stray")), 0);
    assert_int_equal(truncate(tempdir_path(t->dir, name), 46), 0);
    assert_err(get(t, id, out, sizeof out, &got), ERR_CORRUPT);
    assert_int_equal(unlink(tempdir_path(t->dir, name)), 0);
    assert_err(get(t, id, out, sizeof out, &got), ERR_CORRUPT);
    assert_non_null(strstr(err_story(), "not there"));
    (void)check(t, &seen);
    assert_int_equal(seen.problems, 1);
}

/* Each has its own key: one put in the place of another shows. */
static void blobs_cannot_be_swapped(void **state)
{
    struct tmpstore *t = *state;
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    char path[1024], other[80], out[8];
    struct blob_row one, two;
    int64_t a = 0, b = 0;
    size_t got = 0;

    assert_ok(put(t, "one", 3, &a));
    assert_ok(put(t, "two", 3, &b));
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(blob_next(reader.db, 0, &one));
    assert_ok(blob_next(reader.db, one.id, &two));
    (void)snprintf(other, sizeof other, "store/files/%s", one.name);
    (void)snprintf(path, sizeof path, "%s", tempdir_path(t->dir, other));
    (void)snprintf(other, sizeof other, "store/files/%s", two.name);
    assert_int_equal(rename(path, tempdir_path(t->dir, other)), 0);
    assert_err(get(t, b, out, sizeof out, &got), ERR_CORRUPT);
}

static void putting_survives_each_failing_allocation(void **state)
{
    struct tmpstore *t = *state;
    int64_t id = 0;
    long live;
    enum err e;

    assert_ok(put(t, "warm", 4, &id));
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, put(t, "again", 5, &id)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(files(t, NULL), 2);
}

static void reading_and_sweeping_survive_each_failing_allocation(void **state)
{
    struct tmpstore *t = *state;
    char out[8];
    size_t got = 0;
    int64_t id = 0;
    long live;
    enum err e;

    assert_ok(put(t, "again", 5, &id));
    assert_ok(get(t, id, out, sizeof out, &got));
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, get(t, id, out, sizeof out, &got)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some */
        assert_true(mem_live() <= live);                /* a reader may be closed for another to come */
    }
    FAIL_EACH_ALLOCATION (e, blob_sweep(t->store, t->vault)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some */
        assert_true(mem_live() <= live);                /* a reader may be closed for another to come */
    }
    assert_int_equal(files(t, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, store_made, store_gone)
        WITH_STORE(what_is_put_in_comes_out_and_is_nowhere_in_clear),
        WITH_STORE(an_empty_blob_is_one),
        WITH_STORE(a_writer_that_is_given_up_leaves_nothing),
        WITH_STORE(a_sweep_takes_what_has_no_row_and_no_writer),
        WITH_STORE(an_opening_sweeps_and_makes_the_folder),
        WITH_STORE(a_dropped_blob_is_gone_and_its_file_too),
        WITH_STORE(files_stay_while_held),
        WITH_STORE(a_sweep_beside_writers_takes_nothing_of_theirs),
        WITH_STORE(reading_at_any_place),
        WITH_STORE(a_check_names_what_is_damaged),
        WITH_STORE(blobs_cannot_be_swapped),
        WITH_STORE(putting_survives_each_failing_allocation),
        WITH_STORE(reading_and_sweeping_survive_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
