/* Damage: bytes flipped, pages and frames swapped, cut, zeroed, doubled, brought from another store. Each
 * must be noticed and named, or have touched nothing that counts; never a crash, never other data, nothing
 * overwritten. */
#include "tests/integration/vault_common.h"
#include "tests/integration/vault_disk.h"

#include "pds/base/auto.h"
#include "pds/vault/vault_internal.h"
#include "pds/vault/wal_scan_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 30, LOGGED_JOBS = 25 };

/* How many of each random kind: few for each change, 10,000 damages in all at the large size. */
static size_t pages_flipped = 200, frames_flipped = 200, scattered = 150;

static void take_size(void)
{
    const char *nightly = getenv("TRABOULE_NIGHTLY");

    if (nightly && strcmp(nightly, "1") == 0) {
        pages_flipped = frames_flipped = 3200;
        scattered = 3000;
    }
}

static struct home home;
static struct disk_image closed, logged, other_closed, other_logged; /* as closed; as killed, with a log */
static uint64_t damages, unseen;
static size_t frames; /* of commits in the log; rolled back ones may follow */

static void keep_logged(void *context) { disk_take(context); }

/* A store with jobs, closed, and the same with more jobs in its log. */
static void make(struct disk_image *as_closed, struct disk_image *as_logged)
{
    struct vault *v = NULL;

    disk_empty();
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(probe_prepare(v));
    for (int64_t n = 1; n <= JOBS; n++)
        assert_ok(probe_put(v, n));
    vault_close(v);
    v = NULL;
    disk_take(as_closed);
    assert_ok(home_open(&home, &v));
    for (int64_t n = JOBS + 1; n <= JOBS + LOGGED_JOBS; n++)
        assert_ok(probe_put(v, n));
    frames = vfs_frames(v->vfs);
    keep_logged(as_logged);
    vault_close(v);
}

/* A store that opens in spite of damage: every read is right or is told to be damaged. */
static bool use(struct vault *v, int64_t jobs)
{
    const char *story;
    int64_t found = -1;
    enum err e = probe_count(v, &found);

    if (!e && found != jobs)
        fail_msg("%lld jobs instead of %lld, without an alarm", (long long)found, (long long)jobs);
    if (e && e != ERR_CORRUPT)
        fail_msg("%s: %s", err_row(e)->name, err_story());
    if (e && !vault_is_damaged(v, &story))
        fail_msg("damage was forgotten: %s", err_story());
    e = probe_check(v);
    if (e && e != ERR_CORRUPT)
        fail_msg("check: %s: %s", err_row(e)->name, err_story());
    return e == ERR_CORRUPT;
}

/* Load damaged bytes, open, use. `place`, if not NULL, must stand in the first story told. */
static void expect_seen(const struct disk_image *bytes, int64_t jobs, const char *place)
{
    struct vault *v = NULL;
    struct vault_check_report report;
    enum err e;

    disk_load(bytes);
    damages++;
    e = home_open(&home, &v);
    if (e == ERR_CORRUPT) {
        if (place && !strstr(err_story(), place))
            fail_msg("\"%s\" does not name \"%s\"", err_story(), place);
        assert_true(disk_equals(bytes));
        assert_ok(home_check(&home, &report));
        assert_true(report.problems > 0);
        assert_true(disk_equals(bytes));
        return;
    }
    if (e)
        fail_msg("%s: %s", err_row(e)->name, err_story());
    if (!use(v, jobs)) {
        unseen++;
        if (place)
            fail_msg("nobody saw %s", place);
    } else if (place && !strstr(err_story(), place)) {
        fail_msg("\"%s\" does not name \"%s\"", err_story(), place);
    }
    vault_close(v);
    if (jobs == JOBS && !disk_file_equals(bytes, DISK_DB))
        fail_msg("a damaged vault.db was written to");
}

static void flip(struct disk_image *i, int file, size_t at, uint64_t *random)
{
    i->files[file].bytes[at] ^= (uint8_t)(1U << (test_random(random) % 8));
}

static void copy_of(const struct disk_image *from, struct disk_image *to)
{
    disk_image_done(to);
    disk_image_copy(from, to);
}

static void put_file(struct disk_image *to, int file, const struct disk_image *from)
{
    free(to->files[file].bytes);
    to->files[file] = (struct disk_file){malloc(from->files[file].len), from->files[file].len, true};
    assert_non_null(to->files[file].bytes);
    memcpy(to->files[file].bytes, from->files[file].bytes, from->files[file].len);
}

/* The store when a log had just been begun, and its anchor asked for no frame yet. */
static void keep_begun(void *context)
{
    struct disk_image *begun = context, now;

    if (begun->files[DISK_LOCK].exists)
        return;
    disk_take(&now);
    if (now.files[DISK_WAL].len >= LOG_HEADER_SEALED_BYTES)
        *begun = now;
    else
        disk_image_done(&now);
}

static void a_flipped_byte_of_any_page_is_named(void **state)
{
    uint64_t random = test_seed();
    struct disk_image bytes = {0};
    size_t pages = closed.files[DISK_DB].len / PAGE_BYTES;
    char place[64];

    (void)state;
    for (size_t i = 0; i < pages_flipped; i++) {
        size_t page = i % pages, at = page * PAGE_BYTES;

        at += i % 3 == 0 ? PAGE_PLAIN_BYTES + (size_t)(test_random(&random) % SEAL_EXTRA_BYTES)
                         : (size_t)(test_random(&random) % PAGE_BYTES);
        copy_of(&closed, &bytes);
        flip(&bytes, DISK_DB, at, &random);
        (void)snprintf(place, sizeof place, "vault.db page %zu", page + 1);
        expect_seen(&bytes, JOBS, place);
    }
    disk_image_done(&bytes);
}

static void a_page_swapped_doubled_zeroed_or_from_another_store_is_named(void **state)
{
    uint64_t random = test_seed();
    struct disk_image bytes = {0};
    size_t pages = closed.files[DISK_DB].len / PAGE_BYTES;
    char place[64];

    (void)state;
    for (size_t page = 0; page < pages; page++) {
        uint8_t *db, *here;
        size_t other = (page + 1 + (size_t)(test_random(&random) % (pages - 1))) % pages;

        copy_of(&closed, &bytes);
        db = bytes.files[DISK_DB].bytes;
        here = db + page * PAGE_BYTES;
        switch (page % 5) {
        case 0: { /* swapped */
            uint8_t kept[PAGE_BYTES];

            memcpy(kept, here, PAGE_BYTES);
            memcpy(here, db + other * PAGE_BYTES, PAGE_BYTES);
            memcpy(db + other * PAGE_BYTES, kept, PAGE_BYTES);
            expect_seen(&bytes, JOBS, "vault.db page ");
            continue;
        }
        case 1: /* doubled */
            memcpy(here, db + other * PAGE_BYTES, PAGE_BYTES);
            break;
        case 2:
            memset(here, 0, PAGE_BYTES);
            break;
        case 3:
            memcpy(here, other_closed.files[DISK_DB].bytes + page * PAGE_BYTES, PAGE_BYTES);
            break;
        default:
            memset(here, 0xff, PAGE_BYTES);
        }
        (void)snprintf(place, sizeof place, "vault.db page %zu", page + 1);
        expect_seen(&bytes, JOBS, place);
    }
    disk_image_done(&bytes);
}

static void a_cut_database_is_named(void **state)
{
    struct disk_image bytes = {0};
    size_t pages = closed.files[DISK_DB].len / PAGE_BYTES;
    char place[64];

    (void)state;
    for (size_t page = 0; page < pages; page += 3) {
        copy_of(&closed, &bytes);
        bytes.files[DISK_DB].len = page * PAGE_BYTES + (page % 2 ? 1000 : 0);
        (void)snprintf(place, sizeof place, "vault.db page %zu", page + 1);
        expect_seen(&bytes, JOBS, place);
    }
    disk_image_done(&bytes);
}

static void a_flipped_byte_of_any_frame_is_named(void **state)
{
    uint64_t random = test_seed();
    struct disk_image bytes = {0};
    char place[64];

    (void)state;
    for (size_t i = 0; i < frames_flipped; i++) {
        size_t frame = i % frames, at = (size_t)frame_place((uint32_t)frame + 1);

        at += i % 2 ? (size_t)(test_random(&random) % FRAME_HEADER_SEALED_BYTES)
                    : (size_t)(test_random(&random) % FRAME_SEALED_BYTES);
        copy_of(&logged, &bytes);
        flip(&bytes, DISK_WAL, at, &random);
        (void)snprintf(place, sizeof place, "vault.db-wal frame %zu", frame + 1);
        expect_seen(&bytes, JOBS + LOGGED_JOBS, place);
    }
    for (size_t at = 0; at < LOG_HEADER_SEALED_BYTES; at += 3) {
        copy_of(&logged, &bytes);
        flip(&bytes, DISK_WAL, at, &random);
        expect_seen(&bytes, JOBS + LOGGED_JOBS, "vault.db-wal header");
    }
    disk_image_done(&bytes);
}

static void a_log_that_is_cut_reordered_gone_or_foreign_is_named(void **state)
{
    struct disk_image bytes = {0};

    (void)state;
    for (size_t frame = 0; frame < frames; frame++) { /* cut before it */
        copy_of(&logged, &bytes);
        bytes.files[DISK_WAL].len = (size_t)frame_place((uint32_t)frame + 1) + (frame % 3) * 1000;
        expect_seen(&bytes, JOBS + LOGGED_JOBS, "vault.db-wal");
    }
    for (size_t frame = 0; frame + 1 < frames; frame += 2) { /* swapped with the next */
        uint8_t kept[FRAME_SEALED_BYTES], *here;

        copy_of(&logged, &bytes);
        here = bytes.files[DISK_WAL].bytes + frame_place((uint32_t)frame + 1);
        memcpy(kept, here, FRAME_SEALED_BYTES);
        memcpy(here, here + FRAME_SEALED_BYTES, FRAME_SEALED_BYTES);
        memcpy(here + FRAME_SEALED_BYTES, kept, FRAME_SEALED_BYTES);
        expect_seen(&bytes, JOBS + LOGGED_JOBS, "vault.db-wal frame");
    }
    copy_of(&logged, &bytes); /* gone */
    bytes.files[DISK_WAL].exists = false;
    bytes.files[DISK_WAL].len = 0;
    expect_seen(&bytes, JOBS + LOGGED_JOBS, "vault.db-wal");
    copy_of(&logged, &bytes); /* of another store */
    disk_image_done(&bytes);
    disk_image_copy(&logged, &bytes);
    free(bytes.files[DISK_WAL].bytes);
    bytes.files[DISK_WAL] =
        (struct disk_file){malloc(other_logged.files[DISK_WAL].len), other_logged.files[DISK_WAL].len, true};
    assert_non_null(bytes.files[DISK_WAL].bytes);
    memcpy(bytes.files[DISK_WAL].bytes, other_logged.files[DISK_WAL].bytes, bytes.files[DISK_WAL].len);
    expect_seen(&bytes, JOBS + LOGGED_JOBS, "vault.db-wal");
    disk_image_done(&bytes);
}

/* A page of the log replaced by an older form of the same page, sealed by the store itself. */
static void an_older_form_of_a_page_in_the_log_is_named(void **state)
{
    struct disk_image bytes = {0};
    size_t tried = 0;

    (void)state;
    for (uint32_t page = 1; page < 8; page++) {
        for (size_t frame = 1; frame <= frames; frame++) {
            uint8_t *place =
                logged.files[DISK_WAL].bytes + frame_place((uint32_t)frame) + FRAME_HEADER_SEALED_BYTES;
            const uint8_t *older = closed.files[DISK_DB].bytes + (size_t)(page - 1) * PAGE_BYTES;

            copy_of(&logged, &bytes);
            memcpy(bytes.files[DISK_WAL].bytes + (place - logged.files[DISK_WAL].bytes), older, PAGE_BYTES);
            if (tried++ % 7 == 0)
                expect_seen(&bytes, JOBS + LOGGED_JOBS, "vault.db-wal frame");
        }
    }
    disk_image_done(&bytes);
}

static void the_anchor_tells_a_lost_end_that_frames_cannot(void **state)
{
    uint64_t random = test_seed();
    struct disk_image bytes = {0};

    (void)state;
    for (size_t at = 0; at < ANCHOR_SLOTS * ANCHOR_SLOT_BYTES;
         at += 5) { /* a flip in one slot: the other counts */
        struct vault *v = NULL;

        copy_of(&logged, &bytes);
        flip(&bytes, DISK_LOCK, at, &random);
        disk_load(&bytes);
        damages++;
        assert_ok(home_open(&home, &v));
        assert_false(use(v, JOBS + LOGGED_JOBS));
        vault_close(v);
    }
    copy_of(&logged, &bytes); /* an anchor of before this log was begun */
    memcpy(bytes.files[DISK_LOCK].bytes, closed.files[DISK_LOCK].bytes, bytes.files[DISK_LOCK].len);
    expect_seen(&bytes, JOBS + LOGGED_JOBS, "lock");
    copy_of(&logged, &bytes);
    for (size_t slot = 0; slot < ANCHOR_SLOTS; slot++)
        flip(&bytes, DISK_LOCK, slot * ANCHOR_SLOT_BYTES + 30, &random);
    expect_seen(&bytes, JOBS + LOGGED_JOBS, "lock");
    disk_image_done(&bytes);
}

static void a_store_of_another_key_is_told_from_a_damaged_one(void **state)
{
    struct disk_image bytes = {0};
    AUTO(store_key_freep) struct store_key *other = store_key_new();
    struct vault_check_report report;
    struct vault *v = NULL;
    static const uint8_t id[STORE_ID_BYTES] = "a store of tests";

    (void)state;
    memset(other->bytes, 3, KEY_BYTES);
    disk_load(&closed);
    assert_err(vault_open(tempdir_root(home.dir), other, id, &v), ERR_WRONG_KEY);
    assert_true(disk_equals(&closed));
    assert_err(vault_check_files(tempdir_root(home.dir), other, id, probe_problem, NULL, &report),
               ERR_WRONG_KEY);
    copy_of(&closed, &bytes); /* page 1 and the anchor: other pages tell that the key is right */
    memset(bytes.files[DISK_DB].bytes, 0, PAGE_BYTES);
    memset(bytes.files[DISK_LOCK].bytes, 0, bytes.files[DISK_LOCK].len);
    expect_seen(&bytes, JOBS, "vault.db page 1");
    disk_image_done(&bytes);
}

/* One that was closed misses nothing; of a log nobody knows whether it is the last. */
static void a_store_without_its_anchor_opens_only_without_a_log(void **state)
{
    struct disk_image bytes = {0};
    struct vault *v = NULL;

    (void)state;
    for (int zeroed = 0; zeroed < 2; zeroed++) {
        for (int i = 0; i < 2; i++) {
            copy_of(i ? &logged : &closed, &bytes);
            memset(bytes.files[DISK_LOCK].bytes, 0, bytes.files[DISK_LOCK].len);
            if (!zeroed)
                bytes.files[DISK_LOCK].len = 0;
            if (i) {
                expect_seen(&bytes, JOBS + LOGGED_JOBS, "lock: it is missing");
                continue;
            }
            disk_load(&bytes);
            assert_ok(home_open(&home, &v));
            assert_false(use(v, JOBS));
            vault_close(v);
            v = NULL;
        }
    }
    copy_of(&closed, &bytes); /* an old log over a newer vault.db */
    bytes.files[DISK_LOCK].len = 0;
    put_file(&bytes, DISK_WAL, &logged);
    expect_seen(&bytes, JOBS, "lock: it is missing");
    disk_image_done(&bytes);
}

static void an_older_log_in_the_place_of_the_log_is_named(void **state)
{
    struct disk_image bytes = {0}, again, begun = {0};
    struct vault *v = NULL;

    (void)state;
    disk_load(&logged); /* closed, and killed again with a log of its own */
    assert_ok(home_open(&home, &v));
    vault_close(v);
    v = NULL;
    assert_ok(home_open(&home, &v));
    disk_watch(keep_begun, &begun);
    assert_ok(probe_put(v, JOBS + LOGGED_JOBS + 1));
    disk_watch(NULL, NULL);
    assert_true(begun.files[DISK_LOCK].exists);
    keep_logged(&again);
    vault_close(v);
    copy_of(&again, &bytes);
    put_file(&bytes, DISK_WAL, &logged);
    expect_seen(&bytes, JOBS + LOGGED_JOBS + 1, "vault.db-wal: an older log stands in its place");
    copy_of(&again, &bytes); /* only its header, and an anchor that lags: frames tell */
    memcpy(bytes.files[DISK_WAL].bytes, logged.files[DISK_WAL].bytes, LOG_HEADER_SEALED_BYTES);
    put_file(&bytes, DISK_LOCK, &begun);
    expect_seen(&bytes, JOBS + LOGGED_JOBS + 1, "vault.db-wal: an older log stands in its place");
    copy_of(&again, &bytes); /* no header at all */
    memset(bytes.files[DISK_WAL].bytes, 0, LOG_HEADER_SEALED_BYTES);
    put_file(&bytes, DISK_LOCK, &begun);
    expect_seen(&bytes, JOBS + LOGGED_JOBS + 1, "vault.db-wal header");
    copy_of(&again, &bytes);
    bytes.files[DISK_WAL].bytes[5] ^= 1;
    put_file(&bytes, DISK_LOCK, &begun);
    expect_seen(&bytes, JOBS + LOGGED_JOBS + 1, "vault.db-wal header");
    disk_image_done(&bytes);
    disk_image_done(&again);
    disk_image_done(&begun);
}

/* What the log brings is no reason to take a vault.db that lacks other pages. */
static void a_cut_database_beside_a_log_is_named(void **state)
{
    struct disk_image bytes = {0};
    size_t pages = logged.files[DISK_DB].len / PAGE_BYTES;

    (void)state;
    for (size_t page = 0; page < pages; page++) {
        copy_of(&logged, &bytes);
        bytes.files[DISK_DB].len = page * PAGE_BYTES + (page % 2 ? 1000 : 0);
        expect_seen(&bytes, JOBS + LOGGED_JOBS, page == pages / 2 ? "vault.db page" : NULL);
    }
    disk_image_done(&bytes);
}

static void random_bytes_anywhere_never_give_other_data(void **state)
{
    uint64_t random = test_seed();
    struct disk_image bytes = {0};

    (void)state;
    for (size_t i = 0; i < scattered; i++) {
        int flips = (int)test_between(&random, 1, 40);

        copy_of(&logged, &bytes);
        while (flips-- > 0) {
            int file = (int)(test_random(&random) % 2); /* the anchor has tests of its own */

            flip(&bytes, file, (size_t)(test_random(&random) % bytes.files[file].len), &random);
        }
        expect_seen(&bytes, JOBS + LOGGED_JOBS, NULL);
    }
    disk_image_done(&bytes);
}

static int make_all(void **state)
{
    struct home first = home;
    struct home second = home_new();

    (void)state;
    memset(second.key->bytes, 0x11, KEY_BYTES);
    home = second;
    make(&other_closed, &other_logged);
    home = first;
    home_done(&second);
    make(&closed, &logged);
    return 0;
}

static int done_all(void **state)
{
    (void)state;
    disk_image_done(&closed);
    disk_image_done(&logged);
    disk_image_done(&other_closed);
    disk_image_done(&other_logged);
    disk_empty();
    print_message("%llu damages, %llu of them in bytes that no longer count\n", (unsigned long long)damages,
                  (unsigned long long)unseen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_byte_of_any_page_is_named),
        cmocka_unit_test(a_page_swapped_doubled_zeroed_or_from_another_store_is_named),
        cmocka_unit_test(a_cut_database_is_named),
        cmocka_unit_test(a_flipped_byte_of_any_frame_is_named),
        cmocka_unit_test(a_log_that_is_cut_reordered_gone_or_foreign_is_named),
        cmocka_unit_test(an_older_form_of_a_page_in_the_log_is_named),
        cmocka_unit_test(the_anchor_tells_a_lost_end_that_frames_cannot),
        cmocka_unit_test(a_store_of_another_key_is_told_from_a_damaged_one),
        cmocka_unit_test(a_store_without_its_anchor_opens_only_without_a_log),
        cmocka_unit_test(an_older_log_in_the_place_of_the_log_is_named),
        cmocka_unit_test(a_cut_database_beside_a_log_is_named),
        cmocka_unit_test(random_bytes_anywhere_never_give_other_data),
    };
    int failed;

    take_size();
    disk_start();
    home = home_new();
    failed = cmocka_run_group_tests(tests, make_all, done_all);
    home_done(&home);
    return failed;
}
